"""Wrong sets of arguments that only training has.

In the benchmark family exactly one argument is missing; here there are several, or they stand
elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

from fcrewardbench import Call, ErrorType
from fcrewardbench.calls.edits.base import (
    Calls,
    Context,
    Operator,
    in_schema_order,
    name_words,
    properties,
    required,
    with_arguments,
)
from fcrewardbench.calls.edits.names import split_name
from fcrewardbench.calls.edits.sites import Site, asked_for, is_default, shuffled, sites
from toolrm.synthesize.edits.names import described_words
from toolrm.synthesize.edits.values import earlier_calls
from toolrm.synthesize.fitting import takes


def _given(context: Context, calls: Calls, index: int, *, needed: bool) -> list[Site]:
    """Arguments of one call that are due: those that the schema requires, or the others."""
    names = required(context.tool(calls[index].name))
    return [
        site
        for site in sites(context, calls)
        if site.call == index
        and len(site.path) == 1
        and (site.parameter in names) is needed
        and asked_for(context, site)
        and (needed or not is_default(site.value, site.schema))
    ]


def _without(calls: Calls, index: int, names: Sequence[str]) -> Calls:
    left = {k: v for k, v in calls[index].arguments.items() if k not in names}
    return with_arguments(calls, index, left)


def _several_left_out(needed: bool) -> Callable[[Context, Calls, Random], Iterator[Calls]]:
    """Two or more of the due arguments left out at once; one argument stays."""

    def edit(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
        for index in shuffled(range(len(calls)), rng):
            names = [site.parameter for site in _given(context, calls, index, needed=needed)]
            for size in shuffled(range(2, len(names) + 1), rng):
                if size < len(calls[index].arguments):
                    yield _without(calls, index, rng.sample(names, size))

    return edit


def _several_exchanged(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    """Two or more of the due optional arguments left out, and one given that may be left out."""
    for changed in _several_left_out(False)(context, calls, rng):
        for index, (call, expected) in enumerate(zip(changed, context.answer, strict=True)):
            if call == calls[index]:
                continue
            tool = context.tool(call.name)
            for name, options in shuffled(list(expected.arguments.items()), rng):
                given = [option for option in options if option != ""]
                if "" in options and given and name not in calls[index].arguments:
                    arguments = in_schema_order({**call.arguments, name: rng.choice(given)}, tool)
                    yield with_arguments(changed, index, arguments)


def _nested(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    """All arguments one level too deep."""
    for index in shuffled(range(len(calls)), rng):
        if calls[index].arguments:
            key = rng.choice(("params", "arguments", "input", "query", "request"))
            if key not in properties(context.tool(calls[index].name)):
                yield with_arguments(calls, index, {key: dict(calls[index].arguments)})


def _misplaced(needed: bool) -> Callable[[Context, Calls, Random], Iterator[Calls]]:
    """A value under another parameter of the tool, one that was not given."""

    def edit(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
        for index in shuffled(range(len(calls)), rng):
            call = calls[index]
            schemas = properties(context.tool(call.name))
            for site in shuffled(_given(context, calls, index, needed=needed), rng):
                for other in shuffled(list(schemas), rng):
                    if other not in call.arguments and takes(schemas[other], site.value):
                        moved = _moved(call, site.parameter, other)
                        tool = context.tool(call.name)
                        yield with_arguments(calls, index, in_schema_order(moved, tool))

    return edit


def _moved(call: Call, old: str, new: str) -> dict[str, Any]:
    return {new if name == old else name: value for name, value in call.arguments.items()}


def _named_by_description(needed: bool) -> Callable[[Context, Calls, Random], Iterator[Calls]]:
    """An argument under a name made of its description's words."""

    def edit(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
        for index in shuffled(range(len(calls)), rng):
            known = properties(context.tool(calls[index].name))
            for site in shuffled(_given(context, calls, index, needed=needed), rng):
                words = described_words(site.description, rng)
                other = "_".join(words)
                if words and other not in known and set(words) - set(name_words(site.parameter)):
                    changed = _moved(calls[index], site.parameter, other)
                    yield with_arguments(calls, index, changed)

    return edit


def _misspelt_parameter(needed: bool) -> Callable[[Context, Calls, Random], Iterator[Calls]]:
    """An argument under its name with a letter lost or doubled."""

    def edit(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
        for index in shuffled(range(len(calls)), rng):
            known = properties(context.tool(calls[index].name))
            for site in shuffled(_given(context, calls, index, needed=needed), rng):
                name = site.parameter
                place = rng.randrange(1, max(2, len(name) - 1))
                lost = name[:place] + name[place + 1 :]
                other = rng.choice((lost, name[:place] + name[place : place + 1] + name[place:]))
                if len(name) >= 4 and other not in known:
                    yield with_arguments(calls, index, _moved(calls[index], name, other))

    return edit


def _twice_named(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    """A value a second time, under a name that the tool does not have."""
    for index in shuffled(range(len(calls)), rng):
        known = properties(context.tool(calls[index].name))
        for name, value in shuffled(list(calls[index].arguments.items()), rng):
            _, words, join = split_name(name)
            names = [join([*words, ending]) for ending in ("value", "name", "text")]
            words = described_words(str(known.get(name, {}).get("description") or ""), rng)
            names += ["_".join(words)] if words else []
            for other in shuffled(names, rng)[:1]:
                if other not in known:
                    yield with_arguments(calls, index, {**calls[index].arguments, other: value})


_REMARKS = ("reason", "thought", "explanation", "confidence", "user_query", "note")


def _remark_inside(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    """A remark about the call among its arguments."""
    for index in shuffled(range(len(calls)), rng):
        known = properties(context.tool(calls[index].name))
        key = rng.choice([name for name in _REMARKS if name not in known] or [""])
        asked = [m["content"] for m in context.messages if m["role"] == "user"]
        value: Any = 0.9 if key == "confidence" else (asked[-1][:60] if asked else "")
        if key and value:
            yield with_arguments(calls, index, {**calls[index].arguments, key: value})


def _unrevised(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    """The tool's earlier call again, as if the last turns had changed nothing."""
    for call in earlier_calls(context):
        if len(calls) == 1 and call.name == calls[0].name and call != calls[0]:
            yield (call,)


ARGUMENTS = (
    Operator("missing-required/several", ErrorType.MISSING_REQUIRED, _several_left_out(True)),
    Operator("missing-required/nested", ErrorType.MISSING_REQUIRED, _nested),
    Operator("missing-required/misplaced", ErrorType.MISSING_REQUIRED, _misplaced(True)),
    Operator(
        "missing-required/named-by-description",
        ErrorType.MISSING_REQUIRED,
        _named_by_description(True),
    ),
    Operator("missing-required/misspelt", ErrorType.MISSING_REQUIRED, _misspelt_parameter(True)),
    Operator("missing-optional/several", ErrorType.MISSING_OPTIONAL, _several_left_out(False)),
    Operator("missing-optional/several-exchanged", ErrorType.MISSING_OPTIONAL, _several_exchanged),
    Operator("missing-optional/unrevised", ErrorType.MISSING_OPTIONAL, _unrevised),
    Operator("value/unrevised", ErrorType.VALUE, _unrevised),
    Operator("unexpected/misplaced", ErrorType.UNEXPECTED, _misplaced(False)),
    Operator("unexpected/named-by-description", ErrorType.UNEXPECTED, _named_by_description(False)),
    Operator("unexpected/misspelt", ErrorType.UNEXPECTED, _misspelt_parameter(False)),
    Operator("unexpected/twice-named", ErrorType.UNEXPECTED, _twice_named),
    Operator("unexpected/remark-inside", ErrorType.UNEXPECTED, _remark_inside),
)
