"""`toolrm overlap`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolrm.cli.reading import read_showing
from toolrm.overlap import Overlap, find
from toolrm.references import references

if TYPE_CHECKING:
    from rich.console import Console


@click.command()
@click.option(
    "--data",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Pairs as toolrm synthesize writes them (Parquet).",
)
@click.option(
    "--benchmark",
    "names",
    multiple=True,
    help="Compare with this one, too, beside BFCL, open and rebuilt. May be given several times.",
)
@click.option(
    "--downstream",
    type=click.Path(path_type=Path),
    help="Compare with the test sets in this folder (hammer_format, seal_tools, …), too.",
)
@click.option(
    "--show", type=click.IntRange(min=0), default=0, help="Examples to show of each kind."
)
@click.option("--out", type=click.Path(path_type=Path), help="Write counts and hashes here (JSON).")
def command(
    data: Path, names: tuple[str, ...], downstream: Path | None, show: int, out: Path | None
) -> None:
    """Tell what training pairs have in common with benchmarks.

    Exits with 1 where something is in common that must not be.
    """
    from rich.console import Console

    overlap = find(read_showing(data, "overlap of"), references(names, downstream))
    console = Console()
    _print_counts(console, overlap)
    if show:
        _print_examples(console, overlap, show)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(overlap.report(), indent=2) + "\n", "utf-8")
    if overlap.refused:
        sys.exit(1)


def _print_counts(console: Console, overlap: Overlap) -> None:
    from rich.table import Table

    report = overlap.report()
    table = Table("benchmark", "what", title="records in common", title_justify="left")
    for column in ("exact", "near"):
        table.add_column(column, justify="right")
    table.add_column("")
    for name, kinds in report["findings"].items():
        for kind, found in kinds.items():
            told = ("refused" if found["refused"] else "shared", found["in_domain"] and "in-domain")
            verdict = ", ".join(filter(None, told))
            table.add_row(name, kind, str(found["exact"]), str(found["near"]), verdict)
    if report["findings"]:
        console.print(table)
    console.print(
        f"{report['records']} records, {len(report['references'])} references: "
        + (f"{report['records_refused']} records must go" if overlap.refused else "clean")
        + f"; {report['sha256'][:16]}",
        highlight=False,
    )


def _print_examples(console: Console, overlap: Overlap, show: int) -> None:
    """Of every benchmark and kind, what must not be first, the most similar first."""
    from rich.text import Text

    shown: dict[tuple[str, str], int] = {}
    for one in sorted(overlap.findings, key=lambda one: (one.shared, -one.similarity)):
        place = (one.benchmark, one.kind)
        shown[place] = shown.get(place, 0) + 1
        if shown[place] > show:
            continue
        near = "last part" if one.kind == "tool name" else f"near {one.similarity:.2f}"
        how = "exact" if one.exact else near
        title = f"\n{one.kind}, {how}{', shared' if one.shared else ''}"
        console.print(Text(title, "bold"))
        console.print(Text(f"  {one.record}: {one.ours}"))
        console.print(Text(f"  {one.benchmark} {one.item}: {one.theirs}"))
