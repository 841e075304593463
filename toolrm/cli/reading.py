"""Pairs that are read while somebody waits."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from fcrewardbench.cli.progress import progress_bar
from toolrm.records import TrainingPair, number_of_pairs, read_pairs

_EVERY = 50


def read_showing(path: Path, what: str) -> Generator[TrainingPair]:
    """The pairs of a file, with a bar at a terminal that says what is done with them.

    Raises:
        DataError: see `read_pairs`.
    """
    total = number_of_pairs(path)
    with progress_bar(f"{what} {path.name}") as update:
        for done, pair in enumerate(read_pairs(path)):
            if done % _EVERY == 0:
                update(done, total)
            yield pair
        update(total, total)
