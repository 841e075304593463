"""No training data in common with benchmarks: what is found, what is let through, what is reported."""

from __future__ import annotations

import json
import random
import tarfile
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from conftest import SHARED_DATA

import toolrm.cli.overlap
from fcrewardbench import Call, DataError, Pair, Prompt, Tool, UnknownName, UsageError
from fcrewardbench.benchmarks.bfcl import Task
from fcrewardbench.calls.tools import tool_from
from toolrm.cli import cli
from toolrm.matching import THRESHOLDS, Kind, Reference, reference_of
from toolrm.overlap import Filter, Overlap, find, refuse
from toolrm.records import Record, TrainingPair, write_pairs
from toolrm.references import bfcl, downstream_sets, references

QUERY = "Please book two seats on the night train from Vienna to Zurich for the third of May."


def tool(name: str, description: str = "", **parameters: str) -> Tool:
    schema = {key: {"type": "string", "description": text} for key, text in parameters.items()}
    return tool_from({"name": name, "description": description, "parameters": schema})


def record(*turns: str, tools: Sequence[Tool] = (), id: str = "ours/1") -> Record:
    messages = tuple({"role": "user", "content": turn} for turn in turns)
    return Record(id, "ours", "CC0-1.0", Prompt(tuple(tools), messages), ())


def reference(*turns: str, tools: Sequence[Tool] = (), name: str = "theirs") -> Reference:
    return reference_of(name, [("item-1", record(*turns, tools=tools).prompt)])


@pytest.fixture(scope="module")
def bfcl_v4() -> Reference:
    return bfcl("v4")


@pytest.fixture(scope="module")
def bfcl_filter(bfcl_v4: Reference) -> Filter:
    return Filter([bfcl_v4])


def archive(name: str, target: Path, *members: str) -> Path:
    """Files of the public material beside the checkout, unpacked."""
    path = SHARED_DATA / name
    if not path.is_file():
        pytest.skip(f"{name} is not beside this checkout (../shared/data)")
    with tarfile.open(path) as tar:
        if not members:
            tar.extractall(target, filter="data")
        for member in members:
            tar.extract(member, target, filter="data")
    return target


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (QUERY, "query in theirs"),
        (QUERY.upper().replace(" ", "  ").rstrip("."), "query in theirs"),
        (QUERY.replace("two", "three"), "near query in theirs"),
        (QUERY.replace("Please book", "Book"), "near query in theirs"),
        ("Please book a table for two at the station in Zurich for the third of May.", ""),
    ],
)
def test_queries(query: str, found: str) -> None:
    assert Filter([reference(QUERY)]).reason(record(query)) == found


def test_a_query_counts_in_any_turn_and_a_stock_reply_in_none() -> None:
    theirs = Filter([reference("Transfer 200 dollars to my mother.", "Yes, that's right.")])
    assert (
        theirs.reason(record("Hello, I need some help with banking.", "Yes, that's right.")) == ""
    )
    assert theirs.reason(
        record("Hello, I need some help with banking.", "transfer 200 dollars to my mother")
    )
    assert Filter([reference("Play jazz")]).reason(record("play jazz!")) == "query in theirs"


@pytest.mark.parametrize(
    ("ours", "theirs", "found"),
    [
        ("getWeather", "get_weather", "tool name in theirs"),
        ("FindEvents", "Events_3_FindEvents", "near tool name in theirs"),
        ("Events_1_FindEvents", "Events_3_FindEvents", "near tool name in theirs"),
        ("Events_1_FindEvents", "find_events", "near tool name in theirs"),
        ("forecast", "weather.forecast", "near tool name in theirs"),
        ("get_weather", "current_weather", ""),
        ("weather", "weather_report", ""),
    ],
)
def test_names(ours: str, theirs: str, found: str) -> None:
    assert Filter([reference(tools=[tool(theirs)])]).reason(record(tools=[tool(ours)])) == found


def test_a_tool_on_offer_is_enough() -> None:
    ours = record(tools=[tool("water_plants"), tool("get_weather")])
    assert Filter([reference(tools=[tool("get_weather")])]).reason(ours)


def obfuscated(original: Tool, random_: random.Random) -> Tool:
    """The tool with other names, its parameters in another order."""
    properties = list(original.parameters["properties"].values())
    random_.shuffle(properties)
    renamed = {f"p{random_.randrange(10**9)}": schema for schema in properties}
    schema = {"type": "object", "properties": renamed}
    name = f"f{random_.randrange(10**9)}"
    return tool_from({"name": name, "description": original.description, "parameters": schema})


def test_schemas_are_found_under_other_names(bfcl_filter: Filter, tasks: dict[str, Task]) -> None:
    random_ = random.Random(5)
    for task in random_.sample(list(tasks.values()), 150):
        hidden = [obfuscated(tool, random_) for tool in task.prompt.tools]
        reason = bfcl_filter.reason(record("Something else altogether, please.", tools=hidden))
        assert reason in ("tool schema in bfcl@v4", "near tool schema in bfcl@v4"), task.id


def test_schemas_by_their_words() -> None:
    theirs = tool("sleep", "Put the house to sleep for the night.", hour="When to wake it again.")
    reworded = tool("rest", "Put the house to sleep for a night.", time="When to wake it again.")
    other = tool("rest", "Put the car to use for the night.", time="Where to park it in the end.")
    ours = Filter([reference(tools=[theirs])])
    assert ours.reason(record(tools=[replace(theirs, name="rest")])) == "tool schema in theirs"
    assert ours.reason(record(tools=[reworded])) == "near tool schema in theirs"
    assert ours.reason(record(tools=[other])) == ""
    assert Filter([reference(tools=[tool("a")])]).reason(record(tools=[tool("b")])) == ""


def jaccard(first: str, second: str) -> float:
    ours, theirs = (
        {(word,) for word in words} | set(pairwise(words))
        for words in (first.split(), second.split())
    )
    return len(ours & theirs) / len(ours | theirs)


def test_minhash_misses_nothing_that_comparing_all_would_find() -> None:
    random_ = random.Random(7)
    vocabulary = [f"word{n}" for n in range(60)]
    theirs = [" ".join(random_.choices(vocabulary, k=random_.randint(6, 20))) for _ in range(150)]
    ours = []
    for text in theirs:
        words = text.split()
        for _ in range(random_.randint(1, 4)):
            words[random_.randrange(len(words))] = random_.choice(vocabulary)
        ours.append(" ".join(words))
    index = Filter([reference_of("t", [(b, record(b).prompt) for b in theirs])])
    similar = [max(jaccard(a, b) for b in theirs) >= THRESHOLDS["query"] for a in ours]
    assert set(similar) == {True, False}
    assert [bool(index.reason(record(a))) for a in ours] == similar


def test_every_task_of_bfcl_overlaps_with_itself(
    bfcl_v4: Reference, tasks: dict[str, Task]
) -> None:
    sample = random.Random(3).sample(list(tasks.values()), 200)
    ours = [Record(task.id, "bfcl", "Apache-2.0", task.prompt, ()) for task in sample]
    found = find(ours, [bfcl_v4])
    assert {(one.kind, one.record) for one in found.refused if one.exact} == {
        (kind, task.id) for task in sample for kind in ("query", "tool name", "tool schema")
    }


def test_bfcl_is_all_of_bfcl(bfcl_v4: Reference) -> None:
    items = {item for item, _ in bfcl_v4.queries}
    assert {
        "simple_python_0",
        "live_relevance_0-0-0",
        "irrelevance_0",
        "multi_turn_base_0",
    } <= items
    assert {"cd", "fetch_url_content"} <= {tool.name for _, tool in bfcl_v4.tools}


def test_open_is_there_in_all_editions() -> None:
    names = [reference.name for reference in references()]
    assert {"bfcl@v3", "bfcl@v4", "open@1/core", "open@2/core", "open@2/abstain"} <= set(names)
    assert len(set(names)) == len(names)
    with pytest.raises(UnknownName):
        references(["opne"])


def test_shared_tools_are_reported_and_not_refused() -> None:
    prompt = record(QUERY, tools=[tool("get_weather")]).prompt
    shared: list[Kind] = ["tool name", "tool schema"]
    downstream = reference_of("downstream", [("1", prompt)], shared, in_domain=True)
    same_tool = record("Will it rain in Lagos tomorrow morning?", tools=prompt.tools)
    found = find([same_tool], [downstream])
    (finding,) = found.findings
    assert (finding.kind, finding.shared, finding.in_domain) == ("tool name", True, True)
    assert not found.refused
    told = {"exact": 1, "near": 0, "refused": False, "in_domain": True}
    assert found.report()["findings"] == {"downstream": {"tool name": told}}
    assert Filter([downstream]).reason(same_tool) == ""
    refuse(found)
    assert Filter([downstream]).reason(record(QUERY)) == "query in downstream"


def test_filter_and_find_agree() -> None:
    some = [tool("get_weather"), tool("water_plants", "Water all plants of a garden.")]
    ours = [
        record(query, tools=tools, id=f"{i}/{j}")
        for i, query in enumerate((QUERY, "I want to watch a movie.", "hi", ""))
        for j, tools in enumerate((some, some[1:], ()))
    ]
    theirs = [reference(QUERY, tools=some[:1]), reference("Hi.", name="others")]
    refused = {one.record for one in find(ours, theirs).refused}
    found = Filter(theirs)
    assert refused == {one.id for one in ours if found.reason(one)}
    assert 0 < len(refused) < len(ours)


def test_every_prompt_of_a_record_is_compared() -> None:
    """Pairs of one record mostly share a prompt; those that do not are compared, too."""
    ours = [record("Water my plants in the evening, please."), record(QUERY), record(QUERY)]
    found = find(ours, [reference(QUERY)])
    assert found.records == 1
    assert [(one.kind, one.record) for one in found.findings] == [("query", "ours/1")]


def overlapping() -> Overlap:
    theirs = reference(QUERY, tools=[tool("get_weather")])
    return find([record(QUERY, id="a"), record(tools=[tool("get_weather")], id="b")], [theirs])


def test_the_report_counts_and_quotes_nothing() -> None:
    report = overlapping().report()
    counted = {"exact": 1, "near": 0, "refused": True, "in_domain": False}
    assert report["findings"] == {"theirs": {"tool name": counted, "query": counted}}
    assert report["records_refused"] == 2
    text = json.dumps(report)
    assert "Vienna" not in text
    assert "get_weather" not in text


def test_the_hash_is_that_of_references_and_findings() -> None:
    found = overlapping()
    assert replace(found, findings=found.findings[::-1]).sha256 == found.sha256
    assert replace(found, findings=found.findings[:1]).sha256 != found.sha256
    assert reference(QUERY).sha256 != reference(QUERY.lower()).sha256
    assert find([], [reference(QUERY)]).sha256 != find([], [reference(QUERY.lower())]).sha256


def test_refuse_says_what_and_how_to_go_on() -> None:
    with pytest.raises(UsageError, match=r"2 of 2 records .*theirs: 1 by query.*--allow-overlap"):
        refuse(overlapping())


def pairs_file(path: Path, *records: Record) -> Path:
    calls = (Call("f", {"x": 1}),), (Call("f", {"x": 2}),)
    write_pairs(
        path,
        (
            TrainingPair(
                Pair(f"{r.id}#{n}", r.prompt, *calls, "kind", "ours", "m"), r.id, "CC0-1.0"
            )
            for r in records
            for n in range(2)
        ),
    )
    return path


@pytest.mark.parametrize(("clean", "code"), [(True, 0), (False, 1)])
def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clean: bool, code: int
) -> None:
    def theirs(*_: Any) -> list[Reference]:
        return [reference(QUERY)]

    monkeypatch.setattr(toolrm.cli.overlap, "references", theirs)
    tools = [tool("f", x="A number.")]
    ours = [record("Water my plants in the evening, please.", tools=tools, id="one")]
    ours += [] if clean else [record(QUERY, tools=tools, id="two")]
    data = pairs_file(tmp_path / "pairs.parquet", *ours)
    report = tmp_path / "out" / "report.json"
    arguments = ["overlap", "--data", str(data), "--show", "3", "--out", str(report)]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == code, result.output
    assert json.loads(report.read_text())["records"] == len(ours)
    assert ("night train" in result.output) is not clean


def test_the_commands_are_listed() -> None:
    result = CliRunner().invoke(cli, ["--help"])
    assert result.exit_code == 0
    assert "overlap" in result.output


def test_downstream_sets(tmp_path: Path) -> None:
    folder = archive("downstream.tar.xz", tmp_path) / "downstream"
    sets = {one.name: one for one in downstream_sets(folder)}
    assert len(sets) == 10
    assert all(one.queries and one.tools for one in sets.values())
    assert all(one.shared == {"tool name", "tool schema"} for one in sets.values())
    in_domain = {name for name, one in sets.items() if one.in_domain}
    assert in_domain == {"seal_tools", "hammer_format/sealtool", "nestful/non-executable-sgd"}
    assert len(sets["seal_tools"].tools) > 4000
    (folder / "seal_tools" / "tool.jsonl").unlink()
    with pytest.raises(DataError, match=r"tool\.jsonl"):
        downstream_sets(folder)
    with pytest.raises(DataError, match="no folder"):
        downstream_sets(tmp_path / "nowhere")


def test_sgd_intents_that_bfcl_does_not_have(bfcl_filter: Filter, tmp_path: Path) -> None:
    folder = archive("train.tar.xz", tmp_path, "train/sgd/train/schema.json")
    services = json.loads((folder / "train/sgd/train/schema.json").read_text("utf-8"))
    intents = {intent["name"] for service in services for intent in service["intents"]}
    assert {name for name in intents if not bfcl_filter.reason(record(tools=[tool(name)]))} == {
        *("AddEvent", "CheckBalance", "FindApartment", "GetAvailableTime", "GetEventDates"),
        *("GetEvents", "LookupSong", "ReserveOnewayFlight", "ReserveRoundtripFlights"),
        "TransferMoney",
    }
