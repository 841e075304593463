"""What every benchmark source gives: items, checked, with a hash of their content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from fcrewardbench.errors import DataError
from fcrewardbench.types import Benchmark, Candidate, Item, Pair


def benchmark_of(
    name: str,
    edition: str,
    items: Iterable[Item],
    source: str,
    *,
    subset: str = "",
    balanced: bool = False,
) -> Benchmark:
    """A benchmark out of pairs or candidate sets.

    Raises:
        DataError: no items, an id twice, or candidates that are the same; the message names `source`.
    """
    found = tuple(items)
    if not found:
        raise DataError(f"{source} holds no pairs.")
    seen: set[str] = set()
    digest = hashlib.sha256()
    for item in found:
        if item.id in seen:
            raise DataError(f"{source}: the id '{item.id}' stands twice; ids have to be unique.")
        seen.add(item.id)
        problem = problem_of(item)
        if problem:
            raise DataError(f"{source}, '{item.id}': {problem}")
        digest.update(content_text(item).encode())
    return Benchmark(name, edition, found, digest.hexdigest(), subset, balanced)


def problem_of(item: Item) -> str:
    """Why an item cannot be scored; empty where it can."""
    if isinstance(item, Pair):
        if same(item.chosen, item.rejected):
            return "chosen and rejected are the same; a pair needs two different candidates."
        return ""
    if all(item.correct) or not any(item.correct):
        return "the candidates are all right or all wrong; a set needs one of each."
    texts = [_canonical(candidate_json(candidate)) for candidate in item.candidates]
    if len(set(texts)) < len(texts):
        return "two candidates are the same; a set needs different ones."
    return ""


def candidate_json(candidate: Candidate) -> Any:
    """A candidate as JSON data: text, or a list of `{"name", "arguments"}`."""
    return candidate if isinstance(candidate, str) else [call.as_dict() for call in candidate]


def same(first: Candidate, second: Candidate) -> bool:
    """Whether two candidates are the same JSON: 5 and 5.0 are not, nor are 1 and true."""
    return _canonical(candidate_json(first)) == _canonical(candidate_json(second))


def content_text(item: Item) -> str:
    """Everything that an item holds but its doubt, which may come later, as one canonical text."""
    candidates: list[Any]
    if isinstance(item, Pair):
        candidates = [candidate_json(item.chosen), candidate_json(item.rejected)]
        labels: list[Any] = [item.error_type, item.category, item.generator]
    else:
        candidates = [[candidate_json(candidate) for candidate in item.candidates], item.correct]
        labels = [item.error_types, item.category, item.generators]
    tools = [tool.original for tool in item.prompt.tools]
    return _canonical([item.id, tools, item.prompt.messages, *candidates, *labels])


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
