"""Many models on many benchmarks, one run after another, in a folder each.

    models:
      - skywork-reward-v2-qwen3-0.6b
      - model: ./my-reward-model
        name: my-team/my-reward-model
        options: {dtype: bfloat16}
    benchmarks: [open, open/abstain]
    out: runs/suite

Each run goes to OUT/<benchmark>/<organisation>__<model>/. What is finished there is left alone and what
was killed goes on.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
)

from fcrewardbench.adapters.base import Judge
from fcrewardbench.adapters.registry import adapter_class, adapter_names
from fcrewardbench.benchmarks.files import SUFFIXES
from fcrewardbench.benchmarks.registry import load_benchmark, pinned
from fcrewardbench.config import EvaluateConfig, config_of
from fcrewardbench.errors import FCRewardBenchError, UsageError
from fcrewardbench.presets import load_preset, preset_names
from fcrewardbench.report.card import read_card
from fcrewardbench.run import Progress, evaluate_config
from fcrewardbench.types import Benchmark, CandidateSet


def _by_name(value: object) -> object:
    return {"model": value} if isinstance(value, str) else value


class SuiteModel(BaseModel):
    """One model of a suite; `name` is organisation/model, where its own name does not tell these."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    name: str | None = Field(default=None, pattern=r"^[^/\s]+/[^/\s]+$")
    adapter: str | None = None
    options: dict[str, JsonValue] = Field(default_factory=dict)

    def label(self) -> str:
        """organisation/model.

        Raises:
            UsageError: it cannot be told.
        """
        if self.name:
            return self.name
        if self.model in preset_names():
            return load_preset(self.model).label
        plain = self.model.removeprefix("hub:")
        is_path = plain.startswith((".", "~", "path:")) or Path(plain).exists()
        if plain.count("/") != 1 or is_path or not all(plain.split("/")):
            raise UsageError(
                f"The suite's model '{self.model}' needs a name: add name: organisation/model to it."
            )
        return plain


class Suite(BaseModel):
    """What to run, and where the runs go."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    models: list[Annotated[SuiteModel, BeforeValidator(_by_name)]] = Field(min_length=1)
    benchmarks: list[str] = Field(min_length=1)
    out: Path
    limit: int | None = Field(default=None, ge=1)


@dataclass(frozen=True, slots=True)
class Task:
    """One model on one benchmark."""

    label: str
    config: EvaluateConfig
    benchmark: Benchmark
    folder: Path


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a task: a card, or the reason why there is none.

    `state` is "ran", "was there", "skipped" (it cannot be run) or "failed".
    """

    task: Task
    state: str
    card: dict[str, Any] | None = None
    reason: str = ""


def read_suite(path: Path) -> Suite:
    """The suite in a YAML file.

    Raises:
        UsageError: it cannot be read, or is no suite.
    """
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Suite.model_validate(content)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as why:
        reason = " ".join(str(why).split())
        raise UsageError(f"The suite {path} cannot be read: {reason}.") from None
    except ValidationError as why:
        fields = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in why.errors())
        raise UsageError(f"{path} is no suite that can be run ({fields}).") from None


def tasks_of(suite: Suite) -> list[Task]:
    """Every model on every benchmark, a model's runs one after another.

    Raises:
        UsageError: a benchmark that cannot be loaded, or two models of one name.
    """
    labels = [model.label() for model in suite.models]
    twice = [label for label, count in Counter(labels).items() if count > 1]
    if twice:
        raise UsageError(
            f"Two models of the suite are called {twice[0]}: give one another name: organisation/model."
        )
    benchmarks = {name: load_benchmark(name) for name in suite.benchmarks}
    return [
        Task(label, config, benchmarks[config.benchmark], _folder(suite, label, config, benchmarks))
        for model, label in zip(suite.models, labels, strict=True)
        for config in _configs(suite, model)
    ]


def _configs(suite: Suite, model: SuiteModel) -> Iterator[EvaluateConfig]:
    for benchmark in dict.fromkeys(suite.benchmarks):
        asked = {**model.model_dump(exclude={"name"}), "benchmark": benchmark, "limit": suite.limit}
        yield config_of(asked, f"the suite's model {model.model}")


def _folder(
    suite: Suite, label: str, config: EvaluateConfig, benchmarks: dict[str, Benchmark]
) -> Path:
    name = pinned(config.benchmark, benchmarks[config.benchmark]).removeprefix("path:")
    if Path(name).suffix in SUFFIXES or Path(name).exists():
        name = Path(name).name
    name = name.removeprefix("hub:").replace("/", "__")
    if config.limit is not None:
        name += f"__sample-{config.limit}"
    return suite.out / name / label.replace("/", "__")


def run_task(task: Task, progress: Progress | None = None) -> Result:
    """Run one task, or find that it is done, or that it cannot be."""
    sets = any(isinstance(item, CandidateSet) for item in task.benchmark.items)
    if sets and _is_judge(task.config):
        reason = "it is a judge, which compares two candidates, and these are sets of more"
        return Result(task, "skipped", reason=reason)
    try:
        card = _finished(task)
        if card is not None:
            return Result(task, "was there", card)
        return Result(
            task, "ran", evaluate_config(task.config, task.folder, progress=progress).card
        )
    except FCRewardBenchError as why:
        return Result(task, "failed", reason=str(why))
    except Exception as why:  # what a model's own library raises must not stop the other models
        return Result(task, "failed", reason=f"{type(why).__name__}: {why}")
    finally:
        gc.collect()  # the next model needs the memory that this one's cycles hold


def _is_judge(config: EvaluateConfig) -> bool:
    """Known before anything is loaded: what is guessed from a config.json is never a judge."""
    adapter = config.adapter
    if adapter is None and config.model in preset_names():
        adapter = load_preset(config.model).adapter
    if adapter is None and config.model in adapter_names():
        adapter = config.model
    return adapter in adapter_names() and issubclass(adapter_class(adapter), Judge)


def _finished(task: Task) -> dict[str, Any] | None:
    """The card of this very task, found without loading a model.

    A folder's weights may have changed since, so a run of one is always left to `evaluate_config`; so
    is one of another version, other options or with failed rows.
    """
    if not (task.folder / "card.json").exists():
        return None
    card = read_card(task.folder)
    asked, done = task.config, card["config"]
    same = (
        done is not None
        and [done["model"], done["adapter"]] == [asked.model, asked.adapter]
        and [done["limit"], done["sample_seed"]] == [asked.limit, asked.sample_seed]
        and done["options"] == {**done["options"], **asked.options}
        and done["options"].keys() - asked.options.keys() <= _PINS
        and card["benchmark"]["sha256"] == task.benchmark.sha256
        and card["versions"]["fcrewardbench"] == version("fcrewardbench")
        and not str(card["model"]["revision"]).startswith("files-sha256")
        and not any(_may_change(name, value) for name, value in asked.options.items())
        and not card["metrics"]["outcomes"]["error"]
    )
    return card if same else None


def _may_change(option: str, value: Any) -> bool:
    """Whether an option names a file or code, which may be another by now."""
    return isinstance(value, str) and (option == "head" or Path(value).exists())


_PINS = {"base_url", "revision"}
"""Options that a run adds to its card."""
