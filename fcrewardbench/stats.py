"""Uncertainty of an accuracy, and of the difference between two.

Pairs that share a tool catalogue succeed and fail together, so intervals resample catalogues, not
pairs: a percentile bootstrap over clusters (Field and Welsh 2007, "Bootstrapping clustered data",
J. R. Statist. Soc. B 69). With few clusters, or where all pairs came to the same, a bootstrap is too
narrow; there it is the score interval of Wilson (1927), with the effective number of pairs after the
design effect (Kish 1965, "Survey Sampling").
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RESAMPLES = 10_000
SEED = 0
FEW_CLUSTERS = 50
_Z = 1.959963984540054  # the 97.5 % quantile of the normal distribution


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % interval and how it was made."""

    low: float
    high: float
    method: str


def balanced_interval(
    credits: Sequence[float], clusters: Sequence[str], strata: Sequence[str]
) -> Interval:
    """95 % interval of the mean over strata of the mean credit in each.

    Catalogues are resampled within each stratum. Where a stratum has few of them, or all of its
    catalogues came to the same, it is Wilson's interval over the effective number of pairs, strata
    weighted alike.

    Args:
        credits: one number in [0, 1] per pair.
        clusters: the tool catalogue of each pair.
        strata: the error type of each pair.
    """
    parts = []
    for name in sorted(set(strata)):
        own = [place for place, stratum in enumerate(strata) if stratum == name]
        parts.append(_by_cluster([credits[i] for i in own], [clusters[i] for i in own]))
    if any(len(sizes) < FEW_CLUSTERS or _all_alike(totals, sizes) for totals, sizes in parts):
        means = [sum(totals) / sum(sizes) for totals, sizes in parts]
        effective = [_effective_size(*part) for part in parts]
        share = sum(means) / len(means)
        n = len(parts) ** 2 / sum(1 / size for size in effective)
        # The smaller stratum may be the uncertain one.
        spread = sum(m * (1 - m) / size for m, size in zip(means, effective, strict=True))
        if spread:
            n = min(n, share * (1 - share) * len(parts) ** 2 / spread)
        return wilson(share, n)
    return _cluster_bootstrap(parts)


def _all_alike(totals: list[float], sizes: list[int]) -> bool:
    """Whether every cluster has the same mean, so that resampling them changes nothing."""
    return len({total / size for total, size in zip(totals, sizes, strict=True)}) == 1


def accuracy_interval(credits: Sequence[float], clusters: Sequence[str]) -> Interval:
    """95 % interval of the mean credit.

    Args:
        credits: one number in [0, 1] per pair.
        clusters: the tool catalogue of each pair.
    """
    return balanced_interval(credits, clusters, [""] * len(credits))


def student_interval(values: Sequence[float], clusters: Sequence[str]) -> Interval:
    """95 % interval of a mean over pairs of values in [-1, 1], Student's over the clusters' sums.

    The ratio's linearised variance is Cochran's (1977, "Sampling Techniques", 6.3). Differences in a
    cell have this interval: a browser can calculate it, too.
    """
    from scipy.stats import t

    totals, sizes = _by_cluster(values, clusters)
    count, pairs = len(sizes), sum(sizes)
    mean = sum(totals) / pairs
    if count == 1:
        return Interval(-1.0, 1.0, "one tool catalogue tells nothing")
    spread = sum((total - mean * size) ** 2 for total, size in zip(totals, sizes, strict=True))
    if spread < 1e-12:
        # The exact 97.5 % bound of how many catalogues may differ from what all of these have.
        others = 1 - 0.025 ** (1 / count)
        return Interval(
            mean - others * (1 + mean),
            mean + others * (1 - mean),
            f"exact, {count} tool catalogues",
        )
    half = float(t.ppf(0.975, count - 1)) * sqrt(spread * count / (count - 1)) / pairs
    low, high = max(-1.0, mean - half), min(1.0, mean + half)
    return Interval(low, high, f"Student, {count} tool catalogues")


def _by_cluster(credits: Sequence[float], clusters: Sequence[str]) -> tuple[list[float], list[int]]:
    """Sum of credits and number of pairs of every cluster."""
    totals: dict[str, float] = defaultdict(float)
    sizes: dict[str, int] = defaultdict(int)
    for credit, cluster in zip(credits, clusters, strict=True):
        totals[cluster] += credit
        sizes[cluster] += 1
    return list(totals.values()), list(sizes.values())


def wilson(share: float, n: float) -> Interval:
    """Wilson's score interval for a share of `n` pairs; half credits are taken as they are."""
    centre = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    low = 0.0 if share == 0.0 else centre - half
    high = 1.0 if share == 1.0 else centre + half
    return Interval(low, high, f"wilson, {n:.4g} pairs")


def _effective_size(totals: list[float], sizes: list[int]) -> float:
    """How many independent pairs would be as uncertain as these clusters: pairs / design effect."""
    pairs, clusters = sum(sizes), len(sizes)
    share = sum(totals) / pairs
    if clusters in (pairs, 1) or share in (0.0, 1.0):
        return float(clusters)
    spread = sum((t - share * s) ** 2 for t, s in zip(totals, sizes, strict=True))
    variance = spread / pairs**2 * clusters / (clusters - 1)
    return min(float(pairs), share * (1 - share) / variance) if variance else float(pairs)


def _cluster_bootstrap(parts: Sequence[tuple[list[float], list[int]]]) -> Interval:
    """Over strata, each the totals and sizes of its clusters."""
    import numpy as np

    generator = np.random.default_rng(SEED)
    shares = sum(
        bootstrap_means(np.array([totals]), np.array(sizes, dtype=float), generator)[0]
        for totals, sizes in parts
    ) / len(parts)
    low, high = np.quantile(shares, [0.025, 0.975])
    clusters = " + ".join(str(len(sizes)) for _, sizes in parts)
    return Interval(
        float(low),
        float(high),
        f"cluster bootstrap, percentile, {clusters} tool catalogues, {RESAMPLES} resamples, "
        f"seed {SEED}",
    )


def bootstrap_means(
    totals: NDArray[np.float64], sizes: NDArray[np.float64], generator: np.random.Generator
) -> NDArray[np.float64]:
    """The mean of every row in every resample of the clusters, which is the same for all rows.

    Args:
        totals: [rows, clusters], the sum of each row's values in each cluster.
        sizes: [clusters], the weight of each.

    Returns:
        [rows, RESAMPLES].
    """
    import numpy as np

    count, at_once = len(sizes), 1000  # in pieces, so that memory stays small
    means = np.empty((len(totals), RESAMPLES))
    for start in range(0, RESAMPLES, at_once):
        drawn = generator.integers(0, count, (at_once, count))
        if len(totals) == 1:  # counting how often each is drawn pays only where there are many rows
            means[0, start : start + at_once] = totals[0][drawn].sum(1) / sizes[drawn].sum(1)
            continue
        drawn += np.arange(at_once)[:, None] * count
        times = np.bincount(drawn.ravel(), minlength=at_once * count).reshape(at_once, count)
        weights = times.astype(float)
        means[:, start : start + at_once] = totals @ weights.T / (weights @ sizes)
    return means


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Pairs whose predicted probability of a right choice is in [low, high), and the share that is."""

    low: float
    high: float
    n: int
    predicted: float
    right: float
    interval: Interval


def calibration(
    margins: Sequence[float], right: Sequence[bool], bins: int = 10
) -> list[CalibrationBin]:
    """σ(|margin|), the Bradley-Terry probability of a right choice, against the share of right ones.

    Bins of one width from ½ to 1; empty ones are left out.

    Args:
        margins: the score of the right candidate less that of the wrong one, or the other way round.
        right: whether the preferred candidate is the right one.
    """
    import numpy as np

    predicted = 1 / (1 + np.exp(-np.minimum(np.abs(np.asarray(margins, dtype=float)), 700.0)))
    chosen = np.asarray(right, dtype=bool)
    places = np.minimum(((predicted - 0.5) * 2 * bins).astype(int), bins - 1)
    found = []
    for place in np.unique(places).tolist():
        own = places == place
        n, share, mean = int(own.sum()), float(chosen[own].mean()), float(predicted[own].mean())
        low, high = 0.5 + place / (2 * bins), 0.5 + (place + 1) / (2 * bins)
        found.append(CalibrationBin(low, high, n, mean, share, wilson(share, n)))
    return found
