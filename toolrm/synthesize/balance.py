"""What is left out of records and pairs so that nothing is too much of one kind."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from fcrewardbench import Candidate, Prompt
from fcrewardbench.calls.edits.sites import leaves
from fcrewardbench.render import candidate_text
from toolrm.records import Record, TrainingPair
from toolrm.synthesize.config import Limits
from toolrm.synthesize.split import order_of

Item = TypeVar("Item")


def thinned(
    records: Iterable[Record], limits: Limits, seed: int, left_out: Counter[str]
) -> list[Record]:
    """The records without near-duplicates and without too many of one tool, in a random order."""
    alike: Counter[str] = Counter()
    tools: Counter[str] = Counter()
    kept = []
    for record in sorted(records, key=lambda record: order_of(seed, record.id)):
        form = request_form(record)
        due = {call.name for call in record.answer}
        if alike[form] >= limits.alike:
            left_out["a request like others but for its values"] += 1
        elif limits.per_tool and any(tools[name] >= limits.per_tool for name in due):
            left_out["more of one tool than are wanted"] += 1
        else:
            alike[form] += 1
            tools.update(due)
            kept.append(record)
    return kept


def request_form(record: Record) -> str:
    """What the user says, without the values of the calls, numbers, case and punctuation."""
    turns = [str(m["content"]) for m in record.prompt.messages if m["role"] == "user"]
    text = "\n".join(turns).lower()
    values = [
        str(leaf).lower() for call in record.gold for leaf in leaves(call.arguments) if leaf != ""
    ]
    for value in sorted(values, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "_", text)
    return " ".join(re.findall(r"[^\W\d]+", text))


def length_of(prompt: Prompt, candidates: Sequence[Candidate]) -> int:
    """Characters of tools, conversation and longest candidate."""
    tools = json.dumps([tool.original for tool in prompt.tools], ensure_ascii=False)
    messages = json.dumps(list(prompt.messages), ensure_ascii=False)
    return len(tools) + len(messages) + max(len(candidate_text(c)) for c in candidates)


def capped(
    items: Sequence[Item],
    kinds_of: Callable[[Item], Iterable[str]],
    share_of: Callable[[str], float],
    rank: Callable[[Item], str],
) -> tuple[list[Item], list[str]]:
    """The items with no kind above its share of what is kept.

    Args:
        kinds_of: the kinds of an item; one that is of several has to find room in each.
        share_of: the largest share that a kind may make.
        rank: an item's place in the order in which room is given.

    Returns:
        the items, and the kinds above their share where the shares leave nothing (a single source, of
        which there may be a half): then all items.
    """
    kinds = [frozenset(kinds_of(item)) for item in items]
    order = sorted(range(len(items)), key=lambda place: rank(items[place]))
    total = len(items)
    while total:
        used: Counter[str] = Counter()
        kept = set()
        for place in order:
            if all(used[kind] < int(share_of(kind) * total) for kind in kinds[place]):
                used.update(kinds[place])
                kept.add(place)
        if len(kept) == total:
            return [item for place, item in enumerate(items) if place in kept], []
        total = len(kept)  # of fewer items, a share is fewer
    counts = Counter(kind for several in kinds for kind in several)
    return list(items), sorted(k for k, n in counts.items() if n > share_of(k) * len(items))


def distinct(pairs: Iterable[TrainingPair], left_out: Counter[str]) -> Iterator[TrainingPair]:
    """The pairs whose prompt and rejected candidate no other pair before them has."""
    seen: set[str] = set()
    for pair in pairs:
        prompt = pair.pair.prompt
        messages = json.dumps(list(prompt.messages), sort_keys=True, ensure_ascii=False)
        text = "\0".join((prompt.catalogue, messages, candidate_text(pair.pair.rejected)))
        key = hashlib.sha256(text.encode()).hexdigest()
        if key in seen:
            left_out["the same prompt and rejected candidate"] += 1
        else:
            seen.add(key)
            yield pair
