"""Wrong values of the right kind: dates stay dates, enum members stay enum members."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from fcrewardbench.calls.edits.base import Calls, Context, Operator
from fcrewardbench.calls.edits.sites import (
    Site,
    asked_for,
    is_default,
    means_something_else,
    plain,
    related,
    shuffled,
    sites,
    with_value,
)
from fcrewardbench.calls.edits.variants import styled
from fcrewardbench.types import ErrorType

Propose = Callable[[Context, Site, Random], Iterator[Any]]

# Values by which tools say "no preference": a reader may take them for right.
_NO_PREFERENCE = {"dontcare", "any", "all", "none", "null", "other", "others", "unknown", "default"}
# Preferences that a model may well infer without being asked.
_INFERRED = re.compile(r"unit|format|lang|locale|country|currenc|time_?zone|tz|system", re.I)


def _operator(name: str, propose: Propose, *, to_default: bool = False) -> Operator:
    """An operator that puts other values in the places of single ones, at most two per place.

    A value that is the schema's default is put there only where the operator is made for it.
    """

    def edit(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
        for site in shuffled(sites(context, calls), rng):
            for _, value in zip(range(2), propose(context, site, rng), strict=False):
                if plain(value) == plain(site.value):
                    continue
                if to_default or not is_default(value, site.schema):
                    yield with_value(calls, site, value)

    return Operator(f"value/{name}", ErrorType.VALUE, edit)


# ── enums and booleans ───────────────────────────────────────────────────────────────────────────


def _other_enum(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    members = site.schema.get("enum") or ()
    if site.value not in members or str(site.value).lower() in _NO_PREFERENCE:
        return
    if not asked_for(context, site) and (not site.optional or _INFERRED.search(site.key)):
        return
    for member in shuffled(members, rng):
        if type(member) is not type(site.value) or str(member).lower() in _NO_PREFERENCE:
            continue
        if not isinstance(member, str) or means_something_else(site, member):
            yield member


_QUOTED = re.compile(r"['\"`]([^'\"`]{2,40})['\"`]")


def _described_option(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """Another of the options that the description lists in quotes, the right one among them."""
    if not isinstance(site.value, str) or site.schema.get("enum") or not asked_for(context, site):
        return
    options = list(dict.fromkeys(_QUOTED.findall(site.description)))
    if site.value not in options:
        return
    for option in shuffled(options, rng):
        same_kind = option[0].isupper() == site.value[0].isupper()
        if same_kind and not re.search(r"\d", option) and means_something_else(site, option):
            yield option


def _negated(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    if isinstance(site.value, bool) and _about(context, site.key):
        yield not site.value
    if isinstance(site.value, str) and asked_for(context, site):
        members = site.schema.get("enum") or ()
        opposite = {"True": "False", "False": "True"}.get(site.value)
        if opposite in members:
            yield opposite


def _about(context: Context, name: str) -> bool:
    """Whether the conversation speaks of what a parameter is named after."""
    stems = {word[:4] for word in context.words if len(word) >= 4}
    return any(word[:4] in stems for word in re.findall(r"[a-z]{4,}", _spaced(name).lower()))


def _spaced(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)


def _default_instead(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """What the schema falls back to, where the conversation asks for something else."""
    default = site.schema.get("default")
    usable = default not in (None, "") and str(default).lower() not in _NO_PREFERENCE
    if usable and type(default) is type(site.value) and asked_for(context, site):
        if not isinstance(default, (str, int, float)):
            return
        if not isinstance(default, str) or means_something_else(site, default):
            yield styled(default, site.schema, context.text)


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _editable_number(context: Context, site: Site) -> bool:
    return _is_number(site.value) and not site.schema.get("enum") and asked_for(context, site)


def _like(old: float, new: float, context: Context, site: Site) -> Any:
    """`new` as the kind of number that `old` is, or None where it cannot be one."""
    whole = float(new).is_integer()
    if type(old) is int and site.schema.get("type") != "float":
        return int(new) if whole else None
    if len(site.path) > 1:
        return int(new) if type(old) is int and whole else float(new)
    return styled(float(new), site.schema, context.text)


def _same_scale(old: float, new: float) -> bool:
    if old == 0 or new == 0:
        return abs(old - new) <= 10
    year_like = [1900 <= abs(number) <= 2100 for number in (old, new)]
    return (
        year_like[0] == year_like[1] and 1 / 30 <= abs(new / old) <= 30 and (old > 0) == (new > 0)
    )


def _neighbouring_number(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """Another number that the conversation names."""
    if _editable_number(context, site):
        for number in shuffled(context.numbers, rng):
            value = _like(site.value, number, context, site)
            if value is not None and _same_scale(site.value, number):
                yield value


def _peer_number(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """A number that this parameter takes elsewhere."""
    if _editable_number(context, site):
        for number in shuffled(context.peers.get(site.key, ()), rng):
            if _is_number(number) and _same_scale(site.value, number):
                value = _like(site.value, number, context, site)
                if value is not None:
                    yield value


def _digits_slipped(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """Two digits in each other's place, or one digit next to the right one."""
    if not _editable_number(context, site):
        return
    text = str(site.value)
    for place in shuffled(range(len(text) - 1), rng):
        first, second = text[place : place + 2]
        leading_zero = second == "0" and (place == 0 or not text[place - 1].isdigit())
        if first.isdigit() and second.isdigit() and first != second and not leading_zero:
            yield type(site.value)(text[:place] + second + first + text[place + 2 :])
    if len(text) <= 2 and site.value >= 1:
        step = rng.choice((-1, 1)) if site.value > 2 else 1
        yield type(site.value)(site.value + step)


def _power_of_ten(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """A zero too many or too few."""
    if _editable_number(context, site) and site.value and not _about(context, "percent"):
        for factor in shuffled((10, 0.1), rng):
            new = round(site.value * factor, 10)
            value = _like(site.value, new, context, site)
            if value is not None and (abs(site.value) >= 100 or (new >= 1 and site.value >= 10)):
                yield value


def _sign_lost(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """West read as east, a negative coefficient as positive, or the other way round."""
    coordinate = re.search(r"lat|lon|lng|coord", site.key, re.I)
    if _is_number(site.value) and (site.value < 0 or (coordinate and site.value > 0)):
        if asked_for(context, site):
            yield -site.value


def _number_in_text(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """Text with a number in it (a formula, an id, "2 hours"), the number slipped."""
    value = site.value
    if not isinstance(value, str) or _moment(value) or site.schema.get("enum"):
        return
    if not asked_for(context, site) or len(value) > 80:
        return
    for match in shuffled(list(re.finditer(r"\d+", value)), rng):
        digits = match[0]
        if len(digits) == 1:
            new = str(int(digits) + 1) if int(digits) < 9 else "8"
        else:
            place = rng.randrange(len(digits) - 1)
            pair = digits[place : place + 2]
            turned = pair[::-1]
            if pair[0] == pair[1] or (place == 0 and turned[0] == "0"):
                last = str((int(digits[-1]) + 1) % 10)
                new = digits[:-1] + last
            else:
                new = digits[:place] + turned + digits[place + 2 :]
        yield value[: match.start()] + new + value[match.end() :]


def _operator_in_formula(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """A plus for a minus, or the other way round, in a formula."""
    value = site.value
    if isinstance(value, str) and re.search(r"[a-z0-9)]\s*[+]\s*[\da-z(]|\^|\*\*", value):
        if not asked_for(context, site) or _moment(value) or site.schema.get("enum"):
            return
        for match in shuffled(list(re.finditer(r"(?<=[\w)\s])[+\-](?=[\w(\s])", value)), rng):
            other = "-" if match[0] == "+" else "+"
            yield value[: match.start()] + other + value[match.end() :]


# ── dates and times ──────────────────────────────────────────────────────────────────────────────

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
    "%H:%M",
    "%H:%M:%S",
    "%B %d, %Y",
    "%b %d, %Y",
    "%B %d",
)


def _moment(value: Any) -> tuple[datetime, str] | None:
    """A date or time and its format, where writing it back gives the same text."""
    if not isinstance(value, str) or not any(letter.isdigit() for letter in value):
        return None
    for style in _FORMATS:
        try:
            moment = datetime.strptime(value, style)
        except ValueError:
            continue
        if moment.strftime(style) == value:
            return moment, style
    return None


def _moments(site: Site, steps: tuple[timedelta, ...], marker: str, rng: Random) -> Iterator[Any]:
    read = _moment(site.value)
    if read and marker in read[1] and not site.optional:
        for step in shuffled(steps, rng):
            yield (read[0] + step).strftime(read[1])


def _date_off_by_one(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    days = tuple(timedelta(days=n) for n in (-1, 1))
    yield from _moments(site, days, "%d", rng)


def _date_other_week(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    days = tuple(timedelta(days=n) for n in (-7, 7))
    yield from _moments(site, days, "%d", rng)


def _date_other_year(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    read = _moment(site.value)
    if not read or "%Y" not in read[1] or site.optional:
        return
    # A date that the conversation gives without its year leaves the year to the reader.
    if str(read[0].year) not in context.words or (read[0].month, read[0].day) == (2, 29):
        return
    for step in shuffled((-1, 1), rng):
        yield read[0].replace(year=read[0].year + step).strftime(read[1])


def _time_shifted(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    read = _moment(site.value)
    if read and asked_for(context, site):
        half_days = (timedelta(hours=12), timedelta(hours=-1), timedelta(hours=1))
        yield from _moments(site, half_days, "%H", rng)


def _other_moment(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """Another date or time of the same calls (the end for the start)."""
    read = _moment(site.value)
    if not read or site.optional:
        return
    for expected in shuffled(context.answer, rng):
        for options in expected.arguments.values():
            for option in options:
                other = _moment(option)
                if other and other[1] == read[1] and other[0] != read[0]:
                    yield option


# ── entities ─────────────────────────────────────────────────────────────────────────────────────


def _shape(text: str) -> tuple[bool, bool, bool, int]:
    """What two names must share to stand for each other: case, a comma, digits, and length."""
    words = text.split()
    size = 1 if len(words) <= 3 else 2 if len(words) <= 8 else 3
    return text[:1].isupper(), "," in text, bool(re.search(r"\d", text)), size


def _replaceable_text(context: Context, site: Site) -> bool:
    value = site.value
    if not isinstance(value, str) or len(value) < 2 or _moment(value) or site.schema.get("enum"):
        return False
    return asked_for(context, site) and len(value) <= 60


def _fitting(site: Site, value: Any) -> bool:
    if not isinstance(value, str) or not value or _shape(value) != _shape(site.value):
        return False
    return value.lower() not in _NO_PREFERENCE and means_something_else(site, value)


def _entity_here(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """A value of this parameter elsewhere that this conversation names too."""
    if _replaceable_text(context, site):
        text = context.text.lower()
        for value in shuffled(context.peers.get(site.key, ()), rng):
            if _fitting(site, value) and str(value).split(",")[0].lower() in text:
                yield value


def _entity_elsewhere(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """A value that the same parameter takes in another task."""
    if _replaceable_text(context, site) and len(context.peers.get(site.key, ())) >= 3:
        for value in shuffled(context.peers[site.key], rng):
            if _fitting(site, value) and not site.key.lower().endswith("id"):
                yield value


def _other_call(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """The value that the same parameter takes in another call of this answer."""
    if not asked_for(context, site) or isinstance(site.value, (bool, dict)):
        return
    for expected in shuffled(context.answer, rng):
        options = [o for o in expected.arguments.get(site.parameter, ()) if o != ""]
        if len(site.path) == 1 and options and type(options[0]) is type(site.value):
            value = rng.choice(options)
            text = isinstance(value, str)
            if not text or means_something_else(site, value):
                yield styled(value, site.schema, context.text)


_KINDS = (
    "kilometers miles meters feet",
    "km mi",
    "km/h mph m/s",
    "meter foot yard",
    "kg lb",
    "kilograms pounds grams ounces",
    "celsius fahrenheit kelvin",
    "metric imperial",
    "hours minutes days weeks months",
    "hour minute day week month year",
    "daily weekly monthly yearly annually",
    "usd eur gbp jpy cny cad",
    "dollar euro yen pound",
    "cups tablespoons teaspoons milliliters liters",
    "monday tuesday wednesday thursday friday saturday sunday",
    "january february march april may june july august september october november december",
    "spring summer autumn winter",
    "english spanish french german italian portuguese japanese chinese",
    "en es fr de it pt ja zh",
    "red blue green yellow black white orange purple",
    "male female",
    "north south east west",
    "major minor",
    "ascending descending",
    "asc desc",
    "breakfast lunch dinner",
    "italian chinese mexican indian thai japanese french",
    "spades hearts clubs diamonds",
    "standard deluxe suite",
    "morning afternoon evening",
    "mean median mode",
    "linear quadratic exponential",
    "car bus train plane bicycle",
    "aapl goog amzn msft tsla nflx meta",
    "apple google amazon microsoft tesla netflix",
    "usa canada mexico brazil france germany italy spain china india japan australia",
    "us uk ca fr de it es cn in jp au",
    "california texas florida nevada oregon ohio virginia georgia",
    "ca tx fl nv or oh va ga",
    "paris london berlin madrid rome tokyo sydney chicago boston seattle miami dallas houston",
    "nasdaq nyse",
    "mercury venus earth mars jupiter saturn uranus neptune",
    "hydrogen helium oxygen nitrogen carbon",
    "violin piano guitar cello flute drums",
    "football basketball tennis baseball soccer hockey",
    "violet indigo teal maroon",
    "vegan vegetarian keto paleo",
    "strawberry vanilla chocolate",
)


def _sibling_word(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """Another member of a small everyday kind: a unit, a weekday, a colour, a country."""
    if not isinstance(site.value, str) or site.optional or site.schema.get("enum"):
        return
    word = site.value.lower()
    kinds = [kind.split() for kind in _KINDS if word in kind.split()]
    if not kinds or not context.mentions(site.value):
        return
    for other in shuffled([o for o in rng.choice(kinds) if o != word], rng):
        value = _cased(other, site.value)
        if means_something_else(site, value):
            yield value


def _cased(word: str, like: str) -> str:
    if like.isupper():
        return word.upper()
    return word.capitalize() if like[:1].isupper() else word


# Pairs of parameters whose exchange a reader may let pass: sides, factors, members of a set.
_SYMMETRIC = re.compile(
    r"^.{0,2}$|\d$|(^|_)(a|b|x|y|z|first|second|one|two|base|height|width|length|breadth|side)(_|$)"
    r"|team|color|player|person|body|num",
    re.I,
)


def _swapped_arguments(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    """Two arguments of one call with each other's values."""
    places = [site for site in sites(context, calls) if len(site.path) == 1 and not site.optional]
    pairs = [(a, b) for n, a in enumerate(places) for b in places[n + 1 :] if a.call == b.call]
    for a, b in shuffled(pairs, rng):
        alike = type(a.value) is type(b.value) and isinstance(a.value, (str, int, float))
        if not alike or isinstance(a.value, bool) or a.schema.get("enum") or b.schema.get("enum"):
            continue
        if _SYMMETRIC.search(a.key) or _SYMMETRIC.search(b.key):
            continue
        if isinstance(a.value, str):
            fits = _shape(a.value) == _shape(b.value) and not related(a.value, b.value)
        else:
            fits = a.value != b.value and _same_scale(a.value, b.value)
        if fits:
            yield with_value(with_value(calls, a, b.value), b, a.value)


# ── lists ────────────────────────────────────────────────────────────────────────────────────────


def _item_dropped(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    if isinstance(site.value, list) and len(site.value) >= 2 and asked_for(context, site):
        for place in shuffled(range(len(site.value)), rng):
            yield site.value[:place] + site.value[place + 1 :]


def _item_added(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """One more item: a number of the conversation, an enum member, a peer's item."""
    if not isinstance(site.value, list) or not site.value or not asked_for(context, site):
        return
    first = site.value[0]
    items = site.schema.get("items") or {}
    pool: list[Any] = list(items.get("enum") or ())
    if _is_number(first):
        pool = [n if type(first) is float else int(n) for n in context.numbers]
        pool = [n for n in pool if _same_scale(first, n)]
    elif isinstance(first, str):
        peers = [item for peer in context.peers.get(site.key, ()) for item in _texts(peer)]
        pool += [item for item in peers if _shape(item) == _shape(first)]
    for item in shuffled(list(dict.fromkeys(pool)), rng):
        if item not in site.value and not any(related(item, old) for old in site.value):
            place = rng.randrange(len(site.value) + 1)
            yield [*site.value[:place], item, *site.value[place:]]


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


VALUES = (
    _operator("other-enum", _other_enum),
    _operator("described-option", _described_option),
    _operator("negated", _negated),
    _operator("default-instead", _default_instead, to_default=True),
    _operator("neighbouring-number", _neighbouring_number),
    _operator("peer-number", _peer_number),
    _operator("digits-slipped", _digits_slipped),
    _operator("power-of-ten", _power_of_ten),
    _operator("sign-lost", _sign_lost),
    _operator("number-in-text", _number_in_text),
    _operator("formula-sign", _operator_in_formula),
    _operator("date-off-by-one", _date_off_by_one),
    _operator("date-other-week", _date_other_week),
    _operator("date-other-year", _date_other_year),
    _operator("time-shifted", _time_shifted),
    _operator("other-moment", _other_moment),
    _operator("entity-here", _entity_here),
    _operator("entity-elsewhere", _entity_elsewhere),
    _operator("other-call", _other_call),
    _operator("sibling-word", _sibling_word),
    Operator("value/swapped-arguments", ErrorType.VALUE, _swapped_arguments),
    _operator("list-item-dropped", _item_dropped),
    _operator("list-item-added", _item_added),
)
