"""What the trainer's data is made of: records with known right calls, and the pairs made of them.

Pairs are stored as Parquet in the form that benchmarks have (`docs/formats.md`), with columns of their
own besides, so that `fcrb evaluate` and `fcrb show` read a training file, too.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fcrewardbench import AdmissibleCall, Call, Candidate, DataError, Pair, Prompt, parse
from fcrewardbench.benchmarks.export import record_of
from fcrewardbench.benchmarks.records import item_of
from fcrewardbench.render import candidate_text
from fcrewardbench.types import Message

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

ROWS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Record:
    """A prompt, and every call that is due there.

    Args:
        id: unique over all sources: `source/…`.
        source: the name of the data set.
        licence: its SPDX identifier.
        prompt: tools and conversation, up to the turn in which the calls are due.
        answer: the calls that are due, each argument with its admissible values (`""` among them means
            that it may be left out), the best first; empty where no call is due.
        reply: what is rightly said there in place of a call; empty where the source does not tell, and
            where a call is due.
        more_follows: whether other calls follow once these are answered, before anything is said: they
            alone do not serve the request.
    """

    id: str
    source: str
    licence: str
    prompt: Prompt
    answer: tuple[AdmissibleCall, ...]
    reply: str = ""
    more_follows: bool = False

    @property
    def gold(self) -> tuple[Call, ...]:
        """The right calls: of every argument its first admissible value, or none if that is `""`."""
        schemas = {tool.name: tool.parameters["properties"] for tool in self.prompt.tools}
        return tuple(
            Call(
                call.name,
                {
                    name: over_objects(value, schemas.get(call.name, {}).get(name), _firsts)
                    for name, value in _firsts(call.arguments).items()
                },
            )
            for call in self.answer
        )


def _firsts(options: Mapping[str, Sequence[Any]], schema: object = None) -> dict[str, Any]:
    """Of an object's admissible values the first ones, without what is left out."""
    return {name: values[0] for name, values in options.items() if values[0] != ""}


def over_objects(value: Any, schema: Any, change: Callable[[Any, Any], Any]) -> Any:
    """An argument with each object changed that the checker takes apart: itself, or a list's items.

    Args:
        schema: the argument's; None leaves the value as it is.
        change: called with an object and its schema.
    """
    if not isinstance(schema, Mapping):
        return value
    if schema.get("type") == "object" and isinstance(value, Mapping):
        return change(value, schema)
    items = schema.get("items")
    if isinstance(value, list) and isinstance(items, Mapping) and items.get("type") == "object":
        return [over_objects(item, items, change) for item in value]
    return value


@dataclass(frozen=True, slots=True)
class TrainingPair:
    """A pair and where it is from.

    Pairs of one `record` with equal prompts and equal chosen candidates are trained together, their
    prompt computed once. `pair.category` is the source, `pair.generator` the model or `edit:<operator>`
    that made the rejected candidate.
    """

    pair: Pair
    record: str
    licence: str

    @property
    def source(self) -> str:
        return self.pair.category


def write_pairs(path: Path, pairs: Iterable[TrainingPair]) -> int:
    """Write pairs as Parquet, a thousand at a time, and return how many there were.

    The file appears under its name when it is complete.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f"{path.name}.part")
    count = 0
    with pq.ParquetWriter(scratch, _schema()) as writer:
        for rows in _batches(map(_row, pairs)):
            writer.write_table(pa.Table.from_pylist(rows, schema=_schema()))
            count += len(rows)
    scratch.replace(path)
    return count


def read_pairs(path: Path) -> Generator[TrainingPair]:
    """Pairs of a file that `write_pairs` wrote, or of any Parquet file of pairs.

    Raises:
        DataError: the file cannot be read, or a row is no pair, or one whose chosen calls cannot be
            right; the message names the row.
    """
    for number, row in enumerate(_rows(path), 1):
        try:
            item = item_of(row, f"row-{number}")
        except DataError as why:
            raise DataError(f"{path}, row {number}: {why}") from None
        if not isinstance(item, Pair):
            raise DataError(f"{path}, row {number}: a set of candidates, where pairs are due.")
        if (
            "record" in row and "chosen_output" in row
        ):  # our own file: a style is part of a candidate
            item = replace(
                item,
                chosen=_as_written(item.chosen, row["chosen_output"]),
                rejected=_as_written(item.rejected, row["rejected_output"]),
            )
        problem = _problem_of(item)
        if problem:
            raise DataError(f"{path}, row {number}: {problem} Mend the row, or take it out.")
        yield TrainingPair(
            item, str(row.get("record") or item.id), str(row.get("licence") or "unknown")
        )


def _problem_of(pair: Pair) -> str:
    """Why nothing should be learnt from a pair, as far as that can be seen; empty where it cannot."""
    names = [tool.name for tool in pair.prompt.tools]
    if len(set(names)) < len(names):
        return "a tool is there twice."
    if not has_query(pair.prompt.messages):
        return "the conversation has no query, a turn of the user with text."
    calls = pair.chosen
    if isinstance(calls, str):
        read = parse(calls)
        if read.problem:
            return f"the chosen candidate looks like calls that cannot be read ({read.problem})."
        calls = read.calls or ()
    unknown = next((call.name for call in calls if call.name not in names), None)
    if unknown is not None:
        return f"the chosen candidate calls '{unknown}', which is not among the tools."
    return ""


def has_query(messages: Iterable[Message]) -> bool:
    """Whether the user says anything."""
    return any(turn["role"] == "user" and turn["content"].strip() for turn in messages)


def number_of_pairs(path: Path) -> int:
    """How many pairs a file says that it has.

    Raises:
        DataError: the file cannot be read.
    """
    with _opened(path) as file:
        return int(file.metadata.num_rows)


def _opened(path: Path) -> pq.ParquetFile:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path)
    except (OSError, pa.ArrowInvalid) as why:
        raise DataError(f"{path} is no Parquet file of pairs: {why}") from None


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    import pyarrow as pa

    with _opened(path) as file:
        try:
            for batch in file.iter_batches(ROWS_AT_ONCE):
                yield from batch.to_pylist()
        except (OSError, pa.ArrowInvalid) as why:
            raise DataError(f"{path} is damaged: {why}") from None


def _as_written(candidate: Candidate, text: str) -> Candidate:
    """Calls that were written otherwise than we write them, as that text."""
    return candidate if text == candidate_text(candidate) else text


def _row(pair: TrainingPair) -> dict[str, Any]:
    return {**record_of(pair.pair), "record": pair.record, "licence": pair.licence}


def _batches(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch = []
    for row in rows:
        batch.append(row)
        if len(batch) == ROWS_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _schema() -> pa.Schema:
    import pyarrow as pa

    names = (
        *("id", "tools", "conversation", "chosen_output", "rejected_output", "error_type"),
        *("model_name", "test_category", "doubt", "record", "licence"),
    )
    return pa.schema([(name, pa.string()) for name in names])
