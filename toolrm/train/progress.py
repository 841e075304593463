"""What a training run tells while it runs: a bar, a line a look, `metrics.jsonl`, curves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

_TOLD = ("loss", "accuracy", "margin", "mean_reward", "std_reward", "grad_norm", "learning_rate")


class Progress(TrainerCallback):  # type: ignore[misc]
    """Writes every metric into `metrics.jsonl` of a folder, and shows where the run stands.

    A run that goes on after a kill drops what the file holds beyond its checkpoint, and repeats it.
    """

    def __init__(self, folder: Path, groups: int, groups_per_step: int) -> None:
        self._groups, self._groups_per_step = groups, groups_per_step
        self._path = folder / "metrics.jsonl"
        self._console = Console(stderr=True)
        columns = (
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(elapsed_when_finished=False),
        )
        self._bar = Bar(*columns, console=self._console, disable=not self._console.is_terminal)
        self.before: dict[str, float] = {}
        """The metrics of the look before the first step, if there is one."""
        self.best: dict[str, float] = {}
        """The metrics of the best look at a checkpoint so far: the one of the least loss."""

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        if not state.is_world_process_zero:
            return
        last = state.global_step or -1  # a run that begins anew keeps not even its first look
        kept = [row for row in read_metrics(self._path) if row["step"] <= last]
        scratch = self._path.with_name(f"{self._path.name}.part")
        scratch.write_text("".join(json.dumps(row) + "\n" for row in kept), "utf-8")
        scratch.replace(self._path)
        for row in kept:
            self._look(row)
        epochs = state.max_steps * self._groups_per_step / self._groups
        self._console.print(
            f"{self._groups:,} groups; {state.max_steps:,} steps of {self._groups_per_step}: "
            f"{epochs:.2g} epochs",
            highlight=False,
        )
        self._bar.start()
        self._task = self._bar.add_task("", total=state.max_steps, completed=state.global_step)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        if state.is_world_process_zero:
            self._bar.update(self._task, completed=state.global_step)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        if not state.is_world_process_zero or not logs or "train_runtime" in logs:
            return
        row = {"step": state.global_step, **logs}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        self._look(row)
        kind = "held out " if "eval_loss" in row else ""
        told = {name: row.get(f"eval_{name}" if kind else name) for name in _TOLD}
        text = "  ".join(f"{name} {value:.4g}" for name, value in told.items() if value is not None)
        lines = [f"{kind}{text}"] if text else []
        lines += [
            f"held out, {source}: loss {loss:.4g}  accuracy {accuracy:.4g}"
            for source, (loss, accuracy) in by_source(row).items()
        ]
        for line in lines:
            self._console.print(
                f"step {state.global_step}  {line}", highlight=False, soft_wrap=True
            )

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self._bar.stop()
        before, best = (look.get("eval_loss", 0.0) for look in (self.before, self.best))
        if self.before and before < best:
            self._console.print(
                f"The held-out loss was {before:.4g} before the first step and is {best:.4g} at best: "
                "what the run went on from was better.",
                highlight=False,
                soft_wrap=True,
            )

    def _look(self, row: dict[str, float]) -> None:
        if "eval_loss" in row and not row["step"]:
            self.before = row
        elif "eval_loss" in row and row["eval_loss"] < self.best.get("eval_loss", float("inf")):
            self.best = row


def by_source(look: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    """Loss and accuracy of a look by the source of its groups."""
    sources = sorted(key.partition("/")[2] for key in look if key.startswith("eval_loss/"))
    return {name: (look[f"eval_loss/{name}"], look[f"eval_accuracy/{name}"]) for name in sources}


def read_metrics(path: Path) -> list[dict[str, float]]:
    """The rows of a `metrics.jsonl`; a last line that was cut off by a kill is left out."""
    if not path.is_file():
        return []
    lines = path.read_text("utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1]]


def draw_curves(path: Path, picture: Path) -> None:
    """Loss and accuracy over steps, in training and on held-out pairs, as a PNG."""
    from matplotlib.figure import Figure

    rows = read_metrics(path)
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axes, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for key, label, style in ((name, "training", "-"), (f"eval_{name}", "held out", "o-")):
            points = [(row["step"], row[key]) for row in rows if key in row]
            if points:
                axes.plot(*zip(*points, strict=True), style, label=label, markersize=3)
        axes.set_xlabel("step")
        axes.set_title(name)
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(picture, dpi=120)
