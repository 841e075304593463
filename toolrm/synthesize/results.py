"""What tools might have answered: made up, but in the shapes that real ones answer in."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from fcrewardbench import Tool
from fcrewardbench.calls.edits.base import name_words
from fcrewardbench.calls.edits.sites import leaves
from fcrewardbench.types import Message
from toolrm.synthesize.distractors import READING, listed, words_of

PAST = {
    **{
        verb: f"{verb}d" for verb in ("create", "update", "delete", "remove", "schedule", "reserve")
    },
    **{verb: f"{verb}ed" for verb in ("add", "book", "check", "play", "order", "cancel", "rent")},
    **{
        "find": "found",
        "get": "found",
        "set": "set",
        "send": "sent",
        "make": "made",
        "buy": "bought",
    },
    **{"search": "looked for", "calculate": "worked out", "retrieve": "found", "generate": "made"},
}
"""What verbs of tools have done."""
_COMPUTING = frozenset(
    listed(
        """
        calculate compute determine estimate analyze analyse evaluate predict assess measure compare
        convert translate count detect identify validate verify monitor track test suggest recommend
        explain recognize balance perform tell inform answer
        """
    )
)
_ENDS = re.compile(
    r"[^\w\s'-]|\b(?:of|for|in|on|at|to|from|with|by|between|based|given|using|that|which|when|as|and|or"
    r"|within|into|about|under|near|who|whose|where|is|are|has|have)\b"
)
_EMPTY = frozenset(
    listed(
        """
        the a an some any all its current available specific information details data out up if list
        amount number stored whether new existing
        """
    )
)
_CHANGING = frozenset({"give"})  # among the words for looking something up
_STATES = ("success", "ok", "confirmed", "completed", "accepted")
_MOST_WORDS = 4


@dataclass(frozen=True, slots=True)
class Result:
    """A tool's answer to a call.

    Args:
        text: as the tool gives it.
        subject: what it is about, in words.
        value: what it says of that; a reference where the call changed something.
        changed: whether it did, and not only looked something up.
        verb: what it did, in the past tense; empty where that is not known.
    """

    text: str
    subject: str
    value: str
    changed: bool
    verb: str


def result_of(tool: Tool, rng: Random) -> Result:
    """A result of a tool, by its description: a value of one that looks something up, else a reference.

    Descriptions stay where names are obfuscated, so that the words are the same before and after.
    """
    subject, changed, verb = _about(tool)
    if changed:
        value = code(rng)
        return Result(_reference(subject, value, rng), subject, value, changed, verb)
    found = _value(rng)
    return Result(_found(subject.replace(" ", "_"), found, rng), subject, str(found), changed, verb)


def results_in(messages: Sequence[Message], tools: Sequence[Tool], rng: Random) -> list[Result]:
    """What tools have answered since the user's last turn, one value of each answer."""
    known = {tool.name: tool for tool in tools}
    found = []
    for turn in reversed(messages):
        if turn["role"] == "user":
            break
        if turn["role"] != "tool" or turn.get("name") not in known:
            continue
        text = str(turn["content"])
        try:
            values = [str(leaf) for leaf in leaves(json.loads(text))]
        except ValueError:
            values = [text.rpartition(":")[2].strip()]
        values = [value for value in values if value and value.lower() not in (*_STATES, "true")]
        if values:
            subject, changed, verb = _about(known[turn["name"]])
            found.append(Result(text, subject, rng.choice(values), changed, verb))
    return found[::-1]


def code(rng: Random) -> str:
    """A reference of six to eight letters and digits."""
    return "".join(rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=rng.choice((6, 6, 8))))


def _about(tool: Tool) -> tuple[str, bool, str]:
    """What a tool is for: its subject, whether it changes something, and its verb in the past."""
    first, _, rest = tool.description.strip().partition(" ")
    verb, clause = re.sub(r"(?<=[^s])s$", "", first.lower()), rest
    words: list[str] = []
    while clause and not words:
        part, clause = _until_end(clause)
        words = [word for word in name_words(part) if word.isalpha() and word not in _EMPTY]
    if not words:
        words = [word for word in name_words(tool.name) if word.isalpha()] or ["result"]
    changed = verb in _CHANGING or (verb not in _COMPUTING and READING not in words_of(verb))
    return " ".join(words[:_MOST_WORDS]), changed, PAST.get(verb, "") if changed else ""


def _until_end(text: str) -> tuple[str, str]:
    """A description up to where its first part ends, and what follows."""
    end = _ENDS.search(text)
    return (text[: end.start()], text[end.end() :]) if end else (text, "")


def _value(rng: Random) -> int | float | str:
    return rng.choice(
        (
            rng.randint(2, 40),
            rng.randint(100, 20_000),
            round(rng.uniform(0.5, 99.5), 1),
            f"{rng.choice('ABCDEFGH')}{rng.randint(10, 999)}",
            rng.choice(("available", "high", "low", "moderate", "stable", "open")),
        )
    )


def _reference(subject: str, value: str, rng: Random) -> str:
    state = rng.choice(_STATES)
    key = rng.choice((f"{subject.rpartition(' ')[2]}_id", "id", "reference", "confirmation"))
    if rng.random() < 0.15:
        return f"{state.capitalize()}. {key.replace('_', ' ')}: {value}"
    shapes: list[Mapping[str, Any]] = [
        {"status": state, key: value},
        {key: value, "status": state},
        {"success": True, key: value},
        {"result": {key: value, "state": state}},
    ]
    return _json(rng.choice(shapes), rng)


def _found(key: str, value: object, rng: Random) -> str:
    if rng.random() < 0.15:
        return f"{key.replace('_', ' ')}: {value}"
    shapes: list[object] = [
        {key: value},
        {"result": value},
        {"status": "success", "data": {key: value}},
        {"results": [{key: value}]},
        [{key: value}],
    ]
    return _json(rng.choice(shapes), rng)


def _json(value: object, rng: Random) -> str:
    return json.dumps(value, separators=rng.choice(((",", ":"), (", ", ": "))))
