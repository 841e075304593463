"""Which values fit a parameter, by its type in JSON Schema's names or BFCL's; and values poured into
those that they fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fcrewardbench import Tool
from fcrewardbench.calls.edits.base import in_schema_order, properties, required
from fcrewardbench.calls.edits.sites import lacks_preference
from fcrewardbench.types import JsonObject

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "float": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "tuple": (list,),
    "object": (dict,),
    "dict": (dict,),
}


def takes(schema: JsonObject, value: Any) -> bool:
    """Whether a schema takes a value, by its type and its enum."""
    if schema.get("enum") and value not in schema["enum"]:
        return False
    kind = schema.get("type")
    return isinstance(kind, str) and type(value) in _TYPES.get(kind, ())


def within(schema: JsonObject, value: Any) -> bool:
    """Whether a value is no number beyond the schema's bounds."""
    if type(value) not in (int, float):
        return True
    low, high = schema.get("minimum", value), schema.get("maximum", value)
    return bool(low <= value <= high)


def pour(values: Sequence[Any], tool: Tool) -> dict[str, Any] | None:
    """Values under a tool's parameters, required ones first, each where its type fits.

    None where a required parameter gets none, or nothing is poured.
    """
    schemas, needed = properties(tool), required(tool)
    left = [value for value in values if not lacks_preference(value)]
    arguments: dict[str, Any] = {}
    for name in sorted(schemas, key=lambda name: name not in needed):
        found = next((value for value in left if takes(schemas[name], value)), None)
        if found is not None:
            arguments[name] = found
            left.remove(found)
        elif name in needed:
            return None
    return in_schema_order(arguments, tool) if arguments else None
