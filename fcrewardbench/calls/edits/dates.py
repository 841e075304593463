"""Dates and times in values and in conversations."""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import lru_cache
from typing import Any

_FORMATS = (
    "%Y-%m-%d",
    "%m/%d/%Y",
    "%m-%d-%Y",
    "%d/%m/%Y",
    "%d-%m-%Y",
    "%Y/%m/%d",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%dT%H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M",
    "%H:%M",
    "%H:%M:%S",
    "%B %d, %Y",
    "%b %d, %Y",
    "%B %d",
)


def moment_of(value: Any) -> tuple[datetime, str] | None:
    """A date or time and its format, where writing it back gives the same text."""
    return _read(value) if isinstance(value, str) else None


@lru_cache(maxsize=100_000)
def _read(value: str) -> tuple[datetime, str] | None:
    """`moment_of` a text. Kept, since `strptime` compiles each format anew among so many."""
    if not any(letter.isdigit() for letter in value):
        return None
    for style in _FORMATS:
        try:
            moment = datetime.strptime(value, style)
        except ValueError:
            continue
        if moment.strftime(style) == value:
            return moment, style
    return None


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})[a-z]*\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_WRITTEN = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        r"\b(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})",
        r"\b(?P<month>\d{1,2})[-/.](?P<day>\d{1,2})[-/.](?P<year>\d{4}|\d\d)\b",
        rf"\b{_DAY} (?:of )?{_MONTH}(?:,? (?P<year>\d{{4}}))?\b",
        rf"\b{_MONTH} (?:the )?{_DAY}\b(?:,? (?P<year>\d{{4}})\b)?",
    )
)
_CLOCK = re.compile(r"\b\d{1,2}(?::\d\d)+|\b\d{1,2} ?(?:[ap]\.?m\b|o'?clock)", re.I)


def without_moments(text: str) -> str:
    """Text without its dates and times."""
    for pattern in (*_WRITTEN, _CLOCK):
        text = pattern.sub(" ", text)
    return text


def _dates(text: str) -> list[date]:
    """The dates that a text gives with their year."""
    found = []
    for match in (match for pattern in _WRITTEN for match in pattern.finditer(text)):
        year, month, day = match["year"], match["month"].lower(), int(match["day"])
        number = int(month) if month.isdigit() else _MONTHS.index(month[:3]) + 1
        if year and len(year) == 4:
            try:
                found.append(date(int(year), number, day))
            except ValueError:  # such as 31/12/2023, read as month/day/year
                continue
    return found


_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def weekdays_contradict(text: str) -> bool:
    """Whether a text names weekdays and a date that falls on none of them."""
    said = {number for number, name in enumerate(_WEEKDAYS) if name in text.lower()}
    return bool(said) and any(day.weekday() not in said for day in _dates(text))
