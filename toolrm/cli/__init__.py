"""The command line: `toolrm`, one module a subcommand, imported when it is called."""

from __future__ import annotations

import click

from fcrewardbench.cli.lazy import LazyGroup, run

_COMMANDS = {
    "synthesize": "Make training pairs from tool-calling data.",
    "overlap": "Tell what training pairs have in common with benchmarks.",
    "train": "Train a reward model on pairs.",
    "card": "Write benchmark results into a trained model's card.",
    "push": "Upload a trained reward model to the hub.",
}

cli = click.version_option(package_name="fcrewardbench")(
    LazyGroup(
        __name__, _COMMANDS, "ToolRM: makes training pairs and trains reward models of tool calls."
    )
)


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 run failed or overlap found, 2 bad usage or input."""
    run(cli, "toolrm", ("train",))
