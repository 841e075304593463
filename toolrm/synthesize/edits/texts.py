"""Calls in a notation that nothing can read, of kinds that only training has.

The benchmark family breaks JSON by a cut, a bracket too many, or a comma or quote too few. Here models
slip into another notation (code that keeps results, markup, an outline), leave blanks, or talk on.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from random import Random
from typing import Any

from fcrewardbench import Call, ErrorType
from fcrewardbench.calls.edits.base import Calls, Context, Operator, with_arguments
from fcrewardbench.calls.edits.sites import shuffled


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _whole(calls: Calls) -> str:
    return _json([call.as_dict() for call in calls])


def _python(call: Call) -> str:
    arguments = ", ".join(f"{name}={value!r}" for name, value in call.arguments.items())
    return f"{call.name}({arguments})"


def _assigned(context: Context, calls: Calls, rng: Random) -> Iterator[str]:
    """Code that keeps results in variables."""
    name = rng.choice(("result", "response", "output", "res"))
    lines = [f"{name}{number or ''} = {_python(call)}" for number, call in enumerate(calls)]
    lines.append(rng.choice((f"print({name})", f"return {name}")))
    yield "\n".join(["```python", *lines, "```"])


def _escaped(context: Context, calls: Calls, rng: Random) -> Iterator[str]:
    """JSON as it stands in a web page."""
    yield html.escape(_whole(calls))


def _left_open(context: Context, calls: Calls, rng: Random) -> Iterator[str]:
    """A blank in place of a value."""
    for index in shuffled(range(len(calls)), rng):
        for name in shuffled(list(calls[index].arguments), rng):
            changed = with_arguments(calls, index, {**calls[index].arguments, name: "\0"})
            blank = rng.choice(("", f"<{name}>", "???"))
            yield _whole(changed).replace(_json("\0"), blank)


def _outlined(context: Context, calls: Calls, rng: Random) -> Iterator[str]:
    """An outline behind a bracket."""
    lines = []
    for call in calls:
        lines.append(f"{rng.choice(('Action', 'Function', 'Tool'))}: {call.name}")
        lines += [f"  - {name}: {value}" for name, value in call.arguments.items()]
    yield "[" + "\n".join(lines) + "]"


def _marked_up(context: Context, calls: Calls, rng: Random) -> Iterator[str]:
    """A tag for every argument, inside the tag of calls."""
    tag = rng.choice(("tool_call", "function_call"))
    yield "\n".join(
        f"<{tag}>\n<{call.name}>\n"
        + "\n".join(f"<{name}>{value}</{name}>" for name, value in call.arguments.items())
        + f"\n</{call.name}>\n</{tag}>"
        for call in calls
    )


def _talked_over(context: Context, calls: Calls, rng: Random) -> Iterator[str]:
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
    Operator("parsing/assigned", ErrorType.PARSING, _assigned),
    Operator("parsing/escaped", ErrorType.PARSING, _escaped),
    Operator("parsing/left-open", ErrorType.PARSING, _left_open),
    Operator("parsing/outlined", ErrorType.PARSING, _outlined),
    Operator("parsing/marked-up", ErrorType.PARSING, _marked_up),
    Operator("parsing/talked-over", ErrorType.PARSING, _talked_over),
)
