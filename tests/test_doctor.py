"""The doctor finds what is wrong, by name, and finds nothing where nothing is.

The models are SmolLM2's tokenizer, embeddings and first two layers: real texts and real passes, fast.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
import transformers
from conftest import Fcrb
from safetensors.torch import load_file, save_file

from fcrewardbench import Group, Judge, Scored, Scorer, UsageError, Verdict, load_benchmark
from fcrewardbench.adapters import registry
from fcrewardbench.adapters.classifier import Classifier
from fcrewardbench.doctor import Finding, Grade, examine
from fcrewardbench.doctor.base import Check
from fcrewardbench.doctor.examination import Examination
from fcrewardbench.doctor.network import drift, head_trained, pooling, sharing
from fcrewardbench.doctor.scores import not_constant
from fcrewardbench.doctor.texts import TEXT_CHECKS
from fcrewardbench.render import Renderer, candidate_text, conversation_text, tools_text
from fcrewardbench.types import Candidate, Input, Prompt

TEMPLATE = """\
{%- if tools %}<|im_start|>system
{% for tool in tools %}{{ tool | tojson }}
{% endfor %}<|im_end|>
{% endif %}
{%- for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}
{%- for call in message.tool_calls or [] %}
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
{%- endfor %}<|im_end|>
{% endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""


def save_small(source: Path, folder: Path, auto: Any, **settings: Any) -> Any:
    torch.manual_seed(0)
    network = auto.from_pretrained(source, num_hidden_layers=2, **settings)
    network.save_pretrained(folder)
    transformers.AutoTokenizer.from_pretrained(source).save_pretrained(folder)
    return network


@pytest.fixture(scope="module")
def language_model(smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("language_model")
    save_small(smollm2, folder, transformers.AutoModelForCausalLM)
    return folder


@pytest.fixture(scope="module")
def reward_model(smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its head is random, and wider than a fresh one."""
    folder = tmp_path_factory.mktemp("reward_model")
    save_small(smollm2, folder, transformers.AutoModelForSequenceClassification, num_labels=1)
    change_head(folder, folder, lambda head: head * 5)
    return folder


def change_head(source: Path, folder: Path, change: Callable[[torch.Tensor], torch.Tensor]) -> None:
    if source != folder:
        shutil.copytree(source, folder, dirs_exist_ok=True)
    weights = load_file(source / "model.safetensors")
    weights["score.weight"] = change(weights["score.weight"])
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


@pytest.fixture
def with_template(reward_model: Path, tmp_path: Path) -> Callable[[str], Path]:
    def make(template: str) -> Path:
        folder = tmp_path / "with_template"
        shutil.copytree(reward_model, folder, dirs_exist_ok=True)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        tokenizer.chat_template = template
        tokenizer.save_pretrained(folder)
        return folder

    return make


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch) -> Callable[[type], str]:
    """Gives an adapter of this module a name."""

    def add(cls: type) -> str:
        monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
        monkeypatch.setitem(registry._ADAPTERS, "planted", f"{__name__}:{cls.__name__}")
        return "planted"

    return add


def found(model: str | Path, adapter: str | None = None, **options: Any) -> dict[str, Finding]:
    return {finding.check: finding for finding in examine(str(model), adapter, **options)}


def looked(folder: Path, *checks: Check) -> dict[str, Finding]:
    """Some of the checks."""
    examination = Examination(registry.load_named(str(folder)), load_benchmark("open"))
    return {check.name: check.find(examination) for check in checks}


def read(folder: Path) -> dict[str, Finding]:
    """The checks of what is read, which need no pass."""
    return looked(folder, *TEXT_CHECKS)


def failed(findings: dict[str, Finding]) -> set[str]:
    return {name for name, finding in findings.items() if finding.grade is Grade.FAIL}


def text_of(group: Group, candidate: Candidate) -> str:
    prompt = f"{tools_text(group.prompt.tools)}\n\n{conversation_text(group.prompt.messages)}"
    return f"{prompt}\n\nAssistant: {candidate_text(candidate)}</s>"


def number(text: str) -> float:
    """Any number that depends on all of a text."""
    return sum(ord(letter) * (index % 31) for index, letter in enumerate(text)) % 997 / 100


class Plain(Scorer):
    """A scorer that is fine: what the planted ones break."""

    def texts(self, group: Group) -> list[str]:
        return [text_of(group, candidate) for candidate in group.candidates]

    def score_group(self, group: Group) -> list[float]:
        return [number(text) for text in self.texts(group)]

    def inputs(self, group: Group) -> tuple[Input, ...]:
        return tuple(map(Input, self.texts(group)))


# ── nothing wrong ────────────────────────────────────────────────────────────────────────────────


def test_a_sound_reward_model_passes(reward_model: Path) -> None:
    findings = found(reward_model)
    assert failed(findings) == set()
    for name in ("head trained", "padding and pooling", "sharing on = off", "batch 1 = batch n"):
        assert findings[name].grade is Grade.PASS, findings[name]
    whole = findings["the whole benchmark"].seen
    assert "open@2/core" in whole
    assert "GiB of memory" in whole


def test_a_sound_adapter_of_somebody_else_passes(plant: Callable[[type], str]) -> None:
    findings = found(plant(Plain))
    assert failed(findings) == set()
    assert {f.check for f in findings.values() if f.grade is Grade.SKIPPED} == {
        "head trained",
        "padding and pooling",
        "sharing on = off",
        "dtype drift",
    }


def test_what_drifts_in_bfloat16_is_counted(reward_model: Path) -> None:
    loaded = registry.load_named(str(reward_model), dtype="bfloat16")
    finding = drift.find(Examination(loaded, load_benchmark("open")))
    assert "bfloat16 differs from float32 by" in finding.seen
    assert "of 6 decisions flip" in finding.seen


# ── the ten planted faults ───────────────────────────────────────────────────────────────────────


def test_1_an_untrained_head(language_model: Path, reward_model: Path, tmp_path: Path) -> None:
    refused = found(language_model, "classifier")
    assert failed(refused) == {"head trained"}
    assert "no trained head" in refused["head trained"].seen
    assert refused["tools in the text"].grade is Grade.PASS
    change_head(reward_model, tmp_path / "zeros", torch.zeros_like)
    zeros = looked(tmp_path / "zeros", head_trained, not_constant)
    assert failed(zeros) == {"head trained", "not constant"}
    assert "all zeros" in zeros["head trained"].seen
    change_head(reward_model, tmp_path / "fresh", lambda head: head / 5)
    fresh = looked(tmp_path / "fresh", head_trained)["head trained"]
    assert fresh.grade is Grade.WARN
    assert "a fresh head has just that spread" in fresh.seen


class Mispools(Scorer):
    """Takes the logit that transformers gives, as most scripts do."""

    needs_folder = True

    def __init__(self, model: str) -> None:
        self._renderer = Renderer(transformers.AutoTokenizer.from_pretrained(model))
        auto = transformers.AutoModelForSequenceClassification
        self._network = auto.from_pretrained(model).eval()

    def inputs(self, group: Group) -> tuple[Input, ...]:
        rendered = self._renderer.render(group)
        return tuple(map(Input, rendered.texts, rendered.ids, rendered.starts))

    def score_group(self, group: Group) -> list[float]:
        with torch.inference_mode():
            return [
                float(self._network(input_ids=torch.tensor([fed.ids])).logits[0, 0])
                for fed in self.inputs(group)
            ]


def test_2_pooling_at_the_wrong_token_where_pad_is_eos(
    plant: Callable[[type], str], with_template: Callable[[str], Path]
) -> None:
    folder = with_template(TEMPLATE.replace("<|im_end|>\n{% endfor %}", "<|im_end|>{% endfor %}"))
    finding = found(folder, plant(Mispools))["padding and pooling"]
    assert finding.grade is Grade.FAIL
    assert "transformers' own pooling" in finding.seen
    ours = looked(folder, pooling)["padding and pooling"]
    assert ours.grade is Grade.WARN
    assert "ours are right" in ours.seen


def test_3_a_template_that_drops_tools(with_template: Callable[[str], Path]) -> None:
    first_only = TEMPLATE.replace("for tool in tools %}", "for tool in tools[:1] %}")
    assert failed(read(with_template(first_only))) == {"tools in the text"}
    assert failed(read(with_template(TEMPLATE))) == set()


class EncodesTwice(Plain):
    def texts(self, group: Group) -> list[str]:
        return [
            text_of(group, candidate)
            if isinstance(candidate, str)
            else text_of(
                group,
                json.dumps(
                    [
                        {"name": c.name, "arguments": json.dumps(dict(c.arguments))}
                        for c in candidate
                    ]
                ),
            )
            for candidate in group.candidates
        ]


def test_4_arguments_encoded_twice(
    plant: Callable[[type], str], with_template: Callable[[str], Path]
) -> None:
    assert failed(found(plant(EncodesTwice))) == {"encoded once"}
    repaired = TEMPLATE.replace("arguments | tojson", "arguments | tojson | tojson")
    assert failed(read(with_template(repaired))) == set()


class TruncatesTokens(Plain):
    """Whole texts, and a tokenizer that keeps the first 150 tokens."""

    needs_folder = True

    def __init__(self, model: str) -> None:
        self._tokenizer = transformers.AutoTokenizer.from_pretrained(model)

    def inputs(self, group: Group) -> tuple[Input, ...]:
        cut = {"truncation": True, "max_length": 150}
        return tuple(
            Input(text, tuple(self._tokenizer(text, **cut)["input_ids"]))
            for text in self.texts(group)
        )


class TruncatesText(Plain):
    """Reads the first 3,000 characters, and does not tell what it reads."""

    def score_group(self, group: Group) -> list[float]:
        return [number(text[:3000]) for text in self.texts(group)]

    def inputs(self, group: Group) -> Any:
        return None


def test_5_truncation(plant: Callable[[type], str], language_model: Path) -> None:
    by_tokens = found(language_model, plant(TruncatesTokens))["nothing truncated"]
    assert by_tokens.grade is Grade.FAIL
    blind = found(plant(TruncatesText))
    assert failed(blind) == {"long pairs"}
    assert "have the same score" in blind["long pairs"].seen


class NanOnce(Plain):
    def score_groups(self, groups: Iterable[Group]) -> Iterator[Scored]:
        for index, group in enumerate(groups):
            scores = self.score_group(group)
            yield Scored(group.id, (float("nan") if index == 9 else scores[0], scores[1]))


def test_6_nan_on_one_row(plant: Callable[[type], str]) -> None:
    findings = found(plant(NanOnce))
    assert failed(findings) == {"finite"}
    assert "1 of 16 rows" in findings["finite"].seen


class Constant(Plain):
    def score_group(self, group: Group) -> list[float]:
        return [0.5 for _ in group.candidates]


class ReadsThePromptOnly(Plain):
    def score_group(self, group: Group) -> list[float]:
        return [number(conversation_text(group.prompt.messages)) for _ in group.candidates]


def test_7_constant_scores(plant: Callable[[type], str]) -> None:
    assert failed(found(plant(Constant))) == {"not constant"}
    prompt_only = found(plant(ReadsThePromptOnly))
    assert failed(prompt_only) == {"not constant"}
    assert "both candidates of every pair" in prompt_only["not constant"].seen


class Normalises(Plain):
    """Centres its scores over the call."""

    def score_groups(self, groups: Iterable[Group]) -> Iterator[Scored]:
        scored = [(group.id, self.score_group(group)) for group in groups]
        every = [score for _, scores in scored for score in scores]
        mean = sum(every) / len(every)
        for id, scores in scored:
            yield Scored(id, tuple(score - mean for score in scores))


class PrefersTheFirst(Plain):
    def score_group(self, group: Group) -> list[float]:
        return [score + (index == 0) for index, score in enumerate(super().score_group(group))]


def test_8_scores_that_depend_on_what_else_is_scored(plant: Callable[[type], str]) -> None:
    assert failed(found(plant(Normalises))) == {"batch 1 = batch n"}
    assert failed(found(plant(PrefersTheFirst))) == {"order of the candidates"}


class Swapped(Plain):
    """Knows the answers, and says the opposite."""

    sign: ClassVar[float] = -1.0

    def __init__(self) -> None:
        self._right = {
            (pair.id, candidate_text(pair.chosen)) for pair in load_benchmark("open").pairs
        }

    def score_group(self, group: Group) -> list[float]:
        return [
            self.sign * (((group.id, candidate_text(c)) in self._right) + number(text) / 100)
            for c, text in zip(group.candidates, self.texts(group), strict=True)
        ]


class NotSwapped(Swapped):
    sign = 1.0


def test_9_swapped_labels(plant: Callable[[type], str]) -> None:
    findings = found(plant(Swapped))
    assert failed(findings) == {"labels not swapped"}
    assert "wrong in 16 of 16 pairs" in findings["labels not swapped"].seen
    assert failed(found(plant(NotSwapped))) == set()


def test_10_two_bos_tokens(with_template: Callable[[str], Path]) -> None:
    findings = read(with_template("{{ bos_token }}{{ bos_token }}" + TEMPLATE))
    assert failed(findings) == {"one BOS"}


# ── other faults ─────────────────────────────────────────────────────────────────────────────────


class SharesWrongly(Classifier):
    def score_groups(self, groups: Iterable[Group], done: Any = frozenset()) -> Iterator[Scored]:
        for scored in super().score_groups(groups, done):
            assert scored.scores is not None
            yield Scored(scored.id, tuple(score + self._share for score in scored.scores))


def test_sharing_that_changes_scores(plant: Callable[[type], str], reward_model: Path) -> None:
    loaded = registry.load_named(str(reward_model), plant(SharesWrongly))
    finding = sharing.find(Examination(loaded, load_benchmark("open")))
    assert finding.grade is Grade.FAIL, finding


def test_a_turn_that_stays_open(with_template: Callable[[str], Path]) -> None:
    opened = TEMPLATE.replace("<|im_end|>\n{% endfor %}", "{% endfor %}")
    assert read(with_template(opened))["turn closed"].grade is Grade.WARN


class BreaksOff(Plain):
    def score_group(self, group: Group) -> list[float]:
        raise KeyError("city")


def test_what_cannot_run_at_all_is_a_finding(
    plant: Callable[[type], str], reward_model: Path, tmp_path: Path
) -> None:
    findings = found(plant(BreaksOff))
    assert failed(findings) == {"runs"}
    assert "KeyError" in findings["runs"].seen
    folder = tmp_path / "holes"
    shutil.copytree(reward_model, folder)
    weights = load_file(folder / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    assert "up_proj" in found(folder)["loads"].seen


class FirstIsBetter(Judge):
    def verdict(self, prompt: Prompt, first: Candidate, second: Candidate) -> Verdict:
        return Verdict.FIRST


class Mumbles(Judge):
    def verdict(self, prompt: Prompt, first: Candidate, second: Candidate) -> Verdict:
        return Verdict.UNPARSED


class Fair(Judge):
    """Knows the chosen candidates of `open`, by their text."""

    better: ClassVar[tuple[Verdict, Verdict]] = (Verdict.FIRST, Verdict.SECOND)

    def __init__(self) -> None:
        pairs = load_benchmark("open").pairs
        self._right = {(p.prompt.messages[-1]["content"], candidate_text(p.chosen)) for p in pairs}

    def verdict(self, prompt: Prompt, first: Candidate, second: Candidate) -> Verdict:
        asked = prompt.messages[-1]["content"]
        return self.better[(asked, candidate_text(first)) not in self._right]


class Unfair(Fair):
    better = (Verdict.SECOND, Verdict.FIRST)


def test_judges_have_checks_of_their_own(plant: Callable[[type], str]) -> None:
    first = found(plant(FirstIsBetter))
    assert failed(first) == {"order consistency"}
    assert first["position bias"].grade is Grade.WARN
    assert {"verdicts readable", "not constant"} <= failed(found(plant(Mumbles)))
    assert failed(found(plant(Unfair))) == {"labels not swapped"}
    assert failed(found(plant(Fair))) == set()


# ── the command ──────────────────────────────────────────────────────────────────────────────────


def test_the_command_says_how_to_mend_and_exits_with_1(
    fcrb: Fcrb, plant: Callable[[type], str]
) -> None:
    code, out, _ = fcrb("doctor", "--model", plant(Constant))
    assert code == 1
    assert "both candidates" in " ".join(out.split()) or "every candidate" in " ".join(out.split())
    code, out, _ = fcrb("doctor", "--model", plant(Constant), "--json")
    assert code == 1
    findings = {finding["check"]: finding for finding in json.loads(out)}
    assert findings["not constant"]["grade"] == "fail"
    assert findings["not constant"]["mend"]
    assert findings["finite"]["mend"] == ""
    assert fcrb("doctor", "--model", plant(Plain))[0] == 0
    code, out, err = fcrb("doctor", "--model", "no-such-model")
    assert (code, out) == (2, "")
    assert "There is no model" in err


def test_a_gate_is_no_part_of_the_model(monkeypatch: pytest.MonkeyPatch, smollm2: Path) -> None:
    examined: list[dict[str, Any]] = []

    def refuse(loaded: Any, data: Any) -> Any:
        examined.append(loaded.options)
        raise UsageError("seen")

    monkeypatch.setattr("fcrewardbench.doctor.Examination", refuse)
    with pytest.raises(UsageError, match="seen"):
        examine("toolrm/smollm2-135m")
    assert examined == [{"schema_gate": False}]
