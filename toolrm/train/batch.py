"""Groups of sequences → one packed row, the tokens that they share standing there once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from fcrewardbench.scoring.plan import Branch, whole
from fcrewardbench.scoring.tree import Layout


class TreeCollator:
    """Collates groups into the tree of all their sequences, without padding.

    Each example has `chosen_ids` [tokens], `rejected_ids`, a list of such rows, perhaps `margins`, a
    number for each of these, and perhaps its `source`. The batch has `input_ids` and `position_ids`
    [1, tokens]; for every pair, the places of the last tokens of its sequences in `chosen` and
    `rejected` [pairs]; its `weight` [pairs], such that groups weigh alike and all weights sum to 1;
    `margin` [pairs] if there are margins; `sources` [groups], names, if there are any; and the `layout`
    that the attention reads.
    """

    def __call__(self, examples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        branches: list[Branch] = []
        pairs: list[tuple[int, int]] = []
        weights: list[float] = []
        for group, example in enumerate(examples):
            first = len(branches)
            sequences = [example["chosen_ids"], *example["rejected_ids"]]
            branches.extend(Branch(ids, group, len(ids)) for ids in sequences)
            pairs.extend((first, other) for other in range(first + 1, len(branches)))
            count = len(sequences) - 1
            weights.extend([1 / (count * len(examples))] * count)
        layout = Layout(whole(branches), branches)
        last = {sequence: path[-1][1] - 1 for sequence, path in layout.ended}
        batch = {
            "input_ids": torch.tensor([layout.ids]),
            "position_ids": torch.tensor([layout.positions]),
            "chosen": torch.tensor([last[chosen] for chosen, _ in pairs]),
            "rejected": torch.tensor([last[rejected] for _, rejected in pairs]),
            "weight": torch.tensor(weights),
            "layout": layout,
        }
        if "margins" in examples[0]:
            margins = [margin for example in examples for margin in example["margins"]]
            batch["margin"] = torch.tensor(margins, dtype=torch.float)
        if "source" in examples[0]:
            batch["sources"] = [example["source"] for example in examples]
        return batch
