"""Ways to score sequences with one network: the engine with and without sharing, and a loop; and two
to train it: a group's tree in one pass, and padded sequences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from fcrewardbench.scoring.engine import Engine, Sharing, prepare
from fcrewardbench.scoring.plan import Branch, Plan, whole
from fcrewardbench.scoring.tree import NAME, Layout, Pass, State

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

    def trained_on_trees(self, work: Sequence[Branch], groups: int) -> int:
        """Gradients of a Bradley-Terry loss over pairs, some trees in a pass; the tokens computed."""
        self.network.set_attn_implementation(NAME)
        kernel, device = self.sharing == "kernel", self.network.device
        computed = 0
        for start in range(0, len(work), 2 * groups):
            branches = work[start : start + 2 * groups]
            layout = Layout(whole(branches), branches)
            last = {sequence: path[-1][1] - 1 for sequence, path in layout.ended}
            states = self.network(
                input_ids=torch.tensor([layout.ids], device=device),
                position_ids=torch.tensor([layout.positions], device=device),
                use_cache=False,
                tree=Pass(layout, State(), 0, device, kernel=kernel),
            ).last_hidden_state[0]
            self._descend(states[[last[place] for place in range(len(branches))]])
            computed += len(layout.ids)
        return computed

    def trained_padded(self, work: Sequence[Branch], groups: int) -> int:
        """The same gradients from whole sequences, padded on the right; the tokens computed."""
        self.network.set_attn_implementation(PLAIN_ATTENTION)
        device = self.network.device
        computed = 0
        for start in range(0, len(work), 2 * groups):
            rows = [list(branch.ids) for branch in work[start : start + 2 * groups]]
            lengths = torch.tensor([len(row) for row in rows], device=device)
            longest = int(lengths.max())
            ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows], device=device)
            mask = torch.arange(longest, device=device) < lengths[:, None]
            states = self.network(
                input_ids=ids, attention_mask=mask.long(), use_cache=False
            ).last_hidden_state
            self._descend(states[torch.arange(len(rows), device=device), lengths - 1])
            computed += longest * len(rows)
        return computed

    def _descend(self, ends: torch.Tensor) -> None:
        rewards = ends.float() @ self._head_there
        (-torch.nn.functional.logsigmoid(rewards[::2] - rewards[1::2]).mean()).backward()
        self.network.zero_grad(set_to_none=True)
