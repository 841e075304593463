"""Pairs and groups out of any BFCL result folders, the way the paper made its set.

Outputs are parsed and judged again with our checker; stored scores are never read. See docs/build.md.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fcrewardbench.benchmarks.bfcl import WHEELS
from fcrewardbench.benchmarks.build.groups import account_of_groups, group_record, make_groups
from fcrewardbench.benchmarks.build.pairs import (
    Offer,
    account_of_pairs,
    by_reason,
    make_pairs,
    pair_record,
    quota_named,
)
from fcrewardbench.benchmarks.build.reading import (
    Account,
    Progress,
    Reading,
    counted,
    judge_files,
    read_results,
)
from fcrewardbench.benchmarks.build.recipe import NAME, Recipe, cached_path
from fcrewardbench.benchmarks.build.wrong import doubts_of, wrongs_of
from fcrewardbench.errors import DataError, UsageError

__all__ = [
    "Built",
    "Reading",
    "build_groups",
    "build_pairs",
    "build_preset",
    "build_recipe",
    "groups_of",
    "pairs_of",
    "read_results",
]


@dataclass(frozen=True, slots=True)
class Built:
    """What was built: the records, one a line in `text`, and the report as JSON data."""

    records: tuple[Mapping[str, Any], ...]
    text: str
    report: Mapping[str, Any]

    def write(self, path: Path) -> Path:
        """Write the records to `path` and the report beside it; the report's path is returned.

        Each is whole or as it was before.

        Raises:
            DataError: the place cannot be written to.
        """
        report = path.with_name(f"{path.stem}.report.json")
        text = json.dumps(self.report, ensure_ascii=False, indent=2) + "\n"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(report, text)
            _write(path, self.text)
        except OSError as why:
            raise DataError(f"{path} cannot be written ({why}); give another place.") from why
        return report


def _write(path: Path, text: str) -> None:
    scratch = path.with_name(f"{path.name}.tmp")
    scratch.write_text(text, encoding="utf-8", newline="\n")
    scratch.replace(path)


def build_pairs(
    results: Sequence[Path],
    *,
    quota: str = "paper",
    languages: Sequence[str] = ("python",),
    drop_doubtful: bool = False,
    seed: int = 0,
    progress: Progress = lambda done, total: None,
) -> Built:
    """Pairs of a right and a wrong answer out of BFCL result folders, one a task.

    Every output is parsed and judged again; of the wrong ones each task gives one. Which task gives
    which error type, and by which model, is settled by assignments that fill the quota as far as it
    can be filled and load no model more than they must. The right side is the most common output that
    passes, or the admissible answer nearest to the wrong one where none does.

    Args:
        results: folders with result files of BFCL v1 to v4, nested or flat, in any mixture.
        quota: "paper" for the paper's number of pairs per error type, "natural" for a pair of every
            task that has a wrong output.
        languages: of the tools: "python", "java", "javascript".
        drop_doubtful: leave out wrong outputs that a careful reader may find right.
        seed: the same seed and outputs give the same bytes, wherever the folders lie.
        progress: called with the number of files read and of all files.

    Returns:
        Records in the official schema, and the report. What could not be read is in
        `report["problems"]`; the rest is built.

    Raises:
        DataError: a folder does not exist, BFCL's data cannot be had, or nothing could be built.
        UnknownName: no such quota or language.
    """
    quota_named(quota)
    reading = read_results(results, languages=languages, progress=progress)
    return pairs_of(reading, quota=quota, drop_doubtful=drop_doubtful, seed=seed)


def build_groups(
    results: Sequence[Path],
    candidates: int,
    *,
    languages: Sequence[str] = ("python",),
    drop_doubtful: bool = False,
    seed: int = 0,
    progress: Progress = lambda done, total: None,
) -> Built:
    """Groups of 2 to `candidates` distinct outputs, right and wrong, one for every task that has both.

    Arguments, report and errors are those of `build_pairs`.
    """
    reading = read_results(results, languages=languages, progress=progress)
    return groups_of(reading, candidates, drop_doubtful=drop_doubtful, seed=seed)


def pairs_of(
    reading: Reading, *, quota: str = "paper", drop_doubtful: bool = False, seed: int = 0
) -> Built:
    """Pairs out of what was read; see `build_pairs`."""
    wanted = quota_named(quota)
    offers, dropped = _offers(reading, drop_doubtful)
    made = make_pairs(offers, wanted, seed)
    options = {"quota": quota, "drop_doubtful": drop_doubtful, "seed": seed}
    account = {**account_of_pairs(made, offers, wanted), **dropped}
    return _built([pair_record(pair) for pair in made], options, reading.account, account)


def groups_of(
    reading: Reading, candidates: int, *, drop_doubtful: bool = False, seed: int = 0
) -> Built:
    """Groups out of what was read; see `build_groups`.

    Raises:
        UsageError: fewer than two candidates.
    """
    if candidates < 2:
        raise UsageError(f"A group has two candidates or more, not {candidates}.")
    offers, dropped = _offers(reading, drop_doubtful)
    groups = make_groups(offers, candidates, seed)
    options = {"candidates": candidates, "drop_doubtful": drop_doubtful, "seed": seed}
    account = {**account_of_groups(groups), **dropped}
    return _built([group_record(group) for group in groups], options, reading.account, account)


def build_recipe(
    recipe: Recipe,
    results: Sequence[Path],
    *,
    progress: Progress = lambda done, total: None,
) -> Built:
    """The pairs of a pinned recipe, out of the very outputs that it names.

    Raises:
        DataError: files of the recipe are missing; the message has the commands that fetch them.
    """
    files = recipe.read(results)
    reading = judge_files(counted(files, len(files), progress), Account())
    return pairs_of(reading, **recipe.options)


def build_preset(
    recipe: Recipe, results: Sequence[Path], *, progress: Progress = lambda done, total: None
) -> tuple[Path, Built]:
    """Build a recipe and put the file into the cache, where `load_benchmark("rebuilt")` finds it.

    Raises:
        DataError: as `build_recipe`, or what comes out is not what the recipe says; nothing is written.
    """
    built = build_recipe(recipe, results, progress=progress)
    found = built.report["sha256"]
    if found != recipe.sha256:
        raise DataError(
            f"The recipe '{NAME}' made a file with the sha256 {found}, not {recipe.sha256}. Report it, "
            "with the versions of fcrewardbench and of Python; after a change to parser, checker or "
            "doubts run scripts/pin_rebuilt.py."
        )
    path = cached_path()
    built.write(path)
    return path, built


def _offers(reading: Reading, drop_doubtful: bool) -> tuple[list[Offer], dict[str, Any]]:
    """What tasks can give, and the account of the doubtful outputs that were dropped."""
    offers: list[Offer] = []
    dropped: list[tuple[str, ...]] = []
    for answered in reading.answered:
        wrongs = list(wrongs_of(answered))
        if drop_doubtful:
            doubts = [doubts_of(wrong, answered.task) for wrong in wrongs]
            dropped += [reasons for reasons in doubts if reasons]
            wrongs = [w for w, reasons in zip(wrongs, doubts, strict=True) if not reasons]
        if wrongs:
            offers.append(Offer(answered, tuple(wrongs)))
    return offers, {"dropped_doubtful": by_reason(dropped)}


def _built(
    records: list[dict[str, Any]],
    options: Mapping[str, Any],
    read: Account,
    account: Mapping[str, Any],
) -> Built:
    if not records:
        first = f" {read.problems[0]}" if read.problems else ""
        raise DataError(
            f"Nothing could be built: {sum(read.verdicts.values())} outputs were read and none gave a "
            f"row, {sum(read.left_out.values())} were left out.{first}"
        )
    text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    report = {
        "rows": len(records),
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "options": options,
        "bfcl_eval": {version: wheel.version for version, wheel in WHEELS.items()},
        **account,
        "outputs": {name: dict(sorted(c.items())) for name, c in sorted(read.outputs.items())},
        "verdicts": dict(read.verdicts.most_common()),
        "dialects": dict(read.dialects.most_common()),
        "left_out": dict(read.left_out.most_common()),
        "problems": list(read.problems),
    }
    return Built(tuple(records), text, report)
