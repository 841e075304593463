"""The second edition of FC-RewardBench-Open: what it promises of every subset, and that it can be built again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from fcrewardbench.adapters.baselines import Longer, Overlap, Random, Shorter
from fcrewardbench.benchmarks import open as open_set
from fcrewardbench.benchmarks.base import same
from fcrewardbench.benchmarks.bfcl import NO_CALL_CATEGORIES, PYTHON_CATEGORIES, Task, load_tasks
from fcrewardbench.benchmarks.errata import errata
from fcrewardbench.benchmarks.official import PAPER_QUOTA
from fcrewardbench.calls.check import check
from fcrewardbench.calls.doubt import COERCIONS, doubts
from fcrewardbench.calls.edits.families import BENCHMARK_FAMILY, TRAINING_FAMILY
from fcrewardbench.calls.parse import parse
from fcrewardbench.errors import UnknownName
from fcrewardbench.run import evaluate
from fcrewardbench.types import Benchmark, Call, Candidate, CandidateSet, ErrorType

ROOT = Path(__file__).parent.parent
MODELS = ("smollm2-135m-q4", "gemma3-270m-q4")
SUBSETS = ("core", "abstain", "candidates", "minimal")


@pytest.fixture(scope="module")
def benchmarks() -> dict[str, Benchmark]:
    return {subset: open_set.load(2, subset) for subset in SUBSETS}


@pytest.fixture(scope="module")
def all_tasks() -> dict[str, Task]:
    return load_tasks("v4", (*PYTHON_CATEGORIES, *NO_CALL_CATEGORIES))


def candidates_of(row: dict[str, Any]) -> list[tuple[str, Candidate]]:
    """Label ("" where right) and candidate of everything in a row."""
    if "candidates" in row:
        listed = [(one["error_type"], one["output"]) for one in row["candidates"]]
    else:
        listed = [("", row["chosen"]), (row["error_type"], row["rejected"])]
    return [(label, open_set.candidate_of(output)) for label, output in listed]


def test_the_newest_edition_is_the_second() -> None:
    assert open_set.load().title == "open@2/core"
    assert open_set.load(1).title == "open@1/core"


def test_unknown_editions_and_subsets() -> None:
    with pytest.raises(UnknownName, match="edition of 'open' '3'"):
        open_set.load(3)
    with pytest.raises(UnknownName, match="Did you mean 'core'"):
        open_set.load(subset="cores")
    with pytest.raises(UnknownName, match="subset of 'open@1' 'abstain'"):
        open_set.load(1, "abstain")


def test_sizes_and_types(benchmarks: dict[str, Benchmark]) -> None:
    assert {name: len(b.items) for name, b in benchmarks.items()} == {
        "core": 1500,
        "abstain": 400,
        "candidates": 400,
        "minimal": 300,
    }
    assert Counter(item.error_type for item in benchmarks["core"].items) == PAPER_QUOTA
    assert Counter(item.error_type for item in benchmarks["abstain"].items) == {
        "should not have called": 300,
        "no call": 100,
    }
    assert {item.error_type for item in benchmarks["minimal"].items} == {ErrorType.VALUE}
    assert [name for name, b in benchmarks.items() if b.balanced] == ["abstain"]


@pytest.mark.parametrize("subset", SUBSETS)
def test_every_label_holds_beyond_doubt(subset: str, all_tasks: dict[str, Task]) -> None:
    for row in open_set.rows(2, subset):
        task = all_tasks[row["task"]]
        for label, candidate in candidates_of(row):
            problem = parse(candidate).problem if isinstance(candidate, str) else None
            checked = check(candidate, task.answer or (), task.prompt.tools, unreadable=problem)
            assert (checked.first.type if checked.first else "") == label, row["id"]
            if label and task.answer:
                reasons = doubts(candidate, task.answer, task.prompt)
                certain = label == ErrorType.TYPE and all(r.startswith(COERCIONS) for r in reasons)
                assert certain or not reasons, row["id"]


@pytest.mark.parametrize("subset", SUBSETS)
def test_one_row_a_task_in_an_order_that_says_nothing(subset: str) -> None:
    rows = list(open_set.rows(2, subset))
    assert [row["id"] for row in rows] == [
        f"open-2/{subset}/{number:04d}" for number in range(1, len(rows) + 1)
    ]
    assert len({row["task"] for row in rows}) == len(rows)
    if subset == "core":
        for third in (rows[:500], rows[500:1000], rows[1000:]):
            assert 150 < sum(row["error_type"] == ErrorType.VALUE for row in third) < 285


def test_questions_are_asked_once(benchmarks: dict[str, Benchmark]) -> None:
    for benchmark in benchmarks.values():
        questions = [json.dumps(item.prompt.messages) for item in benchmark.items]
        assert len(set(questions)) == len(questions)


def test_no_generator_makes_too_much(benchmarks: dict[str, Benchmark]) -> None:
    generators = Counter(item.generator.split(":")[0] for item in benchmarks["core"].items)
    assert set(generators) == {*MODELS, "edit"}
    assert all(generators[model] <= 0.35 * 1500 for model in MODELS)
    assert generators["edit"] <= 0.40 * 1500
    makers = Counter(
        maker.split(":")[0]
        for item in benchmarks["candidates"].items
        if isinstance(item, CandidateSet)
        for maker, right in zip(item.generators, item.correct, strict=True)
        if not right
    )
    assert makers["edit"] <= 0.60 * makers.total()


def test_only_the_benchmark_family_made_edits() -> None:
    bench = {operator.id for operator in BENCHMARK_FAMILY}
    training = {operator.id for operator in TRAINING_FAMILY}
    assert not bench & training
    for kind in PAPER_QUOTA:
        assert any(operator.error_type == kind for operator in TRAINING_FAMILY)
    used = set()
    for subset in SUBSETS:
        for row in open_set.rows(2, subset):
            makers = [one["generator"] for one in row.get("candidates", ())] or [row["generator"]]
            used |= {m.removeprefix("edit:") for m in makers if m.startswith("edit:")}
    assert used <= bench


def test_near_misses_come_first(benchmarks: dict[str, Benchmark]) -> None:
    values = [p for p in benchmarks["core"].pairs if p.error_type == ErrorType.VALUE]
    changed = Counter(_differing(pair.chosen, pair.rejected) for pair in values)
    assert changed[1] + changed[2] > 0.6 * len(values)


def test_minimal_pairs_differ_in_one_value(benchmarks: dict[str, Benchmark]) -> None:
    for pair in benchmarks["minimal"].pairs:
        assert [call.name for call in pair.chosen if isinstance(call, Call)] == [
            call.name for call in pair.rejected if isinstance(call, Call)
        ]
        assert _differing(pair.chosen, pair.rejected) == 1, pair.id


def _differing(first: Candidate, second: Candidate) -> int:
    """Names and values that differ, call by call; calls that only one has count by their arguments."""
    total = 0
    for index in range(max(len(first), len(second))):
        a, b = (c[index] if index < len(c) else Call("", {}) for c in (first, second))
        assert isinstance(a, Call)
        assert isinstance(b, Call)
        total += a.name != b.name
        names = {**a.arguments, **b.arguments}
        total += sum(
            name not in a.arguments
            or name not in b.arguments
            or not same((Call("", {"": a.arguments[name]}),), (Call("", {"": b.arguments[name]}),))
            for name in names
        )
    return total


def test_candidate_sets_have_one_to_three_right_of_eight(benchmarks: dict[str, Benchmark]) -> None:
    rights: Counter[int] = Counter()
    for item in benchmarks["candidates"].items:
        assert isinstance(item, CandidateSet)
        assert len(item.candidates) == 8
        assert not any(isinstance(candidate, str) for candidate in item.candidates)
        rights[sum(item.correct)] += 1
    assert set(rights) == {1, 2, 3}


def test_declining_reads_alike_in_both_directions(benchmarks: dict[str, Benchmark]) -> None:
    texts: dict[str, set[str]] = defaultdict(set)
    counts: Counter[tuple[str, bool]] = Counter()
    for pair in benchmarks["abstain"].pairs:
        due = pair.error_type == ErrorType.NO_CALL
        text = pair.rejected if due else pair.chosen
        assert isinstance(text, str)
        assert parse(text).dialect == "text"
        texts[pair.error_type].add(text)
        counts[pair.error_type, "?" in text and "something else" not in text] += 1
    assert len(texts[ErrorType.SHOULD_NOT_CALL]) > 100
    asks = [
        counts[kind, True] / (counts[kind, True] + counts[kind, False])
        for kind in (ErrorType.SHOULD_NOT_CALL, ErrorType.NO_CALL)
    ]
    assert abs(asks[0] - asks[1]) < 0.12


def test_arguments_stand_in_one_order_on_both_sides(benchmarks: dict[str, Benchmark]) -> None:
    for subset in ("core", "minimal"):
        for pair in benchmarks[subset].pairs:
            orders = {t.name: list(t.parameters.get("properties") or ()) for t in pair.prompt.tools}
            for candidate in (pair.chosen, pair.rejected):
                for call in candidate:
                    if isinstance(call, Call) and call.name in orders:
                        order = orders[call.name]
                        given = [name for name in call.arguments if name in order]
                        assert given == sorted(given, key=order.index), pair.id


@pytest.mark.parametrize("baseline", [Longer(), Shorter(), Overlap(), Random()])
def test_surface_baselines_are_near_chance(
    benchmarks: dict[str, Benchmark], baseline: Longer | Shorter | Overlap | Random
) -> None:
    assert 0.42 <= evaluate(baseline, benchmarks["core"]).accuracy <= 0.58
    assert 0.42 <= evaluate(baseline, benchmarks["minimal"]).accuracy <= 0.58
    if not isinstance(baseline, Overlap):  # an invented value is a reason not to call
        assert 0.42 <= evaluate(baseline, benchmarks["abstain"]).accuracy <= 0.58


def test_no_question_ships() -> None:
    keys = {"id", "task", "category", "error_type", "chosen", "rejected", "generator", "made"}
    for subset in SUBSETS:
        for row in open_set.rows(2, subset):
            assert set(row) in (keys, {"id", "task", "category", "candidates"})


def test_every_row_of_core_was_read_as_labelled_and_no_debatable_task_is_left() -> None:
    excluded = set(json.loads((ROOT / "scripts/open_2/excluded.json").read_text("utf-8")))
    verdicts: dict[str, set[str]] = defaultdict(set)
    for line in (ROOT / "scripts/open_2/verdicts.jsonl").read_text("utf-8").splitlines():
        entry = json.loads(line)
        verdicts[entry["task"]].add(entry["verdict"])
    assert {task for task, said in verdicts.items() if said != {"chosen"}} == excluded
    for subset in SUBSETS:
        tasks = {row["task"] for row in open_set.rows(2, subset)}
        assert not tasks & excluded, subset
        if subset == "core":
            assert all(verdicts[task] == {"chosen"} for task in tasks)


def test_errata_name_rows_that_exist() -> None:
    ids = {row["id"] for row in open_set.rows(1, "core")}
    for subset in SUBSETS:
        ids |= {row["id"] for row in open_set.rows(2, subset)}
    assert {id for id in errata() if id.startswith("open-")} <= ids


def test_building_again_gives_the_shipped_bytes(tmp_path: Path) -> None:
    """From the ingredients, in another process with another hash seed."""
    command = [sys.executable, "-m", "scripts.open_2.build", "--out", str(tmp_path)]
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    subprocess.run(command, check=True, env=environment, cwd=ROOT, capture_output=True)
    shipped = resources.files("fcrewardbench.benchmarks") / "data" / "open-2"
    for subset in SUBSETS:
        built = (tmp_path / f"{subset}.jsonl").read_bytes()
        assert built == (shipped / f"{subset}.jsonl").read_bytes(), subset
