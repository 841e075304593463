"""Which values fit a parameter: by its type, in JSON Schema's names or BFCL's."""

from __future__ import annotations

from typing import Any

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
