"""Hold every candidate of FC-RewardBench-Open, edition 2, against our checker and BFCL's own.

    python -m scripts.open_2.verify > scripts/open_2/verification.md

Every right candidate has to be right and every wrong one wrong by both; exits 1 where one is not.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

from fcrewardbench.benchmarks import open as open_set
from fcrewardbench.benchmarks.bfcl import (
    NO_CALL_CATEGORIES,
    PYTHON_CATEGORIES,
    WHEELS,
    Task,
    load_tasks,
)
from fcrewardbench.calls.check import check
from fcrewardbench.calls.parse import parse
from fcrewardbench.types import Candidate
from scripts.compare_bfcl_checker import load_original, original_verdict


def candidates_of(row: dict[str, Any]) -> Iterator[tuple[bool, Candidate]]:
    """Whether each candidate of a row should be right, and the candidate."""
    if "candidates" in row:
        for one in row["candidates"]:
            yield not one["error_type"], open_set.candidate_of(one["output"])
    else:
        yield True, open_set.candidate_of(row["chosen"])
        yield False, open_set.candidate_of(row["rejected"])


def ours(task: Task, candidate: Candidate) -> bool:
    problem = parse(candidate).problem if isinstance(candidate, str) else None
    return check(candidate, task.answer or (), task.prompt.tools, unreadable=problem).ok


def theirs(verdict: Any, decode: Any, task: Task, candidate: Candidate) -> bool:
    """By BFCL's rules: where no call is due, right is what its decoder reads no call in."""
    output: Any = candidate
    if not isinstance(candidate, str):
        output = [{call.name: dict(call.arguments)} for call in candidate]
        decode = _as_it_is
    valid, problem = original_verdict(verdict, task, decode, output)
    return problem.startswith("decoder") if not task.answer else valid


def _as_it_is(output: Any, language: str) -> Any:
    return output


def main() -> None:
    tasks = load_tasks("v4", (*PYTHON_CATEGORIES, *NO_CALL_CATEGORIES))
    verdict, decoders = load_original(["python"])
    wheel = WHEELS["v4"]
    print("# Every label against two checkers\n")
    print(
        f"`python -m scripts.open_2.verify`, BFCL's checker out of {wheel.package} {wheel.version}.\n"
    )
    print("| subset | rows | candidates | as labelled by ours | as labelled by BFCL's |")
    print("| --- | --- | --- | --- | --- |")
    failed = False
    for subset in open_set.EDITIONS[2]:
        counts: Counter[str] = Counter()
        for row in open_set.rows(2, subset):
            counts["rows"] += 1
            task = tasks[row["task"]]
            for right, candidate in candidates_of(row):
                agree = (
                    ours(task, candidate) == right,
                    theirs(verdict, decoders[""], task, candidate) == right,
                )
                counts["candidates"] += 1
                counts["ours"] += agree[0]
                counts["theirs"] += agree[1]
                if not all(agree):
                    failed = True
                    print(f"{row['id']}: ours, BFCL's {agree}: {candidate}", file=sys.stderr)
        cells = [f"{counts[name]:,}" for name in ("rows", "candidates", "ours", "theirs")]
        print(f"| {subset} | {' | '.join(cells)} |")
    if failed:
        sys.exit(1)


if __name__ == "__main__":
    main()
