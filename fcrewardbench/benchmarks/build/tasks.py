"""Tasks that outputs belong to, one where two versions of BFCL ask and expect the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fcrewardbench.benchmarks.bfcl import CATEGORIES, Task, load_tasks
from fcrewardbench.benchmarks.build.layout import ResultFile

_NUMBER = re.compile(r"(?:(?P<prefix>.*)_)?(?P<number>[0-9]{1,9})")
_V3_PREFIXES = {
    "simple_python": "simple",
    "simple_java": "java",
    "simple_javascript": "javascript",
}


@dataclass(frozen=True, slots=True)
class Catalogue:
    """BFCL's tasks by version and the version's own ids.

    A task of v3 whose question, tools and answer v4 has unchanged is v4's task; one that differs has
    the id of v4 with "@v3" behind it.
    """

    tasks: Mapping[str, Mapping[str, Task]] = field(repr=False)

    def find(self, file: ResultFile, line: Mapping[str, Any]) -> Task | None:
        """The task that a line of a result file is about; None where its version has none."""
        own = line_id(line)
        if own is None:
            return None
        if file.version == "v1":
            own = _id_of_v1(own, file)
        version = "v4" if file.version == "v4" else "v3"
        task = self.tasks[version].get(str(own))
        return task if task is not None and task.category == file.category else None


def line_id(line: Mapping[str, Any]) -> str | int | None:
    """The id that a line gives itself: text, or a number in v1."""
    own = line.get("id", line.get("idx"))
    return own if isinstance(own, (str, int)) and not isinstance(own, bool) else None


def _id_of_v1(own: str | int, file: ResultFile) -> str | None:
    """v3's id of a v1 line: v1 numbers its lines within a category."""
    number = _NUMBER.fullmatch(str(own))
    prefix = _V3_PREFIXES.get(file.category, file.category)
    if number is None or number["prefix"] not in (None, file.prefix, prefix):
        return None
    return f"{prefix}_{int(number['number'])}"


def load_catalogue() -> Catalogue:
    """All single-turn tasks of v3 and v4.

    Raises:
        DataError: a BFCL wheel cannot be fetched or is not what it should be.
    """
    newer = load_tasks("v4", CATEGORIES)
    older: dict[str, Task] = {}
    for task in load_tasks("v3", CATEGORIES).values():
        prefix = _V3_PREFIXES.get(task.category)
        id = f"{task.category}{task.id.removeprefix(prefix)}" if prefix else task.id
        twin = newer.get(id)
        same = twin is not None and _content(twin) == _content(task)
        older[task.id] = (
            twin if twin and same else Task(f"{id}@v3", task.category, task.prompt, task.answer)
        )
    return Catalogue({"v3": older, "v4": newer})


def _content(task: Task) -> tuple[Any, ...]:
    tools = [tool.original for tool in task.prompt.tools]
    return (task.prompt.messages, tools, task.answer)
