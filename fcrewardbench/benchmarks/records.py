"""One record of anybody's pairs → a Pair, in either of the two schemas.

*Official*: `tools`, `conversation`, `chosen_output`, `rejected_output`, `error_type`, `model_name`,
`test_category`, `test_id`. *Preference*: `tools`, `chosen` and `rejected` (message lists that share
their beginning, or calls, or text), with the conversation under `messages`, `prompt` or `conversation`
where it is not part of the lists. Every value may be JSON text or already parsed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fcrewardbench.calls.parse import parse
from fcrewardbench.calls.schema import tool_from
from fcrewardbench.errors import DataError
from fcrewardbench.types import Candidate, ErrorType, Message, Pair, Prompt, Tool

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


def pair_of(record: Mapping[str, Any], fallback_id: str) -> Pair:
    """A pair out of one record.

    Raises:
        DataError: a field is missing or unreadable; the message names the field, and the caller adds
            where the record stands.
    """
    if "chosen_output" in record or "rejected_output" in record:
        messages = _messages(_field(record, "conversation"), "conversation")
        chosen = _candidate(_field(record, "chosen_output"), "chosen_output")
        rejected = _candidate(_field(record, "rejected_output"), "rejected_output")
    else:
        messages, chosen, rejected = _preference(record)
    if chosen == rejected:
        raise DataError("chosen and rejected are the same; a pair needs two different candidates.")
    return Pair(
        id=str(_first(record, ("test_id", "id", "uuid"), fallback_id)),
        prompt=Prompt(tools_of(_field(record, "tools")), messages),
        chosen=chosen,
        rejected=rejected,
        error_type=error_type_of(str(_first(record, ("error_type",), "unlabelled"))),
        category=str(_first(record, ("test_category", "category"), "uncategorised")),
        generator=str(_first(record, ("model_name", "generator", "generator_model"), "unknown")),
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
    chosen = _parsed_list(_field(record, "chosen"))
    rejected = _parsed_list(_field(record, "rejected"))
    given = _first(record, ("messages", "prompt", "conversation"), None)
    if not _is_messages(chosen) or not _is_messages(rejected):
        if given is None:
            raise DataError(
                "there is no conversation: give 'messages', or chosen and rejected as message lists."
            )
        return (
            _messages(given, "messages"),
            _candidate(chosen, "chosen"),
            _candidate(rejected, "rejected"),
        )
    shared = 0
    while shared < min(len(chosen), len(rejected)) - 1 and chosen[shared] == rejected[shared]:
        shared += 1
    if len(chosen) != shared + 1 or len(rejected) != shared + 1:
        raise DataError(
            "chosen and rejected differ in more than their last message; each has to be the same "
            "conversation with one answer."
        )
    before = _messages(given, "messages") if given is not None else ()
    lead = tuple(chosen[:shared])
    messages = lead if lead[: len(before)] == before else before + lead
    if not messages:
        raise DataError("there is no conversation before the answers.")
    return messages, _answer(chosen[-1], "chosen"), _answer(rejected[-1], "rejected")


def _answer(message: Mapping[str, Any], field: str) -> Candidate:
    calls = message.get("tool_calls") or message.get("function_call")
    if calls is not None and len(calls) > 0:
        return _candidate(calls, field)
    return _candidate(message.get("content") or "", field)


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
    if not _is_messages(parsed) or not parsed:
        raise DataError(f"'{field}' is no list of messages with 'role' and 'content'.")
    return tuple(parsed)


def _is_messages(value: Any) -> bool:
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and len(value) > 0
        and all(isinstance(m, Mapping) and "role" in m for m in value)
    )


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
    except ValueError as why:
        raise DataError(f"'{field}' is text that is not JSON: {why}.") from None


def _parsed_list(value: Any) -> Any:
    """JSON text of a list or object parsed; other text, and what is parsed already, as it is."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("[", "{"):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
