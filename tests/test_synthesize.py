"""Training pairs: every rejected candidate is wrong, nothing gives the answer away, nothing is lost."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from types import CodeType, FunctionType
from typing import Any, Literal

import pytest
from click.testing import CliRunner

from fcrewardbench import (
    AdmissibleCall,
    Call,
    Candidate,
    ErrorType,
    Pair,
    Prompt,
    UnknownName,
    UsageError,
    check,
    parse,
)
from fcrewardbench.benchmarks.base import same
from fcrewardbench.calls.edits.base import Context, Edit, Operator, edited
from fcrewardbench.calls.edits.families import BENCHMARK_FAMILY, OPERATORS
from fcrewardbench.calls.tools import tool_from
from fcrewardbench.errors import RunError
from toolrm.cli.synthesize import command
from toolrm.records import Record, TrainingPair, read_pairs
from toolrm.synthesize import Report, SynthesizeConfig, _parts, edits, load_config, synthesize
from toolrm.synthesize.asides import asides_in, with_aside
from toolrm.synthesize.balance import capped, request_form
from toolrm.synthesize.config import GeneratorConfig
from toolrm.synthesize.edits import EDITS
from toolrm.synthesize.edits.bounds import FEW, WITHIN_TYPE, lists_options
from toolrm.synthesize.generate import generated
from toolrm.synthesize.irrelevance import _small_talk
from toolrm.synthesize.material import Material
from toolrm.synthesize.peers import peers_of
from toolrm.synthesize.questions import Question, calls_schema, questions_of
from toolrm.synthesize.rejected import NO_PLACE, rejected_of, unasked_of
from toolrm.synthesize.split import held_out_tools, is_spare
from toolrm.synthesize.styles import restyled
from toolrm.synthesize.surface import given_away
from toolrm.synthesize.tally import Tally
from toolrm.synthesize.words import ask, claim, decline, plan

NOUNS = ("ferry", "museum", "parcel", "lesson", "garden", "concert", "clinic", "library")
PLACES = ("Turku", "Bergen", "Aarhus", "Malmo", "Tampere", "Odense", "Uppsala", "Stavanger")


def description(noun: str) -> dict[str, Any]:
    return {
        "name": f"book_{noun}",
        "description": f"Reserves places at a {noun} for a visitor.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "City of the visit, such as Lahti"},
                "visitors": {"type": "integer", "description": "Number of people"},
                "date": {"type": "string", "description": "Day of the visit"},
                "class": {"type": "string", "enum": ["economy", "comfort", "first"]},
                "code": {"type": "string", "description": "Voucher code"},
                "budget": {"type": "number", "description": "The most it may cost"},
            },
            "required": ["city", "visitors"],
        },
    }


def conversation(noun: str, number: int) -> dict[str, Any]:
    """A line of JSON: two turns of calls, the second after a change of mind."""
    rng = Random(f"{noun}{number}")
    city, other = rng.sample(PLACES, 2)
    first = {"city": city, "visitors": rng.randint(12, 30), "date": f"2024-05-{number + 10}"}
    second = {
        **first,
        "city": other,
        "class": "comfort",
        "code": f"QX{rng.randint(1000, 9999)}R",
        "budget": 120.5,
    }

    def called(arguments: dict[str, Any]) -> dict[str, Any]:
        function = {"name": f"book_{noun}", "arguments": json.dumps(arguments)}
        return {"role": "assistant", "tool_calls": [{"type": "function", "function": function}]}

    said = f"Please book the {noun} number {number} for {first['visitors']} people"
    changed = (
        f"Rather in {other}, in comfort class, for at most 120.5, with my code {second['code']}"
    )
    return {
        "id": f"{noun}-{number}",
        "tools": [description(noun)],
        "licence": "CC0-1.0",
        "messages": [
            {"role": "user", "content": f"{said} on {first['date']} in {city}."},
            called(first),
            {
                "role": "tool",
                "name": f"book_{noun}",
                "content": json.dumps({"city": city, "full": 1}),
            },
            {"role": "assistant", "content": f"The {noun} in {city} is full."},
            {"role": "user", "content": f"{changed}, {noun} visitors like us will be fine."},
            called(second),
        ],
    }


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with dialogues.jsonl: 8 tools, 48 records."""
    rows = [conversation(noun, number) for noun in NOUNS for number in range(3)]
    path = tmp_path / "data"
    path.mkdir()
    (path / "dialogues.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return path


def configured(data: Path, **fields: Any) -> SynthesizeConfig:
    return SynthesizeConfig.model_validate(
        {
            "sources": [{"name": "messages", "path": "dialogues.jsonl"}],
            "allow_overlap": True,
            "held_out": 0.13,
            "limits": {"operator": 1.0, "tool": 1.0},
            "data": data,
            "out": data / "out",
            **fields,
        }
    )


def pairs_in(report: Report, config: SynthesizeConfig) -> list[TrainingPair]:
    return [pair for part in report.parts for pair in read_pairs(config.out / part.file)]


def record_of(arguments: dict[str, Any], text: str, *, noun: str = "ferry") -> Record:
    tools = tuple(tool_from(description(other)) for other in dict.fromkeys((noun, *NOUNS[:3])))
    answer = AdmissibleCall(f"book_{noun}", {name: [v] for name, v in arguments.items()})
    prompt = Prompt(tools, ({"role": "user", "content": text},))
    return Record("test/1", "test", "CC0-1.0", prompt, (answer,))


# ── edits ────────────────────────────────────────────────────────────────────────────────────────


def test_no_edit_makes_benchmarks() -> None:
    ids = [operator.id for operator in EDITS]
    proposals = {operator.propose for operator in EDITS}
    assert len(set(ids)) == len(ids)
    assert not set(ids) & {operator.id for operator in BENCHMARK_FAMILY}
    assert not proposals & {operator.propose for operator in BENCHMARK_FAMILY}


_EDITING = re.compile(r"fcrewardbench\.calls\.edits|toolrm\.synthesize")


def functions_of(operator: Operator) -> set[FunctionType]:
    """The functions that an operator may call: out of its closures, and by name, however deep."""
    found: set[FunctionType] = set()
    left: list[Any] = [operator.propose]
    while left:
        one = left.pop()
        if isinstance(one, Operator):
            left.append(one.propose)
        elif isinstance(one, tuple):
            left += [item for item in one if isinstance(item, (Operator, FunctionType))]
        elif isinstance(one, FunctionType) and one not in found and _EDITING.match(one.__module__):
            found.add(one)
            left += [cell.cell_contents for cell in one.__closure__ or ()]
            codes = [one.__code__]
            while codes:
                code = codes.pop()
                codes += [const for const in code.co_consts if isinstance(const, CodeType)]
                left += [one.__globals__[name] for name in code.co_names if name in one.__globals__]
    return found


def test_no_edit_calls_one_that_makes_benchmarks() -> None:
    doubled = next(operator for operator in OPERATORS if operator.id == "count/one-doubled")
    for_benchmarks: set[Any] = set()
    for operator in BENCHMARK_FAMILY:
        assert isinstance(operator.propose, FunctionType)
        cells = [cell.cell_contents for cell in operator.propose.__closure__ or ()]
        for_benchmarks |= {operator.propose, *(c for c in cells if isinstance(c, FunctionType))}
    assert functions_of(doubled) & for_benchmarks  # what the test is there to find
    for operator in EDITS:
        assert not functions_of(operator) & for_benchmarks, operator.id


@pytest.mark.parametrize(
    ("operator", "now", "said", "expected"),
    [
        ("value/superseded", {"city": "Turku"}, "Turku", {"Bergen"}),
        ("value/offered", {"city": "Turku"}, "Turku", {"Aarhus", "Bergen"}),
        ("value/peer-text", {"city": "Turku"}, "Turku", {"Oulu"}),
        ("value/digit-lost", {"code": "A1234"}, "A1234", {"A134", "A124", "A123", "A12234", "A12334", "A12344"}),
        ("value/letters-slipped", {"city": "Tampere"}, "Tampere", None),
        ("value/placeholder", {"city": "Turku"}, "Turku", {"<city>", "your_city", "city_here", "user_city", "the city", "city"}),
        ("value/example-taken", {"city": "Turku"}, "Turku", {"Lahti"}),
        ("value/other-month", {"date": "2024-05-14"}, "2024-05-14", {"2024-04-14", "2024-06-14"}),
        ("value/doubled-or-halved", {"visitors": 4}, "for 4", {2, 8}),
        ("value/rounded", {"visitors": 123}, "for 123", {120, 100}),
        ("value/moment-in-words", {"date": "next Friday morning"}, "next Friday morning", None),
    ],
)  # fmt: skip
def test_values_go_wrong_as_said(
    operator: str, now: dict[str, Any], said: str, expected: set[Any] | None
) -> None:
    arguments = {"city": "Malmo", "visitors": 14, **now}
    record = record_of(arguments, "")
    earlier = {"name": "book_ferry", "arguments": {"city": "Bergen", "visitors": 14}}
    messages = (
        {"role": "user", "content": "A ferry from Bergen, for 14"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"type": "function", "function": earlier}],
        },
        {
            "role": "tool",
            "content": json.dumps([{"city": "Turku"}, {"city": "Aarhus"}, {"city": "Bergen"}]),
        },
        {"role": "user", "content": f"No, rather {said} Malmo {arguments['city']}"},
    )
    peers = {"city": ["Oulu"], "date": ["2024-05-15"]}
    context = Context(record.prompt.tools, messages, record.answer, peers)
    family = [one for one in EDITS if one.id == operator]
    (name,) = now
    found = set()
    for seed in range(30):
        for edit in edited(family, context, record.gold, str(seed), each=9):
            assert not isinstance(edit.candidate, str)
            value = edit.candidate[0].arguments[name]
            if value != now[name]:
                found.add(value)
    assert found
    assert expected is None or found <= expected


def test_all_that_is_rejected_is_wrong_in_the_way_it_says(data: Path) -> None:
    config = configured(data, rejected_per_record=6)
    pairs = pairs_in(synthesize(config), config)
    assert len(pairs) > 200
    for pair in (one.pair for one in pairs):
        assert not same(pair.chosen, pair.rejected)
        chosen, rejected = (parsed(c) for c in (pair.chosen, pair.rejected))
        problem = parse(pair.rejected).problem if isinstance(pair.rejected, str) else None
        answer = [] if isinstance(chosen, str) else [admitting(call) for call in chosen]
        first = check(rejected, answer, pair.prompt.tools, unreadable=problem).first
        assert first is not None
        assert first.type.value == pair.error_type, pair.generator
        assert check(chosen, answer, pair.prompt.tools).ok


def test_operators_stay_within_their_shares() -> None:
    tally = Tally({ErrorType.VALUE: 0.9, ErrorType.TYPE: 0.1}, most=0.3)
    rng = Random(0)
    for number in range(4_000):
        kind = ErrorType.TYPE if number % 4 == 0 else ErrorType.VALUE
        operator = tally.operators_of(kind, rng, telling=number % 3 > 0)[0]
        assert number % 3 or operator.id != "value/placeholder"
        tally.count(Edit(f"edit:{operator.id}", kind, ()))
    for together, share in WITHIN_TYPE:
        used = sum(tally.edits[name] for name in together)
        kinds = {operator.error_type for operator in EDITS if operator.id in together}
        assert used <= max(FEW, share * sum(tally.types[kind] for kind in kinds))
    assert max(tally.edits.values()) <= 0.3 * 4_000
    tally.places["value/x", "a day"] = 39
    assert tally.has_room_at("value/x", "a day")
    tally.places["value/x", "a day"] = 40
    assert not tally.has_room_at("value/x", "a day")
    assert tally.has_room_at("value/x", "a week")


def test_options_that_a_description_lists_may_be_synonyms() -> None:
    assert lists_options({"description": "How hard: 'light', 'gentle' or 'hard'"})
    assert not lists_options({"description": "'light' or 'hard'", "enum": ["light", "hard"]})
    assert not lists_options({"description": "City, such as 'Turku' or 'Bergen'"})


def _candidates_of(id: str, record: Record, **context: Any) -> list[Candidate]:
    (operator,) = [one for one in EDITS if one.id == id]
    around = Context(record.prompt.tools, record.prompt.messages, record.answer, **context)
    return [
        candidate
        for seed in range(20)
        for candidate in operator.propose(around, record.gold, Random(seed))
    ]


@pytest.mark.parametrize(
    "manner",
    ["assigned", "escaped", "left-open", "outlined", "marked-up", "talked-over"],
)
def test_other_notations_cannot_be_read(manner: str) -> None:
    record = record_of({"class": "comfort", "code": "QX12", "budget": 3}, "comfort, QX12, for 3")
    candidates = _candidates_of(f"parsing/{manner}", record)
    assert candidates
    for candidate in candidates:
        assert isinstance(candidate, str)
        assert parse(candidate).problem is not None


def test_several_options_are_filled_in_and_none_rightly() -> None:
    """Bench edits have one argument that nobody asked for; here two at least are wrong."""
    tool = tool_from(
        {
            "name": "book_ferry",
            "description": "Book a ferry.",
            "parameters": {
                "type": "object",
                "properties": {
                    "city": {"type": "string"},
                    "klass": {"type": "string", "enum": ["economy", "upper"]},
                    "meal": {"type": "boolean", "default": False},
                    "rows": {"type": "integer", "maximum": 4},
                },
                "required": ["city"],
            },
        }
    )
    answer = AdmissibleCall("book_ferry", {"city": ["Turku"], "klass": ["", "economy"]})
    prompt = Prompt((tool,), ({"role": "user", "content": "Take me to Turku."},))
    record = Record("test/1", "test", "CC0-1.0", prompt, (answer,))
    for id in ("unexpected/options-filled", "value/options-filled"):
        candidates = _candidates_of(id, record)
        assert candidates
        for candidate in candidates:
            assert not isinstance(candidate, str)
            (call,) = candidate
            added = {name: value for name, value in call.arguments.items() if name != "city"}
            assert len(added) >= 2
            assert added.get("klass") != "economy"
            assert added.get("meal") in (None, True)
            assert added.get("rows", 1) <= 4


def test_optional_arguments_left_out_leave_a_call_with_some() -> None:
    record = record_of({"class": "comfort", "code": "QX12", "budget": 3}, "comfort, QX12, for 3")
    context = Context(record.prompt.tools, record.prompt.messages, record.answer)
    family = [one for one in EDITS if one.id == "missing-optional/several"]
    (operator,) = family
    for seed in range(20):
        for candidate in operator.propose(context, record.gold, Random(seed)):
            assert isinstance(candidate[0], Call)
            assert len(candidate[0].arguments) == 1


SAID = (
    "Book a tour of Louvre Museum in Paris for 12 people and my aunt on May 14th, comfort seats, "
    'to see "Mona Lisa"; not the 2nd. Last time it was Osaka Castle.'
)


@pytest.mark.parametrize(
    ("operator", "now", "expected"),
    [
        ("as-spoken", {"date": "2024-05-14"}, {"May 14th", "the 2nd"}),
        ("unit-left-on", {"class": "comfort"}, {"comfort seats"}),
        ("over-long", {"city": "Louvre Museum"}, {"Louvre Museum in Paris", "tour of Louvre Museum"}),
        ("whole-sentence", {"city": "Osaka Castle"}, {"Last time it was Osaka Castle"}),
        ("run-together", {"city": "Paris", "visitors": 12}, {"Paris for 12"}),
        ("word-beside", {"city": "Louvre Museum"}, {"tour", "Paris"}),
        ("head-lost", {"city": "Louvre Museum"}, {"Louvre", "Museum"}),
        ("other-clause", {"city": "Louvre Museum"}, {"aunt"}),
        ("unused-name", {"city": "Louvre Museum"}, {"Paris", "Osaka", "Mona Lisa"}),
        ("out-of-a-date", {"visitors": 12}, {14}),
        ("aside", {"city": "Louvre Museum"}, {"Osaka Castle"}),
    ],
)  # fmt: skip
def test_wrong_values_stand_in_the_conversation(
    operator: str, now: dict[str, Any], expected: set[Any]
) -> None:
    record = record_of({"city": "Malmo", "visitors": 14, **now}, SAID)
    record.prompt.tools[0].original["parameters"]["properties"]["class"].pop("enum")
    peers = {"city": ["Osaka Castle", "Turku Castle"]}
    context = Context(record.prompt.tools, record.prompt.messages, record.answer, peers)
    name = next(iter(now))
    family = [one for one in EDITS if one.id == f"value/{operator}"]
    assert family
    found = {
        edit.candidate[0].arguments[name]
        for seed in range(30)
        for edit in edited(family, context, record.gold, str(seed), each=9)
        if isinstance(edit.candidate[0], Call)
    } - {now[name]}
    assert expected & found, found
    assert all(str(value) in SAID for value in found)


def test_asides_name_what_is_not_due() -> None:
    record = record_of({"city": "Turku", "visitors": 14}, "A ferry from Turku for 14")
    peers = {"city": ["Bergen"], "book_ferry.city": ["Bergen", "Turku Castle", "new york"]}
    found = set()
    for seed in range(60):
        made = with_aside(record, peers, Random(seed))
        assert made is not None
        text = str(made.prompt.messages[-1]["content"])
        assert "A ferry from Turku for 14" in text
        assert list(asides_in(text)) == ["Bergen"]
        found.add(text)
    assert len(found) > 10
    assert with_aside(record, {}, Random(0)) is None


def due_together(first: dict[str, Any], second: dict[str, Any], nouns: str) -> Record:
    """Two calls of tools that have the same parameters, one tool more beside them."""
    tools = tuple(tool_from(description(noun)) for noun in NOUNS[:3])
    answer = tuple(
        AdmissibleCall(f"book_{noun}", {name: [value] for name, value in arguments.items()})
        for noun, arguments in zip(nouns.split(), (first, second), strict=True)
    )
    messages = ({"role": "user", "content": f"Book {first} and {second}"},)
    return Record("test/2", "test", "CC0-1.0", Prompt(tools, messages), answer)


@pytest.mark.parametrize(
    ("operator", "nouns", "expected"),
    [
        ("crossed", "ferry ferry", {"city": "Bergen", "visitors": 12}),
        ("joined-throughout", "ferry ferry", {"city": "Turku, Bergen", "visitors": 12}),
        ("folded", "ferry museum", {"city": "Turku", "visitors": 12, "code": "QX7"}),
        ("carried-over", "ferry museum", {"city": "Bergen", "visitors": 12}),
        ("stood-in", "ferry museum", {"city": "Turku", "visitors": 12}),
    ],
)
def test_calls_that_are_too_few(operator: str, nouns: str, expected: dict[str, Any]) -> None:
    record = due_together(
        {"city": "Turku", "visitors": 12}, {"city": "Bergen", "visitors": 15, "code": "QX7"}, nouns
    )
    context = Context(record.prompt.tools, record.prompt.messages, record.answer)
    family = [one for one in EDITS if one.id == f"count/{operator}"]
    found = [
        edit.candidate[0]
        for seed in range(20)
        for edit in edited(family, context, record.gold, str(seed), each=9)
    ]
    assert any(
        isinstance(call, Call) and expected.items() <= dict(call.arguments).items()
        for call in found
    )


def test_there_are_as_many_calls_too_few_as_too_many() -> None:
    tally = Tally({ErrorType.COUNT: 1.0})
    rng = Random(1)
    seen = Counter[tuple[int, int]]()
    for _ in range(3_000):
        due = rng.choice((1, 1, 1, 2, 3))
        made = due + (1 if due == 1 else rng.choice((-1, 1)))
        if tally.may_count(made, due):
            tally.count_calls(made, due)
            seen[due, made - due] += 1
    more = sum(n for (_, step), n in seen.items() if step > 0)
    fewer = sum(n for (_, step), n in seen.items() if step < 0)
    assert abs(more - fewer) <= 2 * FEW + 2
    assert seen[2, 1] + seen[3, 1] > 0.2 * fewer


def test_another_tool_gets_right_values_and_plausible_ones() -> None:
    record = record_of({"city": "Turku", "visitors": 14}, "A ferry from Turku for 14 on 2024-05-14")
    hire = tool_from(
        {
            "name": "hire_guide",
            "description": "Finds a guide.",
            "parameters": {
                "type": "object",
                "properties": {
                    "place": {"type": "string"},
                    "tongue": {"type": "string", "enum": ["Finnish", "Danish"]},
                },
                "required": ["place", "tongue"],
            },
        }
    )
    context = Context((record.prompt.tools[0], hire), record.prompt.messages, record.answer)
    (family,) = ([one for one in EDITS if one.id == "name/eked-out"],)
    made = [
        edit.candidate[0]
        for seed in range(9)
        for edit in edited(family, context, record.gold, str(seed), each=3)
    ]
    assert made
    for call in made:
        assert isinstance(call, Call)
        assert call.name == "hire_guide"
        assert call.arguments["place"] == "Turku"
        assert call.arguments["tongue"] in ("Finnish", "Danish")


def test_some_candidates_have_a_second_error(data: Path) -> None:
    config = configured(data, irrelevance=0, styled=0, obfuscated=0)
    pairs = [pair.pair for pair in pairs_in(synthesize(config), config)]
    double = [pair for pair in pairs if "+" in pair.generator]
    assert 0.1 < len(double) / len(pairs) < 0.4
    for pair in double:
        if pair.error_type == ErrorType.VALUE.value:
            right, wrong = pair.chosen[0], pair.rejected[0]
            assert isinstance(right, Call)
            assert isinstance(wrong, Call)
            names = {*right.arguments, *wrong.arguments}
            assert sum(right.arguments.get(n) != wrong.arguments.get(n) for n in names) >= 2


def parsed(candidate: Candidate) -> Candidate:
    return parse(candidate).candidate if isinstance(candidate, str) else candidate


def admitting(call: Call) -> AdmissibleCall:
    return AdmissibleCall(call.name, {name: [value] for name, value in call.arguments.items()})


def test_a_record_has_several_errors_on_one_prompt(data: Path) -> None:
    config = configured(data, irrelevance=0, styled=0.5)
    by_record: dict[str, list[TrainingPair]] = {}
    for pair in pairs_in(synthesize(config), config):
        by_record.setdefault(pair.record, []).append(pair)
    assert len(by_record) == 48
    for pairs in by_record.values():
        assert len(pairs) == 4
        assert len({(p.pair.prompt.catalogue, str(p.pair.chosen)) for p in pairs}) == 1
        assert len({p.pair.generator for p in pairs}) == 4
        assert len({p.pair.error_type for p in pairs}) >= 3
    weights = SynthesizeConfig.model_validate({**config.model_dump(), "data": data}).weights
    counts = Counter(p.pair.error_type for pairs in by_record.values() for p in pairs)
    for kind, weight in weights.items():
        # No tool of the fixture has another beside it, and few made-up names are wanted.
        if kind not in (ErrorType.MISSING_OPTIONAL, ErrorType.TYPE, ErrorType.NAME):
            assert 0.5 * weight <= counts[kind] / 192 <= 2 * weight + 0.02, kind


def test_the_report_says_what_the_surface_gives_away(data: Path) -> None:
    config = configured(data, irrelevance=0)
    report = synthesize(config)
    shares = report.parts[0].surface
    assert set(shares) == {"all", *report.parts[0].counts["error_type"]}
    assert shares["parsing error"] > 0.9  # no calls can be read
    assert shares["parameter value error"] < 0.85
    assert all(0 <= share <= 1 for share in shares.values())
    assert "what the surface gives away" in report.markdown()
    assert report.as_dict()["parts"][0]["what_the_surface_gives_away"] == dict(shares)


def two_bookings(number: int) -> dict[str, Any]:
    """A line of JSON: one turn in which two tools are due, and a third is there."""
    rng = Random(number)
    first, second = rng.sample(NOUNS, 2)
    calls, said = [], []
    for noun in (first, second):
        city, visitors = rng.choice(PLACES), rng.randint(12, 40)
        code = f"QX{rng.randint(1000, 9999)}R"
        arguments = {"city": city, "visitors": visitors, "code": code}
        function = {"name": f"book_{noun}", "arguments": json.dumps(arguments)}
        calls.append({"type": "function", "function": function})
        said.append(f"the {noun} in {city} for {visitors} people with voucher {code}")
    request = rng.choice(("Book {}, and {}.", "I need {}; besides {}, please.", "{}, then {} too"))
    return {
        "id": f"two-{number}",
        "tools": [description(noun) for noun in (first, second)],
        "licence": "CC0-1.0",
        "messages": [
            {"role": "user", "content": request.format(*said)},
            {"role": "assistant", "tool_calls": calls},
        ],
    }


def test_counts_alone_tell_neither_wrong_values_nor_types(data: Path) -> None:
    rows = [two_bookings(number) for number in range(80)]
    rows += [conversation(noun, number) for noun in NOUNS for number in range(3)]
    (data / "dialogues.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    limits = {"alike": 99, "operator": 0.2, "tool": 1.0}
    config = configured(data, irrelevance=0, held_out=0, styled=0, limits=limits)
    report = synthesize(config)
    shares = report.parts[0].surface
    assert shares["parameter value error"] < 0.8
    assert shares["parameter value type error"] < 0.9
    steps = [
        len(pair.pair.rejected) - len(pair.pair.chosen)
        for pair in pairs_in(report, config)
        if pair.pair.error_type == ErrorType.COUNT.value
    ]
    assert len(steps) > 40
    assert abs(sum(step > 0 for step in steps) - sum(step < 0 for step in steps)) <= FEW


def test_wrong_values_stand_in_the_conversation_as_often_as_is_said(data: Path) -> None:
    rows = [two_bookings(number) for number in range(60)]
    (data / "dialogues.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    ids = {f"edit:{operator.id}" for operator in edits.said.SAID}
    shares = []
    for said in (0.0, 1.0):
        limits = {"alike": 99, "operator": 0.5, "tool": 1.0}
        config = configured(data, irrelevance=0, held_out=0, styled=0, limits=limits, said=said)
        made = [pair.pair for pair in pairs_in(synthesize(config), config)]
        values = [pair for pair in made if pair.error_type == ErrorType.VALUE.value]
        shares.append(sum(pair.generator.partition("+")[0] in ids for pair in values) / len(values))
    assert shares[1] > shares[0] + 0.2


def test_nothing_is_given_away_where_candidates_differ_in_meaning_alone() -> None:
    pairs = []
    for number in range(200):
        right, wrong = Random(number).sample(PLACES, 2)
        record = record_of({"city": right, "visitors": 3}, f"From {right}, not {wrong}, for 3")
        rejected = (Call("book_ferry", {"city": wrong, "visitors": 3}),)
        pair = Pair(
            id=str(number),
            prompt=record.prompt,
            chosen=record.gold,
            rejected=rejected,
            error_type=ErrorType.VALUE.value,
            category="test",
            generator="edit:value/x",
        )
        pairs.append(TrainingPair(pair, str(number), "CC0-1.0"))
    of_train, of_held_out = given_away(pairs[:150], pairs[150:])
    assert 0.35 < of_train["all"] < 0.65
    assert 0.3 < of_held_out["all"] < 0.7


# ── no call ──────────────────────────────────────────────────────────────────────────────────────


TOPICS = (
    ("measure_rainfall", "Tells how much water fell from the sky", "valley", "Rain in {} please"),
    ("translate_poem", "Renders verses from another tongue", "poet", "Put into English the verses by {}"),
    ("hire_plumber", "Sends a craftsman who mends pipes", "street", "My sink leaks, send someone to {}"),
    ("play_chess", "Starts a board match against an opponent", "rival", "I want a game of kings with {}"),
    ("water_plants", "Opens a greenhouse valve", "greenhouse", "The orchids are dry, sprinkle them in {}"),
    ("weigh_cargo", "Reads the scale of a harbour crane", "vessel", "How heavy is the load aboard {}"),
)  # fmt: skip


def request_of(topic: int, value: str) -> dict[str, Any]:
    name, told, parameter, said = TOPICS[topic]
    schema = {
        "type": "object",
        "properties": {parameter: {"type": "string", "description": f"Name of the {parameter}"}},
        "required": [parameter],
    }
    function = {"name": name, "arguments": {parameter: value}}
    return {
        "tools": [{"name": name, "description": told, "parameters": schema}],
        "messages": [
            {"role": "user", "content": said.format(value)},
            {"role": "assistant", "tool_calls": [{"type": "function", "function": function}]},
        ],
    }


def test_words_are_right_and_wrong_alike(data: Path) -> None:
    rows = [request_of(topic, place) for topic in range(len(TOPICS)) for place in PLACES]
    (data / "dialogues.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    pairs = []
    for seed in range(5):
        config = configured(
            data,
            irrelevance=0.4,
            held_out=0,
            obfuscated=0,
            limits={"alike": 99, "operator": 1, "tool": 1},
            seed=seed,
        )
        pairs += pairs_in(synthesize(config), config)
    right = [p.pair for p in pairs if p.pair.error_type == ErrorType.SHOULD_NOT_CALL.value]
    wrong = [p.pair for p in pairs if p.pair.error_type == ErrorType.NO_CALL.value]
    assert len({str(pair.prompt.messages) for pair in right}) > 5
    assert len(wrong) > 5
    for pair in right:
        assert isinstance(pair.chosen, str)
        assert parse(pair.chosen).dialect == "text"
        calls = parsed(pair.rejected)
        assert not isinstance(calls, str)
        assert {call.name for call in calls} <= {tool.name for tool in pair.prompt.tools}
        if "the " + TOPICS[0][2] in pair.chosen:  # what is asked for is not said
            assert not any(place in str(pair.prompt.messages) for place in PLACES)
    assert all(parse(str(pair.rejected)).dialect == "text" for pair in wrong)
    asking = re.compile("|".join(parameter for _, _, parameter, _ in TOPICS))
    shares = [
        sum(bool(asking.search(reply)) for reply in replies) / len(replies)
        for replies in ({str(p.chosen) for p in right}, [str(p.rejected) for p in wrong])
    ]
    assert 0 < shares[0] < 1
    assert abs(shares[0] - shares[1]) < 0.25


def test_small_talk_needs_no_call(data: Path) -> None:
    config = configured(data, irrelevance=0.3, held_out=0)
    pairs = [p for p in pairs_in(synthesize(config), config) if p.source == "small-talk"]
    assert len({pair.record for pair in pairs}) >= 3
    for pair in pairs:
        assert pair.pair.error_type == ErrorType.SHOULD_NOT_CALL.value
        assert isinstance(pair.pair.chosen, str)
        assert pair.pair.prompt.tools


def test_small_talk_is_of_one_part(data: Path) -> None:
    config = configured(data, irrelevance=0.6, held_out=0.4)
    parts = [
        {
            p.pair.prompt.messages[-1]["content"]
            for p in read_pairs(config.out / part.file)
            if p.source == "small-talk"
        }
        for part in synthesize(config).parts
    ]
    for part, is_held in zip(parts, (False, True), strict=True):
        short = [text for text in part if text in _small_talk()["texts"]]
        assert short
        assert all(is_spare(text, config.held_out, config.seed) is is_held for text in short)


def test_replies_are_many_and_no_calls() -> None:
    rng = Random(0)
    tool = tool_from(description("ferry"))
    call = Call("book_ferry", {"city": "Turku", "visitors": 3, "class": "first"})
    replies = {decline(rng) for _ in range(2_000)} | {ask(["the day"], rng) for _ in range(2_000)}
    assert len(replies) > 500
    replies |= {tell(call, tool, rng) for tell in (claim, plan) for _ in range(2_000)}
    assert len(replies) > 1_500
    assert all(parse(reply).dialect == "text" and parse(reply).problem is None for reply in replies)


# ── obfuscation, styles, parts ───────────────────────────────────────────────────────────────────


def test_what_was_rightly_said_in_place_of_a_call_is_chosen(data: Path) -> None:
    with (data / "dialogues.jsonl").open("a", encoding="utf-8") as file:
        for word in ("moss", "quartz", "thunder", "yeast", "velvet", "comets"):
            said = f"Nobody can say what {word} dreams of; book_ferry cannot."
            talk = [
                {"role": "user", "content": f"Guess what {word} dreams of"},
                {"role": "assistant", "content": said},
            ]
            file.write("\n" + json.dumps({"tools": [description("ferry")], "messages": talk}))
    config = configured(data, obfuscated=0.5, irrelevance=0.0)
    pairs = [
        one for one in pairs_in(synthesize(config), config) if not one.pair.prompt.messages[1:]
    ]
    told = {
        str(one.pair.chosen): one
        for one in pairs
        if "dreams of" in str(one.pair.prompt.messages[0]["content"])
    }
    assert len(told) == 6
    for said, one in told.items():
        assert said.startswith("Nobody can say what ")
        assert one.pair.error_type == "should not have called"
        names = [tool.name for tool in one.pair.prompt.tools]
        assert any(f"; {name} cannot." in said for name in names)


def test_obfuscated_records_get_edits_too(data: Path) -> None:
    config = configured(data, obfuscated=1, irrelevance=0)
    report = synthesize(config)
    pairs = pairs_in(report, config)
    assert sum(part.obfuscated for part in report.parts) == len(pairs) == 192
    assert not any(
        "book_" in json.dumps(dict(t.original)) for p in pairs for t in p.pair.prompt.tools
    )
    kinds = Counter(pair.pair.error_type for pair in pairs)
    # No tool of the fixture has another beside it, and a made-up name beside letters needs no reading.
    assert {kind.value for kind in config.weights} - {ErrorType.NAME.value} == set(kinds)
    assert not any("placeholder" in pair.pair.generator for pair in pairs)


CANDIDATES: list[Candidate] = [
    (Call("a", {"x": 1}),),
    (Call("a", {"x": "é \"quoted\" {1}", "y": [1.0, None, True]}), Call("b.c", {})),
    (Call("name", {"name": "arguments", "arguments": {"name": "x"}}),),
    (Call("function", {"function": "x"}),),
    "Which city?",
]  # fmt: skip


@pytest.mark.parametrize("chosen", CANDIDATES[:-1])
def test_styles_are_read_back(chosen: Candidate) -> None:
    seen = set()
    for seed in range(40):
        edits = [Edit("edit:any", ErrorType.VALUE, one) for one in CANDIDATES]
        found = restyled(chosen, edits, Random(seed))
        assert found is not None
        style, first, others = found
        seen.add(style)
        assert isinstance(first, str)
        assert parse(first).candidate == chosen
        assert [parse(text).candidate for text in others] == CANDIDATES
    assert "single object" not in seen
    assert len(seen) >= 2


@pytest.mark.parametrize(
    ("manner", "sign"),
    [
        ("bracket-missing", None),
        ("quote-doubled", '""'),
        ("remark", "// as requested"),
        ("keyword-mixed-in", "="),
    ],
)
def test_broken_json_is_broken_in_the_same_style_and_way(manner: str, sign: str | None) -> None:
    right = (Call("a", {"x": 1, "y": "two words", "z": ["p", "q"]}),)
    edit = Edit(f"edit:parsing/{manner}", ErrorType.PARSING, '[{"name": "a", "arguments": {]')
    seen: dict[str, set[str]] = {}
    for seed in range(120):
        found = restyled(right, [edit], Random(seed))
        assert found is not None
        style, first, (wrong,) = found
        assert isinstance(first, str)
        assert isinstance(wrong, str)
        assert parse(first).candidate == right
        assert parse(wrong).problem is not None
        assert abs(len(wrong) - len(first)) < 20
        assert sign is None or wrong.count(sign) > first.count(sign)
        seen.setdefault(style, set()).add(wrong)
    assert len(seen) >= 4
    assert sum(map(len, seen.values())) > len(seen)


def test_other_notations_stay_as_they_are() -> None:
    right = (Call("a", {"x": 1, "y": "two words"}),)
    for text, stays in (
        ("<tool_call>\n<a>\n<x>1</x>\n</a>\n</tool_call>", True),
        ('[{"name": "a", "arguments": {"x": ???}}]', False),
    ):
        found = restyled(right, [Edit("edit:parsing/x", ErrorType.PARSING, text)], Random(0))
        assert (found is not None and found[2] == [text]) is stays


def test_parts_share_no_tool(data: Path) -> None:
    config = configured(data, obfuscated=0, distractors=[2, 4], irrelevance=0.2)
    report = synthesize(config)
    tools = []
    for part in report.parts:
        pairs = list(read_pairs(config.out / part.file))
        assert pairs
        tools.append({tool.name for pair in pairs for tool in pair.pair.prompt.tools})
    assert not tools[0] & tools[1]


def test_parts_share_no_tool_of_ready_pairs(data: Path) -> None:
    """Records offer, beside the one they need, tools that ready pairs alone need."""

    def offering(*names: str) -> Prompt:
        return Prompt(
            tuple(tool_from({"name": name, "parameters": {}}) for name in names),
            ({"role": "user", "content": "Please."},),
        )

    records = [
        Record(
            f"messages/{n}",
            "messages",
            "MIT",
            offering(f"own{n}", f"ready{n % 20}"),
            (AdmissibleCall(f"own{n}", {}),),
        )
        for n in range(60)
    ]
    ready = [
        TrainingPair(
            Pair(
                f"ready/{n}",
                offering(f"also{n}", f"ready{n}"),
                "Yes.",
                "No.",
                "no call",
                "ready",
                "someone",
            ),
            f"ready/{n}",
            "MIT",
        )
        for n in range(20)
    ]
    config = configured(data, held_out=0.3)
    tools = [
        {tool.name for one in own for tool in one.prompt.tools}
        | {tool.name for one in pairs for tool in one.pair.prompt.tools}
        for _, own, pairs, _ in _parts(Material(records, ready), config, [])
    ]
    assert all(len(part) > 5 for part in tools)
    assert not tools[0] & tools[1]


def test_sources_can_be_held_out(data: Path) -> None:
    needed = [{"a"}, {"b", "c"}, {"c"}, *({name} for name in "defghij")]
    for seed in range(20):
        held = held_out_tools(needed, 0.2, seed, {"b"})
        assert {"b", "c"} <= held
        assert len(held) == 3  # one more: a fifth of the other eight records
    with pytest.raises(ValueError, match="none of the sources"):
        configured(data, held_out_sources=["sgd"])
    with pytest.raises(RunError, match="No pairs came out"):
        synthesize(configured(data, held_out_sources=["messages"]))


def test_shares_hold_before_edits_are_made(data: Path) -> None:
    """Of eight tools that call for a sixth each at most, none has more, and no pair is cut after."""
    rows = [conversation(noun, n) for noun in NOUNS for n in range(9 if noun == "ferry" else 2)]
    (data / "dialogues.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    config = configured(
        data, limits={"alike": 99, "tool": 1 / 6, "operator": 1.0}, held_out=0, irrelevance=0
    )
    report = synthesize(config)
    cut = "more of one tool than its share"
    assert report.left_out["records"][cut] >= 12
    assert cut not in report.left_out.get("train: candidates and pairs", {})
    assert report.parts[0].records == 46 - report.left_out["records"][cut]


def test_tools_of_one_record_stay_together() -> None:
    needed = [{"a", "b"}, {"b", "c"}, *({name} for name in "defghij")]
    for seed in range(20):
        held = held_out_tools(needed, 0.3, seed)
        assert 0 < sum(names <= held for names in needed) <= 0.3 * len(needed)
        assert not any(names & held and not names <= held for names in needed)


# ── balance ──────────────────────────────────────────────────────────────────────────────────────


def test_shares_hold_of_what_is_kept() -> None:
    rng = Random(3)
    for _ in range(30):
        kinds = rng.choices("abcdef", weights=[rng.random() ** 3 for _ in range(6)], k=300)
        items = list(enumerate(kinds))
        share = rng.uniform(0.2, 0.6)
        share_of = dict.fromkeys("abcdef", share).__getitem__
        kept, above = capped(items, lambda item: [item[1]], share_of, str)
        counts = Counter(kind for _, kind in kept)
        assert kept == sorted(kept)
        if above:
            assert kept == items
        else:
            assert max(counts.values()) <= share * len(kept)


def test_an_impossible_share_takes_nothing_away() -> None:
    kept, above = capped(["a", "a", "b"], lambda i: [i], lambda _: 0.3, str)
    assert kept == ["a", "a", "b"]
    assert above == ["a", "b"]


def test_requests_alike_but_for_values_have_one_form() -> None:
    one = record_of({"city": "Turku", "visitors": 3}, "A ferry to Turku for 3!")
    other = record_of({"city": "Malmo", "visitors": 14}, "a ferry to Malmo, for 14")
    third = record_of({"city": "Malmo", "visitors": 14}, "The ferry to Malmo for 14 please")
    assert request_form(one) == request_form(other) != request_form(third)


def test_what_is_left_out_is_counted(data: Path) -> None:
    rows = [conversation("ferry", 1) for _ in range(9)]
    for number, row in enumerate(rows):
        row["id"] = str(number)
    rows[0]["messages"][-1]["tool_calls"][0]["function"]["arguments"] = '{"city": 3}'
    (data / "dialogues.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    config = configured(data, limits={"alike": 2, "longest": 100_000})
    report = synthesize(config)
    # 17 usable calls in two forms, two of each.
    assert report.left_out["records"] == {"a request like others but for its values": 13}
    (reason,) = report.left_out["messages"]
    (told,) = (config.out / "left-out.jsonl").read_text("utf-8").splitlines()
    assert json.loads(told) == {"source": "messages", "which": "messages/0/5", "reason": reason}
    short = configured(data, limits={"longest": 500})
    with pytest.raises(RunError, match="too long"):
        synthesize(short)


# ── the same again ───────────────────────────────────────────────────────────────────────────────

_RUN = """
import sys
from pathlib import Path
from toolrm.synthesize import load_config, synthesize
report = synthesize(load_config(sys.argv[1], data=Path(sys.argv[2]), out=Path(sys.argv[3])))
print([part.sha256 for part in report.parts])
"""


def test_the_same_configuration_gives_the_same_files(data: Path) -> None:
    config = data / "c.yaml"
    config.write_text(
        "sources: [{name: messages, path: dialogues.jsonl}]\nallow_overlap: true\nheld_out: 0.2\n"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", _RUN, config, data, data / f"out{seed}"],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    changed = load_config(str(config), data=data, out=data / "other", seed=1)
    assert str([part.sha256 for part in synthesize(changed).parts]) != runs[0].strip()


def test_tools_that_no_request_can_be_made_for_are_named(data: Path) -> None:
    lines = [json.dumps(description("tram")), "{", '{"name": 3}', json.dumps(description("tram"))]
    (data / "tools.jsonl").write_text("\n".join(lines))
    wanted = {"source": "mine", "schemas": "tools.jsonl", "licence": "CC0-1.0", "number": 4}
    config = configured(data, requests=wanted)
    report = synthesize(config)
    assert report.as_dict()["left_out"]["requests-mine"] == {
        "a line that is no tool description": 1,
        "a tool description that cannot be read": 1,
        "a tool twice": 1,
    }
    named = map(json.loads, (config.out / "left-out.jsonl").read_text().splitlines())
    assert [row["which"] for row in named if row["source"] == "requests-mine"] == [
        f"tools.jsonl, line {number}" for number in (2, 3, 4)
    ]


def test_a_full_disk_is_told_and_leaves_no_report_of_other_pairs(data: Path) -> None:
    """A bound on the size of files stands for the disk; the run before was of another seed."""
    config = data / "c.yaml"
    config.write_text("sources: [{name: messages, path: dialogues.jsonl}]\nallow_overlap: true\n")
    out = data / "out"
    synthesize(load_config(str(config), data=data, out=out, seed=1))
    assert (out / "left-out.jsonl").exists()
    paths = ("synthesize", config, "--data", data, "--out", out)
    asked = [sys.executable, "-m", "toolrm", *map(str, paths)]
    done = subprocess.run(
        asked,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, 4_000)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "File too large" in done.stderr
    assert done.stderr.endswith(". Make room, and start the same command again.\n")
    assert done.returncode == 1
    assert not [path for path in out.iterdir() if path.name.startswith(("report", "left-out"))]


# ── configuration and command ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sources: []", "neither sources nor requests"),
        ("sources: [{name: sgd, path: x}]\nobfuscate: 1", "obfuscate: Extra inputs"),
        ("sources: [{name: sgd, path: x}]\nweights: {no call: -1}", "weights: .*above 0"),
        ("sources: [{name: sgd, path: x}]\nweights: {should not have called: 1}", "irrelevance"),
        ("sources: [{name: sgd, path: x}]\ndistractors: [3, 1]", "the smaller one first"),
        (
            "sources: [{name: sgd, path: x}]\ngenerators: [{model: m, base_url: u, samples: 0}]",
            "samples and near_misses are both 0",
        ),
        ("[1, 2", "is no YAML"),
        ("just words", "no fields"),
    ],
)
def test_bad_configurations_are_told_in_a_sentence(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match=told) as why:
        load_config(str(path))
    assert "\n" not in str(why.value)


def test_unknown_recipes_and_missing_data_are_told(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="synthesize-open-data"):
        load_config("synthesise-open-data")
    config = load_config("synthesize-open-data", data=tmp_path, out=tmp_path)
    with pytest.raises(UsageError, match="cannot be read"):
        synthesize(config.model_copy(update={"allow_overlap": True}))


def test_the_command_writes_pairs_and_a_report_without_texts(data: Path) -> None:
    config = data / "c.yaml"
    config.write_text("sources: [{name: messages, path: dialogues.jsonl}]\nallow_overlap: true\n")
    out = data / "made"
    arguments = [str(config), "--data", str(data), "--out", str(out), "--limit", "20"]
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    report = json.loads((out / "report.json").read_text("utf-8"))
    assert report["command"] == "toolrm synthesize c.yaml --data DATA --limit 20"
    for stage, reasons in report["left_out"].items():
        assert f"left out, {stage}: {sum(reasons.values()):,}, most of them: " in result.output
    assert all(f"note: {note}\n" in result.output for note in report["notes"])
    assert report["left_out"]
    train = report["parts"][0]
    pairs = list(read_pairs(out / "train.parquet"))
    assert train["pairs"] == len(pairs) == sum(train["error_type"].values())
    assert set(train["licence"]) <= {"CC0-1.0", "Apache-2.0"}  # that of small talk
    assert sum(train["licence"].values()) == len(pairs)
    for name in ("report.json", "report.md"):
        text = (out / name).read_text("utf-8")
        assert str(data) not in text
        assert not any(place in text for place in PLACES)
    (out / "held-out.parquet").write_text("of an earlier run")
    assert CliRunner().invoke(command, [*arguments, "--held-out", "0"]).exit_code == 0
    assert not (out / "held-out.parquet").exists()


# ── models ───────────────────────────────────────────────────────────────────────────────────────


class ModelServer:
    """A real chat-completions server whose model gives the replies of a function, in turn."""

    def __init__(
        self,
        reply: Callable[[dict[str, Any]], str],
        *,
        schemas: Literal["kept", "ignored", "refused"] = "kept",
        finish_reason: str = "stop",
    ) -> None:
        self.requests: list[dict[str, Any]] = []
        lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: Any) -> None:
                pass

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with lock:
                    outer.requests.append(request)
                if "response_format" in request and schemas == "refused":
                    self.send(400, {"error": {"message": "response_format is not supported"}})
                    return
                try:
                    tried = request["messages"][-1]["content"].startswith("What is the weather")
                    kept = '{"tool_calls": []}' if schemas == "kept" else "[]"
                    content = kept if tried else reply(request)
                    message = {"role": "assistant", "content": content}
                except ValueError:
                    self.send(400, {"error": {"message": "this schema is not supported"}})
                    return
                choice = {"index": 0, "message": message, "finish_reason": finish_reason}
                self.send(200, {"id": "x", "object": "chat.completion", "choices": [choice]})

            def send(self, status: int, body: dict[str, Any]) -> None:
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> ModelServer:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


REPLIES = {
    0: ("is right", '[{"name": "book_ferry", "arguments": {"city": "Turku", "visitors": 3}}]'),
    1: ("", '[{"name": "book_ferry", "argum'),
    2: ("", "Which day would suit you?"),
    3: ("", '{"tool_calls": [{"name": "book_ferry", "arguments": {"city": "Malmo", "visitors": 3}}]}'),
    4: ("", '[{"name": "book_museum", "arguments": {"city": "Turku", "visitors": 3}}]'),
    5: ("may be right", '[{"name": "book_ferry", "arguments": {"city": "the Turku", "visitors": 3}}]'),
}  # fmt: skip


def asked_records() -> list[Record]:
    record = record_of({"city": "Turku", "visitors": 3}, "")
    return [
        Record(f"test/{n}", "test", "CC0-1.0", Prompt(record.prompt.tools, ({"role": "user", "content": f"Ferry {n} to Turku for 3"},)), record.answer)
        for n in range(60)
    ]  # fmt: skip


def replied(request: dict[str, Any]) -> str:
    number = int(re.findall(r"Ferry (\d+)", request["messages"][-1]["content"])[0])
    return REPLIES[number % len(REPLIES)][1]


def models(server: ModelServer, **fields: Any) -> list[GeneratorConfig]:
    return [
        GeneratorConfig(model=name, base_url=server.url, temperatures=(0.3, 1.0), **fields)
        for name in ("small", "large")
    ]


CITY = '[{{"name": "book_ferry", "arguments": {{"city": {}, "visitors": 3}}}}]'


@pytest.mark.parametrize("reply", [CITY.format('"\\ud83d"'), CITY.format("1e999")])
def test_a_reply_that_no_file_can_hold_is_left_out(reply: str, tmp_path: Path) -> None:
    left_out: Counter[str] = Counter()
    with ModelServer(lambda _: reply) as server:
        (small, _) = models(server)
        made = generated(asked_records()[:2], [small], tmp_path / "r.jsonl", 0, 1.0, left_out)
    assert not made
    assert left_out == {"a reply that holds what no file can": 4}


def test_replies_of_models_are_judged_and_counted(tmp_path: Path) -> None:
    records = asked_records()
    left_out: Counter[str] = Counter()
    with ModelServer(replied) as server:
        made = generated(records, models(server), tmp_path / "r.jsonl", 0, 1.0, left_out)
    assert all("response_format" in request for request in server.requests)
    assert {request["temperature"] for request in server.requests} == {0.3, 1.0}
    usual = {reason: 10 * 4 for reason, _ in REPLIES.values() if reason}
    # Two models at two temperatures said the same: three of four are had already.
    duplicates = {"a reply that the record has already": 4 * 10 * 3}
    counted = {f"a reply that {reason}": n for reason, n in usual.items()} | duplicates
    assert left_out == counted
    assert (
        sorted(int(id.split("/")[1]) % 6 for id in made)
        == [1] * 10 + [2] * 10 + [3] * 10 + [4] * 10
    )
    kinds = {int(id.split("/")[1]) % 6: edits[0].error_type for id, edits in made.items()}
    assert kinds == {
        1: ErrorType.PARSING,
        2: ErrorType.NO_CALL,
        3: ErrorType.VALUE,
        4: ErrorType.NAME,
    }
    tally = Tally(SynthesizeConfig(sources=({"name": "a", "path": "b"},)).weights)  # type: ignore[arg-type]
    chosen = rejected_of(records[3], made["test/3"], peers_of(records, 0), tally, 4, Random(0))
    assert "small" in {edit.operator for edit in chosen}


def test_a_run_that_was_killed_goes_on_to_the_same_candidates(tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    def kill(done: int, total: int) -> None:
        if done == 90:
            raise Killed

    records, file = asked_records(), tmp_path / "r.jsonl"
    whole: Counter[str] = Counter()
    resumed: Counter[str] = Counter()
    with ModelServer(replied) as server:
        due = generated(records, models(server), tmp_path / "whole.jsonl", 0, 1.0, whole)
        asked = len(server.requests)
        with pytest.raises(Killed):
            generated(records, models(server), file, 0, 1.0, Counter(), kill)
        with file.open("a") as broken:
            broken.write('{"key": "0123", "rep')
        kept = file.read_text().count("\n")
        server.requests.clear()
        again = generated(records, models(server), file, 0, 1.0, resumed)
    assert again == due
    assert resumed == whole
    probes = 2  # one a model
    assert 90 <= kept < 240
    assert len(server.requests) == asked - probes - kept + probes


@pytest.mark.parametrize(
    ("reply", "finish_reason", "told"),
    [
        ("[{", "length", "was cut off"),
        ("[{", "content_filter", "was cut off"),
        ("<think>The ferry, then.</think> Which day?", "stop", "has marks of the model's template"),
        (f"Sure: {REPLIES[0][1]}", "stop", "may be right"),
        (f"{REPLIES[0][1]}\nThis books it.", "stop", "may be right"),
        ("Which day?", "length", "was cut off"),
        (" ", "stop", "is empty"),
    ],
)
def test_what_may_be_no_mistake_is_left_out(
    reply: str, finish_reason: str, told: str, tmp_path: Path
) -> None:
    left_out: Counter[str] = Counter()
    with ModelServer(lambda _: reply, finish_reason=finish_reason) as server:
        (small, _) = models(server)
        for _ in range(2):  # the second time out of the file
            left_out.clear()
            made = generated(asked_records()[:2], [small], tmp_path / "r", 0, 1.0, left_out)
            assert not made
            assert left_out == {f"a reply that {told}": 4}


def test_words_are_right_where_no_call_is_due(tmp_path: Path) -> None:
    records = [replace(record, answer=()) for record in asked_records()[:3]]
    replies = {0: "Which day?", 1: '[{"name": "book_ferry", "argum', 2: REPLIES[3][1]}
    left_out: Counter[str] = Counter()

    def reply(request: dict[str, Any]) -> str:
        return replies[int(re.findall(r"Ferry (\d+)", request["messages"][-1]["content"])[0])]

    with ModelServer(reply) as server:
        made = generated(records, models(server)[:1], tmp_path / "r", 0, 1.0, left_out)
    assert left_out == {
        "a reply that is right": 2,
        "a reply that cannot be judged": 2,
        "a reply that the record has already": 1,
    }
    assert {edit.error_type for edit in made["test/2"]} == {ErrorType.SHOULD_NOT_CALL}


def test_what_a_model_broke_keeps_its_own_notation() -> None:
    right = (Call("a", {"x": 1}),)
    broken, words = '<tool_call>\n{"name": "a", ', "Which x?"
    assert restyled(right, [Edit("small", ErrorType.PARSING, broken)], Random(0)) is None
    found = restyled(right, [Edit("small", ErrorType.NO_CALL, words)], Random(0))
    assert found is not None
    assert found[2] == [words]


def test_models_take_part_in_a_synthesis(data: Path) -> None:
    def reply(request: dict[str, Any]) -> str:
        name = re.findall(r'"name": "([\w.]+)"', request["messages"][0]["content"])[0]
        return json.dumps([{"name": name, "arguments": {"city": "Nuuk"}}])

    with ModelServer(reply) as server:
        model = {"model": "small", "base_url": server.url, "records": 20}
        given: dict[str, Any] = {"generators": [model], "irrelevance": 0}
        config = configured(data, **given)
        first = synthesize(config)
        asked = len(server.requests)
        again = synthesize(config)
        assert len(server.requests) == asked
    assert first == again
    train, held_out = (part.counts["generator"]["small"] for part in first.parts)
    assert train == 20
    assert held_out == 3  # its share, rounded up
    limits = {"operator": 1.0, "tool": 1.0, "generator": 0.05}
    bounded = synthesize(configured(data, limits=limits, **given)).parts[0]
    assert (
        0 < bounded.counts["generator"]["small"] <= 0.05 * sum(bounded.counts["generator"].values())
    )


def test_a_server_without_schemas_is_asked_without(tmp_path: Path) -> None:
    with ModelServer(replied, schemas="refused") as server:
        made = generated(asked_records(), models(server)[:1], tmp_path / "r", 0, 1.0, Counter())
    assert len(made) == 40
    assert sum("response_format" in request for request in server.requests) == 1


def test_a_server_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    generator = GeneratorConfig(model="m", base_url="http://127.0.0.1:9/v1")
    with pytest.raises(RunError, match=r"127\.0\.0\.1:9"):
        generated(asked_records(), [generator], tmp_path / "r", 0, 1.0, Counter())


def test_the_schema_asks_for_as_many_calls_as_are_due() -> None:
    from jsonschema import Draft202012Validator

    record = asked_records()[0]
    validator = Draft202012Validator(calls_schema(record))
    call = {"name": "book_ferry", "arguments": {"city": "Malmo", "visitors": 3}}
    assert validator.is_valid({"tool_calls": [call]})
    for wrong in ([], [call, call], [{**call, "name": "swim"}], [{**call, "arguments": {}}]):
        assert not validator.is_valid({"tool_calls": wrong})


def test_a_near_miss_is_right_but_for_one_value(tmp_path: Path) -> None:
    from jsonschema import Draft202012Validator

    right = {"city": "Turku", "visitors": 3}
    opened = set()

    def reply(request: dict[str, Any]) -> str:
        schema = request["response_format"]["json_schema"]["schema"]
        validator = Draft202012Validator(schema)
        changed: dict[str, Any] = {"city": "Malmo", "visitors": 5}
        fitting = [
            name
            for name, value in changed.items()
            if validator.is_valid(
                {"tool_calls": [{"name": "book_ferry", "arguments": {**right, name: value}}]}
            )
        ]
        (name,) = fitting
        opened.add(name)
        call = {"name": "book_ferry", "arguments": {**right, name: changed[name]}}
        assert not validator.is_valid({"tool_calls": [call, call]})
        assert not validator.is_valid({"tool_calls": [{**call, "arguments": changed}]})
        return json.dumps({"tool_calls": [call]})

    left_out: Counter[str] = Counter()
    records = asked_records()[:20]
    with ModelServer(reply) as server:
        (small, _) = models(server, samples=0, near_misses=2)
        made = generated(records, [small], tmp_path / "r.jsonl", 0, 1.0, left_out)
        asked = len(server.requests)
        assert generated(records, [small], tmp_path / "r.jsonl", 0, 1.0, Counter()) == made
        assert len(server.requests) == asked == 20 * 2 * 2 + 1
    assert opened == set(right)
    assert len(made) == 20
    assert {edit.error_type for edits in made.values() for edit in edits} == {ErrorType.VALUE}


def test_a_schema_that_a_server_refuses_takes_no_others_with_it(tmp_path: Path) -> None:
    """The first question's own schema, and again when it is all that is left to ask."""

    def reply(request: dict[str, Any]) -> str:
        number = int(re.findall(r"Ferry (\d+)", request["messages"][-1]["content"])[0])
        if number in refused:
            raise ValueError
        return REPLIES[3][1]

    records, left_out = asked_records()[:20], Counter[str]()
    with ModelServer(reply) as server:
        (small, _) = models(server, samples=0, near_misses=1, concurrency=1)
        first = next(questions_of(records, small, 0, 1.0)).record.id
        refused = {int(first.partition("/")[2])}
        for _ in range(2):
            left_out.clear()
            made = generated(records, [small], tmp_path / "r", 0, 1.0, left_out)
            assert len(made) == 19
            assert left_out["no reply"] == 2


@pytest.mark.parametrize("schemas", ["ignored", "refused"])
def test_near_misses_need_a_server_that_keeps_to_schemas(
    schemas: Literal["ignored", "refused"], tmp_path: Path
) -> None:
    with ModelServer(replied, schemas=schemas) as server:
        (small, _) = models(server, near_misses=1)
        with pytest.raises(UsageError, match="does not keep to JSON schemas"):
            generated(asked_records(), [small], tmp_path / "r", 0, 1.0, Counter())


def test_a_near_miss_is_asked_for_again_when_the_right_calls_change() -> None:
    (record, *_) = asked_records()
    other = replace(
        record, answer=(AdmissibleCall("book_ferry", {"city": ("Turku",), "visitors": (4,)}),)
    )
    small = GeneratorConfig(model="small", base_url="http://127.0.0.1:9/v1")
    keys = [
        Question(r, small, 0.5, 0, near_miss=near).key
        for r in (record, other)
        for near in (False, True)
    ]
    assert keys[0] == keys[2]
    assert len(set(keys)) == 3


def test_models_fill_as_many_places_of_a_type_as_it_has() -> None:
    records = asked_records()
    made = [
        Edit("small", ErrorType.VALUE, (Call("book_ferry", {"city": city, "visitors": 3}),))
        for city in ("Malmo", "Visby", "Oslo", "Riga")
    ]
    tally = Tally({ErrorType.VALUE: 0.3, ErrorType.NAME: 0.7})
    chosen = rejected_of(records[0], made, peers_of(records, 0), tally, 7, Random(0))
    assert [edit.operator for edit in chosen].count("small") == 3
    assert tally.left_out[NO_PLACE] == 1


def test_calls_that_models_made_unasked_fill_half_of_the_places() -> None:
    (record, *_) = (replace(record, answer=()) for record in asked_records())
    kind = ErrorType.SHOULD_NOT_CALL
    made = [
        Edit("small", kind, (Call("book_ferry", {"city": city, "visitors": 3}),))
        for city in ("Malmo", "Visby", "Oslo")
    ]
    for replies, left_out in ((made, {NO_PLACE: 1}), ([], {})):
        tally = Tally({ErrorType.VALUE: 1.0})
        peers = peers_of([record], 0)
        chosen = unasked_of(record, record, replies, peers, tally, 4, Random(0))
        assert sum(edit.operator == "small" for edit in chosen) == len(replies[:2])
        assert tally.left_out == left_out


def test_models_make_no_more_unreadable_replies_than_are_wanted() -> None:
    records = asked_records()
    broken = Edit("small", ErrorType.PARSING, '[{"name": "book_ferry", "argum')
    tally = Tally({ErrorType.VALUE: 0.9, ErrorType.PARSING: 0.1})
    peers = peers_of(records, 0)
    made = [
        edit for r in records for edit in rejected_of(r, [broken], peers, tally, 4, Random(r.id))
    ]
    share = sum(edit.error_type is ErrorType.PARSING for edit in made) / len(made)
    assert 0.05 < share < 0.15
    without = Tally({ErrorType.VALUE: 1.0})
    assert broken not in rejected_of(records[0], [broken], peers, without, 4, Random(0))
    assert without.left_out[NO_PLACE] == 1
