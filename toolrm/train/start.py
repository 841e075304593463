"""Adapters of a finished run, to go on from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peft import LoraConfig, PeftConfig, TaskType

from fcrewardbench import UsageError
from toolrm.train.recipe import Recipe

CONFIG, WEIGHTS, REPORT = "adapter_config.json", "adapter_model.safetensors", "report.json"
_UNUSED = ("use_rslora", "use_dora", "rank_pattern", "alpha_pattern")
"""What of LoRA no recipe asks for, and makes other weights of the same adapters."""

_TOLD_OF_OVERLAP = ("clean", "records", "records_refused", "references", "sha256")


@dataclass(frozen=True)
class Start:
    """Adapters that a run goes on from.

    `told` has the `sha256` of their configuration and weights, and what their run's `report.json` (in
    the folder or in the one above) says: `data`, the hash of the pairs that they were trained on;
    `overlap`, what these had in common with benchmarks; `generators`, those of their rejected calls;
    `start`, the same of what they went on from.
    Each of these is None where there is no report, or it does not say.
    """

    folder: Path
    config: Any
    told: dict[str, Any]

    def must_fit(self, adapters: LoraConfig) -> None:
        """Raises UsageError where the recipe's adapters are of other modules or layers."""
        for name in ("target_modules", "layers_to_transform"):
            theirs, ours = (sorted(getattr(one, name) or ()) for one in (self.config, adapters))
            if theirs != ours:
                raise _unfit(self.folder, f"their {name} are {theirs}, the recipe's {ours}")

    @property
    def is_compared(self) -> bool:
        """Whether data of every run before are known to have been compared with benchmarks."""
        return all(one["overlap"] is not None for one in _chain(self.told))

    def refuse_overlap(self) -> None:
        """Raises UsageError where data of any run before had something in common with benchmarks."""
        for one in _chain(self.told):
            if one["overlap"] is not None and not one["overlap"]["clean"]:
                raise UsageError(
                    f"The adapters in {self.folder} saw pairs that overlap with benchmarks: go on from "
                    "others, or with --allow-overlap."
                )


def _chain(told: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
    while told is not None:
        yield told
        told = told["start"]


def start_from(folder: Path, recipe: Recipe) -> Start:
    """Read adapters and what is known of them.

    Raises:
        UsageError: the folder holds no adapters, others than the recipe's, or a report that is none.
    """
    if recipe.lora is None:
        raise UsageError("Going on from adapters needs a recipe with lora.")
    try:
        found: Any = PeftConfig.from_pretrained(str(folder))
        files = [(folder / name).read_bytes() for name in (CONFIG, WEIGHTS)]
    except (ValueError, OSError, TypeError, KeyError) as why:
        reason = " ".join(str(why).split())
        raise UsageError(f"{folder} holds no adapters that can be read: {reason}.") from None
    if (
        found.task_type != TaskType.SEQ_CLS
        or "score" not in (found.modules_to_save or ())
        or any(getattr(found, name, None) for name in _UNUSED)
    ):
        raise _unfit(folder, "they were not made by toolrm train")
    if found.base_model_name_or_path != recipe.base:
        raise _unfit(folder, f"their base is {found.base_model_name_or_path}, not {recipe.base}")
    if (found.r, found.lora_alpha) != (recipe.lora.rank, recipe.lora.alpha):
        raise _unfit(
            folder, f"their rank and alpha are not {recipe.lora.rank} and {recipe.lora.alpha}"
        )
    sha256 = hashlib.sha256(b"".join(files)).hexdigest()
    return Start(folder, found, {"sha256": sha256, **_reported(folder)})


def _unfit(folder: Path, reason: str) -> UsageError:
    return UsageError(f"The adapters in {folder} do not fit the recipe: {reason}.")


def _reported(folder: Path) -> dict[str, Any]:
    path = next((p for p in (folder / REPORT, folder.parent / REPORT) if p.is_file()), None)
    if path is None:
        return {"data": None, "overlap": None, "start": None, "generators": None}
    try:
        report = json.loads(path.read_text("utf-8"))
        return _link(
            report["inputs"]["data"],
            report["overlap"],
            report.get("start"),
            report.get("generators"),
        )
    except (ValueError, KeyError, TypeError) as why:
        raise UsageError(f"{path} is no report of toolrm train ({why!r}): remove it.") from None


def _link(data: Any, overlap: Any, start: Any, generators: Any) -> dict[str, Any]:
    """What a card tells of a run, and of those before it.

    Raises:
        KeyError, TypeError: these are no parts of a report.
    """
    earlier = None
    if start is not None:
        before = _link(start["data"], start["overlap"], start["start"], start.get("generators"))
        earlier = {"sha256": start["sha256"], **before}
    kept = overlap and {name: overlap[name] for name in _TOLD_OF_OVERLAP}
    saw = None if generators is None else sorted(generators)
    return {"data": data, "overlap": kept, "start": earlier, "generators": saw}
