"""From a recipe and pairs to a trained model in a folder."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
import transformers
from datasets import Dataset
from peft import LoraConfig
from transformers import (
    AutoModelForSequenceClassification,
    EarlyStoppingCallback,
    PrinterCallback,
)
from transformers.trainer_utils import get_last_checkpoint
from trl import RewardConfig

from fcrewardbench import ModelError, RunError, UsageError
from fcrewardbench.adapters.folder import load_config, load_tokenizer, loading_error
from fcrewardbench.adapters.network import decoder_of
from fcrewardbench.adapters.registry import locate
from fcrewardbench.render import Renderer
from toolrm.records import read_pairs
from toolrm.train.groups import Lengths, TrainingGroup, rendered
from toolrm.train.output import save
from toolrm.train.progress import Progress
from toolrm.train.recipe import Recipe
from toolrm.train.trainer import TreeRewardTrainer


def train(
    recipe: Recipe,
    data: Path,
    held_out: Path | None,
    out: Path,
    *,
    overlap: Mapping[str, Any] | None = None,
) -> None:
    """Train a reward model.

    A run that was killed goes on at its last checkpoint when it is started with the same arguments, and
    ends with the same numbers. `out` then holds `model` (safetensors, tokenizer, chat template, card),
    with adapters `adapter` besides, `metrics.jsonl` and `curves.png`.

    Args:
        recipe: how.
        data: pairs to train on, a Parquet file.
        held_out: pairs to look at during training; None to look at nothing and take the last weights.
        out: the run's folder.
        overlap: what `toolrm.overlap` reported of `data`, for the card; None where nobody looked.

    Raises:
        DataError: a file holds something other than pairs; the message names the row.
        ModelError: the base cannot be loaded, or its template refuses a conversation.
        UsageError: `out` holds another run, or the recipe asks for what cannot be.
        RunError: the disk is full.
    """
    base, revision = locate(recipe.base, recipe.revision)
    inputs = {
        "recipe": recipe.model_dump(mode="json"),
        "base": revision or str(recipe.base),
        "data": _sha256(data),
        "held_out": None if held_out is None else _sha256(held_out),
    }
    _claim(out, inputs)
    tokenizer = load_tokenizer(str(base), trust_remote_code=False)
    renderer = Renderer(tokenizer)
    seen, looked_at = Lengths(), Lengths()
    groups = list(rendered(read_pairs(data), renderer, recipe.max_tokens, seen))
    watched = (
        []
        if held_out is None
        else list(rendered(read_pairs(held_out), renderer, recipe.max_tokens, looked_at))
    )
    if not groups:
        raise UsageError(f"{data} holds no pair that could be trained on: {dict(seen.counts)}.")
    progress = Progress(out)
    try:
        network = network_of(base, recipe)
        trainer = TreeRewardTrainer(
            model=network,
            args=_arguments(recipe, out, len(groups), bool(watched)),
            train_dataset=_data_set(groups, recipe),
            eval_dataset=_data_set(watched, recipe) if watched else None,
            processing_class=tokenizer,
            peft_config=adapters_of(network, recipe),
            callbacks=[progress, *_stopping(recipe, bool(watched))],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train(resume_from_checkpoint=get_last_checkpoint(str(out / "checkpoints")))
        told = {
            "inputs": inputs,
            "pairs": {"training": dict(seen.counts), "held out": dict(looked_at.counts)},
            "longest": seen.longest,
            "groups": len(groups),
            "template_sha256": renderer.template_sha256,
            "native_tools": renderer.native_tools,
            "chat_template": bool(getattr(tokenizer, "chat_template", None)),
            "best": progress.best,
            "overlap": overlap,
        }
        if trainer.is_world_process_zero():
            save(trainer.accelerator.unwrap_model(trainer.model), tokenizer, base, out, told)
    except OSError as why:
        raise RunError(
            f"{out} cannot be written ({why.strerror}): make room, and start the same command again."
        ) from why


def _claim(out: Path, inputs: dict[str, Any]) -> None:
    """Make a folder the run's, or see that it is."""
    import json

    path = out / "run.json"
    text = json.dumps(inputs, indent=1)
    if path.is_file():
        if path.read_text("utf-8") != text:
            raise UsageError(
                f"{out} holds a run of another recipe, base or data: give another --out, or remove it."
            )
        return
    if out.exists() and any(out.iterdir()):
        raise UsageError(f"{out} is not empty and no training run: give another --out.")
    out.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def network_of(base: Path, recipe: Recipe) -> Any:
    """The base with a head of zeros, so that every candidate starts with the same reward."""
    config = load_config(str(base), trust_remote_code=False)
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()  # that the head is new is the point here
    try:
        network, notes = AutoModelForSequenceClassification.from_pretrained(
            base,
            num_labels=1,
            dtype=getattr(torch, recipe.dtype),
            use_safetensors=True,
            output_loading_info=True,
        )
    except Exception as why:  # transformers and safetensors raise whatever they meet
        raise loading_error(recipe.base, why) from why
    missing = sorted(set(notes["missing_keys"]) - {"score.weight"})
    if missing or not hasattr(network, "score"):
        raise ModelError(
            f"{recipe.base} ({config.model_type}) lacks {', '.join(missing) or 'a decoder'}: take a "
            "base whose language model is whole."
        )
    if "score.weight" in notes["missing_keys"]:
        with torch.no_grad():
            network.score.weight.zero_()
    return network


def adapters_of(network: Any, recipe: Recipe) -> LoraConfig | None:
    """The recipe's adapters, on every linear layer of the decoder's upper blocks."""
    if recipe.lora is None:
        return None
    layers = network.config.get_text_config().num_hidden_layers
    if recipe.lora.from_layer >= layers:
        raise UsageError(f"{recipe.base} has {layers} layers; lora.from_layer must be below that.")
    linear = {
        name.rpartition(".")[2]
        for name, module in decoder_of(network).named_modules()
        if isinstance(module, torch.nn.Linear)
    }
    return LoraConfig(
        task_type="SEQ_CLS",
        r=recipe.lora.rank,
        lora_alpha=recipe.lora.alpha,
        lora_dropout=recipe.lora.dropout,
        target_modules=sorted(linear),
        layers_to_transform=list(range(recipe.lora.from_layer, layers)),
        modules_to_save=["score"],
    )


def _arguments(recipe: Recipe, out: Path, groups: int, watched: bool) -> RewardConfig:
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    accumulated, rest = divmod(recipe.groups_per_step, recipe.groups_per_pass * processes)
    if rest or not accumulated:
        raise UsageError(
            f"groups_per_step ({recipe.groups_per_step}) is no multiple of groups_per_pass "
            f"({recipe.groups_per_pass}) times {processes} processes."
        )
    when = "steps" if watched else "no"
    return RewardConfig(
        output_dir=str(out / "checkpoints"),
        per_device_train_batch_size=recipe.groups_per_pass,
        per_device_eval_batch_size=recipe.groups_per_pass,
        gradient_accumulation_steps=accumulated,
        gradient_checkpointing=recipe.gradient_checkpointing,
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        lr_scheduler_type="cosine",
        warmup_steps=recipe.warmup,
        num_train_epochs=recipe.epochs,
        max_steps=recipe.max_steps or -1,
        bf16=recipe.autocast,
        center_rewards_coefficient=recipe.center_rewards,
        max_length=None,
        eval_strategy=when,
        eval_steps=recipe.evaluate_every,
        save_strategy="steps",
        save_steps=recipe.evaluate_every,
        save_total_limit=2,
        load_best_model_at_end=watched,
        metric_for_best_model="eval_loss" if watched else None,
        greater_is_better=False if watched else None,
        logging_steps=max(1, recipe.evaluate_every // 10),
        seed=recipe.seed,
        disable_tqdm=True,
        report_to=list(recipe.report_to),
        use_cpu=not torch.cuda.is_available(),
    )


def _stopping(recipe: Recipe, watched: bool) -> list[EarlyStoppingCallback]:
    if recipe.patience is None:
        return []
    if not watched:
        raise UsageError("The recipe's patience needs held-out pairs: give --held-out.")
    return [EarlyStoppingCallback(recipe.patience)]


def _data_set(groups: Iterable[TrainingGroup], recipe: Recipe) -> Dataset:
    def rows() -> Iterable[dict[str, Any]]:
        for group in groups:
            row: dict[str, Any] = {"chosen_ids": group.chosen, "rejected_ids": group.rejected}
            if recipe.margins:
                row["margins"] = [recipe.margins.get(kind, 0.0) for kind in group.error_types]
            yield row

    return Dataset.from_list(list(rows()))


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as why:
        raise UsageError(f"{path} cannot be read: {why.strerror}.") from None
