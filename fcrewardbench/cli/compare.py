"""`fcrb compare`."""

from __future__ import annotations

from pathlib import Path

import click

from fcrewardbench.errors import UsageError


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
def command(runs: tuple[Path, ...]) -> None:
    """Put finished runs into one table, the best first; two of them are compared in detail.

    Ranks are intervals: 1 + the number of significantly better runs, up to N less the number of
    significantly worse ones, by paired tests on the pairs that all runs have, after Holm's correction.
    """
    from rich.console import Console

    from fcrewardbench.report.card import read_card
    from fcrewardbench.report.comparison import compare_runs, rows_in_common, two_models_lines
    from fcrewardbench.report.tables import compare_table
    from fcrewardbench.rows import read_parquet

    cards = [read_card(run) for run in runs]
    if len({card["benchmark"]["sha256"] for card in cards}) > 1:
        raise UsageError("These runs are on different data; compare runs on the same benchmark.")
    if len(runs) == 1:
        Console().print(compare_table(cards))
        return
    common = rows_in_common([read_parquet(run / "rows.parquet") for run in runs])
    if not common[0]:
        raise UsageError("These runs are samples that have no pair in common.")
    compared = compare_runs(common, balanced=cards[0]["benchmark"]["balanced"])
    Console().print(compare_table(cards, compared.rank_intervals(), len(common[0])))
    if len(runs) == 2:
        names = (cards[0]["model"]["name"], cards[1]["model"]["name"])
        for line in two_models_lines(names, common, compared):
            click.echo(line)
