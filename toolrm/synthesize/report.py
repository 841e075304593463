"""The account of a synthesis: counts, reasons and hashes, no texts."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fcrewardbench import DataError
from fcrewardbench.messages import calls_of
from toolrm.records import TrainingPair

REPORTS = ("report.json", "report.md")


@dataclass(frozen=True, slots=True)
class Part:
    """One file of pairs: what is in it.

    Args:
        surface: see `toolrm.synthesize.surface.given_away`.
    """

    file: str
    sha256: str
    pairs: int
    records: int
    obfuscated: int
    styled: int
    multi_turn: int
    counts: Mapping[str, Mapping[str, int]]
    surface: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Report:
    """What was made of what.

    Args:
        command: repeats the run.
        config: the whole configuration, paths as they were written.
        inputs: sha256 by path.
        parts: the files, the training part first.
        left_out: by stage: how many of what were left out, by reason.
        notes: what could not be kept to.
    """

    command: str
    config: Mapping[str, Any]
    inputs: Mapping[str, str]
    parts: Sequence[Part]
    left_out: Mapping[str, Mapping[str, int]]
    notes: Sequence[str]

    def as_dict(self) -> dict[str, Any]:
        return {
            "command": self.command,
            "inputs": dict(self.inputs),
            "parts": [
                {
                    "file": part.file,
                    "sha256": part.sha256,
                    "pairs": part.pairs,
                    "records": part.records,
                    "pairs_obfuscated": part.obfuscated,
                    "pairs_in_another_style": part.styled,
                    "pairs_after_earlier_calls": part.multi_turn,
                    **{name: dict(counts) for name, counts in part.counts.items()},
                    "what_the_surface_gives_away": dict(part.surface),
                }
                for part in self.parts
            ],
            "left_out": {stage: dict(reasons) for stage, reasons in self.left_out.items()},
            "notes": list(self.notes),
            "config": dict(self.config),
        }

    def markdown(self) -> str:
        """The same for readers."""
        lines = ["# Training pairs", "", f"    {self.command}", ""]
        for part in self.parts:
            lines += [
                f"## {part.file}",
                "",
                f"{part.pairs:,} pairs of {part.records:,} records: {part.obfuscated:,} with "
                f"obfuscated names, {part.styled:,} in another JSON style, {part.multi_turn:,} after "
                f"earlier calls. sha256 `{part.sha256}`.",
                "",
            ]
            for name, counts in part.counts.items():
                lines += _table(name.replace("_", " "), "pairs", counts)
            shares = {kind: f"{share:.0%}" for kind, share in part.surface.items()}
            lines += _table("what the surface gives away", "ranked rightly", shares)
        for stage, reasons in self.left_out.items():
            lines += _table(f"left out: {stage}", "count", reasons)
        lines += _table("input", "sha256", {path: f"`{sha}`" for path, sha in self.inputs.items()})
        lines += [f"* {note}" for note in self.notes]
        return "\n".join(lines).rstrip() + "\n"

    def write(self, folder: Path) -> None:
        """Write both `REPORTS`."""
        text = json.dumps(self.as_dict(), indent=2, ensure_ascii=False) + "\n"
        for name, content in zip(REPORTS, (text, self.markdown()), strict=True):
            (folder / name).write_text(content, "utf-8")


def part_of(
    path: Path,
    pairs: Sequence[TrainingPair],
    obfuscated: int,
    styled: int,
    surface: Mapping[str, float],
) -> Part:
    """The account of a file that holds these pairs."""
    counts = {
        "source": Counter(pair.source for pair in pairs),
        "error_type": Counter(pair.pair.error_type for pair in pairs),
        "generator": Counter(pair.pair.generator for pair in pairs),
        "licence": Counter(pair.licence for pair in pairs),
    }
    after = sum(any(calls_of(message) for message in p.pair.prompt.messages) for p in pairs)
    return Part(
        path.name,
        sha256_of(path),
        len(pairs),
        len({pair.record for pair in pairs}),
        obfuscated,
        styled,
        after,
        {name: by_size(counter) for name, counter in counts.items()},
        surface,
    )


def by_size(counts: Mapping[str, int]) -> dict[str, int]:
    """The most frequent first, equals by name."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def sha256_of(path: Path) -> str:
    """The hash of a file, or of a folder's files with their names.

    Raises:
        DataError: there is nothing.
    """
    try:
        if not path.is_dir():
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        digest = hashlib.sha256()
        for inner in sorted(p for p in path.rglob("*") if p.is_file()):
            digest.update(f"{inner.relative_to(path).as_posix()}\0{sha256_of(inner)}\n".encode())
        return digest.hexdigest()
    except OSError as why:
        raise DataError(f"{path} cannot be read: {why.strerror}; see --data.") from None


def _table(name: str, value: str, rows: Mapping[str, object]) -> Iterable[str]:
    if not rows:
        return []
    shown = [(key, f"{n:,}" if isinstance(n, int) else str(n)) for key, n in rows.items()]
    cells = [f"| {key.replace('|', '/')} | {text} |" for key, text in shown]
    return [f"| {name} | {value} |", "|---|---:|", *cells, ""]
