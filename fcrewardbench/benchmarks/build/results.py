"""One result file, line by line: what can be used, and a sentence about everything that cannot."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fcrewardbench.benchmarks.build.layout import ResultFile
from fcrewardbench.benchmarks.build.tasks import line_id
from fcrewardbench.benchmarks.files import json_lines

# BFCL writes the exception where the model gave no output.
_INFERENCE_ERROR = "Error during inference:"
_SENTENCES_IN_A_ROW = 20
_CHUNK = 2**20


@dataclass(frozen=True, slots=True)
class Line:
    """A usable line: where it stands, its whole object, its output, and the output as JSON text."""

    where: str
    record: Mapping[str, Any]
    output: Any
    text: str


@dataclass(frozen=True, slots=True)
class Left:
    """A line or a file that is not used: the reason that the report counts, how many outputs that
    is, and the sentence for the user; no sentence where the reason is as it should be."""

    reason: str
    count: int = 1
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A result file's lines. `sha256` is that of its sorted (id, output) pairs: what the file says,
    wherever it lies and whatever else its lines carry."""

    file: ResultFile
    lines: tuple[Line, ...]
    left: tuple[Left, ...]
    sha256: str


def read_file(file: ResultFile) -> ReadFile:
    """Read a file; nothing in it raises."""
    lines: list[Line] = []
    left: list[Left] = []
    bad = unlisted = 0
    try:
        for where, record in json_lines(file.path):
            if isinstance(record, str):
                read: Line | Left = Left("unreadable line", 1, record)
            else:
                read = _line(where, record, file)
            if isinstance(read, Line):
                lines.append(read)
                bad = 0
                continue
            bad += bool(read.problem)
            listed = read.problem and bad <= _SENTENCES_IN_A_ROW
            unlisted += bool(read.problem) and not listed
            left.append(Left(read.reason, read.count, f"{where}: {read.problem}" if listed else ""))
    except OSError as why:
        left.append(Left("unreadable file", 0, f"{file.path}: it cannot be read ({why})."))
    if unlisted:
        more = (
            f"{file.path}: {unlisted} more such lines, each after {_SENTENCES_IN_A_ROW} in a row."
        )
        left.append(Left(left[-1].reason, 0, more))
    if not lines and not left:
        left.append(Left("empty file", 0, f"{file.path}: the file is empty."))
    said = sorted([str(line_id(line.record)), line.text] for line in lines)
    digest = hashlib.sha256(json.dumps(said).encode()).hexdigest()
    return ReadFile(file, tuple(lines), tuple(left), digest)


def _line(where: str, record: Mapping[str, Any], file: ResultFile) -> Line | Left:
    if line_id(record) is None:
        return Left("no id", 1, "the line has no 'id' that is text or a whole number.")
    keys = ("result", "text") if file.version == "v1" else ("result",)
    output = next((record[key] for key in keys if record.get(key) is not None), None)
    if output is None:
        return Left("no result", 1, "the line has no 'result'.")
    if not isinstance(output, (str, list, dict)):
        kind = type(output).__name__
        return Left("no result", 1, f"'result' is {kind}, neither text, a list nor an object.")
    if isinstance(output, str) and output.startswith(_INFERENCE_ERROR):
        return Left("inference error")
    try:
        text = json.dumps(output, sort_keys=True, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (ValueError, RecursionError) as why:
        return Left("unreadable line", 1, f"'result' holds what JSON cannot ({why}).")
    return Line(where, record, output, text)


def leave_out(file: ResultFile, reason: str) -> Left:
    """A file that is not wanted: as many outputs as it has lines, whatever they say."""
    count, last = 0, b"\n"
    try:
        with file.path.open("rb") as source:
            while chunk := source.read(_CHUNK):
                count += chunk.count(b"\n")
                last = chunk[-1:]
    except OSError as why:
        return Left(reason, 0, f"{file.path}: it cannot be read ({why}).")
    return Left(reason, count + (last != b"\n"))
