"""Where in a call a value stands, and the guards that keep an edit from being doubtful."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Any

from fcrewardbench.calls.edits.base import (
    Calls,
    Context,
    Operator,
    properties,
    with_arguments,
)
from fcrewardbench.calls.edits.sense import sensible
from fcrewardbench.types import ErrorType, JsonObject


@dataclass(frozen=True, slots=True)
class Site:
    """One value of one call, its schema, and what the answer admits for its argument.

    `path` starts with the parameter's name and goes on with keys and places inside the value.
    """

    call: int
    tool: str
    path: tuple[str | int, ...]
    value: Any
    schema: JsonObject
    admissible: Sequence[Any]

    @property
    def parameter(self) -> str:
        return str(self.path[0])

    @property
    def key(self) -> str:
        """The innermost name: the parameter's, or that of a key inside an object."""
        return next(str(step) for step in reversed(self.path) if isinstance(step, str))

    @property
    def optional(self) -> bool:
        return "" in self.admissible

    @property
    def description(self) -> str:
        return str(self.schema.get("description") or "")


def sites(context: Context, calls: Calls) -> list[Site]:
    """Every value of every call, containers before what is in them."""
    found: list[Site] = []
    for index, (call, expected) in enumerate(zip(calls, context.answer, strict=True)):
        schemas = properties(context.tool(call.name))
        for name, value in call.arguments.items():
            admissible = expected.arguments.get(name, ())
            site = Site(index, call.name, (name,), value, schemas.get(name, {}), admissible)
            found.extend(_within(site))
    return found


def _within(site: Site) -> Iterator[Site]:
    yield site
    inner: Iterator[tuple[str | int, Any, Any]]
    if isinstance(site.value, Mapping):
        schemas = site.schema.get("properties") or {}
        inner = ((key, value, schemas.get(key)) for key, value in site.value.items())
    elif isinstance(site.value, list):
        inner = ((place, value, site.schema.get("items")) for place, value in enumerate(site.value))
    else:
        return
    for step, value, schema in inner:
        yield from _within(
            Site(site.call, site.tool, (*site.path, step), value, schema or {}, site.admissible)
        )


def with_value(calls: Calls, site: Site, value: Any) -> Calls:
    """The calls with another value at the site."""
    arguments = dict(calls[site.call].arguments)
    arguments[site.parameter] = _set(arguments[site.parameter], site.path[1:], value)
    return with_arguments(calls, site.call, arguments)


def _set(container: Any, path: Sequence[str | int], value: Any) -> Any:
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(container, Mapping):
        return {k: _set(v, rest, value) if k == step else v for k, v in container.items()}
    return [_set(v, rest, value) if n == step else v for n, v in enumerate(container)]


def shuffled(items: Sequence[Any], rng: Random) -> list[Any]:
    return rng.sample(list(items), len(items))


def asked_for(context: Context, site: Site) -> bool:
    """Whether the value is due: the argument may not be left out and the conversation names it."""
    return not site.optional and context.mentions(site.value)


_DEFAULT = re.compile(
    r"[Dd]efault(?:s|ed)?(?: value)?(?: is| to|s to|:|=| value)?(?: set to)?\s+"
    r"(?:[`'\"](?P<quoted>[^`'\"]+)[`'\"]|(?P<word>[\w.\-]+))"
)


def default_of(schema: JsonObject) -> Any:
    """The default that the schema declares or its description names (then as text), or None."""
    if schema.get("default") is not None:
        return schema["default"]
    named = _DEFAULT.search(str(schema.get("description") or ""))
    return (named["quoted"] or named["word"].rstrip(".")) if named else None


def is_default(value: Any, schema: JsonObject) -> bool:
    default = default_of(schema)
    return default is not None and plain(value) == plain(default)


# What a name may have or not have without naming something else.
_FILLERS = re.compile(
    r"\b(?:the|hotels?|inn|resort|restaurants?|theat(?:er|re)|museum|city|company|inc|corp|band)\b",
    re.I,
)


def plain(value: Any) -> str:
    """Text without case, spaces and punctuation; numbers as they are, 7 and 7.0 the same."""
    if type(value) in (int, float) or re.fullmatch(r"-?\d{1,9}(?:\.\d+)?", str(value)):
        number = float(value)
        return str(int(number)) if number.is_integer() else str(number)
    return re.sub(r"[\s,./\-_*^'\"`]", "", str(value).lower())


def related(first: Any, second: Any) -> bool:
    """Whether two values may mean the same: one holds the other, or they share most words."""
    a, b = (plain(_FILLERS.sub("", v) if isinstance(v, str) else v) for v in (first, second))
    if not a or not b or a in b or b in a:
        return True
    if all(isinstance(value, str) for value in (first, second)):
        left, right = (set(re.findall(r"[a-z]{3,}", str(v).lower())) for v in (first, second))
        return bool(left & right) and len(left & right) >= min(len(left), len(right))
    return False


def means_something_else(site: Site, value: Any) -> bool:
    """Whether no admissible value is related to the text: not a synonym, part or other spelling."""
    options = [option for option in leaves(site.admissible) if option != ""]
    return not any(related(value, option) for option in options if isinstance(option, str))


def leaves(value: Any) -> Iterator[Any]:
    """The scalars inside a value."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


Propose = Callable[[Context, "Site", Random], Iterator[Any]]


def value_operator(name: str, propose: Propose, *, to_default: bool = False) -> Operator:
    """An operator that puts other values in the places of single ones, at most two per place.

    A value that is the schema's default is put there only where the operator is made for it. A text
    that another argument of the call has already is not put there, nor one that makes no sense.
    """

    def acceptable(calls: Calls, site: Site, value: Any) -> bool:
        if plain(value) == plain(site.value) or _given_already(calls, site, value):
            return False
        if is_default(value, site.schema) and not to_default:
            return False
        changed = with_value(calls, site, value)[site.call]
        return sensible(calls[site.call].arguments, changed.arguments)

    def edit(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
        for site in shuffled(sites(context, calls), rng):
            values = (v for v in propose(context, site, rng) if acceptable(calls, site, v))
            for value in islice(values, 2):
                yield with_value(calls, site, value)

    return Operator(f"value/{name}", ErrorType.VALUE, edit)


def _given_already(calls: Calls, site: Site, value: Any) -> bool:
    """Whether another argument of the call has the value: a trip does not end where it begins."""
    arguments = calls[site.call].arguments
    others = list(leaves([v for name, v in arguments.items() if name != site.parameter]))
    if is_number(value):
        return any(is_number(other) and other == value for other in others)
    if not isinstance(value, str) or lacks_preference(value) or value in ("True", "False"):
        return False
    return any(
        plain(value) == plain(text) or (min(len(value), len(text)) > 3 and related(value, text))
        for text in others
        if isinstance(text, str)
    )


def is_number(value: Any) -> bool:
    return type(value) in (int, float)


def same_scale(old: float, new: float) -> bool:
    """Whether one number may stand where the other does: sign, size, and years for years.

    Small counts and shares are known better than great numbers.
    """
    if old == 0 or new == 0:
        return abs(old - new) <= 5
    if is_year(old) is not is_year(new):
        return False
    if min(abs(old), abs(new)) < 1 <= max(abs(old), abs(new)) or abs(old) <= 10:
        return 1 / 4 <= new / old <= 4
    return 1 / 30 <= abs(new / old) <= 30 and (old > 0) == (new > 0)


def is_year(number: float) -> bool:
    return 1800 <= number <= 2100 and float(number).is_integer()


def shape(text: str) -> tuple[bool, bool, bool, int]:
    """What two texts must share to stand for each other: case, a comma, digits, and length."""
    words = text.split()
    size = 1 if len(words) <= 3 else 2 if len(words) <= 8 else 3
    return text[:1].isupper(), "," in text, bool(re.search(r"\d", text)), size


def lacks_preference(value: Any) -> bool:
    """Whether a value says "no preference", which a reader may take for right."""
    return str(value).lower() in _NO_PREFERENCE


_NO_PREFERENCE = {"dontcare", "any", "all", "none", "null", "other", "others", "unknown", "default"}


def about(context: Context, name: str) -> bool:
    """Whether the conversation speaks of what a parameter is named after."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
    return any(context.mentions(word) for word in re.findall(r"[a-z]{4,}", spaced))
