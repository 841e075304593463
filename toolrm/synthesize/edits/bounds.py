"""How much of an error type some operators may make together, and where some make nothing."""

from __future__ import annotations

import re

from fcrewardbench.types import JsonObject

INVENTED_NAMES = frozenset(
    f"name/{manner}"
    for manner in (
        *("prefix-gained", "synonym", "word-added", "words-reordered", "blended"),
        *("from-description", "misspelt"),
    )
)
"""Their names are of no tool of the prompt: to see that needs no reading of the request."""

NEED_TELLING_NAMES = INVENTED_NAMES | {
    "value/placeholder",
    "value/options-filled",
    "unexpected/options-filled",
}
"""Nothing is to be seen in their edits but a string of letters where names say nothing; or nothing
says whether the conversation is about what they fill in."""

WITHIN_TYPE: tuple[tuple[frozenset[str], float], ...] = (
    (
        frozenset(
            {"value/letters-slipped", "value/digit-lost", "value/placeholder", "value/power-of-ten"}
        ),
        0.08,
    ),
    (INVENTED_NAMES, 0.35),
    (frozenset({"count/again-otherwise"}), 0.14),
    (frozenset({"type/null"}), 0.25),
    (frozenset({"type/wrapped"}), 0.25),
    (
        frozenset({"unexpected/twice-named", "unexpected/remark-inside", "unexpected/invented"}),
        0.35,
    ),
)
"""Operators, and the largest share of their error type that they may make together."""

OF_PARAMETER = 0.01
"""The largest share of all edits that one operator may make on one parameter."""

FEW = 20
"""So many edits are within every share, so that small runs have some."""

_OPTION = re.compile(r"['\"`]([a-z][a-z -]{2,30})['\"`]")


def lists_options(schema: JsonObject) -> bool:
    """Whether a description lists options without an enum: those mean nearly the same too often."""
    options = set(_OPTION.findall(str(schema.get("description") or "")))
    return not schema.get("enum") and len(options) >= 2
