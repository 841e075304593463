"""Prompt and candidate → text and token ids. Nothing else in the toolkit makes text for a model.

A candidate made of calls is one JSON list, `[{"name": …, "arguments": {…}}]`, unless the model's chat
template renders `tool_calls` itself; then the template decides. Tools go through the template where it
shows them, else into the first system message in the form below. What the template really does is
probed, not assumed: with a tool and a call whose names and values must reappear, encoded once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fcrewardbench.errors import ModelError
from fcrewardbench.messages import calls_of
from fcrewardbench.types import Call, Candidate, Group, Input, Message, Prompt, Tool

TOOLS_INSTRUCTION = (
    "You can call these functions:\n{tools}\n\n"
    'Reply with a JSON list of the calls to make, [{{"name": ..., "arguments": {{...}}}}, ...], '
    "or in words where no function fits."
)

_TODAY = {
    "%d": "26",
    "%b": "Jul",
    "%B": "July",
    "%m": "07",
    "%Y": "2024",
    "%y": "24",
    "%A": "Friday",
}
STANDING_DATE = (
    "{%- macro strftime_now(format) -%}{{ format"
    + "".join(f"|replace('{code}', '{text}')" for code, text in _TODAY.items())
    + " }}{%- endmacro -%}"
)
"""Put before a template that writes today's date, so that a score does not change overnight."""


def candidate_text(candidate: Candidate) -> str:
    """A candidate as text: calls as a JSON list, words as they are."""
    if isinstance(candidate, str):
        return candidate
    return json.dumps([call.as_dict() for call in candidate], ensure_ascii=False)


def tools_text(tools: Sequence[Tool]) -> str:
    """Tools as JSON, one a line."""
    return "\n".join(json.dumps(tool.as_openai()["function"], ensure_ascii=False) for tool in tools)


def conversation_text(messages: Sequence[Message]) -> str:
    """A conversation as plain text, a paragraph a turn."""
    turns = (_with_calls_as_text(message) for message in messages)
    return "\n\n".join(f"{str(turn['role']).capitalize()}: {turn['content']}" for turn in turns)


@dataclass(frozen=True, slots=True)
class Rendered:
    """One group as a local model reads it.

    `ids[i]` are the token ids of prompt and candidate i together, exactly as tokenised in one piece;
    `starts[i]` is the index of the first token that is not the prompt's.
    """

    prompt: str
    texts: tuple[str, ...]
    ids: tuple[tuple[int, ...], ...]
    starts: tuple[int, ...]


class Renderer:
    """Renders groups for one tokenizer."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._template = bool(getattr(tokenizer, "chat_template", None))
        self.native_tools = self._template and self._shows_tools()
        self.native_calls = self._template and self._shows_calls()

    @property
    def template_sha256(self) -> str:
        """Hash of everything that decides the text: chat template, our forms, what was probed."""
        template = self._tokenizer.chat_template if self._template else "plain"
        forms = [template, TOOLS_INSTRUCTION, self.native_tools, self.native_calls, STANDING_DATE]
        return _sha256(json.dumps(forms, sort_keys=True))

    def render(self, group: Group) -> Rendered:
        """Text and token ids of every candidate.

        Raises:
            ModelError: the chat template refuses the conversation.
        """
        head = self._text(group.prompt, None, open_turn=True)
        closed = self._text(group.prompt, None, open_turn=False).rstrip()
        texts = tuple(self._text(group.prompt, candidate) for candidate in group.candidates)
        for text in texts:
            if not text.startswith(closed):
                raise ModelError(
                    "The model's chat template writes the prompt otherwise once it has an answer, so "
                    "its answers cannot be scored given the prompt."
                )
        shared = [common_length(head, text) for text in texts]
        lengths = sorted(set(shared))
        encoded = self._encoded([*texts, *(head[:length] for length in lengths)])
        ids, heads = encoded[: len(texts)], dict(zip(lengths, encoded[len(texts) :], strict=True))
        starts = tuple(
            common_length(heads[length], sequence)
            for length, sequence in zip(shared, ids, strict=True)
        )
        return Rendered(head[: min(shared)], texts, ids, starts)

    def closed(self, prompt: Prompt) -> tuple[int, ...]:
        """Token ids of a prompt alone, up to where its last turn is closed."""
        return self._ids(self._text(prompt, None, open_turn=False).rstrip())

    def question(self, messages: Sequence[Message]) -> Input:
        """A chat without tools as a judge reads it, up to where its answer begins.

        Raises:
            ModelError: the chat template refuses the conversation.
        """
        turns = [dict(message) for message in messages]
        if self._template:
            text = self._apply(turns, None, True)
        else:
            text = f"{conversation_text(turns)}\n\nAssistant: "
        ids = self._ids(text)
        return Input(text, ids, len(ids))

    def answered(self, question: Input, answer: str) -> Input:
        """A question with the beginning of an answer, tokenised in one piece."""
        ids = self._ids(question.text + answer)
        return Input(question.text + answer, ids, common_length(question.ids, ids))

    def _ids(self, text: str) -> tuple[int, ...]:
        return self._encoded([text])[0]

    def _encoded(self, texts: list[str]) -> tuple[tuple[int, ...], ...]:
        # A chat template writes the special tokens itself; adding them again would double them.
        encoded = self._tokenizer(texts, add_special_tokens=not self._template)
        return tuple(map(tuple, encoded["input_ids"]))

    def _text(self, prompt: Prompt, candidate: Candidate | None, *, open_turn: bool = False) -> str:
        messages = [
            dict(message) if self.native_calls else _with_calls_as_text(message)
            for message in prompt.messages
        ]
        tools = [tool.as_openai() for tool in prompt.tools]
        if tools and not self.native_tools:
            instruction = TOOLS_INSTRUCTION.format(tools=tools_text(prompt.tools))
            messages = _with_system(messages, instruction)
        if not self._template:
            turns = conversation_text(messages)
            if candidate is None:
                return f"{turns}\n\nAssistant: " if open_turn else turns
            return f"{turns}\n\nAssistant: {candidate_text(candidate)}{self._eos()}"
        if candidate is not None:
            messages.append(self._reply(candidate))
        return self._apply(messages, tools if self.native_tools else None, open_turn)

    def _eos(self) -> str:
        return str(self._tokenizer.eos_token or "")

    def _reply(self, candidate: Candidate) -> dict[str, Any]:
        if isinstance(candidate, str) or not self.native_calls:
            return {"role": "assistant", "content": candidate_text(candidate)}
        calls = [{"type": "function", "function": call.as_dict()} for call in candidate]
        return {"role": "assistant", "content": "", "tool_calls": calls}

    def _apply(self, messages: list[dict[str, Any]], tools: Any, open_turn: bool) -> str:
        """The template's text; where it refuses the roles, with the system turn in the user's."""
        from jinja2 import TemplateError

        template = self._tokenizer.get_chat_template(tools=tools)
        if "strftime_now" in template:
            template = STANDING_DATE + template
        merged = _without_system(messages)
        for attempt in (messages, merged):
            try:
                text = self._tokenizer.apply_chat_template(
                    attempt,
                    tools=tools,
                    tokenize=False,
                    add_generation_prompt=open_turn,
                    chat_template=template,
                )
            except TemplateError as why:
                reason = str(why)
                continue
            return str(text)
        roles = ", ".join(str(message["role"]) for message in messages)
        raise ModelError(f"The model's chat template refuses turns of the roles {roles}: {reason}")

    def _shows_tools(self) -> bool:
        """Before the answer and behind it: some templates show tools only to a last user turn."""
        asked: list[dict[str, Any]] = [{"role": "user", "content": "hi"}]
        answered = [*asked, {"role": "assistant", "content": "hello"}]
        tools = [_PROBE_TOOL.as_openai()]
        try:
            texts = (self._apply(asked, tools, True), self._apply(answered, tools, False))
        except (ModelError, TypeError, ValueError):
            return False
        return all(_PROBE_TOOL.name in text and "probe_argument" in text for text in texts)

    def _shows_calls(self) -> bool:
        messages: list[dict[str, Any]] = [{"role": "user", "content": "hi"}]
        calls = [
            {"type": "function", "function": call.as_dict()} for call in (_PROBE_CALL, _PROBE_CALL)
        ]
        messages.append({"role": "assistant", "content": "", "tool_calls": calls})
        try:
            text = self._apply(messages, [_PROBE_TOOL.as_openai()], False)
        except (ModelError, TypeError, ValueError):
            return False
        return (
            text.count(_PROBE_CALL.name) >= 2
            and text.count("probe value") == 2
            and '\\"' not in text
        )


_PROBE_TOOL = Tool(
    "probe_function",
    "probe",
    {"type": "object", "properties": {"probe_argument": {"type": "string"}}},
    {},
)
_PROBE_CALL = Call("probe_function", {"probe_argument": "probe value"})


def _with_calls_as_text(message: Message) -> dict[str, Any]:
    """A turn whose calls, if it made any, stand in its content."""
    calls = calls_of(message)
    if not calls:
        return dict(message)
    text = "\n".join(part for part in (message["content"], candidate_text(calls)) if part)
    return {"role": message["role"], "content": text}


def _with_system(messages: list[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    """The conversation with a text before everything: first in its system turn, which it may gain."""
    if messages and messages[0]["role"] == "system":
        first = {"role": "system", "content": f"{text}\n\n{messages[0]['content']}"}
        return [first, *messages[1:]]
    return [{"role": "system", "content": text}, *messages]


def _without_system(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """System turns made the user's, and neighbouring turns of one role joined."""
    result: list[dict[str, Any]] = []
    for message in messages:
        role = "user" if message["role"] == "system" else message["role"]
        joins = result and result[-1]["role"] == role
        if joins and not calls_of(message) and not calls_of(result[-1]):
            result[-1] = {
                **result[-1],
                "content": f"{result[-1]['content']}\n\n{message['content']}",
            }
        else:
            result.append({**message, "role": role})
    return result


def common_length(first: Sequence[object], second: Sequence[object]) -> int:
    """How many items two texts or two rows of tokens have in common at their start."""
    length = 0
    for a, b in zip(first, second, strict=False):
        if a != b:
            break
        length += 1
    return length


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
