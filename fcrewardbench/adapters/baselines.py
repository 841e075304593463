"""Null baselines: what a benchmark gives away without reading the request."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from fcrewardbench.adapters.base import Scorer
from fcrewardbench.calls.schema import validate
from fcrewardbench.render import candidate_text, conversation_text
from fcrewardbench.types import Candidate, Group


class Random(Scorer):
    """A number drawn from the seed, the group's id and the candidate's text."""

    def __init__(self, *, seed: int = 0) -> None:
        self._seed = seed

    def score_group(self, group: Group) -> list[float]:
        texts = [candidate_text(candidate) for candidate in group.candidates]
        return [_uniform(f"{self._seed}\n{group.id}\n{text}") for text in texts]

    def describe(self) -> dict[str, Any]:
        return {"seed": self._seed}


class Longer(Scorer):
    """More characters of JSON."""

    def score_group(self, group: Group) -> list[float]:
        return [float(len(candidate_text(candidate))) for candidate in group.candidates]


class Shorter(Scorer):
    """Fewer characters of JSON."""

    def score_group(self, group: Group) -> list[float]:
        return [-float(len(candidate_text(candidate))) for candidate in group.candidates]


class Overlap(Scorer):
    """The share of argument values that stand in the conversation, word for word."""

    def score_group(self, group: Group) -> list[float]:
        conversation = conversation_text(group.prompt.messages).lower()
        return [_share_found(candidate, conversation) for candidate in group.candidates]


class Schema(Scorer):
    """1 where the calls are valid by the tools' schemas, else 0. Equal is a tie."""

    def score_group(self, group: Group) -> list[float]:
        return [
            float(not isinstance(c, str) and not validate(c, group.prompt.tools))
            for c in group.candidates
        ]


def _uniform(text: str) -> float:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6]) / 2**48


def _share_found(candidate: Candidate, conversation: str) -> float:
    """0 where there are no values: a call without arguments has no support."""
    if isinstance(candidate, str):
        return 0.0
    values = [value for call in candidate for value in _leaves(dict(call.arguments))]
    return sum(value in conversation for value in values) / len(values) if values else 0.0


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value.lower() if isinstance(value, str) else json.dumps(value)
