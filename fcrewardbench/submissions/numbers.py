"""The numbers that follow from a submission's rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fcrewardbench.benchmarks.errata import errata
from fcrewardbench.report.card import metrics, metrics_by
from fcrewardbench.rows import Row
from fcrewardbench.submissions.rows import SubmittedRow


def rows_of(benchmark: str, submitted: Sequence[SubmittedRow]) -> list[Row]:
    """The rows, with what is disputed today as their doubt."""
    name = benchmark.partition("@")[0]
    prefix = "" if name == "open" else f"{name}/"
    known = errata()
    return [
        one.row(known[prefix + one.id].reason if prefix + one.id in known else "")
        for one in submitted
    ]


def numbers(rows: Sequence[Row], *, balanced: bool) -> dict[str, Any]:
    """What a card says of rows. Errata come later than submissions, so none of it depends on them."""
    return {
        "metrics": metrics(rows, balanced=balanced),
        "by_error_type": metrics_by(rows, lambda row: row.error_type),
        "by_category": metrics_by(rows, lambda row: row.category),
    }
