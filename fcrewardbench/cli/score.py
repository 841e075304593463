"""`fcrb score`."""

from __future__ import annotations

from pathlib import Path

import click

from fcrewardbench.cli.options import ModelChoice, model_options
from fcrewardbench.cli.progress import progress_bar
from fcrewardbench.score import SCORED, score_file


@click.command()
@model_options
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Groups, a JSON object a line: messages, candidates, and where there are any tools, id.",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The table, a .parquet file: a row a group, with its scores and the best index.",
)
@click.option("--fresh", is_flag=True, help="Throw away what --out holds of an earlier run.")
def command(choice: ModelChoice, data: Path, out: Path, fresh: bool) -> None:
    """Score the candidates of any groups, no labels needed.

    A run can be killed at any time: the same command goes on where it was and ends with the same
    numbers.
    """
    model = choice.named()
    with progress_bar(model) as progress:
        counts = score_file(
            model,
            data,
            out,
            adapter=choice.adapter,
            fresh=fresh,
            progress=progress,
            **choice.options,
        )
    failed = [f"{count} {failure}" for failure, count in counts.items() if failure != SCORED]
    click.echo(f"{out}: {', '.join([f'{counts.get(SCORED, 0)} groups scored', *failed])}")
