"""`fcrb suite`."""

from __future__ import annotations

from pathlib import Path

import click

from fcrewardbench.cli.progress import progress_bar
from fcrewardbench.errors import RunError
from fcrewardbench.suite import Result, read_suite, run_task, tasks_of


@click.command()
@click.argument("suite", type=click.Path(path_type=Path, dir_okay=False))
def command(suite: Path) -> None:
    """Run many models on many benchmarks: SUITE is a YAML file of models, benchmarks and out.

    Runs end up in OUT/<benchmark>/<organisation>__<model>/, for fcrb submit. The same command leaves
    alone what is finished, goes on with what was killed, and tries again what failed.
    """
    tasks = tasks_of(read_suite(suite))
    results: list[Result] = []
    for number, task in enumerate(tasks, 1):
        with progress_bar(f"{number} of {len(tasks)}, {task.label}") as progress:
            result = run_task(task, progress)
        results.append(result)
        click.echo(_line(result), err=True)
    _print_tables(results)
    failed = [result for result in results if result.state == "failed"]
    if failed:
        raise RunError(
            f"{len(failed)} of {len(tasks)} runs failed; the same command tries them again.\n"
            + "\n".join(map(_line, failed))
        )


def _line(result: Result) -> str:
    reason = f": {result.reason}" if result.reason else ""
    return f"{result.task.label} on {result.task.config.benchmark} {result.state}{reason}"


def _print_tables(results: list[Result]) -> None:
    """One table a benchmark, the best model first."""
    from rich.console import Console

    from fcrewardbench.report.tables import compare_table

    console = Console()
    for benchmark in dict.fromkeys(result.task.config.benchmark for result in results):
        here = [result for result in results if result.task.config.benchmark == benchmark]
        cards = [
            {**result.card, "model": {**result.card["model"], "name": result.task.label}}
            for result in here
            if result.card
        ]
        if cards:
            console.print(compare_table(cards))
