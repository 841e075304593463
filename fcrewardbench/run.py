"""Run an evaluation: sample, score or judge, keep every row, end in a card."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from fcrewardbench.adapters.base import Adapter, Judge, Scorer
from fcrewardbench.adapters.registry import Loaded, load_named, parameters_of
from fcrewardbench.benchmarks.registry import load_benchmark, pinned
from fcrewardbench.config import EvaluateConfig, config_of
from fcrewardbench.errors import FCRewardBenchError, RunError, UsageError
from fcrewardbench.report.card import disputes, make_card, read_card
from fcrewardbench.report.tables import report_markdown
from fcrewardbench.rows import Row, RowLog, read_parquet, row_of, write_parquet
from fcrewardbench.types import Benchmark, CandidateSet, Compared, Item, Scored

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[int, int], None]
"""Called with the number of finished items and the number of all."""


@dataclass(frozen=True, slots=True)
class Run:
    """A finished evaluation: its card (plain JSON data), its rows, and the folder that holds both."""

    card: dict[str, Any]
    rows: list[Row]
    folder: Path | None

    @property
    def accuracy(self) -> float:
        """Mean credit over all pairs of the run."""
        value: float = self.card["metrics"]["accuracy"]
        return value

    def to_pandas(self) -> pd.DataFrame:
        """The rows as a data frame, one pair a row."""
        import pandas as pd

        return pd.DataFrame(self.rows)


def evaluate(
    model: str | Adapter,
    benchmark: str | Benchmark = "open",
    *,
    adapter: str | None = None,
    out: str | Path | None = None,
    limit: int | None = None,
    sample_seed: int = 0,
    fresh: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> Run:
    """Evaluate a model on a benchmark.

    Args:
        model: a name that `load` knows, or a loaded scorer or judge.
        benchmark: a name that `load_benchmark` knows, or a loaded benchmark.
        adapter: see `load`.
        out: a folder for `card.json`, `rows.parquet` and `report.md`. With it the run can be killed at
            any time and goes on where it was; without it nothing is written.
        limit: score a sample of so many pairs, stratified by error type.
        sample_seed: of the sample.
        fresh: throw away what `out` holds of an earlier run.
        progress: called after every pair.
        options: the adapter's own.

    Raises:
        UsageError: bad names, options or data, or `out` holds another run.
        RunError: the run broke off; what is done is kept in `out`.
    """
    named = (
        model if isinstance(model, str) else f"{type(model).__module__}:{type(model).__qualname__}"
    )
    if not isinstance(model, str):
        _refuse_unnamed(model, adapter, options, out)
    config = config_of(
        {
            "model": named,
            "adapter": adapter,
            "benchmark": benchmark if isinstance(benchmark, str) else benchmark.name,
            "limit": limit,
            "sample_seed": sample_seed,
            "options": options,
        }
    )
    data = load_benchmark(benchmark) if isinstance(benchmark, str) else benchmark
    if isinstance(model, str):
        loaded = load_named(model, adapter, **options)
    else:
        loaded = Loaded(named, named, model, by_name=False)
    return _run(config, data, loaded, None if out is None else Path(out), fresh, progress)


def _refuse_unnamed(
    model: Adapter, adapter: str | None, options: dict[str, Any], out: str | Path | None
) -> None:
    """What cannot be said of a loaded object, whose settings its `describe` alone knows."""
    cls = type(model)
    if adapter is not None or options:
        given = ", ".join([*(["adapter"] if adapter is not None else []), *options])
        raise UsageError(
            f"{given}: a loaded model is as it was loaded; give the model's name instead."
        )
    told = cls.describe not in (Scorer.describe, Judge.describe)
    if out is not None and not told and parameters_of(cls):
        raise UsageError(
            f"{cls.__name__} takes {', '.join(parameters_of(cls))} and has no describe() that tells "
            "two settings apart, so a run of it cannot be kept in a folder: give it one."
        )


def evaluate_config(
    config: EvaluateConfig,
    out: Path,
    *,
    repeats: dict[str, Any] | None = None,
    fresh: bool = False,
    progress: Progress | None = None,
) -> Run:
    """Do what a configuration says; see `evaluate`.

    Args:
        repeats: the card of the run that this one repeats.

    Raises:
        UsageError: benchmark or weights are not that run's any more; and those of `evaluate`.
    """
    data = load_benchmark(config.benchmark)
    loaded = load_named(config.model, config.adapter, **config.options)
    if repeats is not None and config.benchmark == repeats["config"]["benchmark"]:
        _refuse_other("data", repeats["benchmark"]["sha256"], data.sha256)
    if repeats is not None and config.model == repeats["config"]["model"]:
        _refuse_other(
            "weights", repeats["model"].get("revision"), loaded.adapter.describe().get("revision")
        )
    return _run(config, data, loaded, out, fresh, progress)


def _refuse_other(what: str, then: str | None, now: str | None) -> None:
    if then != now:
        raise UsageError(
            f"The run to repeat was on other {what} ({then}; now {now}): evaluate without --config, or "
            "get these back."
        )


def _run(
    config: EvaluateConfig,
    benchmark: Benchmark,
    loaded: Loaded,
    folder: Path | None,
    fresh: bool,
    progress: Progress | None,
) -> Run:
    evaluation = _Evaluation(config, benchmark, loaded, folder, progress)
    if folder is None:
        return evaluation.run()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", timeout=0):
            if fresh:
                for name in ("rows.jsonl", "rows.parquet", "card.json", "report.md"):
                    (folder / name).unlink(missing_ok=True)
            return evaluation.run()
    except Timeout:
        raise UsageError(f"Another run is writing to {folder}; give another --out.") from None


def check_fit(loaded: Loaded, benchmark: Benchmark) -> None:
    """Raises `UsageError` where a judge, which compares two candidates, meets sets of more."""
    sets = [item for item in benchmark.items if isinstance(item, CandidateSet)]
    if isinstance(loaded.adapter, Judge) and sets:
        raise UsageError(
            f"{benchmark.title} has sets of {len(sets[0].candidates)} candidates and "
            f"'{loaded.name}' is a judge, which compares two: evaluate a scorer on it."
        )


class _Evaluation:
    """One run, from its pairs to its card."""

    def __init__(
        self,
        config: EvaluateConfig,
        benchmark: Benchmark,
        loaded: Loaded,
        folder: Path | None,
        progress: Progress | None,
    ) -> None:
        self._config = config
        self._benchmark = benchmark
        self._loaded = loaded
        self._folder = folder
        self._progress = progress or (lambda done, total: None)
        check_fit(loaded, benchmark)
        self._items = sample(benchmark.items, config.limit, config.sample_seed)
        self._identity = self._identify()

    def run(self) -> Run:
        identity = self._identity
        done = self._finished(identity)
        if done is not None:
            return done
        started = time.monotonic()
        if self._folder is None:
            rows = {row.id: row for row in self._rows(self._items, 0)}
            return self._end(rows, time.monotonic() - started, identity)
        with RowLog(self._folder / "rows.jsonl", identity) as log:
            before = log.seconds
            left = [item for item in self._items if item.id not in log.rows]
            for row in self._rows(left, len(log.rows)):
                log.append(row, before + time.monotonic() - started)
            return self._end(log.rows, before + time.monotonic() - started, identity)

    def _rows(self, items: list[Item], done: int) -> Iterator[Row]:
        """Rows of the items, as their results come."""
        by_id = {item.id: item for item in items}
        self._progress(done, len(self._items))
        try:
            for result in self._results(frozenset(by_id)):
                item = by_id.pop(result.id)
                yield row_of(item, item.group(), result)
                done += 1
                self._progress(done, len(self._items))
        except FCRewardBenchError:
            raise
        except Exception as why:
            raise RunError(
                f"The run broke off after {done} of {len(self._items)} pairs "
                f"({type(why).__name__}: {why}). The same command goes on from there."
            ) from why
        if by_id:
            raise RunError(
                f"The adapter '{self._loaded.adapter_name}' gave no result for {len(by_id)} pairs, "
                f"the first '{next(iter(by_id))}'; it has to give one for every group."
            )

    def _results(self, left: frozenset[str]) -> Iterator[Scored | Compared]:
        """What the adapter gives for the groups that are left."""
        adapter = self._loaded.adapter
        groups = (item.group() for item in self._items)
        if isinstance(adapter, Scorer) and adapter.sees_labels:
            return adapter.score_groups(group for group in groups if group.id in left)
        unlabelled = (replace(group, correct=None) for group in groups)
        work: Callable[..., Iterator[Scored | Compared]] = (
            adapter.compare_groups if isinstance(adapter, Judge) else adapter.score_groups
        )
        if adapter.plans:
            return work(unlabelled, done=frozenset(item.id for item in self._items) - left)
        return work(group for group in unlabelled if group.id in left)

    def _identify(self) -> dict[str, Any]:
        """What must be equal for two runs to be one."""
        described = self._loaded.adapter.describe()
        described.pop("reported", None)  # what a server says of itself comes with its answers
        neutral = self._loaded.adapter.neutral_options
        asked = self._config.model_dump(mode="json")
        asked["options"] = {k: v for k, v in asked["options"].items() if k not in neutral}
        return {
            "config": asked,
            "benchmark_sha256": self._benchmark.sha256,
            "model": described,
            "fcrewardbench": version("fcrewardbench"),
        }

    def _finished(self, identity: dict[str, Any]) -> Run | None:
        """The run that the folder holds, if it is this one and complete."""
        if self._folder is None or not (self._folder / "card.json").exists():
            return None
        card = read_card(self._folder)
        if card["run_sha256"] != _digest(identity):
            raise UsageError(
                f"{self._folder} holds another run (of {card['model']['name']} on "
                f"{card['benchmark']['name']}, or with other options): give another --out, or --fresh "
                "to throw it away."
            )
        if card["metrics"]["outcomes"]["error"]:
            self._reopen(card, identity)
            return None
        found = read_parquet(self._folder / "rows.parquet")
        rows = self._ordered({row.id: row for row in found})
        if rows != found:
            card |= disputes(rows, balanced=self._benchmark.balanced)
            self._write(card, rows)
        self._progress(len(rows), len(rows))
        return Run(card, rows, self._folder)

    def _ordered(self, rows: dict[str, Row]) -> list[Row]:
        """The complete rows in the benchmark's order, disputed as its items are by now."""
        return [replace(rows[item.id], doubt=item.doubt) for item in self._items]

    def _reopen(self, card: dict[str, Any], identity: dict[str, Any]) -> None:
        """Turn a finished run with failed rows back into a log, so that these are tried again."""
        assert self._folder is not None
        rows = read_parquet(self._folder / "rows.parquet")
        (self._folder / "rows.jsonl").unlink(missing_ok=True)
        with RowLog(self._folder / "rows.jsonl", identity) as log:
            for row in rows:
                log.append(row, card["seconds"])
        (self._folder / "card.json").unlink()

    def _end(self, rows: dict[str, Row], seconds: float, identity: dict[str, Any]) -> Run:
        """Card, table and report of the complete rows, in the benchmark's order."""
        ordered = self._ordered(rows)
        loaded, benchmark = self._loaded, self._benchmark
        model = {
            "name": loaded.name,
            "adapter": loaded.adapter_name,
            "kind": loaded.adapter.kind,
            "revision": None,
            "dtype": None,
            **loaded.adapter.describe(),
        }
        known = loaded.package or loaded.preset
        if known is not None:
            model["note"] = known.description
            model["licence"] = known.licence
        if loaded.preset is not None:
            model["label"] = loaded.preset.label
        card = make_card(
            ordered,
            benchmark={
                "name": benchmark.name,
                "edition": benchmark.edition,
                "subset": benchmark.subset,
                "sha256": benchmark.sha256,
                "pairs": len(benchmark.items),
                "balanced": benchmark.balanced,
            },
            sample=self._sample_note(),
            model=model,
            config=self._repeatable(),
            seconds=seconds,
        )
        card["run_sha256"] = _digest(identity)
        if self._folder is not None:
            self._write(card, ordered)
            (self._folder / "rows.jsonl").unlink(missing_ok=True)
        return Run(card, ordered, self._folder)

    def _write(self, card: dict[str, Any], rows: list[Row]) -> None:
        assert self._folder is not None
        write_parquet(rows, self._folder / "rows.parquet")
        _write(self._folder / "report.md", report_markdown(card))
        _write(self._folder / "card.json", json.dumps(card, indent=2) + "\n")

    def _repeatable(self) -> dict[str, Any] | None:
        """The configuration with everything pinned; None where the model was a loaded object."""
        if not self._loaded.by_name:
            return None
        config = self._config.model_dump(mode="json")
        config["benchmark"] = pinned(config["benchmark"], self._benchmark)
        pins = {
            "base_url": self._identity["model"].get("base_url"),
            "revision": self._loaded.commit,
        }
        config["options"].update({name: pin for name, pin in pins.items() if pin is not None})
        return config

    def _sample_note(self) -> dict[str, Any] | None:
        if len(self._items) == len(self._benchmark.items):
            return None
        return {
            "pairs": len(self._items),
            "of": len(self._benchmark.items),
            "method": f"stratified by error type, seed {self._config.sample_seed}",
        }


def sample(items: tuple[Item, ...], limit: int | None, seed: int) -> list[Item]:
    """A sample stratified by error type, in the order of the items.

    Every type gets its share of `limit`, rounded by largest remainder; within a type, the items with
    the smallest hash of seed and id.
    """
    if limit is None or limit >= len(items):
        return list(items)
    counts = Counter(item.error_type for item in items)
    shares = {kind: limit * count / len(items) for kind, count in counts.items()}
    quota = {kind: int(share) for kind, share in shares.items()}
    by_remainder = sorted(counts, key=lambda kind: (quota[kind] - shares[kind], kind))
    for kind in by_remainder[: limit - sum(quota.values())]:
        quota[kind] += 1
    chosen = set()
    for item in sorted(items, key=lambda i: hashlib.sha256(f"{seed}\n{i.id}".encode()).digest()):
        if quota[item.error_type]:
            quota[item.error_type] -= 1
            chosen.add(item.id)
    return [item for item in items if item.id in chosen]


def _digest(identity: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


def _write(path: Path, text: str) -> None:
    scratch = path.with_suffix(path.suffix + ".tmp")
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(path)
