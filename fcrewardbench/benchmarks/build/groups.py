"""Judged outputs → groups: a prompt with several candidates, some right and some wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from fcrewardbench.benchmarks.base import candidate_json
from fcrewardbench.benchmarks.bfcl import Task
from fcrewardbench.benchmarks.build.pairs import Offer, by_reason
from fcrewardbench.benchmarks.build.wrong import doubts_of
from fcrewardbench.types import Candidate


@dataclass(frozen=True, slots=True)
class Member:
    """One candidate of a group; the error type of a right one is empty."""

    candidate: Candidate
    error_type: str
    generators: tuple[str, ...]
    doubts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grouped:
    """One group, before it is written: its members, and whose each is said to be."""

    task: Task
    members: tuple[Member, ...]
    generators: tuple[str, ...]


def make_groups(offers: Sequence[Offer], size: int, seed: int) -> list[Grouped]:
    """A group for every task with a right and a wrong output, in the order of the tasks.

    Candidates are distinct in meaning and at most `size`; one right and one wrong are always among
    them, the seed decides about the rest and the order.
    """
    groups = []
    for offer in offers:
        right = _right_members(offer)
        wrong = [
            Member(w.candidate, w.error_type.value, w.generators, doubts_of(w, offer.answered.task))
            for w in offer.wrongs
        ]
        if not right or not wrong:
            continue
        rng = Random(f"group|{seed}|{offer.answered.task.id}")
        members = [right.pop(rng.randrange(len(right))), wrong.pop(rng.randrange(len(wrong)))]
        others = right + wrong
        members += rng.sample(others, min(size - 2, len(others)))
        rng.shuffle(members)
        names = tuple(rng.choice(member.generators) for member in members)
        groups.append(Grouped(offer.answered.task, tuple(members), names))
    return groups


def _right_members(offer: Offer) -> list[Member]:
    by_meaning: dict[str, list[tuple[Candidate, str]]] = {}
    for output in offer.answered.outputs:
        if output.judged.error_type is None:
            same = by_meaning.setdefault(output.judged.meaning, [])
            same.append((output.judged.candidate, output.generator))
    return [
        Member(some[0][0], "", tuple(sorted({generator for _, generator in some})), ())
        for _, some in sorted(by_meaning.items())
    ]


def group_record(group: Grouped) -> dict[str, Any]:
    """A group as its line holds it."""
    return {
        "id": group.task.id,
        "tools": [tool.original for tool in group.task.prompt.tools],
        "conversation": list(group.task.prompt.messages),
        "candidates": [candidate_json(member.candidate) for member in group.members],
        "correct": [not member.error_type for member in group.members],
        "error_types": [member.error_type for member in group.members],
        "generators": list(group.generators),
        "test_category": group.task.category,
        "doubts": ["; ".join(member.doubts) for member in group.members],
    }


def account_of_groups(groups: Sequence[Grouped]) -> dict[str, Any]:
    """What the groups are, by size, error type, generator and doubt."""
    members = [member for group in groups for member in group.members]
    return {
        "sizes": dict(sorted(Counter(str(len(group.members)) for group in groups).items())),
        "error_types": dict(
            Counter(member.error_type or "right" for member in members).most_common()
        ),
        "generators": dict(
            Counter(name for group in groups for name in group.generators).most_common()
        ),
        "doubtful": by_reason(member.doubts for member in members),
    }
