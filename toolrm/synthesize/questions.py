"""What models are asked in a synthesis: the messages, and the JSON schema that a reply is held to."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from fcrewardbench import Tool
from fcrewardbench.messages import calls_of
from fcrewardbench.render import candidate_text, tools_text
from fcrewardbench.types import Message
from toolrm.records import Record
from toolrm.synthesize.config import GeneratorConfig
from toolrm.synthesize.split import order_of

_INSTRUCTION = """\
You answer by calling functions. These are the functions that there are:
{tools}

Write the calls that are due now as a JSON list and nothing else:
[{{"name": "function name", "arguments": {{"parameter": "value"}}}}]"""


@dataclass(frozen=True, slots=True)
class Question:
    """One request. `key` is the same for the same question in every run."""

    record: Record
    generator: GeneratorConfig
    temperature: float
    sample: int
    near_miss: bool = False

    @property
    def key(self) -> str:
        generator, record = self.generator, self.record
        held_to = [call.as_dict() for call in record.gold] if self.near_miss else len(record.answer)
        asked = [
            generator.model,
            generator.fix_count,
            generator.max_tokens,
            self.temperature,
            self.sample,
            messages_of(record),
            held_to,
        ]
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:24]

    @property
    def schema(self) -> dict[str, Any] | None:
        """What a reply is held to, where the server can do so; None for nothing."""
        if self.near_miss:
            return near_miss_schema(self.record, Random(self.key))
        if self.generator.fix_count and self.record.answer:
            return calls_schema(self.record)
        return None


def questions_of(
    records: Sequence[Record], generator: GeneratorConfig, seed: int, share: float
) -> Iterator[Question]:
    """All that a generator is asked, in the order of the records and those of one record together.

    Args:
        share: of the records that the generator is asked about, so many of these.
    """
    some = sorted(records, key=lambda r: order_of(seed, f"{generator.model}|{r.id}"))
    for record in some[: math.ceil(generator.records * share)]:
        for temperature in generator.temperatures:
            for sample in range(generator.samples):
                yield Question(record, generator, temperature, sample)
            if any(call.arguments for call in record.gold):
                for sample in range(generator.near_misses):
                    yield Question(record, generator, temperature, sample, near_miss=True)


def near_miss_schema(record: Record, rng: Random) -> dict[str, Any]:
    """The right calls with one argument open, which has to be of its type and no more."""
    gold = record.gold
    index, name = rng.choice([(i, name) for i, call in enumerate(gold) for name in call.arguments])
    call = gold[index]
    (tool,) = (tool for tool in record.prompt.tools if tool.name == call.name)
    arguments: dict[str, Any] = {other: {"const": value} for other, value in call.arguments.items()}
    arguments[name] = tool.parameters["properties"].get(name, {})
    items: list[dict[str, Any]] = [{"const": one.as_dict()} for one in gold]
    items[index] = _closed({"name": {"const": call.name}, "arguments": _closed(arguments)})
    count = len(items)
    calls = {"type": "array", "prefixItems": items, "minItems": count, "maxItems": count}
    return _closed({"tool_calls": calls})


def calls_schema(record: Record) -> dict[str, Any]:
    """Exactly as many calls as are due, each of one of the tools, with arguments by its schema.

    The list is a field of an object, which is what servers take as a whole reply.
    """
    count = len(record.answer)
    calls = {
        "type": "array",
        "minItems": count,
        "maxItems": count,
        "items": {"anyOf": [_call_schema(tool) for tool in record.prompt.tools]},
    }
    return _closed({"tool_calls": calls})


def _call_schema(tool: Tool) -> dict[str, Any]:
    arguments = {"additionalProperties": False, **tool.parameters}
    return _closed({"name": {"const": tool.name}, "arguments": arguments})


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def messages_of(record: Record) -> list[dict[str, str]]:
    """The prompt in plain turns of user and assistant in turn, which every chat template takes."""
    instruction = _INSTRUCTION.format(tools=tools_text(record.prompt.tools))
    turns: list[dict[str, str]] = []
    for message in record.prompt.messages:
        if message["role"] == "system":
            instruction += f"\n\n{message['content']}"
            continue
        role = "assistant" if message["role"] == "assistant" else "user"
        text = _text(message)
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += f"\n\n{text}"
        else:
            turns.append({"role": role, "content": text})
    return [{"role": "system", "content": instruction}, *turns]


def _text(message: Message) -> str:
    if message["role"] in ("tool", "function"):
        return f"Result: {message['content']}"
    calls = calls_of(message)
    return "\n".join(filter(None, (message["content"], candidate_text(calls) if calls else "")))
