"""`fcrb show`."""

from __future__ import annotations

import json
from difflib import SequenceMatcher

import click

from fcrewardbench.benchmarks.registry import load_benchmark
from fcrewardbench.errors import UnknownName
from fcrewardbench.types import Candidate


@click.command()
@click.argument("pair_id")
@click.option("--benchmark", default="open", show_default=True, help="Where the pair is.")
def command(pair_id: str, benchmark: str) -> None:
    """Show one pair, with the differences between its candidates marked."""
    from rich.console import Console
    from rich.text import Text

    pairs = {pair.id: pair for pair in load_benchmark(benchmark).pairs}
    if pair_id not in pairs:
        raise UnknownName("pair", pair_id, pairs)
    pair = pairs[pair_id]
    console = Console()
    console.print(Text(f"{pair.id}  {pair.category}  {pair.error_type}  {pair.generator}", "bold"))
    for tool in pair.prompt.tools:
        console.print(Text(f"\ntool {tool.name}: {tool.description}", "dim"))
        required = tool.parameters.get("required") or ()
        for name, schema in tool.parameters.get("properties", {}).items():
            mark = "" if name in required else " (optional)"
            console.print(Text(f"  {name}{mark}: {json.dumps(schema, ensure_ascii=False)}", "dim"))
    for message in pair.prompt.messages:
        console.print(Text(f"\n{message['role']}: {message['content']}"))
    chosen, rejected = _lines(pair.chosen), _lines(pair.rejected)
    for heading, lines, other, style in (
        ("chosen", chosen, rejected, "green"),
        ("rejected", rejected, chosen, "red"),
    ):
        console.print(Text(f"\n{heading}", "bold"))
        for line, differs in zip(lines, _differs(lines, other), strict=True):
            mark = "≠" if differs else " "
            console.print(Text(f"{mark} {line}", style if differs else ""))


def _lines(candidate: Candidate) -> list[str]:
    if isinstance(candidate, str):
        return candidate.split("\n")
    if not candidate:
        return ["(no call)"]
    lines = []
    for call in candidate:
        lines.append(f"{call.name}(")
        for name, value in call.arguments.items():
            lines.append(f"    {name} = {json.dumps(value, ensure_ascii=False)}")
        lines.append(")")
    return lines


def _differs(lines: list[str], other: list[str]) -> list[bool]:
    """For each line whether it has no partner in the other candidate."""
    same: set[int] = set()
    for block in SequenceMatcher(None, lines, other, autojunk=False).get_matching_blocks():
        same.update(range(block.a, block.a + block.size))
    return [index not in same for index in range(len(lines))]
