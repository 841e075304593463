"""The rows of a submission: one Parquet file, read with its limits checked before its content."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fcrewardbench.benchmarks.labels import Label
from fcrewardbench.errors import DataError
from fcrewardbench.outcomes import outcome_of_scores, outcome_of_verdicts
from fcrewardbench.rows import Row
from fcrewardbench.types import Compared, Outcome, Verdict

if TYPE_CHECKING:
    import pyarrow as pa

MOST_BYTES = 8 * 2**20
MOST_ROWS = 50_000
MOST_VALUES = 40 * MOST_ROWS
MOST_UNPACKED = 64 * 2**20
MOST_CANDIDATES = 100
LONGEST_TEXT = 300
LARGEST_SCORE = 1e9
_TEXTS = ("subset", "id", "error_type", "category", "generator", "catalogue", "outcome")
_VERDICTS = ("verdict", "verdict_swapped")
_LISTS = ("correct", "scores")
_OPTIONAL = {"scores", *_VERDICTS}
_OUTCOMES, _SAYINGS = frozenset(Outcome), frozenset(Verdict)
_WITHOUT_SCORES = {Outcome.REFUSED, Outcome.TOO_LONG, Outcome.ERROR, Outcome.UNPARSED}


@dataclass(slots=True)  # frozen ones take several times as long to make
class SubmittedRow:
    """One row: the benchmark's labels, and what the model made of it.

    A scorer has `scores`, a judge its verdicts in the order of the group's candidates and in the
    swapped one; a row that could not be scored has neither. `correct` and `scores` are in the group's
    order.
    """

    subset: str
    id: str
    error_type: str
    category: str
    generator: str
    catalogue: str
    correct: list[bool]
    scores: list[float] | None
    verdict: str | None
    verdict_swapped: str | None
    outcome: str
    tokens_naive: int
    tokens_computed: int

    def label(self) -> Label:
        return (
            self.id,
            self.error_type,
            self.category,
            self.generator,
            self.catalogue,
            self.correct,
        )

    def problem(self) -> str:
        """What is wrong with it by itself; empty where nothing is."""
        if len(self.correct) < 2 or all(self.correct) or not any(self.correct):
            return "correct has to name one right and one wrong candidate at least"
        if self.outcome not in _OUTCOMES:
            return f"'{self.outcome}' is no outcome"
        if min(self.tokens_naive, self.tokens_computed) < 0:
            return "a count of tokens is below zero"
        judged = self.verdict is not None or self.verdict_swapped is not None
        if judged and self.scores is not None:
            return "it has scores and verdicts; a model gives one of them"
        if self.scores is not None and len(self.scores) != len(self.correct):
            return f"{len(self.scores)} scores for {len(self.correct)} candidates"
        for score in self.scores or ():
            if not math.isfinite(score):
                return f"the score {score} is not finite"
            if abs(score) > LARGEST_SCORE:
                return f"the score {score} is beyond {LARGEST_SCORE:.0e} in size"
        if judged and not {self.verdict, self.verdict_swapped} <= _SAYINGS:
            return f"'{self.verdict}' and '{self.verdict_swapped}' are not two verdicts"
        if judged and len(self.correct) != 2:
            return f"verdicts about {len(self.correct)} candidates; a judge compares two"
        return self._contradiction(judged)

    def _contradiction(self, judged: bool) -> str:
        if self.scores is None and not judged:
            if self.outcome not in _WITHOUT_SCORES:
                return f"it has no scores and the outcome '{self.outcome}'"
            return ""
        found = self.computed()[0]
        if self.outcome != found:
            what = "verdicts" if judged else "scores"
            return f"its {what} come to '{found.value}', not to '{self.outcome}'"
        return ""

    def computed(self) -> tuple[Outcome, float]:
        """Outcome and credit that follow from scores or verdicts."""
        if self.scores is not None:
            return outcome_of_scores(self.scores, self.correct)
        if self.verdict is not None and self.verdict_swapped is not None:
            verdicts = (Verdict(self.verdict), Verdict(self.verdict_swapped))
            outcome = outcome_of_verdicts(Compared(self.id, verdicts), tuple(self.correct))
            return outcome, outcome.credit
        return Outcome(self.outcome), 0.0

    def row(self, doubt: str = "") -> Row:
        """The same as a row of a run."""
        outcome, credit = self.computed()
        judged = self.verdict is not None and self.verdict_swapped is not None
        return Row(
            id=self.id,
            error_type=self.error_type,
            category=self.category,
            generator=self.generator,
            catalogue=self.catalogue,
            outcome=outcome.value,
            credit=credit,
            scores=self.scores,
            correct=self.correct,
            verdicts=[str(self.verdict), str(self.verdict_swapped)] if judged else None,
            replies=None,
            tokens_naive=self.tokens_naive,
            tokens_computed=self.tokens_computed,
            detail="",
            doubt=doubt,
        )


def submitted_row(subset: str, row: Row) -> SubmittedRow:
    """A run's row without what the model wrote, which a submission does not carry."""
    first, swapped = row.verdicts if row.verdicts else (None, None)
    return SubmittedRow(
        subset=subset,
        id=row.id,
        error_type=row.error_type,
        category=row.category,
        generator=row.generator,
        catalogue=row.catalogue,
        correct=row.correct,
        scores=row.scores,
        verdict=first,
        verdict_swapped=swapped,
        outcome=row.outcome,
        tokens_naive=row.tokens_naive,
        tokens_computed=row.tokens_computed,
    )


def _schema() -> pa.Schema:
    import pyarrow as pa

    text, number = pa.string(), pa.int64()
    types = {
        **dict.fromkeys((*_TEXTS[:6],), text),
        "correct": pa.list_(pa.bool_()),
        "scores": pa.list_(pa.float64()),
        **dict.fromkeys(_VERDICTS, text),
        "outcome": text,
        "tokens_naive": number,
        "tokens_computed": number,
    }
    return pa.schema(list(types.items()))


def write_rows(rows: Iterable[SubmittedRow], path: Path) -> None:
    """Write the rows of a submission."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist([asdict(row) for row in rows], schema=_schema())
    pq.write_table(table, path, compression="zstd")


def read_rows(path: Path, where: str) -> list[SubmittedRow]:
    """The rows in a file, which may be anybody's.

    Raises:
        DataError: the file is no such table, or larger than a submission can be.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    size = path.stat().st_size
    if size > MOST_BYTES:
        raise DataError(f"{where} has {size:,} bytes; {MOST_BYTES:,} are the limit.")
    try:
        with pq.ParquetFile(path) as file:
            _check_limits(file.metadata, where)
            _check_columns(file.schema_arrow, where)
        with pq.ParquetFile(path, read_dictionary=[*_TEXTS, *_VERDICTS]) as file:
            table = file.read(use_threads=False)
        table.validate(full=True)
        _check_content(table, where)
        columns = {name: _values(table.column(name)) for name in table.column_names}
    except (OSError, ValueError, MemoryError, pa.ArrowException) as why:
        reason = " ".join(str(why).split())[:200]
        raise DataError(f"{where} is no Parquet file that can be read ({reason}).") from None
    if not _is_complete(table):
        _check_complete(columns, where)
    return [SubmittedRow(*values) for values in zip(*columns.values(), strict=True)]


def _values(column: pa.ChunkedArray) -> list[Any]:
    """What Arrow's `to_pylist` gives, several times as fast; equal texts are one object."""
    import pyarrow as pa

    values: list[Any] = []
    for chunk in column.chunks:
        if pa.types.is_dictionary(chunk.type):
            words = [word and sys.intern(word) for word in chunk.dictionary.to_pylist()]
            values += [None if place is None else words[place] for place in _plain(chunk.indices)]
        elif pa.types.is_list(chunk.type):
            values += _lists(chunk)
        else:
            values += _plain(chunk)
    return values


def _plain(array: pa.Array) -> list[Any]:
    """Numbers or truth values, and None where there is none; Arrow's `to_numpy` would import pandas."""
    import numpy as np
    import pyarrow as pa

    if array.null_count or not len(array):
        return list(array.to_pylist())
    if pa.types.is_boolean(array.type):
        return list(map(bool, _plain(array.cast(pa.uint8()))))
    whole = np.frombuffer(array.buffers()[1], array.type.to_pandas_dtype())
    return list(whole[array.offset : array.offset + len(array)].tolist())


def _lists(array: pa.ListArray) -> list[list[Any] | None]:
    inner, ends = _plain(array.values), _plain(array.offsets)
    absent = _plain(array.is_null())
    return [
        None if none else inner[start:end]
        for (start, end), none in zip(pairwise(ends), absent, strict=True)
    ]


def _check_limits(metadata: Any, where: str) -> None:
    """What the file's own directory says of its size; nothing is unpacked yet."""
    groups = [metadata.row_group(place) for place in range(metadata.num_row_groups)]
    rows = max(metadata.num_rows, sum(group.num_rows for group in groups))
    if rows > MOST_ROWS:
        raise DataError(f"{where} has {rows:,} rows; {MOST_ROWS:,} are the limit.")
    columns = [group.column(place) for group in groups for place in range(group.num_columns)]
    if sum(column.total_uncompressed_size for column in columns) > MOST_UNPACKED:
        raise DataError(f"{where} has more than {MOST_UNPACKED:,} bytes when it is unpacked.")
    if sum(column.num_values for column in columns) > MOST_VALUES:
        raise DataError(f"{where} has more than {MOST_VALUES:,} values.")


def _check_columns(schema: pa.Schema, where: str) -> None:
    import pyarrow as pa

    expected = _schema()
    if schema.names != expected.names:
        raise DataError(
            f"{where} has the columns {', '.join(schema.names)[:500]} and not "
            f"{', '.join(expected.names)}: write it with fcrb submit."
        )
    for field in expected:
        found = schema.field(field.name).type
        plain = found.value_type if pa.types.is_dictionary(found) else found
        if plain != field.type:
            raise DataError(f"{where}: the column {field.name} is {found}, not {field.type}.")


def _check_content(table: pa.Table, where: str) -> None:
    """Long texts and lists, before they are made Python's.

    Texts are read as dictionaries, so that one that stands in every row is met once.
    """
    import pyarrow.compute as pc

    if table.nbytes > MOST_UNPACKED:
        raise DataError(f"{where} has more than {MOST_UNPACKED:,} bytes when it is unpacked.")
    for name in _LISTS:
        longest = pc.max(pc.list_value_length(table.column(name))).as_py() or 0
        if longest > MOST_CANDIDATES:
            raise DataError(
                f"{where}: a list of {longest:,} in the column {name}; {MOST_CANDIDATES} are the limit."
            )
    for name in (*_TEXTS, *_VERDICTS):
        for chunk in table.column(name).chunks:
            longest = pc.max(pc.utf8_length(chunk.dictionary)).as_py() or 0
            if longest > LONGEST_TEXT:
                raise DataError(
                    f"{where}: a text of {longest:,} characters in the column {name}; "
                    f"{LONGEST_TEXT} are the limit."
                )


def _is_complete(table: pa.Table) -> bool:
    """Whether Arrow counts no absent value where one is due; a second look decides what it counts."""
    parts = [
        chunk.values if name in _LISTS else chunk.dictionary
        for name in (*_LISTS, *_TEXTS, *_VERDICTS)
        for chunk in table.column(name).chunks
    ]
    due = [table.column(name) for name in table.column_names if name not in _OPTIONAL]
    return not any(one.null_count for one in (*parts, *due))


def _check_complete(columns: Mapping[str, Sequence[Any]], where: str) -> None:
    """That only scores and verdicts are absent, and no part of a list is."""
    due = {name: values for name, values in columns.items() if name not in _OPTIONAL}
    lists = [parts for name in _LISTS for parts in columns[name] if parts]
    if not any(None in values for values in due.values()) and not any(map(_has_gap, lists)):
        return
    for place in range(len(columns["id"])):
        missing = [name for name, values in due.items() if values[place] is None]
        gap = _has_gap(columns["correct"][place]) or _has_gap(columns["scores"][place])
        if missing or gap:
            what = ", ".join(missing) or "a list"
            raise DataError(f"{where}, row {place}: {what} has no value.", row=place)


def _has_gap(parts: Sequence[Any] | None) -> bool:
    return parts is not None and None in parts
