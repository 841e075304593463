"""The subsets that are not chosen by the search: prompts with several candidates, and abstention."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice, zip_longest
from random import Random
from typing import Any

from fcrewardbench.benchmarks.base import same
from fcrewardbench.benchmarks.bfcl import Task
from fcrewardbench.calls.edits.base import Calls, Context, Peers
from fcrewardbench.calls.parse import parse
from fcrewardbench.calls.schema import validate
from fcrewardbench.render import candidate_text
from fcrewardbench.types import Candidate, ErrorType
from scripts.open_2.options import (
    SEED,
    Output,
    Wrong,
    context_of,
    drawn,
    hollow,
    in_one_style,
    wrong_edits,
    wrong_outputs,
)

PROMPTS = 400
CANDIDATES = 8
RIGHT_DRAWS = 12
TRIES = 40
NO_CALL_PAIRS = 300
CALL_PAIRS = 100
MOST_EDITS = 0.6
MOST_OF_ONE_MODEL = 0.6


def candidate_sets(
    tasks: Sequence[Task], outputs: Mapping[str, Sequence[Output]], peers: Peers
) -> list[dict[str, Any]]:
    """Prompts with 1 to 3 right candidates and as many wrong ones as make eight.

    Of several ways to fill a prompt, the one is taken that brings lengths, numbers of arguments and
    supported values of right and wrong candidates nearest to each other over all prompts so far.
    """
    rng = Random(f"{SEED}|candidates")
    sums = [0.0, 0.0, 0.0]
    found: list[dict[str, Any]] = []
    makers: Counter[str] = Counter()
    for task in rng.sample(tasks, len(tasks)):
        context = context_of(task, peers)
        right = right_variants(task, context)
        wrong = wrong_pool(task, outputs.get(task.id, ()), context)
        wanted = rng.choice((1, 2, 2, 3))
        count = min(wanted, len(right))
        models = [w for w in wrong if w.generator != "edit"]
        edits = [w for w in wrong if w.generator == "edit"]
        most = CANDIDATES - count - len(models)
        room = MOST_EDITS * (sum(makers.values()) + CANDIDATES - count) - makers["edit"]
        if not right or most > min(len(edits), room):
            continue
        ways = []
        for _ in range(TRIES):
            some = rng.sample(models, min(len(models), CANDIDATES - count))
            some += rng.sample(edits, CANDIDATES - count - len(some))
            names = rng.sample(sorted(right), count)
            ways.append((names, some, _imbalance([right[n] for n in names], some, context)))
        names, some, change = min(
            ways, key=lambda way: sum((s + c) ** 2 for s, c in zip(sums, way[2], strict=True))
        )
        sums = [s + c for s, c in zip(sums, change, strict=True)]
        makers.update(w.generator for w in some)
        wrong_keys = sorted([w.generator, w.manner, str(w.number)] for w in some)
        found.append({"task": task.id, "right": sorted(names, key=int), "wrong": wrong_keys})
        if len(found) == PROMPTS:
            return found
    raise SystemExit(f"only {len(found)} prompts have {CANDIDATES} candidates")


def right_variants(task: Task, context: Context) -> dict[str, Calls]:
    """Different right answers by the name of their draw."""
    found: dict[str, Calls] = {}
    for number in range(RIGHT_DRAWS):
        calls = drawn(context, task.id, str(number))
        if calls is not None and not any(same(calls, other) for other in found.values()):
            found[str(number)] = calls
    return found


def wrong_pool(task: Task, outputs: Sequence[Output], context: Context) -> list[Wrong]:
    """Different wrong candidates that are calls, near misses first."""
    made = [*wrong_outputs(task, outputs, context)]
    for first, second in zip_longest(*(wrong_edits(task, context, base) for base in "02")):
        made += [wrong for wrong in (first, second) if wrong is not None]
    pool: list[Wrong] = []
    for wrong in sorted(made, key=lambda wrong: wrong.distance):
        readable = wrong.error_type is not ErrorType.PARSING
        if readable and not any(same(wrong.candidate, other.candidate) for other in pool):
            pool.append(wrong)
    return pool


def _imbalance(right: Sequence[Calls], wrong: Sequence[Wrong], context: Context) -> list[float]:
    mean_right = _means(right, context)
    mean_wrong = _means([w.candidate for w in wrong], context)
    scales = (20.0, 1.0, 0.3)
    return [(r - w) / s for r, w, s in zip(mean_right, mean_wrong, scales, strict=True)]


def _means(candidates: Sequence[Candidate], context: Context) -> list[float]:
    said = context.text.lower()
    rows = []
    for candidate in candidates:
        calls = () if isinstance(candidate, str) else candidate
        values = [str(v).lower() for call in calls for v in call.arguments.values()]
        shares = sum(value in said for value in values) / max(1, len(values))
        rows.append((len(candidate_text(candidate)), len(values), shares))
    return [sum(column) / len(rows) for column in zip(*rows, strict=True)]


def abstentions(
    no_call: Iterable[Task], call_due: Iterable[Task], outputs: Mapping[str, Sequence[Output]]
) -> list[dict[str, Any]]:
    """Tasks where no call is due, each with an output that calls, and tasks where one is.

    Outputs whose arguments all say something come first, and no model gives more than its share.
    """
    found: list[dict[str, Any]] = []
    questions: set[str] = set()
    makers: Counter[str] = Counter()
    by_task = [(task, outputs.get(task.id, ())) for task in sorted(no_call, key=_order)]
    for hollow_too in (False, True):
        for task, output in ((task, output) for task, own in by_task for output in own):
            question = str(task.prompt.messages)
            calls = call_where_none_is_due(task, output)
            if len(found) == NO_CALL_PAIRS or calls is None or question in questions:
                continue
            if makers[output.model] >= MOST_OF_ONE_MODEL * NO_CALL_PAIRS:
                continue
            if hollow_too or not any(map(hollow, calls)):
                questions.add(question)
                makers[output.model] += 1
                made = [output.model, output.kind, output.number]
                found.append({"task": task.id, "output": made})
    if len(found) < NO_CALL_PAIRS:
        raise SystemExit(f"only {len(found)} outputs call where no call is due")
    others = (
        {"task": task.id, "draw": "0"}
        for task in sorted(call_due, key=_order)
        if drawn(context_of(task, {}), task.id, "0") is not None
    )
    return found + list(islice(others, CALL_PAIRS))


def _order(task: Task) -> bytes:
    return hash_of(task.id)


def call_where_none_is_due(task: Task, output: Output) -> Calls | None:
    """The calls of an output, where they are valid by the tools' schemas and all different."""
    calls = parse(output.text).calls
    if not calls:
        return None
    styled = in_one_style(calls, Context(task.prompt.tools, task.prompt.messages, ()))
    if validate(styled, task.prompt.tools):
        return None
    return styled if len(set(map(str, styled))) == len(styled) else None


def hash_of(text: str) -> bytes:
    """What decides an order that means nothing."""
    return hashlib.sha256(f"{SEED}|{text}".encode()).digest()
