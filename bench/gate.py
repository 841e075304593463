"""What a schema gate is worth to the reference model, out of scores that are committed.

    python bench/gate.py

The gate (`fcrewardbench.adapters.gate`) needs no network: it is put on the scores of the entry
`toolrm__smollm2-135m` in `submissions/`, row by row, and compared with that entry and with
`baseline__schema` on the same rows. `rebuilt` has to be built (`fcrb build --preset rebuilt`).
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from fcrewardbench import load_benchmark
from fcrewardbench.adapters.gate import forbidden, gated
from fcrewardbench.benchmarks.labels import known_labels, loadable
from fcrewardbench.outcomes import outcome_of_scores
from fcrewardbench.report.card import metrics, metrics_by
from fcrewardbench.report.comparison import compare_runs
from fcrewardbench.report.tables import markdown_table
from fcrewardbench.rows import Row
from fcrewardbench.submissions.entries import read_entry
from fcrewardbench.submissions.numbers import rows_of

ROOT = Path(__file__).parents[1]
OUT = ROOT / "bench" / "results" / "gate"


def rows_in(benchmark: str, subset: str, entry: str) -> list[Row]:
    read = read_entry(ROOT / "submissions" / benchmark / entry)
    return rows_of(benchmark, read.subset(subset))


def with_gate(rows: list[Row], benchmark: str, subset: str) -> list[Row]:
    groups = {item.id: item.group() for item in load_benchmark(loadable(benchmark, subset)).items}
    found = []
    for row in rows:
        if row.scores is None:
            found.append(row)
            continue
        scores = gated(row.scores, forbidden(groups[row.id]))
        outcome, credit = outcome_of_scores(scores, row.correct)
        found.append(replace(row, scores=list(scores), outcome=outcome.value, credit=credit))
    return found


def measured(benchmark: str, subset: str, *, balanced: bool) -> dict[str, Any]:
    plain = rows_in(benchmark, subset, "toolrm__smollm2-135m")
    runs = {
        "model": plain,
        "schema": rows_in(benchmark, subset, "baseline__schema"),
        "model with gate": with_gate(plain, benchmark, subset),
    }
    compared = compare_runs(list(runs.values()), balanced=balanced)
    low, high = compared.intervals
    return {
        "n": len(plain),
        "accuracy": {
            name: {
                key: metrics(rows, balanced=balanced)[key] for key in ("accuracy", "accuracy_ci")
            }
            for name, rows in runs.items()
        },
        "by_error_type": {
            name: {kind: part["accuracy"] for kind, part in metrics_by(rows, _error_type).items()}
            for name, rows in runs.items()
        },
        "gate_less": {
            other: {
                "difference": float(compared.difference[2, place]),
                "ci": [float(low[2, place]), float(high[2, place])],
            }
            for place, other in enumerate(("model", "schema"))
        },
    }


def _error_type(row: Row) -> str:
    return row.error_type


def main() -> None:
    result = {
        f"{benchmark}/{subset}": measured(benchmark, subset, balanced=known.balanced)
        for benchmark in ("open@2", "rebuilt@1")
        for subset, known in known_labels()[benchmark].items()
    }
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "result.json").write_text(json.dumps(result, indent=2) + "\n")
    lines = markdown_table(
        ["", "n", "model", "schema", "model with gate", "gate less model", "gate less schema"],
        [[name, f"{one['n']:,}", *_cells(one)] for name, one in result.items()],
    )
    text = "\n".join(["# The reference model with a schema gate", "", *lines, ""])
    (OUT / "result.md").write_text(text)
    print(text)


def _cells(one: dict[str, Any]) -> list[str]:
    shares = [f"{100 * part['accuracy']:.1f}" for part in one["accuracy"].values()]
    return shares + [
        f"{100 * part['difference']:+.1f} ({100 * part['ci'][0]:+.1f} to {100 * part['ci'][1]:+.1f})"
        for part in one["gate_less"].values()
    ]


if __name__ == "__main__":
    main()
