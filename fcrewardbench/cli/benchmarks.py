"""`fcrb benchmarks`."""

from __future__ import annotations

import click

from fcrewardbench.benchmarks.registry import descriptions


@click.command()
def command() -> None:
    """List the benchmarks that have a name."""
    from rich.console import Console
    from rich.table import Table

    table = Table("name", "what", title="--benchmark", title_justify="left")
    for name, description in descriptions().items():
        table.add_row(name, description)
    table.add_row(
        "FILE", "anybody's pairs: .jsonl, .parquet or .arrow; fcrb check FILE validates it"
    )
    table.add_row("owner/name", "anybody's pairs, on the hub")
    Console().print(table)
