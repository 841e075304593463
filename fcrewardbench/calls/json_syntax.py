"""Calls written as JSON, or as a name or a tag with JSON behind it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from fcrewardbench.types import Call

_PARAMETER_TAG = re.compile(r"<parameter=([^>\s]+)>\n?(.*?)\n?</parameter>", re.DOTALL)
_NAME_THEN_JSON = re.compile(r"\s*([A-Za-z_][\w.\-]*)\s*(?=\{)")
_SEPARATOR = re.compile(r"[\s,;]*")


class Unreadable(Exception):
    """Looks like a call and is not one; the message is the reason."""


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


DECODER = json.JSONDecoder(parse_constant=_no_constant, strict=False)


def read_json(text: str) -> tuple[tuple[Call, ...], str]:
    calls: list[Call] = []
    shape = "json"
    for value in _json_values(text):
        read, shape = calls_of_json(value)
        calls.extend(read)
    return tuple(calls), f"json {shape}"


def _json_values(text: str) -> Iterator[Any]:
    """JSON values one after the other, with white space, commas or semicolons between them."""
    position = 0
    while position < len(text):
        try:
            value, position = DECODER.raw_decode(text, position)
        except (ValueError, RecursionError) as why:
            raise Unreadable(f"broken JSON: {why}") from None
        yield value
        separator = _SEPARATOR.match(text, position)
        position = separator.end() if separator else position


def end_of_json(text: str, start: int) -> int:
    """Where the JSON values that begin at `start` end; `start` where none does."""
    end = start
    while True:
        separator = _SEPARATOR.match(text, end)
        try:
            _, end = DECODER.raw_decode(text, separator.end() if separator else end)
        except (ValueError, RecursionError):
            return end


_ARGUMENT_KEYS = ("arguments", "parameters", "args", "input", "kwargs")


def calls_of_json(value: Any) -> tuple[tuple[Call, ...], str]:
    """Calls of a parsed JSON value and the name of its shape."""
    if isinstance(value, list):
        calls: list[Call] = []
        shape = "empty list"
        for item in value:
            read, shape = calls_of_json(item)
            calls.extend(read)
        return tuple(calls), shape
    if not isinstance(value, dict):
        raise Unreadable(f"a call is an object, not {json.dumps(value, default=str)[:80]}")
    if isinstance(value.get("tool_calls"), list):
        return calls_of_json(value["tool_calls"])
    if isinstance(value.get("function"), dict) and isinstance(value["function"].get("name"), str):
        read, _ = calls_of_json(value["function"])
        return read, "tool_calls"
    for name_key in ("name", "function", "tool_name", "tool"):
        name = value.get(name_key)
        if not isinstance(name, str):
            continue
        for key in _ARGUMENT_KEYS:
            if key in value:
                return (Call(name, _arguments(name, value[key])),), f"{name_key}/{key}"
        if set(value) <= {name_key, "type", "id"}:
            return (Call(name, {}),), f"{name_key} alone"
    if len(value) == 1:
        ((name, arguments),) = value.items()
        return (Call(name, _arguments(name, arguments)),), "one-key object"
    raise Unreadable(
        f"an object with the keys {', '.join(map(repr, list(value)[:6]))} is no known form of a call"
    )


def _arguments(name: str, value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        try:
            value = DECODER.decode(value) if value.strip() else {}
        except (ValueError, RecursionError) as why:
            raise Unreadable(
                f"the arguments of '{name}' are text that is not JSON: {why}"
            ) from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Unreadable(f"the arguments of '{name}' are not an object")
    return value


def read_name_then_json(text: str) -> tuple[tuple[Call, ...], str]:
    """`name` and a JSON object, once or several times."""
    calls = []
    position = 0
    while position < len(text):
        name = _NAME_THEN_JSON.match(text, position)
        if not name:
            raise Unreadable("neither JSON, nor Python-like calls, nor a name followed by JSON")
        try:
            arguments, position = DECODER.raw_decode(text, name.end())
        except (ValueError, RecursionError) as why:
            raise Unreadable(f"broken JSON after '{name[1]}': {why}") from None
        calls.append(Call(name[1], _arguments(name[1], arguments)))
        separator = _SEPARATOR.match(text, position)
        position = separator.end() if separator else position
    return tuple(calls), "name then json"


def read_function_tag(name: str, body: str) -> Call:
    """`<function=name>` with a JSON object or with `<parameter=…>` tags inside."""
    parameters = _PARAMETER_TAG.findall(body)
    if not parameters:
        return Call(name, _arguments(name, body))
    arguments = {}
    for key, value in parameters:
        try:
            arguments[key] = DECODER.decode(value)
        except ValueError:
            arguments[key] = value
    return Call(name, arguments)
