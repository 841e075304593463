"""Every command of the tutorial, in its order."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TUTORIAL = Path(__file__).parents[1] / "docs" / "training.md"


@pytest.mark.usefixtures("smollm2")
def test_every_command_runs(tmp_path: Path) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```$", TUTORIAL.read_text("utf-8"), re.M | re.S)
    commands = [line for block in blocks for line in block.splitlines() if "toolrm" in line]
    assert len(commands) >= 3
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    script = "set -euo pipefail\n" + "\n".join(blocks)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    card = json.loads((tmp_path / "runs" / "held-out" / "card.json").read_text())
    assert card["metrics"]["n"] == 8
    assert card["metrics"]["outcomes"]["error"] == 0
    trained = json.loads((tmp_path / "runs" / "mine" / "report.json").read_text())
    assert trained["overlap"]["clean"]
    assert not trained["pairs"]["training"].get("left out: too long even so")
    text = (tmp_path / "runs" / "mine" / "model" / "README.md").read_text()
    assert "a sample of 8 of" in text
    assert "### Less baseline/schema" in text
