"""Check submissions: every number is recomputed from the rows, and nothing is believed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fcrewardbench.benchmarks.labels import (
    KnownLabels,
    known_labels,
    labels_of,
    labels_sha256,
    loadable,
)
from fcrewardbench.benchmarks.registry import load_benchmark
from fcrewardbench.errors import DataError, FCRewardBenchError
from fcrewardbench.submissions.card import SubsetResult
from fcrewardbench.submissions.entries import (
    REPRODUCED,
    Entry,
    folder_problems,
    read_entry,
    shown,
)
from fcrewardbench.submissions.numbers import numbers, rows_of
from fcrewardbench.submissions.pack import CARD, ROWS
from fcrewardbench.submissions.rivals import Rival, fingerprints
from fcrewardbench.submissions.rows import SubmittedRow
from fcrewardbench.types import Outcome

_TOLERANCE = 1e-9
_FILES = (CARD, ROWS, REPRODUCED)
_MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an entry is refused: in which file, in which row of it, and what."""

    file: str
    message: str
    row: int | None = None

    def __str__(self) -> str:
        """With escapes: a terminal must not obey what a stranger wrote."""
        return shown(self._text())

    def _text(self) -> str:
        if self.message.startswith(self.file):
            return self.message
        return f"{self.file}{'' if self.row is None else f', row {self.row}'}: {self.message}"


@dataclass(slots=True)
class Checked:
    """What came of an entry: refused if it has problems; flags are odd and refuse nothing."""

    folder: Path
    entry: Entry | None = None
    problems: list[Problem] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems


def check_entry(folder: Path) -> Checked:
    """Check one entry by itself."""
    checked = Checked(folder)
    checked.problems = [Problem(folder.name, text) for text in folder_problems(folder)]
    if checked.problems:
        return checked
    try:
        entry = read_entry(folder)
    except DataError as why:
        file = next((name for name in _FILES if str(why).startswith(name)), folder.name)
        checked.problems.append(Problem(file, str(why), why.row))
        return checked
    checked.entry = entry
    checked.problems += name_and_scope_problems(entry)
    checked.problems += _rows_alone(entry.rows)
    if checked.ok:
        for subset, result in entry.card.results.items():
            checked.problems += _subset(entry, subset, result)
    if checked.ok:
        checked.flags = list(_oddities(entry))
    return checked


def name_and_scope_problems(entry: Entry) -> Iterator[Problem]:
    """Folder, benchmark, subsets and kind have to be those that the card names."""
    card = entry.card
    if entry.folder.name != card.folder:
        yield Problem(CARD, f"it is of {card.folder}, in the folder {entry.folder.name}")
    if entry.folder.parent.name != card.benchmark:
        yield Problem(CARD, f"it is on {card.benchmark}, in {entry.folder.parent.name}")
    known = known_labels().get(card.benchmark)
    if known is None:
        yield Problem(CARD, f"{card.benchmark} takes no submissions")
        return
    for name in sorted(card.results.keys() - known.keys()):
        yield Problem(CARD, f"{card.benchmark} has no subset {name}")
    for name, subset in known.items():
        if subset.required and name not in card.results:
            yield Problem(CARD, f"{card.benchmark}/{name} is required")
    for name in sorted({row.subset for row in entry.rows} ^ card.results.keys()):
        yield Problem(ROWS, f"the subset {name[:100]!r} is in one of {CARD} and {ROWS} only")
    for what in ("model", "revision", "adapter", "dtype"):
        if len({getattr(result, what) for result in card.results.values()}) > 1:
            yield Problem(CARD, f"{what} differs between subsets: an entry is of one model")
    if len({bool(result.options.get("schema_gate")) for result in card.results.values()}) > 1:
        yield Problem(CARD, "schema_gate is on for some subsets only: an entry is of one model")
    judged = any(row.verdict is not None for row in entry.rows)
    if judged and any(row.scores is not None for row in entry.rows):
        yield Problem(ROWS, "some rows have scores and some verdicts; a model gives one of them")
    elif judged and card.model.kind != "judge":
        yield Problem(ROWS, f"it has verdicts, which a {card.model.kind} does not give")


def _rows_alone(rows: Sequence[SubmittedRow]) -> Iterator[Problem]:
    found = [
        Problem(ROWS, problem, place)
        for place, row in enumerate(rows)
        if (problem := row.problem())
    ]
    yield from found[:_MOST_SHOWN]
    if len(found) > _MOST_SHOWN:
        yield Problem(ROWS, f"{len(found) - _MOST_SHOWN} more rows have problems")


def _subset(entry: Entry, name: str, result: SubsetResult) -> Iterator[Problem]:
    """Coverage and labels, then every number."""
    card, rows = entry.card, entry.subset(name)
    known = known_labels()[card.benchmark][name]
    if result.data_sha256 != known.data_sha256:
        yield Problem(
            CARD,
            f"results.{name}.data_sha256 is {result.data_sha256[:12]}, the benchmark's "
            f"{known.data_sha256[:12]}: evaluate on this edition",
        )
    problem, place = _coverage(rows, known, loadable(card.benchmark, name))
    if problem:
        places = [place for place, row in enumerate(entry.rows) if row.subset == name]
        where = None if place is None else places[place]
        yield Problem(ROWS, f"{card.benchmark}/{name}: {problem}", where)
        return
    found = numbers(rows_of(card.benchmark, rows), balanced=known.balanced)
    said = result.model_dump(mode="json")
    for part in found:
        for path, stated, computed in _differing(said[part], found[part], part):
            yield Problem(CARD, f"results.{name}.{path} is {stated}, and the rows give {computed}")
    for kind in ("naive", "computed"):
        stated = getattr(result, f"tokens_{kind}")
        computed = sum(getattr(row, f"tokens_{kind}") for row in rows)
        if stated != computed:
            yield Problem(
                CARD, f"results.{name}.tokens_{kind} is {stated}, and the rows give {computed}"
            )


def _coverage(
    rows: list[SubmittedRow], known: KnownLabels, benchmark: str
) -> tuple[str, int | None]:
    """Every id once, with the benchmark's own labels; else the problem, and the subset's row of it."""
    places: dict[str, int] = {}
    twice = [place for place, row in enumerate(rows) if places.setdefault(row.id, place) != place]
    if twice:
        id = rows[twice[0]].id
        return f"the id '{id}' stands more than once ({len(twice)} rows repeat one)", twice[0]
    if len(rows) != known.rows:
        return f"{len(rows):,} rows, and the benchmark has {known.rows:,}", None
    labels = [row.label() for row in rows]
    if labels_sha256(labels) == known.labels_sha256:
        return "", None
    problem = "ids, labels or their order are not the benchmark's"
    try:
        due = labels_of(load_benchmark(benchmark))
    except FCRewardBenchError:  # its data are not here
        due = []
    if labels_sha256(due) != known.labels_sha256:  # nor, maybe, those of this edition
        return f"{problem}: pack the run with fcrb submit", None
    place = next(
        n for n, (given, asked) in enumerate(zip(labels, due, strict=True)) if given != asked
    )
    return f"{problem}, first where '{due[place][0]}' is due: pack the run with fcrb submit", place


def _differing(stated: Any, computed: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """Where two trees of numbers differ, at most one place in each branch."""
    if isinstance(computed, Mapping) and isinstance(stated, Mapping):
        for key in sorted({*stated, *computed}):
            yield from _differing(stated.get(key), computed.get(key), f"{path}.{key}")
    elif isinstance(computed, list | tuple) and isinstance(stated, list | tuple):
        if len(computed) != len(stated):
            yield path, stated, computed
        else:
            for place, (one, other) in enumerate(zip(stated, computed, strict=True)):
                yield from _differing(one, other, f"{path}[{place}]")
    elif isinstance(computed, float) and isinstance(stated, int | float):
        if not math.isclose(stated, computed, rel_tol=0, abs_tol=_TOLERANCE):
            yield path, stated, computed
    elif stated != computed:
        yield path, stated, computed


def _oddities(entry: Entry) -> Iterator[str]:
    """What is merely odd."""
    for name in entry.card.results:
        rows = entry.subset(name)
        scored = [row.scores for row in rows if row.scores is not None]
        if scored and len({score for scores in scored for score in scores}) == 1:
            yield f"{name}: all scores are the same"
        elif len(scored) > 1 and len(set(map(tuple, scored))) == 1:
            yield f"{name}: all rows have the same scores"
        elif scored and all(row.outcome == Outcome.TIE for row in rows):
            yield f"{name}: all rows are ties"
        verdicts = [(row.verdict, row.verdict_swapped) for row in rows if row.verdict]
        if verdicts and len(set(verdicts)) == 1:
            yield f"{name}: all verdicts are the same"
        errors = sum(row.outcome == Outcome.ERROR for row in rows)
        if errors:
            yield f"{name}: {errors} rows ended in an error and count as wrong"
        if not any(row.tokens_computed for row in rows) and entry.card.model.kind != "baseline":
            yield f"{name}: no tokens were counted"


def check_against(checked: Checked, rivals: Sequence[Rival], names: Iterable[str]) -> None:
    """Add what is wrong or odd beside other entries.

    Args:
        rivals: those of the benchmark.
        names: those of all entries on every benchmark.
    """
    entry = checked.entry
    if entry is None:
        return
    checked.problems += _taken_for_others(entry.id, names)
    own = fingerprints(entry)
    for rival in rivals:
        if rival.id == entry.id:
            continue
        for subset in sorted(own.keys() & rival.fingerprints.keys()):
            if own[subset] == rival.fingerprints[subset]:
                checked.flags.append(f"{subset}: every score is that of {rival.id}")


def _taken_for_others(id: str, names: Iterable[str]) -> Iterator[Problem]:
    organisation = id.partition("__")[0]
    for name in sorted(set(names) - {id}):
        other = name.partition("__")[0]
        if look_alike(name) == look_alike(id):
            yield Problem(id, f"its name looks like that of the entry {name}")
        elif other != organisation and look_alike(other) == look_alike(organisation):
            yield Problem(id, f"its organisation looks like that of the entry {name}")


_ALIKE = str.maketrans({"0": "o", "1": "l", "i": "l", "5": "s", "_": "-", ".": "-", "8": "b"})


def look_alike(name: str) -> str:
    """One text for all names that the eye takes for one another."""
    return name.casefold().translate(_ALIKE).replace("rn", "m").replace("vv", "w")
