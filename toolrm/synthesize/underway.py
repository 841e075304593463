"""Records after earlier calls, made of records without.

Requests are half done, done, or come behind another one that was served, in the same turn of the user
or a later one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from random import Random

from fcrewardbench import Call, Prompt, Tool
from fcrewardbench.calls.edits.base import Context
from fcrewardbench.types import Message
from toolrm.records import Record
from toolrm.sources.base import called, returned
from toolrm.synthesize.abstention import missing_arguments
from toolrm.synthesize.distractors import READING, alike, traits_of, words_of
from toolrm.synthesize.results import Result, result_of
from toolrm.synthesize.words import report

_LOOKED_AT = 8  # other requests, until one can stand before
_TOGETHER = 0.5  # of several calls that are made, how often they are in one turn
_LIKE = 0.4  # of the requests that are looked at, how many are for a tool that is due now, too
_IN_ONE_TURN = 0.5
_POINTING = re.compile(
    r"\b(?:this|that|these|those|it|its|same"
    r"|the (?:song|album|tune|track|artist|book|movie|film|one))\b",
    re.IGNORECASE,
)
"""What another request before it could give a meaning."""
_OF_BEFORE = re.compile(r"never mind|forget|another one|rude|sorry|talked about", re.IGNORECASE)
"""What is said of the turns before, which calls might serve."""
_BETWEEN = (" ", " ", "\n", " Also: ", " And then: ", "\n\n", " After that: ")


def half_done(record: Record, rng: Random) -> Record | None:
    """The record with the first of its calls made and answered, so that the others are due.

    None where fewer than two are due, or the last turn is not the user's.
    """
    if len(record.answer) < 2 or not _is_asked(record):
        return None
    made = rng.randrange(1, len(record.answer))
    turns, _ = _served(record, record.gold[:made], rng)
    prompt = Prompt(record.prompt.tools, (*record.prompt.messages, *turns))
    return replace(record, id=_new_id(record, rng), prompt=prompt, answer=record.answer[made:])


def done(record: Record, rng: Random) -> Record | None:
    """The record with all of its calls made and answered, so that the results are to be told.

    None where no call is due, where other calls would follow, or where there are other turns than one
    of the user: a dialogue may have come to where something else is due.
    """
    if not _is_whole(record):
        return None
    turns, results = _served(record, record.gold, rng)
    prompt = Prompt(record.prompt.tools, (*record.prompt.messages, *turns))
    reply = report(results, rng)
    return replace(record, id=_new_id(record, rng), prompt=prompt, answer=(), reply=reply)


def parting(record: Record, said: Message, rng: Random) -> Record | None:
    """The record with all done and told, and the user saying something for which no call is due.

    None where `done` is, where a tool has a word in common with what is said, or where that is about
    the turns before.
    """
    whole = None if _OF_BEFORE.search(str(said["content"])) else done(record, rng)
    if whole is None or is_about(said, whole.prompt.tools):
        return None
    told: Message = {"role": "assistant", "content": whole.reply}
    prompt = Prompt(whole.prompt.tools, (*whole.prompt.messages, told, said))
    return replace(whole, prompt=prompt, reply="")


def is_about(said: Message, tools: Iterable[Tool]) -> bool:
    """Whether a tool has a word in common with what is said."""
    words = words_of(str(said["content"])) - {READING}
    return any(traits_of(tool).words & words for tool in tools)


class Requests:
    """Records of one request each, by source and tool, to stand before others."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._by_source: defaultdict[str, list[Record]] = defaultdict(list)
        self._by_tool: defaultdict[tuple[str, str], list[Record]] = defaultdict(list)
        for record in records:
            if _is_whole(record):
                self._by_source[record.source].append(record)
                for name in dict.fromkeys(call.name for call in record.answer):
                    self._by_tool[record.source, name].append(record)

    def before(self, record: Record, rng: Random, lacks: Collection[str] = ()) -> Record | None:
        """The record behind another request of its source and licence, which was served.

        None where the record has no call due or other turns than one of the user, where its request
        points at something, or where none of the requests that are looked at can stand before it (see
        `_together`).

        Args:
            lacks: the parameters that calls of the other request may not give a value to.
        """
        if not record.answer or not _is_single(record) or _POINTING.search(_request(record)):
            return None
        for other in self._drawn(record, rng):
            given = {name for call in other.gold for name in call.arguments}
            tools = _together(record, other)
            if tools is None or not given.isdisjoint(lacks):
                continue
            turns, results = _served(other, other.gold, rng)
            asked: tuple[Message, ...]
            if rng.random() < _IN_ONE_TURN:
                said = _joined(_request(other), _request(record), rng)
                asked = ({"role": "user", "content": said}, *turns)
            else:
                reply: Message = {"role": "assistant", "content": report(results, rng)}
                asked = (*other.prompt.messages, *turns, reply, *record.prompt.messages)
            prompt = Prompt(tuple(rng.sample(tools, len(tools))), asked)
            return replace(record, id=_new_id(record, rng), prompt=prompt)
        return None

    def before_lacking(self, record: Record, whole: Record, rng: Random) -> Record | None:
        """A record that lacks a value behind another request, which does not give that value either.

        Args:
            whole: the record with the call that would be due.
        """
        call = whole.gold[0]
        lacks = missing_arguments(Context(record.prompt.tools, record.prompt.messages, ()), call)
        placed = self.before(replace(record, answer=whole.answer), rng, lacks)
        if placed is None:
            return None
        seen = Context(placed.prompt.tools, placed.prompt.messages, ())
        return replace(placed, answer=()) if missing_arguments(seen, call) == lacks else None

    def _drawn(self, record: Record, rng: Random) -> Iterator[Record]:
        for _ in range(_LOOKED_AT):
            like = self._by_tool.get((record.source, record.answer[0].name))
            among = like if rng.random() < _LIKE else self._by_source.get(record.source)
            if among:
                yield rng.choice(among)


def _together(record: Record, other: Record) -> list[Tool] | None:
    """The record's tools, and those that the other one calls.

    None where both make one call, where licences differ, where a tool of the other could serve the
    record, or where one name stands for two tools.
    """
    if other.licence != record.licence or any(call in record.gold for call in other.gold):
        return None
    own = {tool.name: tool for tool in record.prompt.tools}
    due = [traits_of(own[call.name]) for call in record.answer]
    called_before = {call.name for call in other.answer}
    added = []
    for tool in other.prompt.tools:
        if tool.name not in called_before:
            continue
        if tool.name not in own:
            if any(alike(traits_of(tool), target) for target in due):
                return None
            added.append(tool)
        elif own[tool.name].original != tool.original:
            return None
    return [*record.prompt.tools, *added]


def _joined(first: str, second: str, rng: Random) -> str:
    """Two requests in one turn."""
    first = first.rstrip()
    ended = first if first.endswith((".", "?", "!")) else f"{first}."
    return f"{ended}{rng.choice(_BETWEEN)}{second.lstrip()}"


def _served(
    record: Record, calls: Sequence[Call], rng: Random
) -> tuple[tuple[Message, ...], list[Result]]:
    """The turns that make calls and answer them, in one go or one after the other."""
    tools = {tool.name: tool for tool in record.prompt.tools}
    results = [result_of(tools[call.name], rng) for call in calls]
    answers = [returned(call.name, one.text) for call, one in zip(calls, results, strict=True)]
    if rng.random() < _TOGETHER:
        return (called(calls), *answers), results
    turns: list[Message] = []
    for call, answer in zip(calls, answers, strict=True):
        turns += [called([call]), answer]
    return tuple(turns), results


def _request(record: Record) -> str:
    return str(record.prompt.messages[-1]["content"])


def _is_asked(record: Record) -> bool:
    return str(record.prompt.messages[-1]["role"]) == "user"


def _is_single(record: Record) -> bool:
    return [message["role"] for message in record.prompt.messages] == ["user"]


def _is_whole(record: Record) -> bool:
    """Whether the calls that are due serve all that the user has said."""
    return bool(record.answer) and not record.more_follows and _is_single(record)


def _new_id(record: Record, rng: Random) -> str:
    return f"{record.id}~u{rng.getrandbits(32):08x}"
