"""Submissions of real runs: packed, validated, and refused where they are hostile."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import fcrewardbench
from fcrewardbench import DataError, UsageError, Verdict
from fcrewardbench.render import candidate_text
from fcrewardbench.submissions import validate
from fcrewardbench.submissions.card import (
    MIGRATIONS,
    SubmissionCard,
    card_text,
    json_schema,
    parse_card,
)
from fcrewardbench.submissions.entries import REPRODUCED, Entry, names_beside, read_entry
from fcrewardbench.submissions.neighbours import code, markdown, neighbours
from fcrewardbench.submissions.pack import CARD, ROWS, known_facts, pack
from fcrewardbench.submissions.rivals import fingerprints, rival_of
from fcrewardbench.submissions.rows import SubmittedRow, read_rows, write_rows
from fcrewardbench.submissions.validate import check_against, check_entry, look_alike
from fcrewardbench.submissions.verify import FLIPS, Verification, verify, write_badge

FACTS = {
    "name": "longer",
    "organisation": "baseline",
    "kind": "baseline",
    "parameters": None,
    "base_model": None,
    "licence": "Apache-2.0",
    "training_data": "none",
    "overlap": "none",
    "contact": "somebody",
    "hardware": "a CPU",
    "date": "2026-11-24",
}
MINE = {**FACTS, "kind": "classifier", "organisation": "maker", "name": "mine", "contact": "me"}
SUBSETS = ("core", "abstain", "candidates", "minimal")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """Two baselines on every subset of open."""
    root = tmp_path_factory.mktemp("runs")
    for name in ("longer", "random"):
        for subset in SUBSETS:
            fcrewardbench.evaluate(f"baseline/{name}", f"open/{subset}", out=root / name / subset)
    return {name: [root / name / subset for subset in SUBSETS] for name in ("longer", "random")}


@pytest.fixture(scope="module")
def packed(runs: dict[str, list[Path]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all submissions, with two entries."""
    root = tmp_path_factory.mktemp("packed") / "submissions"
    for name, own in runs.items():
        pack(own, {**FACTS, "name": name}, root)
    return root


@pytest.fixture
def root(packed: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return shutil.copytree(packed, tmp_path / "submissions")


@pytest.fixture
def entry(root: Path) -> Path:
    return root / "open@2" / "baseline__longer"


def test_a_packed_run_is_valid_and_has_the_runs_numbers(
    entry: Path, runs: dict[str, list[Path]]
) -> None:
    checked = check_entry(entry)
    assert checked.problems == []
    assert checked.entry is not None
    for subset, run in zip(SUBSETS, runs["longer"], strict=True):
        card = json.loads((run / "card.json").read_text())
        stated = checked.entry.card.results[subset].metrics.model_dump(mode="json")
        for name, value in card["metrics"].items():
            assert stated[name] == pytest.approx(value), name


def test_nothing_of_the_machine_is_in_a_card(runs: dict[str, list[Path]], tmp_path: Path) -> None:
    run = shutil.copytree(runs["longer"][0], tmp_path / "run")
    prompt = tmp_path / "mine.jinja"
    prompt.touch()
    card = json.loads((run / "card.json").read_text())
    options = {"prompt": str(prompt), "reference": "path:/home/me/sft", "store": str(tmp_path)}
    card["config"]["options"] = {**options, "reduction": "mean", "max_tokens": 5}
    (run / "card.json").write_text(json.dumps(card))
    entry = pack([run], FACTS, tmp_path / "submissions")
    stated = json.loads((entry / "card.json").read_text())["results"]["core"]["options"]
    kept = {"reduction": "mean", "max_tokens": 5}
    assert stated == {"prompt": "mine.jinja", "reference": "sft", **kept}


def test_a_card_knows_what_it_can() -> None:
    card = {
        "model": {
            "name": "toolrm/smollm2-135m",
            "adapter": "classifier",
            "kind": "scorer",
            "licence": "Apache-2.0",
        },
        "hardware": {"cpus": 2, "cpu": "AMD EPYC"},
        "finished": "2026-11-24T10:00:00+00:00",
    }
    assert known_facts(card) == {
        "name": "smollm2-135m",
        "organisation": "toolrm",
        "kind": "classifier",
        "licence": "Apache-2.0",
        "hardware": "2 CPU cores, AMD EPYC",
        "date": "2026-11-24",
    }


def test_samples_and_mixed_runs_are_no_submission(
    runs: dict[str, list[Path]], tmp_path: Path
) -> None:
    fcrewardbench.evaluate("baseline/longer", "open", limit=20, out=tmp_path / "sample")
    with pytest.raises(UsageError, match="a sample of 20 rows"):
        pack([tmp_path / "sample"], FACTS, tmp_path)
    with pytest.raises(UsageError, match="not of one model: name is"):
        pack([runs["longer"][0], runs["random"][1]], FACTS, tmp_path)
    with pytest.raises(UsageError, match="a second run"):
        pack([runs["longer"][0], runs["longer"][0]], FACTS, tmp_path)
    fcrewardbench.evaluate("baseline/longer", "open@1", out=tmp_path / "first")
    with pytest.raises(UsageError, match="open@1 takes no submissions"):
        pack([tmp_path / "first"], FACTS, tmp_path)


def test_an_entry_is_not_written_over_by_accident(
    runs: dict[str, list[Path]], root: Path, entry: Path
) -> None:
    before = (entry / CARD).read_bytes()
    with pytest.raises(UsageError, match="--replace"):
        pack(runs["longer"], FACTS, root)
    assert (entry / CARD).read_bytes() == before
    (entry / REPRODUCED).write_text("{}")
    pack(runs["longer"][:1], FACTS, root, replace=True)
    assert sorted(path.name for path in entry.iterdir()) == [CARD, ROWS]


def test_the_schema_in_the_repository_is_the_programs() -> None:
    path = Path(__file__).parents[1] / "submissions" / "schema.json"
    assert json.loads(path.read_text()) == json_schema()


def test_an_older_card_is_lifted_and_a_newer_one_refused(
    entry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (entry / CARD).read_text()
    old = json.loads(text) | {"schema_version": 0}
    old["model"]["maker"] = old["model"].pop("organisation")

    def lift(data: dict[str, Any]) -> dict[str, Any]:
        model = {**data["model"]}
        model["organisation"] = model.pop("maker")
        return {**data, "schema_version": 1, "model": model}

    monkeypatch.setitem(MIGRATIONS, 0, lift)
    assert parse_card(json.dumps(old), CARD) == parse_card(text, CARD)
    with pytest.raises(fcrewardbench.DataError, match="newer fcrewardbench"):
        parse_card(json.dumps(old | {"schema_version": 2}), CARD)


Change = Callable[[dict[str, Any]], object]


def _in(*path: str, value: object) -> Change:
    def change(card: dict[str, Any]) -> None:
        inner = card
        for name in path[:-1]:
            inner = inner[name]
        inner[path[-1]] = value

    return change


CARD_FAULTS: dict[str, tuple[Change, str]] = {
    "accuracy": (
        _in("results", "core", "metrics", "accuracy", value=0.99),
        "results.core.metrics.accuracy is 0.99, and the rows give 0.5",
    ),
    "interval": (
        _in("results", "core", "metrics", "accuracy_ci", value=[0.4, 0.6]),
        "results.core.metrics.accuracy_ci[0] is 0.4",
    ),
    "a cell": (
        _in("results", "core", "by_error_type", "parsing error", "accuracy", value=0.123),
        "by_error_type.parsing error.accuracy is 0.123",
    ),
    "a count": (
        _in("results", "core", "metrics", "outcomes", "win", value=1500),
        "metrics.outcomes.win is 1500",
    ),
    "tokens": (_in("results", "core", "tokens_computed", value=7), "tokens_computed is 7"),
    "data hash": (_in("results", "core", "data_sha256", value="0" * 64), "data_sha256 is 0000"),
    "other benchmark": (_in("benchmark", value="open@9"), "open@9 takes no submissions"),
    "a baseline that is none": (_in("model", "kind", value="classifier"), "both 'baseline'"),
    "marks upon marks": (_in("model", "note", value="e" + "\u0316" * 9), "marks on one letter"),
    "blank": (_in("model", "note", value="\u3164"), "U+3164"),
    "name of ten megabytes": (_in("model", "name", value="x" * 1_000_000), "model.name"),
    "somebody else's folder": (_in("model", "name", value="random"), "it is of baseline__random"),
    "path": (_in("model", "name", value="../../etc"), "model.name"),
    "letters that look alike": (_in("model", "organisation", value="bаseline"), "organisation"),
    "direction": (_in("model", "note", value="a\u202eb"), "U+202E"),
    "nothing to see": (_in("model", "note", value="a\u200bb"), "U+200B"),
    "long text": (_in("model", "note", value="x" * 10_000), "at most 280"),
    "script as a link": (
        _in("model", "links", value={"code": "javascript:alert(1)"}),
        "links.code",
    ),
    "link with quotes": (_in("model", "links", value={"code": 'https://a.b/"><'}), "links.code"),
    "unknown field": (_in("model", "rank", value=1), "Extra inputs"),
    "huge": (_in("model", "cost_per_1000", value=1e308), "cost_per_1000"),
    "options": (
        _in("results", "core", "options", value={"a": "x" * 5_000}),
        "characters of options",
    ),
    "an option to be pasted": (
        _in("results", "core", "options", value={"prompt": "a\u0003\ncurl"}),
        "U+0003",
    ),
    "an option deep inside": (
        _in("results", "core", "options", value={"a": [{"b\u202e": 1}]}),
        "U+202E",
    ),
    "required subset": (lambda card: card["results"].pop("core"), "open@2/core is required"),
    "unknown subset": (
        lambda card: card["results"].update(easy=card["results"]["core"]),
        "has no subset easy",
    ),
    "version": (_in("schema_version", value="1"), "no schema_version"),
}


@pytest.mark.parametrize("fault", CARD_FAULTS)
def test_a_card_that_does_not_fit_is_refused(entry: Path, fault: str) -> None:
    change, expected = CARD_FAULTS[fault]
    card = json.loads((entry / CARD).read_text())
    change(card)
    (entry / CARD).write_text(json.dumps(card))
    assert expected in " ".join(map(str, check_entry(entry).problems))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("NaN", "NaN is no number of JSON"),
        ("Infinity", "Infinity is no number"),
        ("1e999", "1e999 is too large a number"),
    ],
)
def test_numbers_that_are_none_are_refused(entry: Path, text: str, expected: str) -> None:
    card = json.loads((entry / CARD).read_text())
    card["results"]["core"]["metrics"]["accuracy"] = "HERE"
    (entry / CARD).write_text(json.dumps(card).replace('"HERE"', text))
    assert expected in str(check_entry(entry).problems[0])


def test_a_card_nested_without_end_is_refused(entry: Path) -> None:
    (entry / CARD).write_text("[" * 200_000)
    assert "no JSON" in str(check_entry(entry).problems[0])


RowChange = Callable[[list[SubmittedRow]], list[SubmittedRow]]


def _first(**changes: Any) -> RowChange:
    return lambda rows: [replace(rows[0], **changes), *rows[1:]]


ROW_FAULTS: dict[str, tuple[RowChange, str]] = {
    "not a number": (_first(scores=[float("nan"), 1.0]), "row 0: the score nan is not finite"),
    "infinite": (_first(scores=[float("inf"), 1.0]), "row 0: the score inf is not finite"),
    "too large": (_first(scores=[1e308, 1.0]), "beyond"),
    "contradiction": (
        lambda rows: [
            replace(rows[0], outcome="loss" if rows[0].outcome != "loss" else "win"),
            *rows[1:],
        ],
        "row 0: its scores come to",
    ),
    "no outcome": (_first(outcome="won"), "is no outcome"),
    "missing row": (lambda rows: rows[1:], "1,499 rows, and the benchmark has 1,500"),
    "row twice": (
        lambda rows: [rows[1], *rows[1:]],
        "row 1: open@2/core: the id 'open-2/core/0002' stands more than once",
    ),
    "other label": (_first(error_type="parsing error!"), "row 0: open@2/core: ids, labels or"),
    "other order": (
        lambda rows: [*rows[:1600], rows[1601], rows[1600], *rows[1602:]],
        "row 1600: open@2/abstain: ids, labels or their order are not the benchmark's, first where",
    ),
    "no scores": (_first(scores=None), "has no scores and the outcome"),
    "too few scores": (_first(scores=[1.0]), "1 scores for 2 candidates"),
    "both": (_first(verdict="first", verdict_swapped="second"), "scores and verdicts"),
    "half a verdict": (_first(scores=None, verdict="first"), "are not two verdicts"),
    "other subset": (_first(subset="easy"), "is in one of"),
    "scores and verdicts": (
        lambda rows: [
            replace(rows[0], scores=None, verdict="tie", verdict_swapped="tie", outcome="tie"),
            *rows[1:],
        ],
        "some rows have scores and some verdicts",
    ),
    "negative tokens": (_first(tokens_naive=-1), "below zero"),
    "all right": (_first(correct=[True, True]), "one right and one wrong"),
    "long text": (_first(category="x" * 100_000), "a text of 100,000 characters"),
}


@pytest.mark.parametrize("fault", ROW_FAULTS)
def test_rows_that_do_not_fit_are_refused(entry: Path, fault: str) -> None:
    change, expected = ROW_FAULTS[fault]
    rows = read_entry(entry).rows
    write_rows(change(rows), entry / ROWS)
    assert expected in " ".join(map(str, check_entry(entry).problems))


def _bomb_of_text(path: Path) -> None:
    """One long text in every row: small in the file, 15 GB in memory."""
    table = pq.read_table(path)
    text = pa.DictionaryArray.from_arrays(
        pa.array([0] * len(table), pa.int32()), pa.array(["x" * 4_000_000])
    )
    changed = table.set_column(table.schema.get_field_index("category"), "category", text)
    pq.write_table(changed, path, compression="zstd")


def _bomb_of_values(path: Path) -> None:
    """A row with ten million scores."""
    table = pq.read_table(path)
    scores = pa.array(
        [[0.0] * 10_000_000, *table["scores"].to_pylist()[1:]], pa.list_(pa.float64())
    )
    changed = table.set_column(table.schema.get_field_index("scores"), "scores", scores)
    pq.write_table(changed, path, compression="zstd")


def _bomb_of_rows(path: Path) -> None:
    table = pq.read_table(path)
    pq.write_table(pa.concat_tables([table] * 40), path, compression="zstd")


def _bomb_of_groups(path: Path) -> None:
    """Each row in a group of its own, with a hundred thousand scores: each group by itself is small."""
    table = pq.read_table(path).slice(0, 300)
    scores = pa.array([[0.0] * 100_000] * len(table), pa.list_(pa.float64()))
    changed = table.set_column(table.schema.get_field_index("scores"), "scores", scores)
    pq.write_table(changed, path, compression="zstd", row_group_size=1)


def _no_utf8(path: Path) -> None:
    table = pq.read_table(path)
    place = table.schema.get_field_index("category")
    broken = pa.array([b"\xff\xfe"] * len(table), pa.binary()).view(pa.string())
    pq.write_table(table.set_column(place, "category", broken), path)


def _long_list(path: Path) -> None:
    table = pq.read_table(path)
    scores = [[0.0] * 101, *table["scores"].to_pylist()[1:]]
    place = table.schema.get_field_index("scores")
    pq.write_table(table.set_column(place, "scores", pa.array(scores)), path)


def _other_columns(path: Path) -> None:
    pq.write_table(pa.table({"id": ["a"]}), path)


def _other_type(path: Path) -> None:
    table = pq.read_table(path)
    place = table.schema.get_field_index("outcome")
    pq.write_table(table.set_column(place, "outcome", pa.array(range(len(table)))), path)


def _no_value(path: Path) -> None:
    table = pq.read_table(path)
    place = table.schema.get_field_index("outcome")
    values = [None, *table["outcome"].to_pylist()[1:]]
    pq.write_table(table.set_column(place, "outcome", pa.array(values)), path)


def _torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _pickle(path: Path) -> None:
    path.write_bytes(b"\x80\x04cos\nsystem\n")


def _large(path: Path) -> None:
    path.write_bytes(b"x" * (9 * 2**20))


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (_bomb_of_text, "a text of 4,000,000 characters"),
        (_bomb_of_values, "more than 2,000,000 values"),
        (_bomb_of_rows, "50,000 are the limit"),
        (_bomb_of_groups, "more than 2,000,000 values"),
        (_no_utf8, "no Parquet file that can be read"),
        (_long_list, "a list of 101 in the column scores"),
        (_other_columns, "has the columns id and not"),
        (_other_type, "the column outcome is int64"),
        (_no_value, "row 0: outcome has no value"),
        (_torn, "no Parquet file"),
        (_pickle, "no Parquet file"),
        (_large, "are the limit"),
    ],
)
def test_a_hostile_table_is_refused(
    entry: Path, spoil: Callable[[Path], None], expected: str
) -> None:
    spoil(entry / ROWS)
    started = time.monotonic()
    assert expected in str(check_entry(entry).problems[0])
    assert time.monotonic() - started < 20


def test_a_table_with_a_wrong_byte_is_read_or_refused(entry: Path, tmp_path: Path) -> None:
    """Arrow reads some of them, with places in its dictionaries that are not there.

    The bytes behind the rows are left alone: of some wrong ones Arrow ends the process.
    """
    path = tmp_path / ROWS
    table = pq.read_table(entry / ROWS).slice(0, 12)
    pq.write_table(table, path, compression="none")
    whole = path.read_bytes()
    outcomes = set()
    end = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    for place in range(0, end, 2):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x5A]) + whole[place + 1 :])
        try:
            rows = read_rows(path, ROWS)
            outcomes.add("read")
            assert len(rows) <= 12
        except DataError as why:
            outcomes.add("out of bounds" if "out of bounds" in str(why) else "refused")
    assert outcomes == {"read", "refused", "out of bounds"}


@pytest.mark.parametrize("groups", [1, 3])
def test_absent_values_are_told_with_their_row(entry: Path, tmp_path: Path, groups: int) -> None:
    path = tmp_path / ROWS
    table = pq.read_table(entry / ROWS).slice(0, 9)
    pq.write_table(table, path, row_group_size=9 // groups)
    assert [asdict(row) for row in read_rows(path, ROWS)] == table.to_pylist()
    for column, value, message in (
        ("correct", None, "row 7: correct has no value"),
        ("correct", [True, None], "row 7: a list has no value"),
        ("scores", [None, 1.0], "row 7: a list has no value"),
        ("catalogue", None, "row 7: catalogue has no value"),
        ("scores", None, ""),
    ):
        records = table.to_pylist()
        records[7][column] = value
        changed = pa.Table.from_pylist(records, schema=table.schema)
        pq.write_table(changed, path, row_group_size=9 // groups)
        if message:
            with pytest.raises(DataError, match=message):
                read_rows(path, ROWS)
        else:
            assert [asdict(row) for row in read_rows(path, ROWS)] == records
    pq.write_table(table.slice(0, 0), path)
    assert read_rows(path, ROWS) == []


def test_a_check_imports_neither_pandas_nor_torch(entry: Path) -> None:
    """Importing pandas alone takes a good part of the time that a check has."""
    code = "import sys; from pathlib import Path; from fcrewardbench.submissions.validate import check_entry\n"
    code += (
        "assert check_entry(Path(sys.argv[1])).ok; print({'pandas', 'torch'} & sys.modules.keys())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(entry)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"


def test_links_and_strangers_in_a_folder_are_refused(entry: Path, tmp_path: Path) -> None:
    (entry / "run.py").write_text("")
    (entry / "a\u202eb").write_text("")
    text = " ".join(map(str, check_entry(entry).problems))
    assert "'run.py' does not belong" in text
    assert "a\\u202eb" in text
    (entry / "run.py").unlink()
    (entry / "a\u202eb").unlink()
    secret = tmp_path / "secret"
    secret.write_text("{}")
    (entry / CARD).unlink()
    (entry / CARD).symlink_to(secret)
    assert "card.json is no file of its own" in str(check_entry(entry).problems[0])
    linked = entry.parent / "some__link"
    linked.symlink_to(entry)
    assert "no folder of its own" in str(check_entry(linked).problems[0])


def test_a_card_of_ten_megabytes_is_not_read(entry: Path) -> None:
    (entry / CARD).write_text('{"a": "' + "x" * 10_000_000 + '"}')
    assert "more than 1,048,576 bytes" in str(check_entry(entry).problems[0])


def test_names_that_look_alike_and_scores_that_are_anothers_are_met(
    root: Path, entry: Path
) -> None:
    assert look_alike("Acme__Tool-RM1") == look_alike("acme__tool.rml")
    other = read_entry(entry.parent / "baseline__random")
    checked = check_entry(entry)
    check_against(checked, [rival_of(other)], names_beside(entry))
    assert (checked.problems, checked.flags) == ([], [])
    assert checked.entry is not None
    rivals = [replace(rival_of(checked.entry), id="baseline__1onger")]
    check_against(checked, rivals, {"baseline__1onger", "base1ine__other"})
    assert [problem.message for problem in checked.problems] == [
        "its organisation looks like that of the entry base1ine__other",
        "its name looks like that of the entry baseline__1onger",
    ]
    assert "core: every score is that of baseline__1onger" in checked.flags


def test_a_copied_judge_is_met(entry: Path) -> None:
    read = read_entry(entry)
    judge = replace(
        read,
        rows=[replace(row, scores=None, verdict="a", verdict_swapped="a") for row in read.rows],
    )
    other = replace(
        judge, rows=[*judge.rows[1:], replace(judge.rows[0], verdict="b", verdict_swapped="b")]
    )
    assert fingerprints(judge).keys() == {row.subset for row in read.rows}
    assert fingerprints(judge)["core"] != fingerprints(other)["core"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dtype": "float16"}, "dtype differs between subsets"),
        ({"options": {"schema_gate": True}}, "schema_gate is on for some subsets only"),
    ],
)
def test_subsets_of_two_models_are_refused(
    tmp_path: Path, runs: dict[str, list[Path]], changes: dict[str, Any], message: str
) -> None:
    folder = pack(runs["longer"][:2], MINE, tmp_path)
    told = json.loads((folder / CARD).read_text())
    next(reversed(told["results"].values())).update(changes)
    (folder / CARD).write_text(json.dumps(told))
    assert message in str(check_entry(folder).problems[0])


@pytest.mark.parametrize(
    ("scores_of", "flag"),
    [
        (lambda group: [1.0, 1.0], "all scores are the same"),
        (lambda group: [1.0, 0.0], "all rows have the same scores"),
        (lambda group: [float(len(str(group.prompt)))] * 2, "all rows are ties"),
    ],
    ids=["constant", "always the first", "ties"],
)
def test_odd_rows_are_flagged_and_not_refused(
    tmp_path: Path, scores_of: Callable[[fcrewardbench.Group], list[float]], flag: str
) -> None:
    class Odd(fcrewardbench.Scorer):
        def score_group(self, group: fcrewardbench.Group) -> list[float]:
            return scores_of(group)

    fcrewardbench.evaluate(Odd(), "open", out=tmp_path / "run")
    facts = {**FACTS, "kind": "classifier", "organisation": "me"}
    folder = pack([tmp_path / "run"], facts, tmp_path / "all")
    checked = check_entry(folder)
    assert checked.ok
    assert checked.flags == [f"core: {flag}", "core: no tokens were counted"]


def test_a_problem_names_its_file_and_row(entry: Path) -> None:
    rows = read_entry(entry).rows
    table = pq.read_table(entry / ROWS)
    outcomes = [*table["outcome"].to_pylist()[:-1], None]
    place = table.schema.get_field_index("outcome")
    pq.write_table(table.set_column(place, "outcome", pa.array(outcomes)), entry / ROWS)
    [problem] = check_entry(entry).problems
    assert (problem.file, problem.row) == (ROWS, len(rows) - 1)
    assert str(problem) == f"rows.parquet, row {len(rows) - 1}: outcome has no value."
    (entry / CARD).write_text("{}")
    [problem] = check_entry(entry).problems
    assert (problem.file, problem.row) == (CARD, None)
    assert str(problem) == "card.json has no schema_version: write it with fcrb submit."


def test_the_comment_shows_the_neighbours(root: Path, entry: Path) -> None:
    paths = (entry, entry.parent / "baseline__random")
    others = [rival_of(read_entry(path)) for path in paths]
    checked = check_entry(entry)
    assert checked.entry is not None
    text = markdown([checked], {"open@2": others})
    assert "`open@2/baseline__longer` can be merged" in text
    assert "| `baseline__random` |" in text
    near = neighbours(checked.entry, others)
    assert [one.id for one in near] == ["baseline__random"]
    assert near[0].low <= near[0].difference <= near[0].high


def test_nothing_of_a_stranger_is_markdown() -> None:
    assert code("`a`\n# b | <b>") == "`'a'\\x0a# b | <b>`"
    assert code("\x1b[31m\u202e") == "`\\x1b[31m\\u202e`"


def _again(name: str) -> Callable[[fcrewardbench.Benchmark], fcrewardbench.Run]:
    return lambda part: fcrewardbench.evaluate(f"baseline/{name}", part)


def test_a_sample_is_scored_again_and_earns_the_badge(entry: Path) -> None:
    read = read_entry(entry)
    found = verify(read, _again("longer"), 64, seed=3)
    assert found.reproduced
    assert (found.sample, found.flips, found.largest_difference) == (64, [], 0)
    write_badge(read, found)
    assert check_entry(entry).ok
    again = read_entry(entry).reproduced
    assert again is not None
    assert (again.sample, again.seed) == (64, 3)
    card = json.loads((entry / CARD).read_text())
    card["model"]["parameters"] = 7
    (entry / CARD).write_text(json.dumps(card))
    assert "is of another card.json" in str(check_entry(entry).problems[0])
    other = verify(read, _again("shorter"), 64, seed=3)
    assert not other.reproduced
    assert other.flips


def test_outcomes_moved_within_the_tolerance_are_no_reproduction(tmp_path: Path) -> None:
    """Every loss that is close enough is made a win: no score is far off, and all flips go one way."""

    class Close(fcrewardbench.Scorer):
        def score_group(self, group: fcrewardbench.Group) -> list[float]:
            return [len(str(candidate)) % 7 / 10_000 for candidate in group.candidates]

        def describe(self) -> dict[str, Any]:
            return {}

    scorer = Close()
    fcrewardbench.evaluate(scorer, "open", out=tmp_path / "run")
    facts = {**FACTS, "kind": "classifier", "organisation": "me"}
    entry = read_entry(pack([tmp_path / "run"], facts, tmp_path / "all"))
    honest = _verification(entry, scorer)
    assert honest.reproduced
    moved = [
        replace(row, scores=[0.0007 * right for right in row.correct], outcome="win")
        for row in entry.rows
    ]
    found = _verification(replace(entry, rows=moved), scorer)
    assert found.largest_difference <= found.tolerance
    assert not found.reproduced


@pytest.mark.parametrize(("dtype", "reproduced"), [("bfloat16", True), ("float32", False)])
def test_an_entry_may_be_as_far_off_as_its_own_dtype_explains(
    entry: Path, dtype: str, reproduced: bool
) -> None:
    read = read_entry(entry)
    core = read.card.results["core"].model_copy(update={"dtype": dtype})
    card = read.card.model_copy(update={"results": {**read.card.results, "core": core}})
    rows = [replace(row, scores=[score + 0.5 for score in row.scores or ()]) for row in read.rows]
    found = verify(replace(read, card=card, rows=rows), _again("longer"), 64, seed=3)
    assert found.flips == []
    assert found.reproduced == reproduced


def _verification(entry: Entry, scorer: fcrewardbench.Scorer) -> Verification:
    return verify(entry, lambda part: fcrewardbench.evaluate(scorer, part), 64, seed=1)


class _Gate(fcrewardbench.Scorer):
    def __init__(self, *, gate: bool) -> None:
        self.gate = gate

    def score_group(self, group: fcrewardbench.Group) -> list[float]:
        return [float(len(str(candidate))) for candidate in group.candidates]

    def describe(self) -> dict[str, Any]:
        return {"schema_gate": True} if self.gate else {}


def test_a_gate_is_told_and_is_on_in_every_subset_or_in_none(tmp_path: Path) -> None:
    for subset, gate in (("core", True), ("minimal", True), ("abstain", False)):
        run = tmp_path / subset
        fcrewardbench.evaluate(_Gate(gate=gate), f"open/{subset}", out=run)
    facts = {**FACTS, "kind": "classifier", "organisation": "me"}
    folder = pack([tmp_path / "core", tmp_path / "minimal"], facts, tmp_path / "all")
    results = read_entry(folder).card.results
    assert [one.options for one in results.values()] == [{"schema_gate": True}] * 2
    with pytest.raises(UsageError, match="not of one model: schema_gate is null and true"):
        pack([tmp_path / "core", tmp_path / "abstain"], facts, tmp_path / "other")


class _Longer(fcrewardbench.Judge):
    """Takes the longer candidate, the first of two as long; or the shorter one."""

    def __init__(self, *, shorter: bool = False) -> None:
        self.sign = -1 if shorter else 1

    def verdict(
        self,
        prompt: fcrewardbench.Prompt,
        first: fcrewardbench.Candidate,
        second: fcrewardbench.Candidate,
    ) -> Verdict:
        ahead = self.sign * (len(candidate_text(first)) - len(candidate_text(second)))
        return Verdict.FIRST if ahead >= 0 else Verdict.SECOND

    def describe(self) -> dict[str, Any]:
        return {"sign": self.sign}


def test_a_judge_is_verified_by_its_outcomes(tmp_path: Path) -> None:
    fcrewardbench.evaluate(_Longer(), "open", out=tmp_path / "run")
    facts = {**FACTS, "kind": "judge", "organisation": "me"}
    entry = read_entry(pack([tmp_path / "run"], facts, tmp_path / "all"))
    same = verify(entry, lambda part: fcrewardbench.evaluate(_Longer(), part), 64, seed=1)
    assert same.reproduced
    assert (same.flips, same.largest_difference, same.tolerance) == ([], 0, FLIPS)
    other = _Longer(shorter=True)
    found = verify(entry, lambda part: fcrewardbench.evaluate(other, part), 64, seed=1)
    assert not found.reproduced
    assert found.largest_difference == len(found.flips) / 64 > 0.5


def test_a_badge_of_other_rows_is_refused(entry: Path) -> None:
    read = read_entry(entry)
    write_badge(read, verify(read, _again("longer"), 8, seed=0))
    write_rows(read.rows[::-1], entry / ROWS)
    assert "reproduced.json is of another rows.parquet" in str(check_entry(entry).problems[0])


def _fcrb(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fcrewardbench", *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def test_submit_says_what_is_missing_and_prints_the_commands(
    runs: dict[str, list[Path]], tmp_path: Path
) -> None:
    done = _fcrb("submit", str(runs["longer"][0]), cwd=tmp_path)
    assert done.returncode == 2
    assert "training_data: Field required" in done.stderr
    facts = tmp_path / "facts.yaml"
    facts.write_text(json.dumps(FACTS))
    asked = ("submit", *map(str, runs["longer"]), "--facts", str(facts))
    done = _fcrb(*asked, "--fact", "name=mine", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "git add submissions/open@2/baseline__mine" in done.stdout
    assert "gh pr create" in done.stdout
    valid = _fcrb("validate", "submissions", cwd=tmp_path)
    assert valid.returncode == 0, valid.stdout + valid.stderr
    assert "valid (core, abstain, candidates, minimal; 2,600 rows)" in valid.stdout


def test_submit_asks_at_a_terminal_for_what_no_run_tells(
    runs: dict[str, list[Path]], tmp_path: Path
) -> None:
    """A real terminal; the empty answers are those that may be empty."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "fcrewardbench", "submit", *map(str, runs["longer"])],
        cwd=tmp_path,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        os.write(ours, b"\n\nApache-2.0\nnone: it is a rule\nnone\nsomebody\n")
        try:
            said = process.communicate(timeout=60)[0]
        finally:
            process.kill()  # one question too many would wait for ever
            os.close(ours)
            os.close(theirs)
    assert process.returncode == 0, said
    assert said.count("Training data, in a sentence: ") == 1
    assert "Hardware: " not in said
    model = read_entry(tmp_path / "submissions/open@2/baseline__longer").card.model
    assert (model.licence, model.training_data) == ("Apache-2.0", "none: it is a rule")
    assert (model.parameters, model.base_model, model.contact) == (None, None, "somebody")


def _git(folder: Path, *arguments: str) -> str:
    settings = [
        "-c",
        "user.name=x",
        "-c",
        "user.email=x@example.org",
        "-c",
        "init.defaultBranch=main",
    ]
    done = subprocess.run(
        ["git", *settings, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.fixture
def clone(root: Path) -> Path:
    """A repository with two entries, at the tag `base`."""
    _git(root.parent, "init", "--quiet")
    _git(root.parent, "add", ".")
    _git(root.parent, "commit", "--quiet", "-m", "base")
    _git(root.parent, "tag", "base")
    return root.parent


def _change(clone: Path, *who: str) -> subprocess.CompletedProcess[str]:
    _git(clone, "add", "-A")
    _git(clone, "commit", "--quiet", "--allow-empty", "-m", "change")
    return _fcrb("validate", "submissions", "--base", "base", *who, cwd=clone)


def test_a_new_entry_may_come_from_anybody(clone: Path, runs: dict[str, list[Path]]) -> None:
    pack(runs["longer"], MINE, clone / "submissions")
    stranger = _change(clone, "--author", "you")
    assert stranger.returncode == 2
    assert "the entry's contact is me, not you" in stranger.stdout
    done = _change(clone, "--author", "me")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "valid" in done.stdout
    assert "odd: core: every score is that of baseline__longer" in done.stdout


def test_a_name_belongs_to_its_contact_on_every_benchmark(
    clone: Path, runs: dict[str, list[Path]]
) -> None:
    pack(runs["longer"], {**MINE, "contact": "somebody"}, clone / "submissions")
    mine = clone / "submissions" / "open@2" / "maker__mine"
    _git(clone, "add", "-A")
    _git(clone, "commit", "--quiet", "-m", "entry")
    _git(clone, "tag", "--force", "base")
    other = clone / "submissions" / "rebuilt@1" / "Maker__mine"
    shutil.copytree(mine, other)
    text = (other / CARD).read_text().replace('"contact": "somebody"', '"contact": "me"')
    (other / CARD).write_text(text)
    done = _change(clone, "--author", "me")
    assert done.returncode == 2
    assert done.stdout.count("the entry's contact is somebody, not me") == 2


def test_an_entry_is_changed_by_its_contact_only(clone: Path, runs: dict[str, list[Path]]) -> None:
    pack(runs["longer"], {**MINE, "contact": "somebody"}, clone / "submissions")
    entry = clone / "submissions/open@2/maker__mine"
    badged = read_entry(entry)
    write_badge(badged, verify(badged, _again("longer"), 8, seed=0))
    _git(clone, "add", "-A")
    _git(clone, "commit", "--quiet", "-m", "entry")
    _git(clone, "tag", "--force", "base")
    pack(runs["longer"][:2], {**MINE, "contact": "me"}, clone / "submissions", replace=True)
    assert not (entry / REPRODUCED).exists()
    refused = _change(clone, "--author", "me")
    assert refused.returncode == 2
    assert "the entry's contact is somebody, not me" in refused.stdout
    allowed = _change(clone, "--author", "SomeBody")
    assert allowed.returncode == 0, allowed.stdout


def test_an_entry_cannot_be_deleted_nor_anything_else_be_changed(clone: Path) -> None:
    shutil.rmtree(clone / "submissions/open@2/baseline__random")
    (clone / "Makefile").write_text("all:\n")
    (clone / "submissions/open@2/baseline__longer" / REPRODUCED).write_text("{}")
    done = _change(clone, "--author", "somebody")
    assert done.returncode == 2
    assert done.stdout.count("baselines come from maintainers") == 2
    assert "Makefile: a submission changes its entry under submissions/ only" in done.stdout
    assert "the badge is given by maintainers" in done.stdout


def test_maintainers_may_change_what_they_will(clone: Path) -> None:
    shutil.rmtree(clone / "submissions/open@2/baseline__random")
    (clone / "submissions" / "README.md").write_text("")
    done = _change(clone, "--maintainer")
    assert done.returncode == 0, done.stdout + done.stderr


def test_folders_that_hide_from_the_check_are_refused(
    clone: Path, runs: dict[str, list[Path]]
) -> None:
    pack(runs["longer"], MINE, clone / "submissions")
    benchmark = clone / "submissions" / "open@2"
    strange = os.fsencode(benchmark) + b"/evil\xff__x"
    os.mkdir(strange)
    Path(os.fsdecode(strange), CARD).write_text("{}")
    (clone / "submissions" / "open@3").symlink_to(benchmark)
    done = _change(clone, "--author", "me")
    assert done.returncode == 2
    assert "is not ORGANISATION__MODEL in plain ASCII" in done.stdout
    assert "open@3: a submission changes its entry" in done.stdout


def test_an_entry_is_no_others_for_being_moved(clone: Path, runs: dict[str, list[Path]]) -> None:
    """Git tells of a renamed file as one that is gone and one that is new."""
    benchmark = clone / "submissions" / "open@2"
    pack(runs["longer"], {**MINE, "contact": "somebody"}, clone / "submissions")
    _git(clone, "add", "-A")
    _git(clone, "commit", "--quiet", "-m", "entry")
    _git(clone, "tag", "--force", "base")
    _git(clone, "mv", str(benchmark / "maker__mine"), str(benchmark / "maker__new"))
    card = benchmark / "maker__new" / CARD
    told = json.loads(card.read_text())
    told["model"] |= {"name": "new", "contact": "me"}
    card.write_text(json.dumps(told, indent=2) + "\n")
    done = _change(clone, "--author", "me")
    assert done.returncode == 2
    assert done.stdout.count("the entry's contact is somebody, not me") == 2
    assert "maker__mine" in done.stdout


def test_a_module_in_place_of_an_entry_is_refused(clone: Path, runs: dict[str, list[Path]]) -> None:
    pack(runs["longer"], MINE, clone / "submissions")
    module = "submissions/open@2/maker__module"
    (clone / module).mkdir()
    head = _git(clone, "rev-parse", "HEAD").strip()
    _git(clone, "update-index", "--add", "--cacheinfo", f"160000,{head},{module}")
    done = _change(clone, "--author", "me")
    assert done.returncode == 2
    assert f"{module}: a submission changes its entry under submissions/ only" in done.stdout
    inside = "submissions/open@2/maker__mine/rows.parquet"
    _git(clone, "rm", "--quiet", "--cached", module, inside)
    shutil.rmtree(clone / module)
    (clone / inside).unlink()
    (clone / inside).mkdir()
    _git(clone, "update-index", "--add", "--cacheinfo", f"160000,{head},{inside}")
    done = _change(clone, "--author", "me")
    assert done.returncode == 2
    assert "maker__mine: rows.parquet is no file of its own" in done.stdout


def test_a_change_on_an_old_base_has_to_be_merged_first(
    clone: Path, runs: dict[str, list[Path]]
) -> None:
    _git(clone, "switch", "--quiet", "-c", "mine")
    pack(runs["longer"], MINE, clone / "submissions")
    _git(clone, "add", "-A")
    _git(clone, "commit", "--quiet", "-m", "mine")
    _git(clone, "switch", "--quiet", "-")
    (clone / "later").write_text("")
    _git(clone, "add", "-A")
    _git(clone, "commit", "--quiet", "-m", "later")
    _git(clone, "tag", "--force", "base")
    _git(clone, "switch", "--quiet", "mine")
    done = _fcrb("validate", "submissions", "--base", "base", "--author", "me", cwd=clone)
    assert done.returncode == 2
    assert "merge the newest main first" in done.stderr


def test_a_refused_entry_beside_a_valid_one_spoils_no_comment(root: Path) -> None:
    short = root / "open@2" / "baseline__random"
    write_rows(read_entry(short).rows[1:], short / ROWS)
    done = _fcrb("validate", str(root), "--markdown", cwd=root)
    assert done.returncode == 2
    assert "`open@2/baseline__longer` can be merged" in done.stdout
    assert "`open@2/baseline__random` is refused" in done.stdout
    assert "Traceback" not in done.stderr


def test_submit_opens_the_pull_request_and_sends_a_mended_entry_again(
    clone: Path, runs: dict[str, list[Path]], tmp_path: Path
) -> None:
    """Real git with a real remote; `gh` is a script that keeps what it is asked, and knows one PR."""
    remote, asked, number = tmp_path / "remote.git", tmp_path / "asked", tmp_path / "number"
    _git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(remote))
    _git(clone, "remote", "add", "origin", str(remote))
    _git(clone, "push", "--quiet", "origin", "HEAD:main")
    _git(clone, "remote", "set-head", "origin", "main")
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "gh").write_text(
        f'#!/bin/sh\nif [ "$2" = list ]; then cat {number}; else printf "%s\\n" "$@" >> {asked}; fi\n'
    )
    (tools / "gh").chmod(0o755)
    number.write_text("[]\n")
    facts = tmp_path / "facts.yaml"

    def send(*more: str, note: str = "", name: str = "mine") -> str:
        facts.write_text(json.dumps({**MINE, "note": note, "name": name}))
        done = _fcrb(
            "submit",
            *map(str, runs["longer"]),
            "--facts",
            str(facts),
            "--pr",
            *more,
            cwd=clone,
            PATH=f"{tools}:{os.environ['PATH']}",
            GIT_AUTHOR_NAME="x",
            GIT_AUTHOR_EMAIL="x@example.org",
            GIT_COMMITTER_NAME="x",
            GIT_COMMITTER_EMAIL="x@example.org",
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def sent(branch: str, name: str) -> str:
        return _git(remote, "show", f"{branch}:submissions/open@2/maker__{name}/{CARD}")

    send()
    branch = "submit/open-2/maker__mine"
    assert "maker" in sent(branch, "mine")
    assert "Submission: maker/mine on open@2" in asked.read_text()
    number.write_text('[{"number": 7}]\n')
    assert "open already" in send("--replace", note="mended")
    assert '"mended"' in sent(branch, "mine")
    _git(clone, "switch", "--quiet", "main")
    assert "open already" in send("--replace", note="mended on main")
    assert '"mended on main"' in sent(branch, "mine")
    assert asked.read_text().count("create") == 1
    number.write_text("[]\n")
    send(name="another")
    other = "submit/open-2/maker__another"
    assert "maker__mine" not in _git(remote, "ls-tree", "-r", "--name-only", other)
    assert asked.read_text().count("create") == 2


def test_validate_prints_json_and_the_schema(root: Path, entry: Path) -> None:
    (entry / ROWS).unlink()
    done = _fcrb("validate", str(entry), "--json", cwd=root)
    assert done.returncode == 2
    [told] = json.loads(done.stdout)
    assert told["problems"][0]["message"] == "rows.parquet is missing"
    schema = _fcrb("validate", "--schema", cwd=root)
    assert json.loads(schema.stdout) == json_schema()


@pytest.mark.parametrize("here", ["abstain", None], ids=["of another edition", "not at all"])
def test_a_wrong_label_is_told_without_the_benchmarks_data(
    entry: Path, monkeypatch: pytest.MonkeyPatch, here: str | None
) -> None:
    other = fcrewardbench.load_benchmark(f"open/{here}") if here else None

    def load(name: str) -> fcrewardbench.Benchmark:
        if other is None:
            raise fcrewardbench.DataError(f"{name} cannot be had.")
        return other

    monkeypatch.setattr(validate, "load_benchmark", load)
    write_rows(_first(error_type="parsing error!")(read_entry(entry).rows), entry / ROWS)
    [problem] = check_entry(entry).problems
    assert problem.row is None
    assert problem.message.endswith("not the benchmark's: pack the run with fcrb submit")


def test_what_holds_no_submission_is_not_taken_for_a_valid_one(root: Path, entry: Path) -> None:
    for path in (root.parent / "runs", root / "open@2" / "acme_model"):
        path.mkdir()
        done = _fcrb("validate", str(path), cwd=root)
        assert done.returncode == 2
        assert "holds no submission: give ORGANISATION__MODEL" in done.stderr
    shutil.copytree(entry, root / "open@2" / "acme_model", dirs_exist_ok=True)
    done = _fcrb("validate", str(root / "open@2" / "acme_model"), cwd=root)
    assert done.returncode == 2
    assert "is not ORGANISATION__MODEL" in done.stdout
    done = _fcrb("validate", str(entry / CARD), cwd=root)
    assert done.returncode == 2
    assert "is a file: give the entry's folder" in done.stderr


def test_an_edition_that_nobody_knows_is_refused_in_a_sentence(root: Path) -> None:
    (root / "open@2").rename(root / "open@9")
    for path in (root / "open@9").glob(f"*/{CARD}"):
        path.write_text(path.read_text().replace('"open@2"', '"open@9"'))
    done = _fcrb("validate", str(root / "open@9" / "baseline__longer"), cwd=root)
    assert done.returncode == 2
    assert "open@9 takes no submissions" in done.stdout
    assert "Traceback" not in done.stderr


def test_verify_is_told_by_the_entry_what_to_run_and_writes_the_badge(
    root: Path, entry: Path
) -> None:
    """With an option that a stranger must not choose among the entry's."""
    card = json.loads((entry / CARD).read_text())
    card["results"]["core"]["options"] = {"key_env": "SECRET", "base_url": "https://a.b"}
    (entry / CARD).write_text(json.dumps(card))
    asked = ("verify", str(entry), "--sample", "16", "--seed", "3", "--badge")
    done = _fcrb(*asked, "--model", "baseline/longer", cwd=root)
    assert done.returncode == 0, done.stderr
    assert "reproduced: 16 rows of open@2/core (seed 3), largest difference 0," in done.stdout
    assert read_entry(entry).reproduced is not None
    (entry / REPRODUCED).unlink()
    done = _fcrb(*asked, "--model", "baseline/random", "--adapter", "baseline/random", cwd=root)
    assert done.returncode == 1
    assert "not reproduced" in done.stdout
    assert not (entry / REPRODUCED).exists()


def test_a_card_reads_back_as_it_was_written(entry: Path) -> None:
    card = parse_card((entry / CARD).read_text(), CARD)
    assert isinstance(card, SubmissionCard)
    assert card_text(card) == (entry / CARD).read_text()
