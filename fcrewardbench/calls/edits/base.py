"""The contract of an edit operator, and what every operator may look at.

An operator takes a task's context, right calls in the answer's order and a seeded generator, and
proposes wrong candidates. It may propose too much: `edited` keeps what the checker finds wrong in
the way that the operator promises. A family is a tuple of operators. Benchmarks and training have a
family each and share no operator, so that no model is tested on the very edits it was trained on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from random import Random
from typing import Any, TypeAlias

from fcrewardbench.calls.check import AdmissibleCall, check
from fcrewardbench.calls.edits.dates import without_moments
from fcrewardbench.calls.parse import parse
from fcrewardbench.calls.tools import schema_of
from fcrewardbench.types import Call, Candidate, ErrorType, JsonObject, Message, Tool

Calls: TypeAlias = tuple[Call, ...]
Peers: TypeAlias = Mapping[str, Sequence[Any]]
"""By parameter name, and by `tool.parameter`: the values it takes in the answers of all tasks."""

_WORDS_FOR_NUMBERS = (
    *("zero", "one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
)
_NUMBER_WORDS = {word: number for number, word in enumerate(_WORDS_FOR_NUMBERS)}
_NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?![\w.]*\d)")


@dataclass(frozen=True)
class Context:
    """A task as operators see it."""

    tools: tuple[Tool, ...]
    messages: tuple[Message, ...]
    answer: tuple[AdmissibleCall, ...]
    peers: Peers = field(default_factory=dict)

    @cached_property
    def text(self) -> str:
        """All turns of the conversation."""
        return "\n".join(str(message["content"]) for message in self.messages)

    @cached_property
    def words(self) -> frozenset[str]:
        """The conversation's words in lower case, numbers written as words as digits too."""
        words = re.findall(r"[a-z]+|\d+", self.text.lower())
        return frozenset(words) | {str(_NUMBER_WORDS[w]) for w in words if w in _NUMBER_WORDS}

    @cached_property
    def numbers(self) -> tuple[float, ...]:
        """The numbers that the conversation names outside dates and times, each once."""
        said = without_moments(self.text)
        found = [float(text.replace(",", "")) for text in _NUMBER.findall(said)]
        found += [
            float(_NUMBER_WORDS[word])
            for word in re.findall(r"[a-z]+", self.text.lower())
            if word in _NUMBER_WORDS
        ]
        return tuple(dict.fromkeys(found))

    def tool(self, name: str) -> Tool:
        """The tool of that name. Raises KeyError where there is none."""
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Tool]:
        return {tool.name: tool for tool in self.tools}

    def named_peers(self, parameter: str) -> tuple[str, ...]:
        """The texts among a parameter's peers that stand in the conversation as whole words.

        Single words stand there in their own case: "I'd love to" names no song "Love".
        """
        if parameter not in self._named_peers:
            said = self.text.lower()
            self._named_peers[parameter] = tuple(
                value
                for value in self.peers.get(parameter, ())
                if isinstance(value, str)
                and len(value) > 2
                and (
                    stands_in(value.lower(), said) if " " in value else stands_in(value, self.text)
                )
            )
        return self._named_peers[parameter]

    @cached_property
    def _named_peers(self) -> dict[str, tuple[str, ...]]:
        return {}

    @cached_property
    def _stems(self) -> frozenset[str]:
        return frozenset(word[:4] for word in self.words if len(word) >= 4)

    def mentions(self, value: Any) -> bool:
        """Whether a part of the value (a word of it, or its number) stands in the conversation."""
        return any(
            word in self.words or (len(word) >= 4 and word[:4] in self._stems)
            for word in re.findall(r"[a-z]{2,}|\d+", str(value).lower())
        )


def stands_in(value: str, text: str) -> bool:
    """Whether a text, or its part before a comma, stands in another as whole words."""
    part = value.split(",", maxsplit=1)[0]
    if part not in text or len(part) < 3:
        return False
    return re.search(rf"(?<!\w){re.escape(part)}(?!\w)", text) is not None


def name_words(text: str) -> list[str]:
    """Words of a name or a description in lower case, camelCase taken apart."""
    return re.findall(r"[a-z]+|\d+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower())


@dataclass(frozen=True, slots=True)
class Operator:
    """A way to go wrong: its id (`kind/manner`), the error it makes, and how."""

    id: str
    error_type: ErrorType
    propose: Callable[[Context, Calls, Random], Iterator[Candidate]]


@dataclass(frozen=True, slots=True)
class Edit:
    """A wrong candidate and the operator that made it."""

    operator: str
    error_type: ErrorType
    candidate: Candidate


def edited(
    family: Sequence[Operator], context: Context, calls: Calls, seed: str, *, each: int
) -> Iterator[Edit]:
    """Wrong candidates, at most `each` per operator, in the family's order.

    Every operator has a generator of its own, seeded with `seed` and its id: an operator more or
    less changes nothing for the others. A candidate is kept where its first failure under all
    admissible answers is the error that the operator promises. One that makes the same call twice
    is left out: it needs no reading to be seen.
    """
    for operator in family:
        rng = Random(f"{seed}|{operator.id}")
        seen: list[Candidate] = []
        for candidate in operator.propose(context, calls, rng):
            if candidate in seen or (_repeats(candidate) and not _repeats(calls)):
                continue
            if not fails_with(candidate, context, operator.error_type):
                continue
            seen.append(candidate)
            yield Edit(operator.id, operator.error_type, candidate)
            if len(seen) == each:
                break


def _repeats(candidate: Candidate) -> bool:
    return not isinstance(candidate, str) and any(candidate.count(call) > 1 for call in candidate)


def fails_with(candidate: Candidate, context: Context, error_type: ErrorType) -> bool:
    """Whether the candidate's first failure has this type; text is parsed to see what is wrong."""
    problem = parse(candidate).problem if isinstance(candidate, str) else None
    first = check(candidate, context.answer, context.tools, unreadable=problem).first
    return first is not None and first.type is error_type


def properties(tool: Tool) -> dict[str, JsonObject]:
    """The parameters that a tool's own description declares, by name, in its order."""
    return dict(schema_of(tool.original).get("properties") or {})


def required(tool: Tool) -> tuple[str, ...]:
    return tuple(schema_of(tool.original).get("required") or ())


def with_arguments(calls: Calls, index: int, arguments: Mapping[str, Any]) -> Calls:
    """The calls with other arguments in one of them, in the order of `arguments`."""
    return (*calls[:index], Call(calls[index].name, dict(arguments)), *calls[index + 1 :])


def in_schema_order(arguments: Mapping[str, Any], tool: Tool) -> dict[str, Any]:
    """Arguments as the schema lists them; what it does not name comes last."""
    order = {name: place for place, name in enumerate(properties(tool))}
    return dict(sorted(arguments.items(), key=lambda item: order.get(item[0], len(order))))
