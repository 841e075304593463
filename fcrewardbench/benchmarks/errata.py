"""Disputed labels: a list that anybody may add to, and what it does to items.

`errata.jsonl` has a line per row: `id`, `reason`, `who`, `when`. A row in it stays in the benchmark,
and every report gives its numbers with and without such rows. Ids of benchmarks other than `open` stand
behind the benchmark's name ("official/live_simple_1-1-0").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from functools import cache
from importlib import resources

from pydantic import BaseModel, ConfigDict

from fcrewardbench.types import Item


class Erratum(BaseModel):
    """One disputed row: its id, why, who says so, and since when."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    reason: str
    who: str
    when: date


@cache
def errata() -> dict[str, Erratum]:
    """The errata that ship, by id."""
    text = (resources.files(__package__) / "data" / "errata.jsonl").read_text(encoding="utf-8")
    listed = [Erratum.model_validate_json(line) for line in text.split("\n") if line]
    return {erratum.id: erratum for erratum in listed}


def with_errata(items: Iterable[Item], prefix: str = "") -> Iterator[Item]:
    """The items, those that are listed with the reason as their doubt."""
    for item in items:
        listed = errata().get(prefix + item.id)
        reasons = [item.doubt, listed.reason if listed else ""]
        yield replace(item, doubt="; ".join(reason for reason in reasons if reason))
