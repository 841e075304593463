"""`fcrb score`: any groups, resumable, in the file's order, never all in memory."""

import gc
import json
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pyarrow.parquet as pq
import pytest
from conftest import WEATHER, Fcrb

from fcrewardbench import Group, Outcome, Scored, Scorer, UsageError, load, score_file
from fcrewardbench.adapters import registry
from fcrewardbench.errors import DataError, RunError


def line(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"g{number}",
        "tools": [WEATHER],
        "messages": [{"role": "user", "content": f"Weather in Oslo, question {number}."}],
        "candidates": [
            [{"get_weather": {"city": "Oslo" + "o" * (number % 3)}}],
            '<tool_call>{"name": "get_weather", "arguments": {"city": "Oslooo"}}</tool_call>',
            "Which city?",
        ],
        **changes,
    }


@pytest.fixture
def data(tmp_path: Path) -> Callable[..., Path]:
    def write(*records: dict[str, Any], name: str = "groups.jsonl") -> Path:
        path = tmp_path / name
        path.write_text("".join(json.dumps(r) + "\n" for r in records), "utf-8")
        return path

    return write


def rows(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return found


class Planted(Scorer):
    """Backwards, with one group too long, one not a number; breaks off where `stop` says."""

    stop: str | None = None
    seen: ClassVar[list[str]] = []

    def score_group(self, group: Group) -> list[float]:
        raise NotImplementedError

    def score_groups(self, groups: Iterable[Group]) -> Iterator[Scored]:
        for group in reversed(list(groups)):
            self.seen.append(group.id)
            if group.id == self.stop:
                raise OSError("unplugged")
            if group.id == "g1":
                yield Scored("g1", None, failure=Outcome.TOO_LONG, detail="9 tokens")
            else:
                last = float("nan") if group.id == "g2" else 2.0
                yield Scored(group.id, (1.0, 2.0, last)[: len(group.candidates)])


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> type[Planted]:
    monkeypatch.setitem(registry._ADAPTERS, "planted", f"{__name__}:Planted")
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
    monkeypatch.setattr(Planted, "stop", None)
    monkeypatch.setattr(Planted, "seen", [])
    return Planted


def test_the_table_has_the_scores_that_the_scorer_gives(
    data: Callable[..., Path], tmp_path: Path, fcrb: Fcrb
) -> None:
    path = data(*(line(n) for n in range(3)), {**line(3), "id": None, "tools": None})
    code, out, _ = fcrb("score", "--model", "baseline/longer", "--data", path, "--out", "s.parquet")
    assert code == 0
    assert "4 groups scored" in out
    scorer = load("baseline/longer")
    assert isinstance(scorer, Scorer)
    for number, row in enumerate(rows(tmp_path / "s.parquet")):
        given = line(number)
        assert row["id"] == ("4" if number == 3 else f"g{number}")
        assert row["scores"] == scorer.score([], given["messages"], given["candidates"])
        assert row["best"] == row["scores"].index(max(row["scores"]))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["groups.jsonl", "s.parquet"]


@pytest.mark.usefixtures("planted")
def test_rows_stand_in_the_files_order_and_failures_are_rows(
    data: Callable[..., Path], tmp_path: Path
) -> None:
    out = tmp_path / "s.parquet"
    counts = score_file("planted", data(*map(line, range(4))), out)
    assert counts == {"scored": 2, "too_long": 1, "error": 1}
    table = rows(out)
    assert [row["id"] for row in table] == ["g0", "g1", "g2", "g3"]
    assert [row["best"] for row in table] == [1, None, None, 1]
    assert [row["scores"] is None for row in table] == [False, True, True, False]
    assert table[1]["detail"] == "9 tokens"
    assert "not a finite number" in table[2]["detail"]


def test_a_run_that_broke_off_goes_on_and_ends_with_the_same_table(
    data: Callable[..., Path], tmp_path: Path, planted: type[Planted], monkeypatch: Any
) -> None:
    path = data(*map(line, range(6)))
    whole, parts = tmp_path / "whole.parquet", tmp_path / "parts.parquet"
    score_file("planted", path, whole)
    monkeypatch.setattr(planted, "stop", "g3")
    with pytest.raises(RunError, match="after 2 of 6 groups"):
        score_file("planted", path, parts)
    with (tmp_path / "parts.parquet.log").open("ab") as log:
        log.write(b'{"id": "g0", "sco')  # what a kill cut off
    monkeypatch.setattr(planted, "stop", None)
    planted.seen.clear()
    score_file("planted", path, parts)
    assert planted.seen == ["g3", "g2", "g1", "g0"]
    assert pq.read_table(parts).equals(pq.read_table(whole), check_metadata=True)
    planted.seen.clear()
    score_file("planted", path, parts)
    assert planted.seen == ["g2"]  # which failed; all else stands
    assert pq.read_table(parts).equals(pq.read_table(whole), check_metadata=True)


def test_a_model_that_plans_over_the_run_goes_on_with_the_same_numbers(
    data: Callable[..., Path], tmp_path: Path, smollm2: Path
) -> None:
    path = data(*map(line, range(4)))
    whole, parts = tmp_path / "whole.parquet", tmp_path / "parts.parquet"
    score_file(f"path:{smollm2}", path, whole)

    def stop(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_file(f"path:{smollm2}", path, parts, progress=stop)
    assert not parts.exists()
    score_file(f"path:{smollm2}", path, parts)
    assert [row["scores"] for row in rows(parts)] == [row["scores"] for row in rows(whole)]


def test_a_killed_process_goes_on(data: Callable[..., Path], tmp_path: Path) -> None:
    path, out = data(*map(line, range(300))), tmp_path / "s.parquet"
    command = [
        *(sys.executable, "-m", "fcrewardbench", "score", "--model", "mock", "--data", str(path)),
        *("--out", str(out), "--option", "delay=0.005"),
    ]
    process = subprocess.Popen(command)
    log = tmp_path / "s.parquet.log"
    while not (log.exists() and log.read_bytes().count(b"\n") > 20):
        assert process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = log.read_bytes().count(b"\n") - 1
    assert not out.exists()
    calls: list[int] = []
    score_file("mock", path, out, progress=lambda done, _: calls.append(done), delay=0.0)
    assert calls[0] == before
    assert len(rows(out)) == 300


def test_another_run_is_not_overwritten(data: Callable[..., Path], tmp_path: Path) -> None:
    path, out = data(line(0)), tmp_path / "s.parquet"
    score_file("baseline/longer", path, out)
    with pytest.raises(UsageError, match="scores of another run"):
        score_file("baseline/shorter", path, out)
    score_file("baseline/shorter", path, out, fresh=True)
    assert rows(out)[0]["best"] == 2
    data(line(1))
    with pytest.raises(UsageError, match="scores of another run"):
        score_file("baseline/shorter", path, out)


def test_bad_lines_are_all_refused_before_anything_runs(
    data: Callable[..., Path], tmp_path: Path, fcrb: Fcrb, planted: type[Planted]
) -> None:
    path = data(
        line(0),
        line(1, candidates=[]),
        line(2, messages=None),
        line(3, candidates=[5]),
        line(0),
        line(4, tools=[{"description": "no name"}]),
    )
    code, out, err = fcrb("score", "--model", "planted", "--data", path, "--out", "s.parquet")
    assert (code, out) == (2, "")
    assert "has 5 lines that are no group" in err
    for number, reason in (
        (2, "empty"),
        (3, "no conversation"),
        (4, "neither"),
        (5, "stands twice"),
    ):
        assert any(f"line {number}: " in told and reason in told for told in err.splitlines())
    assert planted.seen == []
    assert not (tmp_path / "s.parquet").exists()
    path.write_text("")
    with pytest.raises(DataError, match="holds no groups"):
        score_file("planted", path, tmp_path / "s.parquet")


def test_judges_and_tables_of_another_kind_are_refused(
    data: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    with pytest.raises(UsageError, match="is a judge"):
        score_file("some-model", data(line(0)), tmp_path / "s.parquet", adapter="api")
    with pytest.raises(UsageError, match=r"ends in \.parquet"):
        score_file("baseline/longer", data(line(0)), tmp_path / "s.csv")


def test_memory_does_not_grow_with_the_groups(data: Callable[..., Path], tmp_path: Path) -> None:
    """Ids and places are held, 300 bytes a group; the groups, with a tool of 20,000 characters, not."""
    tool = {**WEATHER, "description": "d" * 20_000}

    def peak(count: int) -> int:
        path = data(*(line(n, tools=[tool]) for n in range(count)), name=f"{count}.jsonl")
        gc.collect()
        gc.freeze()
        gc.collect()  # or it would come once there are a quarter as many as the other tests' objects
        tracemalloc.start()
        score_file("baseline/longer", path, tmp_path / f"{count}.parquet")
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        gc.unfreeze()
        return used

    peak(10)
    small, large = peak(100), peak(1100)
    assert large - small < 1000 * 2_000
