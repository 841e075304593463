"""Seal-Tools: single-turn questions with one or several calls and five tools to choose from.

Many of its gold values were made up and cannot be had from the question. Where such an argument is
required the record is left out; where it is optional it may be left out.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fcrewardbench import AdmissibleCall, Call, DataError, Tool
from fcrewardbench.benchmarks.files import json_lines
from fcrewardbench.types import JsonObject
from toolrm.records import Record
from toolrm.sources.base import LeftOut, Skipped, expected, json_file, record_of, rows, tools_from
from toolrm.sources.grounding import grounded

LICENCE = "Apache-2.0"
_EXPECTED = "Seal-Tools, a folder of dev.jsonl, tool.jsonl and dataset_for_finetune_dev.json"
_LISTED = re.compile(r"^api_list = (\[.*\])$", re.MULTILINE)
_EARLIER = re.compile(r"API_call_\d+")
_TYPES = {
    "str": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "list": "array",
    "dict": "object",
}


def records(path: Path, skipped: Skipped) -> Iterator[Record]:
    """A record for each question.

    Raises:
        DataError: one of the folder's three files is missing or holds something else.
    """
    for name in ("dev.jsonl", "tool.jsonl"):
        if not (path / name).is_file():
            raise DataError(f"There is no file {path / name}: expected is {_EXPECTED}.")
    schemas = {}
    for where, row in json_lines(path / "tool.jsonl"):
        if isinstance(row, Mapping) and "api_name" in row:
            schemas[str(row["api_name"])] = row
        else:
            skipped.add(Path(where).name, "a tool description that cannot be read")
    prompts = _prompts(path / "dataset_for_finetune_dev.json")
    for number, row in rows([path / "dev.jsonl"], ("id", "query", "calling"), skipped):
        try:
            yield _record(row, prompts, schemas)
        except LeftOut as why:
            skipped.add(f"row {number}", why)


def _prompts(path: Path) -> dict[str, str]:
    found = json_file(path, _EXPECTED)
    if not isinstance(found, list):
        raise DataError(f"{path} is no list of conversations: expected is {_EXPECTED}.")
    prompts = {}
    for number, row in enumerate(found, 1):
        try:
            prompts[row["id"]] = row["conversations"][0]["value"]
        except (KeyError, TypeError, IndexError):
            raise DataError(f"{path}, row {number}: no conversation, or no id.") from None
    return prompts


def _record(
    row: JsonObject, prompts: Mapping[str, str], schemas: Mapping[str, JsonObject]
) -> Record:
    query = str(row["query"])
    try:
        calls = [Call(str(call["api"]), dict(call["parameters"])) for call in row["calling"]]
    except (KeyError, TypeError, ValueError):
        raise LeftOut("a gold call that cannot be read") from None
    if _EARLIER.search(str([call.arguments for call in calls])):
        raise LeftOut("a call that needs the result of another")
    listed = _listed(prompts.get(row["id"], ""))
    listed |= {call.name: schemas[call.name] for call in calls if call.name in schemas}
    tools = tools_from([_openai(description) for description in listed.values()])
    answer = [_admissible(call, tools, query) for call in calls]
    messages = [{"role": "user", "content": query}]
    return record_of("seal-tools", LICENCE, str(row["id"]), tools, messages, answer)


def _listed(prompt: str) -> dict[str, JsonObject]:
    """The tools that the prompt lists, as a Python literal."""
    match = _LISTED.search(prompt)
    try:
        return {tool["api_name"]: tool for tool in ast.literal_eval(match[1] if match else "")}
    except (ValueError, SyntaxError, KeyError, TypeError, RecursionError, MemoryError):
        raise LeftOut("a tool list that cannot be read") from None


def _openai(description: JsonObject) -> JsonObject:
    try:
        properties = {
            name: {
                "type": _TYPES[parameter["type"]],
                "description": parameter["description"],
                **{key: parameter[key] for key in ("default",) if key in parameter},
            }
            for name, parameter in description["parameters"].items()
        }
        return {
            "name": description["api_name"],
            "description": description["api_description"],
            "parameters": {
                "type": "object",
                "properties": properties,
                "required": description["required"],
            },
        }
    except (KeyError, TypeError, AttributeError):
        raise LeftOut("a tool description that cannot be read") from None


def _admissible(call: Call, tools: tuple[Tool, ...], query: str) -> AdmissibleCall:
    tool = next((tool for tool in tools if tool.name == call.name), None)
    if tool is None:
        raise LeftOut("a gold call of a tool that is not there")
    properties, required = tool.parameters["properties"], tool.parameters["required"]
    given: dict[str, Any] = {}
    invented: dict[str, list[Any]] = {}
    for name, value in call.arguments.items():
        if name not in properties:
            raise LeftOut("an argument that is not in the schema")
        typed = _typed(value, properties[name]["type"])
        if grounded(typed, query):
            given[name] = typed
        elif name in required:
            raise LeftOut("a required value that the question does not give")
        else:
            invented[name] = [typed]
    return expected(Call(call.name, given), tools, invented)


def _typed(value: Any, kind: str) -> Any:
    """A gold value as its declared type; the set writes some numbers as text."""
    try:
        if kind == "integer" and not isinstance(value, bool) and float(value) == int(float(value)):
            return int(float(value))
        if kind == "number" and not isinstance(value, bool):
            return value if isinstance(value, int | float) else float(value)
    except (TypeError, ValueError, OverflowError):
        pass
    fits = {"string": str, "boolean": bool, "array": list, "object": dict}
    if kind in fits and isinstance(value, fits[kind]):
        return value
    raise LeftOut("a gold value that is not of its declared type")
