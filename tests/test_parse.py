import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcrewardbench.calls.parse import parse
from fcrewardbench.types import Call

OSLO = (Call("get_weather", {"city": "Oslo", "days": 3}),)
BODY = '{"city": "Oslo", "days": 3}'
NAMED = f'{{"name": "get_weather", "arguments": {BODY}}}'
ESCAPED = json.dumps(BODY)

DIALECTS = {
    "json name/arguments": f"[{NAMED}]",
    "json name/parameters": f'{{"name": "get_weather", "parameters": {BODY}}}',
    "json function/arguments": f'{{"function": "get_weather", "arguments": {BODY}}}',
    "json one-key object": f'[{{"get_weather": {BODY}}}]',
    "json tool_calls": f'[{{"type": "function", "function": {{"name": "get_weather", "arguments": {ESCAPED}}}}}]',
    "tool_call tag, json name/arguments": f"<tool_call>\n{NAMED}\n</tool_call>",
    "tool_calls tag, json name/arguments": f"<tool_calls>[{NAMED}]</tool_calls>",
    "function_call tag, name then json": f"<function_call>get_weather\n{BODY}</function_call>",
    "function tag, function=name": f"<function=get_weather>{BODY}</function>",
    "marker, json name/arguments": f"[TOOL_CALLS] [{NAMED}]",
    "name then json": f"get_weather\n{BODY}",
    "python": 'get_weather(city="Oslo", days=3)',
    "code fence, python": '```python\n[get_weather(city="Oslo", days=3)]\n```',
    "code fence, json name/arguments": f"Here you are:\n```json\n[{NAMED}]\n```\nAnything else?",
    "python dict name/arguments": "[{'name': 'get_weather', 'arguments': {'city': 'Oslo', 'days': 3}}]",
}


@pytest.mark.parametrize(("dialect", "text"), DIALECTS.items())
def test_every_dialect_gives_the_same_calls(dialect: str, text: str) -> None:
    parsed = parse(text)
    assert (parsed.calls, parsed.dialect, parsed.problem) == (OSLO, dialect, None)


@pytest.mark.parametrize("text", DIALECTS.values())
@pytest.mark.parametrize(
    "frame",
    ["<think>get_weather(city='Rome')\n</think>\n\n{}", "{}<|im_end|>", "{}\n<end_of_turn>\n"],
)
def test_reasoning_before_and_end_tokens_behind_are_not_read(frame: str, text: str) -> None:
    assert parse(frame.format(text) if "{" not in text else frame.replace("{}", text)).calls == OSLO


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("[f(a=1), g.h(b=[1, (2, 3)], c={'d': None})]", [("f", {"a": 1}), ("g.h", {"b": [1, [2, 3]], "c": {"d": None}})]),
        ("f(a=1)\ng(b=2)", [("f", {"a": 1}), ("g", {"b": 2})]),
        ("f(a=1); g(b=2)", [("f", {"a": 1}), ("g", {"b": 2})]),
        ("[f(a=true, b=null, c=False)]", [("f", {"a": True, "b": None, "c": False})]),
        ("[f(a=-1.5, b=10**6, c=1/4)]", [("f", {"a": -1.5, "b": 1000000, "c": 0.25})]),
        ("[f(a=my_list, b=x[0])]", [("f", {"a": "my_list", "b": "x[0]"})]),
        ("[f(a=g(b=1))]", [("f", {"a": {"g": {"b": 1}}})]),
        ("[f(a=today())]", [("f", {"a": "today()"})]),
        ("[f(from='a', to='b')]", [("f", {"from": "a", "to": "b"})]),
        ("[f(class='from=x', a=1)]", [("f", {"class": "from=x", "a": 1})]),
        ("[as()]", [("as", {})]),
        ("[client.import(from='a'), is.not(x=1)]", [("client.import", {"from": "a"}), ("is.not", {"x": 1})]),
        ("[f(a=1)", [("f", {"a": 1})]),
        ("get\\_weather(the\\_city='Oslo')", [("get_weather", {"the_city": "Oslo"})]),
        ('{"name": "f", "arguments": {"a": 1}}; {"name": "g", "arguments": {}}', [("f", {"a": 1}), ("g", {})]),
        ('{"name": "get\\_weather", "parameters": {}}', [("get_weather", {})]),
        ("<tool_call>\n<function=f>\n<parameter=a>\n1\n</parameter>\n<parameter=b>\nx y\n</parameter>\n</function>\n</tool_call>", [("f", {"a": 1, "b": "x y"})]),
        ("<tool_call>f(a=1)</tool_call> and <tool_call>g(b=2)</tool_call>", [("f", {"a": 1}), ("g", {"b": 2})]),
        ("<tool_call>\n{\"name\": \"f\", \"arguments\": {}}", [("f", {})]),
        ("[]", []),
        ('<tool_calls><tool_call>{"name": "f", "arguments": {}}</tool_call><tool_call>g(b=2)</tool_call></tool_calls>', [("f", {}), ("g", {"b": 2})]),
        ('<tool_call><tool_call>{"name": "f", "arguments": {}}</tool_call>', [("f", {})]),
        ('<tool_call>{"name": "f", "arguments": {}}\n{"name": "g", "arguments": {}}</tool_call>', [("f", {}), ("g", {})]),
        ('<tool_call>{"name": "f", "arguments": {}}; {"name": "g", "arguments": {"a": "</tool_call>"}}</tool_call>', [("f", {}), ("g", {"a": "</tool_call>"})]),
        ('<|tool_call|>[{"name": "f", "arguments": {}}]', [("f", {})]),
        ('[TOOL_CALLS]f[ARGS]{"a": 1}[TOOL_CALLS]g[ARGS]{}', [("f", {"a": 1}), ("g", {})]),
        ("<|python_start|>[f(a=1)]<|python_end|>", [("f", {"a": 1})]),
        ("Use it so:\n```python\nimport x\nx.f(1)\n```\nNow:\n```json\n[{\"name\": \"f\", \"arguments\": {}}]\n```", [("f", {})]),
    ],
)  # fmt: skip
def test_written_forms(text: str, calls: list[tuple[str, dict[str, Any]]]) -> None:
    assert parse(text).calls == tuple(Call(name, arguments) for name, arguments in calls)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[{"name": "f", "arguments": {"a": 1}', "broken JSON"),
        ('<tool_call>{"name": "f", "arguments": {"a"}}</tool_call>', "broken JSON"),
        ("[f(a=1, b=]", "broken Python-like call"),
        ("[f('Oslo')]", "without a name"),
        ("[1, 2]", "is not a call"),
        ('{"name": "f", "arguments": "Oslo"}', "not JSON"),
        ('{"name": "f", "arguments": [1]}', "not an object"),
        ('{"a": 1, "b": 2}', "no known form"),
        ("<tool_call></tool_call>", "nothing is written"),
        ("<think>I should call f(a=1)", "never ends"),
        ("[" * 5000, ""),
        ('[run(code="```python\ng(b=2)\n```")]', "broken Python-like call"),
    ],
)
def test_what_looks_like_calls_and_is_unreadable_says_why(text: str, reason: str) -> None:
    parsed = parse(text)
    assert parsed.calls is None
    assert parsed.candidate == text
    assert parsed.problem is not None
    assert reason in parsed.problem


@pytest.mark.parametrize(
    "text", ["", "I need the city first.", "Which of the two: Oslo, or Bergen?"]
)
def test_words_are_text_without_a_problem(text: str) -> None:
    parsed = parse(text)
    assert (parsed.candidate, parsed.dialect, parsed.problem) == (text, "text", None)


@pytest.mark.parametrize(
    "text",
    [
        '[{"name": "f", "arguments": {"html": "<tool_call>x</tool_call> ```y``` <think>z</think>"}}]',
        "[f(html='<tool_call>x</tool_call> ```y``` <think>z</think>')]",
        '<tool_call>{"name": "f", "arguments": {"html": "<tool_call>x</tool_call> ```y``` <think>z</think>"}}</tool_call>',
    ],
)
def test_what_looks_like_a_wrapper_inside_an_argument_is_its_value(text: str) -> None:
    value = "<tool_call>x</tool_call> ```y``` <think>z</think>"
    assert parse(text).calls == (Call("f", {"html": value}),)


def test_nothing_is_evaluated(tmp_path: Any) -> None:
    target = tmp_path / "made"
    program = f"__import__('pathlib').Path({str(target)!r}).touch()"
    parsed = parse(f"[f(a={program}, b=9**9**9, c=(lambda: 1)())]")
    assert not target.exists()
    assert parsed.calls is not None
    assert parsed.calls[0].arguments["a"] == program
    assert parsed.calls[0].arguments["b"] == "9 ** 9 ** 9"


def test_structured_output_of_an_api() -> None:
    assert parse([{"get_weather": BODY}]).calls == OSLO
    assert parse([{"get_weather": json.loads(BODY)}]).calls == OSLO
    assert (
        parse(
            [
                {
                    "id": "1",
                    "type": "function",
                    "function": {"name": "get_weather", "arguments": BODY},
                }
            ]
        ).calls
        == OSLO
    )
    assert parse([]).calls == ()
    broken = parse([{"get_weather": "{"}])
    assert broken.calls is None
    assert broken.problem
    with pytest.raises(TypeError, match="not int"):
        parse(3)


names = st.from_regex(r"[a-z][a-z_]{0,8}(\.[a-z][a-z_]{0,8})?", fullmatch=True).filter(
    lambda name: not any(part in ("true", "false", "null", "none") for part in name.split("."))
)
keys = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(-1e6, 1e6) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)
calls_strategy = st.lists(
    st.builds(Call, names, st.dictionaries(keys, values, max_size=4)), min_size=1, max_size=3
).map(tuple)


@given(calls_strategy)
def test_round_trip_through_json_and_python(calls: tuple[Call, ...]) -> None:
    as_json = json.dumps([call.as_dict() for call in calls])
    assert parse(as_json).calls == calls
    as_python = ", ".join(
        f"{call.name}({', '.join(f'{key}={value!r}' for key, value in call.arguments.items())})"
        for call in calls
    )
    assert parse(f"[{as_python}]").calls == calls


@given(st.text(st.characters() | st.sampled_from("[]{}()<>\"'=,:`\\"), max_size=200))
def test_no_text_makes_it_fail(text: str) -> None:
    parsed = parse(text)
    assert isinstance(parsed.candidate, str | tuple)
    assert parsed.problem is None or isinstance(parsed.candidate, str)


def test_long_stretches_of_white_space_take_no_time_worth_measuring() -> None:
    steps = "I will think. " + " " * 200_000 + "Which city?"
    assert parse(steps).candidate == steps
