"""What the sources share: their files, and the one way in which a record is made and examined."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from fcrewardbench import AdmissibleCall, Call, DataError, Prompt, Tool, check, validate
from fcrewardbench.benchmarks.files import json_lines
from fcrewardbench.calls.tools import schema_of, tool_from
from fcrewardbench.types import JsonObject, Message
from toolrm.records import Record, has_query, over_objects

UNPARSABLE = "unparsable JSON"
_PYTHON: dict[Any, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


class LeftOut(Exception):
    """A record that cannot be used; the message is the reason under which it is counted."""


class Skipped(Counter[str]):
    """What of a source is left out: how many by reason, and in `which` each of them with its reason."""

    def __init__(self) -> None:
        super().__init__()
        self.which: list[tuple[str, str]] = []

    def add(self, which: str, reason: object) -> None:
        """Leave one out.

        Args:
            which: its id, or its row in the source's files, numbered through.
        """
        self[str(reason)] += 1
        self.which.append((which, str(reason)))


def files_of(path: Path, suffixes: Sequence[str]) -> list[Path]:
    """The file itself, or a folder's files with these suffixes, sorted.

    Raises:
        DataError: there are none.
    """
    files = sorted(f for f in path.rglob("*") if f.suffix in suffixes) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        raise DataError(
            f"There is no data at {path}: expected is a file, or a folder of files, that ends in "
            f"{' or '.join(suffixes)}."
        )
    return files


def json_file(path: Path, expected: str) -> Any:
    """What a JSON file holds.

    Args:
        expected: what the source is made of, for the message.

    Raises:
        DataError: no such file, or no JSON in it.
    """
    try:
        return json.loads(path.read_bytes())
    except OSError:
        raise DataError(f"There is no file {path}: expected is {expected}.") from None
    except (ValueError, RecursionError) as why:
        raise DataError(f"{path} is not JSON ({why}): expected is {expected}.") from None


def rows(
    files: Sequence[Path], fields: Sequence[str], skipped: Skipped
) -> Iterator[tuple[int, JsonObject]]:
    """The rows of JSON, JSONL, Parquet or Arrow files that have these fields, numbered through.

    Raises:
        DataError: a file cannot be read, or no row of any file has the fields.
    """
    number = 0
    found = False
    for file in files:
        for row in _rows(file):
            number += 1
            if not isinstance(row, Mapping):
                skipped.add(f"row {number}", UNPARSABLE)
            elif any(row.get(field) is None for field in fields):
                skipped.add(f"row {number}", "a field is missing")
            else:
                found = True
                yield number, row
    if not found:
        raise DataError(
            f"{files[0]} has no usable row: expected are rows with {', '.join(fields)}."
        )


def _rows(file: Path) -> Iterator[Any]:
    if file.suffix in (".parquet", ".arrow"):
        yield from _columns(file)
        return
    if not file.is_file():
        raise DataError(f"There is no file {file}.")
    with file.open("rb") as opened:
        is_array = opened.read(64).lstrip()[:1] == b"["
    if not is_array:
        yield from (row for _, row in json_lines(file))
        return
    yield from json_file(file, "a list of objects")


def _columns(file: Path) -> Iterator[JsonObject]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        is_parquet = file.suffix == ".parquet"
        batches = pq.ParquetFile(file).iter_batches(256) if is_parquet else _arrow(file)
        for batch in batches:
            yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as why:
        raise DataError(f"{file} cannot be read as {file.suffix[1:]}: {why}.") from None


def _arrow(file: Path) -> Iterator[Any]:
    """Record batches of an Arrow file, or of an Arrow stream, which is what `datasets` writes."""
    import pyarrow as pa

    with file.open("rb") as source:
        if source.read(6) == b"ARROW1":
            reader = pa.ipc.open_file(file)
            yield from (reader.get_batch(index) for index in range(reader.num_record_batches))
        else:
            source.seek(0)
            yield from pa.ipc.open_stream(source)


def parsed(text: Any) -> Any:
    """JSON text as what it says; what is no text as it is."""
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise LeftOut(UNPARSABLE) from None


def tools_from(descriptions: Any) -> tuple[Tool, ...]:
    """Tools out of a list of descriptions, or out of one."""
    if isinstance(descriptions, Mapping):
        descriptions = [descriptions]
    try:
        tools = tuple(tool_from(description) for description in descriptions or ())
        readable = all(_is_readable(schema_of(tool.original)) for tool in tools)
    except (DataError, AttributeError, TypeError, RecursionError):
        readable = False
    if not readable:
        raise LeftOut("a tool description that cannot be read")
    return tools


def _is_readable(schema: Any) -> bool:
    """Whether a schema is an object all the way down, as checker and edits take it.

    JSON Schema also allows true and false, which say nothing that a call could be checked against.
    """
    if not isinstance(schema, Mapping):
        return False
    required = schema.get("required") or []
    texts = isinstance(required, list) and all(isinstance(name, str) for name in required)
    properties = schema.get("properties") or {}
    inner = [*properties.values()] if isinstance(properties, Mapping) else [None]
    if "items" in schema:
        inner.append(schema["items"])
    options = schema.get("enum")
    return texts and isinstance(options, list | None) and all(map(_is_readable, inner))


def called(calls: Sequence[Call]) -> Message:
    """The turn in which the assistant made these calls."""
    made = [{"type": "function", "function": call.as_dict()} for call in calls]
    return {"role": "assistant", "content": "", "tool_calls": made}


def returned(tool: str, content: str) -> Message:
    """The turn in which a tool answered."""
    return {"role": "tool", "name": tool, "content": content}


def expected(
    call: Call, tools: Sequence[Tool], spellings: Mapping[str, Sequence[Any]] | None = None
) -> AdmissibleCall:
    """A gold call with its admissible values.

    An optional argument whose value is its default may also be left out, and one that is left out
    may be given as its default, or in one of its spellings.

    Args:
        spellings: values of an argument that are as good as the one given.

    Raises:
        LeftOut: the tools do not have the call's tool, or it does not have one of the arguments.
    """
    tool = next((tool for tool in tools if tool.name == call.name), None)
    if tool is None:
        raise LeftOut("a gold call of a tool that is not there")
    if not tool.parameters["properties"].keys() >= call.arguments.keys():
        raise LeftOut("an argument that is not in the schema")
    given = {
        name: over_objects(value, tool.parameters["properties"][name], _admissible)
        for name, value in call.arguments.items()
    }
    return AdmissibleCall(call.name, _admissible(given, tool.parameters, spellings or {}))


def _admissible(
    given: Mapping[str, Any],
    schema: Mapping[str, Any],
    spellings: Mapping[str, Sequence[Any]] = MappingProxyType({}),
) -> dict[str, list[Any]]:
    """Of an object's values, the admissible ones."""
    properties, required = schema.get("properties") or {}, schema.get("required") or ()
    values: dict[str, list[Any]] = {}
    for name, value in given.items():
        options = _distinct([value, *spellings.get(name, ())])
        may_go = name not in required and value in _default(properties.get(name))
        values[name] = [*options, ""] if may_go else options
    for name, inner in properties.items():
        if name in values or name in required:
            continue
        options = _distinct([*spellings.get(name, ()), *_default(inner)])
        if options:
            values[name] = ["", *options]
    return values


def _default(schema: Any) -> list[Any]:
    """The schema's default, where it is a value of the declared type that says something."""
    if not isinstance(schema, Mapping) or schema.get("default") in (None, ""):
        return []
    default = schema["default"]
    fits = _PYTHON.get(str(schema.get("type")), ())
    return [default] if type(default) in fits else []


def _distinct(values: Sequence[Any]) -> list[Any]:
    return list(
        {json.dumps(value, sort_keys=True, default=str): value for value in values}.values()
    )


def record_of(
    source: str,
    licence: str,
    id: str,
    tools: Sequence[Tool],
    messages: Sequence[Message],
    answer: Sequence[AdmissibleCall],
) -> Record:
    """A record whose gold calls pass the checker and obey the schemas.

    Raises:
        LeftOut: they do not, or the record has no query, no tools, or one of them twice.
    """
    if not tools:
        raise LeftOut("no tools")
    if len({tool.name for tool in tools}) < len(tools):
        raise LeftOut("a tool twice")
    if not has_query(messages):
        raise LeftOut("no query")
    prompt = Prompt(tuple(tools), tuple(messages))
    record = Record(f"{source}/{id}", source, licence, prompt, tuple(answer))
    try:
        known = [tool.original for tool in tools]
        content = [record.id, known, messages, [call.arguments for call in answer]]
        json.dumps(content, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError):  # half of a surrogate pair, NaN, a date, a set
        raise LeftOut("a value that JSON cannot hold") from None
    try:
        if not check(record.gold, record.answer, tools).ok:
            raise LeftOut("a gold call that the checker does not pass")
        if validate(record.gold, tools):
            raise LeftOut("a gold call that its schema forbids")
    except (DataError, RecursionError):
        raise LeftOut("a schema that calls cannot be checked against") from None
    return record
