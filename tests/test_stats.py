import numpy as np
import pytest
from scipy.stats import binomtest

from fcrewardbench.stats import FEW_CLUSTERS, accuracy_interval, difference_interval, wilson


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


@pytest.mark.parametrize("clusters", [12, 80])
def test_a_difference_covers_and_rejects_as_often_as_it_should(clusters: int) -> None:
    """Simulated: two models that fail together on hard catalogues, 400 runs; 3 standard errors."""
    generator = np.random.default_rng(2)
    covered = rejected = 0
    for _ in range(400):
        hard = generator.beta(3, 2, (clusters, 1))
        first, same = (generator.random((2, clusters, 4)) < hard).astype(float)
        better = (generator.random((clusters, 4)) < 0.5 + hard / 2).astype(float)
        names = [str(i) for i in range(clusters) for _ in range(4)]
        found = difference_interval(list(better.ravel()), list(first.ravel()), names)
        covered += found.low <= 0.2 <= found.high
        null = difference_interval(list(same.ravel()), list(first.ravel()), names)
        rejected += not null.low <= 0 <= null.high
    assert 0.917 <= covered / 400 <= 0.983
    assert rejected / 400 <= 0.083


def test_a_difference_of_the_same_is_nothing_and_one_catalogue_tells_nothing() -> None:
    credits = [float(i % 3 == 0) for i in range(60)]
    for clusters in (60, 20):
        names = [str(i % clusters) for i in range(60)]
        found = difference_interval(credits, credits, names)
        assert (found.low, found.high) == (0, 0)
    alone = difference_interval(credits, [1 - c for c in credits], ["one"] * 60)
    assert (alone.low, alone.high) == (-1, 1)
