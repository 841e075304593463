"""Model output → calls, in every dialect in which models write them.

Two layers. *Wrappers* say where calls stand: tags, code fences, end-of-turn tokens, reasoning before
them. *Syntaxes* say how they are written: JSON, Python-like, `name` followed by JSON. Nothing is ever
evaluated: Python-like text goes through `ast` and only literals come out of it; Java and JavaScript
stay source text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from fcrewardbench.calls.json_syntax import (
    Unreadable,
    calls_of_json,
    end_of_json,
    read_function_tag,
    read_json,
    read_name_then_json,
)
from fcrewardbench.calls.python_syntax import read_python
from fcrewardbench.calls.typed_syntax import read_source
from fcrewardbench.calls.typed_values import Language
from fcrewardbench.types import Call, Candidate


@dataclass(frozen=True, slots=True)
class Parsed:
    """What was read.

    `candidate` holds the calls, or the text where there are none. `dialect` is wrapper and syntax
    ("tool_call tag, json name/arguments"), or "text". `problem` says why something that looks like
    calls could not be read; it is None for calls and for an answer in words.
    """

    candidate: Candidate
    dialect: str
    problem: str | None = None

    @property
    def calls(self) -> tuple[Call, ...] | None:
        """The calls, or None where the model wrote words or something unreadable."""
        return None if isinstance(self.candidate, str) else self.candidate


_REASONING = re.compile(
    r"^.*?</(?:think|thinking|reasoning)>|^\s*<(think|thinking|reasoning)>.*?</\1>", re.DOTALL
)
_UNFINISHED_REASONING = re.compile(
    r"^\s*<(?:think|thinking|reasoning)>(?!.*</(?:think|thinking|reasoning)>)", re.DOTALL
)
_END_TOKENS = (
    "<|im_end|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end|>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|python_end|>",
    "<end_of_turn>",
    "<eos>",
    "</s>",
)
_TAG = re.compile(r"<(tool_calls?|function_calls?|functioncall|TOOLCALL)>")
_FUNCTION_TAG = re.compile(r"<function=([^>\s]+)>(.*?)(?:</function>|$)", re.DOTALL)
_MARKER = re.compile(r"<\|python_tag\|>|<\|python_start\|>|<\|tool_call\|>|\[TOOL_CALLS\]")
_FENCE = re.compile(r"```[ \t]*([A-Za-z_]*)[ \t]*\r?\n?(.*?)```", re.DOTALL)
_LOOKS_LIKE_CALLS = re.compile(r"^\s*(?:[\[{]|[A-Za-z_][\w.]*\()")


def parse(output: object, *, language: Language = "python") -> Parsed:
    """Read one model output: text, or the list or object a tool-calling API gave.

    Args:
        output: the text; or `[{"name": …, "arguments": …}]`, `[{fn: {arg: value}}]`, OpenAI
            `tool_calls`, each with arguments as an object or as JSON text.
        language: of the tools. For Java and JavaScript, arguments in code notation are the text of
            their expressions, which `check` reads as values of the declared types.

    Raises:
        TypeError: `output` is neither text, list, nor object.
    """
    if isinstance(output, str):
        return _parse_text(output, language)
    if not isinstance(output, (list, tuple, dict)):
        raise TypeError(f"a model output is text, a list or an object, not {type(output).__name__}")
    try:
        calls, shape = calls_of_json(list(output) if isinstance(output, tuple) else output)
    except Unreadable as why:
        return Parsed(json.dumps(output, ensure_ascii=False, default=str), "structured", str(why))
    return Parsed(calls, f"structured {shape}")


def _parse_text(output: str, language: Language) -> Parsed:
    whole = _without_end(output)
    looks = _LOOKS_LIKE_CALLS.match(whole)
    marked = _MARKER.match(whole.lstrip())
    if looks and not marked:
        # What looks like a wrapper may stand inside an argument; the whole text goes first.
        try:
            return Parsed(*_read(whole, language))
        except Unreadable as why:
            if whole.lstrip()[0] in "[{":
                return Parsed(output, "unreadable", str(why))
    called_at_once = _TAG.match(whole.lstrip())
    text = whole if called_at_once else _REASONING.sub("", whole, count=1)
    if _UNFINISHED_REASONING.match(text):
        return Parsed(output, "text", "the reasoning block never ends")
    wrapper, segments = _segments(text, language)
    try:
        calls, syntax = _read_all(segments, language)
    except Unreadable as why:
        if wrapper or _LOOKS_LIKE_CALLS.match(text):
            return Parsed(output, f"{wrapper} unreadable".strip(), str(why))
        return Parsed(output, "text")
    return Parsed(calls, f"{wrapper}, {syntax}" if wrapper else syntax)


def _without_end(text: str) -> str:
    """The text without the white space and end-of-turn tokens behind it."""
    while True:
        text = text.rstrip()
        shorter = next((text.removesuffix(t) for t in _END_TOKENS if text.endswith(t)), text)
        if shorter == text:
            return text
        text = shorter


def _segments(text: str, language: Language) -> tuple[str, list[str]]:
    """The wrapper found and each stretch of text that should hold calls."""
    tag = _TAG.search(text)
    if tag:
        return f"{tag[1]} tag", list(_tag_bodies(text))
    functions = _FUNCTION_TAG.findall(text)
    if functions:
        return "function tag", [f"<function={name}>{body}" for name, body in functions]
    if _MARKER.match(text.lstrip()):
        return "marker", [_MARKER.sub(" ", text).replace("[ARGS]", " ")]
    fences = [body for _, body in _FENCE.findall(text) if body.strip()]
    if fences:
        return "code fence", [body for body in fences if _readable(body, language)] or fences
    return "", [text.strip().strip("`")]


def _tag_bodies(text: str) -> Iterator[str]:
    """What stands in each tag; tags in tags are opened, too.

    JSON ends where it ends, so that a closing tag inside one of its strings does not end the body.
    """
    position = 0
    while tag := _TAG.search(text, position):
        start = tag.end()
        behind = end_of_json(text, start)
        ends = (text.find(f"{mark}{tag[1]}>", behind) for mark in ("</", "<"))
        position = min((end for end in ends if end != -1), default=len(text))
        body = text[start:position]
        if behind == start and _TAG.search(body):
            yield from _tag_bodies(body)
        elif body.strip() or text.startswith("</", position):
            yield body


def _readable(text: str, language: Language) -> bool:
    try:
        _read(text, language)
    except Unreadable:
        return False
    return True


def _read_all(segments: Iterable[str], language: Language) -> tuple[tuple[Call, ...], str]:
    """Calls of all stretches, in order, and the syntax of the last."""
    calls: list[Call] = []
    syntax = ""
    for segment in segments:
        read, syntax = _read(segment, language)
        calls.extend(read)
    return tuple(calls), syntax


def _read(text: str, language: Language) -> tuple[tuple[Call, ...], str]:
    """Calls of one stretch of text, and the syntax they were in."""
    stripped = text.strip()
    if stripped in ("", "[", "]"):
        raise Unreadable("nothing is written where a call should be")
    function = _FUNCTION_TAG.match(stripped)
    if function:
        return (read_function_tag(*function.groups()),), "function=name"
    read_code = read_python if language == "python" else read_source
    attempts: tuple[Callable[[str], tuple[tuple[Call, ...], str]], ...] = (
        read_code,
        read_name_then_json,
    )
    if stripped[0] == "{" or re.match(r"\[\s*[\]{\"]", stripped):
        attempts = (read_json, read_python)
    elif stripped[0] == "[":
        attempts = (read_code, read_json)
    variants = [stripped, stripped.replace("\\_", "_")] if "\\_" in stripped else [stripped]
    reasons = []
    for attempt in attempts:
        for variant in variants:
            try:
                return attempt(variant)
            except Unreadable as why:
                reasons.append(str(why))
    raise Unreadable(reasons[0])
