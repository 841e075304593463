"""Random weights and random token ids with the shape of the real ones.

Ids have the structure of open's groups: a catalogue of tools that a few prompts open with, a prompt of
about 660 tokens, candidates of about 40 tokens each that agree in their first few.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import torch

from fcrewardbench.scoring.plan import Branch

_COMMON = {"num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151_936}
QWEN3 = {
    "1.7B": {
        "hidden_size": 2048,
        "intermediate_size": 6144,
        "num_hidden_layers": 28,
        "num_attention_heads": 16,
        **_COMMON,
    },
    "8B": {
        "hidden_size": 4096,
        "intermediate_size": 12288,
        "num_hidden_layers": 36,
        "num_attention_heads": 32,
        **_COMMON,
    },
}
"""Qwen3's published shapes."""
SMALL = {
    "hidden_size": 256,
    "intermediate_size": 768,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 64,
    "vocab_size": 4096,
}
"""For the equality of scores in float32, and for `--tiny`."""

CATALOGUE, QUESTION, SAME_START, REST = 560, 100, 12, 28
"""Mean tokens of what one to four prompts share, of a prompt's own part, and of a candidate's two."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How many groups of how many candidates."""

    groups: int
    candidates: int


def decoder(shape: dict[str, int], device: str, dtype: torch.dtype) -> Any:
    """A Qwen3 decoder without a head, its random weights made on the device."""
    from transformers import Qwen3Config, Qwen3Model

    config = Qwen3Config(**shape, max_position_embeddings=8192)
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            network = Qwen3Model(config)
    finally:
        torch.set_default_dtype(before)
    return network.eval()


def multiplied(network: Any) -> int:
    """Parameters that every token is multiplied with: all but the embedding table."""
    table: int = network.get_input_embeddings().weight.numel()
    total: int = sum(parameter.numel() for parameter in network.parameters())
    return total - table


def branches(shape: Shape, vocabulary: int) -> list[Branch]:
    """The sequences of random groups, candidates of a group side by side; the same on every call."""
    rng = random.Random(0)

    def ids(mean: int) -> list[int]:
        length = max(2, round(mean * rng.lognormvariate(-0.125, 0.5)))  # so that `mean` is the mean
        return [rng.randrange(vocabulary) for _ in range(length)]

    found = []
    left, catalogue = 0, ids(CATALOGUE)
    for group in range(shape.groups):
        if left == 0:
            left, catalogue = rng.randint(1, 4), ids(CATALOGUE)
        left -= 1
        prompt = [*catalogue, *ids(QUESTION), *ids(SAME_START)]
        for _ in range(shape.candidates):
            sequence = (*prompt, *ids(REST))
            found.append(Branch(sequence, group, len(sequence)))
    return found
