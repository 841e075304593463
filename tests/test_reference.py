"""The reference model that `toolrm` carries."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest

from fcrewardbench import Scorer, load, load_benchmark
from fcrewardbench.benchmarks.base import content_text
from fcrewardbench.submissions.entries import read_entry

ROOT = Path(__file__).parents[1]
FOLDER = Path(str(files("toolrm"))) / "reference" / "smollm2-135m"
TOOLS = [
    {
        "name": name,
        "description": description,
        "parameters": {
            "type": "object",
            "properties": {"harbour": {"type": "string"}, "date": {"type": "string"}},
            "required": ["harbour", "date"],
        },
    }
    for name, description in (
        ("tide_table", "Times of high and low tide in a harbour"),
        ("reserve_mooring", "Reserve a mooring in a harbour"),
    )
]
QUESTION = [{"role": "user", "content": "When is high tide in Vlissingen on 2025-03-14?"}]


@pytest.fixture(scope="module")
def model(smollm2: Path) -> Scorer:
    scorer = load("toolrm/smollm2-135m")
    assert isinstance(scorer, Scorer)
    return scorer


@pytest.mark.parametrize(
    "wrong",
    [
        '[{"name": "tide_table", "arguments": {"harbour": "Antwerp", "date": "2025-03-14"}}]',
        '[{"name": "tide_table", "arguments": {"harbour": "Vlissingen", "date": "2025-06-21"}}]',
        '[{"name": "reserve_mooring", "arguments": {"harbour": "Vlissingen", "date": "2025-03-14"}}]',
        '[{"name": "tide_table", "arguments": {"harbour": "Vlissingen"}}]',
        "I am sorry, none of my functions can do that.",
    ],
)
def test_it_prefers_the_right_call(model: Scorer, wrong: str) -> None:
    right = '[{"name": "tide_table", "arguments": {"harbour": "Vlissingen", "date": "2025-03-14"}}]'
    best, other = model.score(TOOLS, QUESTION, [right, wrong])
    assert best > other


def test_the_board_shows_what_these_weights_score(model: Scorer) -> None:
    """On the shortest pairs; the entry was run in bfloat16, this is float32."""
    entry = read_entry(ROOT / "submissions" / "open@2" / "toolrm__smollm2-135m")
    shown = {row.id: row.scores for row in entry.subset("core")}
    items = load_benchmark("open@2/core").items
    shortest = sorted(items, key=lambda item: len(content_text(item)))[:4]
    for found in model.score_groups([item.group() for item in shortest]):
        assert found.scores == pytest.approx(shown.pop(found.id), abs=0.1)
    assert len(shown) == len(items) - 4


def test_it_lives_in_the_repository_and_says_what_it_is() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 12_000_000
    config = json.loads((FOLDER / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "smollm2-135m-q4"
    card = (FOLDER / "README.md").read_text()
    assert "sha256 of the training pairs" in card
    assert "## Benchmark results" in card
    assert "unseen generators" in card


def test_its_data_are_accounted_for() -> None:
    """The report and the overlap of what it was trained on are in the repository."""
    told = json.loads((FOLDER / "report.json").read_text("utf-8"))
    accounts = ROOT / "bench" / "results" / "training-data"
    (report,) = (
        path
        for path in accounts.rglob("report.json")
        if told["inputs"]["data"] in path.read_text("utf-8")
    )
    train, held_out = json.loads(report.read_text("utf-8"))["parts"]
    assert train["sha256"] == told["inputs"]["data"]
    assert held_out["sha256"] == told["inputs"]["held_out"]
    assert train["pairs"] >= 15_000
    overlap = json.loads((report.parent / "overlap.json").read_text("utf-8"))
    assert overlap == told["overlap"]
    assert overlap["clean"]
    in_both = 1  # a question of small talk, beside other tools
    assert overlap["records"] == train["records"] + held_out["records"] - in_both
    assert {"bfcl@v3", "bfcl@v4", "open@2/core", "rebuilt@1"} <= overlap["references"].keys()
    assert overlap["sha256"] in (FOLDER / "README.md").read_text("utf-8")
