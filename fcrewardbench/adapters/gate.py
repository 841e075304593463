"""Calls that the tools' schemas forbid, ranked below all others whatever a model thinks of them.

That a call has an unknown name, lacks a required argument or has a value of the wrong type needs no
judgement, and a reward model that errs there errs for nothing. What the schemas allow, and replies in
words, are left to the model.
"""

from __future__ import annotations

from collections.abc import Sequence

from fcrewardbench.calls.parse import parse
from fcrewardbench.calls.schema import validate
from fcrewardbench.types import Group

STEP = 10_000.0
"""What is taken off a score: far beyond rewards and log-probabilities, so that the order is plain."""


def forbidden(group: Group) -> tuple[bool, ...]:
    """Of each candidate, whether it is a call that the schemas forbid, or one that nothing can read.

    Raises:
        DataError: a tool's schema is no JSON Schema.
    """
    return tuple(
        parse(candidate).problem is not None
        if isinstance(candidate, str)
        else bool(validate(candidate, group.prompt.tools))
        for candidate in group.candidates
    )


def gated(scores: Sequence[float], breaches: Sequence[bool]) -> tuple[float, ...]:
    """The scores, those of forbidden candidates `STEP` lower."""
    return tuple(score - STEP * breach for score, breach in zip(scores, breaches, strict=True))
