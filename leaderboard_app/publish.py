"""Put the built board on the hub as a Space.

Run it: `python -m leaderboard_app.publish OWNER/NAME --site runs/site --wheel dist/*.whl`.
"""

from __future__ import annotations

import shutil
import tempfile
from email.parser import HeaderParser
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import click
from packaging.requirements import Requirement

from fcrewardbench import UsageError
from fcrewardbench.cli.lazy import run
from fcrewardbench.hub import upload

_SPACE = Path(__file__).parent / "space"


@click.command()
@click.argument("space")
@click.option("--site", default=Path("runs/site"), type=click.Path(path_type=Path))
@click.option("--wheel", required=True, type=click.Path(path_type=Path, exists=True))
def command(space: str, site: Path, wheel: Path) -> None:
    """Upload the app, the built SITE and this very package to SPACE, in one commit.

    The package goes unpacked beside the app: where a Space installs its requirements, none of its other
    files may be there yet.
    """
    if not (site / "board.json").is_file():
        raise UsageError(
            f"{site} holds no board: run python -m leaderboard_app.build --out {site}."
        )
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "space"
        shutil.copytree(_SPACE, folder)
        shutil.copytree(site, folder / "site")
        try:
            with ZipFile(wheel) as packed:
                packed.extractall(folder)
        except BadZipFile:
            raise UsageError(f"{wheel} is no wheel: build it with python -m build.") from None
        needed = "".join(f"{one}\n" for one in _requirements(folder))
        (folder / "requirements.txt").write_text(needed, encoding="utf-8")
        click.echo(upload(folder, space, kind="space"))


def _requirements(folder: Path) -> list[str]:
    """What the unpacked package needs with its extra `app`."""
    (metadata,) = folder.glob("*.dist-info/METADATA")
    told = HeaderParser().parsestr(metadata.read_text(encoding="utf-8"))
    needed = []
    for text in told.get_all("Requires-Dist", []):
        one = Requirement(text)
        if one.marker is None or one.marker.evaluate({"extra": "app"}):
            one.marker = None
            needed.append(str(one))
    return needed


if __name__ == "__main__":
    run(command, "leaderboard_app.publish", ())
