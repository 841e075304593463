"""GitHub's workflows: linted, and what they call is what the repository has."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def test_zizmor_finds_nothing() -> None:
    command = [
        str(Path(sys.executable).parent / "zizmor"),
        "--offline",
        "--no-progress",
        *map(str, WORKFLOWS),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_and_credentials_do_not_stay(path: Path) -> None:
    text = path.read_text()
    uses = re.findall(r"uses: (\S+)", text)
    assert uses
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", one) for one in uses)
    assert text.count("actions/checkout@") == text.count("persist-credentials: false")


def test_a_pull_requests_files_are_checked_and_not_run(tmp_path: Path) -> None:
    """The script of submission.yml on a checkout that tries to be executed."""
    sent = tmp_path / "sent"
    (sent / "submissions" / "open@2" / "evil__model").mkdir(parents=True)
    (sent / "submissions" / "README.md").write_text("")
    settings = ["-c", "user.name=x", "-c", "user.email=x@example.org"]

    def git(*arguments: str) -> None:
        subprocess.run(["git", *settings, *arguments], cwd=sent, check=True, capture_output=True)

    git("init", "--quiet", "--initial-branch", "main")
    git("add", ".")
    git("commit", "--quiet", "-m", "base")
    git("tag", "base")
    trap = f"open({str(tmp_path / 'ran')!r}, 'w')\n"
    for name in ("fcrewardbench.py", "click.py", "sitecustomize.py", "json.py"):
        (sent / name).write_text(trap)
        (sent / "submissions" / "open@2" / "evil__model" / name).write_text(trap)
    (sent / "submissions" / "open@2" / "evil__model" / "card.json").write_text("{}")
    git("add", ".")
    git("commit", "--quiet", "-m", "evil")
    comment = tmp_path / "comment.md"
    done = subprocess.run(
        [str(ROOT / ".ci" / "validate-submission"), str(sent), "base", str(comment)],
        cwd=sent,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "AUTHOR": "evil",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    text = comment.read_text()
    assert "`open@2/evil__model` is refused" in text
    assert "`fcrewardbench.py`: `a submission changes its entry" in text
    assert not (tmp_path / "ran").exists()
