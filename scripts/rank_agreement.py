"""How far two benchmarks put scorers into the same order.

    python scripts/rank_agreement.py FOLDER_OF_RUNS OTHER_FOLDER_OF_RUNS

Each folder holds finished runs on one benchmark; runs of the same name are compared. Prints a table,
Kendall's tau-b and Pearson's correlation of the accuracies (scipy), and of how many pairs of scorers
both benchmarks tell apart, by intervals that do not overlap, and in which order.
"""

from __future__ import annotations

import sys
from itertools import combinations
from pathlib import Path
from typing import Any

from scipy.stats import kendalltau, pearsonr

from fcrewardbench.report.card import read_card

Card = dict[str, Any]


def cards_in(folder: Path) -> dict[str, Card]:
    return {path.parent.name: read_card(path.parent) for path in sorted(folder.glob("*/card.json"))}


def apart(first: Card, second: Card) -> int:
    """1 or -1 where one accuracy's interval lies above the other's, else 0."""
    (low, high), (other_low, other_high) = (c["metrics"]["accuracy_ci"] for c in (first, second))
    return int(low > other_high) - int(high < other_low)


def _cell(card: Card) -> str:
    metrics = card["metrics"]
    low, high = metrics["accuracy_ci"]
    return f"{100 * metrics['accuracy']:.1f} ({100 * low:.1f} – {100 * high:.1f}), {metrics['n']:,}"


def report(left: dict[str, Card], right: dict[str, Card]) -> str:
    names = sorted(set(left) & set(right), key=lambda name: -left[name]["metrics"]["accuracy"])
    if len(names) < 3:
        raise SystemExit("fewer than three runs of the same name in both folders")
    titles = [
        f"{card['benchmark']['name']}@{card['benchmark']['edition']}, accuracy and pairs"
        for card in (left[names[0]], right[names[0]])
    ]
    lines = [f"| scorer | {titles[0]} | {titles[1]} |", "| --- | --- | --- |"]
    lines += [f"| {name} | {_cell(left[name])} | {_cell(right[name])} |" for name in names]
    ours, theirs = ([side[n]["metrics"]["accuracy"] for n in names] for side in (left, right))
    tau, linear = kendalltau(ours, theirs), pearsonr(ours, theirs)
    both = [(apart(left[a], left[b]), apart(right[a], right[b])) for a, b in combinations(names, 2)]
    told = [pair for pair in both if all(pair)]
    same = sum(a == b for a, b in told)
    lines += [
        "",
        f"Kendall's tau-b {tau.statistic:.2f} (p = {tau.pvalue:.3f}), Pearson's r "
        f"{linear.statistic:.2f} (p = {linear.pvalue:.3f}), {len(names)} scorers. Of "
        f"{len(both)} pairs of scorers both benchmarks tell {len(told)} apart, {same} of them in the "
        "same order.",
    ]
    return "\n".join(lines)


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    print(report(*(cards_in(Path(folder)) for folder in sys.argv[1:])))


if __name__ == "__main__":
    main()
