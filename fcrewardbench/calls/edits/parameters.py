"""Wrong sets of arguments: one left out, one under another name, one that nobody asked for."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

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
from fcrewardbench.calls.edits.siblings import filled
from fcrewardbench.calls.edits.sites import Site, asked_for, is_default, shuffled, sites
from fcrewardbench.types import ErrorType


def _arguments(context: Context, calls: Calls, rng: Random, *, needed: bool) -> list[Site]:
    """The arguments that the schema requires, or those that only the conversation asks for."""
    return [
        site
        for site in shuffled([s for s in sites(context, calls) if len(s.path) == 1], rng)
        if (site.parameter in required(context.tool(calls[site.call].name))) is needed
    ]


def _without(calls: Calls, site: Site) -> Calls:
    arguments = dict(calls[site.call].arguments)
    del arguments[site.parameter]
    return with_arguments(calls, site.call, arguments)


def _required_dropped(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    for site in _arguments(context, calls, rng, needed=True):
        if len(calls[site.call].arguments) > 1 and asked_for(context, site):
            yield _without(calls, site)


def _optional_dropped(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    for site in _arguments(context, calls, rng, needed=False):
        if asked_for(context, site) and not is_default(site.value, site.schema):
            yield _without(calls, site)


def _optional_dropped_everywhere(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    """The same argument left out of every call of the tool."""
    for site in _arguments(context, calls, rng, needed=False):
        if not asked_for(context, site) or is_default(site.value, site.schema):
            continue
        changed = calls
        for other in _arguments(context, calls, rng, needed=False):
            same = calls[other.call].name == calls[site.call].name
            if same and other.parameter == site.parameter:
                changed = _without(changed, other)
        if sum(a != b for a, b in zip(calls, changed, strict=True)) > 1:
            yield changed


def _exchanged(needed: bool) -> Any:
    """The due argument left out while one that nobody asked for is filled in from the schema."""

    def edit(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
        for site in _arguments(context, calls, rng, needed=needed):
            if not asked_for(context, site) or is_default(site.value, site.schema):
                continue
            tool = context.tool(calls[site.call].name)
            expected = context.answer[site.call].arguments
            left = dict(_without(calls, site)[site.call].arguments)
            for name, options in shuffled(list(expected.items()), rng):
                given = [option for option in options if option != ""]
                if "" in options and given and name not in left and name in properties(tool):
                    value = rng.choice(given)
                    if isinstance(value, (str, int, float)):
                        changed = in_schema_order({**left, name: value}, tool)
                        yield with_arguments(calls, site.call, changed)

    return edit


_SYNONYMS = (
    "location place city",
    "city town location",
    "date day",
    "start begin",
    "end stop finish",
    "from origin source",
    "to destination target",
    "origin departure",
    "destination arrival",
    "num number count",
    "amount sum value",
    "query search keyword",
    "type kind category",
    "country nation region",
    "duration length period",
    "id identifier",
    "unit units",
    "user account",
    "genre category style",
    "artist musician singer",
    "team club",
    "company business firm",
    "file path",
    "rate percentage",
    "size dimension",
    "price cost",
    "receiver recipient",
    "starring cast actor",
    "cast starring actors",
    "distance radius range",
    "year period",
    "message text content",
    "text content",
    "language lang",
    "cuisine category",
    "mass weight",
    "velocity speed",
    "initial start",
    "final end",
    "radius r",
    "height h",
    "width w",
    "max maximum",
    "min minimum",
    "limit max count",
    "state status region",
    "format style",
    "symbol ticker",
    "ingredients items",
    "people persons guests",
    "adults guests",
)


def _other_names(name: str, rng: Random) -> Iterator[str]:
    _, words, join = split_name(name)
    for place in shuffled(range(len(words)), rng):
        word = words[place].lower()
        kinds = [kind.split() for kind in _SYNONYMS if word in kind.split()]
        for other in shuffled([o for kind in kinds for o in kind if o != word], rng):
            yield join([*words[:place], other, *words[place + 1 :]])
    if len(words) >= 2:
        yield join(words[1:])
        yield join(words[:-1])
    if name.islower() and len(words) == 1 and len(name) > 3:
        yield f"{name}_name"


def _renamed(needed: bool) -> Any:
    """An argument under a name that the schema does not have, its value kept."""

    def edit(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
        for site in _arguments(context, calls, rng, needed=needed):
            known = properties(context.tool(calls[site.call].name))
            for other in _other_names(site.parameter, rng):
                if other in known or not other.isidentifier():
                    continue
                arguments = {
                    other if name == site.parameter else name: value
                    for name, value in calls[site.call].arguments.items()
                }
                yield with_arguments(calls, site.call, arguments)
                break

    return edit


_INVENTED: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("limit", (5, 10, 20)),
    ("unit", ("metric", "imperial")),
    ("language", ("en", "English")),
    ("sort_by", ("relevance", "date", "price")),
    ("format", ("json", "text")),
    ("page", (1,)),
    ("precision", (2, 3)),
    ("timezone", ("UTC", "local")),
    ("include_details", (True,)),
    ("currency", ("USD", "EUR")),
    ("max_results", (5, 10)),
    ("country", ("US", "USA")),
)


def _invented(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    """A parameter that many tools have and this one has not."""
    for index in shuffled(range(len(calls)), rng):
        tool = context.tool(calls[index].name)
        known = {word for name in properties(tool) for word in name_words(name)}
        for name, values in shuffled(_INVENTED, rng):
            if not known & set(name_words(name)):
                yield _inserted(calls, index, name, rng.choice(values), rng)


def _from_sibling(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    """A parameter that another tool of the catalogue has."""
    for index in shuffled(range(len(calls)), rng):
        own = properties(context.tool(calls[index].name))
        for tool in shuffled(context.tools, rng):
            for name, schema in properties(tool).items():
                if name not in own:
                    for value in filled(context, name, schema, calls[index]):
                        yield _inserted(calls, index, name, value, rng)


def _not_asked(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    """A parameter of the schema that no admissible answer has."""
    for index in shuffled(range(len(calls)), rng):
        tool = context.tool(calls[index].name)
        for name, schema in properties(tool).items():
            if name not in context.answer[index].arguments and schema.get("default") is None:
                for value in filled(context, name, schema, calls[index]):
                    changed = {**calls[index].arguments, name: value}
                    yield with_arguments(calls, index, in_schema_order(changed, tool))


def _inserted(calls: Calls, index: int, name: str, value: Any, rng: Random) -> Calls:
    items = list(calls[index].arguments.items())
    items.insert(rng.randrange(len(items) + 1), (name, value))
    return with_arguments(calls, index, dict(items))


PARAMETERS = (
    Operator("missing-required/dropped", ErrorType.MISSING_REQUIRED, _required_dropped),
    Operator("missing-required/exchanged", ErrorType.MISSING_REQUIRED, _exchanged(True)),
    Operator("missing-required/renamed", ErrorType.MISSING_REQUIRED, _renamed(True)),
    Operator("missing-optional/dropped", ErrorType.MISSING_OPTIONAL, _optional_dropped),
    Operator(
        "missing-optional/dropped-everywhere",
        ErrorType.MISSING_OPTIONAL,
        _optional_dropped_everywhere,
    ),
    Operator("missing-optional/exchanged", ErrorType.MISSING_OPTIONAL, _exchanged(False)),
    Operator("unexpected/invented", ErrorType.UNEXPECTED, _invented),
    Operator("unexpected/from-sibling", ErrorType.UNEXPECTED, _from_sibling),
    Operator("unexpected/renamed", ErrorType.UNEXPECTED, _renamed(False)),
    Operator("unexpected/not-asked", ErrorType.UNEXPECTED, _not_asked),
)
