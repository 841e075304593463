"""Three ways to score sequences with one network: the engine with and without sharing, and a loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from fcrewardbench.scoring.engine import Engine, Sharing, prepare
from fcrewardbench.scoring.plan import Branch, Plan
from fcrewardbench.scoring.tree import NAME

PLAIN_ATTENTION = "sdpa"


class Model:
    """A decoder with a random head. `sharing` is how it shares, `reason` why it does not."""

    def __init__(self, network: Any) -> None:
        self.network = network
        self.sharing: Sharing
        self.sharing, self.reason = prepare(network)
        width = network.config.hidden_size
        generator = torch.Generator().manual_seed(1)
        self._head = torch.randn(width, generator=generator) / width**0.5
        self._head_there = self._head.to(network.device)

    def plan(self, work: Sequence[Branch], batch_tokens: int) -> Plan:
        """What `shared` does."""
        return self._engine(batch_tokens).plan(work)

    def shared(self, work: Sequence[Branch], batch_tokens: int) -> list[float]:
        """Scores by the engine, common prefixes computed once."""
        if self.sharing != "none":
            self.network.set_attn_implementation(NAME)
        return self._scores(self._engine(batch_tokens), work)

    def alone(self, work: Sequence[Branch]) -> list[float]:
        """Scores by the engine, each sequence alone and with plain attention: the reference."""
        self.network.set_attn_implementation(PLAIN_ATTENTION)
        return self._scores(Engine([self.network], sharing="none", batch_tokens=1), work)

    def _engine(self, batch_tokens: int) -> Engine:
        return Engine([self.network], sharing=self.sharing, batch_tokens=batch_tokens)

    def _scores(self, engine: Engine, work: Sequence[Branch]) -> list[float]:
        scores = [0.0] * len(work)
        for result in engine.run(work, [[len(branch.ids) - 1] for branch in work]):
            assert result.states is not None
            scores[result.sequence] = float(result.states[0] @ self._head)
        return scores

    @torch.inference_mode()
    def padded(self, work: Sequence[Branch], batch: int) -> tuple[list[float], int]:
        """Scores by a plain loop, sorted by length, padded on the right; and the tokens computed."""
        self.network.set_attn_implementation(PLAIN_ATTENTION)
        device = self.network.device
        order = sorted(range(len(work)), key=lambda index: -len(work[index].ids))
        scores, computed = [0.0] * len(work), 0
        for start in range(0, len(order), batch):
            places = order[start : start + batch]
            rows = [list(work[place].ids) for place in places]
            longest = len(rows[0])
            lengths = torch.tensor([len(row) for row in rows], device=device)
            ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows], device=device)
            mask = torch.arange(longest, device=device) < lengths[:, None]
            states = self.network(
                input_ids=ids, attention_mask=mask.long(), use_cache=False
            ).last_hidden_state
            pooled = states[torch.arange(len(rows), device=device), lengths - 1]
            found = (pooled.float() @ self._head_there).tolist()
            for place, score in zip(places, found, strict=True):
                scores[place] = score
            computed += longest * len(rows)
        return scores, computed
