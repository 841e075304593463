"""`toolrm card`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("run", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("evaluations", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--against",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Another model's evaluation on the same pairs, to compare with. May be repeated.",
)
def command(run: Path, evaluations: tuple[Path, ...], against: tuple[Path, ...]) -> None:
    """Write what a model came to on benchmarks into its card.

    RUN is the --out of toolrm train, EVALUATIONS are those of fcrb evaluate. Results are split by
    whether a generator of rejected calls was seen in training. A later call replaces them.
    """
    from toolrm.card import write_results

    click.echo(write_results(run, evaluations, against))
