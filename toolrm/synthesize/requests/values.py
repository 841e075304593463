"""Values that are drawn, the words in which a request says them, and all that a call may give."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

from toolrm.synthesize.distractors import listed
from toolrm.synthesize.requests.data import WORDS
from toolrm.synthesize.requests.kinds import (
    CITIES,
    COUNTRIES,
    examples_of,
    kind_of,
    singular,
    words_in,
)

OTHERWISE = 0.4
"""How often a value is said in another form than the one that is due, where there is one."""

_DECEMBER_2025 = date(2025, 12, 31)
_SMALL = listed(
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


@dataclass(frozen=True, slots=True)
class Value:
    """A value as the request says it, and how a call may give it, the best way first.

    Args:
        order: what dates and times are compared by.
        command: what says a truth value by itself, as an order; empty where nothing does.
        statement: the same as a statement.
    """

    said: str
    admissible: tuple[Any, ...]
    order: str = ""
    command: str = ""
    statement: str = ""


def value_of(name: str, schema: Mapping[str, Any], rng: Random) -> Value | None:
    """A value that the schema admits; None where nobody could tell what would be one."""
    kind = kind_of(name, schema)
    if kind == "boolean":
        return _boolean(name, schema, rng)
    if kind in ("integer", "number"):
        return _number(name, schema, kind == "integer", rng)
    if kind == "array":
        return _list(name, schema, rng)
    if kind == "object":
        return _object(schema, rng)
    examples = examples_of(schema)
    if kind == "choice":
        return _choice(schema, examples, rng)
    if kind == "code" and examples:
        shape = rng.choice([value for value in examples if re.search(r"\d", value)] or [""])
        code = re.sub(r"\d", lambda _: str(rng.randrange(1, 10)), shape) or _code(rng)
        return Value(code, (code,))
    if "isbn" in words_in(name):
        isbn = f"978-{rng.randrange(2, 9)}-{rng.randrange(10**7, 10**8)}-{rng.randrange(9)}"
        return Value(isbn, (isbn,))
    if kind == "date":
        return _date(str(schema.get("description", "")), rng)
    maker, _, sort = kind.partition(":")
    if maker in ("place", "country", "country-code", "language-code"):
        return _located(maker, sort, words_in(name), rng)
    if maker == "pool":
        value = rng.choice(WORDS["pools"][sort])
        said = _said_as(value, WORDS["pools"][sort], rng)
        return Value(said, tuple(dict.fromkeys((value, said))))
    if maker == "file":
        value = _file(rng, WORDS["files"][sort])
    elif maker == "organisation":
        value = _organisation(rng, WORDS["organisations"][sort])
    elif maker == "time":
        return _time(rng)
    elif maker in _MAKERS_OF_VALUES:
        value = _MAKERS_OF_VALUES[maker](rng)
    else:
        return None
    if maker in ("person", "organisation", "region", "language") and rng.random() < 0.12:
        return Value(value.lower(), (value,))
    quoted = maker == "text" or (maker in ("title", "topic", "product") and rng.random() < 0.5)
    mark = "'" if rng.random() < 0.25 and "'" not in value else '"'
    return Value(f"{mark}{value}{mark}" if quoted else value, (value,))


# ── truth values and choices ─────────────────────────────────────────────────────────────────────


_NEGATED = {
    "is": "is not",
    "are": "are not",
    "was": "was not",
    "has": "does not have",
    "should be": "should not be",
    "can be": "cannot be",
    "has been": "has not been",
    "needs to be": "does not need to be",
}


def _boolean(name: str, schema: Mapping[str, Any], rng: Random) -> Value:
    true = rng.random() < 0.5
    command, statement = _clauses(name, str(schema.get("description", "")), true)
    said = rng.choice(("yes", "true") if true else ("no", "false"))
    return Value(said, (true,), command=command, statement=statement)


def _clauses(name: str, description: str, true: bool) -> tuple[str, str]:
    """An order and a statement that say a truth value, as far as the description tells them."""
    text = re.sub(r"\s*\([^()]*\)|\s+or not\b|\. .*|\.$|,.*| by default.*", "", description).strip()
    switch = re.match(r"Enable or disable (.+)", text)
    if switch:
        return f"{'enable' if true else 'disable'} {switch[1]}", ""
    to_do = re.search(r"\b(?:[Ww]hether|if|true) (?:you want )?to (\w+ .+)", text)
    plain = re.match(r"(?:Include|Enable|Show|Mute|Allow|Send|Return|Use|Add|Hide)\b .+", text)
    words = words_in(name)
    verb = ""
    if to_do:
        verb = to_do[1]
    elif plain:
        verb = f"{plain[0][0].lower()}{plain[0][1:]}"
    elif len(words) > 1 and words[0] in ("include", "show", "use", "enable", "send", "allow"):
        verb = " ".join(words)
    if verb and " or " not in verb:
        return (verb if true else f"do not {verb}"), ""
    found = re.search(
        r"\b(?:[Ww]hether|if) (\w+(?: \w+){0,4}?) "
        r"(is|are|was|has been|has|should be|can be|needs to be) (.+)",
        text,
    )
    if found is None or " or " in found[3] or found[1].startswith(("you", "your")):
        return "", ""
    return "", f"{found[1]} {found[2] if true else _NEGATED[found[2]]} {found[3]}"


def _choice(schema: Mapping[str, Any], examples: Sequence[str], rng: Random) -> Value | None:
    value = rng.choice(examples)
    if re.fullmatch(r"[\s.…]*", value):
        return None
    said = _said_as(value, examples, rng)
    closed = isinstance(schema.get("enum"), list)
    return Value(said, (value,) if closed else tuple(dict.fromkeys((value, said))))


def _said_as(value: str, others: Sequence[str], rng: Random) -> str:
    """The value in words that can mean no other one of these, or as it is."""
    if rng.random() >= 2 * OTHERWISE:
        return value
    taken = {word.casefold() for other in others if other != value for word in _ways_to_say(other)}
    ways = [way for way in _ways_to_say(value)[1:] if way.casefold() not in taken]
    return rng.choice(ways) if ways else value


def _ways_to_say(value: str) -> list[str]:
    plain = value.replace("_", " ")
    if value.isupper() and "_" in value:
        plain = plain.lower()
    lower = (
        plain.lower()
        if re.fullmatch(r"[A-Z]?[a-z]{3,}(?: [A-Za-z]{3,})*|[A-Z]{5,}", plain)
        else plain
    )
    others = WORDS["said_as"].get(value.lower().replace("_", "-"), ())
    return list(dict.fromkeys((value, plain, lower, *others)))


# ── places ───────────────────────────────────────────────────────────────────────────────────────


def _located(kind: str, sort: str, words: list[str], rng: Random) -> Value:
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
        city = _town(rng)
    full = f"{city}, {country}"
    if 0.5 <= form < 0.7:
        return Value(full, (city, full) if "city" in words else (full, city))
    return Value(city.lower() if otherwise and rng.random() < 0.5 else city, (city,))


def _country(country: str, otherwise: bool, rng: Random) -> Value:
    spellings = WORDS["country_spellings"].get(country, [])
    said = rng.choice([*spellings, country.lower()]) if otherwise else country
    known = [country, *(spelling.removeprefix("the ") for spelling in spellings)]
    return Value(said, tuple(dict.fromkeys(known)))


def _person(rng: Random) -> str:
    return f"{rng.choice(WORDS['first_names'])} {rng.choice(WORDS['last_names'])}"


def _town(rng: Random) -> str:
    return f"{rng.choice(WORDS['town_starts'])}{rng.choice(WORDS['town_ends'])}"


def _title(rng: Random) -> str:
    adjective, noun, other = rng.choice(WORDS["adjectives"]), *rng.sample(WORDS["nouns"], 2)
    forms = (f"The {adjective} {noun}", f"{noun} of the {other}", f"{adjective} {noun}")
    return rng.choice((*forms, f"{noun} and {other}", f"A {noun} in {rng.choice(CITIES)[0]}"))


def _organisation(rng: Random, endings: Sequence[str]) -> str:
    starts = (
        _town(rng),
        rng.choice(WORDS["last_names"]),
        f"{rng.choice(WORDS['adjectives'])} {rng.choice(WORDS['nouns'])}",
    )
    return f"{rng.choice(starts)} {rng.choice(endings)}"


def _product(rng: Random) -> str:
    letters = "".join(rng.choices("ABCDEGHKLMPRSTVXZ", k=rng.randint(1, 2)))
    return f"{rng.choice(WORDS['nouns'])} {letters}{rng.randrange(2, 90) * 10}"


def _code(rng: Random) -> str:
    letters = "".join(rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZ", k=rng.randint(2, 3)))
    digits = "".join(rng.choices("0123456789", k=rng.randint(3, 6)))
    mixed = "".join(rng.choices("abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789", k=10))
    return rng.choice((f"{letters}-{digits}", f"{letters}{digits}", f"7{digits}", mixed))


def _email(rng: Random) -> str:
    first, last = rng.choice(WORDS["first_names"]).lower(), rng.choice(WORDS["last_names"]).lower()
    host = f"{rng.choice(WORDS['nouns'])}{rng.choice(WORDS['nouns'])}".lower()
    return f"{rng.choice((f'{first}.{last}', f'{first[0]}{last}', first))}@{host}.example"


def _url(rng: Random) -> str:
    host = f"{rng.choice(WORDS['adjectives'])}-{rng.choice(WORDS['nouns'])}".lower()
    return f"https://{rng.choice(('www.', ''))}{host}.example/{rng.choice(WORDS['nouns']).lower()}"


def _file(rng: Random, endings: Sequence[str]) -> str:
    state = f"{rng.choice(('v', 'draft', 'final', 'scan'))}{rng.randrange(2, 99)}"
    stem = f"{rng.choice(WORDS['nouns'])}_{state}"
    folder = rng.choice(("data", "home/work", "tmp", "srv/files"))
    return f"/{folder}/{stem.lower()}.{rng.choice(endings)}"


def _address(rng: Random) -> str:
    street = f"{rng.choice(WORDS['nouns'])} {rng.choice(('Street', 'Road', 'Avenue', 'Lane'))}"
    return f"{rng.randrange(2, 240)} {street}, {rng.choice(CITIES)[0]}"


def _phone(rng: Random) -> str:
    return f"+{rng.randrange(20, 99)} {rng.randrange(100, 999)} 555 {rng.randrange(1000, 9999)}"


def _username(rng: Random) -> str:
    name = f"{rng.choice(WORDS['adjectives'])}_{rng.choice(WORDS['nouns'])}"
    return f"{name.lower()}{rng.randrange(2, 99)}"


def _period(rng: Random) -> str:
    first = rng.randrange(1985, 2020)
    span = f"{rng.choice(('last', 'past'))} {rng.randrange(2, 40)} {rng.choice(WORDS['spans'])}"
    month = f"{rng.choice(WORDS['months'])} {rng.randrange(1990, 2026)}"
    return rng.choice((f"{first}-{first + rng.randrange(2, 16)}", f"the {span}", month))


def _ip(rng: Random) -> str:
    return f"10.{rng.randrange(2, 250)}.{rng.randrange(2, 250)}.{rng.randrange(2, 250)}"


_MAKERS_OF_VALUES: dict[str, Callable[[Random], str]] = {
    "person": _person,
    "title": _title,
    "named": lambda rng: f"{rng.choice(WORDS['adjectives'])} {rng.choice(WORDS['nouns'])}",
    "product": _product,
    "code": _code,
    "email": _email,
    "url": _url,
    "address": _address,
    "phone": _phone,
    "username": _username,
    "ip": _ip,
    "region": lambda rng: rng.choice((*WORDS["regions"], *COUNTRIES)),
    "language": lambda rng: rng.choice(WORDS["languages"]),
    "year": lambda rng: str(rng.randrange(1962, 2026)),
    "topic": lambda rng: f"{rng.choice(WORDS['topic_starts'])} {rng.choice(WORDS['topic_ends'])}",
    "text": lambda rng: f"{rng.choice(WORDS['contexts'])}, {rng.choice(WORDS['sequels'])}",
    "period": _period,
    "word": lambda rng: rng.choice((*WORDS["adjectives"], *WORDS["nouns"])).lower(),
    "version": lambda rng: ".".join(str(rng.randrange(1, 12)) for _ in range(3)),
    "moment": lambda rng: (
        f"{_day(rng).isoformat()} {rng.randrange(6, 23):02d}:{rng.choice((0, 15, 30, 45)):02d}"
    ),
}


def _day(rng: Random) -> date:
    return _DECEMBER_2025 - timedelta(days=rng.randrange(3_600))


def _date(description: str, rng: Random) -> Value | None:
    """A date as people write it; the call has it in the form that the description asks for."""
    day = _day(rng)
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


def _time(rng: Random) -> Value:
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
    named = _SMALL[(hour - 1) % 12 + 1]
    if minute == 0:
        return f"{named} in the {part}"
    if minute in (15, 30):
        return f"{'half' if minute == 30 else 'a quarter'} past {named} in the {part}"
    return f"{hour % 12 or 12}.{minute:02d} in the {part}"


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────


def in_words(number: float) -> str | None:
    """A number up to a hundred, or half of one up to ten, in words; None of any other."""
    if number == int(number) and 0 < number < 100:
        tens, ones = divmod(int(number), 10)
        if number < 20:
            return _SMALL[int(number)]
        return _TENS[tens - 2] + (f"-{_SMALL[ones]}" if ones else "")
    if number == 100:
        return "a hundred"
    if number - int(number) == 0.5 and 1 < number < 10:
        return f"{_SMALL[int(number)]} and a half"
    return None


def _number(name: str, schema: Mapping[str, Any], integer: bool, rng: Random) -> Value | None:
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


def _list(name: str, schema: Mapping[str, Any], rng: Random) -> Value | None:
    items = schema.get("items")
    if not isinstance(items, Mapping) or items.get("type") not in ("string", "integer", "number"):
        return None
    schema = {"description": schema.get("description", ""), **items}
    drawn = [value_of(singular(name), schema, rng) for _ in range(rng.randint(2, 3))]
    values = list({str(value.admissible[0]): value for value in drawn if value}.values())
    if not values:
        return None
    said = joined([value.said for value in values])
    return Value(said, ([value.admissible[0] for value in values],))


def _object(schema: Mapping[str, Any], rng: Random) -> Value | None:
    """An object with all of its properties."""
    drawn: dict[str, Value] = {}
    for name, inner in schema["properties"].items():
        value = value_of(name, inner, rng)
        if value is None:
            return None
        drawn[name] = value
    if {"minimum", "maximum"} <= drawn.keys() or {"start_date", "end_date"} <= drawn.keys():
        low, high = drawn
        if drawn[low].admissible[0] > drawn[high].admissible[0]:
            drawn[low], drawn[high] = drawn[high], drawn[low]
        said = f"from {drawn[low].said} to {drawn[high].said}"
    else:
        said = joined([f"{' '.join(words_in(name))} {value.said}" for name, value in drawn.items()])
    return Value(said, ({name: value.admissible[0] for name, value in drawn.items()},))


def joined(parts: Sequence[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]
