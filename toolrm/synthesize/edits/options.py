"""Optional parameters that nobody asked for, filled in.

In the benchmark family one argument is wrong so. Here several are, as in calls that fill in all that a
schema offers; none of them has a value that the answer admits.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from fcrewardbench import ErrorType
from fcrewardbench.calls.edits.base import (
    Calls,
    Context,
    Operator,
    in_schema_order,
    properties,
    required,
    with_arguments,
)
from fcrewardbench.calls.edits.sites import about, default_of, is_default, shuffled
from fcrewardbench.types import JsonObject
from toolrm.synthesize.fitting import takes, within

_FEWEST = 2


def _filled(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    for index in shuffled(range(len(calls)), rng):
        call = calls[index]
        tool = context.tool(call.name)
        added = {
            name: value
            for name, schema in properties(tool).items()
            if name not in call.arguments and name not in required(tool)
            for value in _unasked(context, name, schema, rng)
            if value not in context.answer[index].arguments.get(name, ())
        }
        if len(added) >= _FEWEST:
            some = rng.sample(list(added), rng.randint(_FEWEST, len(added)))
            arguments = {**call.arguments, **{name: added[name] for name in some}}
            yield with_arguments(calls, index, in_schema_order(arguments, tool))


def _unasked(context: Context, name: str, schema: JsonObject, rng: Random) -> Iterator[Any]:
    """A value other than the default for a parameter that the conversation does not speak of."""
    if about(context, name):
        return
    default = default_of(schema)
    options = [*(schema.get("enum") or ()), *context.peers.get(name, ())]
    if schema.get("type") == "boolean":
        options = [default is not True and str(default).lower() != "true"]
    elif not options and takes(schema, 1):
        options = [1, 5, 10, 20, 100]
    fitting = [
        value
        for value in options
        if takes(schema, value)
        and within(schema, value)
        and not is_default(value, schema)
        and not context.mentions(value)
    ]
    if fitting:
        yield rng.choice(fitting)


OPTIONS = (
    Operator("value/options-filled", ErrorType.VALUE, _filled),
    Operator("unexpected/options-filled", ErrorType.UNEXPECTED, _filled),
)
