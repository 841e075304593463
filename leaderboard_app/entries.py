"""Submissions as the board shows them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from fcrewardbench.benchmarks.labels import (
    KnownLabels,
    Label,
    known_labels,
    labels_sha256,
    loadable,
    required_subset,
)
from fcrewardbench.comparisons import (
    SIGNIFICANCE,
    Comparisons,
    WinTables,
    compare_models,
    win_tables,
)
from fcrewardbench.errors import DataError
from fcrewardbench.report.card import accuracy, disputes
from fcrewardbench.rows import Row
from fcrewardbench.submissions.card import BASELINE, Metrics, SubmissionCard, SubsetResult
from fcrewardbench.submissions.entries import Entry
from fcrewardbench.submissions.numbers import rows_of
from fcrewardbench.submissions.pack import LOCAL_OPTIONS
from fcrewardbench.submissions.rivals import fingerprints
from fcrewardbench.submissions.validate import name_and_scope_problems
from leaderboard_app.outcomes import WIN, Json, outcomes_of

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Told:
    """What stays of an entry's rows in a subset: of many entries, the rows would fill the memory.

    Args:
        credits: [rows], in the benchmark's order.
        result: what `board.json` says of the subset.
        details: what the entry's own file says of it.
    """

    credits: NDArray[np.float64]
    result: Json
    details: Json

    @property
    def letters(self) -> str:
        """An outcome a row."""
        return str(self.details["outcomes"])


@dataclass(frozen=True, slots=True)
class Read:
    """What stays of an entry.

    Args:
        entry: without its rows.
        complete: whether it has every subset that is asked of it.
    """

    entry: Entry
    subsets: dict[str, Told]
    complete: bool
    fingerprints: dict[str, str]


@dataclass(frozen=True, slots=True)
class Place:
    """A rank as an interval, and whether the entry is not significantly below the best."""

    rank: tuple[int, int]
    leader: bool

    def as_json(self) -> Json:
        return {
            "rank": {"low": self.rank[0], "high": self.rank[1]},
            "leader_group": self.leader,
        }


@dataclass(frozen=True, slots=True)
class Standing:
    """An entry and where it stands.

    `undisputed` is where it stands without the rows whose labels are disputed, where there are any;
    `good` says that it is significantly better than every baseline.
    """

    read: Read
    place: Place
    undisputed: Place | None
    good: bool

    @property
    def entry(self) -> Entry:
        return self.read.entry


@dataclass(frozen=True, slots=True)
class Labelled:
    """What a benchmark says of a row; `doubt` says why it is disputed, where it is."""

    id: str
    error_type: str
    category: str
    generator: str
    catalogue: str
    candidates: int
    doubt: str

    @classmethod
    def of(cls, label: Label, doubt: str) -> Labelled:
        """A label of the kind that benchmarks are known by, and the doubt about it."""
        id, error_type, category, generator, catalogue, correct = label
        return cls(id, error_type, category, generator, catalogue, len(correct), doubt)


@dataclass(frozen=True, slots=True)
class Field:
    """All entries of a benchmark, compared on the subset that is required.

    Args:
        labels: what the benchmark says of the rows of every subset that an entry has.
    """

    benchmark: str
    labels: dict[str, list[Labelled]]
    standings: list[Standing]
    compared: Comparisons
    won: WinTables

    @property
    def known(self) -> dict[str, KnownLabels]:
        return known_labels()[self.benchmark]

    def told(self, subset: str) -> list[tuple[Standing, Told]]:
        """The entries that have a subset."""
        return [
            (one, one.read.subsets[subset]) for one in self.standings if subset in one.read.subsets
        ]


class Entrants:
    """The entries of a benchmark while they are read, one after the other."""

    def __init__(self, benchmark: str) -> None:
        self.benchmark = benchmark
        self.entries: list[Read] = []
        self._labels: dict[str, list[Label]] = {}
        self._doubts: dict[str, list[str]] = {}

    def add(self, entry: Entry) -> None:
        """Check an entry's rows and keep what the board shows of them.

        Raises:
            DataError: see `checked_rows`.
        """
        rows = checked_rows(entry, self._labels)
        for name in rows.keys() - self._labels.keys():
            self._labels[name] = [row.label() for row in entry.subset(name)]
            self._doubts[name] = [row.doubt for row in rows[name]]
        self.entries.append(_read(entry, rows))

    def field(self) -> Field:
        """Compare them."""
        labels = {
            name: list(map(Labelled.of, own, self._doubts[name]))
            for name, own in self._labels.items()
        }
        required = required_subset(self.benchmark)
        told = [one.subsets[required] for one in self.entries]
        catalogues = [row.catalogue for row in labels[required]]
        sure = np.array([not row.doubt for row in labels[required]])
        compared = compare_models([one.credits for one in told], catalogues)
        undisputed: list[Place] | list[None] = [None] * len(told)
        if 0 < sure.sum() < len(sure):
            kept = [name for name, is_sure in zip(catalogues, sure, strict=True) if is_sure]
            undisputed = _places(compare_models([one.credits[sure] for one in told], kept))
        kinds = [one.entry.card.model.kind for one in self.entries]
        baselines = [place for place, kind in enumerate(kinds) if kind == BASELINE]
        clear = (compared.p_holm < SIGNIFICANCE) & (compared.difference > 0)
        good = [bool(baselines) and bool(one[baselines].all()) for one in clear]
        standings = [
            Standing(*one)
            for one in zip(self.entries, _places(compared), undisputed, good, strict=True)
        ]
        won = win_tables([[letter == WIN for letter in one.letters] for one in told])
        return Field(self.benchmark, labels, standings, compared, won)


def _places(compared: Comparisons) -> list[Place]:
    return list(map(Place, compared.rank_intervals(), compared.leaders()))


def standing_of(entry: Entry, compared: Comparisons) -> Standing:
    """Where an entry stands, which comes first in a comparison.

    Raises:
        DataError: see `checked_rows`.
    """
    read = _read(entry, checked_rows(entry))
    return Standing(read, _places(compared)[0], undisputed=None, good=False)


def _read(entry: Entry, rows: Mapping[str, list[Row]]) -> Read:
    card = entry.card
    known, required = known_labels()[card.benchmark], required_subset(card.benchmark)
    subsets = {
        name: Told(
            np.array([row.credit for row in rows[name]]),
            _result(result, rows[name], balanced=known[name].balanced),
            outcomes_of(rows[name], gate=bool(result.options.get("schema_gate"))),
        )
        for name, result in card.results.items()
    }
    complete = card.results.keys() == asked_of(card, rows[required])
    return Read(replace(entry, rows=[]), subsets, complete, fingerprints(entry))


def checked_rows(
    entry: Entry, seen: Mapping[str, Sequence[Label]] = MappingProxyType({})
) -> dict[str, list[Row]]:
    """The rows of every subset; a short form of what `fcrb validate` checks of each submission.

    Args:
        seen: labels of subsets that were found to be the benchmark's, which saves hashing them.

    Raises:
        DataError: the entry has not the benchmark's rows, or says another accuracy than they have.
    """
    problems = [str(problem) for problem in name_and_scope_problems(entry)]
    if problems:
        raise DataError(f"{entry.folder}: {'; '.join(problems)}.")
    found = {}
    for name, result in entry.card.results.items():
        known = known_labels()[entry.card.benchmark][name]
        submitted = entry.subset(name)
        labels = [row.label() for row in submitted]
        if labels != seen.get(name) and labels_sha256(labels) != known.labels_sha256:
            raise DataError(f"{entry.folder} has not the rows of {name}: run fcrb validate on it.")
        if any(row.problem() for row in submitted):
            raise DataError(f"{entry.folder} has impossible rows: run fcrb validate on it.")
        rows = rows_of(entry.card.benchmark, submitted)
        if abs(accuracy(rows, balanced=known.balanced) - result.metrics.accuracy) > _ROUNDING:
            raise DataError(f"{entry.folder} says another accuracy: run fcrb validate on it.")
        found[name] = rows
    return found


def summary(standing: Standing) -> Json:
    """What `board.json` says of an entry."""
    entry = standing.entry
    card, facts = entry.card, entry.card.model
    required = required_subset(card.benchmark)
    badge = entry.reproduced
    return {
        "id": entry.id,
        "benchmark": card.benchmark,
        **facts.model_dump(
            mode="json", exclude={"links", "contact", "training_data", "overlap_sha256"}
        ),
        "links": facts.links.model_dump(exclude_none=True),
        "dtype": card.results[required].dtype,
        "reproduced": badge and {"date": badge.date.isoformat(), "sample": badge.sample},
        "complete": standing.read.complete,
        "command": _command(card.benchmark, required, card.results[required]),
        **standing.place.as_json(),
        "without_disputed": standing.undisputed and standing.undisputed.as_json(),
        "results": {name: told.result for name, told in standing.read.subsets.items()},
    }


def asked_of(card: SubmissionCard, rows: Sequence[Row]) -> set[str]:
    """The subsets that make an entry complete; where it has verdicts, none that only scorers can do."""
    judged = any(row.verdicts for row in rows)
    known = known_labels()[card.benchmark]
    return {name for name, one in known.items() if not (judged and one.scorers_only)}


def _command(benchmark: str, subset: str, result: SubsetResult) -> str:
    """The command that makes the run again."""
    words = [
        "fcrb",
        "evaluate",
        "--model",
        result.model,
        "--benchmark",
        loadable(benchmark, subset),
    ]
    words += ["--adapter", result.adapter]
    for name, value in sorted(result.options.items()):
        if name not in LOCAL_OPTIONS:
            words += [
                "--option",
                f"{name}={value if isinstance(value, str) else json.dumps(value)}",
            ]
    return shlex.join(words)


def _result(result: SubsetResult, rows: list[Row], *, balanced: bool) -> Json:
    metrics = result.metrics
    disputed = disputes(rows, balanced=balanced)
    sure = disputed["without_disputed"]
    return {
        **_cell(metrics),
        "strict": metrics.strict_accuracy,
        "without_disputed": sure
        and _cell(Metrics.model_validate(sure)) | {"strict": sure["strict_accuracy"]},
        "outcomes": {outcome.value: count for outcome, count in metrics.outcomes.items()},
        "order_consistency": metrics.order_consistency,
        "auc": metrics.auc,
        "auc_ci": metrics.auc_ci,
        "by_error_type": {name: _cell(part) for name, part in result.by_error_type.items()},
        "by_category": {name: _cell(part) for name, part in result.by_category.items()},
        "tokens_per_1000": 1000 * result.tokens_computed / metrics.n,
        "seconds_per_1000": 1000 * result.seconds / metrics.n,
    }


def _cell(metrics: Metrics) -> Json:
    return {"n": metrics.n, "accuracy": metrics.accuracy, "ci": metrics.accuracy_ci}


def details(field: Field, place: int) -> Json:
    """What the file of one entry says."""
    standing = field.standings[place]
    return {
        "entry": standing.entry.id,
        "card": standing.entry.card.model_dump(mode="json"),
        "subsets": {name: told.details for name, told in standing.read.subsets.items()},
        "fingerprints": standing.read.fingerprints,
        "against": _against(field, place),
    }


def _against(field: Field, place: int) -> Json:
    """Columns of numbers, one place a rival."""
    compared, won = field.compared, field.won
    rivals = [rival for rival in range(len(field.standings)) if rival != place]
    low, high = compared.intervals
    shares = {
        "difference": compared.difference,
        "low": low,
        "high": high,
        "p": compared.p,
        "p_holm": compared.p_holm,
        "mcnemar": won.p,
    }
    counts = {
        "both": won.both,
        "only_this": won.alone,
        "only_other": won.alone.T,
        "neither": won.neither,
    }
    return {
        "id": [field.standings[rival].entry.id for rival in rivals],
        **{name: matrix[place, rivals].tolist() for name, matrix in shares.items()},
        **{name: matrix[place, rivals].astype(int).tolist() for name, matrix in counts.items()},
    }
