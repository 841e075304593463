"""Submissions → a folder of static files, which any web server shows and `app.py` serves.

Run it: `python -m leaderboard_app.build --submissions submissions --out runs/site`.
"""

from __future__ import annotations

import gc
import json
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import click

from fcrewardbench import DataError
from fcrewardbench.benchmarks.labels import known_labels
from fcrewardbench.cli.lazy import run
from fcrewardbench.submissions.entries import entry_folders, folder_problems, read_entry
from leaderboard_app.entries import Entrants, Field, details, summary
from leaderboard_app.items import CHUNK, chunks, index, items_of
from leaderboard_app.outcomes import Json

PAGE = Path(__file__).parent / "page"
SCHEMA_VERSION = 2


def build(submissions: Path, out: Path, *, repository: str | None = None) -> Json:
    """Write the site, in place of what `out` holds, and return what `board.json` says.

    Raises:
        DataError: an entry cannot be read, or there is none.
    """
    with _uncollected():
        fields = _fields(submissions)
    if out.exists() and not (out / "board.json").exists() and any(out.iterdir()):
        raise DataError(f"{out} holds something that is no board: give another folder.")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as scratch:
        site = Path(scratch) / out.name
        shutil.copytree(PAGE, site)
        board = _write(fields, site, repository, _commit(submissions))
        if out.exists():
            shutil.rmtree(out)
        site.replace(out)
    return board


@contextmanager
def _uncollected() -> Iterator[None]:
    """Rows are millions of lists and none is in a cycle, which the collector would look for."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _fields(submissions: Path) -> list[Field]:
    by_benchmark = {name: Entrants(name) for name in known_labels()}
    for folder in entry_folders(submissions):
        problems = folder_problems(folder)
        if problems:
            raise DataError(f"{folder}: {'; '.join(problems)}.")
        try:
            entry = read_entry(folder)
        except DataError as why:
            raise DataError(f"{folder}: {why}") from None
        if entry.card.benchmark not in by_benchmark:
            raise DataError(f"{folder} is on {entry.card.benchmark}, which takes no submissions.")
        by_benchmark[entry.card.benchmark].add(entry)
    found = [one.field() for one in by_benchmark.values() if one.entries]
    if not found:
        raise DataError(f"{submissions} holds no submissions.")
    return found


def _write(fields: list[Field], site: Path, repository: str | None, commit: str | None) -> Json:
    board: Json = {
        "schema_version": SCHEMA_VERSION,
        "built": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit,
        "repository": repository,
        "version": version("fcrewardbench"),
        "benchmarks": [],
        "entries": [],
    }
    for field in fields:
        subsets = [_write_subset(field, name, site) for name in field.known]
        shown = [one for one in subsets if one is not None]
        board["benchmarks"].append({"key": field.benchmark, "subsets": shown})
        for place, standing in enumerate(field.standings):
            board["entries"].append(summary(standing))
            path = site / "models" / field.benchmark / f"{standing.entry.id}.json"
            _write_json(path, details(field, place))
    _write_json(site / "board.json", board)
    _write_json(site / "server.json", {"validate": False})
    return board


def _write_subset(field: Field, name: str, site: Path) -> Json | None:
    """The files of one subset, and what the board says of it; None where no entry has it."""
    rows = field.labels.get(name)
    if rows is None:
        return None
    folder = site / "pairs" / field.benchmark / name
    _write_json(folder / "index.json", index(field, name))
    items = items_of(field, name)
    for place, chunk in enumerate(chunks(field, name, items)):
        _write_json(folder / f"{place}.json", chunk)
    known = field.known[name]
    return {
        "name": name,
        "required": known.required,
        "items": known.rows,
        "sets": any(row.candidates > 2 for row in rows),
        "balanced": known.balanced,
        "data_sha256": known.data_sha256,
        "disputed": sum(bool(row.doubt) for row in rows),
        "error_types": Counter(row.error_type for row in rows).most_common(),
        "categories": Counter(row.category for row in rows).most_common(),
        "texts": items is not None,
        "chunk": CHUNK,
    }


def _write_json(path: Path, data: Json) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    path.write_text(text, encoding="utf-8")


def _commit(folder: Path) -> str | None:
    """The commit that the submissions are of, where git tells."""
    command = ["git", "-C", str(folder), "rev-parse", "--verify", "HEAD"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return found.stdout.strip() or None


@click.command()
@click.option(
    "--submissions",
    default=Path("submissions"),
    show_default=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
)
@click.option(
    "--out",
    default=Path("runs/site"),
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
)
@click.option("--repository", help="The address that disputes go to: https://…")
def command(submissions: Path, out: Path, repository: str | None) -> None:
    """Build the board's static files out of submissions."""
    board = build(submissions, out, repository=repository)
    click.echo(f"{out}: {len(board['entries'])} entries on {len(board['benchmarks'])} benchmarks")


if __name__ == "__main__":
    run(command, "leaderboard_app.build", ())
