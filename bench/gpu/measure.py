"""Tokens a second of the engine on one device against what its matrix products reach; see run.sh."""

from __future__ import annotations

import argparse
import gc
import json
import platform
import resource
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import torch

from bench.gpu.inputs import QWEN3, SMALL, Shape, branches, decoder, multiplied
from bench.gpu.ways import Model
from fcrewardbench.scoring.plan import Branch

WORKLOADS = {"pairs": Shape(128, 2), "thirtytwo": Shape(12, 32)}
TINY = {"pairs": Shape(4, 2), "thirtytwo": Shape(1, 32)}
BATCH_TOKENS = (8_192, 16_384, 32_768)
"""Budgets of the engine that are tried; the best goes on."""
BATCHES = (8, 32)
"""Batch sizes of the plain loop that are tried; the best goes on."""
SMALL_BATCH_TOKENS = 1_024
TRAINED_PAIRS, GROUPS_TRAINED_AT_ONCE = 8, 2
REPEATS = 3
MINUTES = 6.5
"""After so long, no repeat is begun that is not the first."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench/gpu/run.sh")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="a small model and few groups")
    parser.add_argument("--out", type=Path, required=True, help="set by run.sh")
    arguments = parser.parse_args()
    if arguments.device.startswith("cuda") and not torch.cuda.is_available():
        sys.exit("PyTorch sees no GPU; --device cpu --tiny tries the script without one.")
    bench = _Bench(arguments.device, arguments.tiny, arguments.out)
    bench.step("matrix_product", bench.matrix_product)
    bench.step("equality_float32", bench.equality)
    for name in ("small",) if arguments.tiny else QWEN3:
        bench.step(name, partial(bench.model, name))
    print(bench.table())
    sys.exit(1 if bench.result["failed"] else 0)


class _Bench:
    """The steps, and the one JSON that each is written into as soon as it is done."""

    def __init__(self, device: str, tiny: bool, out: Path) -> None:
        self._device = device
        self._on_gpu = device.startswith("cuda")
        self._tiny = tiny
        self._out = out
        self._begun = time.monotonic()
        self._workloads = TINY if tiny else WORKLOADS
        options = ["--device", device, *(["--tiny"] if tiny else [])]
        self.result: dict[str, Any] = {
            "command": " ".join(["bench/gpu/run.sh", *options]),
            "device": _device(device),
            "versions": {
                "python": platform.python_version(),
                "cuda": torch.version.cuda,
                **{name: version(name) for name in ("torch", "transformers")},
            },
            "workloads": {
                name: {"groups": shape.groups, "candidates": shape.candidates}
                for name, shape in self._workloads.items()
            },
            "steps": {},
            "failed": {},
        }

    def step(self, name: str, measure: Callable[[], dict[str, Any]]) -> None:
        """Run one step. What it raises is kept as its result: a machine may be lent only once."""
        started = time.monotonic()
        try:
            self.result["steps"][name] = measure()
        except Exception as why:
            self.result["failed"][name] = f"{type(why).__name__}: {why}"[:2000]
        self._free()
        self.result["seconds"] = round(time.monotonic() - self._begun, 1)
        self._out.write_text(json.dumps(self.result, indent=1) + "\n", "utf-8")
        print(f"{name}: {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)

    def matrix_product(self) -> dict[str, Any]:
        """Operations a second of square bf16 products, the best of several, by size."""
        rates = {}
        for size in (256, 512) if self._tiny else (4096, 8192, 16384):
            left, right = (
                torch.randn(size, size, device=self._device, dtype=torch.bfloat16) for _ in range(2)
            )
            times = [self._timed(partial(torch.matmul, left, right))[0] for _ in range(12)]
            rates[size] = 2 * size**3 / min(times)
        return {"operations_per_second": max(rates.values()), "by_size": rates}

    def equality(self) -> dict[str, Any]:
        """In float32 the largest difference of scores, shared and padded, to each sequence alone."""
        model = Model(decoder(SMALL, self._device, torch.float32))
        found: dict[str, Any] = {"sharing": model.sharing, "reason": model.reason}
        for name, shape in TINY.items():
            work = branches(shape, SMALL["vocab_size"])
            alone = model.alone(work)
            found[name] = {
                "sequences": len(work),
                "shared": _difference(model.shared(work, SMALL_BATCH_TOKENS), alone),
                "padded": _difference(model.padded(work, BATCHES[0])[0], alone),
            }
        return found

    def model(self, name: str) -> dict[str, Any]:
        """Speed, memory and bf16 differences of one model."""
        network = decoder(SMALL if self._tiny else QWEN3[name], self._device, torch.bfloat16)
        model, weights = Model(network), multiplied(network)
        rate = self.result["steps"]["matrix_product"]["operations_per_second"]
        measured: dict[str, Any] = {
            "sharing": model.sharing,
            "reason": model.reason,
            "multiplied_parameters": weights,
            "weights_gib": self._peak_gib(),
        }
        for workload, shape in self._workloads.items():
            work = branches(shape, network.config.vocab_size)
            found = measured[workload] = self._compare(model, work)
            for row in (found["engine"], found["padded"]):
                row["computed_per_second"] = row["computed"] / row["seconds"]
                row["naive_per_second"] = found["naive"] / row["seconds"]
                row["share_of_matrix_rate"] = 2 * weights * row["computed_per_second"] / rate
        few = branches(
            Shape(min(32, self._workloads["pairs"].groups), 2), network.config.vocab_size
        )
        measured["training"] = self._train(model, weights, rate)
        measured["bfloat16"] = _flips(model.shared(few, BATCH_TOKENS[0]), model.alone(few))
        return measured

    def _compare(self, model: Model, work: Sequence[Branch]) -> dict[str, Any]:
        """The engine at its best budget against the padded loop at its best batch, alternating.

        Every option is tried twice, since the first pass compiles what there is to compile.
        """
        ways: dict[str, dict[int, Callable[[], Any]]] = {
            "engine": {budget: partial(model.shared, work, budget) for budget in BATCH_TOKENS},
            "padded": {batch: partial(model.padded, work, batch) for batch in BATCHES},
        }
        rows: dict[str, dict[str, Any]] = {}
        for way, options in ways.items():
            tried = {
                option: min(self._timed(run)[0] for _ in range(2))
                for option, run in options.items()
            }
            rows[way] = {"best": min(tried, key=lambda o: tried[o]), "tried": tried, "times": []}
        plan = model.plan(work, rows["engine"]["best"])
        for repeat in range(REPEATS):
            if repeat and time.monotonic() - self._begun > 60 * MINUTES:
                break
            for way, row in rows.items():
                self._free()
                seconds, value = self._timed(ways[way][row["best"]])
                row["times"].append(seconds)
                row["peak_gib"] = self._peak_gib()
                row["computed"] = plan.computed if way == "engine" else value[1]
        for row in rows.values():
            row["seconds"] = median(row["times"])
        pairs = zip(rows["padded"]["times"], rows["engine"]["times"], strict=True)
        return {
            "naive": plan.naive,
            "tree": plan.bound,
            "ratio": median(padded / engine for padded, engine in pairs),
            **rows,
        }

    def _train(self, model: Model, weights: int, rate: float) -> dict[str, Any]:
        """Gradients of all weights on pairs, two groups in a pass, without recomputation: 6 operations
        for each weight and token."""
        work = branches(Shape(TRAINED_PAIRS, 2), model.network.config.vocab_size)
        ways = {"trees": model.trained_on_trees, "padded": model.trained_padded}
        rows: dict[str, dict[str, Any]] = {way: {"times": []} for way in ways}
        for repeat in range(1 + REPEATS):
            for way, run in ways.items():
                self._free()
                seconds, computed = self._timed(partial(run, work, GROUPS_TRAINED_AT_ONCE))
                if repeat:  # the first compiles what there is to compile
                    rows[way]["times"].append(seconds)
                rows[way] |= {"computed": computed, "peak_gib": self._peak_gib()}
        for row in rows.values():
            row["seconds"] = median(row["times"])
            row["computed_per_second"] = row["computed"] / row["seconds"]
            row["share_of_matrix_rate"] = 6 * weights * row["computed_per_second"] / rate
        pairs = zip(rows["padded"]["times"], rows["trees"]["times"], strict=True)
        return {"ratio": median(padded / trees for padded, trees in pairs), **rows}

    def _timed(self, run: Callable[[], Any]) -> tuple[float, Any]:
        self._wait()
        started = time.perf_counter()
        value = run()
        self._wait()
        return time.perf_counter() - started, value

    def _wait(self) -> None:
        if self._on_gpu:
            torch.cuda.synchronize()

    def _free(self) -> None:
        gc.collect()
        if self._on_gpu:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()

    def _peak_gib(self) -> float:
        """Since `_free` on a GPU; of the whole process elsewhere."""
        if self._on_gpu:
            return torch.cuda.max_memory_allocated() / 2**30
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20

    def table(self) -> str:
        """What matters, for the eye."""
        lines = [f"{self.result['device']['name']}, {self.result['seconds']} s in all"]
        for name, step in self.result["steps"].items():
            for workload in self._workloads:
                for way in ("engine", "padded"):
                    row = step.get(workload, {}).get(way)
                    if isinstance(row, dict):
                        lines.append(
                            f"{name} {workload} {way} ({row['best']}): {row['seconds']:.2f} s, "
                            f"{row['computed_per_second']:,.0f} computed tokens/s, "
                            f"{100 * row['share_of_matrix_rate']:.1f} % of the matrix rate, "
                            f"{row['peak_gib']:.1f} GiB"
                        )
            if "training" in step:
                found = step["training"]
                lines.append(
                    f"{name} training: {found['trees']['computed_per_second']:,.0f} computed tokens/s, "
                    f"{100 * found['trees']['share_of_matrix_rate']:.1f} % of the matrix rate, "
                    f"{found['ratio']:.2f} times as fast as padded"
                )
        lines += [f"{name} failed: {why}" for name, why in self.result["failed"].items()]
        return "\n".join(lines)


def _difference(first: Sequence[float], second: Sequence[float]) -> float:
    return max(abs(a - b) for a, b in zip(first, second, strict=True))


def _flips(first: Sequence[float], second: Sequence[float]) -> dict[str, Any]:
    """Pairs whose better candidate changes between two ways of scoring."""
    margins = [
        (first[place] - first[place + 1], second[place] - second[place + 1])
        for place in range(0, len(first), 2)
    ]
    return {
        "pairs": len(margins),
        "flipped": sum((one > 0) != (other > 0) for one, other in margins),
        "largest_difference": _difference(first, second),
        "median_margin": median(abs(other) for _, other in margins),
    }


def _device(device: str) -> dict[str, Any]:
    if device.startswith("cuda"):
        properties = torch.cuda.get_device_properties(device)
        return {"name": properties.name, "memory_gib": properties.total_memory >> 30}
    return {"name": device, "threads": torch.get_num_threads()}


if __name__ == "__main__":
    main()
