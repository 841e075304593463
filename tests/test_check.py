from collections.abc import Callable
from typing import Any

import pytest

from fcrewardbench.benchmarks.bfcl import Task
from fcrewardbench.calls.check import AdmissibleCall, check, restore_names
from fcrewardbench.calls.tools import tool_from
from fcrewardbench.errors import DataError
from fcrewardbench.types import Call, ErrorType, Tool


def tool(name: str = "f", required: tuple[str, ...] = (), **types: Any) -> Tool:
    """A tool in BFCL's own types; `a="float"` or `a={"type": "array", …}`."""
    properties = {k: v if isinstance(v, dict) else {"type": v} for k, v in types.items()}
    schema = {"type": "dict", "properties": properties, "required": list(required)}
    return tool_from({"name": name, "description": "", "parameters": schema})


def verdict(tools: list[Tool], answer: list[Any], *calls: Call) -> list[ErrorType]:
    expected = [AdmissibleCall(name, arguments) for name, arguments in answer]
    return [failure.type for failure in check(calls, expected, tools).failures]


LIST_OF_FLOATS = {"type": "array", "items": {"type": "float"}}
LIST_OF_TEXT = {"type": "array", "items": {"type": "string"}}
LIST_OF_DICTS = {"type": "array", "items": {"type": "dict"}}


@pytest.mark.parametrize(
    ("declared", "admissible", "value", "expected"),
    [
        ("string", ["New York, NY"], "new york ny", None),
        ("string", ["it's"], 'it"s', None),
        ("string", ["Oslo"], "Bergen", ErrorType.VALUE),
        ("string", ["5"], 5, ErrorType.TYPE),
        ("integer", [5], 5, None),
        ("integer", [5], 5.0, ErrorType.TYPE),
        ("integer", [5], True, ErrorType.TYPE),
        ("integer", [5], "5", ErrorType.TYPE),
        ("float", [5.0], 5, None),
        ("float", [5.0], 10**400, ErrorType.VALUE),  # no float is that large
        ("boolean", [True], True, None),
        ("boolean", [True], 1, ErrorType.TYPE),
        ("boolean", [True], False, ErrorType.VALUE),
        ("integer", ["n"], "n", None),  # a variable stands for a number
        ("integer", ["n"], "N", ErrorType.VALUE),
        (LIST_OF_TEXT, [["A b", "c"]], ["ab", "C"], None),
        (LIST_OF_TEXT, [["a", "b"]], ["b", "a"], ErrorType.VALUE),
        (LIST_OF_TEXT, [["a"], ""], [], None),
        (LIST_OF_FLOATS, [[1.0, 2.0]], [1.0, 2.0], None),
        (LIST_OF_FLOATS, [[1.0, 2.0]], [1, 2], ErrorType.TYPE),
        (LIST_OF_TEXT, [["a"]], "a", ErrorType.TYPE),
        ("dict", [{"k": ["v", "w"], "o": [1, ""]}], {"k": "W"}, None),
        ("dict", [{"k": ["v"], "o": [1, ""]}], {"k": "v", "o": 2}, ErrorType.VALUE),
        ("dict", [{"k": ["v"]}], {}, ErrorType.VALUE),
        ("dict", [{"k": ["v"]}], {"k": "v", "z": 1}, ErrorType.VALUE),
        (LIST_OF_DICTS, [[{"k": ["v"]}]], [{"k": "V"}], None),
        (LIST_OF_DICTS, [[{"k": ["v"]}]], [{"k": "v"}, {"k": "v"}], ErrorType.VALUE),
    ],
)
def test_values(
    declared: Any, admissible: list[Any], value: Any, expected: ErrorType | None
) -> None:
    found = verdict([tool(a=declared)], [("f", {"a": admissible})], Call("f", {"a": value}))
    assert found == ([] if expected is None else [expected])


def test_failures_come_in_the_checkers_order_and_all_of_them() -> None:
    tools = [tool(required=("a",), a="string", b="integer", c="string", d="string")]
    answer = [("f", {"a": ["x"], "b": [1], "c": ["y"], "d": ["z", ""]})]
    assert verdict(tools, answer, Call("f", {"z": 1, "b": "1"})) == [
        ErrorType.MISSING_REQUIRED,
        ErrorType.UNEXPECTED,
        ErrorType.TYPE,
        ErrorType.MISSING_OPTIONAL,
    ]
    assert verdict(tools, answer, Call("g", {})) == [ErrorType.NAME]
    assert verdict(tools, answer, Call("f", {"a": "x", "b": 1})) == [ErrorType.MISSING_OPTIONAL]
    both = verdict(tools, answer, Call("f", {"a": "x", "b": 1, "c": "y"}), Call("g", {}))
    assert both == [ErrorType.COUNT]
    two_wrong = verdict(tools, answer, Call("f", {"a": "no", "b": 1, "c": "y"}), Call("g", {}))
    assert two_wrong == [ErrorType.COUNT, ErrorType.VALUE]


def test_no_match_is_resolved_to_what_got_furthest() -> None:
    tools = [tool("f", ("a",), a="string"), tool("g", (), b="integer")]
    answer = [("f", {"a": ["x"]}), ("g", {"b": [1]})]
    near = verdict(tools, answer, Call("h", {}), Call("f", {"a": "y"}))
    assert near == [ErrorType.VALUE, ErrorType.NAME]


def test_order_of_parallel_calls_does_not_matter() -> None:
    tools = [tool("f", ("a",), a="string")]
    answer = [("f", {"a": ["x"]}), ("f", {"a": ["y"]})]
    assert verdict(tools, answer, Call("f", {"a": "y"}), Call("f", {"a": "x"})) == []


def test_an_assignment_that_a_greedy_matching_misses_is_found() -> None:
    tools = [tool("f", ("a",), a="string")]
    answer = [("f", {"a": ["x", "y"]}), ("f", {"a": ["x"]})]
    assert verdict(tools, answer, Call("f", {"a": "x"}), Call("f", {"a": "y"})) == []
    assert verdict(tools, answer, Call("f", {"a": "y"}), Call("f", {"a": "y"})) == [ErrorType.VALUE]


def test_calls_where_none_is_due_and_none_where_one_is() -> None:
    tools = [tool("f")]
    expected = [AdmissibleCall("f", {})]
    first = check((Call("f", {}),), (), tools).first
    assert first is not None
    assert first.type is ErrorType.SHOULD_NOT_CALL
    assert check("I cannot.", (), tools).ok
    assert check((), (), tools).ok
    for nothing in ("I cannot.", ()):
        first = check(nothing, expected, tools).first
        assert first is not None
        assert first.type is ErrorType.NO_CALL
    first = check("[f(", expected, tools, unreadable="broken").first
    assert first is not None
    assert first.type is ErrorType.PARSING


def test_underscores_for_dots_are_undone_only_where_a_tool_has_the_dots() -> None:
    tools = [tool("math.add"), tool("math_sub"), tool("math.sub")]
    names = ("math_add", "math_sub", "math.sub", "math_mul")
    restored = restore_names([Call(name, {}) for name in names], tools)
    assert [call.name for call in restored] == ["math.add", "math_sub", "math.sub", "math_mul"]


def test_an_answer_outside_the_tools_and_a_type_outside_bfcl_are_data_errors() -> None:
    with pytest.raises(DataError, match="not among the tools"):
        verdict([tool("f")], [("g", {})], Call("g", {}))
    with pytest.raises(DataError, match="BFCL's types for python"):
        verdict([tool("f", a="HashMap")], [("f", {"a": ["x"]})], Call("f", {"a": "x"}))
    expected = [AdmissibleCall("f", {"a": ["x"]})]
    with pytest.raises(DataError, match="BFCL's types for java"):
        check((Call("f", {"a": "x"}),), expected, [tool("f", a="tuple")], language="java")


def test_first_admissible_values_pass_for_nearly_every_real_task(tasks: dict[str, Task]) -> None:
    def first(task: Task, keep: Callable[[list[Any]], bool]) -> tuple[Call, ...]:
        return tuple(
            Call(e.name, {k: _plain(v[0]) for k, v in e.arguments.items() if keep(list(v))})
            for e in task.answer or ()
        )

    passed = sum(
        check(
            first(task, lambda values: bool(values) and "" not in values),
            task.answer or (),
            task.prompt.tools,
        ).ok
        for task in tasks.values()
    )
    assert passed >= 0.98 * len(tasks)
    emptied = [
        check(first(t, lambda _: False), t.answer or (), t.prompt.tools) for t in tasks.values()
    ]
    needs_none = sum(checked.ok for checked in emptied)
    assert needs_none < 0.05 * len(tasks)


def _plain(value: Any) -> Any:
    """An admissible value as a value: inside objects, the first of each list of options."""
    if isinstance(value, dict):
        return {key: options[0] for key, options in value.items() if "" not in options}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
