"""Numbers and amounts, as people say them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random
from typing import Any

from toolrm.synthesize.distractors import listed
from toolrm.synthesize.requests.data import WORDS
from toolrm.synthesize.requests.kinds import examples_of, singular, words_in
from toolrm.synthesize.requests.value import OTHERWISE, Value

SMALL = listed(
    """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen
    """
)
_TENS = listed("twenty thirty forty fifty sixty seventy eighty ninety")
_IDENTIFYING = frozenset(listed("id year number code latitude longitude identifier"))
_SHARES = frozenset(
    listed(
        """
        rate share ratio probability percentage percent tax discount interest yield proportion
        threshold confidence fraction margin efficiency humidity
        """
    )
)


def in_words(number: float) -> str | None:
    """A number up to a hundred, or half of one up to ten, in words; None of any other."""
    if number == int(number) and 0 < number < 100:
        tens, ones = divmod(int(number), 10)
        if number < 20:
            return SMALL[int(number)]
        return _TENS[tens - 2] + (f"-{SMALL[ones]}" if ones else "")
    if number == 100:
        return "a hundred"
    if number - int(number) == 0.5 and 1 < number < 10:
        return f"{SMALL[int(number)]} and a half"
    return None


def number_value(name: str, schema: Mapping[str, Any], integer: bool, rng: Random) -> Value | None:
    """A number in the unit that is asked for, said in digits, in words, rounded or in another unit."""
    words, asked = words_in(name), str(schema.get("description", ""))
    counted = not set(words) & _IDENTIFYING
    if counted and re.search(r"percent|%", asked + name) and not _is_fraction(words, schema):
        unit = "percent"
    else:
        unit = _unit_of(name, asked)
    otherwise = counted and rng.random() < OTHERWISE
    if otherwise:
        measured = _measured(unit, words, schema, integer, rng)
        if measured is not None:
            return measured
    low, high, decimals = _range(words, schema, integer)
    fraction = not integer and _is_fraction(words, schema)
    if fraction:
        low, high, decimals = max(low, 0.01), min(high, 0.99), 2
        low = min(low, high)
    number: float = round(rng.uniform(low, high), decimals)
    if rng.random() < 0.4 and high - low > 200:
        number = round(number, -2 if high - low > 2_000 else -1) or number
    elif not integer and not fraction and otherwise and high > 2:
        number = max(round(number * 2) / 2, 0.5)
    exact = int(number) if integer or number == int(number) else number
    if not all(_within(exact, schema, key) for key in ("minimum", "maximum")):
        return None
    if fraction and rng.random() < 2 * OTHERWISE:
        return Value(_percent(round(exact * 100, 4), rng), (exact,))
    text = str(exact)
    if otherwise:
        text = _rounded(exact, rng) or in_words(exact) or text
    elif counted and abs(exact) >= 10_000 and rng.random() < 0.6:
        text = f"{exact:,}"
    if not unit or not counted or exact == 1 or rng.random() < OTHERWISE:
        return Value(text, (exact,))
    if unit == "percent":
        return Value(_percent(exact, rng), (exact,))
    return Value(f"{text} {unit}", (exact,))


def _percent(number: float, rng: Random) -> str:
    number = int(number) if number == int(number) else number
    return f"{number}{rng.choice(('%', '%', ' percent'))}"


def _is_fraction(words: list[str], schema: Mapping[str, Any]) -> bool:
    """Whether a share is to be given as a number from 0 to 1."""
    asked = str(schema.get("description", ""))
    if not set(words) & _SHARES:
        return False
    if re.search(r"fraction|decimal|between 0(?:\.0)? and 1(?:\.0)?\b|\b0 ?[-–] ?1\b", asked):
        return True
    numbers = [value for value in examples_of(schema) if re.fullmatch(r"-?\d+(?:\.\d+)?", value)]
    below = bool(numbers) and all(0 < float(value) < 1 for value in numbers)
    return below and re.search(r"percent|%", asked) is None


def _unit_of(name: str, asked: str) -> str:
    """The unit that a description names; empty where it names none."""
    for unit in WORDS["units"]:
        if re.search(rf"\b(?:in|number of) {unit}\b(?! per|/)|\({unit}\)", asked, re.IGNORECASE):
            return str(unit)
    words = words_in(name)
    if words and words[-1] in WORDS["measures"]:
        return words[-1]
    return "years" if "year" not in words and re.search(r"age .*in years", asked) else ""


def _measured(
    unit: str, words: list[str], schema: Mapping[str, Any], integer: bool, rng: Random
) -> Value | None:
    """An amount in another unit than the one asked for, such as "half an hour" for minutes."""
    low, high, _ = _range(words, schema, integer)
    ways = [
        (said, amount)
        for said, amount in WORDS["measures"].get(unit, {}).items()
        if low / 2 <= amount <= 2 * high
        and all(_within(amount, schema, key) for key in ("minimum", "maximum"))
    ]
    if not ways:
        return None
    said, amount = rng.choice(ways)
    return Value(said, (amount,))


def _rounded(number: float, rng: Random) -> str | None:
    """Thousands and millions as people say them."""
    for size, forms in ((1_000_000, (" million", "M")), (1_000, ("k", " thousand"))):
        if abs(number) >= size and number % (size / 10) == 0:
            return f"{number / size:g}{rng.choice(forms)}"
    return None


def _within(number: float, schema: Mapping[str, Any], key: str) -> bool:
    bound = schema.get(key)
    if not isinstance(bound, int | float):
        return True
    return number >= bound if key == "minimum" else number <= bound


def _range(words: list[str], schema: Mapping[str, Any], integer: bool) -> tuple[float, float, int]:
    examples = [value for value in examples_of(schema) if re.fullmatch(r"-?\d+(?:\.\d+)?", value)]
    if examples:
        numbers = [float(value) for value in examples]
        places = max(len(value.partition(".")[2]) for value in examples)
        low, high = min(numbers), max(numbers)
        if "year" in words and low > 1_000:
            return low, max(high, min(low + 20, 2025)), 0
        low = low * 0.6 if low > 0 else low * 1.4
        low = max(low, 1) if integer and min(numbers) > 0 else low
        return (
            low,
            max(high * 1.4, low + 1),
            0 if integer else max(places, 1 if high < 10 else places),
        )
    if set(words) & {"id", "identifier", "code"}:
        return 101, 98_999, 0
    found = next(
        (
            WORDS["ranges"][singular(word)]
            for word in reversed(words)
            if singular(word) in WORDS["ranges"]
        ),
        None,
    )
    low, high, decimals = found or (2, 480, 1)
    return (max(low, 1) if low > 0 else low, high, 0) if integer else (low, high, decimals)
