"""Tools as real ones are: with enums, defaults, further parameters, and names of a service."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Any

from fcrewardbench import Tool
from fcrewardbench.calls.tools import tool_from
from toolrm.synthesize.distractors import listed
from toolrm.synthesize.requests.data import WORDS
from toolrm.synthesize.requests.kinds import EXAMPLES, examples_of, is_sort, kind_of, words_in
from toolrm.synthesize.requests.values import value_of

_SERVED = 0.25  # fields of tools whose names get the name of a service before them
_ENUM = 0.4  # of parameters whose examples are members: a quarter of all that have examples
_SPELT = 0.4  # enums whose members are spelt as in a program
_FREED = 0.4  # required parameters that are made optional
_DEFAULT = 0.6  # of optional parameters for which it makes sense: a third of all
_EXTRA = 0.15
_OBJECT = 0.03
_CODE = 0.4  # countries and languages that are asked for by their code
_MINUTES = 0.6  # durations without a unit that get one
_FEWEST, _MOST = 2, 8  # members of an enum that is made of examples
# Kinds of values that have a usual one, and numbers that a tool which needs them can well assume.
_USUAL = frozenset(
    listed("boolean integer number choice language language-code country-code:2 pool:currency")
)
_COUNTED = frozenset(
    listed(
        """
        limit page size count number num quantity duration days hours minutes weeks months radius
        threshold rate level max min maximum minimum guests people interval iterations depth
        """
    )
)
_IDENTIFYING = frozenset(listed("id identifier code"))
_GIVEN = re.compile(
    r"\bdefault(?:s to| is| value is|:| value:) ['\"]?(true|false|-?\d+(?:\.\d+)?)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Offer:
    """A tool as a record shows it.

    Args:
        defaults: what optional parameters are where they are left out, as far as it says so.
        added: the parameters that it has besides those of the tool it was made of.
    """

    tool: Tool
    defaults: Mapping[str, Any]
    added: frozenset[str] = frozenset()


def field_of(tool: Tool) -> str:
    """The field that a tool belongs to, such as `Hospitality/Hotels`; empty where none is known."""
    return str(tool.original.get("field") or "")


def served_names(tools: Sequence[Tool], rng: Random) -> dict[str, str]:
    """The names by which the tools are offered: all tools of some fields begin with a service's name.

    A tool has one name wherever it occurs, so that it can be told whether it was held out.
    """
    names = {tool.name: tool.name for tool in tools}
    salt = rng.getrandbits(64)
    for tool in tools:
        draw = Random(f"{salt}|{field_of(tool) or tool.name}")
        if draw.random() >= _SERVED:
            continue
        about = [
            word
            for word in words_in(field_of(tool).rpartition("/")[2])
            if len(word) > 2 and word not in _NOISE
        ]
        about = about or words_in(tool.name)[-1:]
        if not about:
            continue
        form = draw.choice(_SERVICES)
        service = form(about[-2:])
        name = f"{service}{tool.name}"
        if name not in names.values():
            names[tool.name] = name
    return names


_NOISE = frozenset(("and", "for", "the"))


def _camel(words: Sequence[str]) -> str:
    return "".join(word.title() for word in words)


_SERVICES: tuple[Callable[[Sequence[str]], str], ...] = (
    lambda words: f"{'_'.join(words)}_service.",
    lambda words: f"{'_'.join(words)}.",
    lambda words: f"{words[-1]}.",
    lambda words: f"{words[-1]}_api.",
    lambda words: f"{_camel(words)}.",
    lambda words: f"{_camel(words)}API.",
    lambda words: f"{_camel(words)}Service_",
    lambda words: f"{'_'.join(words)}_",
    lambda words: f"{'-'.join(words)}.",
)


def offered(tool: Tool, name: str, rng: Random) -> Offer:
    """The tool under this name, its schema changed here and there as those of real tools are."""
    parameters: dict[str, Any] = deepcopy(dict(tool.parameters))
    properties: dict[str, Any] = parameters["properties"]
    required = frozenset(parameters.get("required") or ())
    for key, schema in properties.items():
        properties[key] = _made_definite(key, dict(schema), rng)
    added = _added(tool, properties, rng)
    properties.update(added)
    defaults: dict[str, Any] = {}
    for key, schema in properties.items():
        freed = key in required and len(required) > 1 and rng.random() < _FREED
        if key in required and not freed:
            continue
        default = _default(key, schema, rng, always=freed)
        if default is not None:
            defaults[key] = default
            required -= {key}
    parameters["required"] = [key for key in properties if key in required]
    field = {"field": field_of(tool)} if field_of(tool) else {}
    made = tool_from(
        {"name": name, **field, "description": tool.description, "parameters": parameters}
    )
    return Offer(made, defaults, frozenset(added))


def _made_definite(name: str, schema: dict[str, Any], rng: Random) -> dict[str, Any]:
    """A parameter's schema that says more exactly what it takes: an enum, a code, a unit."""
    kind, said = kind_of(name, schema), str(schema.get("description", ""))
    bare = re.sub(r"\s+([.,]|$)", r"\1", EXAMPLES.sub("", said)).strip()
    if kind == "choice" and "enum" not in schema and rng.random() < _ENUM:
        members = list(dict.fromkeys(examples_of(schema)))
        usable = all(re.search(r"\w", value) and not is_sort(value.lower()) for value in members)
        if usable and _FEWEST <= len(members) <= _MOST:
            return {**schema, "description": bare, "enum": _spelt(members, rng)}
    if kind == "country" and rng.random() < _CODE:
        standard = rng.choice(("ISO 3166-1 alpha-2 country code", "two-letter country code"))
        return {
            **schema,
            "description": f"{bare.rstrip('.')}, as an {standard}".replace("an t", "a t"),
        }
    if kind == "language" and rng.random() < _CODE:
        return {**schema, "description": f"{bare.rstrip('.')}, as an ISO 639-1 language code"}
    if kind in ("integer", "number") and words_in(name)[-1:] == ["duration"]:
        unit = re.search(r"\b(?:second|minute|hour|day|week|month|year)s?\b", said)
        if unit is None and rng.random() < _MINUTES:
            return {**schema, "description": f"{bare.rstrip('.')} in minutes"}
    return schema


def _spelt(members: list[str], rng: Random) -> list[str]:
    """The members, or all of them as a program has them: `LIKE_THIS` or `like_this`."""
    if rng.random() >= _SPELT or any(re.search(r"[^\w -]", member) for member in members):
        return members
    low = [re.sub(r"[ -]+", "_", member).lower() for member in members]
    made = low if rng.random() < 0.5 else [member.upper() for member in low]
    return made if len(set(made)) == len(members) else members


def _added(tool: Tool, properties: Mapping[str, Any], rng: Random) -> dict[str, Any]:
    """Now and then a truth value, a list or an object that such a tool may well take besides."""
    added: dict[str, Any] = {}
    camel = any(re.search(r"[a-z][A-Z]", name) for name in properties)
    verb = next(iter(words_in(tool.name)), "")
    sort = "reading" if verb in WORDS["reading"] else "writing"
    for share, choices in ((_EXTRA, WORDS["extras"][sort]), (_OBJECT, WORDS["objects"])):
        if rng.random() >= share:
            continue
        name = rng.choice(list(choices))
        if set(words_in(name)) & {word for key in properties for word in words_in(key)}:
            continue
        schema = deepcopy(choices[name])
        if "properties" in schema:
            # "any", since the checker takes an object apart and its gold value would be lost
            schema = {"type": "any", **schema, "required": list(schema["properties"])}
        first, *others = words_in(name)
        added[f"{first}{_camel(others)}" if camel else name] = schema
    return added


def _default(name: str, schema: dict[str, Any], rng: Random, *, always: bool) -> Any:
    """What the parameter is where it is left out: as its schema has it, or drawn and written there."""
    if schema.get("default") not in (None, ""):
        return schema["default"] if isinstance(schema["default"], str | int | float) else None
    said = str(schema.get("description", ""))
    if "default" in said.lower():
        found = _GIVEN.search(said)
        return None if found is None else _as_type(found[1], schema.get("type"))
    kind, words = kind_of(name, schema), set(words_in(name))
    if kind not in _USUAL or words & _IDENTIFYING or not (always or rng.random() < _DEFAULT):
        return None
    if always and kind in ("integer", "number") and not words & _COUNTED:
        return None
    value = value_of(name, schema, rng)
    if value is None:
        return None
    default = value.admissible[0]
    if kind == "boolean" and rng.random() < 0.6:
        default = False
    if rng.random() < 0.55:
        schema["default"] = default
        return default
    written = rng.choice((str(default).lower(), str(default))) if kind == "boolean" else default
    written = f"'{written}'" if isinstance(default, str) and rng.random() < 0.5 else written
    form = rng.choice(
        ("{}. Default is {}.", "{} (default: {})", "{}. Defaults to {}.", "{}, default {}")
    )
    schema["description"] = form.format(said.rstrip(". "), written)
    return default


def _as_type(text: str, declared: Any) -> Any:
    """The text as a value of a declared type; None where it is none."""
    if declared == "boolean":
        return {"true": True, "false": False}.get(text.lower())
    if declared in ("integer", "number") and re.fullmatch(r"-?\d+(?:\.\d+)?", text):
        number = float(text)
        if number == int(number):
            return int(number)
        return number if declared == "number" else None
    return None
