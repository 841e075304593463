"""A card as text: Markdown for the report file, rich tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
        *markdown_table(["", "n", "accuracy", "95 % interval", "strict accuracy"], _cells(card)),
        "",
        *_disputed(card),
        f"Interval of the headline: {card['metrics']['ci_method']}. {_meaning(card['metrics'])}",
        "",
        *markdown_table(
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


def _disputed(card: Card) -> list[str]:
    """With and without errata, in a sentence where the two are the same."""
    if card["without_disputed"]:
        return []
    return [f"Disputed labels among these rows: {card['disputed']}.", ""]


def _meaning(metrics: dict[str, Any]) -> str:
    if "auc" in metrics:
        low, high = metrics["auc_ci"]
        return (
            "Accuracy is the share of prompts whose top candidate is right (the share of right ones "
            f"among those that tie at the top). Pairwise AUC: {_percent(metrics['auc'])} "
            f"({_percent(low)} – {_percent(high)}), every prompt weighted alike."
        )
    return (
        "Accuracy is mean credit: win 1, tie and inconsistent ½, everything else 0. Strict accuracy is "
        "wins over all pairs."
    )


def title(card: Card) -> str:
    """The benchmark and, where it is a sample, of what and how."""
    benchmark, sample = card["benchmark"], card["sample"]
    rows = "candidate sets" if "auc" in card["metrics"] else "pairs"
    if sample is None:
        return f"{_name(benchmark)}, all {benchmark['pairs']:,} {rows}"
    return (
        f"{_name(benchmark)}, a sample of {sample['pairs']:,} of {sample['of']:,} {rows}, "
        f"{sample['method']}"
    )


def _name(benchmark: dict[str, Any]) -> str:
    subset = f"/{benchmark['subset']}" if benchmark["subset"] else ""
    return f"{benchmark['name']}@{benchmark['edition']}{subset}"


def run_table(card: Card) -> Table:
    """One run: the headline, and accuracy by error type and category."""
    from rich.text import Text

    table = _table(f"{card['model']['name']} on {title(card)}", [""], _NUMBERS)
    for index, cells in enumerate(_cells(card)):
        table.add_row(*map(Text, cells), style="bold" if index == 0 else None)
    if "auc" in card["metrics"]:
        table.caption = _meaning(card["metrics"])
        table.caption_justify = "left"
    return table


def compare_table(
    cards: Sequence[Card],
    ranks: Sequence[tuple[int, int]] | None = None,
    ranked_on: int | None = None,
) -> Table:
    """Several runs, the best first.

    Args:
        ranks: the rank interval of every run, where there are several.
        ranked_on: the number of pairs that all runs have, which the ranks are from.
    """
    from rich.text import Text

    benchmark = cards[0]["benchmark"]
    rows = "candidate sets" if "auc" in cards[0]["metrics"] else "pairs"
    heading = f"{_name(benchmark)}, {benchmark['pairs']:,} {rows}"
    disputed = any(card["without_disputed"] for card in cards)
    numbers = [*_NUMBERS[1:], "ties", *(["without disputed"] if disputed else [])]
    table = _table(heading, [*(["rank"] if ranks else []), "model", rows], numbers)
    if any(card["sample"] for card in cards):
        table.caption = "Where fewer pairs are scored, they are a sample stratified by error type."
        if ranks:
            table.caption += f" Ranks are from the {ranked_on:,} that all have."
        table.caption_justify = "left"
    order = sorted(range(len(cards)), key=lambda place: -cards[place]["metrics"]["accuracy"])
    for place in order:
        card = cards[place]
        metrics, sample = card["metrics"], card["sample"]
        pairs = f"{metrics['n']:,}" + (f" of {sample['of']:,}" if sample else "")
        table.add_row(
            *([rank_text(*ranks[place])] if ranks else []),
            Text(card["model"]["name"]),
            pairs,
            _percent(metrics["accuracy"]),
            _interval(metrics),
            _percent(metrics["strict_accuracy"]),
            str(metrics["outcomes"]["tie"]),
            *([_percent((card["without_disputed"] or metrics)["accuracy"])] if disputed else []),
        )
    return table


def rank_text(low: int, high: int) -> str:
    """A rank interval."""
    return str(low) if low == high else f"{low}–{high}"


_NUMBERS = ("n", "accuracy", "95 % interval", "strict")


def _table(title: str, words: Sequence[str], numbers: Sequence[str]) -> Table:
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    table = Table(
        title=Text(title),
        title_justify="left",
        box=SIMPLE,
        pad_edge=False,
        collapse_padding=True,
    )
    for heading in words:
        table.add_column(heading, no_wrap=True)
    for heading in numbers:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _cells(card: Card) -> Iterator[list[str]]:
    mean = ", mean of the error types" if card["benchmark"]["balanced"] else ""
    yield _cell(f"all{mean}", card["metrics"])
    if card["without_disputed"]:
        yield _cell(f"without {card['disputed']} disputed{mean}", card["without_disputed"])
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


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a Markdown table."""
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    return lines + [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows]
