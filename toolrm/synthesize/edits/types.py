"""Wrong types that only training has.

In the benchmark family quotes or brackets alone make a type wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from fcrewardbench import ErrorType
from fcrewardbench.calls.edits.base import Calls, Context, Operator
from fcrewardbench.calls.edits.dates import moment_of
from fcrewardbench.calls.edits.sites import Site, shuffled, sites, with_value


def _typed(name: str, convert: Callable[[Context, Site, Random], Iterator[Any]]) -> Operator:
    def edit(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
        for site in shuffled(sites(context, calls), rng):
            if len(site.path) == 1 and not site.optional:
                for value in convert(context, site, rng):
                    yield with_value(calls, site, value)

    return Operator(f"type/{name}", ErrorType.TYPE, edit)


def _null(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    if context.mentions(site.value):
        yield None


def _wrapped(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """An object that holds the value."""
    if isinstance(site.value, (str, int, float, bool)):
        yield {rng.choice(("value", "type", "name", site.parameter)): site.value}


_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def _number_in_words(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    if type(site.value) is int and 0 <= site.value < len(_NUMBERS):
        yield _NUMBERS[site.value]


def _text_as_object(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """A date, a time, a place or a name taken apart."""
    if not isinstance(site.value, str) or not context.mentions(site.value):
        return
    read = moment_of(site.value)
    if read and "%d" in read[1]:
        yield {"year": read[0].year, "month": read[0].month, "day": read[0].day}
    elif read:
        yield {"hour": read[0].hour, "minute": read[0].minute}
    elif ", " in site.value:
        first, _, rest = site.value.partition(", ")
        yield dict(
            zip(rng.choice((("city", "state"), ("name", "detail"))), (first, rest), strict=True)
        )
    elif 2 <= len(site.value.split()) <= 4:
        first, *others = site.value.split()
        yield {"first": first, "last": " ".join(others)}


def _text_as_truth(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """Yes where one of several texts is due."""
    if isinstance(site.value, str) and site.schema.get("enum") and context.mentions(site.value):
        yield True


def _text_as_place(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """A member of the enum by its place there."""
    members = site.schema.get("enum") or ()
    if isinstance(site.value, str) and site.value in members and len(members) > 2:
        yield list(members).index(site.value) + rng.choice((0, 1))


def _moment_as_number(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """A date or a time as one number."""
    read = moment_of(site.value)
    if read and "%Y" in read[1]:
        yield int(read[0].strftime("%Y%m%d"))
    elif read and "%H" in read[1]:
        yield rng.choice((read[0].hour, int(read[0].strftime("%H%M"))))


def _list_as_object(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    if isinstance(site.value, list) and site.value:
        yield {"items": site.value}


TYPES = (
    _typed("null", _null),
    _typed("wrapped", _wrapped),
    _typed("number-in-words", _number_in_words),
    _typed("list-as-object", _list_as_object),
    _typed("text-as-object", _text_as_object),
    _typed("text-as-truth", _text_as_truth),
    _typed("text-as-place", _text_as_place),
    _typed("moment-as-number", _moment_as_number),
)
