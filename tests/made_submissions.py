"""Submissions of models that do not exist, on the real rows of a benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np

from fcrewardbench.benchmarks.errata import Erratum
from fcrewardbench.benchmarks.labels import known_labels, labels_of, loadable
from fcrewardbench.benchmarks.registry import load_benchmark
from fcrewardbench.outcomes import outcome_of_scores
from fcrewardbench.submissions.card import SubmissionCard, card_text
from fcrewardbench.submissions.entries import read_entry
from fcrewardbench.submissions.numbers import numbers, rows_of
from fcrewardbench.submissions.pack import CARD, ROWS
from fcrewardbench.submissions.rows import SubmittedRow, write_rows


def make_submission(
    root: Path,
    name: str,
    *,
    skill: float,
    seed: int,
    subsets: tuple[str, ...] = ("core",),
    benchmark: str = "open@2",
    facts: Mapping[str, Any] | None = None,
    run: Mapping[str, Any] | None = None,
) -> Path:
    """Write an entry whose scores are noise plus `skill` on the right candidates.

    Args:
        facts: in place of those that every made model has.
        run: in place of what every made run says of itself.
    """
    generator = np.random.default_rng(seed)
    rows, results = [], {}
    for subset in subsets:
        own = _rows(benchmark, subset, skill, generator)
        known = known_labels()[benchmark][subset]
        found = numbers(rows_of(benchmark, own), balanced=known.balanced)
        results[subset] = _run(own, known.data_sha256) | dict(run or {}) | found
        rows += own
    card = SubmissionCard.model_validate(
        {
            "schema_version": 1,
            "benchmark": benchmark,
            "model": _FACTS | {"name": name} | dict(facts or {}),
            "results": results,
        }
    )
    folder = root / benchmark / card.folder
    folder.mkdir(parents=True)
    (folder / CARD).write_text(card_text(card))
    write_rows(rows, folder / ROWS)
    return folder


def errata_of_wins(submissions: Path, winner: str, loser: str) -> dict[str, Erratum]:
    """Errata of every row of `core` that one made entry wins and another does not."""
    won, lost = (
        read_entry(submissions / "open@2" / f"made-up__{name}").subset("core")
        for name in (winner, loser)
    )
    return {
        one.id: Erratum(id=one.id, reason="no", who="me", when=date(2026, 11, 27))
        for one, other in zip(won, lost, strict=True)
        if one.outcome == "win" and other.outcome != "win"
    }


def _rows(
    benchmark: str, subset: str, skill: float, generator: np.random.Generator
) -> list[SubmittedRow]:
    hard: dict[str, float] = {}
    rows = []
    for label in labels_of(load_benchmark(loadable(benchmark, subset))):
        id, error_type, category, made_by, catalogue, correct = label
        own = hard.setdefault(catalogue, float(generator.normal(0, 0.5)))
        scores = [float(generator.normal((skill + own) * right, 1)) for right in correct]
        outcome = outcome_of_scores(scores, correct)[0]
        rows.append(
            SubmittedRow(
                subset=subset,
                id=id,
                error_type=error_type,
                category=category,
                generator=made_by,
                catalogue=catalogue,
                correct=correct,
                scores=scores,
                verdict=None,
                verdict_swapped=None,
                outcome=outcome.value,
                tokens_naive=400,
                tokens_computed=200,
            )
        )
    return rows


_FACTS: dict[str, Any] = {
    "organisation": "made-up",
    "kind": "classifier",
    "parameters": 1_000_000_000,
    "base_model": None,
    "licence": "Apache-2.0",
    "training_data": "none: it does not exist",
    "overlap": "unknown",
    "contact": None,
    "hardware": "none",
    "date": "2026-11-24",
}


def _run(rows: list[SubmittedRow], data_sha256: str) -> dict[str, Any]:
    return {
        "data_sha256": data_sha256,
        "adapter": "classifier",
        "revision": None,
        "dtype": "float32",
        "template_sha256": None,
        "model": "made-up",
        "options": {},
        "tokens_naive": sum(row.tokens_naive for row in rows),
        "tokens_computed": sum(row.tokens_computed for row in rows),
        "seconds": 60.0,
        "finished": datetime(2026, 11, 24, tzinfo=UTC),
        "versions": {},
    }
