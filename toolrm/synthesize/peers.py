"""What parameters are in the answers of other records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import Any

from fcrewardbench.calls.edits.base import Peers
from toolrm.records import Record

_PEERS_KEPT = 300


def peers_of(records: Iterable[Record], seed: int) -> dict[str, tuple[Any, ...]]:
    """By parameter and by `tool.parameter`: values that it takes in the answers of the records."""
    found: defaultdict[str, dict[str, Any]] = defaultdict(dict)

    def note(tool: str, name: str, value: Any) -> None:
        for key in (name, f"{tool}.{name}"):
            found[key].setdefault(repr(value), value)
        if isinstance(value, Mapping):
            for inner, part in value.items():
                note(tool, inner, part)

    for record in records:
        for call in record.gold:
            for name, value in call.arguments.items():
                note(call.name, name, value)
    return {key: _some(values, f"{seed}|{key}") for key, values in found.items()}


def _some(values: Mapping[str, Any], seed: str) -> tuple[Any, ...]:
    if len(values) <= _PEERS_KEPT:
        return tuple(values.values())
    return tuple(Random(seed).sample(list(values.values()), _PEERS_KEPT))


def renamed_peers(peers: Peers, plain: Record, shown: Record) -> Peers:
    """The peers under the names that an obfuscated record has for the parameters of its answer."""
    renamed = dict[str, Sequence[Any]]()
    for old, new in zip(plain.answer, shown.answer, strict=True):
        left = dict(new.arguments)
        for name, values in old.arguments.items():
            other = next((key for key, found in left.items() if found == values), None)
            if other is not None:
                del left[other]
                renamed[other] = peers.get(name, ())
                renamed[f"{new.name}.{other}"] = peers.get(f"{old.name}.{name}", ())
    return renamed
