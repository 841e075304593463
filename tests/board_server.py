"""The leaderboard's app as a process of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx


@contextmanager
def serving(site: Path) -> Iterator[str]:
    """Serve a built board, and give its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["-m", "leaderboard_app.app", "--site", str(site), "--port", str(port)]
    server = subprocess.Popen([sys.executable, *command])
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            try:
                httpx.get(f"{url}/server.json", timeout=5)
                break
            except httpx.TransportError:
                assert server.poll() is None, "the app ended"
                time.sleep(0.25)
        yield url
    finally:
        server.terminate()
        server.wait(20)
