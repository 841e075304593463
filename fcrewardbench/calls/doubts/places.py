"""Places with or without their state or country, persons with or without their title, and codes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fcrewardbench.calls.doubts.base import Place
from fcrewardbench.calls.doubts.names import (
    CITIES,
    COUNTRIES,
    CURRENCIES,
    LANGUAGES,
    STATES,
    WHEREABOUTS,
)
from fcrewardbench.calls.doubts.words import tokens

_ABOUT_PLACES = re.compile(
    r"\bcit(?:y|ies)\b|location|place|destination|origin|countr|region|address|\bstate\b|where|\bloc\b|"
    r"departure|arrival|\bfrom\b|\bto\b|venue|\barea\b|town|airport|station|pickup|market|nation",
    re.I,
)
_SHORT_WORDS = {"street": "st", "avenue": "ave", "road": "rd", "boulevard": "blvd", "drive": "dr"}


def same_place(given: Any, due: Any, place: Place) -> bool:
    """One place, with or without state and country, in full or abbreviated.

    Where the description asks for city and state, or for a code, and the value due has it, the given
    one must have it too. A state or country that is added must be a known one, and for a known city its
    own.
    """
    if not (isinstance(given, str) and isinstance(due, str)):
        return False
    if not _ABOUT_PLACES.search(f"{place.key.replace('_', ' ')} {place.description}"):
        return False
    mine, theirs = _parts(given), _parts(due)
    if (
        not mine
        or not theirs
        or _lacks_region(mine, theirs, place)
        or _lacks_code(given, due, place)
    ):
        return False
    if len(mine) == len(theirs) == 1:
        return bool(_cities(mine[0]) & _cities(theirs[0])) or bool(
            _countries(mine[0]) & _countries(theirs[0]) or _states(mine[0]) & _states(theirs[0])
        )
    if not _cities(mine[0]) & _cities(theirs[0]):
        return False
    return _compatible(mine, theirs)


def _parts(text: str) -> list[str]:
    return [part for part in (" ".join(_short(tokens(part))) for part in text.split(",")) if part]


def _short(words: list[str]) -> list[str]:
    """Street words abbreviated, "the" and zip codes left out."""
    return [
        _SHORT_WORDS.get(word, word)
        for place, word in enumerate(words)
        if word != "the" and not (place and re.fullmatch(r"\d{5}", word))
    ]


def _cities(name: str) -> set[str]:
    bare = re.sub(r"^(?:city of|downtown) | city$", "", name)
    return {CITIES.get(name, name), CITIES.get(bare, bare)}


def _countries(name: str) -> set[str]:
    return {COUNTRIES[name]} if name in COUNTRIES else set()


def _states(name: str) -> set[tuple[str, str]]:
    return {STATES[name]} if name in STATES else set()


def _compatible(mine: list[str], theirs: list[str]) -> bool:
    """Whether what follows the first part may name one region, given the region of known cities."""
    known = next(
        (
            WHEREABOUTS[city]
            for city in _cities(mine[0]) | _cities(theirs[0])
            if city in WHEREABOUTS
        ),
        None,
    )
    left, right = mine[1:], theirs[1:]
    if left and right and not any(_one_region(a, b, known) for a in left for b in right):
        return False
    alone = [part for part in left if not any(_one_region(part, b, known) for b in right)]
    alone += [part for part in right if not any(_one_region(a, part, known) for a in left)]
    return all(
        (_countries(part) or _states(part)) and (known is None or _lies_in(part, known))
        for part in alone
    )


def _lies_in(part: str, known: tuple[str, ...]) -> bool:
    return bool(_countries(part) & set(known)) or any(name in known for name, _ in _states(part))


def _one_region(a: str, b: str, known: tuple[str, ...] | None) -> bool:
    """Whether two regions are one, or one the country of the other."""
    if a == b or _countries(a) & _countries(b) or _states(a) & _states(b):
        return True
    lands = [{country for _, country in _states(part)} for part in (a, b)]
    if lands[0] & _countries(b) or lands[1] & _countries(a):
        return known is None or (_lies_in(a, known) and _lies_in(b, known))
    return False


_WHOLE = re.compile(
    r"city(?:,| and|/) ?(?:state|country|the state)|, ?(?:state|country)\b|, [A-Z]{2}\b", re.I
)
_CODED = re.compile(r"\bcodes?\b|two[- ]letter|2[- ]letter|abbreviat|\biso\b|short form", re.I)


def _lacks_region(mine: list[str], theirs: list[str], place: Place) -> bool:
    return len(mine) == 1 and len(theirs) > 1 and bool(_WHOLE.search(place.description))


def _lacks_code(given: str, due: str, place: Place) -> bool:
    coded = bool(_CODED.search(f"{place.description} {place.key.replace('_', ' ')}"))
    return coded and len(due) <= 3 < len(given)


def same_code(given: Any, due: Any, place: Place) -> bool:
    """A country, language or currency by its name and by its code, unless a code is asked for."""
    if not (isinstance(given, str) and isinstance(due, str)) or _lacks_code(given, due, place):
        return False
    subject = f"{place.key.replace('_', ' ')} {place.description}"
    return any(pattern.search(subject) and _one_of(names, given, due) for pattern, names in _TABLES)


_TABLES: tuple[tuple[re.Pattern[str], Mapping[str, str]], ...] = (
    (re.compile(r"countr|nation|location|region|market", re.I), COUNTRIES),
    (re.compile(r"lang|locale|\bto\b|\bfrom\b|translat", re.I), LANGUAGES),
    (re.compile(r"currenc|\bto\b|\bfrom\b|symbol|coin|crypto|base|target", re.I), CURRENCIES),
)


def _one_of(names: Mapping[str, str], given: str, due: str) -> bool:
    a, b = (names.get(" ".join(tokens(text))) for text in (given, due))
    return a is not None and a == b


_TITLE_NAMES = """
mr mrs ms miss dr doctor prof professor sir dame president judge justice captain capt senator king queen
attorney
"""
_TITLES = frozenset(_TITLE_NAMES.split())


def same_person(given: Any, due: Any, place: Place) -> bool:
    """A person with and without a title."""
    if not (isinstance(given, str) and isinstance(due, str)):
        return False
    a, b = ([word for word in tokens(text) if word not in _TITLES] for text in (given, due))
    return bool(a) and a == b
