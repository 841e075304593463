"""The edits that make training pairs: the training family of `fcrewardbench`, and training's own."""

from fcrewardbench.calls.edits.base import Operator
from fcrewardbench.calls.edits.families import TRAINING_FAMILY
from toolrm.synthesize.call_edits import CALL_EDITS
from toolrm.synthesize.option_edits import OPTION_EDITS
from toolrm.synthesize.said_edits import SAID_EDITS
from toolrm.synthesize.text_edits import TEXT_EDITS
from toolrm.synthesize.tool_edits import TOOL_EDITS
from toolrm.synthesize.value_edits import VALUE_EDITS

_LEFT_OUT = frozenset(
    {
        "count/one-doubled",  # takes its values from operators that make benchmarks
        "value/described-option",  # options that a description lists are synonyms too often
    }
)
EDITS: tuple[Operator, ...] = tuple(
    operator
    for operator in (
        *(*TRAINING_FAMILY, *VALUE_EDITS, *SAID_EDITS),
        *(*CALL_EDITS, *TOOL_EDITS, *OPTION_EDITS, *TEXT_EDITS),
    )
    if operator.id not in _LEFT_OUT
)
"""None of them makes benchmarks, calls one that does, or is alike in kind to one that does."""
