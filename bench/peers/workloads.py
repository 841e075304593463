"""What every competitor scores: groups of open, rendered once, and the fewest tokens that they need.

pairs       pairs of open/core, stratified by error type
eight       sets of open/candidates, 8 candidates each
thirtytwo   prompts of open/candidates, their 8 candidates and wrong calls that our edits make of
            the right ones, until there are 32 different texts; prompts that yield fewer are passed
            over, so calls with several arguments are more frequent than in open
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fcrewardbench import Candidate, Group, load_benchmark
from fcrewardbench.benchmarks.bfcl import load_tasks
from fcrewardbench.benchmarks.open import EDITIONS
from fcrewardbench.benchmarks.open import rows as open_rows
from fcrewardbench.calls.check import AdmissibleCall
from fcrewardbench.calls.edits.base import Context, edited
from fcrewardbench.calls.edits.families import OPERATORS
from fcrewardbench.render import Renderer, candidate_text
from fcrewardbench.run import sample
from fcrewardbench.types import CandidateSet

WORKLOADS = {"pairs": 2, "eight": 8, "thirtytwo": 32}
"""Candidates of a group."""
SEED = 0
PROPOSALS = 16
"""Edits that one operator may make of one call."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Size of a workload: `naive` with a pass per candidate, `tree` with every common prefix once."""

    groups: int
    sequences: int
    longest: int
    naive: int
    tree: int


def groups_of(workload: str, count: int) -> list[Group]:
    """`count` groups of a workload, without labels; another count may give others."""
    if workload == "pairs":
        items = sample(load_benchmark("open/core").items, count, SEED)
        groups = [item.group() for item in items]
    else:
        sets = load_benchmark("open/candidates").items
        tasks = load_tasks("v4")
        task_of = {row["id"]: row["task"] for row in open_rows(max(EDITIONS), "candidates")}
        chosen = sorted(sets, key=lambda s: hashlib.sha256(f"{SEED}\n{s.id}".encode()).digest())
        groups = []
        for one in chosen:
            group = one.group()
            if workload == "thirtytwo":
                assert isinstance(one, CandidateSet)
                answer = tasks[task_of[one.id]].answer or ()
                group = replace(group, candidates=tuple(_many(one, answer, WORKLOADS[workload])))
            if len(group.candidates) == WORKLOADS[workload]:
                groups.append(group)
            if len(groups) == count:
                break
    if len(groups) < count:
        raise SystemExit(f"There are {len(groups)} groups for '{workload}', fewer than {count}.")
    return [replace(group, correct=None) for group in groups]


def _many(one: CandidateSet, answer: tuple[AdmissibleCall, ...], count: int) -> list[Candidate]:
    """The set's candidates, then edits of the right ones, different as text; at most `count`."""
    context = Context(one.prompt.tools, one.prompt.messages, answer)
    found = {candidate_text(candidate): candidate for candidate in one.candidates}
    for candidate, right in zip(one.candidates, one.correct, strict=True):
        if right and not isinstance(candidate, str):
            for edit in edited(OPERATORS, context, candidate, f"{SEED}|{one.id}", each=PROPOSALS):
                found.setdefault(candidate_text(edit.candidate), edit.candidate)
    return list(found.values())[:count]


def write(path: Path, groups: Sequence[Group], renderer: Renderer) -> None:
    """A JSON line per group: its id, the text of every candidate, and its token ids."""
    scratch = path.with_suffix(".tmp")
    with scratch.open("w", encoding="utf-8") as file:
        for group in groups:
            rendered = renderer.render(group)
            row = {"id": group.id, "texts": rendered.texts, "ids": rendered.ids}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    os.replace(scratch, path)


def counted(path: Path) -> Counted:
    """Count the tokens of a workload's file."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    sequences = sorted(sequence for row in rows for sequence in row["ids"])
    naive = sum(map(len, sequences))
    # In sorted order, what a sequence shares with any earlier one it shares with its neighbour.
    shared = sum(map(_common, sequences, sequences[1:]))
    return Counted(len(rows), len(sequences), max(map(len, sequences)), naive, naive - shared)


def _common(first: list[int], second: list[int]) -> int:
    for place, (one, other) in enumerate(zip(first, second, strict=False)):
        if one != other:
            return place
    return min(len(first), len(second))
