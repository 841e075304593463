"""The command line: `fcrb`, one module a subcommand, imported when it is called."""

from __future__ import annotations

import click

from fcrewardbench.cli.lazy import LazyGroup, run

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
    "compare": "Put finished runs into one table, with rank intervals.",
    "submit": "Make a submission to the leaderboard out of finished runs.",
    "validate": "Check submissions: every number recomputed from the rows.",
    "verify": "Score a sample of a submission again: reproduced, or not.",
    "build": "Make pairs, or groups of candidates, from BFCL result folders.",
    "export": "Write a benchmark as a folder that datasets loads.",
    "dispute": "Print the text of an issue that disputes a label.",
}

cli = click.version_option(package_name="fcrewardbench")(
    LazyGroup(
        __name__, _COMMANDS, "FC-RewardBench: tells whether a reward model can judge tool calls."
    )
)


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 run failed, 2 bad usage or bad input."""
    run(cli, "fcrb", ("evaluate", "score", "suite"))
