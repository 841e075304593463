"""Records as they are shown: with distractors, obfuscated or not, and some in which no call is due."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from random import Random

from fcrewardbench import Candidate
from fcrewardbench.calls.edits.base import Context, Peers
from toolrm.records import Record
from toolrm.synthesize.abstention import missing_arguments
from toolrm.synthesize.config import SynthesizeConfig
from toolrm.synthesize.distractors import ToolPool, with_distractors
from toolrm.synthesize.irrelevance import irrelevant, without_a_value
from toolrm.synthesize.obfuscate import obfuscated
from toolrm.synthesize.rejected import renamed_peers
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


def prepared(
    records: Iterable[Record], pool: ToolPool, peers: Peers, config: SynthesizeConfig
) -> Iterator[Shown]:
    """The records, and after some of them a variant in which no call is due.

    There are as many variants as it takes to have the share of records without calls, as far as they
    can be made.
    """
    without_call = count = 0
    for record in records:
        rng = Random(f"{config.seed}|{record.id}")
        yield _shown(record, record, record.gold or decline(rng), pool, peers, config, rng)
        count += 1
        without_call += not record.answer
        if record.answer and without_call < config.irrelevance * (count + 1):
            variant = _without_call(record, pool, rng)
            if variant is not None:
                yield _shown(
                    variant.record, record, variant.reply, pool, peers, config, rng, variant.asks
                )
                count += 1
                without_call += 1


def _shown(
    record: Record,
    origin: Record,
    chosen: Candidate,
    pool: ToolPool,
    peers: Peers,
    config: SynthesizeConfig,
    rng: Random,
    asks: bool = False,
) -> Shown:
    tools = frozenset(call.name for call in origin.answer)
    due = len(tools) if record.answer else 0
    missing = rng.randint(*config.distractors) + due - len(record.prompt.tools)
    if missing > 0:
        record = with_distractors(record, pool, rng, missing)
    # The answer that was due goes along, so that it is under the same new names.
    whole = replace(record, answer=origin.answer)
    obscure = rng.random() < config.obfuscated
    if obscure:
        plain, whole = whole, obfuscated(whole, rng)
        peers = renamed_peers(peers, plain, whole)
    if record.answer:
        return Shown(whole, whole, whole.gold, peers, tools, obscure, asks)
    return Shown(replace(whole, answer=()), whole, chosen, peers, tools, obscure, asks)


@dataclass(frozen=True, slots=True)
class _Variant:
    """A record in which no call is due, and the right reply."""

    record: Record
    reply: str
    asks: bool


_ASKING_FIRST = 0.8  # few records can lose a value; those that can mostly do
_MOST_ASKED = 2


def _without_call(record: Record, pool: ToolPool, rng: Random) -> _Variant | None:
    variant = _asking(record, rng) if rng.random() < _ASKING_FIRST else None
    if variant is None:
        made = irrelevant(record, pool, rng)
        variant = None if made is None else _Variant(made, decline(rng), asks=False)
    return variant


def _asking(record: Record, rng: Random) -> _Variant | None:
    made = without_a_value(record, rng)
    if made is None:
        return None
    call = record.gold[0]
    tool = next(tool for tool in record.prompt.tools if tool.name == call.name)
    missing = missing_arguments(Context(made.prompt.tools, made.prompt.messages, ()), call)
    if not missing:
        return None
    asked = [described(tool, name) for name in missing[:_MOST_ASKED]]
    return _Variant(made, ask(asked, rng), asks=True)
