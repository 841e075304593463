"""Calls checked against the tools' schemas alone."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from fcrewardbench.calls.check import Failure, restore_names
from fcrewardbench.errors import DataError
from fcrewardbench.types import Call, ErrorType, Tool

if TYPE_CHECKING:
    from jsonschema.protocols import Validator


def validate(calls: Sequence[Call], tools: Sequence[Tool]) -> tuple[Failure, ...]:
    """Everything wrong with calls by the tools' schemas alone, without knowing the answer.

    Unknown function, missing required, unexpected, wrong type, value outside an enum or any other
    constraint (as a value error). A parameter that the schema does not name is unexpected unless the
    schema says `additionalProperties`.

    Raises:
        DataError: a schema that no call can be checked against.
    """
    from jsonschema.exceptions import SchemaError
    from referencing.exceptions import Unresolvable

    by_name = {tool.name: tool for tool in tools}
    failures: list[Failure] = []
    for index, call in enumerate(restore_names(calls, tools)):
        tool = by_name.get(call.name)
        if tool is None:
            failures.append(Failure(ErrorType.NAME, f"no tool is named '{call.name}'", index))
            continue
        try:
            validator = _validator(json.dumps(tool.parameters))
        except SchemaError as why:
            raise DataError(
                f"The schema of tool '{tool.name}' is no JSON Schema: {why.message}."
            ) from None
        try:
            errors = list(validator.iter_errors(dict(call.arguments)))
        except (Unresolvable, re.error, RecursionError) as why:
            raise DataError(
                f"No call can be checked against the schema of tool '{tool.name}': {why}."
            ) from None
        for error in errors:
            failures.extend(_failures_of(error, index))
    return tuple(failures)


@lru_cache(maxsize=20_000)
def _validator(schema: str) -> Validator:
    from jsonschema import Draft202012Validator

    closed = {"additionalProperties": False, **json.loads(schema)}
    Draft202012Validator.check_schema(closed)
    return Draft202012Validator(closed)


_KINDS = {"type": ErrorType.TYPE, "required": ErrorType.MISSING_REQUIRED}


def _failures_of(error: Any, index: int) -> list[Failure]:
    at_top = not error.absolute_path
    argument = str(error.absolute_path[0]) if error.absolute_path else None
    if error.validator == "additionalProperties" and at_top:
        known = error.schema.get("properties", {})
        return [
            Failure(ErrorType.UNEXPECTED, f"'{name}' is not in the schema", index, name)
            for name in error.instance
            if name not in known
        ]
    if error.validator == "required" and at_top:
        missing = [name for name in error.validator_value if name not in error.instance]
        # jsonschema reports each missing name in an error of its own
        argument = next((name for name in missing if repr(name) in error.message), None)
        return [
            Failure(
                ErrorType.MISSING_REQUIRED, f"required '{argument}' is missing", index, argument
            )
        ]
    kind = (
        _KINDS.get(error.validator, ErrorType.VALUE)
        if at_top or error.validator == "type"
        else ErrorType.VALUE
    )
    return [Failure(kind, error.message, index, argument)]
