"""What a synthesis has made so far, and which error and which edit are due next."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from fcrewardbench import ErrorType
from fcrewardbench.calls.edits.base import Edit, Operator
from toolrm.synthesize.edits import EDITS
from toolrm.synthesize.edits.bounds import FEW, NEED_TELLING_NAMES, OF_PARAMETER, WITHIN_TYPE
from toolrm.synthesize.edits.said import SAID

_BY_TYPE: dict[ErrorType, tuple[Operator, ...]] = {
    kind: tuple(operator for operator in EDITS if operator.error_type is kind) for kind in ErrorType
}
_ALWAYS_POSSIBLE = (ErrorType.NO_CALL, ErrorType.PARSING)
"""Errors that any record could have, which would fill the places of those that fit few."""
_DUE_ERRORS = tuple(kind for kind in ErrorType if kind is not ErrorType.SHOULD_NOT_CALL)
"""What can be wrong where a call is due."""


@dataclass
class Tally:
    """What a run has made so far; it says which error and which operator are due next.

    Args:
        asking: the share of right replies that ask for a value; of wrong replies as many do.
        most: the largest share that one operator may make.
        said_share: below this share of `said` among value errors, such come first.
        edits: by operator, whatever else is wrong in its candidates.
        places: by operator and parameter.
        lean: by how many more of a type are longer than the right calls than are shorter.
        counts: wrong numbers of calls: whether several were due, and whether there are more or fewer.
        said: value errors whose wrong values all stand in the conversation.
    """

    weights: Mapping[ErrorType, float]
    asking: float = 0.5
    most: float = 1.0
    said_share: float = 0.65
    types: Counter[ErrorType] = field(default_factory=Counter)
    operators: Counter[str] = field(default_factory=Counter)
    edits: Counter[str] = field(default_factory=Counter)
    places: Counter[tuple[str, str]] = field(default_factory=Counter)
    counts: Counter[tuple[bool, bool]] = field(default_factory=Counter)
    said: int = 0
    lean: Counter[ErrorType] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)

    def kinds(
        self, taken: Counter[ErrorType], size: int, calls: int, rng: Random
    ) -> list[ErrorType]:
        """Error types, the one that lacks most first; behind those, what the record has enough of."""
        total = sum(self.types.values())

        def wanted(kind: ErrorType) -> bool:
            most = max(FEW, self.weights[kind] * total)
            return kind not in _ALWAYS_POSSIBLE or self.types[kind] < most

        def due(kind: ErrorType) -> tuple[bool, float, float]:
            lack = (self.types[kind] + 1) / self.weights[kind]
            return taken[kind] >= self.enough(kind, size, calls), lack, rng.random()

        kinds = [kind for kind in _DUE_ERRORS if self.weights.get(kind) and wanted(kind)]
        return sorted(kinds, key=due)

    def enough(self, kind: ErrorType, size: int, calls: int) -> int:
        """How many of a type are enough for one record.

        One; only of a type whose weight asks for more are there several, and of wrong numbers of calls
        where several are due: only there can be too few.
        """
        share = math.ceil(self.weights.get(kind, 0.0) * size)
        return max(1, share) + (kind is ErrorType.COUNT and calls > 1)

    def operators_of(self, kind: ErrorType, rng: Random, *, telling: bool) -> list[Operator]:
        """The operators of a type that have room left, the least used first.

        Args:
            telling: whether the names of the tools say something.
        """
        lacking = kind is ErrorType.VALUE and self.said < self.said_share * self.types[kind]
        order = [
            (lacking and o not in SAID, self.edits[o.id], rng.random(), o)
            for o in _BY_TYPE[kind]
            if (telling or o.id not in NEED_TELLING_NAMES) and self._has_room(o)
        ]
        return [operator for *_, operator in sorted(order, key=lambda item: item[:3])]

    def _has_room(self, operator: Operator) -> bool:
        if self.edits[operator.id] + 1 > max(FEW, self.most * sum(self.types.values())):
            return False
        of_type = self.types[operator.error_type] + 1
        return all(
            sum(self.edits[other] for other in together) + 1 <= max(FEW, share * of_type)
            for together, share in WITHIN_TYPE
            if operator.id in together
        )

    def may_count(self, made: int, due: int) -> bool:
        """Whether a wrong number of calls keeps too many and too few of them in balance.

        Of one call there can only be too many; so where several are due there are mostly too few.
        """
        more = self.counts[False, True] + self.counts[True, True]
        fewer = self.counts[True, False]
        if made < due:
            return fewer <= more + FEW
        return more <= fewer + FEW if due == 1 else 3 * self.counts[True, True] <= fewer

    def has_room_at(self, operator: str, parameter: str) -> bool:
        """Whether an operator may make one more edit of a parameter."""
        most = max(FEW, OF_PARAMETER * sum(self.types.values()))
        return self.places[operator, parameter] < most

    def count(self, edit: Edit) -> None:
        self.types[edit.error_type] += 1
        self.operators[edit.operator] += 1
        self.edits[operator_of(edit)] += 1

    def count_calls(self, made: int, due: int) -> None:
        self.counts[due > 1, made > due] += 1


def operator_of(edit: Edit) -> str:
    """The operator's id, which its edits have in their name."""
    return edit.operator.removeprefix("edit:").partition("+")[0]
