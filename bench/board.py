"""The leaderboard with 500 submissions: build, check, drop, first paint, sorting, filtering.

    python bench/board.py [--entries 500] [--rounds 7] [--subsets SUBSET …] [--submissions FOLDER]

The submissions are made (on the real rows of open@2), and shown twice in Chromium: by our page in
Gradio's server mode, and as a table in Gradio's Blocks (`gr.Dataframe`). Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from made_submissions import make_submission  # noqa: E402

SUBSETS = ["core", "abstain", "candidates", "minimal"]
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
BLOCKS = """
import json, sys
import gradio, pandas
board = json.load(open(sys.argv[1]))
rows = [
    {"rank": f"{e['rank']['low']}-{e['rank']['high']}", "model": e["name"], "kind": e["kind"],
     "accuracy": e["results"]["core"]["accuracy"], "strict": e["results"]["core"]["strict"],
     **{t: c["accuracy"] for t, c in e["results"]["core"]["by_error_type"].items()}}
    for e in board["entries"]
]
with gradio.Blocks() as app:
    gradio.Dataframe(pandas.DataFrame(rows), interactive=False, show_search="filter")
app.launch(server_port=int(sys.argv[2]), quiet=True, ssr_mode=False)
"""


def make(root: Path, entries: int, subsets: tuple[str, ...]) -> None:
    """So many submissions, from blind to good, one baseline among each hundred."""
    skills = np.random.default_rng(0).uniform(0, 3, entries)
    for place, skill in enumerate(skills):
        kind = "baseline" if place % 100 == 0 else ["classifier", "judge", "likelihood"][place % 3]
        facts = {"kind": kind, "parameters": int(10 ** (8 + place % 30 / 10))}
        if kind == "baseline":
            facts["organisation"] = "baseline"
        make_submission(
            root,
            f"model-{place}",
            skill=float(skill),
            seed=place,
            subsets=subsets,
            facts=facts,
        )


def timed(*command: str, says: str = "") -> dict[str, float]:
    """Seconds and peak memory of one of the leaderboard's programs on one core, which has to say so."""
    started = time.monotonic()
    process = subprocess.Popen(
        ["taskset", "--cpu-list", "0", sys.executable, "-m", *command],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status or says not in said:
        raise SystemExit(f"{command[0]} failed")
    return {
        "seconds": time.monotonic() - started,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_mib": usage.ru_maxrss / 1024,
    }


@contextmanager
def server(*command: str, port: int) -> Iterator[str]:
    process = subprocess.Popen([sys.executable, *command], cwd=ROOT)
    try:
        for _ in range(240):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.25)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
# The page acts when it hears of the new address, before this listener, which came later.
ACT = """([selector, value]) => new Promise((done) => {
  const node = document.querySelector(selector);
  const started = performance.now();
  const painted = () => setTimeout(() => done(performance.now() - started), 0);
  addEventListener('hashchange', () => requestAnimationFrame(painted), {once: true});
  if (value === null) node.click();
  else { node.value = value; node.dispatchEvent(new Event('input', {bubbles: true})); }
})"""


ACTS = {
    "sort_at_once": ["th.c-strict button", None],
    "sort": ["th.c-strict button", None],
    "filter": ["input[type=search]", "model-12"],
    "unfilter": ["input[type=search]", ""],
}
WHOLE = "(entries) => document.querySelectorAll('table.board tbody tr').length >= entries"


def in_browser(url: str, ready: str, entries: int, rounds: int, *, ours: bool) -> dict[str, Any]:
    """Milliseconds until the first paint and until the table is there; of each act until its frame.

    The first sorting comes while rows are still being added below those that are seen.
    """
    from playwright.sync_api import sync_playwright

    found: dict[str, list[float]] = {"first_paint": [], "table": []}
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium(), args=FLAGS)
        for _ in range(rounds):
            page = browser.new_context(viewport={"width": 1400, "height": 900}).new_page()
            page.goto(url)
            page.wait_for_selector(ready, timeout=60_000)
            found["table"].append(page.evaluate("performance.now()"))
            found["first_paint"].append(page.evaluate(PAINT))
            for name, act in ACTS.items() if ours else ():
                if name != "sort_at_once":
                    page.wait_for_function(WHOLE, arg=entries if name != "unfilter" else 1)
                found.setdefault(name, []).append(page.evaluate(ACT, act))
            page.close()
        browser.close()
    return {name: {"median_ms": statistics.median(v), "all_ms": v} for name, v in found.items()}


def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        raise SystemExit("chromium is not installed: apt-get install chromium")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=500)
    parser.add_argument(
        "--subsets", nargs="+", default=SUBSETS, help="that each has; core must be one"
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--submissions", type=Path, help="made before, or made and kept here")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "board")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        site = Path(scratch) / "site"
        submissions = asked.submissions or Path(scratch) / "submissions"
        if not submissions.exists():
            make(submissions, asked.entries, tuple(asked.subsets))
        result: dict[str, Any] = {
            "entries": asked.entries,
            "subsets": asked.subsets,
            "rounds": asked.rounds,
        }
        built = ("--submissions", str(submissions), "--out", str(site))
        result["build"] = timed("leaderboard_app.build", *built)
        dropped = min(submissions.glob("*/made-up__*/card.json"))
        files = (str(dropped), str(dropped.with_name("rows.parquet")))
        result["drop"] = timed(
            "leaderboard_app.dropped", *files, str(site), "600", says='"ok": true'
        )
        alone = Path(scratch) / dropped.parent.relative_to(submissions)
        shutil.copytree(dropped.parent, alone)
        result["validate"] = [
            timed("fcrewardbench", "validate", str(alone), says="valid (")
            for _ in range(asked.rounds)
        ]
        result["validate_beside_all"] = timed(
            "fcrewardbench", "validate", str(dropped.parent), says="valid ("
        )
        with server(
            "-m", "leaderboard_app.app", "--site", str(site), "--port", "7871", port=7871
        ) as url:
            result["server_mode"] = in_browser(
                url, "tbody tr", asked.entries, asked.rounds, ours=True
            )
        with server("-c", BLOCKS, str(site / "board.json"), "7872", port=7872) as url:
            result["blocks"] = in_browser(
                url,
                r"text=/^model-\d+$/ >> visible=true",
                asked.entries,
                asked.rounds,
                ours=False,
            )
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "result.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
