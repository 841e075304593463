"""Data sets to compare with, and what of a prompt is in them, too: queries, tool names, tool schemas.

Texts are compared as words, without case and punctuation. *Exact* is equal text. *Near* is a Jaccard
similarity of at least `THRESHOLDS` between the sets of their words and pairs of neighbouring words.
MinHash finds the candidates, of which the similarity is then computed, so nothing is reported that is
not so; it misses one in 80 at a similarity of 0.6, one in 6,500 at 0.7.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, Literal, TypeAlias

from fcrewardbench import MissingExtra, Prompt, Tool

Kind: TypeAlias = Literal["tool name", "tool schema", "query"]
KINDS: tuple[Kind, ...] = ("tool name", "tool schema", "query")
THRESHOLDS: Mapping[Kind, float] = {"tool schema": 0.6, "query": 0.7}
"""Measured on BFCL, the downstream sets, SGD, SNIPS, glaive and Seal-Tools. A query of BFCL or of a
downstream set is found again in 90 % of the cases with a word replaced, in 96 % with one left out.
One in a thousand turns of SGD, SNIPS and Taskmaster is taken for one of theirs; about half of these
share no more than a template ("What is the weather like in …"). Schemas from 0.6 on were the same
tool reworded, all of them; templates ("Retrieve information about a …") reach 0.57.
"""
WORDS = 5
"""A shorter text says too little: it counts as a query only where the user says nothing longer, and
is compared for equality alone."""
_BANDS, _ROWS = 32, 4
_CACHED = 2**17
_Parts: TypeAlias = tuple[tuple[str, ...], ...]
"""The words of a text whose parts have no order."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A data set that training data are compared with.

    Args:
        queries: (id of an item, what the user says there).
        tools: (id of an item, a tool on offer there).
        shared: what it may share with training data: such matches are reported, not refused.
        in_domain: whether training data come from where it comes from.
    """

    name: str
    queries: tuple[tuple[str, str], ...]
    tools: tuple[tuple[str, Tool], ...]
    shared: frozenset[Kind] = frozenset()
    in_domain: bool = False

    @property
    def sha256(self) -> str:
        """The hash of all that is compared."""
        tools = [(item, tool.name, tool.description, tool.parameters) for item, tool in self.tools]
        return hash_of([self.name, self.queries, tools, sorted(self.shared)])


def reference_of(
    name: str,
    items: Iterable[tuple[str, Prompt]],
    shared: Iterable[Kind] = (),
    *,
    in_domain: bool = False,
) -> Reference:
    """A reference out of prompts with their ids; of what several items share the first is named."""
    queries: dict[str, str] = {}
    tools: dict[tuple[str, str, str], tuple[str, Tool]] = {}
    for item, prompt in items:
        for query in queries_of(prompt):
            queries.setdefault(query, item)
        for tool in prompt.tools:
            key = (tool.name, tool.description, json.dumps(tool.parameters))
            tools.setdefault(key, (item, tool))
    by_item = tuple((item, query) for query, item in queries.items())
    return Reference(name, by_item, tuple(tools.values()), frozenset(shared), in_domain)


def queries_of(prompt: Prompt) -> tuple[str, ...]:
    """The user's turns of at least `WORDS` words; where there is none, all that the user says.

    Stock replies ("Yes, that's right") are in every dialogue and say nothing of where it is from.
    """
    turns = [str(turn.get("content") or "") for turn in prompt.messages if turn["role"] == "user"]
    long = tuple(turn for turn in turns if len(_words(turn)) >= WORDS)
    return long or ((" ".join(turns),) if turns else ())


@dataclass(frozen=True, slots=True)
class Match:
    """Something of a prompt in an item of a reference: the place of that reference, and its text."""

    kind: Kind
    exact: bool
    similarity: float
    reference: int
    item: str
    theirs: str

    @property
    def rank(self) -> tuple[bool, float, int]:
        """Exact before near, then the more similar, then the first reference."""
        return self.exact, self.similarity, -self.reference


class Index:
    """References, ready to be asked. What was asked before is remembered."""

    def __init__(self, references: tuple[Reference, ...]) -> None:
        self.references = references
        self._names: dict[str, dict[int, tuple[str, str]]] = {}
        self._last_parts: dict[str, dict[int, tuple[str, str]]] = {}
        queries, schemas = _Texts("query"), _Texts("tool schema")
        for place, reference in enumerate(references):
            for item, query in reference.queries:
                words = _words(query)
                queries.add(" ".join(words), (words,), place, item, query)
            for item, tool in reference.tools:
                for name, names in (
                    (_plain(tool.name), self._names),
                    (_plain(re.split(r"[._]", tool.name)[-1]), self._last_parts),
                ):
                    if name:
                        names.setdefault(name, {}).setdefault(place, (item, tool.name))
                schemas.add(*_content(tool), place, item, _shown(tool))
        self._query = lru_cache(_CACHED)(queries.matches)
        self._schema = lru_cache(_CACHED)(schemas.matches)
        self._name = lru_cache(_CACHED)(self._name_matches)

    def matches(self, prompt: Prompt) -> Iterator[tuple[str, Match]]:
        """Everything of a prompt that a reference has, too: what it is in the prompt, and where."""
        for query in queries_of(prompt):
            words = _words(query)
            for match in self._query(" ".join(words), (words,)):
                yield query, match
        for tool in prompt.tools:
            for match in (*self._name(tool.name), *self._schema(*_content(tool))):
                yield _shown(tool), match

    def _name_matches(self, name: str) -> tuple[Match, ...]:
        """Whole names first; `module.name` and `Service_1_Intent` by what is after the prefix, too."""
        found: dict[int, Match] = {}
        bare = re.split(r"\.|_\d+_", name)[-1]
        for exact, ours, known in (
            (True, name, self._names),
            (False, name, self._last_parts),
            (False, bare, self._names),
            (False, bare, self._last_parts),
        ):
            for place, (item, theirs) in known.get(_plain(ours), {}).items():
                found.setdefault(place, Match("tool name", exact, 1.0, place, item, theirs))
        return tuple(found.values())


class _Texts:
    """Texts of one kind, to be found by equality and by likeness."""

    def __init__(self, kind: Kind) -> None:
        try:
            from datasketch import MinHash, MinHashLSH  # type: ignore[import-untyped]
        except ImportError:
            raise MissingExtra("datasketch", "train") from None
        self._kind = kind
        self._known: dict[str, dict[int, tuple[str, str]]] = {}
        self._shingles: dict[str, frozenset[str]] = {}
        self._blank = MinHash(_BANDS * _ROWS)
        self._near = MinHashLSH(num_perm=_BANDS * _ROWS, params=(_BANDS, _ROWS))

    def add(self, content: str, parts: _Parts, reference: int, item: str, shown: str) -> None:
        """A text of a reference; one without words can be found by nothing."""
        if not any(parts):
            return
        if content not in self._known:
            self._known[content] = {}
            if _is_long(parts):
                self._shingles[content] = _shingles(parts)
                self._near.insert(content, self._minhash(self._shingles[content]))
        self._known[content].setdefault(reference, (item, shown))

    def matches(self, content: str, parts: _Parts) -> tuple[Match, ...]:
        """The most similar text of every reference that has one."""
        similar = [(1.0, content)] if content in self._known else []
        if _is_long(parts):
            ours = _shingles(parts)
            for other in self._near.query(self._minhash(ours)):
                theirs = self._shingles[other]
                similarity = len(ours & theirs) / len(ours | theirs)
                if other != content and similarity >= THRESHOLDS[self._kind]:
                    similar.append((similarity, other))
        found: dict[int, Match] = {}
        for similarity, other in similar:
            for reference, (item, shown) in self._known[other].items():
                match = Match(self._kind, other == content, similarity, reference, item, shown)
                if reference not in found or match.rank > found[reference].rank:
                    found[reference] = match
        return tuple(found.values())

    def _minhash(self, shingles: frozenset[str]) -> Any:
        minhash = self._blank.copy()
        minhash.update_batch([shingle.encode() for shingle in shingles])
        return minhash


def _content(tool: Tool) -> tuple[str, _Parts]:
    """What a tool says of itself, whatever its name and those of its parameters.

    As a text to be compared for equality, and as the words of each description in it. The order of
    parameters does not count.
    """
    described = sorted(_described(tool.parameters))
    parts = (_words(tool.description), *(words for words, _ in described))
    kinds = " ".join(kind for _, kind in described)
    return f"{' / '.join(map(' '.join, parts))} / {kinds}", parts


def _described(schema: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    """The words and the type of a schema and of all that is in it."""
    if not isinstance(schema, Mapping):
        return
    text = f"{schema.get('description') or ''} {_listed(schema.get('enum'))}"
    yield _words(text), str(schema.get("type"))
    for key in ("properties", "patternProperties", "$defs", "definitions"):
        inner = schema.get(key)
        if isinstance(inner, Mapping):
            for part in inner.values():
                yield from _described(part)
    for key in ("anyOf", "oneOf", "allOf"):
        inner = schema.get(key)
        if isinstance(inner, list):
            for part in inner:
                yield from _described(part)
    for key in ("items", "additionalProperties", "not"):
        yield from _described(schema.get(key))


def _listed(values: Any) -> str:
    return " ".join(map(str, values)) if isinstance(values, list) else ""


def _shown(tool: Tool) -> str:
    return f"{tool.name}: {tool.description}"


@lru_cache(_CACHED)
def _words(text: str) -> tuple[str, ...]:
    """The words of a text, case folded; "what's" is one."""
    return tuple(_WORD.findall(_APOSTROPHES.sub("", text.casefold())))


_WORD = re.compile(r"[^\W_]+")
_APOSTROPHES = re.compile("['’]")


def _plain(name: str) -> str:
    """A name without case and separators."""
    return "".join(_WORD.findall(name)).casefold()


def _is_long(parts: _Parts) -> bool:
    return sum(map(len, parts)) >= WORDS


def _shingles(parts: _Parts) -> frozenset[str]:
    """Words, and pairs of neighbouring words."""
    found: set[str] = set()
    for words in parts:
        found.update(words)
        found.update(map(" ".join, pairwise(words)))
    return frozenset(found)


def hash_of(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
