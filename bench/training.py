"""Training on trees against TRL's own `RewardTrainer`: pairs a second and peak memory.

    python bench/training.py [--pairs 24] [--rounds 5] [--out FOLDER]

Same base, adapters, dtype, threads, optimiser and pairs for both; every measurement is a process of its
own, and only `trainer.train()` is timed. Pairs have the lengths of pairs of `open/core` (quantiles of a
stratified sample of 300: tokens that both share, those of chosen and of rejected); their ids are
random, so nothing is learnt here. TRL pads, and goes without gradient checkpointing, at the best batch
of 1, 2, 4 and 8 that fits into memory, which is found beforehand.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any

RECIPE = "smollm2-135m"
OURS, TRL = "tree", "trl"
BATCHES = (1, 2, 4, 8)
OUT_OF_MEMORY = ("can't allocate memory", "bad_alloc", "MemoryError")


def lengths(count: int) -> list[tuple[int, int, int]]:
    """Tokens that both share, and those of chosen and rejected alone, at `count` quantiles."""
    from fcrewardbench import load_benchmark
    from fcrewardbench.adapters.folder import load_tokenizer
    from fcrewardbench.adapters.registry import locate
    from fcrewardbench.render import Renderer, common_length
    from fcrewardbench.run import sample

    folder, _ = locate("smollm2-135m-q4", None)
    renderer = Renderer(load_tokenizer(str(folder), trust_remote_code=False))
    found = []
    for pair in sample(load_benchmark("open/core").items, 300, 0):
        first, second = renderer.render(pair.group()).ids
        shared = common_length(first, second)
        found.append((shared, len(first) - shared, len(second) - shared))
    found.sort(key=sum)
    return [found[(2 * place + 1) * len(found) // (2 * count)] for place in range(count)]


def measure(kind: str, batch: int, shapes: list[tuple[int, int, int]]) -> dict[str, float]:
    """One pass over all pairs; called in a process of its own."""
    import torch
    from datasets import Dataset
    from trl import RewardConfig, RewardTrainer

    from fcrewardbench.adapters.folder import load_tokenizer
    from fcrewardbench.adapters.registry import locate
    from toolrm.train.recipe import load_recipe
    from toolrm.train.run import adapters_of, network_of
    from toolrm.train.trainer import TreeRewardTrainer

    # Without a limit, the system would kill what it likes.
    most = int(0.85 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    torch.manual_seed(0)
    recipe = load_recipe(RECIPE)
    base, _ = locate(recipe.base, None)
    network = network_of(base, recipe)
    rng = Random(0)
    rows = []
    for shared, chosen, rejected in shapes:
        prompt = [rng.randrange(100, 40_000) for _ in range(shared)]
        first, second = (
            prompt + [rng.randrange(100, 40_000) for _ in range(n)] for n in (chosen, rejected)
        )
        rows.append({"chosen_ids": first, "rejected_ids": [second] if kind == OURS else second})
    with tempfile.TemporaryDirectory() as folder:
        trainer = (TreeRewardTrainer if kind == OURS else RewardTrainer)(
            model=network,
            args=RewardConfig(
                output_dir=folder,
                per_device_train_batch_size=batch,
                gradient_accumulation_steps=8 // batch,
                gradient_checkpointing=False,
                learning_rate=recipe.learning_rate,
                num_train_epochs=1,
                bf16=recipe.autocast,
                center_rewards_coefficient=recipe.center_rewards,
                max_length=None,
                save_strategy="no",
                disable_tqdm=True,
                report_to=[],
                use_cpu=not torch.cuda.is_available(),
            ),
            train_dataset=Dataset.from_list(rows),
            processing_class=load_tokenizer(str(base), trust_remote_code=False),
            peft_config=adapters_of(network, recipe),
        )
        before = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "pairs_per_second": len(shapes) / seconds, "peak_mib": peak}


class TooLarge(Exception):
    """A batch does not fit into memory."""


def apart(kind: str, batch: int, shapes: list[tuple[int, int, int]]) -> dict[str, float]:
    """`measure` in a process of its own.

    Raises:
        TooLarge: it ran out of memory.
    """
    command = [sys.executable, __file__, "--measure", kind, "--batch", str(batch)]
    done = subprocess.run(
        command, input=json.dumps(shapes), capture_output=True, text=True, check=False
    )
    killed = done.returncode == -signal.SIGKILL
    if killed or (done.returncode and any(sign in done.stderr for sign in OUT_OF_MEMORY)):
        raise TooLarge
    if done.returncode:
        raise SystemExit(f"{kind}, batch {batch}: {done.stderr[-2_000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def compare(pairs: int, rounds: int) -> dict[str, Any]:
    shapes = lengths(pairs)
    few = shapes[:: max(1, pairs // 8)]
    batches: dict[int, float] = {}
    too_large = None
    for batch in BATCHES:
        try:
            batches[batch] = apart(TRL, batch, few)["pairs_per_second"]
        except TooLarge:
            too_large = batch
            break
    best = max(batches, key=batches.__getitem__)
    passes: dict[str, list[dict[str, float]]] = {OURS: [], TRL: []}
    for number in range(rounds):
        for kind, batch in sorted([(OURS, 1), (TRL, best)], reverse=number % 2 == 1):
            passes[kind].append(apart(kind, batch, shapes))
            print(f"round {number + 1}, {kind}: {passes[kind][-1]}", flush=True)
    ratios = [
        ours["pairs_per_second"] / theirs["pairs_per_second"]
        for ours, theirs in zip(passes[OURS], passes[TRL], strict=True)
    ]
    naive = sum(2 * shared + chosen + rejected for shared, chosen, rejected in shapes)
    return {
        "command": " ".join(["python bench/training.py", *sys.argv[1:]]),
        "recipe": RECIPE,
        "pairs": pairs,
        "tokens": {"tree": naive - sum(shared for shared, _, _ in shapes), "two sequences": naive},
        "trl batches, pairs a second": batches,
        "trl batch": best,
        "trl batch that does not fit": too_large,
        "ratios": ratios,
        "median ratio": statistics.median(ratios),
        "peak MiB": {kind: max(one["peak_mib"] for one in passes[kind]) for kind in passes},
        "passes": passes,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pairs", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("bench/results/training"))
    parser.add_argument("--measure", choices=[OURS, TRL], help=argparse.SUPPRESS)
    parser.add_argument("--batch", type=int, default=1, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        shapes = [(a, b, c) for a, b, c in json.load(sys.stdin)]
        print(json.dumps(measure(arguments.measure, arguments.batch, shapes)))
        return
    result = compare(arguments.pairs, arguments.rounds)
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "result.json").write_text(json.dumps(result, indent=1), "utf-8")
    print(
        f"{result['median ratio']:.2f} times TRL's pairs a second; {arguments.out / 'result.json'}"
    )


if __name__ == "__main__":
    main()
