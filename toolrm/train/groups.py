"""Pairs → groups of token ids, and what is done with those that are too long.

A prompt whose longest candidate has more than `max_tokens` tokens is cut: first the tools that neither
candidate calls, last ones first; then whole turns, oldest first, but never the system turn nor the last
user turn. What is still too long is left out. All of it is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fcrewardbench import Candidate, Group, ModelError, Prompt
from fcrewardbench.render import Renderer, candidate_text
from toolrm.records import TrainingPair


@dataclass(frozen=True, slots=True)
class TrainingGroup:
    """One chosen sequence and those that were rejected beside it, all on one prompt, as token ids."""

    chosen: tuple[int, ...]
    rejected: tuple[tuple[int, ...], ...]
    error_types: tuple[str, ...]


@dataclass(slots=True)
class Lengths:
    """What rendering came to: `counts` by what happened to a group, in pairs."""

    counts: Counter[str] = field(default_factory=Counter)
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
    pairs: Iterable[TrainingPair], renderer: Renderer, max_tokens: int, lengths: Lengths
) -> Iterator[TrainingGroup]:
    """Groups as a model reads them; `lengths` tells what was cut and what left out."""
    for group in grouped(pairs):
        made = _fitting(group, renderer, max_tokens, lengths.counts)
        if made is not None:
            sequences = (made.chosen, *made.rejected)
            lengths.longest = max(lengths.longest, *map(len, sequences))
            yield made


def _fitting(
    group: list[TrainingPair], renderer: Renderer, max_tokens: int, counts: Counter[str]
) -> TrainingGroup | None:
    first = group[0].pair
    candidates = (first.chosen, *(one.pair.rejected for one in group))
    what = "whole"
    for prompt, cut in _shorter(first.prompt, candidates):
        try:
            ids = renderer.render(Group(first.id, prompt, candidates)).ids
        except ModelError as why:
            raise ModelError(f"Pair {first.id}: {why}") from None
        what = cut or what
        if max(map(len, ids)) <= max_tokens:
            counts[what] += len(group)
            return TrainingGroup(ids[0], ids[1:], tuple(one.pair.error_type for one in group))
    counts["left out: too long even so"] += len(group)
    return None


def _shorter(prompt: Prompt, candidates: tuple[Candidate, ...]) -> Iterator[tuple[Prompt, str]]:
    """The prompt, then shorter and shorter ones, each with what was cut."""
    yield prompt, ""
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
    while (place := _oldest(messages)) is not None:
        del messages[place]
        yield Prompt(tuple(tools), tuple(messages)), "turns cut"


def _oldest(messages: list[Mapping[str, Any]]) -> int | None:
    """The place of the oldest turn that may go."""
    last_user = max(
        (place for place, turn in enumerate(messages) if turn["role"] == "user"), default=0
    )
    return next((place for place in range(last_user) if messages[place]["role"] != "system"), None)
