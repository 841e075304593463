"""`fcrb dispute`."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from importlib.metadata import version

import click

from fcrewardbench.cli.show import find, lines_of
from fcrewardbench.types import Item, Pair


@click.command()
@click.argument("pair_id")
@click.option("--benchmark", help="Where the pair is.  [default: what an id of open says, or open]")
def command(pair_id: str, benchmark: str | None) -> None:
    """Print the text of an issue that disputes a label, filled in but for your reason.

    Put it into an issue of the repository; once agreed on, its last line goes into errata.jsonl.
    """
    item = find(pair_id, benchmark)
    prefix = f"{benchmark}/" if benchmark and not pair_id.startswith("open-") else ""
    click.echo(issue_text(item, prefix + item.id))


def issue_text(item: Item, id: str) -> str:
    """Title, the item as one sees it, and the line for the errata."""
    if isinstance(item, Pair):
        shown = [("Chosen", item.chosen), ("Rejected", item.rejected)]
    else:
        kinds = [kind or "right" for kind in item.error_types]
        shown = [
            (f"Candidate {number} ({kind})", candidate)
            for number, (kind, candidate) in enumerate(zip(kinds, item.candidates, strict=True), 1)
        ]
    tools = [
        json.dumps(tool.as_openai()["function"], ensure_ascii=False) for tool in item.prompt.tools
    ]
    erratum = {
        "id": id,
        "reason": "YOUR REASON IN ONE SENTENCE",
        "who": "YOUR NAME OR HANDLE",
        "when": datetime.now(UTC).date().isoformat(),
    }
    parts = [
        f"# Disputed label: {id}",
        f"{item.category}, {item.error_type}, made by {item.generator}; fcrewardbench "
        f"{version('fcrewardbench')}."
        + (f" Already disputed: {item.doubt}." if item.doubt else ""),
        "## Conversation",
        *(_quoted(f"{message['role']}: {message['content']}") for message in item.prompt.messages),
    ]
    for heading, candidate in shown:
        parts += [f"## {heading}", _code("\n".join(lines_of(candidate)))]
    parts += [
        "<details><summary>Tools</summary>",
        _code("\n".join(tools)),
        "</details>",
        "## Why the label is wrong",
        "(Say which candidate is right, or that both or neither are, and quote what decides it.)",
        "## Line for errata.jsonl",
        _code(json.dumps(erratum, ensure_ascii=False)),
    ]
    return "\n\n".join(parts)


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.split("\n"))


def _code(text: str) -> str:
    """A fence that is longer than any in the text."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}\n{text}\n{fence}"
