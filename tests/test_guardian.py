"""Granite Guardian's yes or no, on a tiny random model behind templates of its two forms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from fcrewardbench import Group, ModelError, Scorer, UsageError, load
from fcrewardbench.render import candidate_text

TEMPLATES = {
    "3.1": (
        "{% for m in messages %}[{{ m.role }}]{{ m.content }}\n{% endfor %}"
        "Risk {{ guardian_config.risk_name }}? Yes or No.\n<|im_start|>"
    ),
    "3.3": (
        "{{ available_tools | tojson }}\n{% for m in messages %}[{{ m.role }}]{{ m.content }}\n"
        "{% endfor %}Criterion {{ guardian_config.criteria_id }}, thinking {{ think }}.\n<|im_start|>"
    ),
}
ANSWERS = {"3.1": ("Yes", "No"), "3.3": ("<score> yes </score>", "<score> no </score>")}


@pytest.fixture(params=TEMPLATES)
def guardian(request: pytest.FixtureRequest, smollm2: Path, tmp_path: Path) -> tuple[str, Path]:
    """Its form and its folder."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(smollm2)
    tokenizer.chat_template = TEMPLATES[request.param]
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        initializer_range=0.3,
        max_position_embeddings=8192,
    )
    transformers.LlamaForCausalLM(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    return request.param, tmp_path


def loaded(folder: Path, **options: Any) -> Scorer:
    scorer = load(str(folder), "guardian", **options)
    assert isinstance(scorer, Scorer)
    return scorer


def test_the_score_is_the_log_odds_of_the_safe_answer(
    guardian: tuple[str, Path], groups: list[Group]
) -> None:
    form, folder = guardian
    group = groups[0]
    (scored,) = loaded(folder, form=form).score_groups([group])
    assert scored.scores is not None
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    network = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()

    def logprob(candidate: Any, answer: str) -> float:
        tools = [tool.as_openai()["function"] for tool in group.prompt.tools]
        reply = {"role": "assistant", "content": candidate_text(candidate)}
        messages: list[Any] = [*group.prompt.messages, reply]
        key = "risk_name" if form == "3.1" else "criteria_id"
        if form == "3.1":
            messages = [{"role": "tools", "content": json.dumps(tools, indent=2)}, *messages]
        text = tokenizer.apply_chat_template(
            messages,
            guardian_config={key: "function_call"},
            available_tools=tools,
            think=False,
            tokenize=False,
        )
        asked = tokenizer(text, add_special_tokens=False)["input_ids"]
        ids = tokenizer(text + answer, add_special_tokens=False)["input_ids"]
        assert ids[: len(asked)] == asked
        with torch.inference_mode():
            rows = network(input_ids=torch.tensor([ids])).logits[0].log_softmax(1)
        return sum(float(rows[i - 1, ids[i]]) for i in range(len(asked), len(ids)))

    risk, safe = ANSWERS[form]
    expected = [logprob(c, safe) - logprob(c, risk) for c in group.candidates]
    assert scored.scores == pytest.approx(expected, abs=1e-4)
    assert len(set(scored.scores)) == 3


def test_one_input_a_candidate_and_the_form_in_the_card(
    guardian: tuple[str, Path], groups: list[Group]
) -> None:
    form, folder = guardian
    scorer = loaded(folder, form=form)
    inputs = scorer.inputs(groups[2])
    assert inputs is not None
    for fed, candidate in zip(inputs, groups[2].candidates, strict=True):
        assert candidate_text(candidate) in fed.text
        assert fed.text.endswith("<|im_start|>")
        assert fed.start == len(fed.ids)
    assert scorer.describe()["form"] == form


def test_templates_and_forms_that_do_not_fit_are_refused(
    guardian: tuple[str, Path], groups: list[Group]
) -> None:
    form, folder = guardian
    if form == "3.1":  # its template shows no available_tools
        with pytest.raises(ModelError, match="does not show"):
            list(loaded(folder, form="3.3").score_groups(groups[:1]))
    with pytest.raises(UsageError, match="There is no form '4'"):
        loaded(folder, form="4")
