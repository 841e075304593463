"""Scores of real small models: equal whatever the batch, the order, or the sharing."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from fcrewardbench import Group, ModelError, Outcome, Scorer, UsageError, load, load_benchmark
from fcrewardbench.adapters.classifier import Classifier
from fcrewardbench.adapters.likelihood import Likelihood
from fcrewardbench.render import Renderer
from fcrewardbench.scoring.plan import Branch, plan

TOLERANCE = 1e-4  # fp32


@pytest.fixture(scope="module", params=["smollm2", "gemma3"])
def language_model(request: pytest.FixtureRequest) -> Path:
    path: Path = request.getfixturevalue(request.param)
    return path


@pytest.fixture(scope="module")
def reward_models(
    tmp_path_factory: pytest.TempPathFactory, smollm2: Path, gemma3: Path
) -> dict[str, Path]:
    """The two models with a head whose weights are saved, so that it counts as trained."""
    made = {}
    for name, source in (("smollm2", smollm2), ("gemma3", gemma3)):
        torch.manual_seed(0)
        network = transformers.AutoModelForSequenceClassification.from_pretrained(
            source, num_labels=1
        )
        made[name] = tmp_path_factory.mktemp(name)
        network.save_pretrained(made[name])
        transformers.AutoTokenizer.from_pretrained(source).save_pretrained(made[name])
    return made


@pytest.fixture(scope="module", params=["smollm2", "gemma3"])
def reward_model(request: pytest.FixtureRequest, reward_models: dict[str, Path]) -> Path:
    return reward_models[request.param]


def scores_of(scorer: Scorer, groups: list[Group]) -> dict[str, tuple[float, ...]]:
    return {s.id: s.scores for s in scorer.score_groups(groups) if s.scores is not None}


def assert_independent(scorer: Scorer, alone: Scorer, groups: list[Group]) -> None:
    """The same score with and without sharing, in any order, in any group size."""
    shared = scores_of(scorer, groups)
    assert len(shared) == len(groups)
    for group in groups:
        expected = pytest.approx(shared[group.id], abs=TOLERANCE)
        assert scores_of(alone, [group])[group.id] == expected
    group = groups[0]
    for order in ((2, 0, 1), (1, 0, 2)):
        turned = replace(group, candidates=tuple(group.candidates[i] for i in order))
        expected = pytest.approx(tuple(shared[group.id][i] for i in order), abs=TOLERANCE)
        assert scores_of(scorer, [turned])[group.id] == expected
    for index, candidate in enumerate(group.candidates):
        single = replace(group, candidates=(candidate,))
        expected = pytest.approx((shared[group.id][index],), abs=TOLERANCE)
        assert scores_of(scorer, [single])[group.id] == expected
    eight = replace(group, candidates=(*group.candidates, *group.candidates, "Yes.", "No. " * 60))
    expected = pytest.approx(shared[group.id] * 2, abs=TOLERANCE)
    assert scores_of(scorer, [eight])[group.id][:6] == expected
    for id, scores in scores_of(scorer, groups[1::-1]).items():
        assert scores == pytest.approx(shared[id], abs=TOLERANCE)


@pytest.fixture(scope="module")
def short_and_long(groups: list[Group]) -> list[Group]:
    """A group with a short prompt and one with a prompt longer than Gemma's window."""
    return [groups[0], groups[2]]


def test_likelihood_depends_on_the_text_alone(
    language_model: Path, short_and_long: list[Group]
) -> None:
    model = str(language_model)
    assert_independent(Likelihood(model), Likelihood(model, share_prompt=False), short_and_long)


def test_classifier_depends_on_the_text_alone(
    reward_model: Path, short_and_long: list[Group]
) -> None:
    model = str(reward_model)
    assert_independent(Classifier(model), Classifier(model, share_prompt=False), short_and_long)


def test_one_of_the_prompts_is_longer_than_the_sliding_window(
    gemma3: Path, short_and_long: list[Group]
) -> None:
    window = transformers.AutoConfig.from_pretrained(gemma3).sliding_window
    renderer = Renderer(transformers.AutoTokenizer.from_pretrained(gemma3))
    assert max(min(renderer.render(group).starts) for group in short_and_long) > window


def test_likelihood_is_what_transformers_computes(
    language_model: Path, groups: list[Group], tmp_path: Path
) -> None:
    network = transformers.AutoModelForCausalLM.from_pretrained(language_model).eval()
    renderer = Renderer(transformers.AutoTokenizer.from_pretrained(language_model))
    means, sums = (
        scores_of(
            Likelihood(str(language_model), reduction=how, store=str(tmp_path / "scores")),
            groups[:2],
        )
        for how in ("mean", "sum")
    )
    for group in groups[:2]:
        rendered = renderer.render(group)
        for index, (ids, start) in enumerate(zip(rendered.ids, rendered.starts, strict=True)):
            own = len(ids) - start
            with torch.inference_mode():
                logits = network(torch.tensor([ids]), logits_to_keep=own + 1).logits[0, :-1]
                loss = float(torch.nn.functional.cross_entropy(logits, torch.tensor(ids[start:])))
            assert means[group.id][index] == pytest.approx(-loss, abs=TOLERANCE)
            total = -loss * own
            assert sums[group.id][index] == pytest.approx(total, abs=TOLERANCE * len(ids))


def test_classifier_reads_the_last_token_where_pad_is_the_end_of_turn(
    reward_models: dict[str, Path], groups: list[Group]
) -> None:
    path = reward_models["smollm2"]
    network = transformers.AutoModelForSequenceClassification.from_pretrained(path).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(path)
    assert tokenizer.pad_token_id == tokenizer.eos_token_id
    scorer = Classifier(str(path))
    # The template ends in a line end; a text that ends in the end-of-turn token is the hard case.
    template = tokenizer.chat_template.replace("'<|im_end|>' + '\n'", "'<|im_end|>'")
    scorer.renderer = _renderer(path, template)
    for group in groups[:2]:
        rendered = scorer.renderer.render(group)
        ours = scores_of(scorer, [group])[group.id]
        for ids, score in zip(rendered.ids, ours, strict=True):
            assert ids[-1] == tokenizer.pad_token_id
            with torch.inference_mode():
                states = network.model(input_ids=torch.tensor([ids])).last_hidden_state
                expected = float(network.score(states[0, -1]))
                mispooled = float(network(input_ids=torch.tensor([ids])).logits[0, 0])
            assert score == pytest.approx(expected, abs=TOLERANCE)
            assert abs(score - mispooled) > 100 * TOLERANCE


def _renderer(path: Path, template: str) -> Renderer:
    tokenizer = transformers.AutoTokenizer.from_pretrained(path)
    tokenizer.chat_template = template
    return Renderer(tokenizer)


def test_what_groups_have_in_common_is_computed_once_and_counted_exactly(
    smollm2: Path, groups: list[Group]
) -> None:
    scorer = Likelihood(str(smollm2))
    alone = Likelihood(str(smollm2), share_prompt=False)
    ids = [scorer.renderer.render(group).ids for group in groups]
    tree = plan([Branch(row, index, len(row)) for index, rows in enumerate(ids) for row in rows])
    shared = {scored.id: scored.tokens for scored in scorer.score_groups(groups)}
    assert sum(tokens.computed for tokens in shared.values()) == tree.bound
    assert 2 * tree.bound < tree.naive
    for group, rows, scored in zip(groups, ids, alone.score_groups(groups), strict=True):
        naive = sum(map(len, rows))
        assert scored.tokens.naive == scored.tokens.computed == naive == shared[group.id].naive


def test_eight_candidates_cost_one_pass_over_their_prompt(smollm2: Path) -> None:
    """On a prompt of open/candidates, and with the scores that eight single passes give."""
    scorer, alone = Likelihood(str(smollm2)), Likelihood(str(smollm2), share_prompt=False)
    items = load_benchmark("open/candidates").items
    group = min(items, key=lambda item: len(str(item.prompt))).group()
    assert len(group.candidates) == 8
    (scored,) = scorer.score_groups([group])
    rendered = scorer.renderer.render(group)
    ends = sum(map(len, rendered.ids)) - sum(rendered.starts)
    assert scored.tokens.computed <= max(rendered.starts) + ends
    assert scored.tokens.naive == sum(map(len, rendered.ids))
    assert scored.scores == pytest.approx(scores_of(alone, [group])[group.id], abs=TOLERANCE)


def test_a_row_longer_than_the_model_takes_is_an_outcome(
    smollm2: Path, groups: list[Group]
) -> None:
    scorer = Likelihood(str(smollm2), max_length=300)
    results = list(scorer.score_groups(groups))
    assert {r.id for r in results} == {g.id for g in groups}
    long = [r for r in results if r.failure is Outcome.TOO_LONG]
    assert 0 < len(long) < len(groups)
    assert all(r.scores is None and "limit is 300" in r.detail for r in long)
    group = next(g for g in groups if g.id == long[0].id)
    with pytest.raises(ValueError, match="too_long"):
        scorer.score(group.prompt.tools, group.prompt.messages, group.candidates)


def test_bfloat16_scores_stay_near(smollm2: Path, groups: list[Group]) -> None:
    single = [replace(groups[0], candidates=groups[0].candidates[:1])]
    exact = scores_of(Likelihood(str(smollm2)), single)
    rough = scores_of(Likelihood(str(smollm2), dtype="bfloat16"), single)
    for id, scores in exact.items():
        assert rough[id] == pytest.approx(scores, abs=0.1)


def test_an_untrained_head_is_refused(smollm2: Path) -> None:
    with pytest.raises(ModelError, match=r"no trained head \(score.weight.*--adapter likelihood"):
        load(str(smollm2), "classifier")


def test_a_language_model_head_that_is_not_linear_is_refused(tmp_path: Path, smollm2: Path) -> None:
    """BERT's decoder has a layer of its own before its last one."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(smollm2)
    config = transformers.BertConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2, is_decoder=True,
    )  # fmt: skip
    transformers.BertLMHeadModel(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="head that is no plain linear layer"):
        load(str(tmp_path), "likelihood")


def test_weights_that_are_not_there_are_refused(
    reward_models: dict[str, Path], tmp_path: Path
) -> None:
    for file in reward_models["smollm2"].iterdir():
        shutil.copy(file, tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match=r"lacks 1 weights, model.layers.1.mlp.up_proj.weight"):
        load(str(tmp_path))


def test_files_that_are_no_weights_and_devices_that_are_not_there_are_usage_errors(
    smollm2: Path, tmp_path: Path
) -> None:
    for file in smollm2.iterdir():
        if file.suffix != ".safetensors":
            shutil.copy(file, tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}")
    with pytest.raises(UsageError, match="cannot be loaded"):
        load(str(tmp_path))
    with pytest.raises(UsageError, match="The device 'nowhere' cannot be used"):
        load(str(smollm2), device="nowhere")


def test_a_head_with_two_outputs_is_refused(reward_models: dict[str, Path], tmp_path: Path) -> None:
    network = transformers.AutoModelForSequenceClassification.from_pretrained(
        reward_models["smollm2"], num_labels=2, ignore_mismatched_sizes=True
    )
    network.save_pretrained(tmp_path)
    transformers.AutoTokenizer.from_pretrained(reward_models["smollm2"]).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="has 2 outputs"):
        load(str(tmp_path))


def test_the_adapter_is_guessed_from_the_architecture(
    smollm2: Path, reward_models: dict[str, Path], tmp_path: Path
) -> None:
    assert isinstance(load(str(smollm2)), Likelihood)
    assert isinstance(load(f"path:{reward_models['smollm2']}"), Classifier)
    (tmp_path / "config.json").write_text(json.dumps({"architectures": ["ViTModel"]}))
    with pytest.raises(ModelError, match="ViTModel; name its adapter"):
        load(str(tmp_path))


def test_an_encoder_is_scored_without_sharing(
    tmp_path: Path, smollm2: Path, groups: list[Group]
) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(smollm2)
    torch.manual_seed(0)
    config = transformers.ModernBertConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=32, num_hidden_layers=2,
        num_attention_heads=2, num_labels=1, pad_token_id=0, max_position_embeddings=4096,
    )  # fmt: skip
    transformers.ModernBertForSequenceClassification(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    scorer = load(str(tmp_path))
    assert isinstance(scorer, Scorer)
    (scored,) = scorer.score_groups(groups[:1])
    assert scored.scores is not None
    assert len(set(scored.scores)) == 3
    assert scored.tokens.naive == scored.tokens.computed


def test_weights_that_are_not_safetensors_are_not_loaded(smollm2: Path, tmp_path: Path) -> None:
    for file in smollm2.iterdir():
        if file.suffix != ".safetensors":
            shutil.copy(file, tmp_path)
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError, match="cannot be loaded"):
        load(str(tmp_path))


def test_remote_code_is_not_run_unless_asked_for(smollm2: Path, tmp_path: Path) -> None:
    for file in smollm2.iterdir():
        if file.name != "model.safetensors":
            shutil.copy(file, tmp_path)
    marker = tmp_path / "was_run"
    config = json.loads((tmp_path / "config.json").read_text("utf-8"))
    config["model_type"] = "mine"
    config["auto_map"] = {"AutoConfig": "mine.Config", "AutoModelForCausalLM": "mine.Model"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "mine.py").write_text(f"open({str(marker)!r}, 'w')\nConfig = Model = None\n")
    with pytest.raises(ModelError, match="--trust-remote-code"):
        load(str(tmp_path), "likelihood")
    assert not marker.exists()


def test_options_that_do_not_exist_are_usage_errors(smollm2: Path) -> None:
    with pytest.raises(UsageError, match="takes reduction, schema_gate, dtype, device"):
        load(str(smollm2), temperature=1)
    with pytest.raises(UsageError, match="no dtype 'int8'"):
        load(str(smollm2), dtype="int8")
    with pytest.raises(UsageError, match="no reduction 'median'"):
        load(str(smollm2), reduction="median")


def test_score_takes_plain_objects(smollm2: Path) -> None:
    scorer = load(str(smollm2))
    assert isinstance(scorer, Scorer)
    tools: list[Any] = [{"name": "f", "parameters": {"type": "object", "properties": {"a": {}}}}]
    messages = [{"role": "user", "content": "Call f with a = 1."}]
    forms: list[Any] = ['[{"name": "f", "arguments": {"a": 1}}]', [{"f": {"a": 1}}], "f(a=1)"]
    scores = scorer.score(tools, messages, forms)
    assert scores == pytest.approx([scores[0]] * 3, abs=TOLERANCE)
    assert scorer.score(tools, messages, ["f(a=2)"])[0] != pytest.approx(scores[0], abs=TOLERANCE)
