"""Wrong values that only training has: stale, offered, misread and invented ones.

None is of a kind that the benchmark family has. That family takes values out of the same turn or out of
the schema (another enum member, the default, another value of the answer, a number or name that the
request names), swaps digits, and lets dates slip by a day or a week. Here values come from earlier
calls, from tools' results and from other records; letters and digits are lost or doubled.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from random import Random
from typing import Any

from fcrewardbench import Call
from fcrewardbench.calls.edits.base import Context, name_words, stands_in
from fcrewardbench.calls.edits.dates import moment_of, weekdays_contradict
from fcrewardbench.calls.edits.siblings import kind_of
from fcrewardbench.calls.edits.sites import (
    Site,
    asked_for,
    is_number,
    is_year,
    lacks_preference,
    means_something_else,
    related,
    same_scale,
    shape,
    shuffled,
    value_operator,
)
from fcrewardbench.messages import calls_of

_LONGEST_NAME = 60


# ── out of the dialogue ──────────────────────────────────────────────────────────────────────────


def earlier_calls(context: Context) -> list[Call]:
    """The calls of earlier turns, the latest first."""
    return [call for message in reversed(context.messages) for call in calls_of(message)]


def _superseded(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """What the same parameter was in an earlier call of the dialogue."""
    for call in earlier_calls(context):
        yield from _instead(site, call.arguments.get(site.key))


def _offered(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """What a tool's result named beside the value that was taken."""
    results = list(_results(context))
    keys = {site.key, *(key for key, value in results if value == site.value)}
    for value in shuffled(_once([value for key, value in results if key in keys]), rng):
        yield from _instead(site, value)


def _other_slot(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """What a parameter of another name and the same kind was in an earlier call."""
    kind, moment = kind_of(site.key), moment_of(site.value)
    for call in earlier_calls(context):
        for key, value in call.arguments.items():
            other = moment_of(value)
            alike = bool(moment and other and moment[1] == other[1])
            if key != site.key and (alike or (kind and kind_of(key) == kind)):
                yield from _instead(site, value)


def _results(context: Context) -> Iterator[tuple[str, Any]]:
    for message in context.messages:
        if message["role"] in ("tool", "function"):
            try:
                yield from _fields(json.loads(message["content"]))
            except (ValueError, RecursionError):
                continue


def _fields(value: Any) -> Iterator[tuple[str, Any]]:
    """The scalars of a result by their key."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if isinstance(inner, (Mapping, list)):
                yield from _fields(inner)
            else:
                yield str(key), inner
    elif isinstance(value, list):
        for item in value:
            yield from _fields(item)


def _instead(site: Site, value: Any) -> Iterator[Any]:
    """The value, where it can stand at the site and means something else."""
    if site.optional or type(value) is not type(site.value) or value == site.value:
        return
    if isinstance(value, str) and (lacks_preference(value) or not value):
        return
    members = site.schema.get("enum")
    if members and value not in members:
        return
    if isinstance(value, (bool, int, float)) or means_something_else(site, value):
        yield value


# ── out of other records ─────────────────────────────────────────────────────────────────────────


def free_text(context: Context, site: Site) -> bool:
    """Whether the value is a text that the conversation gives and the schema leaves open."""
    value = site.value
    if not isinstance(value, str) or len(value) < 2 or site.schema.get("enum"):
        return False
    return moment_of(value) is None and not lacks_preference(value) and asked_for(context, site)


def _peers(context: Context, site: Site) -> list[Any]:
    """What the parameter is in other records, those of the same tool alone where there are enough."""
    own = context.peers.get(f"{site.tool}.{site.key}", ())
    return list(own if len(own) > 3 else context.peers.get(site.key, ()))


def _peer_text(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """A text of like shape from another record, one that this conversation does not name."""
    if not free_text(context, site):
        return
    said = context.text.lower()
    for value in shuffled(_peers(context, site), rng):
        if not isinstance(value, str) or shape(value) != shape(site.value) or moment_of(value):
            continue
        if value.islower() is site.value.islower() and not stands_in(value.lower(), said):
            yield from _instead(site, value)


def _peer_moment(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """A date or time of another record, far from this one."""
    read = moment_of(site.value)
    if not read or not _dated(context, site):
        return
    for value in shuffled(_peers(context, site), rng):
        other = moment_of(value)
        if other and other[1] == read[1]:
            gap = abs(other[0] - read[0])
            if gap > timedelta(days=7) or timedelta(hours=1) < gap < timedelta(days=1):
                yield value


def _name_blended(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """The first name of this one with the last name of another record's."""
    if not free_text(context, site) or not _PROPER.fullmatch(site.value):
        return
    words = site.value.split()
    for value in shuffled(_peers(context, site), rng):
        if isinstance(value, str) and _PROPER.fullmatch(value):
            others = value.split()
            if others[0] != words[0] and others[-1] != words[-1]:
                yield " ".join([*words[:-1], others[-1]])


_PROPER = re.compile(r"[A-Z][a-z]+(?: [A-Z][a-z]+){1,2}")


def _item_replaced(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """One item of a list for one of another record's list."""
    if not isinstance(site.value, list) or not site.value or not asked_for(context, site):
        return
    if not all(isinstance(item, str) for item in site.value):
        return
    pool = [i for peer in _peers(context, site) if isinstance(peer, list) for i in peer]
    for item in shuffled(_once(pool), rng):
        place = rng.randrange(len(site.value))
        old = site.value[place]
        if not isinstance(item, str) or shape(item) != shape(old) or context.mentions(item):
            continue
        if not any(related(item, other) for other in site.value):
            yield [*site.value[:place], item, *site.value[place + 1 :]]


# ── out of the schema's words ────────────────────────────────────────────────────────────────────


def _outside_enum(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """Near a member of the enum and none: with a word of the parameter's name, or from elsewhere."""
    members = site.schema.get("enum") or ()
    if not isinstance(site.value, str) or site.value not in members or site.optional:
        return
    for word in name_words(site.key)[-1:]:
        spoken = word in name_words(site.description) or word in context.words
        if spoken and word.isalpha() and word not in site.value.lower():
            yield f"{site.value} {word}"
    for value in shuffled(context.peers.get(site.key, ()), rng):
        if isinstance(value, str) and value not in members and not lacks_preference(value):
            yield from (v for v in [value] if means_something_else(site, v))


_EXAMPLES = re.compile(r"(?:e\.g\.|for example|such as|like|example:)[,:]?\s+([^().;]{3,80})", re.I)


def _example_taken(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """An example of the description, though the conversation names something else."""
    if not free_text(context, site):
        return
    for found in _EXAMPLES.findall(site.description):
        examples = [text.strip(" '\"`") for text in re.split(r",| or | and ", found)]
        for example in shuffled(examples, rng):
            usable = 2 < len(example) <= 40 and not context.mentions(example)
            if usable and means_something_else(site, example):
                yield example


_PLACEHOLDERS = ("<{}>", "your_{}", "{}_here", "user_{}", "the {}", "{}")


def _placeholder(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """The parameter's name where its value should be."""
    if not free_text(context, site) or len(site.path) > 1:
        return
    words = [word for word in name_words(site.key) if word.isalpha()]
    if words and not set(words) & set(name_words(site.value)):
        form = rng.choice(_PLACEHOLDERS)
        yield form.format(" ".join(words) if " " in form else "_".join(words))


# ── misread ──────────────────────────────────────────────────────────────────────────────────────


def _digit_lost(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """An id, a number or an address with one digit too few or too many."""
    whole = type(site.value) is int and abs(site.value) >= 1000 and not is_year(site.value)
    if not (whole and asked_for(context, site)) and not free_text(context, site):
        return
    text = str(site.value)
    if len(text) > _LONGEST_NAME:
        return
    for run in shuffled(list(re.finditer(r"\d{3,}", text)), rng):
        if not whole and re.fullmatch(r"(?:19|20)\d\d", run[0]):
            continue
        place = run.start() + rng.randrange(1, len(run[0]))
        lost = text[:place] + text[place + 1 :]
        doubled = text[:place] + text[place] + text[place:]
        for changed in shuffled([lost, doubled], rng):
            yield int(changed) if whole else changed


def _letters_slipped(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """A name with two letters exchanged, or one lost or doubled."""
    if not free_text(context, site) or len(site.value) > _LONGEST_NAME:
        return
    for run in shuffled(list(re.finditer(r"[A-Za-z]{5,}", site.value)), rng):
        word = run[0]
        place = rng.randrange(1, len(word) - 2)
        forms = [
            word[:place] + word[place + 1] + word[place] + word[place + 2 :],
            word[:place] + word[place + 1 :],
            word[:place] + word[place] + word[place:],
        ]
        for changed in shuffled(forms, rng):
            if changed != word and re.search(r"[A-Z]|\d", site.value):
                yield site.value[: run.start()] + changed + site.value[run.end() :]


def _text_cut(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """Half of a text that was to be passed on whole."""
    if not free_text(context, site):
        return
    words = site.value.split()
    if len(words) >= 6:
        half = len(words) // 2
        yield from shuffled([" ".join(words[:half]), " ".join(words[half:])], rng)


def _number(context: Context, site: Site) -> bool:
    number = is_number(site.value) and not site.schema.get("enum") and asked_for(context, site)
    return number and not is_year(site.value)


def _doubled(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """Twice or half of a number."""
    if not _number(context, site) or site.value == 0:
        return
    for new in shuffled([site.value * 2, site.value / 2], rng):
        whole = float(new).is_integer()
        if (whole or type(site.value) is float) and same_scale(site.value, new):
            yield int(new) if type(site.value) is int else new


def _rounded(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """A number without its last digits."""
    if not _number(context, site):
        return
    if type(site.value) is int and abs(site.value) >= 30:
        for digits in (-1, -2):
            yield round(site.value, digits)
    if type(site.value) is float and not site.value.is_integer() and abs(site.value) > 1:
        yield float(int(site.value))


def _dated(context: Context, site: Site) -> bool:
    return not site.optional and not weekdays_contradict(context.text) and asked_for(context, site)


def _other_month(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """A date in the month before or after, or with day and month exchanged."""
    read = moment_of(site.value)
    if not read or "%d" not in read[1] or not _dated(context, site):
        return
    moment, style = read
    months = [moment.month % 12 + 1, (moment.month - 2) % 12 + 1]
    for month in shuffled(months, rng):
        if moment.day <= 28:
            yield moment.replace(month=month).strftime(style)
    if moment.day <= 12 and moment.day != moment.month:
        yield moment.replace(month=moment.day, day=moment.month).strftime(style)


def _minutes_off(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """A time a quarter, half or three quarters of an hour off."""
    read = moment_of(site.value)
    if read and "%M" in read[1] and asked_for(context, site):
        for minutes in shuffled((-45, -30, -15, 15, 30, 45), rng):
            moved = read[0] + timedelta(minutes=minutes)
            if moved.date() == read[0].date():
                yield moved.strftime(read[1])


_SERIES = (
    "january february march april may june july august september october november december",
    "jan feb mar apr jun jul aug sep oct nov dec",
    "monday tuesday wednesday thursday friday saturday sunday",
    "morning afternoon evening night",
    "today tomorrow",
    "am pm",
    "first second third fourth fifth",
    "noon midnight",
    "next last",
)
_NEXT = {
    word: [other for other in series.split() if other != word]
    for series in _SERIES
    for word in series.split()
}


def _moment_in_words(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """A date or time in words with another month, weekday, part of the day, or hour."""
    value = site.value
    if not free_text(context, site) or len(value) > 40 or not _MOMENT_KEY.search(site.key):
        return
    for match in shuffled(list(re.finditer(r"[A-Za-z]+", value)), rng):
        for other in shuffled(_NEXT.get(match[0].lower(), []), rng)[:2]:
            cased = other.capitalize() if match[0][:1].isupper() else other
            yield value[: match.start()] + cased + value[match.end() :]
    clock = re.match(r"(\d{1,2})(?=[: ]|[ap]m)", value)
    if clock and re.search(r":|[ap]\.?m", value, re.I):
        hour = int(clock[1])
        for step in shuffled((-2, 2, 3), rng):
            if 1 <= hour + step <= 12:
                yield str(hour + step) + value[clock.end() :]


_MOMENT_KEY = re.compile(r"date|time|day|when|check|start|end|range|month", re.I)


def _once(values: list[Any]) -> list[Any]:
    """Each value once; they may be unhashable."""
    return [value for n, value in enumerate(values) if value not in values[:n]]


VALUES = (
    value_operator("superseded", _superseded),
    value_operator("offered", _offered),
    value_operator("other-slot", _other_slot),
    value_operator("peer-text", _peer_text),
    value_operator("peer-moment", _peer_moment),
    value_operator("name-blended", _name_blended),
    value_operator("list-item-replaced", _item_replaced),
    value_operator("outside-enum", _outside_enum),
    value_operator("example-taken", _example_taken),
    value_operator("placeholder", _placeholder),
    value_operator("digit-lost", _digit_lost),
    value_operator("letters-slipped", _letters_slipped),
    value_operator("text-cut", _text_cut),
    value_operator("doubled-or-halved", _doubled),
    value_operator("rounded", _rounded),
    value_operator("other-month", _other_month),
    value_operator("minutes-off", _minutes_off),
    value_operator("moment-in-words", _moment_in_words),
)
