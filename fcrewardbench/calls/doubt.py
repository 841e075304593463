"""Doubtful pairs: wrong by BFCL's admissible answers, right in a careful reader's eyes.

`doubts` matches calls as the checker does, but lets equivalences pass (`fcrewardbench.calls.doubts`,
listed with examples in `docs/doubts.md`). A candidate is doubtful where every difference that the
checker objects to is excused; one real error, and it is certainly wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from fcrewardbench.calls.check import AdmissibleCall, check, restore_names
from fcrewardbench.calls.doubts.base import Place, Talk
from fcrewardbench.calls.doubts.values import (
    Excuse,
    defaulted,
    excuse,
    left_out,
    says_nothing,
    supported,
)
from fcrewardbench.calls.doubts.words import content
from fcrewardbench.calls.edits.base import properties
from fcrewardbench.types import Call, Candidate, ErrorType, Prompt, Tool

COERCIONS = ("number as text", "boolean as text", "one item or a list of it")
"""How reasons begin that excuse nothing but a wrong type; a row that tests types is certain still."""


def doubts(
    candidate: Candidate, answer: Sequence[AdmissibleCall], prompt: Prompt
) -> tuple[str, ...]:
    """Why a candidate that the checker finds wrong may be right, in fixed words and by argument.

    Empty where there is no doubt: the candidate passes the checker, answers in words, or has at
    least one difference that nothing excuses.

    Raises:
        DataError: as `check` does.
    """
    if isinstance(candidate, str) or not candidate or not answer:
        return ()
    if check(candidate, answer, prompt.tools).ok:
        return ()
    reader = _Reader(prompt)
    calls = restore_names(candidate, prompt.tools)
    for kinds, variant, due in _recounted(calls, answer, reader):
        excused = reader.match(variant, due)
        if excused is not None:
            return tuple(dict.fromkeys((*kinds, *excused)))
    return ()


class _Reader:
    """What a reader knows: the tools and the conversation."""

    def __init__(self, prompt: Prompt) -> None:
        self.tools = {tool.name: tool for tool in prompt.tools}
        self.talk = Talk(prompt)

    def match(self, calls: Sequence[Call], answer: Sequence[AdmissibleCall]) -> Excuse:
        """The fewest excuses under which each expected call has a call of its own; None if none."""
        if len(calls) != len(answer):
            return None
        table = [[self.excuses(call, expected) for call in calls] for expected in answer]
        if not all(any(cell is not None for cell in row) for row in table):
            return None
        if len(table) == 1:
            return table[0][0]
        from scipy.optimize import linear_sum_assignment

        dear = 1_000  # more than all excuses of one call together
        costs = [[dear if cell is None else len(cell) for cell in row] for row in table]
        found = [
            table[row][column] for row, column in zip(*linear_sum_assignment(costs), strict=True)
        ]
        if any(cell is None for cell in found):
            return None
        return tuple(reason for cell in found for reason in cell or ())

    def excuses(self, call: Call, expected: AdmissibleCall) -> Excuse:
        """Why one call may pass for one that is expected; empty where the checker takes it."""
        tool = self.tools.get(expected.name)
        if tool is None:
            return None
        reasons: list[str] = []
        if call.name != expected.name:
            other = self.tools.get(call.name)
            if other is None or not _twins(other, tool):
                return None
            reasons.append(f"another tool that does the same: '{call.name}'")
            call = Call(expected.name, call.arguments)
        for failure in check((call,), (expected,), (tool,)).failures:
            name = failure.argument
            kinds = None if name is None else self._kinds(failure.type, name, call, expected, tool)
            if kinds is None:
                return None
            reasons.extend(f"{kind}: '{name}'" for kind in kinds)
        return tuple(reasons)

    def _kinds(
        self, error: ErrorType, name: str, call: Call, expected: AdmissibleCall, tool: Tool
    ) -> Excuse:
        schemas = properties(tool)
        if name not in schemas:
            return None
        place = Place(tool, name, schemas[name], self.talk)
        admissible = expected.arguments.get(name)
        if admissible is None:
            if error is not ErrorType.UNEXPECTED:
                return None
            return _extra(call.arguments[name], place)
        if name not in call.arguments:
            return left_out(admissible, place) if error is ErrorType.MISSING_OPTIONAL else None
        # Equal in all that `same` looks at, and yet not to the checker: [1, 2] and [1.0, 2.0].
        kinds = excuse(call.arguments[name], admissible, place)
        return ("other spelling",) if kinds == () else kinds


def _extra(value: Any, place: Place) -> Excuse:
    """Why an argument may be given that the tool has and the answer does not list."""
    if says_nothing(value):
        return ("left empty",)
    if defaulted(value, place):
        return ("default made explicit",)
    return ("argument that the answer does not list",) if supported(value, place) else None


_GENERIC_WORDS = """
get gets fetch fetches retrieve retrieves return returns find finds obtain calculate calculates compute
computes determine determines function given specified provided
"""
_GENERIC = frozenset(_GENERIC_WORDS.split())


def _twins(first: Tool, second: Tool) -> bool:
    """Whether two tools of the same parameters have one description, generic verbs apart.

    Siblings that differ in one word more are two tools.
    """
    if properties(first).keys() != properties(second).keys():
        return False
    told = [_without_generic(content(tool.description)) for tool in (first, second)]
    return told[0] == told[1] != []


def _without_generic(words: list[str]) -> list[str]:
    return [word for word in words if word not in _GENERIC]


def _recounted(
    calls: tuple[Call, ...], answer: Sequence[AdmissibleCall], reader: _Reader
) -> Iterator[tuple[tuple[str, ...], tuple[Call, ...], Sequence[AdmissibleCall]]]:
    """The calls as they are; without repetitions; merged or split; each with what that is called."""
    if len(calls) == len(answer):
        yield (), calls, answer
        return
    single = _without_repetitions(calls)
    if len(single) < len(calls):
        yield ("the same call twice",), single, answer
    if len(calls) > len(answer):
        alone = _once(expected.name for expected in answer)
        yield ("calls for single items of a list",), _merged(single, alone, reader), answer
        return
    due = tuple(expected for n, expected in enumerate(answer) if expected not in answer[:n])
    if len(due) < len(answer):
        yield ("the same call due twice",), calls, due
    alone = _once(call.name for call in calls)
    split = tuple(part for call in calls for part in _split(call, alone, reader))
    yield ("one call with a list of items",), split, answer


def _once(names: Iterable[str]) -> frozenset[str]:
    """The names that stand there once. All calls of a tool are taken together, or none."""
    return frozenset(name for name, count in Counter(names).items() if count == 1)


def _without_repetitions(calls: tuple[Call, ...]) -> tuple[Call, ...]:
    return tuple(call for n, call in enumerate(calls) if call not in calls[:n])


def _merged(calls: tuple[Call, ...], alone: frozenset[str], reader: _Reader) -> tuple[Call, ...]:
    """Calls of one tool that differ in one argument that takes a list, as one call with a list."""
    merged: list[Call] = []
    for call in calls:
        for place, earlier in enumerate(merged):
            name = _list_between(earlier, call, reader)
            if name is not None and call.name in alone:
                items = [*_listed(earlier.arguments[name]), *_listed(call.arguments[name])]
                merged[place] = Call(call.name, {**earlier.arguments, name: items})
                break
        else:
            merged.append(call)
    return tuple(merged)


def _list_between(first: Call, second: Call, reader: _Reader) -> str | None:
    """The one argument in which two calls differ, where its parameter takes a list."""
    if first.name != second.name or first.arguments.keys() != second.arguments.keys():
        return None
    differing = [n for n in first.arguments if first.arguments[n] != second.arguments[n]]
    tool = reader.tools.get(first.name)
    if len(differing) != 1 or tool is None:
        return None
    schema: Mapping[str, Any] = properties(tool).get(differing[0]) or {}
    return differing[0] if schema.get("type") in ("array", "tuple") else None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _split(call: Call, alone: frozenset[str], reader: _Reader) -> tuple[Call, ...]:
    """A call whose list has several items as one call each; the call itself where it has none."""
    tool = reader.tools.get(call.name)
    lists = [n for n, v in call.arguments.items() if isinstance(v, list) and len(v) > 1]
    if tool is None or len(lists) != 1 or call.name not in alone:
        return (call,)
    name = lists[0]
    if (properties(tool).get(name) or {}).get("type") not in ("array", "tuple"):
        return (call,)
    return tuple(Call(call.name, {**call.arguments, name: [item]}) for item in call.arguments[name])
