"""The audit of `core`: rows read blind, what the readings come to, and what they take out.

    python -m scripts.open_2.audit sheets FOLDER        reading sheets of a stratified sample
    python -m scripts.open_2.audit unread FOLDER        reading sheets of the rows that nobody has read
    python -m scripts.open_2.audit record READER FILE…  adds a reader's lines to `verdicts.jsonl`
    python -m scripts.open_2.audit exclude              debatable rows: their tasks to `excluded.json`
    python -m scripts.open_2.audit report               prints the numbers as Markdown

A sheet shows tools, conversation, and the two candidates as A and B in an order that only a hash knows.
A reader writes a line per row, `{"task", "verdict", "note"}`: A, B, both (either is a fine answer), or
neither. `verdicts.jsonl` has a line per reading, A and B turned into chosen and rejected.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fcrewardbench.benchmarks import open as open_set
from fcrewardbench.render import candidate_text, tools_text
from fcrewardbench.stats import wilson
from fcrewardbench.types import Pair
from scripts.open_2.ingredients import EXCLUDED, VERDICTS

SAMPLE = 400
SHEETS = 8
SEED = "audit"
READINGS = ("chosen", "rejected", "both", "neither")


def rows_of_core() -> list[tuple[str, Pair]]:
    """The rows of `core`, each with its task."""
    rows, pairs = open_set.rows(2, "core"), open_set.load(2, "core").pairs
    return [(row["task"], pair) for row, pair in zip(rows, pairs, strict=True)]


def sample() -> list[tuple[str, Pair]]:
    """Rows stratified by error type and generator (models; all edits)."""
    both = rows_of_core()
    strata: dict[tuple[str, str], list[tuple[str, Pair]]] = defaultdict(list)
    for task, pair in sorted(both, key=lambda entry: _hash(entry[0])):
        strata[pair.error_type, pair.generator.split(":")[0]].append((task, pair))
    shares = {key: SAMPLE * len(part) / len(both) for key, part in strata.items()}
    quota = {key: int(share) for key, share in shares.items()}
    by_remainder = sorted(shares, key=lambda key: (quota[key] - shares[key], key))
    for key in by_remainder[: SAMPLE - sum(quota.values())]:
        quota[key] += 1
    return [entry for key, part in sorted(strata.items()) for entry in part[: quota[key]]]


def chosen_is_a(task: str) -> bool:
    return _hash(f"{task}|order")[0] % 2 == 0


def _hash(text: str) -> bytes:
    return hashlib.sha256(f"{SEED}|{text}".encode()).digest()


def write_sheets(folder: Path, entries: Sequence[tuple[str, Pair]]) -> None:
    """Sheets of equal length, in an order that does not tell types apart."""
    folder.mkdir(parents=True, exist_ok=True)
    mixed = sorted(entries, key=lambda entry: _hash(f"{entry[0]}|place"))
    for number in range(SHEETS):
        part = mixed[number * len(mixed) // SHEETS : (number + 1) * len(mixed) // SHEETS]
        text = "\n\n".join(_shown(task, pair) for task, pair in part)
        (folder / f"sheet-{number}.md").write_text(text + "\n", encoding="utf-8")


def _shown(task: str, pair: Pair) -> str:
    first, second = pair.chosen, pair.rejected
    if not chosen_is_a(task):
        first, second = second, first
    turns = [f"{message['role']}: {message['content']}" for message in pair.prompt.messages]
    return "\n".join(
        [
            f"# {task}",
            "TOOLS",
            tools_text(pair.prompt.tools),
            "CONVERSATION",
            *turns,
            f"A: {candidate_text(first)}",
            f"B: {candidate_text(second)}",
        ]
    )


def record(reader: str, files: Sequence[Path]) -> None:
    """Add a reader's verdicts, one a row of `core`."""
    known = {task for task, _ in rows_of_core()}
    read = {task for task, readings in read_verdicts().items() if reader in readings}
    found: list[dict[str, str]] = []
    for line in (line for file in files for line in file.read_text("utf-8").splitlines()):
        entry = json.loads(line)
        task, verdict = entry["task"], entry["verdict"]
        if verdict in ("A", "B"):
            verdict = "chosen" if (verdict == "A") == chosen_is_a(task) else "rejected"
        if verdict not in READINGS or task not in known or task in read:
            sys.exit(f"{task}: no row of core, read twice, or '{entry['verdict']}' is no verdict")
        read.add(task)
        note = entry.get("note", "")
        found.append({"task": task, "reader": reader, "verdict": verdict, "note": note})
    with VERDICTS.open("a", encoding="utf-8") as out:
        out.writelines(json.dumps(entry, ensure_ascii=False) + "\n" for entry in found)


def exclude() -> None:
    """Take the tasks out whose row a reader did not find as labelled; `select --mend` replaces them."""
    excluded = json.loads(EXCLUDED.read_text("utf-8"))
    for line in VERDICTS.read_text("utf-8").splitlines():
        entry = json.loads(line)
        if entry["verdict"] != "chosen":
            excluded.setdefault(entry["task"], f"{entry['verdict']}: {entry['note']}")
    EXCLUDED.write_text(json.dumps(excluded, indent=1, ensure_ascii=False) + "\n", "utf-8")


def read_verdicts() -> dict[str, dict[str, str]]:
    """Verdicts by task and reader."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for line in VERDICTS.read_text("utf-8").splitlines():
        entry = json.loads(line)
        found[entry["task"]][entry["reader"]] = entry["verdict"]
    return dict(found)


def kappa(pairs: Sequence[tuple[str, str]]) -> float:
    """Cohen's kappa (1960) of two readers."""
    agreed = sum(first == second for first, second in pairs) / len(pairs)
    left, right = (Counter(side) for side in zip(*pairs, strict=True))
    expected = sum(left[v] * right[v] for v in READINGS) / len(pairs) ** 2
    return (agreed - expected) / (1 - expected) if expected < 1 else 1.0


def report(verdicts: Mapping[str, Mapping[str, str]]) -> str:
    """The numbers: verdicts of each reader, agreement, and the debatable rows."""
    readers = sorted({reader for entry in verdicts.values() for reader in entry})
    lines = [f"| reader | rows | {' | '.join(READINGS)} |", "| --- |" + " --- |" * 5]
    for reader in readers:
        counts = Counter(entry[reader] for entry in verdicts.values() if reader in entry)
        cells = " | ".join(str(counts[verdict]) for verdict in READINGS)
        lines.append(f"| {reader} | {counts.total()} | {cells} |")
    twice = [sorted(entry.items()) for entry in verdicts.values() if len(entry) == 2]
    pairs = [(first, second) for (_, first), (_, second) in twice]
    agreed = sum(first == second for first, second in pairs)
    lines += ["", f"Read twice: {len(pairs)} rows, {agreed} alike, kappa {kappa(pairs):.2f}."]
    for name, count in (
        ("either reader does not say the label", sum(p != ("chosen", "chosen") for p in pairs)),
        ("neither reader says the label", sum("chosen" not in p for p in pairs)),
    ):
        interval = wilson(count / len(pairs), len(pairs))
        lines.append(
            f"Rows of which {name}: {count} of {len(pairs)}, {100 * count / len(pairs):.1f} % "
            f"({100 * interval.low:.1f} – {100 * interval.high:.1f})."
        )
    return "\n".join(lines)


def main() -> None:
    arguments: list[Any] = sys.argv[1:]
    if len(arguments) == 2 and arguments[0] == "sheets":
        write_sheets(Path(arguments[1]), sample())
    elif len(arguments) == 2 and arguments[0] == "unread":
        read = read_verdicts()
        write_sheets(Path(arguments[1]), [e for e in rows_of_core() if e[0] not in read])
    elif arguments == ["exclude"]:
        exclude()
    elif len(arguments) > 2 and arguments[0] == "record":
        record(arguments[1], [Path(name) for name in arguments[2:]])
    elif arguments == ["report"]:
        print(report(read_verdicts()))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
