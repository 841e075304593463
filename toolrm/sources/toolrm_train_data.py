"""The paper's released training data (`ibm-research/ToolRM-train-data`): pairs that are ready.

Columns: `uuid`, `dataset_name`, `conversation` (turns), and as JSON text `tools`,
`tool_calls_correct` and `tool_calls_incorrect`; `generator_model` made the latter. Why they are
wrong is not said there, so the checker says it, with the correct values alone admitted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from fcrewardbench import Call, DataError, Pair, Prompt, check, parse
from fcrewardbench.benchmarks.base import content_text, problem_of
from fcrewardbench.messages import messages_of
from fcrewardbench.types import JsonObject
from toolrm.records import TrainingPair, has_query
from toolrm.sources.base import (
    UNPARSABLE,
    LeftOut,
    Skipped,
    expected,
    files_of,
    parsed,
    rows,
    tools_from,
)

LICENCE = "Apache-2.0"
_NAME = "toolrm-train-data"
_FIELDS = (
    *("uuid", "conversation", "tools", "tool_calls_correct", "tool_calls_incorrect"),
    "generator_model",
)


def pairs(path: Path, skipped: Skipped) -> Iterator[TrainingPair]:
    """Pairs of a Parquet or Arrow file, or of a folder of such."""
    seen: Counter[str] = Counter()  # several generators answered one prompt
    for _, row in rows(files_of(path, (".parquet", ".arrow")), _FIELDS, skipped):
        record = f"{_NAME}/{row['uuid']}"
        seen[record] += 1
        try:
            pair = _pair(f"{record}/{seen[record]}", row)
        except LeftOut as why:
            skipped.add(f"{record}/{seen[record]}", why)
            continue
        yield TrainingPair(pair, record, LICENCE)


def _pair(id: str, row: JsonObject) -> Pair:
    tools = tools_from(parsed(row["tools"]))
    if not tools:
        raise LeftOut("no tools")
    if len({tool.name for tool in tools}) < len(tools):
        raise LeftOut("a tool twice")
    try:
        messages = messages_of(row["conversation"])
    except (DataError, TypeError, AttributeError):
        raise LeftOut("a conversation that cannot be read") from None
    if not has_query(messages):
        raise LeftOut("no query")
    chosen = _calls(row["tool_calls_correct"])
    rejected = _calls(row["tool_calls_incorrect"])
    answer = [expected(call, tools) for call in chosen]
    try:
        failure = check(rejected, answer, tools).first
    except DataError:
        kind = "unlabelled"  # the schema has a type that the checker does not know
    else:
        if failure is None:
            raise LeftOut("a rejected candidate that is right")
        kind = failure.type.value
    pair = Pair(
        id=id,
        prompt=Prompt(tools, messages),
        chosen=chosen,
        rejected=rejected,
        error_type=kind,
        category=_NAME,
        generator=str(row["generator_model"]),
    )
    if problem_of(pair):
        raise LeftOut("chosen and rejected are the same")
    try:
        content_text(pair).encode()
    except UnicodeEncodeError:
        raise LeftOut("a value that JSON cannot hold") from None
    return pair


def _calls(value: object) -> tuple[Call, ...]:
    try:
        calls = parse(value).calls
    except TypeError:
        calls = None
    if calls is None:
        raise LeftOut(UNPARSABLE)
    return calls
