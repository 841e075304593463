"""The contract of an equivalence, and what every equivalence may look at.

An equivalence is a function of two values, the one given and one that is due, and of the place where
they stand. It says whether a careful reader may take the one for the other. Where the value due is in
a form that the description asks for and the given one is not, it says no.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from fcrewardbench.calls.doubts.words import content, tokens
from fcrewardbench.calls.edits.base import name_words
from fcrewardbench.types import JsonObject, Prompt, Tool


@dataclass(frozen=True)
class Talk:
    """What was said before the call."""

    prompt: Prompt

    @cached_property
    def text(self) -> str:
        """All turns."""
        return "\n".join(str(message.get("content") or "") for message in self.prompt.messages)

    @cached_property
    def words(self) -> frozenset[str]:
        """The words of all turns, folded, and their singulars."""
        return frozenset(tokens(self.text)) | frozenset(content(self.text))

    def supports(self, text: str) -> bool:
        """Whether every word of a text that carries meaning was said."""
        words = content(text)
        return bool(words) and all(word in self.words for word in words)

    def mentions(self, word: str) -> bool:
        """Whether a word was said, or one with the same first four letters."""
        return word in self.words or (len(word) >= 4 and word[:4] in self._stems)

    @cached_property
    def _stems(self) -> frozenset[str]:
        return frozenset(word[:4] for word in self.words if len(word) >= 4)

    def quotes(self, text: str) -> bool:
        """Whether the text stands in the conversation, word for word."""
        words = " ".join(tokens(text))
        return bool(words) and f" {words} " in self._running

    @cached_property
    def _running(self) -> str:
        return f" {' '.join(tokens(self.text))} "


@dataclass(frozen=True)
class Place:
    """Where a value stands. `key` is the innermost name: the parameter's or that of a key in it."""

    tool: Tool
    key: str
    schema: JsonObject
    talk: Talk

    @cached_property
    def description(self) -> str:
        return str(self.schema.get("description") or "")

    @cached_property
    def names(self) -> frozenset[str]:
        """The words of the key."""
        return frozenset(name_words(self.key))

    @cached_property
    def exact(self) -> bool:
        """Whether every sign of the value counts: ids, paths, commands, code."""
        return bool(_EXACT.search("_".join(name_words(self.key))))

    @cached_property
    def free(self) -> bool:
        """Whether the value is wording of the model's own: a message, a search, a title."""
        return bool(self.names & _FREE) and not self.exact

    def within(self, key: str | None) -> Place:
        """The place of an item of a list, or of a key of an object."""
        if key is None:
            schema = self.schema.get("items")
        else:
            schema = (self.schema.get("properties") or {}).get(key)
        inner = dict(schema) if isinstance(schema, dict) else {}
        if key is None:
            inner.setdefault("description", self.description)
        return Place(self.tool, key or self.key, inner, self.talk)


Equivalence: TypeAlias = Callable[[Any, Any, Place], bool]

_EXACT = re.compile(
    r"(?:^|_)(?:ids?|uuid|path|file|command|cmd|sql|email|phone|token|password|key|code|regex|dir)$"
    r"|^(?:id|uuid|path|file|command|code|sql|folder)(?:_|$)"
)
_FREE_NAMES = """
query message title body description prompt content text question note notes comment subject purpose
reason keyword keywords search instruction instructions summary topic caption details statement sentence
q problem issue feedback review task goal theme idea context request
"""
_FREE = frozenset(_FREE_NAMES.split())
