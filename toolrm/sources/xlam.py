"""xlam-function-calling-60k (APIGen): `query`, `tools` and `answers`, the last two as JSON text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fcrewardbench import Call
from fcrewardbench.types import JsonObject
from toolrm.records import Record
from toolrm.sources.base import (
    LeftOut,
    Skipped,
    expected,
    files_of,
    parsed,
    record_of,
    rows,
    tools_from,
)

LICENCE = "CC-BY-4.0"
_TYPES = {
    "str": "string",
    "string": "string",
    "int": "integer",
    "integer": "integer",
    "float": "number",
    "number": "number",
    "bool": "boolean",
    "boolean": "boolean",
    "dict": "object",
    "object": "object",
    "list": "array",
    "array": "array",
    "tuple": "array",
    "set": "array",
}


def records(path: Path, skipped: Skipped) -> Iterator[Record]:
    """Records of a JSON, JSONL or Parquet file, or of a folder of such."""
    return read("xlam", LICENCE, path, skipped)


def read(source: str, licence: str, path: Path, skipped: Skipped) -> Iterator[Record]:
    files = files_of(path, (".json", ".jsonl", ".parquet"))
    for number, row in rows(files, ("query", "tools", "answers"), skipped):
        try:
            yield _record(source, licence, number, row)
        except LeftOut as why:
            skipped.add(f"row {number}", why)


def _record(source: str, licence: str, number: int, row: JsonObject) -> Record:
    descriptions, answers = parsed(row["tools"]), parsed(row["answers"])
    if not isinstance(descriptions, list) or not isinstance(answers, list):
        raise LeftOut("tools or answers that are no list")
    tools = tools_from([_openai(description) for description in descriptions])
    answer = [expected(_call(item), tools) for item in answers]
    messages = [{"role": "user", "content": str(row["query"])}]
    return record_of(source, licence, str(row.get("id", number)), tools, messages, answer)


def _call(item: Any) -> Call:
    if not isinstance(item, Mapping) or not isinstance(item.get("name"), str):
        raise LeftOut("an answer that is no call")
    arguments = item.get("arguments")
    if not isinstance(arguments, Mapping):
        raise LeftOut("an answer that is no call")
    return Call(item["name"], arguments)


def _openai(description: Any) -> JsonObject:
    """A description with JSON Schema; xlam gives a bare map of parameters with Python's types."""
    parameters = description.get("parameters") if isinstance(description, Mapping) else None
    if not isinstance(parameters, Mapping):
        raise LeftOut("a tool description that cannot be read")
    if parameters.get("type") == "object" and "properties" in parameters:
        return dict(description)
    properties = {}
    required = []
    for name, parameter in parameters.items():
        if not isinstance(parameter, Mapping):
            raise LeftOut("a tool description that cannot be read")
        declared = str(parameter.get("type", "any"))
        schema = _schema(declared.removesuffix(", optional").strip())
        properties[name] = {**schema, "description": str(parameter.get("description", ""))}
        if parameter.get("default") not in (None, ""):
            properties[name]["default"] = parameter["default"]
        if not declared.endswith("optional") and "default" not in parameter:
            required.append(name)
    return {
        "name": description.get("name"),
        "description": str(description.get("description", "")),
        "parameters": {"type": "object", "properties": properties, "required": required},
    }


def _schema(declared: str) -> dict[str, Any]:
    """JSON Schema of a Python annotation; what it has no word for is "any"."""
    outer, _, inner = declared.partition("[")
    kind = _TYPES.get(outer.strip().lower(), "any")
    inner = inner.removesuffix("]").strip()
    if kind == "array" and inner and "," not in inner:
        return {"type": kind, "items": _schema(inner)}
    return {"type": kind}
