"""Finished runs → a submission's folder."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fcrewardbench.adapters.registry import adapter_class, adapter_names
from fcrewardbench.benchmarks.labels import WHOLE, known_labels, labels_sha256
from fcrewardbench.errors import UsageError
from fcrewardbench.report.card import read_card
from fcrewardbench.rows import Row, read_parquet
from fcrewardbench.submissions.card import SCHEMA_VERSION, ModelFacts, SubmissionCard, card_text
from fcrewardbench.submissions.numbers import numbers, rows_of
from fcrewardbench.submissions.rows import SubmittedRow, submitted_row, write_rows

CARD, ROWS = "card.json", "rows.parquet"
LOCAL_OPTIONS = frozenset({"base_url", "key_env", "store", "trust_remote_code"})
"""Options that tell of the machine here, and that nobody should take from a stranger."""
_KINDS = {"likelihood": "likelihood", "dpo": "dpo"}
_SAME = ("name", "revision", "adapter", "dtype", "schema_gate")
"""What has to be one in all runs of a submission."""


def known_facts(card: Mapping[str, Any]) -> dict[str, Any]:
    """What a run card tells of its model, in the fields of `ModelFacts`."""
    model, hardware = card["model"], card["hardware"]
    organisation, _, name = str(model.get("label") or model["name"]).rpartition("/")
    gpus = Counter(hardware.get("gpus") or ())
    devices = [f"{count} × {gpu}" for gpu, count in gpus.items()]
    facts = {
        "name": name,
        "organisation": organisation or None,
        "kind": _kind(model),
        "licence": model.get("licence"),
        "hardware": ", ".join(devices or [f"{hardware['cpus']} CPU cores", hardware["cpu"]]),
        "date": card["finished"][:10],
    }
    return {field: value for field, value in facts.items() if value}


def _kind(model: Mapping[str, Any]) -> str | None:
    adapter = model["adapter"]
    if model["kind"] == "judge" or adapter in ("guardian", "rating"):
        return "judge"
    if adapter in _KINDS:
        return _KINDS[adapter]
    if adapter in ("classifier", "remote", "vllm"):
        return "classifier"
    if adapter in adapter_names() and adapter_class(adapter).__module__.endswith(".baselines"):
        return "baseline"
    return None


def pack(
    runs: Sequence[Path], facts: Mapping[str, Any], out: Path, *, replace: bool = False
) -> Path:
    """Write the submission of one model on one benchmark, and return its folder.

    Args:
        runs: folders of finished evaluations, one a subset.
        facts: the fields of `ModelFacts`.
        out: the folder of all submissions.
        replace: take the place of an entry that is there already.

    Raises:
        UsageError: the runs are not whole or not of one model and benchmark, a fact is missing or
            cannot be, or the entry exists.
    """
    found = [(run, read_card(run), _rows(run)) for run in runs]
    benchmark = _benchmark(found)
    subsets: dict[str, Any] = {}
    rows: list[SubmittedRow] = []
    for run, card, own in found:
        subset = _subset(benchmark, card, own, run)
        if subset in subsets:
            raise UsageError(f"{run} is a second run of {benchmark}/{subset}: give one of them.")
        submitted = [submitted_row(subset, row) for row in own]
        balanced = known_labels()[benchmark][subset].balanced
        subsets[subset] = _result(card, facts) | numbers(
            rows_of(benchmark, submitted), balanced=balanced
        )
        rows += submitted
    whole = {
        "schema_version": SCHEMA_VERSION,
        "benchmark": benchmark,
        "model": dict(facts),
        "results": subsets,
    }
    try:
        card_made = SubmissionCard.model_validate(whole)
    except ValidationError as why:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in why.errors())
        raise UsageError(f"This is no submission yet ({faults}).") from None
    folder = out / benchmark / card_made.folder
    if folder.exists() and not replace:
        raise UsageError(f"{folder} exists: give --replace to write it anew.")
    return write_entry(folder, card_made, rows)


def check_facts(facts: Mapping[str, Any]) -> dict[str, str]:
    """What is missing or cannot be, by field."""
    try:
        ModelFacts.model_validate(dict(facts))
    except ValidationError as why:
        return {".".join(map(str, fault["loc"])): fault["msg"] for fault in why.errors()}
    return {}


def _rows(run: Path) -> list[Row]:
    try:
        return read_parquet(run / ROWS)
    except (OSError, ValueError, TypeError) as why:
        raise UsageError(f"The rows of {run} cannot be read ({why}).") from None


def _benchmark(found: Sequence[tuple[Path, dict[str, Any], list[Row]]]) -> str:
    """The one benchmark of the runs, which are of one model."""
    titles = {f"{card['benchmark']['name']}@{card['benchmark']['edition']}" for _, card, _ in found}
    if len(titles) > 1:
        raise UsageError(
            f"These runs are on {' and '.join(sorted(titles))}: submit each benchmark by itself."
        )
    title = titles.pop()
    if title not in known_labels():
        raise UsageError(
            f"{title} takes no submissions; these do: {', '.join(sorted(known_labels()))}."
        )
    for field in _SAME:
        values = {json.dumps(card["model"].get(field)) for _, card, _ in found}
        if len(values) > 1:
            raise UsageError(
                f"These runs are not of one model: {field} is {' and '.join(sorted(values))}."
            )
    return title


def _subset(benchmark: str, card: dict[str, Any], rows: list[Row], run: Path) -> str:
    """The name of a run's subset; every row of it has to be there."""
    subset = str(card["benchmark"]["subset"] or WHOLE)
    known = known_labels()[benchmark].get(subset)
    if known is None or card["benchmark"]["sha256"] != known.data_sha256:
        raise UsageError(f"{run} is on other data than {benchmark}/{subset} of this version.")
    if card["sample"] is not None:
        raise UsageError(
            f"{run} is a sample of {card['sample']['pairs']} rows; a submission has all {known.rows}: "
            "evaluate without --limit."
        )
    labels = [submitted_row(subset, row).label() for row in rows]
    if labels_sha256(labels) != known.labels_sha256:
        raise UsageError(f"{run / ROWS} has not the rows of {benchmark}/{subset}: evaluate anew.")
    return subset


def _result(card: dict[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """How a run was made, out of its card, without what tells of the machine or the network."""
    model, config = card["model"], card["config"] or {}
    named = str(config.get("model", model["name"]))
    if named.startswith("path:") or Path(named).expanduser().exists():
        named = f"{facts.get('organisation')}/{facts.get('name')}"
    options = config.get("options", {})
    if model.get("schema_gate"):  # a preset may have brought it, and it changes every score
        options = {**options, "schema_gate": True}
    return {
        "data_sha256": card["benchmark"]["sha256"],
        "adapter": model["adapter"],
        "revision": model["revision"],
        "dtype": model["dtype"],
        "template_sha256": model.get("template_sha256"),
        "model": named,
        "options": {
            name: _without_folder(value)
            for name, value in options.items()
            if name not in LOCAL_OPTIONS
        },
        "tokens_naive": card["tokens"]["naive"],
        "tokens_computed": card["tokens"]["computed"],
        "seconds": card["seconds"],
        "finished": card["finished"],
        "versions": card["versions"],
    }


def _without_folder(value: Any) -> Any:
    """An option's value; of a file or folder here, such as a prompt or a reference model, its name."""
    if not isinstance(value, str):
        return value
    named = value.removeprefix("path:")
    is_local = named != value or Path(named).expanduser().exists()
    return Path(named).name if is_local else value


def write_entry(folder: Path, card: SubmissionCard, rows: Sequence[SubmittedRow]) -> Path:
    """Both files or none; an entry that is there, and a badge of its rows, goes with them."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        made = Path(scratch) / folder.name
        made.mkdir()
        (made / CARD).write_text(card_text(card), encoding="utf-8")
        write_rows(rows, made / ROWS)
        if folder.exists():
            shutil.rmtree(folder)
        made.replace(folder)
    return folder
