"""The edits that make training pairs: the training family of `fcrewardbench`, and training's own."""

from fcrewardbench.calls.edits.base import Operator
from fcrewardbench.calls.edits.families import TRAINING_FAMILY
from toolrm.synthesize.call_edits import CALL_EDITS
from toolrm.synthesize.value_edits import VALUE_EDITS

EDITS: tuple[Operator, ...] = (*TRAINING_FAMILY, *VALUE_EDITS, *CALL_EDITS)
"""None of them makes benchmarks, and none is alike in kind to one that does."""
