"""Admissible variants of an answer: which of the right calls a right model happens to write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from fcrewardbench.calls.check import check
from fcrewardbench.calls.edits.base import Calls, Context, in_schema_order, properties, required
from fcrewardbench.types import Call, JsonObject

_CARRY_RATES = (0.0, 0.3, 0.6, 1.0)
_TRIES = 8


def draw(context: Context, seed: str) -> Calls | None:
    """A right candidate in the answer's order, or None where no draw passes the checker.

    The same parameter takes the same place among its admissible values in every call, as one model
    keeps to one manner; arguments stand in schema order; how many optional ones are given varies.
    """
    rng = Random(seed)
    for _ in range(_TRIES):
        calls = _draw(context, rng)
        if check(calls, context.answer, context.tools).ok:
            return calls
    return None


def _draw(context: Context, rng: Random) -> Calls:
    rate = rng.choice(_CARRY_RATES)
    manner: dict[str, float] = {}
    calls = []
    for expected in context.answer:
        tool = context.tool(expected.name)
        schemas, needed = properties(tool), required(tool)
        arguments = {}
        for name, admissible in expected.arguments.items():
            options = [option for option in admissible if option != ""]
            may_leave_out = "" in admissible and name not in needed
            if may_leave_out and (not options or rng.random() >= rate):
                continue
            place = manner.setdefault(name, rng.random())
            option = options[int(place * len(options))] if options else ""
            value = _resolved(option, schemas.get(name, {}), rng, rate)
            arguments[name] = styled(value, schemas.get(name, {}), context.text)
        calls.append(Call(expected.name, in_schema_order(arguments, tool)))
    return tuple(calls)


def _resolved(option: Any, schema: JsonObject, rng: Random, rate: float) -> Any:
    """A value out of an admissible one: objects hold a list of options under each key."""
    if isinstance(option, Mapping) and schema.get("type") == "dict":
        value = {}
        for key, options in option.items():
            if not isinstance(options, Sequence) or isinstance(options, str):
                return dict(option)
            given = [item for item in options if item != ""]
            if given and ("" not in options or rng.random() < rate):
                value[key] = rng.choice(given)
        return value
    items = schema.get("items")
    if isinstance(option, list) and isinstance(items, Mapping) and items.get("type") == "dict":
        return [_resolved(item, items, rng, rate) for item in option]
    return option


def styled(value: Any, schema: JsonObject, text: str) -> Any:
    """A number as the conversation writes it: 7, not 7.0, unless "7.0" stands there.

    Only for parameters of type float, where the checker takes both.
    """
    if schema.get("type") != "float" or type(value) not in (int, float):
        return value
    if float(value).is_integer() and abs(value) < 1e15:
        return float(value) if f"{int(value)}.0" in text else int(value)
    return value
