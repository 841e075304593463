"""Scores kept by what they are of: weights and settings, token ids, dtype → score.

One SQLite file, which several processes may use at once. A score is found again only for the very same
model, settings and tokens, so it serves evaluation, best-of-n and filtering alike.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from fcrewardbench.errors import UsageError

_LOOKUP_ROWS = 500
_BUSY_SECONDS = 60.0


class ScoreStore:
    """A file of scores.

    Raises:
        UsageError: the file cannot be opened, or is no score store.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path).expanduser()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            # Closed by whoever exhausts or drops the generator of scores, which may be another thread.
            self._connection = sqlite3.connect(
                self._path, timeout=_BUSY_SECONDS, check_same_thread=False
            )
            with self._connection as begun:
                begun.execute("PRAGMA journal_mode=WAL")
                begun.execute(
                    "CREATE TABLE IF NOT EXISTS scores (key BLOB PRIMARY KEY, score REAL NOT NULL)"
                    " WITHOUT ROWID"
                )
        except sqlite3.Error as why:
            raise UsageError(f"{self._path} cannot be used as a score store: {why}.") from None

    def get(self, keys: Sequence[bytes]) -> dict[bytes, float]:
        """The scores of those keys that have one."""
        found: dict[bytes, float] = {}
        for first in range(0, len(keys), _LOOKUP_ROWS):
            some = keys[first : first + _LOOKUP_ROWS]
            marks = ",".join("?" * len(some))
            rows = self._connection.execute(
                f"SELECT key, score FROM scores WHERE key IN ({marks})", some
            )
            found.update(rows)
        return found

    def put(self, scores: Iterable[tuple[bytes, float]]) -> None:
        """Keep scores; they are on disk when this returns."""
        with self._connection as begun:
            begun.executemany("INSERT OR REPLACE INTO scores VALUES (?, ?)", scores)

    def __enter__(self) -> ScoreStore:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()


def identity_of(settings: Mapping[str, Any]) -> bytes:
    """A hash of everything besides the tokens that can change a score."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).digest()


def key_of(identity: bytes, asked: object) -> bytes:
    """The key of one score; `asked` is what is computed for it, down to the token ids."""
    return hashlib.sha256(identity + repr(asked).encode()).digest()
