"""Schema-Guided Dialogue: system turns that call a service, with the dialogue before them.

Of a dialogue, the first of them and one later one: its calls are much alike.

The tools are the intents of the dialogue's services. Values are those of the call, and with them
the spellings that the dialogue's state lists. Earlier calls stand in the conversation with their
results.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from fcrewardbench import Call, DataError, Tool
from fcrewardbench.types import Message
from toolrm.records import Record
from toolrm.sources.base import (
    LeftOut,
    Skipped,
    called,
    expected,
    json_file,
    record_of,
    returned,
    tools_from,
)

LICENCE = "CC-BY-SA-4.0"
MOST_RESULTS = 3
"""Results of an earlier call that are shown; some have ten, and the dialogues go through few."""

_EXPECTED = (
    "Schema-Guided Dialogue, a folder of schema.json and dialogues_*.json, or of train and dev"
)
_MOST = 2  # records of a dialogue
_TODAY = "Today is Friday, 2019-03-01."  # the day on which all of its dialogues take place
_ANY = "dontcare"


def records(path: Path, skipped: Skipped) -> Iterator[Record]:
    """Records of one split's folder, or of `train` and `dev` in a folder.

    Raises:
        DataError: the folder is neither.
    """
    splits = [path] if (path / "schema.json").is_file() else [path / "train", path / "dev"]
    splits = [split for split in splits if (split / "schema.json").is_file()]
    if not splits:
        raise DataError(f"There is no schema.json in {path}: expected is {_EXPECTED}.")
    for split in splits:
        catalogue = _catalogue(split / "schema.json")
        files = sorted(split.glob("dialogues_*.json"))
        if not files:
            raise DataError(f"There are no dialogues in {split}: expected is {_EXPECTED}.")
        for file in files:
            dialogues = json_file(file, _EXPECTED)
            if not isinstance(dialogues, list):
                raise DataError(f"{file} is no list of dialogues: expected is {_EXPECTED}.")
            for dialogue in dialogues:
                found: list[Record] = []
                try:
                    for record in _of_dialogue(dialogue, catalogue, split.resolve().name, skipped):
                        found.append(record)
                except (KeyError, TypeError, AttributeError):
                    which = f"{split.resolve().name}/{_id_of(dialogue)}"
                    skipped.add(which, "a dialogue that cannot be read to its end")
                kept = _first_and_another(found)
                yield from kept
                if len(found) > len(kept):
                    skipped["more than two turns of one dialogue"] += len(found) - len(kept)


def _id_of(dialogue: Any) -> Any:
    return dialogue.get("dialogue_id") if isinstance(dialogue, Mapping) else None


def _first_and_another(found: Sequence[Record]) -> list[Record]:
    """The first record of a dialogue, and one of the others, always the same one."""
    if len(found) <= _MOST:
        return list(found)
    return [found[0], Random(found[0].id).choice(found[1:])]


@dataclass(frozen=True, slots=True)
class _Slot:
    """A slot's JSON type, and the values it can have; none where it can have any."""

    type: str
    description: str
    possible: tuple[str, ...]

    def value(self, text: str) -> Any:
        """The text as a value of the slot.

        Raises:
            LeftOut: it cannot be one.
        """
        if self.possible and text not in self.possible:
            raise LeftOut("a value outside its slot")
        if self.type == "boolean":
            return text == "True"
        return int(text) if self.type == "integer" else text

    def schema(self, default: str | None) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": self.type, "description": self.description}
        if self.possible and self.type != "boolean":
            schema["enum"] = [self.value(text) for text in self.possible]
        if default is not None and default != _ANY:
            schema["default"] = self.value(default)
        elif default == _ANY:
            schema["description"] += ". Left out where any will do"
        return schema


@dataclass(frozen=True, slots=True)
class _Service:
    intents: Mapping[str, Mapping[str, Any]]
    slots: Mapping[str, _Slot]


def _catalogue(path: Path) -> dict[str, _Service]:
    catalogue = {}
    try:
        for service in json_file(path, _EXPECTED):
            catalogue[service["service_name"]] = _Service(
                {intent["name"]: intent for intent in service["intents"]},
                {slot["name"]: _slot(slot) for slot in service["slots"]},
            )
    except (KeyError, TypeError) as why:
        raise DataError(f"{path} is no list of services ({why!r}): {_EXPECTED}.") from None
    return catalogue


def _slot(slot: Mapping[str, Any]) -> _Slot:
    possible = tuple(slot["possible_values"]) if slot["is_categorical"] else ()
    kind = "string"
    if possible and set(possible) <= {"True", "False"}:
        kind = "boolean"
    elif possible and all(value.isdecimal() for value in possible):
        kind = "integer"
    return _Slot(kind, slot["description"], possible)


def _of_dialogue(
    dialogue: Mapping[str, Any],
    catalogue: Mapping[str, _Service],
    split: str,
    skipped: Skipped,
) -> Iterator[Record]:
    services = list(dict.fromkeys(dialogue["services"]))
    names = _names(services, catalogue)
    tools = _tools(services, catalogue, names)
    messages: list[Message] = []
    if any("date" in name for tool in tools for name in tool.parameters["properties"]):
        messages.append({"role": "system", "content": _TODAY})
    states: dict[str, Mapping[str, Sequence[str]]] = {}
    for index, turn in enumerate(dialogue["turns"]):
        frames = [frame for frame in turn["frames"] if "service_call" in frame]
        if frames:
            try:
                calls = [_call(frame, catalogue, names) for frame in frames]
                answer = [
                    expected(call, tools, _spellings(frame, catalogue, states))
                    for call, frame in zip(calls, frames, strict=True)
                ]
                id = f"{split}/{dialogue['dialogue_id']}/{index}"
                yield record_of("sgd", LICENCE, id, tools, messages, answer)
            except LeftOut as why:
                skipped.add(f"{split}/{dialogue['dialogue_id']}/{index}", why)
            else:
                messages.append(called(calls))
                messages.extend(map(_result, calls, frames))
        for frame in turn["frames"]:
            if "state" in frame:
                states[frame["service"]] = frame["state"]["slot_values"]
        role = "user" if turn["speaker"] == "USER" else "assistant"
        messages.append({"role": role, "content": turn["utterance"]})


_Names = Mapping[tuple[str, str], str]


def _names(services: Sequence[str], catalogue: Mapping[str, _Service]) -> _Names:
    """The tool name of every service's intents: the service stands before it where two collide."""
    intents = [(service, intent) for service in services for intent in catalogue[service].intents]
    count = Counter(intent for _, intent in intents)
    return {
        (service, intent): f"{service}_{intent}" if count[intent] > 1 else intent
        for service, intent in intents
    }


def _tools(
    services: Sequence[str], catalogue: Mapping[str, _Service], names: _Names
) -> tuple[Tool, ...]:
    return tools_from(
        [
            _description(catalogue[service], intent, names[service, name])
            for service in services
            for name, intent in catalogue[service].intents.items()
        ]
    )


def _description(service: _Service, intent: Mapping[str, Any], name: str) -> dict[str, Any]:
    required, optional = intent["required_slots"], intent["optional_slots"]
    properties = {slot: service.slots[slot].schema(None) for slot in required}
    properties |= {slot: service.slots[slot].schema(value) for slot, value in optional.items()}
    return {
        "name": name,
        "description": intent["description"],
        "parameters": {"type": "object", "properties": properties, "required": list(required)},
    }


def _call(frame: Mapping[str, Any], catalogue: Mapping[str, _Service], names: _Names) -> Call:
    made = frame["service_call"]
    key = (frame["service"], made["method"])
    if key not in names:
        raise LeftOut("a gold call of a tool that is not there")
    service = catalogue[frame["service"]]
    intent, given = service.intents[made["method"]], made["parameters"]
    order = [*intent["required_slots"], *intent["optional_slots"]]  # the data's own is alphabetical
    if not set(order) >= given.keys():
        raise LeftOut("an argument that is not in the schema")
    arguments = {
        name: service.slots[name].value(given[name])
        for name in order
        if given.get(name, _ANY) != _ANY
    }
    return Call(names[key], arguments)


def _spellings(
    frame: Mapping[str, Any],
    catalogue: Mapping[str, _Service],
    states: Mapping[str, Mapping[str, Sequence[str]]],
) -> dict[str, list[Any]]:
    """What the user has said for each slot, as values of the slot."""
    slots = catalogue[frame["service"]].slots
    spellings: dict[str, list[Any]] = {}
    for name, texts in states.get(frame["service"], {}).items():
        for text in texts:
            if text == _ANY:
                continue
            try:
                spellings.setdefault(name, []).append(slots[name].value(text))
            except LeftOut:
                continue  # said in words that no argument can have
    return spellings


def _result(call: Call, frame: Mapping[str, Any]) -> Message:
    results = frame.get("service_results", [])[:MOST_RESULTS]
    return returned(call.name, json.dumps(results, ensure_ascii=False))
