"""The paper's data set, FC-RewardBench: 1,500 pairs on the hub, at a pinned revision."""

from __future__ import annotations

from pathlib import Path

from fcrewardbench.benchmarks.base import benchmark_of
from fcrewardbench.benchmarks.files import entries
from fcrewardbench.errors import DataError
from fcrewardbench.hub import download
from fcrewardbench.types import Benchmark, Pair

REPOSITORY = "ibm-research/fc-reward-bench"
REVISION = "269929c3329e603e87ed3203de42896cc03ddbf3"
FILE = "data/data-00000-of-00001.arrow"


def load() -> Benchmark:
    """The official pairs.

    Raises:
        DataError: the hub cannot be reached, or the file is not what it should be.
    """
    return read(download(REPOSITORY, FILE, revision=REVISION))


def read(path: Path) -> Benchmark:
    """The official pairs out of their file, wherever it lies."""
    pairs: list[Pair] = []
    for entry in entries(path):
        if entry.pair is None:
            raise DataError(f"{entry.where}: {entry.problem}")
        pairs.append(entry.pair)
    return benchmark_of("official", REVISION[:12], pairs, str(path))
