"""Records parted by tool: no tool of the one part occurs in the other."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import replace

from fcrewardbench import Prompt
from fcrewardbench.messages import calls_of
from toolrm.records import Record


def tools_of(record: Record) -> frozenset[str]:
    """The tools that a record cannot do without: those that are due, and those of earlier calls.

    Where no call is due, all that it has.
    """
    if not record.answer:
        return frozenset(tool.name for tool in record.prompt.tools)
    called = [call.name for message in record.prompt.messages for call in calls_of(message)]
    return frozenset([*called, *(call.name for call in record.answer)])


def order_of(seed: int, name: str) -> str:
    """What random orders are sorted by: the same for a name whatever else there is."""
    return hashlib.sha256(f"{seed}|{name}".encode()).hexdigest()


def held_out_tools(
    needed: Iterable[Collection[str]],
    share: float,
    seed: int,
    held_anyway: Collection[str] = (),
) -> frozenset[str]:
    """Tools that together make up to this share of the records, and those that are held out anyway.

    Args:
        needed: the tools of each record. Those of one record stay together.
        held_anyway: tools that count for nothing in the share, as do those that stay with them.
    """
    parents: dict[str, str] = {}

    def root(name: str) -> str:
        parents.setdefault(name, name)
        while parents[name] != name:
            parents[name] = parents[parents[name]]
            name = parents[name]
        return name

    firsts: Counter[str] = Counter()
    total = 0
    for names in needed:
        first, *others = sorted(names)
        for other in others:
            parents[root(other)] = root(first)
        firsts[first] += 1
        total += 1
    sizes: Counter[str] = Counter()
    for name, count in firsts.items():
        sizes[root(name)] += count
    members: defaultdict[str, list[str]] = defaultdict(list)
    for name in sorted(parents):
        members[root(name)].append(name)
    anyway = {root(name) for name in held_anyway}
    left = int(share * (total - sum(sizes[name] for name in anyway)))
    held = {name for name in parents if root(name) in anyway}
    for names in sorted(members.values(), key=lambda names: order_of(seed, names[0])):
        size = sizes[root(names[0])]
        if root(names[0]) not in anyway and size <= left:
            left -= size
            held.update(names)
    return frozenset(held)


def is_spare(name: str, share: float, seed: int) -> bool:
    """Whether the held-out part has a distractor, or a text of small talk, by its name or text."""
    return int(order_of(seed, name)[:8], 16) < share * 16**8


def with_tools(record: Record, names: Collection[str]) -> Record:
    """The record without its tools of other names."""
    tools = tuple(tool for tool in record.prompt.tools if tool.name in names)
    if len(tools) == len(record.prompt.tools):
        return record
    return replace(record, prompt=Prompt(tools, record.prompt.messages))
