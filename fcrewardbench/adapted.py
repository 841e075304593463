"""Low-rank adapters as peft saves them, merged into their base once, and cached as a plain model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fcrewardbench.adapters.folder import headless_base
from fcrewardbench.errors import MissingExtra, ModelError
from fcrewardbench.packages import cache_folder, made_whole

CONFIG = "adapter_config.json"
Locate = Callable[[str, str | None], tuple[Path, str | None]]


def is_adapter(folder: Path) -> bool:
    """Whether a folder holds adapters, and not a whole model."""
    return (folder / CONFIG).is_file() and not (folder / "config.json").is_file()


def merged(folder: Path, locate: Locate) -> Path:
    """The model that a reward model's adapters make of their base: a transformers folder in float32.

    Args:
        folder: `adapter_config.json` and `adapter_model.safetensors`, with the tokenizer if it is
            another one than the base's.
        locate: finds the base by the name that the adapters' configuration has, and its revision.

    Raises:
        ModelError: the adapters are not those of a reward model, or do not fit their base.
        MissingExtra: peft or transformers is not installed.
    """
    config = _config(folder)
    base, _ = locate(config["base_model_name_or_path"], config.get("revision"))
    path = cache_folder() / "models" / f"adapted-{_digest(folder, base)}"
    if path.exists():
        return path
    with made_whole(path) as made:
        _merge(folder, base, made)
    return path


def _config(folder: Path) -> dict[str, Any]:
    try:
        config: dict[str, Any] = json.loads((folder / CONFIG).read_text("utf-8"))
    except ValueError as why:
        raise ModelError(f"{folder / CONFIG} is not JSON: {why}") from None
    if config.get("task_type") != "SEQ_CLS" or not config.get("base_model_name_or_path"):
        raise ModelError(
            f"{folder} holds adapters of the task {config.get('task_type')} on the base "
            f"{config.get('base_model_name_or_path')}; those of a reward model are SEQ_CLS, with their "
            "base named. Merge others into their base first."
        )
    return config


def _digest(folder: Path, base: Path) -> str:
    digest = hashlib.sha256(str(base.name).encode())
    for part in (folder, base):
        for file in sorted([*part.glob("*.safetensors"), *part.glob("*.json")]):
            with file.open("rb") as content:
                digest.update(hashlib.file_digest(content, "sha256").digest())
    return digest.hexdigest()[:16]


def _merge(folder: Path, base: Path, made: Path) -> None:
    try:
        import torch
        from peft import PeftModel
        from transformers import AutoModelForSequenceClassification, AutoTokenizer
    except ImportError as why:
        raise MissingExtra(str(why.name), "hf") from None

    has_tokenizer = (folder / "tokenizer_config.json").is_file()
    try:
        with headless_base():
            network = AutoModelForSequenceClassification.from_pretrained(
                base, num_labels=1, dtype=torch.float32, use_safetensors=True
            )
        head = network.score.weight.clone()
        network = PeftModel.from_pretrained(network, str(folder)).merge_and_unload()
        tokenizer = AutoTokenizer.from_pretrained(folder if has_tokenizer else base)
    except Exception as why:  # peft, transformers and safetensors raise whatever they meet
        reason = " ".join(str(why).split())[:300]
        raise ModelError(f"The adapters in {folder} do not fit their base: {reason}") from why
    if torch.equal(network.score.weight, head):
        raise ModelError(f"The adapters in {folder} bring no head, so scores would be random.")
    network.save_pretrained(made)
    tokenizer.save_pretrained(made)
