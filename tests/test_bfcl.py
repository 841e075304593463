import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from fcrewardbench.benchmarks.bfcl import CATEGORIES, PYTHON_CATEGORIES, WHEELS, load_tasks
from fcrewardbench.errors import DataError, UnknownName
from fcrewardbench.packages import Wheel, cache_folder, fetch

COUNTS = {
    "simple_python": 400,
    "multiple": 200,
    "parallel": 200,
    "parallel_multiple": 200,
    "live_simple": 258,
    "live_multiple": 1053,
    "live_parallel": 16,
    "live_parallel_multiple": 24,
    "simple_java": 100,
    "simple_javascript": 50,
    "irrelevance": 240,
}


@pytest.mark.parametrize("version", ["v3", "v4"])
def test_every_category_is_read_whole(version: str) -> None:
    for category, count in COUNTS.items():
        tasks = load_tasks(version, [category])
        assert len(tasks) == count
        due = category != "irrelevance"
        assert all(bool(task.answer) == due for task in tasks.values())
    assert len(load_tasks(version, ["live_relevance"])) == (17 if version == "v3" else 16)
    assert len(load_tasks(version, ["live_irrelevance"])) == (882 if version == "v3" else 884)
    relevance = load_tasks(version, ["live_relevance"]).values()
    assert all(task.answer is None for task in relevance)
    assert len(load_tasks(version)) == sum(COUNTS[category] for category in PYTHON_CATEGORIES)


def test_a_task_is_its_question_tools_and_answer() -> None:
    task = load_tasks("v4")["simple_python_0"]
    assert task.prompt.messages[0]["content"].startswith("Find the area of a triangle")
    assert [tool.name for tool in task.prompt.tools] == ["calculate_triangle_area"]
    assert task.prompt.tools[0].parameters["type"] == "object"
    assert task.prompt.tools[0].original["parameters"]["type"] == "dict"
    assert task.answer is not None
    assert task.answer[0].arguments == {"base": [10], "height": [5], "unit": ["units", ""]}


def test_every_answer_names_one_of_its_tools() -> None:
    for version in ("v3", "v4"):
        for task in load_tasks(version, CATEGORIES).values():
            names = {tool.name for tool in task.prompt.tools}
            assert {call.name for call in task.answer or ()} <= names, task.id


def test_unknown_versions_and_categories_are_named() -> None:
    with pytest.raises(UnknownName, match="There is no BFCL version 'v5'"):
        load_tasks("v5")
    with pytest.raises(UnknownName, match="Did you mean 'multiple'"):
        load_tasks("v4", ["multipel"])


def test_a_given_wheel_is_read_and_a_wrong_one_is_refused(tmp_path: Path) -> None:
    copy = tmp_path / "mine.whl"
    copy.write_bytes(fetch(WHEELS["v4"]).read_bytes())
    assert len(load_tasks("v4", ["multiple"], copy)) == 200
    for name, content in (("text.whl", b"no archive"), ("empty.whl", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match="does not hold BFCL's"):
            load_tasks("v4", ["multiple"], tmp_path / name)
    with zipfile.ZipFile(tmp_path / "other.whl", "w") as archive:
        archive.writestr("a.txt", "")
    with pytest.raises(DataError, match="does not hold BFCL's"):
        load_tasks("v4", ["multiple"], tmp_path / "other.whl")


def test_the_cache_moves_and_a_changed_file_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = fetch(WHEELS["v4"])
    monkeypatch.setenv("FCRB_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    moved = tmp_path / "wheels" / good.name
    moved.parent.mkdir()
    moved.write_bytes(good.read_bytes())
    assert fetch(WHEELS["v4"]) == moved
    moved.write_bytes(good.read_bytes()[:-1])
    with pytest.raises(DataError, match="Delete it to fetch it again"):
        fetch(WHEELS["v4"])


def test_a_package_that_does_not_exist_gives_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FCRB_CACHE", str(tmp_path))
    monkeypatch.setenv("PIP_RETRIES", "0")
    with pytest.raises(
        DataError, match=r"pip could not download fcrewardbench-none==0 .*put the wheel"
    ):
        fetch(Wheel("fcrewardbench-none", "0", "0" * 64))
    assert not list((tmp_path / "wheels").iterdir())


def test_our_verdicts_agree_with_bfcls_own_checker(bfcl_results: Path) -> None:
    script = Path(__file__).parents[1] / "scripts" / "compare_bfcl_checker.py"
    command = [sys.executable, str(script), str(bfcl_results), "--at-least", "0.995"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "35514  100.000%  outputs" in run.stdout
