"""Other tools beside those that a record needs: near ones, but none that could serve it as well."""

from __future__ import annotations

import heapq
import json
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random

from fcrewardbench import Prompt, Tool
from toolrm.records import Record


def listed(text: str) -> tuple[str, ...]:
    """A list of words, written as running text."""
    return tuple(text.split())


READING = "get"
"""What `words_of` writes for every verb that only asks for something to be shown."""

_READING = frozenset(
    listed(
        """
        get retrieve find search fetch show list lookup look provide view query obtain return give
        check read see display browse access request
        """
    )
)
_NOISE = frozenset(
    listed(
        """
        a an the of for in on at to from by with and or as is are be this that which you your user
        users it its specific given particular certain specified desired information info detail
        details data about based related want want using used use name id identifier unique api
        function tool all any new various allow allows enable enables can will into between one up e
        g eg
        """
    )
)
_SAME = {
    word: line.split()[0]
    for line in """
        text sentence phrase passage string
        film movie cinema
        song track tune music
        picture image photo photograph
        car vehicle automobile auto
        place location city town area region venue
        person people individual
        flight airfare plane
        hotel accommodation lodging room
        create make add generate build
        delete remove erase
        update modify change edit
        reserve book booking reservation
        compute calculate determine estimate
        buy purchase order
        cost price fare
        send transmit
        job position career
        doctor physician dentist
        restaurant diner eatery
        event concert show
        begin start launch initiate
    """.strip().splitlines()
    for word in line.split()
}
_LOOKED_AT = 300  # tools of a word that are weighed; of a more frequent word, a sample
_NEAR = 0.15  # likeness from which tools are near


@lru_cache(maxsize=50_000)
def words_of(text: str) -> frozenset[str]:
    """The stems that tell what a name or description is about, one for words that mean the same."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", text)
    return frozenset(_stem(part.lower()) for part in parts) - _NOISE


def _stem(word: str) -> str:
    if word in _NOISE or word in _READING:
        return READING if word in _READING else word
    if word.removesuffix("s") in _SAME:
        word = word.removesuffix("s")
    elif len(word) > 4:
        word = re.sub(r"(?<=[^s])s$", "", re.sub(r"ies$", "y", word))
    word = _SAME.get(word, word)
    return READING if word in _READING else word


@dataclass(frozen=True, slots=True)
class Traits:
    """What tools are compared by. `service` is `Hotels_2` in `Hotels_2_Search`, or empty."""

    name: frozenset[str]
    about: frozenset[str]
    parameters: frozenset[str]
    service: str

    @property
    def words(self) -> frozenset[str]:
        return self.name | self.about


def traits_of(tool: Tool) -> Traits:
    properties = tool.parameters.get("properties") or {}
    names = frozenset(re.sub(r"[\W_]", "", name).lower() for name in properties)
    service = re.match(r"(.+_\d+)(?=_[^_]+$)|(.+)(?=\.[^.]+$)", tool.name)
    return Traits(
        words_of(tool.name), words_of(tool.description), names, service[0] if service else ""
    )


def alike(one: Traits, other: Traits) -> bool:
    """Whether a request that one tool serves could be served by the other as well.

    Taken to be so where the words of one's name, or of its description, are all among the other's,
    where the descriptions are nearly equal, or the parameters equal and the descriptions similar.
    """
    if _contained(one.name, other.name) or _contained(one.about, other.about):
        return True
    shared = _jaccard(one.about, other.about)
    same_parameters = bool(one.parameters) and one.parameters == other.parameters
    return shared >= 0.6 or (same_parameters and shared >= 0.3)


def _contained(one: frozenset[str], other: frozenset[str]) -> bool:
    small, large = sorted((one, other), key=len)
    return bool(small - {READING}) and small <= large


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other) if one or other else 0.0


class ToolPool:
    """Distinct tools, found by the words of their names and descriptions."""

    def __init__(self, tools: Iterable[Tool]) -> None:
        distinct = {json.dumps(tool.as_openai(), sort_keys=True): tool for tool in tools}
        self.tools = tuple(distinct.values())
        self.traits = tuple(map(traits_of, self.tools))
        places: defaultdict[str, list[int]] = defaultdict(list)
        for place, traits in enumerate(self.traits):
            for word in sorted(traits.words):
                places[word].append(place)
        self._places = dict(places)
        self._weights = {
            word: math.log((1 + len(self.tools)) / len(found)) for word, found in places.items()
        }

    @classmethod
    def of(cls, records: Iterable[Record]) -> ToolPool:
        """The pool of all tools in records."""
        return cls(tool for record in records for tool in record.prompt.tools)

    def likeness(self, one: Traits, other: Traits) -> float:
        """0 to 1: the weight of the words in common, rare ones weighing more."""
        common = self._weight(one.words & other.words)
        return common / self._weight(one.words | other.words) if common else 0.0

    def near(self, targets: Sequence[Traits], rng: Random, most: int) -> list[int]:
        """Places of up to `most` tools that have words in common with a target, the likest first."""
        scores: defaultdict[int, float] = defaultdict(float)
        for word in sorted({word for target in targets for word in target.words}):
            found = self._places.get(word, [])
            if len(found) > _LOOKED_AT:
                found = rng.sample(found, _LOOKED_AT)
            for place in found:
                scores[place] += self._weights[word]
        return heapq.nlargest(most, scores, key=lambda place: (scores[place], place))

    def picked(
        self,
        targets: Sequence[Traits],
        taken: Iterable[str],
        rng: Random,
        count: int,
        admitted: Callable[[Traits], bool],
    ) -> list[Tool]:
        """Up to `count` tools whose names are not taken: three of four near the targets, one at random.

        Where too few near ones are admitted, the rest is random, too.
        """
        names = {_key(name) for name in taken}
        chosen: list[Tool] = []

        def take(place: int) -> None:
            tool = self.tools[place]
            if _key(tool.name) not in names and admitted(self.traits[place]):
                names.add(_key(tool.name))
                chosen.append(tool)

        near_ones = (3 * count + rng.randrange(4)) // 4
        likest = self.near(targets, rng, 12 * near_ones) if near_ones else []
        for place in rng.sample(likest, len(likest)):
            if len(chosen) == near_ones:
                break
            if any(self.likeness(self.traits[place], target) >= _NEAR for target in targets):
                take(place)
        for _ in range(20 * count):
            if len(chosen) == count or not self.tools:
                break
            take(rng.randrange(len(self.tools)))
        return chosen

    def _weight(self, words: frozenset[str]) -> float:
        unseen = math.log(1 + len(self.tools))
        return math.fsum(self._weights.get(word, unseen) for word in words)


def _key(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()


def with_distractors(record: Record, pool: ToolPool, rng: Random, count: int) -> Record:
    """The record with up to `count` other tools among its own, in a new order; the id gets a suffix.

    None of them could serve the request as well as a tool of the answer (see `alike`). Where no call is
    due, they have no word in common with what the user says, that none is due with them either.
    """
    tools = record.prompt.tools
    due = {call.name for call in record.answer}
    gold = [traits_of(tool) for tool in tools if tool.name in due]
    said = _said(record)

    def admitted(traits: Traits) -> bool:
        if not gold:
            return traits.words.isdisjoint(said - {READING})
        return not any(alike(traits, target) for target in gold)

    targets = gold or [traits_of(tool) for tool in tools]
    added = pool.picked(targets, [tool.name for tool in tools], rng, count, admitted)
    together = [*tools, *added]
    prompt = Prompt(tuple(rng.sample(together, len(together))), record.prompt.messages)
    return replace(record, id=f"{record.id}~d{rng.getrandbits(32):08x}", prompt=prompt)


def _said(record: Record) -> frozenset[str]:
    texts = [str(turn.get("content")) for turn in record.prompt.messages if turn["role"] == "user"]
    return words_of("\n".join(texts))
