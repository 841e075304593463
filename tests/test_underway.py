"""Records after earlier calls: what is done, what is still due, and what is wrong then."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from fcrewardbench import AdmissibleCall, Call, Prompt, check, parse
from fcrewardbench.calls.tools import tool_from
from fcrewardbench.messages import calls_of
from fcrewardbench.types import Message
from toolrm.records import Record, TrainingPair, read_pairs
from toolrm.synthesize import SynthesizeConfig, synthesize
from toolrm.synthesize.config import Limits, SourceConfig
from toolrm.synthesize.results import result_of, results_in
from toolrm.synthesize.underway import Requests, done, half_done
from toolrm.synthesize.words import report

DEEDS = {
    "water": "Sprinkle something green from the big can",
    "prune": "Cut twigs off with shears",
    "repot": "Move roots into larger clay vessels",
    "shade": "Pull a curtain against noon sun",
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


FERN, LILY, OAK = made("water", "fern", 2), made("prune", "lily", 3), made("water", "oak", 4)


def calls_in(messages: tuple[Message, ...]) -> list[Call]:
    return [call for message in messages for call in calls_of(message)]


def test_of_several_calls_the_first_are_made_and_the_others_due() -> None:
    record = asked(FERN, LILY, OAK)
    numbers, turns = set(), set()
    for seed in range(40):
        half = half_done(record, Random(seed))
        assert half is not None
        assert half.id.startswith("garden/1~h")
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


def test_where_all_is_done_the_results_are_told() -> None:
    for seed in range(40):
        whole = done(asked(FERN, LILY), Random(seed))
        assert whole is not None
        assert not whole.answer
        assert calls_in(whole.prompt.messages) == [FERN, LILY]
        for result in results_in(whole.prompt.messages, Random(seed)):
            assert result.value in whole.reply
            assert result.value in result.text
        assert parse(whole.reply).dialect == "text"
        assert done(whole, Random(0)) is None


def test_another_request_was_served_before() -> None:
    first, second = asked(FERN, id="garden/1"), asked(LILY, id="garden/2")
    again = asked(OAK, id="garden/3")
    stranger = replace(asked(LILY, id="forest/1"), source="forest")
    requests = Requests([first, second, again, stranger])
    seen = set()
    for seed in range(60):
        behind = requests.before(first, Random(seed))
        assert behind is not None
        assert behind.gold == (FERN,)
        assert behind.prompt.messages[-1] == first.prompt.messages[0]
        roles = [message["role"] for message in behind.prompt.messages]
        assert roles == ["user", "assistant", "tool", "assistant", "user"]
        (before,) = calls_in(behind.prompt.messages)
        seen.add(before.name)
        names = [tool.name for tool in behind.prompt.tools]
        assert names == list(dict.fromkeys(["water_plant", before.name]))
        assert check(behind.gold, behind.answer, behind.prompt.tools).ok
    assert seen == {"water_plant", "prune_plant"}  # the tool that is due now, and others
    assert Requests([first]).before(first, Random(0)) is None
    assert requests.before(asked(FERN, system="Be brief."), Random(0)) is None


def test_no_tool_comes_in_that_could_serve_the_request_as_well() -> None:
    first, second = asked(FERN, id="garden/1"), asked(LILY, id="garden/2")
    (tool,) = second.prompt.tools
    like = tool_from({**tool.original, "description": first.prompt.tools[0].description})
    other = replace(second, prompt=replace(second.prompt, tools=(like,)))
    assert Requests([first, second]).before(first, Random(1)) is not None
    assert Requests([first, other]).before(first, Random(1)) is None
    namesake = tool_from({**first.prompt.tools[0].original, "description": "Quite another thing"})
    third = replace(asked(OAK, id="garden/3"), prompt=Prompt((namesake,), second.prompt.messages))
    assert Requests([third]).before(replace(first, answer=third.answer), Random(1)) is None


@pytest.mark.parametrize(
    ("tool", "subject", "verb"),
    [
        ("get_soil_state", "soil state", ""),
        ("garden.createFlowerBed", "flower bed", "created"),
        ("calculateShade", "shade", ""),
        ("xqzt", "xqzt", ""),
        ("", "result", ""),
    ],
)
def test_results_go_by_the_name_of_the_tool(tool: str, subject: str, verb: str) -> None:
    shapes = set()
    for seed in range(60):
        result = result_of(tool, Random(seed))
        assert (result.subject, result.verb) == (subject, verb)
        turn: Message = {"role": "tool", "name": tool, "content": result.text}
        assert [r.value for r in results_in([turn], Random(seed))] == [result.value]
        assert result.value in report([result], Random(seed))
        try:
            shapes.add(str(type(json.loads(result.text))))
        except ValueError:
            shapes.add("text")
    assert len(shapes) > 1
    assert not results_in([{"role": "user", "content": "Hello"}], Random(0))


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


def pairs_of(data: Path, underway: float) -> list[TrainingPair]:
    config = SynthesizeConfig(
        sources=(SourceConfig(name="messages", path=Path("dialogues.jsonl")),),
        allow_overlap=True,
        held_out=0,
        irrelevance=0.3,
        underway=underway,
        limits=Limits(alike=99, operator=1.0, tool=1.0),
        rejected_per_record=7,
        data=data,
        out=data / f"out{underway}",
    )
    synthesize(config)
    return list(read_pairs(config.out / "train.parquet"))


def test_a_synthesis_puts_records_behind_earlier_calls(data: Path) -> None:
    pairs = pairs_of(data, 1.0)
    behind = [one.pair for one in pairs if calls_in(one.pair.prompt.messages)]
    due = [pair for pair in behind if not isinstance(pair.chosen, str) or parse(pair.chosen).calls]
    over = [pair for pair in behind if pair.error_type == "should not have called"]
    assert {one.record for one in pairs if "~h" in one.record}
    assert {one.record for one in pairs if "~b" in one.record}
    for pair in due:
        assert pair.prompt.messages[-1]["role"] in ("tool", "user")
    for pair in over:
        assert isinstance(pair.chosen, str)
        (last,) = [m for m in pair.prompt.messages[-1:] if m["role"] == "tool"]
        assert any(r.value in pair.chosen for r in results_in([last], Random(0)))
    assert {pair.generator for pair in over} >= {"edit:unasked/again"}
    again = [pair for pair in due if pair.generator == "edit:name/stalled"]
    assert again
    early = [pair for pair in due if pair.generator == "edit:words/reports"]
    assert early
    for pair in early:
        told = [r.value for r in results_in(pair.prompt.messages, Random(0))]
        assert any(value in str(pair.rejected) for value in told)


def test_without_that_share_no_record_is_behind_others(data: Path) -> None:
    assert not [one for one in pairs_of(data, 0.0) if calls_in(one.pair.prompt.messages)]
