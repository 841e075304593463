"""What can be told to be impossible before any pair is rendered."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState

from fcrewardbench import ModelError, PlainTextWarning, UsageError
from fcrewardbench.adapters.arithmetic import warn_if_slow
from fcrewardbench.adapters.folder import load_config, longest_sequence
from toolrm.train.recipe import Recipe


def check(recipe: Recipe, base: Path, tokenizer: Any) -> None:
    """Refuse what cannot be trained, and tell of what will be odd or slow.

    Raises:
        ModelError: the tokenizer has no token to pad with.
        UsageError: the recipe's sequences are too long for the base, or several GPUs are in sight of
            one process.
    """
    limit = longest_sequence(load_config(str(base), trust_remote_code=False))
    if limit is not None and recipe.max_tokens > limit:
        raise UsageError(f"{recipe.base} takes {limit} tokens; max_tokens must not be above that.")
    if tokenizer.pad_token is None and tokenizer.eos_token is None:
        raise ModelError(f"{recipe.base} has neither a padding nor an end token in its tokenizer.")
    state = PartialState()
    if state.num_processes == 1 and torch.cuda.device_count() > 1:
        raise UsageError(
            f"{torch.cuda.device_count()} GPUs are in sight of one process: start it with accelerate "
            "launch -m toolrm train …, or show it one GPU by CUDA_VISIBLE_DEVICES."
        )
    if not state.is_main_process:
        return
    if not getattr(tokenizer, "chat_template", None):
        warnings.warn(
            f"{recipe.base} has no chat template: it reads conversations as plain text.",
            PlainTextWarning,
            stacklevel=2,
        )
    if not torch.cuda.is_available():
        computed = "bfloat16" if recipe.autocast else recipe.dtype
        warn_if_slow(computed, "set autocast to false and dtype to float32 in the recipe")
