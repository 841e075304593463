"""Which decisions another dtype flips: two runs of one model, row by row.

    python bench/precision.py EXACT_RUN ROUGH_RUN

Both are folders of `fcrb evaluate`, the first in float32. Rows that both have are compared.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fcrewardbench.report.card import read_card
from fcrewardbench.rows import Row, read_parquet


def main(exact: Path, rough: Path) -> None:
    rows = {row.id: row for row in read_parquet(exact / "rows.parquet")}
    pairs = [
        (rows[row.id], row)
        for row in read_parquet(rough / "rows.parquet")
        if row.id in rows and row.scores and rows[row.id].scores
    ]
    moved = sorted(
        abs(a - b)
        for one, other in pairs
        for a, b in zip(one.scores or (), other.scores or (), strict=True)
    )
    flips = [(one, other) for one, other in pairs if one.outcome != other.outcome]
    for folder in (exact, rough):
        card = read_card(folder)
        model, metrics = card["model"], card["metrics"]
        print(
            f"{model['name']}, {model['dtype']}: accuracy {metrics['accuracy']:.4f} of "
            f"{metrics['n']} pairs, {metrics['outcomes']['tie']} ties, {card['seconds']:.0f} s, "
            f"{card['tokens']['computed']:,} tokens computed of {card['tokens']['naive']:,}"
        )
    print(
        f"{len(pairs)} pairs in both: scores differ by {moved[len(moved) // 2]:.1e} in the median and "
        f"{moved[-1]:.1e} at most; {len(flips)} decisions flip"
    )
    if flips:
        widest = max(_margin(one) for one, _ in flips)
        below = sum(_margin(one) <= widest for one, _ in pairs)
        print(
            f"no flip where the float32 scores are more than {widest:.1e} apart "
            f"({below} of {len(pairs)} pairs are closer)"
        )


def _margin(row: Row) -> float:
    first, second = sorted(row.scores or (), reverse=True)[:2]
    return first - second


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
