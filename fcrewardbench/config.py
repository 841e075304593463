"""What a run is asked to do. A run card holds it, and `--config card.json` repeats it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from fcrewardbench.errors import UsageError


class EvaluateConfig(BaseModel):
    """One evaluation."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    adapter: str | None = None
    benchmark: str = "open"
    limit: int | None = Field(default=None, ge=1)
    sample_seed: int = 0
    options: dict[str, JsonValue] = Field(default_factory=dict)


def config_of(values: dict[str, Any], source: str = "the request") -> EvaluateConfig:
    """A checked configuration.

    Raises:
        UsageError: a field that does not exist or cannot be so, or a secret in it.
    """
    try:
        config = EvaluateConfig.model_validate(values)
    except ValidationError as why:
        fields = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in why.errors())
        raise UsageError(f"{source} is no evaluation that can be run ({fields}).") from None
    address = urlsplit(str(config.options.get("base_url") or ""))
    if address.username or address.password or address.query:
        raise UsageError(
            "The base URL holds a user, password or query, which would end up in the run's files: give "
            "the bare address, and the key in OPENAI_API_KEY."
        )
    return config


def read_config(path: Path) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The configuration in a file, and the card it is part of, if it is.

    Raises:
        UsageError: the file is missing, not JSON, or no configuration.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as why:
        raise UsageError(f"The configuration {path} cannot be read: {why}.") from None
    if not isinstance(data, dict):
        raise UsageError(f"{path} is no configuration of fcrb evaluate.")
    if "config" not in data:
        return config_of(data, str(path)).model_dump(), None
    if data["config"] is None:
        raise UsageError(
            f"{path} is of a model object in a Python program; only that can repeat it."
        )
    return config_of(data["config"], str(path)).model_dump(), data
