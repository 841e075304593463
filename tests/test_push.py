"""`toolrm push` against a small real hub."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hub_server import TOKEN, HubServer, environment


def _push(url: str, token: str, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "toolrm", "push", *arguments],
        env=environment(url, token, home),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A training run's folder, as far as a push looks at it."""
    model = tmp_path / "run" / "model"
    model.mkdir(parents=True)
    (model / "config.json").write_text('{"architectures": []}')
    (model / "README.md").write_text("# Mine\n")
    (model / "model.safetensors").write_bytes(os.urandom(100_000))
    (tmp_path / "run" / "metrics.jsonl").write_text("")
    return tmp_path / "run"


def test_every_file_of_the_model_arrives(run: Path, tmp_path: Path) -> None:
    with HubServer() as hub:
        done = _push(hub.url, TOKEN, tmp_path / "home", str(run), "me/mine", "--private")
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == f"{hub.url}/me/mine/commit/1"
    assert hub.private == {"me/mine": True}
    sent = {f"me/mine/{file.name}": file.read_bytes() for file in (run / "model").iterdir()}
    assert hub.files == sent


def test_a_refused_push_says_what_to_do(run: Path, tmp_path: Path) -> None:
    with HubServer() as hub:
        done = _push(hub.url, "hf_wrong", tmp_path / "home", str(run), "me/mine")
    assert done.returncode == 2
    assert done.stderr.strip().endswith("run hf auth login.")
    assert hub.files == {}


def test_a_public_repository_takes_nothing_that_is_to_be_private(run: Path, tmp_path: Path) -> None:
    with HubServer() as hub:
        hub.private["me/mine"] = False
        done = _push(hub.url, TOKEN, tmp_path / "home", str(run), "me/mine", "--private")
    assert done.returncode == 2
    assert "is there already, and public" in done.stderr
    assert hub.files == {}


def test_a_hub_that_is_not_there_is_told_in_a_sentence(run: Path, tmp_path: Path) -> None:
    done = _push("http://127.0.0.1:9", TOKEN, tmp_path / "home", str(run), "me/mine")
    assert done.returncode == 2
    assert done.stderr.startswith("toolrm: The upload to me/mine failed")
    assert "Traceback" not in done.stderr


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    done = _push("http://127.0.0.1:9", TOKEN, tmp_path, str(tmp_path), "me/mine")
    assert done.returncode == 2
    assert "holds no model" in done.stderr
