"""Build FC-RewardBench-Open, edition 2, from its ingredients: four files, the same bytes every time.

    python -m scripts.open_2.build [--out FOLDER]

Every rejected candidate is checked to be wrong in the way that its label says, under every admissible
answer and beyond doubt, and every chosen one to be right.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from fcrewardbench.benchmarks.base import candidate_json
from fcrewardbench.benchmarks.bfcl import NO_CALL_CATEGORIES, PYTHON_CATEGORIES, Task, load_tasks
from fcrewardbench.calls.check import check
from fcrewardbench.calls.edits.base import Peers
from fcrewardbench.calls.parse import parse
from fcrewardbench.types import Candidate, ErrorType
from scripts.build_open_1 import peers_of
from scripts.open_2.ingredients import DATA, SELECTION
from scripts.open_2.options import (
    SEED,
    Output,
    context_of,
    drawn,
    option_of,
    read_outputs,
    wrong_edits,
    wrong_outputs,
)
from scripts.open_2.sets import call_where_none_is_due, hash_of
from scripts.open_2.wording import DECLINES, QUESTION_SHARE, QUESTIONS

Row = dict[str, Any]


class Builder:
    """Rows out of keys."""

    def __init__(self) -> None:
        self.tasks = load_tasks("v4", (*PYTHON_CATEGORIES, *NO_CALL_CATEGORIES))
        self.peers: Peers = peers_of(task for task in self.tasks.values() if task.answer)
        self.outputs = read_outputs()

    def pair(self, key: Sequence[str]) -> Row:
        """A row of `core` or `minimal`."""
        task = self.tasks[key[0]]
        option = option_of(tuple(key), task, self._outputs(task), self.peers)
        row = _pair_row(task, option.chosen, option.rejected, option.error_type)
        _, generator, manner, number, chosen = key
        made = {"manner": manner, "number": int(number), "chosen": chosen}
        return {**row, "generator": _generator(generator, manner), "made": made}

    def abstention(self, entry: Mapping[str, Any]) -> Row:
        """A row of `abstain`: a text beside the calls of an output, or beside a right answer."""
        task = self.tasks[entry["task"]]
        text, manner = declining(task.id)
        if "draw" in entry:
            right = drawn(context_of(task, self.peers), task.id, entry["draw"])
            assert right is not None
            row = _pair_row(task, right, text, ErrorType.NO_CALL)
            return {**row, "generator": f"text:{manner}", "made": {"chosen": entry["draw"]}}
        model, kind, number = entry["output"]
        wanted = Output(model, task.id, kind, number, "")
        output = next(o for o in self._outputs(task) if _place(o) == _place(wanted))
        wrong = call_where_none_is_due(task, output)
        assert wrong is not None, task.id
        row = _pair_row(task, text, wrong, ErrorType.SHOULD_NOT_CALL)
        made = {"manner": kind, "number": number, "chosen": f"text:{manner}"}
        return {**row, "generator": model, "made": made}

    def candidates(self, entry: Mapping[str, Any]) -> Row:
        """A row of `candidates`."""
        task = self.tasks[entry["task"]]
        context = context_of(task, self.peers)
        wrong = list(wrong_outputs(task, self._outputs(task), context))
        for base in "02":
            wrong += wrong_edits(task, context, base)
        by_key = {(w.generator, w.manner, str(w.number)): w for w in wrong}
        found = []
        for name in entry["right"]:
            right = drawn(context, task.id, name)
            assert right is not None
            assert check(right, context.answer, context.tools).ok, entry
            found.append(_candidate(right, "", "admissible"))
        for key in entry["wrong"]:
            made = by_key[tuple(key)]
            first = check(made.candidate, context.answer, context.tools).first
            assert first is not None, entry
            assert first.type is made.error_type, entry
            generator = _generator(made.generator, made.manner)
            found.append(_candidate(made.candidate, made.error_type.value, generator))
        Random(f"{SEED}|{task.id}").shuffle(found)
        return {"task": task.id, "category": task.category, "candidates": found}

    def _outputs(self, task: Task) -> Sequence[Output]:
        return self.outputs.get(task.id, ())


def declining(task: str) -> tuple[str, str]:
    """The words in which a candidate declines a task or asks back, and which of the two it does."""
    rng = Random(f"{SEED}|{task}|words")
    if rng.random() < QUESTION_SHARE:
        return rng.choice(QUESTIONS), "asks"
    return rng.choice(DECLINES), "declines"


def _place(output: Output) -> tuple[str, str, int]:
    return output.model, output.kind, output.number


def _generator(maker: str, manner: str) -> str:
    return f"edit:{manner}" if maker == "edit" else maker


def _candidate(output: Candidate, error_type: str, generator: str) -> Row:
    return {"output": candidate_json(output), "error_type": error_type, "generator": generator}


def _pair_row(task: Task, chosen: Candidate, rejected: Candidate, error_type: ErrorType) -> Row:
    answer, tools = task.answer or (), task.prompt.tools
    assert check(chosen, answer, tools).ok, task.id
    problem = parse(rejected).problem if isinstance(rejected, str) else None
    first = check(rejected, answer, tools, unreadable=problem).first
    assert first is not None, task.id
    assert first.type is error_type, task.id
    return {
        "task": task.id,
        "category": task.category,
        "error_type": error_type.value,
        "chosen": candidate_json(chosen),
        "rejected": candidate_json(rejected),
    }


def build() -> Iterator[tuple[str, list[Row]]]:
    """The rows of every subset, in an order that only the tasks' ids decide."""
    builder = Builder()
    make: dict[str, Callable[[Any], Row]] = {
        "core": builder.pair,
        "minimal": builder.pair,
        "abstain": builder.abstention,
        "candidates": builder.candidates,
    }
    for subset, entries in json.loads(SELECTION.read_text("utf-8")).items():
        rows = sorted(map(make[subset], entries), key=lambda row: hash_of(row["task"]))
        yield (
            subset,
            [{"id": f"open-2/{subset}/{n:04d}", **row} for n, row in enumerate(rows, 1)],
        )


def as_jsonl(rows: Iterable[Row]) -> str:
    lines = (json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
    return "".join(f"{line}\n" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=DATA)
    folder: Path = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    for subset, rows in build():
        (folder / f"{subset}.jsonl").write_text(as_jsonl(rows), encoding="utf-8")
        print(f"{len(rows)} rows written to {folder / subset}.jsonl")


if __name__ == "__main__":
    main()
