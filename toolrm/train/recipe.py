"""What a training run is asked to do: one YAML file."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fcrewardbench import UnknownName, UsageError


class Lora(BaseModel):
    """Low-rank adapters instead of full weights; the head is trained in any case.

    `from_layer` is the lowest layer that gets them, where the backward pass ends.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rank: int = Field(default=16, ge=1)
    alpha: int = Field(default=32, ge=1)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    from_layer: int = Field(default=0, ge=0)


class Recipe(BaseModel):
    """One training run.

    Args:
        base: the model to start from, as `fcrb evaluate --model` takes it: a known model's name, a
            folder, or a hub id.
        revision: the hub's revision of it.
        lora: low-rank adapters; None trains all weights.
        dtype: what the frozen or trained weights are kept in. Full training in bfloat16 rounds small
            steps away, so it keeps float32 and computes in bfloat16 (`autocast`).
        autocast: compute in bfloat16.
        learning_rate: the peak; a cosine with `warmup` (a share of all steps) leads to and from it.
        groups_per_step: groups in one optimiser step, over all processes.
        groups_per_pass: groups in one forward pass of one process; a matter of memory alone.
        epochs: how often all groups are seen.
        max_steps: ends earlier, where all epochs take more.
        center_rewards: the coefficient of (chosen + rejected)² in the loss.
        margins: by error type, how far chosen has to be above rejected; 0 for the others.
        max_tokens: the longest sequence; what is cut from longer ones, and in which order, is said in
            `toolrm.train.groups`.
        evaluate_every: steps between two looks at the held-out pairs, each of which is a checkpoint.
        evaluated_groups: held-out groups that a look takes, evenly spread over the file; None for all.
        patience: how many looks may pass without a better one before training stops; None for no end.
        seed: of the order of groups, the adapters' start, and dropout.
        report_to: where metrics go besides, by transformers' integrations.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    base: str
    revision: str | None = None
    lora: Lora | None = None
    dtype: Literal["float32", "bfloat16"] = "float32"
    autocast: bool = True
    gradient_checkpointing: bool = False
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    warmup: float = Field(default=0.03, ge=0, lt=1)
    groups_per_step: int = Field(default=16, ge=1)
    groups_per_pass: int = Field(default=1, ge=1)
    epochs: float = Field(default=1.0, gt=0)
    max_steps: int | None = Field(default=None, ge=1)
    center_rewards: float | None = Field(default=0.01, ge=0)
    margins: dict[str, float] = Field(default_factory=dict)
    max_tokens: int = Field(default=2_048, ge=16)
    evaluate_every: int = Field(default=100, ge=1)
    evaluated_groups: int | None = Field(default=None, ge=1)
    patience: int | None = Field(default=None, ge=1)
    seed: int = 0
    report_to: tuple[Literal["tensorboard", "trackio", "wandb"], ...] = ()


def recipe_names() -> list[str]:
    """The recipes of training that ship with the package."""
    folder = files("toolrm") / "recipes"
    names = (entry.name for entry in folder.iterdir())
    return sorted(
        name.removesuffix(".yaml")
        for name in names
        if name.endswith(".yaml") and not name.startswith("synthesize-")
    )


def load_recipe(name: str) -> Recipe:
    """A recipe by its name, or out of a YAML file.

    Raises:
        UnknownName: neither a recipe nor a file.
        UsageError: the file cannot be read, or a field in it cannot be so.
    """
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        try:
            text = path.read_text("utf-8")
        except OSError as why:
            raise UsageError(f"The recipe {path} cannot be read: {why.strerror}.") from None
    elif name in recipe_names():
        text = (files("toolrm") / "recipes" / f"{name}.yaml").read_text("utf-8")
    else:
        raise UnknownName("recipe", name, recipe_names(), "A file's name ends in .yaml.")
    try:
        values: Any = yaml.safe_load(text)
        return Recipe.model_validate(values)
    except yaml.YAMLError as why:
        raise UsageError(f"The recipe {name} is no YAML: {' '.join(str(why).split())}.") from None
    except ValidationError as why:
        fields = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in why.errors())
        raise UsageError(f"The recipe {name} cannot be followed ({fields}).") from None
