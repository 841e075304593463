"""TRL's `RewardTrainer` over trees: prompts once, every pair of a group in one pass."""

from __future__ import annotations

from types import MethodType
from typing import Any

import torch
from torch.nn.functional import logsigmoid
from transformers import PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput
from trl import RewardTrainer

from fcrewardbench import ModelError
from fcrewardbench.adapters.network import decoder_of
from fcrewardbench.scoring.engine import prepare
from fcrewardbench.scoring.tree import Layout, Pass, State
from toolrm.train.batch import TreeCollator


class TreeRewardTrainer(RewardTrainer):  # type: ignore[misc]
    """Bradley-Terry training of a sequence classifier with one output.

    Data sets hold groups as `TreeCollator` takes them. The loss is the mean over groups of the mean
    over their pairs of -log σ(chosen - rejected - margin) + c · (chosen + rejected)², where c is
    `args.center_rewards_coefficient`: for groups of one pair, that of TRL's trainer.

    Args:
        model: the classifier; its forward pass becomes `tree_forward`.
        arguments: those of `RewardTrainer`. `max_length` must be None: nothing is dropped here.

    Raises:
        ModelError: the model's attention cannot be the tree's.
    """

    def __init__(self, model: PreTrainedModel, **arguments: Any) -> None:
        over_trees(model)
        super().__init__(model, data_collator=TreeCollator(), **arguments)

    def _set_signature_columns_if_needed(self) -> None:
        self._signature_columns = ["chosen_ids", "rejected_ids", "margins"]

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | None = None,
    ) -> Any:
        """As in TRL, but pairs are weighted, and metrics averaged before processes meet, whose batches
        differ in size."""
        weight, margin = inputs.pop("weight"), inputs.pop("margin", 0.0)
        outputs = model(**inputs)
        chosen, rejected = outputs.logits.chunk(2)
        losses = -logsigmoid(chosen - rejected - margin)
        if self.args.center_rewards_coefficient is not None:
            losses = losses + self.args.center_rewards_coefficient * (chosen + rejected) ** 2
        loss = (weight * losses).sum()
        self._note(chosen.detach(), rejected.detach(), weight, inputs["input_ids"].numel())
        return (loss, outputs) if return_outputs else loss

    def _note(
        self, chosen: torch.Tensor, rejected: torch.Tensor, weight: torch.Tensor, tokens: int
    ) -> None:
        mode = "train" if self.model.training else "eval"
        credit = (chosen > rejected).float() + 0.5 * (chosen == rejected).float()
        rewards = torch.cat([chosen, rejected])
        told = torch.stack(
            [
                (weight * credit).sum(),
                (weight * (chosen - rejected)).sum(),
                rewards.mean(),
                rewards.std(correction=0),
                torch.tensor(float(tokens), device=rewards.device),
            ]
        )
        everywhere = self.accelerator.gather(told[None])
        if mode == "train":
            self._total_train_tokens += int(everywhere[:, -1].sum())
        metrics = self._metrics[mode]
        metrics["num_tokens"] = [self._total_train_tokens]
        names = ("accuracy", "margin", "mean_reward", "std_reward")
        for name, value in zip(names, everywhere.mean(0).tolist(), strict=False):
            metrics[name].append(value)


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
