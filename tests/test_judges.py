"""Judges, ratings and DPO on this machine: each equal to what transformers computes by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from fcrewardbench import Group, ModelError, Outcome, Scorer, UsageError, Verdict, load
from fcrewardbench.adapters.dpo import Dpo
from fcrewardbench.adapters.judge import LocalJudge
from fcrewardbench.adapters.rating import Rating
from fcrewardbench.prompts import load_prompt

TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def short(groups: list[Group]) -> list[Group]:
    """Two prompts that are soon read, with two candidates each."""
    return [replace(group, candidates=group.candidates[:2]) for group in groups[:2]]


@pytest.fixture(scope="module")
def network(smollm2: Path) -> Any:
    return transformers.AutoModelForCausalLM.from_pretrained(smollm2).eval()


@pytest.fixture(scope="module")
def tokenizer(smollm2: Path) -> Any:
    return transformers.AutoTokenizer.from_pretrained(smollm2)


def next_token(network: Any, tokenizer: Any, text: str) -> torch.Tensor:
    """Probabilities of the token that follows."""
    ids = tokenizer(text, add_special_tokens=False, return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        probabilities: torch.Tensor = network(ids, logits_to_keep=1).logits[0, -1].softmax(0)
    return probabilities


def asked(tokenizer: Any, prompt: str, group: Group, *candidates: Any) -> str:
    kind: Any = "pairwise" if len(candidates) == 2 else "pointwise"
    messages = load_prompt(prompt, kind).messages(group.prompt, candidates, "logprobs")
    text: str = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    return text


@pytest.mark.parametrize("prompt", ["pairwise", "rubric"])
def test_a_judge_reads_the_probabilities_of_both_letters_in_both_orders(
    smollm2: Path, network: Any, tokenizer: Any, short: list[Group], prompt: str
) -> None:
    judge = LocalJudge(str(smollm2), prompt=prompt)
    compared = {one.id: one for one in judge.compare_groups(short)}
    letters = [tokenizer.convert_tokens_to_ids(letter) for letter in "AB"]
    for group in short:
        one = compared[group.id]
        for order, verdict, reply in zip((1, -1), one.verdicts, one.replies, strict=True):
            text = asked(tokenizer, prompt, group, *group.candidates[::order])
            a, b = next_token(network, tokenizer, text)[letters].tolist()
            assert verdict is (Verdict.FIRST if a > b else Verdict.SECOND)
            assert reply.startswith(f"A {a:.2g}"[:5])
        assert one.tokens.computed < 0.7 * one.tokens.naive
    judge_alone = LocalJudge(str(smollm2), prompt=prompt, share_prompt=False)
    assert {o.id: o.verdicts for o in judge_alone.compare_groups(short)} == {
        id: one.verdicts for id, one in compared.items()
    }


def test_a_judge_that_writes_is_read_by_its_last_verdict(
    smollm2: Path, short: list[Group], tmp_path: Path
) -> None:
    """SmolLM2 quotes what it is told to write; a reply that is cut off is unparsed."""
    prompt = tmp_path / "mine.jinja"
    prompt.write_text(
        '{# {{ first }} {{ second }} #}{% set _ = first ~ second %}Write the string "[[B]]" and stop.'
    )
    judge = LocalJudge(str(smollm2), verdict="text", prompt=str(prompt), max_tokens=60)
    compared = next(iter(judge.compare_groups(short[:1])))
    assert compared.verdicts == (Verdict.SECOND, Verdict.SECOND)
    assert "[[B]]" in compared.replies[0]
    cut = LocalJudge(str(smollm2), verdict="text", max_tokens=2)
    assert next(iter(cut.compare_groups(short[:1]))).verdicts == (Verdict.UNPARSED,) * 2


def test_a_question_that_does_not_fit_is_too_long(smollm2: Path, short: list[Group]) -> None:
    for verdict in ("logprobs", "text"):
        judge = LocalJudge(str(smollm2), verdict=verdict, max_length=50)
        for one in judge.compare_groups(short):
            assert one.verdicts == (Verdict.TOO_LONG, Verdict.TOO_LONG)
            assert "limit is 50" in one.detail
    for scored in Rating(str(smollm2), max_length=50).score_groups(short):
        assert scored.failure is Outcome.TOO_LONG


def test_a_rating_is_the_mean_of_ten_weighted_by_their_probability(
    smollm2: Path, network: Any, tokenizer: Any, short: list[Group]
) -> None:
    rating = Rating(str(smollm2))
    scores = {scored.id: scored.scores for scored in rating.score_groups(short)}
    for group in short:
        for candidate, score in zip(group.candidates, scores[group.id] or (), strict=True):
            text = asked(tokenizer, "pointwise", group, candidate)
            first = next_token(network, tokenizer, text)
            digit = {n: float(first[tokenizer.convert_tokens_to_ids(str(n))]) for n in range(1, 10)}
            zero = next_token(network, tokenizer, text + "1")[tokenizer.convert_tokens_to_ids("0")]
            ten = digit[1] * float(zero)
            chances = {**digit, 1: digit[1] - ten, 10: ten}
            expected = sum(n * chance for n, chance in chances.items()) / sum(chances.values())
            assert score == pytest.approx(expected, abs=1e-3)
            assert 1 < score < 10


def test_a_model_that_would_not_rate_is_unparsed(
    smollm2: Path, short: list[Group], tmp_path: Path
) -> None:
    prompt = tmp_path / "mine.jinja"
    prompt.write_text("{% set _ = candidate %}Say hello.")
    for verdict in ("logprobs", "text"):
        rating = Rating(str(smollm2), prompt=str(prompt), verdict=verdict, max_tokens=4)
        (scored,) = rating.score_groups(short[:1])
        assert scored.scores is None
        assert scored.failure is Outcome.UNPARSED


def test_a_written_rating_counts(smollm2: Path, short: list[Group], tmp_path: Path) -> None:
    prompt = tmp_path / "mine.jinja"
    prompt.write_text('{% set _ = candidate %}Write the string "[[7]]".')
    rating = Rating(str(smollm2), prompt=str(prompt), verdict="text", max_tokens=60)
    (scored,) = rating.score_groups(short[:1])
    assert scored.scores == (7.0, 7.0)


@pytest.fixture(scope="module")
def reference(smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SmolLM2, a little moved."""
    path = tmp_path_factory.mktemp("reference")
    network = transformers.AutoModelForCausalLM.from_pretrained(smollm2)
    torch.manual_seed(1)
    with torch.no_grad():
        for layer in network.model.layers[:3]:
            layer.mlp.down_proj.weight += 0.02 * torch.randn_like(layer.mlp.down_proj.weight)
    network.save_pretrained(path)
    transformers.AutoTokenizer.from_pretrained(smollm2).save_pretrained(path)
    return path


def test_dpo_is_the_difference_of_two_log_likelihoods(
    smollm2: Path, reference: Path, short: list[Group]
) -> None:
    scorer = load(str(smollm2), "dpo", reference=str(reference))
    assert isinstance(scorer, Dpo)
    found = {scored.id: scored for scored in scorer.score_groups(short)}
    parts = []
    for path in (smollm2, reference):
        model = load(str(path), "likelihood", reduction="sum", share_prompt=False)
        assert isinstance(model, Scorer)
        parts.append({scored.id: scored for scored in model.score_groups(short)})
    for id, scored in found.items():
        policy, before = (part[id].scores or () for part in parts)
        expected = [p - b for p, b in zip(policy, before, strict=True)]
        assert scored.scores == pytest.approx(expected, abs=2e-3)
        assert scored.tokens.naive == sum(part[id].tokens.naive for part in parts)
        assert scored.tokens.computed < 0.7 * scored.tokens.naive
        assert max(map(abs, expected)) > 0.05
    assert scorer.describe()["reference"] != scorer.describe()["revision"]


def test_dpo_refuses_a_reference_with_another_vocabulary(smollm2: Path, gemma3: Path) -> None:
    with pytest.raises(ModelError, match="different vocabularies"):
        load(str(smollm2), "dpo", reference=str(gemma3))


def test_settings_that_cannot_be_are_usage_errors(smollm2: Path, tmp_path: Path) -> None:
    path = str(smollm2)
    with pytest.raises(UsageError, match="no verdict mode 'guess'"):
        load(path, "judge", verdict="guess")
    with pytest.raises(UsageError, match="rates one"):
        load(path, "judge", prompt="pointwise")
    with pytest.raises(UsageError, match="a store keeps scores"):
        load(path, "judge", store=str(tmp_path / "scores"))
    with pytest.raises(UsageError, match="runs on one device"):
        load(path, "rating", verdict="text", device="cpu,cpu")


def test_a_run_of_a_judge_goes_on(smollm2: Path, fcrb: Any, tmp_path: Path) -> None:
    arguments = ("evaluate", "--model", smollm2, "--adapter", "judge", "--limit", 3, "--out", "run")
    code, _, error = fcrb(*arguments)
    assert code == 0, error
    card = json.loads((tmp_path / "run" / "card.json").read_text())
    assert card["model"]["kind"] == "judge"
    assert card["model"]["prompt"] == "pairwise"
    assert sum(card["metrics"]["outcomes"].values()) == 3
    assert card["tokens"]["computed"] < card["tokens"]["naive"]
