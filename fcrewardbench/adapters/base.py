"""The contract of an adapter: a scorer gives each candidate a number, a judge compares two.

The smallest scorer is one method:

    class Longer(Scorer):
        def score_group(self, group: Group) -> list[float]:
            return [float(len(candidate_text(c))) for c in group.candidates]

Options are the keyword arguments of `__init__`; `model` comes first where the adapter has one. Its SDK
is imported inside. An adapter is found by its name in the registry, or through an entry point in the
group `fcrewardbench.adapters`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, TypeAlias

from fcrewardbench.calls.parse import parse
from fcrewardbench.calls.tools import tool_from
from fcrewardbench.messages import messages_of
from fcrewardbench.types import (
    Call,
    Candidate,
    Compared,
    Group,
    Input,
    JsonObject,
    Message,
    Prompt,
    Scored,
    Tool,
    Verdict,
)

RawCandidate: TypeAlias = Candidate | Sequence[Call] | Sequence[JsonObject] | JsonObject


class Scorer(ABC):
    """Gives every candidate of a group a number; higher is better, the scale is its own."""

    kind: ClassVar[str] = "scorer"
    neutral_options: ClassVar[frozenset[str]] = frozenset()
    """Options that cannot change a score, so that a run may go on with others."""
    sees_labels: ClassVar[bool] = False
    """Whether groups come with `correct`. Only a mock may know the answer."""
    needs_folder: ClassVar[bool] = False
    """Whether `model` is a folder of weights, which the registry finds under any name of the model."""
    loads_weights: ClassVar[bool] = True
    """Where it needs a folder: whether its weights are loaded here, and not by a server."""
    plans: ClassVar[bool] = False
    """Whether the last bits of a score may depend on what is scored together. A run that goes on then
    calls `score_groups(groups, done=…)` with all its groups and the ids that have a result already;
    the same work is planned again, and results for those ids may be left out."""

    @abstractmethod
    def score_group(self, group: Group) -> Sequence[float]:
        """One number per candidate, in their order. Depends on the group alone."""

    def score_groups(self, groups: Iterable[Group]) -> Iterator[Scored]:
        """Score many groups; results may come in another order and carry the group's id."""
        for group in groups:
            yield Scored(group.id, tuple(self.score_group(group)))

    def ready(self) -> None:  # noqa: B027 - most adapters have nothing to wait for
        """Wait until everything is loaded; raises what loading met."""

    def inputs(self, group: Group) -> tuple[Input, ...] | None:
        """What the model reads for each candidate, exactly as `score_groups` feeds it.

        `fcrb render` shows it, `fcrb doctor` examines it, `--dry-run` counts it; None where an adapter
        reads no text or does not tell. It needs no weights.
        """
        return None

    def score(
        self,
        tools: Sequence[Tool | JsonObject],
        messages: Sequence[Message],
        candidates: Sequence[RawCandidate],
    ) -> list[float]:
        """Score the candidates of one prompt.

        Args:
            tools: tools, in the OpenAI shape or any that `fcrewardbench.calls.tools` reads.
            messages: the conversation so far.
            candidates: calls, in any shape or as the text a model wrote.

        Raises:
            ValueError: the group could not be scored (too long for the model, not a finite number).
        """
        return self.scores_of(group_of(tools, messages, candidates))

    def scores_of(self, group: Group) -> list[float]:
        """Score one group, as `score_groups` does.

        Raises:
            ValueError: see `score`.
        """
        if not group.candidates:
            raise ValueError("there is no candidate to score")
        (scored,) = self.score_groups([group])
        if scored.scores is None:
            raise ValueError(f"{scored.failure}: {scored.detail}")
        if not all(math.isfinite(score) for score in scored.scores):
            raise ValueError(f"a score is not a finite number: {scored.scores}")
        return list(scored.scores)

    def describe(self) -> dict[str, Any]:
        """What the run card says: everything that can change a score, revision and dtype first."""
        return {}


class Judge(ABC):
    """Compares two candidates, in both orders."""

    kind: ClassVar[str] = "judge"
    neutral_options: ClassVar[frozenset[str]] = frozenset()
    """Options that cannot change a verdict, so that a run may go on with others."""
    needs_folder: ClassVar[bool] = False
    """See `Scorer.needs_folder`."""
    loads_weights: ClassVar[bool] = True
    """See `Scorer.loads_weights`."""
    plans: ClassVar[bool] = False
    """See `Scorer.plans`; here `compare_groups(groups, done=…)` is called."""

    @abstractmethod
    def verdict(self, prompt: Prompt, first: Candidate, second: Candidate) -> Verdict:
        """Which of the two is better, shown in this order."""

    def compare_groups(self, groups: Iterable[Group]) -> Iterator[Compared]:
        """Compare the two candidates of every group; results may come in another order."""
        for group in groups:
            first, second = group.candidates
            verdicts = (
                self.verdict(group.prompt, first, second),
                self.verdict(group.prompt, second, first),
            )
            yield Compared(group.id, verdicts)

    def ready(self) -> None:  # noqa: B027 - most adapters have nothing to wait for
        """Wait until everything is loaded; raises what loading met."""

    def inputs(self, group: Group) -> tuple[Input, Input] | None:
        """What the model reads in each of the two orders; see `Scorer.inputs`."""
        return None

    def compare(
        self,
        tools: Sequence[Tool | JsonObject],
        messages: Sequence[Message],
        first: RawCandidate,
        second: RawCandidate,
    ) -> Compared:
        """Compare two candidates of one prompt, in both orders."""
        (compared,) = self.compare_groups([group_of(tools, messages, [first, second])])
        return compared

    def describe(self) -> dict[str, Any]:
        """What the run card says: everything that can change a verdict."""
        return {}


Adapter: TypeAlias = Scorer | Judge


def group_of(
    tools: Sequence[Tool | JsonObject],
    messages: Sequence[Message],
    candidates: Sequence[RawCandidate],
    id: str = "0",
) -> Group:
    """A group out of plain objects: what `score` and `compare` take.

    Raises:
        DataError: a tool or a message that cannot be read.
        TypeError: a candidate that is neither calls nor text.
    """
    read = tuple(tool if isinstance(tool, Tool) else tool_from(tool) for tool in tools)
    prompt = Prompt(read, messages_of(messages))
    return Group(id, prompt, tuple(_candidate(candidate) for candidate in candidates))


def _candidate(raw: RawCandidate) -> Candidate:
    if isinstance(raw, (list, tuple)):
        calls = tuple(item for item in raw if isinstance(item, Call))
        if len(calls) == len(raw):
            return calls
        if calls:
            raise TypeError("a candidate holds Call objects or plain objects, not both")
    return parse(raw).candidate
