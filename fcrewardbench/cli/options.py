"""The options that every command with a model has: which one, and how it is loaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

import click

from fcrewardbench.errors import UsageError


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """What a user said of the model; `options` are the adapter's, those given only."""

    model: str | None
    adapter: str | None
    options: dict[str, Any] = field(default_factory=dict)

    def named(self) -> str:
        """The model's name.

        Raises:
            UsageError: there is none.
        """
        if self.model is None:
            raise UsageError("Which model? Give --model; fcrb models lists the ones with a name.")
        return self.model


_OPTIONS = (
    click.option("--model", help="A known name, a folder, or a hub id; path: and hub: force one."),
    click.option("--adapter", help="How to score it; fcrb models lists the adapters."),
    click.option("--dtype", type=click.Choice(["float32", "bfloat16", "float16"])),
    click.option("--base-url", help="An OpenAI-compatible server; implies --adapter api."),
    click.option("--concurrency", type=click.IntRange(min=1), help="Requests at a time."),
    click.option(
        "--trust-remote-code", is_flag=True, help="Run Python code that comes with the model."
    ),
    click.option(
        "--option",
        "extra",
        multiple=True,
        metavar="NAME=VALUE",
        help="Any other option of the adapter.",
    ),
)


def model_options(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options of a model; it gets them as one `choice`."""

    @wraps(command)
    def wrapped(
        *,
        model: str | None,
        adapter: str | None,
        dtype: str | None,
        base_url: str | None,
        concurrency: int | None,
        trust_remote_code: bool,
        extra: tuple[str, ...],
        **others: Any,
    ) -> None:
        options = {
            "dtype": dtype,
            "base_url": base_url,
            "concurrency": concurrency,
            "trust_remote_code": trust_remote_code or None,
            **dict(_named_value(item) for item in extra),
        }
        given = {name: value for name, value in options.items() if value is not None}
        choice = ModelChoice(model, adapter or ("api" if base_url else None), given)
        command(choice=choice, **others)

    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


def _named_value(item: str) -> tuple[str, Any]:
    """`reduction=sum` → ("reduction", "sum"); numbers, true and false as JSON."""
    name, equals, value = item.partition("=")
    if not equals or not name:
        raise UsageError(f"--option wants NAME=VALUE, not '{item}'.")
    try:
        return name.replace("-", "_"), json.loads(value)
    except ValueError:
        return name.replace("-", "_"), value
