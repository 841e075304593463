"""What a judge is asked, whichever file asks it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
import transformers

from fcrewardbench.adapters.api import ApiJudge
from fcrewardbench.adapters.replies import parse_rating
from fcrewardbench.errors import UnknownName, UsageError
from fcrewardbench.prompts import ASKS, CANDIDATE_NAMES, JudgePrompt, load_prompt, prompt_names
from fcrewardbench.render import Renderer, candidate_text
from fcrewardbench.types import Group, Prompt

PAIRWISE = ("pairwise", "rubric")
POINTWISE = ("pointwise",)


def asked(prompt: JudgePrompt, group: Group, ask: str = "text") -> str:
    candidates = group.candidates[: len(CANDIDATE_NAMES[prompt.kind])]
    (message,) = prompt.messages(group.prompt, candidates, ask)
    assert message["role"] == "user"
    return message["content"]


@pytest.mark.parametrize("name", [*PAIRWISE, *POINTWISE])
def test_each_part_is_shown_once_and_in_order(name: str, groups: list[Group]) -> None:
    prompt = load_prompt(name, "pairwise" if name in PAIRWISE else "pointwise")
    for group in groups:
        shown = [
            *(f'"name": "{tool.name}"' for tool in group.prompt.tools),
            str(group.prompt.messages[-1]["content"]),
            *map(candidate_text, group.candidates[: len(CANDIDATE_NAMES[prompt.kind])]),
        ]
        for ask in ASKS:
            places = [asked(prompt, group, ask).index(part) for part in shown]
            assert places == sorted(set(places))
            assert asked(prompt, group, ask) == asked(prompt, group, ask).strip()
        assert asked(prompt, group, "text") != asked(prompt, group, "logprobs")
        swapped = replace(group, candidates=group.candidates[::-1])
        assert asked(prompt, swapped) != asked(prompt, group)


def test_every_preset_is_tried_here() -> None:
    assert sorted([*PAIRWISE, *POINTWISE]) == prompt_names()


def test_pairwise_asks_what_the_first_cards_asked() -> None:
    """Numbers made before prompts were files stay comparable: their hash was of this text."""
    text = asked(
        load_prompt("pairwise", "pairwise"), Group("0", Prompt((), ()), ("<1>", "<2>")), "logprobs"
    )
    parts = {"# Functions\n\n": "# Functions\n{tools}\n", "tion\n\n\n": "tion\n{conversation}\n\n"}
    for empty, named in {**parts, "<1>": "{first}", "<2>": "{second}"}.items():
        assert text.count(empty) == 1
        text = text.replace(empty, named)
    assert hashlib.sha256(text.encode()).hexdigest().startswith("093d010da4c6be89")


def test_a_prompt_of_ones_own_gets_text_and_never_runs_it(
    tmp_path: Path, groups: list[Group]
) -> None:
    path = tmp_path / "mine.jinja"
    path.write_text("{# mine #}\n{{ tools }}{{ conversation }}|{{ first }}|{{ second }}\n", "utf-8")
    prompt = load_prompt(str(path), "pairwise")
    sly = replace(groups[0], candidates=("{{ second }}{% raw %}", "<b>&</b>"))
    assert asked(prompt, sly).endswith("|{{ second }}{% raw %}|<b>&</b>")


def test_a_local_judge_reads_it_as_its_template_writes_a_turn(
    smollm2: Path, groups: list[Group]
) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(smollm2)
    prompt = load_prompt("pairwise", "pairwise")
    messages = prompt.messages(groups[0].prompt, groups[0].candidates[:2], "logprobs")
    (text,) = (message["content"] for message in messages)
    asked = Renderer(tokenizer).question(messages)
    assert asked.text.endswith(f"user\n{text}<|im_end|>\n<|im_start|>assistant\n")
    assert tokenizer.decode(asked.ids) == asked.text
    assert asked.start == len(asked.ids)
    tokenizer.chat_template = None
    assert Renderer(tokenizer).question(messages).text == f"User: {text}\n\nAssistant: "


def test_the_hash_moves_with_text_and_ask() -> None:
    sources = ("{{ candidate }}", "{{ candidate }}{% if tools == 'rare' %}!{% endif %}")
    hashes = {JudgePrompt("p", source).sha256(ask) for source in sources for ask in ASKS}
    assert len(hashes) == 4
    assert JudgePrompt("q", sources[0]).sha256("text") in hashes


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("{{ first }}{{ second }}\n{{ answer }}", "line 2: there is no variable 'answer', only ask"),
        ("{{ first }}{{ second }}\n\n{% if %}", "line 3: Expected an expression"),
        ("{{ candidate }}\n{{ tools.name }}", "line 2: 'str object' has no attribute 'name'"),
        ("{{ candidate }}\n{{ tools.__class__.__mro__ }}", "line 2: access to attribute '__class__'"),
        ("{{ candidate }}\n{% if ask == 'text' %}\n{{ 1 / 0 }}{% endif %}", "line 3: division by zero"),
        ("{{ first }} alone", "first and second"),
        ("{{ first }}{{ second }}{{ candidate }}", "first and second"),
        ("{{ tools }}", "first and second"),
    ],
)  # fmt: skip
def test_a_broken_prompt_is_told_with_its_line(source: str, told: str) -> None:
    with pytest.raises(UsageError, match=r"judge prompt 'mine.jinja'") as caught:
        JudgePrompt("mine.jinja", source)
    assert told in str(caught.value)


def test_what_fails_on_a_pair_is_told_with_its_line(groups: list[Group]) -> None:
    prompt = JudgePrompt("p", "{{ candidate }}\n{% if tools %}{{ 1 / 0 }}{% endif %}")
    with pytest.raises(UsageError, match="'p', line 2: division by zero"):
        asked(prompt, groups[0])


def test_a_judge_refuses_what_is_no_pairwise_prompt(tmp_path: Path) -> None:
    url = "http://127.0.0.1:9/v1"
    with pytest.raises(UsageError, match="'pointwise' rates one, and this judge compares two"):
        ApiJudge("m", base_url=url, prompt="pointwise")
    with pytest.raises(UnknownName, match="Did you mean 'pairwise'"):
        ApiJudge("m", base_url=url, prompt="pairwize")
    with pytest.raises(UsageError, match="cannot be read"):
        ApiJudge("m", base_url=url, prompt=str(tmp_path / "absent.jinja"))
    with pytest.raises(UsageError, match="'rubric' compares two candidates, and this judge rates"):
        load_prompt("rubric", "pointwise")


@pytest.mark.parametrize(
    ("reply", "rating"),
    [
        ("[[7]]", 7),
        ("**[[ 10 ]]**.", 10),
        ("[[3]] at first, but no: [[4]]", 4),
        ("<think>[[9]]</think>[[2]]", 2),
        ("<think>[[9]]", None),
        ("[[9]]<think>", None),
        ("[[0]]", None),
        ("[[11]]", None),
        ("[[8]], or rather [[11]]", None),
        ("[[7.5]]", None),
        ("[[8/10]]", None),
        ("[[-3]]", None),
        ("7", None),
        ("[7]", None),
        ("[[A]] 5", None),
        ("", None),
    ],
)
def test_the_last_rating_counts(reply: str, rating: int | None) -> None:
    assert parse_rating(reply) == rating
