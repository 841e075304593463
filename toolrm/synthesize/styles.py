"""Other ways to write the calls of both candidates of a pair, as models do."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from fcrewardbench import Call, Candidate, ErrorType, parse
from fcrewardbench.benchmarks.base import same
from fcrewardbench.calls.edits.base import Edit
from toolrm.synthesize.tally import operator_of

Calls = tuple[Call, ...]


def _dicts(calls: Calls) -> list[dict[str, Any]]:
    return [call.as_dict() for call in calls]


def _json(value: Any, **form: Any) -> str:
    return json.dumps(value, ensure_ascii=False, **form)


def _compact(calls: Calls) -> str:
    return _json(_dicts(calls), separators=(",", ":"))


def _indented(calls: Calls) -> str:
    return _json(_dicts(calls), indent=2)


def _single(calls: Calls) -> str | None:
    return _json(_dicts(calls)[0]) if len(calls) == 1 else None


def _arguments_first(calls: Calls) -> str:
    return _json([{"arguments": dict(call.arguments), "name": call.name} for call in calls])


def _keyed(calls: Calls) -> str:
    return _json([{call.name: dict(call.arguments)} for call in calls])


def _openai(calls: Calls) -> str:
    functions = [{"name": c.name, "arguments": _json(dict(c.arguments))} for c in calls]
    return _json([{"type": "function", "function": function} for function in functions])


STYLES: dict[str, Callable[[Calls], str | None]] = {
    "compact": _compact,
    "indented": _indented,
    "single object": _single,
    "arguments first": _arguments_first,
    "name as key": _keyed,
    "OpenAI tool_calls": _openai,
}


def restyled(
    chosen: Candidate, edits: Sequence[Edit], rng: Random
) -> tuple[str, Candidate, list[Candidate]] | None:
    """A style, and all candidates of a record in it; replies in words stay as they are.

    In the place of a candidate that is broken JSON, the right one in that style is broken in the same
    way; other notations that cannot be read stay as they are. None where `chosen` is in words, where a
    model broke a candidate, or where no style writes all so that they are read back as the same calls.
    """
    if isinstance(chosen, str):
        return None
    for name in rng.sample(list(STYLES), len(STYLES)):
        first = _written(chosen, STYLES[name])
        if not isinstance(first, str):
            continue
        others = [_rewritten(edit, first, STYLES[name], rng) for edit in edits]
        written = [candidate for candidate in others if candidate is not None]
        if len(written) == len(others):
            return name, first, written
    return None


def _rewritten(
    edit: Edit, right: str, write: Callable[[Calls], str | None], rng: Random
) -> Candidate | None:
    operator = operator_of(edit)
    if operator in _BREAKS:
        return broken(right, operator, rng)
    broken_by_model = not edit.operator.startswith("edit:") and edit.error_type is ErrorType.PARSING
    if broken_by_model or (isinstance(edit.candidate, str) and edit.candidate.startswith(_JSON)):
        return None  # what is wrong with it is not known of another style
    return _written(edit.candidate, write)


_JSON = '[{"'


def _is_broken(candidate: Candidate) -> bool:
    return isinstance(candidate, str) and parse(candidate).problem is not None


def broken(text: str, operator: str, rng: Random) -> str | None:
    """Calls in any style, broken as an operator breaks JSON; None where that cannot be done.

    Args:
        operator: the id of one of the training family's for parsing errors.
    """
    pattern, put = _BREAKS[operator]
    forms = [f"{text[: m.start()]}{put(m)}{text[m.end() :]}" for m in pattern.finditer(text)]
    return next((form for form in rng.sample(forms, len(forms)) if _is_broken(form)), None)


_BREAKS: dict[str, tuple[re.Pattern[str], Callable[[re.Match[str]], str]]] = {
    "parsing/bracket-missing": (re.compile(r"[}\]](?=\s*[}\]])"), lambda m: ""),
    "parsing/quote-doubled": (re.compile(r"(?<=\w)\""), lambda m: m[0] * 2),
    "parsing/remark": (re.compile(r",\s*(?=\\?\")"), lambda m: f"{m[0]}// as requested\n"),
    "parsing/keyword-mixed-in": (
        re.compile(r"\"(?!(?:name|arguments|type)\")(\w+)\": ?(?=[\"\d])"),
        lambda m: f"{m[1]}=",
    ),
}


def _written(candidate: Candidate, write: Callable[[Calls], str | None]) -> Candidate | None:
    if isinstance(candidate, str):
        return candidate
    text = write(candidate)
    return text if text is not None and same(parse(text).candidate, candidate) else None
