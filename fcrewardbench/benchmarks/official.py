"""The paper's data set, FC-RewardBench: 1,500 pairs on the hub, at a pinned revision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from fcrewardbench.benchmarks.base import benchmark_of
from fcrewardbench.benchmarks.bfcl import load_tasks
from fcrewardbench.benchmarks.errata import with_errata
from fcrewardbench.benchmarks.files import entries
from fcrewardbench.errors import DataError
from fcrewardbench.hub import download
from fcrewardbench.types import Benchmark, ErrorType, Item, Pair

REPOSITORY = "ibm-research/fc-reward-bench"
REVISION = "269929c3329e603e87ed3203de42896cc03ddbf3"
FILE = "data/data-00000-of-00001.arrow"
PAPER_QUOTA = {
    ErrorType.VALUE: 650,
    ErrorType.NAME: 403,
    ErrorType.COUNT: 245,
    ErrorType.MISSING_OPTIONAL: 78,
    ErrorType.MISSING_REQUIRED: 45,
    ErrorType.TYPE: 43,
    ErrorType.UNEXPECTED: 21,
    ErrorType.PARSING: 15,
}
"""The counts of error types in the paper's set."""


def load() -> Benchmark:
    """The official pairs.

    Raises:
        DataError: the hub cannot be reached, or the file is not what it should be.
    """
    return read(download(REPOSITORY, FILE, revision=REVISION))


def read(path: Path) -> Benchmark:
    """The official pairs out of their file, wherever it lies, the doubtful ones flagged."""
    items = with_errata(_items(path), "official/")
    return benchmark_of("official", REVISION[:12], items, str(path))


def _items(path: Path) -> Iterator[Item]:
    from fcrewardbench.calls.doubt import doubts

    tasks = load_tasks("v3")
    for entry in entries(path):
        if entry.item is None:
            raise DataError(f"{entry.where}: {entry.problem}")
        task = tasks.get(entry.item.id)
        if task is None or not task.answer or not isinstance(entry.item, Pair):
            yield entry.item
        else:
            reasons = doubts(entry.item.rejected, task.answer, task.prompt)
            yield replace(entry.item, doubt="; ".join(reasons))
