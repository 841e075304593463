import itertools
import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import Fcrb

from fcrewardbench.benchmarks import rebuilt
from fcrewardbench.benchmarks.bfcl import Task, load_tasks
from fcrewardbench.benchmarks.build import (
    Built,
    Reading,
    build_groups,
    build_pairs,
    build_recipe,
    groups_of,
    pairs_of,
    read_results,
)
from fcrewardbench.benchmarks.build.assign import (
    assign_generators,
    assign_types,
    fillable,
    least_largest_load,
)
from fcrewardbench.benchmarks.build.pairs import QUOTAS
from fcrewardbench.benchmarks.build.recipe import Recipe, read_recipe
from fcrewardbench.benchmarks.build.right import nearest_answer
from fcrewardbench.benchmarks.build.tasks import load_catalogue
from fcrewardbench.benchmarks.files import LONGEST_LINE, load_file
from fcrewardbench.calls.check import AdmissibleCall, check
from fcrewardbench.calls.parse import parse
from fcrewardbench.errors import DataError, UnknownName, UsageError
from fcrewardbench.types import Call, ErrorType, Pair

PAPER = QUOTAS["paper"] or {}


@pytest.fixture(scope="module")
def reading(bfcl_results: Path) -> Reading:
    return read_results([bfcl_results])


@pytest.fixture(scope="module")
def paper(reading: Reading) -> Built:
    return pairs_of(reading, quota="paper")


@pytest.fixture(scope="module")
def natural(reading: Reading) -> Built:
    return pairs_of(reading, quota="natural")


@pytest.fixture(scope="module")
def all_tasks() -> dict[str, Task]:
    catalogue = load_catalogue()
    return {task.id: task for tasks in catalogue.tasks.values() for task in tasks.values()}


# ── folders made by hand ─────────────────────────────────────────────────────────────────────────

TRIANGLE = "calculate_triangle_area"
RIGHT = f"[{TRIANGLE}(base=10, height=5)]"
WRONG = f"[{TRIANGLE}(base=10, height=50)]"


def line(id: object, result: object, **more: object) -> bytes:
    return json.dumps({"id": id, "result": result, **more}).encode() + b"\n"


Folder = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Writes result files by their path in a folder."""

    def write(files: Mapping[str, bytes], name: str = "results") -> Path:
        for path, content in files.items():
            target = tmp_path / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        return tmp_path / name

    return write


def natural_of(*folders: Path, **options: Any) -> Built:
    return build_pairs(folders, quota="natural", **options)


FC = [{TRIANGLE: json.dumps({"height": 5, "base": 10})}]
TAGGED = (
    f'<tool_call>\n{{"name": "{TRIANGLE}", "arguments": {{"height": 5, "base": 10}}}}\n</tool_call>'
)
LAYOUTS = {
    "v4 nested": ("non_live/BFCL_v4_simple_python_result.json", "simple_python_0"),
    "v4 flat": ("BFCL_v4_simple_python_result.json", "simple_python_0"),
    "v3": ("BFCL_v3_simple_result.json", "simple_0"),
    "v2": ("BFCL_v2_simple_result.json", "simple_0"),
    "v1, text ids": ("gorilla_openfunctions_v1_test_simple_result.json", "simple_0"),
    "v1, numbers": ("gorilla_openfunctions_v1_test_simple_result.json", 0),
}


@pytest.mark.parametrize("right", [RIGHT, FC, TAGGED], ids=["prompting", "FC", "tags"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_read(folder: Folder, layout: str, right: object) -> None:
    path, id = LAYOUTS[layout]
    results = folder({f"good/{path}": line(id, right), f"org/bad/{path}": line(id, WRONG)})
    built = natural_of(results)
    (record,) = built.records
    assert record["id"] == record["test_id"] == "simple_python_0"
    assert record["chosen_output"] == [{"name": TRIANGLE, "arguments": {"base": 10, "height": 5}}]
    assert list(record["chosen_output"][0]["arguments"]) == ["base", "height"]
    assert record["rejected_output"][0]["arguments"] == {"base": 10, "height": 50}
    assert (record["error_type"], record["model_name"]) == ("parameter value error", "bad")
    assert record["chosen_from"] == "consensus of 1 output"
    assert built.report["problems"] == []


def test_keys_stand_in_one_order_and_the_file_is_a_benchmark(folder: Folder) -> None:
    results = folder({"m/BFCL_v4_simple_python_result.json": line("simple_python_0", WRONG)})
    built = natural_of(results)
    keys = "id tools conversation chosen_output rejected_output error_type model_name"
    keys += " test_category test_id chosen_from doubt"
    assert list(built.records[0]) == keys.split()
    report = built.write(results / "pairs.jsonl")
    assert json.loads(report.read_text("utf-8"))["sha256"] == built.report["sha256"]
    assert report.name == "pairs.report.json"
    (item,) = load_file(results / "pairs.jsonl").items
    assert isinstance(item, Pair)
    assert item.rejected == (Call(TRIANGLE, {"base": 10, "height": 50}),)


def test_v1_names_its_categories_and_lines_in_its_own_way(folder: Folder) -> None:
    name = "gorilla_openfunctions_v1_test_multiple_function_result.json"
    text = b"".join(
        json.dumps({"idx": n, "text": "[nothing(x=1)]"}).encode() + b"\n" for n in (0, 7)
    )
    records = natural_of(
        folder({f"m/{name}": text + line("multiple_function_9", "[no(x=1)]")})
    ).records
    assert [record["id"] for record in records] == ["multiple_0", "multiple_7", "multiple_9"]
    assert {record["chosen_from"] for record in records} == {"answer"}


def test_v1_lines_with_their_question_have_to_ask_what_v3_asks(folder: Folder) -> None:
    asked = load_tasks("v3")["simple_0"].prompt.messages[0]["content"]
    name = "m/gorilla_openfunctions_v1_test_simple_result.json"
    same = [line(0, WRONG, question=asked), line(1, WRONG), line(2, WRONG, question="Another one?")]
    built = natural_of(folder({name: b"".join(same)}))
    assert [record["id"] for record in built.records] == ["simple_python_0", "simple_python_1"]
    assert "line 3: its question is not that of BFCL's '2'" in built.report["problems"][0]


def test_versions_share_a_task_only_where_they_ask_and_expect_the_same(folder: Folder) -> None:
    results = folder(
        {
            "a/BFCL_v3_parallel_result.json": line("parallel_84", "[no()]")
            + line("parallel_1", "[no()]"),
            "b/BFCL_v4_parallel_result.json": line("parallel_84", "[no()]")
            + line("parallel_1", "[x()]"),
        }
    )
    records = {record["id"]: record for record in natural_of(results).records}
    assert set(records) == {"parallel_1", "parallel_84", "parallel_84@v3"}
    assert records["parallel_84"]["conversation"] != records["parallel_84@v3"]["conversation"]
    assert records["parallel_84@v3"]["model_name"] == "a"


def test_names_are_the_tools_own_and_unreadable_text_stays_text(folder: Folder) -> None:
    results = folder(
        {
            "a/BFCL_v4_simple_python_result.json": line(
                "simple_python_1", [{"math_factorial": '{"number": 6}'}]
            )
            + line("simple_python_0", "[calculate_triangle_area(base=10")
            + line("simple_python_3", "["),
            "b/BFCL_v4_simple_python_result.json": line("simple_python_2", "I cannot do that."),
        }
    )
    records = {record["id"]: record for record in natural_of(results).records}
    assert records["simple_python_1"]["rejected_output"][0]["name"] == "math.factorial"
    assert records["simple_python_0"]["rejected_output"] == "[calculate_triangle_area(base=10"
    assert records["simple_python_0"]["error_type"] == "parsing error"
    assert records["simple_python_3"]["error_type"] == "parsing error"
    assert records["simple_python_2"]["error_type"] == "no call"
    with pytest.raises(DataError, match="Nothing could be built: 1 outputs were read"):
        build_pairs([results / "b"])  # the paper's quota has no "no call"


def test_the_most_common_passing_output_is_chosen_whatever_its_order(folder: Folder) -> None:
    one, two = (
        "spotify.play(artist='Taylor Swift', duration=20)",
        "spotify.play(artist='Maroon 5', duration=15)",
    )
    outputs = {
        "a": f"[{one}, {two}]",
        "b": f"[{two}, {one}]",
        "c": f"[{two}, {one}]",
        "d": f"[{one}]",
    }
    outputs["e"] = f"[{one.replace('Taylor Swift', 'taylor swift')}, {two}]"
    files = {
        f"{name}/BFCL_v4_parallel_result.json": line("parallel_0", text)
        for name, text in outputs.items()
    }
    (record,) = natural_of(folder(files)).records
    assert record["chosen_from"] == "consensus of 3 outputs"
    assert [call["arguments"]["artist"] for call in record["chosen_output"]] == [
        "Maroon 5",
        "Taylor Swift",
    ]
    assert record["error_type"] == "incorrect number of function calls"


def test_the_answer_takes_the_style_of_the_rejected_one(tasks: dict[str, Task]) -> None:
    task = tasks["simple_python_0"]
    wrong = {"base": 1, "height": 5}
    assert nearest_answer(task, (Call(TRIANGLE, wrong),)) == (
        Call(TRIANGLE, {"base": 10, "height": 5}),
    )
    with_unit = nearest_answer(task, (Call(TRIANGLE, {**wrong, "unit": "unit"}),))
    assert with_unit == (Call(TRIANGLE, {"base": 10, "height": 5, "unit": "units"}),)
    assert nearest_answer(task, "no") == (Call(TRIANGLE, {"base": 10, "height": 5}),)
    broken = Task(task.id, task.category, task.prompt, (AdmissibleCall(TRIANGLE, {"base": [10]}),))
    assert nearest_answer(broken, "no") is None


def test_every_answer_can_be_made_but_the_broken_ones(tasks: dict[str, Task]) -> None:
    impossible = [task.id for task in tasks.values() if nearest_answer(task, "") is None]
    assert len(impossible) < 0.02 * len(tasks)
    for task in tasks.values():
        calls = nearest_answer(task, "")
        assert calls is None or check(calls, task.answer or (), task.prompt.tools).ok


# ── bad folders ──────────────────────────────────────────────────────────────────────────────────

GOOD = line("simple_python_0", WRONG)
NAME = "BFCL_v4_simple_python_result.json"
DEEP = "[" * 500 + "]" * 500
CHINESE = f"[{TRIANGLE}(base=10, height=5, unit='单位')]"
BAD = {
    "truncated": (NAME, GOOD + b'{"id": "simple_python_1", "res', "line 2: not JSON"),
    "not UTF-8": (NAME, GOOD + b'{"id": "\xff"}\n', "line 2: not UTF-8"),
    "no result": (NAME, GOOD + b'{"id": "simple_python_1"}\n', "line 2: the line has no 'result'"),
    "a number": (NAME, GOOD + line("simple_python_1", 5), "line 2: 'result' is int, neither text"),
    "NaN": (
        NAME,
        GOOD + b'{"id": "simple_python_1", "result": [NaN]}\n',
        "line 2: 'result' holds what JSON cannot",
    ),
    "half a surrogate": (
        NAME,
        GOOD + line("simple_python_1", "\ud800"),
        "line 2: 'result' holds what JSON cannot",
    ),
    "too large a number": (
        NAME,
        GOOD + line("simple_python_1", "[math.factorial(number=1e999)]"),
        "line 2: the output holds what JSON cannot",
    ),
    "no id": (NAME, GOOD + b'{"result": ""}\n', "line 2: the line has no 'id'"),
    "twice": (
        NAME,
        GOOD + line("simple_python_0", RIGHT),
        "line 2: the id 'simple_python_0' stands twice, first at",
    ),
    "JSON array": (
        NAME,
        b"[" + GOOD.strip() + b"]\n",
        "line 1: a line holds one object, not list; write one object a line",
    ),
    "long array": (
        NAME,
        b"[\n" + b"".join(GOOD.strip() + b",\n" for _ in range(50)) + GOOD,
        "31 more such lines, each after 20 in a row",
    ),
    "a number as id": (NAME, GOOD + line(1.5, RIGHT), "line 2: the line has no 'id' that is text"),
    "larger than any float": (
        NAME,
        GOOD + line("simple_python_1", [{"math_factorial": {"number": 10**400}}]),
        "line 2: the output holds what JSON cannot (int too large",
    ),
    "nested deeply": (
        NAME,
        GOOD + line("simple_python_1", [{"math_factorial": {"number": json.loads(DEEP)}}]),
        "line 2: the output holds what JSON cannot (it is nested more than 100 deep)",
    ),
    "empty": (NAME, b"", "the file is empty"),
    "other ids": (
        NAME,
        line("simple_0", WRONG) + line("simple_1", WRONG),
        "2 of 2 ids are not BFCL v4's",
    ),
    "one other id": (
        NAME,
        GOOD + line("simple_python_9999", WRONG),
        "line 2: BFCL v4 has no 'simple_python_9999' in simple_python",
    ),
    "other name": ("answers_result.json", GOOD, "an unknown layout"),
    "other version": ("BFCL_v9_simple_python_result.json", GOOD, "there is no BFCL v9 here"),
    "translated": (
        NAME,
        line("simple_python_0", CHINESE) + line("simple_python_1", RIGHT),
        "answers to translated or other questions",
    ),
    "translated question": (
        NAME,
        line("simple_python_0", WRONG, question=[[{"role": "user", "content": "¿Qué?"}]]),
        "answers to translated or other questions",
    ),
    "long line": (
        NAME,
        GOOD + b"x" * (LONGEST_LINE + 9) + b"\n" + line("simple_python_1", RIGHT),
        "line 2: the line is longer than",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_bad_is_named_and_the_rest_is_built(folder: Folder, case: str) -> None:
    name, content, problem = BAD[case]
    good = line("simple_python_2", "[math.hypot(x=4, y=6)]")
    results = folder({f"bad/{name}": content, f"good/{NAME}": good})
    built = natural_of(results)
    assert "simple_python_2" in [record["id"] for record in built.records]
    found = built.report["problems"]
    assert any(problem in text and str(results / "bad" / name) in text for text in found), found
    assert sum(problem in text for text in found) == 1
    if GOOD in content[: len(GOOD)] and name == NAME:
        assert "simple_python_0" in [record["id"] for record in built.records]


def test_what_is_not_there_and_what_holds_nothing(folder: Folder, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no folder"):
        natural_of(tmp_path / "missing")
    empty = folder({"notes.txt": b""})
    with pytest.raises(DataError, match=r"Nothing could be built.*no file is named BFCL_"):
        natural_of(empty)
    with pytest.raises(UnknownName, match=r"There is no quota 'papr'\. Did you mean 'paper'"):
        build_pairs([empty], quota="papr")
    with pytest.raises(UnknownName, match="There is no language 'rust'"):
        build_pairs([empty], languages=["rust"])


def test_nothing_behind_bad_lines_is_lost(folder: Folder) -> None:
    outage = b"".join(line(f"simple_python_{n}", None) for n in range(1, 31))
    good = line("simple_python_31", "[nothing(x=1)]")
    built = natural_of(folder({f"m/{NAME}": GOOD + outage + good}))
    assert [r["id"] for r in built.records] == ["simple_python_0", "simple_python_31"]
    assert built.report["left_out"] == {"no result": 30}
    assert len(built.report["problems"]) == 21


def test_a_line_is_left_out_once(folder: Folder) -> None:
    twice = line("simple_python_0", WRONG, question="¿Qué?") * 2 + GOOD * 2
    others = b"".join(line(f"simple_python_{n}", "", question="¿Qué?") for n in range(1, 4))
    results = folder({f"m/{NAME}": twice + others, f"k/{NAME}": GOOD})
    assert natural_of(results).report["left_out"] == {"translated": 7}


@pytest.mark.parametrize("number", ["hundred " * 200, "9" * 400 + "/1", "9" * 5000 + "/1"])
def test_numbers_in_words_may_be_too_large(folder: Folder, number: str) -> None:
    text = f"[math.factorial(number={number!r})]"
    (record,) = natural_of(folder({f"m/{NAME}": line("simple_python_1", text)})).records
    assert record["doubt"] == ""


def test_odd_questions_and_ids_are_no_crash(folder: Folder) -> None:
    question = json.loads(DEEP)
    v1 = "gorilla_openfunctions_v1_test_simple_result.json"
    files = {
        f"m/{NAME}": line("simple_python_0", WRONG, question=question),
        f"k/{v1}": line(0, WRONG) + line("simple_" + "9" * 5000, WRONG),
    }
    report = natural_of(folder(files)).report
    assert report["verdicts"] == {"parameter value error": 2}
    assert report["left_out"] == {"unknown id": 1}


def test_links_are_followed_and_keep_their_names(folder: Folder, tmp_path: Path) -> None:
    store = folder({"blob": GOOD, "away/linked/" + NAME: GOOD}, "store")
    results = folder({}, "results")
    for name in ("one", "two"):
        (results / name).mkdir(parents=True)
        (results / name / NAME).symlink_to(store / "blob")
    (results / "linked").symlink_to(store / "away" / "linked", target_is_directory=True)
    (results / "one" / "round").symlink_to(results, target_is_directory=True)
    (results / "two" / "BFCL_v4_multiple_result.json").symlink_to(tmp_path / "nowhere")
    report = natural_of(results).report
    assert set(report["outputs"]) == {"one", "two", "linked"}
    assert sum(report["verdicts"].values()) == 3
    (problem,) = report["problems"]
    assert problem.endswith("BFCL_v4_multiple_result.json: it is no file, or a link to nothing.")


def test_names_that_are_not_utf8_are_named(folder: Folder) -> None:
    results = folder({os.fsdecode(b"bad\xff/") + NAME: GOOD, f"good/{NAME}": GOOD})
    report = natural_of(results).report
    assert set(report["outputs"]) == {"good"}
    assert report["problems"] == [
        f"{results}/bad?/{NAME}: its name, or a folder's, is not UTF-8; rename it."
    ]


def test_the_order_of_keys_does_not_depend_on_where_folders_lie(folder: Folder) -> None:
    m, k = (line("simple_python_0", [{"nothing": dict.fromkeys(keys, 1)}]) for keys in ("ab", "ba"))
    here = folder({f"1/m/{NAME}": m, f"2/k/{NAME}": k}, "here")
    there = folder({f"2/m/{NAME}": m, f"1/k/{NAME}": k}, "there")
    assert natural_of(here).text == natural_of(there).text


def test_left_out_is_counted_and_the_same_file_counts_once(folder: Folder) -> None:
    files = {
        f"m/{NAME}": GOOD,
        "copy/m/" + NAME: GOOD,
        "m/BFCL_v4_irrelevance_result.json": line("irrelevance_0", "no")
        + line("irrelevance_1", "no"),
        "m/BFCL_v4_simple_java_result.json": line("simple_java_0", "no"),
        "m/multi_turn/BFCL_v4_multi_turn_base_result.json": line("multi_turn_base_0", [["no"]])[
            :-1
        ],
        "n/" + NAME: line("simple_python_0", "Error during inference: out of memory"),
    }
    results = folder(files)
    report = natural_of(results, results / "m").report
    assert report["left_out"] == {
        "irrelevance: no call is due": 2,
        "java: a language not asked for": 1,
        "multi_turn_base: not a single-turn category with answers": 1,
        "the same file twice": 1,
        "inference error": 1,
    }
    assert report["outputs"] == {"m": {"simple_python": 1}}
    assert "the same outputs as" in report["problems"][0]
    assert len(report["problems"]) == 1


def test_java_is_in_on_request(folder: Folder) -> None:
    java = line(
        "simple_java_0", "[GeometryPresentation.createPresentation(controller='x', parent='y')]"
    )
    results = folder({"m/BFCL_v4_simple_java_result.json": java, f"m/{NAME}": GOOD})
    assert [r["id"] for r in natural_of(results).records] == ["simple_python_0"]
    assert [r["id"] for r in natural_of(results, languages=["java"]).records] == ["simple_java_0"]


# ── assignments ──────────────────────────────────────────────────────────────────────────────────

KINDS = (ErrorType.VALUE, ErrorType.NAME, ErrorType.COUNT, ErrorType.TYPE)


def random_offers(
    rng: random.Random,
) -> tuple[dict[str, dict[ErrorType, set[str]]], dict[ErrorType, int]]:
    offers = {
        f"t{n}": {
            k: set(rng.sample("abc", rng.randint(1, 3)))
            for k in rng.sample(KINDS, rng.randint(1, 3))
        }
        for n in range(rng.randint(1, 9))
    }
    return offers, {kind: rng.randint(1, 4) for kind in KINDS}


@pytest.mark.parametrize("seed", range(60))
def test_the_quota_is_filled_as_far_as_hall_allows(seed: int) -> None:
    offers, quota = random_offers(random.Random(seed))
    filled = fillable(offers, quota)
    some = [set(c) for size in range(len(KINDS) + 1) for c in itertools.combinations(KINDS, size)]
    bound = min(
        sum(bool(kinds & set(offer)) for offer in offers.values())
        + sum(quota[kind] for kind in KINDS if kind not in kinds)
        for kinds in some
    )
    assert sum(filled.values()) == bound
    assert all(filled[kind] <= quota[kind] for kind in KINDS)
    types = assign_types(offers, quota, seed)
    assert Counter(types.values()) == Counter({k: n for k, n in filled.items() if n})
    assert all(kind in offers[task] for task, kind in types.items())
    assert types == assign_types(dict(reversed(offers.items())), quota, seed)


@pytest.mark.parametrize("seed", range(40))
def test_no_generator_takes_more_than_it_must(seed: int) -> None:
    rng = random.Random(seed)
    offers = {f"t{n}": set(rng.sample("abc", rng.randint(1, 3))) for n in range(rng.randint(1, 7))}
    loads = [Counter(choice) for choice in itertools.product(*map(sorted, offers.values()))]
    given = assign_generators(offers, seed)
    load = Counter(given.values())
    assert all(given[task] in names for task, names in offers.items())
    assert max(load.values()) == least_largest_load(offers) == min(max(c.values()) for c in loads)
    squares = min(sum(n * n for n in c.values()) for c in loads)
    assert sum(n * n for n in load.values()) == squares


# ── the real folders ─────────────────────────────────────────────────────────────────────────────


def test_the_archive_is_read_whole(reading: Reading) -> None:
    account = reading.account
    assert account.problems == []
    assert sum(account.verdicts.values()) == 35_509
    assert account.left_out["inference error"] == 5
    assert len(account.outputs) == 14


def test_the_papers_quota_is_filled_as_far_as_the_archive_goes(paper: Built) -> None:
    assert len(paper.records) >= 1_220
    quota = paper.report["quota"]
    kinds = Counter(record["error_type"] for record in paper.records)
    for kind, count in PAPER.items():
        row = quota[kind.value]
        assert row["filled"] == kinds[kind.value] <= row["asked"] == count
        assert row["short"] == count - row["filled"]
        if kind not in (ErrorType.NAME, ErrorType.COUNT):
            assert row["filled"] == count
    assert max(paper.report["generators"].values()) < 0.2 * len(paper.records)


def test_natural_takes_every_task(natural: Built, reading: Reading) -> None:
    wrong = [a for a in reading.answered if any(o.judged.error_type for o in a.outputs)]
    assert len(natural.records) >= 1_600
    assert len(natural.records) >= len(wrong) - 10  # tasks whose answer cannot be given
    assert "no call" in {record["error_type"] for record in natural.records}
    assert sum(natural.report["generators"].values()) == len(natural.records)


@pytest.mark.parametrize("quota", ["paper", "natural"])
def test_each_pair_is_of_one_task_one_side_right_and_one_wrong(
    quota: str, request: pytest.FixtureRequest, all_tasks: dict[str, Task], tmp_path: Path
) -> None:
    built: Built = request.getfixturevalue(quota)
    ids = [record["id"] for record in built.records]
    assert len(set(ids)) == len(ids)
    built.write(tmp_path / "pairs.jsonl")
    for item, record in zip(load_file(tmp_path / "pairs.jsonl").items, built.records, strict=True):
        assert isinstance(item, Pair)
        task = all_tasks[item.id]
        assert not isinstance(item.chosen, str)
        assert check(item.chosen, task.answer or (), task.prompt.tools).ok
        problem = parse(item.rejected).problem if isinstance(item.rejected, str) else None
        first = check(item.rejected, task.answer or (), task.prompt.tools, unreadable=problem).first
        assert first is not None
        assert first.type == record["error_type"] or record["rejected_output"] == []
        assert item.error_type == record["error_type"]
        names = {tool.name for tool in task.prompt.tools}
        assert {call.name for call in item.chosen} <= names
        for call in item.chosen:
            tool = next(tool for tool in task.prompt.tools if tool.name == call.name)
            order = [
                key for key in tool.original["parameters"]["properties"] if key in call.arguments
            ]
            assert order == list(call.arguments)
    doubtful = [record for record in built.records if record["doubt"]]
    assert 0 < len(doubtful) == built.report["doubtful"]["all"] < 0.4 * len(ids)


def test_a_seed_gives_the_same_bytes_wherever_the_folders_lie(
    bfcl_results: Path, tmp_path: Path
) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "a").mkdir()
    source = next(bfcl_results.rglob("v4_mit_ctrlg"))
    (tmp_path / "b" / "one").symlink_to(source, target_is_directory=True)
    program = (
        "import sys; from pathlib import Path; from fcrewardbench.benchmarks.build import build_pairs\n"
        "print(build_pairs([Path(sys.argv[1])], seed=int(sys.argv[2])).report['sha256'])"
    )

    def run(folder: Path, seed: int, hash_seed: str) -> str:
        command = [sys.executable, "-c", program, str(folder), str(seed)]
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        return subprocess.run(
            command, env=environment, check=True, capture_output=True, text=True
        ).stdout

    first = run(source, 3, "1")
    assert first == run(tmp_path / "b" / "one", 3, "2")
    assert first != run(source, 4, "1")


def test_groups_hold_distinct_candidates_of_both_kinds(
    reading: Reading, all_tasks: dict[str, Task], tmp_path: Path
) -> None:
    built = groups_of(Reading(reading.answered[:600], reading.account), 4)
    keys = "id tools conversation candidates correct error_types generators test_category doubts"
    rights_first = 0
    for record in built.records:
        assert list(record) == keys.split()
        task = all_tasks[record["id"]]
        candidates, correct = record["candidates"], record["correct"]
        assert 2 <= len(candidates) <= 4
        assert any(correct)
        assert not all(correct)
        assert len({json.dumps(c, sort_keys=True) for c in candidates}) == len(candidates)
        for candidate, right, kind, doubt in zip(
            candidates, correct, record["error_types"], record["doubts"], strict=True
        ):
            parsed = parse(candidate)
            ok = check(
                parsed.candidate, task.answer or (), task.prompt.tools, unreadable=parsed.problem
            ).ok
            assert ok == right == (kind == "")
            assert not (right and doubt)
        rights_first += correct[0]
    assert 0.3 < rights_first / len(built.records) < 0.7
    built.write(tmp_path / "groups.jsonl")
    assert len(load_file(tmp_path / "groups.jsonl").items) == len(built.records)


# ── the recipe and the command line ──────────────────────────────────────────────────────────────


def test_the_recipe_finds_its_files_by_what_they_say(
    bfcl_results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = read_recipe()
    assert len(recipe.files) == 122
    assert len(recipe.sha256) == 64
    assert {file.source for file in recipe.files} == set(recipe.sources)
    targets = {
        source.clone().splitlines()[0].rpartition(" ")[2] for source in recipe.sources.values()
    }
    assert len(targets) == len(recipe.sources)
    files = tuple(file for file in recipe.files if file.source == "v4_mit_ctrlg")
    part = Recipe(recipe.sources, files, recipe.options, "")
    archive = next(bfcl_results.rglob("v4_mit_ctrlg")).parent
    moved = tmp_path / "clone" / "bfcl" / "renamed"
    for file in files:
        lines = (archive / file.source / file.path).read_bytes().splitlines(keepends=True)
        name = Path(file.path).name
        target = moved / file.generator[:4] / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(
            b"".join(reversed([x if x.endswith(b"\n") else x + b"\n" for x in lines]))
        )
        twin = tmp_path / "clone" / "translated" / file.generator / name
        twin.parent.mkdir(parents=True, exist_ok=True)
        twin.write_bytes(line("simple_python_0", CHINESE))
    here, there = build_recipe(part, [bfcl_results]), build_recipe(part, [tmp_path / "clone"])
    assert here.text == there.text
    assert set(there.report["generators"]) == {file.generator for file in files}
    assert there.report["doubtful"]["all"] == 0
    (moved / files[0].generator[:4] / Path(files[0].path).name).unlink()
    with pytest.raises(DataError) as missing:
        build_recipe(part, [tmp_path / "clone"])
    assert "1 of the 8 files" in str(missing.value)
    assert "git clone" in str(missing.value)
    assert "limyixiang/Ctrl-G" in str(missing.value)
    assert "aaronwu901225main" not in str(missing.value)
    monkeypatch.setenv("FCRB_CACHE", str(tmp_path / "cache"))
    assert rebuilt.state() == "not built; see docs/build.md"
    with pytest.raises(DataError, match="not built yet") as unbuilt:
        rebuilt.load()
    assert str(unbuilt.value).count("git clone") == len(recipe.sources)
    (tmp_path / "cache" / "benchmarks").mkdir(parents=True)
    (tmp_path / "cache" / "benchmarks" / "rebuilt-1.jsonl").write_text(here.text, "utf-8")
    with pytest.raises(DataError, match="is not what the recipe 'rebuilt' makes"):
        rebuilt.load()
    assert rebuilt.state() == "built by another version; build it anew"


def test_the_command_builds_reports_and_lists_problems(
    fcrb: Fcrb, folder: Folder, tmp_path: Path
) -> None:
    bad = b"".join(line(f"simple_python_{9000 + n}", WRONG) for n in range(30))
    good = b"".join(line(f"simple_python_{n}", "[nothing(x=1)]") for n in range(40))
    first = folder({f"m/{NAME}": good + bad})
    second = folder({f"k/{NAME}": line("simple_python_0", RIGHT)}, "second")
    out = tmp_path / "made" / "pairs.jsonl"
    code, text, err = fcrb("build", "--results", first, second, "--quota", "natural", "--out", out)
    assert code == 0, err
    assert "40 rows" in text
    assert "incorrect function name" in text
    lines = err.strip().splitlines()
    assert len(lines) == 21
    assert "has no 'simple_python_9000'" in lines[0]
    assert lines[-1].startswith("and 10 more problems; all 30 are in")
    assert (
        len(json.loads((tmp_path / "made" / "pairs.report.json").read_text("utf-8"))["problems"])
        == 30
    )
    assert len(load_file(out).items) == 40
    code, text, _ = fcrb(
        "build", "--results", second, "--results", first, "--candidates", 3, "--out", out
    )
    assert code == 0
    assert "1 rows" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "x.jsonl"], "Nothing could be built"),
        (["--out", "x.parquet"], "give a name that ends in .jsonl"),
        (["--out", NAME], "is named like a file of results"),
        (["--out", "x.jsonl", "--candidates", "1"], "1 is not in the range x>=2"),
        ([], "Where to? Give --out FILE."),
        (["--out", "x", "--quota", "paper", "--candidates", "3"], "--quota is for pairs"),
        (["--preset", "rebuilt", "--seed", "0"], "--preset has its own options"),
        (["--preset", "rebuilt"], "122 of the 122 files of the recipe 'rebuilt' are not under"),
    ],
)
def test_what_cannot_be_built_exits_with_2(
    fcrb: Fcrb, folder: Folder, arguments: list[str], message: str
) -> None:
    code, _, err = fcrb("build", "--results", folder({f"m/{NAME}": b"{"}), *arguments)
    assert code == 2
    assert message in err


def test_a_place_that_cannot_be_written_to(fcrb: Fcrb, folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    results = folder({f"m [x]/{NAME}": GOOD})
    command = ("build", "--results", results, "--quota", "natural", "--out")
    code, _, err = fcrb(*command, tmp_path / "file" / "x.jsonl")
    assert code == 2
    assert "x.jsonl cannot be written" in err
    code, text, _ = fcrb(*command, tmp_path / "x.jsonl")
    assert code == 0
    assert "m [x]" in text
    assert {p.name for p in tmp_path.glob("x.*")} == {"x.jsonl", "x.report.json"}


def test_groups_need_both_sides(folder: Folder) -> None:
    with pytest.raises(UsageError, match="A group has two candidates or more, not 1"):
        build_groups([folder({f"m/{NAME}": GOOD})], 1)
    with pytest.raises(DataError, match="Nothing could be built"):
        build_groups([folder({f"m/{NAME}": GOOD})], 4)
