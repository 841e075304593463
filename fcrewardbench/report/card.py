"""The run card: everything needed to repeat a run and to believe it."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from fcrewardbench.errors import UsageError
from fcrewardbench.outcomes import pairwise_auc
from fcrewardbench.rows import Row
from fcrewardbench.stats import accuracy_interval, balanced_interval
from fcrewardbench.types import Outcome, Verdict

SCHEMA_VERSION = 2
_PACKAGES = (
    "fcrewardbench",
    "torch",
    "transformers",
    "tokenizers",
    "vllm",
    "openai",
    "numpy",
    "scipy",
)


def metrics(rows: Sequence[Row], *, balanced: bool = False) -> dict[str, Any]:
    """Accuracy with its interval, strict accuracy, and the count of every outcome.

    Where rows have several candidates, accuracy is the share whose top candidate is right, and `auc`
    joins it: the mean share of (right, wrong) pairs of candidates in the right order. Rows without
    scores count as nothing in both. Where `balanced`, accuracies are means over the error types.
    """
    credits = [row.credit for row in rows]
    catalogues = [row.catalogue for row in rows]
    strata = [row.error_type if balanced else "" for row in rows]
    interval = balanced_interval(credits, catalogues, strata)
    counts = Counter(row.outcome for row in rows)
    result: dict[str, Any] = {
        "n": len(rows),
        "accuracy": _mean_over(strata, credits),
        "accuracy_ci": [interval.low, interval.high],
        "ci_method": interval.method,
        "strict_accuracy": _mean_over(strata, [row.outcome == Outcome.WIN for row in rows]),
        "outcomes": {outcome.value: counts[outcome] for outcome in Outcome},
    }
    if any(len(row.correct) > 2 for row in rows):
        aucs = [pairwise_auc(row.scores, row.correct) if row.scores else 0.0 for row in rows]
        spread = accuracy_interval(aucs, catalogues)
        result["auc"] = sum(aucs) / len(aucs)
        result["auc_ci"] = [spread.low, spread.high]
    judged = [row.verdicts for row in rows if row.verdicts and set(row.verdicts) <= _CLEAR]
    if judged:
        result["order_consistency"] = sum(_same_choice(v) for v in judged) / len(judged)
        firsts = sum(verdict == Verdict.FIRST for v in judged for verdict in v)
        result["first_position_share"] = firsts / (2 * len(judged))
    return result


def accuracy(rows: Sequence[Row], *, balanced: bool) -> float:
    """Mean credit; where `balanced`, the mean over the error types of the mean in each."""
    strata = [row.error_type if balanced else "" for row in rows]
    return _mean_over(strata, [row.credit for row in rows])


def _mean_over(strata: Sequence[str], values: Sequence[float]) -> float:
    """The mean over strata of the mean in each."""
    parts: dict[str, list[float]] = defaultdict(list)
    for stratum, value in zip(strata, values, strict=True):
        parts[stratum].append(value)
    return sum(sum(part) / len(part) for part in parts.values()) / len(parts)


_CLEAR = {Verdict.FIRST.value, Verdict.SECOND.value, Verdict.TIE.value}


def _same_choice(verdicts: Sequence[str]) -> bool:
    """Positions differ between the two orders where the choice does not; a tie stays a tie."""
    return set(verdicts) in ({Verdict.FIRST, Verdict.SECOND}, {Verdict.TIE})


def metrics_by(
    rows: Sequence[Row], key: Callable[[Row], str], *, balanced: bool = False
) -> dict[str, dict[str, Any]]:
    """`metrics` of every part of the rows, the largest part first."""
    parts: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        parts[key(row)].append(row)
    largest_first = sorted(parts.items(), key=lambda item: (-len(item[1]), item[0]))
    return {name: metrics(part, balanced=balanced) for name, part in largest_first}


def make_card(
    rows: Sequence[Row],
    *,
    benchmark: dict[str, Any],
    sample: dict[str, Any] | None,
    model: dict[str, Any],
    config: dict[str, Any] | None,
    seconds: float,
) -> dict[str, Any]:
    """The card of a finished run; plain JSON data."""
    balanced = benchmark["balanced"]
    return {
        "schema_version": SCHEMA_VERSION,
        "benchmark": benchmark,
        "sample": sample,
        "model": model,
        "metrics": metrics(rows, balanced=balanced),
        **disputes(rows, balanced=balanced),
        "by_error_type": metrics_by(rows, lambda row: row.error_type),
        "by_category": metrics_by(rows, lambda row: row.category),
        "by_generator": metrics_by(rows, lambda row: row.generator),
        "tokens": {
            "naive": sum(row.tokens_naive for row in rows),
            "computed": sum(row.tokens_computed for row in rows),
        },
        "seconds": round(seconds, 3),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": _versions(),
        "hardware": _hardware(),
        "config": config,
    }


def disputes(rows: Sequence[Row], *, balanced: bool) -> dict[str, Any]:
    """How many rows are disputed, and the metrics of those that nobody disputes, where both exist."""
    sure = [row for row in rows if not row.doubt]
    some = 0 < len(sure) < len(rows)
    return {
        "disputed": len(rows) - len(sure),
        "without_disputed": metrics(sure, balanced=balanced) if some else None,
    }


def read_card(folder: Path) -> dict[str, Any]:
    """The card of the finished run in a folder.

    Raises:
        UsageError: there is none, or it is no card.
    """
    path = folder / "card.json"
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        version_found = card["schema_version"]
    except (OSError, ValueError, LookupError, TypeError) as why:
        raise UsageError(f"{folder} holds no finished run ({why}).") from None
    if "results" in card:
        raise UsageError(
            f"{folder} is a submission, not a run: fcrb validate --markdown shows it beside its "
            "neighbours, and the board compares any two."
        )
    if version_found != SCHEMA_VERSION:
        raise UsageError(
            f"{path} is a card of version {version_found}, not {SCHEMA_VERSION}: evaluate anew, with "
            "another --out or --fresh."
        )
    return dict(card)


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _hardware() -> dict[str, Any]:
    result: dict[str, Any] = {
        "platform": platform.platform(terse=True),
        "machine": platform.machine(),
        "cpu": _cpu_name(),
        "cpus": os.cpu_count(),
    }
    torch = sys.modules.get("torch")
    if torch is not None:
        result["threads"] = torch.get_num_threads()
        result["gpus"] = [
            torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())
        ]
    return result


def _cpu_name() -> str:
    """The processor's name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
