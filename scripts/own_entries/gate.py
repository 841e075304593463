"""The entries of the reference model, out of those of its network alone.

    python -m scripts.own_entries.gate submissions

`toolrm/smollm2-135m` is `toolrm/smollm2-135m-ungated` with a schema gate (`adapters.gate`), for which
no network is needed: the gate is put on the scores in the network's entries, row by row. Tokens and
seconds stay those of the network's runs. `rebuilt` has to be built (`fcrb build --preset rebuilt`).
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from fcrewardbench import load_benchmark
from fcrewardbench.adapters.gate import forbidden, gated
from fcrewardbench.benchmarks.labels import known_labels, loadable
from fcrewardbench.outcomes import outcome_of_scores
from fcrewardbench.rows import Row
from fcrewardbench.submissions.card import SubmissionCard
from fcrewardbench.submissions.entries import Entry, read_entry
from fcrewardbench.submissions.numbers import numbers, rows_of
from fcrewardbench.submissions.pack import write_entry
from fcrewardbench.submissions.rows import SubmittedRow, submitted_row

NETWORK, GATED = "toolrm/smollm2-135m-ungated", "toolrm/smollm2-135m"
NOTE = (
    "The reference model of this repository; calls that the tools' schemas forbid rank below all "
    "others. The gate is put on the scores of smollm2-135m-ungated: tokens and seconds are of its runs."
)


def breaches_in(benchmark: str, subset: str) -> dict[str, tuple[bool, ...]]:
    """By row, which of its candidates are forbidden."""
    items = load_benchmark(loadable(benchmark, subset)).items
    return {item.id: forbidden(item.group()) for item in items}


def with_gate(rows: list[Row], breaches: dict[str, tuple[bool, ...]]) -> list[Row]:
    """The rows as a run with the gate has them."""
    found = []
    for row in rows:
        if row.scores is None:
            found.append(row)
            continue
        scores = gated(row.scores, breaches[row.id])
        outcome, credit = outcome_of_scores(scores, row.correct)
        found.append(replace(row, scores=list(scores), outcome=outcome.value, credit=credit))
    return found


def gated_entry(network: Entry) -> tuple[SubmissionCard, list[SubmittedRow]]:
    """Card and rows of the model with the gate."""
    benchmark = network.card.benchmark
    card: dict[str, Any] = network.card.model_dump(mode="json")
    card["model"] |= {"name": GATED.partition("/")[2], "note": NOTE}
    rows: list[SubmittedRow] = []
    for subset, result in card["results"].items():
        own = with_gate(rows_of(benchmark, network.subset(subset)), breaches_in(benchmark, subset))
        balanced = known_labels()[benchmark][subset].balanced
        options = {**result["options"], "schema_gate": True}
        result.update(numbers(own, balanced=balanced), model=GATED, options=options)
        rows += (submitted_row(subset, row) for row in own)
    return SubmissionCard.model_validate(card), rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("submissions", type=Path)
    asked = parser.parse_args()
    for folder in sorted(asked.submissions.glob(f"*/{NETWORK.replace('/', '__')}")):
        card, rows = gated_entry(read_entry(folder))
        print(write_entry(folder.parent / card.folder, card, rows))


if __name__ == "__main__":
    main()
