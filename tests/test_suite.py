"""Suites: every model on every benchmark, resumable, one failure stopping nobody else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import Fcrb, record

from fcrewardbench import suite as suite_module
from fcrewardbench.adapters.mock import Mock
from fcrewardbench.report.card import read_card
from fcrewardbench.run import evaluate_config

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, pairs_file: Any) -> Write:
    """Writes a suite on two small files; `more` are its other fields."""
    first = pairs_file(record("a"), record("b"), name="first.jsonl")
    second = pairs_file(record("c"), record("d"), name="second.jsonl")

    def make(models: list[Any], **more: Any) -> Path:
        path = tmp_path / "suite.yaml"
        content = {"models": models, "benchmarks": [str(first), str(second)], "out": "out", **more}
        path.write_text(yaml.safe_dump(content))
        return path

    return make


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of all groups that the mock scores."""
    seen: list[str] = []
    score = Mock.score_group

    def counted(self: Mock, group: Any) -> Any:
        seen.append(group.id)
        return score(self, group)

    monkeypatch.setattr(Mock, "score_group", counted)
    return seen


MOCK = {"model": "mock", "name": "someone/mock"}


def test_every_model_runs_on_every_benchmark_and_the_best_comes_first(
    fcrb: Fcrb, tmp_path: Path, write: Write
) -> None:
    code, out, err = fcrb("suite", write(["baseline/longer", "baseline/shorter", MOCK]))
    assert code == 0, err
    for benchmark in ("first.jsonl", "second.jsonl"):
        for name in ("baseline__longer", "baseline__shorter", "someone__mock"):
            folder = tmp_path / "out" / benchmark / name
            assert {f.name for f in folder.iterdir()} >= {"card.json", "rows.parquet", "report.md"}
    tables = out.split("second@")
    assert len(tables) == 2
    for table in tables:
        assert table.index("someone/mock") < table.index("baseline/longer")


def test_what_is_finished_is_not_even_loaded_again(
    fcrb: Fcrb, write: Write, scored: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = write([MOCK])
    assert fcrb("suite", path)[0] == 0
    assert sorted(scored) == ["a", "b", "c", "d"]

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("loaded")

    with monkeypatch.context() as patched:
        patched.setattr(suite_module, "evaluate_config", refuse)
        code, out, err = fcrb("suite", path)
        assert (code, err.count("was there")) == (0, 2)
        assert "first" in out
    assert len(scored) == 4
    # Other options are another run, which is not taken for this one.
    code, _, err = fcrb("suite", write([{**MOCK, "options": {"delay": 0.5}}]))
    assert (code, err.count("was there")) == (0, 0)
    code, _, err = fcrb("suite", write([{"model": "baseline/random", "name": "someone/mock"}]))
    assert code == 1
    assert "holds another run" in err


def test_a_killed_run_goes_on(
    fcrb: Fcrb, write: Write, scored: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    score = Mock.score_group

    def killed(self: Mock, group: Any) -> Any:
        if group.id == "d":
            raise KeyboardInterrupt
        return score(self, group)

    path = write([MOCK])
    with monkeypatch.context() as patched:
        patched.setattr(Mock, "score_group", killed)
        code, _, err = fcrb("suite", path)
    assert code == 130
    assert "goes on where it was" in err
    assert scored == ["a", "b", "c"]
    assert fcrb("suite", path)[0] == 0
    assert scored == ["a", "b", "c", "d"]


def test_one_models_failure_stops_no_other(
    fcrb: Fcrb, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    broken = {"model": "baseline/longer", "name": "a/wrong-option", "options": {"x": 1}}
    code, out, err = fcrb("suite", write([broken, "somebody/not-there", "baseline/longer"]))
    assert code == 1
    assert "4 of 6 runs failed" in err
    assert err.count("has no option 'x'") == 4  # as it happens, and at the end
    assert err.count("The hub cannot be reached for somebody/not-there") == 4
    assert "Traceback" not in err
    assert out.count("baseline/longer") == 2
    assert read_card(tmp_path / "out" / "second.jsonl" / "baseline__longer")


def test_a_crash_in_a_library_is_a_failure_of_that_model(
    fcrb: Fcrb, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:

    def crash(config: Any, *rest: Any, **more: Any) -> Any:
        if config.model == "mock":
            raise MemoryError("no room")
        return evaluate_config(config, *rest, **more)

    monkeypatch.setattr(suite_module, "evaluate_config", crash)
    code, out, err = fcrb("suite", write([MOCK, "baseline/longer"]))
    assert code == 1
    assert err.count("MemoryError: no room") == 4
    assert "baseline/longer" in out


def test_judges_skip_sets_of_candidates_without_failing(fcrb: Fcrb, write: Write) -> None:
    judge = {"model": "anything", "name": "a/judge", "adapter": "api"}
    path = write(
        [judge, "judge-gpt-4.1", "baseline/random"], benchmarks=["open/candidates"], limit=5
    )
    code, out, err = fcrb("suite", path)
    assert code == 0, err
    assert err.count("skipped: it is a judge") == 2
    assert "baseline/random" in out


def test_editions_and_samples_have_folders_of_their_own(
    fcrb: Fcrb, write: Write, tmp_path: Path
) -> None:
    path = write(["baseline/longer"], benchmarks=["open/abstain"], limit=4)
    assert fcrb("suite", path)[0] == 0
    (folder,) = (tmp_path / "out").iterdir()
    assert folder.name == "open@2__abstain__sample-4"
    card = json.loads((folder / "baseline__longer" / "card.json").read_text())
    assert card["sample"]["pairs"] == 4


BAD = {
    "no YAML": ("models: [", "cannot be read"),
    "no mapping": ("5", "is no suite"),
    "a field too many": ("models: [a/b]\nbenchmarks: [open]\nout: x\ncolour: red", "colour"),
    "no models": ("models: []\nbenchmarks: [open]\nout: x", "models"),
    "a model's field too many": ("models: [{model: a/b, dtype: x}]\nbenchmarks: [open]\nout: x", "models.0.dtype"),
    "no name to tell": ("models: [mock]\nbenchmarks: [open]\nout: x", "needs a name"),
    "a folder without a name": ("models: [./m]\nbenchmarks: [open]\nout: x", "needs a name"),
    "two of a name": ("models: [a/b, 'hub:a/b']\nbenchmarks: [open]\nout: x", "Two models of the suite are called a/b"),
    "an unknown benchmark": ("models: [a/b]\nbenchmarks: [opne]\nout: x", "Did you mean 'open'"),
    "a secret": ("models: [{model: a/b, options: {base_url: 'http://u:p@h/v1'}}]\nbenchmarks: [open]\nout: x", "would end up in the run's files"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD)
def test_a_bad_suite_runs_nothing(fcrb: Fcrb, tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "suite.yaml"
    path.write_text(content)
    code, out, err = fcrb("suite", path)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert not (tmp_path / "x").exists()
