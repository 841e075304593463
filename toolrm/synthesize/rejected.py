"""Rejected candidates of a record: a few, of different errors, each judged wrong."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from random import Random

from fcrewardbench import Call, Candidate, ErrorType, Prompt, Tool
from fcrewardbench.benchmarks.base import same
from fcrewardbench.calls.doubt import COERCIONS, doubts
from fcrewardbench.calls.edits.base import Context, Edit, Operator, Peers, edited, properties
from fcrewardbench.calls.edits.sites import leaves
from fcrewardbench.render import candidate_text
from fcrewardbench.types import JsonObject
from toolrm.records import Record
from toolrm.synthesize.abstention import unasked_calls
from toolrm.synthesize.edits.bounds import lists_options
from toolrm.synthesize.results import results_in
from toolrm.synthesize.tally import Tally, operator_of
from toolrm.synthesize.words import ask, claim, decline, described, plan, report

_OTHERS = 12  # operators that are tried for another error
_TRIES = 3  # proposals of one operator that are looked at
_LOOKED_AT = 6  # proposals for one place
NO_PLACE = "a model's wrong reply for which there is no place"
_SEVERAL_ERRORS = 0.45  # where another error is tried for: about every third candidate gets one


def rejected_of(
    record: Record,
    made: Sequence[Edit],
    peers: Peers,
    tally: Tally,
    size: int,
    rng: Random,
    *,
    telling: bool = True,
) -> list[Edit]:
    """Up to `size` rejected candidates where a call is due.

    Args:
        telling: whether the names of tools and parameters say something.
        made: what models made of the record, judged wrong already; it fills up to half of the places,
            rare errors first.
        peers: under the record's own names.

    Raises:
        DataError: the checker does not know a type of the record's tools.
    """
    context = Context(record.prompt.tools, record.prompt.messages, record.answer, peers)
    gold = record.gold
    chosen: list[Edit] = []
    taken: Counter[ErrorType] = Counter()

    def take(edit: Edit) -> None:
        chosen.append(edit)
        taken[edit.error_type] += 1
        tally.count(edit)
        tally.lean[edit.error_type] += longer(edit.candidate, gold)
        if edit.error_type is ErrorType.COUNT:
            tally.count_calls(len(edit.candidate), len(gold))
        for call, name in _differing(edit.candidate, gold):
            tally.places[operator_of(edit), _described(context, call, name)] += 1
        tally.said += edit.error_type is ErrorType.VALUE and is_said(edit.candidate, gold, context)

    rank = {kind: place for place, kind in enumerate(tally.kinds(taken, size, len(gold), rng))}
    for edit in sorted(made, key=lambda edit: rank.get(edit.error_type, len(rank))):
        kind = edit.error_type
        has_place = len(chosen) < math.ceil(size / 2) and kind in rank
        if has_place and taken[kind] < tally.enough(kind, size, len(gold)):
            take(edit)
        else:
            tally.left_out[NO_PLACE] += 1
    exhausted: set[ErrorType] = set()
    while len(chosen) < size:
        order = tally.kinds(taken, size, len(gold), rng)
        kinds = [kind for kind in order if kind not in exhausted]
        if not kinds:
            break
        edits = _edits(kinds[0], record, context, gold, chosen, tally, rng, telling)
        found = _unleaning(edits, gold, tally)
        if found is None:
            exhausted.add(kinds[0])
        else:
            take(found)
    return chosen


def _edits(
    kind: ErrorType,
    record: Record,
    context: Context,
    gold: tuple[Call, ...],
    chosen: Sequence[Edit],
    tally: Tally,
    rng: Random,
    telling: bool,
) -> Iterator[Edit]:
    """Wrong candidates of one type, of operators that the record does not have yet."""
    if kind is ErrorType.NO_CALL:
        if not any(edit.error_type is kind for edit in chosen):
            yield _in_words(gold[0], record.prompt, tally.asking, rng)
        return
    used = {operator_of(edit) for edit in chosen}
    seed = rng.getrandbits(32)
    for operator in tally.operators_of(kind, rng, telling=telling):
        if operator.id in used:
            continue
        bases = [("", gold)]
        if rng.random() < _SEVERAL_ERRORS:
            bases = [*_wrong_elsewhere(operator, context, gold, tally, rng, telling), *bases]
        for also, base in bases:
            for edit in edited([operator], context, base, f"{seed}|{record.id}", each=_TRIES):
                if any(same(edit.candidate, other.candidate) for other in chosen):
                    continue
                if kind is ErrorType.COUNT and not tally.may_count(len(edit.candidate), len(gold)):
                    continue
                next_one = kind is ErrorType.COUNT and _is_next(edit.candidate, record, gold)
                if next_one or may_be_right(edit.candidate, record, kind):
                    tally.left_out["may be right"] += 1
                    continue
                if kind is ErrorType.VALUE and also and _only_one(edit.candidate, gold):
                    continue
                if _admitted(edit, context, gold, tally):
                    yield Edit(f"edit:{edit.operator}{also}", kind, edit.candidate)


def _is_next(candidate: Candidate, record: Record, gold: Sequence[Call]) -> bool:
    """Whether the candidate makes some of the calls, where calls are made one after the other."""
    if record.prompt.messages[-1]["role"] != "tool" or isinstance(candidate, str):
        return False
    return all(call in gold for call in candidate)


def _wrong_elsewhere(
    operator: Operator,
    context: Context,
    gold: tuple[Call, ...],
    tally: Tally,
    rng: Random,
    telling: bool,
) -> Iterator[tuple[str, tuple[Call, ...]]]:
    """The calls with another error, for an operator to add its own, which the checker meets first:
    models' wrong calls mostly differ from right ones in several places."""
    if operator.error_type in (ErrorType.MISSING_OPTIONAL, ErrorType.PARSING):
        return
    kind = rng.choices((ErrorType.VALUE, ErrorType.MISSING_OPTIONAL), (4, 1))[0]
    others = [o for o in tally.operators_of(kind, rng, telling=telling) if "unrevised" not in o.id]
    # Not the least used first: most of those fit hardly any record.
    others = rng.sample(others, min(_OTHERS, len(others)))
    seed = str(rng.getrandbits(32))
    for edit in edited(others, context, gold, seed, each=1):
        if edit.operator != operator.id and not isinstance(edit.candidate, str):
            yield f"+{edit.operator.partition('/')[0]}", tuple(edit.candidate)
            return


def _only_one(candidate: Candidate, gold: Sequence[Call]) -> bool:
    """Whether the candidate differs from the right calls in no more than one argument."""
    if isinstance(candidate, str):
        return False
    differing = [
        name
        for old, new in zip(gold, candidate, strict=True)
        for name in {*old.arguments, *new.arguments}
        if old.arguments.get(name) != new.arguments.get(name)
    ]
    return len(differing) <= 1


def _admitted(edit: Edit, context: Context, gold: tuple[Call, ...], tally: Tally) -> bool:
    """Whether there may be one more such edit of the parameters that it changes."""
    places = list(_differing(edit.candidate, gold))
    if edit.error_type is ErrorType.VALUE and any(
        lists_options(_schema(context, call, name)) for call, name in places
    ):
        tally.left_out["another value where options are listed that may be synonyms"] += 1
        return False
    return all(
        tally.has_room_at(operator_of(edit), _described(context, call, name))
        for call, name in places
    )


def _differing(candidate: Candidate, gold: Sequence[Call]) -> Iterator[tuple[Call, str]]:
    """The right calls, and the names of arguments that have another value, or that they do not have."""
    if isinstance(candidate, str) or [c.name for c in candidate] != [c.name for c in gold]:
        return
    for old, new in zip(gold, candidate, strict=True):
        for name, value in new.arguments.items():
            if name not in old.arguments or old.arguments[name] != value:
                yield old, name


def _schema(context: Context, call: Call, name: str) -> JsonObject:
    return properties(context.tool(call.name)).get(name, {})


def _described(context: Context, call: Call, name: str) -> str:
    """What stays the same of a parameter where its name is obfuscated."""
    return str(_schema(context, call, name).get("description") or name)


def is_said(candidate: Candidate, gold: Sequence[Call], context: Context) -> bool:
    """Whether values are wrong, and all that are stand in the conversation."""
    said = context.text.lower()
    right = [leaf for call in gold for leaf in leaves(call.arguments)]
    calls = () if isinstance(candidate, str) else candidate
    wrong = [leaf for call in calls for leaf in leaves(call.arguments) if leaf not in right]
    return bool(wrong) and all(str(leaf).lower() in said for leaf in wrong)


def _unleaning(edits: Iterator[Edit], gold: Candidate, tally: Tally) -> Edit | None:
    """The first of some edits that is not on the side to which edits of its type lean: wrong candidates
    should be no longer, and no shorter, than right ones."""
    first = None
    for edit in islice(edits, _LOOKED_AT):
        if longer(edit.candidate, gold) * tally.lean[edit.error_type] <= 0:
            return edit
        first = first or edit
    return first


def longer(candidate: Candidate, other: Candidate) -> int:
    """1 where the candidate's text is the longer one, -1 where it is the shorter one."""
    difference = len(candidate_text(candidate)) - len(candidate_text(other))
    return (difference > 0) - (difference < 0)


def may_be_right(candidate: Candidate, record: Record, kind: ErrorType) -> bool:
    """Whether a careful reader could excuse every difference from the answer.

    That a value is right but for its type excuses no wrong type.
    """
    reasons = doubts(candidate, record.answer, record.prompt)
    if kind is ErrorType.TYPE:
        return not all(reason.startswith(COERCIONS) for reason in reasons)
    return bool(reasons)


def unasked_of(
    record: Record,
    origin: Record,
    made: Sequence[Edit],
    peers: Peers,
    tally: Tally,
    size: int,
    rng: Random,
) -> list[Edit]:
    """Up to `size` calls where none is due; up to half of them are what models made.

    Args:
        origin: the record with the call that was due before it was made one without; itself otherwise.
    """
    base = origin.gold[0] if origin.gold else None
    context = Context(record.prompt.tools, record.prompt.messages, (), peers)
    ours = (
        Edit(f"edit:{edit.operator}", edit.error_type, edit.candidate)
        for edit in unasked_calls(context, base, rng)
    )
    chosen: list[Edit] = []
    places = math.ceil(size / 2)
    if made[places:]:
        tally.left_out[NO_PLACE] += len(made[places:])
    for edit in chain(made[:places], ours):
        if len(chosen) == size:
            break
        if not any(same(edit.candidate, other.candidate) for other in chosen):
            chosen.append(edit)
            tally.count(edit)
    return chosen


_ASKING = 0.3  # of replies in words, the smallest share that ask
_REPORTING = 0.5  # after results, the share of replies that tell them, as if no more were due
_OTHERWISE = 0.4  # of the others, the share that claim a result or describe the call


def _in_words(due: Call, prompt: Prompt, asking: float, rng: Random) -> Edit:
    """A reply in words where a call is due."""
    asked = _askable(due, prompt.tools, rng)
    tool = next(tool for tool in prompt.tools if tool.name == due.name)
    results = results_in(prompt.messages, prompt.tools, rng)
    if results and rng.random() < _REPORTING:
        manner, reply = "reports", report(results, rng)
    elif asked and rng.random() < max(asking, _ASKING):
        manner, reply = "asks", ask(asked, rng)
    elif rng.random() < _OTHERWISE:
        manner, tell = rng.choice((("claims", claim), ("plans", plan)))
        reply = tell(due, tool, rng)
    else:
        manner, reply = "declines", decline(rng)
    return Edit(f"edit:words/{manner}", ErrorType.NO_CALL, reply)


def _askable(call: Call, tools: Sequence[Tool], rng: Random) -> list[str]:
    tool = next(tool for tool in tools if tool.name == call.name)
    names = list(call.arguments)
    return [described(tool, rng.choice(names))] if names else []
