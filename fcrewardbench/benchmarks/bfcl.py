"""BFCL's tasks, tools and admissible answers, read out of the `bfcl-eval` wheel.

The wheel is fetched once with pip and never installed: its requirements are heavy and hard-pinned,
and only its data files are wanted. Berkeley Function-Calling Leaderboard, Apache-2.0.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from fcrewardbench.calls.check import AdmissibleCall
from fcrewardbench.calls.tools import tool_from
from fcrewardbench.calls.typed_values import Language
from fcrewardbench.errors import DataError, UnknownName
from fcrewardbench.packages import Wheel, fetch
from fcrewardbench.types import Message, Prompt

WHEELS = {
    "v3": Wheel(
        "bfcl-eval", "2025.6.16", "512c9defc4c2de70876288075cbfe67ad4c0fadabaeb75d0d5eedd38a83f7fb4"
    ),
    "v4": Wheel(
        "bfcl-eval", "2026.3.23", "3bb6dfa5f0c68ad403c9ec50b00db2bb3b4cc9b38ab1ff33f48fe30d853d3a0a"
    ),
}
PYTHON_CATEGORIES = (
    "simple_python",
    "multiple",
    "parallel",
    "parallel_multiple",
    "live_simple",
    "live_multiple",
    "live_parallel",
    "live_parallel_multiple",
)
TYPED_CATEGORIES = ("simple_java", "simple_javascript")
LANGUAGES: dict[str, Language] = {
    **dict.fromkeys(PYTHON_CATEGORIES, "python"),
    "simple_java": "java",
    "simple_javascript": "javascript",
}
NO_CALL_CATEGORIES = ("irrelevance", "live_irrelevance")
RELEVANCE_CATEGORIES = ("live_relevance",)
CATEGORIES = (*PYTHON_CATEGORIES, *TYPED_CATEGORIES, *NO_CALL_CATEGORIES, *RELEVANCE_CATEGORIES)
_V3_NAMES = {"simple_python": "simple", "simple_java": "java", "simple_javascript": "javascript"}


@dataclass(frozen=True)
class Task:
    """One BFCL question.

    `answer` holds the expected calls; it is empty where no call is due, and None where a call is due
    but which one is not said (`live_relevance`).
    """

    id: str
    category: str
    prompt: Prompt
    answer: tuple[AdmissibleCall, ...] | None

    @property
    def language(self) -> Language:
        """Whose types and notation the answer has; see `parse` and `check`."""
        return LANGUAGES.get(self.category, "python")


def load_tasks(
    version: str = "v4",
    categories: Sequence[str] = PYTHON_CATEGORIES,
    wheel: Path | None = None,
) -> dict[str, Task]:
    """Tasks by id, in the order of the files.

    Args:
        version: "v3" or "v4"; each has its own ids ("simple_0" is "simple_python_0" in v4).
        categories: named as in v4, whatever the version.
        wheel: a wheel file to read instead of the pinned one.

    Raises:
        UnknownName: no such version or category.
        DataError: the wheel cannot be fetched or is not what it should be.
    """
    if version not in WHEELS:
        raise UnknownName("BFCL version", version, WHEELS)
    for category in categories:
        if category not in CATEGORIES:
            raise UnknownName("BFCL category", category, CATEGORIES)
    path = wheel or fetch(WHEELS[version])
    return {
        task.id: task for category in categories for task in _load_category(path, version, category)
    }


@lru_cache(maxsize=64)
def _load_category(path: Path, version: str, category: str) -> tuple[Task, ...]:
    name = _V3_NAMES.get(category, category) if version == "v3" else category
    file = f"BFCL_{version}_{name}.json"
    questions = list(_lines(path, f"bfcl_eval/data/{file}"))
    answers: dict[str, Any] = {}
    if category not in NO_CALL_CATEGORIES + RELEVANCE_CATEGORIES:
        rows = _lines(path, f"bfcl_eval/data/possible_answer/{file}")
        answers = {row["id"]: row["ground_truth"] for row in rows}
    tasks = []
    for row in questions:
        answer: tuple[AdmissibleCall, ...] | None = ()
        if category in RELEVANCE_CATEGORIES:
            answer = None
        elif answers:
            answer = _answer(answers[row["id"]], row["function"], parallel="parallel" in category)
        messages: tuple[Message, ...] = tuple(row["question"][0])
        tools = tuple(tool_from(function) for function in row["function"])
        tasks.append(Task(row["id"], category, Prompt(tools, messages), answer))
    return tuple(tasks)


def _answer(
    calls: list[dict[str, Any]], functions: list[dict[str, Any]], *, parallel: bool
) -> tuple[AdmissibleCall, ...]:
    """The expected calls. Where there is but one tool, its name holds: one v3 answer misspells it."""
    only = functions[0]["name"] if len(functions) == 1 and not parallel else None
    return tuple(
        AdmissibleCall(only or name, arguments)
        for call in calls
        for name, arguments in call.items()
    )


def _lines(path: Path, member: str) -> Iterator[dict[str, Any]]:
    try:
        with zipfile.ZipFile(path) as archive, archive.open(member) as lines:
            for line in lines:
                yield json.loads(line)
    except (OSError, zipfile.BadZipFile, KeyError, ValueError) as why:
        raise DataError(
            f"{path} does not hold BFCL's {member}: {why}. Delete it to fetch it again, or give a "
            "bfcl-eval wheel."
        ) from why
