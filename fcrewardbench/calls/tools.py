"""Tool descriptions, read from every shape they come in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fcrewardbench.errors import DataError
from fcrewardbench.types import JsonObject, Tool

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
    parameters = {"type": "object", "properties": {}, **_normalised(schema_of(function), name)}
    return Tool(name, str(function.get("description") or ""), parameters, function)


def schema_of(function: JsonObject) -> JsonObject:
    """A function description's schema in its own type names, wherever it stands; empty if nowhere.

    Raises:
        DataError: it is not an object.
    """
    schema: Any = next((function[key] for key in _SCHEMA_KEYS if function.get(key) is not None), {})
    if not isinstance(schema, Mapping):
        raise DataError(f"The schema of tool '{function.get('name')}' is not an object.")
    if "properties" in schema or not all(isinstance(v, Mapping) for v in schema.values()):
        return schema
    return {"type": "object", "properties": schema}


def _normalised(schema: JsonObject, tool: str) -> dict[str, Any]:
    """JSON Schema of a description: type names mapped, everything else kept."""
    result: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "type":
            mapped = _json_type(value)
            if mapped is not None:
                result[key] = mapped
        elif key in ("properties", "patternProperties", "$defs", "definitions"):
            if not isinstance(value, Mapping):
                raise DataError(f"In the schema of tool '{tool}', '{key}' is not an object.")
            result[key] = {name: _inner(part, tool) for name, part in value.items()}
        elif key in ("anyOf", "oneOf", "allOf") and isinstance(value, Sequence):
            result[key] = [_inner(part, tool) for part in value]
        elif key in ("items", "additionalProperties", "not"):
            result[key] = _inner(value, tool)
        elif key == "$ref" and not str(value).startswith("#"):
            raise DataError(f"The schema of tool '{tool}' refers to {value}; only #… is followed.")
        elif key == "required" and isinstance(value, bool):
            continue  # some catalogues mark each parameter so; JSON Schema lists them one level up
        else:
            result[key] = value
    return result


def _inner(part: Any, tool: str) -> Any:
    return _normalised(part, tool) if isinstance(part, Mapping) else part


def _json_type(value: Any) -> Any:
    if isinstance(value, list):
        mapped = [_json_type(item) for item in value]
        return None if None in mapped else mapped
    name = str(value).lower()
    name = _TYPES.get(name, name)
    return name if name in _JSON_TYPES else None
