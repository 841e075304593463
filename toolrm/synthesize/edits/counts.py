"""Wrong numbers of calls that only training has.

In the benchmark family one call is left out, merged or hedged; here calls are those of other tools or
of earlier turns, are split, or several are made into one.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from fcrewardbench import Call, ErrorType
from fcrewardbench.calls.edits.base import Calls, Context, Operator, in_schema_order, properties
from fcrewardbench.calls.edits.dates import moment_of
from fcrewardbench.calls.edits.sites import shuffled
from toolrm.synthesize.edits.names import pairs_of, poured
from toolrm.synthesize.edits.values import VALUES, earlier_calls
from toolrm.synthesize.fitting import pour, takes


def _earlier_again(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    """An earlier call of the dialogue again, before the one that is due."""
    known = {tool.name for tool in context.tools}
    for call in earlier_calls(context):
        if call.name in known and call not in calls:
            yield (call, *calls)


def _poured_besides(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    """A call of another tool besides, with the same values."""
    for changed in poured(context, calls, rng):
        extra = next(call for call in changed if call not in calls)
        yield from shuffled([(*calls, extra), (extra, *calls)], rng)[:1]


def _split_in_two(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    """One call made into two, each with a part of its arguments."""
    for index in shuffled(range(len(calls)), rng):
        items = list(calls[index].arguments.items())
        if len(items) >= 2:
            place = rng.randrange(1, len(items))
            parts = (Call(calls[index].name, dict(p)) for p in (items[:place], items[place:]))
            yield (*calls[:index], *parts, *calls[index + 1 :])


def _crossed(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    """Two calls of one tool made into one, with some values of each."""
    for a, b in pairs_of(calls, rng):
        first, second = calls[a].arguments, calls[b].arguments
        differing = [name for name in first if name in second and first[name] != second[name]]
        if calls[a].name == calls[b].name and len(differing) >= 2:
            names = rng.sample(differing, rng.randrange(1, len(differing)))
            mixed = Call(calls[a].name, {**first, **{name: second[name] for name in names}})
            yield tuple(mixed if n == a else c for n, c in enumerate(calls) if n != b)


def _in_place_of_two(calls: Calls, a: int, b: int, one: Call) -> Calls:
    return tuple(one if n == a else call for n, call in enumerate(calls) if n != b)


def _joined_throughout(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    """Two calls of one tool made into one that lists the values of both in every argument."""
    for a, b in pairs_of(calls, rng):
        first, second = calls[a].arguments, calls[b].arguments
        differing = [name for name in first if name in second and first[name] != second[name]]
        if calls[a].name == calls[b].name and len(differing) >= 2:
            joined = {name: _listed_together(first[name], second[name]) for name in differing}
            yield _in_place_of_two(calls, a, b, Call(calls[a].name, {**first, **joined}))


def _listed_together(first: Any, second: Any) -> Any:
    if isinstance(first, str) and isinstance(second, str):
        return f"{first}, {second}"
    return [*first, *second] if isinstance(first, list) and isinstance(second, list) else first


def _folded(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    """Two calls of different tools made into one that has the arguments of both."""
    for a, b in pairs_of(calls, rng):
        first, second = calls[a], calls[b]
        if first.name != second.name and set(second.arguments) - set(first.arguments):
            one = Call(first.name, {**second.arguments, **first.arguments})
            ordered = in_schema_order(one.arguments, context.tool(first.name))
            yield _in_place_of_two(calls, a, b, Call(first.name, ordered))


def _carried_over(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    """One call forgotten but for a value, which another call has in place of its own."""
    for a, b in pairs_of(calls, rng):
        first, second = calls[a], calls[b]
        schemas = properties(context.tool(first.name))
        if first.name == second.name:
            continue
        for name, value in shuffled(list(first.arguments.items()), rng):
            others = [
                other
                for other in second.arguments.values()
                if takes(schemas.get(name, {}), other)
                and other != value
                and (moment_of(other) is None) is (moment_of(value) is None)
            ]
            if others:
                one = Call(first.name, {**first.arguments, name: rng.choice(others)})
                yield _in_place_of_two(calls, a, b, one)


def _stood_in(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    """Two calls made into one of a third tool, with their values."""
    for a, b in pairs_of(calls, rng):
        values = [*calls[a].arguments.values(), *calls[b].arguments.values()]
        for tool in shuffled(context.tools, rng):
            if tool.name not in {call.name for call in calls}:
                arguments = pour(values, tool)
                if arguments is not None:
                    yield _in_place_of_two(calls, a, b, Call(tool.name, arguments))


def _again_otherwise(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    """A call again with a value that nobody named."""
    for operator in shuffled(_ELSEWHERE, rng):
        for changed in operator.propose(context, calls, rng):
            extra = [call for call in changed if isinstance(call, Call) and call not in calls]
            if extra:
                yield rng.choice(((*calls, extra[0]), (extra[0], *calls)))


_ELSEWHERE = tuple(
    operator
    for operator in VALUES
    if operator.id in ("value/peer-text", "value/peer-moment", "value/doubled-or-halved")
)


COUNTS = (
    Operator("count/earlier-again", ErrorType.COUNT, _earlier_again),
    Operator("count/poured-besides", ErrorType.COUNT, _poured_besides),
    Operator("count/split-in-two", ErrorType.COUNT, _split_in_two),
    Operator("count/crossed", ErrorType.COUNT, _crossed),
    Operator("count/joined-throughout", ErrorType.COUNT, _joined_throughout),
    Operator("count/folded", ErrorType.COUNT, _folded),
    Operator("count/carried-over", ErrorType.COUNT, _carried_over),
    Operator("count/stood-in", ErrorType.COUNT, _stood_in),
    Operator("count/again-otherwise", ErrorType.COUNT, _again_otherwise),
)
