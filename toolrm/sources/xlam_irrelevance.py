"""xlam-irrelevance: xlam's form, its questions with tools that do not help, so no call is due."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from toolrm.records import Record
from toolrm.sources import xlam
from toolrm.sources.base import Skipped

LICENCE = "CC-BY-4.0"


def records(path: Path, skipped: Skipped) -> Iterator[Record]:
    """Records of a JSON, JSONL or Parquet file, or of a folder of such."""
    return xlam.read("xlam-irrelevance", LICENCE, path, skipped)
