"""Sources of training records: real files where they are at hand, and small ones in their shapes."""

from __future__ import annotations

import json
import re
import tarfile
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from conftest import SHARED_DATA, WEATHER

from fcrewardbench import Call, DataError, UnknownName, UsageError, check, validate
from fcrewardbench.messages import calls_of, messages_of
from toolrm.cli.reading import read_showing
from toolrm.records import Record, TrainingPair, read_pairs, write_pairs
from toolrm.sources import SOURCES, load_pairs, load_records
from toolrm.sources.base import Skipped
from toolrm.sources.grounding import grounded
from toolrm.sources.snips import TOOLS

REAL = {
    "sgd": ("sgd/dev", "CC-BY-SA-4.0"),
    "seal-tools": ("seal_tools_dev", "Apache-2.0"),
    "snips": ("snips", "CC0-1.0"),
    "taskmaster4": ("taskmaster4", "CC-BY-4.0"),
    "glaive": ("glaive_demo", "Apache-2.0"),
}
_NEEDED = (
    *("train/sgd/dev/schema.json", "train/sgd/dev/dialogues_001.json"),
    *("train/seal_tools_dev/", "train/snips/", "train/taskmaster4/data_07.json"),
    "train/glaive_demo/",
)


@pytest.fixture(scope="session")
def train(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real data sets with gold calls, from the public material beside the checkout."""
    archive = SHARED_DATA / "train.tar.xz"
    if not archive.is_file():
        pytest.skip("train.tar.xz is not beside this checkout (../shared/data)")
    target = tmp_path_factory.mktemp("train")
    with tarfile.open(archive) as tar:
        members = [member for member in tar if member.name.startswith(_NEEDED)]
        tar.extractall(target, members, filter="data")
    return target / "train"


def read(name: str, path: Path) -> tuple[list[Record], Skipped]:
    skipped = Skipped()
    return list(load_records(name, path, skipped)), skipped


def text_of(record: Record) -> str:
    return json.dumps([turn["content"] for turn in record.prompt.messages], ensure_ascii=False)


def jsonl(path: Path, *lines: Any) -> Path:
    path.write_text("".join(f"{x if type(x) is str else json.dumps(x)}\n" for x in lines), "utf-8")
    return path


# --- real files ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REAL)
def test_every_real_record_is_usable(name: str, train: Path) -> None:
    folder, licence = REAL[name]
    skipped = Skipped()
    records = list(islice(load_records(name, train / folder, skipped), 1_500))
    assert len(records) >= 100
    assert len({record.id for record in records}) == len(records)
    assert {record.licence for record in records} == {licence}
    for record in records:
        tools, messages = record.prompt.tools, record.prompt.messages
        assert record.id.startswith(f"{name}/")
        assert check(record.gold, record.answer, tools).ok
        assert not validate(record.gold, tools)
        assert record.answer  # every one of these sources has a gold call
        assert len({tool.name for tool in tools}) == len(tools)
        assert messages[-1]["role"] in ("user", "tool")
        assert messages_of(list(messages)) == messages  # written and read, it stays the same
        names = {tool.name for tool in tools}
        assert all(call.name in names for turn in messages for call in calls_of(turn))


@pytest.mark.parametrize("name", REAL)
def test_real_records_come_in_one_order(name: str, train: Path) -> None:
    path = train / REAL[name][0]
    one, two = (
        [(r.id, r.answer) for r in islice(load_records(name, path, Skipped()), 200)] for _ in "12"
    )
    assert one == two


def test_sgd_counts_every_call(train: Path) -> None:
    records, skipped = read("sgd", train / "sgd/dev")
    dialogues = json.loads((train / "sgd/dev/dialogues_001.json").read_bytes())
    turns = [turn for dialogue in dialogues for turn in dialogue["turns"]]
    due = sum(any("service_call" in frame for frame in turn["frames"]) for turn in turns)
    assert len(records) + skipped.total() == due


def test_sgd_values_have_the_type_of_their_slot(train: Path) -> None:
    records, _ = read("sgd", train / "sgd/dev")
    typed = [
        value
        for record in records
        for call in record.answer
        for values in call.arguments.values()
        for value in values
        if type(value) is not str
    ]
    assert {type(value) for value in typed} == {int, bool}
    for record in records:
        for call in record.gold:
            assert not {"True", "False", "dontcare"} & {
                str(v) for v in call.arguments.values() if type(v) is str
            }


def test_half_of_a_surrogate_pair_in_snips_is_mended(train: Path) -> None:
    records, _ = read("snips", train / "snips")
    assert any("🍕" in text_of(record) for record in records)
    assert all(turn["content"].encode() for record in records for turn in record.prompt.messages)


def test_seal_tools_never_requires_what_nobody_said(train: Path) -> None:
    records, skipped = read("seal-tools", train / "seal_tools_dev")
    assert skipped["a call that needs the result of another"] > 0
    for record in records:
        assert all(
            grounded(v, text_of(record)) for call in record.gold for v in call.arguments.values()
        )
        assert "API_call_" not in str(record.gold)


def test_taskmaster_identifiers_were_seen_before(train: Path) -> None:
    records, _ = read("taskmaster4", train / "taskmaster4")
    for record in records:
        for call in record.gold:
            ids = [v for name, v in call.arguments.items() if name.endswith("_id")]
            assert all(json.dumps(id)[1:-1] in text_of(record) for id in ids)


# --- small files in each shape ------------------------------------------------------------------


def sgd(folder: Path, *turns: dict[str, Any], services: Sequence[str] = ("Hotels_1",)) -> Path:
    slots = [
        {"name": "city", "description": "City", "is_categorical": False, "possible_values": []},
        {
            "name": "beds",
            "description": "Beds",
            "is_categorical": True,
            "possible_values": ["1", "2"],
        },
        {
            "name": "pool",
            "description": "Pool",
            "is_categorical": True,
            "possible_values": ["True", "False"],
        },
    ]
    intent = {
        "name": "Find",
        "description": "Find",
        "required_slots": ["city"],
        "optional_slots": {"beds": "1", "pool": "dontcare"},
    }
    schema = [
        {"service_name": name, "slots": slots, "intents": [intent]}
        for name in ("Hotels_1", "Hotels_2")
    ]
    dialogue = {"dialogue_id": "1_0", "services": list(services), "turns": list(turns)}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "schema.json").write_text(json.dumps(schema))
    (folder / "dialogues_001.json").write_text(json.dumps([dialogue]))
    return folder


def said(text: str, **state: list[str]) -> dict[str, Any]:
    frame = {"service": "Hotels_1", "state": {"slot_values": state}}
    return {"speaker": "USER", "utterance": text, "frames": [frame]}


def served(text: str, method: str = "Find", **parameters: str) -> dict[str, Any]:
    frame = {
        "service": "Hotels_1",
        "service_call": {"method": method, "parameters": parameters},
        "service_results": [{"hotel": str(n)} for n in range(9)],
    }
    return {"speaker": "SYSTEM", "utterance": text, "frames": [frame]}


def test_sgd_admits_what_the_state_lists_and_defaults_left_out(tmp_path: Path) -> None:
    first = said("In SF, one bed", city=["SF", "San Fran"], beds=["1"], pool=["dontcare"])
    turns = (first, served("Found", city="San Francisco", beds="1"), said("Again", city=["SF"]))
    path = sgd(tmp_path / "dev", *turns, served("Again", city="San Francisco", pool="False"))
    one, two = read("sgd", path)[0]
    assert one.answer[0].arguments == {"city": ["San Francisco", "SF", "San Fran"], "beds": [1, ""]}
    assert one.gold == (Call("Find", {"city": "San Francisco", "beds": 1}),)
    assert two.gold == (Call("Find", {"city": "San Francisco", "pool": False}),)
    for calls in ({"city": "sf", "pool": False}, {"city": "SF", "pool": False, "beds": 1}):
        assert check((Call("Find", calls),), two.answer, two.prompt.tools).ok
    assert not check(
        (Call("Find", {"city": "SF", "pool": False, "beds": 2}),), two.answer, two.prompt.tools
    ).ok
    properties = one.prompt.tools[0].parameters["properties"]
    assert properties["beds"] == {
        "type": "integer",
        "description": "Beds",
        "enum": [1, 2],
        "default": 1,
    }
    assert properties["pool"]["type"] == "boolean"
    roles = [turn["role"] for turn in two.prompt.messages]
    assert roles == ["user", "assistant", "tool", "assistant", "user"]
    assert calls_of(two.prompt.messages[1]) == one.gold


def test_sgd_names_the_service_only_where_intents_collide(tmp_path: Path) -> None:
    turns = (said("x", city=["Rome"]), served("y", city="Rome"))
    (alone,) = read("sgd", sgd(tmp_path / "a", *turns))[0]
    (beside,) = read("sgd", sgd(tmp_path / "b", *turns, services=("Hotels_1", "Hotels_2")))[0]
    assert [tool.name for tool in alone.prompt.tools] == ["Find"]
    assert [tool.name for tool in beside.prompt.tools] == ["Hotels_1_Find", "Hotels_2_Find"]
    assert beside.gold[0].name == "Hotels_1_Find"


def test_sgd_gives_the_first_call_of_a_dialogue_and_a_later_one(tmp_path: Path) -> None:
    turns = [part for city in "ABCDE" for part in (said(city, city=[city]), served("y", city=city))]
    path = sgd(tmp_path / "dev", *turns)
    records, skipped = read("sgd", path)
    first, later = (record.gold[0].arguments["city"] for record in records)
    assert (first, later in "BCDE") == ("A", True)
    assert skipped == {"more than two turns of one dialogue": 3}
    assert read("sgd", path)[0] == records


def test_snips_examples_exclude_each_other() -> None:
    for description in TOOLS:
        for name, schema in description["parameters"]["properties"].items():
            examples = set(re.findall(r"'([^']+)'", schema["description"]))
            for alike in ({"song", "track"}, {"cinema", "movie house"}, {"book", "novel"}):
                assert not alike <= examples, (description["name"], name)


def test_sgd_reads_both_splits_of_a_folder(tmp_path: Path) -> None:
    for split in ("dev", "train"):
        sgd(tmp_path / split, said("x", city=["Rome"]), served("y", city="Rome"))
    ids = [record.id for record in read("sgd", tmp_path)[0]]
    assert ids == ["sgd/train/1_0/1", "sgd/dev/1_0/1"]
    assert [record.id for record in read("sgd", tmp_path / "dev")[0]] == ids[1:]


@pytest.mark.parametrize(
    ("turns", "reason"),
    [
        ([said("x"), served("y", "Fly", city="Rome")], "a gold call of a tool that is not there"),
        (
            [said("x"), served("y", city="Rome", sauna="True")],
            "an argument that is not in the schema",
        ),
        ([said("x"), served("y", city="Rome", beds="9")], "a value outside its slot"),
        ([said("x"), served("y", beds="1")], "a gold call that the checker does not pass"),
        ([said(" "), served("y", city="Rome")], "no query"),
        ([{"speaker": "USER"}], "a dialogue that cannot be read to its end"),
    ],
)
def test_sgd_counts_what_it_leaves_out(
    turns: list[dict[str, Any]], reason: str, tmp_path: Path
) -> None:
    good = (said("x", city=["Rome"]), served("y", city="Rome"))
    path = sgd(tmp_path, *turns)
    dialogues = json.loads((path / "dialogues_001.json").read_text())
    (path / "dialogues_002.json").write_text(
        json.dumps([*dialogues, {"dialogue_id": "2", "services": ["Hotels_1"], "turns": good}])
    )
    records, skipped = read("sgd", path)
    assert len(records) == 1
    assert skipped == {reason: 2}
    assert all(which.split("/")[1] == "1_0" for which, _ in skipped.which)


def seal(folder: Path, *questions: dict[str, Any]) -> Path:
    def tool(name: str) -> dict[str, Any]:
        parameters = {
            "city": {"type": "str", "description": "City"},
            "days": {"type": "int", "description": "Days"},
            "height": {"type": "float", "description": "Height"},
        }
        return {
            "api_name": name,
            "api_description": name,
            "field": "x",
            "parameters": parameters,
            "required": ["city"],
            "responses": {},
        }

    listed = [tool("getA"), tool("getB")]
    jsonl(folder / "tool.jsonl", *listed, tool("getC"))
    jsonl(folder / "dev.jsonl", *questions)
    prompts = [
        {
            "id": q["id"],
            "conversations": [
                {"from": "human", "value": f"Input:\napi_list = {listed}\ntask_instruction = …"}
            ],
        }
        for q in questions
    ]
    (folder / "dataset_for_finetune_dev.json").write_text(json.dumps(prompts))
    return folder


def question(id: str, query: str, *calls: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    calling = [{"api": api, "parameters": parameters, "responses": []} for api, parameters in calls]
    return {"id": id, "query": query, "calling": calling}


def test_seal_tools_names_the_row_that_cannot_be_read(tmp_path: Path) -> None:
    folder = seal(tmp_path, question("1", "Oslo, three days", ("getC", {"city": "Oslo"})))
    with (folder / "tool.jsonl").open("a") as file:
        file.write('{"api_nam": "getD"}\n{"api_name"\n')
    (_,), skipped = read("seal-tools", folder)
    reason = "a tool description that cannot be read"
    assert skipped.which == [("tool.jsonl, line 4", reason), ("tool.jsonl, line 5", reason)]
    prompts = folder / "dataset_for_finetune_dev.json"
    prompts.write_text(json.dumps([*json.loads(prompts.read_text()), {"id": "2"}]))
    with pytest.raises(DataError, match=r"dev\.json, row 2: no conversation, or no id"):
        read("seal-tools", folder)
    prompts.write_text("5")
    with pytest.raises(DataError, match=r"dev\.json is no list of conversations"):
        read("seal-tools", folder)


def test_seal_tools_types_values_and_adds_the_gold_tool(tmp_path: Path) -> None:
    good = question("1", "Oslo, three days", ("getC", {"city": "Oslo", "days": "3", "height": 7.5}))
    bad = {
        "a required value that the question does not give": ("getA", {"city": "Bergen"}),
        "a call that needs the result of another": ("getA", {"city": "API_call_0"}),
        "a gold value that is not of its declared type": ("getA", {"city": "Oslo", "days": "few"}),
        "an argument that is not in the schema": ("getA", {"town": "Oslo"}),
        "a gold call of a tool that is not there": ("getD", {"city": "Oslo"}),
    }
    rest = [question(str(n), "Oslo, three days", call) for n, call in enumerate(bad.values(), 2)]
    (record,), skipped = read(
        "seal-tools", seal(tmp_path, good, *rest, question("1", "Oslo", ("getA", {"city": "Oslo"})))
    )
    assert [tool.name for tool in record.prompt.tools] == ["getA", "getB", "getC"]
    assert record.answer[0].arguments == {"city": ["Oslo"], "days": [3], "height": ["", 7.5]}
    assert record.prompt.tools[0].parameters["properties"]["height"]["type"] == "number"
    assert skipped == {**dict.fromkeys(bad, 1), "an id that stands twice": 1}


@pytest.mark.parametrize(
    ("value", "text", "expected"),
    [
        ("2022-08-01", "on August 1st, 2022", True),
        ("2022-08-01", "on August 1st", False),
        (3, "three days", True),
        (3, "33 days", False),
        (0.05, "a rate of 5%", True),
        (1200, "$1,200", True),
        ("20:00", "at 8 pm", True),
        ("New York", "to new york", True),
        ("Bergen", "to Oslo", False),
        (["Oslo", "Bergen"], "to Oslo", False),
        (True, "anything", True),
    ],
)
def test_values_are_found_in_words(value: Any, text: str, expected: bool) -> None:
    assert grounded(value, text) is expected


def snips_part(text: str, slot: str = "") -> dict[str, str]:
    return {"text": text, **({"entity": slot} if slot else {})}


def test_snips_reads_latin_1_and_number_words(tmp_path: Path) -> None:
    rate = [
        {
            "data": [
                snips_part("Rate "),
                snips_part("Café ", "object_name"),
                snips_part("four", "rating_value"),
            ]
        },
        {"data": [snips_part("Rate "), snips_part("umpteen", "rating_value")]},
        {"data": [snips_part("1", "rating_value"), snips_part("2", "rating_value")]},
        {"data": [snips_part("Rate "), snips_part("x", "object_name")]},
        {"data": [snips_part("Rate "), snips_part("1", "rating_value"), snips_part("x", "colour")]},
        {},
    ]
    content = json.dumps({"RateBook": rate}, ensure_ascii=False)
    (tmp_path / "train_RateBook_full.json").write_text(content, "latin-1")
    (record,), skipped = read("snips", tmp_path)
    assert record.prompt.messages == ({"role": "user", "content": "Rate Café four"},)
    assert record.gold == (Call("RateBook", {"object_name": "Café", "rating_value": 4}),)
    assert skipped == {
        "a number that cannot be read": 1,
        "a slot that is filled twice": 1,
        "a gold call that the checker does not pass": 1,
        "an argument that is not in the schema": 1,
        "an utterance that cannot be read": 1,
    }


def test_taskmaster_gives_one_group_of_a_dialogue_and_keeps_results(tmp_path: Path) -> None:
    def made(n: int, name: str, request: object, response: object) -> list[dict[str, str]]:
        call = [("api_call", name), ("request", json.dumps(request))]
        back = [("api_response", name), ("response", json.dumps(response))]
        return [{"name": k, "value": v, "context": str(n)} for k, v in call + back]

    offered = {
        "attributes": [
            {"attribute_id": "milk", "options": ["Oat Milk"]},
            {"attribute_id": "ice", "options": ["Iced"]},
        ]
    }
    choices = [
        {"attribute_id": "milk", "option": "oat milk"},
        {"attribute_id": "ice", "option": "Iced"},
    ]
    annotations = [
        *made(
            0, "get_menu_items", {"query": "Latte"}, {"menu_items": [{"menu_item_id": "latte-1"}]}
        ),
        *made(1, "get_addons", {"query": "oat milk", "menu_item_id": "latte-1"}, offered),
        *made(
            2,
            "add_order_item",
            {"menu_item_id": "latte-1", "quantity": "1", "attributes": choices},
            {"order_id": "7"},
        ),
        *made(3, "get_order_details", {"order_id": "8"}, {}),
    ]
    turns = [{"speaker": "user", "text": "iced latte with oat milk", "annotations": annotations}]
    broken = [
        {
            "speaker": "user",
            "text": "x",
            "annotations": [
                {"name": "api_call", "value": "show_menu"},
                {"name": "request", "value": "{"},
            ],
        }
    ]
    dialogues = [
        *({"conversation_id": f"d{n}", "utterances": turns} for n in range(30)),
        {"conversation_id": "e", "utterances": broken},
        {"conversation_id": "f", "utterances": [*turns, *broken]},
        {"conversation_id": "g", "utterances": [*turns, {}]},
    ]
    (tmp_path / "data_00.json").write_text(json.dumps(dialogues))
    records, skipped = read("taskmaster4", tmp_path)
    assert len({record.id.split("/")[1] for record in records}) == len(records) == 32
    by_name = {record.gold[0].name: record for record in records}
    assert by_name.keys() == {"get_menu_items", "get_addons", "add_order_item"}
    assert skipped == {
        "a value that the conversation does not give": 32,
        "unparsable JSON": 2,
        "a dialogue that cannot be read to its end": 1,
        "more than one turn of one dialogue": 64,
    }
    assert skipped.which[-4:] == [
        ("f/7", "a value that the conversation does not give"),
        ("f", "unparsable JSON"),
        ("g/7", "a value that the conversation does not give"),
        ("g", "a dialogue that cannot be read to its end"),
    ]
    last = by_name["add_order_item"]
    assert [turn["role"] for turn in last.prompt.messages] == ["user", *["assistant", "tool"] * 2]
    assert last.gold[0].arguments["attributes"][0]["option"] == "Oat Milk"
    other = Call("add_order_item", {"menu_item_id": "latte-1", "attributes": choices[::-1]})
    assert check((other,), last.answer, last.prompt.tools).ok


GLAIVE_TURNS = [
    {"from": "human", "value": "Weather in Oslo?"},
    {"from": "function_call", "value": '{"name": "get_weather", "arguments": {"city": "Oslo"}}'},
    {"from": "observation", "value": '{"c": 3}'},
    {"from": "gpt", "value": "3 degrees."},
]


def test_glaive_reads_turns_and_the_original_texts_alike(tmp_path: Path) -> None:
    texts = {
        "system": f"SYSTEM: You have these functions. Use them if required -\n{json.dumps(WEATHER, indent=4)}\n",
        "chat": 'USER: Weather in Oslo?\n\n\nASSISTANT: <functioncall> {"name": "get_weather", "arguments": \'{"city": "Oslo"}\'} <|endoftext|>\n\n\n'
        'FUNCTION RESPONSE: {"c": 3}\n\n\nASSISTANT: 3 degrees. <|endoftext|>\n\n\n',
    }
    turns = {"conversations": [*GLAIVE_TURNS, *GLAIVE_TURNS], "tools": json.dumps([WEATHER])}
    twice = {**texts, "chat": texts["chat"] * 2}
    (tmp_path / "a.json").write_text(json.dumps([turns, twice]))
    one, two, three, four = read("glaive", tmp_path / "a.json")[0]
    for a, b in ((one, three), (two, four)):
        assert a.gold == b.gold == (Call("get_weather", {"city": "Oslo"}),)
        assert a.prompt == b.prompt
    assert len(two.prompt.messages) == 5


def test_glaive_counts_what_cannot_be_read(tmp_path: Path) -> None:
    tools = json.dumps([WEATHER])
    rows = [
        {"conversations": GLAIVE_TURNS, "tools": tools},
        {"conversations": GLAIVE_TURNS[2:], "tools": tools},
        {"conversations": GLAIVE_TURNS[:1], "tools": tools},
        {
            "conversations": [GLAIVE_TURNS[0], {"from": "function_call", "value": "{'name'"}],
            "tools": tools,
        },
        {"conversations": GLAIVE_TURNS, "tools": ""},
        {"conversations": GLAIVE_TURNS, "tools": "["},
        {"chat": "x"},
        5,
    ]
    (tmp_path / "a.json").write_text(json.dumps(rows))
    records, skipped = read("glaive", tmp_path)
    assert len(records) == 1
    assert skipped == {
        "a result without a call": 1,
        "a conversation without calls": 1,
        "a gold call of a tool that is not there": 1,
        "unparsable JSON": 3,
        "a field is missing": 1,
    }


XLAM_TOOL = {
    "name": "get_weather",
    "description": "Weather",
    "parameters": {
        "city": {"type": "str", "description": "City"},
        "days": {"type": "int", "description": "Days", "default": 1},
        "units": {"type": "List[str], optional", "description": "Units"},
    },
}


def xlam(id: int, answers: Any, **changes: Any) -> dict[str, Any]:
    return {
        "id": id,
        "query": f"Oslo {id}?",
        "tools": json.dumps([XLAM_TOOL]),
        "answers": json.dumps(answers),
        **changes,
    }


def test_xlam_reads_json_lines_and_parquet_alike(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [
        xlam(n, [{"name": "get_weather", "arguments": {"city": "Oslo", "days": 2, "units": ["C"]}}])
        for n in (1, 2)
    ]
    (tmp_path / "a.json").write_text(json.dumps(rows, indent=1))
    jsonl(tmp_path / "a.jsonl", *rows)
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    read_all = [read("xlam", tmp_path / f"a.{kind}")[0] for kind in ("json", "jsonl", "parquet")]
    assert read_all[0] == read_all[1] == read_all[2]
    record = read_all[0][0]
    assert record.licence == "CC-BY-4.0"
    assert record.gold[0].arguments == {"city": "Oslo", "days": 2, "units": ["C"]}
    schema = record.prompt.tools[0].parameters
    assert schema["required"] == ["city"]
    assert schema["properties"]["units"]["items"] == {"type": "string"}


def test_an_argument_left_out_may_be_given_as_its_default(tmp_path: Path) -> None:
    path = jsonl(
        tmp_path / "a.jsonl", xlam(1, [{"name": "get_weather", "arguments": {"city": "Oslo"}}])
    )
    (record,) = read("xlam", path)[0]
    assert record.gold == (Call("get_weather", {"city": "Oslo"}),)
    for days, ok in ((1, True), (2, False)):
        given = Call("get_weather", {"city": "Oslo", "days": days})
        assert check((given,), record.answer, record.prompt.tools).ok is ok


def test_irrelevance_records_have_tools_and_no_call(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", xlam(1, []), xlam(2, [], tools="[]"))
    (record,), skipped = read("xlam-irrelevance", path)
    assert (record.id, record.gold, len(record.prompt.tools)) == ("xlam-irrelevance/1", (), 1)
    assert skipped == {"no tools": 1}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"answers": "[{"}, "unparsable JSON"),
        ({"answers": '"get_weather"'}, "tools or answers that are no list"),
        ({"answers": '[{"name": "get_weather"}]'}, "an answer that is no call"),
        (
            {"answers": '[{"name": "get_wether", "arguments": {}}]'},
            "a gold call of a tool that is not there",
        ),
        (
            {"answers": '[{"name": "get_weather", "arguments": {}}]'},
            "a gold call that the checker does not pass",
        ),
        (
            {"answers": '[{"name": "get_weather", "arguments": {"city": 5}}]'},
            "a gold call that its schema forbids",
        ),
        (
            {"answers": '[{"name": "get_weather", "arguments": {"town": "Oslo"}}]'},
            "an argument that is not in the schema",
        ),
        ({"tools": json.dumps([XLAM_TOOL, XLAM_TOOL])}, "a tool twice"),
        ({"tools": json.dumps(["get_weather"])}, "a tool description that cannot be read"),
        (
            {"tools": json.dumps([{**XLAM_TOOL, "name": ""}])},
            "a tool description that cannot be read",
        ),
        ({"query": ""}, "no query"),
        ({"query": None}, "a field is missing"),
        ({"query": "\ud83d"}, "a value that JSON cannot hold"),
        ({"id": 1}, "an id that stands twice"),
    ],
)
def test_bad_rows_are_counted_and_the_rest_is_read(
    changes: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    answers = [{"name": "get_weather", "arguments": {"city": "Oslo"}}]
    rows = [xlam(1, answers), {**xlam(2, answers), **changes}, "{", xlam(3, answers)]
    records, skipped = read("xlam", jsonl(tmp_path / "a.jsonl", *rows))
    assert [record.id for record in records] == ["xlam/1", "xlam/3"]
    assert skipped == Counter([reason, "unparsable JSON"])


def conversation(*turns: tuple[str, str | dict[str, Any]]) -> list[dict[str, Any]]:
    """Turns; an assistant's object is the arguments of a call of get_weather."""
    return [
        {"role": role, "content": said}
        if isinstance(said, str)
        else {
            "role": role,
            "content": None,
            "tool_calls": [
                {
                    "id": "1",
                    "type": "function",
                    "function": {"name": "get_weather", "arguments": json.dumps(said)},
                }
            ],
        }
        for role, said in turns
    ]


def test_messages_give_a_record_for_each_turn_with_calls(tmp_path: Path) -> None:
    tools = [{"type": "function", "function": WEATHER}]
    talk = conversation(
        *(("user", "Oslo?"), ("assistant", {"city": "Oslo"}), ("tool", "3"), ("assistant", "3.")),
        *(("user", "Bergen?"), ("assistant", {"city": "Bergen"})),
    )
    rows = [
        {"id": "a", "licence": "MIT", "tools": tools, "messages": talk},
        {
            "tools": json.dumps(tools),
            "messages": conversation(("user", "Hi"), ("assistant", "Hello")),
        },
        {"tools": tools, "messages": conversation(("user", "Hi"))},
        {"tools": tools, "messages": "x"},
        {"tools": tools, "messages": [{"content": "Hi"}]},
        {
            "tools": [{"name": "f", "parameters": {"properties": {"a": {"$ref": "#/nowhere"}}}}],
            "messages": [
                *talk[:1],
                {
                    "role": "assistant",
                    "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}],
                },
            ],
        },
    ]
    records, skipped = read("messages", jsonl(tmp_path / "m.jsonl", *rows))
    assert [(r.id, r.licence) for r in records] == [
        ("messages/a/1", "MIT"),
        ("messages/a/5", "MIT"),
        ("messages/2/1", "NOASSERTION"),
    ]
    assert [[call.arguments for call in r.gold] for r in records] == [
        [{"city": "Oslo"}],
        [{"city": "Bergen"}],
        [],
    ]
    assert [r.reply for r in records] == ["", "", "Hello"]
    assert len(records[1].prompt.messages) == 5
    assert skipped == {
        "a conversation without calls": 1,
        "unparsable JSON": 1,
        "a conversation that cannot be read": 1,
        "a schema that calls cannot be checked against": 1,
    }


# --- pairs --------------------------------------------------------------------------------------


def toolrm_row(uuid: str, rejected: Any, **changes: Any) -> dict[str, Any]:
    return {
        "uuid": uuid,
        "dataset_name": "single-turn",
        "conversation": [{"role": "user", "content": "Weather in Oslo?"}],
        "tools": json.dumps([WEATHER]),
        "tool_calls_correct": json.dumps([{"name": "get_weather", "arguments": {"city": "Oslo"}}]),
        "tool_calls_incorrect": json.dumps(rejected),
        "generator_model": "org/small",
        **changes,
    }


def read_train_data(path: Path) -> tuple[list[TrainingPair], Skipped]:
    skipped = Skipped()
    return list(load_pairs("toolrm-train-data", path, skipped)), skipped


def test_ready_pairs_are_read_from_parquet_and_both_kinds_of_arrow(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    wrong = [{"name": "get_weather", "arguments": {"city": "Bergen"}}]
    rows = [
        toolrm_row("u", wrong),
        toolrm_row("u", [], generator_model="org/other"),
        toolrm_row("v", wrong, tool_calls_correct="[]"),
        toolrm_row("w", [{"name": "get_weather", "arguments": {"city": "oslo"}}]),
        toolrm_row("x", wrong, tool_calls_correct="{"),
    ]
    table = pa.Table.from_pylist(rows)
    for kind in ("parquet", "stream", "file"):
        (tmp_path / kind / "train").mkdir(parents=True)
    pq.write_table(table, tmp_path / "parquet" / "train" / "0.parquet")
    for kind, writer in (("stream", pa.ipc.new_stream), ("file", pa.ipc.new_file)):
        with writer(tmp_path / kind / "train" / "data-00000-of-00001.arrow", table.schema) as out:
            out.write_table(table)
    read_all = [read_train_data(tmp_path / kind) for kind in ("parquet", "stream", "file")]
    assert read_all[0] == read_all[1] == read_all[2]
    pairs, skipped = read_all[0]
    assert skipped == {"a rejected candidate that is right": 1, "unparsable JSON": 1}
    assert [
        (p.pair.id.split("/", 1)[1], p.record, p.pair.error_type, p.pair.generator) for p in pairs
    ] == [
        ("u/1", "toolrm-train-data/u", "parameter value error", "org/small"),
        ("u/2", "toolrm-train-data/u", "no call", "org/other"),
        ("v/1", "toolrm-train-data/v", "should not have called", "org/small"),
    ]
    assert {(p.source, p.licence) for p in pairs} == {("toolrm-train-data", "Apache-2.0")}
    write_pairs(tmp_path / "out.parquet", pairs)
    assert list(read_pairs(tmp_path / "out.parquet")) == pairs
    assert list(read_showing(tmp_path / "out.parquet", "reading")) == pairs


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"tools": "[]"}, "no tools"),
        ({"tools": json.dumps([WEATHER, WEATHER])}, "a tool twice"),
        ({"conversation": [{"role": "assistant", "content": "Hi"}]}, "no query"),
        (
            {"conversation": [{"role": "user"}]},
            "a conversation that cannot be read",
        ),
        (
            {"tool_calls_correct": '[{"name": "fly", "arguments": {}}]'},
            "a gold call of a tool that is not there",
        ),
        ({"tool_calls_incorrect": "["}, "unparsable JSON"),
    ],
)
def test_ready_pairs_that_cannot_be_used_are_named_with_the_reason(
    changes: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    wrong = [{"name": "get_weather", "arguments": {"city": "Bergen"}}]
    path = tmp_path / "pairs.parquet"
    pq.write_table(pa.Table.from_pylist([toolrm_row("good", wrong)]), path)
    assert len(read_train_data(path)[0]) == 1
    pq.write_table(pa.Table.from_pylist([toolrm_row("bad", wrong, **changes)]), path)
    pairs, skipped = read_train_data(path)
    assert (pairs, skipped.which) == ([], [("toolrm-train-data/bad/1", reason)])


# --- names and shapes ---------------------------------------------------------------------------


def test_names_lead_to_sources_and_wrong_ones_to_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'seal-tools'"):
        load_records("seal_tools", tmp_path, Skipped())
    with pytest.raises(UsageError, match=r"ready pairs.*load_pairs"):
        load_records("toolrm-train-data", tmp_path, Skipped())
    with pytest.raises(UsageError, match=r"records.*load_records"):
        load_pairs("sgd", tmp_path, Skipped())


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("what", ["missing", "empty folder", "wrong file"])
def test_a_path_of_another_shape_is_an_error_that_says_what_is_expected(
    name: str, what: str, tmp_path: Path
) -> None:
    path = tmp_path / "x"
    if what == "empty folder":
        path.mkdir()
    elif what == "wrong file":
        path = jsonl(tmp_path / "x.jsonl", {"a": 1})
    load = load_pairs if name == "toolrm-train-data" else load_records
    with pytest.raises(DataError, match=r"expected (is|are)|no Parquet|cannot be read") as error:
        next(load(name, path, Skipped()))
    assert str(tmp_path) in str(error.value)


def _with_tool(parameters: Any, arguments: Any) -> dict[str, Any]:
    function = {"name": "book", "arguments": json.dumps(arguments)}
    return {
        "messages": [
            {"role": "user", "content": "For Ann, who is 3, from Oslo."},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "1", "type": "function", "function": function}],
            },
        ],
        "tools": [
            {
                "type": "function",
                "function": {"name": "book", "description": "", "parameters": parameters},
            }
        ],
    }


def test_objects_among_the_arguments_are_taken_apart_and_put_together(tmp_path: Path) -> None:
    person = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer", "default": 3}},
        "required": ["name"],
    }
    stops = {
        "type": "array",
        "items": {"type": "object", "properties": {"city": {"type": "string"}}},
    }
    schema = {"type": "object", "properties": {"who": person, "stops": stops}, "required": ["who"]}
    given = {"who": {"name": "Ann", "age": 3}, "stops": [{"city": "Oslo"}]}
    records, skipped = read("messages", jsonl(tmp_path / "a.jsonl", _with_tool(schema, given)))
    assert not skipped
    (found,) = records
    assert found.gold == (Call("book", given),)

    def is_right(**changes: Any) -> bool:
        return check((Call("book", {**given, **changes}),), found.answer, found.prompt.tools).ok

    assert is_right(who={"name": "Ann"})  # 3 is the default
    assert not is_right(who={"name": "Ann", "age": 4})
    assert not is_right(stops=[{"city": "Bergen"}])


@pytest.mark.parametrize(
    "parameters",
    [
        {"type": "object", "properties": {"a": True}},
        {"type": "object", "properties": {"a": "integer"}},
        {"type": "object", "properties": {"a": {"type": "string", "enum": "abc"}}},
        {"type": "object", "properties": {"a": {"type": "array", "items": True}}},
        {"type": "object", "properties": {"a": {"type": "string"}}, "required": True},
        {"type": "object", "properties": {"a": {"type": "string"}}, "required": [5]},
    ],
    ids=str,
)
def test_a_schema_that_nothing_can_be_checked_against_leaves_its_record_out(
    parameters: Any, tmp_path: Path
) -> None:
    good = _with_tool({"type": "object", "properties": {"a": {"type": "string"}}}, {"a": "Oslo"})
    bad = _with_tool(parameters, {"a": "Oslo"})
    records, skipped = read("messages", jsonl(tmp_path / "a.jsonl", bad, good))
    assert len(records) == 1
    assert skipped == {"a tool description that cannot be read": 1}
