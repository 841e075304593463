"""`fcrb submit`."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from fcrewardbench.errors import UsageError

_ASKED = {
    "organisation": "Organisation (of the model; a folder's name)",
    "name": "Model",
    "kind": "Kind (classifier, judge, dpo, likelihood, baseline)",
    "parameters": "Parameters (a number; empty if unknown)",
    "base_model": "Base model (empty if none)",
    "licence": "Licence",
    "training_data": "Training data, in a sentence",
    "overlap": "Does it overlap with the benchmark (none, some, unknown)",
    "contact": "Your GitHub login",
    "hardware": "Hardware",
}
_OPTIONAL = {"parameters", "base_model"}
_BRANCHES = "submit/"


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--facts",
    "file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A YAML file of the model's facts; docs/submissions.md lists them.",
)
@click.option(
    "--fact", "given", multiple=True, metavar="NAME=VALUE", help="One fact, before the file's."
)
@click.option(
    "--out",
    default=Path("submissions"),
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder of all submissions, in a clone of the repository.",
)
@click.option("--replace", is_flag=True, help="Write an entry that is there anew.")
@click.option("--pr", is_flag=True, help="Open the pull request, with git and gh.")
def command(
    runs: tuple[Path, ...],
    file: Path | None,
    given: tuple[str, ...],
    out: Path,
    replace: bool,
    pr: bool,
) -> None:
    """Make a submission out of finished runs of one model: RUN_DIR of open/core, of open/abstain, …

    Facts that no run card tells are taken from --facts and --fact, and asked for at a terminal. The
    folder is validated; without --pr, the commands that send it are printed.
    """
    from fcrewardbench.report.card import read_card
    from fcrewardbench.submissions.pack import known_facts, pack
    from fcrewardbench.submissions.validate import check_entry

    facts = {**known_facts(read_card(runs[0])), **_facts(file, given)}
    folder = pack(runs, _asked(facts), out, replace=replace)
    checked = check_entry(folder)
    if not checked.ok:
        raise UsageError(f"{folder}: {'; '.join(map(str, checked.problems))}")
    for flag in checked.flags:
        click.echo(f"odd: {flag}", err=True)
    click.echo(f"{folder}: card.json, rows.parquet")
    clone = out.resolve().parent
    if pr:
        _send(_commands(folder.resolve(), _branch(clone)), clone, _branch_of(folder))
        return
    click.echo("Send it from that clone, whose origin is your fork:\n")
    for one in _commands(folder, _branch(clone)):
        click.echo(f"  {shlex.join(one)}")


def _facts(file: Path | None, given: tuple[str, ...]) -> dict[str, Any]:
    import yaml

    found: Any = {}
    try:
        if file is not None:
            found = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        pairs = [item.partition("=") for item in given]
        named = {name: yaml.safe_load(value) for name, _, value in pairs}
    except (UnicodeDecodeError, yaml.YAMLError) as why:
        raise UsageError(f"The facts cannot be read: {' '.join(str(why).split())}.") from None
    if not isinstance(found, dict) or not all(equals for _, equals, _ in pairs):
        raise UsageError("Facts are NAME: VALUE in a YAML file, or --fact NAME=VALUE.")
    return {**found, **named}


def _asked(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts, with what is missing asked for; without a terminal, what is optional is unknown."""
    from fcrewardbench.submissions.pack import check_facts

    missing = [name for name in _ASKED if name not in facts]
    if sys.stdin.isatty():
        for name in missing:
            default = "" if name in _OPTIONAL else None
            facts[name] = click.prompt(_ASKED[name], default=default) or None
    else:
        facts = {**dict.fromkeys(_OPTIONAL), **facts}
    problems = check_facts(facts)
    if problems:
        listed = "; ".join(f"{name}: {problem}" for name, problem in problems.items())
        raise UsageError(f"Facts of the model are missing or cannot be ({listed}): give --fact.")
    return facts


def _branch(clone: Path) -> str:
    """The branch that the clone is on; empty where nobody can tell."""
    try:
        asked = subprocess.run(
            ["git", "-C", str(clone), "branch", "--show-current"],
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return ""
    return asked.stdout.strip()


def _branch_of(folder: Path) -> str:
    return f"{_BRANCHES}{folder.parent.name.replace('@', '-')}/{folder.name}"


def _commands(folder: Path, now: str) -> list[list[str]]:
    """What sends an entry from the branch `now`; nothing of another submission's is taken along."""
    branch = _branch_of(folder)
    title = f"Submission: {folder.name.replace('__', '/')} on {folder.parent.name}"
    start = ["--no-track", "origin/HEAD"] if now.startswith(_BRANCHES) else []
    return [
        *([] if now == branch else [["git", "switch", "-C", branch, *start]]),
        ["git", "add", str(folder)],
        ["git", "commit", "-m", title, "--", str(folder)],
        ["git", "push", "--force-with-lease", "-u", "origin", branch],
        ["gh", "pr", "create", "--title", title, "--body", "Made with fcrb submit."],
    ]


def _is_open(branch: str, clone: Path) -> bool:
    """Whether there is a pull request of the branch already, which the push has brought up to date."""
    command = ["gh", "pr", "list", "--head", branch, "--state", "open", "--json", "number"]
    asked = subprocess.run(command, cwd=clone, capture_output=True, text=True, check=False)
    return asked.returncode == 0 and asked.stdout.strip() not in ("", "[]")


def _send(commands: list[list[str]], clone: Path, branch: str) -> None:
    """Run the commands in the clone; what a step says is shown."""
    for one in commands:
        try:
            if one[0] == "gh" and _is_open(branch, clone):
                click.echo("Its pull request is open already, and has the new commit.")
                return
            subprocess.run(one, cwd=clone, check=True)
        except FileNotFoundError:
            raise UsageError(
                f"{one[0]} is not installed: install it, or run without --pr and send it yourself."
            ) from None
        except subprocess.CalledProcessError:
            rest = "\n".join(f"  {shlex.join(left)}" for left in commands[commands.index(one) :])
            raise UsageError(f"{shlex.join(one)} failed. What is left to do:\n{rest}") from None
