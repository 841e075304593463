"""What every benchmark source gives: pairs, checked, with a hash of their content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from fcrewardbench.errors import DataError
from fcrewardbench.types import Benchmark, Candidate, Pair


def benchmark_of(name: str, edition: str, pairs: Iterable[Pair], source: str) -> Benchmark:
    """A benchmark out of pairs.

    Raises:
        DataError: no pairs, an id twice, or chosen equal to rejected; the message names `source`.
    """
    found = tuple(pairs)
    if not found:
        raise DataError(f"{source} holds no pairs.")
    seen: set[str] = set()
    digest = hashlib.sha256()
    for pair in found:
        if pair.id in seen:
            raise DataError(f"{source}: the id '{pair.id}' stands twice; ids have to be unique.")
        seen.add(pair.id)
        if same(pair.chosen, pair.rejected):
            raise DataError(f"{source}: chosen and rejected of '{pair.id}' are the same.")
        digest.update(content_text(pair).encode())
    return Benchmark(name, edition, found, digest.hexdigest())


def candidate_json(candidate: Candidate) -> Any:
    """A candidate as JSON data: text, or a list of `{"name", "arguments"}`."""
    return candidate if isinstance(candidate, str) else [call.as_dict() for call in candidate]


def same(first: Candidate, second: Candidate) -> bool:
    """Whether two candidates are the same JSON: 5 and 5.0 are not, nor are 1 and true."""
    return _canonical(candidate_json(first)) == _canonical(candidate_json(second))


def content_text(pair: Pair) -> str:
    """Everything that a pair holds, as one canonical text."""
    return _canonical(
        [
            pair.id,
            [tool.original for tool in pair.prompt.tools],
            pair.prompt.messages,
            candidate_json(pair.chosen),
            candidate_json(pair.rejected),
            pair.error_type,
            pair.category,
            pair.generator,
        ]
    )


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
