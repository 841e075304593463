"""The pairs that a task could give: outputs of the small models and edits, beside right answers.

An option is named by its key, so that a selection of options can be written down and made again.
"""

from __future__ import annotations

import hashlib
import json
import lzma
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from fcrewardbench.benchmarks.base import same
from fcrewardbench.benchmarks.bfcl import Task
from fcrewardbench.calls.check import AdmissibleCall, check, restore_names
from fcrewardbench.calls.doubt import COERCIONS, doubts
from fcrewardbench.calls.edits.base import (
    Calls,
    Context,
    Peers,
    edited,
    in_schema_order,
    properties,
)
from fcrewardbench.calls.edits.families import BENCHMARK_FAMILY
from fcrewardbench.calls.edits.variants import draw, styled
from fcrewardbench.calls.parse import parse
from fcrewardbench.types import Call, Candidate, ErrorType
from scripts.open_2.ingredients import OUTPUTS

SEED = "open-2"

NEAREST = "nearest"
DRAWS = ("0", "1", "2")
"""Right answers of a task, drawn from the admissible ones; NEAREST is made for a rejected candidate."""
EDITED_DRAWS = (("0", "0"), ("1", "2"))
"""For an edit: the right answer that is chosen, and the one that the edit starts from."""
PARSING_TASKS = 20

Key: TypeAlias = tuple[str, ...]
"""(task, generator, manner, number, chosen): what tells an option from every other."""


@dataclass(frozen=True, slots=True)
class Output:
    """What a model wrote for a task; `number` tells its outputs of one kind apart."""

    model: str
    task: str
    kind: str
    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Wrong:
    """A wrong candidate: who made it and how, its error, and how many fields it is away from right."""

    generator: str
    manner: str
    number: int
    candidate: Candidate
    error_type: ErrorType
    distance: int
    nearest: Calls | None


@dataclass(frozen=True, slots=True)
class Option:
    """One pair that a task could give."""

    key: Key
    error_type: ErrorType
    chosen: Calls
    rejected: Candidate
    distance: int

    @property
    def task(self) -> str:
        return self.key[0]

    @property
    def generator(self) -> str:
        """The model, or "edit"."""
        return self.key[1]

    @property
    def manner(self) -> str:
        """The kind of output, or the operator."""
        return self.key[2]


def read_outputs(path: Path = OUTPUTS) -> dict[str, list[Output]]:
    """Outputs by task, in the file's order."""
    found: dict[str, list[Output]] = defaultdict(list)
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            output = Output(*(row[name] for name in ("model", "task", "kind", "number", "output")))
            found[output.task].append(output)
    return dict(found)


def context_of(task: Task, peers: Peers) -> Context:
    return Context(task.prompt.tools, task.prompt.messages, task.answer or (), peers)


def drawn(context: Context, task: str, name: str) -> Calls | None:
    """A right answer of a task."""
    return draw(context, f"{SEED}|{task}|{name}")


def wrong_outputs(task: Task, outputs: Sequence[Output], context: Context) -> Iterator[Wrong]:
    """The outputs that are wrong beyond doubt, each once."""
    seen: list[Candidate] = []
    for output in outputs:
        fate, wrong = judged(task, output, context)
        if fate == "usable" and wrong is not None and wrong.candidate not in seen:
            seen.append(wrong.candidate)
            yield wrong


FATES = ("usable", "right", "doubtful", "says nothing", "the same call twice", "garbled")
"""What an output can come to.

"says nothing": an argument is empty or a placeholder. "garbled": no call can be made of it; where none
is due, also a call against the tools' schemas, or the same one twice.
"""


def judged(task: Task, output: Output, context: Context) -> tuple[str, Wrong | None]:
    """What an output comes to, and the wrong candidate where it is usable."""
    parsed = parse(output.text)
    candidate: Candidate = output.text
    if parsed.calls is not None:
        candidate = in_one_style(parsed.calls, context)
    checked = check(candidate, context.answer, context.tools, unreadable=parsed.problem)
    if checked.first is None:
        return "right", None
    kind = checked.first.type
    if kind is ErrorType.NO_CALL or _garbled(output.text):
        return "garbled", None
    if not isinstance(candidate, str) and any(map(hollow, candidate)):
        return "says nothing", None
    if _repeats(candidate):
        return "the same call twice", None
    if not _certain(candidate, kind, task):
        return "doubtful", None
    right = None if isinstance(candidate, str) else nearest(candidate, context)
    if right is not None and not check(right, context.answer, context.tools).ok:
        right = None
    distance = fields_between(right, candidate) if right else len(checked.failures)
    maker = (output.model, output.kind, output.number)
    return "usable", Wrong(*maker, candidate, kind, distance, right)


def wrong_edits(
    task: Task, context: Context, base: str, family: Sequence[Any] = BENCHMARK_FAMILY
) -> Iterator[Wrong]:
    """Edits of a right answer, one per operator, that are wrong beyond doubt."""
    start = drawn(context, task.id, base)
    if start is None:
        return
    for edit in edited(family, context, start, f"{SEED}|{task.id}|{base}", each=1):
        if _certain(edit.candidate, edit.error_type, task):
            distance = fields_between(start, edit.candidate)
            yield Wrong(
                "edit", edit.operator, int(base), edit.candidate, edit.error_type, distance, None
            )


def _certain(candidate: Candidate, error_type: ErrorType, task: Task) -> bool:
    """Whether no reading excuses a candidate; where the type is wrong, that it could be converted."""
    reasons = doubts(candidate, task.answer or (), task.prompt)
    if error_type is ErrorType.TYPE:
        reasons = tuple(reason for reason in reasons if not reason.startswith(COERCIONS))
    return not reasons


def options_of(task: Task, outputs: Sequence[Output], peers: Peers) -> Iterator[Option]:
    """Every option of a task whose two candidates differ."""
    context = context_of(task, peers)
    right = {name: drawn(context, task.id, name) for name in DRAWS}
    for wrong in wrong_outputs(task, outputs, context):
        choices = {**right, NEAREST: wrong.nearest}
        yield from _options(task, wrong, choices, (NEAREST, *DRAWS))
    # Every task could give a parsing error by an edit; a few are enough to choose from.
    parsing = hashlib.sha256(task.id.encode()).digest()[0] % PARSING_TASKS == 0
    family = [o for o in BENCHMARK_FAMILY if parsing or o.error_type is not ErrorType.PARSING]
    for chosen, base in EDITED_DRAWS:
        for wrong in wrong_edits(task, context, base, family):
            yield from _options(task, wrong, right, (chosen,))


def _options(
    task: Task, wrong: Wrong, choices: Mapping[str, Calls | None], names: Sequence[str]
) -> Iterator[Option]:
    for name in names:
        chosen = choices[name]
        if chosen is None or same(chosen, wrong.candidate):
            continue
        key = (task.id, wrong.generator, wrong.manner, str(wrong.number), name)
        yield Option(key, wrong.error_type, chosen, wrong.candidate, wrong.distance)


def option_of(key: Key, task: Task, outputs: Sequence[Output], peers: Peers) -> Option:
    """The option of that key. Raises LookupError where the ingredients give none."""
    _, generator, manner, number, chosen = key
    context = context_of(task, peers)
    if generator == "edit":
        family = [operator for operator in BENCHMARK_FAMILY if operator.id == manner]
        made = wrong_edits(task, context, number, family)
    else:
        own = [
            o for o in outputs if (o.model, o.kind, str(o.number)) == (generator, manner, number)
        ]
        made = wrong_outputs(task, own, context)
    for wrong in made:
        choices = {chosen: wrong.nearest if chosen == NEAREST else drawn(context, task.id, chosen)}
        for option in _options(task, wrong, choices, (chosen,)):
            return option
    raise LookupError(f"the ingredients give no option {key}")


# ── right answers near a wrong one ───────────────────────────────────────────────────────────────


def in_one_style(calls: Calls, context: Context) -> Calls:
    """Calls with the tools' names, arguments in schema order, and numbers as the chosen have them."""
    tools = {tool.name: tool for tool in context.tools}
    result = []
    for call in restore_names(calls, context.tools):
        tool = tools.get(call.name)
        if tool is None:
            result.append(call)
            continue
        schemas = properties(tool)
        arguments = {
            name: styled(value, schemas.get(name) or {}, context.text)
            for name, value in call.arguments.items()
        }
        result.append(Call(call.name, in_schema_order(arguments, tool)))
    return tuple(result)


def nearest(calls: Calls, context: Context) -> Calls | None:
    """A right answer that keeps every right value of the calls and gives the same optional arguments.

    None where a value is due that has no admissible form.
    """
    free = list(range(len(calls)))
    found = []
    for expected in context.answer:
        named = [i for i in free if calls[i].name == expected.name]
        options = {i: _kept(calls[i], expected, context) for i in named or free[:1]}
        place = max(options, key=lambda i: options[i], default=None)
        if place is not None:
            free.remove(place)
        given = calls[place].arguments if place is not None else {}
        arguments = _arguments_near(given, expected, context)
        if arguments is None:
            return None
        found.append(Call(expected.name, arguments))
    return tuple(found)


def _kept(call: Call, expected: AdmissibleCall, context: Context) -> int:
    """How many values of a call are right for an expected one."""
    return sum(_admitted(name, value, expected, context) for name, value in call.arguments.items())


def _admitted(name: str, value: Any, expected: AdmissibleCall, context: Context) -> bool:
    if name not in expected.arguments:
        return False
    alone = AdmissibleCall(expected.name, {name: expected.arguments[name]})
    failures = check((Call(expected.name, {name: value}),), [alone], context.tools).failures
    return all(failure.type is ErrorType.MISSING_REQUIRED for failure in failures)


def _arguments_near(
    given: Mapping[str, Any], expected: AdmissibleCall, context: Context
) -> dict[str, Any] | None:
    model = draw(
        Context(context.tools, context.messages, (expected,), context.peers),
        f"{SEED}|{expected.name}|{sorted(given)}",
    )
    if model is None:
        return None
    arguments = dict(model[0].arguments)
    for name, admissible in expected.arguments.items():
        if name in given and _admitted(name, given[name], expected, context):
            arguments[name] = given[name]
        elif name not in given and "" in admissible:
            arguments.pop(name, None)
    return in_schema_order(arguments, context.tool(expected.name))


def fields_between(right: Calls, wrong: Candidate) -> int:
    """How many names, values and whole calls differ between two candidates; 1 where one is text."""
    if isinstance(wrong, str):
        return 1
    left = list(wrong)
    total = 0
    for call in right:
        if not left:
            total += 1 + len(call.arguments)
            continue
        index = min(range(len(left)), key=lambda i: _differing(call, left[i]))
        total += _differing(call, left.pop(index))
    return total + sum(1 + len(call.arguments) for call in left)


def _differing(first: Call, second: Call) -> int:
    names = {**first.arguments, **second.arguments}
    return (first.name != second.name) + sum(
        json.dumps(first.arguments.get(name, _ABSENT), default=str)
        != json.dumps(second.arguments.get(name, _ABSENT), default=str)
        for name in names
    )


_ABSENT = {"": "absent"}


def _repeats(candidate: Candidate) -> bool:
    return not isinstance(candidate, str) and any(candidate.count(call) > 1 for call in candidate)


_PLACEHOLDERS = {"", "string", "object", "array", "integer", "number", "float", "boolean", "dict"}


def hollow(call: Call) -> bool:
    """Whether a call has an argument that says nothing: it needs no reading to be seen."""
    for name, value in call.arguments.items():
        items = value if isinstance(value, list) else [value]
        texts = [item.strip(" ,.:;{}[]\"'").lower() for item in items if isinstance(item, str)]
        if value in ([], {}) or any(t in _PLACEHOLDERS or t == name.lower() for t in texts):
            return True
    return False


def _garbled(text: str) -> bool:
    """Whether a text has control or replacement characters, or goes on without end."""
    return any(c == "\ufffd" or (ord(c) < 32 and c not in "\n\t") for c in text) or len(text) > 1500
