"""The right side: what most models wrote, or the admissible answer nearest to the wrong one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from fractions import Fraction
from typing import Any

from fcrewardbench.benchmarks.base import candidate_json
from fcrewardbench.benchmarks.bfcl import Task
from fcrewardbench.benchmarks.build.judge import error_of
from fcrewardbench.benchmarks.build.reading import Answered
from fcrewardbench.calls.check import AdmissibleCall
from fcrewardbench.calls.edits.base import in_schema_order, properties, required
from fcrewardbench.types import Call, Candidate, JsonObject, Tool


@dataclass(frozen=True, slots=True)
class Right:
    """Right calls and where they come from: "consensus of 5 outputs" or "answer"."""

    calls: tuple[Call, ...]
    chosen_from: str


def right_for(answered: Answered, rejected: Candidate) -> Right | None:
    """The most common passing output; where none passes, the answer nearest to the rejected one.

    Outputs that are the same calls in another order are counted together; of equally common ones the
    nearest to the rejected one is taken. None where the checker passes nothing that could be made.
    """
    passing = [output.judged for output in answered.outputs if output.judged.error_type is None]
    if not passing:
        calls = nearest_answer(answered.task, rejected)
        return None if calls is None else Right(calls, "answer")
    counts = Counter(judged.meaning for judged in passing)
    most = max(counts.values())
    written = Counter(
        _text(judged.candidate) for judged in passing if counts[judged.meaning] == most
    )
    most_written = max(written.values())
    texts = sorted(text for text, count in written.items() if count == most_written)
    best = max(texts, key=lambda text: _likeness(text, _text(rejected))) if texts[1:] else texts[0]
    right = next(judged.candidate for judged in passing if _text(judged.candidate) == best)
    assert not isinstance(right, str)
    return Right(right, f"consensus of {most} output{'s' if most > 1 else ''}")


def _text(candidate: Candidate) -> str:
    return json.dumps(candidate_json(candidate), ensure_ascii=False)


def nearest_answer(task: Task, rejected: Candidate) -> tuple[Call, ...] | None:
    """The admissible calls that give the same optional arguments and the nearest values.

    Each expected call is held against the rejected call of its name that is most like it. None where
    the checker passes neither these calls nor those without optional arguments.
    """
    tools = {tool.name: tool for tool in task.prompt.tools}
    left = [] if isinstance(rejected, str) else list(rejected)
    like: list[Mapping[str, Any]] = []
    for expected in task.answer or ():
        named = [call for call in left if call.name == expected.name] or left
        near = max(named, key=lambda call: _in_common(call, expected), default=None)
        if near is not None:
            left.remove(near)
        like.append(near.arguments if near else {})
    without: list[Mapping[str, Any]] = [{} for _ in like]
    for given in (like, without):
        calls = tuple(
            _answered(expected, tools[expected.name], arguments)
            for expected, arguments in zip(task.answer or (), given, strict=True)
        )
        if error_of(calls, task) is None:
            return calls
    return None


def _in_common(call: Call, expected: AdmissibleCall) -> int:
    return sum(value in expected.arguments.get(name, ()) for name, value in call.arguments.items())


def _answered(expected: AdmissibleCall, tool: Tool, given: Mapping[str, Any]) -> Call:
    schemas, needed = properties(tool), required(tool)
    arguments = {}
    for name, admissible in expected.arguments.items():
        options = [option for option in admissible if option != ""]
        optional = "" in admissible and name not in needed
        if not options or (optional and name not in given):
            continue
        schema = schemas.get(name, {})
        resolved = [_resolved(option, schema, given.get(name)) for option in options]
        arguments[name] = _nearest(resolved, given.get(name))
    return Call(expected.name, in_schema_order(arguments, tool))


def _resolved(option: Any, schema: JsonObject, given: Any) -> Any:
    """A value out of an admissible one: objects hold a list of options under each key."""
    if isinstance(option, Mapping) and schema.get("type") == "dict":
        like = given if isinstance(given, Mapping) else {}
        value = {}
        for key, options in option.items():
            if not isinstance(options, Sequence) or isinstance(options, str):
                return dict(option)
            some = [item for item in options if item != ""]
            if some and ("" not in options or key in like):
                value[key] = _nearest(some, like.get(key))
        return value
    items = schema.get("items")
    if isinstance(option, list) and isinstance(items, Mapping) and items.get("type") == "dict":
        places = given if isinstance(given, list) else []
        return [
            _resolved(item, items, places[place] if place < len(places) else None)
            for place, item in enumerate(option)
        ]
    return option


def _nearest(options: Sequence[Any], given: Any) -> Any:
    """The first option that is most like the value given; the first where none was given."""
    if given is None:
        return options[0]
    return max(options, key=lambda option: _value_likeness(option, given))


def _value_likeness(option: Any, given: Any) -> float:
    """1 for the same value, less the further away."""
    numbers = (int, float)
    if type(option) in numbers and type(given) in numbers:
        one, other = Fraction(option), Fraction(given)
        return float(1 - abs(one - other) / (abs(one) + abs(other) or 1))
    return _likeness(
        json.dumps(option, ensure_ascii=False, sort_keys=True),
        json.dumps(given, ensure_ascii=False, sort_keys=True),
    )


def _likeness(text: str, other: str) -> float:
    return SequenceMatcher(None, text, other, autojunk=False).ratio()
