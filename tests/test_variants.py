"""Variants of records, and requests made from schemas: what must stay true of every one of them."""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest
from conftest import SHARED_DATA

from fcrewardbench import AdmissibleCall, Prompt, Tool, check
from fcrewardbench.calls.tools import tool_from
from fcrewardbench.errors import DataError
from toolrm.records import Record
from toolrm.synthesize.distractors import ToolPool, alike, traits_of, with_distractors
from toolrm.synthesize.irrelevance import irrelevant, without_a_value
from toolrm.synthesize.obfuscate import obfuscated
from toolrm.synthesize.requests import APART, INLINE, THINGS, requested

SEEDS = range(25)


def tool(name: str, description: str, required: str = "", **properties: Any) -> Tool:
    schemas = {
        key: {"type": "string", "description": value} if isinstance(value, str) else value
        for key, value in properties.items()
    }
    schema = {"type": "object", "properties": schemas, "required": required.split()}
    return tool_from({"name": name, "description": description, "parameters": schema})


FORECAST = tool(
    "get_forecast",
    "Weather forecast. Use find_station first; `city` is required by get_forecast.",
    "city",
    city="The city for which the forecast is made",
    day={"type": "string", "description": "The day, see parameter 'city'"},
    options={
        "type": "object",
        "description": "Options such as wind_speed",
        "properties": {
            "wind_speed": {"type": "boolean", "description": "Whether to show wind_speed"},
            "unit": {"type": "string", "enum": ["metric", "imperial"], "default": "metric"},
        },
        "required": ["unit"],
    },
)
STATION = tool("find_station", "Find a weather station near a city.", "city", city="The city")
TABLE = tool(
    "reserve_table", "Reserve a table in a restaurant.", "guests", guests="How many", date="Day"
)
HOTEL = tool("hotels.search", "Search for a hotel with free rooms.", "city", city="The city")
TAXI = tool("order_taxi", "Order a taxi to an address.", "address", address="Where to go")
PATENTS = tool("list_patents", "List the patents of an inventor.", "inventor", inventor="Full name")
TIDES = tool("tide_table", "Tide heights at a harbour.", "harbour", harbour="The harbour")
WEATHER_2 = tool("Get-Forecast", "Something else altogether.", "zip", zip="Zip code")
WEATHER_3 = tool("meteo", "Get the weather forecast for a given city.", "place", place="Where")
POOL = (TABLE, HOTEL, TAXI, PATENTS, TIDES, WEATHER_2, WEATHER_3)


def a_record() -> Record:
    """Two tools, a call in an earlier turn, nested parameters, names quoted in the system text."""
    function = {"name": "find_station", "arguments": {"city": "Oslo"}}
    messages = (
        {"role": "system", "content": "Call get_forecast when the wind_speed is asked for."},
        {"role": "user", "content": "Is there a station in Oslo?"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"type": "function", "function": function}],
        },
        {"role": "tool", "name": "find_station", "content": "yes"},
        {"role": "assistant", "content": "There is one. Anything else?"},
        {
            "role": "user",
            "content": "Show me the weather forecast in Bergen. And the wind, please.",
        },
    )
    options = [{"wind_speed": [True], "unit": ["metric", ""]}]
    answer = (AdmissibleCall("get_forecast", {"city": ["Bergen"], "options": ["", *options]}),)
    return Record("test/1", "test", "CC0-1.0", Prompt((FORECAST, STATION), messages), answer)


def text_of(record: Record) -> str:
    tools = [dict(tool.original) for tool in record.prompt.tools]
    answer = [(call.name, dict(call.arguments)) for call in record.answer]
    return json.dumps([tools, list(map(dict, record.prompt.messages)), answer])


def right(record: Record) -> bool:
    return check(record.gold, record.answer, record.prompt.tools).ok


def keys_of(value: Any) -> set[str]:
    if isinstance(value, Mapping):
        return set(value).union(*map(keys_of, value.values()))
    return set().union(*map(keys_of, value)) if isinstance(value, list) else set()


def mapping(old: Record, new: Record) -> dict[str, str]:
    """New names to old ones, told by descriptions, which stay, and by what parameters look like."""
    names: dict[str, str] = {}
    for before, after in zip(old.prompt.tools, new.prompt.tools, strict=True):
        names[after.name] = before.name
        stack = [(before.parameters, after.parameters)]
        while stack:
            one, two = stack.pop()
            parts = list(two.get("properties", {}).items())
            for name, schema in one.get("properties", {}).items():
                (match,) = [
                    (key, part)
                    for key, part in parts
                    if part["type"] == schema["type"]
                    and part.get("enum") == schema.get("enum")
                    and part.get("description", "").split()[:2]
                    == schema.get("description", "").split()[:2]
                ]
                assert match[0] != name
                names[match[0]] = name
                stack.append((schema, match[1]))
    return names


@pytest.mark.parametrize("seed", SEEDS)
def test_mapping_the_names_back_gives_the_original(seed: int) -> None:
    old = a_record()
    new = obfuscated(old, Random(seed))
    names = mapping(old, new)
    assert len(set(names.values())) == len(names) == 7
    back = text_of(new)
    for name, original in names.items():
        back = re.sub(rf"(?<![\w.]){re.escape(name)}(?![\w])", original, back)

    def plain(text: str) -> Any:
        return canonical(json.loads(text))

    assert plain(back) == plain(text_of(old))


def canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: sorted(item) if key == "required" else canonical(item)
            for key, item in sorted(value.items())
        }
    return [canonical(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("seed", SEEDS)
def test_no_old_name_is_left_and_no_new_one_was_there(seed: int) -> None:
    old = a_record()
    new = obfuscated(old, Random(seed))
    text = text_of(new)
    for name in ("get_forecast", "find_station", "wind_speed"):
        assert name not in text
    keys = set().union(*(keys_of(tool.parameters.get("properties")) for tool in new.prompt.tools))
    assert not keys & {"city", "day", "options", "unit"}
    assert not set(new.answer[0].arguments) & {"city", "options"}
    for name in mapping(old, new):
        assert name.lower() not in text_of(old).lower()
    assert right(new)
    assert new.id.startswith("test/1~o")
    assert len({tool.name for tool in new.prompt.tools}) == 2


def test_arguments_follow_the_new_order_and_orders_differ() -> None:
    orders = set()
    for seed in SEEDS:
        new = obfuscated(a_record(), Random(seed))
        called = next(t for t in new.prompt.tools if t.name == new.answer[0].name)
        properties = list(called.parameters["properties"])
        given = list(new.answer[0].arguments)
        assert given == [name for name in properties if name in given]
        names = mapping(a_record(), new)
        orders.add(tuple(names[name] for name in properties))
    assert len(orders) > 3


def test_ordinary_words_stay_in_prose_and_values_stay() -> None:
    new = obfuscated(a_record(), Random(3))
    forecast = new.prompt.tools[0]
    assert "is required by" in forecast.description
    assert "`city`" not in forecast.description
    assert any(
        part["description"].startswith("The city for which")
        for part in forecast.parameters["properties"].values()
    )
    assert new.prompt.messages[-1] == a_record().prompt.messages[-1]
    assert '"metric"' in text_of(new)


@pytest.mark.parametrize("seed", SEEDS)
def test_distractors_never_serve_as_well(seed: int) -> None:
    pool = ToolPool((*POOL, FORECAST, STATION))
    new = with_distractors(a_record(), pool, Random(seed), 4)
    names = [tool.name for tool in new.prompt.tools]
    assert len(set(names)) == len(names) == 6
    assert {"get_forecast", "find_station"} < set(names)
    assert not {"Get-Forecast", "meteo"} & set(names)
    assert new.answer == a_record().answer
    assert right(new)


def test_distractors_where_no_call_is_due_have_nothing_to_do_with_the_request() -> None:
    record = a_record()
    none_due = Record(record.id, "test", "CC0-1.0", Prompt((TABLE,), record.prompt.messages), ())
    pool = ToolPool((*POOL, FORECAST, STATION))
    for seed in SEEDS:
        added = {t.name for t in with_distractors(none_due, pool, Random(seed), 3).prompt.tools}
        assert not added & {"get_forecast", "find_station", "meteo", "Get-Forecast"}


def test_alike() -> None:
    pairs = {
        ("getWeather", "Get weather"): ("weather_get", "Unrelated words here"),
        ("createInvoice", "Create an invoice"): ("makeInvoice", "Generate an invoice"),
        ("FindFilms", "Search for films"): ("Media_2_FindMovies", "Find movies by genre"),
    }
    for one, other in pairs.items():
        assert alike(traits_of(tool(*one)), traits_of(tool(*other)))
    assert not alike(
        traits_of(tool("createInvoice", "Create an invoice")),
        traits_of(tool("deleteInvoice", "Delete an invoice")),
    )


def test_irrelevant_keeps_the_conversation_and_no_tool_that_serves() -> None:
    record = a_record()
    alone = Record(
        "test/2", "test", "MIT", Prompt((FORECAST,), record.prompt.messages[-1:]), record.answer
    )
    pool = ToolPool((*POOL, FORECAST, STATION))
    for seed in SEEDS:
        new = irrelevant(alone, pool, Random(seed))
        assert new is not None
        assert (new.answer, new.licence, new.prompt.messages) == ((), "MIT", alone.prompt.messages)
        assert new.prompt.tools
        assert not {t.name for t in new.prompt.tools} & {"get_forecast", "meteo", "Get-Forecast"}
        assert right(new)
        assert irrelevant(new, pool, Random(seed)) is None
    assert irrelevant(alone, ToolPool(()), Random(0)) is None


def test_irrelevant_keeps_no_tool_of_the_same_service() -> None:
    tools = (tool("Trips_1_Plan", "Plan a trip"), tool("Trips_1_Pay", "Settle an invoice"), PATENTS)
    rating = tool("Trips_1_Rate", "Give stars to a guide", guide="Who")
    prompt = Prompt(tools, ({"role": "user", "content": "Plan my trip."},))
    record = Record("test/5", "test", "MIT", prompt, (AdmissibleCall("Trips_1_Plan", {}),))
    for seed in SEEDS:
        new = irrelevant(record, ToolPool((*POOL, *tools, rating)), Random(seed))
        assert new is not None
        assert PATENTS in new.prompt.tools
        assert not [t.name for t in new.prompt.tools if t.name.startswith("Trips")]


def test_irrelevant_leaves_no_earlier_call_without_its_tool() -> None:
    # The station tool was called before, and has too much to do with the forecast to stay.
    assert irrelevant(a_record(), ToolPool(POOL), Random(0)) is None


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("What is the weather forecast in Bergen?", "What is the weather forecast?"),
        (
            "Show me the weather forecast for Bergen. Thanks!",
            "Show me the weather forecast. Thanks!",
        ),
        ("I am looking for a weather forecast for Bergen", "I am looking for a weather forecast"),
        ("I want to go to Bergen.", None),  # the verb needs it
        ("What is the forecast for Bergen tomorrow?", None),  # not at the end
        ("What is the forecast in Bergen? I love Bergen.", None),  # said twice
        ("Is it raining in Oslo or in Bergen?", None),
        ("How is the weather there, I mean the forecast in Bergen?", None),
        ("Bergen", None),
    ],
)
def test_without_a_value(text: str, cut: str | None) -> None:
    answer = (AdmissibleCall("get_forecast", {"city": ["Bergen"]}),)
    prompt = Prompt((FORECAST, TABLE), ({"role": "user", "content": text},))
    new = without_a_value(Record("test/3", "test", "MIT", prompt, answer), Random(0))
    assert (new.prompt.messages[-1]["content"] if new else None) == cut
    if new:
        assert new.answer == ()
        assert right(new)


def test_without_a_value_needs_one_that_nothing_else_tells() -> None:
    prompt = Prompt(
        (tool("get_forecast", "Forecast", "city", city="The city; the current one by default"),),
        ({"role": "user", "content": "What is the weather forecast in Bergen?"},),
    )
    answer = (AdmissibleCall("get_forecast", {"city": ["Bergen"]}),)
    assert without_a_value(Record("test/4", "test", "MIT", prompt, answer), Random(0)) is None


REQUESTED = (
    tool(
        "book_room",
        "Book a room in a specific hotel",
        "hotel_name check_in_date nights",
        hotel_name="The name of the hotel",
        check_in_date="The date of arrival (e.g., DD/MM/YYYY)",
        nights={"type": "integer", "description": "How many nights"},
        breakfast={"type": "boolean", "description": "Whether breakfast is included"},
        guest_name="The name of the guest",
        budget={"type": "number", "description": "The budget in dollars (e.g., 150.5, 800)"},
    ),
    tool(
        "getAirQuality",
        "Retrieve the air quality of a city",
        "city",
        city="The city (e.g., London, Tokyo)",
        pollutants={"type": "array", "items": {"type": "string", "enum": ["ozone", "soot", "NO2"]}},
        level={"type": "string", "enum": ["street", "rooftop"]},
    ),
    tool(
        "sendNote",
        "Send a note",
        "email text",
        email="The email address",
        text="The text of the note",
    ),
)


def said(value: Any, text: str) -> bool:
    """Whether a value stands in a text: of dates and times any admissible spelling does."""
    if isinstance(value, list):
        return all(said(item, text) for item in value)
    if isinstance(value, bool):
        return re.search(r"yes|no|true|false|include|enable", text, re.IGNORECASE) is not None
    if isinstance(value, int | float):
        words = (
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
        )
        word = words[int(value) - 2] if value in range(2, 13) else "!"
        return any(form in text for form in (str(value), f"{value:,}", word))
    return str(value).casefold() in text.casefold()


def assert_sound(records: list[Record]) -> None:
    texts = [str(record.prompt.messages[0]["content"]) for record in records]
    assert len({text.casefold() for text in texts}) == len({r.id for r in records}) == len(records)
    for record, text in zip(records, texts, strict=True):
        assert right(record), record
        schemas = {tool.name: tool.parameters for tool in record.prompt.tools}
        for call in record.answer:
            assert set(schemas[call.name]["required"]) <= set(call.arguments)
            for name, values in call.arguments.items():
                assert any(said(value, text) for value in values), (name, values, text)
        assert not re.search(r"\{\w+\}|  ", text), text


def test_every_value_is_said_in_the_request() -> None:
    records = list(requested(REQUESTED, Random(5), 600, "made", "Apache-2.0"))
    assert_sound(records)
    assert {len(record.answer) for record in records} == {1, 2, 3}
    dates = [
        c.arguments["check_in_date"][0] for r in records for c in r.answer if c.name == "book_room"
    ]
    assert all(re.fullmatch(r"\d\d/\d\d/\d{4}", date) for date in dates)


def test_requests_are_varied() -> None:
    assert len({*INLINE, *APART, *THINGS}) >= 40
    records = list(requested(REQUESTED, Random(6), 900, "made", "Apache-2.0"))
    hotels = [
        r.answer[0].arguments["hotel_name"][0] for r in records if r.answer[0].name == "book_room"
    ]
    assert len(set(hotels)) > 0.9 * len(hotels)
    starts = {str(r.prompt.messages[0]["content"])[:8] for r in records}
    assert len(starts) > 100


def test_too_few_tools_are_reported() -> None:
    one = tool("ping", "Ping the server")
    with pytest.raises(DataError, match=r"different requests where 500 were asked for"):
        list(requested([one], Random(0), 500, "made", "MIT"))
    with pytest.raises(DataError):
        list(requested([], Random(0), 1, "made", "MIT"))


def test_the_seed_decides() -> None:
    pool, record = ToolPool((*POOL, FORECAST, STATION)), a_record()
    alone = Record(
        "test/2", "test", "MIT", Prompt((FORECAST,), record.prompt.messages[-1:]), record.answer
    )
    for make in (
        lambda rng: obfuscated(record, rng),
        lambda rng: with_distractors(record, pool, rng, 3),
        lambda rng: irrelevant(alone, pool, rng),
        lambda rng: list(requested(REQUESTED, rng, 40, "made", "MIT")),
    ):
        assert make(Random(7)) == make(Random(7))
        assert make(Random(7)) != make(Random(8))
    assert text_of(record) == text_of(a_record())


@pytest.fixture(scope="session")
def seal_tools() -> list[Tool]:
    archive = SHARED_DATA / "train.tar.xz"
    if not archive.is_file():
        pytest.skip("train.tar.xz is not beside this checkout (../shared/data)")
    types = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
    with tarfile.open(archive) as tar:
        member = next(
            name for name in iter(tar.next, None) if name.name.endswith("seal_tools_dev/tool.jsonl")
        )
        file = tar.extractfile(member)
        assert file is not None
        lines = file.read().decode().splitlines()
    tools = []
    for raw in map(json.loads, lines):
        properties = {
            name: {**schema, "type": types[schema["type"]]}
            for name, schema in raw["parameters"].items()
        }
        schema = {"type": "object", "properties": properties, "required": raw["required"]}
        tools.append(
            tool_from(
                {
                    "name": raw["api_name"],
                    "description": raw["api_description"],
                    "field": raw["field"],
                    "parameters": schema,
                }
            )
        )
    return tools


def test_variants_of_requests_for_real_tools(seal_tools: list[Tool]) -> None:
    records = list(requested(seal_tools, Random(9), 1_500, "seal-requests", "Apache-2.0"))
    assert_sound(records)
    pool = ToolPool(seal_tools)
    rng = Random(10)
    missing = 0
    for record in records[:500]:
        wider = with_distractors(record, pool, rng, 4)
        gold = [traits_of(t) for t in record.prompt.tools]
        added = [t for t in wider.prompt.tools if t not in record.prompt.tools]
        missing += len(added) < 4
        assert not any(alike(traits_of(t), target) for t in added for target in gold)
        assert right(wider)
        hidden = obfuscated(wider, rng)
        assert right(hidden)
        assert not {t.name for t in wider.prompt.tools} & {t.name for t in hidden.prompt.tools}
        none_due = irrelevant(wider, pool, rng)
        assert none_due is not None
        assert not any(
            alike(traits_of(t), target) for t in none_due.prompt.tools for target in gold
        )
    assert missing < 5
