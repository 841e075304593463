"""Groups → sequences → engine → scores, a window of groups at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from fcrewardbench.scoring.plan import Branch
from fcrewardbench.scoring.store import ScoreStore, key_of
from fcrewardbench.types import Group, Outcome, Tokens

if TYPE_CHECKING:
    from fcrewardbench.scoring.engine import Result

WINDOW_SEQUENCES = 4_096

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """One sequence to compute for a candidate.

    Log-probabilities are wanted from position `start` on, final hidden states at the positions `at`.
    """

    ids: Sequence[int]
    start: int
    at: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a group has no scores."""

    outcome: Outcome
    detail: str = ""


@dataclass(slots=True)
class Task:
    """A group on its way: what is asked for each of its candidates (for a judge: in each order).

    `values` has an entry per candidate as they come; where `failure` is set, nothing is to compute.
    `forbidden` says of each candidate whether a gate holds it back; it is empty where there is no gate.
    """

    group: str
    asked: Sequence[Sequence[Asked]] = ()
    failure: Failure | None = None
    forbidden: tuple[bool, ...] = ()
    values: dict[int, Any] = field(default_factory=dict)
    computed: int = 0
    keys: list[bytes] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        return len(self.values) == len(self.asked)

    @property
    def ordered(self) -> list[Any]:
        """The values of a complete task in the order of its candidates."""
        return [self.values[index] for index in range(len(self.asked))]

    @property
    def tokens(self) -> Tokens:
        naive = sum(len(one.ids) for sequences in self.asked for one in sequences)
        return Tokens(naive, self.computed)


Compute: TypeAlias = (
    "Callable[[Sequence[Branch], Sequence[Sequence[int]], frozenset[int]], Iterator[Result]]"
)
"""`Engine.run`, or what does the same with several engines."""


def windows(groups: Iterable[Group], sequences: int = 1) -> Iterator[list[Group]]:
    """Neighbouring groups with some thousand sequences together; which ones depends on them alone.

    Args:
        sequences: how many each candidate has.
    """
    window: list[Group] = []
    count = 0
    for group in groups:
        window.append(group)
        count += len(group.candidates) * sequences
        if count >= WINDOW_SEQUENCES:
            yield window
            window, count = [], 0
    if window:
        yield window


def ahead(items: Iterable[T]) -> Iterator[T]:
    """The same items, each of them made in a thread while the one before it is worked on."""
    source = iter(items)
    end = object()
    with ThreadPoolExecutor(1, "ahead") as pool:
        coming = pool.submit(next, source, end)
        while (item := coming.result()) is not end:
            coming = pool.submit(next, source, end)
            yield item  # type: ignore[misc]


def work_off(
    tasks: Sequence[Task],
    compute: Compute,
    value: Callable[[Sequence[Result]], Any],
    *,
    done: frozenset[str],
    store: tuple[ScoreStore, bytes] | None = None,
) -> Iterator[Task]:
    """The tasks of one window, each as soon as it is complete.

    Args:
        compute: runs sequences.
        value: a candidate's value out of the results of its sequences.
        done: groups that are not wanted; their sequences are planned all the same, as those of stored
            scores are not.
        store: where finite scores are kept, and a hash of what they depend on besides the text.
    """
    if store is not None:
        _recall(tasks, *store)
    branches: list[Branch] = []
    at: list[Sequence[int]] = []
    owners: list[tuple[int, int]] = []
    missing: dict[tuple[int, int], int] = {}
    for number, task in enumerate(tasks):
        for candidate, sequences in enumerate(task.asked):
            if candidate in task.values:
                continue
            missing[number, candidate] = len(sequences)
            for one in sequences:
                branches.append(Branch(one.ids, number, one.start))
                at.append(one.at)
                owners.append((number, candidate))
        if task.group not in done and task.complete:
            yield task
    numbers = frozenset(number for number, task in enumerate(tasks) if task.group in done)
    results: dict[tuple[int, int], dict[int, Result]] = {}
    for result in compute(branches, at, numbers):
        owner = owners[result.sequence]
        task = tasks[owner[0]]
        task.computed += result.computed
        own = results.setdefault(owner, {})
        own[result.sequence] = result
        if len(own) < missing[owner]:
            continue
        found = value([own[sequence] for sequence in sorted(own)])
        del results[owner]
        task.values[owner[1]] = found
        if task.complete:
            if store is not None:
                _keep(task, store[0])
            if task.group not in done:
                yield task


def _keep(task: Task, store: ScoreStore) -> None:
    scores = enumerate(task.ordered)
    store.put([(task.keys[i], s) for i, s in scores if isinstance(s, float) and math.isfinite(s)])


def _recall(tasks: Sequence[Task], store: ScoreStore, identity: bytes) -> None:
    """Fill in the scores that the store has."""
    for task in tasks:
        task.keys = [
            key_of(identity, [(tuple(one.ids), one.start, one.at) for one in sequences])
            for sequences in task.asked
        ]
    known = store.get([key for task in tasks for key in task.keys])
    for task in tasks:
        for candidate, key in enumerate(task.keys):
            if key in known:
                task.values[candidate] = known[key]
