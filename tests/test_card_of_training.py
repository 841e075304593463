"""Benchmark results in the card of a trained model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import record

from fcrewardbench import UsageError, evaluate
from fcrewardbench.report.tables import title
from toolrm.card import write_results


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A training run's folder, as far as its card goes."""
    model = tmp_path / "run" / "model"
    model.mkdir(parents=True)
    (model / "README.md").write_text("# Mine\n\nIts own words.\n")
    (tmp_path / "run" / "report.json").write_text(json.dumps({"generators": ["edit:one"]}))
    return tmp_path / "run"


@pytest.fixture
def evaluations(pairs_file: Any, tmp_path: Path) -> tuple[Path, Path]:
    """Two models on four pairs, two of them of a generator that training saw."""
    rows = [record(f"{i}", model_name="edit:one" if i < 2 else "edit:two") for i in range(4)]
    data = str(pairs_file(*rows))
    for name in ("longer", "shorter"):
        evaluate(f"baseline/{name}", data, out=tmp_path / name)
    return tmp_path / "longer", tmp_path / "shorter"


def test_results_are_split_by_what_training_saw_and_replaced(
    run: Path, evaluations: tuple[Path, Path]
) -> None:
    mine, other = evaluations
    write_results(run, [mine], [other])
    path = run / "model" / "README.md"
    path.write_text(path.read_text() + "\n## Thanks\n\nTo all.\n")
    assert write_results(run, [mine], [other]) == path
    text = path.read_text()
    assert text.endswith("\n## Thanks\n\nTo all.\n")
    assert "`baseline/longer`, adapter" in text
    assert text.startswith("# Mine\n\nIts own words.\n")
    assert text.count("## Benchmark results") == 1
    assert "| generators seen in training | 2 |" in text
    assert "| unseen generators | 2 |" in text
    against = title(json.loads((other / "card.json").read_text()))
    assert against.endswith("all 4 pairs")
    assert f"### Less baseline/shorter: {against}\n" in text
    wins = json.loads((mine / "card.json").read_text())["metrics"]["accuracy"]
    losses = json.loads((other / "card.json").read_text())["metrics"]["accuracy"]
    assert f"| {100 * (wins - losses):+.1f} |" in text


def test_generators_of_the_runs_before_were_seen_too(
    run: Path, evaluations: tuple[Path, Path]
) -> None:
    report = {"generators": [], "start": {"generators": ["edit:one"], "start": None}}
    (run / "report.json").write_text(json.dumps(report))
    text = write_results(run, [evaluations[0]]).read_text()
    assert "| generators seen in training | 2 |" in text
    assert "is not known" not in text
    report["start"] = {"start": None}
    (run / "report.json").write_text(json.dumps(report))
    text = write_results(run, [evaluations[0]]).read_text()
    assert "What the adapters saw that this model went on from is not known" in text
    assert "generators seen in training |" not in text


def test_what_cannot_be_compared_is_refused(
    run: Path, evaluations: tuple[Path, Path], pairs_file: Any, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="is no finished run of toolrm train"):
        write_results(tmp_path, [evaluations[0]])
    evaluate("baseline/longer", str(pairs_file(record("z"))), out=tmp_path / "elsewhere")
    before = (run / "model" / "README.md").read_text()
    with pytest.raises(UsageError, match="on other data than every evaluation"):
        write_results(run, [evaluations[0]], [tmp_path / "elsewhere"])
    (evaluations[1] / "rows.parquet").unlink()
    with pytest.raises(UsageError, match="give the --out of fcrb evaluate"):
        write_results(run, [evaluations[0]], [evaluations[1]])
    assert (run / "model" / "README.md").read_text() == before
