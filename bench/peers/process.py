"""The other side of `competitor`: a competitor's process, and the log that makes a run resumable."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any

VLLM_SETTINGS = {
    "VLLM_CPU_KVCACHE_SPACE": "4",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    # Its worker allocates and frees large buffers at every step; these keep them in the process.
    "MALLOC_MMAP_THRESHOLD_": "4000000000",
    "MALLOC_TRIM_THRESHOLD_": "16000000000",
    "MALLOC_TOP_PAD_": "268435456",
}
Key = tuple[str, str, str, int]
"""What was measured, on which workload, of which competitor, in which round."""


class Process:
    """A competitor that has loaded. What it prints is in `errors`.

    Raises:
        SystemExit: it ended before it answered.
    """

    def __init__(
        self, module: str, python: str, model: Path, dtype: str, threads: int, errors: Path
    ) -> None:
        settings = VLLM_SETTINGS if module == "vllm_classify" else {}
        command = [python, "-m", f"bench.peers.{module}", "--model", str(model)]
        self._errors = errors
        with errors.open("a") as file:
            self._process = subprocess.Popen(
                [*command, "--dtype", dtype, "--threads", str(threads)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
                env={
                    **os.environ,
                    **settings,
                    "HF_HUB_OFFLINE": "1",
                    "OMP_NUM_THREADS": str(threads),
                },
            )
        self.versions: dict[str, str] = self._answer()

    def ask(self, what: str, **details: Any) -> dict[str, Any]:
        """Send a request and wait for its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": what, **details}) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"A competitor ended before it answered; see {self._errors}.")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


class Log:
    """Results by key, each on disk before the next is measured."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.results: dict[Key, dict[str, Any]] = {}
        if path.exists():
            whole, _, _ = path.read_text("utf-8").rpartition("\n")  # a killed run may cut a line
            path.write_text(f"{whole}\n" if whole else "", "utf-8")
            for line in whole.splitlines():
                record = json.loads(line)
                self.results[tuple(record["key"])] = record["result"]

    def add(self, key: Key, result: dict[str, Any]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"key": key, "result": result}) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.results[key] = json.loads(json.dumps(result))
