"""Values that models write as Java or JavaScript source text → JSON values.

BFCL has models give every argument of a Java or JavaScript tool as text, and its admissible answers
are values. The forms read are those of its converters (`bfcl_eval/eval_checker/ast_eval/type_convertor`
in the `bfcl-eval` wheel), written anew on a scanner that knows quotes and brackets; nothing is
evaluated. `docs/checker.md` lists where the two differ.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Literal, TypeAlias

Language: TypeAlias = Literal["python", "java", "javascript"]

JAVA_TYPES: dict[str, type] = {
    "byte": int,
    "short": int,
    "integer": int,
    "long": int,
    "float": float,
    "double": float,
    "boolean": bool,
    "char": str,
    "String": str,
    "any": str,
    "Array": list,
    "ArrayList": list,
    "HashMap": dict,
}
JAVASCRIPT_TYPES: dict[str, type] = {
    "integer": int,
    "Bigint": int,
    "float": float,
    "Boolean": bool,
    "String": str,
    "any": str,
    "array": list,
    "dict": dict,
}

_QUOTES = "\"'`"
_OPENING = "([{"
CLOSING = ")]}"
_INTEGER = r"-?\d{1,64}"  # bounded, since Python refuses to convert numbers of thousands of digits
_DECIMAL = rf"{_INTEGER}(?:\.\d+)?"
_SCIENTIFIC = rf"{_DECIMAL}(?:[eE][+-]?\d+)?"
_JAVA_NUMBERS: dict[str, tuple[re.Pattern[str], Callable[[str], Any]]] = {
    **dict.fromkeys(("byte", "short", "integer"), (re.compile(f"({_INTEGER})"), int)),
    "long": (re.compile(f"({_INTEGER})[lL]"), int),
    "float": (re.compile(f"({_SCIENTIFIC})[fF]"), float),
    "double": (re.compile(f"({_SCIENTIFIC})"), float),
}
_JAVASCRIPT_NUMBERS: dict[str, tuple[re.Pattern[str], Callable[[str], Any]]] = {
    "integer": (re.compile(f"({_INTEGER})"), int),
    "Bigint": (re.compile(f"({_INTEGER})n"), int),
    "float": (re.compile(f"({_DECIMAL})"), float),
}
_JAVA_ARRAY = re.compile(r"new\s+[\w.]+\s*\[\s*\]\s*\{(.*)\}", re.DOTALL)
_JAVA_LIST = re.compile(r"new\s+ArrayList\s*<[^()]*>\s*\(\s*Arrays\.asList\((.*)\)\s*\)", re.DOTALL)
# The block of an anonymous class: `new ArrayList<>() {{ add(1); }}`.
_JAVA_BLOCK = re.compile(
    r"new\s+(ArrayList|HashMap)\s*<[^()]*>\s*\(\s*\)\s*(?:\{(.*)\})?", re.DOTALL
)
_JAVASCRIPT_ARRAY = re.compile(r"new\s+Array\s*(?=\()|(?=\[)")


def typed_value(text: str, language: Language, declared: str, inner: str | None) -> Any:
    """The value of a literal of the declared type, or the text where it is no such literal.

    Args:
        text: a Java or JavaScript expression.
        declared: one of `JAVA_TYPES` or `JAVASCRIPT_TYPES`.
        inner: the type of the items of a list.
    """
    read = _java if language == "java" else _javascript
    try:
        return read(text, declared, inner)
    except RecursionError:
        return text


def outside(text: str, start: int = 0) -> Iterator[tuple[int, str]]:
    """Positions and characters outside quotes and brackets, from `start` on.

    The last may be a bracket that closes more than was opened; no other bracket is among them.
    """
    depth = 0
    position = start
    while position < len(text):
        character = text[position]
        if character in _QUOTES:
            position = end_of_quoted(text, position)
            continue
        if character in _OPENING:
            depth += 1
        elif character in CLOSING:
            depth -= 1
        if depth < 0:
            yield position, character
            return
        if depth == 0 and character not in CLOSING:
            yield position, character
        position += 1


def end_of_quoted(text: str, start: int) -> int:
    """The position behind the quoted text that begins at `start`; the text's end if none closes it."""
    position = start + 1
    while position < len(text) and text[position] != text[start]:
        position += 2 if text[position] == "\\" else 1
    return min(position + 1, len(text))


def is_quoted(text: str) -> bool:
    """Whether the text is one string literal from its first character to its last."""
    return (
        len(text) > 1
        and text[0] in _QUOTES
        and text[-1] == text[0]
        and end_of_quoted(text, 0) == len(text)
    )


def _parts(text: str, separator: str) -> list[str]:
    """The text between separators that stand outside quotes and brackets; no empty last part."""
    parts, start = [], 0
    for position, character in outside(text):
        if character == separator:
            parts.append(text[start:position].strip())
            start = position + 1
    last = text[start:].strip()
    return [*parts, last] if last else parts


def _inside(text: str, start: int) -> str | None:
    """What the bracket at `start` holds, where it closes at the text's end and not before."""
    end = next((place for place, mark in outside(text, start + 1) if mark in CLOSING), None)
    return text[start + 1 : end] if end == len(text) - 1 else None


def _java(text: str, declared: str, inner: str | None) -> Any:
    if declared in _JAVA_NUMBERS:
        return _number(text, *_JAVA_NUMBERS[declared])
    if declared == "boolean":
        return {"true": True, "false": False}.get(text, text)
    if declared == "Array":
        array = _JAVA_ARRAY.fullmatch(text.strip())
        return text if array is None else _java_items(_parts(array[1], ","), inner)
    if declared == "ArrayList":
        found = _JAVA_LIST.fullmatch(text.strip())
        added = _parts(found[1], ",") if found else _java_block(text, declared, "add")
        return text if added is None else _java_items(added, inner)
    if declared == "HashMap":
        put = _java_block(text, declared, "put")
        pairs = None if put is None else [_parts(entry, ",") for entry in put]
        if pairs is None or any(len(pair) != 2 for pair in pairs):
            return text
        return {_unquoted(key): _literal(value, "java") for key, value in pairs}
    return text


def _java_block(text: str, declared: str, method: str) -> list[str] | None:
    """What is passed to `method` in each statement of the block; None where it is no such block."""
    block = _JAVA_BLOCK.fullmatch(text.strip())
    if block is None or block[1] != declared:
        return None
    body = (block[2] or "").strip()
    if body and not (body[0] == "{" and body[-1] == "}"):
        return None
    calls = [
        re.fullmatch(rf"{method}\s*\((.*)\)", statement, re.DOTALL)
        for statement in _parts(body[1:-1], ";")
    ]
    return None if None in calls else [call[1] for call in calls if call]


def _java_items(items: list[str], inner: str | None) -> list[Any]:
    if inner in (None, "any"):
        return [_literal(item, "java") for item in items]
    if inner in ("String", "char"):
        return [_unquoted(item) for item in items]
    return [_java(item, inner, None) for item in items]


def _javascript(text: str, declared: str, inner: str | None) -> Any:
    if declared in _JAVASCRIPT_NUMBERS:
        return _number(text, *_JAVASCRIPT_NUMBERS[declared])
    if declared == "Boolean":
        return {"true": True, "false": False}.get(text, text)
    if declared == "String":
        return _unquoted(text)
    if declared == "array":
        return _javascript_array(text, inner)
    if declared == "dict":
        return _javascript_object(text)
    return text


def _javascript_array(text: str, inner: str | None) -> Any:
    stripped = text.strip()
    array = _JAVASCRIPT_ARRAY.match(stripped)
    inside = _inside(stripped, array.end()) if array else None
    if inside is None:
        return text
    items = _parts(inside, ",")
    if inner in (None, "any", "array", "dict") or any(item[:1] == "[" for item in items):
        return [_literal(item, "javascript") for item in items]
    return [_javascript(item, inner, None) for item in items]


def _javascript_object(text: str) -> Any:
    stripped = text.strip()
    inside = _inside(stripped, 0) if stripped.startswith("{") else None
    if inside is None:
        return text
    members = {}
    for member in _parts(inside, ","):
        colon = next((position for position, mark in outside(member) if mark == ":"), None)
        if colon is None:
            return text
        value = _literal(member[colon + 1 :].strip(), "javascript")
        members[_unquoted(member[:colon].strip())] = value
    return members


def _literal(text: str, language: Language) -> Any:
    """The value of a literal whose type nothing declares; an expression stays as it is written."""
    if text in ("true", "false"):
        return text == "true"
    if is_quoted(text):
        return text[1:-1]
    if language == "javascript" and text[:1] in ("[", "{"):
        return _javascript(text, "array" if text[0] == "[" else "dict", None)
    numbers = _JAVA_NUMBERS if language == "java" else _JAVASCRIPT_NUMBERS
    for pattern, convert in numbers.values():
        number = pattern.fullmatch(text)
        if number:
            return convert(number[1])
    return text


def _number(text: str, pattern: re.Pattern[str], convert: Callable[[str], Any]) -> Any:
    number = pattern.fullmatch(text)
    return convert(number[1]) if number else text


def _unquoted(text: str) -> str:
    return text[1:-1] if is_quoted(text) else text
