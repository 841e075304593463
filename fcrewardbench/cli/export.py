"""`fcrb export`."""

from __future__ import annotations

from pathlib import Path

import click

from fcrewardbench.benchmarks.export import export


@click.command()
@click.option("--benchmark", "names", multiple=True, help="Several make several configurations.")
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False))
def command(names: tuple[str, ...], out: Path) -> None:
    """Write benchmarks as a folder that `datasets` loads; without --benchmark, all of open.

    The folder holds the questions and tool schemas, too.
    """
    for name, rows in export(names, out).items():
        click.echo(f"{out}: {name}, {rows} rows")
