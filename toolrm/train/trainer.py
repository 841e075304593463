"""TRL's `RewardTrainer` over trees: prompts once, every pair of a group in one pass."""

from __future__ import annotations

from types import MethodType
from typing import Any

import torch
from torch.nn.functional import logsigmoid
from transformers import PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput
from trl import RewardTrainer

from fcrewardbench.scoring.tree import NAME, Layout, Pass, State, register
from toolrm.train.batch import TreeCollator


class TreeRewardTrainer(RewardTrainer):  # type: ignore[misc]
    """Bradley-Terry training of a sequence classifier with one output.

    Data sets hold groups as `TreeCollator` takes them. The loss is that of TRL's trainer: the mean over
    all pairs of a batch of -log σ(chosen - rejected - margin), and of c · (chosen + rejected)² besides,
    where c is `args.center_rewards_coefficient`.

    Args:
        model: the classifier; its forward pass becomes `tree_forward`.
        arguments: those of `RewardTrainer`. `max_length` must be None: nothing is dropped here.
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
        """As in TRL, but metrics are summed up before processes meet, whose batches differ in size."""
        mode = "train" if self.model.training else "eval"
        margin = inputs.pop("margin", 0.0)
        outputs = model(**inputs)
        chosen, rejected = outputs.logits.chunk(2)
        loss = -logsigmoid(chosen - rejected - margin).mean()
        if self.args.center_rewards_coefficient is not None:
            loss = loss + self.args.center_rewards_coefficient * ((chosen + rejected) ** 2).mean()
        self._note(mode, chosen.detach(), rejected.detach(), inputs["input_ids"].numel())
        return (loss, outputs) if return_outputs else loss

    def _note(self, mode: str, chosen: torch.Tensor, rejected: torch.Tensor, tokens: int) -> None:
        rewards = torch.cat([chosen, rejected])
        told = torch.stack(
            [
                (chosen > rejected).float().mean(),
                (chosen - rejected).mean(),
                rewards.mean(),
                rewards.std(correction=0),
                torch.tensor(float(tokens), device=rewards.device),
            ]
        )
        everywhere = self.accelerator.gather(told[None])
        accuracy, margin, mean, deviation, _ = everywhere.mean(0).tolist()
        if mode == "train":
            self._total_train_tokens += int(everywhere[:, -1].sum())
        metrics = self._metrics[mode]
        metrics["num_tokens"] = [self._total_train_tokens]
        for name, value in (
            ("accuracy", accuracy),
            ("margin", margin),
            ("mean_reward", mean),
            ("std_reward", deviation),
        ):
            metrics[name].append(value)


def over_trees(model: PreTrainedModel) -> None:
    """Let a classifier's forward pass be `tree_forward`, and its attention the tree's.

    The head becomes float32.
    """
    register()
    model.set_attn_implementation(NAME)
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
    decoder = getattr(model, model.base_model_prefix)
    states = decoder(
        input_ids=input_ids, position_ids=position_ids, use_cache=False, tree=tree
    ).last_hidden_state[0]
    with torch.autocast(states.device.type, enabled=False):
        rewards = model.score(states[torch.cat([chosen, rejected])].float())[:, 0]
    return SequenceClassifierOutput(logits=rewards)
