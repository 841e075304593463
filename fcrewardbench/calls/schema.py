"""Tool schemas: read from every shape they come in, and calls checked against them alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from fcrewardbench.calls.check import Failure, restore_names
from fcrewardbench.errors import DataError
from fcrewardbench.types import Call, ErrorType, JsonObject, Tool

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

_SCHEMA_KEYS = ("parameters", "input_schema", "inputSchema", "arguments")
# BFCL's type names, and those of Python that tool catalogues use, as JSON Schema writes them.
# "any" is left out: it means no constraint.
_TYPES = {
    "dict": "object",
    "hashmap": "object",
    "hashtable": "object",
    "float": "number",
    "double": "number",
    "int": "integer",
    "byte": "integer",
    "short": "integer",
    "long": "integer",
    "bigint": "integer",
    "str": "string",
    "char": "string",
    "bool": "boolean",
    "tuple": "array",
    "list": "array",
    "arraylist": "array",
    "set": "array",
    "queue": "array",
    "stack": "array",
    "none": "null",
}
_JSON_TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")


def tool_from(description: JsonObject) -> Tool:
    """A tool out of its description.

    Takes the OpenAI wrapper (`{"type": "function", "function": {…}}`) or the function itself, with
    its schema under `parameters`, `input_schema` or `arguments`; a schema that is only a map of
    parameters (`{"city": {"type": "string"}}`) is wrapped.

    Raises:
        DataError: no name, or a schema that is not an object.
    """
    inner = description.get("function")
    function = inner if isinstance(inner, Mapping) else description
    name = function.get("name")
    if not isinstance(name, str) or not name:
        raise DataError(f"A tool has no name: {str(dict(description))[:200]}")
    schema: Any = next((function[key] for key in _SCHEMA_KEYS if function.get(key) is not None), {})
    if not isinstance(schema, Mapping):
        raise DataError(f"The schema of tool '{name}' is not an object.")
    if (
        schema
        and "properties" not in schema
        and all(isinstance(v, Mapping) for v in schema.values())
    ):
        schema = {"type": "object", "properties": schema}
    parameters = {"type": "object", "properties": {}, **_normalised(schema)}
    return Tool(name, str(function.get("description") or ""), parameters, function)


def _normalised(schema: JsonObject) -> dict[str, Any]:
    """JSON Schema of a description: type names mapped, everything else kept."""
    result: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "type":
            mapped = _json_type(value)
            if mapped is not None:
                result[key] = mapped
        elif key in ("properties", "patternProperties", "$defs", "definitions"):
            result[key] = {
                k: _normalised(v) if isinstance(v, Mapping) else v for k, v in value.items()
            }
        elif key in ("anyOf", "oneOf", "allOf") and isinstance(value, Sequence):
            result[key] = [_normalised(v) if isinstance(v, Mapping) else v for v in value]
        elif key in ("items", "additionalProperties", "not") and isinstance(value, Mapping):
            result[key] = _normalised(value)
        elif key == "required" and isinstance(value, bool):
            continue  # some catalogues mark each parameter so; JSON Schema lists them one level up
        else:
            result[key] = value
    return result


def _json_type(value: Any) -> Any:
    if isinstance(value, list):
        mapped = [_json_type(item) for item in value]
        return None if None in mapped else mapped
    name = str(value).lower()
    name = _TYPES.get(name, name)
    return name if name in _JSON_TYPES else None


def validate(calls: Sequence[Call], tools: Sequence[Tool]) -> tuple[Failure, ...]:
    """Everything wrong with calls by the tools' schemas alone, without knowing the answer.

    Unknown function, missing required, unexpected, wrong type, value outside an enum or any other
    constraint (as a value error). A parameter that the schema does not name is unexpected unless the
    schema says `additionalProperties`.
    """
    by_name = {tool.name: tool for tool in tools}
    failures: list[Failure] = []
    for index, call in enumerate(restore_names(calls, tools)):
        tool = by_name.get(call.name)
        if tool is None:
            failures.append(Failure(ErrorType.NAME, f"no tool is named '{call.name}'", index))
            continue
        for error in _validator(json.dumps(tool.parameters)).iter_errors(dict(call.arguments)):
            failures.extend(_failures_of(error, index))
    return tuple(failures)


@lru_cache(maxsize=20_000)
def _validator(schema: str) -> Validator:
    from jsonschema import Draft202012Validator

    return Draft202012Validator({"additionalProperties": False, **json.loads(schema)})


_KINDS = {"type": ErrorType.TYPE, "required": ErrorType.MISSING_REQUIRED}


def _failures_of(error: Any, index: int) -> list[Failure]:
    at_top = not error.absolute_path
    argument = str(error.absolute_path[0]) if error.absolute_path else None
    if error.validator == "additionalProperties" and at_top:
        known = error.schema.get("properties", {})
        return [
            Failure(ErrorType.UNEXPECTED, f"'{name}' is not in the schema", index, name)
            for name in error.instance
            if name not in known
        ]
    if error.validator == "required" and at_top:
        missing = [name for name in error.validator_value if name not in error.instance]
        # jsonschema reports each missing name in an error of its own
        argument = next((name for name in missing if repr(name) in error.message), None)
        return [
            Failure(
                ErrorType.MISSING_REQUIRED, f"required '{argument}' is missing", index, argument
            )
        ]
    kind = (
        _KINDS.get(error.validator, ErrorType.VALUE)
        if at_top or error.validator == "type"
        else ErrorType.VALUE
    )
    return [Failure(kind, error.message, index, argument)]
