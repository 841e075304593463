"""The Gradio app over a built board: a real server, real requests."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from board_server import serving
from made_submissions import make_submission

from leaderboard_app import app
from leaderboard_app.build import build

gradio = pytest.importorskip("gradio")


@pytest.fixture(scope="module")
def submissions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("submissions")
    make_submission(root, "good", skill=2.0, seed=1)
    make_submission(root, "fair", skill=1.0, seed=2)
    return root


@pytest.fixture(scope="module")
def address(submissions: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    site = tmp_path_factory.mktemp("board") / "site"
    build(submissions, site)
    with serving(site) as url:
        yield url


def test_it_serves_the_page_and_its_files(address: str) -> None:
    page = httpx.get(address)
    assert "FC-RewardBench" in page.text
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    board = httpx.get(f"{address}/board.json").json()
    assert [one["id"] for one in board["entries"]] == ["made-up__fair", "made-up__good"]
    told = httpx.get(f"{address}/models/open@2/made-up__good.json").json()
    assert told["entry"] == "made-up__good"
    assert httpx.get(f"{address}/server.json").json()["validate"]
    for way in ("/models/%2e%2e/%2e%2e/board.json", "/models/..%2f..%2fapp.py", "/gradio_api/info"):
        assert httpx.get(f"{address}{way}").status_code == 404, way


def _send(address: str, card: bytes, rows: bytes) -> httpx.Response:
    files = {"card": ("card.json", card), "rows": ("rows.parquet", rows)}
    return httpx.post(f"{address}/validate", files=files, timeout=60)


def test_dropped_files_show_what_would_appear(address: str, tmp_path: Path) -> None:
    folder = make_submission(tmp_path, "new", skill=1.5, seed=9)
    answer = _send(
        address, (folder / "card.json").read_bytes(), (folder / "rows.parquet").read_bytes()
    )
    assert answer.status_code == 200
    told = answer.json()
    assert told["ok"], told
    assert told["entry"]["id"] == "made-up__new"
    assert told["entry"]["rank"] == {"low": 2, "high": 2}
    assert [one["id"] for one in told["neighbours"]] == ["made-up__good", "made-up__fair"]


def test_dropped_files_with_faults_are_told_file_and_row(address: str, tmp_path: Path) -> None:
    folder = make_submission(tmp_path, "new", skill=1.5, seed=9)
    card = json.loads((folder / "card.json").read_text())
    card["results"]["core"]["metrics"]["accuracy"] = 1.0
    told = _send(address, json.dumps(card).encode(), (folder / "rows.parquet").read_bytes()).json()
    assert not told["ok"]
    assert told["problems"][0]["file"] == "card.json"
    assert "accuracy is 1.0, and the rows give" in told["problems"][0]["message"]
    told = _send(address, b"\xff\xfe", b"PAR1").json()
    assert told["problems"][0]["file"] == "card.json"


def test_what_is_too_large_is_not_read(address: str) -> None:
    answer = _send(address, b"{}", b"x" * (10 * 2**20))
    assert answer.status_code == 413
    assert "bytes together" in answer.json()["message"]


def test_half_a_submission_is_asked_for_the_other_half(address: str) -> None:
    answer = httpx.post(f"{address}/validate", files={"card": ("card.json", b"{}")}, timeout=60)
    assert answer.status_code == 400
    assert "both" in answer.json()["message"]


def test_gradios_own_door_for_uploads_is_closed(address: str) -> None:
    answer = httpx.post(f"{address}/gradio_api/upload", files={"files": ("a", b"x")}, timeout=60)
    assert answer.status_code == 404


def test_a_bomb_in_the_box_ends_in_a_sentence(address: str, tmp_path: Path) -> None:
    folder = make_submission(tmp_path, "new", skill=1.5, seed=9)
    table = pq.read_table(folder / "rows.parquet")
    scores = pa.array([[0.0] * 100_000] * len(table), pa.list_(pa.float64()))
    place = table.schema.get_field_index("scores")
    bomb = folder / "bomb.parquet"
    pq.write_table(table.set_column(place, "scores", scores), bomb, compression="zstd")
    assert bomb.stat().st_size < 2**20
    told = _send(address, (folder / "card.json").read_bytes(), bomb.read_bytes()).json()
    assert "more than 2,000,000 values" in told["problems"][0]["message"]


def test_what_arrives_too_slowly_is_not_waited_for(address: str) -> None:
    """A request that declares more than it sends ends after the limit, and holds up nobody."""
    host, port = urlsplit(address).hostname, urlsplit(address).port
    with socket.create_connection((host, port)) as slow:
        slow.sendall(
            b"POST /validate HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
            b"Content-Length: 1000000\r\n\r\n--b\r\n"
        )
        answer = httpx.post(f"{address}/validate", files={"card": ("card.json", b"{}")}, timeout=60)
        assert answer.status_code == 400
        slow.settimeout(app.MOST_SECONDS + 20)
        assert b"408" in slow.recv(1000).split(b"\r\n")[0]


def test_a_check_that_takes_too_long_is_ended(
    submissions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = submissions / "open@2" / "made-up__good"
    files = (str(folder / "card.json"), str(folder / "rows.parquet"), str(tmp_path))
    assert asyncio.run(app.checked([*files, "20"])).status_code == 200
    monkeypatch.setattr(app, "MOST_SECONDS", 0.1)
    answer = asyncio.run(app.checked([*files, "20"]))
    assert answer.status_code == 408
    assert "took more than 0.1 s" in bytes(answer.body).decode()
