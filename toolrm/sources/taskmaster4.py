"""Taskmaster-4: orders at a coffee bar, with the API calls that they need.

A record is a group of calls that are made at once; earlier calls and their results stand in the
conversation. There is one record of a dialogue: they share nearly all of their text. Identifiers and
free text have to stand there as they are, options more or less.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import permutations
from pathlib import Path
from random import Random
from typing import Any

from fcrewardbench import Call, DataError
from fcrewardbench.types import Message
from toolrm.records import Record
from toolrm.sources.base import (
    LeftOut,
    Skipped,
    called,
    expected,
    json_file,
    parsed,
    record_of,
    returned,
    tools_from,
)
from toolrm.sources.grounding import grounded

LICENCE = "CC-BY-4.0"
_MOST_CHOICES = 3  # whose orders are all listed as admissible
_EXPECTED = "Taskmaster-4, a folder of data_*.json"


def _choices(id: str, what: str, *more: str) -> dict[str, Any]:
    # "any", since the checker takes a list of objects apart and its gold value would be lost
    names = (id, *more, "option")
    texts = {
        "attribute_id": "Attribute, as the menu or the order names it",
        "attribute_name": "Its name in words",
        "addon_id": "Add-on, as the menu names it",
        "option": "The option chosen",
    }
    items = {
        "type": "any",
        "properties": {name: {"type": "string", "description": texts[name]} for name in names},
        "required": list(names),
    }
    return {"type": "array", "description": what, "items": items}


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}


_ITEM = _text("Item of the menu, as get_menu_items names it")
_ORDER = _text("The order")
_QUERY = _text("Words to look for; several are joined by OR")
_ATTRIBUTES = _choices("attribute_id", "Options chosen for the item, such as its milk")
_ADDONS = _choices("addon_id", "Extras for the item, each with the option ADD")
# Of every method: what it does, its parameters, and those of them that are required.
_METHODS: dict[str, tuple[str, dict[str, Any], tuple[str, ...]]] = {
    "show_menu": ("Show the whole menu to the customer", {}, ()),
    "get_menu_items": (
        "Look up drinks and food on the menu",
        {
            "query": _QUERY,
            "fields": {
                "type": "array",
                "description": "What to tell of each item besides its name, such as 'description'",
                "items": {"type": "string"},
            },
        },
        ("query",),
    ),
    "get_addons": (
        "Look up the attributes, options and extras of a menu item, or of orders as a whole",
        {
            "query": _QUERY,
            "menu_item_id": _ITEM,
            "scope": _text("'order' for what is chosen for the order as a whole"),
        },
        ("query",),
    ),
    "add_order_item": (
        "Put an item into an order, a new one if none is named",
        {
            "menu_item_id": _ITEM,
            "quantity": {"type": "integer", "description": "How many", "default": 1},
            "attributes": _ATTRIBUTES,
            "addons": _ADDONS,
            "notes": _text("A wish that no attribute or extra expresses"),
            "order_id": _ORDER,
        },
        ("menu_item_id",),
    ),
    "update_order_item": (
        "Change the attributes or extras of an item that is in the order",
        {
            "order_item_id": _text("The item in the order"),
            "attributes": _ATTRIBUTES,
            "addons": _ADDONS,
        },
        ("order_item_id",),
    ),
    "update_order": (
        "Change what holds for the order as a whole",
        {
            "order_id": _ORDER,
            "attributes": _choices(
                "attribute_id", "Options chosen for the order", "attribute_name"
            ),
        },
        ("order_id", "attributes"),
    ),
    "get_order_details": ("Show what is in the order", {"order_id": _ORDER}, ("order_id",)),
    "finish_order": (
        "Send the order off to be made, once the customer has confirmed it",
        {"order_id": _ORDER},
        ("order_id",),
    ),
}
_DESCRIPTIONS = [
    {
        "name": name,
        "description": what,
        "parameters": {
            "type": "object",
            "properties": properties,
            "required": list(required),
        },
    }
    for name, (what, properties, required) in _METHODS.items()
]


def records(path: Path, skipped: Skipped) -> Iterator[Record]:
    """A record for each group of calls.

    Raises:
        DataError: there are no such files, or one of them is something else.
    """
    files = sorted(path.glob("data_*.json"))
    if not files:
        raise DataError(f"There are no dialogues in {path}: expected is {_EXPECTED}.")
    for file in files:
        dialogues = json_file(file, _EXPECTED)
        if not isinstance(dialogues, list):
            raise DataError(f"{file} is no list of dialogues: expected is {_EXPECTED}.")
        for dialogue in dialogues:
            found: list[Record] = []
            try:
                for record in _of_dialogue(dialogue, skipped):
                    found.append(record)
            except (LeftOut, KeyError, TypeError, AttributeError) as why:
                told = isinstance(why, LeftOut)
                which = dialogue.get("conversation_id") if isinstance(dialogue, Mapping) else None
                skipped.add(
                    str(which), why if told else "a dialogue that cannot be read to its end"
                )
            if found:
                yield Random(str(dialogue["conversation_id"])).choice(found)
            if len(found) > 1:
                skipped["more than one turn of one dialogue"] += len(found) - 1


@dataclass(slots=True)
class _Made:
    """A call as the data has it, and what came of it."""

    method: str
    request: str = "{}"
    response: str | None = None


@dataclass(slots=True)
class _Said:
    """The conversation so far: its turns, their text, and the options that were offered."""

    messages: list[Message] = field(default_factory=list)
    text: str = ""
    options: dict[str, str] = field(default_factory=dict)

    def add(self, message: Message) -> None:
        self.messages.append(message)
        self.text += f"\n{message['content']}"


def _of_dialogue(dialogue: Mapping[str, Any], skipped: Skipped) -> Iterator[Record]:
    tools = tools_from(_DESCRIPTIONS)
    said = _Said()
    for turn in dialogue["utterances"]:
        role = "user" if turn["speaker"] == "user" else "assistant"
        said.add({"role": role, "content": turn["text"]})
        groups = list(_groups(turn["annotations"]))
        for place, group in enumerate(groups, 1):
            calls = [Call(made.method, _arguments(made.request, said)) for made in group]
            id = f"{dialogue['conversation_id']}/{len(said.messages)}"
            try:
                answer = [
                    expected(call, tools, _spellings(made, call))
                    for call, made in zip(calls, group, strict=True)
                ]
                if not all(_known(call, said.text) for call in calls):
                    raise LeftOut("a value that the conversation does not give")
                record = record_of("taskmaster4", LICENCE, id, tools, said.messages, answer)
                yield replace(record, more_follows=place < len(groups))
            except LeftOut as why:
                skipped.add(id, why)
            said.add(called(calls))
            for made in group:
                response = made.response or ""
                said.add(returned(made.method, response))
                said.options |= _options(response)


def _groups(annotations: list[Mapping[str, str]]) -> Iterator[list[_Made]]:
    """Calls that were made before any of them was answered."""
    group: list[_Made] = []
    for annotation in annotations:
        name, value = annotation["name"], annotation["value"]
        if name == "api_call":
            if group and group[0].response is not None:
                yield group
                group = []
            group.append(_Made(value))
        elif name == "request" and group:
            group[-1].request = value
        elif name == "response":
            waiting = next((made for made in group if made.response is None), None)
            if waiting is not None:
                waiting.response = value
    if group:
        yield group


def _arguments(request: str, said: _Said) -> dict[str, Any]:
    """A request's arguments: quantities as numbers, options as the menu spells them."""
    arguments = parsed(request)
    if not isinstance(arguments, dict):
        raise LeftOut("a request that is no object")
    quantity = arguments.get("quantity")
    if isinstance(quantity, str) and quantity.isdecimal():
        arguments["quantity"] = int(quantity)
    for choices in ("attributes", "addons"):
        for choice in arguments.get(choices, ()):
            option = choice.get("option")
            choice["option"] = said.options.get(str(option).lower(), option)
    return arguments


def _spellings(made: _Made, call: Call) -> dict[str, list[Any]]:
    """The choices in every order, as the menu spells them and as the request does."""
    raw = json.loads(made.request)
    return {
        name: [list(order) for source in (call.arguments, raw) for order in _orders(source[name])]
        for name in ("attributes", "addons")
        if name in call.arguments
    }


def _orders(choices: list[Any]) -> Iterator[tuple[Any, ...]]:
    return permutations(choices) if len(choices) <= _MOST_CHOICES else iter((tuple(choices),))


def _options(response: str) -> dict[str, str]:
    """The options that a response offers, by their lower-case spelling."""
    try:
        offered = parsed(response)
    except LeftOut:
        return {}  # a response that is no JSON is still what the assistant has seen
    attributes = offered.get("attributes") if isinstance(offered, Mapping) else None
    return {
        option.lower(): option
        for attribute in attributes or ()
        for option in attribute.get("options", ())
        if isinstance(option, str)
    }


def _known(call: Call, text: str) -> bool:
    """Whether the conversation gives a call's values."""
    # "a latte" says one; fields and scope say what to look for, and nobody has to have said it.
    free = ("quantity", "fields", "scope")
    return all(_stands(n, value, text) for n, value in call.arguments.items() if n not in free)


def _stands(name: str, value: Any, text: str) -> bool:
    if isinstance(value, list):
        return all(_stands(name, item, text) for item in value)
    if isinstance(value, Mapping):
        return all(_stands(key, item, text) for key, item in value.items())
    if name.endswith("_id"):
        return str(value) in text
    if name in ("query", "notes"):  # free text: in other words than the customer's it is a guess
        plain = _plain(text)
        return all(_plain(part) in plain for part in str(value).split(" OR "))
    return value == "ADD" or grounded(value, text)


def _plain(text: str) -> str:
    return re.sub(r"[^\w%]", "", text).lower()
