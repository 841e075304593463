"""`fcrb evaluate`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from fcrewardbench.config import EvaluateConfig, config_of, read_config
from fcrewardbench.errors import UsageError
from fcrewardbench.run import Progress, evaluate_config


@click.command()
@click.option("--model", help="A known name, a folder, or a hub id; path: and hub: force one.")
@click.option("--adapter", help="How to score it; fcrb models lists the adapters.")
@click.option(
    "--benchmark", help="open, open/SUBSET, official, a file, or a hub id.  [default: open]"
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Where the run goes.")
@click.option("--limit", type=click.IntRange(min=1), help="A sample, stratified by error type.")
@click.option("--dtype", type=click.Choice(["float32", "bfloat16", "float16"]))
@click.option("--base-url", help="An OpenAI-compatible server; implies --adapter api.")
@click.option("--concurrency", type=click.IntRange(min=1), help="Requests at a time.")
@click.option(
    "--trust-remote-code", is_flag=True, help="Run Python code that comes with the model."
)
@click.option(
    "--option",
    "extra",
    multiple=True,
    metavar="NAME=VALUE",
    help="Any other option of the adapter.",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Repeat the run of a card.json; other options change it.",
)
@click.option("--fresh", is_flag=True, help="Throw away what --out holds of an earlier run.")
@click.option("--json", "as_json", is_flag=True, help="Print the run card, and nothing else.")
def command(
    model: str | None,
    adapter: str | None,
    benchmark: str | None,
    out: Path | None,
    limit: int | None,
    dtype: str | None,
    base_url: str | None,
    concurrency: int | None,
    trust_remote_code: bool,
    extra: tuple[str, ...],
    config: Path | None,
    fresh: bool,
    as_json: bool,
) -> None:
    """Score a benchmark with a model.

    A run can be killed at any time: the same command goes on where it was and ends with the same
    numbers. --out ends up with card.json, rows.parquet and report.md.
    """
    given = {
        "model": model,
        "adapter": adapter or ("api" if base_url else None),
        "benchmark": benchmark,
        "limit": limit,
    }
    options = {
        "dtype": dtype,
        "base_url": base_url,
        "concurrency": concurrency,
        "trust_remote_code": trust_remote_code or None,
        **dict(_named_value(item) for item in extra),
    }
    base, card = read_config(config) if config else ({}, None)
    settings = _settings(base, _set(given), _set(options))
    folder = out or Path("runs") / _folder_name(settings)
    with _progress(settings.model) as progress:
        run = evaluate_config(settings, folder, repeats=card, fresh=fresh, progress=progress)
    if as_json:
        click.echo((folder / "card.json").read_text(encoding="utf-8"), nl=False)
        return
    from rich.console import Console

    from fcrewardbench.report.tables import run_table

    Console().print(run_table(run.card))
    click.echo(f"{folder}: card.json, rows.parquet, report.md")


def _set(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _settings(
    base: dict[str, Any], given: dict[str, Any], options: dict[str, Any]
) -> EvaluateConfig:
    """What to do: the configuration file's word, where the command line has none."""
    if "model" not in {**base, **given}:
        raise UsageError("Which model? Give --model; fcrb models lists the ones with a name.")
    merged = {**base, **given, "options": {**base.get("options", {}), **options}}
    return config_of(merged, "the command")


def _named_value(item: str) -> tuple[str, Any]:
    """`reduction=sum` → ("reduction", "sum"); numbers, true and false as JSON."""
    name, equals, value = item.partition("=")
    if not equals or not name:
        raise UsageError(f"--option wants NAME=VALUE, not '{item}'.")
    try:
        return name.replace("-", "_"), json.loads(value)
    except ValueError:
        return name.replace("-", "_"), value


def _folder_name(settings: EvaluateConfig) -> Path:
    plain = settings.model.replace("path:", "").replace("hub:", "").strip("./")
    model = plain.replace("/", "__") + (f"__{settings.adapter}" if settings.adapter else "")
    sample = f"@{settings.limit}" if settings.limit else ""
    benchmark = Path(settings.benchmark).name if "." in settings.benchmark else settings.benchmark
    return Path(benchmark.replace("/", "__") + sample) / model


@contextmanager
def _progress(model: str) -> Iterator[Progress]:
    """A bar on standard error, with the time left."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(elapsed_when_finished=False),
    )
    console = Console(stderr=True)
    quiet = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=quiet) as bar:
        task = bar.add_task(f"{model}: loading", total=None)

        def update(done: int, total: int) -> None:
            bar.update(task, description=model, completed=done, total=total)

        yield update
