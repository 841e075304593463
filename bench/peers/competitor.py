"""A competitor is a process: it loads once, then answers requests, one JSON line each way.

    {"do": "timed", "workload": …, "of": …, "path": …}   → scores, seconds, tokens computed
    {"do": NAME, …}                                          → what the method NAME returns

The first line that it writes says its versions. It runs in an environment of its own, so that this
module imports the standard library and torch alone. Whatever libraries print goes to standard error.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import resource
import sys
import time
from abc import ABC, abstractmethod
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

Row = dict[str, Any]
"""A line of a workload's file: `id`, `texts`, `ids`."""
Scores = list[list[float]]
"""For each group in the file's order, a score per candidate."""


class Competitor(ABC):
    """Scores groups with one model. `packages` are those whose versions matter."""

    packages: ClassVar[tuple[str, ...]] = ("torch", "transformers")

    def prepare(self, workload: str, of: int, path: str) -> Any:
        """The input of `score`, made before the clock starts: the rows of the file.

        Args:
            workload: what the file is a part of.
            of: how many groups that has in all.
        """
        return [json.loads(line) for line in Path(path).read_text("utf-8").splitlines()]

    @abstractmethod
    def score(self, prepared: Any) -> tuple[Scores, int]:
        """Scores, and the tokens that went through the model, padding included."""

    def timed(self, workload: str, of: int, path: str) -> dict[str, Any]:
        """One pass: wall-clock and processor seconds of `score`, its results, peak memory so far."""
        prepared = self.prepare(workload, of, path)
        gc.collect()
        started, worked = time.perf_counter(), time.process_time()
        scores, computed = self.score(prepared)
        seconds, cpu = time.perf_counter() - started, time.process_time() - worked
        return {
            "seconds": seconds,
            "cpu_seconds": cpu,
            "computed": computed,
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            "scores": scores,
        }


def serve(cls: type[Competitor]) -> None:
    """Load `cls(model, dtype)` as the command line says and answer until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--dtype", required=True)
    parser.add_argument("--threads", type=int, required=True)
    arguments = parser.parse_args()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    import torch

    torch.set_num_threads(arguments.threads)
    competitor = cls(arguments.model, arguments.dtype)  # type: ignore[call-arg]
    torch.set_num_threads(arguments.threads)  # some libraries choose a number of their own

    def answer(value: dict[str, Any]) -> None:
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    versions = {name: version(name) for name in cls.packages}
    answer({"python": platform.python_version(), **versions})
    for line in sys.stdin:
        request = json.loads(line)
        answer(getattr(competitor, request.pop("do"))(**request))
