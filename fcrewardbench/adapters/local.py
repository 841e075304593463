"""What the scorers that run transformers models on this machine have in common.

Groups are scored in windows of some thousand sequences, each planned as one prefix tree, so that memory
does not grow with the number of groups.
"""

from __future__ import annotations

from abc import abstractmethod
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, ClassVar

from fcrewardbench.adapters.base import Scorer
from fcrewardbench.adapters.gate import forbidden, gated
from fcrewardbench.adapters.network import LocalModel
from fcrewardbench.scoring.groups import Asked, Failure, Task, ahead, windows, work_off
from fcrewardbench.scoring.store import ScoreStore, identity_of
from fcrewardbench.types import Group, Input, Scored, Tokens

if TYPE_CHECKING:
    from fcrewardbench.scoring.engine import Result


class LocalScorer(LocalModel, Scorer):
    """A scorer that reads one or several sequences for each candidate.

    Args:
        schema_gate: rank calls that the tools' schemas forbid below all others; see `adapters.gate`.
        options: those of `LocalModel`.
    """

    plans = True
    sequences_per_candidate = 1
    not_kept: ClassVar[frozenset[str]] = frozenset(
        ("share_prompt", "max_length", "batch_tokens", "state_bytes", "reported", "schema_gate")
    )
    """Settings that change no value in a score store."""

    def __init__(self, model: str, *, schema_gate: bool = False, **options: Any) -> None:
        super().__init__(model, **options)
        self._gate = schema_gate

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), **({"schema_gate": True} if self._gate else {})}

    @abstractmethod
    def asked(self, group: Group) -> list[list[Asked]]:
        """What has to be computed for each candidate of a group."""

    @abstractmethod
    def _value(self, results: Sequence[Result]) -> float | Failure:
        """A candidate's score out of the results of its sequences, or why it has none."""

    def score_group(self, group: Group) -> Sequence[float]:
        return self.scores_of(group)

    def score_groups(
        self, groups: Iterable[Group], done: frozenset[str] = frozenset()
    ) -> Iterator[Scored]:
        """Scores as they come, groups that share much next to each other.

        Args:
            groups: any number of them; some thousand candidates are in memory at a time.
            done: ids of groups whose results are not wanted, see `Scorer.plans`.

        Raises:
            ModelError: the model cannot be loaded, or its template refuses a conversation.
            RunError: out of memory with the smallest batch.
        """
        self._start()  # while the first groups are rendered
        tasks: Iterator[list[Task]] = (
            [self._task(group) for group in window]
            for window in windows(groups, self.sequences_per_candidate)
            if not done.issuperset(group.id for group in window)
        )
        if not self._devices[0].startswith("cpu"):  # where both would want the same cores
            tasks = ahead(tasks)
        with ExitStack() as leaving:
            store = None
            if self._store is not None:
                store = (leaving.enter_context(ScoreStore(self._store)), self._identity())
            for window in tasks:
                for task in work_off(window, self._compute, self._value, done=done, store=store):
                    yield self._scored(task)

    def inputs(self, group: Group) -> tuple[Input, ...]:
        rendered = self.renderer.render(group)
        return tuple(map(Input, rendered.texts, rendered.ids, rendered.starts))

    def _task(self, group: Group) -> Task:
        asked = self.asked(group)
        failure = self._too_long(max(len(one.ids) for each in asked for one in each))
        if failure:
            return Task(group.id, failure=failure)
        # Some thousand of them wait together; an array takes a tenth of a tuple's memory.
        return Task(
            group.id,
            [[replace(one, ids=array("I", one.ids)) for one in each] for each in asked],
            forbidden=forbidden(group) if self._gate else (),
        )

    def _scored(self, task: Task) -> Scored:
        failures = [value for value in task.values.values() if isinstance(value, Failure)]
        failure = task.failure or next(iter(failures), None)
        tokens = Tokens(task.tokens.naive * self.passes, task.tokens.computed)
        if failure is not None:
            return Scored(task.group, None, tokens, failure.outcome, failure.detail)
        scores = self._scores(task)
        if self._gate:
            scores = gated(scores, task.forbidden)
        return Scored(task.group, scores, tokens)

    def _scores(self, task: Task) -> tuple[float, ...]:
        """A complete task's scores out of its values."""
        return tuple(task.ordered)

    def _identity(self) -> bytes:
        """What a stored score depends on besides the text."""
        told = {key: value for key, value in self.describe().items() if key not in self.not_kept}
        versions = {name: version(name) for name in ("fcrewardbench", "torch", "transformers")}
        return identity_of({"adapter": type(self).__qualname__, **versions, **told})
