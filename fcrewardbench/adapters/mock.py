"""A scorer that does what it is told, for the tests of code that uses the toolkit."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from fcrewardbench.adapters.base import Scorer
from fcrewardbench.types import Group


def right_first(group: Group) -> Sequence[float]:
    """Scores that know the answer: 1 for correct candidates, 0 for the rest."""
    return [float(correct) for correct in group.correct or (False,) * len(group.candidates)]


class Mock(Scorer):
    """Scores each group with a function; by default one that knows the answer.

    `delay` is the number of seconds that each group takes.
    """

    sees_labels = True
    neutral_options = frozenset({"delay"})

    def __init__(
        self, *, scores: Callable[[Group], Sequence[float]] = right_first, delay: float = 0.0
    ) -> None:
        self._scores = scores
        self._delay = delay

    def score_group(self, group: Group) -> Sequence[float]:
        time.sleep(self._delay)
        return self._scores(group)

    def describe(self) -> dict[str, Any]:
        return {"scores": f"{self._scores.__module__}.{self._scores.__qualname__}"}
