"""Glaive's function calling: lists of turns, or version 2's original texts.

A list has turns of `human`, `gpt`, `function_call` and `observation`, and `tools` as JSON text.
Version 2 writes the tools into a `system` text and the turns into a `chat` text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fcrewardbench import Call, DataError
from fcrewardbench.types import JsonObject, Message
from toolrm.records import Record
from toolrm.sources.base import (
    UNPARSABLE,
    LeftOut,
    Skipped,
    called,
    files_of,
    parsed,
    returned,
    rows,
    tools_from,
)
from toolrm.sources.messages import due_calls

LICENCE = "Apache-2.0"
_ROLES = {"human": "user", "gpt": "assistant", "system": "system"}
_SPEAKERS = {"USER": "human", "ASSISTANT": "gpt", "FUNCTION RESPONSE": "observation"}
_TURN = re.compile(r"(?:^|\n)\s*(USER|ASSISTANT|FUNCTION RESPONSE):")
_QUOTED_ARGUMENTS = re.compile(
    r"""\{\s*"name":\s*"([^"]+)",\s*"arguments":\s*'(.*)'\s*\}""", re.DOTALL
)


def records(path: Path, skipped: Skipped) -> Iterator[Record]:
    """A record for each call of each dialogue.

    Raises:
        DataError: no row has either form.
    """
    files = files_of(path, (".json", ".jsonl"))
    found = False
    for number, row in rows(files, (), skipped):
        if "conversations" in row and "tools" in row:
            read = _from_turns
        elif "system" in row and "chat" in row:
            read = _from_texts
        else:
            skipped.add(f"row {number}", "a field is missing")
            continue
        found = True
        try:
            descriptions, messages = read(row)
            tools = tools_from(descriptions)
        except LeftOut as why:
            skipped.add(f"row {number}", why)
            continue
        yield from due_calls("glaive", LICENCE, str(number), tools, messages, skipped)
    if not found:
        raise DataError(
            f"{files[0]} has no usable row: expected are rows with conversations and tools, or "
            "with system and chat."
        )


def _from_turns(row: JsonObject) -> tuple[Any, list[Message]]:
    turns = row["conversations"]
    if not isinstance(turns, list) or not turns:
        raise LeftOut("a conversation that cannot be read")
    pairs = [(_text(turn, "from"), _text(turn, "value")) for turn in turns]
    return parsed(row["tools"] or "[]"), _messages(pairs)


def _text(turn: Any, key: str) -> str:
    if not isinstance(turn, Mapping) or not isinstance(turn.get(key), str):
        raise LeftOut("a conversation that cannot be read")
    return str(turn[key])


def _from_texts(row: JsonObject) -> tuple[Any, list[Message]]:
    texts = _TURN.split(_text(row, "chat"))
    turns = []
    for speaker, text in zip(texts[1::2], texts[2::2], strict=True):
        said, marker, call = text.replace("<|endoftext|>", "").partition("<functioncall>")
        if said.strip() or not marker:
            turns.append((_SPEAKERS[speaker], said.strip()))
        if marker:
            turns.append(("function_call", call.strip()))
    if not turns:
        raise LeftOut("a conversation that cannot be read")
    return _objects(_text(row, "system")), _messages(turns)


def _objects(text: str) -> list[Any]:
    """The JSON objects that stand one after another in a text."""
    objects = []
    start = text.find("{")
    while start >= 0:
        try:
            found, end = json.JSONDecoder().raw_decode(text, start)
        except (ValueError, RecursionError):
            raise LeftOut(UNPARSABLE) from None
        objects.append(found)
        start = text.find("{", end)
    return objects


def _messages(turns: list[tuple[str, str]]) -> list[Message]:
    messages: list[Message] = []
    tool = ""
    for speaker, text in turns:
        if speaker == "function_call":
            call = _call(text)
            tool = call.name
            messages.append(called([call]))
        elif speaker == "observation":
            if not tool:
                raise LeftOut("a result without a call")
            messages.append(returned(tool, text))
        elif speaker in _ROLES:
            messages.append({"role": _ROLES[speaker], "content": text})
        else:
            raise LeftOut("a speaker whom nobody knows")
    return messages


def _call(text: str) -> Call:
    quoted = _QUOTED_ARGUMENTS.fullmatch(text)
    raw = parsed(text) if quoted is None else {"name": quoted[1], "arguments": quoted[2]}
    if not isinstance(raw, Mapping) or not isinstance(raw.get("name"), str):
        raise LeftOut(UNPARSABLE)
    arguments = raw.get("arguments", {})
    if quoted is not None:
        arguments = arguments.replace("\\'", "'")
    arguments = parsed(arguments)
    if not isinstance(arguments, Mapping):
        raise LeftOut(UNPARSABLE)
    return Call(raw["name"], arguments)
