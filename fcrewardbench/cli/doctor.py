"""`fcrb doctor`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click

from fcrewardbench.cli.options import ModelChoice, model_options
from fcrewardbench.doctor import Grade, examine

_STYLES = {Grade.PASS: "green", Grade.WARN: "yellow", Grade.FAIL: "bold red", Grade.SKIPPED: "dim"}


@click.command()
@model_options
@click.option(
    "--benchmark", default="open", show_default=True, help="What time and memory are foreseen for."
)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def command(choice: ModelChoice, benchmark: str, as_json: bool) -> None:
    """Examine a model on 16 pairs: are its scores right?

    Every check says pass, warn or fail, what was seen, and how to mend it. The exit code is 1 if any
    fails.
    """
    findings = examine(choice.named(), choice.adapter, benchmark=benchmark, **choice.options)
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table("check", "", "seen", "how to mend it")
        for finding in findings:
            grade = Text(finding.grade, _STYLES[finding.grade])
            table.add_row(Text(finding.check), grade, Text(finding.seen), Text(finding.mend))
        Console().print(table)
    if any(finding.grade is Grade.FAIL for finding in findings):
        sys.exit(1)
