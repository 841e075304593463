"""Wrong names that only training has.

In the benchmark family a wrong tool keeps all of the arguments or none, and a name loses a word, a
prefix or a number; none here does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from random import Random

from fcrewardbench import Call, ErrorType, Tool
from fcrewardbench.calls.edits.base import Calls, Context, Operator, name_words, properties
from fcrewardbench.calls.edits.sites import lacks_preference, shuffled
from toolrm.synthesize.abstention import improvised
from toolrm.synthesize.edits.values import earlier_calls
from toolrm.synthesize.fitting import pour, takes


def poured(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    """Another tool, the right values under its own parameters wherever their types fit."""
    for index in shuffled(range(len(calls)), rng):
        for tool in shuffled(context.tools, rng):
            if tool.name not in {call.name for call in calls}:
                arguments = pour(list(calls[index].arguments.values()), tool)
                if arguments is not None and arguments != calls[index].arguments:
                    yield (*calls[:index], Call(tool.name, arguments), *calls[index + 1 :])


def pairs_of(calls: Calls, rng: Random) -> list[tuple[int, int]]:
    """The places of two different calls, in both orders."""
    places = [(a, b) for a in range(len(calls)) for b in range(len(calls)) if a != b]
    return shuffled(places, rng)


def _poured_into_due(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    """The tool of another call that is due, a second time, with the right values where they fit."""
    for a, b in pairs_of(calls, rng):
        arguments = pour(list(calls[b].arguments.values()), context.tool(calls[a].name))
        if calls[a].name != calls[b].name and arguments not in (None, calls[b].arguments):
            one = Call(calls[a].name, arguments or {})
            yield tuple(one if n == b else call for n, call in enumerate(calls))


def _stalled(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    """An earlier call of the dialogue again, in place of the one that is due now."""
    known = {tool.name for tool in context.tools}
    for call in earlier_calls(context):
        if len(calls) == 1 and call.name in known and call.name != calls[0].name:
            yield (call,)


def _renamed(calls: Calls, old: str, new: str) -> Calls:
    return tuple(Call(new, call.arguments) if call.name == old else call for call in calls)


def _naming(name: str, propose: Callable[[Tool, Random], Iterator[str]]) -> Operator:
    """An operator that gives a tool a name that no tool of the task has."""

    def edit(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
        known = {re.sub(r"\W", "_", tool.name).lower() for tool in context.tools}
        for call in shuffled(calls, rng):
            for other in propose(context.tool(call.name), rng):
                fits = re.fullmatch(r"[A-Za-z_][\w.\-]*", other)
                if fits and re.sub(r"\W", "_", other).lower() not in known:
                    yield _renamed(calls, call.name, other)

    return Operator(f"name/{name}", ErrorType.NAME, edit)


_STOP = {"a", "an", "the", "of", "for", "to", "in", "on", "and", "or", "given", "by", "with", "at"}


def described_words(text: str, rng: Random) -> list[str]:
    """The first two or three words of a description that say something."""
    words = [word for word in name_words(text)[:8] if word.isalpha() and word not in _STOP]
    return words[: rng.choice((2, 3))]


def _from_description(tool: Tool, rng: Random) -> Iterator[str]:
    """A name made of the first words of what the tool does."""
    words = described_words(tool.description, rng)
    if len(words) >= 2 and set(words) - set(name_words(tool.name)):
        if "_" in tool.name or tool.name.islower():
            yield "_".join(words)
        else:
            yield words[0] + "".join(word.capitalize() for word in words[1:])


def _misspelt(tool: Tool, rng: Random) -> Iterator[str]:
    """Two letters exchanged, or one lost or doubled, inside the name."""
    name = tool.name
    for place in shuffled(range(1, max(1, len(name) - 2)), rng)[:3]:
        if name[place : place + 2].isalnum():
            swapped = name[:place] + name[place + 1] + name[place] + name[place + 2 :]
            lost = name[:place] + name[place + 1 :]
            yield rng.choice((swapped, lost, name[:place] + name[place] + name[place:]))


def _eked_out(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    """Another tool, right values where their types fit, the rest out of the conversation, the enum or
    other records."""
    for index in shuffled(range(len(calls)), rng):
        given = calls[index].arguments
        for tool in shuffled(context.tools, rng):
            made = None
            if tool.name not in {call.name for call in calls}:
                made = improvised(context, tool, rng)
            if made is None:
                continue
            schemas, arguments = properties(tool), dict(made.arguments)
            left = [value for value in given.values() if not lacks_preference(value)]
            carried = 0
            for name in shuffled(list(arguments), rng):
                schema = schemas.get(name, {})
                fitting = [value for value in left if takes(schema, value)]
                if fitting:
                    own = given.get(name)
                    arguments[name] = own if own in fitting else rng.choice(fitting)
                    left.remove(arguments[name])
                    carried += 1
            if carried and arguments != given:
                yield (*calls[:index], Call(tool.name, arguments), *calls[index + 1 :])


NAMES = (
    Operator("name/poured", ErrorType.NAME, poured),
    Operator("name/poured-into-due", ErrorType.NAME, _poured_into_due),
    Operator("name/stalled", ErrorType.NAME, _stalled),
    _naming("from-description", _from_description),
    _naming("misspelt", _misspelt),
    Operator("name/eked-out", ErrorType.NAME, _eked_out),
)
