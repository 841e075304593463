"""`toolrm train`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option("--recipe", required=True, help="A recipe's name, or a YAML file.")
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Pairs to train on: a Parquet file of toolrm synthesize.",
)
@click.option(
    "--held-out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Pairs to look at during training; the best look's weights are kept.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The run's folder.")
def command(recipe: str, data: Path, held_out: Path | None, out: Path) -> None:
    """Train an outcome reward model on pairs of tool calls.

    A run can be killed at any time: the same command goes on at its last checkpoint and ends with the
    same numbers. On several GPUs or machines, start it with accelerate launch -m toolrm.
    """
    from toolrm.train.recipe import load_recipe

    chosen = load_recipe(recipe)
    from fcrewardbench import MissingExtra

    try:
        from toolrm.train.run import train
    except ImportError as why:
        raise MissingExtra(str(why.name), "train") from None
    train(chosen, data, held_out, out)
    click.echo(f"{out / 'model'}: fcrb evaluate --model path:{out / 'model'}")
