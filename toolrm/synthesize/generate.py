"""Rejected calls by models: any OpenAI-compatible server, many requests at once.

Every reply is a line of a file as soon as it is there. A run that was killed asks for what the file
lacks and comes to the same candidates: they are read out of the file in the order of the questions.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, TextIO, TypeAlias

from fcrewardbench import DataError, RunError, Tool, UsageError, check, parse
from fcrewardbench.adapters.replies import NoCompletion, read_completion
from fcrewardbench.adapters.server import Server
from fcrewardbench.benchmarks.base import same
from fcrewardbench.calls.check import restore_names
from fcrewardbench.calls.edits.base import Edit
from fcrewardbench.messages import calls_of
from fcrewardbench.render import candidate_text, tools_text
from fcrewardbench.types import Message
from toolrm.records import Record
from toolrm.synthesize.config import GeneratorConfig
from toolrm.synthesize.rejected import may_be_right
from toolrm.synthesize.split import order_of

if TYPE_CHECKING:
    from openai import AsyncOpenAI

Progress: TypeAlias = Callable[[int, int], None]
_RETRIES = 6
_INSTRUCTION = """\
You answer by calling functions. These are the functions that there are:
{tools}

Write the calls that are due now as a JSON list and nothing else:
[{{"name": "function name", "arguments": {{"parameter": "value"}}}}]"""


@dataclass(frozen=True, slots=True)
class _Question:
    """One request. `key` is the same for the same question in every run."""

    record: Record
    generator: GeneratorConfig
    temperature: float
    sample: int
    near_miss: bool = False

    @property
    def key(self) -> str:
        generator = self.generator
        asked = [
            generator.model,
            generator.fix_count,
            generator.max_tokens,
            self.temperature,
            self.sample,
            _messages(self.record),
            len(self.record.answer),
            *(["near miss"] if self.near_miss else []),
        ]
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:24]


def generated(
    records: Sequence[Record],
    generators: Sequence[GeneratorConfig],
    replies: Path,
    seed: int,
    share: float,
    left_out: Counter[str],
    progress: Progress = lambda done, total: None,
) -> dict[str, list[Edit]]:
    """Wrong candidates by record id, those of the first generators first.

    A reply is left out, and counted, where it is right, may be right, cannot be parsed, is in words,
    cannot be judged, or is what the record has already. A question that got no reply is counted, too,
    and asked again by the next run.

    Args:
        replies: the file that replies are appended to.
        share: of the records that each generator is asked about, so many of these.

    Raises:
        RunError: a server gives no reply to the first questions.
        UsageError: it refuses the key.
        DataError: the file holds something else.
    """
    questions = [q for generator in generators for q in _questions(records, generator, seed, share)]
    known = _read(replies)
    missing = [question for question in questions if question.key not in known]
    done = len(questions) - len(missing)
    progress(done, len(questions))
    replies.parent.mkdir(parents=True, exist_ok=True)
    with replies.open("a", encoding="utf-8") as file:
        for generator in generators:
            own = [question for question in missing if question.generator == generator]
            for key, reply in _asked(generator, own, left_out, file):
                done += 1
                known[key] = reply
                progress(done, len(questions))
    return _wrong(questions, known, left_out)


def _questions(
    records: Sequence[Record], generator: GeneratorConfig, seed: int, share: float
) -> Iterator[_Question]:
    some = sorted(records, key=lambda r: order_of(seed, f"{generator.model}|{r.id}"))
    for record in some[: math.ceil(generator.records * share)]:
        for temperature in generator.temperatures:
            for sample in range(generator.samples):
                yield _Question(record, generator, temperature, sample)
            if any(call.arguments for call in record.gold):
                for sample in range(generator.near_misses):
                    yield _Question(record, generator, temperature, sample, near_miss=True)


def _wrong(
    questions: Iterable[_Question], known: Mapping[str, str], left_out: Counter[str]
) -> dict[str, list[Edit]]:
    found: defaultdict[str, list[Edit]] = defaultdict(list)
    for question in questions:
        if question.key not in known:
            continue
        record = question.record
        reason, edit = _judged(known[question.key], record, question.generator.model)
        if edit is None:
            left_out[f"a reply that {reason}"] += 1
        elif any(same(edit.candidate, other.candidate) for other in found[record.id]):
            left_out["a reply that the record has already"] += 1
        else:
            found[record.id].append(edit)
    return dict(found)


def _judged(reply: str, record: Record, model: str) -> tuple[str, Edit | None]:
    """The wrong candidate of a reply, or why there is none."""
    parsed = parse(reply)
    if not parsed.calls:
        return ("cannot be parsed" if parsed.problem else "is in words"), None
    candidate = restore_names(parsed.calls, record.prompt.tools)
    try:  # half of a surrogate pair, 1e999
        values = [call.as_dict() for call in candidate]
        json.dumps(values, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        return "cannot be parsed", None
    try:
        first = check(candidate, record.answer, record.prompt.tools).first
        if first is None:
            return "is right", None
        if may_be_right(candidate, record, first.type):
            return "may be right", None
    except DataError:
        return "cannot be judged", None
    return "", Edit(model, first.type, candidate)


# ── asking ───────────────────────────────────────────────────────────────────────────────────────


def _asked(
    generator: GeneratorConfig,
    questions: Sequence[_Question],
    left_out: Counter[str],
    file: TextIO,
) -> Iterator[tuple[str, str]]:
    """Keys and replies as they come, each of them in the file already."""
    if not questions:
        return
    server = Server(
        generator.base_url,
        key_env=generator.key_env,
        concurrency=generator.concurrency,
        timeout=generator.timeout,
        retries=_RETRIES,
    )
    with server.connected() as connection:
        with_schema = _wants_schema(generator) and connection.portal.call(
            _takes_schema, server, connection.client, _telling(questions)
        )
        if generator.near_misses and not with_schema:
            raise UsageError(
                f"{server.url} takes no JSON schema, which near_misses need: leave them out for "
                f"'{generator.model}', or ask a server that does."
            )

        async def ask(question: _Question) -> tuple[_Question, str | None, str]:
            try:
                reply = await _reply(connection.client, question, with_schema)
            except NoCompletion as why:
                return question, None, server.clean(str(why))
            except openai.OpenAIError as why:
                return question, None, server.told(why)
            return question, server.without_secrets(reply), ""

        import openai

        answered = failed = 0
        for question, reply, why in server.each(connection, ask, questions):
            if reply is None:
                left_out["no reply"] += 1
                failed += 1
                if not answered and failed >= 2 * generator.concurrency:
                    raise RunError(
                        f"{server.url} gives '{generator.model}' no reply: {why}. Mend it, and the "
                        "same command goes on."
                    )
                continue
            answered += 1
            line = {"key": question.key, "record": question.record.id, "model": generator.model}
            file.write(json.dumps({**line, "reply": reply}, ensure_ascii=False) + "\n")
            file.flush()
            yield question.key, reply


def _wants_schema(generator: GeneratorConfig) -> bool:
    return generator.fix_count or generator.near_misses > 0


def _telling(questions: Sequence[_Question]) -> _Question:
    """The first question that is asked with a schema, if there is one."""
    return next((question for question in questions if question.record.answer), questions[0])


async def _takes_schema(server: Server, client: AsyncOpenAI, question: _Question) -> bool:
    """Whether the server takes a JSON schema: the first question tells.

    Raises:
        RunError, UsageError: it does not answer without one either.
    """
    import openai

    client = server.for_probe(client)
    for with_schema in (True, False):
        try:
            await _reply(client, question, with_schema)
        except openai.APIStatusError as why:
            if why.status_code in (401, 403):
                raise UsageError(
                    f"{server.url} refuses the key in {server.key_env} (HTTP {why.status_code}): set "
                    f"it to one that may use '{question.generator.model}'."
                ) from None
            if not with_schema or why.status_code not in (400, 422, 500, 501):
                raise RunError(f"{server.url} does not answer: {server.told(why)}.") from None
        except (openai.OpenAIError, NoCompletion) as why:
            told = server.told(why) if isinstance(why, openai.OpenAIError) else str(why)
            raise RunError(
                f"No answer from {server.url}: {server.clean(told)}. Start the server, or mend "
                "base_url."
            ) from None
        else:
            return with_schema
    raise AssertionError("without a schema the loop returns or raises")


async def _reply(client: AsyncOpenAI, question: _Question, with_schema: bool) -> str:
    generator = question.generator
    messages: Any = _messages(question.record)
    settings: dict[str, Any] = {}
    schema = _schema(question) if with_schema else None
    if schema is not None:
        settings["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "calls", "schema": schema},
        }
    raw = await client.chat.completions.with_raw_response.create(
        model=generator.model,
        messages=messages,
        temperature=question.temperature,
        max_tokens=generator.max_tokens,
        seed=int(question.key[:7], 16),
        **settings,
    )
    return read_completion(raw.http_response.content).choices[0].message.content or ""


def _schema(question: _Question) -> dict[str, Any] | None:
    if question.near_miss:
        return near_miss_schema(question.record, Random(question.key))
    if question.generator.fix_count and question.record.answer:
        return calls_schema(question.record)
    return None


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


def _messages(record: Record) -> list[dict[str, str]]:
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


def _read(path: Path) -> dict[str, str]:
    """Replies by key. A last line that breaks off is what a kill leaves, and is cut away."""
    if not path.is_file():
        return {}
    text = path.read_text("utf-8", errors="replace")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        scratch = path.with_name(f"{path.name}.part")
        scratch.write_text(whole, "utf-8")
        scratch.replace(path)
    known = {}
    for number, line in enumerate(whole.split("\n")[:-1], 1):
        try:
            row = json.loads(line)
            known[str(row["key"])] = str(row["reply"])
        except (ValueError, KeyError, TypeError):
            raise DataError(
                f"{path}, line {number}, is no reply of a model: remove the file to ask anew."
            ) from None
    return known
