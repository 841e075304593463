"""The other entries of a benchmark, as far as a new one is held against them."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fcrewardbench.benchmarks.labels import known_labels, labels_sha256, required_subset
from fcrewardbench.errors import DataError
from fcrewardbench.submissions.entries import Entry, folder_problems, read_entry


@dataclass(frozen=True, slots=True)
class Rival:
    """An entry's credits on the subset that ranks it, and a hash of its scores in every subset."""

    id: str
    credits: list[float]
    fingerprints: dict[str, str]


def rival_of(entry: Entry) -> Rival:
    """What another entry is held against."""
    rows = entry.subset(required_subset(entry.card.benchmark))
    return Rival(entry.id, [row.computed()[1] for row in rows], fingerprints(entry))


def fingerprints(entry: Entry) -> dict[str, str]:
    """A hash of the scores or verdicts of every subset that has any."""
    scores: dict[str, list[list[float] | list[str | None] | None]] = defaultdict(list)
    for row in entry.rows:
        judged = [row.verdict, row.verdict_swapped]
        scores[row.subset].append(judged if any(judged) else row.scores)
    return {
        name: hashlib.sha256(json.dumps(column).encode()).hexdigest()
        for name, column in scores.items()
        if any(column)
    }


def rivals_in(benchmark: Path, without: Iterable[Path]) -> list[Rival]:
    """The entries in a benchmark's folder but for some, and for those that are refused themselves."""
    left_out = set(without)
    found: list[Rival] = []
    if benchmark.name not in known_labels():
        return found
    for folder in sorted(benchmark.glob("*__*")):
        if folder in left_out or folder_problems(folder):
            continue
        try:
            entry = read_entry(folder)
        except DataError:
            continue  # it is refused where it is checked itself
        if entry.card.benchmark == benchmark.name and _is_whole(entry):
            found.append(rival_of(entry))
    return found


def _is_whole(entry: Entry) -> bool:
    """Whether the required rows are the benchmark's, and possible: others cannot be compared."""
    name = required_subset(entry.card.benchmark)
    rows = entry.subset(name)
    known = known_labels()[entry.card.benchmark][name]
    whole = labels_sha256(row.label() for row in rows) == known.labels_sha256
    return whole and not any(row.problem() for row in rows)
