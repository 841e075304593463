"""Benchmarks as a folder that `datasets` loads: a Parquet file a configuration, and a data card."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fcrewardbench.benchmarks import open as open_set
from fcrewardbench.benchmarks.base import candidate_json
from fcrewardbench.benchmarks.registry import load_benchmark
from fcrewardbench.errors import UsageError
from fcrewardbench.types import Benchmark, Candidate, Item, Pair

_CARD = """\
---
{licence}configs:
{configs}
---

# {title}

Exported with fcrewardbench. {source}Nested values are JSON text.

| configuration | rows | score | sha256 of the content |
| --- | --- | --- | --- |
{rows}
"""
_LICENCE = "license: apache-2.0\nlanguage: en\npretty_name: FC-RewardBench-Open\n"
_SOURCE = "Questions and tool schemas are those of the Berkeley Function-Calling Leaderboard.\n"


def export(names: Sequence[str], out: Path) -> dict[str, int]:
    """Write the benchmarks of these names, or every subset of `open`, and return their rows by name.

    Raises:
        UsageError: `out` holds something already, or two benchmarks would have one name in it.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if out.exists() and any(out.iterdir()):
        raise UsageError(f"{out} is not empty: give a folder that is, or does not exist yet.")
    benchmarks: dict[str, Benchmark] = {}
    for benchmark in map(load_benchmark, names or [f"open/{name}" for name in open_set.SUBSETS]):
        name = _configuration(benchmark)
        if name in benchmarks:
            raise UsageError(
                f"{benchmarks[name].title} and {benchmark.title} would both be the configuration "
                f"'{name}': export them into two folders."
            )
        benchmarks[name] = benchmark
    out.mkdir(parents=True, exist_ok=True)
    for name, benchmark in benchmarks.items():
        records = list(map(record_of, benchmark.items))
        columns = dict.fromkeys(column for record in records for column in record)
        table = pa.table({column: [r.get(column) for r in records] for column in columns})
        pq.write_table(table, out / f"{name}.parquet")
    configs = "\n".join(
        f'  - config_name: "{name}"\n    data_files:\n      - split: test\n'
        f'        path: "{name}.parquet"'
        for name in benchmarks
    )
    rows = "\n".join(
        f"| {name} | {len(b.items)} | {_score(b)} | `{b.sha256}` |"
        for name, b in benchmarks.items()
    )
    title = ", ".join(benchmark.title for benchmark in benchmarks.values())
    of_open = all(b.name == open_set.NAME and b.subset for b in benchmarks.values())
    licence, source = (_LICENCE, _SOURCE) if of_open else ("", "")
    card = _CARD.format(configs=configs, rows=rows, title=title, licence=licence, source=source)
    (out / "README.md").write_text(card, "utf-8")
    return {name: len(benchmark.items) for name, benchmark in benchmarks.items()}


def _configuration(benchmark: Benchmark) -> str:
    """The subset, or the name without what `datasets` and file systems do not take."""
    return benchmark.subset or re.sub(r"[^\w.-]", "_", benchmark.name.replace("/", "__"))


def _score(benchmark: Benchmark) -> str:
    """What a reader of the plain rows has to know: they do not say how to average."""
    if benchmark.balanced:
        return "mean over the error types of the accuracy in each"
    return "mean over the rows"


def record_of(item: Item) -> dict[str, Any]:
    """An item in the form that pairs files have; see `docs/formats.md`."""
    record: dict[str, Any] = {
        "id": item.id,
        "tools": _json([tool.original for tool in item.prompt.tools]),
        "conversation": _json(item.prompt.messages),
    }
    if isinstance(item, Pair):
        record |= {
            "chosen_output": _json_of(item.chosen),
            "rejected_output": _json_of(item.rejected),
            "error_type": item.error_type,
            "model_name": item.generator,
        }
    else:
        record |= {
            "candidates": [_json_of(candidate) for candidate in item.candidates],
            "correct": list(item.correct),
            "error_types": list(item.error_types),
            "generators": list(item.generators),
        }
    return record | {"test_category": item.category, "doubt": item.doubt}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _json_of(candidate: Candidate) -> str:
    """JSON of calls; words as they are."""
    return candidate if isinstance(candidate, str) else _json(candidate_json(candidate))
