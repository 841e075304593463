"""The edits that make training pairs: the training family of `fcrewardbench`, and training's own.

Training's own need neither telling names nor several calls, so that they work on obfuscated tools and
on dialogues, where one call is due at a time. None is of a kind that the benchmark family has.
"""

from fcrewardbench.calls.edits.base import Operator
from fcrewardbench.calls.edits.families import TRAINING_FAMILY
from toolrm.synthesize.edits.arguments import ARGUMENTS
from toolrm.synthesize.edits.counts import COUNTS
from toolrm.synthesize.edits.names import NAMES
from toolrm.synthesize.edits.options import OPTIONS
from toolrm.synthesize.edits.said import SAID
from toolrm.synthesize.edits.texts import TEXTS
from toolrm.synthesize.edits.types import TYPES
from toolrm.synthesize.edits.values import VALUES

_LEFT_OUT = frozenset(
    {
        "count/one-doubled",  # takes its values from operators that make benchmarks
        "value/described-option",  # options that a description lists are synonyms too often
    }
)
EDITS: tuple[Operator, ...] = tuple(
    operator
    for operator in (
        *(*TRAINING_FAMILY, *VALUES, *SAID),
        *(*NAMES, *COUNTS, *ARGUMENTS, *TYPES, *OPTIONS, *TEXTS),
    )
    if operator.id not in _LEFT_OUT
)
"""None of them makes benchmarks, calls one that does, or is alike in kind to one that does."""
