"""`fcrb compare`."""

from __future__ import annotations

from pathlib import Path

import click

from fcrewardbench.errors import UsageError


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
def command(runs: tuple[Path, ...]) -> None:
    """Put finished runs into one table, the best first."""
    from rich.console import Console

    from fcrewardbench.report.card import read_card
    from fcrewardbench.report.tables import compare_table

    cards = [read_card(run) for run in runs]
    benchmarks = {card["benchmark"]["sha256"] for card in cards}
    if len(benchmarks) > 1:
        raise UsageError("These runs are on different data; compare runs on the same benchmark.")
    Console().print(compare_table(cards))
