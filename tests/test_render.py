"""What a model really sees."""

from pathlib import Path
from typing import Any

import pytest
import transformers

from fcrewardbench.errors import ModelError
from fcrewardbench.render import Renderer, candidate_text, judge_messages
from fcrewardbench.types import Call, Group, Prompt, Tool

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
CANDIDATES = ((Call("get_weather", {"city": 'the "old" Oslo'}),), (), "Which city, Zürich?")


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


def test_the_template_hash_moves_with_the_template(renderer: Any) -> None:
    hashes = {renderer(t).template_sha256 for t in (None, QWEN, DOUBLE, NO_SYSTEM)}
    assert len(hashes) == 4
    assert renderer(QWEN).template_sha256 in hashes


def test_a_judge_sees_tools_conversation_and_both_candidates_in_order() -> None:
    first, second = CANDIDATES[0], CANDIDATES[2]
    (message,) = judge_messages(group().prompt, first, second, "logprobs")
    text = message["content"]
    places = [
        text.index(part)
        for part in (
            '"get_weather"',
            "Weather in Oslo?",
            candidate_text(first),
            candidate_text(second),
        )
    ]
    assert places == sorted(places)
    assert judge_messages(group().prompt, first, second, "text") != [message]
