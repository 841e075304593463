"""Wrong values of the right kind: dates stay dates, enum members stay enum members."""

from fcrewardbench.calls.edits.base import Operator
from fcrewardbench.calls.edits.choices import CHOICES
from fcrewardbench.calls.edits.entities import ENTITIES
from fcrewardbench.calls.edits.lists import LISTS
from fcrewardbench.calls.edits.moments import MOMENTS
from fcrewardbench.calls.edits.numbers import NUMBERS

NAMED: tuple[Operator, ...] = tuple(
    operator
    for operator in (*NUMBERS, *MOMENTS, *ENTITIES)
    if operator.id.partition("/")[2]
    in ("neighbouring-number", "other-moment", "entity-here", "other-call", "swapped-arguments")
)
"""Those whose wrong value the conversation names, too."""
VALUES: tuple[Operator, ...] = (*CHOICES, *NUMBERS, *MOMENTS, *ENTITIES, *LISTS)
