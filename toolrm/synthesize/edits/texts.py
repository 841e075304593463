"""Calls in a notation that nothing can read, of kinds that only training has.

The benchmark family breaks JSON by a cut, a bracket too many, or a comma or quote too few. Here models
slip into another notation (code that keeps results, markup, an outline), leave blanks, or talk on.
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from fcrewardbench import Call, ErrorType
from fcrewardbench.calls.edits.base import Calls, Context, Operator
from fcrewardbench.calls.edits.sites import shuffled


def _operator(name: str, write: Callable[[Calls, Random], Iterator[str]]) -> Operator:
    def edit(context: Context, calls: Calls, rng: Random) -> Iterator[str]:
        yield from write(calls, rng)

    return Operator(f"parsing/{name}", ErrorType.PARSING, edit)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _whole(calls: Calls) -> str:
    return _json([call.as_dict() for call in calls])


def _python(call: Call) -> str:
    arguments = ", ".join(f"{name}={value!r}" for name, value in call.arguments.items())
    return f"{call.name}({arguments})"


def _assigned(calls: Calls, rng: Random) -> Iterator[str]:
    """Code that keeps results in variables."""
    name = rng.choice(("result", "response", "output", "res"))
    lines = [f"{name}{number or ''} = {_python(call)}" for number, call in enumerate(calls)]
    lines.append(rng.choice((f"print({name})", f"return {name}")))
    yield "\n".join(["```python", *lines, "```"])


def _escaped(calls: Calls, rng: Random) -> Iterator[str]:
    """JSON as it stands in a web page."""
    yield html.escape(_whole(calls))


def _left_open(calls: Calls, rng: Random) -> Iterator[str]:
    """A blank in place of a value."""
    for index in shuffled(range(len(calls)), rng):
        for name in shuffled(list(calls[index].arguments), rng):
            arguments = {**calls[index].arguments, name: "\0"}
            changed = (*calls[:index], Call(calls[index].name, arguments), *calls[index + 1 :])
            blank = rng.choice(("", f"<{name}>", "???"))
            yield _whole(changed).replace(_json("\0"), blank)


def _outlined(calls: Calls, rng: Random) -> Iterator[str]:
    """An outline behind a bracket."""
    lines = []
    for call in calls:
        lines.append(f"{rng.choice(('Action', 'Function', 'Tool'))}: {call.name}")
        lines += [f"  - {name}: {value}" for name, value in call.arguments.items()]
    yield "[" + "\n".join(lines) + "]"


def _marked_up(calls: Calls, rng: Random) -> Iterator[str]:
    """A tag for every argument, inside the tag of calls."""
    tag = rng.choice(("tool_call", "function_call"))
    yield "\n".join(
        f"<{tag}>\n<{call.name}>\n"
        + "\n".join(f"<{name}>{value}</{name}>" for name, value in call.arguments.items())
        + f"\n</{call.name}>\n</{tag}>"
        for call in calls
    )


def _talked_over(calls: Calls, rng: Random) -> Iterator[str]:
    """A sentence that goes on right behind the JSON."""
    said = rng.choice(
        (
            "is the call that answers this.",
            "and then I will tell you what came back",
            "// waiting for the result",
            "=> done",
            "This should give you what you need!",
        )
    )
    yield f"{_whole(calls)} {said}"


TEXTS = (
    _operator("assigned", _assigned),
    _operator("escaped", _escaped),
    _operator("left-open", _left_open),
    _operator("outlined", _outlined),
    _operator("marked-up", _marked_up),
    _operator("talked-over", _talked_over),
)
