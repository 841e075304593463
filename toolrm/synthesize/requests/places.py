"""Places and languages, as people name them."""

from __future__ import annotations

from random import Random

from toolrm.synthesize.requests.data import WORDS
from toolrm.synthesize.requests.inventions import town
from toolrm.synthesize.requests.kinds import CITIES, COUNTRIES
from toolrm.synthesize.requests.value import OTHERWISE, Value


def place_value(kind: str, sort: str, words: list[str], rng: Random) -> Value:
    """A town, a country, or the code of a country or a language."""
    otherwise = rng.random() < OTHERWISE
    if kind == "language-code":
        language, code = rng.choice(list(WORDS["language_codes"].items()))
        return Value(code if rng.random() < 0.2 else language, (code,))
    if kind == "country-code":
        country, codes = rng.choice(list(WORDS["country_codes"].items()))
        code = codes[1 if sort == "3" else 0]
        spellings = WORDS["country_spellings"].get(country, [country])
        named = rng.choice(spellings) if otherwise else country
        return Value(code if rng.random() < 0.2 else named, (code,))
    if kind == "country":
        country = rng.choice(COUNTRIES)
        if rng.random() < 0.1:  # they are few, and the only ones that have other spellings
            country = rng.choice(list(WORDS["country_spellings"]))
        return _country(country, otherwise, rng)
    if rng.random() < 0.09:
        short, city = rng.choice(list(WORDS["nicknames"].items()))
        return Value(short, (city, short.removeprefix("the ")))
    city, country = rng.choice(CITIES)
    form = rng.random()
    if form >= 0.7:
        city = town(rng)
    full = f"{city}, {country}"
    if 0.5 <= form < 0.7:
        return Value(full, (city, full) if "city" in words else (full, city))
    return Value(city.lower() if otherwise and rng.random() < 0.5 else city, (city,))


def _country(country: str, otherwise: bool, rng: Random) -> Value:
    spellings = WORDS["country_spellings"].get(country, [])
    said = rng.choice([*spellings, country.lower()]) if otherwise else country
    known = [country, *(spelling.removeprefix("the ") for spelling in spellings)]
    return Value(said, tuple(dict.fromkeys(known)))
