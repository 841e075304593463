"""Numbers out of a comparison's log, and a short table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from bench.peers.process import Key
from bench.peers.workloads import Counted

Results = Mapping[Key, dict[str, Any]]


def summary(results: Results, sizes: Mapping[str, Sequence[Counted]]) -> dict[str, Any]:
    """Per workload and competitor what was measured, and every raw number; `sizes` are the blocks'.

    `ratio_to_ours` is the time ÷ ours in the same round, `times_bound` the time ÷ (tokens of the tree ÷
    the peak rate in the same round).
    """
    peaks = {key[3]: result["peak"] for key, result in results.items() if key[0] == "peak"}
    compared: dict[str, dict[str, Any]] = {}
    for workload, blocks in sizes.items():
        passes = _passes(results, workload)
        ours = passes.get("ours", {})
        compared[workload] = {}
        for name, by_round in passes.items():
            seconds = {number: one["seconds"] for number, one in by_round.items()}
            ratios = [
                s / ours[number]["seconds"] for number, s in seconds.items() if number in ours
            ]
            bounds = [
                s * peaks[number] / blocks[number % len(blocks)].tree
                for number, s in seconds.items()
            ]
            tree = sum(blocks[number % len(blocks)].tree for number in by_round)
            computed = sum(one["computed"] for one in by_round.values())
            compared[workload][name] = {
                "seconds": _spread(list(seconds.values())),
                "seconds_of_all": sum(seconds.values()),
                "ratio_of_all": sum(seconds.values())
                / sum(ours[number]["seconds"] for number in seconds if number in ours)
                if ours
                else None,
                "ratio_to_ours": _spread(ratios) if ratios else None,
                "times_bound": _spread(bounds),
                "computed": computed,
                "computed_by_tree": computed / tree,
                "cores_used": median(p["cpu_seconds"] / p["seconds"] for p in by_round.values()),
                "peak_mib": max(p["peak_mib"] for p in by_round.values()),
                "max_score_difference": max(
                    abs(score - right)
                    for number, p in by_round.items()
                    for row, rights in zip(
                        p["scores"],
                        results["reference", workload, "", number % len(blocks)]["scores"],
                        strict=True,
                    )
                    for score, right in zip(row, rights, strict=True)
                ),
            }
            if name == "plain":
                compared[workload][name]["batch"] = results["batches", workload, name, 0]["best"]
    return {
        "versions": {k[2]: result for k, result in results.items() if k[0] == "versions"},
        "peak_tokens_per_second": _spread(list(peaks.values())),
        "results": compared,
        "raw": [
            dict(zip(("what", "workload", "competitor", "round"), key, strict=True)) | result
            for key, result in results.items()
            if key[0] != "versions"
        ],
    }


def _passes(results: Results, workload: str) -> dict[str, dict[int, dict[str, Any]]]:
    """By competitor and round."""
    found: dict[str, dict[int, dict[str, Any]]] = {}
    for (what, of, name, number), result in results.items():
        if what == "pass" and of == workload:
            found.setdefault(name, {})[number] = result
    return found


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {
        "median": median(values),
        "min": min(values),
        "max": max(values),
        "n": len(values),
    }


def markdown(result: Mapping[str, Any]) -> str:
    """A table per workload."""
    settings, machine = result["settings"], result["machine"]
    peak = result["peak_tokens_per_second"]
    lines = [
        f"{settings['model']}, {settings['dtype']}, {settings['threads']} threads on "
        f"{machine['cpu']} ({machine['cores']} cores, {machine['memory_gib']} GiB). Peak of the model: "
        f"{_range(peak, 0)} tokens a second. Each round scores another block, so that ranges, the "
        f"least and the most of {peak['n']} rounds, are of data and of noise.",
    ]
    for workload, rows in result["results"].items():
        rounds = max(row["seconds"]["n"] for row in rows.values())
        every = result["workloads"][workload]
        blocks = every[:rounds]
        whole_size = sum(block["groups"] for block in every)
        groups, sequences, naive, tree = (
            sum(block[name] for block in blocks)
            for name in ("groups", "sequences", "naive", "tree")
        )
        lines += [
            "",
            f"**{workload}**: {groups} of {whole_size} groups, in {rounds} rounds of a block each; "
            f"{sequences:,} sequences, {naive:,} tokens, {tree:,} with every common prefix of a "
            "block once.",
            "",
            "| | seconds in all | ÷ ours in all | time ÷ ours by round | tokens computed | ÷ tree "
            "| time ÷ bound | score difference |",
            "| --- | --- | --- | --- | --- | --- | --- | --- |",
        ]
        for name, row in rows.items():
            label = f"{name}, batch {row['batch']}" if "batch" in row else name
            ratio = _range(row["ratio_to_ours"], 2) if row["ratio_to_ours"] else ""
            whole = f"{row['ratio_of_all']:.2f}" if row["ratio_of_all"] else ""
            lines.append(
                f"| {label} | {row['seconds_of_all']:.1f} | {whole} | {ratio} | {row['computed']:,} | "
                f"{row['computed_by_tree']:.3f} | {_range(row['times_bound'], 2)} | "
                f"{row['max_score_difference']:.1e} |"
            )
    return "\n".join(lines) + "\n"


def _range(spread: Mapping[str, float], digits: int) -> str:
    low, middle, high = (f"{spread[name]:,.{digits}f}" for name in ("min", "median", "max"))
    return f"{middle} ({low}–{high})"
