"""Write anew what `fcrewardbench.benchmarks.labels` knows of the benchmarks that take submissions.

    python scripts/pin_labels.py

`rebuilt` has to be built; run it whenever a benchmark gets another edition.
"""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

from fcrewardbench.benchmarks import open as open_set
from fcrewardbench.benchmarks.labels import WHOLE, KnownLabels, labels_of, labels_sha256
from fcrewardbench.benchmarks.registry import load_benchmark
from fcrewardbench.types import Benchmark

NAMES = {f"open/{name}": name for name in open_set.SUBSETS} | {"rebuilt": WHOLE}


def pin(benchmark: Benchmark, *, required: bool) -> KnownLabels:
    """What is known of a benchmark."""
    return KnownLabels(
        rows=len(benchmark.items),
        data_sha256=benchmark.sha256,
        labels_sha256=labels_sha256(labels_of(benchmark)),
        balanced=benchmark.balanced,
        required=required,
        scorers_only=any(len(item.group().candidates) > 2 for item in benchmark.items),
    )


def main() -> None:
    pinned: dict[str, dict[str, object]] = {}
    for name, subset in NAMES.items():
        benchmark = load_benchmark(name)
        known = pin(benchmark, required=subset in ("core", WHOLE))
        title = f"{benchmark.name}@{benchmark.edition}"
        pinned.setdefault(title, {})[subset] = known.model_dump()
    path = Path(str(resources.files("fcrewardbench.benchmarks") / "data" / "labels.json"))
    path.write_text(json.dumps(pinned, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
