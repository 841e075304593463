"""`fcrb check`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from fcrewardbench.benchmarks.files import entries
from fcrewardbench.errors import DataError


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def command(file: Path) -> None:
    """Validate a pairs file: every problem with its line."""
    kinds: Counter[str] = Counter()
    problems = 0
    for entry in entries(file):
        if entry.item is None:
            problems += 1
            click.echo(f"{entry.where}: {entry.problem}", err=True)
        else:
            kinds[entry.item.error_type] += 1
    if problems:
        raise DataError(f"{file} has {problems} problems; {kinds.total()} pairs are fine.")
    if not kinds:
        raise DataError(f"{file} holds no pairs.")
    click.echo(f"{file}: {kinds.total()} pairs, no problems")
    for kind, count in kinds.most_common():
        click.echo(f"{count:7d}  {kind}")
