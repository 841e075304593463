"""Submissions → static files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made_submissions import errata_of_wins, make_submission

from fcrewardbench import DataError
from fcrewardbench.adapters.gate import gated
from fcrewardbench.benchmarks.labels import known_labels
from fcrewardbench.report.comparison import compare_runs
from fcrewardbench.submissions import numbers
from fcrewardbench.submissions.entries import read_entry
from fcrewardbench.submissions.numbers import rows_of
from fcrewardbench.submissions.rows import write_rows
from leaderboard_app.build import build
from leaderboard_app.entries import asked_of, checked_rows
from leaderboard_app.outcomes import outcomes_of


@pytest.fixture(scope="module")
def submissions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("submissions")
    subsets = ("core", "abstain", "candidates", "minimal")
    make_submission(root, "good", skill=2.0, seed=1, subsets=subsets)
    make_submission(root, "fair", skill=1.0, seed=2)
    make_submission(
        root, "blind", skill=0.0, seed=3, facts={"kind": "baseline", "organisation": "baseline"}
    )
    return root


@pytest.fixture(scope="module")
def site(submissions: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("board") / "site"
    build(submissions, out, repository="https://example.org/board")
    return out


def test_without_disputed_rows_others_may_be_first(
    submissions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every row that one entry alone is right on is disputed."""
    disputed = errata_of_wins(submissions, "good", "fair")
    assert _entry_of(submissions, tmp_path / "before", "made-up__fair")["without_disputed"] is None
    monkeypatch.setattr(numbers, "errata", lambda: disputed)
    shown = _entry_of(submissions, tmp_path / "after", "made-up__fair")
    assert shown["rank"] == {"low": 2, "high": 2}
    assert shown["without_disputed"] == {"rank": {"low": 1, "high": 1}, "leader_group": True}
    board = _json(tmp_path / "after" / "board.json")
    assert board["benchmarks"][0]["subsets"][0]["disputed"] == len(disputed)


def _entry_of(submissions: Path, out: Path, id: str) -> Any:
    build(submissions, out)
    return _entry(out, id)


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _entry(site: Path, id: str) -> Any:
    return next(one for one in _json(site / "board.json")["entries"] if one["id"] == id)


def test_the_board_says_what_the_cards_say(site: Path, submissions: Path) -> None:
    for id in ("made-up__good", "made-up__fair", "baseline__blind"):
        shown, entry = _entry(site, id), read_entry(submissions / "open@2" / id)
        for name, result in entry.card.results.items():
            assert shown["results"][name]["accuracy"] == result.metrics.accuracy
            assert shown["results"][name]["ci"] == list(result.metrics.accuracy_ci)
            assert shown["results"][name]["tokens_per_1000"] == pytest.approx(200_000)
    assert _entry(site, "made-up__good")["complete"]
    assert not _entry(site, "made-up__fair")["complete"]


def test_ranks_and_leaders(site: Path) -> None:
    ranks = {id: _entry(site, id) for id in ("made-up__good", "made-up__fair", "baseline__blind")}
    assert [one["rank"] for one in ranks.values()] == [
        {"low": 1, "high": 1},
        {"low": 2, "high": 2},
        {"low": 3, "high": 3},
    ]
    assert [one["leader_group"] for one in ranks.values()] == [True, False, False]


def test_outcomes_stand_in_the_order_of_the_index(site: Path, submissions: Path) -> None:
    index = _json(site / "pairs/open@2/core/index.json")
    entry = read_entry(submissions / "open@2/made-up__good")
    by_id = {row.id: row for row in entry.subset("core")}
    assert sorted(index["ids"]) == sorted(by_id)
    outcomes = _json(site / "models/open@2/made-up__good.json")["subsets"]["core"]["outcomes"]
    assert [by_id[id].outcome[0] for id in index["ids"]] == list(outcomes)
    kinds = [index["error_types"][place] for place in index["error_type"]]
    assert kinds == [by_id[id].error_type for id in index["ids"]]
    assert len(set(index["cluster"])) == len({row.catalogue for row in by_id.values()})


def test_comparisons_are_those_of_the_rows(site: Path, submissions: Path) -> None:
    told = _against(site, "made-up__good", "made-up__fair")
    good, fair = (
        [row.row() for row in read_entry(submissions / "open@2" / id).subset("core")]
        for id in ("made-up__good", "made-up__fair")
    )
    low, high = compare_runs([good, fair], balanced=False).intervals
    assert [told["low"], told["high"]] == pytest.approx([low[0, 1], high[0, 1]])
    assert told["both"] + told["only_this"] + told["only_other"] + told["neither"] == 1500
    assert told["difference"] == pytest.approx((told["only_this"] - told["only_other"]) / 1500)
    back = _against(site, "made-up__fair", "made-up__good")
    assert back["difference"] == -told["difference"]
    assert (back["low"], back["high"]) == (-told["high"], -told["low"])
    assert (back["only_this"], back["only_other"]) == (told["only_other"], told["only_this"])
    assert back["p_holm"] == told["p_holm"] >= told["p"]


def _against(site: Path, entry: str, rival: str) -> dict[str, Any]:
    """What an entry's file says of a rival."""
    columns = _json(site / f"models/open@2/{entry}.json")["against"]
    place = columns["id"].index(rival)
    return {name: values[place] for name, values in columns.items()}


def test_every_pair_is_in_a_chunk_with_everybodys_outcome(site: Path) -> None:
    board = _json(site / "board.json")
    for subset in board["benchmarks"][0]["subsets"]:
        folder = site / "pairs/open@2" / subset["name"]
        index = _json(folder / "index.json")
        chunks = [
            _json(folder / f"{place}.json") for place in range(len(list(folder.iterdir())) - 1)
        ]
        items = [item for chunk in chunks for item in chunk["items"]]
        assert [item["id"] for item in items] == index["ids"]
        assert {len(chunk["items"]) for chunk in chunks[:-1]} <= {subset["chunk"]}
        place = chunks[0]["entries_order"].index("made-up__good")
        outcomes = "".join(row[place] for chunk in chunks for row in chunk["outcomes"])
        own = _json(site / "models/open@2/made-up__good.json")["subsets"][subset["name"]]
        assert outcomes == own["outcomes"]
        fair = chunks[0]["entries_order"].index("made-up__fair")
        lacks = all(row[fair] == "-" for chunk in chunks for row in chunk["outcomes"])
        assert lacks == (subset["name"] != "core")


def test_the_hardest_are_missed_by_the_good(site: Path) -> None:
    index = _json(site / "pairs/open@2/core/index.json")
    assert sorted(index["good"]) == ["made-up__fair", "made-up__good"]
    outcomes = [
        _json(site / f"models/open@2/{id}.json")["subsets"]["core"]["outcomes"]
        for id in index["good"]
    ]
    counts = [sum(one[place] == "l" for one in outcomes) for place in range(1500)]
    assert len(index["hardest"]) == 100
    assert [missed for _, missed, _ in index["hardest"]] == sorted(counts, reverse=True)[:100]
    assert all(missed == counts[place] and of == 2 for place, missed, of in index["hardest"])


def test_pairs_that_a_gate_decides_are_in_no_histogram(tmp_path: Path) -> None:
    folder = make_submission(tmp_path / "all", "gated", skill=1.0, seed=1)
    entry = read_entry(folder)
    rows = [
        replace(row, scores=list(gated(row.scores, [not right for right in row.correct])))
        for row in entry.rows[:500]
        if row.scores is not None
    ]
    ours = checked_rows(entry)["core"]
    mixed = [
        replace(row, scores=one.scores, outcome="win", credit=1.0)
        for row, one in zip(ours, rows, strict=False)
    ] + ours[500:]
    told = outcomes_of(mixed, gate=True)
    margins = told["margins"]
    assert sum(margins["right"]) + sum(margins["wrong"]) == 1_000
    assert margins["edges"][-1] < 100
    assert sum(one["n"] for one in told["calibration"]) == 1_000
    assert outcomes_of(mixed[:500], gate=True)["margins"] is None
    whole = outcomes_of(mixed, gate=False)["margins"]
    assert sum(whole["right"]) + sum(whole["wrong"]) == 1_500


def test_histograms_and_calibration_count_every_pair(site: Path) -> None:
    core = _json(site / "models/open@2/made-up__good.json")["subsets"]["core"]
    assert sum(core["margins"]["right"]) == core["outcomes"].count("w")
    assert sum(core["margins"]["wrong"]) == core["outcomes"].count("l")
    assert sum(one["n"] for one in core["calibration"]) == 1500
    for one in core["calibration"]:
        assert one["low"] <= one["predicted"] <= one["high"]
        assert one["ci"][0] <= one["right"] <= one["ci"][1]
    sets = _json(site / "models/open@2/made-up__good.json")["subsets"]["candidates"]
    assert sets["margins"] is None
    assert len(sets["credits"]) == len(sets["outcomes"])


def test_an_entry_whose_rows_say_something_else_stops_the_build(
    submissions: Path, tmp_path: Path
) -> None:
    make_submission(tmp_path / "submissions", "honest", skill=1.0, seed=5)
    folder = make_submission(tmp_path / "submissions", "liar", skill=1.0, seed=4)
    entry = read_entry(folder)
    better = [
        row for row in read_entry(submissions / "open@2/made-up__good").rows if row.subset == "core"
    ]
    write_rows(better, folder / "rows.parquet")
    with pytest.raises(DataError, match="says another accuracy"):
        build(tmp_path / "submissions", tmp_path / "site")
    write_rows(entry.rows[:-1], folder / "rows.parquet")
    with pytest.raises(DataError, match="has not the rows of core"):
        build(tmp_path / "submissions", tmp_path / "site")
    for scores in ([float("nan"), 0.0], [1.0]):
        write_rows(
            [replace(entry.rows[0], scores=scores), *entry.rows[1:]], folder / "rows.parquet"
        )
        with pytest.raises(DataError, match="liar has impossible rows"):
            build(tmp_path / "submissions", tmp_path / "site")
    assert not (tmp_path / "site").exists()


def test_a_folder_that_is_no_board_is_left_alone(submissions: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(DataError, match="holds something that is no board"):
        build(submissions, tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "mine"
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no submissions"):
        build(tmp_path / "empty", tmp_path / "site")


def test_the_repositorys_own_submissions_are_valid_and_build(tmp_path: Path) -> None:
    root = Path(__file__).parents[1] / "submissions"
    board = build(root, tmp_path / "site")
    assert {one["benchmark"] for one in board["entries"]} <= set(known_labels())
    assert {"baseline__random", "baseline__longer", "toolrm__smollm2-135m"} <= {
        one["id"] for one in board["entries"]
    }


def test_no_sets_of_candidates_are_asked_of_a_judge(tmp_path: Path) -> None:
    entry = read_entry(make_submission(tmp_path, "scorer", skill=1.0, seed=1))
    rows = rows_of("open@2", entry.subset("core"))
    judged = [replace(row, scores=None, verdicts=["first", "second"]) for row in rows]
    assert asked_of(entry.card, rows) == {"core", "abstain", "candidates", "minimal"}
    assert asked_of(entry.card, judged) == {"core", "abstain", "minimal"}
