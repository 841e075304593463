"""The command line: `fcrb`, one module a subcommand, imported when it is called."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from fcrewardbench.errors import FCRewardBenchError

_COMMANDS = {
    "evaluate": "Score a benchmark with a model.",
    "doctor": "Examine a model on 16 pairs: are its scores right?",
    "render": "Show the exact text and tokens that a model reads.",
    "score": "Score the candidates of any groups, no labels needed.",
    "suite": "Run many models on many benchmarks.",
    "models": "List the models and adapters that have a name.",
    "benchmarks": "List the benchmarks that have a name.",
    "show": "Show one pair, with the differences marked.",
    "check": "Validate a pairs file: every problem with its line.",
    "compare": "Put finished runs into one table.",
    "build": "Make pairs, or groups of candidates, from BFCL result folders.",
    "export": "Write a benchmark as a folder that datasets loads.",
    "dispute": "Print the text of an issue that disputes a label.",
}


class _LazyGroup(click.Group):
    """Knows its subcommands by name and help, and imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"fcrewardbench.cli.{name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_LazyGroup)
@click.version_option(package_name="fcrewardbench")
def cli() -> None:
    """FC-RewardBench: tells whether a reward model can judge tool calls."""


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 run failed, 2 bad usage or bad input."""
    try:
        cli(standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as why:
        why.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        resumes = sys.argv[1:2] in (["evaluate"], ["score"], ["suite"])
        goes_on = " The same command goes on where it was." if resumes else ""
        click.echo(f"Stopped.{goes_on}", err=True)
        sys.exit(130)
    except FCRewardBenchError as why:
        click.echo(f"fcrb: {why}", err=True)
        sys.exit(why.exit_code)
    except OSError as why:
        click.echo(f"fcrb: {why}", err=True)
        sys.exit(2)
