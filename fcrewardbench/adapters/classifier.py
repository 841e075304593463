"""Reward models with a scalar head: any `AutoModelForSequenceClassification` with one output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fcrewardbench.adapters.local import LocalScorer
from fcrewardbench.errors import ModelError
from fcrewardbench.render import Rendered
from fcrewardbench.scoring.shared import forward
from fcrewardbench.types import Tokens


class Classifier(LocalScorer):
    """A reward model with one output: its head's logit at the last token.

    transformers would pool at the last token that differs from the padding token, which is another one
    where padding and end of turn are the same token; here the last token is the last token. Decoders
    share the prompt; encoders, which read both ways, cannot, and are run as they are.
    """

    auto_class = "AutoModelForSequenceClassification"

    def _check(self, model: str, network: Any, missing: list[str]) -> None:
        untrained = [key for key in missing if key.startswith(("score", "classif"))]
        if untrained:
            raise ModelError(
                f"{model} has no trained head ({', '.join(untrained)} is not in its weights), so its "
                "scores would be random: train it first, or score it with --adapter likelihood."
            )
        if network.config.num_labels != 1:
            raise ModelError(
                f"{model} has {network.config.num_labels} outputs; a reward model has one. Train it "
                "with num_labels=1."
            )

    def _score_rendered(self, rendered: Rendered) -> tuple[Sequence[float], Tokens]:
        import torch

        head = getattr(self.network, "score", None)
        if head is None:
            return self._score_encoder(rendered)
        last = min(len(sequence) for sequence in rendered.ids) - 1
        states, tokens = forward(
            self.network.base_model,
            rendered.ids,
            share=self._share,
            output="last_hidden_state",
            start=last,
        )
        pooled = torch.stack([state[-1] for state in states]).float()
        bias = None if head.bias is None else head.bias.float()
        scores = torch.nn.functional.linear(pooled, head.weight.float(), bias)[:, 0]
        return scores.tolist(), tokens

    def _score_encoder(self, rendered: Rendered) -> tuple[Sequence[float], Tokens]:
        import torch

        scores = []
        with torch.inference_mode():
            for sequence in rendered.ids:
                ids = torch.tensor([list(sequence)], device=self.network.device)
                scores.append(float(self.network(input_ids=ids).logits.float()[0, 0]))
        total = sum(len(sequence) for sequence in rendered.ids)
        return scores, Tokens(total, total)
