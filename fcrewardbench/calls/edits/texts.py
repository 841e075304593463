"""JSON that breaks: the right calls, written so that nothing can read them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from random import Random

from fcrewardbench.calls.edits.base import Calls, Context, Operator
from fcrewardbench.calls.edits.sites import shuffled
from fcrewardbench.types import ErrorType


def _operator(name: str, breaks: Callable[[str, Random], Iterator[str]]) -> Operator:
    def edit(context: Context, calls: Calls, rng: Random) -> Iterator[str]:
        text = json.dumps([call.as_dict() for call in calls], ensure_ascii=False)
        yield from breaks(text, rng)

    return Operator(f"parsing/{name}", ErrorType.PARSING, edit)


def _truncated(text: str, rng: Random) -> Iterator[str]:
    """Out of tokens before the end."""
    yield text[: rng.randrange(len(text) * 3 // 5, len(text) - 4)]


def _bracket_missing(text: str, rng: Random) -> Iterator[str]:
    for place in shuffled([m.start() for m in re.finditer(r"[}\]](?=[}\]])", text)], rng):
        yield text[:place] + text[place + 1 :]


def _bracket_doubled(text: str, rng: Random) -> Iterator[str]:
    for place in shuffled([m.start() for m in re.finditer(r"[}\]](?=[,}\]])", text)], rng):
        yield text[:place] + text[place] + text[place:]


def _string_unterminated(text: str, rng: Random) -> Iterator[str]:
    for place in shuffled([m.start() for m in re.finditer(r'(?<=\w)"(?=[,}\]])', text)], rng):
        yield text[:place] + text[place + 1 :]


def _quote_doubled(text: str, rng: Random) -> Iterator[str]:
    for place in shuffled([m.start() for m in re.finditer(r'(?<=\w)"(?=[,}\]])', text)], rng):
        yield text[:place] + '"' + text[place:]


def _comma_missing(text: str, rng: Random) -> Iterator[str]:
    for place in shuffled([m.start() for m in re.finditer(r', (?="\w+": )', text)], rng):
        yield text[:place] + text[place + 1 :]


def _keyword_mixed_in(text: str, rng: Random) -> Iterator[str]:
    """A value as `name=value`, half JSON and half Python."""
    for match in shuffled(list(re.finditer(r'"(\w+)": (?=["\d])', text)), rng):
        if match[1] not in ("name", "arguments"):
            yield f"{text[: match.start()]}{match[1]}={text[match.end() :]}"


def _remark(text: str, rng: Random) -> Iterator[str]:
    """A comment in the middle, which JSON does not have."""
    for match in shuffled(list(re.finditer(r', (?="\w+": )', text)), rng):
        yield f"{text[: match.end()]}// as requested\n{text[match.end() :]}"


TEXTS = (
    _operator("truncated", _truncated),
    _operator("bracket-missing", _bracket_missing),
    _operator("bracket-doubled", _bracket_doubled),
    _operator("string-unterminated", _string_unterminated),
    _operator("quote-doubled", _quote_doubled),
    _operator("comma-missing", _comma_missing),
    _operator("keyword-mixed-in", _keyword_mixed_in),
    _operator("remark", _remark),
)
