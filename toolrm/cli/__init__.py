"""The command line: `toolrm`, one module a subcommand, imported when it is called."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from fcrewardbench import FCRewardBenchError

_COMMANDS = {
    "synthesize": "Make training pairs from tool-calling data.",
    "overlap": "Tell what training pairs have in common with benchmarks.",
    "train": "Train a reward model on pairs.",
    "push": "Upload a trained reward model to the hub.",
}


class _LazyGroup(click.Group):
    """Knows its subcommands by name and help, and imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"toolrm.cli.{name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_LazyGroup)
@click.version_option(package_name="fcrewardbench")
def cli() -> None:
    """ToolRM: makes training pairs and trains reward models that judge tool calls."""


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 run failed or overlap found, 2 bad usage or input."""
    try:
        cli(standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as why:
        why.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        resumes = sys.argv[1:2] in (["synthesize"], ["train"])
        goes_on = " The same command goes on where it was." if resumes else ""
        click.echo(f"Stopped.{goes_on}", err=True)
        sys.exit(130)
    except FCRewardBenchError as why:
        click.echo(f"toolrm: {why}", err=True)
        sys.exit(why.exit_code)
    except OSError as why:
        click.echo(f"toolrm: {why}", err=True)
        sys.exit(2)
