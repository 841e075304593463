"""Reward models that are low-rank adapters on a base."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, LlamaConfig

from fcrewardbench import Group, ModelError, Scorer, load
from fcrewardbench.adapters.folder import load_tokenizer
from fcrewardbench.render import Renderer


@pytest.fixture
def base(tmp_path: Path, smollm2: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny language model with SmolLM2's tokenizer, and a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    tokenizer = load_tokenizer(str(smollm2), trust_remote_code=False)
    tokenizer.save_pretrained(tmp_path / "base")
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
    )
    AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path / "base")
    return tmp_path / "base"


def _adapted(base: Path, **changes: Any) -> Any:
    """The base with random adapters and a random head."""
    network = AutoModelForSequenceClassification.from_pretrained(base, num_labels=1)
    values = {
        "task_type": "SEQ_CLS",
        "r": 4,
        "target_modules": ["q_proj", "up_proj"],
        "modules_to_save": ["score"],
        "base_model_name_or_path": f"path:{base}",
        "init_lora_weights": False,
    }
    network = get_peft_model(network, LoraConfig(**{**values, **changes}))
    network.peft_config["default"].base_model_name_or_path = f"path:{base}"
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "modules_to_save" in name:
                parameter.normal_()
    return network.eval()


def test_adapters_score_as_they_do_on_their_base(
    base: Path, tmp_path: Path, groups: list[Group]
) -> None:
    network = _adapted(base)
    network.save_pretrained(tmp_path / "adapter")
    scorer = load(str(tmp_path / "adapter"))
    assert isinstance(scorer, Scorer)
    renderer = Renderer(load_tokenizer(str(base), trust_remote_code=False))
    network.config.pad_token_id = None
    for group in groups[:2]:
        expected = []
        for ids in renderer.render(group).ids:
            with torch.inference_mode():
                expected.append(float(network(input_ids=torch.tensor([list(ids)])).logits[0, 0]))
        assert list(scorer.score_group(group)) == pytest.approx(expected, abs=1e-4)


def test_other_adapters_on_one_base_are_another_model(
    base: Path, tmp_path: Path, groups: list[Group]
) -> None:
    scores = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        _adapted(base).save_pretrained(tmp_path / "adapter")
        scorer = load(str(tmp_path / "adapter"))
        assert isinstance(scorer, Scorer)
        scores.append(list(scorer.score_group(groups[0])))
    assert scores[0] != pytest.approx(scores[1], abs=1e-3)


def test_adapters_of_a_language_model_are_refused(base: Path, tmp_path: Path) -> None:
    network = AutoModelForCausalLM.from_pretrained(base)
    adapters = get_peft_model(network, LoraConfig(task_type="CAUSAL_LM", r=4))
    adapters.save_pretrained(str(tmp_path / "adapter"))
    with pytest.raises(ModelError, match="of the task CAUSAL_LM"):
        load(str(tmp_path / "adapter"))
