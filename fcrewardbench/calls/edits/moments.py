"""Wrong dates and times in the right format."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from fcrewardbench.calls.edits.base import Context
from fcrewardbench.calls.edits.dates import moment_of, weekdays_contradict
from fcrewardbench.calls.edits.sites import (
    Site,
    asked_for,
    shuffled,
    value_operator,
)


def _moments(
    context: Context, site: Site, steps: tuple[timedelta, ...], marker: str, rng: Random
) -> Iterator[Any]:
    read = moment_of(site.value)
    if read and marker in read[1] and not site.optional and _said(context, read[0], marker):
        for step in shuffled(steps, rng):
            yield (read[0] + step).strftime(read[1])


def _said(context: Context, moment: datetime, marker: str) -> bool:
    """Whether the conversation names the day: "this weekend" leaves it open. Hours are not asked."""
    if weekdays_contradict(context.text):
        return False
    said = {str(moment.day), f"{moment.day:02d}", "today", "tomorrow"}
    return marker != "%d" or bool(said & context.words)


def _date_off_by_one(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    days = tuple(timedelta(days=n) for n in (-1, 1))
    yield from _moments(context, site, days, "%d", rng)


def _date_other_week(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    days = tuple(timedelta(days=n) for n in (-7, 7))
    yield from _moments(context, site, days, "%d", rng)


def _date_other_year(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    read = moment_of(site.value)
    if not read or "%Y" not in read[1] or site.optional:
        return
    # A date that the conversation gives without its year leaves the year to the reader.
    said = str(read[0].year) in context.words and _said(context, read[0], "%d")
    if not said or (read[0].month, read[0].day) == (2, 29):
        return
    for step in shuffled((-1, 1), rng):
        yield read[0].replace(year=read[0].year + step).strftime(read[1])


def _time_shifted(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    read = moment_of(site.value)
    if read and asked_for(context, site):
        half_days = (timedelta(hours=12), timedelta(hours=-1), timedelta(hours=1))
        yield from _moments(context, site, half_days, "%H", rng)


def _other_moment(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """Another date or time of the same calls (the end for the start)."""
    read = moment_of(site.value)
    if not read or site.optional or weekdays_contradict(context.text):
        return
    for expected in shuffled(context.answer, rng):
        for options in expected.arguments.values():
            for option in options:
                other = moment_of(option)
                if other and other[1] == read[1] and other[0] != read[0]:
                    yield option


MOMENTS = (
    value_operator("date-off-by-one", _date_off_by_one),
    value_operator("date-other-week", _date_other_week),
    value_operator("date-other-year", _date_other_year),
    value_operator("time-shifted", _time_shifted),
    value_operator("other-moment", _other_moment),
)
