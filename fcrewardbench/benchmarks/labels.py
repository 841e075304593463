"""What is known of a benchmark's rows without its data: how many, and a hash of their labels.

A submission repeats the labels of its rows (id, error type, category, generator, tool catalogue, which
candidates are right). The hash says whether they are the benchmark's, so that a result is checked in
no time and where the data cannot be had. `scripts/pin_labels.py` writes `labels.json`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from functools import cache
from importlib import resources

from pydantic import BaseModel, ConfigDict

from fcrewardbench.types import Benchmark

Label = tuple[str, str, str, str, str, list[bool]]
"""Id, error type, category, generator, tool catalogue, and which candidates are right, in the group's
order."""

WHOLE = "all"
"""What the one subset of a benchmark without subsets is called."""


class KnownLabels(BaseModel):
    """One subset of a benchmark that takes submissions.

    `scorers_only` says that it has sets of more than two candidates, of which judges do not judge.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: int
    data_sha256: str
    labels_sha256: str
    balanced: bool
    required: bool
    scorers_only: bool


@cache
def known_labels() -> dict[str, dict[str, KnownLabels]]:
    """By benchmark ("open@2") and subset; `WHOLE` where a benchmark has none."""
    text = (resources.files(__package__) / "data" / "labels.json").read_text(encoding="utf-8")
    return {
        benchmark: {name: KnownLabels.model_validate(one) for name, one in subsets.items()}
        for benchmark, subsets in json.loads(text).items()
    }


def required_subset(benchmark: str) -> str:
    """The subset that ranks a benchmark's entries."""
    return next(name for name, known in known_labels()[benchmark].items() if known.required)


def loadable(benchmark: str, subset: str) -> str:
    """The name by which `load_benchmark` knows a subset."""
    return benchmark.partition("@")[0] if subset == WHOLE else f"{benchmark}/{subset}"


def labels_sha256(labels: Iterable[Label]) -> str:
    """The hash of rows' labels, in the benchmark's order."""
    digest, encoder = hashlib.sha256(), json.JSONEncoder(ensure_ascii=False)
    for label in labels:
        digest.update((encoder.encode(label) + "\n").encode())
    return digest.hexdigest()


def labels_of(benchmark: Benchmark) -> list[Label]:
    """The labels of a loaded benchmark's items."""
    found: list[Label] = []
    for item in benchmark.items:
        correct = item.group().correct
        assert correct is not None
        kind, catalogue = item.error_type, item.prompt.catalogue
        found.append((item.id, kind, item.category, item.generator, catalogue, list(correct)))
    return found
