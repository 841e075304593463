"""What is measured beyond pairs: candidate sets, two directions of a subset, disputed labels."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import WEATHER, record

from fcrewardbench import CandidateSet, Group, Judge, Scorer, UsageError, Verdict, evaluate
from fcrewardbench.adapters.mock import Mock
from fcrewardbench.benchmarks import errata as errata_module
from fcrewardbench.benchmarks.errata import Erratum, with_errata
from fcrewardbench.benchmarks.files import load_file
from fcrewardbench.benchmarks.records import item_of
from fcrewardbench.errors import DataError, RunError
from fcrewardbench.outcomes import outcome_of_scores, pairwise_auc
from fcrewardbench.rows import read_parquet
from fcrewardbench.stats import accuracy_interval, balanced_interval
from fcrewardbench.types import Benchmark, Candidate, Outcome, Prompt

CITIES = ("Oslo", "Bergen", "Rome", "Paris")


def candidates_record(id: str, correct: Sequence[bool], **changes: Any) -> dict[str, Any]:
    return {
        "id": id,
        "tools": json.dumps([WEATHER]),
        "conversation": [{"role": "user", "content": f"Weather in Oslo please, question {id}."}],
        "candidates": [[{"get_weather": {"city": city}}] for city in CITIES[: len(correct)]],
        "correct": list(correct),
        **changes,
    }


@pytest.fixture
def sets(pairs_file: Callable[..., Path]) -> Benchmark:
    patterns = [p for p in product((True, False), repeat=4) if any(p) and not all(p)]
    return load_file(pairs_file(*(candidates_record(f"s{i}", p) for i, p in enumerate(patterns))))


@pytest.mark.parametrize("size", [2, 3, 8])
def test_the_top_candidate_decides_and_ties_earn_what_guessing_would(size: int) -> None:
    generator = np.random.default_rng(size)
    for _ in range(200):
        correct = generator.random(size) < 0.4
        if correct.all() or not correct.any():
            continue
        scores = generator.integers(0, 3, size).astype(float)
        outcome, credit = outcome_of_scores(scores.tolist(), correct.tolist())
        draws = scores[:, None] == scores.max()
        assert credit == pytest.approx(correct[draws[:, 0]].mean())
        assert (outcome is Outcome.WIN) == (credit == 1)
        assert (outcome is Outcome.LOSS) == (credit == 0)
    with pytest.raises(ValueError, match="1 scores for 2 candidates"):
        outcome_of_scores([1.0], [True, False])


def test_pairwise_auc_is_scikit_learns() -> None:
    roc_auc_score = pytest.importorskip("sklearn.metrics").roc_auc_score
    generator = np.random.default_rng(0)
    for _ in range(100):
        correct = np.array([True, False, *(generator.random(6) < 0.3)])
        scores = generator.integers(0, 4, 8)
        expected = roc_auc_score(correct, scores)
        assert pairwise_auc(scores.tolist(), correct.tolist()) == pytest.approx(expected)


def test_a_candidate_set_is_scored_whole_and_reported(sets: Benchmark, tmp_path: Path) -> None:
    asked: list[Group] = []

    class Oslo(Scorer):
        def score_group(self, group: Group) -> list[float]:
            asked.append(group)
            return [float(c[0].arguments["city"] == "Oslo") for c in group.candidates]  # type: ignore[union-attr]

    run = evaluate(Oslo(), sets, out=tmp_path)
    assert {len(group.candidates) for group in asked} == {4}
    right = [item.correct[0] for item in sets.items if isinstance(item, CandidateSet)]
    assert run.accuracy == pytest.approx(np.mean(right))
    aucs = [pairwise_auc(row.scores or (), row.correct) for row in run.rows]
    assert run.card["metrics"]["auc"] == pytest.approx(np.mean(aucs))
    assert set(run.card["by_error_type"]) == {"1 of 4 right", "2 of 4 right", "3 of 4 right"}
    assert "Pairwise AUC" in (tmp_path / "report.md").read_text("utf-8")
    assert read_parquet(tmp_path / "rows.parquet") == run.rows


def test_knowing_and_not_knowing_on_candidate_sets(sets: Benchmark) -> None:
    knows = evaluate(Mock(), sets).card["metrics"]
    assert (knows["accuracy"], knows["auc"]) == (1.0, 1.0)
    flat = evaluate(Mock(scores=lambda group: [0.0] * 4), sets).card["metrics"]
    shares = [sum(item.correct) / 4 for item in sets.items if isinstance(item, CandidateSet)]
    assert flat["accuracy"] == pytest.approx(np.mean(shares))
    assert flat["auc"] == 0.5
    broken = evaluate(Mock(scores=lambda group: [float("nan")] * 4), sets).card["metrics"]
    assert (broken["accuracy"], broken["auc"]) == (0.0, 0.0)


def test_the_right_candidate_stands_anywhere(sets: Benchmark) -> None:
    listed_first = tuple(
        replace(item, id=f"{item.id}|{n}", correct=(True, False, False, False))
        for item in sets.items
        if isinstance(item, CandidateSet)
        for n in range(30)
    )
    places = Counter((item.group().correct or ()).index(True) for item in listed_first)
    assert all(0.2 < places[place] / len(listed_first) < 0.3 for place in range(4))


def test_a_judge_is_told_that_sets_are_for_scorers(
    sets: Benchmark, pairs_file: Callable[..., Path]
) -> None:
    class First(Judge):
        def verdict(self, prompt: Prompt, first: Candidate, second: Candidate) -> Verdict:
            return Verdict.FIRST

    with pytest.raises(UsageError, match=r"sets of 4 candidates .* is a judge"):
        evaluate(First(), sets)
    pair = load_file(pairs_file(record("pair"))).items
    with pytest.raises(UsageError, match=r"sets of 4 candidates .* is a judge"):
        evaluate(First(), replace(sets, items=pair + sets.items))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"correct": [True, True]}, "all right or all wrong"),
        ({"correct": [True]}, "true or false for every candidate"),
        ({"correct": [True, "no"]}, "true or false for every candidate"),
        ({"candidates": []}, "'candidates' is no list, or an empty one"),
        ({"candidates": [[{"f": {}}], [{"f": {}}]]}, "two candidates are the same"),
        ({"tools": None}, "the field 'tools' is missing"),
        ({"error_types": [""]}, "'error_types' has to hold a text for every candidate"),
        ({"error_types": ["value_error", ""]}, "has to be empty for right candidates"),
        ({"generators": "me"}, "'generators' has to hold a text for every candidate"),
        ({"generators": [1, 2]}, "'generators' has to hold a text for every candidate"),
        ({"doubts": "both fine"}, "'doubts' has to hold a text for every candidate"),
        ({"doubt": ["both fine"]}, "'doubt' is no text"),
    ],
)
def test_bad_candidate_sets_are_told(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        item_of({**candidates_record("a", [True, False]), **changes}, "1")


def test_what_is_null_in_a_column_of_texts_is_no_text() -> None:
    texts = {"error_types": [None, "value_error:x"], "doubts": [None, "both fine"]}
    item = item_of({**candidates_record("a", [True, False]), **texts}, "1")
    assert isinstance(item, CandidateSet)
    assert item.error_types == ("", "parameter value error")
    assert item.doubt == "both fine"


# ── two directions ───────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def directions(pairs_file: Callable[..., Path]) -> Benchmark:
    """Thirty pairs where calling is wrong, ten where not calling is."""
    call, words = json.dumps([{"get_weather": {"city": "Oslo"}}]), "I cannot do that."
    rows = [
        record(
            f"p{i}",
            chosen_output=words if i % 4 else call,
            rejected_output=call if i % 4 else words,
            error_type="should not have called" if i % 4 else "no call",
        )
        for i in range(40)
    ]
    return replace(load_file(pairs_file(*rows)), balanced=True)


@pytest.mark.parametrize("calls", [1.0, -1.0])
def test_a_standing_preference_earns_half(directions: Benchmark, calls: float) -> None:
    def scores(group: Group) -> list[float]:
        return [0.0 if isinstance(candidate, str) else calls for candidate in group.candidates]

    run = evaluate(Mock(scores=scores), directions)
    assert run.accuracy == 0.5
    low, high = run.card["metrics"]["accuracy_ci"]
    assert low < 0.5 < high
    assert run.card["metrics"]["strict_accuracy"] == 0.5
    assert evaluate(Mock(scores=scores), replace(directions, balanced=False)).accuracy != 0.5


def test_a_balanced_interval_weighs_directions_alike() -> None:
    generator = np.random.default_rng(3)
    strata = ["a"] * 600 + ["b"] * 100
    credits = [float(x) for x in generator.random(700) < np.repeat([0.9, 0.5], [600, 100])]
    clusters = [str(i) for i in range(700)]
    found = balanced_interval(credits, clusters, strata)
    middle = (np.mean(credits[:600]) + np.mean(credits[600:])) / 2
    assert found.low < middle < found.high
    error = np.sqrt(0.9 * 0.1 / 600 + 0.25 / 100) / 2
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.1)
    assert balanced_interval(credits, clusters, ["a"] * 700) == accuracy_interval(credits, clusters)


@pytest.mark.parametrize("size", [20, 200])
def test_a_standing_preference_is_not_certain(size: int) -> None:
    clusters = [str(i) for i in range(2 * size)]
    found = balanced_interval([1.0] * size + [0.0] * size, clusters, ["a"] * size + ["b"] * size)
    assert found.low < 0.48
    assert found.high > 0.52


def test_a_balanced_interval_covers_where_the_small_direction_is_the_uncertain_one() -> None:
    generator = np.random.default_rng(1)
    strata = ["a"] * 300 + ["b"] * 10
    covered = 0
    for _ in range(500):
        credits = [1.0] * 300 + [float(x) for x in generator.random(10) < 0.6]
        found = balanced_interval(credits, [str(i) for i in range(310)], strata)
        covered += found.low <= 0.8 <= found.high
    assert covered / 500 >= 0.93


def test_a_balanced_interval_covers_with_few_clusters_too() -> None:
    generator = np.random.default_rng(5)
    covered = 0
    for _ in range(300):
        credits = [float(x) for x in generator.random(60) < np.repeat([0.8, 0.4], 30)]
        found = balanced_interval(credits, [str(i) for i in range(60)], ["a"] * 30 + ["b"] * 30)
        covered += found.low <= 0.6 <= found.high
    assert 0.90 <= covered / 300 <= 0.99


# ── disputed labels ──────────────────────────────────────────────────────────────────────────────


def test_disputed_rows_stay_and_are_counted_out_beside(
    pairs_file: Callable[..., Path], tmp_path: Path
) -> None:
    rows = [record(f"p{i}", doubt="same date" if i < 4 else "") for i in range(20)]
    benchmark = load_file(pairs_file(*rows))
    doubted = {item.id for item in benchmark.items if item.doubt}

    def scores(group: Group) -> list[float]:
        sign = -1 if group.id in doubted else 1
        return [sign * float(right) for right in group.correct or ()]

    run = evaluate(Mock(scores=scores), benchmark, out=tmp_path)
    assert (run.accuracy, run.card["disputed"]) == (0.8, 4)
    assert run.card["without_disputed"]["accuracy"] == 1.0
    assert run.card["without_disputed"]["n"] == 16
    assert {row.id for row in run.rows if row.doubt} == doubted
    assert "without 4 disputed" in (tmp_path / "report.md").read_text("utf-8")


def test_where_nothing_is_disputed_the_report_says_so(
    pairs_file: Callable[..., Path], tmp_path: Path
) -> None:
    run = evaluate(Mock(), load_file(pairs_file(*map(record, "abc"))), out=tmp_path)
    assert run.card["without_disputed"] is None
    assert "Disputed labels among these rows: 0." in (tmp_path / "report.md").read_text("utf-8")


def test_errata_name_rows_by_id_and_benchmark(
    pairs_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = Erratum(id="official/b", reason="both fine", who="a reader", when=date(2026, 1, 1))
    monkeypatch.setattr(errata_module, "errata", lambda: {listed.id: listed})
    items = load_file(pairs_file(*map(record, "abc"))).items
    assert [item.doubt for item in with_errata(items, "official/")] == ["", "both fine", ""]
    assert [item.doubt for item in with_errata(items)] == ["", "", ""]


def test_a_run_that_goes_on_or_is_asked_for_again_knows_later_disputes(
    pairs_file: Callable[..., Path], tmp_path: Path
) -> None:
    class Counting(Scorer):
        scored = 0

        def score_group(self, group: Group) -> list[float]:
            if Counting.scored == 3:
                Counting.scored += 1
                raise ValueError("killed")
            Counting.scored += 1
            return [1.0, 0.0]

    def disputing(*ids: str) -> Benchmark:
        rows = (record(id, doubt="both fine" if id in ids else "") for id in "abcdefgh")
        return load_file(pairs_file(*rows))

    out = tmp_path / "run"
    with pytest.raises(RunError, match="killed"):
        evaluate(Counting(), disputing(), out=out)
    assert evaluate(Counting(), disputing("a"), out=out).card["disputed"] == 1
    again = evaluate(Counting(), disputing("a", "b"), out=out)
    assert Counting.scored == 9
    assert again.card["disputed"] == 2
    assert again.card == json.loads((out / "card.json").read_text("utf-8"))
    assert [row.doubt for row in read_parquet(out / "rows.parquet")][:3] == [*["both fine"] * 2, ""]
    assert "without 2 disputed" in (out / "report.md").read_text("utf-8")


def test_the_hash_of_a_benchmark_does_not_depend_on_its_disputes(
    pairs_file: Callable[..., Path],
) -> None:
    plain = load_file(pairs_file(record("a")))
    doubted = load_file(pairs_file(record("a", doubt="both fine")))
    assert plain.sha256 == doubted.sha256
