"""Calls written in Python's notation, read through `ast` and never evaluated."""

from __future__ import annotations

import ast
import io
import json
import keyword
import operator
import tokenize
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from fcrewardbench.calls.json_syntax import Unreadable, calls_of_json
from fcrewardbench.types import Call

_JSON_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "none": None}
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


def read_python(text: str) -> tuple[tuple[Call, ...], str]:
    tree = _syntax_tree(text)
    try:
        nodes = [node for statement in tree.body for node in _call_nodes(statement)]
        if nodes and all(isinstance(node, ast.Dict) for node in nodes):
            calls, shape = calls_of_json([_value(node) for node in nodes])
            return calls, f"python dict {shape}"
        return tuple(_call(node) for node in nodes), "python"
    except RecursionError:
        raise Unreadable("nested too deeply") from None


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
    raise Unreadable(f"broken Python-like call: {reason}")


def _rename_keywords(text: str) -> str:
    """Mark Python's reserved words where they are names: `from="x"`, `import(…)`, `as.of(…)`."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError) as why:
        raise ValueError(str(why)) from None
    lines = text.splitlines(keepends=True)
    for before, token, following in reversed(
        list(zip([None, *tokens], tokens, tokens[1:], strict=False))
    ):
        if (
            token.type == tokenize.NAME
            and keyword.iskeyword(token.string)
            and (following.string in ("=", "(", ".") or (before and before.string == "."))
        ):
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column] + _RESERVED + lines[row - 1][column:]
    return "".join(lines)


_RESERVED = "_reserved_word_"


def _call_nodes(statement: ast.stmt) -> Iterable[ast.expr]:
    if not isinstance(statement, ast.Expr):
        raise Unreadable("a statement, not a call")
    value = statement.value
    return value.elts if isinstance(value, (ast.List, ast.Tuple)) else [value]


def _call(node: ast.expr) -> Call:
    if not isinstance(node, ast.Call):
        raise Unreadable(f"'{ast.unparse(node)[:80]}' is not a call")
    name = _dotted(node.func)
    if name is None:
        raise Unreadable(f"'{ast.unparse(node.func)[:80]}' is not a function name")
    if node.args:
        raise Unreadable(f"'{name}' has an argument without a name")
    arguments: dict[str, Any] = {}
    for item in node.keywords:
        value = _value(item.value)
        if item.arg is not None:
            arguments[item.arg.removeprefix(_RESERVED)] = value
        elif isinstance(value, dict):
            arguments.update(value)
        else:
            raise Unreadable(f"'{name}' unpacks something that is not an object")
    return Call(name, arguments)


def _dotted(node: ast.expr) -> str | None:
    if isinstance(node, ast.Name):
        return node.id.removeprefix(_RESERVED)
    if isinstance(node, ast.Attribute):
        owner = _dotted(node.value)
        return None if owner is None else f"{owner}.{node.attr.removeprefix(_RESERVED)}"
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
        raise Unreadable("an object is unpacked inside an object")
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
