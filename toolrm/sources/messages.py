"""Plain JSONL in the OpenAI shape: a conversation a line, under `messages` and `tools`.

Every turn in which the assistant calls is a record. A conversation without any call is one, too,
if the assistant has the last word: no call is due there, and what it says is right. `id` and
`licence` are taken where a line has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fcrewardbench import DataError, Tool
from fcrewardbench.messages import calls_of, messages_of
from fcrewardbench.types import JsonObject, Message
from toolrm.records import Record
from toolrm.sources.base import (
    LeftOut,
    Skipped,
    expected,
    files_of,
    parsed,
    record_of,
    rows,
    tools_from,
)

LICENCE = "NOASSERTION"  # SPDX for "nobody says"


def records(path: Path, skipped: Skipped) -> Iterator[Record]:
    """Records of a file, or of a folder's `.jsonl` files."""
    files = files_of(path, (".jsonl", ".json"))
    for number, row in rows(files, ("messages", "tools"), skipped):
        try:
            messages, tools = _conversation(row), tools_from(parsed(row["tools"]))
        except LeftOut as why:
            skipped.add(f"row {number}", why)
            continue
        id = str(row.get("id") or number)
        licence = str(row.get("licence") or row.get("license") or LICENCE)
        yield from due_calls("messages", licence, id, tools, messages, skipped, abstain=True)


def due_calls(
    source: str,
    licence: str,
    id: str,
    tools: Sequence[Tool],
    messages: Sequence[Message],
    skipped: Skipped,
    *,
    abstain: bool = False,
) -> Iterator[Record]:
    """A record for every turn that calls; with `abstain`, one for a conversation without any."""
    turns = [index for index, message in enumerate(messages) if calls_of(message)]
    if not turns:
        if not abstain or messages[-1]["role"] != "assistant":
            skipped.add(f"{source}/{id}", "a conversation without calls")
            return
        turns = [len(messages) - 1]
    for index in turns:
        try:
            answer = [expected(call, tools) for call in calls_of(messages[index])]
            record = record_of(source, licence, f"{id}/{index}", tools, messages[:index], answer)
            if answer:
                yield replace(record, more_follows=_calls_again(messages[index + 1 :]))
            else:
                yield replace(record, reply=str(messages[index]["content"] or ""))
        except LeftOut as why:
            skipped.add(f"{source}/{id}/{index}", why)


def _calls_again(messages: Sequence[Message]) -> bool:
    """Whether the next turn that is no tool's calls."""
    following = (message for message in messages if message["role"] != "tool")
    return bool(calls_of(next(following, {"role": "user"})))


def _conversation(row: JsonObject) -> tuple[Message, ...]:
    raw: Any = parsed(row["messages"])
    try:
        return messages_of(raw)
    except (DataError, TypeError, AttributeError):
        raise LeftOut("a conversation that cannot be read") from None
