"""Calls of another tool of the catalogue, with arguments that fit it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random
from typing import Any

from fcrewardbench.calls.edits.base import Context, in_schema_order, properties, required
from fcrewardbench.calls.edits.sites import is_year, plain
from fcrewardbench.types import Call, JsonObject, Tool

_NOTHING = object()


def siblings(context: Context, tool: Tool) -> list[Tool]:
    """Other tools of the task, nearest first; those that seem to do the same are left out."""
    others = [other for other in context.tools if not _equivalent(tool, other)]
    return sorted(others, key=lambda other: (-_nearness(tool, other), other.name))


def _equivalent(tool: Tool, other: Tool) -> bool:
    if tool.name == other.name:
        return True
    same_parameters = set(properties(tool)) == set(properties(other))
    return same_parameters and _likeness(tool.description, other.description) > 0.6


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


def name_words(text: str) -> list[str]:
    """Words of a name or a description in lower case, camelCase taken apart."""
    return re.findall(r"[a-z]+|\d+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower())


def sibling_call(context: Context, tool: Tool, base: Call, rng: Random) -> Call | None:
    """A call of `tool`: arguments of the same name carried over, the other required ones filled.

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
            value = fill(context, name, schemas.get(name, {}), base, arguments, rng)
            if value is _NOTHING:
                return None
            arguments[name] = value
    return Call(tool.name, in_schema_order(arguments, tool))


def filled(context: Context, name: str, schema: JsonObject, base: Call, rng: Random) -> list[Any]:
    """A plausible value for a parameter, in a list; empty where there is none."""
    value = fill(context, name, schema, base, {}, rng)
    return [] if value is _NOTHING else [value]


def fill(
    context: Context,
    name: str,
    schema: JsonObject,
    base: Call,
    taken: JsonObject,
    rng: Random,
) -> Any:
    """A value out of the base call or the conversation, or `_NOTHING`."""
    options = list(_options(context, name, schema, base))
    fresh = [option for option in options if option not in taken.values()]
    if fresh:
        return fresh[0]
    if schema.get("default") not in (None, ""):
        return schema["default"]
    if schema.get("enum"):
        return rng.choice(list(schema["enum"]))
    return True if schema.get("type") == "boolean" else _NOTHING


def _options(context: Context, name: str, schema: JsonObject, base: Call) -> Iterator[Any]:
    """Values that fit, best first."""
    if schema.get("enum"):
        text = plain(context.text)
        yield from (m for m in schema["enum"] if len(plain(m)) > 1 and plain(m) in text)
        return
    kind = kind_of(name)
    for key, value in base.arguments.items():
        if _takes(schema, value) and (kind_of(key) == kind if kind else shares_word(key, name)):
            yield value
    if schema.get("type") == "string":
        yield from context.named_peers(name)
    elif schema.get("type") in ("integer", "float"):
        yield from (int(n) for n in context.numbers if n.is_integer() and _counts(n, name))


_KINDS = {
    "place": "location city place where destination origin area address town region venue",
    "date": "date day",
    "time": "time hour",
    "person": "artist directed cast starring director actor author singer name receiver",
    "genre": "genre category type",
    "text": "query search keyword text content message title subject",
    "money": "amount price cost budget salary balance",
    "country": "country nation",
}
_KIND_OF = {word: kind for kind, words in _KINDS.items() for word in words.split()}


def kind_of(name: str) -> str | None:
    """What sort of thing a parameter holds, by the words of its name."""
    return next((_KIND_OF[word] for word in name_words(name) if word in _KIND_OF), None)


def shares_word(first: str, second: str) -> bool:
    return bool({w for w in name_words(first) if len(w) > 2} & set(name_words(second)))


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
        case "float":
            return type(value) in (int, float)
        case "boolean":
            return isinstance(value, bool)
        case "array":
            return isinstance(value, list)
        case "dict":
            return isinstance(value, dict)
    return False
