"""Anybody's pairs, in both schemas and every container, text or already parsed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import WEATHER, record

from fcrewardbench.benchmarks import official
from fcrewardbench.benchmarks.files import load_file
from fcrewardbench.benchmarks.records import error_type_of, item_of
from fcrewardbench.benchmarks.registry import load_benchmark
from fcrewardbench.errors import DataError
from fcrewardbench.types import Call, ErrorType, Pair


def pair_of(raw: dict[str, Any], id: str) -> Pair:
    item = item_of(raw, id)
    assert isinstance(item, Pair)
    return item


OSLO, BERGEN = ((Call("get_weather", {"city": city}),) for city in ("Oslo", "Bergen"))
USER = {"role": "user", "content": "Weather in Oslo please."}


def called(city: str) -> dict[str, Any]:
    function = {"name": "get_weather", "arguments": json.dumps({"city": city})}
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"type": "function", "function": function}],
    }


def test_official_fields_as_text_and_as_values_give_the_same_pair() -> None:
    as_text = record("a", conversation=json.dumps(record("a")["conversation"]))
    as_values = {k: _parsed(v) for k, v in as_text.items()}
    first, second = pair_of(as_text, "1"), pair_of(as_values, "1")
    assert first == second
    assert (first.chosen, first.rejected) == (OSLO, BERGEN)
    assert (first.error_type, first.category, first.generator) == (
        ErrorType.VALUE,
        "simple",
        "somebody/model",
    )


def _parsed(value: Any) -> Any:
    try:
        return json.loads(value)
    except (TypeError, ValueError):
        return value


def test_an_empty_list_is_no_call_and_unparsable_text_stays_text() -> None:
    assert pair_of(record("a", rejected_output="[]"), "1").rejected == ()
    assert pair_of(record("a", rejected_output=[]), "1").rejected == ()
    broken = "[get_weather(city='Oslo'"
    assert pair_of(record("a", rejected_output=broken), "1").rejected == broken


def test_numbers_and_truth_values_of_another_type_are_another_candidate() -> None:
    for chosen, rejected in ((5, 5.0), (1, True), (0, False)):
        fields = {
            "chosen_output": [{"f": {"a": chosen}}],
            "rejected_output": [{"f": {"a": rejected}}],
        }
        assert pair_of(record("a", **fields), "1").error_type == ErrorType.VALUE


def test_text_that_only_our_parser_reads_stays_text_where_it_is_called_unparsable() -> None:
    text = "[get_weather(city='Oslo')"
    assert (
        pair_of(
            record("a", rejected_output=text, error_type="ast_decoder:decoder_failed"), "1"
        ).rejected
        == text
    )
    assert pair_of(record("a", rejected_output=text), "1").rejected == text


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("parameter value error", ErrorType.VALUE),
        ("Parameter_Value_Error", ErrorType.VALUE),
        ("incorrect function name", ErrorType.NAME),
        ("value_error:string", ErrorType.VALUE),
        ("value_error:list/tuple", ErrorType.VALUE),
        ("type_error:nested", ErrorType.TYPE),
        ("simple_function_checker:wrong_func_name", ErrorType.NAME),
        ("simple_function_checker:missing_required", ErrorType.MISSING_REQUIRED),
        ("simple_function_checker:missing_optional", ErrorType.MISSING_OPTIONAL),
        ("simple_function_checker:unexpected_param", ErrorType.UNEXPECTED),
        ("multiple_function_checker:wrong_count", ErrorType.COUNT),
        ("parallel_function_checker_no_order:wrong_count", ErrorType.COUNT),
        ("ast_decoder:decoder_failed", ErrorType.PARSING),
        ("irrelevance_error:decoder_success", ErrorType.SHOULD_NOT_CALL),
    ],
)
def test_error_labels_are_mapped(label: str, name: ErrorType) -> None:
    assert error_type_of(label) == name


def test_an_unknown_label_is_a_type_of_its_own() -> None:
    label = "parallel_function_checker_no_order:cannot_find_match"
    assert error_type_of(label) == label
    assert error_type_of("Something New") == "Something New"


PREFERENCES = {
    "message lists that share their beginning": {"chosen": [USER, called("Oslo")], "rejected": [USER, called("Bergen")]},
    "answers alone, with messages": {"messages": [USER], "chosen": [called("Oslo")], "rejected": [called("Bergen")]},
    "prompt and both": {"prompt": [USER], "chosen": [USER, called("Oslo")], "rejected": [USER, called("Bergen")]},
    "text prompt, calls as text": {"prompt": USER["content"], "chosen": 'get_weather(city="Oslo")', "rejected": 'get_weather(city="Bergen")'},
    "everything as JSON text": {"chosen": json.dumps([USER, called("Oslo")]), "rejected": json.dumps([USER, called("Bergen")])},
    "calls as lists": {"messages": [USER], "chosen": [{"get_weather": {"city": "Oslo"}}], "rejected": [{"get_weather": {"city": "Bergen"}}]},
    "calls in the content": {
        "chosen": [USER, {"role": "assistant", "content": '<tool_call>{"name": "get_weather", "arguments": {"city": "Oslo"}}</tool_call>'}],
        "rejected": [USER, {"role": "assistant", "content": "get_weather(city='Bergen')"}],
    },
}  # fmt: skip


@pytest.mark.parametrize("fields", PREFERENCES.values(), ids=PREFERENCES)
@pytest.mark.parametrize("schema", ["parameters", "arguments", "input_schema"])
def test_preference_formats(fields: dict[str, Any], schema: str) -> None:
    tool = {"name": "get_weather", schema: WEATHER["parameters"]}
    pair = pair_of({"tools": [tool], **fields}, "7")
    assert (pair.id, pair.chosen, pair.rejected) == ("7", OSLO, BERGEN)
    assert [dict(m) for m in pair.prompt.messages] == [USER]
    assert pair.prompt.tools[0].parameters["required"] == ["city"]


def test_a_refusal_in_words_is_text() -> None:
    words = {"role": "assistant", "content": "Which city?"}
    pair = pair_of(
        {"tools": [WEATHER], "chosen": [USER, words], "rejected": [USER, called("Oslo")]}, "1"
    )
    assert (pair.chosen, pair.rejected) == ("Which city?", OSLO)


def test_answers_as_one_message_as_parts_and_with_an_example_in_them() -> None:
    parts = {
        "role": "assistant",
        "content": [{"type": "text", "text": "Which "}, {"type": "text", "text": "city?"}],
    }
    example = {
        "role": "assistant",
        "content": "Write it so:\n```python\nget_weather(city='Oslo')\n```",
    }
    asked = {"tools": [WEATHER], "messages": [{**USER, "name": None}]}
    pair = pair_of({**asked, "chosen": called("Oslo"), "rejected": parts}, "1")
    assert (pair.chosen, pair.rejected) == (OSLO, "Which city?")
    pair = pair_of({**asked, "chosen": [USER, called("Oslo")], "rejected": [USER, example]}, "1")
    assert pair.rejected == example["content"]
    assert [dict(message) for message in pair.prompt.messages] == [USER]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"chosen": [USER, called("Oslo")], "rejected": [USER, USER]}, "is not the assistant's"),
        ({"chosen": [USER, called("Oslo")], "rejected": [{**USER, "content": "Other"}, called("Bergen")]}, "more than their last message"),
        ({"chosen": [USER, called("Oslo"), USER, called("Rome")], "rejected": [USER, called("Bergen")]}, "more than their last message"),
        ({"chosen": [called("Oslo")], "rejected": [called("Bergen")]}, "no conversation before"),
        ({"chosen": "a()", "rejected": "b()"}, "there is no conversation"),
        ({"messages": [USER], "chosen": "a()"}, "the field 'rejected' is missing"),
    ],
)  # fmt: skip
def test_preferences_that_are_no_pair(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        pair_of({"tools": [WEATHER], **fields}, "1")


def pairs_of(path: Path) -> tuple[Pair, ...]:
    return load_file(path).pairs


def test_parquet_arrow_and_jsonl_give_the_same_benchmark(
    tmp_path: Path, pairs_file: Callable[..., Path]
) -> None:
    records = [record("a"), record("b", error_type="type_error:simple")]
    table = pa.Table.from_pylist(records)
    pq.write_table(table, tmp_path / "pairs.parquet")
    with pa.ipc.new_stream(tmp_path / "pairs.arrow", table.schema) as stream:
        stream.write_table(table)
    with pa.ipc.new_file(tmp_path / "file.arrow", table.schema) as file:
        file.write_table(table)
    jsonl = load_file(pairs_file(*records))
    for name in ("pairs.parquet", "pairs.arrow", "file.arrow"):
        found = load_file(tmp_path / name)
        assert found.pairs == jsonl.pairs
        assert found.sha256 == jsonl.sha256


def test_nulls_that_columns_add_are_not_read_as_values(tmp_path: Path) -> None:
    other = {
        "name": "sum",
        "parameters": {"type": "object", "properties": {"x": {"type": "number"}}},
    }
    rows = [
        {"tools": [WEATHER], "chosen": [USER, called("Oslo")], "rejected": [USER, called("Bergen")]},
        {"tools": [other], "chosen": [USER, called("Oslo")], "rejected": [USER, {"role": "assistant", "content": "No."}]},
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "structs.parquet")
    first, second = pairs_of(tmp_path / "structs.parquet")
    assert set(first.prompt.tools[0].parameters["properties"]) == {"city", "unit"}
    assert set(second.prompt.tools[0].parameters["properties"]) == {"x"}
    assert second.rejected == "No."


def test_a_broken_parquet_file_is_a_data_error(tmp_path: Path) -> None:
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match=r"bad.parquet cannot be read as parquet"):
        load_file(tmp_path / "bad.parquet")


def test_the_hash_is_of_the_content_and_moves_with_it(pairs_file: Callable[..., Path]) -> None:
    first = load_file(pairs_file(record("a"), record("b"), name="one.jsonl"))
    assert load_file(pairs_file(record("a"), record("b"), name="two.jsonl")).sha256 == first.sha256
    changed = pairs_file(
        record("a"), record("b", rejected_output=[{"get_weather": {"city": "Rome"}}])
    )
    assert load_file(changed).sha256 != first.sha256


def test_the_official_file_in_its_exact_schema(tmp_path: Path) -> None:
    """A `save_to_disk` shard: an Arrow stream of eight columns, text but for the conversation."""
    types = {name: pa.string() for name in record("a")}
    types["conversation"] = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    rows = [
        record("simple_0"),
        record("live_multiple_1", error_type="incorrect function name", rejected_output="[]"),
        record("parallel_2", error_type="never seen before"),
    ]
    table = pa.Table.from_pylist(rows, schema=pa.schema(types))
    path = tmp_path / "data-00000-of-00001.arrow"
    with pa.ipc.new_stream(path, table.schema) as stream:
        stream.write_table(table)
    benchmark = official.read(path)
    assert (benchmark.name, benchmark.edition) == ("official", official.REVISION[:12])
    assert [pair.id for pair in benchmark.pairs] == ["simple_0", "live_multiple_1", "parallel_2"]
    assert [pair.error_type for pair in benchmark.pairs] == [
        ErrorType.VALUE,
        ErrorType.NAME,
        "never seen before",
    ]
    assert benchmark.pairs[1].rejected == ()


def test_the_official_set_offline_says_what_to_do() -> None:
    with pytest.raises(
        DataError, match=r"The hub cannot be reached .*: go online, or give a local"
    ):
        official.load()


def test_forced_places(pairs_file: Callable[..., Path]) -> None:
    path = pairs_file(record("a"))
    assert load_benchmark(f"path:{path}").pairs == load_benchmark(str(path)).pairs
    with pytest.raises(DataError, match="There is no file"):
        load_benchmark("path:open")
    with pytest.raises(DataError, match="hub"):
        load_benchmark("hub:some/data")
