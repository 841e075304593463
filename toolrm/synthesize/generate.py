"""Rejected calls by models: any OpenAI-compatible server, many requests at once.

Every reply is a line of a file as soon as it is there. A run that was killed asks for what the file
lacks and comes to the same candidates: they are read out of the file in the order of the questions.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeAlias

from fcrewardbench import (
    AdmissibleCall,
    Call,
    Candidate,
    DataError,
    RunError,
    Tool,
    UsageError,
    check,
    parse,
)
from fcrewardbench.adapters.replies import NoCompletion, read_completion
from fcrewardbench.adapters.server import PROBE, Server
from fcrewardbench.benchmarks.base import same
from fcrewardbench.calls.check import restore_names
from fcrewardbench.calls.edits.base import Edit
from toolrm.records import Record
from toolrm.synthesize.config import GeneratorConfig
from toolrm.synthesize.questions import Question, messages_of, questions_of
from toolrm.synthesize.rejected import may_be_right

if TYPE_CHECKING:
    from openai import AsyncOpenAI

Progress: TypeAlias = Callable[[int, int], None]
_RETRIES = 6
_TRIED = Record(
    id="probe",
    source="probe",
    licence="CC0-1.0",
    prompt=PROBE.prompt,
    answer=(AdmissibleCall("current_weather", {"city": ("Lisbon",)}),),
)
"""Its schema is refused only by a server that takes none; that of another record may be refused for
what stands in it."""
_FINISHED = (None, "stop", "tool_calls")
_MARKS = re.compile(r"</?think|<\|")
"""What only a model's own template writes, and no candidate that is right has."""


@dataclass(frozen=True, slots=True)
class _Reply:
    """What a model wrote; `cut` where it did not come to its end."""

    text: str
    cut: bool = False


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

    A reply is left out, and counted, where it is right, may be right, is empty or cut off, has marks of
    the model's template, holds what no file can, cannot be judged, or is what the record has already. A
    question that got no reply is counted, too, and asked again by the next run.

    Args:
        replies: the file that replies are appended to.
        share: of the records that each generator is asked about, so many of these.

    Raises:
        RunError: a server gives no reply to the first questions.
        UsageError: it refuses the key, or does not keep to JSON schemas where near misses
            are asked for.
        DataError: the file holds something else.
    """
    questions = [
        q for generator in generators for q in questions_of(records, generator, seed, share)
    ]
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


def _wrong(
    questions: Iterable[Question], known: Mapping[str, _Reply], left_out: Counter[str]
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


def _judged(reply: _Reply, record: Record, model: str) -> tuple[str, Edit | None]:
    """The wrong candidate of a reply, or why there is none."""
    if reply.cut:
        return "was cut off", None
    if not reply.text.strip():
        return "is empty", None
    parsed = parse(reply.text)
    if parsed.problem and not record.answer:
        return "cannot be judged", None
    tools = record.prompt.tools
    candidate = restore_names(parsed.calls, tools) if parsed.calls else reply.text
    if not parsed.calls and _MARKS.search(reply.text):
        return "has marks of the model's template", None
    if not _can_be_written(candidate):
        return "holds what no file can", None
    try:
        first = check(candidate, record.answer, tools, unreadable=parsed.problem).first
        if first is None:
            return "is right", None
        held = candidate if parsed.calls else _calls_within(reply.text, tools)
        if held and (
            check(held, record.answer, tools).ok or may_be_right(held, record, first.type)
        ):
            return "may be right", None
    except DataError:
        return "cannot be judged", None
    return "", Edit(model, first.type, candidate)


def _calls_within(text: str, tools: Sequence[Tool]) -> tuple[Call, ...]:
    """The calls that stand in a text between other words, if they can be read."""
    found = re.search(r"[\[{].*[\]}]", text, re.DOTALL)
    return restore_names(parse(found[0]).calls or (), tools) if found else ()


def _can_be_written(candidate: Candidate) -> bool:
    """Whether it is without 1e999 and halves of surrogate pairs."""
    values = candidate if isinstance(candidate, str) else [call.as_dict() for call in candidate]
    try:
        json.dumps(values, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        return False
    return True


# ── asking ───────────────────────────────────────────────────────────────────────────────────────


def _asked(
    generator: GeneratorConfig,
    questions: Sequence[Question],
    left_out: Counter[str],
    file: TextIO,
) -> Iterator[tuple[str, _Reply]]:
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
        near = generator.near_misses > 0
        probe = Question(_TRIED, generator, generator.temperatures[0], 0, near_miss=near)
        with_schema = probe.schema is not None and connection.portal.call(
            _takes_schema, server, connection.client, probe
        )
        if generator.near_misses and not with_schema:
            raise UsageError(
                f"{server.url} does not keep to JSON schemas with prefixItems, which near_misses need: "
                f"leave them out for '{generator.model}', or ask a server that does."
            )

        async def ask(question: Question) -> tuple[Question, _Reply | None, str]:
            try:
                reply = await _reply(connection.client, question, with_schema)
            except NoCompletion as why:
                return question, None, server.clean(str(why))
            except openai.OpenAIError as why:
                return question, None, server.told(why)
            return question, replace(reply, text=server.without_secrets(reply.text)), ""

        import openai

        answered, failed = int(probe.schema is not None), 0  # a probe that is not answered raises
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
            file.write(json.dumps({**line, "reply": reply.text, "cut": reply.cut}) + "\n")
            file.flush()
            yield question.key, reply


async def _takes_schema(server: Server, client: AsyncOpenAI, question: Question) -> bool:
    """Whether the server takes the question's JSON schema, and keeps a near miss to it.

    Raises:
        RunError, UsageError: it does not answer without one either.
    """
    import openai

    client = server.for_probe(client)
    for with_schema in (True, False):
        try:
            reply = await _reply(client, question, with_schema)
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
            return with_schema and (not question.near_miss or '"tool_calls"' in reply.text)
    raise AssertionError("without a schema the loop returns or raises")


async def _reply(client: AsyncOpenAI, question: Question, with_schema: bool) -> _Reply:
    generator = question.generator
    messages: Any = messages_of(question.record)
    settings: dict[str, Any] = {}
    schema = question.schema if with_schema else None
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
    choice = read_completion(raw.http_response.content).choices[0]
    return _Reply(choice.message.content or "", cut=choice.finish_reason not in _FINISHED)


def _read(path: Path) -> dict[str, _Reply]:
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
            known[str(row["key"])] = _Reply(str(row["reply"]), bool(row["cut"]))
        except (ValueError, KeyError, TypeError):
            raise DataError(
                f"{path}, line {number}, is no reply of a model: remove the file to ask anew."
            ) from None
    return known
