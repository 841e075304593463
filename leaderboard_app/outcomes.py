"""An entry's outcomes as the board draws them: a letter a row, margins, calibration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fcrewardbench.adapters.gate import STEP
from fcrewardbench.rows import Row
from fcrewardbench.stats import calibration
from fcrewardbench.types import Outcome

Json = dict[str, Any]

LETTERS = {
    Outcome.WIN.value: "w",
    Outcome.LOSS.value: "l",
    Outcome.TIE.value: "t",
    Outcome.INCONSISTENT.value: "i",
    Outcome.UNPARSED.value: "u",
    Outcome.REFUSED.value: "r",
    Outcome.TOO_LONG.value: "x",
    Outcome.ERROR.value: "e",
}
WIN, LOSS = LETTERS[Outcome.WIN.value], LETTERS[Outcome.LOSS.value]
_BINS = 10


def letters(rows: Sequence[Row]) -> str:
    """One letter a row."""
    return "".join(LETTERS[row.outcome] for row in rows)


def outcomes_of(rows: Sequence[Row], *, gate: bool) -> Json:
    """A letter a row; of pairs, how far apart the scores are, and how often that is right.

    Where the scores went through a schema gate, pairs that it decided are in the letters alone: they
    say nothing of the model's own margins.
    """
    sets = any(len(row.correct) > 2 for row in rows)
    result: Json = {
        "outcomes": letters(rows),
        "credits": None,
        "margins": None,
        "calibration": None,
    }
    if sets:
        return result | {"credits": [round(row.credit, 4) for row in rows]}
    scored = [row for row in rows if row.scores is not None and row.outcome != Outcome.TIE]
    if not scored:
        return result
    judged = [row for row in scored if not gate or _margin(row) < STEP / 2]
    if not judged:
        return result
    margins = [_margin(row) for row in judged]
    right = [row.outcome == Outcome.WIN for row in judged]
    bins = [
        {
            "low": one.low,
            "high": one.high,
            "n": one.n,
            "predicted": one.predicted,
            "right": one.right,
            "ci": [one.interval.low, one.interval.high],
        }
        for one in calibration(margins, right)
    ]
    return result | {"margins": _histogram(margins, right), "calibration": bins}


def _margin(row: Row) -> float:
    assert row.scores is not None
    return abs(row.scores[0] - row.scores[1])


def _histogram(margins: Sequence[float], right: Sequence[bool]) -> Json:
    """Counts of |margin| up to its 99th percentile; the last bin has what is beyond, too."""
    sizes, chosen = np.array(margins), np.array(right)
    top = float(np.quantile(sizes, 0.99)) or 1.0
    edges = np.linspace(0, top, _BINS + 1)
    clipped = np.minimum(sizes, top)
    return {
        "edges": edges.tolist(),
        "right": np.histogram(clipped[chosen], edges)[0].tolist(),
        "wrong": np.histogram(clipped[~chosen], edges)[0].tolist(),
    }
