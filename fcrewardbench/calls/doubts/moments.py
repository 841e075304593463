"""Dates and times apart from their notation, and those that the conversation leaves open."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from fcrewardbench.calls.doubts.base import Place

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DATES = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?P<year>\d{4,5})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})",
        r"(?P<year>(?:19|20)\d\d)(?P<month>[01]\d)(?P<day>[0-3]\d)",
        r"(?P<month>\d{1,2})[-/.](?P<day>\d{1,2})(?:[-/.](?P<year>\d{4}))?",
        r"(?P<day>\d{1,2})[-/.](?P<month>\d{1,2})(?:[-/.](?P<year>\d{4}))?",
        rf"(?P<day>\d{{1,2}})[- ]?{_MONTH}(?:[- ](?P<year>\d{{4}}))?",
        rf"{_MONTH}[- ](?P<day>\d{{1,2}})(?:[- ](?P<year>\d{{4}}))?",
        rf"(?P<year>\d{{4}})[- ]{_MONTH}[- ](?P<day>\d{{1,2}})",
        rf"{_MONTH}[- ](?P<year>\d{{4}})(?P<day>)",
        r"(?P<year>\d{4})[-/](?P<month>\d{1,2})(?P<day>)",
        rf"{_MONTH}(?P<year>)(?P<day>)",
    )
)
_CLOCK = re.compile(
    r"(?:^|[\st])(?P<hour>\d{1,2})(?::(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.0+)?)?)?"
    r"\s?(?P<half>[ap]\.?m\.?)?(?:z|\+00:00)?$"
)


@dataclass(frozen=True, slots=True)
class Moment:
    """One reading of a date or a time. What is not said is None; no time of a day is 00:00."""

    year: int | None
    month: int | None
    day: int | None
    clock: tuple[int, int, int] | None


def readings(value: Any) -> tuple[Moment, ...]:
    """What a text may mean as a date, a time or both; 03/04/2023 means two days."""
    if not isinstance(value, str) or not 3 <= len(value) <= 40:
        return ()
    text = value.strip().lower().replace("noon", "12:00").replace("midnight", "00:00")
    text = re.sub(rf"\b(?:{'|'.join(_WEEKDAYS)})\b|\b(?:the|of|at)\b|,", " ", text)
    text = re.sub(r"(?<=\d)(?:st|nd|rd|th)\b", "", text)
    text = " ".join(text.split())
    clock: tuple[int, int, int] | None = None
    match = _CLOCK.search(text)
    if match and (match["minute"] or match["half"]):
        clock = _clock(match)
        text = text[: match.start()].strip()
        if clock is None:
            return ()
    if not text:
        return (Moment(None, None, None, clock),) if clock else ()
    return tuple(dict.fromkeys(_days(text, clock)))


def _clock(match: re.Match[str]) -> tuple[int, int, int] | None:
    hour, minute, second = (int(match[name] or 0) for name in ("hour", "minute", "second"))
    if match["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match["half"].startswith("p") else 0)
    return (hour, minute, second) if hour < 24 and minute < 60 and second < 60 else None


def _days(text: str, clock: tuple[int, int, int] | None) -> Iterator[Moment]:
    for pattern in _DATES:
        match = pattern.fullmatch(text)
        if match:
            said = match["month"]
            month = int(said) if said.isdigit() else _MONTHS.index(said[:3]) + 1
            day = int(match["day"]) if match["day"] else None
            year = int(match["year"]) if match["year"] else None
            if 1 <= month <= 12 and (day is None or 1 <= day <= 31):
                yield Moment(year, month, day, clock)


_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")


def same_moment(given: Any, due: Any, place: Place) -> bool:
    """One day and time in two notations, of which the description asks for none, or for the given.

    A year may be left out where the conversation names none, and the time of the day, where the
    conversation names it, be given besides.
    """
    if _form_owed(given, due, place):
        return False
    return any(
        _same_day(a, b, place)
        and ((a.clock or (0, 0, 0)) == (b.clock or (0, 0, 0)) or _said_besides(a, b, place))
        for a in readings(given)
        for b in readings(due)
    )


def _said_besides(given: Moment, due: Moment, place: Place) -> bool:
    if due.clock is not None or given.clock is None:
        return False
    hour, minute, _ = given.clock
    return re.search(rf"(?<!\d)0?{hour}:{minute:02d}(?!\d)", place.talk.text) is not None


def _same_day(a: Moment, b: Moment, place: Place) -> bool:
    if (a.month, a.day) != (b.month, b.day):
        return False
    return a.year == b.year or (
        (a.year is None or b.year is None) and not _YEAR.search(place.talk.text)
    )


_PART = r"(?:y{4}|m{2}|d{2}|year|month|day)"
_STATED = re.compile(rf"\b{_PART}[-/.]{_PART}[-/.]{_PART}", re.I)


def _form_owed(given: Any, due: Any, place: Place) -> bool:
    """Whether the description asks for a form of date that the value due has and the given has not."""
    stated = _STATED.search(place.description)
    if not stated or not (isinstance(given, str) and isinstance(due, str)):
        return False
    form = re.sub(r"y{4}|year", r"\\d{4}", stated[0].lower())
    form = re.sub(r"mm|month|dd|day", r"\\d{1,2}", form)
    return bool(re.match(form, due)) and not re.match(form, given)


def year_open(given: Any, due: Any, place: Place) -> bool:
    """The same day of another year, where nobody said which year."""
    if _form_owed(given, due, place):
        return False
    text = place.talk.text
    return any(
        a.year is not None
        and b.year is not None
        and a.year != b.year
        and (a.month, a.day, a.clock) == (b.month, b.day, b.clock)
        and a.day is not None
        and not _YEAR.search(text)
        for a in readings(given)
        for b in readings(due)
    )


_RELATIVE = re.compile(
    r"\b(?:today|tonight|tomorrow|yesterday|next|this|coming|upcoming|last|weekend|later|now|soon|"
    rf"{'|'.join(_WEEKDAYS)}|weeks?|days?|months?)\b",
    re.I,
)
_ANCHOR = re.compile(rf"\b(?:19|20)\d\d\b|\b\d{{1,2}}[-/.]\d{{1,2}}\b|\b{_MONTH}\b", re.I)


def day_open(given: Any, due: Any, place: Place) -> bool:
    """Another day, where the conversation says "next Friday" and nowhere the date.

    A weekday that it names must be that of the given date.
    """
    if _form_owed(given, due, place):
        return False
    text = place.talk.text
    if not _RELATIVE.search(text) or _ANCHOR.search(text):
        return False
    said = {number for number, name in enumerate(_WEEKDAYS) if name in text.lower()}
    possible = [moment for moment in readings(given) if _possible(moment, text, said)]
    owed = readings(due)
    if not owed:
        return bool(possible) and isinstance(due, str) and bool(_RELATIVE.search(due))
    return any(
        a.clock == b.clock and a.day != b.day and b.day is not None for a in possible for b in owed
    )


def _possible(moment: Moment, text: str, weekdays: set[int]) -> bool:
    if moment.year is None or moment.month is None or moment.day is None:
        return False
    try:
        day = date(moment.year, moment.month, moment.day)
    except ValueError:
        return False
    numbered = re.search(r"\b\d{1,2}(?:st|nd|rd|th)\b", text) is not None
    return not numbered and (not weekdays or day.weekday() in weekdays)
