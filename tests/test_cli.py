import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Fcrb, record

from fcrewardbench.benchmarks.files import LONGEST_LINE


def write(name: str, content: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content)
        return path

    return make


def lines(*records: dict[str, Any]) -> bytes:
    return "".join(json.dumps(r) + "\n" for r in records).encode()


def without(field: str) -> dict[str, Any]:
    return {key: value for key, value in record("b").items() if key != field}


SAME = record("b", rejected_output=record("b")["chosen_output"])
BAD_FILES = {
    "missing field": (lines(record("a"), without("tools")), "line 2: the field 'tools' is missing"),
    "broken JSON": (lines(record("a")) + b'{"tools": [', "line 2: not JSON"),
    "JSON array": (b"[\n" + lines(record("a")) + b"]", "write one object a line"),
    "not an object": (b"3\n", "line 1: a line holds one object, not int"),
    "duplicate id": (lines(record("a"), record("b"), record("a")), "line 3: the id 'a' stands twice"),
    "chosen equal to rejected": (lines(SAME), "line 1: chosen and rejected are the same"),
    "empty file": (b"", "is empty"),
    "blank lines only": (b"\n\n", "holds no pairs"),
    "50 MB line": (b'{"tools": "' + b"x" * 50_000_000 + b'"}\n', "line 1: the line is longer than"),
    "wrong encoding": ("{'tools': 'Zürich'}\n".encode("latin-1"), "line 1: not UTF-8"),
    "5 and 5.0 are two, 5 and 5 are one": (lines(record("a", chosen_output=[{"f": {"a": 5}}], rejected_output=[{"f": {"a": 5.0}}]), record("b", chosen_output=[{"f": {"a": 5}}], rejected_output=[{"f": {"a": 5}}])), "line 2: chosen and rejected are the same"),
    "properties null": (lines(record("a", tools=[{"name": "f", "parameters": {"type": "object", "properties": None}}])), "'properties' is not an object"),
    "a schema elsewhere": (lines(record("a", tools=[{"name": "f", "parameters": {"$ref": "http://127.0.0.1:9/s.json"}}])), "only #… is followed"),
    "nested without end": (lines(record("a", tools="[" * 100_000)), "line 1: 'tools' is text that is not JSON"),
    "a turn without content": (lines(record("a", conversation=[{"role": "user"}])), "neither content nor calls"),
    "content that is no text": (lines(record("a", conversation=[{"role": "user", "content": 5}])), "content that is no text"),
    "half of a surrogate pair": (lines(record("a", test_id="\ud800")), "surrogate pair"),
    "tools not JSON": (lines(record("a", tools="[{")), "line 1: 'tools' is text that is not JSON"),
    "tool without a name": (lines(record("a", tools=[{"description": "x"}])), "line 1: A tool has no name"),
    "no messages": (lines(record("a", conversation=[])), "line 1: 'conversation' is no list of messages"),
    "chosen is a number": (lines(record("a", chosen_output=3)), "line 1: 'chosen_output' is neither calls"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), BAD_FILES.values(), ids=BAD_FILES)
@pytest.mark.parametrize("command", ["evaluate", "check"])
def test_a_bad_file_gives_one_sentence_and_exit_code_2(
    fcrb: Fcrb, tmp_path: Path, command: str, content: bytes, message: str
) -> None:
    path = write("bad.jsonl", content)(tmp_path)
    given = ("--model", "baseline/longer", "--benchmark") if command == "evaluate" else ()
    code, out, err = fcrb(command, *given, path)
    assert (code, out) == (2, "")
    assert message in err
    assert str(path) in err
    assert "Traceback" not in err
    if command == "evaluate":
        assert err.count("\n") == 1
        assert not (tmp_path / "runs" / "bad.jsonl" / "baseline__longer" / "card.json").exists()


def test_check_names_every_problem_with_its_line(fcrb: Fcrb, tmp_path: Path) -> None:
    content = lines(record("a"), without("tools")) + b"{\n" + lines(record("a"), record("c"))
    code, _, err = fcrb("check", write("bad.jsonl", content)(tmp_path))
    assert code == 2
    for place in ("line 2:", "line 3:", "line 4:", "has 3 problems; 2 pairs are fine"):
        assert place in err


def test_a_line_too_long_does_not_hide_what_follows(fcrb: Fcrb, tmp_path: Path) -> None:
    content = b"x" * (LONGEST_LINE + 5) + b"\n" + lines(record("a"), without("tools"))
    _, _, err = fcrb("check", write("bad.jsonl", content)(tmp_path))
    assert "line 1: the line is longer" in err
    assert "line 3: the field 'tools'" in err
    assert "2 problems; 1 pairs" in err


def test_a_good_file_with_a_byte_order_mark_passes(fcrb: Fcrb, tmp_path: Path) -> None:
    path = write("good.jsonl", b"\xef\xbb\xbf" + lines(record("a"), record("b")))(tmp_path)
    code, out, _ = fcrb("check", path)
    assert code == 0
    assert "2 pairs, no problems" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "baseline/longr"], "Did you mean 'baseline/longer'?"),
        (["--model", "smollm2-135m"], "Did you mean 'smollm2-135m-q4'?"),
        (["--model", "nothing-like-it-anywhere"], "There is no model"),
        (["--model", "path:./nowhere"], "There is no folder"),
        (["--model", "somebody/some-model"], "The hub cannot be reached for somebody/some-model"),
        (["--model", "baseline/longer", "--benchmark", "opem"], "Did you mean 'open'?"),
        (["--model", "baseline/longer", "--benchmark", "open/nothing"], "There is no subset"),
        (["--model", "baseline/longer", "--benchmark", "open@99"], "There is no edition"),
        (["--model", "baseline/longer", "--benchmark", "official"], "The hub cannot be reached"),
        (
            ["--model", "baseline/longer", "--benchmark", "some/data"],
            "The hub cannot be reached for the data set some/data",
        ),
        (["--model", "baseline/longer", "--benchmark", "./no.jsonl"], "There is no benchmark"),
        (["--model", "baseline/longer", "--adapter", "classifer"], "Did you mean 'classifier'?"),
        (["--model", "baseline/longer", "--dtype", "float32"], "has no option 'dtype'"),
        (
            ["--model", "baseline/longer", "--benchmark", "some/data-v1.5"],
            "The hub cannot be reached",
        ),
        (["--model", "baseline/longer", "--option", "x"], "--option wants NAME=VALUE"),
        (
            ["--model", "baseline/longer", "--option", "args=1"],
            "has no option 'args'; it takes no options",
        ),
        (
            ["--model", "baseline/random", "--option", "seed=x"],
            "The option 'seed' of 'baseline/random' cannot be 'x'",
        ),
        (
            ["--model", "some/thing", "--adapter", "baseline/longer"],
            "takes no model, so 'some/thing'",
        ),
        (
            ["--model", "x", "--base-url", "http://me:pass@localhost/v1"],
            "The base URL holds a user, password",
        ),
        (
            ["--model", "x", "--base-url", "http://localhost/v1?key=1"],
            "The base URL holds a user, password",
        ),
        (
            ["--model", "x", "--base-url", "http://127.0.0.1:9/v1", "--option", "concurrency=abc"],
            "cannot be 'abc'",
        ),
        (["--model", "baseline/longer", "--limit", "0"], "Invalid value for '--limit'"),
        (["--model", "baseline/longer", "--config", "nowhere.json"], "nowhere.json cannot be read"),
        ([], "Which model?"),
    ],
)
def test_bad_names_and_options(fcrb: Fcrb, arguments: list[str], message: str) -> None:
    code, out, err = fcrb("evaluate", *arguments)
    assert (code, out) == (2, "")
    assert message in " ".join(err.split())
    assert "Traceback" not in err


def test_json_is_one_object_and_the_card(fcrb: Fcrb, tmp_path: Path) -> None:
    arguments = ("--model", "baseline/longer", "--limit", 200, "--out", tmp_path / "run", "--json")
    code, out, _ = fcrb("evaluate", *arguments)
    assert code == 0
    card = json.loads(out)
    assert card == json.loads((tmp_path / "run" / "card.json").read_text("utf-8"))
    assert {"name", "edition", "sha256", "pairs"} <= set(card["benchmark"])
    assert {"name", "adapter", "revision", "dtype"} <= set(card["model"])
    metrics = card["metrics"]
    assert {"accuracy", "accuracy_ci", "ci_method", "strict_accuracy", "outcomes"} <= set(metrics)
    low, high = metrics["accuracy_ci"]
    assert low <= metrics["accuracy"] <= high
    assert sum(metrics["outcomes"].values()) == metrics["n"] == 200
    for part in ("by_error_type", "by_category"):
        assert sum(cell["n"] for cell in card[part].values()) == 200
        assert all({"n", "accuracy", "accuracy_ci"} <= set(cell) for cell in card[part].values())
    assert set(card["tokens"]) == {"naive", "computed"}
    assert card["seconds"] >= 0
    assert "fcrewardbench" in card["versions"]


def test_a_finished_run_is_shown_again_and_not_done_again(fcrb: Fcrb, tmp_path: Path) -> None:
    arguments = ("--model", "baseline/longer", "--limit", 50, "--out", tmp_path / "run", "--json")
    assert fcrb("evaluate", *arguments)[1] == fcrb("evaluate", *arguments)[1]


def test_the_table_says_that_it_is_a_sample(fcrb: Fcrb, tmp_path: Path) -> None:
    _, out, _ = fcrb(
        "evaluate", "--model", "baseline/longer", "--limit", 50, "--out", tmp_path / "run"
    )
    assert "a sample of 50 of 1,500 pairs, stratified by error type" in " ".join(out.split())


def test_show_marks_the_differences(fcrb: Fcrb, tmp_path: Path) -> None:
    path = write("good.jsonl", lines(record("a"), record("b")))(tmp_path)
    code, out, _ = fcrb("show", "b", "--benchmark", path)
    assert code == 0
    assert '≠     city = "Oslo"' in out
    assert '≠     city = "Bergen"' in out
    assert "  get_weather(" in out
    assert "Weather in Oslo please, question b." in out
    code, _, err = fcrb("show", "c", "--benchmark", path)
    assert code == 2
    assert "There is no pair 'c'" in err


def test_lists_name_what_can_be_named(fcrb: Fcrb) -> None:
    assert "smollm2-135m-q4" in fcrb("models")[1]
    benchmarks = fcrb("benchmarks")[1]
    for name in ("open/core", "official"):
        assert name in benchmarks


def test_compare_puts_the_best_first_and_refuses_different_data(fcrb: Fcrb, tmp_path: Path) -> None:
    path = write("good.jsonl", lines(record("a"), record("b")))(tmp_path)
    for name in ("baseline/schema", "baseline/overlap"):
        fcrb("evaluate", "--model", name, "--benchmark", path, "--out", tmp_path / name)
    runs = [tmp_path / "baseline" / name for name in ("schema", "overlap")]
    code, out, _ = fcrb("compare", *runs)
    assert code == 0
    assert out.index("baseline/overlap") < out.index("baseline/schema")
    fcrb("evaluate", "--model", "baseline/longer", "--limit", 9, "--out", tmp_path / "other")
    code, _, err = fcrb("compare", runs[0], tmp_path / "other")
    assert code == 2
    assert "on different data" in err
    assert fcrb("compare", tmp_path / "nowhere")[0] == 2
    (entry,) = (Path(__file__).parents[1] / "submissions").glob("open@2/baseline__schema")
    code, _, err = fcrb("compare", runs[0], entry)
    assert code == 2
    assert "is a submission, not a run" in err


def test_names_from_the_data_are_shown_as_they_are(fcrb: Fcrb, tmp_path: Path) -> None:
    kind = "bad [/foo] [red]type[/red] | x"
    path = write("pairs.jsonl", lines(record("a", error_type=kind)))(tmp_path)
    code, out, _ = fcrb(
        "evaluate", "--model", "baseline/longer", "--benchmark", path, "--out", "run"
    )
    assert code == 0
    assert kind in out
    report = (tmp_path / "run" / "report.md").read_text("utf-8")
    assert "| bad [/foo] [red]type[/red] / x |" in report


def test_a_schema_that_cannot_be_checked_against_is_named(fcrb: Fcrb, tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string", "pattern": "("}}}
    bad = record("a", tools=[{"name": "get_weather", "parameters": schema}])
    path = write("pairs.jsonl", lines(bad))(tmp_path)
    code, _, err = fcrb("evaluate", "--model", "baseline/schema", "--benchmark", path)
    assert code == 2
    assert "The schema of tool 'get_weather' is no JSON Schema" in err


def test_fresh_throws_nothing_away_before_the_model_is_there(fcrb: Fcrb, tmp_path: Path) -> None:
    arguments = ("--model", "baseline/longer", "--limit", 9, "--out", tmp_path / "run")
    fcrb("evaluate", *arguments)
    before = (tmp_path / "run" / "card.json").read_text("utf-8")
    unreachable = ("--model", "x", "--base-url", "http://127.0.0.1:9/v1", "--out", tmp_path / "run")
    code, _, err = fcrb("evaluate", *unreachable, "--fresh")
    assert code == 1
    assert "No answer from http://127.0.0.1:9/v1" in err
    assert (tmp_path / "run" / "card.json").read_text("utf-8") == before


def test_a_card_of_other_data_cannot_be_repeated(fcrb: Fcrb, tmp_path: Path) -> None:
    path = write("pairs.jsonl", lines(record("a"), record("b")))(tmp_path)
    fcrb("evaluate", "--model", "baseline/longer", "--benchmark", path, "--out", "first")
    path.write_bytes(lines(record("a"), record("c")))
    code, _, err = fcrb("evaluate", "--config", "first/card.json", "--out", "second")
    assert code == 2
    assert "The run to repeat was on other data" in err
