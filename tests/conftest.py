"""Fixtures: real tasks, real small models, the public material where it is at hand."""

from __future__ import annotations

import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fcrewardbench.benchmarks.bfcl import Task, load_tasks
from fcrewardbench.cli import main
from fcrewardbench.models import folder
from fcrewardbench.types import Call, Group

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"
LONGEST = ("test_tutorial.py", "test_local.py", "test_train.py", "test_judges.py", "test_open_1.py")
os.environ["HF_HUB_OFFLINE"] = "1"  # no test may depend on the hub


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, so that no process is left alone with one."""
    order = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.name, len(order)))


@pytest.fixture(scope="session")
def tasks() -> dict[str, Task]:
    """BFCL's Python single-turn tasks, v4."""
    return load_tasks("v4")


@pytest.fixture(scope="session")
def bfcl_results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real outputs of 17 models, from the public material beside the checkout."""
    archive = SHARED_DATA / "bfcl_results.tar.xz"
    if not archive.is_file():
        pytest.skip("bfcl_results.tar.xz is not beside this checkout (../shared/data)")
    target = tmp_path_factory.mktemp("bfcl_results")
    with tarfile.open(archive) as tar:
        tar.extractall(target, filter="data")
    return target


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """SmolLM2-135M-Instruct: pad and end of turn are one token; no tools in its template."""
    return folder("smollm2-135m-q4")


@pytest.fixture(scope="session")
def gemma3() -> Path:
    """Gemma 3 270M: sliding windows, no chat template."""
    return folder("gemma3-270m-q4")


@pytest.fixture(scope="session")
def groups(tasks: dict[str, Task]) -> list[Group]:
    """Three groups of three candidates on real tasks, one prompt longer than Gemma's window of 512."""
    ids = ("simple_python_1", "parallel_7", "multiple_161")
    return [_group(tasks[task]) for task in ids]


def _group(task: Task) -> Group:
    assert task.answer
    calls = tuple(
        Call(e.name, {k: v[0] for k, v in e.arguments.items() if "" not in v}) for e in task.answer
    )
    candidates = (calls, (*calls, *calls[:1]), "I cannot help with that.")
    return Group(task.id, task.prompt, candidates, (True, False, False))


WEATHER = {
    "name": "get_weather",
    "description": "Current weather.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "unit": {"enum": ["C", "F"]}},
        "required": ["city"],
    },
}


def record(id: str, **changes: Any) -> dict[str, Any]:
    """One good record in the official schema."""
    return {
        "tools": json.dumps([WEATHER]),
        "conversation": [{"role": "user", "content": f"Weather in Oslo please, question {id}."}],
        "chosen_output": json.dumps([{"get_weather": {"city": "Oslo"}}]),
        "rejected_output": json.dumps([{"get_weather": {"city": "Bergen"}}]),
        "error_type": "value_error:string",
        "model_name": "somebody/model",
        "test_category": "simple",
        "test_id": id,
        **changes,
    }


@pytest.fixture
def pairs_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes a JSONL file of records."""

    def write(*records: dict[str, Any], name: str = "pairs.jsonl") -> Path:
        path = tmp_path / name
        path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records), "utf-8")
        return path

    return write


Result = tuple[int, str, str]
Fcrb = Callable[..., Result]


@pytest.fixture
def fcrb(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., Result]:
    """Runs the command line as its user does: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Result:
        monkeypatch.setattr("sys.argv", ["fcrb", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        captured = capfd.readouterr()
        return code, captured.out, captured.err

    return run
