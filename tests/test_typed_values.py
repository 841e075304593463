import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcrewardbench.benchmarks.bfcl import TYPED_CATEGORIES, Task, load_tasks
from fcrewardbench.calls.check import AdmissibleCall, check
from fcrewardbench.calls.parse import parse
from fcrewardbench.calls.tools import tool_from
from fcrewardbench.calls.typed_values import Language, typed_value
from fcrewardbench.types import Call, ErrorType

MAP = "new HashMap<String, Object>()"
TEXTS = "new ArrayList<String>"


@pytest.mark.parametrize(
    ("declared", "inner", "text", "value"),
    [
        ("integer", None, "-7", -7),
        ("integer", None, "7L", "7L"),
        ("integer", None, "9" * 5000, "9" * 5000),
        ("long", None, "7L", 7),
        ("long", None, "7", "7"),
        ("float", None, "1.5e2f", 150.0),
        ("float", None, "1.5", "1.5"),
        ("double", None, "1.5", 1.5),
        ("boolean", None, "true", True),
        ("boolean", None, "True", "True"),
        ("String", None, '"a"', '"a"'),
        ("char", None, "'a'", "'a'"),
        ("any", None, "7", "7"),
        ("Array", "integer", "new int[]{1, 2}", [1, 2]),
        ("Array", "integer", "new int[] { }", []),
        ("Array", "String", 'new String[]{"a, b", "}"}', ["a, b", "}"]),
        ("Array", "long", "new long[]{1L, 2}", [1, "2"]),
        ("Array", "integer", "[1, 2]", "[1, 2]"),
        ("ArrayList", "String", f'{TEXTS}(Arrays.asList("a", "b)"))', ["a", "b)"]),
        ("ArrayList", "integer", "new ArrayList<>() {{ add(1); add(2); }}", [1, 2]),
        ("ArrayList", "any", 'new ArrayList<>(Arrays.asList("a", 4, true, x))', ["a", 4, True, "x"]),
        ("ArrayList", "String", f"{TEXTS}()", []),
        ("ArrayList", "String", 'List.of("a")', 'List.of("a")'),
        ("HashMap", None, f'{MAP} {{{{ put("a", 1); put("b", "x, y"); }}}}', {"a": 1, "b": "x, y"}),
        ("HashMap", None, MAP, {}),
        ("HashMap", None, f"{MAP} {{ }}", {}),
        ("HashMap", None, f"{MAP} {{{{ clear(); }}}}", f"{MAP} {{{{ clear(); }}}}"),
        ("HashMap", None, '{"a": 1}', '{"a": 1}'),
    ],
)  # fmt: skip
def test_java(declared: str, inner: str | None, text: str, value: Any) -> None:
    read = typed_value(text, "java", declared, inner)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("declared", "inner", "text", "value"),
    [
        ("integer", None, "7", 7),
        ("integer", None, "7.0", "7.0"),
        ("Bigint", None, "7n", 7),
        ("float", None, "7", 7.0),
        ("Boolean", None, "false", False),
        ("String", None, "'a'", "a"),
        ("String", None, "'a' + 'b'", "'a' + 'b'"),
        ("any", None, "'a'", "'a'"),
        ("array", "float", "[1, 2.5]", [1.0, 2.5]),
        ("array", "String", "['a, b', \"c]\", d]", ["a, b", "c]", "d"]),
        ("array", "String", "[]", []),
        ("array", "integer", "new Array(1, 2)", [1, 2]),
        ("array", "float", "[[1, 2], [3]]", [[1, 2], [3]]),
        ("array", "float", "[1, 2], [3]", "[1, 2], [3]"),
        ("dict", None, "{}", {}),
        ("dict", None, "{a: 1, 'b': [x, 'y'], \"c\": {d: true}}", {"a": 1, "b": ["x", "y"], "c": {"d": True}}),
        ("dict", None, "{f: (a, b) => ({c: a})}", {"f": "(a, b) => ({c: a})"}),
        ("dict", None, "{...rest}", "{...rest}"),
        ("dict", None, "options", "options"),
    ],
)  # fmt: skip
def test_javascript(declared: str, inner: str | None, text: str, value: Any) -> None:
    read = typed_value(text, "javascript", declared, inner)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize("text", ["[" * 5000 + "]" * 5000, "{a:" * 5000 + "}" * 5000])
def test_a_literal_nested_too_deeply_stays_text(text: str) -> None:
    assert typed_value(text, "javascript", "array" if text[0] == "[" else "dict", None) == text


_FRAGMENTS = "new HashMap<> ArrayList<> () { } [ ] ( ) Arrays.asList( put( add( , ; : = f( a= x 1 -"
fragments = st.lists(st.sampled_from([*_FRAGMENTS.split(), " ", '"', "'", "`", "\\"])).map("".join)


@given(fragments | st.text(), st.sampled_from(["Array", "ArrayList", "HashMap"]))
def test_no_text_makes_java_fail(text: str, declared: str) -> None:
    assert isinstance(typed_value(text, "java", declared, "any"), str | list | dict)
    assert isinstance(parse(text, language="java").candidate, str | tuple)


@given(fragments | st.text(), st.sampled_from(["array", "dict"]))
def test_no_text_makes_javascript_fail(text: str, declared: str) -> None:
    assert isinstance(typed_value(text, "javascript", declared, None), str | list | dict)


json_values = st.recursive(
    st.booleans() | st.integers(-(10**9), 10**9) | st.text("ab,:;()[]{} '", max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab{,'"), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.lists(json_values) | st.dictionaries(st.text("ab:"), json_values))
def test_json_is_read_as_javascript(value: Any) -> None:
    declared = "array" if isinstance(value, list) else "dict"
    assert typed_value(json.dumps(value), "javascript", declared, None) == value


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ('f(a="x", b=true, c=1)', {"a": "x", "b": "true", "c": "1"}),
        ("f(a='it\\'s', b=\"\\\"q\\\"\\n\")", {"a": "it's", "b": '"q"\n'}),
        ('f(a="x" + "y")', {"a": '"x" + "y"'}),
        ("f(a=[1, 'b, c=2'], b={k: g(x, y)})", {"a": "[1, 'b, c=2']", "b": "{k: g(x, y)}"}),
        ('f(a=new HashMap<String, Object>() {{ put("k", 1); }}, b=E.class)', {"a": 'new HashMap<String, Object>() {{ put("k", 1); }}', "b": "E.class"}),
        ("f(a=x => x == 1, b=y)", {"a": "x => x == 1", "b": "y"}),
        ("f()", {}),
        ("[f(a=1)", {"a": "1"}),
        ("```java\n[f(a=true)]\n```", {"a": "true"}),
        ('<tool_call>{"name": "f", "arguments": {"a": true}}</tool_call>', {"a": True}),
    ],
)  # fmt: skip
def test_arguments_in_code_notation_are_source_text(text: str, arguments: dict[str, Any]) -> None:
    assert parse(text, language="javascript").calls == (Call("f", arguments),)


def test_several_calls_and_unreadable_ones() -> None:
    both = (Call("f", {"a": "1"}), Call("g.h", {}))
    for text in ("[f(a=1), g.h()]", "f(a=1)\ng.h()", "f(a=1); g.h();"):
        assert parse(text, language="java").calls == both
    for text, reason in [
        ("[f(a=1, b=]", "never closed"),
        ("[", "nothing is written"),
        ("f('x')", "without a name"),
        ("[f(a=1), x]", "is not a call"),
    ]:
        assert reason in str(parse(text, language="java").problem)


@pytest.mark.parametrize(
    ("language", "declared", "admissible", "value", "expected"),
    [
        ("java", "long", [5], "5L", None),
        ("java", "long", [5], "5", ErrorType.TYPE),
        ("java", "long", [5], 5, ErrorType.TYPE),
        ("java", "boolean", [True], "false", ErrorType.VALUE),
        ("java", "boolean", [True], True, ErrorType.TYPE),
        ("java", "HashMap", ["env"], "env", None),
        ("java", "HashMap", [{"k": [1]}], 'new HashMap<>() {{ put("k", 1); }}', None),
        ("java", "any", ["A.b"], "a.B", None),
        ("javascript", "dict", [{"k": ["V"]}], "{k: 'v'}", None),
        ("javascript", "float", [5.0], "5", None),
        ("javascript", "Boolean", [True], "yes", ErrorType.TYPE),
    ],
)
def test_check(
    language: Language,
    declared: str,
    admissible: list[Any],
    value: Any,
    expected: ErrorType | None,
) -> None:
    schema = {"type": "dict", "properties": {"a": {"type": declared}}, "required": ["a"]}
    tools = [tool_from({"name": "f", "description": "", "parameters": schema})]
    answer = [AdmissibleCall("f", {"a": admissible})]
    checked = check((Call("f", {"a": value}),), answer, tools, language=language)
    assert [failure.type for failure in checked.failures] == (
        [] if expected is None else [expected]
    )


def test_admissible_values_written_as_source_pass() -> None:
    tasks = load_tasks("v4", TYPED_CATEGORIES)
    assert len(tasks) == 150
    assert [task.id for task in tasks.values() if not _passes(task)] == []


def _passes(task: Task) -> bool:
    language = task.language
    properties = task.prompt.tools[0].original["parameters"]["properties"]
    calls = tuple(
        Call(
            expected.name,
            {
                name: _source(values[0], language, properties[name])
                for name, values in expected.arguments.items()
                if "" not in values
            },
        )
        for expected in task.answer or ()
    )
    return check(calls, task.answer or (), task.prompt.tools, language=language).ok


def _source(value: Any, language: Language, schema: dict[str, Any]) -> str:
    """An admissible value as source text of its declared type; other text is a variable's name."""
    declared = schema["type"]
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        items = {key: options[0] for key, options in value.items()}
        if language == "javascript":
            return json.dumps(items)
        puts = " ".join(f"put({json.dumps(k)}, {json.dumps(v)});" for k, v in items.items())
        return f"{MAP} {{{{ {puts} }}}}"
    suffix = "L" if declared == "long" else ""
    if not isinstance(value, list):
        return f"{json.dumps(value)}{suffix}"
    if language == "javascript":
        return json.dumps(value)
    suffix = "L" if schema["items"]["type"] == "long" else ""
    items_text = ", ".join(f"{json.dumps(item)}{suffix}" for item in value)
    if declared == "Array":
        return f"new Object[]{{{items_text}}}"
    return f"new ArrayList<>(Arrays.asList({items_text}))"
