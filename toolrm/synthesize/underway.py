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
from toolrm.synthesize.distractors import READING, alike, traits_of, words_of
from toolrm.synthesize.results import Result, result_of
from toolrm.synthesize.words import report

_LOOKED_AT = 8  # other requests, until one can stand before
_TOGETHER = 0.5  # of several calls that are made, how often they are in one turn
_LIKE = 0.4  # of requests that stand before, how many are for a tool that is due now, too


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

    None where no call is due, or the last turn is not the user's.
    """
    if not record.answer or not _is_asked(record):
        return None
    turns, results = _served(record, record.gold, rng)
    prompt = Prompt(record.prompt.tools, (*record.prompt.messages, *turns))
    reply = report(results, rng)
    return replace(record, id=_new_id(record, rng), prompt=prompt, answer=(), reply=reply)


def parting(record: Record, said: Message, rng: Random) -> Record | None:
    """The record with all done and told, and the user saying something for which no call is due.

    None where no call was due, the last turn is not the user's, or a tool has a word in common with
    what is said.
    """
    words = words_of(str(said["content"])) - {READING}
    whole = done(record, rng)
    if whole is None or any(traits_of(tool).words & words for tool in whole.prompt.tools):
        return None
    told: Message = {"role": "assistant", "content": whole.reply}
    prompt = Prompt(whole.prompt.tools, (*whole.prompt.messages, told, said))
    return replace(whole, prompt=prompt, reply="")


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
        """The record behind another request of its source and licence, which was served.

        None where the record has no call due or other turns than one of the user, or where none of
        the requests that are looked at can stand before it (see `_together`).
        """
        if not record.answer or not _is_single(record):
            return None
        for other in self._drawn(record, rng):
            tools = _together(record, other)
            if tools is None:
                continue
            turns, results = _served(other, other.gold, rng)
            told: Message = {"role": "assistant", "content": report(results, rng)}
            messages = (*other.prompt.messages, *turns, told, *record.prompt.messages)
            prompt = Prompt(tuple(rng.sample(tools, len(tools))), messages)
            return replace(record, id=_new_id(record, rng), prompt=prompt)
        return None

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


def _is_asked(record: Record) -> bool:
    return str(record.prompt.messages[-1]["role"]) == "user"


def _is_single(record: Record) -> bool:
    return [message["role"] for message in record.prompt.messages] == ["user"]


def _new_id(record: Record, rng: Random) -> str:
    return f"{record.id}~u{rng.getrandbits(32):08x}"
