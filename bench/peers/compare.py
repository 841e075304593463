"""Compare engines on the same model, groups, dtype and threads: see run.sh, which calls this.

Every competitor is a process of its own that loads once. Then passes alternate, one at a time: in each
round, on each workload, one pass of each. A result is on disk before the next is measured, and the same
command goes on where a killed one was; other sizes or other code start a log of their own.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import sys
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.peers.model import NAME, reward_model
from bench.peers.process import Key, Log, Process
from bench.peers.report import markdown, summary
from bench.peers.workloads import WORKLOADS, counted, groups_of, write

COMPETITORS = {
    "ours": ("ours", None),
    "rewardbench": ("rewardbench_pipeline", "REWARDBENCH_PYTHON"),
    "plain": ("plain", None),
    "vllm": ("vllm_classify", "VLLM_PYTHON"),
}
"""The module of each, and the variable that names the Python of its environment."""
REFERENCE_GROUPS = {"pairs": 2, "eight": 1, "thirtytwo": 1}
"""How many groups of a block are scored by the reference too: fp32, each sequence alone."""
PROBE_BLOCKS = 1
PEAK_REPEATS = 2
WARM_UP = 2
CODE = (
    "bench/peers/*.py",
    "fcrewardbench/render.py",
    "fcrewardbench/adapters/*.py",
    "fcrewardbench/scoring/*.py",
)
"""What a number depends on; results under other code are not mixed with these."""


def main() -> None:
    arguments = _arguments()
    settings = {
        "model": f"{NAME} with a random head (seed 0)",
        "dtype": arguments.dtype,
        "threads": arguments.threads,
        "groups": arguments.groups,
        "blocks": arguments.blocks,
        "code_sha256": _code(),
    }
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]
    folder = arguments.work / digest
    folder.mkdir(parents=True, exist_ok=True)
    model = reward_model(arguments.work)
    blocks = _render(model, folder, arguments.groups, arguments.blocks)
    log = Log(folder / "log.jsonl")
    _Comparison(arguments, model, folder, log, blocks).run()
    sizes = {
        name: [counted(folder / f"{name}-{number}.jsonl") for number in range(arguments.blocks)]
        for name in arguments.groups
    }
    result = {
        "command": " ".join(["bench/peers/run.sh", *sys.argv[1:]]),
        "machine": _machine(),
        "settings": settings,
        "workloads": {name: [asdict(size) for size in each] for name, each in sizes.items()},
        **summary(log.results, sizes),
    }
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "result.json").write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    table = markdown(result)
    (arguments.out / "result.md").write_text(table, "utf-8")
    print(table)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/peers/run.sh")
    parser.add_argument("--pairs", type=int, default=300)
    parser.add_argument("--groups8", type=int, default=10)
    parser.add_argument("--groups32", type=int, default=5)
    parser.add_argument("--blocks", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--competitors", nargs="+", default=list(COMPETITORS), choices=list(COMPETITORS)
    )
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float32"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", type=Path, default=Path("runs/peers"))
    parser.add_argument("--out", type=Path, default=Path("bench/results/peers"))
    arguments = parser.parse_args()
    sizes = (arguments.pairs, arguments.groups8, arguments.groups32)
    named = zip(WORKLOADS, sizes, strict=True)
    arguments.groups = {name: count for name, count in named if count}
    if any(count < arguments.blocks for count in arguments.groups.values()):
        parser.error("a workload needs a group for each of the --blocks, or 0 of them")
    return arguments


class _Comparison:
    """One run: what is missing in the log is measured, in the order of the rounds."""

    def __init__(
        self, arguments: argparse.Namespace, model: Path, folder: Path, log: Log, blocks: Blocks
    ) -> None:
        self._blocks = blocks
        self._arguments = arguments
        self._model = model
        self._folder = folder
        self._log = log

    def run(self) -> None:
        groups = self._arguments.groups
        numbers = range(self._arguments.blocks)
        references: list[Key] = [
            ("reference", name, "", number) for name in groups for number in numbers
        ]
        if not self._has(references):
            with self._start("plain", "float32") as process:
                for key in references:
                    path = str(self._folder / f"{key[1]}-{key[3]}-reference.jsonl")
                    answer = process.ask("timed", workload=key[1], of=groups[key[1]], path=path)
                    self._add(key, answer)
        others = self._keys()
        if self._has(others):
            return
        with ExitStack() as stack:
            # The plain loop's process also measures the peak rate and the batch sizes.
            names = dict.fromkeys(("plain", *self._arguments.competitors))
            processes = {
                name: stack.enter_context(self._start(name, self._arguments.dtype))
                for name in names
            }
            for name, process in processes.items():
                path = str(self._folder / "warm-up.jsonl")
                process.ask("timed", workload="pairs", of=WARM_UP, path=path)
                self._add(("versions", "", name, 0), process.versions)
            for key in others:
                if key not in self._log.results:
                    self._add(key, self._measure(key, processes))

    def _keys(self) -> list[Key]:
        groups, competitors = self._arguments.groups, self._arguments.competitors
        keys: list[Key] = [("batches", name, "plain", 0) for name in groups]
        for number in range(self._arguments.rounds):
            keys.append(("peak", "", "plain", number))
            keys += [("pass", name, one, number) for name in groups for one in competitors]
        return keys

    def _measure(self, key: Key, processes: dict[str, Process]) -> dict[str, Any]:
        what, workload, name, number = key
        process = processes[name]
        block = number % self._arguments.blocks
        path = str(self._folder / f"{workload}-{block}.jsonl")
        if what == "batches":
            return process.ask("try_batches", path=path, blocks=PROBE_BLOCKS)
        if what == "peak":
            return process.ask("peak", repeats=PEAK_REPEATS)
        if name == "plain":
            batches = self._log.results["batches", workload, "plain", 0]
            process.ask("use", batch=batches["best"])
        total = self._arguments.groups[workload]
        answer = process.ask("timed", workload=workload, of=total, path=path)
        count = len(self._blocks[workload][block])
        width = WORKLOADS[workload]
        scores = answer["scores"]
        if [len(row) for row in scores] != [width] * count or not all(
            math.isfinite(score) for row in scores for score in row
        ):
            raise SystemExit(f"{name} did not score all of '{workload}'.")
        if not answer["computed"]:
            raise SystemExit(f"{name} computed nothing on '{workload}': its scores are old ones.")
        answer["scores"] = [scores[place] for place in _spaced(workload, count)]
        answer["load"] = os.getloadavg()[0]
        return answer

    def _start(self, name: str, dtype: str) -> Process:
        module, variable = COMPETITORS[name]
        python = sys.executable if variable is None else os.environ.get(variable)
        if python is None:
            raise SystemExit(f"{variable} does not name a Python; bench/peers/run.sh sets it.")
        errors = self._folder / f"{name}.log"
        return Process(module, python, self._model, dtype, self._arguments.threads, errors)

    def _has(self, keys: list[Key]) -> bool:
        return all(key in self._log.results for key in keys)

    def _add(self, key: Key, result: dict[str, Any]) -> None:
        self._log.add(key, result)
        seconds = f" {result['seconds']:.1f} s" if key[0] == "pass" else ""
        print(" ".join(map(str, key)) + seconds, file=sys.stderr, flush=True)


Blocks = dict[str, list[list[int]]]
"""For each workload the places of the groups in each of its blocks."""


def _render(model: Path, folder: Path, groups: dict[str, int], blocks: int) -> Blocks:
    """Write the files of the workloads' blocks, of their reference groups, and of the warm-up.

    Groups whose prompts begin alike stand in one block, so that little of what they share is lost;
    within it they are in file order.
    """
    import transformers

    from fcrewardbench.render import Renderer

    renderer = Renderer(transformers.AutoTokenizer.from_pretrained(model))
    write(folder / "warm-up.jsonl", groups_of("pairs", WARM_UP), renderer)
    found: Blocks = {}
    for name, count in groups.items():
        chosen = groups_of(name, count)
        prompts = [renderer.render(group).prompt for group in chosen]
        order = sorted(range(count), key=prompts.__getitem__)
        found[name] = [
            sorted(order[number * count // blocks : (number + 1) * count // blocks])
            for number in range(blocks)
        ]
        for number, places in enumerate(found[name]):
            own = [chosen[place] for place in places]
            write(folder / f"{name}-{number}.jsonl", own, renderer)
            few = [own[place] for place in _spaced(name, len(own))]
            write(folder / f"{name}-{number}-reference.jsonl", few, renderer)
    return found


def _spaced(workload: str, count: int) -> list[int]:
    wanted = min(REFERENCE_GROUPS[workload], count)
    return [place * count // wanted for place in range(wanted)]


def _code() -> str:
    digest = hashlib.sha256()
    for pattern in CODE:
        for file in sorted(Path().glob(pattern)):
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _machine() -> dict[str, Any]:
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        if line.startswith("model name")
    ]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cpu": names[0] if names else "", "cores": len(names), "memory_gib": memory >> 30}


if __name__ == "__main__":
    main()
