"""Wrong names: of places, people and things, in the conversation or of the same kind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from random import Random
from typing import Any

from fcrewardbench.calls.edits.base import Calls, Context, Operator, name_words
from fcrewardbench.calls.edits.dates import moment_of
from fcrewardbench.calls.edits.sense import in_order
from fcrewardbench.calls.edits.siblings import kind_of, shares_word
from fcrewardbench.calls.edits.sites import (
    Site,
    asked_for,
    lacks_preference,
    means_something_else,
    related,
    same_scale,
    shape,
    shuffled,
    sites,
    value_operator,
    with_value,
)
from fcrewardbench.calls.edits.variants import styled
from fcrewardbench.types import ErrorType


def _replaceable_text(context: Context, site: Site) -> bool:
    value = site.value
    if not isinstance(value, str) or len(value) < 2 or moment_of(value) or site.schema.get("enum"):
        return False
    return asked_for(context, site) and len(value) <= 60


def _fitting(site: Site, value: Any) -> bool:
    if not isinstance(value, str) or not value or shape(value) != shape(site.value):
        return False
    return not lacks_preference(value) and means_something_else(site, value)


def _entity_here(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """A value of this parameter elsewhere that this conversation names too."""
    if _replaceable_text(context, site):
        for value in shuffled(context.named_peers(site.key), rng):
            if _fitting(site, value):
                yield value


def _entity_elsewhere(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """A value that the same parameter of the same tool takes in another task, much like this one."""
    if not _replaceable_text(context, site) or not _is_entity(site):
        return
    peers = context.peers.get(f"{site.tool}.{site.key}", ())
    fitting = [value for value in peers if _fitting(site, value)]
    if len(fitting) < 2 and _PLACE.search(site.key):
        fitting = [value for value in context.peers.get(site.key, ()) if _fitting(site, value)]
    fitting = [value for value in fitting if _likeness(site.value, value) >= 0.6]
    fitting.sort(key=lambda value: (-_likeness(site.value, value), value))
    yield from shuffled(fitting[:3], rng)


def _is_entity(site: Site) -> bool:
    """Whether a text names one thing: no id, no formula, no sentence."""
    if _NOT_A_NAME.search(site.key):
        return False
    return not re.search(r"[\d*^=()+{}:?@]", site.value) and len(site.value.split()) <= 5


_NOT_A_NAME = re.compile(
    r"id$|query|text|statement|message|content|question|prompt|command|keyword|code|url|path|file",
    re.I,
)
# Parameters whose values mean the same kind of thing in every tool.
_PLACE = re.compile(r"city|location|country|destination|origin|place|state$|where_to", re.I)


def _likeness(first: str, second: str) -> float:
    """Shared words count most, then shared letters; a state or country after a comma not at all."""
    a, b = (text.lower().split(",", maxsplit=1)[0] for text in (first, second))
    words = {word for word in a.split() if len(word) > 3} & set(b.split())
    return len(words) + SequenceMatcher(None, a, b).ratio()


def _other_call(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """The value that the same parameter takes in another call of this answer."""
    if not asked_for(context, site) or type(site.value) not in (str, int, float):
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
    "nasdaq nyse",
    "mercury venus earth mars jupiter saturn uranus neptune",
    "hydrogen helium oxygen nitrogen carbon",
    "violin piano guitar cello flute drums",
    "football basketball tennis baseball soccer hockey",
    "violet indigo teal maroon",
    "vegan keto paleo",
    "strawberry vanilla chocolate",
)


def _sibling_word(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """Another member of a small everyday kind: a unit, a weekday, a colour, a country."""
    if not isinstance(site.value, str) or site.optional or site.schema.get("enum"):
        return
    if not _is_entity(site):
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


_OPPOSITES = ({"from", "to"}, {"origin", "destination"}, {"start", "end"}, {"source", "target"})


# Tools whose result is the same either way round.
_COMMUTATIVE = re.compile(
    r"distance|\bsums?\b|\badd|gcd|lcm|greatest common|least common|difference|absolute|product",
    re.I,
)


def _order_matters(context: Context, site: Site) -> bool:
    tool = context.tool(site.tool)
    spoken = " ".join(name_words(tool.name))
    symmetric = _COMMUTATIVE.search(f"{spoken} {tool.description}") or "between" in spoken
    return not symmetric and not _SYMMETRIC.search(site.key) and not _NOT_A_NAME.search(site.key)


def _exchangeable(first: str, second: str) -> bool:
    """Whether a model may mix two parameters up: alike in name, in kind, or opposites."""
    a, b = set(name_words(first)), set(name_words(second))
    opposite = any(len(pair & a) == 1 and len(pair & b) == 1 for pair in _OPPOSITES)
    same_kind = kind_of(first) is not None and kind_of(first) == kind_of(second)
    return opposite or same_kind or shares_word(first, second)


def _swapped_arguments(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    """Two arguments of one call with each other's values."""
    places = [site for site in sites(context, calls) if len(site.path) == 1 and not site.optional]
    pairs = [(a, b) for n, a in enumerate(places) for b in places[n + 1 :] if a.call == b.call]
    for a, b in shuffled(pairs, rng):
        alike = type(a.value) is type(b.value) and isinstance(a.value, (str, int, float))
        if not alike or isinstance(a.value, bool) or a.schema.get("enum") or b.schema.get("enum"):
            continue
        if not all(_order_matters(context, site) for site in (a, b)):
            continue
        if isinstance(a.value, str):
            dates = [moment and moment[1] for moment in (moment_of(a.value), moment_of(b.value))]
            fits = shape(a.value) == shape(b.value) and dates[0] == dates[1]
            fits = fits and not related(a.value, b.value)
        else:
            fits = a.value != b.value and same_scale(a.value, b.value)
        changed = with_value(with_value(calls, a, b.value), b, a.value)
        if fits and _exchangeable(a.key, b.key) and in_order(changed[a.call].arguments):
            yield changed


ENTITIES = (
    value_operator("entity-here", _entity_here),
    value_operator("entity-elsewhere", _entity_elsewhere),
    value_operator("other-call", _other_call),
    value_operator("sibling-word", _sibling_word),
    Operator("value/swapped-arguments", ErrorType.VALUE, _swapped_arguments),
)
