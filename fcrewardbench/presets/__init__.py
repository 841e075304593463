"""Models with a name: where they are and how they are scored, a YAML file each."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

_FOLDER = Path(__file__).parent


class Preset(BaseModel):
    """A model that people compare, ready to run.

    `model` is its hub id, its name on the server, or `package:NAME/FOLDER` where a package carries it.
    Where `revision` is None the newest commit is taken, and the run card pins it. `licence` is "see its
    model card" where we could not verify it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    description: str
    kind: Literal["reward model", "generative reward model", "guardrail", "judge"]
    developer: str
    model: str
    revision: str | None = Field(pattern=r"^[0-9a-f]{40}$")
    adapter: str
    options: dict[str, JsonValue] = Field(default_factory=dict)
    licence: str
    parameters: str
    base_model: str
    source: str

    @property
    def label(self) -> str:
        """organisation/model, as boards name it."""
        if self.is_packaged:
            return self.name
        return self.model if "/" in self.model else f"{self.developer}/{self.model}"

    @property
    def is_packaged(self) -> bool:
        """Whether an installed package carries the model."""
        return self.model.startswith("package:")


def preset_names() -> list[str]:
    """Every preset's name."""
    return sorted(
        path.relative_to(_FOLDER).with_suffix("").as_posix() for path in _FOLDER.rglob("*.yaml")
    )


def load_preset(name: str) -> Preset:
    """A preset by its name, which has to be one of `preset_names()`."""
    import yaml

    content = (_FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    return Preset.model_validate(yaml.safe_load(content))
