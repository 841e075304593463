"""The first edition of FC-RewardBench-Open: counts, labels, balance, and that it can be built again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from fcrewardbench.adapters.baselines import Longer, Overlap, Shorter
from fcrewardbench.benchmarks import open as open_benchmark
from fcrewardbench.benchmarks.bfcl import Task
from fcrewardbench.benchmarks.official import PAPER_QUOTA
from fcrewardbench.calls.check import check
from fcrewardbench.calls.parse import parse
from fcrewardbench.calls.schema import validate
from fcrewardbench.types import Benchmark, Call, ErrorType, Pair, Tool

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def benchmark() -> Benchmark:
    return open_benchmark.load(1)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    lines = _shipped().decode().rstrip("\n").split("\n")
    return [json.loads(line) for line in lines]


def _shipped() -> bytes:
    return (resources.files("fcrewardbench.benchmarks") / "data" / "open-1.jsonl").read_bytes()


def test_counts_by_error_type(benchmark: Benchmark) -> None:
    assert Counter(pair.error_type for pair in benchmark.pairs) == PAPER_QUOTA
    assert {pair.error_type for pair in benchmark.pairs} <= set(ErrorType)


def test_one_pair_a_task_and_a_question(benchmark: Benchmark, rows: list[dict[str, Any]]) -> None:
    assert len({row["task"] for row in rows}) == len(rows) == 1500
    assert len({json.dumps(pair.prompt.messages) for pair in benchmark.pairs}) == 1500


def test_chosen_is_right_and_rejected_wrong_as_labelled(
    benchmark: Benchmark, rows: list[dict[str, Any]], tasks: dict[str, Task]
) -> None:
    for pair, row in zip(benchmark.pairs, rows, strict=True):
        task = tasks[row["task"]]
        assert task.answer
        assert pair.prompt == task.prompt
        assert pair.category == task.category
        assert check(pair.chosen, task.answer, task.prompt.tools).ok, pair.id
        assert not isinstance(pair.chosen, str)
        assert not validate(pair.chosen, task.prompt.tools), pair.id
        problem = parse(pair.rejected).problem if isinstance(pair.rejected, str) else None
        first = check(pair.rejected, task.answer, task.prompt.tools, unreadable=problem).first
        assert first is not None, pair.id
        assert first.type == pair.error_type, pair.id


def test_ids_are_in_order_and_types_are_not(rows: list[dict[str, Any]]) -> None:
    assert [row["id"] for row in rows] == [f"open-1/{n:04d}" for n in range(1, 1501)]
    for third in (rows[:500], rows[500:1000], rows[1000:]):
        values = sum(row["error_type"] == ErrorType.VALUE for row in third)
        assert 150 < values < 285


def _accuracy(score: Callable[[Pair], list[float]], pairs: list[Pair]) -> float:
    credit = 0.0
    for pair in pairs:
        scores = score(pair)
        chosen, rejected = scores if pair.group().correct == (True, False) else scores[::-1]
        credit += 0.5 if chosen == rejected else float(chosen > rejected)
    return credit / len(pairs)


@pytest.mark.parametrize("baseline", [Longer(), Shorter(), Overlap()])
def test_surface_baselines_are_near_chance(
    benchmark: Benchmark, baseline: Longer | Shorter | Overlap
) -> None:
    def score(pair: Pair) -> list[float]:
        return list(baseline.score_group(pair.group()))

    assert 0.45 <= _accuracy(score, list(benchmark.pairs)) <= 0.55
    for kind, count in PAPER_QUOTA.items():
        if count >= 40:
            some = [pair for pair in benchmark.pairs if pair.error_type == kind]
            assert 0.42 <= _accuracy(score, some) <= 0.58, kind


def test_both_sides_carry_as_many_arguments(benchmark: Benchmark) -> None:
    def means(side: str) -> tuple[float, float, float]:
        candidates = [
            (pair, getattr(pair, side))
            for pair in benchmark.pairs
            if pair.error_type != "parsing error"
        ]
        calls = [(pair, call) for pair, candidate in candidates for call in candidate]
        arguments = sum(len(call.arguments) for _, call in calls)
        optional = sum(_optional(call, pair.prompt.tools) for pair, call in calls)
        return len(calls) / len(candidates), arguments / len(calls), optional / len(calls)

    for chosen, rejected in zip(means("chosen"), means("rejected"), strict=True):
        assert chosen == pytest.approx(rejected, rel=0.02)


def _optional(call: Call, tools: tuple[Tool, ...]) -> int:
    named = [tool for tool in tools if tool.name == call.name] or tools
    schemas = [tool.original.get("parameters") or {} for tool in named]
    needed = {name for schema in schemas for name in schema.get("required") or ()}
    known = {name for schema in schemas for name in schema.get("properties") or ()}
    return sum(name in known and name not in needed for name in call.arguments)


def test_about_half_are_edited_from_the_chosen_call(rows: list[dict[str, Any]]) -> None:
    same = sum(row["base"] == "same" for row in rows)
    assert 0.4 < same / len(rows) < 0.6


def test_no_operator_makes_most_of_its_type(rows: list[dict[str, Any]]) -> None:
    for (kind, edit), count in Counter((row["error_type"], row["edit"]) for row in rows).items():
        if PAPER_QUOTA[kind] >= 200:
            assert count / PAPER_QUOTA[kind] < 0.35, edit


def test_arguments_stand_in_one_order_on_both_sides(benchmark: Benchmark) -> None:
    for pair in benchmark.pairs:
        orders = {t.name: list(t.parameters.get("properties") or ()) for t in pair.prompt.tools}
        for candidate in (pair.chosen, pair.rejected):
            for call in candidate:
                if isinstance(call, Call) and call.name in orders:
                    order = orders[call.name]
                    given = [name for name in call.arguments if name in order]
                    assert given == sorted(given, key=order.index), pair.id


def test_no_question_ships(rows: list[dict[str, Any]]) -> None:
    keys = {"id", "task", "category", "error_type", "chosen", "rejected", "edit", "base"}
    assert all(set(row) == keys for row in rows)


def test_generator_names_the_operator(benchmark: Benchmark, rows: list[dict[str, Any]]) -> None:
    assert [pair.generator for pair in benchmark.pairs] == [f"edit:{row['edit']}" for row in rows]


def test_building_again_gives_the_shipped_bytes(tmp_path: Path) -> None:
    """In another process with another hash seed; half a minute, the price of a file one can trust."""
    target = tmp_path / "open-1.jsonl"
    command = [sys.executable, str(ROOT / "scripts" / "build_open_1.py"), "--out", str(target)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7"}
    subprocess.run(command, check=True, env=environment, capture_output=True)
    assert target.read_bytes() == _shipped()
