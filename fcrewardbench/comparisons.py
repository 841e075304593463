"""Models compared on the same pairs: differences, tests, and what they say about ranks.

Pairs that share a tool catalogue succeed and fail together, so the test of a difference is Student's
over the catalogues' sums, with the ratio's linearised variance (Cochran 1977, "Sampling Techniques",
6.3). It is what the paired cluster bootstrap tends to, and has p-values as small as a correction over
many models needs, which resampling has not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from fcrewardbench.stats import FEW_CLUSTERS, SEED, bootstrap_means

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

SIGNIFICANCE = 0.05


@dataclass(frozen=True)
class Comparisons:
    """All models against all, as square matrices: entry [a, b] is of model a less model b.

    `error` is the standard error of a difference and `p` the cluster test's, both from `totals`
    [models, catalogues] and `sizes` [catalogues].
    """

    difference: Matrix
    error: Matrix
    p: Matrix
    totals: Matrix
    sizes: Matrix

    @cached_property
    def p_holm(self) -> Matrix:
        """`p` after Holm's correction (1979) over all pairs of models."""
        return holm(self.p)

    @cached_property
    def intervals(self) -> tuple[Matrix, Matrix]:
        """Low and high ends of 95 % intervals of the differences; see `interval_method`."""
        import numpy as np
        from scipy.stats import t

        count = len(self.sizes)
        if count >= FEW_CLUSTERS:
            return _bootstrap(self.totals, self.sizes)
        if count == 1:
            return np.full_like(self.difference, -1.0), np.full_like(self.difference, 1.0)
        half = t.ppf(0.975, count - 1) * self.error
        low = np.maximum(-1.0, self.difference - half)
        high = np.minimum(1.0, self.difference + half)
        alike = self.error < _ROUNDING
        np.fill_diagonal(alike, False)
        others = 1 - 0.025 ** (1 / count)  # as in `stats.student_interval`
        low[alike] = (self.difference - others * (1 + self.difference))[alike]
        high[alike] = (self.difference + others * (1 - self.difference))[alike]
        return low, high

    @property
    def interval_method(self) -> str:
        """With few catalogues the bootstrap is too narrow."""
        few = len(self.sizes) < FEW_CLUSTERS
        return "Student over catalogues" if few else "paired cluster bootstrap, percentile"

    def rank_intervals(self) -> list[tuple[int, int]]:
        """Of every model: 1 + how many are significantly better, N − how many significantly worse."""
        clear = self.p_holm < SIGNIFICANCE
        better = (clear & (self.difference < 0)).sum(axis=1)
        worse = (clear & (self.difference > 0)).sum(axis=1)
        count = len(self.difference)
        return [(1 + int(b), count - int(w)) for b, w in zip(better, worse, strict=True)]

    def leaders(self) -> list[bool]:
        """Of every model: whether the one with the highest accuracy is not significantly better."""
        best = int(self.difference.sum(axis=1).argmax())
        beaten = (self.p_holm[best] < SIGNIFICANCE) & (self.difference[best] > 0)
        return [not bool(one) for one in beaten]


def compare_models(
    credits: Sequence[Sequence[float] | NDArray[np.float64]],
    clusters: Sequence[str],
    weights: Sequence[float] | None = None,
) -> Comparisons:
    """Compare all models with all.

    Args:
        credits: one row a model, one number in [0, 1] a pair, pairs in the same order.
        clusters: the tool catalogue of each pair.
        weights: of the pairs in the mean; all alike where there are none.
    """
    import numpy as np

    names = {name: place for place, name in enumerate(dict.fromkeys(clusters))}
    place, count = np.array([names[name] for name in clusters]), len(names)
    own = np.ones(len(clusters)) if weights is None else np.asarray(weights, dtype=float)
    sizes: Matrix = np.bincount(place, own, count).astype(float)
    totals = np.array([np.bincount(place, own * np.asarray(row), count) for row in credits])
    means = totals.sum(1) / sizes.sum()
    difference = means[:, None] - means[None, :]
    error = _standard_errors(totals - means[:, None] * sizes, float(sizes.sum()))
    p = _p_values(difference, error, totals)
    return Comparisons(difference, error, p, totals, sizes)


def _standard_errors(residuals: Matrix, weight: float) -> Matrix:
    """Of every difference, out of the residuals [models, catalogues] of the models' means.

    The residual of a difference is the difference of the residuals, so one matrix product has all.
    """
    import numpy as np

    count = residuals.shape[1]
    product = residuals @ residuals.T
    own = np.diag(product)
    spread = np.clip(own[:, None] + own[None, :] - 2 * product, 0.0, None)
    errors: Matrix = np.sqrt(spread * count / max(count - 1, 1)) / weight
    return errors


_ROUNDING = 1e-9
"""Errors of differences below this are nothing but rounding."""


def _p_values(difference: Matrix, error: Matrix, totals: Matrix) -> Matrix:
    """Two-sided, and never below what a sign test can reach where k catalogues differ: 2^(1 - k).

    Where few differ, and all the same way, Student's test is too sure: 4 of them would be significant.
    """
    import numpy as np
    from scipy.stats import t

    degrees = max(totals.shape[1] - 1, 1)
    varies = error > _ROUNDING
    statistic = np.divide(np.abs(difference), error, out=np.zeros_like(error), where=varies)
    p: Matrix = 2 * t.sf(statistic, degrees)
    p[~varies & (np.abs(difference) > _ROUNDING)] = 0.0
    differing = np.empty_like(error)
    for place, row in enumerate(totals):
        counts = np.count_nonzero(np.abs(totals[place:] - row) > _ROUNDING, axis=1)
        differing[place, place:] = differing[place:, place] = counts
    return np.maximum(p, np.minimum(1.0, 2.0 ** (1.0 - differing)))


def _bootstrap(totals: Matrix, sizes: Matrix) -> tuple[Matrix, Matrix]:
    """95 % percentile intervals of all differences, from the same resamples of the catalogues."""
    import numpy as np

    means = bootstrap_means(totals, sizes, np.random.default_rng(SEED))
    low, high = np.zeros((len(means), len(means))), np.zeros((len(means), len(means)))
    for a in range(len(means) - 1):
        ends = _ends(means[a] - means[a + 1 :])
        low[a, a + 1 :], high[a, a + 1 :] = ends
        low[a + 1 :, a], high[a + 1 :, a] = -ends[1], -ends[0]
    return low, high


def _ends(rows: Matrix) -> tuple[Matrix, Matrix]:
    """The 2.5 % and 97.5 % quantiles of each row, as numpy's, by selection instead of sorting.

    Rows have 3 columns or more; they are reordered.
    """
    places = (rows.shape[1] - 1) * 0.025, (rows.shape[1] - 1) * 0.975
    first = 0
    ends = []
    for place in places:
        below, share = int(place) - first, place % 1
        rest = rows[:, first:]
        rest.partition(below + 1, axis=1)
        lower, upper = rest[:, : below + 1].max(axis=1), rest[:, below + 1]
        ends.append(lower + share * (upper - lower))
        first += below + 1
    return ends[0], ends[1]


def holm(p: Matrix) -> Matrix:
    """Holm's correction (1979) of a symmetric matrix of p-values, each pair of models one test."""
    import numpy as np
    from statsmodels.stats.multitest import multipletests

    corrected: Matrix = np.ones_like(p)
    upper = np.triu_indices(len(p), 1)
    if len(upper[0]):
        corrected[upper] = multipletests(p[upper], method="holm")[1]
        corrected.T[upper] = corrected[upper]
    return corrected


@dataclass(frozen=True)
class WinTables:
    """On how many pairs two models win, one alone, or none: all against all, as square matrices.

    Of models a and b, `both[a, b]` pairs are won by both, `alone[a, b]` by a alone, and `neither[a, b]`
    by none.
    """

    both: Matrix
    alone: Matrix
    neither: Matrix

    @cached_property
    def p(self) -> Matrix:
        """McNemar's exact test (1947), two-sided. It takes pairs for independent.

        Those of one tool catalogue are not, so the cluster test decides about ranks.
        """
        import numpy as np
        from scipy.stats import binom

        fewer, differing = np.minimum(self.alone, self.alone.T), self.alone + self.alone.T
        p: Matrix = np.minimum(1.0, 2 * binom.cdf(fewer, differing, 0.5))
        return p


def win_tables(wins: Sequence[Sequence[bool]]) -> WinTables:
    """Count the wins of all models on the same pairs.

    Args:
        wins: one row a model, whether it wins a pair, pairs in the same order.
    """
    import numpy as np

    won = np.array(wins, dtype=float)
    both = won @ won.T
    alone = won.sum(axis=1)[:, None] - both
    return WinTables(both, alone, won.shape[1] - both - alone - alone.T)


def mean_weights(strata: Sequence[str]) -> list[float]:
    """Weights that make the mean over pairs the mean over strata of the mean in each."""
    from collections import Counter

    counts = Counter(strata)
    return [len(strata) / len(counts) / counts[stratum] for stratum in strata]
