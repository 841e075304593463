"""Zero-shot scoring with any causal language model: how likely it finds each candidate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fcrewardbench.adapters.local import LocalScorer
from fcrewardbench.errors import UsageError
from fcrewardbench.render import Rendered
from fcrewardbench.scoring.shared import forward
from fcrewardbench.types import Tokens


class Likelihood(LocalScorer):
    """Any causal language model, zero-shot: log-probability of the candidate given the prompt.

    The end of the turn counts as part of the candidate.

    Args:
        reduction: "mean" over the candidate's tokens, or "sum".
        options: those of `LocalScorer`.
    """

    auto_class = "AutoModelForCausalLM"

    def __init__(self, model: str, *, reduction: str = "mean", **options: Any) -> None:
        if reduction not in ("mean", "sum"):
            raise UsageError(f"There is no reduction '{reduction}'; there are mean and sum.")
        super().__init__(model, **options)
        self._reduction = reduction

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "reduction": self._reduction}

    def _score_rendered(self, rendered: Rendered) -> tuple[Sequence[float], Tokens]:
        import torch

        start = min(rendered.starts)
        logits, tokens = forward(
            self.network, rendered.ids, share=self._share, output="logits", start=start - 1
        )
        scores = []
        for sequence, rows, first in zip(rendered.ids, logits, rendered.starts, strict=True):
            targets = torch.tensor(sequence[first:], device=rows.device)
            predictions = rows[first - start : -1].float()
            chosen = predictions.gather(1, targets[:, None])[:, 0]
            total = (chosen - predictions.logsumexp(1)).sum()
            scores.append(float(total / len(targets) if self._reduction == "mean" else total))
        return scores, tokens
