"""`fcrb evaluate`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from fcrewardbench.cli.options import ModelChoice, model_options
from fcrewardbench.cli.progress import progress_bar
from fcrewardbench.config import EvaluateConfig, config_of, read_config
from fcrewardbench.errors import UsageError
from fcrewardbench.run import evaluate_config


def _price(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> tuple[float, float] | None:
    if value is None:
        return None
    try:
        read, written = map(float, value.split(","))
    except ValueError:
        raise click.BadParameter(f"'{value}' is no IN,OUT, two prices such as 2.5,10") from None
    return read, written


@click.command()
@model_options
@click.option(
    "--benchmark", help="open, open/SUBSET, official, a file, or a hub id.  [default: open]"
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Where the run goes.")
@click.option("--limit", type=click.IntRange(min=1), help="A sample, stratified by error type.")
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Repeat the run of a card.json; other options change it.",
)
@click.option("--fresh", is_flag=True, help="Throw away what --out holds of an earlier run.")
@click.option("--json", "as_json", is_flag=True, help="Print the run card, and nothing else.")
@click.option("--dry-run", is_flag=True, help="Say what it would take; runs and writes nothing.")
@click.option(
    "--rate", type=click.FloatRange(min=0, min_open=True), help="Tokens a second, for its time."
)
@click.option(
    "--price", callback=_price, metavar="IN,OUT", help="Of a million tokens, for its cost."
)
def command(
    choice: ModelChoice,
    benchmark: str | None,
    out: Path | None,
    limit: int | None,
    config: Path | None,
    fresh: bool,
    as_json: bool,
    dry_run: bool,
    rate: float | None,
    price: tuple[float, float] | None,
) -> None:
    """Score a benchmark with a model.

    A run can be killed at any time: the same command goes on where it was and ends with the same
    numbers. --out ends up with card.json, rows.parquet and report.md.
    """
    base, card = read_config(config) if config else ({}, None)
    given = {
        "model": choice.model if "model" in base else choice.named(),
        "adapter": choice.adapter,
        "benchmark": benchmark,
        "limit": limit,
    }
    settings = _settings(base, _set(given), choice.options)
    if dry_run:
        _print_forecast(settings, rate, price, as_json)
        return
    if rate is not None or price is not None:
        raise UsageError("--rate and --price are for --dry-run, which runs nothing.")
    folder = out or Path("runs") / _folder_name(settings)
    with progress_bar(settings.model) as progress:
        run = evaluate_config(settings, folder, repeats=card, fresh=fresh, progress=progress)
    if as_json:
        click.echo((folder / "card.json").read_text(encoding="utf-8"), nl=False)
        return
    from rich.console import Console

    from fcrewardbench.report.tables import run_table

    Console().print(run_table(run.card))
    click.echo(f"{folder}: card.json, rows.parquet, report.md")


def _print_forecast(
    settings: EvaluateConfig,
    rate: float | None,
    price: tuple[float, float] | None,
    as_json: bool,
) -> None:
    from fcrewardbench.forecast import forecast, forecast_lines

    found = forecast(settings, rate=rate, price=price)
    if found is None:
        raise UsageError(f"'{settings.model}' reads no tokens, so there is nothing to forecast.")
    if as_json:
        click.echo(json.dumps(asdict(found), indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{settings.model} on {settings.benchmark}", title_justify="left")
    table.add_column("what it would take")
    table.add_column("")
    for what, much in forecast_lines(found):
        table.add_row(what, much)
    Console().print(table)


def _set(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _settings(
    base: dict[str, Any], given: dict[str, Any], options: dict[str, Any]
) -> EvaluateConfig:
    """What to do: the configuration file's word, where the command line has none."""
    merged = {**base, **given, "options": {**base.get("options", {}), **options}}
    return config_of(merged, "the command")


def _folder_name(settings: EvaluateConfig) -> Path:
    plain = settings.model.replace("path:", "").replace("hub:", "").strip("./")
    model = plain.replace("/", "__") + (f"__{settings.adapter}" if settings.adapter else "")
    sample = f"@{settings.limit}" if settings.limit else ""
    benchmark = Path(settings.benchmark).name if "." in settings.benchmark else settings.benchmark
    return Path(benchmark.replace("/", "__") + sample) / model
