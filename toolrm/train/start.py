"""Adapters of a finished run, to go on from."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from peft import PeftConfig, TaskType

from fcrewardbench import UsageError
from toolrm.train.recipe import Recipe

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_UNUSED = ("use_rslora", "use_dora", "rank_pattern", "alpha_pattern")
"""What of LoRA no recipe asks for, and makes other weights of the same adapters."""


def begun_by(start: Path, recipe: Recipe) -> dict[str, Any]:
    """What a run that goes on from adapters has to tell of them.

    `sha256` is of their configuration and weights. `data` is the hash of the pairs that they were
    trained on, and `overlap` what these had in common with benchmarks, both out of their run's
    `report.json` in the folder or the one above; None where there is none, or it does not say.

    Raises:
        UsageError: the folder holds no adapters, or others than the recipe's.
    """
    if recipe.lora is None:
        raise UsageError("Going on from adapters needs a recipe with lora.")
    try:
        found: Any = PeftConfig.from_pretrained(str(start))
        files = [(start / name).read_bytes() for name in (CONFIG, WEIGHTS)]
    except (ValueError, OSError, TypeError, KeyError) as why:
        reason = " ".join(str(why).split())
        raise UsageError(f"{start} holds no adapters that can be read: {reason}.") from None
    layers = getattr(found, "layers_to_transform", None)
    problems = {
        f"their base is {found.base_model_name_or_path}, the recipe's {recipe.base}": (
            found.base_model_name_or_path == recipe.base
        ),
        f"their rank and alpha are not {recipe.lora.rank} and {recipe.lora.alpha}": (
            (getattr(found, "r", None), getattr(found, "lora_alpha", None))
            == (recipe.lora.rank, recipe.lora.alpha)
        ),
        f"their layers do not begin at {recipe.lora.from_layer}": (
            isinstance(layers, list) and min(layers, default=-1) == recipe.lora.from_layer
        ),
        "they were not made by toolrm train": (
            found.task_type == TaskType.SEQ_CLS
            and "score" in (found.modules_to_save or ())
            and not any(getattr(found, name, None) for name in _UNUSED)
        ),
    }
    for problem, fits in problems.items():
        if not fits:
            raise UsageError(f"The adapters in {start} do not fit the recipe: {problem}.")
    report = _report_of(start)
    return {
        "sha256": hashlib.sha256(b"".join(files)).hexdigest(),
        "data": report.get("inputs", {}).get("data"),
        "overlap": report.get("overlap"),
    }


def _report_of(start: Path) -> dict[str, Any]:
    for folder in (start, start.parent):
        path = folder / "report.json"
        if path.is_file():
            report: dict[str, Any] = json.loads(path.read_text("utf-8"))
            return report
    return {}
