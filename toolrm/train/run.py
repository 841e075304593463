"""From a recipe and pairs to a trained model in a folder."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from datasets import Dataset
from peft import LoraConfig, get_peft_model
from safetensors import SafetensorError
from transformers import (
    AutoModelForSequenceClassification,
    EarlyStoppingCallback,
    PrinterCallback,
)
from transformers.trainer_utils import get_last_checkpoint
from trl import RewardConfig

from fcrewardbench import DataError, ModelError, RunError, UsageError
from fcrewardbench.adapters.folder import (
    headless_base,
    load_tokenizer,
    loading_error,
)
from fcrewardbench.adapters.network import decoder_of
from fcrewardbench.adapters.registry import locate
from fcrewardbench.errors import is_of_a_full_disk
from fcrewardbench.render import Renderer
from toolrm.records import TrainingPair, read_pairs
from toolrm.train.checks import check
from toolrm.train.groups import Account, TrainingGroup, rendered
from toolrm.train.output import save
from toolrm.train.progress import Progress
from toolrm.train.recipe import Recipe
from toolrm.train.start import Start, start_from
from toolrm.train.trainer import TreeRewardTrainer

ROWS_AT_ONCE = 1_000
SCRATCH = "run.json.part"


def train(
    recipe: Recipe,
    data: Path,
    held_out: Path | None,
    out: Path,
    *,
    start: Path | None = None,
    overlap: Mapping[str, Any] | None = None,
    read: Callable[[Path], Generator[TrainingPair]] = read_pairs,
) -> None:
    """Train a reward model.

    A run that was killed goes on at its last checkpoint when it is started with the same arguments, and
    ends with the same numbers; one that is finished is left as it is. `out` then holds `model`
    (safetensors, tokenizer, chat template, card), with adapters `adapter` besides, `report.json`,
    `metrics.jsonl` and `curves.png`.

    Args:
        recipe: how.
        data: pairs to train on, a Parquet file.
        held_out: pairs to look at during training; None to look at nothing and take the last weights.
        out: the run's folder.
        start: the folder of adapters to go on from, those of another run of the same base, with the
            same rank, alpha and layers, which are looked at first; None to start anew.
        overlap: what `toolrm.overlap` reported of `data`, for the card; None where nobody looked.
        read: in place of `read_pairs`, to tell how far it is.

    Raises:
        DataError: a file holds something other than pairs; the message names the row.
        ModelError: the base cannot be loaded or trained on trees, or its template refuses a
            conversation.
        UsageError: `out` holds another run, the recipe asks for what cannot be, or `start` holds no
            adapters that fit it.
        RunError: the disk is full, or the device's memory.
    """
    on_cpu = not torch.cuda.is_available()
    processes = PartialState(cpu=on_cpu).num_processes  # all later states are this first one
    base, revision = locate(recipe.base, recipe.revision)
    begun = None if start is None else start_from(start, recipe)
    inputs = {
        "recipe": recipe.model_dump(mode="json"),
        "base": revision,
        "data": _sha256(data),
        "held_out": None if held_out is None else _sha256(held_out),
        "start": begun and begun.told["sha256"],
        "processes": processes,
    }
    if not _is_new(out, inputs) and (out / "report.json").is_file():
        return
    tokenizer = load_tokenizer(str(base), trust_remote_code=False)
    check(recipe, base, tokenizer)
    renderer = Renderer(tokenizer)
    seen, looked_at = Account(), Account()
    groups = _groups(read(data), renderer, recipe, seen)
    watched = None
    if held_out is not None:
        watched = _groups(read(held_out), renderer, recipe, looked_at)
        watched = _spread(watched, recipe.evaluated_groups)
    for path, account in ((data, seen), (held_out, looked_at)):
        if path is not None and not account.groups:
            raise UsageError(f"{path} holds no pair that can be used: {dict(account.counts)}.")
    unknown = set(recipe.margins) - seen.error_types
    if unknown:
        raise UsageError(f"No pair has the error type '{min(unknown)}', which has a margin.")
    arguments = _arguments(recipe, out, seen.groups, watched is not None)
    network = network_of(base, recipe)
    adapters = _fitting(adapters_of(network, recipe), begun)
    progress = Progress(out, seen.groups, recipe.groups_per_step)
    try:
        trainer = TreeRewardTrainer(
            model=network,
            args=arguments,
            train_dataset=groups,
            eval_dataset=watched,
            processing_class=tokenizer,
            start=start,
            peft_config=adapters,
            callbacks=[progress, *_stopping(recipe, watched is not None)],
        )
        trainer.remove_callback(PrinterCallback)
        with PartialState().main_process_first():
            _claim(out, inputs)
        checkpoint = get_last_checkpoint(arguments.output_dir)
        trainer.args.eval_on_start = None not in (begun, watched) and checkpoint is None
        trainer.train(resume_from_checkpoint=checkpoint)
        weights = trainer.accelerator.get_state_dict(trainer.model)
        if trainer.is_world_process_zero():
            told = {
                "inputs": inputs,
                "pairs": {"training": dict(seen.counts), "held out": dict(looked_at.counts)},
                "longest": seen.longest,
                "generators": sorted(seen.generators),
                "groups": seen.groups,
                "licences": dict(seen.licences.most_common()),
                "looked_at": [0 if watched is None else len(watched), looked_at.groups],
                "looked_at_by_source": {} if watched is None else Counter(watched["source"]),
                "template_sha256": renderer.template_sha256,
                "native_tools": renderer.native_tools,
                "chat_template": bool(getattr(tokenizer, "chat_template", None)),
                "before": progress.before,
                "best": progress.best,
                "overlap": overlap,
                "start": begun and begun.told,
            }
            trained = network_of(base, recipe)
            if adapters is not None:
                trained = get_peft_model(trained, adapters)
                trained.peft_config["default"].base_model_name_or_path = recipe.base
            trained.load_state_dict(weights)
            save(trained, tokenizer, out, told)
        trainer.accelerator.wait_for_everyone()
    except (OSError, SafetensorError, RuntimeError) as why:
        sentence = _explained(why, out)
        if sentence is None:
            raise
        raise sentence from why


def _explained(why: Exception, out: Path) -> RunError | None:
    """What a full disk or a full device raises, as a sentence; None for anything else."""
    text = str(why)
    signs = (
        "No space left",
        "os error 28",
        "File too large",
        "PytorchStreamWriter",
        "file write failed",
    )
    if is_of_a_full_disk(why) or any(sign in text for sign in signs):
        return RunError(f"{out} cannot be written: make room, and start the same command again.")
    if isinstance(why, torch.OutOfMemoryError):
        return RunError(
            "Out of memory: lower groups_per_pass or max_tokens in the recipe, or switch on its "
            "gradient_checkpointing."
        )
    return None


def _is_new(out: Path, inputs: Mapping[str, Any]) -> bool:
    """Whether a folder is free for the run, and not already the run's.

    Raises:
        UsageError: it is something else.
    """
    path = out / "run.json"
    if path.is_file():
        if {"start": None, **json.loads(path.read_text("utf-8"))} != inputs:
            raise UsageError(
                f"{out} holds a run of another recipe, base, data, start or number of processes: give "
                "another --out, or remove it."
            )
        return False
    if out.exists() and not all(_is_of_a_start(path) for path in out.iterdir()):
        raise UsageError(f"{out} is not empty and no training run: give another --out.")
    return True


def _is_of_a_start(path: Path) -> bool:
    """Whether it is what a run leaves that ended before the folder was its own."""
    if path.name == "checkpoints":
        return path.is_dir() and not any(path.iterdir())
    return path.name == SCRATCH


def _claim(out: Path, inputs: Mapping[str, Any]) -> None:
    """Make a folder the run's, and remove checkpoints that a kill left half written."""
    if not PartialState().is_main_process:
        return
    checkpoints = out / "checkpoints"
    checkpoints.mkdir(parents=True, exist_ok=True)
    for folder in checkpoints.glob("checkpoint-*"):
        try:  # transformers writes this file last
            json.loads((folder / "trainer_state.json").read_text("utf-8"))
        except (OSError, ValueError):
            shutil.rmtree(folder)
    scratch = out / SCRATCH
    scratch.write_text(json.dumps(inputs, indent=1), "utf-8")
    scratch.replace(out / "run.json")


def network_of(base: Path, recipe: Recipe) -> Any:
    """The base with a head of zeros, so that every candidate starts with the same reward.

    Raises:
        ModelError: it cannot be loaded, or lacks weights.
    """
    try:
        with headless_base():
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
            f"{recipe.base} lacks {', '.join(missing[:3]) or 'a head that could be trained'}: take a "
            "base whose decoder is whole and of a kind that transformers classifies with."
        )
    if "score.weight" in notes["missing_keys"]:
        with torch.no_grad():
            network.score.weight.zero_()
    network.score.float()
    return network


def adapters_of(network: Any, recipe: Recipe) -> LoraConfig | None:
    """The recipe's adapters, on every linear layer of the decoder's upper blocks.

    Raises:
        UsageError: the recipe leaves no layer.
    """
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


def _fitting(adapters: LoraConfig | None, begun: Start | None) -> LoraConfig | None:
    """The recipe's adapters, which those that the run goes on from have to be like."""
    if begun is not None and adapters is not None:
        begun.must_fit(adapters)
    return adapters


def _arguments(recipe: Recipe, out: Path, groups: int, watched: bool) -> RewardConfig:
    processes = PartialState().num_processes
    accumulated, rest = divmod(recipe.groups_per_step, recipe.groups_per_pass * processes)
    if rest or not accumulated:
        raise UsageError(
            f"groups_per_step ({recipe.groups_per_step}) is no multiple of groups_per_pass "
            f"({recipe.groups_per_pass}) times {processes} processes."
        )
    steps = math.ceil(groups / recipe.groups_per_step * recipe.epochs)
    when = "steps" if watched else "no"
    return RewardConfig(
        output_dir=str(out / "checkpoints"),
        per_device_train_batch_size=recipe.groups_per_pass,
        per_device_eval_batch_size=1,  # a smaller last batch would count as a whole one
        gradient_accumulation_steps=accumulated,
        gradient_checkpointing=recipe.gradient_checkpointing,
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        lr_scheduler_type="cosine",
        warmup_steps=recipe.warmup,
        max_steps=min(steps, recipe.max_steps or steps),
        bf16=recipe.autocast,
        disable_dropout=recipe.lora is None or not recipe.lora.dropout,
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
        restore_callback_states_from_checkpoint=True,
        logging_steps=_a_tenth(recipe.evaluate_every),
        logging_nan_inf_filter=False,
        seed=recipe.seed,
        disable_tqdm=True,
        report_to=list(recipe.report_to),
        use_cpu=not torch.cuda.is_available(),
    )


def _a_tenth(steps: int) -> int:
    """Of what divides `steps` the largest up to a tenth, so that no log spans a restart."""
    return next(n for n in range(max(1, steps // 10), 0, -1) if steps % n == 0)


def _stopping(recipe: Recipe, watched: bool) -> list[EarlyStoppingCallback]:
    if recipe.patience is None:
        return []
    if not watched:
        raise UsageError("The recipe's patience needs held-out pairs: give --held-out.")
    return [EarlyStoppingCallback(recipe.patience)]


def _groups(
    pairs: Generator[TrainingPair], renderer: Renderer, recipe: Recipe, account: Account
) -> Dataset:
    with closing(pairs):
        return _data_set(rendered(pairs, renderer, recipe.max_tokens, account), recipe)


def _data_set(groups: Iterable[TrainingGroup], recipe: Recipe) -> Dataset:
    """Groups as an Arrow table, a thousand at a time: Python's integers take ten times the memory."""
    import pyarrow as pa

    row = pa.list_(pa.uint32())
    fields = {"chosen_ids": row, "rejected_ids": pa.list_(row), "source": pa.string()}
    if recipe.margins:
        fields["margins"] = pa.list_(pa.float32())
    schema = pa.schema(list(fields.items()))
    batches = []
    rows: list[dict[str, Any]] = []

    def flush() -> None:
        batches.append(pa.RecordBatch.from_pylist(rows, schema=schema))
        rows.clear()

    for group in groups:
        made: dict[str, Any] = {
            "chosen_ids": group.chosen,
            "rejected_ids": list(group.rejected),
            "source": group.source,
        }
        if recipe.margins:
            made["margins"] = [recipe.margins.get(kind, 0.0) for kind in group.error_types]
        rows.append(made)
        if len(rows) == ROWS_AT_ONCE:
            flush()
    flush()
    return Dataset(pa.Table.from_batches(batches, schema=schema))


def _spread(rows: Dataset, number: int | None) -> Dataset:
    """At most `number` rows, evenly spread."""
    if number is None or number >= len(rows):
        return rows
    return rows.select([place * len(rows) // number for place in range(number)])


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as why:
        raise DataError(f"{path} cannot be read: {why.strerror}.") from None
