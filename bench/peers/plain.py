"""A plain transformers loop, as a careful user writes it, and what is measured beside the competition.

Sequences sorted by length, longest first, padded on the right with a mask, pooled by hand at the last
real token. It starts from token ids, which spares it tokenising.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import torch
import transformers

from bench.peers.competitor import Competitor, Row, Scores, serve

BATCHES = (1, 8, 32)
PEAK_LENGTHS = (256, 512, 1024, 2048, 4096)
T = TypeVar("T")


class Plain(Competitor):
    def __init__(self, model: str, dtype: str) -> None:
        network = transformers.AutoModelForSequenceClassification.from_pretrained(
            model, dtype=getattr(torch, dtype)
        )
        self._network = network.eval()
        self._batch = 1

    def score(self, prepared: list[Row]) -> tuple[Scores, int]:
        places = [(r, c) for r, row in enumerate(prepared) for c in range(len(row["ids"]))]
        places.sort(key=lambda place: -len(prepared[place[0]]["ids"][place[1]]))
        scores = [[0.0] * len(row["ids"]) for row in prepared]
        computed = 0
        for batch in _batched(places, self._batch):
            sequences = [prepared[r]["ids"][c] for r, c in batch]
            computed += len(sequences) * len(sequences[0])
            for (r, c), score in zip(batch, self._forward(sequences), strict=True):
                scores[r][c] = score
        return scores, computed

    @torch.inference_mode()
    def _forward(self, sequences: Sequence[list[int]]) -> list[float]:
        longest = max(map(len, sequences))
        lengths = torch.tensor([len(sequence) for sequence in sequences])
        ids = torch.tensor([s + [0] * (longest - len(s)) for s in sequences])
        mask = (torch.arange(longest) < lengths[:, None]).long() if len(sequences) > 1 else None
        states = self._network.base_model(
            input_ids=ids, attention_mask=mask, use_cache=False
        ).last_hidden_state
        pooled = states[torch.arange(len(sequences)), lengths - 1]
        scores: list[float] = self._network.score(pooled)[:, 0].float().tolist()
        return scores

    def use(self, batch: int) -> dict[str, Any]:
        """Choose the batch size of the passes to come."""
        self._batch = batch
        return {"batch": batch}

    def try_batches(self, path: str, blocks: int) -> dict[str, Any]:
        """Seconds of each batch size over the same sequences, and the best size.

        The sequences are whole blocks of the largest batch, evenly spaced in the sorted order, so that
        every size meets the padding that it meets in a full pass.
        """
        rows = self.prepare("", [], path)
        sequences = sorted((s for row in rows for s in row["ids"]), key=len, reverse=True)
        whole = list(_batched(sequences, max(BATCHES)))
        step = max(1, len(whole) // blocks)
        probe = [s for block in whole[step // 2 :: step][:blocks] for s in block]
        seconds = {}
        for size in BATCHES:
            started = time.perf_counter()
            for batch in _batched(probe, size):
                self._forward(batch)
            seconds[size] = time.perf_counter() - started
        return {
            "best": min(seconds, key=lambda size: seconds[size]),
            "seconds": seconds,
            "sequences": len(probe),
        }

    @torch.inference_mode()
    def peak(self, repeats: int) -> dict[str, Any]:
        """Tokens a second of single unpadded forward passes, the best of `repeats`, by length."""
        rates = {}
        for length in PEAK_LENGTHS:
            ids = torch.randint(3, self._network.config.vocab_size, (1, length))
            best = float("inf")
            for _ in range(repeats):
                started = time.perf_counter()
                self._network.base_model(input_ids=ids, use_cache=False)
                best = min(best, time.perf_counter() - started)
            rates[length] = length / best
        return {"rates": rates, "peak": max(rates.values())}


def _batched(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


if __name__ == "__main__":
    serve(Plain)
