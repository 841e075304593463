"""One output → a candidate in the house style and the checker's verdict on it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fcrewardbench.benchmarks.base import candidate_json
from fcrewardbench.benchmarks.bfcl import Task
from fcrewardbench.calls.check import check, restore_names
from fcrewardbench.calls.edits.base import in_schema_order
from fcrewardbench.calls.parse import parse
from fcrewardbench.errors import DataError
from fcrewardbench.types import Call, Candidate, ErrorType

_DEEPEST = 100


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate, what it means, and why it is wrong (None where it is right).

    `meaning` is the same text for candidates that are the same JSON, their calls in any order.
    """

    candidate: Candidate
    meaning: str
    error_type: ErrorType | None
    dialect: str


def judge(output: Any, task: Task) -> Judged:
    """Parse an output, restore its style, and check it against the task's answer.

    Function names are the tools' own, arguments stand in the schema's order, values are as the model
    wrote them. Unreadable text stays as it is. An empty list is a wrong number of calls, as BFCL counts
    it; "no call" is an answer in words.

    Raises:
        DataError: the task cannot be judged, or the output holds what JSON cannot.
    """
    parsed = parse(output, language=task.language)
    candidate = parsed.candidate
    if not isinstance(candidate, str):
        candidate = styled(candidate, task)
    meaning = meaning_of(candidate)
    kind = error_of(candidate, task, parsed.problem)
    if candidate == () and kind is ErrorType.NO_CALL:
        kind = ErrorType.COUNT
    return Judged(candidate, meaning, kind, parsed.dialect)


def error_of(candidate: Candidate, task: Task, unreadable: str | None = None) -> ErrorType | None:
    """The first error that the checker finds; None for a right candidate."""
    language = task.language
    answer = task.answer or ()
    checked = check(candidate, answer, task.prompt.tools, unreadable=unreadable, language=language)
    return checked.first.type if checked.first else None


def styled(calls: tuple[Call, ...], task: Task) -> tuple[Call, ...]:
    """The calls with the tools' own names, and their arguments in the schema's order."""
    tools = {tool.name: tool for tool in task.prompt.tools}
    return tuple(
        Call(call.name, in_schema_order(call.arguments, tools[call.name]))
        if call.name in tools
        else call
        for call in restore_names(calls, task.prompt.tools)
    )


def meaning_of(candidate: Candidate) -> str:
    """A text that candidates share if and only if they are the same calls, or the same words.

    Raises:
        DataError: a value that JSON has no word for, or that its readers do not take: nested more than
            100 deep, a number beyond all floats.
    """
    if isinstance(candidate, str):
        return candidate
    try:
        for call in candidate:
            _portable(call.arguments)
        calls = sorted(
            json.dumps(call, sort_keys=True, ensure_ascii=False, allow_nan=False)
            for call in candidate_json(candidate)
        )
    except (ValueError, OverflowError) as why:
        raise DataError(f"the output holds what JSON cannot ({why}).") from None
    return "\n".join(calls)


def _portable(value: Any, depth: int = 0) -> None:
    if depth > _DEEPEST:
        raise ValueError(f"it is nested more than {_DEEPEST} deep")
    if isinstance(value, int):
        float(value)
    elif isinstance(value, (list, Mapping)):
        for item in value.values() if isinstance(value, Mapping) else value:
            _portable(item, depth + 1)
