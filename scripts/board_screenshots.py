"""Write the pictures of the leaderboard in docs/images anew, from a built board.

    python scripts/board_screenshots.py runs/site docs/images

It needs chromium and `pip install 'fcrewardbench[dev]'`.
"""

from __future__ import annotations

import argparse
import functools
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
BOTH = "a=toolrm__smollm2-135m&b=HuggingFaceTB__SmolLM2-135M-Instruct-Q4_1-likelihood"
VIEWS = {
    "board-table": ("#/table", 1280, 760),
    "board-compare": (f"#/compare?benchmark=open@2&{BOTH}", 1280, 1000),
    "board-pair": ("#/pair/open@2/core/open-2/core/0004", 1280, 1000),
    "board-phone": ("#/table", 390, 844),
}


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", type=Path)
    parser.add_argument("out", type=Path)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    handler = functools.partial(_Quiet, directory=str(asked.site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, sync_playwright() as play:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for name, (view, width, height) in VIEWS.items():
            page = browser.new_page(viewport={"width": width, "height": height})
            page.goto(f"http://127.0.0.1:{server.server_address[1]}/{view}")
            page.wait_for_load_state("networkidle")
            page.screenshot(path=asked.out / f"{name}.png")
            page.close()
        browser.close()
        server.shutdown()


if __name__ == "__main__":
    main()
