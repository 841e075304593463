import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import record

from fcrewardbench import Group, Judge, Outcome, Scored, Scorer, UsageError, Verdict, evaluate, load
from fcrewardbench.adapters.mock import Mock
from fcrewardbench.benchmarks.files import load_file
from fcrewardbench.benchmarks.registry import load_benchmark, pinned
from fcrewardbench.errors import RunError
from fcrewardbench.rows import Row, read_parquet
from fcrewardbench.run import sample
from fcrewardbench.types import Benchmark, Candidate, Prompt


@pytest.fixture
def benchmark(pairs_file: Callable[..., Path]) -> Benchmark:
    kinds = ["value_error:string"] * 6 + ["type_error:simple"] * 3 + ["made up"]
    return load_file(pairs_file(*(record(f"p{i}", error_type=kinds[i % 10]) for i in range(40))))


def without_time(card: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in card.items() if key not in ("seconds", "finished")}


def test_a_scorer_that_knows_wins_everything_and_the_files_say_so(
    benchmark: Benchmark, tmp_path: Path
) -> None:
    run = evaluate(Mock(), benchmark, out=tmp_path)
    assert run.accuracy == 1.0
    assert json.loads((tmp_path / "card.json").read_text("utf-8")) == run.card
    assert read_parquet(tmp_path / "rows.parquet") == run.rows
    assert [row.id for row in run.rows] == [pair.id for pair in benchmark.items]
    assert "100.0" in (tmp_path / "report.md").read_text("utf-8")
    assert not (tmp_path / "rows.jsonl").exists()
    assert len(run.to_pandas()) == 40


@pytest.mark.parametrize(
    ("scores", "outcome", "accuracy"),
    [
        (lambda group: [float(c) for c in group.correct or ()], Outcome.WIN, 1.0),
        (lambda group: [-float(c) for c in group.correct or ()], Outcome.LOSS, 0.0),
        (lambda group: [0.5] * len(group.candidates), Outcome.TIE, 0.5),
        (lambda group: [float("nan"), 1.0], Outcome.ERROR, 0.0),
        (lambda group: [1.0, float("inf")], Outcome.ERROR, 0.0),
    ],
)
def test_outcomes_of_scores(
    benchmark: Benchmark, scores: Any, outcome: Outcome, accuracy: float
) -> None:
    run = evaluate(Mock(scores=scores), benchmark)
    assert run.card["metrics"]["outcomes"][outcome] == 40
    assert sum(run.card["metrics"]["outcomes"].values()) == 40
    assert run.accuracy == accuracy
    if outcome is Outcome.ERROR:
        assert all(row.scores is None and "not a finite number" in row.detail for row in run.rows)


class Scripted(Judge):
    """Says the same two things about every pair, in the order of asking."""

    def __init__(self, *said: Verdict) -> None:
        self._said = said
        self._asked = 0

    def verdict(self, prompt: Prompt, first: Candidate, second: Candidate) -> Verdict:
        self._asked += 1
        return self._said[(self._asked - 1) % 2]


FIRST, SECOND, TIE = Verdict.FIRST, Verdict.SECOND, Verdict.TIE


@pytest.mark.parametrize(
    ("said", "outcomes"),
    [
        ((FIRST, FIRST), {Outcome.INCONSISTENT: 40}),
        ((SECOND, SECOND), {Outcome.INCONSISTENT: 40}),
        ((TIE, TIE), {Outcome.TIE: 40}),
        ((TIE, FIRST), {Outcome.INCONSISTENT: 40}),
        ((Verdict.UNPARSED, FIRST), {Outcome.UNPARSED: 40}),
        ((FIRST, Verdict.REFUSED), {Outcome.REFUSED: 40}),
        ((Verdict.UNPARSED, Verdict.ERROR), {Outcome.ERROR: 40}),
        ((Verdict.TOO_LONG, Verdict.UNPARSED), {Outcome.TOO_LONG: 40}),
    ],
)
def test_outcomes_of_verdicts(
    benchmark: Benchmark, said: tuple[Verdict, Verdict], outcomes: dict[Outcome, int]
) -> None:
    run = evaluate(Scripted(*said), benchmark)
    assert {k: n for k, n in run.card["metrics"]["outcomes"].items() if n} == outcomes


def test_a_consistent_judge_wins_where_the_first_candidate_is_right(benchmark: Benchmark) -> None:
    run = evaluate(Scripted(FIRST, SECOND), benchmark)
    for row in run.rows:
        assert row.outcome == (Outcome.WIN if row.correct[0] else Outcome.LOSS)
    assert 0 < run.accuracy < 1
    assert run.card["metrics"]["order_consistency"] == 1.0


@pytest.mark.parametrize(
    ("said", "share"), [((TIE, FIRST), 0.0), ((TIE, TIE), 1.0), ((FIRST, FIRST), 0.0)]
)
def test_order_consistency(
    benchmark: Benchmark, said: tuple[Verdict, Verdict], share: float
) -> None:
    assert evaluate(Scripted(*said), benchmark).card["metrics"]["order_consistency"] == share


def test_always_preferring_the_first_candidate_is_no_knowledge() -> None:
    run = evaluate(Mock(scores=lambda group: [1.0, 0.0]), "open")
    assert 0.45 < run.accuracy < 0.55


def test_the_sample_is_stratified_and_says_so(benchmark: Benchmark, tmp_path: Path) -> None:
    run = evaluate(Mock(), benchmark, out=tmp_path, limit=20)
    assert Counter(row.error_type for row in run.rows) == {
        "parameter value error": 12,
        "parameter value type error": 6,
        "made up": 2,
    }
    note = run.card["sample"]
    assert (note["pairs"], note["of"]) == (20, 40)
    assert "stratified" in note["method"]
    assert "a sample of 20 of 40" in (tmp_path / "report.md").read_text("utf-8")
    other = sample(benchmark.items, 20, seed=1)
    assert [pair.id for pair in other] != [row.id for row in run.rows]


def test_samples_of_every_size_are_exact(benchmark: Benchmark) -> None:
    for limit in range(1, 41):
        assert len(sample(benchmark.items, limit, seed=0)) == limit


def test_a_configuration_repeats_a_run(tmp_path: Path, pairs_file: Callable[..., Path]) -> None:
    path = pairs_file(*(record(f"p{i}") for i in range(30)))
    first, second = tmp_path / "first", tmp_path / "second"
    fcrb("--model", "baseline/random", "--option", "seed=7", "--benchmark", path, "--out", first)
    fcrb("--config", first / "card.json", "--out", second)
    cards = [json.loads((folder / "card.json").read_text("utf-8")) for folder in (first, second)]
    assert without_time(cards[0]) == without_time(cards[1])
    assert read_parquet(first / "rows.parquet") == read_parquet(second / "rows.parquet")


def test_a_folder_never_mixes_runs(benchmark: Benchmark, tmp_path: Path) -> None:
    evaluate("baseline/longer", benchmark, out=tmp_path)
    with pytest.raises(UsageError, match="--fresh"):
        evaluate("baseline/shorter", benchmark, out=tmp_path)
    run = evaluate("baseline/shorter", benchmark, out=tmp_path, fresh=True)
    assert run.card["model"]["name"] == "baseline/shorter"


class Breaks(Scorer):
    """Knows the answer, fails once at the given group, and counts what it scored."""

    sees_labels = True

    def __init__(self, at: int) -> None:
        self.at = at
        self.scored: list[str] = []

    def describe(self) -> dict[str, Any]:
        return {"revision": "1"}

    def score_group(self, group: Group) -> list[float]:
        if len(self.scored) == self.at:
            self.at = -1
            raise RuntimeError("out of memory")
        self.scored.append(group.id)
        return [float(correct) for correct in group.correct or ()]


def test_a_run_that_breaks_off_goes_on_and_repeats_nothing(
    benchmark: Benchmark, tmp_path: Path
) -> None:
    scorer = Breaks(at=13)
    with pytest.raises(RunError, match=r"after 13 of 40 pairs.*out of memory"):
        evaluate(scorer, benchmark, out=tmp_path)
    with pytest.raises(UsageError, match="rows of another run"):
        evaluate(Mock(), benchmark, out=tmp_path)
    run = evaluate(scorer, benchmark, out=tmp_path)
    assert Counter(scorer.scored) == Counter(pair.id for pair in benchmark.items)
    assert run.rows == evaluate(Breaks(at=-1), benchmark).rows


class FailsOnce(Scorer):
    """Cannot reach anything in the first run, and can in the second."""

    def __init__(self) -> None:
        self.runs = 0

    def score_group(self, group: Group) -> list[float]:
        raise AssertionError

    def score_groups(self, groups: Any) -> Iterator[Scored]:
        self.runs += 1
        for index, group in enumerate(groups):
            if self.runs == 1 and index % 2:
                yield Scored(group.id, None, failure=Outcome.ERROR, detail="unreachable")
            else:
                yield Scored(group.id, (0.0, 0.0))


def test_failed_rows_are_tried_again_and_finished_ones_are_not(
    benchmark: Benchmark, tmp_path: Path
) -> None:
    scorer = FailsOnce()
    assert evaluate(scorer, benchmark, out=tmp_path).card["metrics"]["outcomes"]["error"] == 20
    run = evaluate(scorer, benchmark, out=tmp_path)
    assert run.card["metrics"]["outcomes"] == {**dict.fromkeys(Outcome, 0), Outcome.TIE: 40}
    evaluate(scorer, benchmark, out=tmp_path)
    assert scorer.runs == 2


class Forgets(Mock):
    """Leaves out a group."""

    def score_groups(self, groups: Any) -> Iterator[Scored]:
        yield from list(super().score_groups(groups))[1:]


def test_an_adapter_that_leaves_out_a_group_is_no_result(benchmark: Benchmark) -> None:
    with pytest.raises(RunError, match="no result for 1 pairs, the first 'p0'"):
        evaluate(Forgets(), benchmark)


def test_rows_come_in_the_benchmarks_order_whatever_the_adapters(benchmark: Benchmark) -> None:
    class Backwards(Mock):
        def score_groups(self, groups: Any) -> Iterator[Scored]:
            yield from reversed(list(super().score_groups(groups)))

    assert evaluate(Backwards(), benchmark).rows == evaluate(Mock(), benchmark).rows


def fcrb(*arguments: object) -> None:
    command = [sys.executable, "-m", "fcrewardbench", "evaluate", *map(str, arguments)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_killed_six_times_and_resumed_gives_the_same_rows(
    tmp_path: Path, pairs_file: Callable[..., Path]
) -> None:
    path = pairs_file(*(record(f"p{i}") for i in range(400)))
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    arguments = ["--model", "mock", "--option", "delay=0.005", "--benchmark", str(path), "--out"]
    fcrb(*arguments, unbroken)
    generator = random.Random(0)
    log = broken / "rows.jsonl"
    for _ in range(6):
        before = _lines(log)
        process = subprocess.Popen(
            [sys.executable, "-m", "fcrewardbench", "evaluate", *arguments, str(broken)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while process.poll() is None and _lines(log) <= max(before, 1):
            time.sleep(0.01)
        time.sleep(generator.uniform(0, 0.2))
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        assert _lines(log) > before
    with log.open("a", encoding="utf-8") as file:
        file.write('{"row": {"id": "p39')  # a line cut off in the middle
    fcrb(*arguments, broken)
    assert read_parquet(broken / "rows.parquet") == read_parquet(unbroken / "rows.parquet")
    cards = [json.loads((folder / "card.json").read_text("utf-8")) for folder in (unbroken, broken)]
    assert without_time(cards[0]) == without_time(cards[1])


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def test_two_runs_into_one_folder_at_once_are_refused(benchmark: Benchmark, tmp_path: Path) -> None:
    def intrude(done: int, total: int) -> None:
        if done == 5:
            with pytest.raises(UsageError, match="Another run is writing"):
                evaluate(Mock(), benchmark, out=tmp_path)

    assert evaluate(Mock(), benchmark, out=tmp_path, progress=intrude).accuracy == 1.0


def test_every_row_has_the_promised_columns(benchmark: Benchmark, tmp_path: Path) -> None:
    evaluate(Mock(), benchmark, out=tmp_path)
    import pyarrow.parquet as pq

    names = set(pq.read_schema(tmp_path / "rows.parquet").names)
    promised = [
        "id",
        "error_type",
        "category",
        "outcome",
        "credit",
        "scores",
        "correct",
        "verdicts",
    ]
    assert names >= set(promised)
    assert names == set(Row.__slots__)


def test_open_is_the_newest_editions_core() -> None:
    assert load_benchmark("open").sha256 == load_benchmark("open/core").sha256
    assert len(load_benchmark("open").items) == 1500


def test_a_file_called_open_stays_a_file(pairs_file: Callable[..., Path]) -> None:
    path = str(pairs_file(record("a"), name="open.jsonl"))
    assert pinned(path, load_benchmark(path)) == path


def test_scorers_never_see_the_labels(benchmark: Benchmark) -> None:
    class Cheats(Scorer):
        def score_group(self, group: Group) -> list[float]:
            assert group.correct is None
            return [0.0, 0.0]

    assert evaluate(Cheats(), benchmark).accuracy == 0.5


@pytest.mark.parametrize("count", [1, 3])
def test_a_wrong_number_of_scores_is_no_result(benchmark: Benchmark, count: int) -> None:
    with pytest.raises(RunError, match=f"gave {count} scores for the 2 candidates of 'p0'"):
        evaluate(Mock(scores=lambda group: [0.0] * count), benchmark)


class Takes(Scorer):
    """Has a setting that nothing tells."""

    def __init__(self, *, sign: int = 1) -> None:
        self.sign = sign

    def score_group(self, group: Group) -> list[float]:
        return [float(self.sign), 0.0]


def test_objects_that_cannot_be_told_apart_do_not_share_a_folder(
    benchmark: Benchmark, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"Takes takes sign and has no describe\(\)"):
        evaluate(Takes(), benchmark, out=tmp_path)
    assert evaluate(Takes(), benchmark).accuracy != evaluate(Takes(sign=-1), benchmark).accuracy
    evaluate(load("baseline/random", seed=0), benchmark, out=tmp_path)
    with pytest.raises(UsageError, match="holds another run"):
        evaluate(load("baseline/random", seed=5), benchmark, out=tmp_path)
    with pytest.raises(UsageError, match="adapter, seed: a loaded model is as it was loaded"):
        evaluate(Mock(), benchmark, adapter="mock", seed=1)


def test_a_line_cut_inside_a_character_is_dropped(benchmark: Benchmark, tmp_path: Path) -> None:
    with pytest.raises(RunError):
        evaluate(Breaks(at=13), benchmark, out=tmp_path)
    with (tmp_path / "rows.jsonl").open("ab") as log:
        log.write('{"row": {"id": "Zü'.encode()[:-1])
    assert evaluate(Breaks(at=-1), benchmark, out=tmp_path).accuracy == 1.0


def test_a_line_that_is_no_row_is_named_and_nothing_is_lost(
    benchmark: Benchmark, tmp_path: Path
) -> None:
    with pytest.raises(RunError):
        evaluate(Breaks(at=13), benchmark, out=tmp_path)
    with (tmp_path / "rows.jsonl").open("ab") as log:
        log.write(b"garbage\n")
    before = (tmp_path / "rows.jsonl").read_bytes()
    with pytest.raises(UsageError, match=r"rows.jsonl has a line that is no row"):
        evaluate(Breaks(at=-1), benchmark, out=tmp_path)
    assert (tmp_path / "rows.jsonl").read_bytes() == before


def test_what_cannot_change_a_score_may_change_between_two_starts(
    benchmark: Benchmark, tmp_path: Path
) -> None:
    evaluate("mock", benchmark, out=tmp_path, delay=0.0)
    run = evaluate("mock", benchmark, out=tmp_path, delay=5.0)
    assert run.card["config"]["options"] == {"delay": 0.0}


def test_limits_below_one_are_usage_errors(benchmark: Benchmark) -> None:
    with pytest.raises(UsageError, match="limit"):
        evaluate("mock", benchmark, limit=0)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_score_gives_no_number_that_is_none(bad: float) -> None:
    with pytest.raises(ValueError, match="not a finite number"):
        Mock(scores=lambda group: [bad]).score([], [{"role": "user", "content": "x"}], ["y"])
