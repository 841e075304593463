"""Pairs → groups of token ids, and what is done with those that are too long.

A prompt whose longest candidate has more than `max_tokens` tokens is cut: first the tools that no
candidate calls, last ones first; then the oldest user turn with all that follows it up to the next one,
but never the system turn nor the last user turn. Candidates that are still too long are left out, as
are rejected ones that the model reads as the very same tokens as the chosen one. All is counted.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fcrewardbench import Candidate, Group, ModelError, Prompt
from fcrewardbench.render import Renderer, candidate_text
from toolrm.records import TrainingPair

WHOLE = "whole"
TOO_LONG = "left out: too long even so"


@dataclass(frozen=True, slots=True)
class TrainingGroup:
    """One chosen sequence and those that were rejected beside it, all on one prompt, as token ids.

    `source` names the data set that the prompt is of.
    """

    chosen: Sequence[int]
    rejected: tuple[Sequence[int], ...]
    error_types: tuple[str, ...]
    source: str


@dataclass(slots=True)
class Account:
    """What rendering came to: `counts` of what happened to pairs, and what kinds of them were met.

    `licences` counts the pairs that are trained on by the licence of their record.
    """

    counts: Counter[str] = field(default_factory=Counter)
    error_types: set[str] = field(default_factory=set)
    generators: set[str] = field(default_factory=set)
    licences: Counter[str] = field(default_factory=Counter)
    groups: int = 0
    longest: int = 0


def grouped(pairs: Iterable[TrainingPair]) -> Iterator[list[TrainingPair]]:
    """Neighbouring pairs of one record with one prompt and one chosen candidate."""
    group: list[TrainingPair] = []
    for pair in pairs:
        if group and not _together(group[0], pair):
            yield group
            group = []
        group.append(pair)
    if group:
        yield group


def _together(first: TrainingPair, second: TrainingPair) -> bool:
    return (
        first.record == second.record
        and candidate_text(first.pair.chosen) == candidate_text(second.pair.chosen)
        and first.pair.prompt == second.pair.prompt
    )


def rendered(
    pairs: Iterable[TrainingPair], renderer: Renderer, max_tokens: int, account: Account
) -> Iterator[TrainingGroup]:
    """Groups as a model reads them; `account` tells what was cut and what left out.

    Raises:
        ModelError: the model's template refuses a whole conversation.
    """
    for group in grouped(pairs):
        ids, what = _fitting(group, renderer, max_tokens)
        if not ids:
            account.counts[what] += len(group)
            continue
        told = []
        for row, one in zip(ids[1:], group, strict=True):
            if not row:
                account.counts[TOO_LONG] += 1
            elif row == ids[0]:
                account.counts["left out: the same tokens as chosen"] += 1
            else:
                told.append((array("I", row), one.pair.error_type, one.pair.generator))
        if not told:
            continue
        account.counts[what] += len(told)
        account.licences[group[0].licence] += len(told)
        account.groups += 1
        account.longest = max(account.longest, *map(len, ids))
        rows, kinds, generators = zip(*told, strict=True)
        account.error_types.update(kinds)
        account.generators.update(generators)
        yield TrainingGroup(array("I", ids[0]), rows, kinds, group[0].source)


def _fitting(
    group: list[TrainingPair], renderer: Renderer, max_tokens: int
) -> tuple[tuple[tuple[int, ...], ...], str]:
    """Token ids of all candidates, with the least cut that fits, and what was cut.

    Where no cut is enough for all, those of candidates that are too long with the least cut that is
    enough for the right one and a wrong one are empty; none where there is no such cut.
    """
    some: tuple[tuple[tuple[int, ...], ...], str] = (), TOO_LONG
    first = group[0].pair
    candidates = (first.chosen, *(one.pair.rejected for one in group))
    for prompt, cut in _shorter(first.prompt, candidates):
        try:
            ids = renderer.render(Group(first.id, prompt, candidates)).ids
        except ModelError as why:
            if cut == WHOLE:
                raise ModelError(f"Pair {first.id}: {why}") from None
            continue  # without these turns the template takes it no more; without others it may
        if max(map(len, ids)) <= max_tokens:
            return ids, cut
        if not some[0] and len(ids[0]) <= max_tokens and min(map(len, ids[1:])) <= max_tokens:
            some = tuple(row if len(row) <= max_tokens else () for row in ids), cut
    return some


def _shorter(prompt: Prompt, candidates: tuple[Candidate, ...]) -> Iterator[tuple[Prompt, str]]:
    """The prompt, then shorter and shorter ones, each with what was cut."""
    yield prompt, WHOLE
    called = {
        call.name
        for candidate in candidates
        if not isinstance(candidate, str)
        for call in candidate
    }
    text = "".join(candidate for candidate in candidates if isinstance(candidate, str))
    tools = list(prompt.tools)
    for tool in reversed(prompt.tools):
        if tool.name not in called and tool.name not in text and len(tools) > 1:
            tools.remove(tool)
            yield Prompt(tuple(tools), prompt.messages), "tools cut"
    messages = list(prompt.messages)
    while turns := _oldest(messages):
        del messages[turns]
        yield Prompt(tuple(tools), tuple(messages)), "turns cut"


def _oldest(messages: list[Mapping[str, Any]]) -> slice | None:
    """The oldest user turn and what follows it up to the next one; None where only one is left."""
    users = [place for place, turn in enumerate(messages) if turn["role"] == "user"]
    return slice(users[0], users[1]) if len(users) > 1 else None
