"""The forward pass of a classifier over a tree of sequences."""

from __future__ import annotations

from types import MethodType
from typing import Any

import torch
from transformers import PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput

from fcrewardbench import ModelError
from fcrewardbench.adapters.network import decoder_of
from fcrewardbench.scoring.engine import prepare
from fcrewardbench.scoring.tree import Layout, Pass, State


def over_trees(model: PreTrainedModel) -> None:
    """Let a classifier's forward pass be `tree_forward`, and its attention the tree's.

    The head becomes float32.

    Raises:
        ModelError: its states are others when sequences share what they have in common.
    """
    sharing, reason = prepare(decoder_of(model))
    if sharing == "none":
        raise ModelError(
            f"{type(model).__name__} cannot be trained on trees: {reason}. Take a base with plain or "
            "sliding-window attention."
        )
    model.score.float()
    model.forward = MethodType(tree_forward, model)


def tree_forward(
    model: Any,
    input_ids: torch.Tensor,
    position_ids: torch.Tensor,
    layout: Layout,
    chosen: torch.Tensor,
    rejected: torch.Tensor,
    **_: Any,
) -> SequenceClassifierOutput:
    """Rewards of the chosen sequences and, behind them, of the rejected ones: logits [2 · pairs]."""
    kernel = input_ids.device.type == "cuda"
    tree = Pass(layout, State(), 0, input_ids.device, kernel=kernel)
    states = decoder_of(model)(
        input_ids=input_ids, position_ids=position_ids, use_cache=False, tree=tree
    ).last_hidden_state[0]
    ends = states[torch.cat([chosen, rejected])]
    with torch.autocast(states.device.type, enabled=False):
        # Where weights are sharded, the head may have the dtype that they are gathered in.
        rewards = model.score(ends.to(next(model.score.parameters()).dtype))
    return SequenceClassifierOutput(logits=rewards[:, 0].float())
