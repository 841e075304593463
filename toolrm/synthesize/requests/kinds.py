"""What sort of value a parameter takes, told by its type, its examples, its name and description."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from toolrm.synthesize.distractors import listed
from toolrm.synthesize.requests.data import WORDS

CITIES = tuple((city, country) for country, cities in WORDS["cities"].items() for city in cities)
COUNTRIES = tuple(WORDS["cities"])
KNOWN_PLACES = frozenset(
    [name for pair in CITIES for name in pair] + WORDS["regions"] + WORDS["other_places"]
)
MAKERS = frozenset(WORDS["makers"])
_SORTS = frozenset(WORDS["sorts"])  # words in "(e.g., …)" for a sort of value instead of a value
_PEOPLE = frozenset(WORDS["people"])
_TITLED = frozenset(WORDS["titled"])
_CODED = frozenset(WORDS["coded"])
_TEXTS = frozenset(WORDS["texts"])
_TOPICS = frozenset(WORDS["topics"])
_PLACED = frozenset(WORDS["placed"])
EXAMPLES = re.compile(
    r"\((?:e\.?g\.?|i\.?e\.?|such as|for example|like|example:?)[,:.]?\s*([^()]+)\)", re.IGNORECASE
)


def words_in(name: str) -> list[str]:
    return [part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


_IN_CAPITALS = frozenset(listed("id url ip vin isbn dna rna gpa bmi api doi uri sku"))
_IN_FULL = {"num": "number of", "qty": "quantity", "max": "maximum", "min": "minimum"}


def label_of(name: str) -> str:
    """A parameter's name as people say it."""
    words = [_IN_FULL.get(word, word) for word in words_in(name)]
    label = " ".join(word.upper() if word in _IN_CAPITALS else word for word in words)
    return label.replace("of of ", "of ") or name


def examples_of(schema: Mapping[str, Any]) -> list[str]:
    """The values that a schema or its description gives as examples."""
    for key in ("enum", "choices", "examples"):
        if isinstance(schema.get(key), list) and schema[key]:
            return [str(value) for value in schema[key]]
    found = EXAMPLES.search(str(schema.get("description", "")))
    if found is None:
        return []
    parts = re.split(r"\s*[,;]\s*(?:or |and )?|\s+or\s+", found[1])
    values = [part.strip(" '\"“”‘’.") for part in parts]
    cut = any("..." in part or "…" in part for part in parts)  # part of a value, not one
    return [v for v in values if 0 < len(v) <= 40 and v.lower() != "etc" and not cut]


def kind_of(name: str, schema: Mapping[str, Any]) -> str:
    """What sort of value a parameter takes: by type, examples, name and description."""
    declared = schema.get("type")
    if declared in ("boolean", "integer", "number", "array"):
        return str(declared)
    if declared is None and "properties" in schema:
        return "object"
    if declared != "string":
        return ""
    if isinstance(schema.get("enum"), list):
        return "choice"
    words = words_in(name)
    examples = [value.lower() for value in examples_of(schema)]
    said = str(schema.get("description", "")).lower()
    tail = singular(words[-1]) if words else ""
    of_code = _code_kind(words, said)
    if of_code and not any(len(example) > 3 for example in examples):
        return of_code
    if (
        "timestamp" in words
        or {"date", "time"} <= set(words)
        or ("hh:mm" in said and "yyyy" in said)
    ):
        return "moment"
    if tail in ("date", "deadline", "dob", "birthdate") or re.search(r"yyyy|\bdd[/-]mm", said):
        return "date"
    if tail == "year" and all(re.fullmatch(r"\d{4}", value) for value in examples):
        return "year"
    if tail == "time" and all(re.match(r"\d{1,2}:\d\d|hh:mm", value) for value in examples):
        return "time"
    kind = _named_kind(words, tail, said)
    if not examples:
        return kind
    if kind == "" or not any(_fits(kind, value) for value in examples_of(schema)):
        return "" if any(map(is_sort, examples)) else "choice"
    return kind


def _code_kind(words: list[str], said: str) -> str:
    """Of which code a country or a language has to be given as; empty where of none."""
    asked = r"country code|iso 3166|alpha-[23]|(?:two|three)-letter"
    if "country" in words and re.search(asked, said) and not re.search(r"phone|dial", said):
        return "country-code:3" if re.search(r"alpha-3|three-letter", said) else "country-code:2"
    if {"language", "lang"} & set(words) and re.search(r"language code|iso 639|two-letter", said):
        return "language-code"
    return ""


def _named_kind(words: list[str], tail: str, said: str) -> str:
    if words[-2:] == ["job", "title"]:
        return "pool:job"
    if tail in ("name", "title", "") or tail.isdigit():
        named = re.search(
            r"(?:name|title) of (?:the|a|an|your) (?:[\w-]+ ){0,3}?(\w+)"
            r"(?= (?:\w+ing|\w+ed|for|to|you|in|of|on|that|who|which|where|or)\b| \(|[.,]|$)",
            said,
        )
        nouns = [*words[-2:-1], *([named[1]] if named else [])]
        kinds = [_noun_kind(singular(noun), said) for noun in nouns]
        return next((kind for kind in kinds if kind), "title" if tail == "title" else "named")
    return _noun_kind(tail, said)


def _noun_kind(noun: str, said: str) -> str:
    if noun == "address":
        return "email" if "email" in said else "address" if " ip " not in f" {said} " else "ip"
    if noun in ("email", "recipient") and "email" in said:
        return "email"
    if noun in ("phone", "mobile", "telephone") or "phone number" in said:
        return "phone"
    if noun in ("url", "website", "link", "domain", "webpage") or "url of" in said:
        return "url"
    if noun in ("username", "handle"):
        return "username"
    if noun in ("ip", "host", "server"):
        return "ip"
    if noun in _CODED:
        return "code"
    if noun in WORDS["files"] and re.search(r"path|file|url", said):
        return f"file:{noun}"
    if noun in ("country", "region", "language"):
        return noun
    if noun in ("state", "province") and "current" not in said:
        return "region"
    if noun in _PLACED:
        return "place"
    if noun in _PEOPLE:
        return "person"
    if noun in WORDS["organisations"]:
        return f"organisation:{noun}"
    if noun in _TEXTS:
        return "text"
    if noun in _TOPICS:
        return "topic"
    if noun in ("period", "timeframe", "frame"):
        return "period"
    if noun in ("word", "version"):
        return noun
    if noun in WORDS["pool_words"]:
        return f"pool:{WORDS['pool_words'][noun]}"
    if noun in ("product", "device", "item", "equipment", "machine", "sensor"):
        return "product"
    return "title" if noun in _TITLED else ""


def is_sort(example: str) -> bool:
    """Whether an example names a sort of value, as "domain name" does."""
    sorts = ("name", "address", "number", "id", "date")
    return example in _SORTS or (" " in example and example.rpartition(" ")[2] in sorts)


def _fits(kind: str, example: str) -> bool:
    """Whether an example is of a kind whose values we draw, so that ours may stand for it."""
    if is_sort(example.lower()):
        return True
    if kind in ("place", "region", "country"):
        return example in KNOWN_PLACES
    if kind == "language":
        return example in WORDS["languages"]
    if kind == "person":
        return re.fullmatch(r"[A-Z]\w+ [A-Z]\w+", example) is not None
    if kind == "code":
        return re.search(r"\d{3}", example) is not None
    if kind in ("title", "named") or kind.startswith("organisation"):
        return re.fullmatch(r"(?:[A-Z]\S+ )+(?:\S+ )*[A-Z]\S+", example) is not None
    return kind.partition(":")[0] in (
        "email",
        "phone",
        "url",
        "username",
        "ip",
        "file",
        "text",
        "address",
    )


def singular(word: str) -> str:
    if word.endswith("ies") and word not in ("series", "species"):
        return f"{word[:-3]}y"
    kept = ("ss", "us", "is", "species", "series", "details", "notes", "guests", "instructions")
    return word[:-1] if word.endswith("s") and not word.endswith(kept) else word
