"""Benchmark results in a trained model's card."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fcrewardbench import UsageError
from fcrewardbench.report.card import metrics, metrics_by, read_card
from fcrewardbench.report.comparison import compare_runs
from fcrewardbench.report.tables import markdown_table, title
from fcrewardbench.rows import Row, read_parquet

HEADING = "## Benchmark results"
_NOTE = (
    "Accuracy in percent with its 95 % interval. Seen and unseen: whether the training pairs had "
    "rejected calls of that generator, be it a model or an edit. Differences are means over pairs, in "
    "points."
)
_UNKNOWN = (
    "What the adapters saw that this model went on from is not known: some of the generators that "
    "count as unseen may have been seen then."
)


def write_results(run: Path, evaluations: Sequence[Path], against: Sequence[Path] = ()) -> Path:
    """Put the results of a trained model into its card, in place of earlier ones, else behind all.

    Args:
        run: the folder of `toolrm train`.
        evaluations: folders of finished evaluations of that model.
        against: finished evaluations of other models; each is compared on the pairs that it has in
            common with an evaluation on the same data.

    Returns:
        The card's path.

    Raises:
        UsageError: a folder is not what it has to be, or shares no data with an evaluation.
    """
    path = run / "model" / "README.md"
    try:
        report = json.loads((run / "report.json").read_text("utf-8"))
        known = [report["generators"], *_seen_before(report.get("start"))]
        text = path.read_text("utf-8")
    except (OSError, ValueError, LookupError) as why:
        raise UsageError(f"{run} is no finished run of toolrm train ({why!r}).") from None
    seen = frozenset(name for names in known for name in names or ())
    own = [_read(folder) for folder in evaluations]
    lines = [HEADING, "", _NOTE, ""]
    if None in known:
        lines += [_UNKNOWN, ""]
    for card, rows in own:
        lines += [f"### {title(card)}", "", _model(card), "", *_parts(card, rows, seen), ""]
    for folder in against:
        lines += _compared(folder, own, seen)
    before, _, behind = text.partition(HEADING)
    rest = behind.partition("\n## ")
    scratch = path.with_suffix(".part")
    whole = "\n".join([before.rstrip(), "", *lines, "".join(rest[1:]).lstrip()])
    scratch.write_text(whole.rstrip() + "\n", "utf-8")
    scratch.replace(path)
    return path


def _seen_before(start: dict[str, Any] | None) -> Iterator[list[str] | None]:
    """The generators of every run that went before; None where nobody knows them."""
    while start is not None:
        yield start.get("generators")
        start = start["start"]


def _read(folder: Path) -> tuple[dict[str, Any], list[Row]]:
    """Card and rows of an evaluation."""
    card = read_card(folder)
    try:
        return card, read_parquet(folder / "rows.parquet")
    except (OSError, ValueError) as why:
        raise UsageError(
            f"The rows of {folder} cannot be read ({why}): give the --out of fcrb evaluate."
        ) from None


def _model(card: dict[str, Any]) -> str:
    """What was scored, so that a reader can tell it from another dtype or model."""
    model = card["model"]
    return (
        f"`{model['name']}`, adapter `{model['adapter']}`, dtype `{model['dtype']}`, revision "
        f"`{model['revision']}`; data `{card['benchmark']['sha256']}`."
    )


def _parts(card: dict[str, Any], rows: list[Row], seen: frozenset[str]) -> list[str]:
    """Everything, seen and unseen generators, error types."""
    balanced = card["benchmark"]["balanced"]
    parts = {"all": metrics(rows, balanced=balanced)}
    parts |= metrics_by(rows, lambda row: _whether(row, seen), balanced=balanced)
    parts |= metrics_by(rows, lambda row: row.error_type)
    cells = [
        [name, f"{part['n']:,}", _percent(part["accuracy"]), _interval(*part["accuracy_ci"])]
        for name, part in parts.items()
    ]
    return markdown_table(["", "n", "accuracy", "95 % interval"], cells)


def _whether(row: Row, seen: frozenset[str]) -> str:
    return "generators seen in training" if row.generator in seen else "unseen generators"


def _compared(
    folder: Path, own: Sequence[tuple[dict[str, Any], list[Row]]], seen: frozenset[str]
) -> list[str]:
    """This model less another one, on the pairs that both have."""
    other, found = _read(folder)
    rows = {row.id: row for row in found}
    cells = []
    for card, mine in own:
        if card["benchmark"]["sha256"] != other["benchmark"]["sha256"]:
            continue
        common = [row for row in mine if row.id in rows]
        unseen = [row for row in common if row.generator not in seen]
        name = f"{title(card)}: the pairs in common"
        for what, part in ((name, common), ("of these, unseen generators", unseen)):
            if part:
                balanced = card["benchmark"]["balanced"]
                cells.append([what, f"{len(part):,}", *_difference(part, rows, balanced=balanced)])
    if not cells:
        raise UsageError(f"{folder} is on other data than every evaluation of this model.")
    head = ["", "n", "difference", "95 % interval"]
    return [
        f"### Less {other['model']['name']}: {title(other)}",
        "",
        _model(other),
        "",
        *markdown_table(head, cells),
        "",
    ]


def _difference(part: list[Row], others: dict[str, Row], *, balanced: bool) -> list[str]:
    compared = compare_runs([part, [others[row.id] for row in part]], balanced=balanced)
    low, high = compared.intervals
    return [f"{100 * compared.difference[0, 1]:+.1f}", _interval(low[0, 1], high[0, 1])]


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _interval(low: float, high: float) -> str:
    return f"{_percent(low)} to {_percent(high)}"
