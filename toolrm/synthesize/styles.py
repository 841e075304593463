"""Other ways to write the calls of both candidates of a pair, as models do."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from fcrewardbench import Call, Candidate, parse
from fcrewardbench.benchmarks.base import same

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
    chosen: Candidate, rejected: Sequence[Candidate], rng: Random
) -> tuple[str, Candidate, list[Candidate]] | None:
    """A style, and all candidates of a record in it; replies in words stay as they are.

    None where no style writes all of them so that they are read back as the same calls, or where a
    candidate is broken JSON, which would then be the one in another style.
    """
    texts = [candidate for candidate in (chosen, *rejected) if isinstance(candidate, str)]
    if len(texts) > len(rejected) or any(parse(text).problem for text in texts):
        return None
    for name in rng.sample(list(STYLES), len(STYLES)):
        written = [_written(candidate, STYLES[name]) for candidate in (chosen, *rejected)]
        if None not in written:
            first, *others = [candidate for candidate in written if candidate is not None]
            return name, first, others
    return None


def _written(candidate: Candidate, write: Callable[[Calls], str | None]) -> Candidate | None:
    if isinstance(candidate, str):
        return candidate
    text = write(candidate)
    return text if text is not None and same(parse(text).candidate, candidate) else None
