"""Calls that the tools' schemas forbid, ranked below all others whatever a model thinks of them.

Forbidden is what `calls.schema.validate` finds: an unknown name, an argument that is missing, not in
the schema or of the wrong type, and a value outside an enum or any other constraint; and text that
begins like a call, or carries a tag or a code fence, and cannot be read as calls. All else is the
model's to judge, other replies in words among it, and calls of a tool whose schema nothing can be
checked against.
"""

from __future__ import annotations

from collections.abc import Sequence

from fcrewardbench.calls.parse import parse
from fcrewardbench.calls.schema import validate
from fcrewardbench.errors import DataError
from fcrewardbench.types import Candidate, Group, Tool

STEP = 10_000.0
"""What is taken off a score. The order is plain where a group's scores differ by less."""


def forbidden(group: Group) -> tuple[bool, ...]:
    """Of each candidate, whether it is forbidden."""
    return tuple(_is_forbidden(candidate, group.prompt.tools) for candidate in group.candidates)


def _is_forbidden(candidate: Candidate, tools: Sequence[Tool]) -> bool:
    calls = candidate
    if isinstance(calls, str):
        read = parse(calls)
        if read.problem is not None:
            return True
        calls = read.candidate
    try:
        return not isinstance(calls, str) and bool(validate(calls, tools))
    except DataError:  # of the tools, not of the calls
        return False


def gated(scores: Sequence[float], breaches: Sequence[bool]) -> tuple[float, ...]:
    """The scores, those of forbidden candidates `STEP` lower."""
    return tuple(score - STEP * breach for score, breach in zip(scores, breaches, strict=True))
