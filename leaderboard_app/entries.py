"""Submissions as the board shows them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fcrewardbench.adapters.gate import STEP
from fcrewardbench.benchmarks.labels import (
    KnownLabels,
    known_labels,
    labels_sha256,
    loadable,
    required_subset,
)
from fcrewardbench.comparisons import SIGNIFICANCE, Comparisons, WinTables
from fcrewardbench.errors import DataError
from fcrewardbench.report.card import accuracy, disputes
from fcrewardbench.report.comparison import compare_runs, wins
from fcrewardbench.rows import Row
from fcrewardbench.stats import calibration
from fcrewardbench.submissions.card import BASELINE, Metrics, SubmissionCard, SubsetResult
from fcrewardbench.submissions.entries import Entry
from fcrewardbench.submissions.numbers import rows_of
from fcrewardbench.submissions.pack import LOCAL_OPTIONS
from fcrewardbench.submissions.rivals import fingerprints
from fcrewardbench.submissions.validate import name_and_scope_problems
from fcrewardbench.types import Outcome

LETTERS = {
    Outcome.WIN.value: "w",
    Outcome.LOSS.value: "l",
    Outcome.TIE.value: "t",
    Outcome.INCONSISTENT.value: "i",
    Outcome.UNPARSED.value: "u",
    Outcome.REFUSED.value: "r",
    Outcome.TOO_LONG.value: "x",
    Outcome.ERROR.value: "e",
}
_BINS = 10
_ROUNDING = 1e-9

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Read:
    """What stays of an entry: of many, the rows as they were submitted would fill the memory.

    Args:
        entry: without its rows.
        rows: by subset in the benchmark's order, as those of runs.
    """

    entry: Entry
    rows: dict[str, list[Row]]
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
    """An entry, its rows by subset in the benchmark's order, and where it stands.

    `undisputed` is where it stands without the rows whose labels are disputed, where there are any;
    `good` says that it is significantly better than every baseline.
    """

    entry: Entry
    rows: dict[str, list[Row]]
    place: Place
    undisputed: Place | None
    good: bool


@dataclass(frozen=True, slots=True)
class Field:
    """All entries of a benchmark, compared on the subset that is required."""

    benchmark: str
    standings: list[Standing]
    fingerprints: list[dict[str, str]]
    compared: Comparisons
    won: WinTables

    @property
    def known(self) -> dict[str, KnownLabels]:
        return known_labels()[self.benchmark]

    @property
    def good(self) -> list[str]:
        """The entries that are significantly better than every baseline."""
        return [one.entry.id for one in self.standings if one.good]


def field_of(benchmark: str, entries: Sequence[Read]) -> Field:
    """Compare the entries of a benchmark."""
    required = required_subset(benchmark)
    rows = [one.rows[required] for one in entries]
    compared = compare_runs(rows, balanced=False)
    baselines = [i for i, one in enumerate(entries) if one.entry.card.model.kind == BASELINE]
    clear = (compared.p_holm < SIGNIFICANCE) & (compared.difference > 0)
    good = [bool(baselines) and bool(one[baselines].all()) for one in clear]
    sure = [[row for row in own if not row.doubt] for own in rows]
    disputed = any(len(kept) < len(own) for kept, own in zip(sure, rows, strict=True))
    undisputed: list[Place] | list[None] = [None] * len(entries)
    if disputed and all(sure):
        undisputed = _places(compare_runs(sure, balanced=False))
    standings = [
        Standing(one.entry, one.rows, place, other, clearly)
        for one, place, other, clearly in zip(
            entries, _places(compared), undisputed, good, strict=True
        )
    ]
    known = [one.fingerprints for one in entries]
    return Field(benchmark, standings, known, compared, wins(rows))


def _places(compared: Comparisons) -> list[Place]:
    return list(map(Place, compared.rank_intervals(), compared.leaders()))


def standing_of(entry: Entry, compared: Comparisons) -> Standing:
    """Where an entry stands, which comes first in a comparison.

    Raises:
        DataError: see `checked_rows`.
    """
    place = _places(compared)[0]
    return Standing(entry, checked_rows(entry), place, undisputed=None, good=False)


def read(entry: Entry) -> Read:
    """What the board keeps of an entry.

    Raises:
        DataError: see `checked_rows`.
    """
    return Read(replace(entry, rows=[]), checked_rows(entry), fingerprints(entry))


def checked_rows(entry: Entry) -> dict[str, list[Row]]:
    """The rows of every subset; a short form of what `fcrb validate` checks of each submission.

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
        if labels_sha256(row.label() for row in submitted) != known.labels_sha256:
            raise DataError(f"{entry.folder} has not the rows of {name}: run fcrb validate on it.")
        rows = rows_of(entry.card.benchmark, submitted)
        if abs(accuracy(rows, balanced=known.balanced) - result.metrics.accuracy) > _ROUNDING:
            raise DataError(f"{entry.folder} says another accuracy: run fcrb validate on it.")
        found[name] = rows
    return found


def summary(standing: Standing) -> Json:
    """What `board.json` says of an entry."""
    entry = standing.entry
    card, facts = entry.card, entry.card.model
    known, required = known_labels()[card.benchmark], required_subset(card.benchmark)
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
        "complete": card.results.keys() == asked_of(card, standing.rows[required]),
        "command": _command(card.benchmark, required, card.results[required]),
        **standing.place.as_json(),
        "without_disputed": standing.undisputed and standing.undisputed.as_json(),
        "results": {
            name: _result(result, standing.rows[name], balanced=known[name].balanced)
            for name, result in card.results.items()
        },
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
    results = standing.entry.card.results
    return {
        "entry": standing.entry.id,
        "card": standing.entry.card.model_dump(mode="json"),
        "subsets": {
            name: outcomes_of(rows, gate=bool(results[name].options.get("schema_gate")))
            for name, rows in standing.rows.items()
        },
        "fingerprints": field.fingerprints[place],
        "against": {
            other.entry.id: _against(field, place, rival)
            for rival, other in enumerate(field.standings)
            if rival != place
        },
    }


def letters(rows: Sequence[Row]) -> str:
    """One letter a row."""
    return "".join(LETTERS[row.outcome] for row in rows)


def outcomes_of(rows: Sequence[Row], *, gate: bool) -> Json:
    """A letter a row; of pairs, how far apart the scores are, and how often that is right.

    Where the scores went through a schema gate, pairs that it decided are in the letters alone: they
    say nothing of the model's own margins.
    """
    sets = any(len(row.correct) > 2 for row in rows)
    result: Json = {
        "outcomes": letters(rows),
        "credits": None,
        "margins": None,
        "calibration": None,
    }
    if sets:
        return result | {"credits": [round(row.credit, 4) for row in rows]}
    scored = [row for row in rows if row.scores is not None and row.outcome != Outcome.TIE]
    if not scored:
        return result
    judged = [row for row in scored if not gate or _margin(row) < STEP / 2]
    if not judged:
        return result
    margins = [_margin(row) for row in judged]
    right = [row.outcome == Outcome.WIN for row in judged]
    bins = [
        {
            "low": one.low,
            "high": one.high,
            "n": one.n,
            "predicted": one.predicted,
            "right": one.right,
            "ci": [one.interval.low, one.interval.high],
        }
        for one in calibration(margins, right)
    ]
    return result | {"margins": _histogram(margins, right), "calibration": bins}


def _margin(row: Row) -> float:
    assert row.scores is not None
    return abs(row.scores[0] - row.scores[1])


def _histogram(margins: Sequence[float], right: Sequence[bool]) -> Json:
    """Counts of |margin| up to its 99th percentile; the last bin has what is beyond, too."""
    sizes, chosen = np.array(margins), np.array(right)
    top = float(np.quantile(sizes, 0.99)) or 1.0
    edges = np.linspace(0, top, _BINS + 1)
    clipped = np.minimum(sizes, top)
    return {
        "edges": edges.tolist(),
        "right": np.histogram(clipped[chosen], edges)[0].tolist(),
        "wrong": np.histogram(clipped[~chosen], edges)[0].tolist(),
    }


def _against(field: Field, place: int, rival: int) -> Json:
    compared, won = field.compared, field.won
    return {
        "difference": float(compared.difference[place, rival]),
        "ci": [float(ends[place, rival]) for ends in compared.intervals],
        "p": float(compared.p[place, rival]),
        "p_holm": float(compared.p_holm[place, rival]),
        "mcnemar": float(won.p[place, rival]),
        "both": int(won.both[place, rival]),
        "only_this": int(won.alone[place, rival]),
        "only_other": int(won.alone[rival, place]),
        "neither": int(won.neither[place, rival]),
    }
