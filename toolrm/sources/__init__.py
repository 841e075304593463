"""Sources: data sets of tool calls, each read from the files that its publisher lays out.

A source is a module with one function over a path and a counter: `records` gives records whose
right calls are known, `pairs` gives pairs that are ready. What cannot be used is left out and
counted by reason; only a path that is missing, or holds something else altogether, is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from fcrewardbench import UnknownName, UsageError
from toolrm.records import Record, TrainingPair
from toolrm.sources.base import Skipped

SOURCES = {
    "glaive": "toolrm.sources.glaive:records",
    "messages": "toolrm.sources.messages:records",
    "seal-tools": "toolrm.sources.seal_tools:records",
    "sgd": "toolrm.sources.sgd:records",
    "snips": "toolrm.sources.snips:records",
    "taskmaster4": "toolrm.sources.taskmaster4:records",
    "toolrm-train-data": "toolrm.sources.toolrm_train_data:pairs",
    "xlam": "toolrm.sources.xlam:records",
    "xlam-irrelevance": "toolrm.sources.xlam_irrelevance:records",
}


def load_records(name: str, path: Path, skipped: Skipped) -> Iterator[Record]:
    """The records of a source, in the order of its files; what is left out is added to `skipped`.

    Raises:
        UnknownName: no such source.
        UsageError: the source holds pairs.
        DataError: when the first record is asked for: `path` is not what the source expects.
    """
    return _once(_reader(name, "records")(path, skipped), lambda record: record.id, skipped)


def load_pairs(name: str, path: Path, skipped: Skipped) -> Iterator[TrainingPair]:
    """The pairs of a source that has them ready, as `load_records` gives records."""
    return _once(_reader(name, "pairs")(path, skipped), lambda pair: pair.pair.id, skipped)


def _reader(name: str, kind: str) -> Callable[..., Iterator[Any]]:
    if name not in SOURCES:
        raise UnknownName("source", name, SOURCES)
    module, function = SOURCES[name].split(":")
    if function != kind:
        has = "ready pairs, not records" if function == "pairs" else "records, not ready pairs"
        raise UsageError(f"The source '{name}' holds {has}: call load_{function}.")
    reader: Callable[..., Iterator[Any]] = getattr(import_module(module), function)
    return reader


def _once(items: Iterator[Any], id_of: Callable[[Any], str], skipped: Skipped) -> Iterator[Any]:
    seen = set()
    for item in items:
        if id_of(item) in seen:
            skipped.add(id_of(item), "an id that stands twice")
        else:
            seen.add(id_of(item))
            yield item
