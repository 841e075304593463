"""Records in which no call is due: made of records in which one was, or of small talk."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from random import Random

import yaml

from fcrewardbench import Prompt, Tool
from fcrewardbench.calls.tools import schema_of
from fcrewardbench.messages import calls_of
from fcrewardbench.types import Message
from toolrm.records import Record
from toolrm.synthesize.distractors import (
    READING,
    ToolPool,
    Traits,
    alike,
    listed,
    traits_of,
    words_of,
)

_UNRELATED = (
    0.25  # likeness to a tool of the answer that a tool of an irrelevance record stays below
)
_PLACES = ("in", "at", "near", "from")
_OTHERS = ("for", "to", "by", "on")
# Words that a preposition belongs to ("look for", "go to"), or that cannot end a sentence.
_NEEDY = frozenset(
    listed(
        """
        put look looking search searching ask asking wait waiting go going get getting listen
        listening talk speak travel travelling traveling fly flying drive move moving head heading
        live living stay staying come coming pay care apply belong refer send sent sending switch
        change changing set convert translate compare add connect subscribe give bring is are am
        be been was were it its me us him her them the a an and or but nor from to in at on of
        with by for near than as that which who this these those my your our interested based
        located depart departing departs leave leaving arrive arriving born up down out over into
        between not only also like want need one ones called named written directed made sung
        there destination headed close next due according access addition respect regard similar
        thanks here
        """
    )
)
_TRUTH = frozenset(listed("true false yes no on off"))  # what is not said is mostly not wanted
_KNOWN_WITHOUT = re.compile(
    r"default|optional|current|if (?:not|omitted|none)|leave", re.IGNORECASE
)


def irrelevant(record: Record, pool: ToolPool, rng: Random) -> Record | None:
    """The conversation with as many tools, of which none can serve it, so that no call is due.

    The tools of the answer are gone, and so are those that have to do with them: by their words, or
    because their names say that they belong to one service. Obfuscate names afterwards, not before.

    Returns:
        None where the record has no call, where the last turn is not the user's, where an earlier turn
        called a tool that would have to go, or where the pool has no other tool.
    """
    tools, messages = record.prompt.tools, record.prompt.messages
    due = {call.name for call in record.answer}
    if not due or messages[-1]["role"] != "user":
        return None
    gold = [traits_of(tool) for tool in tools if tool.name in due]

    services = {target.service for target in gold} - {""}

    def admitted(traits: Traits) -> bool:
        return traits.service not in services and not any(
            alike(traits, target) or pool.likeness(traits, target) >= _UNRELATED for target in gold
        )

    staying = [tool for tool in tools if tool.name not in due and admitted(traits_of(tool))]
    kept = {tool.name for tool in staying}
    if any(call.name not in kept for turn in messages for call in calls_of(turn)):
        return None
    names = [tool.name for tool in tools]
    coming = pool.picked(gold, names, rng, len(tools) - len(staying), admitted)
    together = [*staying, *coming]
    if not together:
        return None
    prompt = Prompt(tuple(rng.sample(together, len(together))), messages)
    return replace(record, id=f"{record.id}~i{rng.getrandbits(32):08x}", prompt=prompt, answer=())


def without_a_value(record: Record, rng: Random) -> Record | None:
    """The record with the text of a required argument cut out of the request: one has to ask back.

    Returns:
        None where that cannot be made surely. It can where one call is due, the last turn is the
        user's, and the value is said in no other place than at the end of one of its sentences,
        behind a preposition that the sentence can do without, and where no earlier turn gives the
        parameter a value, be it another one.
    """
    messages = record.prompt.messages
    if len(record.answer) != 1 or messages[-1]["role"] != "user":
        return None
    call = record.answer[0]
    tool = next(tool for tool in record.prompt.tools if tool.name == call.name)
    text = str(messages[-1]["content"])
    elsewhere = json.dumps([dict(turn) for turn in messages[:-1]], default=str, ensure_ascii=False)
    cuts = []
    for name in schema_of(tool.original).get("required") or ():
        values = call.arguments.get(name, ())
        if "" in values or not all(isinstance(value, str) for value in values):
            continue
        if not _needed(tool, name) or _given_before(messages[:-1], tool, name, values[0]):
            continue
        for value in values:
            cut = _cut(text, value)
            rest = f"{cut}\n{elsewhere}".lower()
            if cut is not None and not any(_any_of(other, rest) for other in values):
                cuts.append(cut)
                break
    if not cuts:
        return None
    last = {**messages[-1], "content": rng.choice(cuts)}
    prompt = Prompt(record.prompt.tools, (*messages[:-1], last))
    return replace(record, id=f"{record.id}~w{rng.getrandbits(32):08x}", prompt=prompt, answer=())


def _needed(tool: Tool, name: str) -> bool:
    """Whether nothing but the user can say the value."""
    schema = tool.parameters["properties"].get(name) or {}
    if schema.get("type") != "string" or "default" in schema:
        return False
    members = schema.get("enum") or (0, 1)
    if len(members) < 2 or {str(member).lower() for member in members} <= _TRUTH:
        return False
    return _KNOWN_WITHOUT.search(str(schema.get("description", ""))) is None


def _given_before(turns: Sequence[Message], tool: Tool, name: str, value: str) -> bool:
    """Whether earlier turns give a parameter some value: in a call, in a result, or in words.

    In words it is a member of the parameter's enum or, for a value with a capital letter, anything
    with one behind a preposition: rather one too many than one that need not be asked for.
    """
    for turn in turns:
        said = str(turn.get("content") or "")
        if any(name in call.arguments for call in calls_of(turn)):
            return True
        if turn["role"] == "tool" and re.search(rf"[\"']{re.escape(name)}[\"']\s*:", said):
            return True
        schema = tool.parameters["properties"].get(name) or {}
        if any(_any_of(str(member), said.lower()) for member in schema.get("enum") or ()):
            return True
        named = rf"\b(?:{'|'.join((*_PLACES, *_OTHERS))}) (?:the )?[A-Z0-9]"
        if turn["role"] == "user" and not value.islower() and re.search(named, said):
            return True
    return False


def _any_of(value: str, text: str) -> bool:
    """Whether a text has any telling word of a value."""
    words = [word for word in re.findall(r"\w+", value.lower()) if len(word) > 2 or word.isdigit()]
    return any(re.search(rf"\b{re.escape(word)}\b", text) for word in words or [value.lower()])


def _cut(text: str, value: str) -> str | None:
    """The text without "in <value>" at the end of a sentence; None where that could break it."""
    said = re.escape(value)
    if len(re.findall(rf"(?<!\w){said}(?!\w)", text, re.IGNORECASE)) != 1:
        return None
    prepositions = "|".join((*_PLACES, *_OTHERS))
    pattern = rf"(\w+)\s+(?:{prepositions})\s+(?:the\s+)?{said}(?=\s*[.?!](?:\s|$)|\s*$)"
    found = re.search(pattern, text, re.IGNORECASE)
    if found is None or found[1].lower() in _NEEDY or len(found[1]) < 3:
        return None
    sentence = re.split(r"[.?!]\s", text[: found.end(1)])[-1]
    if len(sentence.split()) < 4 or re.search(r"\b(?:either|between|both)\b", sentence, re.I):
        return None
    rest = text[: found.end(1)] + text[found.end() :]
    return None if re.search(r"\bthere\b", rest, re.IGNORECASE) else rest


def unrelated(
    pool: ToolPool, rng: Random, number: int, licence: str, is_own: Callable[[str], bool]
) -> Iterator[Record]:
    """Small talk and questions that anybody can answer, next to tools that have nothing to do with it.

    No two are equal. There are fewer records than `number` where there are no more texts: each comes by
    itself and behind a greeting; or where the pool has no tools.

    Args:
        is_own: whether a text is of the part that the records are for.
    """
    talk = _small_talk()
    own = [text for text in talk["texts"] if is_own(text)]
    longer = [text for text in own if len(text.split()) > _SHORT]
    texts = rng.sample(own, len(own))
    for opener in rng.sample(talk["openers"], len(talk["openers"])):
        texts += [_behind(opener, text) for text in rng.sample(longer, len(longer))]
    count = 0
    for text in texts:
        if count >= number or not pool.tools:
            return
        tools = _at_random(pool, words_of(text), rng)
        if tools:
            count += 1
            prompt = Prompt(tuple(tools), ({"role": "user", "content": text},))
            name = hashlib.sha256(text.encode()).hexdigest()[:12]
            yield Record(f"small-talk/{name}", "small-talk", licence, prompt, ())


def _behind(opener: str, text: str) -> str:
    goes_on = opener.endswith((",", ":")) and not re.match(r"I\b", text)
    return f"{opener} {text[0].lower()}{text[1:]}" if goes_on else f"{opener} {text}"


_SHORT = 4  # words of a greeting, which no other one goes before
_MOST_TOOLS = 4


def _at_random(pool: ToolPool, said: frozenset[str], rng: Random) -> list[Tool]:
    """One to four tools that have no word in common with what is said."""
    count = rng.randint(1, _MOST_TOOLS)
    chosen: dict[str, Tool] = {}
    for _ in range(20 * count):
        place = rng.randrange(len(pool.tools))
        if len(chosen) < count and pool.traits[place].words.isdisjoint(said - {READING}):
            chosen.setdefault(pool.tools[place].name, pool.tools[place])
    return list(chosen.values())


@cache
def _small_talk() -> dict[str, list[str]]:
    text = (files(__package__) / "small_talk.yaml").read_text("utf-8")
    return dict(yaml.safe_load(text))
