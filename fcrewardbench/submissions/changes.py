"""What a pull request does to submissions: it may add, and leaves others' entries alone."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fcrewardbench.errors import DataError, UsageError
from fcrewardbench.submissions.card import BASELINE, parse_card
from fcrewardbench.submissions.entries import REPRODUCED, name_problems
from fcrewardbench.submissions.pack import CARD

_IN_ENTRY = 4
"""The parts of a path such as submissions/open@2/maker__model/card.json."""


@dataclass(frozen=True, slots=True)
class Change:
    """One file that differs; `status` is git's letter (A, M, D, T…)."""

    status: str
    path: PurePosixPath


def changes_since(base: str, repository: Path) -> list[Change]:
    """The files that differ between `base` and the commit that is checked out.

    Raises:
        UsageError: git knows no such commit, `repository` is none, or the commit is not built on
            `base`, so that entries which came since could be overlooked.
    """
    _git(repository, "rev-parse", "--verify", f"{base}^{{commit}}")
    try:
        _git(repository, "merge-base", "--is-ancestor", base, "HEAD")
    except UsageError:
        raise UsageError(
            f"The change is not built on {base}: merge the newest main first."
        ) from None
    text = _git(repository, "diff", "--name-status", "--no-renames", "-z", base, "HEAD")
    parts = text.split("\0")[:-1]
    return [
        Change(status, PurePosixPath(path))
        for status, path in zip(parts[::2], parts[1::2], strict=True)
    ]


def change_problems(
    changes: Sequence[Change], base: str, author: str | None, repository: Path, root: str
) -> dict[PurePosixPath, str]:
    """Why changes cannot be, by path; empty where all can.

    A submission adds or changes files of entries under `root` and nothing else. An entry that is in
    `base` belongs to the contact that its card names there, a new one to its own contact and to those
    of the entries of the same name on other benchmarks, beside which the board shows it.

    Args:
        author: the login of who sends them; None for a maintainer, who may change anything.
    """
    problems = {change.path: _problem(change, base, author, repository, root) for change in changes}
    return {path: problem for path, problem in problems.items() if problem}


def _problem(change: Change, base: str, author: str | None, repository: Path, root: str) -> str:
    path, entry = change.path, change.path.parent
    if not _is_inside(path, root):
        return "" if author is None else f"a submission changes its entry under {root}/ only"
    if change.status != "D":
        names = name_problems(entry.parent.name, entry.name)
        if names:
            return "; ".join(names)
        folder = repository / entry
        if not folder.is_dir() or folder.is_symlink() or folder.parent.is_symlink():
            return "its folder is none in the checkout (a link, or a module)"
    if author is None:
        return ""
    if path.name == REPRODUCED and change.status != "D":
        return "the badge is given by maintainers, with fcrb verify"
    if entry.name.startswith(f"{BASELINE}__"):
        return "baselines come from maintainers"
    if _exists(repository, base, entry):
        owners = [_owner(repository, base, entry)]
    else:
        namesakes = _namesakes(repository, base, entry, root)
        owners = [_owner(repository, base, one) for one in namesakes]
        owners.append(_owner(repository, "HEAD", entry))
    for owner in owners:
        if owner is None or owner.casefold() != author.casefold():
            return f"the entry's contact is {owner or 'not known'}, not {author}"
    return ""


def changed_entries(changes: Sequence[Change], repository: Path, root: str) -> list[Path]:
    """The entries that changes touch and that are still there."""
    inside = [one.path.parent for one in changes if _is_inside(one.path, root)]
    folders = dict.fromkeys(repository / entry for entry in inside)
    return [folder for folder in folders if folder.is_dir() and not folder.parent.is_symlink()]


def _is_inside(path: PurePosixPath, root: str) -> bool:
    return path.parts[:1] == (root,) and len(path.parts) == _IN_ENTRY


def _owner(repository: Path, commit: str, entry: PurePosixPath) -> str | None:
    """The contact that an entry's card names at a commit."""
    try:
        text = _git(repository, "show", f"{commit}:{entry / CARD}")
        return parse_card(text, CARD).model.contact
    except (UsageError, DataError):
        return None


def _exists(repository: Path, commit: str, entry: PurePosixPath) -> bool:
    return bool(_git(repository, "ls-tree", "--name-only", commit, f"{entry}/"))


def _namesakes(
    repository: Path, commit: str, entry: PurePosixPath, root: str
) -> list[PurePosixPath]:
    """The entries of the same name on any benchmark."""
    listed = _git(repository, "ls-tree", "-r", "--name-only", "-z", commit, f"{root}/")
    found = (PurePosixPath(path).parent for path in listed.split("\0") if path)
    return [one for one in dict.fromkeys(found) if one.name.casefold() == entry.name.casefold()]


def _git(repository: Path, *arguments: str) -> str:
    """What git says; bytes that are no UTF-8 stay what they are in paths."""
    try:
        done = subprocess.run(
            ["git", "-C", str(repository), *arguments], capture_output=True, check=True
        )
    except FileNotFoundError:
        raise UsageError("This needs git, which is not installed.") from None
    except subprocess.CalledProcessError as why:
        reason = why.stderr.decode(errors="replace").strip().splitlines()
        raise UsageError(f"git {arguments[0]}: {reason[0] if reason else 'it failed'}.") from None
    return os.fsdecode(done.stdout)
