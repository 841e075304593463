"""Benchmarks as folders that `datasets` loads, and issues that dispute a label."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Fcrb, record
from test_subsets import candidates_record

from fcrewardbench.benchmarks.export import export
from fcrewardbench.benchmarks.files import load_file
from fcrewardbench.benchmarks.registry import load_benchmark
from fcrewardbench.errors import UsageError


@pytest.mark.parametrize("kind", ["pairs", "sets"])
def test_what_is_exported_is_read_back_the_same(
    kind: str, pairs_file: Callable[..., Path], tmp_path: Path
) -> None:
    rows = {
        "pairs": [
            record("a", doubt="both fine"),
            record("b", chosen_output="I cannot do that.", error_type="should not have called"),
            record("c", rejected_output="[get_weather(city='Oslo'", error_type="parsing error"),
        ],
        "sets": [candidates_record(f"s{i}", [True, False, i > 0]) for i in range(3)],
    }[kind]
    source = pairs_file(*rows, name="source.jsonl")
    export([str(source)], tmp_path / "out")
    before, after = load_file(source), load_file(tmp_path / "out" / "source.parquet")
    assert after.items == before.items
    assert after.sha256 == before.sha256


def test_datasets_loads_every_configuration(
    pairs_file: Callable[..., Path], tmp_path: Path
) -> None:
    import datasets

    one = pairs_file(*map(record, "abc"), name="one.jsonl")
    two = pairs_file(candidates_record("s", [True, False]), name="two.jsonl")
    assert export([str(one), str(two)], tmp_path / "out") == {"one": 3, "two": 1}
    for name, rows in (("one", 3), ("two", 1)):
        loaded = datasets.load_dataset(
            str(tmp_path / "out"), name, split="test", cache_dir=str(tmp_path / "cache")
        )
        assert loaded.num_rows == rows
        assert json.loads(loaded[0]["tools"])[0]["name"] == "get_weather"


def test_all_of_open_is_exported_where_nothing_is_named(tmp_path: Path) -> None:
    rows = export([], tmp_path / "out")
    for name, count in rows.items():
        benchmark = load_benchmark(f"open/{name}")
        assert count == len(benchmark.items)
        assert load_file(tmp_path / "out" / f"{name}.parquet").sha256 == benchmark.sha256
        (line,) = (
            line
            for line in (tmp_path / "out" / "README.md").read_text("utf-8").splitlines()
            if benchmark.sha256 in line
        )
        assert ("over the error types" in line) == benchmark.balanced


def test_pairs_beside_sets_are_exported_whole(
    pairs_file: Callable[..., Path], tmp_path: Path
) -> None:
    source = pairs_file(record("a"), candidates_record("s", [True, False]), name="mixed.jsonl")
    export([str(source)], tmp_path / "out")
    assert load_file(tmp_path / "out" / "mixed.parquet").items == load_file(source).items


def test_two_benchmarks_of_one_name_are_refused(
    pairs_file: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    one, two = (pairs_file(record("a"), name=name) for name in ("p.jsonl", "other/p.jsonl"))
    with pytest.raises(UsageError, match="would both be the configuration 'p'"):
        export([str(one), str(two)], tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["2024.jsonl", "my: pairs #1?.jsonl"])
def test_any_file_name_makes_a_configuration(
    name: str, pairs_file: Callable[..., Path], tmp_path: Path
) -> None:
    import datasets

    ((configuration, _),) = export(
        [str(pairs_file(record("a"), name=name))], tmp_path / "o"
    ).items()
    arguments = {"split": "test", "cache_dir": str(tmp_path / "cache")}
    assert datasets.load_dataset(str(tmp_path / "o"), configuration, **arguments).num_rows == 1
    assert "license" not in (tmp_path / "o" / "README.md").read_text("utf-8")


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "something").write_text("mine", "utf-8")
    with pytest.raises(UsageError, match="is not empty"):
        export(["open"], tmp_path)


def test_a_dispute_is_an_issue_filled_in(fcrb: Fcrb, pairs_file: Callable[..., Path]) -> None:
    path = pairs_file(record("a", doubt="same place"))
    code, out, _ = fcrb("dispute", "a", "--benchmark", path)
    assert code == 0
    for part in ("# Disputed label:", "Weather in Oslo please", '"Oslo"', '"Bergen"', "same place"):
        assert part in out
    line = next(line for line in out.splitlines() if line.startswith('{"id"'))
    assert json.loads(line)["id"] == f"{path}/a"
    assert set(json.loads(line)) == {"id", "reason", "who", "when"}


def test_a_candidate_cannot_end_its_fence(fcrb: Fcrb, pairs_file: Callable[..., Path]) -> None:
    path = pairs_file(
        record("a", rejected_output="```\nnot a call\n```", error_type="parsing error")
    )
    _, out, _ = fcrb("dispute", "a", "--benchmark", path)
    assert "````\n```\nnot a call\n```\n````" in out


def test_an_odd_edition_is_told(fcrb: Fcrb) -> None:
    code, _, err = fcrb("show", "open-²/core/0001", "--benchmark", "open@²")
    assert code == 2
    assert "edition of 'open'" in err


def test_an_id_of_open_is_found_without_naming_its_edition(fcrb: Fcrb) -> None:
    for id in ("open-1/0007", "open-2/core/0007", "open-2/candidates/0007"):
        code, out, _ = fcrb("dispute", id)
        assert code == 0
        assert json.dumps({"id": id})[:-1] in out
        code, out, _ = fcrb("show", id)
        assert code == 0
        assert id in out
    code, _, err = fcrb("dispute", "open-2/core/9999")
    assert code == 2
    assert "There is no pair" in err
