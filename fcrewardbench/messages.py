"""Turns of a conversation, read from the shapes in which chat data come."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from fcrewardbench.calls.parse import parse
from fcrewardbench.errors import DataError
from fcrewardbench.types import Call, Message


def messages_of(raw: object, field: str = "messages") -> tuple[Message, ...]:
    """Turns with `role`, text `content`, and `tool_calls` whose arguments are objects.

    Content given as parts is joined; keys whose value is null are left out.

    Raises:
        DataError: no list of turns, or a turn without role or content.
    """
    if not isinstance(raw, Sequence) or isinstance(raw, str) or not raw:
        raise DataError(f"'{field}' is no list of messages with 'role' and 'content'.")
    return tuple(_message(item, field) for item in raw)


def calls_of(message: Message) -> tuple[Call, ...]:
    """The calls that a turn made."""
    return tuple(
        Call(call["function"]["name"], call["function"]["arguments"])
        for call in message.get("tool_calls") or ()
    )


def _message(raw: object, field: str) -> Message:
    if not isinstance(raw, Mapping) or not isinstance(raw.get("role"), str):
        raise DataError(f"'{field}' is no list of messages with 'role' and 'content'.")
    message = {key: value for key, value in raw.items() if value is not None}
    calls = message.pop("tool_calls", None) or message.pop("function_call", None)
    if calls:
        parsed = parse(calls)
        if parsed.calls is None:
            raise DataError(f"a turn of '{field}' has calls that cannot be read: {parsed.problem}.")
        message["tool_calls"] = [
            {"type": "function", "function": call.as_dict()} for call in parsed.calls
        ]
    elif "content" not in message:
        raise DataError(f"a turn of '{field}' has neither content nor calls.")
    message["content"] = _text(message.get("content", ""), field)
    return message


def _text(content: Any, field: str) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence) and all(_is_text_part(part) for part in content):
        return "".join(part["text"] for part in content)
    shown = json.dumps(content, default=str)[:80]
    raise DataError(f"a turn of '{field}' has content that is no text: {shown}.")


def _is_text_part(part: Any) -> bool:
    return isinstance(part, Mapping) and isinstance(part.get("text"), str)
