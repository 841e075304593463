"""`fcrb export`."""

from __future__ import annotations

from pathlib import Path

import click

from fcrewardbench.benchmarks.export import export


@click.command()
@click.option("--benchmark", "names", multiple=True, help="Several make several configurations.")
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False))
@click.option("--push", metavar="OWNER/NAME", help="Upload the folder to the hub as a data set.")
def command(names: tuple[str, ...], out: Path, push: str | None) -> None:
    """Write benchmarks as a folder that `datasets` loads; without --benchmark, all of open.

    The folder holds the questions and tool schemas, too.
    """
    for name, rows in export(names, out).items():
        click.echo(f"{out}: {name}, {rows} rows")
    if push is not None:
        from fcrewardbench.hub import upload

        click.echo(upload(out, push, kind="dataset"))
