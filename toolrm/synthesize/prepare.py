"""Records as they are shown: some underway, with distractors, obfuscated, or with no call due."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from random import Random

from fcrewardbench import Candidate
from fcrewardbench.calls.edits.base import Context, Peers
from toolrm.records import Record
from toolrm.synthesize.abstention import missing_arguments
from toolrm.synthesize.asides import with_aside
from toolrm.synthesize.config import SynthesizeConfig
from toolrm.synthesize.distractors import ToolPool, with_distractors
from toolrm.synthesize.irrelevance import irrelevant, unrelated, without_a_value
from toolrm.synthesize.obfuscate import obfuscated
from toolrm.synthesize.peers import renamed_peers
from toolrm.synthesize.requests import Lacking
from toolrm.synthesize.split import tools_of
from toolrm.synthesize.underway import Requests, done, half_done, is_about, parting
from toolrm.synthesize.words import ask, decline, described


@dataclass(frozen=True, slots=True)
class Shown:
    """A record, ready to get rejected candidates.

    Args:
        origin: the same record with the call that was due before it was made one without; the record
            itself where a call is due, or never was.
        chosen: the right calls or reply.
        peers: what its parameters are in other records, under its own names.
        tools: the names that the tools due had before they were obfuscated.
        asks: whether the right reply asks for a value.
    """

    record: Record
    origin: Record
    chosen: Candidate
    peers: Peers
    tools: frozenset[str]
    obfuscated: bool
    asks: bool


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What records are prepared with.

    Args:
        pool: where distractors come from.
        is_own: whether a text of small talk is of this part.
        overlap: why a record has to go since a benchmark has it, too; empty where it may stay.
    """

    pool: ToolPool
    is_own: Callable[[str], bool]
    peers: Peers
    config: SynthesizeConfig
    overlap: Callable[[Record], str]
    left_out: Counter[str]


def prepared(records: Iterable[Record], around: Surroundings) -> Iterator[Shown]:
    """The records, some of them underway, and after some of them a variant in which no call is due.

    There are as many variants as it takes to have the share of records without calls, as far as they
    can be made. Some are no variants but small talk.
    """
    config, records = around.config, list(records)
    requests = Requests(records)
    talk = unrelated(
        around.pool,
        Random(f"{config.seed}|small talk"),
        len(records),
        _LICENCE_OF_TALK,
        around.is_own,
    )
    without_call = count = 0
    for record in records:
        rng = Random(f"{config.seed}|{record.id}")
        if isinstance(record, Lacking):
            made = [_lacking(record, requests, around, rng)]
        else:
            made = [_due(record, requests, config.underway, rng)]
            if record.answer and without_call < config.irrelevance * (count + 2):
                made.append(_without_call(record, requests, talk, around, rng))
        for variant in filter(None, made):
            ready = _shown(variant, around, rng)
            if ready is not None:
                yield ready
                count += 1
                without_call += not ready.record.answer


def _shown(variant: _Variant, around: Surroundings, rng: Random) -> Shown | None:
    """The variant with distractors, and obfuscated or not; None where that makes it a benchmark's."""
    config, record, origin = around.config, variant.record, variant.origin
    if record.answer and rng.random() < _WITH_ASIDE:
        record = with_aside(record, around.peers, rng) or record
    if variant.is_served:  # as if the calls were still due, so that distractors do not tell
        record = replace(record, answer=origin.answer)
    needed = len(tools_of(record)) if record.answer else 0
    few, many = config.distractors
    wanted = rng.randint(max(few, min(many, 1)) if config.alone else few, many)
    if record.answer and rng.random() < config.alone:
        wanted = 0
    missing = wanted + needed - len(record.prompt.tools)
    if missing > 0:
        wider = with_distractors(record, around.pool, rng, missing)
        last = wider.prompt.messages[-1]
        parted = variant.is_served and last["role"] == "user"
        record = record if parted and is_about(last, wider.prompt.tools) else wider
    # The answer that was due goes along, so that it is under the same new names.
    plain = whole = replace(record, answer=origin.answer)
    obscure = rng.random() < config.obfuscated
    reason = around.overlap(whole)
    for _ in range(_TRIES if obscure else 0):
        whole = obfuscated(plain, rng)
        reason = around.overlap(whole)  # random words may be those of a benchmark's names
        if not reason:
            break
    if reason:
        around.left_out[f"{reason}, once it was prepared"] += 1
        return None
    peers = renamed_peers(around.peers, plain, whole) if obscure else around.peers
    tools = frozenset(call.name for call in origin.answer)
    if variant.record.answer:
        return Shown(whole, whole, whole.gold, peers, tools, obscure, variant.asks)
    bare = replace(whole, answer=())
    return Shown(bare, whole, whole.reply or variant.reply, peers, tools, obscure, variant.asks)


@dataclass(frozen=True, slots=True)
class _Variant:
    """A record as it is shown.

    Args:
        origin: the record with the calls that were due before it was made one without; itself
            otherwise.
        reply: what is right in place of a call, where the record does not say it.
        asks: whether that asks for a value.
        is_served: whether the calls that were due are made.
    """

    record: Record
    origin: Record
    reply: str = ""
    asks: bool = False
    is_served: bool = False


_TRIES = 5
_SMALL_TALK = 0.25  # of the records in which no call is due
_LICENCE_OF_TALK = "Apache-2.0"  # ours
_WITH_ASIDE = 0.25
_ASKING_FIRST = 0.8  # few records can lose a value; those that can mostly do
_MOST_ASKED = 2


def _due(record: Record, requests: Requests, underway: float, rng: Random) -> _Variant:
    """The record as it is, or after earlier calls."""
    if rng.random() < underway:
        record = half_done(record, rng) or requests.before(record, rng) or record
    return _Variant(record, record, "" if record.answer else decline(rng))


def _lacking(
    record: Lacking, requests: Requests, around: Surroundings, rng: Random
) -> _Variant | None:
    whole = replace(record, answer=record.due)
    variant = _asking_for(record, whole, requests, around.config.underway, rng)
    if variant is None:
        around.left_out["a request that lacks a value, but none that can be asked for"] += 1
    return variant


def _without_call(
    record: Record, requests: Requests, talk: Iterator[Record], around: Surroundings, rng: Random
) -> _Variant | None:
    """The record without a call that is due: since all is done, a value lacks, or no tool fits."""
    underway = around.config.underway
    small = next(talk, None) if rng.random() < _SMALL_TALK else None
    if small is not None:
        last = parting(record, small.prompt.messages[-1], rng) if rng.random() < underway else None
        if last is not None:
            return _Variant(last, record, decline(rng), is_served=True)
        return _Variant(small, small, decline(rng))
    told = done(record, rng) if rng.random() < underway else None
    if told is not None:
        return _Variant(told, record, is_served=True)
    lacking = without_a_value(record, rng) if rng.random() < _ASKING_FIRST else None
    if lacking is not None:
        return _asking_for(lacking, record, requests, underway, rng)
    behind = requests.before(record, rng) if rng.random() < underway else None
    for base in filter(None, (behind, record)):
        made = irrelevant(base, around.pool, rng)
        if made is not None:
            return _Variant(made, base, decline(rng))
    return None


def _asking_for(
    made: Record, record: Record, requests: Requests, underway: float, rng: Random
) -> _Variant | None:
    """A record that lacks a value, as it is or behind another request, and a question for the value.

    Args:
        record: the same with the call that would be due.
    """
    if rng.random() < underway:
        made = requests.before_lacking(made, record, rng) or made
    call = record.gold[0]
    tool = next(tool for tool in record.prompt.tools if tool.name == call.name)
    missing = missing_arguments(Context(made.prompt.tools, made.prompt.messages, ()), call)
    if not missing:
        return None
    asked = [described(tool, name) for name in missing[:_MOST_ASKED]]
    return _Variant(made, record, ask(asked, rng), asks=True)
