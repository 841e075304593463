"""Records whose function and parameter names say nothing, as in the paper (arXiv 2509.11963)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from fcrewardbench import AdmissibleCall, Prompt, Tool
from fcrewardbench.calls.tools import schema_of, tool_from
from fcrewardbench.messages import calls_of
from fcrewardbench.types import JsonObject, Message
from toolrm.records import Record
from toolrm.synthesize.distractors import listed

_SCHEMA_KEYS = ("parameters", "input_schema", "inputSchema", "arguments")
_SCHEMAS = ("properties", "patternProperties", "$defs", "definitions")
_PARTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_PART = ("items", "additionalProperties", "not")
_VALUES = ("default", "example", "examples", "enum", "const")
_WORDS = listed(
    """
    amber anchor apron attic badge barley basin beacon birch blanket bridle bronze bucket button
    cabin candle canyon carbon cedar cello chalk cherry cinder citrus clover cobalt comet copper
    coral cradle crater cricket dapple dawn denim dune ember falcon fennel ferry fiddle flint fog
    fossil garnet ginger glacier goblet granite hammock harbour hazel heron hollow icicle indigo
    ivory jasmine jigsaw juniper kettle lagoon lantern lattice lemon lichen lilac linen lobster
    magnet mango maple marble meadow mitten mosaic moss nectar nickel nutmeg oat onyx opal orchard
    otter paddle parsley pebble pepper pigeon pillow plum pollen pumice quartz quiver raisin ravine
    ribbon saddle saffron satin shale silk sparrow spindle sponge sprout stork sulphur tassel
    thimble thistle timber topaz trellis tulip turnip umber velvet walnut wicker willow zephyr zinc
    """
)
_ONSETS = listed("b d f g k l m n p r s t v z br dr kl pl st tr sh")
_VOWELS = listed("a e i o u ai ou")


@dataclass(frozen=True, slots=True)
class _Renaming:
    """Old names to new ones. A parameter name has one new name in all tools of the prompt."""

    functions: Mapping[str, str]
    parameters: Mapping[str, str]


def obfuscated(record: Record, rng: Random) -> Record:
    """The record under new function and parameter names, its schema keys and properties reordered.

    Names change alike in tools, answer, and the calls of earlier turns. Descriptions and the system
    text stay, but for the places that quote an old name as an identifier; in other turns only function
    names are renamed, and only those that are no ordinary words. The id gets a suffix.
    """
    renaming = _renaming(record, rng)
    tools = {tool.name: _tool(tool, renaming, rng) for tool in record.prompt.tools}
    schemas = {tool.name: schema_of(tool.original) for tool in record.prompt.tools}
    orders = {old: list(tool.parameters["properties"]) for old, tool in tools.items()}

    def arguments(name: str, given: JsonObject) -> dict[str, Any]:
        renamed = _arguments(given, schemas.get(name, {}), renaming)
        order = {parameter: place for place, parameter in enumerate(orders.get(name, ()))}
        return dict(sorted(renamed.items(), key=lambda item: order.get(item[0], len(order))))

    def message(turn: Message) -> dict[str, Any]:
        changed = dict(turn)
        if isinstance(turn.get("content"), str):
            changed["content"] = _text(turn["content"], renaming, system=turn["role"] == "system")
        if _is_tool_turn(turn):
            changed["name"] = renaming.functions[turn["name"]]
        if turn.get("tool_calls"):
            changed["tool_calls"] = [
                {
                    **raw,
                    "function": {
                        **raw["function"],
                        "name": renaming.functions[call.name],
                        "arguments": arguments(call.name, call.arguments),
                    },
                }
                for raw, call in zip(turn["tool_calls"], calls_of(turn), strict=True)
            ]
        return changed

    answer = tuple(
        AdmissibleCall(renaming.functions[call.name], arguments(call.name, call.arguments))
        for call in record.answer
    )
    prompt = Prompt(tuple(tools.values()), tuple(map(message, record.prompt.messages)))
    return replace(
        record,
        id=f"{record.id}~o{rng.getrandbits(32):08x}",
        prompt=prompt,
        answer=answer,
        reply=_text(record.reply, renaming, system=False),
    )


def _renaming(record: Record, rng: Random) -> _Renaming:
    """New names for all that the prompt's tools and calls name; none of them stands in it yet."""
    calls = [call for turn in record.prompt.messages for call in calls_of(turn)]
    functions = dict.fromkeys(
        [tool.name for tool in record.prompt.tools]
        + [call.name for call in calls]
        + [call.name for call in record.answer]
        + [turn["name"] for turn in record.prompt.messages if _is_tool_turn(turn)]
    )
    parameters = dict.fromkeys(
        [name for tool in record.prompt.tools for name in _names(schema_of(tool.original))]
        + [name for call in calls for name in call.arguments]
        + [name for call in record.answer for name in call.arguments]
    )
    taken = _all_text(record).lower()
    used: set[str] = set()
    style = rng.randrange(len(_STYLES))

    def fresh(for_function: bool) -> str:
        while True:
            name = _STYLES[style](rng, for_function)
            key = name.replace(".", "_").lower()  # many servers write dots as underscores
            if key not in used and name.lower() not in taken and key not in taken:
                used.add(key)
                return name

    return _Renaming(
        {name: fresh(True) for name in functions}, {name: fresh(False) for name in parameters}
    )


def _is_tool_turn(turn: Message) -> bool:
    return turn["role"] in ("tool", "function") and isinstance(turn.get("name"), str)


def _all_text(record: Record) -> str:
    tools = [dict(tool.original) for tool in record.prompt.tools]
    answer = [dict(call.arguments) for call in record.answer]
    return json.dumps([tools, list(map(dict, record.prompt.messages)), answer], default=str)


def _names(schema: JsonObject) -> Iterator[str]:
    """Every parameter name in a schema, nested ones included."""
    yield from schema.get("properties") or ()
    for part in _parts(schema):
        yield from _names(part)


def _parts(schema: JsonObject) -> Iterator[JsonObject]:
    for key, value in schema.items():
        if key in _SCHEMAS and isinstance(value, Mapping):
            yield from (part for part in value.values() if isinstance(part, Mapping))
        elif key in _PARTS and isinstance(value, Sequence):
            yield from (part for part in value if isinstance(part, Mapping))
        elif key in _PART and isinstance(value, Mapping):
            yield value


def _tool(tool: Tool, renaming: _Renaming, rng: Random) -> Tool:
    original = dict(tool.original)
    place = next((key for key in _SCHEMA_KEYS if original.get(key) is not None), None)
    if place is not None:
        original[place] = _schema(schema_of(tool.original), renaming, rng)
    original["name"] = renaming.functions[tool.name]
    if isinstance(original.get("description"), str):
        original["description"] = _text(original["description"], renaming, system=True)
    return tool_from(_shuffled(original, rng))


def _schema(schema: JsonObject, renaming: _Renaming, rng: Random) -> dict[str, Any]:
    def inner(part: Any) -> Any:
        return _schema(part, renaming, rng) if isinstance(part, Mapping) else part

    result: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "properties":
            renamed = {renaming.parameters[name]: inner(part) for name, part in value.items()}
            result[key] = _shuffled(renamed, rng)
        elif key == "required" and isinstance(value, Sequence):
            names = [renaming.parameters.get(name, name) for name in value]
            result[key] = rng.sample(names, len(names))
        elif key in _SCHEMAS and isinstance(value, Mapping):
            result[key] = {name: inner(part) for name, part in value.items()}
        elif key in _PARTS and isinstance(value, Sequence):
            result[key] = [inner(part) for part in value]
        elif key in _PART:
            result[key] = inner(value)
        elif key in ("description", "title") and isinstance(value, str):
            result[key] = _text(value, renaming, system=True)
        elif key in _VALUES:
            result[key] = _value(value, schema, renaming)
        else:
            result[key] = value
    return _shuffled(result, rng)


def _shuffled(mapping: Mapping[str, Any], rng: Random) -> dict[str, Any]:
    keys = list(mapping)
    return {key: mapping[key] for key in rng.sample(keys, len(keys))}


def _arguments(given: JsonObject, schema: JsonObject, renaming: _Renaming) -> dict[str, Any]:
    """Arguments of a call, or their admissible values, under the new names."""
    properties = schema.get("properties") or {}
    return {
        renaming.parameters[name]: _value(value, properties.get(name) or {}, renaming)
        for name, value in given.items()
    }


def _value(value: Any, schema: JsonObject, renaming: _Renaming) -> Any:
    """A value, or lists of admissible ones however deep, with the keys that the schema names renamed.

    Keys that it does not name are data.
    """
    if isinstance(value, Mapping):
        properties: Mapping[str, Any] = {}
        for part in (schema, *_alternatives(schema)):
            properties = {**properties, **(part.get("properties") or {})}
        return {
            renaming.parameters[key] if key in properties else key: _value(
                item, properties.get(key) or {}, renaming
            )
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        items = schema.get("items")
        part = items if isinstance(items, Mapping) else schema
        return type(value)(_value(item, part, renaming) for item in value)
    return value


def _alternatives(schema: JsonObject) -> Iterator[JsonObject]:
    for key in _PARTS:
        yield from (part for part in schema.get(key) or () if isinstance(part, Mapping))


def _text(text: str, renaming: _Renaming, *, system: bool) -> str:
    """Text with the old names renamed where they stand as identifiers.

    An ordinary word does so in backticks, beside "parameter" or "function" in quotes, as the key of an
    object, or before "(" or "="; any other name wherever it stands alone. Without `system`, only
    function names that are no ordinary words are renamed.
    """
    new = {name: new for name, new in renaming.functions.items() if system or not _is_word(name)}
    if system:
        new = {**renaming.parameters, **new}
    present = [name for name in new if name in text]
    if not present:
        return text
    forms = "|".join(_form(name) for name in sorted(present, key=len, reverse=True))
    return re.sub(forms, lambda match: new[match.group()], text)


_KINDS = "parameter|argument|field|property|function|tool|method"


def _form(name: str) -> str:
    plain = re.escape(name)
    if not _is_word(name):
        return rf"(?<![\w.]){plain}(?!\w|\.\w)"
    return (
        rf"(?<=`){plain}(?=`)|(?<=['\"]){plain}(?=['\"] (?:{_KINDS})\b)|(?<=\"){plain}(?=\"\s*:)"
        rf"|(?<=parameter ['\"]){plain}(?=['\"])|(?<=argument ['\"]){plain}(?=['\"])"
        rf"|(?<=function ['\"]){plain}(?=['\"])|(?<=tool ['\"]){plain}(?=['\"])"
        rf"|(?<=\"name\": \"){plain}(?=\")|(?<![\w.]){plain}(?=\(\S|=\S)"
    )


def _is_word(name: str) -> bool:
    """Whether prose could mean something else by it."""
    return re.fullmatch(r"[A-Za-z]?[a-z]*|[A-Z]+", name) is not None or " " in name


def _letters(rng: Random, _: bool) -> str:
    name = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(5, 10)))
    return name + (str(rng.randrange(100)) if rng.random() < 0.2 else "")


def _syllables(rng: Random, for_function: bool) -> str:
    count = rng.randint(3, 4) if for_function else rng.randint(2, 3)
    return "".join(rng.choice(_ONSETS) + rng.choice(_VOWELS) for _ in range(count))


def _snake(rng: Random, for_function: bool) -> str:
    return "_".join(rng.sample(_WORDS, rng.randint(2, 3) if for_function else 2))


def _camel(rng: Random, for_function: bool) -> str:
    first, *others = rng.sample(_WORDS, rng.randint(2, 3) if for_function else 2)
    return first + "".join(word.capitalize() for word in others)


def _dotted(rng: Random, for_function: bool) -> str:
    return ".".join(rng.sample(_WORDS, 2)) if for_function else _snake(rng, False)


_STYLES = (_letters, _syllables, _snake, _camel, _dotted)
