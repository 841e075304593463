"""Lists with an item too few or too many."""

from __future__ import annotations

IMPORTS

def _item_dropped(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    if isinstance(site.value, list) and len(site.value) >= 2 and asked_for(context, site):
        for place in shuffled(range(len(site.value)), rng):
            yield site.value[:place] + site.value[place + 1 :]


def _item_added(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """One more item: a number of the conversation, an enum member, a peer's item."""
    if not isinstance(site.value, list) or not site.value or not asked_for(context, site):
        return
    first = site.value[0]
    items = site.schema.get("items") or {}
    pool: list[Any] = list(items.get("enum") or ())
    if _is_number(first):
        pool = [n if type(first) is float else int(n) for n in context.numbers]
        pool = [n for n in pool if _same_scale(first, n)]
    elif isinstance(first, str):
        peers = [item for peer in context.peers.get(site.key, ()) for item in _texts(peer)]
        pool += [item for item in peers if _shape(item) == _shape(first)]
    for item in shuffled(list(dict.fromkeys(pool)), rng):
        if item not in site.value and not any(related(item, old) for old in site.value):
            place = rng.randrange(len(site.value) + 1)
            yield [*site.value[:place], item, *site.value[place:]]


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
