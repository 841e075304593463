"""Whether a value can be had from a text: loosely, by its words and numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

_NUMBERS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    *("nineteen", "twenty"),
)
NUMBER_WORDS = {word: number for number, word in enumerate(_NUMBERS)}
_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september"),
    *("october", "november", "december"),
)
_WORD = re.compile(r"[^\W\d_]+|[0-9]+(?:\.[0-9]+)?")
_STOP = frozenset(
    (
        *("a", "an", "and", "as", "at", "by", "for", "from", "in", "is", "it", "of", "on", "or"),
        *("the", "to", "with", "s", "st", "nd", "rd", "th", "am", "pm", "t", "z"),
    )
)
_AFTERNOON = re.compile(r"\b(\d{1,2})(?=(?::\d\d)? ?p\.?m)")
_ON_THE_HOUR = re.compile(r"\d ?[ap]\.?m\b", re.IGNORECASE)
_STEM = 4


def grounded(value: Any, text: str) -> bool:
    """Whether a value's numbers stand in the text, and at least half of its words.

    `2022-08-01` stands in "August 1st, 2022", `3` in "three", 0.05 in "5%", `20:00` in "8:00 PM".
    Truth values and empty values stand everywhere; a list or an object does where each of its items
    does.
    """
    if isinstance(value, bool) or value is None:
        return True
    known = _words(text)
    if isinstance(value, int | float):
        return _number(value) in known or _number(value * 100) in known
    if isinstance(value, Mapping):
        return all(grounded(item, text) for item in value.values())
    if isinstance(value, list | tuple):
        return all(grounded(item, text) for item in value)
    found = _found(str(value))
    words = {word for word in found if word.isalpha()} - _STOP
    numbers = {_number(float(word)) for word in found if not word.isalpha()}
    return numbers <= known and sum(_stands(word, known) for word in words) * 2 >= len(words)


def _stands(word: str, known: frozenset[str]) -> bool:
    stem = word[:_STEM] if len(word) > _STEM else word
    return word in known or (len(word) > 2 and any(other.startswith(stem) for other in known))


@lru_cache(maxsize=4_096)
def _words(text: str) -> frozenset[str]:
    words = {_number(int(hour) % 12 + 12) for hour in _AFTERNOON.findall(text.lower())}
    if _ON_THE_HOUR.search(text):
        words.add(_number(0))
    for word in _found(text):
        if not word.isalpha():
            words.add(_number(float(word)))
            continue
        words.add(word)
        if word in NUMBER_WORDS:
            words.add(_number(NUMBER_WORDS[word]))
        if word in _MONTHS:
            words.add(_number(_MONTHS.index(word) + 1))
    return frozenset(words)


def _found(text: str) -> list[str]:
    return _WORD.findall(re.sub(r"(?<=\d),(?=\d{3})", "", text.lower()))


def _number(value: float) -> str:
    return f"{value:.9g}"
