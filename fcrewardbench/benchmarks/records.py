"""One record of anybody's data → a Pair or a CandidateSet, in one of three schemas.

*Official*: `tools`, `conversation`, `chosen_output`, `rejected_output`, `error_type`, `model_name`,
`test_category`, `test_id`. *Preference*: `tools`, `chosen` and `rejected` (message lists that share
their beginning, or calls, or text), with the conversation under `messages`, `prompt` or `conversation`
where it is not part of the lists. *Candidates*: `tools`, `conversation`, `candidates` and `correct`.
Every value may be JSON text or already parsed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fcrewardbench.benchmarks.base import content_text, problem_of, same
from fcrewardbench.calls.parse import parse
from fcrewardbench.calls.tools import tool_from
from fcrewardbench.errors import DataError
from fcrewardbench.messages import calls_of, messages_of
from fcrewardbench.types import (
    Candidate,
    CandidateSet,
    ErrorType,
    Item,
    Message,
    Pair,
    Prompt,
    Tool,
)

_BFCL_SUFFIXES = {
    "wrong_func_name": ErrorType.NAME,
    "missing_required": ErrorType.MISSING_REQUIRED,
    "missing_optional": ErrorType.MISSING_OPTIONAL,
    "unexpected_param": ErrorType.UNEXPECTED,
    "wrong_count": ErrorType.COUNT,
}
_BFCL_PREFIXES = {
    "value_error": ErrorType.VALUE,
    "dict_checker": ErrorType.VALUE,
    "list_dict_checker": ErrorType.VALUE,
    "type_error": ErrorType.TYPE,
    "ast_decoder": ErrorType.PARSING,
    "irrelevance_error": ErrorType.SHOULD_NOT_CALL,
}


def item_of(record: Mapping[str, Any], fallback_id: str) -> Item:
    """A pair or a candidate set out of one record.

    Raises:
        DataError: a field is missing or unreadable; the message names the field, and the caller adds
            where the record stands.
    """
    item = (_candidate_set if "candidates" in record else _pair)(record, fallback_id)
    problem = problem_of(item)
    if problem:
        raise DataError(problem)
    try:
        content_text(item).encode()
    except UnicodeEncodeError:
        raise DataError("a text holds half of a surrogate pair, which is no Unicode.") from None
    return item


def _candidate_set(record: Mapping[str, Any], fallback_id: str) -> CandidateSet:
    candidates = _list(record, "candidates")
    correct = _list(record, "correct")
    if len(correct) != len(candidates) or not all(isinstance(item, bool) for item in correct):
        raise DataError("'correct' has to hold true or false for every candidate.")
    size = len(candidates)
    unlabelled = ["" if right else "unlabelled" for right in correct]
    kinds = _texts(record, "error_types", size) or unlabelled
    if any(bool(kind) == right for kind, right in zip(kinds, correct, strict=True)):
        raise DataError("'error_types' has to be empty for right candidates, and for no others.")
    doubts = filter(None, _texts(record, "doubts", size) or ())
    return CandidateSet(
        id=str(_first(record, ("id", "test_id", "uuid"), fallback_id)),
        prompt=Prompt(
            tools_of(_field(record, "tools")),
            _messages(_field(record, "conversation"), "conversation"),
        ),
        candidates=tuple(_candidate(candidate, "candidates") for candidate in candidates),
        correct=tuple(correct),
        error_types=tuple(map(error_type_of, kinds)),
        generators=tuple(_texts(record, "generators", size) or ["unknown"] * size),
        category=str(_first(record, ("test_category", "category"), "uncategorised")),
        doubt=_doubt(record) or "; ".join(doubts),
    )


def _list(record: Mapping[str, Any], name: str) -> list[Any]:
    value = _parsed_list(_field(record, name))
    if not isinstance(value, list) or not value:
        raise DataError(f"'{name}' is no list, or an empty one.")
    return value


def _texts(record: Mapping[str, Any], name: str, size: int) -> list[str] | None:
    """An optional text for each candidate; null, as columns have it, is no text."""
    value = _parsed_list(record.get(name))
    if value is None:
        return None
    texts = ["" if text is None else text for text in value] if isinstance(value, list) else []
    if len(texts) != size or not all(isinstance(text, str) for text in texts):
        raise DataError(f"'{name}' has to hold a text for every candidate.")
    return texts


def _doubt(record: Mapping[str, Any]) -> str:
    doubt = record.get("doubt")
    if doubt is not None and not isinstance(doubt, str):
        raise DataError("'doubt' is no text; it says why the label is disputed.")
    return doubt or ""


def _pair(record: Mapping[str, Any], fallback_id: str) -> Pair:
    error_type = error_type_of(str(_first(record, ("error_type",), "unlabelled")))
    if "chosen_output" in record or "rejected_output" in record:
        messages = _messages(_field(record, "conversation"), "conversation")
        chosen = _candidate(_field(record, "chosen_output"), "chosen_output")
        raw = _parsed_list(_field(record, "rejected_output"))
        rejected = _candidate(raw, "rejected_output")
        mended = isinstance(raw, str) and raw != record["chosen_output"]
        if mended and (error_type == ErrorType.PARSING or same(chosen, rejected)):
            # Our parser reads what the benchmark's did not; the text itself is the candidate.
            rejected = raw
    else:
        messages, chosen, rejected = _preference(record)
    return Pair(
        id=str(_first(record, ("test_id", "id", "uuid"), fallback_id)),
        prompt=Prompt(tools_of(_field(record, "tools")), messages),
        chosen=chosen,
        rejected=rejected,
        error_type=error_type,
        category=str(_first(record, ("test_category", "category"), "uncategorised")),
        generator=str(_first(record, ("model_name", "generator", "generator_model"), "unknown")),
        doubt=_doubt(record),
    )


def error_type_of(label: str) -> str:
    """The paper's name of an error type; a label that nobody knows stays as it is."""
    plain = label.strip().lower().replace("_", " ")
    for kind in ErrorType:
        if plain == kind.value:
            return kind.value
    prefix, _, suffix = label.strip().partition(":")
    kind_found = _BFCL_SUFFIXES.get(suffix) or _BFCL_PREFIXES.get(prefix)
    return kind_found.value if kind_found else label


def tools_of(value: Any) -> tuple[Tool, ...]:
    """Tools out of JSON text, a list of descriptions, or one description."""
    parsed = _parsed(value, "tools")
    if isinstance(parsed, Mapping):
        parsed = [parsed]
    if not isinstance(parsed, Iterable):
        raise DataError("'tools' is no list of function descriptions.")
    tools = []
    for item in parsed:
        description = _parsed(item, "tools")
        if not isinstance(description, Mapping):
            raise DataError("'tools' holds something that is not a function description.")
        tools.append(tool_from(description))
    return tuple(tools)


def _preference(record: Mapping[str, Any]) -> tuple[tuple[Message, ...], Candidate, Candidate]:
    chosen = _turns(_field(record, "chosen"))
    rejected = _turns(_field(record, "rejected"))
    given = _first(record, ("messages", "prompt", "conversation"), None)
    before = _messages(given, "messages") if given is not None else ()
    if chosen is None or rejected is None:
        if not before:
            raise DataError(
                "there is no conversation: give 'messages', or chosen and rejected as message lists."
            )
        return (
            before,
            _candidate(_field(record, "chosen"), "chosen"),
            _candidate(_field(record, "rejected"), "rejected"),
        )
    ours, theirs = messages_of(chosen, "chosen"), messages_of(rejected, "rejected")
    shared = 0
    while shared < min(len(ours), len(theirs)) - 1 and ours[shared] == theirs[shared]:
        shared += 1
    if len(ours) != shared + 1 or len(theirs) != shared + 1:
        raise DataError(
            "chosen and rejected differ in more than their last message; each has to be the same "
            "conversation with one answer."
        )
    lead = ours[:shared]
    messages = lead if lead[: len(before)] == before else before + lead
    if not messages:
        raise DataError("there is no conversation before the answers.")
    return messages, _answer(ours[-1], "chosen"), _answer(theirs[-1], "rejected")


def _turns(value: Any) -> list[Any] | None:
    """A list of messages, out of one message too; None where the value is an answer alone."""
    parsed = _parsed_list(value)
    if isinstance(parsed, Mapping) and "role" in parsed:
        return [parsed]
    is_turns = (
        isinstance(parsed, Sequence)
        and not isinstance(parsed, str)
        and len(parsed) > 0
        and all(isinstance(item, Mapping) and "role" in item for item in parsed)
    )
    return list(parsed) if is_turns else None


def _answer(message: Message, field: str) -> Candidate:
    """The answer in a last turn: its calls, or the calls its text consists of, or its text.

    A fenced example in an answer in words makes it no call.
    """
    if message["role"] != "assistant":
        raise DataError(f"the last message of '{field}' is not the assistant's.")
    calls = calls_of(message)
    if calls:
        return calls
    parsed = parse(message["content"])
    quoted = parsed.dialect.startswith("code fence")
    return str(message["content"]) if quoted else parsed.candidate


def _candidate(value: Any, field: str) -> Candidate:
    """Calls, or the text where the model wrote no readable calls; an empty list is "no call"."""
    parsed = _parsed_list(value)
    if not isinstance(parsed, (str, list, dict)):
        raise DataError(f"'{field}' is neither calls nor text.")
    return parse(parsed).candidate


def _messages(value: Any, field: str) -> tuple[Message, ...]:
    parsed = _parsed_list(value)
    if isinstance(parsed, str):
        parsed = [{"role": "user", "content": parsed}]
    return messages_of(parsed, field)


def _field(record: Mapping[str, Any], name: str) -> Any:
    if name not in record or record[name] is None:
        has = ", ".join(map(str, list(record)[:12]))
        raise DataError(f"the field '{name}' is missing (it has {has}).")
    return record[name]


def _first(record: Mapping[str, Any], names: Sequence[str], default: Any) -> Any:
    return next((record[name] for name in names if record.get(name) is not None), default)


def _parsed(value: Any, field: str) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as why:
        raise DataError(f"'{field}' is text that is not JSON: {why}.") from None


def _parsed_list(value: Any) -> Any:
    """JSON text of a list or object parsed; other text, and what is parsed already, as it is."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("[", "{"):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
