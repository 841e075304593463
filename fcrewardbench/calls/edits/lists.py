"""Lists with an item too few or too many."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random
from typing import Any

from fcrewardbench.calls.edits.base import Context
from fcrewardbench.calls.edits.sites import (
    Site,
    asked_for,
    is_number,
    related,
    same_scale,
    shape,
    shuffled,
    value_operator,
)


def _has_members(context: Context, site: Site) -> bool:
    """Whether the value is a list of things; the length of a point is its dimension."""
    if not isinstance(site.value, list) or not site.value or not asked_for(context, site):
        return False
    nested = isinstance(site.path[-1], int) or isinstance(site.value[0], list)
    return not nested and not re.search(r"point|coord|vector", site.key, re.I)


def _item_dropped(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    if _has_members(context, site) and len(site.value) >= 2:
        for place in shuffled(range(len(site.value)), rng):
            yield site.value[:place] + site.value[place + 1 :]


def _item_added(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """One more item: a number of the conversation, an enum member, an item of another task."""
    if not _has_members(context, site):
        return
    first = site.value[0]
    items = site.schema.get("items") or {}
    pool: list[Any] = list(items.get("enum") or ())
    if is_number(first):
        pool = [n if type(first) is float else int(n) for n in context.numbers]
        pool = [n for n in pool if same_scale(first, n)]
    elif isinstance(first, str):
        others = context.peers.get(f"{site.tool}.{site.key}", ())
        peers = [item for other in others for item in _texts(other)]
        pool += [item for item in peers if shape(item) == shape(first)]
        # What the conversation speaks of may be a right item in another form.
        pool = [item for item in pool if not context.mentions(item)]
    for item in shuffled(list(dict.fromkeys(pool)), rng):
        if item not in site.value and not any(related(item, old) for old in site.value):
            place = rng.randrange(len(site.value) + 1)
            yield [*site.value[:place], item, *site.value[place:]]


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


LISTS = (
    value_operator("list-item-dropped", _item_dropped),
    value_operator("list-item-added", _item_added),
)
