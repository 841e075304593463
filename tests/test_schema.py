from typing import Any

import pytest

from fcrewardbench.calls.schema import validate
from fcrewardbench.calls.tools import tool_from
from fcrewardbench.errors import DataError
from fcrewardbench.types import Call, ErrorType

BFCL_STYLE = {
    "name": "order.coffee",
    "description": "Order.",
    "parameters": {
        "type": "dict",
        "properties": {
            "size": {"type": "string", "enum": ["S", "L"]},
            "sugar": {"type": "float"},
            "extras": {"type": "tuple", "items": {"type": "string"}},
            "note": {"type": "any"},
            "address": {"type": "dict", "properties": {"street": {"type": "string"}}, "required": ["street"]},
        },
        "required": ["size"],
    },
}  # fmt: skip


def test_types_are_normalised_and_the_original_is_kept() -> None:
    tool = tool_from(BFCL_STYLE)
    assert tool.parameters["type"] == "object"
    properties = tool.parameters["properties"]
    assert properties["sugar"]["type"] == "number"
    assert properties["extras"] == {"type": "array", "items": {"type": "string"}}
    assert "type" not in properties["note"]
    assert properties["address"]["properties"]["street"]["type"] == "string"
    assert tool.original == BFCL_STYLE


@pytest.mark.parametrize("key", ["parameters", "arguments", "input_schema"])
@pytest.mark.parametrize("wrapped", [True, False])
def test_schemas_are_found_under_every_key(key: str, wrapped: bool) -> None:
    function = {"name": "f", key: {"type": "object", "properties": {"a": {"type": "string"}}}}
    tool = tool_from({"type": "function", "function": function} if wrapped else function)
    assert list(tool.parameters["properties"]) == ["a"]


def test_a_bare_map_of_parameters_is_a_schema() -> None:
    tool = tool_from({"name": "f", "parameters": {"a": {"type": "str", "required": True}}})
    assert tool.parameters["properties"] == {"a": {"type": "string"}}


@pytest.mark.parametrize("bad", [{"description": "no name"}, {"name": "f", "parameters": "text"}])
def test_what_is_no_tool_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(DataError):
        tool_from(bad)


@pytest.mark.parametrize(
    ("call", "failures"),
    [
        (Call("order.coffee", {"size": "S", "sugar": 2, "note": 5}), []),
        (Call("order_coffee", {"size": "S"}), []),
        (Call("order.tea", {}), [(ErrorType.NAME, None)]),
        (Call("order.coffee", {}), [(ErrorType.MISSING_REQUIRED, "size")]),
        (Call("order.coffee", {"size": "M"}), [(ErrorType.VALUE, "size")]),
        (Call("order.coffee", {"size": "S", "milk": 1}), [(ErrorType.UNEXPECTED, "milk")]),
        (Call("order.coffee", {"size": "S", "sugar": "2"}), [(ErrorType.TYPE, "sugar")]),
        (Call("order.coffee", {"size": "S", "extras": ["a", 1]}), [(ErrorType.TYPE, "extras")]),
        (Call("order.coffee", {"size": "S", "address": {}}), [(ErrorType.VALUE, "address")]),
        (
            Call("order.coffee", {"sugar": "2", "milk": 1}),
            [
                (ErrorType.MISSING_REQUIRED, "size"),
                (ErrorType.TYPE, "sugar"),
                (ErrorType.UNEXPECTED, "milk"),
            ],
        ),
    ],
)
def test_calls_against_the_schema_alone(call: Call, failures: list[tuple[ErrorType, str]]) -> None:
    found = validate([call], [tool_from(BFCL_STYLE)])
    assert sorted((f.type, f.argument) for f in found) == sorted(failures)
