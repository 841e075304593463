"""Numbers and quantities apart from their notation."""

from __future__ import annotations

import math
import re
from typing import Any

from fcrewardbench.calls.doubts.base import Place
from fcrewardbench.calls.doubts.words import tokens

_NUMBER_WORDS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen
"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_WORDS = {word: number for number, word in enumerate(_NUMBER_WORDS.split())} | {
    word: 10 * number for number, word in enumerate(_TENS.split(), start=2)
}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12}
# No leading zeros: "007" is an id, not seven.
_NUMBER = re.compile(r"[+-]?(?:(?:0|[1-9]\d*)(?:\.\d+)?|\.\d+)(?:e[+-]?\d+)?", re.I)


def number_of(value: Any) -> float | None:
    """The number that a value is or writes: 1000, "1,000", "$1000", "one thousand", "1/2".

    None for what is no number, or one that no float holds.
    """
    try:
        return _read(value)
    except (OverflowError, ValueError):  # too large; or too many digits for Python to convert
        return None


def _read(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return float(value)
    if not isinstance(value, str):
        return None
    text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", value.strip().lower().lstrip("$€£"))
    if _NUMBER.fullmatch(text):
        return float(text)
    fraction = re.fullmatch(r"(\d+) ?/ ?([1-9]\d*)", text)
    if fraction:
        return int(fraction[1]) / int(fraction[2])
    scaled = re.fullmatch(r"(\d+(?:\.\d+)?) ?(thousand|million|billion|trillion)", text)
    if scaled:
        return float(scaled[1]) * _SCALES[scaled[2]]
    return _spelled(text)


def _spelled(text: str) -> float | None:
    words = [word for word in re.split(r"[\s-]+", text) if word != "and"]
    total = part = 0
    for word in words:
        if word in _WORDS:
            part += _WORDS[word]
        elif word in _SCALES:
            part = max(part, 1) * _SCALES[word]
            if word != "hundred":
                total, part = total + part, 0
        else:
            return None
    return float(total + part) if words else None


def number_and_text(given: Any, due: Any, place: Place) -> bool:
    """A number where its text is due, or the other way round."""
    return isinstance(given, str) is not isinstance(due, str) and same_number(given, due, place)


def same_number(given: Any, due: Any, place: Place) -> bool:
    """The same number in digits or words, as a fraction, with separators or a decimal point more."""
    a, b = number_of(given), number_of(due)
    return a is not None and b is not None and math.isclose(a, b, rel_tol=1e-9)


_SHARE = re.compile(
    r"percent|rate|ratio|interest|probab|fraction|discount|tax|growth|yield|share|threshold|confidence"
    r"|inflation|return|margin|propor|alpha|level|coupon|mortality|volatil",
    re.I,
)
_AS_PERCENT = re.compile(r"percent|in %|\(%\)", re.I)
_AS_SHARE = re.compile(r"decimal|fraction|between 0 and 1|0 to 1|\b0?\.\d", re.I)


def same_share(given: Any, due: Any, place: Place) -> bool:
    """5%, 5 and 0.05, where the description does not say which; a number with its % as text is read
    as either."""
    a, b = _share_of(given), _share_of(due)
    if a is None or b is None:
        return False
    marked = _marked(given) or _marked(due)
    if marked and math.isclose(a, b, rel_tol=1e-9):
        return True
    (share, less), (percent, _) = sorted(((a, given), (b, due)), key=lambda pair: abs(pair[0]))
    if _marked(less) or not math.isclose(percent, 100 * share, rel_tol=1e-9):
        return False
    if a == 0 or not (marked or _SHARE.search(f"{place.key} {place.description}")):
        return False
    stated = _AS_PERCENT.search(place.description), _AS_SHARE.search(place.description)
    owed = (stated[0] is not None and b > a) or (stated[1] is not None and b < a)
    return not owed


def _marked(value: Any) -> bool:
    return isinstance(value, str) and "%" in value


def _share_of(value: Any) -> float | None:
    if isinstance(value, str):
        value = re.sub(r"\s*(?:%|percent)$", "", value.strip())
    return number_of(value)


# Canonical unit, its factor, and its spellings. Units of one canonical unit are converted.
_UNITS: dict[str, tuple[str, float]] = {
    name: (base, factor)
    for base, factor, names in (
        ("m", 1.0, "m meter meters metre metres"),
        ("m", 1000.0, "km kms kilometer kilometers kilometre kilometres"),
        ("m", 0.01, "cm centimeter centimeters centimetre centimetres"),
        ("m", 0.001, "mm millimeter millimeters"),
        ("m", 1609.344, "mi mile miles"),
        ("m", 0.3048, "ft foot feet"),
        ("m", 0.0254, "inch inches"),
        ("m", 0.9144, "yd yard yards"),
        ("kg", 1.0, "kg kgs kilogram kilograms kilo kilos"),
        ("kg", 0.001, "g gram grams gm"),
        ("kg", 0.45359237, "lb lbs pound pounds"),
        ("kg", 0.028349523125, "oz ounce ounces"),
        ("s", 1.0, "s sec secs second seconds"),
        ("s", 60.0, "min mins minute minutes"),
        ("s", 3600.0, "h hr hrs hour hours"),
        ("s", 86400.0, "day days daily"),
        ("s", 604800.0, "week weeks"),
        ("month", 1.0, "month months"),
        ("month", 12.0, "year years yr yrs"),
        ("l", 1.0, "l liter liters litre litres"),
        ("l", 0.001, "ml milliliter milliliters"),
        ("c", 1.0, "c celsius °c centigrade"),
        ("f", 1.0, "f fahrenheit °f"),
        ("m/s", 1.0, "m/s mps"),
        ("m/s", 1 / 3.6, "km/h kmh kph"),
        ("m/s", 0.44704, "mph"),
        ("usd", 1.0, "usd dollar dollars"),
        ("eur", 1.0, "eur euro euros"),
        ("hz", 1.0, "hz hertz"),
        ("n", 1.0, "n newton newtons"),
        ("j", 1.0, "j joule joules"),
        ("w", 1.0, "w watt watts"),
        ("k", 1.0, "k kelvin"),
        ("mol", 1.0, "mol mole moles"),
        ("person", 1.0, "person persons people adult adults guest guests passenger passengers"),
        ("piece", 1.0, "piece pieces item items"),
        ("ticket", 1.0, "ticket tickets"),
        ("room", 1.0, "room rooms"),
        ("time", 1.0, "time times"),
    )
    for name in names.split()
}
_QUANTITY = re.compile(r"(?P<number>[$€£]?[\d.,]+|[a-z]+)[ -]?(?P<unit>[a-z°/]+)")


def same_unit(given: Any, due: Any, place: Place) -> bool:
    """Names of one unit: "km" and "kilometers", "g/mol" and "grams per mole"."""
    if not (isinstance(given, str) and isinstance(due, str)):
        return False
    a, b = (re.split(r" per |/", text.strip().lower()) for text in (given, due))
    return len(a) == len(b) and all(
        x == y or (x in _UNITS and _UNITS[x] == _UNITS.get(y)) for x, y in zip(a, b, strict=True)
    )


def same_quantity(given: Any, due: Any, place: Place) -> bool:
    """One quantity as text with its unit, converted, or without it where no other unit is asked for."""
    if not (isinstance(given, str) and isinstance(due, str)):
        return False
    a, b = _quantity_of(given), _quantity_of(due)
    if a is None or b is None:
        return False
    if a[1] and b[1]:
        (base, factor), (other, other_factor) = a[1], b[1]
        return base == other and math.isclose(a[0] * factor, b[0] * other_factor, rel_tol=1e-6)
    unit = a[1] or b[1]
    if unit is None:
        return False
    named = {_UNITS[word] for word in tokens(place.description) if word in _UNITS and len(word) > 1}
    named |= {_UNITS[word] for word in place.names if word in _UNITS and len(word) > 1}
    return a[0] == b[0] and (unit in named or not any(base == unit[0] for base, _ in named))


def _quantity_of(value: Any) -> tuple[float, tuple[str, float] | None] | None:
    number = number_of(value)
    if number is not None:
        return number, None
    match = _QUANTITY.fullmatch(value.strip().lower()) if isinstance(value, str) else None
    if not match or match["unit"] not in _UNITS:
        return None
    number = number_of(match["number"])
    return None if number is None else (number, _UNITS[match["unit"]])
