"""Judged outputs → pairs: one a task, by a quota of error types, evenly over the generators."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from fcrewardbench.benchmarks.base import candidate_json
from fcrewardbench.benchmarks.bfcl import Task
from fcrewardbench.benchmarks.build.assign import assign_generators, assign_types
from fcrewardbench.benchmarks.build.reading import Answered
from fcrewardbench.benchmarks.build.right import Right, right_for
from fcrewardbench.benchmarks.build.wrong import Wrong, doubts_of
from fcrewardbench.benchmarks.official import PAPER_QUOTA
from fcrewardbench.errors import UnknownName
from fcrewardbench.types import ErrorType

QUOTAS: Mapping[str, Mapping[ErrorType, int] | None] = {
    "paper": PAPER_QUOTA,
    "natural": None,
}
"""How many pairs of each error type. None: every task that has a wrong output gives a pair."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A task with the wrong candidates that it could give."""

    answered: Answered
    wrongs: tuple[Wrong, ...]


@dataclass(frozen=True, slots=True)
class Made:
    """One pair, before it is written."""

    task: Task
    right: Right
    wrong: Wrong
    generator: str
    doubts: tuple[str, ...]


def quota_named(name: str) -> Mapping[ErrorType, int] | None:
    """A quota by its name.

    Raises:
        UnknownName: there is none of that name.
    """
    if name not in QUOTAS:
        raise UnknownName("quota", name, QUOTAS)
    return QUOTAS[name]


def make_pairs(
    offers: Sequence[Offer], quota: Mapping[ErrorType, int] | None, seed: int
) -> list[Made]:
    """The pairs in the order of the tasks.

    Which task gives which type is settled first, so that the quota is filled as far as it can be;
    then whose mistake of that type it is, so that no generator makes more of them than it must. Among
    several mistakes of one generator the seed decides.
    """
    open_to = {offer.answered.task.id: offer.wrongs for offer in offers}
    if quota is not None:
        types = assign_types({id: _makers(ws) for id, ws in open_to.items()}, quota, seed)
        open_to = {
            id: tuple(wrong for wrong in open_to[id] if wrong.error_type is kind)
            for id, kind in types.items()
        }
    makers = {
        id: {generator for wrong in wrongs for generator in wrong.generators}
        for id, wrongs in open_to.items()
    }
    generators = assign_generators(makers, seed)
    made = []
    for offer in offers:
        task = offer.answered.task
        if task.id not in generators:
            continue
        own = [w for w in open_to[task.id] if generators[task.id] in w.generators]
        wrong = Random(f"pair|{seed}|{task.id}").choice(own)
        right = right_for(offer.answered, wrong.candidate)
        assert right is not None  # `wrongs_of` gives no candidate without one
        made.append(Made(task, right, wrong, generators[task.id], doubts_of(wrong, task)))
    return made


def _makers(wrongs: Sequence[Wrong]) -> dict[ErrorType, set[str]]:
    """By error type, the generators that made such a mistake."""
    makers: dict[ErrorType, set[str]] = defaultdict(set)
    for wrong in wrongs:
        makers[wrong.error_type].update(wrong.generators)
    return makers


def pair_record(made: Made) -> dict[str, Any]:
    """A pair as its line holds it."""
    return {
        "id": made.task.id,
        "tools": [tool.original for tool in made.task.prompt.tools],
        "conversation": list(made.task.prompt.messages),
        "chosen_output": candidate_json(made.right.calls),
        "rejected_output": candidate_json(made.wrong.candidate),
        "error_type": made.wrong.error_type.value,
        "model_name": made.generator,
        "test_category": made.task.category,
        "test_id": made.task.id,
        "chosen_from": made.right.chosen_from,
        "doubt": "; ".join(made.doubts),
    }


def account_of_pairs(
    made: Sequence[Made], offers: Sequence[Offer], quota: Mapping[ErrorType, int] | None
) -> dict[str, Any]:
    """What the pairs are, by type, generator, doubt and origin of the right side."""
    filled = Counter(pair.wrong.error_type for pair in made)
    offered = Counter(
        kind for offer in offers for kind in {wrong.error_type for wrong in offer.wrongs}
    )
    kinds = list(quota or sorted(offered, key=lambda kind: -offered[kind]))
    return {
        "quota": {
            kind.value: {
                "asked": quota[kind] if quota else None,
                "offered": offered[kind],
                "filled": filled[kind],
                "short": max(0, quota[kind] - filled[kind]) if quota else 0,
            }
            for kind in kinds
        },
        "generators": dict(Counter(pair.generator for pair in made).most_common()),
        "doubtful": by_reason(pair.doubts for pair in made),
        "chosen_from": dict(Counter(pair.right.chosen_from.split()[0] for pair in made)),
    }


def by_reason(doubts: Iterable[Sequence[str]]) -> dict[str, int]:
    """How many candidates are doubtful, and for which reasons; a candidate may have several."""
    found = [{reason.partition(":")[0] for reason in reasons} for reasons in doubts if reasons]
    reasons = Counter(reason for some in found for reason in some)
    return {"all": len(found), **dict(reasons.most_common())}
