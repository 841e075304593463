"""`fcrb verify`."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from fcrewardbench.cli.options import ModelChoice, model_options
from fcrewardbench.cli.progress import progress_bar
from fcrewardbench.errors import RunError, UsageError
from fcrewardbench.run import Run, evaluate
from fcrewardbench.types import Benchmark


@click.command()
@click.argument("submission", type=click.Path(path_type=Path, file_okay=False, exists=True))
@model_options
@click.option("--sample", default=64, show_default=True, type=click.IntRange(min=1))
@click.option(
    "--seed", type=click.IntRange(min=0), help="Of the sample; drawn where none is given."
)
@click.option("--badge", is_flag=True, help="Where it is reproduced, write so into the entry.")
def command(
    submission: Path, choice: ModelChoice, sample: int, seed: int | None, badge: bool
) -> None:
    """Score a random sample of a submission's rows again: reproduced, or not.

    Adapter and options are the entry's where none are given. Scores may be off by what the dtype
    explains, and 5 % of the outcomes may differ. Exit code 1 where it is not reproduced.
    """
    from fcrewardbench.benchmarks.labels import required_subset
    from fcrewardbench.submissions.validate import check_entry
    from fcrewardbench.submissions.verify import verify, write_badge

    checked = check_entry(submission.resolve())
    if checked.entry is None or not checked.ok:
        problems = "; ".join(map(str, checked.problems))
        raise UsageError(f"{submission} is refused ({problems}): validate it first.")
    entry = checked.entry
    subset = required_subset(entry.card.benchmark)
    result = entry.card.results[subset]
    options = {**_harmless(result.options), **choice.options}
    adapter = choice.adapter or result.adapter
    drawn = secrets.randbelow(2**31) if seed is None else seed
    with progress_bar(choice.named()) as progress:

        def score(part: Benchmark) -> Run:
            return evaluate(choice.named(), part, adapter=adapter, progress=progress, **options)

        found = verify(entry, score, sample, drawn)
    click.echo(
        f"{'reproduced' if found.reproduced else 'not reproduced'}: {found.sample} rows of "
        f"{entry.card.benchmark}/{subset} (seed {found.seed}), largest difference "
        f"{found.largest_difference:.2g}, tolerance {found.tolerance:.2g}, "
        f"{len(found.flips)} outcomes differ"
    )
    if not found.reproduced:
        raise RunError(f"{submission} is not reproduced. Rows: {', '.join(found.flips[:10])}")
    if badge:
        write_badge(entry, found)
        click.echo(f"{submission}: reproduced.json")


def _harmless(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that the entry was made with, but for those that a stranger must not choose."""
    from fcrewardbench.submissions.pack import LOCAL_OPTIONS

    return {name: options[name] for name in options if name not in LOCAL_OPTIONS}
