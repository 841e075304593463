"""Another tool of the prompt, with arguments that look the part."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from fcrewardbench import Call, ErrorType
from fcrewardbench.calls.edits.base import Calls, Context, Operator, properties
from fcrewardbench.calls.edits.sites import lacks_preference, shuffled
from toolrm.synthesize.abstention import improvised
from toolrm.synthesize.fitting import takes


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


TOOL_EDITS = (Operator("name/eked-out", ErrorType.NAME, _eked_out),)
