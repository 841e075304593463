from typing import Any

import pytest

from fcrewardbench.benchmarks.bfcl import load_tasks
from fcrewardbench.calls.check import AdmissibleCall, check
from fcrewardbench.calls.doubt import doubts
from fcrewardbench.calls.tools import tool_from
from fcrewardbench.types import Call, Prompt, Tool

TEXT = {"type": "string"}
NUMBER = {"type": "float"}
INTEGER = {"type": "integer"}
FLAG = {"type": "boolean"}
TEXTS = {"type": "array", "items": TEXT}
NUMBERS = {"type": "array", "items": NUMBER}


def about(description: str, **rest: Any) -> dict[str, Any]:
    return {**TEXT, "description": description, **rest}


def tool(name: str = "f", description: str = "", **properties: Any) -> Tool:
    schema = {"type": "dict", "properties": properties, "required": []}
    return tool_from({"name": name, "description": description, "parameters": schema})


def prompt(said: str, *tools: Tool) -> Prompt:
    return Prompt(tools, ({"role": "user", "content": said},))


@pytest.mark.parametrize("key", ["parameters", "input_schema"])
def test_a_default_is_excused_wherever_the_schema_stands(key: str) -> None:
    schema = {
        "type": "object",
        "properties": {
            "q": {"type": "string"},
            "limit": {"type": "integer", "description": "How many. Default is 3."},
        },
        "required": ["q"],
    }
    (search,) = (tool_from({"name": "search", "description": "", key: schema}),)
    asked = Prompt((search,), ({"role": "user", "content": "Search for tea"},))
    answer = (AdmissibleCall("search", {"q": ["tea"], "limit": [3]}),)
    assert doubts((Call("search", {"q": "tea"}),), answer, asked)


def value_doubts(key: str, schema: Any, due: list[Any], given: Any, said: str) -> tuple[str, ...]:
    """The reasons for one argument of one call."""
    answer = [AdmissibleCall("f", {key: due})]
    return doubts((Call("f", {key: given}),), answer, prompt(said, tool(**{key: schema})))


# Parameter, schema, admissible, a doubtful value, a certainly wrong one, what was said, the reason.
VALUES: list[tuple[str, Any, list[Any], Any, Any, str, str]] = [
    (
        "date",
        TEXT,
        ["2023-04-05"],
        "April 5th, 2023",
        "April 6th, 2023",
        "on 2023-04-05",
        "date in another format",
    ),
    ("date", TEXT, ["04/03/2023"], "2023-03-04", "2023-03-05", "in 2023", "date in another format"),
    (
        "date",
        TEXT,
        ["2023-04-05"],
        "2023-04-05T00:00:00Z",
        "2023-04-05T10:00:00Z",
        "in 2023",
        "date in another format",
    ),
    (
        "time",
        TEXT,
        ["19:30"],
        "7:30 PM",
        "7:30 AM",
        "half past seven in the evening",
        "date in another format",
    ),
    (
        "date",
        about("As YYYY-MM-DD."),
        ["2023-04-05"],
        "2023-4-5",
        "04/05/2023",
        "in 2023",
        "date in another format",
    ),
    ("date", TEXT, ["2023-03-14"], "2025-03-14", "2025-03-15", "on March 14th", "year left open"),
    ("date", TEXT, ["2023-10-06"], "2023-10-13", "2023-10-14", "this Friday at 8", "day left open"),
    ("n", INTEGER, [5], "5", "6", "five of them", "number as text"),
    ("n", TEXT, ["5"], 5, 6, "five of them", "number as text"),
    ("n", TEXT, ["1,000"], "one thousand", "10,000", "a thousand", "number in another notation"),
    ("n", TEXT, ["twenty-five"], "25", "26", "twenty-five", "number in another notation"),
    ("xs", NUMBERS, [[1.0, 2.0]], [1, 2], [1, 3], "1 and 2", "number in another notation"),
    ("rate", NUMBER, [0.05], 5, 50, "at 5%", "percent or fraction"),
    ("rate", NUMBER, [0.05], "5%", "6%", "at 5%", "percent or fraction"),
    ("rate", NUMBER, [500], "500%", "5%", "at 500%", "percent or fraction"),
    ("thing", TEXT, ["3 tickets"], "3 ticket", "3 rooms", "three", "unit in another form"),
    (
        "distance",
        TEXT,
        ["10 km"],
        "10 kilometers",
        "10 miles",
        "10 km away",
        "unit in another form",
    ),
    ("distance", TEXT, ["10"], "10 km", "12 km", "10 km away", "unit in another form"),
    (
        "distance",
        about("In kilometers."),
        ["10"],
        "10 km",
        "10 miles",
        "10 away",
        "unit in another form",
    ),
    ("unit", TEXT, ["g/mol"], "grams/mole", "kg/mole", "in grams", "unit in another form"),
    ("flag", FLAG, [True], "true", "false", "yes", "boolean as text"),
    ("venue", TEXT, ["McDonald's"], "McDonalds!", "Burger King", "a McDonald's", "other spelling"),
    ("venue", TEXT, ["Café Zoë"], "cafe zoe", "cafe zoo", "at Café Zoë", "other spelling"),
    ("thing", TEXT, ["burger"], "burgers", "fries", "a burger", "other spelling"),
    ("venue", TEXT, ["Louvre"], "the Louvre", "the Prado", "the Louvre", "other spelling"),
    ("grade", TEXT, ["B"], "the B", "B+", "a B", "other spelling"),
    (
        "city",
        TEXT,
        ["Paris"],
        "Paris, France",
        "Paris, Texas",
        "in Paris",
        "place with or without its region",
    ),
    (
        "city",
        TEXT,
        ["NYC"],
        "New York, NY",
        "New York, CA",
        "in NYC",
        "place with or without its region",
    ),
    (
        "city",
        TEXT,
        ["Lafayette, LA"],
        "Lafayette, Louisiana",
        "Lafayette, IN",
        "Lafayette",
        "place with or without its region",
    ),
    (
        "city",
        about("City, State"),
        ["San Diego, CA"],
        "San Diego, California",
        "San Diego",
        "San Diego",
        "place with or without its region",
    ),
    (
        "city",
        TEXT,
        ["Portland"],
        "Portland, OR",
        "Portland, ME",
        "Portland",
        "place with or without its region",
    ),
    ("n", {**INTEGER, "default": 1}, ["", 1], "1", "2", "one", "number as text"),
    (
        "country",
        TEXT,
        ["United States"],
        "USA",
        "Canada",
        "the US",
        "place with or without its region",
    ),
    ("language", TEXT, ["English"], "en", "de", "in English", "name or code"),
    ("currency", TEXT, ["USD"], "US Dollars", "Canadian Dollars", "dollars", "name or code"),
    ("lang", about("An ISO code."), ["en"], "EN", "English", "in English", ""),
    ("who", TEXT, ["Smith"], "Dr. Smith", "Dr. Jones", "Dr. Smith", "title of a person"),
    (
        "cell_type",
        TEXT,
        ["human"],
        "human cell",
        "plant cell",
        "a human cell",
        "kind named with it",
    ),
    (
        "event",
        TEXT,
        ["Civil War"],
        "American Civil War",
        "English Civil War",
        "the American Civil War",
        "the user's fuller wording",
    ),
    ("city", TEXT, ["Berkeley"], "Berkley", "Berkelium", "in Berkley", "the user's own spelling"),
    ("city", TEXT, ["Beijing"], "北京", "上海", "北京 后天的天气如何", "the user's own script"),
    (
        "mode",
        about("asc (ascending) or desc (descending)"),
        ["asc"],
        "ascending",
        "descending",
        "upwards",
        "set equal by the description",
    ),
    (
        "function",
        TEXT,
        ["3x**2 + 1"],
        "lambda x: 3*x^2 + 1",
        "lambda x: 3*x^3 + 1",
        "3x^2 + 1",
        "formula in another notation",
    ),
    (
        "query",
        TEXT,
        ["weather Oslo tomorrow"],
        "weather Oslo",
        "Oslo",
        "the weather in Oslo tomorrow",
        "shorter or longer wording",
    ),
    (
        "text",
        TEXT,
        ["do not call"],
        "please do not call",
        "do call",
        "please do not call",
        "other spelling",
    ),
    (
        "tags",
        TEXTS,
        [["red", "blue"]],
        ["blue", "red"],
        ["blue", "green"],
        "red and blue",
        "other order",
    ),
    (
        "route",
        TEXTS,
        [["Oslo", "Bergen"]],
        ["the Oslo", "Bergen"],
        ["Bergen", "Oslo"],
        "Oslo, then Bergen",
        "other spelling",
    ),
    ("tags", TEXTS, [["red"]], "red", "['red']", "red", "one item or a list of it"),
    ("size", TEXT, ["M"], ["M"], ["M", "L"], "size M", "one item or a list of it"),
    ("limit", {**INTEGER, "default": 10}, ["", 5], 10, 11, "some", "default made explicit"),
    ("limit", about("Default is 10."), ["", "5"], "10", "11", "some", "default made explicit"),
    ("note", TEXT, ["", "x"], None, "y", "nothing", "left empty"),
    (
        "note",
        TEXT,
        [""],
        "ring twice",
        "ring thrice",
        "ring twice",
        "optional value that the conversation names",
    ),
    (
        "show",
        about("", enum=["imax", "3d"]),
        ["", "dontcare"],
        "imax",
        "3d",
        "in imax",
        "optional value that the conversation names",
    ),
    (
        "include_date",
        {**FLAG, "default": False},
        [True],
        False,
        None,
        "the time",
        "default where nobody asked for more",
    ),
]


@pytest.mark.parametrize(("key", "schema", "due", "doubtful", "wrong", "said", "reason"), VALUES)
def test_values(
    key: str, schema: Any, due: list[Any], doubtful: Any, wrong: Any, said: str, reason: str
) -> None:
    expected = (f"{reason}: '{key}'",) if reason else ()
    assert value_doubts(key, schema, due, doubtful, said) == expected
    assert value_doubts(key, schema, due, wrong, said) == ()


def test_members_of_an_enum_and_listed_options_are_told_apart() -> None:
    places = about("", enum=["Paris", "Paris, France"])
    assert value_doubts("city", places, ["Paris"], "Paris, France", "Paris") == ()
    listed = about("Either 'song' or 'songs'.")
    assert value_doubts("kind", listed, ["song"], "songs", "a song") == ()


def test_ids_and_commands_are_taken_by_the_letter() -> None:
    assert value_doubts("user_id", TEXT, ["ab(1)"], "ab1", "ab(1)") == ()
    assert value_doubts("command", TEXT, ["dir D:\\\\"], "dir D:\\", "list D") == (
        "other spelling: 'command'",
    )
    assert value_doubts("command", TEXT, ["dir D:\\"], "dir D:", "list D") == ()


def test_objects_key_by_key() -> None:
    schema = {"type": "dict", "properties": {"n": INTEGER, "unit": {**TEXT, "default": "m"}}}
    due = [{"n": [5], "unit": ["m"]}]
    assert value_doubts("o", schema, due, {"n": "5", "unit": "m"}, "5 m") == (
        "number as text: 'o'",
    )
    assert value_doubts("o", schema, due, {"n": 5}, "5 m") == ("default left out: 'o'",)
    assert value_doubts("o", schema, due, {"unit": "m"}, "5 m") == ()


def test_left_out_arguments() -> None:
    f = tool(n={**INTEGER, "default": 1}, flag={**FLAG, "default": False}, who=TEXT, item=TEXT)

    def left_out(said: str, **due: list[Any]) -> tuple[str, ...]:
        answer = [AdmissibleCall("f", {"item": ["x"], **due})]
        return doubts((Call("f", {"item": "x"}),), answer, prompt(said, f))

    assert left_out("one", n=[1]) == ("default left out: 'n'",)
    assert left_out("two", n=[2]) == ()
    assert left_out("any", who=["dontcare"]) == ("nothing left out: 'who'",)
    assert left_out("x", flag=[True]) == ("left out where nobody asked for it: 'flag'",)
    assert left_out("with the flag", flag=[True]) == ()


def test_arguments_besides() -> None:
    f = tool(item=TEXT, n={**INTEGER, "default": 1}, note=TEXT)
    answer = [AdmissibleCall("f", {"item": ["x"]})]

    def besides(**arguments: Any) -> tuple[str, ...]:
        call = Call("f", {"item": "x", **arguments})
        return doubts((call,), answer, prompt("x, and ring twice", f))

    assert besides(n=1) == ("default made explicit: 'n'",)
    assert besides(n=2) == ()
    assert besides(note="ring twice") == ("argument that the answer does not list: 'note'",)
    assert besides(note="by train") == ()
    assert besides(unknown=None) == ()


def test_a_required_argument_is_never_left_out() -> None:
    schema = {"type": "dict", "properties": {"n": {**INTEGER, "default": 1}}, "required": ["n"]}
    f = tool_from({"name": "f", "description": "", "parameters": schema})
    assert doubts((Call("f", {}),), [AdmissibleCall("f", {"n": [1]})], prompt("one", f)) == ()


def test_tools_that_do_the_same() -> None:
    tools = (
        tool("weather", "Get the weather of a city.", city=TEXT),
        tool("forecast", "Retrieves the weather of a city.", city=TEXT),
        tool("climate", "Get the climate of a city.", city=TEXT),
    )
    answer = [AdmissibleCall("weather", {"city": ["Oslo"]})]

    def called(name: str, city: str = "Oslo") -> tuple[str, ...]:
        return doubts((Call(name, {"city": city}),), answer, prompt("Oslo", *tools))

    assert called("forecast") == ("another tool that does the same: 'forecast'",)
    assert called("forecast", "Bergen") == ()
    assert called("climate") == ()
    assert called("unknown") == ()


def test_counts() -> None:
    f = tool(cities=TEXTS, day=TEXT)
    said = prompt("Oslo and Bergen today", f)

    def call(*cities: str, day: str = "today") -> Call:
        return Call("f", {"cities": list(cities), "day": day})

    def due(*cities: str) -> AdmissibleCall:
        return AdmissibleCall("f", {"cities": [list(cities)], "day": ["today"]})

    both, each = [due("Oslo", "Bergen")], [due("Oslo"), due("Bergen")]
    assert doubts((call("Oslo"), call("Oslo")), [due("Oslo")], said) == ("the same call twice",)
    assert doubts((call("Oslo"),), [due("Oslo"), due("Oslo")], said) == ("the same call due twice",)
    merged = ("calls for single items of a list",)
    assert doubts((call("Oslo"), call("Bergen")), both, said) == merged
    assert doubts((call("Oslo", "Bergen"),), each, said) == ("one call with a list of items",)
    assert doubts((call("Oslo"), call("Paris")), both, said) == ()
    assert doubts((call("Oslo"), call("Bergen", day="now")), both, said) == ()
    assert doubts((call("Oslo", "Paris"),), each, said) == ()
    assert doubts((call("Oslo"), call("Paris")), [due("Oslo")], said) == ()


def test_matching_finds_the_pairing_that_is_excused() -> None:
    f = tool(city=TEXT)
    answer = [
        AdmissibleCall("f", {"city": ["Paris"]}),
        AdmissibleCall("f", {"city": ["Paris, France"]}),
    ]
    calls = (Call("f", {"city": "Paris, FR"}), Call("f", {"city": "Paris"}))
    assert doubts(calls, answer, prompt("Paris", f)) == (
        "place with or without its region: 'city'",
    )


def test_words_and_tasks_without_a_call_are_certain() -> None:
    f = tool(city=TEXT)
    assert doubts("Oslo", [AdmissibleCall("f", {"city": ["Oslo"]})], prompt("Oslo", f)) == ()
    assert doubts((Call("f", {"city": "Oslo"}),), [], prompt("Oslo", f)) == ()


@pytest.mark.parametrize(
    ("task", "arguments", "reason"),
    [
        ("simple_python_55", {"cell_type": "human cell"}, "kind named with it: 'cell_type'"),
        ("simple_python_55", {"cell_type": "plant cell"}, None),
        (
            "live_multiple_270-127-5",
            {"city": "New York, NY"},
            "place with or without its region: 'city'",
        ),
        ("live_multiple_270-127-5", {"city": "Boston, MA"}, None),
        ("live_multiple_607-159-0", {"date": "2025-03-14"}, "year left open: 'date'"),
        ("live_multiple_607-159-0", {"date": "2023-03-15"}, None),
        ("multiple_67", {"source_language": "en"}, "name or code: 'source_language'"),
        ("multiple_67", {"source_language": "de"}, None),
        ("parallel_multiple_160", {"annual_rate": 5.0}, "percent or fraction: 'annual_rate'"),
        (
            "live_multiple_713-165-0",
            {"where_to": "London, England"},
            "place with or without its region: 'where_to'",
        ),
        ("live_multiple_713-165-0", {"where_to": "London, Canada"}, None),
    ],
)
def test_real_tasks(task: str, arguments: dict[str, Any], reason: str | None) -> None:
    found = load_tasks("v4")[task]
    assert found.answer
    calls = tuple(
        Call(
            call.name,
            {**call.arguments, **{k: v for k, v in arguments.items() if k in call.arguments}},
        )
        for call in _right(found.answer)
    )
    reasons = doubts(calls, found.answer, found.prompt)
    assert reasons == ((reason,) if reason else ())


def _right(answer: tuple[AdmissibleCall, ...]) -> tuple[Call, ...]:
    """The first admissible values; optional arguments are left out."""
    return tuple(
        Call(call.name, {k: v[0] for k, v in call.arguments.items() if v and "" not in v})
        for call in answer
    )


def test_right_candidates_are_certain_and_one_real_error_makes_a_candidate_so() -> None:
    checked = 0
    for task in load_tasks("v4").values():
        if not task.answer or "java" in task.category:
            continue
        calls = _right(task.answer)
        if not check(calls, task.answer, task.prompt.tools).ok:
            continue
        assert doubts(calls, task.answer, task.prompt) == ()
        first, *rest = calls
        for name, value in first.arguments.items():
            if isinstance(value, str) and len(value) > 3:
                wrong = Call(first.name, {**first.arguments, name: "Xyzzy Plugh"})
                assert doubts((wrong, *rest), task.answer, task.prompt) == (), (task.id, name)
                checked += 1
    assert checked > 1000
