"""The folder of all submissions: which entries it holds, and what of a folder cannot be one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fcrewardbench.errors import DataError
from fcrewardbench.submissions.card import Sha256, SubmissionCard, parse_card
from fcrewardbench.submissions.pack import CARD, ROWS
from fcrewardbench.submissions.rows import SubmittedRow, read_rows

REPRODUCED = "reproduced.json"
MOST_CARD_BYTES = 2**20
_FOLDER = re.compile(r"[A-Za-z0-9._-]{1,200}")
_BENCHMARK = re.compile(r"[a-z][a-z0-9-]*@[0-9]+")


class Reproduced(BaseModel):
    """That a sample of an entry's rows was scored again and came to the same."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    card_sha256: Sha256
    rows_sha256: Sha256
    date: date
    sample: Annotated[int, Field(ge=1)]
    seed: int
    tolerance: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    largest_difference: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    version: Annotated[str, Field(max_length=40)]


@dataclass(frozen=True, slots=True)
class Entry:
    """A submission as it was read."""

    folder: Path
    card: SubmissionCard
    rows: list[SubmittedRow]
    reproduced: Reproduced | None

    @property
    def id(self) -> str:
        return self.folder.name

    def subset(self, name: str) -> list[SubmittedRow]:
        """The rows of a subset, in the benchmark's order."""
        return [row for row in self.rows if row.subset == name]


def entry_folders(path: Path) -> Iterator[Path]:
    """Entries of all submissions or of one benchmark, by their folders; or the one that `path` is."""
    if "__" in path.name or path.is_symlink() or not path.is_dir() or (path / CARD).exists():
        yield path
        return
    benchmarks = [path] if "@" in path.name else sorted(filter(Path.is_dir, path.iterdir()))
    for benchmark in benchmarks:
        yield from sorted(one for one in benchmark.iterdir() if not one.name.startswith("."))


def names_beside(folder: Path) -> set[str]:
    """The names of the entries of all benchmarks in the folder of submissions that an entry lies in."""
    return {one.name for one in folder.parent.parent.glob("*@*/*__*")}


def folder_problems(folder: Path) -> list[str]:
    """What of an entry's folder cannot be, before anything in it is read."""
    benchmark = folder.parent
    problems = name_problems(benchmark.name, folder.name)
    if folder.is_symlink() or benchmark.is_symlink() or not folder.is_dir():
        return [*problems, "it is no folder of its own (a link or a file)"]
    found = {path.name: path for path in folder.iterdir()}
    for name in sorted(found.keys() - {CARD, ROWS, REPRODUCED}):
        problems.append(f"'{shown(name)}' does not belong into it")
    for name in (CARD, ROWS):
        if name not in found:
            problems.append(f"{name} is missing")
    for name in sorted(found.keys() & {CARD, ROWS, REPRODUCED}):
        if found[name].is_symlink() or not found[name].is_file():
            problems.append(f"{name} is no file of its own")
        elif name != ROWS and found[name].stat().st_size > MOST_CARD_BYTES:
            problems.append(f"{name} has more than {MOST_CARD_BYTES:,} bytes")
    return problems


def name_problems(benchmark: str, name: str) -> list[str]:
    """What of the names of an entry's folder and of the one above it cannot be."""
    problems = []
    if not _BENCHMARK.fullmatch(benchmark):
        problems.append(f"its benchmark's folder is called '{shown(benchmark)}'")
    if not _FOLDER.fullmatch(name) or name.count("__") != 1:
        problems.append(f"its name '{shown(name)}' is not ORGANISATION__MODEL in plain ASCII")
    return problems


def shown(text: str) -> str:
    """A text of unknown origin: at most 500 characters, with escapes for all but plain ASCII."""
    escaped = text[:500].encode("ascii", "backslashreplace").decode("ascii")
    return "".join(one if one.isprintable() else f"\\x{ord(one):02x}" for one in escaped)


def read_entry(folder: Path) -> Entry:
    """Read an entry whose folder has no problems.

    Raises:
        DataError: a file is not what it should be; the message begins with its name.
    """
    card = parse_card(_text(folder / CARD), CARD)
    return Entry(folder, card, read_rows(folder / ROWS, ROWS), read_reproduced(folder))


def read_reproduced(folder: Path) -> Reproduced | None:
    """The badge of an entry, where it has one that is of this card and these rows.

    Raises:
        DataError: it is no badge, or one of another card or other rows.
    """
    path = folder / REPRODUCED
    if not path.exists():
        return None
    try:
        badge = Reproduced.model_validate_json(_text(path))
    except ValidationError as why:
        raise DataError(f"{REPRODUCED}: {why.errors()[0]['msg']}.") from None
    for name, sha256 in ((CARD, badge.card_sha256), (ROWS, badge.rows_sha256)):
        if sha256 != sha256_of(folder / name):
            raise DataError(f"{REPRODUCED} is of another {name}: delete it, or verify again.")
    return badge


def sha256_of(path: Path) -> str:
    """The hash of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as why:
        raise DataError(f"{path.name} is no UTF-8 ({why}).") from None
