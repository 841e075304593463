"""Admissible variants of an answer: which of the right calls a right model happens to write."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from fcrewardbench.calls.check import check
from fcrewardbench.calls.edits.base import Calls, Context, in_schema_order, properties, required
from fcrewardbench.calls.edits.dates import moment_of
from fcrewardbench.calls.edits.sites import is_default, leaves
from fcrewardbench.calls.schema import validate
from fcrewardbench.types import Call, JsonObject

_CARRY_RATES = (0.0, 0.3, 0.6, 1.0)
_TRIES = 8
# Optional arguments with these values say nothing; a good model leaves them out.
_EMPTY: tuple[Any, ...] = (None, "null", "None", [], {})


def draw(context: Context, seed: str) -> Calls | None:
    """A right candidate in the answer's order, valid by the tools' schemas too.

    None where no draw is, or where a required argument has no value but "". The same parameter takes
    the same place among its admissible values in every call, as one model keeps to one manner;
    arguments stand in schema order; how many optional ones are given varies.
    """
    rng = Random(seed)
    for _ in range(_TRIES):
        calls = _draw(context, rng)
        if calls is None or validate(calls, context.tools):
            continue
        if check(calls, context.answer, context.tools).ok:
            return calls
    return None


def _draw(context: Context, rng: Random) -> Calls | None:
    rate = rng.choice(_CARRY_RATES)
    manner: dict[str, float] = {}
    carried: dict[str, bool] = {}
    calls = []
    for expected in context.answer:
        tool = context.tool(expected.name)
        schemas, needed = properties(tool), required(tool)
        arguments = {}
        for name, admissible in expected.arguments.items():
            schema = schemas.get(name, {})
            options = [o for o in admissible if o != "" and not _misspelt(o)]
            options = suited(options, schema)
            members = schema.get("enum") or options
            options = [option for option in options if option in members] or options
            if "" in admissible and name not in needed:
                options = [o for o in options if o not in _EMPTY and o in members]
                asked = any(_asked(context, option, schema) for option in options)
                carry = carried.setdefault(name, rng.random() < rate)
                if not options or not (carry or asked):
                    continue
            place = manner.setdefault(name, rng.random())
            if not options:
                return None
            option = options[int(place * len(options))]
            value = _resolved(option, schema, rng, rate, context)
            arguments[name] = styled(value, schema, context.text)
        calls.append(Call(expected.name, in_schema_order(arguments, tool)))
    return tuple(calls)


# Escapes and quotation marks that are not part of the value, and years with five digits.
_MISSPELT = re.compile(r"\\\\|\\[u\"']|^(['\"]).*\1$|\b\d{5}-\d\d?-")


def _misspelt(value: Any) -> bool:
    """Whether an admissible value is one that no careful model would write."""
    return any(isinstance(text, str) and _MISSPELT.search(text) for text in leaves(value))


_STATED_DATE = re.compile(r"\b(YYYY|MM|DD)([-/.])(YYYY|MM|DD)\2(YYYY|MM|DD)\b", re.IGNORECASE)
_STATED_PLACE = re.compile(r"\bcity(?:,| and) (?:state|country)\b", re.IGNORECASE)


def suited(options: list[Any], schema: JsonObject) -> list[Any]:
    """The admissible values in the form that the description asks for.

    BFCL admits more: dates in every order, and "LA" or "CA" where city and state are asked for. Where
    it admits dates in other forms only, none is left; where it admits short places only, they stay.
    """
    description = str(schema.get("description") or "")
    stated = _STATED_DATE.search(description)
    if stated:
        codes = {"yyyy": "%Y", "mm": "%m", "dd": "%d"}
        style = stated[2].join(codes[stated[i].lower()] for i in (1, 3, 4))
        options = [o for o in options if (moment_of(o) or ("", style))[1].startswith(style)]
    if _STATED_PLACE.search(description):
        texts = [option for option in options if isinstance(option, str)]
        whole = [text for text in texts if re.search(r"\w{3,}.*,", text)]
        options = whole or [text for text in texts if len(text) > 3] or options
    return options


def _asked(context: Context, option: Any, schema: JsonObject) -> bool:
    """Whether the conversation names a value that may be left out: then it is better given."""
    plain = isinstance(option, (str, int, float)) and not isinstance(option, bool)
    return plain and not is_default(option, schema) and context.mentions(option)


def _resolved(option: Any, schema: JsonObject, rng: Random, rate: float, context: Context) -> Any:
    """A value out of an admissible one: objects hold a list of options under each key."""
    if isinstance(option, Mapping) and schema.get("type") in ("dict", "object"):
        value = {}
        for key, options in option.items():
            if not isinstance(options, Sequence) or isinstance(options, str):
                return dict(option)
            given = [item for item in options if item != ""]
            inner = (schema.get("properties") or {}).get(key) or {}
            asked = any(_asked(context, item, inner) for item in given)
            if given and ("" not in options or asked or rng.random() < rate):
                value[key] = rng.choice(given)
        return value
    items = schema.get("items")
    if (
        isinstance(option, list)
        and isinstance(items, Mapping)
        and items.get("type") in ("dict", "object")
    ):
        return [_resolved(item, items, rng, rate, context) for item in option]
    return option


def styled(value: Any, schema: JsonObject, text: str) -> Any:
    """A number as the conversation writes it: 7, not 7.0, unless "7.0" stands there.

    Only for parameters of type float, where the checker takes both.
    """
    if schema.get("type") not in ("float", "number") or type(value) not in (int, float):
        return value
    if float(value).is_integer() and abs(value) < 1e15:
        return float(value) if f"{int(value)}.0" in text else int(value)
    return value
