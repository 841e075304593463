"""The benchmark as a data set and the board as a Space, against a small real hub."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

from hub_server import TOKEN, HubServer, environment

METADATA = """Metadata-Version: 2.4
Name: fcrewardbench
Version: 0.1.0
Requires-Dist: click>=8.1
Requires-Dist: tomli; python_version < "3.11"
Requires-Dist: gradio>=6.31; extra == 'app'
Requires-Dist: torch>=2.6; extra == 'hf'

The text.
"""


def _run(hub: HubServer, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        env=environment(hub.url, TOKEN, home),
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_benchmark_is_uploaded_as_a_data_set(tmp_path: Path) -> None:
    out = tmp_path / "open"
    asked = ("export", "--benchmark", "open/minimal", "--out", str(out), "--push", "me/open")
    with HubServer() as hub:
        done = _run(hub, tmp_path / "home", "fcrewardbench", *asked)
        assert done.returncode == 0, done.stderr
    assert hub.kinds == {"me/open": "dataset"}
    sent = {f"me/open/{file.name}": file.read_bytes() for file in out.iterdir()}
    assert hub.files == sent
    assert "me/open/minimal.parquet" in sent


def test_a_board_is_uploaded_as_a_space_and_old_files_go(tmp_path: Path) -> None:
    site = tmp_path / "site"
    (site / "models").mkdir(parents=True)
    (site / "board.json").write_text("{}")
    (site / "models" / "one.json").write_text("{}")
    wheel = tmp_path / "fcrewardbench-0.1.0-py3-none-any.whl"
    with ZipFile(wheel, "w") as packed:
        packed.writestr("leaderboard_app/app.py", "# the app")
        packed.writestr("fcrewardbench-0.1.0.dist-info/METADATA", METADATA)
    asked = ("me/board", "--site", str(site), "--wheel", str(wheel))
    with HubServer() as hub:
        done = _run(hub, tmp_path / "home", "leaderboard_app.publish", *asked)
        assert done.returncode == 0, done.stderr
        assert hub.kinds == {"me/board": "space"}
        assert hub.files["me/board/requirements.txt"] == b"click>=8.1\ngradio>=6.31\n"
        assert hub.files["me/board/leaderboard_app/app.py"] == b"# the app"
        assert "me/board/fcrewardbench-0.1.0.dist-info/METADATA" in hub.files
        assert b"sdk: gradio" in hub.files["me/board/README.md"]
        assert "me/board/site/models/one.json" in hub.files
        (site / "models" / "one.json").rename(site / "models" / "two.json")
        done = _run(hub, tmp_path / "home", "leaderboard_app.publish", *asked)
        assert done.returncode == 0, done.stderr
    assert "me/board/site/models/one.json" not in hub.files
    assert "me/board/site/models/two.json" in hub.files


def test_a_folder_without_a_board_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "a.whl"
    wheel.write_bytes(b"PK")
    with HubServer() as hub:
        asked = ("me/board", "--site", str(tmp_path), "--wheel", str(wheel))
        done = _run(hub, tmp_path / "home", "leaderboard_app.publish", *asked)
        assert done.returncode == 2
        assert "holds no board" in done.stderr
        (tmp_path / "board.json").write_text("{}")
        done = _run(hub, tmp_path / "home", "leaderboard_app.publish", *asked)
    assert done.returncode == 2
    assert "a.whl is no wheel" in done.stderr
    assert hub.files == {}
