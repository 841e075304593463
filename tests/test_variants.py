"""Variants of records, and requests made from schemas: what must stay true of every one of them."""

from __future__ import annotations

import json
import re
import statistics
import tarfile
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from random import Random
from typing import Any

import pytest
from conftest import SHARED_DATA

from fcrewardbench import AdmissibleCall, Call, Prompt, Tool, check
from fcrewardbench.calls.edits.base import Context
from fcrewardbench.calls.tools import tool_from
from toolrm.records import Record
from toolrm.synthesize.abstention import missing_arguments
from toolrm.synthesize.distractors import (
    READING,
    ToolPool,
    alike,
    traits_of,
    with_distractors,
    words_of,
)
from toolrm.synthesize.irrelevance import irrelevant, unrelated, without_a_value
from toolrm.synthesize.obfuscate import obfuscated
from toolrm.synthesize.requests import Lacking, requested, schemas
from toolrm.synthesize.requests.data import FRAMES, WORDS
from toolrm.synthesize.requests.schemas import offered
from toolrm.synthesize.requests.values import value_of
from toolrm.synthesize.split import held_out_tools, tools_of

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


@pytest.mark.parametrize(
    "before",
    [
        [{"role": "user", "content": "What is the forecast in Oslo?"}],  # another value, in words
        [{"role": "tool", "name": "find_station", "content": '{"city": "Oslo"}'}],
        [
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [
                    {
                        "type": "function",
                        "function": {"name": "find_station", "arguments": {"city": "Oslo"}},
                    }
                ],
            }
        ],
    ],
)
def test_without_a_value_needs_one_that_no_earlier_turn_gives(before: list[dict[str, Any]]) -> None:
    last = {"role": "user", "content": "Now show me the weather forecast in Bergen."}
    answer = (AdmissibleCall("get_forecast", {"city": ["Bergen"]}),)
    for turns, possible in (((last,), True), ((*before, last), False)):
        record = Record("test/6", "test", "MIT", Prompt((FORECAST, STATION), turns), answer)
        assert (without_a_value(record, Random(0)) is not None) is possible


def test_without_a_value_takes_no_truth_value_in_words_away() -> None:
    spoken = {"type": "string", "description": "Whether it is urgent", "enum": ["yes", "no"]}
    for schema, value in ((spoken, "yes"), ({"type": "boolean", "description": "Urgent"}, True)):
        prompt = Prompt(
            (tool("send_parcel", "Send a parcel", "urgent", urgent=schema),),
            ({"role": "user", "content": f"Please send my parcel for {value}"},),
        )
        answer = (AdmissibleCall("send_parcel", {"urgent": [value]}),)
        assert without_a_value(Record("test/7", "test", "MIT", prompt, answer), Random(0)) is None


def test_without_a_value_needs_one_that_nothing_nothing_else_tells() -> None:
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


ONES = (
    *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"),
    *("twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
NUMBERS: dict[str, float] = {word: number for number, word in enumerate(ONES, 1)}
NUMBERS |= {word: 10 * number for number, word in enumerate(TENS, 2)}
NUMBERS |= {f"{t}-{o}": NUMBERS[t] + n for t in TENS for n, o in enumerate(ONES[:9], 1)}
NUMBERS |= {f"{word} and a half": number + 0.5 for number, word in enumerate(ONES[:9], 1)}
NUMBERS["a hundred"] = 100
MEASURES = [pair for measures in WORDS["measures"].values() for pair in measures.items()]


def said(value: Any, text: str) -> bool:
    """Whether a text says a value, as it is or in another form."""
    if isinstance(value, Mapping):
        return all(said(item, text) for item in value.values())
    if isinstance(value, list):
        return all(said(item, text) for item in value)
    if isinstance(value, bool):
        return True  # see test_truth_values_are_said_in_sentences
    if isinstance(value, int | float):
        forms = [str(value), f"{value:,}", f"{value / 1000:g}", f"{value / 1e6:g}"]
        forms += [f"{value * 100:.6g}%", f"{value * 100:.6g} percent"]
        forms += [word for word, number in [*NUMBERS.items(), *MEASURES] if number == value]
        return any(form in text for form in forms)
    if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        day = date.fromisoformat(value)
        parts = (f"{day:%B}", str(day.year), str(day.day))
        return value in text or all(part in text for part in parts)
    time = re.fullmatch(r"(\d\d):(\d\d)", value)
    if time and value not in text:
        word, hour = ONES[(int(time[1]) - 1) % 12], (int(time[1]) - 1) % 12 + 1
        spoken = {"00": f"{word} in", "30": f"half past {word}", "15": f"a quarter past {word}"}
        forms = [spoken.get(time[2], f"{hour}.{time[2]} in"), f"{hour}:{time[2]}"]
        return any(form in text for form in (*forms, *["noon"] * (value == "12:00")))
    forms = [
        value,
        value.replace("_", " "),
        *WORDS["said_as"].get(value.lower().replace("_", "-"), ()),
    ]
    forms += [country for country, codes in WORDS["country_codes"].items() if value in codes]
    forms += [form for country in forms[1:] for form in WORDS["country_spellings"].get(country, ())]
    forms += [language for language, code in WORDS["language_codes"].items() if code == value]
    forms += [short for short, city in WORDS["nicknames"].items() if city == value]
    return any(form.casefold() in text.casefold() for form in forms)


def query_of(record: Record) -> str:
    return str(record.prompt.messages[0]["content"])


def is_optional(values: Any) -> bool:
    return any(value == "" for value in values)


def assert_sound(records: list[Record]) -> None:
    texts = [query_of(record) for record in records]
    assert len({text.casefold() for text in texts}) == len({r.id for r in records}) == len(records)
    for record, text in zip(records, texts, strict=True):
        assert right(record), record
        schemas = {tool.name: tool.parameters for tool in record.prompt.tools}
        for call in record.answer:
            assert set(schemas[call.name]["required"]) <= set(call.arguments)
            for name, values in call.arguments.items():
                assert is_optional(values) or any(said(v, text) for v in values), (
                    name,
                    values,
                    text,
                )
        assert not re.search(r"\{\w+\}|  |^[,;]", text), text


def test_every_value_is_said_in_the_request() -> None:
    records = list(requested(REQUESTED, Random(5), 600, "made", "Apache-2.0"))
    assert_sound(records)
    assert {len(record.answer) for record in records} == {0, 1, 2, 3, 4}
    calls = [call for record in records for call in record.answer]
    dates = [c.arguments["check_in_date"][0] for c in calls if "check_in_date" in c.arguments]
    assert all(re.fullmatch(r"\d\d/\d\d/\d{4}", day) for day in dates)


def test_requests_are_varied() -> None:
    assert len({*FRAMES["inline"], *FRAMES["apart"], *FRAMES["things"]}) >= 40
    records = list(requested(REQUESTED, Random(6), 900, "made", "Apache-2.0"))
    hotels = [
        call.arguments["hotel_name"][0]
        for record in records
        for call in record.answer[:1]
        if "hotel_name" in call.arguments
    ]
    assert len(set(hotels)) > 0.9 * len(hotels)
    starts = {query_of(record)[:8] for record in records}
    assert len(starts) > 100


def test_too_few_tools_give_fewer_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schemas, "_EXTRA", 0.0)  # what it adds can be said in many ways
    monkeypatch.setattr(schemas, "_OBJECT", 0.0)
    one = tool("ping", "Ping the server")
    records = list(requested([one], Random(0), 5_000, "made", "MIT"))
    assert 0 < len(records) < 5_000
    assert_sound(records)
    assert list(requested([], Random(0), 1, "made", "MIT")) == []


def drawn(schema: dict[str, Any], name: str = "value", count: int = 400) -> dict[str, Any]:
    """What a request says for a parameter, and the best value of each."""
    values = [value_of(name, schema, Random(seed)) for seed in range(count)]
    return {value.said: value.admissible[0] for value in values if value is not None}


def test_amounts_are_said_in_other_units_than_the_one_due() -> None:
    said = drawn({"type": "integer", "description": "The duration in minutes"}, "duration")
    assert said["half an hour"] == 30
    assert said["an hour and a half"] == 90
    other = sum(text in WORDS["measures"]["minutes"] for text in said)
    assert 5 <= other < len(said) / 2
    assert any(re.fullmatch(r"\d+", text) for text in said)  # the unit left off
    assert any(re.fullmatch(r"\d+ minutes", text) for text in said)
    bounded = drawn({"type": "integer", "description": "In minutes", "maximum": 20}, "duration")
    assert max(bounded.values()) <= 20


def test_measures_are_right() -> None:
    sizes = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
    spoken = {"half a": 0.5, "half an": 0.5, "a quarter of an": 0.25, "three quarters of an": 0.75}
    spoken |= {"a": 1, "an": 1, "1.5": 1.5, "two and a half": 2.5, **NUMBERS}
    checked = 0
    for unit in ("seconds", "minutes", "hours", "days"):
        for text, amount in WORDS["measures"][unit].items():
            found = re.fullmatch(r"(.+?) (second|minute|hour|day|week)s?( and a half)?", text)
            if found:
                number = spoken[found[1]] + (0.5 if found[3] else 0)
                assert number * sizes[found[2]] == amount * sizes[unit[:-1]], text
                checked += 1
    assert checked > 20


def test_shares_are_numbers_of_the_size_that_the_schema_asks_for() -> None:
    fraction = {"type": "number", "description": "The tax rate as a decimal (e.g., 0.05, 0.2)"}
    percentage = {"type": "number", "description": "The tax rate in percent (e.g., 5, 20)"}
    for schema, factor in ((fraction, 100), (percentage, 1)):
        in_percent = {
            text: value
            for text, value in drawn(schema, "tax_rate").items()
            if re.search("%|per", text)
        }
        assert len(in_percent) > 10
        for text, value in in_percent.items():
            assert float(re.sub("%| percent", "", text)) == pytest.approx(value * factor)
    assert all(0 < value < 1 for value in drawn(fraction, "tax_rate").values())


def test_countries_and_languages_are_given_as_the_codes_that_are_asked_for() -> None:
    two = {"type": "string", "description": "The country, as a two-letter country code"}
    three = {"type": "string", "description": "Country code (ISO 3166-1 alpha-3)"}
    language = {"type": "string", "description": "Language as an ISO 639-1 code"}
    assert drawn(two, "country", 900)["Japan"] == "JP"
    assert drawn(three, "country_code", 900)["Japan"] == "JPN"
    assert drawn(language, "language")["French"] == "fr"
    assert drawn({"type": "string", "description": "The country"}, "country")["the UK"] in (
        "United Kingdom"
    )
    assert drawn({"type": "string", "description": "The city"}, "city", 900)["LA"] == "Los Angeles"


def test_members_of_enums_are_said_in_words_that_mean_no_other() -> None:
    plain = drawn({"type": "string", "enum": ["daily", "WEEKLY", "two_years"]})
    assert plain["every day"] == "daily"
    assert plain["two years"] == "two_years"
    assert set(plain.values()) == {"daily", "WEEKLY", "two_years"}
    confusing = drawn({"type": "string", "enum": ["yearly", "annually", "every day", "daily"]})
    assert confusing["every day"] == "every day"
    assert not {"every year", "once a year"} & confusing.keys()


def test_truth_values_are_said_in_sentences() -> None:
    texts = {
        "Whether to include breakfast (true or false)": (
            "include breakfast",
            "do not include breakfast",
        ),
        "Specify whether the room is quiet or not": ("the room is quiet", "the room is not quiet"),
        "Enable or disable alerts": ("enable alerts", "disable alerts"),
        "Specify if the event is indoor or outdoor": ("", ""),  # which one is true nobody can tell
    }
    for text, (yes, no) in texts.items():
        for seed in range(20):
            value = value_of("flag", {"type": "boolean", "description": text}, Random(seed))
            assert value is not None
            assert value.command + value.statement == (yes if value.admissible[0] else no)


def test_schemas_are_made_more_like_real_ones() -> None:
    room = REQUESTED[0]
    methods = tool(
        "analyse",
        "Analyse a sample",
        "method",
        method="The method (e.g., dry run, wet lab)",
        depth="?",
    )
    enums, defaults, added = [], 0, 0
    for seed in range(300):
        offer = offered(methods, "x", Random(seed))
        schema = offer.tool.parameters["properties"]["method"]
        if "enum" in schema:
            enums.append(tuple(schema["enum"]))
            assert schema["description"] == "The method"
        offer = offered(room, "y", Random(seed))
        required = offer.tool.parameters["required"]
        assert not set(required) & offer.defaults.keys()
        for name in offer.defaults:
            schema = offer.tool.parameters["properties"][name]
            text = schema.get("description", "").lower()
            assert schema.get("default") == offer.defaults[name] or "default" in text
        defaults += bool(offer.defaults)
        added += bool(offer.added)
        assert (
            offer.added
            == offer.tool.parameters["properties"].keys() - room.parameters["properties"]
        )
    assert set(enums) == {("dry run", "wet lab"), ("dry_run", "wet_lab"), ("DRY_RUN", "WET_LAB")}
    assert 60 < len(enums) < 180
    assert defaults > 150
    assert 25 < added < 85
    assert (
        room.parameters["properties"]["breakfast"]
        == REQUESTED[0].parameters["properties"]["breakfast"]
    )


def test_what_was_not_asked_for_is_left_out_or_at_its_default() -> None:
    records = list(requested(REQUESTED, Random(4), 800, "made", "MIT"))
    places: Counter[bool] = Counter()
    for record in records:
        for place, call in enumerate(record.answer):
            optional = [name for name, values in call.arguments.items() if is_optional(values)]
            places.update(call.arguments[name][0] == "" for name in optional)
            for name in optional:
                given = next(value for value in call.arguments[name] if value != "")
                gold = list(record.gold)
                bare = {key: v for key, v in gold[place].arguments.items() if key != name}
                for arguments in (bare, {**bare, name: given}):
                    gold[place] = Call(call.name, arguments)
                    assert check(tuple(gold), record.answer, record.prompt.tools).ok
    assert 0.35 < places[True] / places.total() < 0.65


def test_some_requests_lack_a_value() -> None:
    records = list(requested(REQUESTED, Random(3), 1_500, "made", "MIT"))
    lacking = [record for record in records if isinstance(record, Lacking)]
    assert 0.01 < len(lacking) / len(records) < 0.06
    for record in lacking:
        assert re.fullmatch(r"made/\d{6}~w[0-9a-f]{8}", record.id)
        assert record.answer == ()
        assert right(record)
        whole = replace(record, answer=record.due)
        assert right(whole)
        (call,) = whole.gold
        (missing,) = missing_arguments(
            Context(record.prompt.tools, record.prompt.messages, ()), call
        )
        (asked,) = record.prompt.tools
        assert missing in asked.parameters["required"]
        assert asked.parameters["properties"][missing]["type"] != "boolean"
        assert not said(call.arguments[missing], query_of(record))


def test_small_talk_is_next_to_tools_that_have_nothing_to_do_with_it() -> None:
    records = list(unrelated(ToolPool((*POOL, *REQUESTED)), Random(1), 140, "CC0-1.0", bool))
    assert len({query_of(record).casefold() for record in records}) == len(records) == 140
    assert len({record.id for record in records}) == 140
    for record in records:
        assert (record.answer, record.source, record.licence) == ((), "small-talk", "CC0-1.0")
        assert 1 <= len(record.prompt.tools) <= 4
        words = {word for t in record.prompt.tools for word in traits_of(t).words}
        assert not words & (words_of(query_of(record)) - {READING})
        assert right(record)
    more = list(unrelated(ToolPool(POOL), Random(1), 10_000, "CC0-1.0", bool))
    assert 150 < len({query_of(record) for record in more}) == len(more) < 10_000
    assert list(unrelated(ToolPool(()), Random(1), 5, "CC0-1.0", bool)) == []


def test_no_small_talk_of_one_part_is_in_the_other_behind_a_greeting_either() -> None:
    parts = [
        [
            query_of(record).casefold()
            for record in unrelated(ToolPool(POOL), Random(1), 10_000, "MIT", is_own)
        ]
        for is_own in (lambda text: len(text) % 4 > 0, lambda text: len(text) % 4 == 0)
    ]
    assert all(len(part) > 30 for part in parts)
    for one, other in (parts, reversed(parts)):
        assert not any(text.endswith(f" {said}") or text == said for text in one for said in other)


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
        lambda rng: list(unrelated(pool, rng, 40, "MIT", bool)),
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


def test_requests_for_real_tools_have_the_shares_that_they_should(seal_tools: list[Tool]) -> None:
    records = list(requested(seal_tools, Random(12), 2_000, "seal-requests", "Apache-2.0"))
    sorts: Counter[str] = Counter()
    names: defaultdict[str, set[str]] = defaultdict(set)
    descriptions = {t.name: t.description for t in seal_tools}
    for record in records:
        due = {call.name for call in record.answer}
        one = len(record.answer) == 1
        sorts[
            "lacking" if not due else "one" if one else "repeated" if len(due) == 1 else "more"
        ] += 1
        for t in record.prompt.tools:
            base = next(name for name in descriptions if t.name.endswith(name))
            names[base].add(t.name)
    shares = {sort: count / len(records) for sort, count in sorts.items()}
    assert shares == pytest.approx(
        {"lacking": 0.03, "one": 0.6, "repeated": 0.19, "more": 0.18}, abs=0.04
    )
    held = held_out_tools(map(tools_of, records), 0.1, 0)  # impossible if too many hang together
    assert sum(tools_of(record) <= held for record in records) > 0.09 * len(records)
    lengths = [len(query_of(record)) for record in records]
    assert 0.13 < sum(length > 250 for length in lengths) / len(lengths) < 0.25
    assert statistics.median(lengths) < 150
    shown = [t for record in records for t in record.prompt.tools]
    assert 0.15 < sum(t.name not in descriptions for t in shown) / len(shown) < 0.35
    properties = [s for t in shown for s in t.parameters["properties"].values()]
    assert 0.08 < sum("enum" in s for s in properties) / len(properties) < 0.2
    assert sum("default" in json.dumps(s).lower() for s in properties) / len(properties) > 0.15


def test_variants_of_requests_for_real_tools(seal_tools: list[Tool]) -> None:
    records = list(requested(seal_tools, Random(9), 1_500, "seal-requests", "Apache-2.0"))
    assert_sound(records)
    pool = ToolPool(seal_tools)
    rng = Random(10)
    missing = 0
    for record in records[:500]:
        if not record.answer:  # what is no gold tool has nothing to be told from
            continue
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
