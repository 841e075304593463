"""Zero-shot scoring with any causal language model: how likely it finds each candidate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fcrewardbench.adapters.local import LocalScorer
from fcrewardbench.errors import UsageError
from fcrewardbench.scoring.groups import Asked, Task
from fcrewardbench.types import Group

if TYPE_CHECKING:
    from fcrewardbench.scoring.engine import Result


class Likelihood(LocalScorer):
    """Any causal language model, zero-shot: log-probability of the candidate given the prompt.

    The end of the turn counts as part of the candidate.

    Args:
        reduction: "mean" over the candidate's tokens, or "sum".
        options: those of `LocalScorer`.
    """

    auto_class = "AutoModelForCausalLM"
    with_logprobs = True
    not_kept = LocalScorer.not_kept | {"reduction"}  # what is kept is the sum

    def __init__(self, model: str, *, reduction: str = "mean", **options: Any) -> None:
        if reduction not in ("mean", "sum"):
            raise UsageError(f"There is no reduction '{reduction}'; there are mean and sum.")
        super().__init__(model, **options)
        self._reduction = reduction

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "reduction": self._reduction}

    def asked(self, group: Group) -> list[list[Asked]]:
        return [[Asked(fed.ids, fed.start)] for fed in self.inputs(group)]

    def _value(self, results: Sequence[Result]) -> float:
        (result,) = results
        assert result.logprobs is not None
        return float(result.logprobs.sum())

    def _scores(self, task: Task) -> tuple[float, ...]:
        if self._reduction == "sum":
            return super()._scores(task)
        counts = (len(one.ids) - one.start for (one,) in task.asked)
        return tuple(value / count for value, count in zip(task.ordered, counts, strict=True))
