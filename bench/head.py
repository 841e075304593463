"""Log-probabilities of given tokens: by blocks of the vocabulary, and out of all logits at once.

    python bench/head.py [--threads 2] [--out bench/results/head/result.json]

Random states and weights of three shapes, in turns, on a CPU. The peer is what a plain loop does with
128 positions at a time: `linear`, `log_softmax`, `gather`.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from fcrewardbench.scoring.head import CPU_BLOCK, Head

SHAPES = {
    "SmolLM2-135M": (49_152, 576),
    "Qwen3-1.7B": (151_936, 2_048),
    "Gemma-3-270M": (262_144, 640),
}
POSITIONS = (64, 128, 384)
PLAIN_ROWS = 128
ROUNDS = 5


def plain(weight: torch.Tensor, states: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    found = []
    for first in range(0, len(targets), PLAIN_ROWS):
        rows = slice(first, first + PLAIN_ROWS)
        logits = torch.nn.functional.linear(states[rows], weight)
        found.append(logits.log_softmax(1).gather(1, targets[rows, None])[:, 0])
    return torch.cat(found)


def seconds(work: Callable[[], torch.Tensor]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


@torch.inference_mode()
def measure(vocabulary: int, hidden: int, positions: int) -> dict[str, Any]:
    weight = torch.randn(vocabulary, hidden) / hidden**0.5
    states, targets = torch.randn(positions, hidden), torch.randint(0, vocabulary, (positions,))
    head = Head(weight)
    gap = (head.logprobs(states, targets) - plain(weight, states, targets)).abs().max()
    rounds = [
        (
            seconds(lambda: head.logprobs(states, targets)),
            seconds(lambda: plain(weight, states, targets)),
        )
        for _ in range(ROUNDS)
    ]
    ratios = [theirs / ours for ours, theirs in rounds]
    return {
        "positions": positions,
        "milliseconds_a_position": 1e3 * statistics.median(ours for ours, _ in rounds) / positions,
        "plain_to_ours": statistics.median(ratios),
        "least_and_greatest": [min(ratios), max(ratios)],
        "greatest_difference": float(gap),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("bench/results/head/result.json"))
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    result = {
        "threads": arguments.threads,
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "machine": platform.machine(),
        "torch": torch.__version__,
        "block": CPU_BLOCK,
        "rounds": ROUNDS,
        "heads": {
            name: [measure(*shape, positions) for positions in POSITIONS]
            for name, shape in SHAPES.items()
        },
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
