"""What the checks look at: a few pairs, what the model reads of them, and its scores under variants.

Everything is made when a check first asks for it, and kept.
"""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from fcrewardbench.adapters.base import Judge, Scorer
from fcrewardbench.adapters.folder import load_tokenizer
from fcrewardbench.adapters.registry import Loaded, load_named
from fcrewardbench.benchmarks.registry import load_benchmark
from fcrewardbench.doctor.base import CannotCheck
from fcrewardbench.errors import FCRewardBenchError, ModelError
from fcrewardbench.run import sample
from fcrewardbench.types import Benchmark, Compared, Group, Input, Pair, Scored

EXAMINED = 16
SEVERAL_TOOLS = 4
"""So many of the pairs have more than one tool, which few short prompts have."""
FEW = 6
"""Groups for what costs another model or another pass."""
READ = 48
"""Pairs of any length whose texts are looked at, which costs no pass."""
LONGEST = 4
"""And so many of the longest."""
LONG_PERCENTILE = 0.9
WORDS = ("I cannot help with that.", "Which one do you mean?")
_TOLERANCE = {"float32": 1e-4, "float16": 2**-8, "bfloat16": 2**-5}
_SEED = 0


class Examination:
    """One loaded model and the pairs it is examined on.

    Args:
        loaded: the model.
        benchmark: what a run is forecast for. The pairs are of `open`.
    """

    def __init__(self, loaded: Loaded, benchmark: Benchmark) -> None:
        self.loaded = loaded
        self.benchmark = benchmark
        pairs = sorted(load_benchmark("open").pairs, key=_length)
        several = [pair for pair in pairs if len(pair.prompt.tools) > 1][:SEVERAL_TOOLS]
        short = [pair for pair in pairs[: len(pairs) // 4] if pair not in several]
        self.pairs = (*several, *_pairs(short, EXAMINED - SEVERAL_TOOLS))
        self._read = [*_pairs(pairs, READ), *pairs[-LONGEST:]]
        self.long = pairs[int(len(pairs) * LONG_PERCENTILE)]
        self.groups = tuple(self._group(pair) for pair in self.pairs)

    def _group(self, pair: Pair) -> Group:
        group = pair.group()
        adapter = self.loaded.adapter
        knows = isinstance(adapter, Scorer) and adapter.sees_labels
        return group if knows else replace(group, correct=None)

    # ── scores ───────────────────────────────────────────────────────────────────────────────────

    @property
    def scorer(self) -> Scorer:
        assert isinstance(self.loaded.adapter, Scorer)
        return self.loaded.adapter

    @cached_property
    def _timed(self) -> tuple[list[Scored], float]:
        list(self.scorer.score_groups(self.groups[:1]))  # a first pass may compile kernels
        started = time.monotonic()
        return list(self.scorer.score_groups(self.groups)), time.monotonic() - started

    @cached_property
    def scores(self) -> dict[str, Scored]:
        """All groups in one call."""
        return _by_id(self._timed[0])

    @cached_property
    def alone(self) -> dict[str, Scored]:
        """A few groups, each in a call of its own."""
        return self._one_by_one(self.groups[:FEW])

    @cached_property
    def turned(self) -> dict[str, Scored]:
        """As `alone`, with the candidates in the other order; scores in the order of `alone`."""
        turned = [
            replace(
                group,
                candidates=group.candidates[::-1],
                correct=group.correct and group.correct[::-1],
            )
            for group in self.groups[:FEW]
        ]
        return {
            id: replace(scored, scores=scored.scores and scored.scores[::-1])
            for id, scored in self._one_by_one(turned).items()
        }

    def _one_by_one(self, groups: Iterable[Group]) -> dict[str, Scored]:
        found = {}
        for group in groups:
            scored = _by_id(self.scorer.score_groups([group]))
            if group.id not in scored:
                raise ModelError(f"'{group.id}' alone in a call gets no result.")
            found[group.id] = scored[group.id]
        return found

    @cached_property
    def long_scores(self) -> Scored:
        """A pair that is longer than nine in ten."""
        (scored,) = self.scorer.score_groups([self._group(self.long)])
        return scored

    def variant(self, **options: Any) -> dict[str, Scored]:
        """A few groups, scored by the same model loaded with other options."""
        name = f"path:{self.loaded.folder}" if self.loaded.folder else self.loaded.name
        own = {key: value for key, value in self.loaded.options.items() if key != "revision"}
        other = load_named(name, self.loaded.adapter_name, **{**own, **options}).adapter
        assert isinstance(other, Scorer)
        try:
            other.ready()
        except (FCRewardBenchError, RuntimeError) as why:
            if "memory" not in str(why):
                raise
            raise CannotCheck("a second copy of the model does not fit beside the first") from why
        scores = _by_id(other.score_groups(self.groups[:FEW]))
        del other
        gc.collect()  # its weights, before the next variant's
        return scores

    @cached_property
    def described(self) -> dict[str, Any]:
        return self.loaded.adapter.describe()

    @property
    def tolerance(self) -> float:
        """How far apart two scores of one text may be, in the run's dtype and the scores' scale."""
        known = [abs(s) for scored in self.scores.values() for s in scored.scores or ()]
        scale = max([1.0, *filter(math.isfinite, known)])
        served = "float32" if self.loaded.adapter.loads_weights else "bfloat16"
        return _TOLERANCE.get(self.described.get("dtype") or served, 1e-4) * scale

    @property
    def rate(self) -> float | None:
        """Tokens computed a second; None where the adapter does not count them."""
        scored, seconds = self._timed
        tokens = sum(one.tokens.computed for one in scored)
        return tokens / seconds if tokens else None

    @property
    def seconds_per_group(self) -> float:
        if isinstance(self.loaded.adapter, Judge):
            return self._compared[1] / len(self.groups)
        return self._timed[1] / len(self.groups)

    def wins_and_losses(self) -> tuple[int, int]:
        """Pairs whose right candidate scored higher, and lower."""
        wins = losses = 0
        for pair in self.pairs:
            scores = self.scores[pair.id].scores if pair.id in self.scores else None
            if scores is None:
                continue
            chosen = (pair.group().correct or ()).index(True)
            wins += scores[chosen] > scores[1 - chosen]
            losses += scores[chosen] < scores[1 - chosen]
        return wins, losses

    # ── verdicts ─────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def _compared(self) -> tuple[list[Compared], float]:
        assert isinstance(self.loaded.adapter, Judge)
        started = time.monotonic()
        compared = list(self.loaded.adapter.compare_groups(self.groups))
        return compared, time.monotonic() - started

    @property
    def compared(self) -> dict[str, Compared]:
        """Both orders of every pair."""
        return {one.id: one for one in self._compared[0]}

    # ── texts ────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def inputs(self) -> list[tuple[Group, tuple[Input, ...]]] | None:
        """What the model reads of the examined pairs and of others, short and long."""
        pairs = {pair.id: pair for pair in (*self.pairs, *self._read)}
        found = []
        for pair in pairs.values():
            group = pair.group()
            inputs = self.loaded.adapter.inputs(group)
            if inputs is None:
                return None
            found.append((group, inputs))
        return found

    @cached_property
    def words(self) -> dict[str, tuple[Input, ...]]:
        """The same prompts with answers in words, so that whatever names a tool is the prompt's."""
        return {
            group.id: self.loaded.adapter.inputs(replace(group, candidates=WORDS)) or ()
            for group, _ in self.inputs or ()
        }

    @cached_property
    def tokenizer(self) -> Any:
        """The tokenizer in the model's folder; None where the adapter has no folder."""
        if self.loaded.folder is None:
            return None
        remote_code = bool(self.loaded.options.get("trust_remote_code"))
        return load_tokenizer(str(self.loaded.folder), trust_remote_code=remote_code)


def difference(
    first: dict[str, Scored], second: dict[str, Scored]
) -> tuple[float, int, Sequence[str]]:
    """The largest difference of the second set of scores to the first, how many decisions flip, and the
    ids of the second's groups that only one of them has scores for."""
    largest, flips = 0.0, 0
    torn = []
    for id, other in second.items():
        ours = first[id].scores if id in first else None
        theirs = other.scores
        if ours is None or theirs is None:
            torn += [id] if ours != theirs else []
            continue
        largest = max(largest, *map(_gap, ours, theirs))
        flips += (ours[0] > ours[1]) != (theirs[0] > theirs[1])
    return largest, flips, torn


def _gap(first: float, second: float) -> float:
    """How far apart two scores are; two that are no finite numbers are not apart."""
    if math.isfinite(first) and math.isfinite(second):
        return abs(first - second)
    return 0.0 if math.isfinite(first) == math.isfinite(second) else math.inf


def _by_id(scored: Iterable[Scored]) -> dict[str, Scored]:
    return {one.id: one for one in scored}


def _pairs(pairs: list[Pair], count: int) -> list[Pair]:
    """So many of them, stratified by error type."""
    return [item for item in sample(tuple(pairs), count, _SEED) if isinstance(item, Pair)]


def _length(pair: Pair) -> int:
    return len(str(pair.prompt.messages)) + sum(
        len(str(tool.original)) for tool in pair.prompt.tools
    )
