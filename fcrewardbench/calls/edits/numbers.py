"""Wrong numbers of the same kind and scale."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random
from typing import Any

from fcrewardbench.calls.edits.base import Context
from fcrewardbench.calls.edits.dates import moment_of
from fcrewardbench.calls.edits.sites import (
    Site,
    about,
    asked_for,
    is_number,
    is_year,
    same_scale,
    shuffled,
    value_operator,
)
from fcrewardbench.calls.edits.variants import styled


def _editable_number(context: Context, site: Site) -> bool:
    return is_number(site.value) and not site.schema.get("enum") and asked_for(context, site)


# What a parameter of such a name does not exceed, unless the right value does.
_LIMITS = (
    (r"rating|stars|score", 5),
    (r"rating|stars|score", 10),
    (r"hour|time", 24),
    (r"month", 12),
    (r"^days?$", 31),
    (r"minute|second", 60),
    (r"age$", 100),
    (r"lat", 90),
    (r"lon|lng", 180),
    (r"percent|humidity|confidence", 100),
)


def _fits(site: Site, new: float) -> bool:
    """Whether a number is one that the parameter might well take."""
    limits = (limit for name, limit in _LIMITS if re.search(name, site.key, re.I))
    within = all(abs(new) <= limit for limit in limits if abs(site.value) <= limit)
    return within and same_scale(site.value, new)


def _like(old: float, new: float, context: Context, site: Site) -> Any:
    """`new` as the kind of number that `old` is, or None where it cannot be one."""
    whole = float(new).is_integer()
    if type(old) is int and site.schema.get("type") not in ("float", "number"):
        return int(new) if whole else None
    if len(site.path) > 1:
        return int(new) if type(old) is int and whole else float(new)
    return styled(float(new), site.schema, context.text)


def _neighbouring_number(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """Another number that the conversation names."""
    if _editable_number(context, site):
        for number in shuffled(context.numbers, rng):
            value = _like(site.value, number, context, site)
            if value is not None and _fits(site, number):
                yield value


def _peer_number(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """A number that this parameter takes elsewhere."""
    if _editable_number(context, site):
        for number in shuffled(context.peers.get(site.key, ()), rng):
            if is_number(number) and _fits(site, number):
                value = _like(site.value, number, context, site)
                if value is not None:
                    yield value


def _digits_slipped(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """Two digits in each other's place, or one digit next to the right one."""
    if not _editable_number(context, site):
        return
    text = str(site.value)
    ordinal = re.search(rf"\b{re.escape(text)}(?:st|nd|rd|th|[ -]?hour)", context.text)
    if len(text) <= 2 and site.value >= 1:
        step = rng.choice((-1, 1)) if site.value > 2 else 1
        if _fits(site, site.value + step):
            yield type(site.value)(site.value + step)
    if ordinal:
        return
    for place in shuffled(range(len(text) - 1), rng):
        first, second = text[place], text[place + 1]
        leading_zero = second == "0" and (place == 0 or not text[place - 1].isdigit())
        if first.isdigit() and second.isdigit() and first != second and not leading_zero:
            value = type(site.value)(text[:place] + second + first + text[place + 2 :])
            if _fits(site, value):
                yield value


def _power_of_ten(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """A zero too many or too few."""
    if (
        _editable_number(context, site)
        and site.value
        and not is_year(site.value)
        and not about(context, "percent")
    ):
        for factor in shuffled((10, 0.1), rng):
            new = round(site.value * factor, 10)
            value = _like(site.value, new, context, site)
            large = abs(site.value) >= 100 or (new >= 1 and site.value >= 10)
            if value is not None and large and _fits(site, new):
                yield value


def _sign_lost(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """West read as east, a negative coefficient as positive, or the other way round."""
    coordinate = re.search(r"lat|lon|lng|coord", site.key, re.I)
    if not is_number(site.value) or not asked_for(context, site):
        return
    if site.value < 0 or (coordinate and site.value > 0):
        yield -site.value


def _slipped(digits: str, rng: Random) -> str:
    """Other digits: two of them exchanged, or the last one off by one."""
    last = int(digits[-1])
    next_to_it = digits[:-1] + str(last + 1 if last < 9 else last - 1)
    if len(digits) == 1 or is_year(int(digits)):
        return next_to_it
    place = rng.randrange(len(digits) - 1)
    turned = digits[:place] + digits[place + 1] + digits[place] + digits[place + 2 :]
    return next_to_it if turned == digits or turned[0] == "0" else turned


def _number_in_text(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """Text with a number in it (a formula, an id, "2 hours"), the number slipped."""
    value = site.value
    if not isinstance(value, str) or moment_of(value) or site.schema.get("enum"):
        return
    if not asked_for(context, site) or len(value) > 80:
        return
    # "91th" and "42 hour" give themselves away.
    digits = r"\d+(?!\d)(?!st|nd|rd|th|[ -]?hour)"
    for match in shuffled(list(re.finditer(digits, value)), rng):
        new = _slipped(match[0], rng)
        yield value[: match.start()] + new + value[match.end() :]


def _operator_in_formula(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """A plus for a minus, or the other way round, in a formula."""
    value = site.value
    if isinstance(value, str) and re.search(r"[a-z0-9)]\s*[+]\s*[\da-z(]|\^|\*\*", value):
        if not asked_for(context, site) or moment_of(value) or site.schema.get("enum"):
            return
        for match in shuffled(list(re.finditer(r"(?<=[\w)\s])[+\-](?=[\w(\s])", value)), rng):
            other = "-" if match[0] == "+" else "+"
            yield value[: match.start()] + other + value[match.end() :]


NUMBERS = (
    value_operator("neighbouring-number", _neighbouring_number),
    value_operator("peer-number", _peer_number),
    value_operator("digits-slipped", _digits_slipped),
    value_operator("power-of-ten", _power_of_ten),
    value_operator("sign-lost", _sign_lost),
    value_operator("number-in-text", _number_in_text),
    value_operator("formula-sign", _operator_in_formula),
)
