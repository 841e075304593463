"""What keeping freed memory is worth on a CPU: the same pairs scored with and without it, alternating.

    python bench/allocator.py --pairs 12 --rounds 5

Each timing is a process of its own, SmolLM2-135M by likelihood in float32 on pairs of `open/core`; the
model is loaded before the clock starts. Writes `bench/results/allocator/result.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

OUT = Path(__file__).parent / "results" / "allocator" / "result.json"
ONE = """
import json, resource, sys, time
from fcrewardbench import load, load_benchmark
from fcrewardbench.adapters import network

if sys.argv[1] == "given back":
    network.keep_freed_memory = lambda: False
model = load("smollm2-135m-q4", "likelihood")
groups = [item.group() for item in load_benchmark("open").items[: int(sys.argv[2])]]
model.ready()
before, started = resource.getrusage(resource.RUSAGE_SELF).ru_minflt, time.perf_counter()
tokens = sum(one.tokens.computed for one in model.score_groups(groups))
seconds = time.perf_counter() - started
used = resource.getrusage(resource.RUSAGE_SELF)
told = {"tokens": tokens, "seconds": seconds, "page_faults": used.ru_minflt - before}
print(json.dumps({**told, "peak_mib": used.ru_maxrss / 1024}))
"""


def timed(way: str, pairs: int) -> dict[str, float]:
    command = [sys.executable, "-c", ONE, way, str(pairs)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    rounds: dict[str, list[dict[str, float]]] = {"given back": [], "kept": []}
    for number in range(asked.rounds):
        for way in sorted(rounds, reverse=number % 2 == 1):
            rounds[way].append(timed(way, asked.pairs))
            print(way, rounds[way][-1], flush=True)
    pairs = zip(rounds["given back"], rounds["kept"], strict=True)
    ratios = [without["seconds"] / kept["seconds"] for without, kept in pairs]
    result = {
        "pairs": asked.pairs,
        "cpus": os.cpu_count(),
        "rounds": rounds,
        "times_as_fast": {
            "median": statistics.median(ratios),
            "lowest": min(ratios),
            "highest": max(ratios),
        },
    }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(result["times_as_fast"])


if __name__ == "__main__":
    main()
