"""The benchmark family of edit operators, on real tasks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random

import pytest

from fcrewardbench.benchmarks.bfcl import Task
from fcrewardbench.calls.check import AdmissibleCall, check
from fcrewardbench.calls.edits.base import (
    Calls,
    Context,
    Operator,
    edited,
    fails_with,
    properties,
    required,
)
from fcrewardbench.calls.edits.dates import weekdays_contradict
from fcrewardbench.calls.edits.families import OPERATORS
from fcrewardbench.calls.edits.sense import sensible
from fcrewardbench.calls.edits.siblings import sibling_call, siblings
from fcrewardbench.calls.edits.sites import is_default
from fcrewardbench.calls.edits.variants import draw, suited
from fcrewardbench.calls.parse import parse
from fcrewardbench.calls.tools import tool_from
from fcrewardbench.types import Call, Candidate, ErrorType

KINDS = {
    "value": ErrorType.VALUE,
    "name": ErrorType.NAME,
    "count": ErrorType.COUNT,
    "missing-required": ErrorType.MISSING_REQUIRED,
    "missing-optional": ErrorType.MISSING_OPTIONAL,
    "unexpected": ErrorType.UNEXPECTED,
    "type": ErrorType.TYPE,
    "parsing": ErrorType.PARSING,
}


@pytest.fixture(scope="module")
def contexts(tasks: dict[str, Task]) -> list[Context]:
    """Every sixth task; each task's own answer stands in for the peers."""
    return [_context(task) for task in list(tasks.values())[::6]]


def _context(task: Task) -> Context:
    assert task.answer
    peers: dict[str, list[object]] = {}
    for expected in task.answer:
        for name, options in expected.arguments.items():
            for key in (name, f"{expected.name}.{name}"):
                peers.setdefault(key, []).extend(o for o in options if o != "")
    return Context(task.prompt.tools, task.prompt.messages, task.answer, peers)


@pytest.fixture(scope="module")
def drawn(contexts: list[Context]) -> list[tuple[Context, Calls]]:
    pairs = [(context, draw(context, f"seed {n}")) for n, context in enumerate(contexts)]
    return [(context, calls) for context, calls in pairs if calls is not None]


def test_operator_ids_are_unique_and_name_their_error() -> None:
    ids = [operator.id for operator in OPERATORS]
    assert len(set(ids)) == len(ids)
    for operator in OPERATORS:
        assert operator.error_type is KINDS[operator.id.partition("/")[0]]


def test_variants_are_right_ordered_and_differ(drawn: list[tuple[Context, Calls]]) -> None:
    differing = 0
    for context, calls in drawn:
        assert check(calls, context.answer, context.tools).ok
        for call in calls:
            order = [name for name in properties(context.tool(call.name)) if name in call.arguments]
            assert list(call.arguments)[: len(order)] == order
        differing += draw(context, "another seed") != calls
    assert differing > len(drawn) / 4


def test_almost_every_task_has_a_variant(
    contexts: list[Context], drawn: list[tuple[Context, Calls]]
) -> None:
    assert len(drawn) > 0.97 * len(contexts)


def test_edits_fail_with_the_promised_error(drawn: list[tuple[Context, Calls]]) -> None:
    made: set[str] = set()
    for number, (context, calls) in enumerate(drawn):
        for edit in edited(OPERATORS, context, calls, str(number), each=1):
            problem = None
            if isinstance(edit.candidate, str):
                problem = parse(edit.candidate).problem
                assert problem is not None
            first = check(edit.candidate, context.answer, context.tools, unreadable=problem).first
            assert first is not None
            assert first.type is edit.error_type
            assert edit.candidate != calls
            made.add(edit.operator)
    assert {operator.partition("/")[0] for operator in made} == set(KINDS)
    assert len(made) > 0.85 * len(OPERATORS)


def test_edits_depend_on_the_seed_alone(drawn: list[tuple[Context, Calls]]) -> None:
    context, calls = drawn[10]
    again = Context(context.tools, context.messages, context.answer, context.peers)
    first = list(edited(OPERATORS, context, calls, "seed", each=2))
    assert first == list(edited(OPERATORS, again, calls, "seed", each=2))
    half = OPERATORS[::2]
    ids = {operator.id for operator in half}
    assert [e for e in first if e.operator in ids] == list(
        edited(half, context, calls, "seed", each=2)
    )


def test_siblings_are_other_tools_of_the_catalogue(drawn: list[tuple[Context, Calls]]) -> None:
    family = [o for o in OPERATORS if o.id.startswith("name/sibling")]
    made = 0
    for context, calls in drawn:
        for edit in edited(family, context, calls, "seed", each=2):
            assert not isinstance(edit.candidate, str)
            pairs = zip(calls, edit.candidate, strict=True)
            (changed,) = [new for old, new in pairs if new.name != old.name]
            tool = context.tool(changed.name)
            assert set(required(tool)) <= set(changed.arguments) <= set(properties(tool))
            made += 1
    assert made > 30


def test_made_up_names_are_in_no_catalogue(drawn: list[tuple[Context, Calls]]) -> None:
    family = [o for o in OPERATORS if o.id.startswith("name/") and "sibling" not in o.id]
    for context, calls in drawn:
        names = {tool.name for tool in context.tools}
        dotless = {name.replace(".", "_") for name in names}
        for edit in edited(family, context, calls, "seed", each=1):
            new = {call.name for call in edit.candidate if isinstance(call, Call)} - names
            assert new
            assert not new & dotless


def test_enum_edits_stay_in_the_enum(drawn: list[tuple[Context, Calls]]) -> None:
    family = [o for o in OPERATORS if o.id == "value/other-enum"]
    seen = 0
    for context, calls in drawn:
        for edit in edited(family, context, calls, "seed", each=3):
            for old, call in zip(calls, edit.candidate, strict=True):
                assert isinstance(call, Call)
                for name, value in call.arguments.items():
                    members = properties(context.tool(call.name)).get(name, {}).get("enum")
                    if members and value != old.arguments[name]:
                        assert value in members
                        seen += 1
    assert seen > 20


@pytest.fixture
def weather() -> Context:
    """One tool; a city, an optional day, and a unit that falls back to celsius."""
    schema = {
        "type": "dict",
        "properties": {
            "city": {"type": "string", "description": "The city."},
            "date": {"type": "string", "description": "The date, YYYY-MM-DD."},
            "unit": {"type": "string", "enum": ["celsius", "fahrenheit"], "default": "celsius"},
        },
        "required": ["city"],
    }
    tool = tool_from({"name": "weather.get", "description": "Weather.", "parameters": schema})
    answer = (
        AdmissibleCall(
            "weather.get",
            {"city": ["Lyon", "Lyon, France"], "date": ["2024-05-31"], "unit": ["fahrenheit"]},
        ),
    )
    message = {"role": "user", "content": "Weather in Lyon on May 31, 2024 in fahrenheit?"}
    return Context((tool,), (message,), answer, {"city": ("Lyon", "Nice", "Lyon, France")})


def _candidates(context: Context, operator: str) -> Iterator[Candidate]:
    family = [o for o in OPERATORS if o.id == operator]
    assert family, f"no operator '{operator}'"
    arguments = {"city": "Lyon", "date": "2024-05-31", "unit": "fahrenheit"}
    for edit in edited(family, context, (Call("weather.get", arguments),), "seed", each=4):
        yield edit.candidate


def test_dates_move_over_the_end_of_the_month(weather: Context) -> None:
    dates = {c[0].arguments["date"] for c in _candidates(weather, "value/date-off-by-one")}  # type: ignore[union-attr]
    assert dates == {"2024-05-30", "2024-06-01"}


def test_the_default_takes_the_place_of_what_was_asked_for(weather: Context) -> None:
    (candidate,) = _candidates(weather, "value/default-instead")
    assert candidate[0].arguments["unit"] == "celsius"  # type: ignore[union-attr]


def test_another_spelling_is_no_edit(weather: Context) -> None:
    for operator in ("value/entity-elsewhere", "value/entity-here"):
        for candidate in _candidates(weather, operator):
            assert "Lyon" not in candidate[0].arguments["city"]  # type: ignore[union-attr]


def test_prefix_lost(weather: Context) -> None:
    assert [c[0].name for c in _candidates(weather, "name/prefix-lost")] == ["get"]  # type: ignore[union-attr]


def test_nothing_is_dropped_that_nobody_asked_for(weather: Context) -> None:
    silent = Context(weather.tools, ({"role": "user", "content": "Hello"},), weather.answer)
    assert list(_candidates(weather, "missing-optional/dropped"))
    assert not list(_candidates(silent, "missing-optional/dropped"))


def test_broken_text_breaks_the_right_calls(weather: Context) -> None:
    (candidate, *_) = _candidates(weather, "parsing/truncated")
    arguments = {"city": "Lyon", "date": "2024-05-31", "unit": "fahrenheit"}
    whole = json.dumps([{"name": "weather.get", "arguments": arguments}])
    assert isinstance(candidate, str)
    assert whole.startswith(candidate)
    assert fails_with(candidate, weather, ErrorType.PARSING)
    assert not fails_with(whole, weather, ErrorType.PARSING)


def test_proposals_that_are_right_or_fail_otherwise_are_left_out(weather: Context) -> None:
    right = (Call("weather.get", {"city": "Lyon", "date": "2024-05-31", "unit": "fahrenheit"}),)
    other = (Call("weather.get", {"city": "Nice"}),)
    wrong_name = (Call("weather.set", right[0].arguments),)

    def propose(context: Context, calls: Calls, rng: Random) -> Iterator[Candidate]:
        yield from (right, wrong_name, other, other)

    operator = Operator("value/of-all-sorts", ErrorType.VALUE, propose)
    edits = list(edited([operator], weather, right, "seed", each=5))
    assert [edit.candidate for edit in edits] == [other]


def test_tools_that_do_the_same_are_no_siblings(weather: Context) -> None:
    (tool,) = weather.tools
    twin = tool_from({**tool.original, "name": "forecast"})
    longer = tool_from({**tool.original, "name": "weather.get_by_day", "description": "By day."})
    alarm = tool_from({"name": "weather.alarm", "description": "Set an alarm.", "parameters": {}})
    news = tool_from({"name": "news", "description": "News of the day.", "parameters": {}})
    context = Context((tool, twin, longer, alarm, news), weather.messages, weather.answer)
    assert [sibling.name for sibling in siblings(context, tool)] == ["weather.alarm"]


def _siblings_call(weather: Context, schema: dict[str, object], needed: list[str]) -> Call | None:
    parameters = {"type": "dict", "properties": schema, "required": needed}
    tool = tool_from({"name": "weather.other", "description": "Other.", "parameters": parameters})
    base = Call("weather.get", {"city": "Lyon", "date": "2024-05-31", "unit": "fahrenheit"})
    return sibling_call(weather, tool, base, Random(0))


def test_siblings_get_no_values_out_of_the_blue(weather: Context) -> None:
    enum = {"type": "string", "enum": ["celsius", "Fahrenheit"], "description": "The scale."}
    named = _siblings_call(weather, {"scale": enum}, ["scale"])
    assert named
    assert named.arguments == {"scale": "Fahrenheit"}
    assert not _siblings_call(weather, {"scale": {**enum, "enum": ["kelvin"]}}, ["scale"])
    assert not _siblings_call(weather, {"station_id": {"type": "string"}}, ["station_id"])
    assert not _siblings_call(weather, {"count": {"type": "integer"}}, ["count"])


def test_bounds_and_paired_lists() -> None:
    trip = {"start_date": "2024-05-30", "end_date": "2024-05-31", "stops": ["a"], "days": [1]}
    assert sensible(trip, {**trip, "end_date": "2024-06-07"})
    assert not sensible(trip, {**trip, "end_date": "2024-05-29"})
    assert not sensible(trip, {**trip, "stops": ["a", "b"]})
    assert not sensible({"age": {"min": 3, "max": 9}}, {"age": {"min": 30, "max": 9}})
    assert not sensible({"price_range": [3, 9]}, {"price_range": [30, 9]})


@pytest.mark.parametrize(
    ("text", "contradicts"),
    [
        ("next Monday in Portland, today is 2023-10-1 monday", True),
        ("today is Monday April 25th 2023", True),
        ("on Saturday, the 1st of April 2023", False),
        ("on 2023-10-1", False),
        ("next Monday", False),
    ],
)
def test_weekdays_that_contradict_the_date(text: str, contradicts: bool) -> None:
    assert weekdays_contradict(text) is contradicts


def test_numbers_inside_dates_and_times_are_no_amounts(weather: Context) -> None:
    said = "3 tickets on 2023-10-02 or March 5th, 2024 at 7:30 or 8 pm, not above 40 dollars"
    context = Context(weather.tools, ({"role": "user", "content": said},), weather.answer)
    assert context.numbers == (3.0, 40.0)


def test_no_edit_makes_the_same_call_twice(drawn: list[tuple[Context, Calls]]) -> None:
    for context, calls in drawn:
        if any(calls.count(call) > 1 for call in calls):
            continue
        for edit in edited(OPERATORS, context, calls, "seed", each=1):
            if not isinstance(edit.candidate, str):
                assert all(edit.candidate.count(call) == 1 for call in edit.candidate)


@pytest.mark.parametrize(
    ("description", "value"),
    [
        ("Significance level. Default is 0.05.", 0.05),
        ("Species, default is 'Homo sapiens' (Humans).", "Homo sapiens"),
        ("(optional; default is 6)", 6),
    ],
)
def test_defaults_in_descriptions(description: str, value: object) -> None:
    assert is_default(value, {"description": description})
    assert not is_default("Mus musculus", {"description": description})


@pytest.mark.parametrize(
    ("description", "options", "expected"),
    [
        (
            "The date, YYYY-MM-DD.",
            ["05/01/2022", "2022-05-01", "tomorrow"],
            ["2022-05-01", "tomorrow"],
        ),
        ("The date in mm/dd/yyyy format.", ["2022-05-01"], []),
        (
            "The city and state, e.g. Boston, MA",
            ["LA", "Los Angeles", "Los Angeles, CA", "LA, CA"],
            ["Los Angeles, CA"],
        ),
        ("The city and state.", ["LA", "Los Angeles"], ["Los Angeles"]),
        ("The city and state.", ["CA"], ["CA"]),
        ("The city.", ["LA", "Los Angeles"], ["LA", "Los Angeles"]),
    ],
)
def test_values_have_the_form_that_their_description_asks_for(
    description: str, options: list[str], expected: list[str]
) -> None:
    assert suited(list(options), {"type": "string", "description": description}) == expected
