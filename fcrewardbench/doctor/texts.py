"""Checks of what a model reads: they need the adapter's `inputs`, and no weights."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from fcrewardbench.adapters.base import Scorer
from fcrewardbench.doctor.base import Grade, Seen, check
from fcrewardbench.doctor.examination import WORDS, Examination
from fcrewardbench.render import common_length
from fcrewardbench.types import Call, Group, Input

_UNTOLD = (Grade.SKIPPED, "the adapter does not tell what it reads (it has no inputs())")


@check(
    "tools in the text",
    "Use a chat template that shows all tools, or none at all: tools then go into the system turn.",
)
def tools(examination: Examination) -> Seen:
    if examination.inputs is None:
        return _UNTOLD
    missing, undescribed = [], []
    for group, _ in examination.inputs:
        prompt = examination.words[group.id][0].text
        for tool in group.prompt.tools:
            properties = tool.parameters.get("properties", {})
            names = [tool.name, *properties]
            missing += [(group.id, tool.name, n) for n in names if not _stands_in(n, prompt)]
            described = [tool.description, *(p.get("description", "") for p in properties.values())]
            if not all(_stands_in(text.strip(), prompt) for text in described):
                undescribed.append(group.id)
    if not missing and undescribed:
        told = (
            f"descriptions are missing in {len(set(undescribed))} prompts, '{undescribed[0]}' first"
        )
        return Grade.WARN, told
    if not missing:
        return Grade.PASS, f"every tool and parameter, in {len(examination.inputs)} prompts"
    ids = {id for id, _, _ in missing}
    id, tool_name, name = missing[0]
    what = "" if name == tool_name else f"'{name}' of "
    told = f"in {len(ids)} of {len(examination.inputs)} prompts something is missing: "
    return Grade.FAIL, f"{told}{what}the tool '{tool_name}' in '{id}'"


@check("conversation in the text", "Use a chat template that writes every turn.")
def conversation(examination: Examination) -> Seen:
    if examination.inputs is None:
        return _UNTOLD
    missing = [
        group.id
        for group, _ in examination.inputs
        for message in group.prompt.messages
        if not _stands_in(str(message["content"]).strip(), examination.words[group.id][0].text)
    ]
    if missing:
        return Grade.FAIL, f"a turn is missing in {len(set(missing))} prompts, '{missing[0]}' first"
    return Grade.PASS, f"every turn, in {len(examination.inputs)} prompts"


@check(
    "arguments in the text",
    "Let the template write calls with their arguments, or write them as a JSON list; do not truncate.",
)
def arguments(examination: Examination) -> Seen:
    if examination.inputs is None:
        return _UNTOLD
    count = 0
    for group, call, text in _calls(examination):
        count += 1
        for part in (call.name, *_parts(dict(call.arguments))):
            if not _stands_in(part, text):
                return Grade.FAIL, f"'{part}' of a call of {call.name} is missing in '{group.id}'"
    return Grade.PASS, f"names, arguments and values of {count} calls"


@check(
    "encoded once",
    "Give the template arguments as an object, not as JSON text, or call tojson once.",
)
def encoded_once(examination: Examination) -> Seen:
    if examination.inputs is None:
        return _UNTOLD
    twice = [
        group.id
        for group, call, text in _calls(examination)
        if any(f'\\"{name}\\"' in text for name in call.arguments)
        and not any("\\" in part or '"' in part for part in _parts(dict(call.arguments)))
    ]
    schemas = [
        group.id
        for group, _ in examination.inputs
        if '\\"properties\\"' in examination.words[group.id][0].text
        and not any("properties" in tool.description for tool in group.prompt.tools)
    ]
    if twice:
        return (
            Grade.FAIL,
            f"the arguments are JSON text inside JSON: {len(set(twice))} groups, {twice[0]}",
        )
    if schemas:
        return Grade.FAIL, f"the tools are JSON text inside JSON, '{schemas[0]}' for one"
    return Grade.PASS, "arguments and schemas are encoded once"


@check(
    "one BOS",
    "Tokenise a chat template's text with add_special_tokens=False, or take bos_token out of it.",
)
def one_bos(examination: Examination) -> Seen:
    if examination.inputs is None:
        return _UNTOLD
    bos = getattr(examination.tokenizer, "bos_token", None)
    bos_id = getattr(examination.tokenizer, "bos_token_id", None)
    for group, inputs in examination.inputs:
        for fed in inputs:
            doubled = len(fed.ids) > 1 and fed.ids[0] == fed.ids[1] and bos_id in (None, fed.ids[0])
            if doubled or (bos and fed.text.startswith(bos * 2)):
                return Grade.FAIL, f"two BOS tokens before '{group.id}'"
    return Grade.PASS, "no text begins with two BOS tokens"


@check(
    "turn closed",
    "End the text as training did: with the template's end of turn, or the EOS token.",
)
def turn_closed(examination: Examination) -> Seen:
    if examination.inputs is None:
        return _UNTOLD
    if not isinstance(examination.loaded.adapter, Scorer):
        return Grade.SKIPPED, "a judge's question has an open end"
    ends = _special_ids(examination.tokenizer)
    for id, inputs in examination.words.items():
        for words, fed in zip(WORDS, inputs, strict=False):
            open_text = fed.text.rstrip().endswith(words)
            if open_text and not (fed.ids and fed.ids[-1] in ends):
                return Grade.WARN, f"nothing follows the answer in '{id}'"
    return Grade.PASS, f"the text ends in {_shown_end(examination)}"


@check(
    "nothing truncated",
    "Raise max_length, switch the tokenizer's truncation off, and leave out what is too long by name.",
)
def not_truncated(examination: Examination) -> Seen:
    if examination.inputs is None:
        return _UNTOLD
    for group, inputs in examination.inputs:
        problem = _cut(group, inputs, examination.tokenizer)
        if problem:
            return Grade.FAIL, f"{problem} in '{group.id}'"
    return Grade.PASS, f"{len(examination.inputs)} texts are whole"


def _cut(group: Group, inputs: tuple[Input, ...], tokenizer: Any) -> str:
    """How the token ids of a group differ from its texts; empty where they do not."""
    fed = [one.ids or one.text for one in inputs]
    if len(set(fed)) < len(fed):
        return "two candidates are the same once they are read"
    if tokenizer is None:
        return ""
    for one in inputs:
        whole = tuple(tokenizer(one.text, add_special_tokens=False, truncation=False)["input_ids"])
        if one.ids and len(one.ids) < len(whole):
            return f"{len(whole) - len(one.ids)} of {len(whole)} tokens are missing"
        if one.ids and not any(one.ids[at : at + len(whole)] == whole for at in (0, 1, 2)):
            return "the token ids are not those of the text"
    return ""


def _calls(examination: Examination) -> Iterator[tuple[Group, Call, str]]:
    """Every call of every candidate, with the text in which it has to stand."""
    for group, inputs in examination.inputs or ():
        if isinstance(examination.loaded.adapter, Scorer):
            prompt = examination.words[group.id][0].text
            texts = [fed.text[common_length(prompt, fed.text) :] for fed in inputs]
        else:
            texts = [fed.text for fed in inputs]
        for candidate, text in zip(group.candidates, texts, strict=True):
            for call in candidate if not isinstance(candidate, str) else ():
                yield group, call, text


def _parts(value: Any) -> Iterator[str]:
    """Argument names and texts, at any depth."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _parts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _parts(inner)
    elif isinstance(value, str):
        yield value


def _stands_in(part: str, text: str) -> bool:
    """Whether a text holds another, as it is or as JSON writes it."""
    forms = (part, *(json.dumps(part, ensure_ascii=ascii)[1:-1] for ascii in (False, True)))
    return any(form in text for form in forms)


def _special_ids(tokenizer: Any) -> set[int]:
    return set(getattr(tokenizer, "all_special_ids", ()))


def _shown_end(examination: Examination) -> str:
    inputs = next(iter(examination.words.values()))
    return repr(inputs[0].text[-16:])


TEXT_CHECKS = (tools, conversation, arguments, encoded_once, one_bos, turn_closed, not_truncated)
