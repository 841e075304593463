"""Values that are drawn, the words in which a request says them, and all that a call may give."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from toolrm.synthesize.requests.data import WORDS
from toolrm.synthesize.requests.inventions import MAKERS, file, organisation
from toolrm.synthesize.requests.inventions import code as made_up_code
from toolrm.synthesize.requests.kinds import examples_of, kind_of, singular, words_in
from toolrm.synthesize.requests.moments import date_value, time_value
from toolrm.synthesize.requests.numbers import number_value
from toolrm.synthesize.requests.places import place_value
from toolrm.synthesize.requests.value import OTHERWISE, Value


def value_of(name: str, schema: Mapping[str, Any], rng: Random) -> Value | None:
    """A value that the schema admits; None where nobody could tell what would be one."""
    kind = kind_of(name, schema)
    if kind == "boolean":
        return _boolean(name, schema, rng)
    if kind in ("integer", "number"):
        return number_value(name, schema, kind == "integer", rng)
    if kind == "array":
        return _list(name, schema, rng)
    if kind == "object":
        return _object(schema, rng)
    examples = examples_of(schema)
    if kind == "choice":
        return _choice(schema, examples, rng)
    if kind == "code" and examples:
        shape = rng.choice([value for value in examples if re.search(r"\d", value)] or [""])
        code = re.sub(r"\d", lambda _: str(rng.randrange(1, 10)), shape) or made_up_code(rng)
        return Value(code, (code,))
    if "isbn" in words_in(name):
        isbn = f"978-{rng.randrange(2, 9)}-{rng.randrange(10**7, 10**8)}-{rng.randrange(9)}"
        return Value(isbn, (isbn,))
    if kind == "date":
        return date_value(str(schema.get("description", "")), rng)
    maker, _, sort = kind.partition(":")
    if maker in ("place", "country", "country-code", "language-code"):
        return place_value(maker, sort, words_in(name), rng)
    if maker == "pool":
        value = rng.choice(WORDS["pools"][sort])
        said = _said_as(value, WORDS["pools"][sort], rng)
        return Value(said, tuple(dict.fromkeys((value, said))))
    if maker == "file":
        value = file(rng, WORDS["files"][sort])
    elif maker == "organisation":
        value = organisation(rng, WORDS["organisations"][sort])
    elif maker == "time":
        return time_value(rng)
    elif maker in MAKERS:
        value = MAKERS[maker](rng)
    else:
        return None
    if maker in ("person", "organisation", "region", "language") and rng.random() < 0.12:
        return Value(value.lower(), (value,))
    quoted = maker == "text" or (maker in ("title", "topic", "product") and rng.random() < 0.5)
    mark = "'" if rng.random() < 0.25 and "'" not in value else '"'
    return Value(f"{mark}{value}{mark}" if quoted else value, (value,))


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
