"""Calls against BFCL's admissible answers: the first failure in BFCL's order, and all of them.

The rules are those of BFCL's AST checker (`bfcl_eval/eval_checker/ast_eval/ast_checker.py` in the
`bfcl-eval` wheel), written anew; `docs/checker.md` lists where the two differ and why. For Java and
JavaScript models write text, which is read as a value of the declared type first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fcrewardbench.calls.tools import schema_of
from fcrewardbench.calls.typed_values import JAVA_TYPES, JAVASCRIPT_TYPES, Language, typed_value
from fcrewardbench.errors import DataError
from fcrewardbench.types import Call, Candidate, ErrorType, JsonObject, Tool


@dataclass(frozen=True, slots=True)
class AdmissibleCall:
    """One expected call. Each argument has its admissible values; `""` among them means optional."""

    name: str
    arguments: Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing wrong: its type, the index of the candidate's call it is about, and where in it."""

    type: ErrorType
    message: str
    call: int | None = None
    argument: str | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """The verdict on a candidate. `failures[0]` is the one BFCL would report."""

    failures: tuple[Failure, ...]

    @property
    def ok(self) -> bool:
        return not self.failures

    @property
    def first(self) -> Failure | None:
        return self.failures[0] if self.failures else None


_OK = Checked(())
_PYTHON_TYPES: dict[str, type] = {
    "string": str,
    "integer": int,
    "float": float,
    "boolean": bool,
    "array": list,
    "tuple": list,
    "dict": dict,
    "any": str,
    # JSON Schema's own names, for answers to tools from elsewhere
    "number": float,
    "object": dict,
}
_TYPES: dict[Language, dict[str, type]] = {
    "python": _PYTHON_TYPES,
    "java": JAVA_TYPES,
    "javascript": JAVASCRIPT_TYPES,
}
# Progress of a call through the checks, for `cannot_find_match`: later means nearer to right.
_STAGE = {
    ErrorType.NAME: 0,
    ErrorType.MISSING_REQUIRED: 1,
    ErrorType.UNEXPECTED: 2,
    ErrorType.TYPE: 3,
    ErrorType.VALUE: 4,
    ErrorType.MISSING_OPTIONAL: 5,
}


def check(
    candidate: Candidate,
    answer: Sequence[AdmissibleCall],
    tools: Sequence[Tool],
    *,
    unreadable: str | None = None,
    language: Language = "python",
) -> Checked:
    """Judge a candidate.

    Args:
        candidate: calls or text. `.` written as `_` in function names is undone.
        answer: the expected calls in any order; empty where no call is due.
        tools: the tools of the task, whose `original` descriptions hold BFCL's types.
        unreadable: why text that looks like calls could not be parsed (`Parsed.problem`); such a
            text is a parsing error, any other text is "no call".
        language: whose type names the tools use. For Java and JavaScript every argument is the text
            of an expression, and one that is no text has the wrong type.

    Raises:
        DataError: the answer names a tool that the task does not have, or a type that is not one
            of BFCL's types for the language.
    """
    calls = () if isinstance(candidate, str) else restore_names(candidate, tools)
    if not answer:
        if not calls:
            return _OK
        return _wrong(ErrorType.SHOULD_NOT_CALL, "no call was due here")
    if not calls:
        if unreadable:
            return _wrong(ErrorType.PARSING, unreadable)
        return _wrong(ErrorType.NO_CALL, "a call was due and none was made")
    schemas = {tool.name: schema_of(tool.original) for tool in tools}
    count: tuple[Failure, ...] = ()
    if len(calls) != len(answer):
        message = f"{len(answer)} calls were due, {len(calls)} were made"
        count = (Failure(ErrorType.COUNT, message),)
    failures = count + _match(calls, answer, schemas, language)
    return Checked(failures) if failures else _OK


def _wrong(kind: ErrorType, message: str) -> Checked:
    return Checked((Failure(kind, message),))


def restore_names(calls: Sequence[Call], tools: Sequence[Tool]) -> tuple[Call, ...]:
    """Undo `.` → `_` in function names, which many tool-calling APIs force on models."""
    names = {tool.name for tool in tools}
    if all(call.name in names for call in calls):
        return tuple(calls)
    dotted = {name.replace(".", "_"): name for name in names if "." in name}
    return tuple(
        call if call.name in names else Call(dotted.get(call.name, call.name), call.arguments)
        for call in calls
    )


def _match(
    calls: Sequence[Call],
    answer: Sequence[AdmissibleCall],
    schemas: Mapping[str, JsonObject],
    language: Language,
) -> tuple[Failure, ...]:
    """Pair expected calls with the candidate's, whatever their order; failures of what is left."""
    verdicts = [
        [_check_call(index, call, expected, schemas, language) for index, call in enumerate(calls)]
        for expected in answer
    ]
    free = set(range(len(calls)))
    unmet = []
    for row, options in enumerate(verdicts):
        found = next((index for index in sorted(free) if not options[index]), None)
        if found is None:
            unmet.append(row)
        else:
            free.discard(found)
    if not unmet:
        return ()
    if len(calls) == len(answer) and _can_match(verdicts):
        return ()
    failures: list[Failure] = []
    for row in unmet:
        nearest = _nearest([verdicts[row][index] for index in sorted(free)])
        if nearest is None:
            continue
        failures.extend(nearest)
        index = nearest[0].call
        if index is not None and nearest[0].type is not ErrorType.NAME:
            free.discard(index)
    return tuple(failures)


def _can_match(verdicts: Sequence[Sequence[tuple[Failure, ...]]]) -> bool:
    """Whether every expected call has a call of its own, taking the first that fits aside."""
    if not all(any(not failures for failures in row) for row in verdicts):
        return False
    import numpy as np
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import maximum_bipartite_matching

    fits = csr_matrix(np.array([[not failures for failures in row] for row in verdicts]))
    return bool((maximum_bipartite_matching(fits) >= 0).all())


def _nearest(options: Sequence[tuple[Failure, ...]]) -> tuple[Failure, ...] | None:
    """The failures of the call that got furthest in the order of checks."""
    if not options:
        return None
    return max(options, key=lambda failures: (_STAGE[failures[0].type], -len(failures)))


def _check_call(
    index: int,
    call: Call,
    expected: AdmissibleCall,
    schemas: Mapping[str, JsonObject],
    language: Language,
) -> tuple[Failure, ...]:
    """All failures of one call against one expected call, in BFCL's order."""
    if call.name != expected.name:
        return (Failure(ErrorType.NAME, f"'{call.name}' where '{expected.name}' was due", index),)
    if expected.name not in schemas:
        raise DataError(f"The answer calls '{expected.name}', which is not among the tools.")
    parameters = schemas[expected.name]
    properties = parameters.get("properties") or {}
    given = call.arguments
    failures = [
        Failure(ErrorType.MISSING_REQUIRED, f"required '{name}' is missing", index, name)
        for name in parameters.get("required") or ()
        if name not in given
    ]
    required = {failure.argument for failure in failures}
    for name, value in given.items():
        if name not in properties or name not in expected.arguments:
            failures.append(Failure(ErrorType.UNEXPECTED, f"'{name}' is not expected", index, name))
            continue
        kind = _value_error(value, expected.arguments[name], properties[name], language)
        if kind is not None:
            message = f"'{name}' is {value!r}, admissible: {list(expected.arguments[name])!r}"
            failures.append(Failure(kind, message, index, name))
    failures.extend(
        Failure(ErrorType.MISSING_OPTIONAL, f"'{name}' is left out but needed", index, name)
        for name, admissible in expected.arguments.items()
        if name not in given and name not in required and "" not in admissible
    )
    return tuple(failures)


def _value_error(
    value: Any, admissible: Sequence[Any], schema: JsonObject, language: Language
) -> ErrorType | None:
    """TYPE, VALUE, or None where the value is admissible."""
    declared, inner = _types_of(schema, language)
    if language != "python":
        if type(value) is not str:
            return ErrorType.TYPE
        items = schema["items"]["type"] if inner is not None else None
        value = typed_value(value, language, schema["type"], items)
        if items == "any":
            inner = None  # as text, as in BFCL, a list of mixed literals would never be right
    elif declared is float and type(value) is int:
        try:
            value = float(value)
        except OverflowError:  # no admissible value is that large
            return ErrorType.VALUE
    fits, as_variable = _type_fits(value, admissible, declared, inner)
    if not fits:
        return ErrorType.TYPE
    return None if _admitted(value, admissible, declared, inner, as_variable) else ErrorType.VALUE


def _types_of(schema: JsonObject, language: Language) -> tuple[type, type | None]:
    """The Python type a schema asks for, and that of its items where it is a list."""
    types = _TYPES[language]
    try:
        declared = types[schema["type"]]
        inner = types[schema["items"]["type"]] if declared is list and "items" in schema else None
    except (KeyError, TypeError):
        raise DataError(
            f"The schema {dict(schema)!r} has a type that is not one of BFCL's types for "
            f"{language} ({', '.join(types)})."
        ) from None
    return declared, inner


def _type_fits(
    value: Any, admissible: Sequence[Any], declared: type, inner: type | None
) -> tuple[bool, bool]:
    """Whether the type is right, and whether the value stands for a variable.

    A value whose type is not the declared one passes where the admissible values have that type:
    BFCL writes variables (`x = my_list`) as strings.
    """
    known = next((type(item) for item in admissible if item != ""), None)
    if type(value) is declared:
        fits = inner is None or _items_fit(value, admissible, inner)
        return fits, known is not None and known is not declared
    return known is not None and type(value) is known, True


def _items_fit(value: Any, admissible: Sequence[Any], inner: type) -> bool:
    return any(
        type(option) is not list or all(_type_fits(item, option, inner, None)[0] for item in value)
        for option in admissible
    )


def _admitted(
    value: Any, admissible: Sequence[Any], declared: type, inner: type | None, as_variable: bool
) -> bool:
    if as_variable:
        return value in admissible
    if declared is dict:
        return any(_dict_admitted(value, option) for option in admissible if option != "")
    if declared is list and inner is dict:
        return any(_dicts_admitted(value, option) for option in admissible)
    if declared is str:
        return _plain(value) in [_plain(option) for option in admissible if type(option) is str]
    if declared is list:
        plain = [_plain(item) for item in value]
        # Iterating "" gives nothing: where a list is optional, BFCL admits the empty list.
        return plain in [[_plain(item) for item in option] for option in admissible]
    return value in admissible


def _dict_admitted(value: Any, expected: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(expected, Mapping):
        return False
    return all(
        key in expected and _plain(item) in [_plain(option) for option in expected[key]]
        for key, item in value.items()
    ) and all(key in value or "" in options for key, options in expected.items())


def _dicts_admitted(value: list[Any], expected: Any) -> bool:
    return len(value) == len(expected) and all(
        _dict_admitted(item, option) for item, option in zip(value, expected, strict=True)
    )


_IGNORED = re.compile(r"[ ,./\-_*^]")


def _plain(value: Any) -> Any:
    """Text without case, spaces, and the punctuation that BFCL ignores; other values as they are."""
    if type(value) is not str:
        return value
    return _IGNORED.sub("", value).lower().replace("'", '"')
