"""How far the reference model is ahead of its rivals, out of rows that are committed.

    python -m bench.rivals

The reference model, with its schema gate and without, against every other entry in `submissions/` and
against SmolLM2's summed likelihood (`bench/results/likelihood-sum`), on each set that both have whole.
Differences are paired by row, with intervals of the bootstrap by tool catalogue and p-values of the
cluster test after Holm's correction over all pairs of models that are compared on the set. By error
type, `python -m bench.gate` has it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fcrewardbench.benchmarks.labels import known_labels
from fcrewardbench.report.card import accuracy
from fcrewardbench.report.comparison import compare_runs, rows_in_common
from fcrewardbench.report.tables import markdown_table
from fcrewardbench.rows import Row, read_parquet
from fcrewardbench.submissions.entries import entry_folders, read_entry
from fcrewardbench.submissions.numbers import rows_of

ROOT = Path(__file__).parents[1]
OUT = ROOT / "bench" / "results" / "rivals"
OURS = ("toolrm/smollm2-135m", "toolrm/smollm2-135m-ungated")
SUMS = {
    ("open@2", "core"): ROOT / "bench" / "results" / "likelihood-sum" / "open",
    ("rebuilt@1", "all"): ROOT / "bench" / "results" / "likelihood-sum" / "rebuilt",
}
SUM_NAME = "HuggingFaceTB/SmolLM2-135M-Instruct-Q4_1-likelihood, summed"


def models_on(benchmark: str, subset: str) -> dict[str, list[Row]]:
    """The rows of every model that has the set, ours first."""
    found = {}
    for folder in entry_folders(ROOT / "submissions" / benchmark):
        entry = read_entry(folder)
        rows = entry.subset(subset)
        if rows:
            model = entry.card.model
            found[f"{model.organisation}/{model.name}"] = rows_of(benchmark, rows)
    if (benchmark, subset) in SUMS:
        found[SUM_NAME] = read_parquet(SUMS[benchmark, subset] / "rows.parquet")
    return {name: found[name] for name in sorted(found, key=lambda name: (name not in OURS, name))}


def measured(benchmark: str, subset: str, *, balanced: bool) -> dict[str, Any]:
    models = models_on(benchmark, subset)
    runs = rows_in_common(list(models.values()))
    assert len(runs[0]) == len(next(iter(models.values())))
    compared = compare_runs(runs, balanced=balanced)
    low, high = compared.intervals
    names = list(models)
    return {
        "n": len(runs[0]),
        "accuracy": {
            name: accuracy(rows, balanced=balanced) for name, rows in zip(names, runs, strict=True)
        },
        "less": {
            name: {
                rival: {
                    "difference": _rounded(compared.difference[place, other]),
                    "ci": [_rounded(low[place, other]), _rounded(high[place, other])],
                    "p_holm": float(compared.p_holm[place, other]),
                }
                for other, rival in enumerate(names)
                if other >= len(OURS)
            }
            for place, name in enumerate(OURS)
        },
    }


def _rounded(number: Any) -> float:
    return round(float(number), 9) + 0.0  # no negative zero


def main() -> None:
    result = {
        f"{benchmark}/{subset}": measured(benchmark, subset, balanced=known.balanced)
        for benchmark in ("open@2", "rebuilt@1")
        for subset, known in known_labels()[benchmark].items()
    }
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "result.json").write_text(json.dumps(result, indent=2) + "\n")
    text = "\n".join(["# The reference model and its rivals", *map("\n".join, _tables(result)), ""])
    (OUT / "result.md").write_text(text)
    print(text)


def _tables(result: dict[str, Any]) -> list[list[str]]:
    return [
        [
            "",
            f"## {name}, {one['n']:,} rows",
            "",
            "Accuracy: " + ", ".join(f"{ours} {100 * one['accuracy'][ours]:.1f}" for ours in OURS),
            "",
            *markdown_table(
                ["rival", "accuracy", "reference model less rival", "its network alone less rival"],
                [
                    [
                        rival,
                        f"{100 * one['accuracy'][rival]:.1f}",
                        *(_difference(one["less"][ours][rival]) for ours in OURS),
                    ]
                    for rival in one["less"][OURS[0]]
                ],
            ),
        ]
        for name, one in result.items()
    ]


def _difference(part: dict[str, Any]) -> str:
    low, high = part["ci"]
    p = part["p_holm"]
    told = "p < 0.0001" if p < 1e-4 else f"p {p:.4f}"
    return f"{100 * part['difference']:+.1f} ({100 * low:+.1f} to {100 * high:+.1f}), {told}"


if __name__ == "__main__":
    main()
