"""`fcrb models`."""

from __future__ import annotations

import inspect

import click

from fcrewardbench.adapters.registry import MODEL_ADAPTERS, adapter_class, adapter_names
from fcrewardbench.errors import UsageError
from fcrewardbench.models import KNOWN_MODELS
from fcrewardbench.presets import load_preset, preset_names


@click.command()
def command() -> None:
    """List the models and adapters that have a name."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="--model", title_justify="left")
    table.add_column("name", no_wrap=True)
    for heading in ("what", "adapter", "licence"):
        table.add_column(heading)
    for preset in map(load_preset, preset_names()):
        table.add_row(preset.name, preset.description, preset.adapter, preset.licence)
    for model in KNOWN_MODELS.values():
        table.add_row(model.name, model.description, model.adapter, model.licence)
    for name in adapter_names():
        if name not in MODEL_ADAPTERS:
            table.add_row(name, _first_line(name))
    table.add_row("FOLDER, owner/name", "any model that an adapter below takes")
    adapters = Table("name", "what", title="--adapter", title_justify="left")
    for name in MODEL_ADAPTERS:
        adapters.add_row(name, _first_line(name))
    console = Console()
    console.print(table)
    console.print(adapters)


def _first_line(name: str) -> str:
    try:
        return (inspect.getdoc(adapter_class(name)) or "").split("\n")[0]
    except UsageError as why:
        return str(why)
