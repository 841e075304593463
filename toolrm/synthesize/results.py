"""What tools might have answered: made up, but in the shapes that real ones answer in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from fcrewardbench.calls.edits.base import name_words
from fcrewardbench.calls.edits.sites import leaves
from fcrewardbench.types import Message
from toolrm.synthesize.distractors import READING, words_of

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
"""What verbs of tool names have done."""
_COMPUTING = frozenset({"calculate"})

_STATES = ("success", "ok", "confirmed", "completed", "accepted")
_MOST_WORDS = 4


@dataclass(frozen=True, slots=True)
class Result:
    """A tool's answer to a call.

    Args:
        text: as the tool gives it.
        subject: what it is about, in words.
        value: what it says of that; a reference where the call changed something.
        verb: what the call did, in the past tense; empty where it only looked something up.
    """

    text: str
    subject: str
    value: str
    verb: str = ""


def result_of(tool: str, rng: Random) -> Result:
    """A result of a tool, by its name: a value of one that looks something up, else a reference."""
    subject, verb = _subject(tool)
    about = subject.split()
    if verb:
        code = "".join(rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=rng.choice((5, 6, 8))))
        return Result(_changed(about, code, rng), subject, code, verb)
    value = _value(rng)
    return Result(_read("_".join(about), value, rng), subject, str(value))


def results_in(messages: Sequence[Message], rng: Random) -> list[Result]:
    """What the tool turns at the end of a conversation have answered, of each turn one value."""
    found = []
    for turn in reversed(messages):
        if turn["role"] != "tool":
            break
        subject, verb = _subject(str(turn.get("name") or ""))
        text = str(turn["content"])
        try:
            values = [str(leaf) for leaf in leaves(json.loads(text))]
        except ValueError:
            values = [text.rpartition(":")[2].strip()]
        values = [value for value in values if value and value.lower() not in (*_STATES, "true")]
        if values:
            found.append(Result(text, subject, rng.choice(values), verb))
    return found[::-1]


def _subject(tool: str) -> tuple[str, str]:
    """What a tool's name says that it is about, and what it has done, if that is more than looking."""
    words = [word for word in name_words(tool.rpartition(".")[2]) if word.isalpha()]
    verb = words[0] if words else ""
    changes = verb in PAST and verb not in _COMPUTING and READING not in words_of(verb)
    return " ".join((words[1:] or words or ["result"])[:_MOST_WORDS]), PAST[verb] if changes else ""


def _value(rng: Random) -> int | float | str:
    return rng.choice(
        (
            rng.randint(2, 40),
            rng.randint(100, 20_000),
            round(rng.uniform(0.5, 99.5), 1),
            f"{rng.choice('ABCDEFGH')}{rng.randint(10, 999)}",
            rng.choice(("available", "pending", "high", "low", "moderate", "stable", "open")),
        )
    )


def _changed(about: list[str], code: str, rng: Random) -> str:
    state = rng.choice(_STATES)
    key = rng.choice((f"{about[-1]}_id", "id", "reference", "confirmation"))
    if rng.random() < 0.15:
        return f"{state.capitalize()}. {key.replace('_', ' ')}: {code}"
    made: list[Mapping[str, Any]] = [
        {"status": state, key: code},
        {key: code, "status": state},
        {"success": True, key: code},
        {"result": {key: code, "state": state}},
    ]
    return _json(rng.choice(made), rng)


def _read(key: str, value: object, rng: Random) -> str:
    if rng.random() < 0.15:
        return f"{key.replace('_', ' ')}: {value}"
    made: list[object] = [
        {key: value},
        {"result": value},
        {"status": "success", "data": {key: value}},
        {"results": [{key: value}]},
        [{key: value}],
    ]
    return _json(rng.choice(made), rng)


def _json(value: object, rng: Random) -> str:
    return json.dumps(value, separators=rng.choice(((",", ":"), (", ", ": "))))
