"""Records after earlier calls, made of records without: half done, done, or behind another request."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from random import Random

from fcrewardbench import Call, Prompt, Tool
from fcrewardbench.types import Message
from toolrm.records import Record
from toolrm.sources.base import called, returned
from toolrm.synthesize.distractors import alike, traits_of
from toolrm.synthesize.results import Result, result_of
from toolrm.synthesize.words import report

_TRIES = 8
_TOGETHER = 0.5  # of several calls that are made, how often they are in one turn
_LIKE = 0.4  # of requests that stand before, how many are for a tool that is due now, too


def half_done(record: Record, rng: Random) -> Record | None:
    """The record with the first of its calls made and answered, so that the others are due.

    None where fewer than two are due, or the last turn is not the user's.
    """
    if len(record.answer) < 2 or not _is_asked(record):
        return None
    made = rng.randrange(1, len(record.answer))
    turns, _ = _carried_out(record.gold[:made], rng)
    prompt = Prompt(record.prompt.tools, (*record.prompt.messages, *turns))
    return replace(record, id=_new_id(record, "h", rng), prompt=prompt, answer=record.answer[made:])


def done(record: Record, rng: Random) -> Record | None:
    """The record with all of its calls made and answered, so that the result is to be told.

    None where no call is due, or the last turn is not the user's.
    """
    if not record.answer or not _is_asked(record):
        return None
    turns, results = _carried_out(record.gold, rng)
    prompt = Prompt(record.prompt.tools, (*record.prompt.messages, *turns))
    reply = report(results, rng)
    return replace(record, id=_new_id(record, "f", rng), prompt=prompt, answer=(), reply=reply)


class Requests:
    """Records of one request each, by source and tool, to stand before others."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._by_source: defaultdict[str, list[Record]] = defaultdict(list)
        self._by_tool: defaultdict[tuple[str, str], list[Record]] = defaultdict(list)
        for record in records:
            if record.answer and _is_single(record):
                self._by_source[record.source].append(record)
                for name in dict.fromkeys(call.name for call in record.answer):
                    self._by_tool[record.source, name].append(record)

    def before(self, record: Record, rng: Random) -> Record | None:
        """The record behind another request of its source, which was served.

        None where the record is more than one request already, or none that was looked at can stand
        before it: all have a tool that could serve this one as well.
        """
        if not record.answer or not _is_single(record):
            return None
        for other in self._drawn(record, rng):
            tools = _together(record, other)
            if other.id == record.id or other.licence != record.licence or tools is None:
                continue
            turns, results = _carried_out(other.gold, rng)
            told: Message = {"role": "assistant", "content": report(results, rng)}
            messages = (*other.prompt.messages, *turns, told, *record.prompt.messages)
            return replace(record, id=_new_id(record, "b", rng), prompt=Prompt(tools, messages))
        return None

    def _drawn(self, record: Record, rng: Random) -> Iterator[Record]:
        for _ in range(_TRIES):
            if rng.random() < _LIKE:
                yield rng.choice(self._by_tool[record.source, record.answer[0].name])
            else:
                yield rng.choice(self._by_source[record.source])


def _together(record: Record, other: Record) -> tuple[Tool, ...] | None:
    """The record's tools and those that the other calls; None where these could serve the record."""
    own = {tool.name: tool for tool in record.prompt.tools}
    due = [traits_of(own[name]) for name in {call.name for call in record.answer}]
    added = []
    for tool in other.prompt.tools:
        if tool.name not in {call.name for call in other.answer}:
            continue
        if tool.name in own and own[tool.name].original != tool.original:
            return None
        if tool.name not in own:
            if any(alike(traits_of(tool), target) for target in due):
                return None
            added.append(tool)
    return (*record.prompt.tools, *added)


def _carried_out(calls: Sequence[Call], rng: Random) -> tuple[tuple[Message, ...], list[Result]]:
    """The turns that make calls and answer them, in one go or one after the other."""
    results = [result_of(call.name, rng) for call in calls]
    answers = [returned(call.name, one.text) for call, one in zip(calls, results, strict=True)]
    if rng.random() < _TOGETHER:
        return (called(calls), *answers), results
    turns: list[Message] = []
    for call, answer in zip(calls, answers, strict=True):
        turns += [called([call]), answer]
    return tuple(turns), results


def _is_asked(record: Record) -> bool:
    return str(record.prompt.messages[-1]["role"]) == "user"


def _is_single(record: Record) -> bool:
    return [message["role"] for message in record.prompt.messages] == ["user"]


def _new_id(record: Record, how: str, rng: Random) -> str:
    return f"{record.id}~{how}{rng.getrandbits(32):08x}"
