"""A bar on standard error, with the time left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fcrewardbench.run import Progress


@contextmanager
def progress_bar(name: str) -> Iterator[Progress]:
    """What to call with the number of finished items and the number of all."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar

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
    with Bar(*columns, console=console, transient=True, disable=quiet) as bar:
        task = bar.add_task(f"{name}: loading", total=None)

        def update(done: int, total: int) -> None:
            bar.update(task, description=name, completed=done, total=total)

        yield update
