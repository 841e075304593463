"""Rows of a run: the append-only log that survives a kill, and the table it ends in."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Any

from fcrewardbench.errors import UsageError
from fcrewardbench.outcomes import outcome_of_scores, outcome_of_verdicts
from fcrewardbench.types import Compared, Group, Item, Outcome, Scored


@dataclass(slots=True)  # frozen ones take several times as long to make
class Row:
    """What one item came to. `scores` and `correct` are in the order of the group's candidates."""

    id: str
    error_type: str
    category: str
    generator: str
    catalogue: str
    outcome: str
    credit: float
    scores: list[float] | None
    correct: list[bool]
    verdicts: list[str] | None
    replies: list[str] | None
    tokens_naive: int
    tokens_computed: int
    detail: str
    doubt: str = ""


def row_of(item: Item, group: Group, result: Scored | Compared) -> Row:
    """The row of an item out of what its adapter gave."""
    assert group.correct is not None
    scores: list[float] | None = None
    credit: float | None = None
    detail = result.detail
    verdicts = replies = None
    if isinstance(result, Compared):
        outcome = outcome_of_verdicts(result, group.correct)
        verdicts = [verdict.value for verdict in result.verdicts]
        replies = list(result.replies)
    elif result.scores is None:
        outcome = result.failure or Outcome.ERROR
    elif not all(math.isfinite(score) for score in result.scores):
        outcome, detail = Outcome.ERROR, f"a score is not a finite number: {result.scores}"
    else:
        if len(result.scores) != len(group.candidates):
            raise ValueError(
                f"the adapter gave {len(result.scores)} scores for the {len(group.candidates)} "
                f"candidates of '{item.id}'"
            )
        scores = [float(score) for score in result.scores]
        outcome, credit = outcome_of_scores(scores, group.correct)
    return Row(
        id=item.id,
        error_type=item.error_type,
        category=item.category,
        generator=item.generator,
        catalogue=item.prompt.catalogue,
        outcome=outcome.value,
        credit=outcome.credit if credit is None else credit,
        scores=scores,
        correct=list(group.correct),
        verdicts=verdicts,
        replies=replies,
        tokens_naive=result.tokens.naive,
        tokens_computed=result.tokens.computed,
        detail=detail,
        doubt=item.doubt,
    )


class RowLog:
    """The rows of a running evaluation, one JSON line each, written as they come.

    The first line names the run, so that no other run is continued by mistake. A line that a kill cut
    off is dropped when the log is opened again, and so are rows whose outcome is `error`: what failed
    on the way gets another chance.
    """

    def __init__(self, path: Path, identity: dict[str, Any]) -> None:
        """Open or create.

        Raises:
            UsageError: the log belongs to another run.
        """
        self.rows: dict[str, Row] = {}
        self.seconds = 0.0
        kept = [json.dumps({"run": identity}, sort_keys=True)]
        if path.exists():
            kept += self._read(path, kept[0])
        scratch = path.with_suffix(".tmp")
        scratch.write_text("".join(line + "\n" for line in kept), encoding="utf-8")
        scratch.replace(path)
        self._file = path.open("a", encoding="utf-8")

    def _read(self, path: Path, header: str) -> list[str]:
        lines = path.read_bytes().split(b"\n")
        if len(lines) > 1 and lines[0].decode() != header:
            raise UsageError(
                f"{path.parent} holds the rows of another run ({difference(lines[0], header)}): give "
                "another --out, or --fresh to throw them away."
            )
        kept = []
        for line in lines[1:-1]:  # what follows the last line end is empty, or was cut off
            try:
                entry = json.loads(line)
                self.seconds, row = entry["seconds"], Row(**entry["row"])
            except (ValueError, LookupError, TypeError) as why:
                raise UsageError(
                    f"{path} has a line that is no row ({why}): give another --out, or --fresh to "
                    "throw the rows away."
                ) from None
            if row.outcome != Outcome.ERROR:
                self.rows[row.id] = row
                kept.append(line.decode())
        return kept

    def append(self, row: Row, seconds: float) -> None:
        """Write a row; `seconds` is the working time of the run so far."""
        self.rows[row.id] = row
        entry = {"row": asdict(row), "seconds": round(seconds, 3)}
        self._file.write(json.dumps(entry) + "\n")
        self._file.flush()

    def __enter__(self) -> RowLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


def difference(old: bytes, new: str) -> str:
    """Which fields of two run identities differ."""
    try:
        before, after = json.loads(old)["run"], json.loads(new)["run"]
    except (ValueError, LookupError, TypeError):
        return "its first line is no run's"
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return "differs in " + ", ".join(sorted(names))


def write_parquet(rows: Iterable[Row], path: Path) -> None:
    """The table of a finished run."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    text = pa.string()
    special = {
        "credit": pa.float64(),
        "scores": pa.list_(pa.float64()),
        "correct": pa.list_(pa.bool_()),
        "verdicts": pa.list_(text),
        "replies": pa.list_(text),
        "tokens_naive": pa.int64(),
        "tokens_computed": pa.int64(),
    }
    schema = pa.schema([(field.name, special.get(field.name, text)) for field in fields(Row)])
    table = pa.Table.from_pylist([asdict(row) for row in rows], schema=schema)
    scratch = path.with_suffix(".tmp")
    pq.write_table(table, scratch)
    scratch.replace(path)


def read_parquet(path: Path) -> list[Row]:
    """The rows of a finished run."""
    import pyarrow.parquet as pq

    return [Row(**record) for record in pq.read_table(path).to_pylist()]
