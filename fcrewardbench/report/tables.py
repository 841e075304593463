"""A card as text: Markdown for the report file, rich tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

Card = dict[str, Any]


def report_markdown(card: Card) -> str:
    """The report of one run."""
    model, tokens = card["model"], card["tokens"]
    lines = [
        f"# {model['name']} on {title(card)}",
        "",
        f"Adapter `{model['adapter']}`, revision `{model['revision']}`, dtype `{model['dtype']}`."
        + (f" {model['note']}." if model.get("note") else ""),
        f"Data sha256 `{card['benchmark']['sha256']}`.",
        "",
        *_markdown(["", "n", "accuracy", "95 % interval", "strict accuracy"], _cells(card)),
        "",
        f"Interval of the headline: {card['metrics']['ci_method']}. Accuracy is mean credit: win 1, "
        "tie and inconsistent ½, everything else 0. Strict accuracy is wins over all pairs.",
        "",
        *_markdown(
            ["outcome", "pairs"], [[k, str(v)] for k, v in card["metrics"]["outcomes"].items()]
        ),
        "",
        f"{card['seconds']:.1f} s; {tokens['computed']:,} tokens computed of {tokens['naive']:,} "
        f"without sharing. Finished {card['finished']}.",
        "",
        "Repeat it: `fcrb evaluate --config card.json`.",
        "",
    ]
    return "\n".join(lines)


def title(card: Card) -> str:
    """The benchmark and, where it is a sample, of what and how."""
    benchmark, sample = card["benchmark"], card["sample"]
    name = f"{benchmark['name']}@{benchmark['edition']}"
    if sample is None:
        return f"{name}, all {benchmark['pairs']:,} pairs"
    return f"{name}, a sample of {sample['pairs']:,} of {sample['of']:,} pairs, {sample['method']}"


def run_table(card: Card) -> Table:
    """One run: the headline, and accuracy by error type and category."""
    from rich.text import Text

    table = _table(f"{card['model']['name']} on {title(card)}", [""], _NUMBERS)
    for index, cells in enumerate(_cells(card)):
        table.add_row(*map(Text, cells), style="bold" if index == 0 else None)
    return table


def compare_table(cards: Sequence[Card]) -> Table:
    """Several runs, the best first."""
    from rich.text import Text

    benchmark = cards[0]["benchmark"]
    heading = f"{benchmark['name']}@{benchmark['edition']}, {benchmark['pairs']:,} pairs"
    table = _table(heading, ["model", "pairs"], [*_NUMBERS[1:], "ties"])
    if any(card["sample"] for card in cards):
        table.caption = "Where fewer pairs are scored, they are a sample stratified by error type."
        table.caption_justify = "left"
    for card in sorted(cards, key=lambda c: -c["metrics"]["accuracy"]):
        metrics, sample = card["metrics"], card["sample"]
        pairs = f"{metrics['n']:,}" + (f" of {sample['of']:,}" if sample else "")
        table.add_row(
            Text(card["model"]["name"]),
            pairs,
            _percent(metrics["accuracy"]),
            _interval(metrics),
            _percent(metrics["strict_accuracy"]),
            str(metrics["outcomes"]["tie"]),
        )
    return table


_NUMBERS = ("n", "accuracy", "95 % interval", "strict")


def _table(title: str, words: Sequence[str], numbers: Sequence[str]) -> Table:
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title), title_justify="left", box=SIMPLE, pad_edge=False)
    for heading in words:
        table.add_column(heading, no_wrap=True)
    for heading in numbers:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _cells(card: Card) -> Iterator[list[str]]:
    yield _cell("all", card["metrics"])
    for key in ("by_error_type", "by_category"):
        for name, metrics in card[key].items():
            yield _cell(name, metrics)


def _cell(name: str, metrics: dict[str, Any]) -> list[str]:
    return [
        name,
        f"{metrics['n']:,}",
        _percent(metrics["accuracy"]),
        _interval(metrics),
        _percent(metrics["strict_accuracy"]),
    ]


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _interval(metrics: dict[str, Any]) -> str:
    low, high = metrics["accuracy_ci"]
    return f"{_percent(low)} – {_percent(high)}"


def _markdown(head: Sequence[str], rows: Any) -> list[str]:
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    return lines + [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows]
