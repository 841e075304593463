"""Calls where none is due: of a tool that is there, with arguments that look the part."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random
from typing import Any

from fcrewardbench import Call, ErrorType, Tool
from fcrewardbench.calls.edits.base import (
    Context,
    Edit,
    in_schema_order,
    name_words,
    properties,
    required,
    stands_in,
)
from fcrewardbench.calls.edits.siblings import sibling_call
from fcrewardbench.calls.edits.sites import leaves, shuffled
from fcrewardbench.messages import calls_of
from fcrewardbench.types import JsonObject
from toolrm.synthesize.fitting import pour, takes

_KIND = ErrorType.SHOULD_NOT_CALL
_NOTHING = object()


def unasked_calls(context: Context, base: Call | None, rng: Random) -> Iterator[Edit]:
    """Calls of the tools present: what was called before again, then no two of one tool and manner.

    Args:
        context: the prompt where no call is due.
        base: the call that was due before the tool or a value was taken away; None where there never
            was one.
    """
    for calls in _made_before(context, rng):
        yield Edit("unasked/again", _KIND, calls)
    for tool in shuffled(context.tools, rng):
        if base is not None and tool.name == base.name:
            yield from _guessed(context, base, tool, rng)
            continue
        made = [
            ("sibling", sibling_call(context, tool, base, rng) if base else None),
            ("poured", _poured(tool, base) if base else None),
            ("improvised", improvised(context, tool, rng)),
        ]
        manners = [(manner, call) for manner, call in made if call is not None]
        if manners:
            manner, call = manners[0] if manners[0][0] == "sibling" else rng.choice(manners)
            yield Edit(f"unasked/{manner}", _KIND, (call,))


def _made_before(context: Context, rng: Random) -> Iterator[tuple[Call, ...]]:
    """The calls of the last turn that has any, and one alone where they are several."""
    turns = (tuple(calls_of(message)) for message in reversed(context.messages))
    last = next(filter(None, turns), ())
    if last:
        yield last
    if len(last) > 1:
        yield (rng.choice(last),)


def missing_arguments(context: Context, base: Call) -> list[str]:
    """The arguments of a call whose values the conversation no longer gives."""
    said = context.text.lower()
    return [
        name
        for name, value in base.arguments.items()
        if not any(str(leaf).lower() in said for leaf in leaves(value))
        and not context.mentions(value)
    ]


def _guessed(context: Context, base: Call, tool: Tool, rng: Random) -> Iterator[Edit]:
    """The call that would be due, the missing value guessed, made up, or left out."""
    missing = missing_arguments(context, base) or list(base.arguments)[:1]
    schemas = properties(tool)
    for manner in shuffled(("guessed", "made-up", "left-out"), rng):
        arguments = dict(base.arguments)
        for name in missing:
            if manner == "left-out":
                del arguments[name]
            elif manner == "made-up":
                words = [word for word in name_words(name) if word.isalpha()] or ["value"]
                made_up = rng.choice(("unknown", "not specified", f"<{'_'.join(words)}>", ""))
                arguments[name] = made_up if takes(schemas.get(name, {}), made_up) else None
            else:
                value = _elsewhere(context, name, schemas.get(name, {}), rng)
                arguments[name] = base.arguments[name] if value is _NOTHING else value
        if arguments and None not in arguments.values():
            yield Edit(f"unasked/{manner}", _KIND, (Call(tool.name, arguments),))


def _poured(tool: Tool, base: Call) -> Call | None:
    arguments = pour(list(base.arguments.values()), tool)
    return None if arguments is None else Call(tool.name, arguments)


def improvised(context: Context, tool: Tool, rng: Random) -> Call | None:
    """A call with its required arguments, and now and then others, out of the conversation, the enum
    or other records; None where one cannot be filled."""
    schemas, needed = properties(tool), required(tool)
    arguments: dict[str, Any] = {}
    for name, schema in schemas.items():
        if name not in needed and rng.random() < 0.7:
            continue
        value = _improvised(context, name, schema, rng)
        if value is _NOTHING and name in needed:
            return None
        if value is not _NOTHING:
            arguments[name] = value
    return Call(tool.name, in_schema_order(arguments, tool)) if arguments or not schemas else None


def _improvised(context: Context, name: str, schema: JsonObject, rng: Random) -> Any:
    spoken = context.text.lower()
    members = [m for m in schema.get("enum") or () if stands_in(str(m).lower(), spoken)]
    if members:
        return rng.choice(members)
    named = [peer for peer in context.named_peers(name) if takes(schema, peer)]
    if named and rng.random() < 0.8:
        return rng.choice(named)
    if takes(schema, 1) and context.numbers:
        number = rng.choice(context.numbers)
        return int(number) if takes(schema, int(number)) and number == int(number) else number
    asked = [str(m["content"]) for m in context.messages if m["role"] == "user"]
    if takes(schema, "text") and asked:
        quoted = re.findall(r"[\"']([^\"']{2,40})[\"']", asked[-1])
        names = re.findall(r"(?<=[a-z,] )(?!The\b|My\b|And\b)[A-Z]\w+(?: [A-Z]\w+)*", asked[-1])
        words = re.findall(r"[\w'-]+", asked[-1])
        said = list(dict.fromkeys([*quoted, *names])) or [" ".join(words[-3:])]
        return rng.choice(said) if words else _NOTHING
    return _elsewhere(context, name, schema, rng)


def _elsewhere(context: Context, name: str, schema: JsonObject, rng: Random) -> Any:
    """A value out of the enum or other records, or one that any such parameter takes."""
    if schema.get("enum"):
        return rng.choice(list(schema["enum"]))
    peers = [peer for peer in context.peers.get(name, ()) if takes(schema, peer)]
    if peers:
        return rng.choice(peers)
    plain: tuple[Any, ...] = (rng.choice((1, 2, 5, 10)), rng.choice((True, False)))
    return next((value for value in plain if takes(schema, value)), _NOTHING)
