"""The nouns of the toolkit. Everything else is a function over them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, TypeAlias

JsonObject: TypeAlias = Mapping[str, Any]
Message: TypeAlias = Mapping[str, Any]
"""One turn of a conversation, in the OpenAI shape: at least `role` and `content`."""


class ErrorType(StrEnum):
    """Why a candidate is wrong: the paper's eight names, and the two abstention errors besides."""

    VALUE = "parameter value error"
    NAME = "incorrect function name"
    COUNT = "incorrect number of function calls"
    MISSING_OPTIONAL = "missing optional parameter"
    MISSING_REQUIRED = "missing required parameter"
    TYPE = "parameter value type error"
    UNEXPECTED = "unexpected parameter"
    PARSING = "parsing error"
    NO_CALL = "no call"
    SHOULD_NOT_CALL = "should not have called"


class Outcome(StrEnum):
    """What one pair came to. Never folded into each other."""

    WIN = "win"
    LOSS = "loss"
    TIE = "tie"
    INCONSISTENT = "inconsistent"
    UNPARSED = "unparsed"
    REFUSED = "refused"
    TOO_LONG = "too_long"
    ERROR = "error"

    @property
    def credit(self) -> float:
        """1 for a win, ½ for a tie or a judge that changes with the order, 0 for the rest."""
        if self is Outcome.WIN:
            return 1.0
        return 0.5 if self in (Outcome.TIE, Outcome.INCONSISTENT) else 0.0


class Verdict(StrEnum):
    """What a judge said about two candidates in one order."""

    FIRST = "first"
    SECOND = "second"
    TIE = "tie"
    UNPARSED = "unparsed"
    REFUSED = "refused"
    TOO_LONG = "too_long"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Tool:
    """A function description in the OpenAI shape.

    `parameters` is plain JSON Schema; `original` is the description as its source wrote it
    (BFCL's `dict`, `float`, `tuple`… types included).
    """

    name: str
    description: str
    parameters: JsonObject
    original: JsonObject = field(repr=False)

    def as_openai(self) -> dict[str, Any]:
        """The tool as chat templates and chat-completion servers expect it."""
        return {
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.description,
                "parameters": self.parameters,
            },
        }


@dataclass(frozen=True, slots=True)
class Call:
    """One function call. `arguments` is a JSON object."""

    name: str
    arguments: JsonObject

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "arguments": dict(self.arguments)}


Candidate: TypeAlias = tuple[Call, ...] | str
"""What a model answered: its calls, or its text where it answered in words or unparsably."""


@dataclass(frozen=True)
class Prompt:
    """What the model saw: tools and conversation."""

    tools: tuple[Tool, ...]
    messages: tuple[Message, ...]

    @cached_property
    def catalogue(self) -> str:
        """A hash of the tools. Pairs that share it are one cluster of the bootstrap."""
        text = json.dumps([tool.original for tool in self.tools], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Group:
    """One prompt and n candidates: what a scorer gets. `correct` is None where nobody knows."""

    id: str
    prompt: Prompt
    candidates: tuple[Candidate, ...]
    correct: tuple[bool, ...] | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """One prompt, one right candidate, one wrong one, and why it is wrong.

    `doubt` says why the label is disputed; it is empty where nobody does.
    """

    id: str
    prompt: Prompt
    chosen: Candidate
    rejected: Candidate
    error_type: str
    category: str
    generator: str
    doubt: str = ""

    def group(self) -> Group:
        """The pair as a group of two, in an order that only the id decides.

        A scorer that prefers the first candidate whatever it says gets 50 %, not 100 %.
        """
        chosen_first = hashlib.sha256(self.id.encode()).digest()[0] % 2 == 0
        if chosen_first:
            return Group(self.id, self.prompt, (self.chosen, self.rejected), (True, False))
        return Group(self.id, self.prompt, (self.rejected, self.chosen), (False, True))


@dataclass(frozen=True, slots=True)
class CandidateSet:
    """One prompt and several candidates, each right or wrong: what best-of-n chooses from.

    `error_types` and `generators` have an entry per candidate; the error type of a right one is empty.
    """

    id: str
    prompt: Prompt
    candidates: tuple[Candidate, ...]
    correct: tuple[bool, ...]
    error_types: tuple[str, ...]
    generators: tuple[str, ...]
    category: str
    doubt: str = ""

    @property
    def error_type(self) -> str:
        """What sets are counted by: how many of the candidates are right."""
        return f"{sum(self.correct)} of {len(self.correct)} right"

    @property
    def generator(self) -> str:
        return "several"

    def group(self) -> Group:
        """The candidates in an order that only the id decides; see `Pair.group`."""
        places = range(len(self.candidates))
        order = sorted(places, key=lambda i: hashlib.sha256(f"{self.id}\n{i}".encode()).digest())
        return Group(
            self.id,
            self.prompt,
            tuple(self.candidates[place] for place in order),
            tuple(self.correct[place] for place in order),
        )


Item: TypeAlias = Pair | CandidateSet
"""One row of a benchmark."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Items with a name. `sha256` is the hash of their content, whatever file they came from.

    Where `balanced`, accuracy is the mean over error types instead of over items, so that no standing
    preference earns more than half.
    """

    name: str
    edition: str
    items: tuple[Item, ...]
    sha256: str
    subset: str = ""
    balanced: bool = False

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The items that are pairs."""
        return tuple(item for item in self.items if isinstance(item, Pair))

    @property
    def title(self) -> str:
        """`open@2/core`; without a subset `official@…`."""
        return f"{self.name}@{self.edition}" + (f"/{self.subset}" if self.subset else "")


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of one group: `naive` with a full pass per candidate, `computed` what was really done.

    Padding is part of `computed`. For an API, both are the prompt and completion tokens billed.
    """

    naive: int = 0
    computed: int = 0

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(self.naive + other.naive, self.computed + other.computed)


@dataclass(frozen=True, slots=True)
class Input:
    """What a model reads at once: one candidate of a scorer, one order of a judge.

    `ids` are the token ids as they are fed, special tokens included; there are none where the adapter
    sends text. The first `start` of them are the prompt's.
    """

    text: str
    ids: tuple[int, ...] = ()
    start: int = 0


@dataclass(frozen=True, slots=True)
class Scored:
    """A scorer's answer for one group: a number per candidate, or the outcome that prevented it."""

    id: str
    scores: tuple[float, ...] | None
    tokens: Tokens = Tokens()
    failure: Outcome | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """A judge's answer for two candidates: verdicts in the order given and in the swapped order.

    Each verdict names a position in its own order. `replies` holds what the judge wrote.
    """

    id: str
    verdicts: tuple[Verdict, Verdict]
    tokens: Tokens = Tokens()
    replies: tuple[str, str] = ("", "")
    detail: str = ""
