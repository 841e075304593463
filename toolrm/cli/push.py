"""`toolrm push`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("repository")
@click.option("--private", is_flag=True, help="Make the repository a private one.")
def command(folder: Path, repository: str, private: bool) -> None:
    """Upload FOLDER, a trained model, to REPOSITORY (owner/name) on the hub."""
    from fcrewardbench import UsageError
    from fcrewardbench.hub import upload

    model = folder / "model" if (folder / "model").is_dir() else folder
    if not (model / "config.json").is_file():
        raise UsageError(f"{folder} holds no model: give the --out of toolrm train, or its model.")
    click.echo(upload(model, repository, private=private))
