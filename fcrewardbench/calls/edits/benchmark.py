"""The family of operators that makes benchmarks. Never train on its edits."""

from fcrewardbench.calls.edits.base import Operator
from fcrewardbench.calls.edits.counts import COUNTS
from fcrewardbench.calls.edits.names import NAMES
from fcrewardbench.calls.edits.parameters import PARAMETERS
from fcrewardbench.calls.edits.texts import TEXTS
from fcrewardbench.calls.edits.types import TYPES
from fcrewardbench.calls.edits.values import VALUES

BENCHMARK_FAMILY: tuple[Operator, ...] = (*VALUES, *NAMES, *COUNTS, *PARAMETERS, *TYPES, *TEXTS)
