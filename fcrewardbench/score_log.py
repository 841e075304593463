"""The rows of a running `score_file`: an append-only file that survives a kill."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fcrewardbench.errors import UsageError
from fcrewardbench.rows import difference
from fcrewardbench.types import Outcome


class ScoreLog:
    """Rows as JSON lines, behind a line that names the run.

    `places` says where in the file each id's row begins; rows are read from there when they are
    needed, so that they are never held together. `failed` are the ids whose row, written since the log
    was opened, is an error.

    A line that a kill cut off is dropped when the log is opened again; rows whose failure is "error"
    do not count as done, and a later row of that id is the one that holds.
    """

    def __init__(self, path: Path, identity: dict[str, Any]) -> None:
        """Open or create.

        Raises:
            UsageError: the log belongs to another run.
        """
        self.places: dict[str, int] = {}
        self.failed: set[str] = set()
        header = json.dumps({"run": identity}, sort_keys=True)
        self._file = path.open("a+b")
        self._file.seek(0)
        written = self._file.readline()
        if not written.endswith(b"\n"):
            self._file.truncate(0)
            self._file.write(header.encode() + b"\n")
            self._file.flush()
        elif written.decode().rstrip("\n") != header:
            self._file.close()
            raise UsageError(
                f"{path} holds the rows of another run ({difference(written, header)}): give another "
                "--out, or --fresh to throw them away."
            )
        else:
            self._read(path)

    def _read(self, path: Path) -> None:
        place = self._file.tell()
        while line := self._file.readline():
            if not line.endswith(b"\n"):
                self._file.truncate(place)
                return
            try:
                row = json.loads(line)
                id, failed = row["id"], row["failure"] == Outcome.ERROR
            except (ValueError, LookupError, TypeError) as why:
                raise UsageError(
                    f"{path} has a line that is no row ({why}): give another --out, or --fresh to "
                    "throw the rows away."
                ) from None
            if not failed:
                self.places[id] = place
            place = self._file.tell()

    def append(self, row: dict[str, Any]) -> None:
        """Write a row; its id is done, unless it failed on the way."""
        if row["failure"] == Outcome.ERROR:
            self.failed.add(row["id"])
        self._file.seek(0, 2)
        self.places[row["id"]] = self._file.tell()
        self._file.write(json.dumps(row).encode() + b"\n")
        self._file.flush()

    def row(self, id: str) -> dict[str, Any]:
        """The row of a group that is done."""
        self._file.seek(self.places[id])
        row: dict[str, Any] = json.loads(self._file.readline())
        return row

    def __enter__(self) -> ScoreLog:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
