"""Dates and times, as people say them."""

from __future__ import annotations

import re
from datetime import date, timedelta
from random import Random

from toolrm.synthesize.requests.data import WORDS
from toolrm.synthesize.requests.numbers import SMALL
from toolrm.synthesize.requests.value import OTHERWISE, Value

_DECEMBER_2025 = date(2025, 12, 31)


def drawn_day(rng: Random) -> date:
    """A day of the ten years up to the end of 2025."""
    return _DECEMBER_2025 - timedelta(days=rng.randrange(3_600))


def date_value(description: str, rng: Random) -> Value | None:
    """A date as people write it; the call has it in the form that the description asks for."""
    day = drawn_day(rng)
    month = WORDS["months"][day.month - 1]
    ending = (
        "th" if 4 <= day.day % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
    )
    iso = day.isoformat()
    asked = description.lower()
    if re.search(r"dd[/.-]mm[/.-]yyyy", asked):
        best = f"{day:%d/%m/%Y}"
    elif re.search(r"mm[/.-]dd[/.-]yyyy", asked):
        best = f"{day:%m/%d/%Y}"
    elif re.search(r"(?<!\d)\d\d/\d\d/\d{4}", asked):
        return None  # which of the two is the month nobody can tell
    else:
        best = iso
    said = rng.choice(
        (
            *(best, iso, f"{day.day} {month} {day.year}", f"{month} {day.day}, {day.year}"),
            *(
                f"{month} {day.day}{ending}, {day.year}",
                f"the {day.day}{ending} of {month} {day.year}",
            ),
        )
    )
    return Value(said, tuple(dict.fromkeys((best, iso, said))), order=iso)


def time_value(rng: Random) -> Value:
    """A time of the day, which a call gives with 24 hours or as it was said."""
    hour, minute = rng.randrange(6, 23), rng.choice((0, 0, 5, 10, 15, 20, 30, 40, 45, 50))
    best = f"{hour:02d}:{minute:02d}"
    spoken = f"{(hour - 1) % 12 + 1}:{minute:02d} {'am' if hour < 12 else 'pm'}"
    said = rng.choice((best, spoken))
    if rng.random() < OTHERWISE:
        return Value(_told(hour, minute), (best, spoken), order=best)
    return Value(said, tuple(dict.fromkeys((best, said))), order=best)


def _told(hour: int, minute: int) -> str:
    """A time of the day in words, such as "half past three in the afternoon"."""
    if (hour, minute) == (12, 0):
        return "noon"
    part = "morning" if hour < 12 else "afternoon" if hour < 18 else "evening"
    named = SMALL[(hour - 1) % 12 + 1]
    if minute == 0:
        return f"{named} in the {part}"
    if minute in (15, 30):
        return f"{'half' if minute == 30 else 'a quarter'} past {named} in the {part}"
    return f"{hour % 12 or 12}.{minute:02d} in the {part}"
