"""Asides: sentences of a request that name a value which is not wanted now."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from random import Random

from fcrewardbench import Prompt
from fcrewardbench.calls.edits.base import Peers, properties, stands_in
from fcrewardbench.calls.edits.dates import moment_of
from fcrewardbench.calls.edits.sites import lacks_preference, leaves, related, shape
from toolrm.records import Record

_ASIDES = (
    "Last time it was {}.",
    "A year ago it was {}, by the way.",
    "Somebody here keeps talking about {}, which I don't mean.",
    "Not {}, as it was before.",
    "My sister had {} the other day.",
    "It used to be {}, but no longer.",
    "Earlier I had asked for {}, forget that.",
    "I know that {} exists, too.",
    "For my colleague it was {}.",
    "Please don't take {} again.",
)
_POINTING = re.compile(r"\b(?:here|there|current|nearby|my|me|our|this|that)\b", re.I)
"""Words by which two texts may mean the same place or person."""
_PATTERNS = tuple(
    re.compile(r"(?:^|(?<=\s))" + "(.{2,40}?)".join(map(re.escape, aside.split("{}"))))
    for aside in _ASIDES
)


def with_aside(record: Record, peers: Peers, rng: Random) -> Record | None:
    """The record, its request with an aside that names another value of one of its parameters.

    None where no text of the answer has a value of like shape elsewhere, or the last turn is not the
    user's.
    """
    messages = record.prompt.messages
    if not record.answer or messages[-1]["role"] != "user":
        return None
    tools = {tool.name: tool for tool in record.prompt.tools}
    said = "\n".join(str(message["content"]) for message in messages).lower()
    due = [leaf for call in record.gold for leaf in leaves(call.arguments)]
    found = []
    for call in record.gold:
        for name, value in call.arguments.items():
            if not isinstance(value, str) or properties(tools[call.name]).get(name, {}).get("enum"):
                continue
            own = peers.get(f"{call.name}.{name}", ())
            found += [
                other
                for other in rng.sample(list(own), min(8, len(own)))
                if isinstance(other, str)
                and shape(other) == shape(value)
                and 2 <= len(other) <= 40
                and not moment_of(other)
                and not lacks_preference(other)
                and not _POINTING.search(f"{value} {other}")
                and not stands_in(other.lower(), said)
                and not any(related(other, str(leaf)) for leaf in due)
            ]
    if not found:
        return None
    aside = rng.choice(_ASIDES).format(rng.choice(found))
    request = str(messages[-1]["content"]).rstrip()
    ended = request if request.endswith((".", "?", "!")) else f"{request}."
    text = f"{aside} {request}" if rng.random() < 0.3 else f"{ended} {aside}"
    prompt = Prompt(record.prompt.tools, (*messages[:-1], {**messages[-1], "content": text}))
    return replace(record, id=f"{record.id}~a{rng.getrandbits(32):08x}", prompt=prompt)


def asides_in(text: str) -> Iterator[str]:
    """The values that asides of a request name."""
    for pattern in _PATTERNS:
        yield from pattern.findall(text)
