"""What a schema gate is worth to the reference model, out of scores that are committed.

    python -m bench.gate

The gate (`fcrewardbench.adapters.gate`) needs no network: it is put on the scores of the entry
`toolrm__smollm2-135m-ungated` in `submissions/`, row by row, and compared with that entry and with
`baseline__schema` on the same rows. `rebuilt` has to be built (`fcrb build --preset rebuilt`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fcrewardbench.benchmarks.labels import known_labels
from fcrewardbench.report.card import metrics, metrics_by
from fcrewardbench.report.comparison import compare_runs
from fcrewardbench.report.tables import markdown_table
from fcrewardbench.rows import Row
from fcrewardbench.submissions.entries import read_entry
from fcrewardbench.submissions.numbers import rows_of
from scripts.own_entries.gate import breaches_in, with_gate

ROOT = Path(__file__).parents[1]
OUT = ROOT / "bench" / "results" / "gate"


def rows_in(benchmark: str, subset: str, entry: str) -> list[Row]:
    read = read_entry(ROOT / "submissions" / benchmark / entry)
    return rows_of(benchmark, read.subset(subset))


def measured(benchmark: str, subset: str, *, balanced: bool) -> dict[str, Any]:
    plain = rows_in(benchmark, subset, "toolrm__smollm2-135m-ungated")
    breaches = breaches_in(benchmark, subset)
    gate = with_gate(plain, breaches)
    turned = [(old.credit, new.credit) for old, new in zip(plain, gate, strict=True)]
    runs = {
        "model": plain,
        "schema": rows_in(benchmark, subset, "baseline__schema"),
        "model with gate": gate,
    }
    compared = compare_runs(list(runs.values()), balanced=balanced)
    low, high = compared.intervals
    return {
        "n": len(plain),
        "rows_with_a_right_candidate_forbidden": sum(
            any(b and right for b, right in zip(breaches[row.id], row.correct, strict=True))
            for row in plain
        ),
        "rows_gained": sum(new > old for old, new in turned),
        "rows_lost": sum(new < old for old, new in turned),
        "accuracy": {
            name: {
                key: metrics(rows, balanced=balanced)[key] for key in ("accuracy", "accuracy_ci")
            }
            for name, rows in runs.items()
        },
        "by_error_type": {
            name: {
                kind: {"n": part["n"], "accuracy": part["accuracy"]}
                for kind, part in metrics_by(rows, _error_type).items()
            }
            for name, rows in runs.items()
        },
        "gate_less": {
            other: {
                "difference": _rounded(compared.difference[2, place]),
                "ci": [_rounded(low[2, place]), _rounded(high[2, place])],
            }
            for place, other in enumerate(("model", "schema"))
        },
    }


def _rounded(number: Any) -> float:
    return round(float(number), 9) + 0.0  # no negative zero


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
        [
            "",
            "n",
            "model",
            "schema",
            "model with gate",
            "gate less model",
            "gate less schema",
            "gained",
            "lost",
        ],
        [[name, f"{one['n']:,}", *_cells(one)] for name, one in result.items()],
    )
    text = "\n".join(["# The reference model with a schema gate", "", *lines, ""])
    (OUT / "result.md").write_text(text)
    print(text)


def _cells(one: dict[str, Any]) -> list[str]:
    return [
        *(f"{100 * part['accuracy']:.1f}" for part in one["accuracy"].values()),
        *map(_difference, one["gate_less"].values()),
        str(one["rows_gained"]),
        str(one["rows_lost"]),
    ]


def _difference(part: dict[str, Any]) -> str:
    low, high = part["ci"]
    return f"{100 * part['difference']:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"


if __name__ == "__main__":
    main()
