"""The two families of edit operators: one makes benchmarks, the other is left to training.

Every error type has operators in both, no operator is in both, and what is alike in kind is parted:
dates that slip by a day or a week make benchmarks, dates in another year make training data. The first
edition of FC-RewardBench-Open is older than the split and used both.
"""

from fcrewardbench.calls.edits.base import Operator
from fcrewardbench.calls.edits.counts import COUNTS
from fcrewardbench.calls.edits.names import NAMES
from fcrewardbench.calls.edits.parameters import PARAMETERS
from fcrewardbench.calls.edits.texts import TEXTS
from fcrewardbench.calls.edits.types import TYPES
from fcrewardbench.calls.edits.values import VALUES

OPERATORS: tuple[Operator, ...] = (*VALUES, *NAMES, *COUNTS, *PARAMETERS, *TYPES, *TEXTS)
_TRAINING = frozenset(
    {
        *("value/described-option", "value/negated", "value/peer-number", "value/power-of-ten"),
        *("value/formula-sign", "value/date-other-year", "value/time-shifted"),
        *("value/entity-elsewhere", "value/sibling-word", "value/list-item-added"),
        *("name/sibling-adapted", "name/prefix-gained", "name/synonym", "name/word-added"),
        *("name/words-reordered", "name/blended"),
        *("count/several-dropped", "count/one-doubled", "count/extra-sibling"),
        *("missing-required/renamed", "missing-optional/dropped-everywhere"),
        *("unexpected/invented", "unexpected/renamed"),
        *("type/number-with-unit", "type/bool-as-text", "type/text-as-bool"),
        *("type/list-as-text", "type/object-as-text"),
        *("parsing/bracket-missing", "parsing/quote-doubled", "parsing/keyword-mixed-in"),
        "parsing/remark",
    }
)
BENCHMARK_FAMILY = tuple(operator for operator in OPERATORS if operator.id not in _TRAINING)
"""Makes benchmarks. Never train on its edits."""
TRAINING_FAMILY = tuple(operator for operator in OPERATORS if operator.id in _TRAINING)
"""Makes training pairs. No benchmark of an edition after the first holds its edits."""
