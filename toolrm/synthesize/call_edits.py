"""Wrong names, counts, sets of arguments and types that only training has.

They need neither telling names nor several calls, so that they work on obfuscated tools and on
dialogues, where one call is due at a time. None is of a kind that the benchmark family has: there a
wrong tool keeps all of the arguments or none, a name loses a word, a prefix or a number, exactly one
argument is missing, and a type is wrong by quotes or brackets alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

from fcrewardbench import Call, ErrorType, Tool
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
from fcrewardbench.calls.edits.dates import moment_of
from fcrewardbench.calls.edits.names import split_name
from fcrewardbench.calls.edits.sites import (
    Site,
    asked_for,
    is_default,
    lacks_preference,
    shuffled,
    sites,
    with_value,
)
from toolrm.synthesize.fitting import takes
from toolrm.synthesize.value_edits import VALUE_EDITS, earlier_calls

# ── names ────────────────────────────────────────────────────────────────────────────────────────


def _poured(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    """Another tool, the right values under its own parameters wherever their types fit."""
    for index in shuffled(range(len(calls)), rng):
        for tool in shuffled(context.tools, rng):
            if tool.name not in {call.name for call in calls}:
                arguments = pour(list(calls[index].arguments.values()), tool)
                if arguments is not None and arguments != calls[index].arguments:
                    yield (*calls[:index], Call(tool.name, arguments), *calls[index + 1 :])


def pour(values: Sequence[Any], tool: Tool) -> dict[str, Any] | None:
    """Values under a tool's parameters, required ones first, each where its type fits.

    None where a required parameter gets none, or nothing is poured.
    """
    schemas, needed = properties(tool), required(tool)
    left = [value for value in values if not lacks_preference(value)]
    arguments: dict[str, Any] = {}
    for name in sorted(schemas, key=lambda name: name not in needed):
        found = next((value for value in left if takes(schemas[name], value)), None)
        if found is not None:
            arguments[name] = found
            left.remove(found)
        elif name in needed:
            return None
    return in_schema_order(arguments, tool) if arguments else None


def _poured_into_due(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    """The tool of another call that is due, a second time, with the right values where they fit."""
    for a, b in _pairs_of(calls, rng):
        arguments = pour(list(calls[b].arguments.values()), context.tool(calls[a].name))
        if calls[a].name != calls[b].name and arguments not in (None, calls[b].arguments):
            one = Call(calls[a].name, arguments or {})
            yield tuple(one if n == b else call for n, call in enumerate(calls))


def _stalled(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    """An earlier call of the dialogue again, in place of the one that is due now."""
    known = {tool.name for tool in context.tools}
    for call in earlier_calls(context):
        if len(calls) == 1 and call.name in known and call.name != calls[0].name:
            yield (call,)


def _renamed(calls: Calls, old: str, new: str) -> Calls:
    return tuple(Call(new, call.arguments) if call.name == old else call for call in calls)


def _naming(name: str, propose: Callable[[Tool, Random], Iterator[str]]) -> Operator:
    """An operator that gives a tool a name that no tool of the task has."""

    def edit(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
        known = {re.sub(r"\W", "_", tool.name).lower() for tool in context.tools}
        for call in shuffled(calls, rng):
            for other in propose(context.tool(call.name), rng):
                fits = re.fullmatch(r"[A-Za-z_][\w.\-]*", other)
                if fits and re.sub(r"\W", "_", other).lower() not in known:
                    yield _renamed(calls, call.name, other)

    return Operator(f"name/{name}", ErrorType.NAME, edit)


_STOP = {"a", "an", "the", "of", "for", "to", "in", "on", "and", "or", "given", "by", "with", "at"}


def _described_words(text: str, rng: Random) -> list[str]:
    words = [word for word in name_words(text)[:8] if word.isalpha() and word not in _STOP]
    return words[: rng.choice((2, 3))]


def _from_description(tool: Tool, rng: Random) -> Iterator[str]:
    """A name made of the first words of what the tool does."""
    words = _described_words(tool.description, rng)
    if len(words) >= 2 and set(words) - set(name_words(tool.name)):
        if "_" in tool.name or tool.name.islower():
            yield "_".join(words)
        else:
            yield words[0] + "".join(word.capitalize() for word in words[1:])


def _misspelt(tool: Tool, rng: Random) -> Iterator[str]:
    """Two letters exchanged, or one lost or doubled, inside the name."""
    name = tool.name
    for place in shuffled(range(1, max(1, len(name) - 2)), rng)[:3]:
        if name[place : place + 2].isalnum():
            swapped = name[:place] + name[place + 1] + name[place] + name[place + 2 :]
            lost = name[:place] + name[place + 1 :]
            yield rng.choice((swapped, lost, name[:place] + name[place] + name[place:]))


# ── numbers of calls ─────────────────────────────────────────────────────────────────────────────


def _earlier_again(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    """An earlier call of the dialogue again, before the one that is due."""
    known = {tool.name for tool in context.tools}
    for call in earlier_calls(context):
        if call.name in known and call not in calls:
            yield (call, *calls)


def _poured_besides(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    """A call of another tool besides, with the same values."""
    for changed in _poured(context, calls, rng):
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
    pairs = [(a, b) for a in range(len(calls)) for b in range(len(calls)) if a != b]
    for a, b in shuffled(pairs, rng):
        first, second = calls[a].arguments, calls[b].arguments
        differing = [name for name in first if name in second and first[name] != second[name]]
        if calls[a].name == calls[b].name and len(differing) >= 2:
            names = rng.sample(differing, rng.randrange(1, len(differing)))
            mixed = Call(calls[a].name, {**first, **{name: second[name] for name in names}})
            yield tuple(mixed if n == a else c for n, c in enumerate(calls) if n != b)


def _pairs_of(calls: Calls, rng: Random) -> list[tuple[int, int]]:
    places = [(a, b) for a in range(len(calls)) for b in range(len(calls)) if a != b]
    return shuffled(places, rng)


def _in_place_of_two(calls: Calls, a: int, b: int, one: Call) -> Calls:
    return tuple(one if n == a else call for n, call in enumerate(calls) if n != b)


def _joined_throughout(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    """Two calls of one tool made into one that lists the values of both in every argument."""
    for a, b in _pairs_of(calls, rng):
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
    for a, b in _pairs_of(calls, rng):
        first, second = calls[a], calls[b]
        if first.name != second.name and set(second.arguments) - set(first.arguments):
            one = Call(first.name, {**second.arguments, **first.arguments})
            ordered = in_schema_order(one.arguments, context.tool(first.name))
            yield _in_place_of_two(calls, a, b, Call(first.name, ordered))


def _carried_over(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    """One call forgotten but for a value, which another call has in place of its own."""
    for a, b in _pairs_of(calls, rng):
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
    for a, b in _pairs_of(calls, rng):
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
    for operator in VALUE_EDITS
    if operator.id in ("value/peer-text", "value/peer-moment", "value/doubled-or-halved")
)


# ── sets of arguments ────────────────────────────────────────────────────────────────────────────


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
                words = _described_words(site.description, rng)
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
            words = _described_words(str(known.get(name, {}).get("description") or ""), rng)
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


# ── types ────────────────────────────────────────────────────────────────────────────────────────


def _typed(name: str, convert: Callable[[Context, Site, Random], Iterator[Any]]) -> Operator:
    def edit(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
        for site in shuffled(sites(context, calls), rng):
            if len(site.path) == 1 and not site.optional:
                for value in convert(context, site, rng):
                    yield with_value(calls, site, value)

    return Operator(f"type/{name}", ErrorType.TYPE, edit)


def _null(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    if context.mentions(site.value):
        yield None


def _wrapped(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """An object that holds the value."""
    if isinstance(site.value, (str, int, float, bool)):
        yield {rng.choice(("value", "type", "name", site.parameter)): site.value}


_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def _number_in_words(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    if type(site.value) is int and 0 <= site.value < len(_NUMBERS):
        yield _NUMBERS[site.value]


def _text_as_object(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """A date, a time, a place or a name taken apart."""
    if not isinstance(site.value, str) or not context.mentions(site.value):
        return
    read = moment_of(site.value)
    if read and "%d" in read[1]:
        yield {"year": read[0].year, "month": read[0].month, "day": read[0].day}
    elif read:
        yield {"hour": read[0].hour, "minute": read[0].minute}
    elif ", " in site.value:
        first, _, rest = site.value.partition(", ")
        yield dict(
            zip(rng.choice((("city", "state"), ("name", "detail"))), (first, rest), strict=True)
        )
    elif 2 <= len(site.value.split()) <= 4:
        first, *others = site.value.split()
        yield {"first": first, "last": " ".join(others)}


def _text_as_truth(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """Yes where one of several texts is due."""
    if isinstance(site.value, str) and site.schema.get("enum") and context.mentions(site.value):
        yield True


def _text_as_place(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """A member of the enum by its place there."""
    members = site.schema.get("enum") or ()
    if isinstance(site.value, str) and site.value in members and len(members) > 2:
        yield list(members).index(site.value) + rng.choice((0, 1))


def _moment_as_number(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """A date or a time as one number."""
    read = moment_of(site.value)
    if read and "%Y" in read[1]:
        yield int(read[0].strftime("%Y%m%d"))
    elif read and "%H" in read[1]:
        yield rng.choice((read[0].hour, int(read[0].strftime("%H%M"))))


def _list_as_object(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    if isinstance(site.value, list) and site.value:
        yield {"items": site.value}


CALL_EDITS = (
    Operator("name/poured", ErrorType.NAME, _poured),
    Operator("name/poured-into-due", ErrorType.NAME, _poured_into_due),
    Operator("name/stalled", ErrorType.NAME, _stalled),
    _naming("from-description", _from_description),
    _naming("misspelt", _misspelt),
    Operator("count/earlier-again", ErrorType.COUNT, _earlier_again),
    Operator("count/poured-besides", ErrorType.COUNT, _poured_besides),
    Operator("count/split-in-two", ErrorType.COUNT, _split_in_two),
    Operator("count/crossed", ErrorType.COUNT, _crossed),
    Operator("count/joined-throughout", ErrorType.COUNT, _joined_throughout),
    Operator("count/folded", ErrorType.COUNT, _folded),
    Operator("count/carried-over", ErrorType.COUNT, _carried_over),
    Operator("count/stood-in", ErrorType.COUNT, _stood_in),
    Operator("count/again-otherwise", ErrorType.COUNT, _again_otherwise),
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
    _typed("null", _null),
    _typed("wrapped", _wrapped),
    _typed("number-in-words", _number_in_words),
    _typed("list-as-object", _list_as_object),
    _typed("text-as-object", _text_as_object),
    _typed("text-as-truth", _text_as_truth),
    _typed("text-as-place", _text_as_place),
    _typed("moment-as-number", _moment_as_number),
)
