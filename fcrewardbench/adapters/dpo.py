"""Models trained with DPO as the reward models that they implicitly are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fcrewardbench.adapters.likelihood import Likelihood
from fcrewardbench.errors import ModelError
from fcrewardbench.scoring.plan import Branch

if TYPE_CHECKING:
    from fcrewardbench.scoring.engine import Result


class Dpo(Likelihood):
    """A DPO-trained model: log-probability of the candidate, minus the reference model's.

    The implicit reward of DPO (arXiv 2305.18290, section 4) but for its factor beta, which changes no
    order. Both models read the same tokens.

    Args:
        reference: the model that training started from: a name, a folder or a hub id.
        options: those of `Likelihood`; `reduction` is "sum" if left out, as in the definition.

    Raises:
        ModelError: the two tokenizers differ.
    """

    passes = 2

    def __init__(
        self, model: str, *, reference: str, reduction: str = "sum", **options: Any
    ) -> None:
        super().__init__(model, reduction=reduction, **options)
        shared = {
            name: value for name, value in options.items() if name not in ("revision", "store")
        }
        self._reference = Likelihood(reference, **shared)
        if self._reference.tokenizer.get_vocab() != self.tokenizer.get_vocab():
            raise ModelError(
                f"{model} and its reference {reference} have different vocabularies: give the model "
                "that its training started from."
            )

        self._limit = min(
            (limit for limit in (self._limit, self._reference.limit) if limit), default=None
        )

    def ready(self) -> None:
        super().ready()
        self._reference.ready()

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "reference": self._reference.describe()["revision"]}

    def _compute(
        self, branches: Sequence[Branch], at: Sequence[Sequence[int]], done: frozenset[int]
    ) -> Iterator[Result]:
        """The policy on the whole window, then the reference; results come with the second."""
        policy = {result.sequence: result for result in super()._compute(branches, at, done)}
        for reference in self._reference._compute(branches, at, done):
            own = policy.pop(reference.sequence, None)
            if own is None:
                continue  # of a group that is done, beside one that is not
            assert own.logprobs is not None
            assert reference.logprobs is not None
            yield replace(
                own,
                logprobs=own.logprobs - reference.logprobs,
                computed=own.computed + reference.computed,
            )
