"""Records after earlier calls: what is done, what is still due, and what is wrong then."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from fcrewardbench import AdmissibleCall, Call, ErrorType, Prompt, check, parse
from fcrewardbench.calls.tools import tool_from
from fcrewardbench.messages import calls_of
from fcrewardbench.types import Message
from toolrm.records import Record, TrainingPair, read_pairs
from toolrm.sources import messages
from toolrm.sources.base import Skipped
from toolrm.synthesize import SynthesizeConfig, synthesize
from toolrm.synthesize.config import Limits, SourceConfig
from toolrm.synthesize.rejected import rejected_of
from toolrm.synthesize.results import result_of, results_in
from toolrm.synthesize.tally import Tally
from toolrm.synthesize.underway import Requests, done, half_done, parting
from toolrm.synthesize.words import report

DEEDS = {
    "book": "Book a visit of the gardener",
    "water": "Sprinkle something green from the big can",
    "measure": "Measure the height of plants with a ruler",
    "find": "Find shade against noon sun",
}
PLANTS = ("fern", "lily", "oak", "moss", "cactus", "ivy", "basil", "reed")


def description(deed: str) -> dict[str, Any]:
    return {
        "name": f"{deed}_plant",
        "description": DEEDS[deed],
        "parameters": {
            "type": "object",
            "properties": {
                f"{deed}_what": {"type": "string", "description": f"What to {deed}"},
                f"{deed}_times": {"type": "integer", "description": f"How often to {deed}"},
            },
            "required": [f"{deed}_what", f"{deed}_times"],
        },
    }


def made(deed: str, plant: str, times: int) -> Call:
    return Call(f"{deed}_plant", {f"{deed}_what": plant, f"{deed}_times": times})


def asked(*calls: Call, id: str = "garden/1", system: str = "") -> Record:
    said = " and ".join(
        f"{call.name.partition('_')[0]} the {' '.join(map(str, call.arguments.values()))} times"
        for call in calls
    )
    messages: list[Message] = [{"role": "user", "content": f"Please {said}."}]
    if system:
        messages.insert(0, {"role": "system", "content": system})
    names = dict.fromkeys(call.name.partition("_")[0] for call in calls)
    tools = tuple(tool_from(description(deed)) for deed in names)
    answer = tuple(AdmissibleCall(c.name, {k: [v] for k, v in c.arguments.items()}) for c in calls)
    return Record(id, "garden", "CC0-1.0", Prompt(tools, tuple(messages)), answer)


FERN, LILY, OAK = made("book", "fern", 2), made("measure", "lily", 3), made("book", "oak", 4)


def calls_in(messages: tuple[Message, ...]) -> list[Call]:
    return [call for message in messages for call in calls_of(message)]


def test_of_several_calls_the_first_are_made_and_the_others_due() -> None:
    record = asked(FERN, LILY, OAK)
    numbers, turns = set(), set()
    for seed in range(40):
        half = half_done(record, Random(seed))
        assert half is not None
        assert half.id.startswith("garden/1~u")
        assert half.prompt.messages[:1] == record.prompt.messages
        before = calls_in(half.prompt.messages)
        assert [*before, *half.gold] == [FERN, LILY, OAK]
        assert before
        assert half.gold
        answered = [m["name"] for m in half.prompt.messages if m["role"] == "tool"]
        assert answered == [call.name for call in before]
        assert half.prompt.messages[-1]["role"] == "tool"
        numbers.add(len(before))
        turns.add((len(before), len(half.prompt.messages)))
        assert half_done(half, Random(0)) is None
    assert numbers == {1, 2}
    assert turns == {(1, 3), (2, 4), (2, 5)}  # two calls in one turn, or one after the other
    assert half_done(asked(FERN), Random(0)) is None


def answers_in(messages: Sequence[Message]) -> list[Message]:
    return [message for message in messages if message["role"] == "tool"]


def test_where_all_is_done_the_results_are_told() -> None:
    manners = set()
    for seed in range(40):
        whole = done(asked(FERN, LILY), Random(seed))
        assert whole is not None
        assert not whole.answer
        assert calls_in(whole.prompt.messages) == [FERN, LILY]
        manners.add(len(whole.prompt.messages))
        results = results_in(whole.prompt.messages, whole.prompt.tools, Random(seed))
        assert [r.text for r in results] == [
            m["content"] for m in answers_in(whole.prompt.messages)
        ]
        assert [r.changed for r in results] == [True, False]  # a visit is booked, a height measured
        for result in results:
            assert result.value in whole.reply
            assert result.value in result.text
        assert parse(whole.reply).dialect == "text"
        assert done(whole, Random(0)) is None
    assert manners == {4, 5}  # both calls in one turn, or one after the other


def test_after_all_is_told_the_user_may_say_something_else() -> None:
    thanks: Message = {"role": "user", "content": "Thanks, I like rain."}
    last = parting(asked(FERN), thanks, Random(0))
    assert last is not None
    assert not last.answer
    assert not last.reply
    roles = [message["role"] for message in last.prompt.messages]
    assert roles == ["user", "assistant", "tool", "assistant", "user"]
    assert last.prompt.messages[-1] == thanks
    of_a_visit: Message = {"role": "user", "content": "The last gardener was better."}
    assert parting(asked(FERN), of_a_visit, Random(0)) is None


def test_another_request_was_served_before() -> None:
    first, second = asked(FERN, id="garden/1"), asked(LILY, id="garden/2")
    again = asked(OAK, id="garden/3")
    strangers = [
        replace(asked(made("find", "oak", 1), id="forest/1"), source="forest"),
        replace(asked(made("find", "oak", 1), id="garden/4"), licence="CC-BY-4.0"),
        replace(asked(made("find", "oak", 1), id="garden/5"), more_follows=True),
        asked(made("find", "oak", 1), id="garden/6", system="Be brief."),
    ]
    requests = Requests([first, second, again, *strangers])
    seen, orders, forms = set(), set(), set()
    found = [requests.before(first, Random(seed)) for seed in range(80)]
    assert found.count(None) < 4  # where all that is drawn is the request itself
    for behind in filter(None, found):
        assert behind.gold == (FERN,)
        roles = tuple(message["role"] for message in behind.prompt.messages)
        forms.add(roles)
        asking = [m["content"] for m in behind.prompt.messages if m["role"] == "user"]
        assert str(asking[-1]).endswith(str(first.prompt.messages[0]["content"]))
        (before,) = calls_in(behind.prompt.messages)
        assert before in (LILY, OAK)
        seen.add(before.name)
        names = tuple(tool.name for tool in behind.prompt.tools)
        assert set(names) == {"book_plant", before.name}
        orders.add(names)
        assert check(behind.gold, behind.answer, behind.prompt.tools).ok
    assert forms == {
        ("user", "assistant", "tool"),  # both asked for in one turn
        ("user", "assistant", "tool", "assistant", "user"),
    }
    assert seen == {"book_plant", "measure_plant"}  # the tool that is due now, and others
    assert len(orders) == 3  # which tool is due does not show in its place
    assert Requests([first]).before(first, Random(0)) is None  # it would be asked for twice
    assert Requests([]).before(first, Random(0)) is None
    assert requests.before(asked(FERN, system="Be brief."), Random(0)) is None


def test_a_request_that_points_at_something_stays_first() -> None:
    first, second = asked(FERN), asked(LILY, id="garden/2")
    said: Message = {"role": "user", "content": "Book that fern 2 times."}
    pointing = replace(first, prompt=replace(first.prompt, messages=(said,)))
    assert Requests([second]).before(first, Random(0)) is not None
    assert Requests([second]).before(pointing, Random(0)) is None


def rooms(text: str, *, room: str = "Cedar") -> Record:
    tool = tool_from(
        {
            "name": "book_room",
            "description": "Book a meeting room",
            "parameters": {
                "type": "object",
                "properties": {"room": {"type": "string", "description": "Name of the room"}},
                "required": ["room"],
            },
        }
    )
    prompt = Prompt((tool,), ({"role": "user", "content": text},))
    return Record(
        "r/1", "garden", "CC0-1.0", prompt, (AdmissibleCall("book_room", {"room": [room]}),)
    )


def test_what_a_request_lacks_is_not_given_before() -> None:
    whole = rooms("Please book a table for Cedar.")
    lacking = replace(rooms("Please book a table."), answer=())
    behind = Requests([asked(LILY)]).before_lacking(lacking, whole, Random(0))
    assert behind is not None
    assert not behind.answer
    assert calls_in(behind.prompt.messages) == [LILY]
    other = replace(rooms("Book a table for Alder.", room="Alder"), id="r/2")
    assert Requests([other]).before_lacking(lacking, whole, Random(0)) is None
    naming = asked(made("measure", "Cedar", 1), id="garden/2")
    assert Requests([naming]).before_lacking(lacking, whole, Random(0)) is None


def test_what_goes_on_by_itself_is_not_done(tmp_path: Path) -> None:
    """A dialogue in which one call follows the other before the assistant says something."""

    def called(call: Call) -> dict[str, Any]:
        function = {"name": call.name, "arguments": json.dumps(dict(call.arguments))}
        return {"role": "assistant", "tool_calls": [{"type": "function", "function": function}]}

    answer = {"role": "tool", "name": "book_plant", "content": "ok"}
    record = asked(FERN, OAK)
    turns = [called(FERN), answer, called(OAK), answer, {"role": "assistant", "content": "Done."}]
    row = {
        "tools": [tool.original for tool in record.prompt.tools],
        "messages": [*record.prompt.messages, *turns],
    }
    path = tmp_path / "dialogue.jsonl"
    path.write_text(json.dumps(row), "utf-8")
    first, second = messages.records(path, Skipped())
    assert (first.more_follows, second.more_follows) == (True, False)
    assert done(first, Random(0)) is None
    assert done(replace(first, more_follows=False), Random(0)) is not None


def test_no_tool_comes_in_that_could_serve_the_request_as_well() -> None:
    first, second = asked(FERN, id="garden/1"), asked(LILY, id="garden/2")
    (tool,) = second.prompt.tools
    like = tool_from({**tool.original, "description": first.prompt.tools[0].description})
    other = replace(second, prompt=replace(second.prompt, tools=(like,)))
    assert Requests([first, second]).before(first, Random(1)) is not None
    assert Requests([first, other]).before(first, Random(1)) is None
    namesake = tool_from({**first.prompt.tools[0].original, "description": "Quite another thing"})
    third = replace(asked(OAK, id="garden/3"), prompt=Prompt((namesake,), second.prompt.messages))
    assert Requests([third]).before(first, Random(1)) is None


@pytest.mark.parametrize(
    ("described", "subject", "changed", "verb"),
    [
        ("Retrieve the soil state of a garden.", "soil state", False, ""),
        ("Create a flower bed", "flower bed", True, "created"),
        ("Adjust the thermostat in a room", "thermostat", True, ""),
        ("Calculate shade", "shade", False, ""),
        ("Search for a bus between two places", "bus", False, ""),
        ("", "xqzt", True, ""),
    ],
)
def test_results_go_by_the_description_of_the_tool(
    described: str, subject: str, changed: bool, verb: str
) -> None:
    tool = tool_from({"name": "xqzt", "description": described})
    shapes = set()
    for seed in range(60):
        result = result_of(tool, Random(seed))
        assert (result.subject, result.changed, result.verb) == (subject, changed, verb)
        turn: Message = {"role": "tool", "name": "xqzt", "content": result.text}
        (found,) = results_in([turn], (tool,), Random(seed))
        assert found == result
        told = report([result], Random(seed))
        assert result.value in told
        assert parse(told).dialect == "text"
        try:
            shapes.add(str(type(json.loads(result.text))))
        except ValueError:
            shapes.add("text")
    assert len(shapes) > 1
    assert not results_in([turn, {"role": "user", "content": "Hello"}], (tool,), Random(0))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    lines = []
    for number in range(24):
        rng = Random(number)
        calls = [
            made(deed, rng.choice(PLANTS), rng.randint(20, 900))
            for deed in rng.sample(list(DEEDS), 1 + number % 3)
        ]
        record = asked(*calls)
        functions = [{"name": c.name, "arguments": json.dumps(dict(c.arguments))} for c in calls]
        called = [{"type": "function", "function": function} for function in functions]
        messages = [*record.prompt.messages, {"role": "assistant", "tool_calls": called}]
        tools = [tool.original for tool in record.prompt.tools]
        lines.append(json.dumps({"id": f"d{number}", "tools": tools, "messages": messages}))
    (tmp_path / "dialogues.jsonl").write_text("\n".join(lines), "utf-8")
    return tmp_path


def pairs_of(data: Path, underway: float, **changes: Any) -> list[TrainingPair]:
    config = SynthesizeConfig(
        sources=(SourceConfig(name="messages", path=Path("dialogues.jsonl")),),
        allow_overlap=True,
        held_out=0,
        irrelevance=0.4,
        underway=underway,
        limits=Limits(alike=99, operator=1.0, tool=1.0),
        rejected_per_record=7,
        data=data,
        out=data / f"out{underway}",
        **changes,
    )
    synthesize(config)
    return list(read_pairs(config.out / "train.parquet"))


def last_role(one: TrainingPair) -> str:
    return str(one.pair.prompt.messages[-1]["role"])


def test_calls_are_due_and_not_due_after_results_and_after_requests_served(data: Path) -> None:
    pairs = [one for one in pairs_of(data, 0.9) if calls_in(one.pair.prompt.messages)]
    unasked = [one for one in pairs if one.pair.error_type == "should not have called"]
    due = [one for one in pairs if one.pair.error_type != "should not have called"]
    assert (
        {last_role(one) for one in unasked} == {last_role(one) for one in due} == {"tool", "user"}
    )
    assert "edit:unasked/again" in {one.pair.generator for one in unasked}
    assert "edit:name/stalled" in {one.pair.generator for one in due}
    for pair in (one.pair for one in unasked if last_role(one) == "tool"):
        results = results_in(pair.prompt.messages, pair.prompt.tools, Random(0))
        assert results
        assert all(
            result.subject in str(pair.chosen).lower() for result in results if not result.changed
        )
    early = [one.pair for one in due if one.pair.generator == "edit:words/reports"]
    assert early
    for pair in early:
        results = results_in(pair.prompt.messages, pair.prompt.tools, Random(0))
        assert any(result.value in str(pair.rejected) for result in results)


def test_done_and_half_done_have_like_distractors(data: Path) -> None:
    numbers: dict[bool, set[int]] = {True: set(), False: set()}
    for one in pairs_of(data, 0.9, obfuscated=1.0, styled=0.0, distractors=(2, 2)):
        if last_role(one) == "tool":
            made = {call.name for call in calls_in(one.pair.prompt.messages)}
            is_done = one.pair.error_type == "should not have called"
            if not is_done:
                assert not isinstance(one.pair.chosen, str)
                made |= {call.name for call in one.pair.chosen}
            numbers[is_done].add(len(one.pair.prompt.tools) - len(made))
    assert numbers[True]
    assert numbers[True] <= numbers[False]


def test_without_that_share_no_record_is_behind_others(data: Path) -> None:
    assert not [one for one in pairs_of(data, 0.0) if calls_in(one.pair.prompt.messages)]


def fewer_of(record: Record) -> list[Any]:
    """What is rejected of a record although all of its calls are due."""
    found: list[Any] = []
    for seed in range(30):
        tally = Tally({ErrorType.COUNT: 1.0})
        edits = rejected_of(record, (), {}, tally, 4, Random(seed))
        found += [e for e in edits if all(call in record.gold for call in e.candidate)]
    return found


def test_the_next_of_several_calls_is_not_wrong_where_one_was_made() -> None:
    whole = asked(FERN, LILY, made("find", "moss", 5), made("water", "ivy", 6))
    halves = [half_done(whole, Random(seed)) for seed in range(12)]
    (half, *_) = [one for one in halves if one is not None and len(one.answer) == 3]
    assert fewer_of(whole)
    assert not fewer_of(half)
