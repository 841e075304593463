"""A command line whose subcommands are imported when called, and whose errors are sentences."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Collection, Mapping
from importlib import import_module
from typing import Any

import click

from fcrewardbench.errors import (
    FCRewardBenchError,
    RunError,
    ToldWarning,
    UsageError,
    is_of_a_full_disk,
)


class LazyGroup(click.Group):
    """Knows its subcommands by name and help.

    Args:
        package: where their modules are; each has its click command as `command`.
        helps: what each does, in the order in which they are listed.
    """

    def __init__(self, package: str, helps: Mapping[str, str], description: str) -> None:
        super().__init__(help=description)
        self._package = package
        self._helps = helps

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._helps)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in self._helps:
            return None
        command: click.Command = import_module(f"{self._package}.{name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self._helps.items()))


def run(group: click.Command, name: str, resuming: Collection[str]) -> None:
    """Run a command line, and exit: 0 done, 1 run failed, 2 bad usage or bad input, 130 stopped.

    Args:
        group: the command line.
        name: the program's.
        resuming: subcommands that go on where they were when they are called again.
    """
    show = warnings.showwarning

    def show_sentence(message: Any, category: type[Warning], *where: Any, **more: Any) -> None:
        if issubclass(category, ToldWarning):
            click.echo(f"{name}: {message}", err=True)
        else:
            show(message, category, *where, **more)

    warnings.showwarning = show_sentence
    try:
        group(standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as why:
        why.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        resumes = "".join(sys.argv[1:2]) in resuming
        goes_on = " The same command goes on where it was." if resumes else ""
        click.echo(f"Stopped.{goes_on}", err=True)
        sys.exit(130)
    except FCRewardBenchError as why:
        click.echo(f"{name}: {why}", err=True)
        sys.exit(why.exit_code)
    except OSError as why:
        is_full = is_of_a_full_disk(why)
        mend = ". Make room, and start the same command again." if is_full else ""
        click.echo(f"{name}: {why}{mend}", err=True)
        sys.exit(RunError.exit_code if is_full else UsageError.exit_code)
    finally:
        warnings.showwarning = show
