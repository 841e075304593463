"""A language model's head: logits, and log-probabilities of given tokens without all logits at once."""

from __future__ import annotations

from dataclasses import dataclass

import torch

CPU_BLOCK = (512, 2048)
"""Positions and tokens whose logits are in memory together: 4 MB, which a CPU's cache holds.
`bench/head.py` has what that saves."""
DEVICE_ROWS = 128
"""Positions by the whole vocabulary elsewhere, where one large product is what is fast."""


@dataclass(frozen=True, slots=True)
class Head:
    """A linear layer, in float32.

    Args:
        weight: [vocabulary, hidden size], float32.
        bias: [vocabulary], float32, if there is one.
        factor: what logits are multiplied by.
        softcap: the bound that logits near, as Gemma 2 has it.
    """

    weight: torch.Tensor
    bias: torch.Tensor | None = None
    factor: float = 1.0
    softcap: float | None = None

    def logits(self, states: torch.Tensor) -> torch.Tensor:
        """Final hidden states [n, hidden size] → logits [n, vocabulary], float32."""
        return self._of(states, slice(None))

    def logprobs(self, states: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The log-probability of each target [n] under its state [n, hidden size], float32 [n]."""
        rows, width = CPU_BLOCK if states.device.type == "cpu" else (DEVICE_ROWS, len(self.weight))
        found = [
            self._logprobs(states[first : first + rows], targets[first : first + rows], width)
            for first in range(0, len(targets), rows)
        ]
        return torch.cat(found) if found else torch.zeros(0)

    def _logprobs(self, states: torch.Tensor, targets: torch.Tensor, width: int) -> torch.Tensor:
        """Block by block of the vocabulary, summing relative to the greatest logit so far."""
        least = torch.finfo(torch.float32).min  # not -inf, which a block of -inf would make NaN
        greatest = torch.full_like(targets, least, dtype=torch.float32)
        total, own = torch.zeros_like(greatest), torch.zeros_like(greatest)
        for first in range(0, len(self.weight), width):
            logits = self._of(states, slice(first, first + width))
            place = targets - first
            inside = (place >= 0) & (place < logits.shape[1])
            found = logits.gather(1, place.clamp(0, logits.shape[1] - 1)[:, None])[:, 0]
            own = torch.where(inside, found, own)
            before, greatest = greatest, torch.maximum(greatest, logits.amax(1))
            total = total * (before - greatest).exp() + logits.sub_(greatest[:, None]).exp_().sum(1)
        return own - greatest - total.log()

    def _of(self, states: torch.Tensor, tokens: slice) -> torch.Tensor:
        bias = None if self.bias is None else self.bias[tokens]
        found = torch.nn.functional.linear(states.float(), self.weight[tokens], bias)
        if self.factor != 1:
            found *= self.factor
        return self.softcap * torch.tanh(found / self.softcap) if self.softcap else found
