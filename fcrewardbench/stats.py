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


def difference_interval(
    first: Sequence[float], second: Sequence[float], clusters: Sequence[str]
) -> Interval:
    """95 % interval of the mean of `first` minus that of `second`, on the same pairs.

    The cluster bootstrap over the differences of each pair. With few clusters it is too narrow; there
    it is Student's interval over the clusters' sums, with the ratio's linearised variance (Cochran
    1977, "Sampling Techniques", 6.3).

    Args:
        first, second: one credit per pair each, in the same order.
        clusters: the tool catalogue of each pair.
    """
    differences = [one - other for one, other in zip(first, second, strict=True)]
    totals, sizes = _by_cluster(differences, clusters)
    if len(sizes) >= FEW_CLUSTERS:
        return _cluster_bootstrap([(totals, sizes)])
    from scipy.stats import t

    count, pairs = len(sizes), sum(sizes)
    mean = sum(totals) / pairs
    if count == 1:
        return Interval(-1.0, 1.0, "one tool catalogue tells nothing")
    spread = sum((total - mean * size) ** 2 for total, size in zip(totals, sizes, strict=True))
    half = float(t.ppf(0.975, count - 1)) * sqrt(spread * count / (count - 1)) / pairs
    return Interval(mean - half, mean + half, f"Student, {count} tool catalogues")


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
    shares = np.zeros(RESAMPLES)
    for totals, sizes in parts:
        weights = np.array([totals, sizes], dtype=float)
        for start in range(0, RESAMPLES, 1000):  # in pieces, so that memory stays small
            drawn = generator.integers(0, len(sizes), (1000, len(sizes)))
            credit, count = weights[0][drawn].sum(1), weights[1][drawn].sum(1)
            shares[start : start + 1000] += credit / count / len(parts)
    low, high = np.quantile(shares, [0.025, 0.975])
    clusters = " + ".join(str(len(sizes)) for _, sizes in parts)
    return Interval(
        float(low),
        float(high),
        f"cluster bootstrap, percentile, {clusters} tool catalogues, {RESAMPLES} resamples, "
        f"seed {SEED}",
    )
