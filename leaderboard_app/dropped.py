"""Check two files that somebody dropped, in a process of its own with little memory and time.

    python -m leaderboard_app.dropped CARD ROWS SITE SECONDS

It prints what the page shows: problems, flags, the entry as the board would show it, its neighbours.
Of the other entries it knows what the built site says.
"""

from __future__ import annotations

import json
import resource
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fcrewardbench import DataError
from fcrewardbench.benchmarks.labels import known_labels, required_subset
from fcrewardbench.comparisons import compare_models
from fcrewardbench.submissions.card import parse_card
from fcrewardbench.submissions.neighbours import neighbours
from fcrewardbench.submissions.pack import CARD, ROWS
from fcrewardbench.submissions.rivals import Rival, rival_of
from fcrewardbench.submissions.validate import Checked, check_against, check_entry
from fcrewardbench.types import Outcome
from leaderboard_app.entries import standing_of, summary
from leaderboard_app.outcomes import LETTERS

MEMORY = 2 * 2**30


def main() -> None:
    card, rows, site, seconds = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
    json.dump(answer(Path(card), Path(rows), Path(site)), sys.stdout, allow_nan=False)


def answer(card: Path, rows: Path, site: Path) -> dict[str, Any]:
    """What to say of two files."""
    try:
        named = parse_card(card.read_text(encoding="utf-8"), CARD)
    except (DataError, UnicodeDecodeError) as why:
        return _refused([{"file": CARD, "row": None, "message": str(why)}])
    if named.benchmark not in known_labels():
        message = f"{named.benchmark} takes no submissions"
        return _refused([{"file": CARD, "row": None, "message": message}])
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / named.benchmark / named.folder
        folder.mkdir(parents=True)
        shutil.copyfile(card, folder / CARD)
        shutil.copyfile(rows, folder / ROWS)
        checked = check_entry(folder)
        rivals = [one for one in _rivals(site, named.benchmark) if one.id != named.folder]
        names = {path.stem for path in (site / "models").glob("*/*.json")}
        check_against(checked, rivals, names)
        return _told(checked, rivals)


def _refused(problems: list[dict[str, Any]]) -> dict[str, Any]:
    return {"ok": False, "problems": problems, "flags": [], "entry": None, "neighbours": []}


def _told(checked: Checked, rivals: Sequence[Rival]) -> dict[str, Any]:
    if not checked.ok or checked.entry is None:
        problems = [
            {"file": one.file, "row": one.row, "message": one.message} for one in checked.problems
        ]
        return _refused(problems)
    entry = checked.entry
    required = entry.subset(required_subset(entry.card.benchmark))
    own = rival_of(entry)
    compared = compare_models(
        [own.credits, *(rival.credits for rival in rivals)], [row.catalogue for row in required]
    )
    near = neighbours(entry, rivals)
    return {
        "ok": True,
        "problems": [],
        "flags": checked.flags,
        "entry": summary(standing_of(entry, compared)),
        "neighbours": [
            {"id": one.id, "difference": one.difference, "ci": [one.low, one.high], "p": one.p}
            for one in near
        ],
    }


def _rivals(site: Path, benchmark: str) -> list[Rival]:
    """The entries of the built board."""
    subset = required_subset(benchmark)
    credit = {letter: Outcome(outcome).credit for outcome, letter in LETTERS.items()}
    folder = site / "models" / benchmark
    found = []
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else []:
        told = json.loads(path.read_text(encoding="utf-8"))
        credits = [credit[letter] for letter in told["subsets"][subset]["outcomes"]]
        found.append(Rival(told["entry"], credits, told["fingerprints"]))
    return found


if __name__ == "__main__":
    main()
