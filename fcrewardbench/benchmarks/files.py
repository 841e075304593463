"""Anybody's pairs: JSONL, Parquet, Arrow, or a data set on the hub."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fcrewardbench.benchmarks.base import benchmark_of
from fcrewardbench.benchmarks.records import item_of
from fcrewardbench.errors import DataError
from fcrewardbench.types import Benchmark, Item

SUFFIXES = (".jsonl", ".json", ".parquet", ".arrow")
LONGEST_LINE = 16 * 2**20
"""Bytes. A longer line is not a pair, and reading it would take memory without bound."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of a file: where it stands, and the item in it or what is wrong with it."""

    where: str
    item: Item | None
    problem: str = ""


def load_file(path: Path) -> Benchmark:
    """The pairs of a JSONL (`.jsonl`, `.json`), Parquet or Arrow file.

    Raises:
        DataError: the first problem found; `entries` gives all of them.
    """

    def items() -> Iterator[Item]:
        for entry in entries(path):
            if entry.item is None:
                raise DataError(
                    f"{entry.where}: {entry.problem} Run fcrb check {path} to see every problem."
                )
            yield entry.item

    return benchmark_of(path.stem, "1", items(), str(path))


def load_hub(repository: str) -> Benchmark:
    """The pairs of a hub data set: its only split, or the one named data, test or train."""
    import datasets
    from huggingface_hub.errors import HfHubHTTPError

    try:
        splits = datasets.load_dataset(repository)
    except datasets.exceptions.DatasetNotFoundError as why:
        raise DataError(
            f"The hub has no data set {repository}, or cannot be asked: check the id and the network, "
            "or give a local file."
        ) from why
    except (ConnectionError, OSError, HfHubHTTPError) as why:
        raise DataError(
            f"The hub cannot be reached for the data set {repository}: go online, or give a local file."
        ) from why
    except (ValueError, datasets.exceptions.DatasetGenerationError) as why:
        raise DataError(f"The hub's data set {repository} cannot be read: {why}.") from why
    name = next((n for n in ("data", "test", "train") if n in splits), next(iter(splits)))
    revision = splits[name].info.version
    records = (_without_nulls(dict(row)) for row in splits[name])
    items = _items(records, repository)
    return benchmark_of(repository, str(revision), items, repository)


def entries(path: Path) -> Iterator[Entry]:
    """Every record of a file, in order, with its problem where it has one.

    Raises:
        DataError: the file cannot be read at all.
    """
    if not path.is_file():
        raise DataError(f"There is no file {path}.")
    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty; it should hold one pair a line.")
    rows = _columns(path) if path.suffix in (".parquet", ".arrow") else json_lines(path)
    seen: dict[str, str] = {}
    for number, (where, record) in enumerate(rows, 1):
        if isinstance(record, str):
            yield Entry(where, None, record)
            continue
        try:
            item = item_of(record, str(number))
        except DataError as why:
            yield Entry(where, None, str(why))
            continue
        if item.id in seen:
            problem = f"the id '{item.id}' stands twice, first at {seen[item.id]}; make ids unique."
            yield Entry(where, None, problem)
            continue
        seen[item.id] = where
        yield Entry(where, item)


def json_lines(path: Path) -> Iterator[tuple[str, Mapping[str, Any] | str]]:
    """Where each line of a file stands, and its object or a sentence on what is wrong with it."""
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LONGEST_LINE + 1):
            number += 1
            where = f"{path}, line {number}"
            if len(line) > LONGEST_LINE:
                while line and not line.endswith(b"\n"):
                    line = file.readline(LONGEST_LINE)
                yield where, f"the line is longer than {LONGEST_LINE // 2**20} MiB; a pair is not."
                continue
            if line.strip():
                yield where, _record(line, first=number == 1)


def _record(line: bytes, *, first: bool) -> Mapping[str, Any] | str:
    try:
        text = line.decode("utf-8-sig" if first else "utf-8")
    except UnicodeDecodeError as why:
        return f"not UTF-8 (byte {why.start}: {why.reason}); save the file as UTF-8."
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as why:
        array = first and text.lstrip().startswith("[")
        hint = "; this looks like a JSON array, write one object a line" if array else ""
        return f"not JSON ({why}){hint}."
    if not isinstance(record, dict):
        return f"a line holds one object, not {type(record).__name__}; write one object a line."
    return record


def _columns(path: Path) -> Iterator[tuple[str, Mapping[str, Any] | str]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        batches = (
            pq.ParquetFile(path).iter_batches(batch_size=256)
            if path.suffix == ".parquet"
            else _arrow_batches(path)
        )
        number = 0
        for batch in batches:
            for row in batch.to_pylist():
                number += 1
                yield f"{path}, row {number}", _without_nulls(row)
    except (pa.ArrowException, OSError) as why:
        raise DataError(f"{path} cannot be read as {path.suffix[1:]}: {why}.") from why


def _arrow_batches(path: Path) -> Iterator[Any]:
    """Record batches of an Arrow stream, as `datasets` writes it, or of an Arrow file."""
    import pyarrow as pa

    with path.open("rb") as source:
        if source.read(6) == b"ARROW1":
            reader = pa.ipc.open_file(path)
            yield from (reader.get_batch(i) for i in range(reader.num_record_batches))
        else:
            source.seek(0)
            yield from pa.ipc.open_stream(source)


def _items(records: Iterable[Mapping[str, Any]], source: str) -> Iterator[Item]:
    for number, record in enumerate(records, 1):
        try:
            yield item_of(record, str(number))
        except DataError as why:
            raise DataError(f"{source}, row {number}: {why}") from None


def _without_nulls(value: Any) -> Any:
    """Columns give every object every key that any row has; the ones a row does not have are null."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value
