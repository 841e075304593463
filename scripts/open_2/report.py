"""What FC-RewardBench-Open, edition 2, consists of, as Markdown: the tables of `docs/data-card.md`.

python -m scripts.open_2.report
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from fcrewardbench.adapters.baselines import Longer, Overlap, Random, Schema, Shorter
from fcrewardbench.benchmarks import open as open_set
from fcrewardbench.run import evaluate
from fcrewardbench.types import CandidateSet, ErrorType, Pair
from scripts.open_2.options import fields_between

BASELINES = {
    "random": Random,
    "longer": Longer,
    "shorter": Shorter,
    "overlap": Overlap,
    "schema": Schema,
}
PAIR_SUBSETS = ("core", "minimal", "abstain")


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|" + " --- |" * len(head)]
    lines += [f"| {' | '.join(str(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines)


def maker(generator: str) -> str:
    """A model, "edit", or "text"."""
    return generator.split(":", maxsplit=1)[0]


def counts(subset: str) -> str:
    pairs = open_set.load(2, subset).pairs
    makers = sorted({maker(pair.generator) for pair in pairs})
    cells = Counter((pair.error_type, maker(pair.generator)) for pair in pairs)
    kinds = [kind for kind in ErrorType if any(cells[kind, name] for name in makers)]
    rows = [[k, sum(cells[k, m] for m in makers), *(cells[k, m] for m in makers)] for k in kinds]
    totals = [sum(cells[kind, name] for kind in kinds) for name in makers]
    rows.append(["all", len(pairs), *(f"{n} ({100 * n / len(pairs):.1f} %)" for n in totals)])
    return table([f"{subset}: error type", "pairs", *makers], rows)


def manners() -> str:
    found: dict[str, Counter[str]] = {}
    for row in open_set.rows(2, "core"):
        name = row["generator"].removeprefix("edit:").rpartition("/")[2]
        if not row["generator"].startswith("edit:"):
            name = f"model, `{row['made']['manner']}`"
        found.setdefault(row["error_type"], Counter())[name] += 1
    rows = [
        (kind, ", ".join(f"{name} {n}" for name, n in names.most_common()))
        for kind, names in sorted(found.items(), key=lambda item: -item[1].total())
    ]
    return table(["core: error type", "outputs by kind, edits by operator"], rows)


def distances() -> str:
    found: Counter[tuple[str, str]] = Counter()
    for pair in open_set.load(2, "core").pairs:
        if pair.error_type == ErrorType.VALUE and not isinstance(pair.chosen, str):
            far = fields_between(pair.chosen, pair.rejected)
            found[maker(pair.generator), "5 and more" if far > 4 else str(far)] += 1
    makers = sorted({name for name, _ in found})
    columns = ("1", "2", "3", "4", "5 and more")
    return table(
        ["core, value errors: fields that differ", *columns],
        [[name, *(found[name, column] for column in columns)] for name in makers],
    )


def categories() -> str:
    found = {s: Counter(i.category for i in open_set.load(2, s).items) for s in open_set.SUBSETS}
    names = sorted({name for counter in found.values() for name in counter})
    rows = [[name, *(counter[name] or "" for counter in found.values())] for name in names]
    return table(["category", *found], rows)


def sets() -> str:
    items = open_set.load(2, "candidates").items
    rights = Counter(sum(item.correct) for item in items if isinstance(item, CandidateSet))
    makers = Counter(
        maker(name)
        for item in items
        if isinstance(item, CandidateSet)
        for name, right in zip(item.generators, item.correct, strict=True)
        if not right
    )
    shown = ", ".join(
        f"{name} {100 * n / makers.total():.1f} %" for name, n in makers.most_common()
    )
    chance = sum(count * n for count, n in rights.items()) / 8 / len(items)
    return (
        f"candidates: {', '.join(f'{n} prompts with {c} right' for c, n in sorted(rights.items()))}; "
        f"wrong ones by {shown}. Choosing at random: {100 * chance:.1f} %."
    )


def baselines() -> str:
    rows = []
    for subset in open_set.SUBSETS:
        benchmark = open_set.load(2, subset)
        kind = "pairs" if isinstance(benchmark.items[0], Pair) else "top is right"
        scores = [
            f"{100 * evaluate(made(), benchmark).accuracy:.1f}" for made in BASELINES.values()
        ]
        rows.append([f"{subset}, {kind}", *scores])
    return table(["baseline accuracy, %", *BASELINES], rows)


def main() -> None:
    parts = [*map(counts, PAIR_SUBSETS), manners(), distances(), categories(), sets(), baselines()]
    print("\n\n".join(parts))


if __name__ == "__main__":
    main()
