"""What a run is asked to do. A run card holds it, and `--config card.json` repeats it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fcrewardbench.errors import UsageError


class EvaluateConfig(BaseModel):
    """One evaluation."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    adapter: str | None = None
    benchmark: str = "open"
    limit: int | None = Field(default=None, ge=1)
    sample_seed: int = 0
    options: dict[str, Any] = Field(default_factory=dict)


def read_config(path: Path) -> EvaluateConfig:
    """The configuration in a file: a run card, or the configuration alone.

    Raises:
        UsageError: the file is missing, not JSON, or no configuration.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as why:
        raise UsageError(f"The configuration {path} cannot be read: {why}.") from None
    if isinstance(data, dict) and "config" in data:
        data = data["config"]
    try:
        return EvaluateConfig.model_validate(data)
    except ValidationError as why:
        fields = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in why.errors())
        raise UsageError(f"{path} is no configuration of fcrb evaluate ({fields}).") from None
