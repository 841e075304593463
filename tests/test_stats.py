import numpy as np
import pytest
from scipy.stats import binomtest

from fcrewardbench.stats import (
    FEW_CLUSTERS,
    accuracy_interval,
    calibration,
    student_interval,
    wilson,
)


@pytest.mark.parametrize(("wins", "n"), [(0, 5), (5, 5), (7, 20), (45, 50), (1, 1)])
def test_wilson_is_scipys(wins: int, n: int) -> None:
    expected = binomtest(wins, n).proportion_ci(method="wilson")
    found = wilson(wins / n, n)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_where_all_pairs_came_to_the_same_there_is_an_interval_still() -> None:
    many = [str(i) for i in range(500)]
    for credit in (0.0, 0.5, 1.0):
        found = accuracy_interval([credit] * 500, many)
        assert found.method.startswith("wilson")
        assert found.low <= credit <= found.high
        assert found.high - found.low > 0.005
    assert "cluster bootstrap" in accuracy_interval([1.0, 0.0] * 250, many).method


def test_few_clusters_count_for_what_they_tell() -> None:
    """Forty catalogues whose pairs agree among themselves are forty pairs, not 400."""
    clusters = [str(i // 10) for i in range(400)]
    together = [float(i // 10 % 2) for i in range(400)]
    apart = [float(i % 2) for i in range(400)]
    assert len(set(clusters)) < FEW_CLUSTERS
    wide, narrow = accuracy_interval(together, clusters), accuracy_interval(apart, clusters)
    assert wide.high - wide.low == pytest.approx(
        wilson(0.5, 39).high - wilson(0.5, 39).low, abs=0.01
    )
    assert narrow.high - narrow.low < 0.4 * (wide.high - wide.low)


def test_the_interval_is_seeded() -> None:
    credits = [float(i % 3 == 0) for i in range(300)]
    clusters = [str(i // 2) for i in range(300)]
    assert accuracy_interval(credits, clusters) == accuracy_interval(credits, clusters)


def test_pairs_that_rise_and_fall_together_widen_the_interval() -> None:
    generator = np.random.default_rng(1)
    clusters = [str(i // 5) for i in range(500)]
    together = np.repeat(generator.random(100) < 0.7, 5).astype(float)
    apart = (generator.random(500) < 0.7).astype(float)
    wide = accuracy_interval(list(together), clusters)
    narrow = accuracy_interval(list(apart), clusters)
    assert wide.high - wide.low > 1.7 * (narrow.high - narrow.low)


@pytest.mark.parametrize("size", [1, 4])
def test_coverage_is_near_95_percent(size: int) -> None:
    """Simulated: clusters with a shared share, 400 runs; 3 standard errors are 3.3 points."""
    generator = np.random.default_rng(0)
    covered = 0
    for _ in range(400):
        shares = generator.beta(3, 2, 60)
        credits = (generator.random((60, size)) < shares[:, None]).astype(float)
        clusters = [str(i) for i in range(60) for _ in range(size)]
        found = accuracy_interval(list(credits.ravel()), clusters)
        covered += found.low <= 0.6 <= found.high
    assert 0.917 <= covered / 400 <= 0.983


@pytest.mark.parametrize(("clusters", "size"), [(40, 1), (60, 1), (60, 4), (400, 1)])
def test_pointwise_coverage_is_93_to_97_percent(
    clusters: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Simulated, 2,000 runs with 1,000 resamples each: headline intervals, and Wilson's in cells."""
    monkeypatch.setattr("fcrewardbench.stats.RESAMPLES", 1000)
    generator = np.random.default_rng(11)
    names = [str(i) for i in range(clusters) for _ in range(size)]
    covered = 0
    for _ in range(2000):
        shares = generator.beta(6, 4, clusters)
        credits = (generator.random((clusters, size)) < shares[:, None]).astype(float)
        found = accuracy_interval(list(credits.ravel()), names)
        covered += found.low <= 0.6 <= found.high
    assert 0.93 <= covered / 2000 <= 0.97


def test_a_cell_whose_differences_are_all_alike_is_not_certain() -> None:
    """With n catalogues the share that may be otherwise has the exact bound 1 - 0.025 ** (1 / n)."""
    found = student_interval([1.0, 1.0], ["a", "b"])
    assert found.high == pytest.approx(1.0)
    assert found.low == pytest.approx(1 - 2 * (1 - 0.025**0.5))
    many = student_interval([0.5] * 40, [str(i) for i in range(40)])
    assert many.low < 0.5 < many.high
    assert many.high - many.low == pytest.approx(2 * (1 - 0.025 ** (1 / 40)))


def test_calibration_of_a_true_bradley_terry_model_is_on_the_diagonal() -> None:
    generator = np.random.default_rng(12)
    margins = generator.normal(0, 2, 20_000)
    right = generator.random(20_000) < 1 / (1 + np.exp(-np.abs(margins)))
    bins = calibration(list(margins), list(right))
    assert sum(one.n for one in bins) == 20_000
    inside = 0
    for one in bins:
        assert one.low <= one.predicted <= one.high
        assert one.right == pytest.approx(one.predicted, abs=0.05)
        inside += one.interval.low <= one.predicted <= one.interval.high
    assert inside >= len(bins) - 2
    assert calibration([800.0, -800.0], [True, False])[0].n == 2
