"""`toolrm train`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

import click


@click.command()
@click.option("--recipe", "--config", required=True, help="A recipe's name, or a YAML file.")
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Pairs to train on: a Parquet file of toolrm synthesize.",
)
@click.option(
    "--held-out",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Pairs to look at during training; the weights of the best look at a step are kept.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The run's folder.")
@click.option(
    "--start",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Adapters to go on from: those of another run with the same base, rank, alpha and layers.",
)
@click.option(
    "--benchmark",
    "benchmarks",
    multiple=True,
    help="A benchmark or test set of yours that nothing may overlap with, beside BFCL, open and "
    "rebuilt. May be given several times.",
)
@click.option(
    "--downstream",
    type=click.Path(path_type=Path),
    help="Test sets (hammer_format, seal_tools, …) that nothing may overlap with, besides benchmarks.",
)
@click.option(
    "--allow-overlap", is_flag=True, help="Train on what benchmarks have, too. The card tells it."
)
def command(
    recipe: str,
    data: Path,
    held_out: Path | None,
    out: Path,
    start: Path | None,
    benchmarks: tuple[str, ...],
    downstream: Path | None,
    allow_overlap: bool,
) -> None:
    """Train an outcome reward model on pairs of tool calls.

    A run can be killed at any time: the same command goes on at its last checkpoint and ends with the
    same numbers. On several GPUs or machines, start it with accelerate launch -m toolrm.
    """
    from fcrewardbench import MissingExtra, UsageError
    from toolrm.cli.reading import read_showing
    from toolrm.records import read_pairs
    from toolrm.train.recipe import load_recipe

    chosen = load_recipe(recipe)
    try:
        from toolrm.train.run import train
    except ModuleNotFoundError as why:
        raise MissingExtra(str(why.name), "train") from None
    for package in chosen.report_to:
        if find_spec(package) is None:
            raise UsageError(f"The recipe reports to {package}: run pip install {package}.")
    first = os.environ.get("RANK", "0") == "0"  # of the processes that accelerate starts
    if start is not None:
        from toolrm.train.start import start_from

        begun = start_from(start, chosen)
        if not allow_overlap:
            begun.refuse_overlap()
        if first and not begun.is_compared:
            click.echo(
                f"Whether the adapters in {start} saw benchmarks is not known: the report.json of a "
                "run before has no account of it. toolrm overlap makes one of that run's pairs.",
                err=True,
            )
    files = [data] if held_out is None else [data, held_out]
    overlap = _overlap(files, benchmarks, downstream, allow_overlap) if first else None
    read = partial(read_showing, what="rendering") if first else read_pairs
    train(chosen, data, held_out, out, start=start, overlap=overlap, read=read)
    if first:
        click.echo(f"{out / 'model'}: fcrb evaluate --model path:{out / 'model'}")


def _overlap(
    files: Sequence[Path], benchmarks: Sequence[str], downstream: Path | None, allowed: bool
) -> dict[str, Any]:
    """What the pairs have in common with benchmarks; refused unless it is allowed."""
    from toolrm.cli.reading import read_showing
    from toolrm.overlap import find, refuse
    from toolrm.references import references

    pairs = chain.from_iterable(read_showing(file, "overlap of") for file in files)
    looked_in = references(benchmarks, downstream)
    if not any(one.name.startswith("rebuilt") for one in looked_in):
        click.echo("rebuilt is not built here, so nothing is compared with it.", err=True)
    overlap = find(pairs, looked_in)
    if not allowed:
        refuse(overlap)
    return overlap.report()
