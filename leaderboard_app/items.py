"""The rows of a benchmark as the board shows them: an index for comparing, and texts in pieces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fcrewardbench import Candidate, DataError, Pair, load_benchmark
from fcrewardbench.benchmarks.labels import loadable
from fcrewardbench.types import Item
from leaderboard_app.entries import Field, Labelled
from leaderboard_app.outcomes import LOSS, Json

CHUNK = 50
HARDEST = 100


def index(field: Field, subset: str) -> Json:
    """Labels of all rows, who missed them, and what an interval in a cell needs."""
    rows = field.labels[subset]
    kinds, categories, generators = (
        list(dict.fromkeys(getattr(row, name) for row in rows))
        for name in ("error_type", "category", "generator")
    )
    catalogues = {name: i for i, name in enumerate(dict.fromkeys(row.catalogue for row in rows))}
    good = [(one.entry.id, told.letters) for one, told in field.told(subset) if one.good]
    return {
        "ids": [row.id for row in rows],
        "error_types": kinds,
        "categories": categories,
        "generators": generators,
        "error_type": [kinds.index(row.error_type) for row in rows],
        "category": [categories.index(row.category) for row in rows],
        "generator": [generators.index(row.generator) for row in rows],
        "cluster": [catalogues[row.catalogue] for row in rows],
        "doubts": {str(place): row.doubt for place, row in enumerate(rows) if row.doubt},
        "t": _quantiles(rows),
        "good": [name for name, _ in good],
        "hardest": _hardest([letters for _, letters in good]),
    }


def _quantiles(rows: Sequence[Labelled]) -> dict[str, float]:
    """Student's 97.5 % quantile for the catalogues of each error type."""
    from scipy.stats import t

    parts: dict[str, set[str]] = {}
    for row in rows:
        parts.setdefault(row.error_type, set()).add(row.catalogue)
    return {
        name: float(t.ppf(0.975, len(catalogues) - 1))
        for name, catalogues in parts.items()
        if len(catalogues) > 1
    }


def _hardest(good: Sequence[str]) -> list[list[int]]:
    """Places of the rows that most of the good entries lost: likely errors of labels."""
    if not good:
        return []
    missed = [letters.count(LOSS) for letters in zip(*good, strict=True)]
    places = sorted(
        (place for place, count in enumerate(missed) if count), key=lambda i: -missed[i]
    )
    return [[place, missed[place], len(good)] for place in places[:HARDEST]]


def items_of(field: Field, subset: str) -> tuple[Item, ...] | None:
    """The rows with their texts; None where they do not ship.

    Raises:
        DataError: they are of another edition.
    """
    if not field.benchmark.startswith("open@"):
        return None
    benchmark = load_benchmark(loadable(field.benchmark, subset))
    if benchmark.sha256 != field.known[subset].data_sha256:
        raise DataError(f"{field.benchmark}/{subset} is not the edition that was submitted on.")
    return benchmark.items


def chunks(field: Field, subset: str, items: Sequence[Item] | None) -> list[Json]:
    """Every entry's outcome, and the texts where they ship, `CHUNK` rows a piece."""
    size = field.known[subset].rows
    found = [one.read.subsets.get(subset) for one in field.standings]
    outcomes = [one.letters if one else "-" * size for one in found]
    by_item = ["".join(row) for row in zip(*outcomes, strict=True)]
    order = [one.entry.id for one in field.standings]
    return [
        {
            "items": None
            if items is None
            else [_item(item) for item in items[start : start + CHUNK]],
            "outcomes": by_item[start : start + CHUNK],
            "entries_order": order,
        }
        for start in range(0, size, CHUNK)
    ]


def _item(item: Item) -> Json:
    if isinstance(item, Pair):
        candidates = [
            _candidate(item.chosen, True, "", ""),
            _candidate(item.rejected, False, item.error_type, item.generator),
        ]
    else:
        candidates = [
            _candidate(*one)
            for one in zip(
                item.candidates, item.correct, item.error_types, item.generators, strict=True
            )
        ]
    return {
        "id": item.id,
        "messages": [_message(message) for message in item.prompt.messages],
        "tools": [
            {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
            for tool in item.prompt.tools
        ],
        "candidates": candidates,
    }


def _message(message: Any) -> Json:
    return {"role": str(message["role"]), "content": message["content"]}


def _candidate(candidate: Candidate, correct: bool, error_type: str, generator: str) -> Json:
    is_text = isinstance(candidate, str)
    return {
        "calls": None if isinstance(candidate, str) else [call.as_dict() for call in candidate],
        "text": candidate if is_text else None,
        "correct": correct,
        "error_type": error_type,
        "generator": generator,
    }
