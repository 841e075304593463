from typing import Any

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar

from fcrewardbench.comparisons import compare_models, holm, mean_weights, win_tables
from fcrewardbench.stats import (
    FEW_CLUSTERS,
    SEED,
    bootstrap_means,
    student_interval,
)


def _models(
    generator: np.random.Generator, clusters: int, shares: list[float]
) -> list[list[float]]:
    """Credits of models of these shares that fail together on hard catalogues, 4 pairs each."""
    hard = generator.normal(0, 0.15, (clusters, 1))
    drawn = [generator.random((clusters, 4)) < np.clip(share + hard, 0, 1) for share in shares]
    return [list(one.ravel().astype(float)) for one in drawn]


def _names(clusters: int) -> list[str]:
    return [str(i) for i in range(clusters) for _ in range(4)]


def _interval(first: Any, second: Any, names: list[str]) -> tuple[float, float]:
    """Of the difference of two models."""
    low, high = compare_models([list(first), list(second)], names).intervals
    return float(low[0, 1]), float(high[0, 1])


@pytest.mark.parametrize("clusters", [20, 120])
def test_all_pairs_at_once_are_the_pairs_one_by_one(clusters: int) -> None:
    credits = _models(np.random.default_rng(3), clusters, [0.5, 0.6, 0.62, 0.8])
    credits.append(credits[0])
    names = _names(clusters)
    found = compare_models(credits, names)
    assert not any(matrix.diagonal().any() for matrix in found.intervals)
    for a in range(5):
        for b in set(range(5)) - {a}:
            alone = compare_models([credits[a], credits[b]], names)
            mean = (sum(credits[a]) - sum(credits[b])) / len(names)
            assert found.difference[a, b] == pytest.approx(mean)
            low, high = found.intervals
            assert low[a, b] == pytest.approx(alone.intervals[0][0, 1], abs=1e-9)
            assert high[a, b] == pytest.approx(alone.intervals[1][0, 1], abs=1e-9)
            if clusters < FEW_CLUSTERS:
                values = [one - other for one, other in zip(credits[a], credits[b], strict=True)]
                expected = student_interval(values, names)
                assert (low[a, b], high[a, b]) == pytest.approx((expected.low, expected.high))
    assert (clusters >= FEW_CLUSTERS) == ("bootstrap" in found.interval_method)


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
        low, high = _interval(better.ravel(), first.ravel(), names)
        covered += low <= 0.2 <= high
        low, high = _interval(same.ravel(), first.ravel(), names)
        rejected += not low <= 0 <= high
    assert 0.917 <= covered / 400 <= 0.983
    assert rejected / 400 <= 0.083


def test_few_catalogues_without_a_difference_may_hide_one_and_one_catalogue_tells_nothing() -> None:
    credits = np.array([float(i % 3 == 0) for i in range(60)])
    assert _interval(credits, credits, [str(i) for i in range(60)]) == (0, 0)
    few = _interval(credits, credits, [str(i % 20) for i in range(60)])
    assert few == pytest.approx((0.025**0.05 - 1, 1 - 0.025**0.05))
    assert _interval(credits, 1 - credits, ["one"] * 60) == (-1, 1)


def test_no_interval_leaves_what_a_difference_can_be() -> None:
    first = np.array([1.0, 1.0, 1.0, 0.0])
    low, high = _interval(first, 0 * first, list("abcd"))
    assert low < 0.75
    assert high == 1


def test_the_test_rejects_where_its_interval_leaves_nothing_out() -> None:
    generator = np.random.default_rng(4)
    names = _names(60)
    for _ in range(50):
        credits = _models(generator, 60, [0.55, 0.65])
        p = compare_models(credits, names).p[0, 1]
        interval = student_interval([a - b for a, b in zip(*credits, strict=True)], names)
        assert (p < 0.05) == (not interval.low <= 0 <= interval.high)


@pytest.mark.parametrize(("clusters", "pairs"), [(40, 1), (60, 4), (400, 1), (20, 4)])
def test_a_true_null_is_rejected_in_5_percent(clusters: int, pairs: int) -> None:
    """Simulated, 3,000 runs of the cluster test: 5 % ± 1.5."""
    generator = np.random.default_rng(5)
    names = [str(i) for i in range(clusters) for _ in range(pairs)]
    rejected = 0
    for _ in range(3000):
        hard = np.clip(0.65 + generator.normal(0, 0.15, (clusters, 1)), 0, 1)
        credits = (generator.random((2, clusters, pairs)) < hard).astype(float).reshape(2, -1)
        rejected += compare_models(list(credits), names).p[0, 1] < 0.05
    assert abs(rejected / 3000 - 0.05) <= 0.015


def test_the_bootstrap_leaves_out_no_difference_in_5_percent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Simulated, 2,000 runs on 60 catalogues, 1,000 resamples each: 5 % ± 1.5."""
    monkeypatch.setattr("fcrewardbench.stats.RESAMPLES", 1000)
    generator = np.random.default_rng(9)
    names = _names(60)
    outside = 0
    for _ in range(2000):
        hard = np.clip(0.65 + generator.normal(0, 0.15, (60, 1)), 0, 1)
        first, second = (generator.random((2, 60, 4)) < hard).astype(float).reshape(2, -1)
        low, high = _interval(first, second, names)
        outside += not low <= 0 <= high
    assert abs(outside / 2000 - 0.05) <= 0.015


def test_intervals_of_many_models_are_numpys_quantiles_of_the_resamples() -> None:
    generator = np.random.default_rng(3)
    credits = generator.random((4, 120)) < 0.6
    found = compare_models(credits.astype(float).tolist(), [str(i // 2) for i in range(120)])
    means = bootstrap_means(found.totals, found.sizes, np.random.default_rng(SEED))
    differences = means[:, None] - means[None, :]
    expected = np.quantile(differences, [0.025, 0.975], axis=2)
    for ends, quantiles in zip(found.intervals, expected, strict=True):
        np.testing.assert_allclose(ends, quantiles, atol=1e-12)


def test_few_catalogues_that_differ_alike_are_no_proof() -> None:
    """Four of 200 differ, all the same way: Student's test alone would say p = 0.046."""
    first, second = [1.0] * 200, [1.0] * 196 + [0.0] * 4
    names = [str(i) for i in range(200)]
    assert compare_models([first, second], names).p[0, 1] == 2**-3


def test_mcnemar_never_rejects_a_true_null_too_often() -> None:
    """Simulated: the exact test, independent pairs, 2,000 runs; at most 5 % and what chance adds."""
    generator = np.random.default_rng(6)
    for n in (40, 200):
        rejected = 0
        for _ in range(2000):
            hard = generator.beta(3, 2, n)
            first, second = generator.random((2, n)) < hard
            rejected += win_tables([first, second]).p[0, 1] < 0.05
        assert rejected / 2000 <= 0.05 + 3 * (0.05 * 0.95 / 2000) ** 0.5


@pytest.mark.parametrize("table", [(10, 3, 12, 5), (0, 1, 0, 0), (7, 4, 4, 2), (3, 0, 9, 0)])
def test_mcnemar_is_statsmodels(table: tuple[int, int, int, int]) -> None:
    both, first, second, neither = table
    expected = mcnemar([[both, first], [second, neither]], exact=True).pvalue
    counted = [both, first, second, neither]
    wins = np.repeat(
        [[True, True], [True, False], [False, True], [False, False]], counted, axis=0
    ).T
    found = win_tables(wins.tolist())
    matrices = found.both, found.alone, found.alone.T, found.neither
    assert [matrix[0, 1] for matrix in matrices] == counted
    assert found.p[0, 1] == pytest.approx(min(expected, 1.0))


def test_models_that_agree_everywhere_do_not_differ() -> None:
    assert win_tables([[True] * 5 + [False] * 5] * 2).p[0, 1] == 1.0
    credits = [[1.0, 0.0, 1.0, 0.5]] * 2
    found = compare_models(credits, ["a", "b", "c", "d"])
    assert found.p[0, 1] == 1.0
    assert found.rank_intervals() == [(1, 2), (1, 2)]
    assert found.leaders() == [True, True]


def test_one_catalogue_tells_nothing() -> None:
    found = compare_models([[1.0] * 9, [0.0] * 9], ["one"] * 9)
    assert found.p[0, 1] == 1.0
    assert found.rank_intervals() == [(1, 2), (1, 2)]


def test_ranks_are_intervals_of_what_is_known() -> None:
    """Two that cannot be told apart share ranks; one that is far below has its own."""
    credits = _models(np.random.default_rng(7), 200, [0.80, 0.81, 0.55, 0.30])
    found = compare_models(credits, _names(200))
    assert found.rank_intervals() == [(1, 2), (1, 2), (3, 3), (4, 4)]
    assert found.leaders() == [True, True, False, False]


def test_among_many_equal_models_hardly_one_is_told_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Holm keeps the chance of a single false difference among all pairs at 5 %."""
    monkeypatch.setattr("gc.collect", lambda: 0)  # statsmodels collects at every call
    generator = np.random.default_rng(8)
    names, any_clear = _names(80), 0
    for _ in range(100):
        found = compare_models(_models(generator, 80, [0.6] * 8), names)
        any_clear += any(rank != (1, 8) for rank in found.rank_intervals())
    assert any_clear / 100 <= 0.05 + 3 * (0.05 * 0.95 / 100) ** 0.5


def test_holm_by_hand() -> None:
    p = np.array([[1, 0.01, 0.04], [0.01, 1, 0.03], [0.04, 0.03, 1]])
    expected = [[1, 0.03, 0.06], [0.03, 1, 0.06], [0.06, 0.06, 1]]
    assert holm(p) == pytest.approx(np.array(expected))


def test_weights_make_the_mean_over_strata() -> None:
    strata = ["a", "a", "a", "b"]
    first, second = [1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]
    found = compare_models([first, second], ["1", "2", "3", "4"], mean_weights(strata))
    assert found.difference[0, 1] == pytest.approx((2 / 3 - 0) / 2 + (0 - 1) / 2)
