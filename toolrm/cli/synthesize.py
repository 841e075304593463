"""`toolrm synthesize`."""

from __future__ import annotations

import shlex
from itertools import islice
from pathlib import Path

import click

from fcrewardbench.cli.progress import progress_bar


@click.command()
@click.argument("config")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="What the paths in CONFIG are relative to.  [default: the current folder]",
)
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="The folder to write."
)
@click.option("--limit", type=click.IntRange(min=1), help="Records of each source, at random.")
@click.option("--seed", type=int, help="Instead of the one in CONFIG.")
@click.option("--held-out", type=click.FloatRange(0, 1, max_open=True), help="Their share.")
def command(
    config: str,
    data: Path | None,
    out: Path | None,
    limit: int | None,
    seed: int | None,
    held_out: float | None,
) -> None:
    """Make training pairs out of tool-calling data.

    CONFIG is a YAML file, or the name of a recipe that ships, such as synthesize-open-data. What is
    left out is counted by reason in the report, which lies beside the pairs. Replies of models are kept
    as they come, and after a kill the same command asks for the missing ones only; the rest is made
    anew.
    """
    from toolrm.synthesize import synthesize
    from toolrm.synthesize.config import limited, load_config

    chosen = load_config(config, data=data, out=out, seed=seed, held_out=held_out)
    if limit is not None:
        chosen = limited(chosen, limit)
    given = {"--limit": limit, "--seed": seed, "--held-out": held_out}
    options = [f"{name} {value}" for name, value in given.items() if value is not None]
    words = ["toolrm synthesize", shlex.quote(Path(config).name), "--data DATA", *options]
    with progress_bar("synthesize") as progress:
        report = synthesize(chosen, command=" ".join(words), progress=progress)
    for part in report.parts:
        click.echo(f"{chosen.out / part.file}: {part.pairs} pairs of {part.records} records")
    for stage, reasons in report.left_out.items():
        most = ", ".join(f"{count:,} {reason}" for reason, count in islice(reasons.items(), 3))
        click.echo(f"left out, {stage}: {sum(reasons.values()):,}, most of them: {most}")
    for note in report.notes:
        click.echo(f"note: {note}")
    click.echo(f"{chosen.out / 'report.md'}: the whole account")
