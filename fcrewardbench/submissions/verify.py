"""Score a sample of a submission's rows again, and say whether it comes to the same."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from statistics import median

from fcrewardbench.benchmarks.labels import loadable, required_subset
from fcrewardbench.benchmarks.registry import load_benchmark
from fcrewardbench.errors import DataError
from fcrewardbench.rows import Row
from fcrewardbench.run import Run
from fcrewardbench.submissions.entries import REPRODUCED, Entry, Reproduced, sha256_of
from fcrewardbench.submissions.pack import CARD, ROWS
from fcrewardbench.types import Benchmark

TOLERANCES = {"float32": 1e-3, "float16": 0.02, "bfloat16": 0.05}
"""By dtype, the rougher one of the entry's and that of scoring again: how far a score may be off, as a
share of the median absolute score or of 1, the larger."""
FLIPS = 0.05
"""Which share of the outcomes may be others."""
ONE_SIDED = 0.15
"""The level of the sign test on whom flips favour: three of three, all that 64 rows may have, fail."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What scoring again came to.

    Args:
        tolerance: of scores, in their own unit; of judges, as a share of the sample.
        largest_difference: of scores; of judges, the share whose outcome is another.
        flips: rows whose outcome is another.
        gained: how many of them earn the entry more than scoring again does.
    """

    sample: int
    seed: int
    tolerance: float
    largest_difference: float
    flips: list[str]
    gained: int

    @property
    def reproduced(self) -> bool:
        """Within the tolerance, with few flips, and those not all in the entry's favour."""
        from scipy.stats import binomtest

        if self.largest_difference > self.tolerance or len(self.flips) > FLIPS * self.sample:
            return False
        if not self.flips:
            return True
        one_sided = binomtest(self.gained, len(self.flips), alternative="greater").pvalue
        return bool(one_sided >= ONE_SIDED)


def verify(entry: Entry, score: Callable[[Benchmark], Run], sample: int, seed: int) -> Verification:
    """Score `sample` random rows of the subset that ranks the entry.

    Args:
        score: evaluates the model on what it is given.

    Raises:
        DataError: the benchmark is not the entry's edition.
    """
    subset = required_subset(entry.card.benchmark)
    name = loadable(entry.card.benchmark, subset)
    benchmark = load_benchmark(name)
    if benchmark.sha256 != entry.card.results[subset].data_sha256:
        raise DataError(f"{name} is not the data of {entry.id}: get its edition.")
    rows = {row.id: row for row in entry.subset(subset)}
    chosen = random.Random(seed).sample(sorted(rows), min(sample, len(rows)))
    run = score(replace(benchmark, items=tuple(i for i in benchmark.items if i.id in set(chosen))))
    again = {row.id: row for row in run.rows}
    flips = [id for id in chosen if again[id].outcome != rows[id].outcome]
    gained = sum(rows[id].computed()[1] > again[id].credit for id in flips)
    if any(rows[id].verdict is not None for id in chosen):
        share = len(flips) / len(chosen)
        return Verification(len(chosen), seed, FLIPS, share, flips, gained)
    dtypes = (entry.card.results[subset].dtype, run.card["model"]["dtype"])
    rougher = max(TOLERANCES.get(str(dtype), TOLERANCES["float32"]) for dtype in dtypes)
    tolerance = rougher * _scale(run.rows)
    largest = max(_difference(rows[id].scores, again[id].scores) for id in chosen)
    return Verification(len(chosen), seed, tolerance, largest, flips, gained)


def _scale(rows: Sequence[Row]) -> float:
    sizes = [abs(score) for row in rows for score in row.scores or ()]
    return max(1.0, median(sizes)) if sizes else 1.0


def _difference(stated: Sequence[float] | None, found: Sequence[float] | None) -> float:
    """The largest difference of a row's scores; infinite where only one side has any."""
    if stated is None or found is None:
        return 0.0 if stated is found else float("inf")
    return max(abs(one - other) for one, other in zip(stated, found, strict=True))


def write_badge(entry: Entry, verification: Verification) -> Reproduced:
    """Write that an entry was reproduced into its folder."""
    badge = Reproduced(
        card_sha256=sha256_of(entry.folder / CARD),
        rows_sha256=sha256_of(entry.folder / ROWS),
        date=datetime.now(UTC).date(),
        sample=verification.sample,
        seed=verification.seed,
        tolerance=verification.tolerance,
        largest_difference=verification.largest_difference,
        version=version("fcrewardbench"),
    )
    (entry.folder / REPRODUCED).write_text(badge.model_dump_json(indent=2) + "\n", "utf-8")
    return badge
