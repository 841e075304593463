"""Uncertainty of an accuracy.

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


def accuracy_interval(credits: Sequence[float], clusters: Sequence[str]) -> Interval:
    """95 % interval of the mean credit.

    Args:
        credits: one number in [0, 1] per pair.
        clusters: the tool catalogue of each pair.
    """
    totals: dict[str, float] = defaultdict(float)
    sizes: dict[str, int] = defaultdict(int)
    for credit, cluster in zip(credits, clusters, strict=True):
        totals[cluster] += credit
        sizes[cluster] += 1
    if len(sizes) < FEW_CLUSTERS or len(set(credits)) == 1:
        effective = _effective_size(list(totals.values()), list(sizes.values()))
        return wilson(sum(credits) / len(credits), effective)
    return _cluster_bootstrap(list(totals.values()), list(sizes.values()))


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


def _cluster_bootstrap(totals: list[float], sizes: list[int]) -> Interval:
    import numpy as np

    generator = np.random.default_rng(SEED)
    weights = np.array([totals, sizes], dtype=float)
    shares = np.empty(RESAMPLES)
    for start in range(0, RESAMPLES, 1000):  # in pieces, so that memory stays small
        drawn = generator.integers(0, len(sizes), (1000, len(sizes)))
        credit, count = weights[0][drawn].sum(1), weights[1][drawn].sum(1)
        shares[start : start + 1000] = credit / count
    low, high = np.quantile(shares, [0.025, 0.975])
    return Interval(
        float(low),
        float(high),
        f"cluster bootstrap, percentile, {len(sizes)} tool catalogues, {RESAMPLES} resamples, "
        f"seed {SEED}",
    )
