"""`fcrb build`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fcrewardbench.benchmarks.bfcl import LANGUAGES
from fcrewardbench.benchmarks.build import Built, build_groups, build_pairs, build_preset
from fcrewardbench.benchmarks.build.layout import is_result_name
from fcrewardbench.benchmarks.build.pairs import QUOTAS
from fcrewardbench.benchmarks.build.reading import Progress
from fcrewardbench.benchmarks.build.recipe import NAME, read_recipe
from fcrewardbench.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

_PROBLEMS_SHOWN = 20


@click.command()
@click.option(
    "--results",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    help="Folders of BFCL result files, v1 to v4, nested or flat; several may follow.",
)
@click.argument("more", nargs=-1, type=click.Path(path_type=Path), metavar="[DIR]...")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="The file to write.")
@click.option(
    "--quota",
    type=click.Choice(list(QUOTAS)),
    help="Pairs per error type: the paper's numbers, or all there are.  [default: paper]",
)
@click.option(
    "--candidates",
    type=click.IntRange(min=2),
    help="Write groups of up to so many candidates instead of pairs.",
)
@click.option(
    "--languages",
    multiple=True,
    type=click.Choice(list(dict.fromkeys(LANGUAGES.values()))),
    help="Languages of the tools; may be given several times.  [default: python]",
)
@click.option("--drop-doubtful", is_flag=True, help="Leave out wrong outputs that may be right.")
@click.option("--seed", type=int, help="Decides where nothing else does.  [default: 0]")
@click.option("--preset", type=click.Choice([NAME]), help="A pinned recipe, into the cache.")
def command(
    results: tuple[Path, ...],
    more: tuple[Path, ...],
    out: Path | None,
    quota: str | None,
    candidates: int | None,
    languages: tuple[str, ...],
    drop_doubtful: bool,
    seed: int | None,
    preset: str | None,
) -> None:
    """Make pairs, or groups of candidates, from any BFCL result folders.

    Every output is parsed and judged again; stored scores are never read. What cannot be read is
    listed with its file and line, and the rest is built. The report lies beside the file.
    """
    folders = (*results, *more)
    if preset:
        if out or quota or candidates or languages or drop_doubtful or seed is not None:
            raise UsageError(
                "--preset has its own options and its own place; give --results alone."
            )
        with _progress() as progress:
            path, built = build_preset(read_recipe(), folders, progress=progress)
    else:
        path, built = _build(folders, out, quota, candidates, languages, drop_doubtful, seed or 0)
    report = path.with_name(f"{path.stem}.report.json")
    _show(built.report)
    click.echo(f"{path}: {len(built.records)} rows, sha256 {built.report['sha256']}")
    click.echo(f"{report}: the whole account")
    problems = built.report["problems"]
    for problem in problems[:_PROBLEMS_SHOWN]:
        click.echo(problem, err=True)
    if len(problems) > _PROBLEMS_SHOWN:
        rest = len(problems) - _PROBLEMS_SHOWN
        click.echo(f"and {rest} more problems; all {len(problems)} are in {report}.", err=True)


def _build(
    folders: tuple[Path, ...],
    out: Path | None,
    quota: str | None,
    candidates: int | None,
    languages: tuple[str, ...],
    drop_doubtful: bool,
    seed: int,
) -> tuple[Path, Built]:
    if out is None:
        raise UsageError("Where to? Give --out FILE.")
    if candidates and quota:
        raise UsageError("--quota is for pairs; groups take every task that has both sides.")
    if out.suffix not in (".jsonl", ".json"):
        raise UsageError(f"--out {out} is to hold JSON lines: give a name that ends in .jsonl.")
    if is_result_name(out.name):
        raise UsageError(f"--out {out} is named like a file of results: give another name.")
    spoken = languages or ("python",)
    with _progress() as progress:
        if candidates:
            built = build_groups(
                folders,
                candidates,
                languages=spoken,
                drop_doubtful=drop_doubtful,
                seed=seed,
                progress=progress,
            )
        else:
            built = build_pairs(
                folders,
                quota=quota or "paper",
                languages=spoken,
                drop_doubtful=drop_doubtful,
                seed=seed,
                progress=progress,
            )
    built.write(out)
    return out, built


def _show(report: Mapping[str, Any]) -> None:
    from rich.console import Console

    console = Console(markup=False, emoji=False)  # names are others'
    for table in _tables(report):
        console.print(table)


def _tables(report: Mapping[str, Any]) -> Iterator[Table]:
    from rich.table import Table

    if "quota" in report:
        table = Table("error type", title="Pairs", title_justify="left")
        for name in ("asked", "tasks that have one", "filled", "short"):
            table.add_column(name, justify="right")
        for kind, row in report["quota"].items():
            asked = "all" if row["asked"] is None else str(row["asked"])
            short = str(row["short"] or "")
            table.add_row(kind, asked, str(row["offered"]), str(row["filled"]), short)
        yield table
    table = Table("generator", title="Generators", title_justify="left")
    for name in ("outputs read", "rows"):
        table.add_column(name, justify="right")
    for name, categories in report["outputs"].items():
        rows = report["generators"].get(name, 0)
        table.add_row(name, str(sum(categories.values())), str(rows))
    yield table
    counts = {
        "sizes": "Candidates in a group",
        "error_types": "Candidates",
        "chosen_from": "Where the right side comes from",
        "verdicts": "Verdicts on the outputs read",
        "dialects": "How the outputs are written",
        "left_out": "Outputs left out",
        "doubtful": "Doubtful rows",
        "dropped_doubtful": "Doubtful wrong outputs, dropped",
    }
    for key, title in counts.items():
        if any(report.get(key, {}).values()):
            table = Table("what", title=title, title_justify="left")
            table.add_column("count", justify="right")
            for name, count in report[key].items():
                table.add_row(name, str(count))
            yield table


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar on standard error while files are read, and a word while pairs are made."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("reading", total=None)

        def update(done: int, total: int) -> None:
            word = "reading" if done < total else "matching"
            bar.update(task, description=word, completed=done, total=total)

        yield update
