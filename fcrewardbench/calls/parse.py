"""Model output → calls, in every dialect in which models write them.

Two layers. *Wrappers* say where calls stand: tags, code fences, end-of-turn tokens, reasoning before
them. *Syntaxes* say how they are written: JSON, Python-like, `name` followed by JSON. Nothing is ever
evaluated: Python-like text goes through `ast` and only literals come out of it.
"""

from __future__ import annotations

import ast
import io
import json
import keyword
import operator
import re
import tokenize
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

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


class _Unreadable(Exception):
    """Looks like a call and is not one; the message is the reason."""


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
_PARAMETER_TAG = re.compile(r"<parameter=([^>\s]+)>\n?(.*?)\n?</parameter>", re.DOTALL)
_MARKER = re.compile(r"<\|python_tag\|>|<\|python_start\|>|<\|tool_call\|>|\[TOOL_CALLS\]")
_FENCE = re.compile(r"```[ \t]*([A-Za-z_]*)[ \t]*\r?\n?(.*?)```", re.DOTALL)
_NAME_THEN_JSON = re.compile(r"\s*([A-Za-z_][\w.\-]*)\s*(?=\{)")
_SEPARATOR = re.compile(r"[\s,;]*")
_LOOKS_LIKE_CALLS = re.compile(r"^\s*(?:[\[{]|[A-Za-z_][\w.]*\()")


def parse(output: object) -> Parsed:
    """Read one model output: text, or the list or object a tool-calling API gave.

    Args:
        output: the text; or `[{"name": …, "arguments": …}]`, `[{fn: {arg: value}}]`, OpenAI
            `tool_calls`, each with arguments as an object or as JSON text.

    Raises:
        TypeError: `output` is neither text, list, nor object.
    """
    if isinstance(output, str):
        return _parse_text(output)
    if not isinstance(output, (list, tuple, dict)):
        raise TypeError(f"a model output is text, a list or an object, not {type(output).__name__}")
    try:
        calls, shape = _calls_of_json(list(output) if isinstance(output, tuple) else output)
    except _Unreadable as why:
        return Parsed(json.dumps(output, ensure_ascii=False, default=str), "structured", str(why))
    return Parsed(calls, f"structured {shape}")


def _parse_text(output: str) -> Parsed:
    whole = _without_end(output)
    looks = _LOOKS_LIKE_CALLS.match(whole)
    marked = _MARKER.match(whole.lstrip())
    if looks and not marked:
        # What looks like a wrapper may stand inside an argument; the whole text goes first.
        try:
            return Parsed(*_read(whole))
        except _Unreadable as why:
            if whole.lstrip()[0] in "[{":
                return Parsed(output, "unreadable", str(why))
    called_at_once = _TAG.match(whole.lstrip())
    text = whole if called_at_once else _REASONING.sub("", whole, count=1)
    if _UNFINISHED_REASONING.match(text):
        return Parsed(output, "text", "the reasoning block never ends")
    wrapper, segments = _segments(text)
    try:
        calls, syntax = _read_all(segments)
    except _Unreadable as why:
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


def _segments(text: str) -> tuple[str, list[str]]:
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
        return "code fence", [body for body in fences if _readable(body)] or fences
    return "", [text.strip().strip("`")]


def _tag_bodies(text: str) -> Iterator[str]:
    """What stands in each tag; tags in tags are opened, too.

    JSON ends where it ends, so that a closing tag inside one of its strings does not end it.
    """
    position = 0
    while tag := _TAG.search(text, position):
        start = tag.end() + len(text[tag.end() :]) - len(text[tag.end() :].lstrip())
        try:
            _, position = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            closing = text.find(f"</{tag[1]}>", start)
            opening = text.find(f"<{tag[1]}>", start)
            ends = [end for end in (closing, opening) if end > start or end == closing != -1]
            position = min(ends, default=len(text))
        body = text[start:position]
        if _TAG.search(body) and not body.startswith(("{", "[")):
            yield from _tag_bodies(body)
        elif body.strip() or text[start:].startswith(f"</{tag[1]}>"):
            yield body


def _readable(text: str) -> bool:
    try:
        _read(text)
    except _Unreadable:
        return False
    return True


def _read_all(segments: Iterable[str]) -> tuple[tuple[Call, ...], str]:
    """Calls of all stretches, in order, and the syntax of the last."""
    calls: list[Call] = []
    syntax = ""
    for segment in segments:
        read, syntax = _read(segment)
        calls.extend(read)
    return tuple(calls), syntax


def _read(text: str) -> tuple[tuple[Call, ...], str]:
    """Calls of one stretch of text, and the syntax they were in."""
    stripped = text.strip()
    if not stripped:
        raise _Unreadable("nothing is written where a call should be")
    function = _FUNCTION_TAG.match(stripped)
    if function:
        return (_function_tag(*function.groups()),), "function=name"
    attempts: tuple[Callable[[str], tuple[tuple[Call, ...], str]], ...] = (_python, _name_then_json)
    if stripped[0] == "{" or re.match(r"\[\s*[\]{\"]", stripped):
        attempts = (_json, _python)
    elif stripped[0] == "[":
        attempts = (_python, _json)
    variants = [stripped, stripped.replace("\\_", "_")] if "\\_" in stripped else [stripped]
    reasons = []
    for attempt in attempts:
        for variant in variants:
            try:
                return attempt(variant)
            except _Unreadable as why:
                reasons.append(str(why))
    raise _Unreadable(reasons[0])


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_constant, strict=False)


def _json(text: str) -> tuple[tuple[Call, ...], str]:
    calls: list[Call] = []
    shape = "json"
    for value in _json_values(text):
        read, shape = _calls_of_json(value)
        calls.extend(read)
    return tuple(calls), f"json {shape}"


def _json_values(text: str) -> Iterator[Any]:
    """JSON values one after the other, with white space, commas or semicolons between them."""
    position = 0
    while position < len(text):
        try:
            value, position = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError) as why:
            raise _Unreadable(f"broken JSON: {why}") from None
        yield value
        separator = _SEPARATOR.match(text, position)
        position = separator.end() if separator else position


_ARGUMENT_KEYS = ("arguments", "parameters", "args", "input", "kwargs")


def _calls_of_json(value: Any) -> tuple[tuple[Call, ...], str]:
    """Calls of a parsed JSON value and the name of its shape."""
    if isinstance(value, list):
        calls: list[Call] = []
        shape = "empty list"
        for item in value:
            read, shape = _calls_of_json(item)
            calls.extend(read)
        return tuple(calls), shape
    if not isinstance(value, dict):
        raise _Unreadable(f"a call is an object, not {json.dumps(value, default=str)[:80]}")
    if isinstance(value.get("tool_calls"), list):
        return _calls_of_json(value["tool_calls"])
    if isinstance(value.get("function"), dict) and isinstance(value["function"].get("name"), str):
        read, _ = _calls_of_json(value["function"])
        return read, "tool_calls"
    for name_key in ("name", "function", "tool_name", "tool"):
        name = value.get(name_key)
        if not isinstance(name, str):
            continue
        for key in _ARGUMENT_KEYS:
            if key in value:
                return (Call(name, _arguments(name, value[key])),), f"{name_key}/{key}"
        if set(value) <= {name_key, "type", "id"}:
            return (Call(name, {}),), f"{name_key} alone"
    if len(value) == 1:
        ((name, arguments),) = value.items()
        return (Call(name, _arguments(name, arguments)),), "one-key object"
    raise _Unreadable(
        f"an object with the keys {', '.join(map(repr, list(value)[:6]))} is no known form of a call"
    )


def _arguments(name: str, value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        try:
            value = _DECODER.decode(value) if value.strip() else {}
        except (ValueError, RecursionError) as why:
            raise _Unreadable(
                f"the arguments of '{name}' are text that is not JSON: {why}"
            ) from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _Unreadable(f"the arguments of '{name}' are not an object")
    return value


def _name_then_json(text: str) -> tuple[tuple[Call, ...], str]:
    """`name` and a JSON object, once or several times."""
    calls = []
    position = 0
    while position < len(text):
        name = _NAME_THEN_JSON.match(text, position)
        if not name:
            raise _Unreadable("neither JSON, nor Python-like calls, nor a name followed by JSON")
        try:
            arguments, position = _DECODER.raw_decode(text, name.end())
        except (ValueError, RecursionError) as why:
            raise _Unreadable(f"broken JSON after '{name[1]}': {why}") from None
        calls.append(Call(name[1], _arguments(name[1], arguments)))
        separator = _SEPARATOR.match(text, position)
        position = separator.end() if separator else position
    return tuple(calls), "name then json"


def _function_tag(name: str, body: str) -> Call:
    """`<function=name>` with a JSON object or with `<parameter=…>` tags inside."""
    parameters = _PARAMETER_TAG.findall(body)
    if not parameters:
        return Call(name, _arguments(name, body))
    arguments = {}
    for key, value in parameters:
        try:
            arguments[key] = _DECODER.decode(value)
        except ValueError:
            arguments[key] = value
    return Call(name, arguments)


# ── Python-like ──────────────────────────────────────────────────────────────────────────────────

_JSON_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "none": None}
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


def _python(text: str) -> tuple[tuple[Call, ...], str]:
    tree = _syntax_tree(text)
    try:
        nodes = [node for statement in tree.body for node in _call_nodes(statement)]
        if nodes and all(isinstance(node, ast.Dict) for node in nodes):
            calls, shape = _calls_of_json([_value(node) for node in nodes])
            return calls, f"python dict {shape}"
        return tuple(_call(node) for node in nodes), "python"
    except RecursionError:
        raise _Unreadable("nested too deeply") from None


def _syntax_tree(text: str) -> ast.Module:
    """The tree, after the repairs that need no guess: reserved words, a missing outer bracket."""
    reason = "empty"
    opened, closed = text.startswith("["), text.endswith("]")
    balanced = text if opened == closed else (text + "]" if opened else "[" + text)
    repairs: tuple[Callable[[], str], ...] = (
        lambda: text,
        lambda: balanced,
        lambda: _rename_keywords(balanced),
    )
    for repair in repairs:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Python's about escapes in the model's strings
                return ast.parse(repair())
        except (SyntaxError, ValueError, RecursionError, MemoryError) as why:
            reason = str(getattr(why, "msg", why))
    raise _Unreadable(f"broken Python-like call: {reason}")


def _rename_keywords(text: str) -> str:
    """Mark Python's reserved words where they are used as argument names: `from="x"`."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError) as why:
        raise ValueError(str(why)) from None
    lines = text.splitlines(keepends=True)
    for token, following in reversed(list(pairwise(tokens))):
        if (
            token.type == tokenize.NAME
            and keyword.iskeyword(token.string)
            and following.string == "="
        ):
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column] + _RESERVED + lines[row - 1][column:]
    return "".join(lines)


_RESERVED = "_reserved_word_"


def _call_nodes(statement: ast.stmt) -> Iterable[ast.expr]:
    if not isinstance(statement, ast.Expr):
        raise _Unreadable("a statement, not a call")
    value = statement.value
    return value.elts if isinstance(value, (ast.List, ast.Tuple)) else [value]


def _call(node: ast.expr) -> Call:
    if not isinstance(node, ast.Call):
        raise _Unreadable(f"'{ast.unparse(node)[:80]}' is not a call")
    name = _dotted(node.func)
    if name is None:
        raise _Unreadable(f"'{ast.unparse(node.func)[:80]}' is not a function name")
    if node.args:
        raise _Unreadable(f"'{name}' has an argument without a name")
    arguments: dict[str, Any] = {}
    for item in node.keywords:
        value = _value(item.value)
        if item.arg is not None:
            arguments[item.arg.removeprefix(_RESERVED)] = value
        elif isinstance(value, dict):
            arguments.update(value)
        else:
            raise _Unreadable(f"'{name}' unpacks something that is not an object")
    return Call(name, arguments)


def _dotted(node: ast.expr) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        owner = _dotted(node.value)
        return None if owner is None else f"{owner}.{node.attr}"
    return None


def _value(node: ast.expr) -> Any:
    """The JSON value of an argument; what has none stays as its source text."""
    match node:
        case ast.Constant(value=None | bool() | int() | float() | str()):
            return node.value
        case ast.Constant() if node.value is Ellipsis:
            return "..."
        case ast.Name():
            return _JSON_WORDS.get(node.id, node.id)
        case ast.List() | ast.Tuple() | ast.Set():
            return [_value(item) for item in node.elts]
        case ast.Dict():
            return {
                _key(key): _value(value) for key, value in zip(node.keys, node.values, strict=True)
            }
        case ast.Call(keywords=[_, *_], args=[]) if _dotted(node.func):
            inner = _call(node)
            return {inner.name: dict(inner.arguments)}
        case ast.UnaryOp() | ast.BinOp():
            number = _number(node)
            return ast.unparse(node) if number is None else number
    return ast.unparse(node)


def _key(node: ast.expr | None) -> str:
    if node is None:
        raise _Unreadable("an object is unpacked inside an object")
    key = _value(node)
    return key if isinstance(key, str) else json.dumps(key)


def _number(node: ast.expr) -> int | float | None:
    """The value of arithmetic between number literals (`-3`, `10**6`, `1/3`), else None.

    Bounded, so that no input can ask for a number that does not fit.
    """
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return number
        case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
            operand = _number(node.operand)
            if operand is None:
                return None
            return -operand if isinstance(node.op, ast.USub) else operand
        case ast.BinOp() if type(node.op) in _ARITHMETIC:
            left, right = _number(node.left), _number(node.right)
            if left is None or right is None:
                return None
            if isinstance(node.op, ast.Pow) and (abs(right) > 64 or abs(left) > 1e6):
                return None
            try:
                result = _ARITHMETIC[type(node.op)](left, right)
            except (ArithmeticError, ValueError):
                return None
            return result if isinstance(result, (int, float)) and abs(result) < 1e300 else None
    return None
