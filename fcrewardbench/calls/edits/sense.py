"""What keeps a wrong call from being a silly one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fcrewardbench.calls.edits.base import name_words
from fcrewardbench.calls.edits.dates import moment_of
from fcrewardbench.types import JsonObject

_BOUNDS = (
    ("start", "end"),
    ("start", "finish"),
    ("begin", "end"),
    ("from", "to"),
    ("min", "max"),
    ("minimum", "maximum"),
    ("low", "high"),
    ("lower", "upper"),
    ("in", "out"),
    ("departure", "return"),
    ("pickup", "dropoff"),
    ("earliest", "latest"),
    ("favorable", "total"),
    ("success", "total"),
)
_RANGES = {"range", "interval", "limits", "bounds"}


def sensible(before: JsonObject, after: JsonObject) -> bool:
    """Whether changed arguments keep what any reader sees at a glance.

    Lower bounds stay below upper ones, and lists that go together stay of one length.
    """
    if in_order(before) and not in_order(after):
        return False
    lists = [name for name, value in before.items() if isinstance(value, list)]
    lengths = [(len(before[name]), len(after[name])) for name in lists if name in after]
    return not any(old != new and [o for o, _ in lengths].count(old) > 1 for old, new in lengths)


def in_order(arguments: JsonObject) -> bool:
    """Whether every lower bound lies below its upper bound, in objects and lists too."""
    return all(low <= high for low, high in _bounds(arguments))


def _bounds(arguments: JsonObject) -> Iterator[tuple[Any, Any]]:
    words = {name: name_words(name) for name in arguments}
    for name, value in arguments.items():
        if isinstance(value, Mapping):
            yield from _bounds(value)
        elif isinstance(value, list) and len(value) == 2 and _RANGES & set(words[name]):
            yield from _comparable(*value)
        for lower, upper in _BOUNDS:
            partner = [upper if word == lower else word for word in words[name]]
            for other, other_words in words.items():
                if partner != words[name] and other_words == partner:
                    yield from _comparable(value, arguments[other])


def _comparable(low: Any, high: Any) -> Iterator[tuple[Any, Any]]:
    if type(low) in (int, float) and type(high) in (int, float):
        yield low, high
    first, second = moment_of(low), moment_of(high)
    if first and second and first[1] == second[1]:
        yield first[0], second[0]
