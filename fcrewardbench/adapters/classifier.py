"""Reward models with a head: any `AutoModelForSequenceClassification` with one output, and others
whose head is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fcrewardbench.adapters.heads import Head, head_sha256, load_head
from fcrewardbench.adapters.local import LocalScorer
from fcrewardbench.errors import ModelError
from fcrewardbench.render import common_length
from fcrewardbench.scoring.groups import Asked
from fcrewardbench.scoring.plan import Branch
from fcrewardbench.types import Group

if TYPE_CHECKING:
    from fcrewardbench.scoring.engine import Result


class Classifier(LocalScorer):
    """A reward model: its head on the last token's hidden state, in float32.

    transformers would pool at the last token that differs from the padding token, which is another one
    where padding and end of turn are the same token; here the last token is the last token. Decoders
    share the prompt; encoders, which read both ways, cannot, and are run as they are.

    Args:
        head: how hidden states become a score, where that is not the network's own linear layer with
            one output: a name in `fcrewardbench.adapters.heads`, or "module:function".
        options: those of `LocalScorer`.
    """

    def __init__(self, model: str, *, head: str | None = None, **options: Any) -> None:
        self._head_name = head
        self._head: Head | None = None if head is None else load_head(head, Path(model))
        self.auto_class = "AutoModelForSequenceClassification" if head is None else "AutoModel"
        super().__init__(model, **options)

    def describe(self) -> dict[str, Any]:
        name = self._head_name
        told = {"head": name, "head_sha256": None if name is None else head_sha256(name)}
        return {**super().describe(), **told}

    def _check(self, network: Any, missing: list[str]) -> None:
        if self._head is not None:
            return
        untrained = [key for key in missing if key.startswith(("score", "classif"))]
        if untrained:
            raise ModelError(
                f"{self._model} has no trained head ({', '.join(untrained)} is not in its weights), so "
                "its scores would be random: train it first, or score it with --adapter likelihood."
            )
        if network.config.num_labels != 1:
            raise ModelError(
                f"{self._model} has {network.config.num_labels} outputs; a reward model has one. Train "
                "it with num_labels=1, or say what makes a score of them with --option head=…"
            )

    def _is_decoder(self, network: Any) -> bool:
        return self._head is not None or hasattr(network, "score")

    def asked(self, group: Group) -> list[list[Asked]]:
        inputs = self.inputs(group)
        if self._head is None:
            return [[Asked(fed.ids, len(fed.ids), (len(fed.ids) - 1,))] for fed in inputs]
        closed = self.renderer.closed(group.prompt)
        asked = []
        for fed in inputs:
            ids = (*fed.ids, *self._head.suffix)
            prompt = max(common_length(closed, fed.ids) - 1, 0)
            asked.append([Asked(ids, len(ids), (len(ids) - 1, prompt))])
        return asked

    def _compute(
        self, branches: Sequence[Branch], at: Sequence[Sequence[int]], done: frozenset[int]
    ) -> Iterator[Result]:
        if not self._is_decoder(self.network):
            return self._encode(branches, done)
        return super()._compute(branches, at, done)

    def _value(self, results: Sequence[Result]) -> float:
        import torch

        (result,) = results
        assert result.states is not None
        if self._head is not None:
            return float(self._head.score(result.states[:1], result.states[1:])[0])
        head = getattr(self.network, "score", None)
        if head is None:
            return float(result.states[0, 0])
        with torch.inference_mode():
            bias = None if head.bias is None else head.bias.float().cpu()
            logits = torch.nn.functional.linear(result.states, head.weight.float().cpu(), bias)
        return float(logits[0, 0])

    def _encode(self, branches: Sequence[Branch], done: frozenset[int]) -> Iterator[Result]:
        """The whole network on each sequence; its one logit stands in the place of the states."""
        import torch

        from fcrewardbench.scoring.engine import Result

        for index, branch in enumerate(branches):
            if branch.group in done:
                continue
            ids = torch.tensor([list(branch.ids)], device=self.network.device)
            with torch.inference_mode():
                logits = self.network(input_ids=ids).logits.float().cpu()
            yield Result(index, logits, None, len(branch.ids))
