"""The word lists and the sentence frames of requests, as they stand beside this module."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import yaml


def _read(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((files(__package__) / name).read_text("utf-8")))


WORDS = _read("words.yaml")
FRAMES: dict[str, list[str]] = _read("frames.yaml")
