"""Models side by side on the same pairs: ranks, and two of them in detail."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fcrewardbench.comparisons import (
    Comparisons,
    WinTables,
    compare_models,
    mean_weights,
    win_tables,
)
from fcrewardbench.rows import Row
from fcrewardbench.stats import Interval, student_interval
from fcrewardbench.types import Outcome


@dataclass(frozen=True, slots=True)
class PartDifference:
    """Two models on the pairs of one error type: mean of the first less that of the second."""

    error_type: str
    n: int
    difference: float
    interval: Interval


def rows_in_common(runs: Sequence[Sequence[Row]]) -> list[list[Row]]:
    """Of every run the rows that all runs have, in the first one's order."""
    tables = [{row.id: row for row in rows} for rows in runs]
    ids = [row.id for row in runs[0] if all(row.id in table for table in tables)]
    return [[table[id] for id in ids] for table in tables]


def compare_runs(runs: Sequence[Sequence[Row]], *, balanced: bool) -> Comparisons:
    """All runs against all, on rows that they have in common and in one order."""
    first = runs[0]
    weights = mean_weights([row.error_type for row in first]) if balanced else None
    credits = [[row.credit for row in rows] for rows in runs]
    return compare_models(credits, [row.catalogue for row in first], weights)


def wins(runs: Sequence[Sequence[Row]]) -> WinTables:
    """What runs win of the same rows."""
    return win_tables([[row.outcome == Outcome.WIN for row in rows] for rows in runs])


def part_differences(first: Sequence[Row], second: Sequence[Row]) -> Iterator[PartDifference]:
    """By error type, the largest first."""
    parts: dict[str, list[tuple[Row, Row]]] = defaultdict(list)
    for one, other in zip(first, second, strict=True):
        parts[one.error_type].append((one, other))
    for name, pairs in sorted(parts.items(), key=lambda part: (-len(part[1]), part[0])):
        differences = [one.credit - other.credit for one, other in pairs]
        interval = student_interval(differences, [one.catalogue for one, _ in pairs])
        yield PartDifference(name, len(pairs), sum(differences) / len(pairs), interval)


def two_models_lines(
    names: tuple[str, str], runs: Sequence[Sequence[Row]], compared: Comparisons
) -> list[str]:
    """Two models in sentences and tables of Markdown."""
    from fcrewardbench.report.tables import markdown_table

    first, second = runs
    table = wins(runs)
    low, high = (ends[0, 1] for ends in compared.intervals)
    lines = [
        f"{names[0]} less {names[1]}: {_points(compared.difference[0, 1])} "
        f"({_points(low)} to {_points(high)}, 95 % interval, {compared.interval_method}); "
        f"p {_p(compared.p[0, 1])} (cluster test). On wins, every pair alike: p {_p(table.p[0, 1])} "
        "(McNemar, exact).",
        "",
        *markdown_table(
            ["", f"{names[1]} wins", "does not"],
            [
                [f"{names[0]} wins", f"{table.both[0, 1]:.0f}", f"{table.alone[0, 1]:.0f}"],
                ["does not", f"{table.alone[1, 0]:.0f}", f"{table.neither[0, 1]:.0f}"],
            ],
        ),
        "",
    ]
    cells = [
        [
            part.error_type,
            f"{part.n:,}",
            _points(part.difference),
            f"{_points(part.interval.low)} to {_points(part.interval.high)}",
        ]
        for part in part_differences(first, second)
    ]
    return lines + markdown_table(["error type", "n", "difference", "95 % interval"], cells)


def _points(share: Any) -> str:
    return f"{100 * float(share):+.1f}"


def _p(value: Any) -> str:
    return "< 0.0001" if value < 1e-4 else f"{float(value):.4f}"
