"""Wrong numbers of calls: one forgotten, one too many, two made into one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

from fcrewardbench.calls.edits.base import (
    Calls,
    Context,
    Operator,
    name_words,
    required,
    with_arguments,
)
from fcrewardbench.calls.edits.choices import CHOICES
from fcrewardbench.calls.edits.siblings import sibling_call, siblings
from fcrewardbench.calls.edits.sites import shuffled
from fcrewardbench.calls.edits.values import NAMED
from fcrewardbench.types import Call, ErrorType


def _one_dropped(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    if len(calls) > 1:
        for index in shuffled(range(len(calls)), rng):
            yield calls[:index] + calls[index + 1 :]


def _several_dropped(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    """Only the first or the last of three or more."""
    if len(calls) > 2:
        yield from shuffled([calls[:1], calls[-1:]], rng)


def _merged(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    """Two calls of one tool made into one that asks for both at once."""
    pairs = [(a, b) for a in range(len(calls)) for b in range(a + 1, len(calls))]
    for a, b in shuffled(pairs, rng):
        first, second = calls[a].arguments, calls[b].arguments
        if calls[a].name != calls[b].name or set(first) != set(second):
            continue
        differing = [name for name in first if first[name] != second[name]]
        joined = [_joined(first[name], second[name]) for name in differing]
        if len(differing) == 1 and joined[0] is not None and differing[0] != "command":
            rest = calls[:b] + calls[b + 1 :]
            yield with_arguments(rest, a, {**first, differing[0]: joined[0]})


def _joined(first: Any, second: Any) -> Any:
    if isinstance(first, str) and isinstance(second, str) and max(len(first), len(second)) < 40:
        return f"{first} and {second}"
    if isinstance(first, list) and isinstance(second, list):
        return first + [item for item in second if item not in first]
    return None


def _doubled(family: Sequence[Operator]) -> Callable[[Context, Calls, Random], Iterator[Calls]]:
    """A call again with another value, as if one more thing had been asked for."""

    def edit(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
        for operator in shuffled(family, rng):
            for changed in operator.propose(context, calls, rng):
                assert not isinstance(changed, str)
                fresh = [call for call in changed if call not in calls]
                if fresh:
                    yield from _with_extra(calls, fresh[0], rng)
                    break

    return edit


# Tools that only look something up: one call more of them does no harm and is often wise.
_LOOKING = {
    *("search", "find", "get", "list", "lookup", "finish", "show", "view", "fetch", "retrieve"),
    *("check", "detail", "details", "info"),
}


def _extra_sibling(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    """A call of another tool besides, which does something that nobody asked for."""
    used = {call.name for call in calls}
    for call in shuffled(calls, rng):
        given = list(call.arguments.values())
        for tool in shuffled(siblings(context, context.tool(call.name))[:3], rng):
            if tool.name in used or _LOOKING & set(name_words(tool.name)):
                continue
            other = sibling_call(context, tool, call, rng)
            # What can be done with the very same values may have been meant as the next step.
            if other and any(other.arguments[name] not in given for name in required(tool)):
                yield from _with_extra(calls, other, rng)


def _with_extra(calls: Calls, extra: Call, rng: Random) -> Iterator[Calls]:
    place = rng.randrange(len(calls) + 1)
    if extra not in calls:
        yield (*calls[:place], extra, *calls[place:])


COUNTS = (
    Operator("count/one-dropped", ErrorType.COUNT, _one_dropped),
    Operator("count/several-dropped", ErrorType.COUNT, _several_dropped),
    Operator("count/merged", ErrorType.COUNT, _merged),
    Operator("count/one-doubled", ErrorType.COUNT, _doubled(NAMED)),
    Operator("count/one-hedged", ErrorType.COUNT, _doubled(CHOICES)),
    Operator("count/extra-sibling", ErrorType.COUNT, _extra_sibling),
)
