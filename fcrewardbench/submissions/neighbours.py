"""A submission beside the entries that are nearest to it, for its pull request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fcrewardbench.benchmarks.labels import required_subset
from fcrewardbench.comparisons import compare_models
from fcrewardbench.report.tables import markdown_table
from fcrewardbench.submissions.entries import Entry, shown
from fcrewardbench.submissions.numbers import rows_of
from fcrewardbench.submissions.rivals import Rival
from fcrewardbench.submissions.validate import Checked

_NEAREST = 3


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another entry; `difference` is the submission's accuracy less its own, p the cluster test's."""

    id: str
    accuracy: float
    difference: float
    low: float
    high: float
    p: float


def neighbours(entry: Entry, rivals: Sequence[Rival]) -> list[Neighbour]:
    """The entries just above and below a submission, on the subset that ranks it; best first."""
    own = rows_of(entry.card.benchmark, entry.subset(required_subset(entry.card.benchmark)))
    credits = [row.credit for row in own]
    total = sum(credits)
    others = sorted(
        (rival for rival in rivals if rival.id != entry.id), key=lambda one: -sum(one.credits)
    )
    above = [one for one in others if sum(one.credits) > total][-_NEAREST:]
    below = [one for one in others if sum(one.credits) <= total][:_NEAREST]
    near = [*above, *below]
    if not near:
        return []
    catalogues = [row.catalogue for row in own]
    found = compare_models([credits, *(rival.credits for rival in near)], catalogues)
    low, high = found.intervals
    return [
        Neighbour(
            rival.id,
            sum(rival.credits) / len(rival.credits),
            float(found.difference[0, place]),
            float(low[0, place]),
            float(high[0, place]),
            float(found.p[0, place]),
        )
        for place, rival in enumerate(near, 1)
    ]


def markdown(checked: Sequence[Checked], rivals: Mapping[str, Sequence[Rival]]) -> str:
    """The comment for a pull request.

    Args:
        rivals: of each benchmark, the entries beside which a submission is shown.
    """
    if not checked:
        return "No entry was added or changed.\n"
    return "\n".join(
        line
        for one in checked
        for line in [*_entry_lines(one, rivals.get(one.folder.parent.name, ())), ""]
    )


def _entry_lines(checked: Checked, rivals: Sequence[Rival]) -> list[str]:
    name = code(f"{checked.folder.parent.name}/{checked.folder.name}")
    if checked.entry is None or not checked.ok:
        lines = [f"### {name} is refused", ""]
        return [*lines, *(f"* {code(str(problem))}" for problem in checked.problems)]
    card = checked.entry.card
    lines = [f"### {name} can be merged", ""]
    cells = [
        [
            subset,
            f"{result.metrics.n:,}",
            _percent(result.metrics.accuracy),
            _interval(*result.metrics.accuracy_ci),
            _percent(result.metrics.strict_accuracy),
        ]
        for subset, result in card.results.items()
    ]
    lines += markdown_table(["subset", "n", "accuracy", "95 % interval", "strict"], cells)
    near = neighbours(checked.entry, rivals)
    if near:
        rows = [
            [
                code(one.id),
                _percent(one.accuracy),
                f"{100 * one.difference:+.1f}",
                _interval(one.low, one.high),
                f"{one.p:.2g}",
            ]
            for one in near
        ]
        subset = required_subset(card.benchmark)
        lines += ["", f"Beside its neighbours on `{subset}`, this entry less the other:", ""]
        head = ["entry", "accuracy", "difference", "95 % interval", "p (cluster test)"]
        lines += markdown_table(head, rows)
    if checked.flags:
        lines += ["", "Odd, and no reason to refuse:", ""]
        lines += [f"* {code(flag)}" for flag in checked.flags]
    return lines


def code(text: str) -> str:
    """A text of unknown origin as inert Markdown: one code span of one line."""
    return f"`{' '.join(shown(text).replace('`', chr(39)).split())}`"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _interval(low: float, high: float) -> str:
    return f"{_percent(low)} to {_percent(high)}"
