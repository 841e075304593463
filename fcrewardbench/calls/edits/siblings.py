"""Calls of another tool of the catalogue, with arguments that fit it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random
from typing import Any

from fcrewardbench.calls.edits.base import (
    Context,
    in_schema_order,
    name_words,
    properties,
    required,
    stands_in,
)
from fcrewardbench.calls.edits.sites import is_year, lacks_preference, leaves
from fcrewardbench.types import Call, JsonObject, Tool

_NOTHING = object()


def siblings(context: Context, tool: Tool) -> list[Tool]:
    """Other tools of the task, nearest first; without those that do the same or nothing alike."""
    others = [other for other in context.tools if not _equivalent(tool, other)]
    others = [other for other in others if _akin(tool, other)]
    return sorted(others, key=lambda other: (-_nearness(tool, other), other.name))


def _equivalent(tool: Tool, other: Tool) -> bool:
    if tool.name == other.name:
        return True
    # `get_history` and `get_history_by_interval`, `ride` and `ride2`
    first, second = (set(name_words(t.name)) for t in (tool, other))
    if first <= second or second <= first:
        return True
    same_parameters = set(properties(tool)) == set(properties(other))
    return same_parameters and _likeness(tool.description, other.description) > 0.6


_SERVICE = re.compile(r"[A-Za-z]+_\d+(?=_)|.+(?=\.)")
_COMMON = {
    *("get", "find", "search", "list", "lookup", "calculate", "create", "make", "add", "check"),
    *("book", "buy"),
}


# Parameters of tools that have nothing else in common.
_EVERYWHERE = {
    "location",
    "city",
    "date",
    "time",
    "genre",
    "category",
    "type",
    "name",
    "id",
    "unit",
}


def _akin(tool: Tool, other: Tool) -> bool:
    """Whether two tools are of one service, or share a parameter or a telling word of their names."""
    first, second = _SERVICE.match(tool.name), _SERVICE.match(other.name)
    if first and second and first[0] == second[0]:
        return True
    words = {w for w in name_words(tool.name) if len(w) > 2} & set(name_words(other.name))
    shared = set(properties(tool)) & set(properties(other))
    return bool(words - _COMMON or shared - _EVERYWHERE) or len(shared) > 1


def _nearness(tool: Tool, other: Tool) -> float:
    shared = set(properties(tool)) & set(properties(other))
    return (
        _likeness(tool.name, other.name)
        + _likeness(tool.description, other.description)
        + len(shared) / max(1, len(required(other)))
    )


def _likeness(first: str, second: str) -> float:
    a, b = (set(name_words(text)) for text in (first, second))
    return len(a & b) / max(1, len(a | b))


def sibling_call(context: Context, tool: Tool, base: Call, rng: Random) -> Call | None:
    """A call of `tool`: arguments of the same name carried over, the other required ones filled.

    Some calls give optional arguments, too, others do not, as is the way of right calls.
    None where a required argument finds no plausible value in the conversation or the base call,
    or where more than two would have to be filled.
    """
    schemas, needed = properties(tool), required(tool)
    arguments = {
        name: base.arguments[name]
        for name, schema in schemas.items()
        if name in base.arguments and _takes(schema, base.arguments[name])
    }
    if sum(name not in arguments for name in needed) > 2:
        return None
    for name in needed:
        if name not in arguments:
            value = fill(context, name, schemas.get(name, {}), base, arguments)
            if value is _NOTHING:
                return None
            arguments[name] = value
    rate = rng.choice((0.0, 0.5, 1.0))
    for name, schema in schemas.items():
        if name not in arguments and rng.random() < rate:
            value = fill(context, name, schema, base, arguments)
            if value is not _NOTHING and value not in ("null", "None"):
                arguments[name] = value
    if arguments and all(lacks_preference(value) for value in arguments.values()):
        return None
    return Call(tool.name, in_schema_order(arguments, tool))


def filled(context: Context, name: str, schema: JsonObject, base: Call) -> list[Any]:
    """A plausible value for a parameter, in a list; empty where there is none."""
    value = fill(context, name, schema, base, {})
    return [] if value is _NOTHING else [value]


def fill(context: Context, name: str, schema: JsonObject, base: Call, taken: JsonObject) -> Any:
    """A value out of the base call or the conversation, else the default, else `_NOTHING`."""
    options = list(_options(context, name, schema, base))
    fresh = [option for option in options if option not in taken.values()]
    if fresh:
        return fresh[0]
    if schema.get("default") not in (None, ""):
        return schema["default"]
    return True if schema.get("type") == "boolean" else _NOTHING


def _options(context: Context, name: str, schema: JsonObject, base: Call) -> Iterator[Any]:
    """Values that fit, best first."""
    if schema.get("enum"):
        said = context.text.lower()
        yield from (m for m in schema["enum"] if stands_in(str(m).lower(), said))
        return
    kind, names_id = kind_of(name), _names_id(name)
    own_id = [word for word in name_words(name) if word not in _ID_WORDS] == []
    for key, value in base.arguments.items():
        alike = kind_of(key) == kind if kind else shares_word(key, name)
        if names_id:
            alike = _names_id(key) and (own_id or shares_word(key, name))
        if alike and _takes(schema, value) and not lacks_preference(value):
            yield value
    if schema.get("type") == "string":
        peers = context.named_peers(name)
        yield from (p for p in peers if not names_id or any(letter.isdigit() for letter in p))
    elif schema.get("type") in ("integer", "float", "number") and not names_id:
        numbers = [n for n in leaves(base.arguments) if type(n) is int and n in context.numbers]
        yield from (number for number in numbers if _counts(number, name))


_ID_WORDS = {"id", "ids", "identifier", "uuid"}


def _names_id(name: str) -> bool:
    return bool(set(name_words(name)[-1:]) & _ID_WORDS)


_KINDS = {
    "place": "location city place where destination origin area address town region venue",
    "date": "date day",
    "time": "time hour",
    "person": "artist directed cast starring director actor author singer receiver",
    "genre": "genre category",
    "text": "query search keyword text content message title subject",
    "money": "amount price cost budget salary balance",
    "country": "country nation",
}
_KIND_OF = {word: kind for kind, words in _KINDS.items() for word in words.split()}


def kind_of(name: str) -> str | None:
    """What sort of thing a parameter holds, by the words of its name."""
    return next((_KIND_OF[word] for word in name_words(name) if word in _KIND_OF), None)


def shares_word(first: str, second: str) -> bool:
    words = {word for word in name_words(first) if len(word) > 2} - {"name", "type"} - _ID_WORDS
    return bool(words & set(name_words(second)))


def _counts(number: float, name: str) -> bool:
    """Whether a number of the conversation may fill a parameter: years only where years are due."""
    return ("year" in name.lower()) is is_year(number) and 0 < number < 1e6


def _takes(schema: JsonObject, value: Any) -> bool:
    """Whether a schema takes a value, by its type and its enum."""
    if schema.get("enum") and value not in schema["enum"]:
        return False
    match schema.get("type"):
        case "string":
            return isinstance(value, str)
        case "integer":
            return type(value) is int
        case "float" | "number":
            return type(value) in (int, float)
        case "boolean":
            return isinstance(value, bool)
        case "array":
            return isinstance(value, list)
        case "dict" | "object":
            return isinstance(value, dict)
    return False
