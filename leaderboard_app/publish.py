"""Put the built board on the hub as a Space.

Run it: `python -m leaderboard_app.publish OWNER/NAME --site runs/site --wheel dist/*.whl`.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import click

from fcrewardbench import UsageError
from fcrewardbench.cli.lazy import run
from fcrewardbench.hub import upload

_SPACE = Path(__file__).parent / "space"


@click.command()
@click.argument("space")
@click.option("--site", default=Path("runs/site"), type=click.Path(path_type=Path))
@click.option("--wheel", required=True, type=click.Path(path_type=Path, exists=True))
def command(space: str, site: Path, wheel: Path) -> None:
    """Upload the app, the built SITE and this very package to SPACE, in one commit."""
    if not (site / "board.json").is_file():
        raise UsageError(
            f"{site} holds no board: run python -m leaderboard_app.build --out {site}."
        )
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "space"
        shutil.copytree(_SPACE, folder)
        shutil.copytree(site, folder / "site")
        shutil.copy(wheel, folder)
        (folder / "requirements.txt").write_text(f"./{wheel.name}[app]\n", encoding="utf-8")
        click.echo(upload(folder, space, kind="space"))


if __name__ == "__main__":
    run(command, "leaderboard_app.publish", ())
