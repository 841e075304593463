"""`fcrb show`."""

from __future__ import annotations

import json
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

import click

from fcrewardbench.benchmarks.registry import load_benchmark
from fcrewardbench.errors import UnknownName
from fcrewardbench.types import Candidate, Item, Pair

if TYPE_CHECKING:
    from rich.console import Console


@click.command()
@click.argument("pair_id")
@click.option("--benchmark", help="Where the pair is.  [default: what an id of open says, or open]")
def command(pair_id: str, benchmark: str | None) -> None:
    """Show one pair, with the differences between its candidates marked."""
    from rich.console import Console
    from rich.text import Text

    item = find(pair_id, benchmark)
    console = Console()
    console.print(Text(f"{item.id}  {item.category}  {item.error_type}  {item.generator}", "bold"))
    if item.doubt:
        console.print(Text(f"disputed: {item.doubt}", "yellow"))
    for tool in item.prompt.tools:
        console.print(Text(f"\ntool {tool.name}: {tool.description}", "dim"))
        required = tool.parameters.get("required") or ()
        for name, schema in tool.parameters.get("properties", {}).items():
            mark = "" if name in required else " (optional)"
            console.print(Text(f"  {name}{mark}: {json.dumps(schema, ensure_ascii=False)}", "dim"))
    for message in item.prompt.messages:
        console.print(Text(f"\n{message['role']}: {message['content']}"))
    if isinstance(item, Pair):
        chosen, rejected = lines_of(item.chosen), lines_of(item.rejected)
        _print(console, "chosen", chosen, rejected, "green")
        _print(console, "rejected", rejected, chosen, "red")
        return
    model = lines_of(item.candidates[item.correct.index(True)])
    for candidate, kind, maker in zip(
        item.candidates, item.error_types, item.generators, strict=True
    ):
        heading = f"{kind or 'right'}  {maker}"
        _print(console, heading, lines_of(candidate), model, "red" if kind else "green")


def find(pair_id: str, benchmark: str | None) -> Item:
    """The item of that id; an id of `open` ("open-2/core/0001") tells where it stands.

    Raises:
        UnknownName: there is none.
    """
    edition, _, rest = pair_id.removeprefix("open-").partition("/")
    subset = rest.rpartition("/")[0] or "core"
    of_open = pair_id.startswith("open-") and edition.isdecimal()
    name = benchmark or (f"open@{edition}/{subset}" if of_open else "open")
    items = {item.id: item for item in load_benchmark(name).items}
    if pair_id not in items:
        raise UnknownName("pair", pair_id, items)
    return items[pair_id]


def lines_of(candidate: Candidate) -> list[str]:
    """A candidate as lines, an argument a line."""
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


def _print(console: Console, heading: str, lines: list[str], other: list[str], style: str) -> None:
    from rich.text import Text

    console.print(Text(f"\n{heading}", "bold"))
    for line, marked in zip(lines, differs(lines, other), strict=True):
        mark = "≠" if marked else " "
        console.print(Text(f"{mark} {line}", style if marked else ""))


def differs(parts: list[str], other: list[str]) -> list[bool]:
    """For each line or piece whether it has no partner in the other candidate."""
    same: set[int] = set()
    for block in SequenceMatcher(None, parts, other, autojunk=False).get_matching_blocks():
        same.update(range(block.a, block.a + block.size))
    return [index not in same for index in range(len(parts))]
