"""What a model really sees."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import transformers

from fcrewardbench.adapters.base import group_of
from fcrewardbench.errors import ModelError
from fcrewardbench.render import Renderer, candidate_text, common_length, conversation_text
from fcrewardbench.types import Call, Candidate, Group, Prompt, Tool

QWEN = """\
{%- if tools %}<|im_start|>system
{%- if messages[0].role == 'system' %} {{ messages[0].content }}{% endif %}
# Tools
{%- for tool in tools %}
{{ tool | tojson }}
{%- endfor %}<|im_end|>
{% endif %}
{%- for message in messages %}{% if not (loop.first and message.role == 'system' and tools) -%}
<|im_start|>{{ message.role }}
{{ message.content }}
{%- for call in message.tool_calls or [] %}
<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>
{%- endfor %}<|im_end|>
{% endif %}{%- endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
DOUBLE = QWEN.replace(
    "call.function.arguments | tojson", "call.function.arguments | tojson | tojson"
)
NO_SYSTEM = """\
{%- for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system role') }}{% endif %}
{%- if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif -%}
<{{ m.role }}>{{ m.content }}</{{ m.role }}>{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"""
REFUSES = "{{ raise_exception('never') }}"

TOOL = Tool(
    "get_weather", "Weather.", {"type": "object", "properties": {"city": {"type": "string"}}}, {}
)
CANDIDATES: tuple[Candidate, ...] = (
    (Call("get_weather", {"city": 'the "old" Oslo'}),),
    (),
    "Which city, Zürich?",
)


def group(*messages: dict[str, str]) -> Group:
    given = messages or ({"role": "user", "content": "Weather in Oslo?"},)
    return Group("g", Prompt((TOOL,), given), CANDIDATES)


@pytest.fixture
def renderer(smollm2: Path) -> Any:
    def make(template: str | None = None, path: Path = smollm2) -> Renderer:
        tokenizer = transformers.AutoTokenizer.from_pretrained(path)
        if template is not None:
            tokenizer.chat_template = template
        return Renderer(tokenizer)

    return make


def test_a_template_without_tools_gets_our_own_form_first_in_the_system_turn(renderer: Any) -> None:
    made = renderer()
    assert not made.native_tools
    assert not made.native_calls
    rendered = made.render(
        group({"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"})
    )
    assert rendered.prompt.startswith("<|im_start|>system\nYou can call these functions:\n{")
    assert rendered.prompt.index('"get_weather"') < rendered.prompt.index("Be kind.")
    assert rendered.prompt.count("<|im_start|>system") == 1
    assert rendered.texts[0].startswith(rendered.prompt)
    assert candidate_text(CANDIDATES[0]) in rendered.texts[0]


def test_a_template_with_tools_and_calls_decides_itself(renderer: Any) -> None:
    made = renderer(QWEN)
    assert made.native_tools
    assert made.native_calls
    rendered = made.render(group())
    assert "You can call these functions" not in rendered.prompt
    assert (
        '<tool_call>\n{"name": "get_weather", "arguments": {"city": "the \\"old\\" Oslo"}}'
        in rendered.texts[0]
    )
    assert "Which city, Zürich?" in rendered.texts[2]


def test_a_template_that_encodes_arguments_twice_is_not_trusted_with_calls(renderer: Any) -> None:
    made = renderer(DOUBLE)
    assert made.native_tools
    assert not made.native_calls
    assert candidate_text(CANDIDATES[0]) in made.render(group()).texts[0]


def test_a_template_that_refuses_a_system_turn_gets_it_in_the_users(renderer: Any) -> None:
    rendered = renderer(NO_SYSTEM).render(
        group({"role": "user", "content": "One."}, {"role": "user", "content": "Two."})
    )
    assert rendered.prompt.startswith("<user>You can call these functions:")
    assert "One.\n\nTwo.</user><assistant>" in rendered.prompt


def test_a_template_that_refuses_everything_is_a_model_error(renderer: Any) -> None:
    with pytest.raises(ModelError, match="refuses turns of the roles system, user: never"):
        renderer(REFUSES).render(group())


def test_a_model_without_a_template_gets_plain_text_with_one_bos_and_one_eos(
    renderer: Any, gemma3: Path
) -> None:
    made = renderer(None, gemma3)
    rendered = made.render(group())
    tokenizer = transformers.AutoTokenizer.from_pretrained(gemma3)
    for ids in rendered.ids:
        assert list(ids).count(tokenizer.bos_token_id) == 1
        assert ids[0] == tokenizer.bos_token_id
        assert ids[-1] == tokenizer.eos_token_id
        assert list(ids).count(tokenizer.eos_token_id) == 1
    assert rendered.prompt.endswith("User: Weather in Oslo?\n\nAssistant: ")


@pytest.mark.parametrize("template", [None, QWEN, NO_SYSTEM])
def test_ids_are_those_of_the_whole_text_and_start_after_the_prompt(
    renderer: Any, smollm2: Path, template: str | None
) -> None:
    rendered = renderer(template).render(group())
    tokenizer = transformers.AutoTokenizer.from_pretrained(smollm2)
    for text, ids, start in zip(rendered.texts, rendered.ids, rendered.starts, strict=True):
        assert list(ids) == tokenizer(text, add_special_tokens=False)["input_ids"]
        assert tokenizer.decode(ids[:start]) in rendered.prompt
        assert 0 < len(tokenizer.decode(ids[:start])) >= len(rendered.prompt) - 8
        assert start < len(ids)


def test_every_candidate_starts_where_its_own_ids_leave_those_of_the_prompt(
    smollm2: Path,
) -> None:
    """The template opens a thought, which only one of the candidates goes on with."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(smollm2)
    tokenizer.chat_template = QWEN.replace("assistant\n{% endif", "assistant\n<think>\n{% endif")
    made = Renderer(tokenizer)
    prompt = group().prompt
    head = tokenizer.apply_chat_template(
        prompt.messages, tools=[TOOL.as_openai()], add_generation_prompt=True, tokenize=False
    )
    rendered = made.render(Group("g", prompt, (*CANDIDATES, "<think>\nSurely Oslo.")))
    shared = [common_length(head, text) for text in rendered.texts]
    assert max(shared) == len(head) > min(shared)
    for length, ids, start in zip(shared, rendered.ids, rendered.starts, strict=True):
        own = tokenizer(head[:length], add_special_tokens=False)["input_ids"]
        assert start == common_length(own, ids)


HISTORY = (
    {"role": "user", "content": "Weather in Rome?"},
    {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Rome"}'}}]},
    {"role": "tool", "tool_call_id": "1", "content": "Sunny"},
    {"role": "user", "content": [{"type": "text", "text": "And Oslo?"}]},
)  # fmt: skip


@pytest.mark.parametrize("template", [None, QWEN])
def test_calls_in_the_history_are_shown_once_and_whole(renderer: Any, template: str | None) -> None:
    made = group_of([TOOL], HISTORY, CANDIDATES)
    rendered = renderer(template).render(made)
    assert rendered.prompt.count('{"city": "Rome"}') == 1
    assert "None" not in rendered.prompt
    assert "And Oslo?" in rendered.prompt
    assert conversation_text(made.prompt.messages).count('{"city": "Rome"}') == 1


SPLIT = QWEN.replace("<|im_start|>{{ message.role }}\n", "<|im_start|>{{ message.role }}{% if message.tool_calls %} to=tool{% endif %}\n")  # fmt: skip


def test_where_a_candidate_starts_does_not_depend_on_its_siblings(renderer: Any) -> None:
    made = renderer(SPLIT)
    assert made.native_calls
    together = made.render(group())
    for index, candidate in enumerate(CANDIDATES):
        alone = made.render(replace(group(), candidates=(candidate,)))
        assert alone.starts[0] == together.starts[index]
        assert alone.ids[0] == together.ids[index]


LAST_TURN = (
    "{% if tools and messages[-1].role == 'user' %}{{ tools | tojson }}{% endif %}"
    + QWEN.replace("{%- if tools %}", "{%- if false %}")
)


def test_a_template_that_shows_tools_only_before_the_answer_is_not_trusted_with_them(
    renderer: Any,
) -> None:
    made = renderer(LAST_TURN)
    assert not made.native_tools
    assert '"get_weather"' in made.render(group()).prompt


def test_a_template_that_rewrites_the_prompt_behind_an_answer_is_refused(renderer: Any) -> None:
    rewrites = "{% if messages[-1].role == 'assistant' %}Answered. {% endif %}" + QWEN
    with pytest.raises(ModelError, match="writes the prompt otherwise once it has an answer"):
        renderer(rewrites).render(group())


def test_calls_are_never_lost_where_turns_are_joined(renderer: Any) -> None:
    picky = (
        "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
        + QWEN
    )
    said = {"role": "assistant", "content": "One moment."}
    turns = ({"role": "system", "content": "Be kind."}, HISTORY[0], said, *HISTORY[1:])
    rendered = renderer(picky).render(group_of([TOOL], turns, CANDIDATES))
    assert rendered.prompt.count('{"city": "Rome"}') == 1
    assert "One moment." in rendered.prompt


def test_the_date_in_a_template_stands_still(renderer: Any) -> None:
    rendered = renderer("{{ strftime_now('%d %b %Y') }}" + QWEN).render(group())
    assert rendered.prompt.startswith("26 Jul 2024")


def test_the_template_hash_moves_with_the_template(renderer: Any) -> None:
    hashes = {renderer(t).template_sha256 for t in (None, QWEN, DOUBLE, NO_SYSTEM)}
    assert len(hashes) == 4
    assert renderer(QWEN).template_sha256 in hashes
