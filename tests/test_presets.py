"""Presets: each fits its adapter; the run card says which commit of which model was scored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from conftest import Fcrb, record
from pydantic import ValidationError

from fcrewardbench import UnknownName, UsageError, evaluate, load
from fcrewardbench.adapters import registry
from fcrewardbench.adapters.api import ApiJudge
from fcrewardbench.adapters.guardian import FORMS
from fcrewardbench.adapters.heads import HEADS
from fcrewardbench.adapters.registry import adapter_class, load_named, parameters_of
from fcrewardbench.presets import Preset, load_preset, preset_names

COMMIT = "c0ffee" * 6 + "abcd"
NAME = "skywork-reward-v2-qwen3-0.6b"


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_fits_its_adapter(name: str) -> None:
    preset = load_preset(name)
    assert preset.name == name
    assert preset.label.count("/") == 1
    cls = adapter_class(preset.adapter)
    assert set(preset.options) <= set(parameters_of(cls))
    assert ("/" in preset.model) == cls.needs_folder
    assert preset.options.get("head", "gated") in HEADS
    assert preset.options.get("form", "3.1") in FORMS
    assert "trust_remote_code" not in preset.options  # that is for the user to say


def test_a_preset_says_what_it_has_to_and_no_more() -> None:
    good = load_preset(NAME).model_dump()
    for bad in ({"colour": "red"}, {"revision": "main"}, {"kind": "oracle"}):
        with pytest.raises(ValidationError):
            Preset.model_validate(good | bad)


@pytest.fixture
def hub(tmp_path: Path, smollm2: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A tiny random Qwen3 with one output in place of whatever is asked from the hub."""
    torch.manual_seed(0)
    config = transformers.Qwen3Config(
        vocab_size=49152,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        num_labels=1,
    )
    folder = tmp_path / "snapshots" / COMMIT
    transformers.Qwen3ForSequenceClassification(config).save_pretrained(folder)
    transformers.AutoTokenizer.from_pretrained(smollm2).save_pretrained(folder)
    asked: list[Any] = []

    def snapshot(repository: str, revision: str | None = None) -> Path:
        asked.append((repository, revision))
        return folder

    monkeypatch.setattr(registry, "snapshot", snapshot)
    return asked


def test_a_run_of_a_preset_is_pinned_and_can_be_repeated(
    hub: list[Any], pairs_file: Any, tmp_path: Path, fcrb: Fcrb
) -> None:
    data = str(pairs_file(record("a"), record("b")))
    run = evaluate(NAME, data, out=tmp_path / "run")
    model, config = run.card["model"], run.card["config"]
    preset = load_preset(NAME)
    assert hub == [(preset.model, None)]
    assert (model["name"], model["label"]) == (NAME, preset.model)
    assert (model["adapter"], model["dtype"], model["revision"]) == (
        "classifier",
        "bfloat16",
        COMMIT,
    )
    assert (model["note"], model["licence"]) == (preset.description, preset.licence)
    assert config["model"] == NAME
    assert config["options"] == {"revision": COMMIT}
    code, _, err = fcrb(
        "evaluate", "--config", tmp_path / "run" / "card.json", "--out", tmp_path / "b"
    )
    assert code == 0, err
    assert hub[1:] == [(preset.model, COMMIT)]


def test_what_is_given_wins_over_the_preset(hub: list[Any]) -> None:
    loaded = load_named(NAME, dtype="float32", revision=COMMIT)
    assert hub == [(load_preset(NAME).model, COMMIT)]
    assert loaded.adapter.describe()["dtype"] == "float32"
    with pytest.raises(UsageError, match="'likelihood' has no option 'head'"):
        load_named("armorm-llama3-8b", "likelihood")


def test_a_judge_behind_an_api_asks_for_no_folder(
    hub: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-nothing")
    loaded = load_named("judge-claude-sonnet-4.5", base_url="http://127.0.0.1:9/v1")
    assert isinstance(loaded.adapter, ApiJudge)
    assert (loaded.name, loaded.adapter_name) == ("judge-claude-sonnet-4.5", "api")
    assert hub == []


def test_a_package_carries_a_model(
    hub: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    carrier = tmp_path / "fcrb_carrier"
    (carrier / "models").mkdir(parents=True)
    (carrier / "__init__.py").touch()
    (tmp_path / "snapshots" / COMMIT).rename(carrier / "models" / "tiny")
    monkeypatch.syspath_prepend(tmp_path)
    model = "package:fcrb_carrier/models/tiny"
    preset = load_preset(NAME).model_copy(update={"name": "carrier/tiny", "model": model})
    monkeypatch.setattr(registry, "preset_names", lambda: ["carrier/tiny"])
    monkeypatch.setattr(registry, "load_preset", lambda name: preset)
    loaded = load_named("carrier/tiny")
    assert loaded.folder == carrier / "models" / "tiny"
    assert preset.label == "carrier/tiny"
    assert hub == []
    with pytest.raises(UsageError, match="has no folder models/other"):
        load_named("package:fcrb_carrier/models/other")
    for nowhere in ("fcrb_nowhere", "", "no.where", "../tiny"):
        with pytest.raises(UsageError, match="which carries this model, is not installed"):
            load_named(f"package:{nowhere}/tiny")


def test_names_near_a_preset_and_the_list(fcrb: Fcrb) -> None:
    with pytest.raises(UnknownName, match=f"Did you mean '{NAME}'"):
        load("skywork-reward-v2-qwen3-0.6")
    code, out, _ = fcrb("models")
    assert code == 0
    assert [name for name in preset_names() if name not in out] == []
