"""TRL's `RewardTrainer` over trees: prompts once, every pair of a group in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from peft import PeftConfig, PeftModel
from torch.nn.functional import logsigmoid
from transformers import EarlyStoppingCallback, PreTrainedModel
from trl import RewardTrainer

from toolrm.train.batch import TreeCollator
from toolrm.train.forward import over_trees

_METRICS = ("accuracy", "margin", "mean_reward", "std_reward")


class TreeRewardTrainer(RewardTrainer):  # type: ignore[misc]
    """Bradley-Terry training of a sequence classifier with one output.

    Data sets hold groups as `TreeCollator` takes them. The loss is the mean over groups of the mean
    over their pairs of -log σ(chosen - rejected - margin) + c · (chosen + rejected)², where c is
    `args.center_rewards_coefficient`: for groups of one pair, that of TRL's trainer.

    Args:
        model: the classifier; see `over_trees`.
        start: a folder with adapters of this model, to go on from; None to start with new ones.
        peft_config: of the adapters; None for none.
        arguments: those of `RewardTrainer`. `max_length` must be None: nothing is dropped here.

    Raises:
        ModelError: the model's attention cannot be the tree's.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        *,
        start: Path | None = None,
        peft_config: PeftConfig | None = None,
        **arguments: Any,
    ) -> None:
        over_trees(model)
        if start is None:
            arguments["peft_config"] = peft_config
        else:
            model = PeftModel.from_pretrained(model, start, is_trainable=True, config=peft_config)
        super().__init__(model, data_collator=TreeCollator(), **arguments)

    def _run_epoch(self, **arguments: Any) -> None:
        """An epoch, unless the run was at its end when it was killed: transformers would train on."""
        patient = all(
            callback.early_stopping_patience_counter < callback.early_stopping_patience
            for callback in self.callback_handler.callbacks
            if isinstance(callback, EarlyStoppingCallback)
        )
        if patient and self.state.global_step < self.state.max_steps:
            super()._run_epoch(**arguments)
        else:
            self.control.should_training_stop = True

    def _set_signature_columns_if_needed(self) -> None:
        self._signature_columns = ["chosen_ids", "rejected_ids", "margins", "source"]

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
        sources = inputs.pop("sources", ())
        outputs = model(**inputs)
        chosen, rejected = outputs.logits.chunk(2)
        losses = -logsigmoid(chosen - rejected - margin)
        if self.args.center_rewards_coefficient is not None:
            losses = losses + self.args.center_rewards_coefficient * (chosen + rejected) ** 2
        loss = (weight * losses).sum()
        self._note(loss, chosen, rejected, weight, inputs["input_ids"].numel(), sources)
        return (loss, outputs) if return_outputs else loss

    @torch.no_grad()
    def _note(
        self,
        loss: torch.Tensor,
        chosen: torch.Tensor,
        rejected: torch.Tensor,
        weight: torch.Tensor,
        tokens: int,
        sources: Sequence[str],
    ) -> None:
        """Metrics of a pass, and under the names of their sources those of a look's groups, of which a
        pass has one. What accelerate repeats to make a last batch even counts for no look."""
        credit = (chosen > rejected).float() + 0.5 * (chosen == rejected).float()
        accuracy = (weight * credit).sum()
        rewards = torch.cat([chosen, rejected])
        told = torch.stack(
            [
                accuracy,
                (weight * (chosen - rejected)).sum(),
                rewards.mean(),
                rewards.std(correction=0),
                torch.tensor(float(tokens), device=rewards.device),
            ]
        )
        if self.model.training:
            mode, everywhere = "train", self.accelerator.gather(told[None])
            self._total_train_tokens += int(everywhere[:, -1].sum())
        else:
            mode, everywhere = "eval", self.accelerator.gather_for_metrics(told[None])
        metrics = self._metrics[mode]
        metrics["num_tokens"] = [self._total_train_tokens]
        for row in everywhere.tolist():
            for name, value in zip(_METRICS, row, strict=False):
                metrics[name].append(value)
        if mode == "eval":
            own = [(source, loss.item(), accuracy.item()) for source in sources]
            for source, *values in self.accelerator.gather_for_metrics(own, use_gather_object=True):
                for name, value in zip(("loss", "accuracy"), values, strict=True):
                    metrics[f"{name}/{source}"].append(value)
