"""Heads on tiny checkpoints with the published weight names, against what their authors compute."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import save_file
from torch import Tensor, nn

from fcrewardbench import Group, Scorer, load
from fcrewardbench.adapters.heads import Head, load_head
from fcrewardbench.errors import ModelError, UnknownName, UsageError

HIDDEN, WIDTH = 16, 8
Parts = dict[str, Tensor]
Save = Callable[..., Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Writes a checkpoint in two files with an index, as large models have them."""

    def write(weights: Parts, **config: Any) -> Path:
        names = sorted(weights)
        shards = {"1": names[::2], "2": names[1::2]}
        index: dict[str, str] = {}
        for number, part in shards.items():
            file = f"model-{number}-of-2.safetensors"
            tensors = {name: weights[name].bfloat16().contiguous() for name in part}
            save_file(tensors, tmp_path / file, metadata={"format": "pt"})
            index |= dict.fromkeys(part, file)
        listing = json.dumps({"metadata": {}, "weight_map": index})
        (tmp_path / "model.safetensors.index.json").write_text(listing)
        (tmp_path / "config.json").write_text(json.dumps(config))
        return tmp_path

    return write


def rounded(module: nn.Module) -> nn.Module:
    """The module with the weights that a bfloat16 file keeps."""
    return module.bfloat16().float().eval()


class Gate(nn.Module):
    """The gating networks as published: ArmoRM's, and QRM's with a norm behind each ReLU."""

    def __init__(self, objectives: int, *, norm: bool) -> None:
        super().__init__()
        self.logit_scale = nn.Parameter(torch.tensor([1.7]))
        layers: list[nn.Module] = []
        for size in (HIDDEN, WIDTH, WIDTH):
            layers.append(nn.Linear(size, WIDTH, bias=not norm))
            if norm:
                layers += [nn.ReLU(), nn.BatchNorm1d(WIDTH)]
        self.layers = nn.ModuleList([*layers, nn.Linear(WIDTH, objectives)])
        self.norm = norm
        for layer in self.layers:
            if isinstance(layer, nn.BatchNorm1d):  # of a trained network, nothing is 0 and 1
                assert layer.running_mean is not None
                assert layer.running_var is not None
                layer.running_mean.normal_()
                layer.running_var.uniform_(0.2, 3)
                nn.init.normal_(layer.weight)
                nn.init.normal_(layer.bias)

    def forward(self, prompt: Tensor, temperature: float) -> Tensor:
        x = prompt
        for index, layer in enumerate(self.layers):
            x = layer(x)
            if not self.norm and index < len(self.layers) - 1:
                x = torch.relu(x)
        return torch.softmax(x / temperature, dim=1) * self.logit_scale[0]


def gated_parts(objectives: int, quantiles: int, *, norm: bool) -> tuple[Gate, Parts]:
    torch.manual_seed(0)
    gate = rounded(Gate(objectives, norm=norm))
    assert isinstance(gate, Gate)
    weights = {f"gating.{name}": value for name, value in gate.state_dict().items()}
    weights["regression_layer.weight"] = torch.randn(objectives * quantiles, HIDDEN)
    weights["reward_transform_matrix"] = torch.randn(objectives, objectives)
    weights["model.embed_tokens.weight"] = torch.randn(4, HIDDEN)
    return gate, weights


@pytest.mark.parametrize(
    ("objectives", "quantiles", "norm"), [(19, 1, False), (5, 7, True)], ids=["armorm", "qrm"]
)
def test_gated_heads_compute_what_their_authors_do(
    save: Save, objectives: int, quantiles: int, norm: bool
) -> None:
    gate, weights = gated_parts(objectives, quantiles, norm=norm)
    head = load_head("gated", save(weights, gating_temperature=3))
    last, prompt = torch.randn(4, HIDDEN), torch.randn(4, HIDDEN)
    regression = weights["regression_layer.weight"].bfloat16().float()
    transform = weights["reward_transform_matrix"].bfloat16().float()
    expected = []
    with torch.no_grad():
        shares = gate(prompt, 3.0)
        for row in range(4):
            total = 0.0
            for to in range(objectives):
                reward = 0.0
                for source in range(objectives):
                    outputs = regression[source * quantiles : (source + 1) * quantiles]
                    reward += float((outputs @ last[row]).mean()) * float(transform[source, to])
                total += float(shares[row, to]) * reward
            expected.append(total)
        found = head.score(last, prompt)
        assert found.dtype == torch.float32
        assert found.tolist() == pytest.approx(expected, rel=1e-4, abs=1e-4)
        # The gate reads the prompt, each row its own, and nothing of the other rows.
        assert not torch.allclose(head.score(last, prompt.flip(0)), found, atol=1e-3)
        alone = torch.cat([head.score(last[i : i + 1], prompt[i : i + 1]) for i in range(4)])
        torch.testing.assert_close(alone, found, atol=1e-5, rtol=1e-5)
    assert head.suffix == ()


def test_internlm2_scores_the_state_at_its_reward_token(save: Save) -> None:
    value = torch.randn(1, HIDDEN)
    head = load_head("internlm2", save({"v_head.weight": value}, reward_token_id=92527))
    last = torch.randn(3, HIDDEN)
    expected = [float(value.bfloat16().float()[0] @ row) for row in last]
    assert head.score(last, torch.full((3, HIDDEN), torch.nan)).tolist() == pytest.approx(expected)
    assert head.suffix == (92527,)


TINY = {
    "hidden_size": HIDDEN,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 8,
    "vocab_size": 64,
}


@pytest.mark.parametrize("kind", ["Llama", "Gemma2"])
def test_the_decoder_under_a_gated_head_needs_no_remote_code(save: Save, kind: str) -> None:
    """A config that points to code in the repository, as the published ones do, is read without it."""
    config = getattr(transformers, f"{kind}Config")(**TINY)
    decoder = transformers.AutoModel.from_config(config)
    _, weights = gated_parts(3, 2, norm=True)
    del weights["model.embed_tokens.weight"]
    weights |= {f"model.{name}": value for name, value in decoder.state_dict().items()}
    written = config.to_dict()
    written["architectures"] = [f"{kind}ForRewardModelWithGating"]
    code = f"modeling_custom.{kind}ForRewardModelWithGating"
    written["auto_map"] = {"AutoModelForSequenceClassification": code}
    folder = save(weights, **written)
    network, notes = transformers.AutoModel.from_pretrained(
        folder, trust_remote_code=False, output_loading_info=True, dtype=torch.float32
    )
    assert not notes["missing_keys"]
    with torch.inference_mode():
        states = network(input_ids=torch.tensor([[5, 6, 7, 8]])).last_hidden_state[0]
    for name, value in network.state_dict().items():
        assert torch.equal(value, weights[f"model.{name}"].bfloat16().float()), name
    scores = load_head("gated", folder).score(states[3:4], states[1:2])
    assert scores.isfinite().all()


@pytest.mark.parametrize("name", ["gated", "internlm2"])
def test_a_classifier_scores_through_a_head(
    save: Save, smollm2: Path, groups: list[Group], name: str
) -> None:
    """Shared prompts included, and with the gate reading the end of the last turn of the prompt."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(smollm2)
    torch.manual_seed(1)
    sizes = {**TINY, "vocab_size": len(tokenizer), "initializer_range": 0.3}
    config = transformers.LlamaConfig(**sizes, max_position_embeddings=8192)
    made = transformers.AutoModel.from_config(config)
    _, weights = gated_parts(3, 2, norm=True)
    weights = {key: value for key, value in weights.items() if not key.startswith("model.")}
    weights |= {f"model.{key}": value for key, value in made.state_dict().items()}
    weights["v_head.weight"] = torch.randn(1, HIDDEN)
    folder = save(weights, **config.to_dict(), reward_token_id=77)
    tokenizer.save_pretrained(folder)
    decoder = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32).eval()

    scorer = load(str(folder), "classifier", head=name)
    assert isinstance(scorer, Scorer)
    head = load_head(name, folder)
    for scored in scorer.score_groups(groups):
        (group,) = (group for group in groups if group.id == scored.id)
        inputs = scorer.inputs(group)
        assert inputs is not None
        end, start = tokenizer.convert_tokens_to_ids(["<|im_end|>", "<|im_start|>"])
        expected = []
        for fed in inputs:
            ids = [*fed.ids, *head.suffix]
            answer = max(place for place, token in enumerate(fed.ids) if token == start)
            closing = max(place for place in range(answer) if fed.ids[place] == end)
            with torch.inference_mode():
                states = decoder(input_ids=torch.tensor([ids])).last_hidden_state[0]
                score = head.score(states[-1:], states[closing : closing + 1])
            expected.append(float(score))
        assert scored.scores is not None
        assert scored.scores == pytest.approx(expected, abs=1e-4)
        assert len(set(scored.scores)) == len(group.candidates)


@pytest.mark.parametrize(
    ("name", "lost"),
    [
        ("gated", "regression_layer.weight"),
        ("gated", "reward_transform_matrix"),
        ("gated", "gating."),
        ("gated", "gating.layers."),
        ("internlm2", "v_head.weight"),
    ],
)
def test_a_head_without_its_weights_is_refused(save: Save, name: str, lost: str) -> None:
    _, weights = gated_parts(3, 2, norm=True)
    weights["v_head.weight"] = torch.randn(1, HIDDEN)
    left = {key: value for key, value in weights.items() if not key.startswith(lost)}
    with pytest.raises(ModelError, match="would be random"):
        load_head(name, save(left, reward_token_id=1))


@pytest.mark.parametrize(
    ("value", "message"), [(0.0, "never trained"), (torch.nan, "not all finite")]
)
def test_weights_that_were_never_trained_are_refused(
    save: Save, value: float, message: str
) -> None:
    _, weights = gated_parts(3, 2, norm=False)
    weights["regression_layer.weight"].fill_(value)
    with pytest.raises(ModelError, match=message):
        load_head("gated", save(weights))


def test_shapes_that_do_not_fit_are_refused(save: Save) -> None:
    _, weights = gated_parts(3, 2, norm=False)
    weights["regression_layer.weight"] = torch.randn(7, HIDDEN)
    with pytest.raises(ModelError, match="no multiple of its 3 objectives"):
        load_head("gated", save(weights))
    with pytest.raises(ModelError, match="no reward_token_id"):
        load_head("internlm2", save({"v_head.weight": torch.randn(1, HIDDEN)}))


def test_a_users_own_head_is_a_function(save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = ModuleType("own_heads")
    module.first = lambda folder: Head(lambda last, prompt: last[:, 0])
    module.wrong = lambda folder: 5
    monkeypatch.setitem(sys.modules, "own_heads", module)
    folder = save({"x.weight": torch.randn(1)})
    head = load_head("own_heads:first", folder)
    assert head.score(torch.tensor([[3.0, 4.0]]), torch.zeros(1, 2)).tolist() == [3.0]
    for name in ("own_heads:missing", "no_such_module:x"):
        with pytest.raises(UsageError, match="cannot be imported"):
            load_head(name, folder)
    with pytest.raises(UsageError, match="returned int, not a Head"):
        load_head("own_heads:wrong", folder)
    with pytest.raises(UnknownName, match="Did you mean 'gated'"):
        load_head("gatd", folder)
