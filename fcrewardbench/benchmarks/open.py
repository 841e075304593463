"""FC-RewardBench-Open: pairs on BFCL tasks whose rejected calls our own edit engine makes.

The package ships ids, chosen and rejected calls, labels and how each row was made
(`scripts/build_open.py` writes them). Questions and tool schemas are joined from the `bfcl-eval`
wheel at load time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from typing import Any

from fcrewardbench.benchmarks.base import benchmark_of
from fcrewardbench.benchmarks.bfcl import load_tasks
from fcrewardbench.errors import DataError, UnknownName
from fcrewardbench.types import Benchmark, Call, Candidate, ErrorType, Pair

NAME = "open"
EDITIONS = (1,)
SUBSETS = ("core",)


def load(edition: int | None = None, subset: str = "core") -> Benchmark:
    """An edition of the benchmark; the newest where none is named.

    A pair's generator is "edit:" and the operator that made the rejected call.

    Raises:
        UnknownName: no such edition or subset.
        DataError: the BFCL wheel cannot be fetched, or a row does not fit it.
    """
    number = EDITIONS[-1] if edition is None else edition
    if number not in EDITIONS:
        raise UnknownName(f"edition of '{NAME}'", str(number), map(str, EDITIONS))
    if subset not in SUBSETS:
        raise UnknownName(f"subset of '{NAME}'", subset, SUBSETS)
    return benchmark_of(NAME, str(number), _pairs(number), f"{NAME}@{number}")


def _pairs(edition: int) -> Iterator[Pair]:
    tasks = load_tasks("v4")
    file = f"open-{edition}.jsonl"
    text = (resources.files(__package__) / "data" / file).read_text(encoding="utf-8")
    for line in text.rstrip("\n").split("\n"):
        row = json.loads(line)
        task = tasks.get(row["task"])
        if task is None:
            raise DataError(
                f"{file}, '{row['id']}': the BFCL wheel has no task '{row['task']}'. "
                "Reinstall fcrewardbench, whose data file and pinned wheel belong together."
            )
        yield Pair(
            id=row["id"],
            prompt=task.prompt,
            chosen=_candidate(row["chosen"]),
            rejected=_candidate(row["rejected"]),
            error_type=ErrorType(row["error_type"]).value,
            category=row["category"],
            generator=f"edit:{row['edit']}",
        )


def _candidate(value: Any) -> Candidate:
    if isinstance(value, str):
        return value
    return tuple(Call(call["name"], call["arguments"]) for call in value)
