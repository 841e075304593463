"""FC-RewardBench-Open: pairs and candidate sets on BFCL tasks, made by small models and by edits.

The package ships ids, candidates, labels and how each row was made (`scripts/open_2` and, for the
first edition, `scripts/build_open_1.py` write them). Questions and tool schemas are joined from the
`bfcl-eval` wheel at load time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

from fcrewardbench.benchmarks.base import benchmark_of
from fcrewardbench.benchmarks.bfcl import NO_CALL_CATEGORIES, PYTHON_CATEGORIES, Task, load_tasks
from fcrewardbench.benchmarks.errata import with_errata
from fcrewardbench.errors import DataError, UnknownName
from fcrewardbench.types import Benchmark, Call, Candidate, CandidateSet, ErrorType, Item, Pair

NAME = "open"
SUBSETS = {
    "core": "1,500 pairs with the paper's counts of error types: the headline",
    "abstain": "400 pairs: 300 where no call is due, 100 where one is; mean of the two directions",
    "candidates": "400 prompts with 8 candidates, 1 to 3 of them right; for scorers",
    "minimal": "300 pairs that differ in one argument's value",
}
EDITIONS = {1: ("core",), 2: tuple(SUBSETS)}
"""The subsets of every edition."""
BALANCED = ("abstain",)


def load(edition: int | None = None, subset: str = "core") -> Benchmark:
    """A subset of an edition of the benchmark; the newest where none is named.

    A rejected call's generator is a model, or "edit:" and the operator that made it.

    Raises:
        UnknownName: no such edition or subset.
        DataError: the BFCL wheel cannot be fetched, or a row does not fit it.
    """
    number = max(EDITIONS) if edition is None else edition
    if number not in EDITIONS:
        raise UnknownName(f"edition of '{NAME}'", str(number), map(str, EDITIONS))
    if subset not in EDITIONS[number]:
        raise UnknownName(f"subset of '{NAME}@{number}'", subset, EDITIONS[number])
    return benchmark_of(
        NAME,
        str(number),
        with_errata(_items(number, subset)),
        f"{NAME}@{number}/{subset}",
        subset=subset,
        balanced=subset in BALANCED,
    )


def rows(edition: int, subset: str) -> Iterator[dict[str, Any]]:
    """The rows of a subset as they ship."""
    file = "open-1.jsonl" if edition == 1 else f"open-{edition}/{subset}.jsonl"
    text = (resources.files(__package__) / "data" / file).read_text(encoding="utf-8")
    yield from map(json.loads, text.rstrip("\n").split("\n"))


def _items(edition: int, subset: str) -> Iterator[Item]:
    tasks = load_tasks("v4", (*PYTHON_CATEGORIES, *NO_CALL_CATEGORIES))
    for row in rows(edition, subset):
        task = tasks.get(row["task"])
        if task is None:
            raise DataError(
                f"'{row['id']}': the BFCL wheel has no task '{row['task']}'. Reinstall "
                "fcrewardbench, whose data files and pinned wheel belong together."
            )
        yield _candidate_set(row, task) if "candidates" in row else _pair(row, task)


def _pair(row: Mapping[str, Any], task: Task) -> Pair:
    return Pair(
        id=row["id"],
        prompt=task.prompt,
        chosen=candidate_of(row["chosen"]),
        rejected=candidate_of(row["rejected"]),
        error_type=ErrorType(row["error_type"]).value,
        category=task.category,
        generator=row["generator"] if "generator" in row else f"edit:{row['edit']}",
    )


def _candidate_set(row: Mapping[str, Any], task: Task) -> CandidateSet:
    candidates = row["candidates"]
    return CandidateSet(
        id=row["id"],
        prompt=task.prompt,
        candidates=tuple(candidate_of(one["output"]) for one in candidates),
        correct=tuple(not one["error_type"] for one in candidates),
        error_types=tuple(one["error_type"] for one in candidates),
        generators=tuple(one["generator"] for one in candidates),
        category=task.category,
    )


def candidate_of(value: Any) -> Candidate:
    """A candidate out of its JSON data; see `candidate_json`."""
    if isinstance(value, str):
        return value
    return tuple(Call(call["name"], call["arguments"]) for call in value)
