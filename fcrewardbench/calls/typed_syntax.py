"""Calls written in Java's or JavaScript's notation; each argument is the text of its expression."""

from __future__ import annotations

import re

from fcrewardbench.calls.json_syntax import Unreadable
from fcrewardbench.calls.typed_values import CLOSING, is_quoted, outside
from fcrewardbench.types import Call

_OPENING = re.compile(r"\s*([A-Za-z_$][\w$.]*)\s*\(\s*")
_ARGUMENT = re.compile(r"\s*([A-Za-z_$][\w$]*)\s*=(?![=>])\s*")
_BEHIND_ARGUMENT = re.compile(rf"\s*\)|{_ARGUMENT.pattern}")
_BETWEEN_ARGUMENTS = re.compile(r",?\s*")
_BETWEEN_CALLS = re.compile(r"[\s,;]*")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}


def read_source(text: str) -> tuple[tuple[Call, ...], str]:
    """Calls in a list or one after the other, with named arguments; one outer bracket may be missing.

    A string literal stands for the text in it, any other expression for its source: `a="x", b=true`
    are `x` and `true`, both text.
    """
    body = text.strip().removeprefix("[").removesuffix("]")
    calls: list[Call] = []
    position = 0
    while position < len(body):
        call, position = _call(body, position)
        calls.append(call)
        position = _skip(_BETWEEN_CALLS, body, position)
    return tuple(calls), "source"


def _call(text: str, position: int) -> tuple[Call, int]:
    """The call that begins at `position`, and the position behind it."""
    opening = _OPENING.match(text, position)
    if opening is None:
        raise Unreadable(f"'{text[position : position + 80]}' is not a call")
    arguments: dict[str, str] = {}
    position = opening.end()
    while not text.startswith(")", position):
        named = _ARGUMENT.match(text, position)
        if named is None:
            raise Unreadable(f"'{opening[1]}' has an argument without a name")
        end = _end_of_expression(text, named.end())
        arguments[named[1]] = _expression(text[named.end() : end].strip())
        position = _skip(_BETWEEN_ARGUMENTS, text, end)
    return Call(opening[1], arguments), position + 1


def _end_of_expression(text: str, start: int) -> int:
    """Where the next argument or the end of the call follows: commas in `Map<A, B>` end nothing."""
    for position, character in outside(text, start):
        if character in CLOSING:
            return position
        if character == "," and _BEHIND_ARGUMENT.match(text, position + 1):
            return position
    raise Unreadable("a call is never closed")


def _skip(pattern: re.Pattern[str], text: str, position: int) -> int:
    found = pattern.match(text, position)
    return found.end() if found else position


def _expression(source: str) -> str:
    if not is_quoted(source):
        return source
    return _ESCAPE.sub(lambda escape: _ESCAPED.get(escape[1], escape[1]), source[1:-1])
