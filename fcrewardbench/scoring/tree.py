"""Attention over a prefix tree: each token sees the tokens on its own path, and no others.

A batch is one packed row of new tokens in depth-first order, behind the kept positions of the path on
which it continues. Registered with transformers as an attention function, this replaces the attention
of any decoder that lets its attention be chosen. No token is padding, and nothing hidden is computed:
on a CPU each block of queries meets only the keys of its own path; on a GPU one flex-attention kernel
skips the blocks that the tree hides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention

from fcrewardbench.scoring.plan import Batch, Branch

NAME = "fcrb_tree"
QUERY_BLOCK = 128
"""Queries that meet their keys together; smaller blocks compute less of what causality hides."""

Span = tuple[int, int]
"""Neighbouring places [start, end) in a row of kept and new positions."""


@dataclass(slots=True)
class State:
    """What later batches need of earlier ones: the path, position by position.

    `keys` and `values` have an entry per attention layer, [1, heads, positions, width]; `hidden` is
    [positions, hidden size] and `logprobs` [positions] (0 where none was wanted).
    """

    keys: list[torch.Tensor] = field(default_factory=list)
    values: list[torch.Tensor] = field(default_factory=list)
    hidden: torch.Tensor | None = None
    logprobs: torch.Tensor | None = None


class Layout:
    """Where everything stands in one batch.

    Places count the kept positions first, then the new tokens. `previous` is for each new token the
    place of the one before it (-1 for a first one); `ended` has for each sequence that ends here the
    places of its tokens; `path` those of the path at the end.
    """

    def __init__(self, batch: Batch, branches: Sequence[Branch]) -> None:
        self.kept = batch.kept
        self.ids: list[int] = []
        self.positions: list[int] = []
        self.previous: list[int] = []
        self.scored: list[int] = []
        self.blocks: list[tuple[Span, tuple[Span, ...]]] = []
        self.ended: list[tuple[int, tuple[Span, ...]]] = []
        self.path: tuple[Span, ...] = ((0, batch.kept),) if batch.kept else ()
        for run in batch.runs:
            self.path = _cut(self.path, 0, run.start)
            first = len(self.ids)
            length = run.end - run.start
            before = self.path[-1][1] - 1 if self.path else -1
            place = self.kept + first
            self.ids.extend(branches[run.sequence].ids[run.start : run.end])
            self.positions.extend(range(run.start, run.end))
            self.previous.extend([before, *range(place, place + length - 1)])
            self.scored.extend(
                first + position - run.start
                for position in range(max(run.scored, run.start), run.end)
            )
            self.path = _joined((*self.path, (place, place + length)))
            for offset in range(0, length, QUERY_BLOCK):
                end = min(offset + QUERY_BLOCK, length)
                visible = _cut(self.path, 0, run.start + end)
                self.blocks.append(((first + offset, first + end), visible))
            self.ended.extend((sequence, self.path) for sequence in run.ends)

    def last_seen(self) -> list[int]:
        """For each place the number of new tokens before the first one that it is hidden from."""
        total = len(self.ids)
        last = [total] * (self.kept + total)
        path: list[int] = list(range(self.kept))
        for index, position in enumerate(self.positions):
            while len(path) > position:
                last[path.pop()] = index
            path.append(self.kept + index)
        return last


def places(spans: Sequence[Span], device: torch.device | str) -> torch.Tensor:
    """Spans as an index tensor."""
    return torch.cat([torch.arange(start, end, device=device) for start, end in spans])


def _cut(spans: tuple[Span, ...], start: int, end: int) -> tuple[Span, ...]:
    """The path's positions `start` to `end`."""
    result = []
    position = 0
    for first, last in spans:
        low = first + max(start - position, 0)
        high = min(last, first + end - position)
        if low < high:
            result.append((low, high))
        position += last - first
    return tuple(result)


def _joined(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """The last two spans as one, where they touch."""
    if len(spans) > 1 and spans[-2][1] == spans[-1][0]:
        return (*spans[:-2], (spans[-2][0], spans[-1][1]))
    return spans


class Pass:
    """One forward pass over a batch: what the attention function reads, and what it leaves behind.

    After the pass, `next` holds the keys and values of the first `keep` positions of the path, and
    `windows` the sliding window of each layer. With `kernel`, flex attention does each layer at once.
    """

    def __init__(
        self, layout: Layout, state: State, keep: int, device: torch.device, *, kernel: bool
    ) -> None:
        self.layout = layout
        self.state = state
        self.next = State()
        self.keep = _cut(layout.path, 0, keep)
        self.device = device
        self.kernel = kernel
        self.windows: list[int | None] = []
        self._masks: dict[tuple[Any, ...], torch.Tensor] = {}
        self._flex: dict[int | None, Any] = {}

    def attend(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        scale: float | None,
        window: int | None,
        softcap: float | None,
    ) -> torch.Tensor:
        """Attention of one layer: queries [1, heads, new, width] → [1, new, heads, width]."""
        query, key = query.to(value.dtype), key.to(value.dtype)  # autocast leaves them apart
        layer = len(self.next.keys)
        if self.layout.kept:
            key = torch.cat([self.state.keys[layer], key], 2)
            value = torch.cat([self.state.values[layer], value], 2)
        else:
            key, value = key.contiguous(), value.contiguous()
        self.next.keys.append(_owned(key, self.keep))
        self.next.values.append(_owned(value, self.keep))
        if self.kernel:
            return self._by_kernel(query, key, value, scale, window, softcap).transpose(1, 2)
        outputs = []
        for (start, end), spans in self.layout.blocks:
            reach = sum(last - first for first, last in spans)
            lowest = max(0, reach - (end - start) - window + 1) if window else 0
            seen = _cut(spans, lowest, reach) if lowest else spans
            outputs.append(
                attention(
                    query[:, :, start:end],
                    _gather(key, seen),
                    _gather(value, seen),
                    self._mask(end - start, reach - lowest, window, query.dtype),
                    scale,
                    softcap,
                    hidden=reach - lowest if window else end - start,
                )
            )
        return torch.cat(outputs, 2).transpose(1, 2)

    def _mask(
        self, queries: int, keys: int, window: int | None, dtype: torch.dtype
    ) -> torch.Tensor:
        """[queries, keys], the last of which are the queries' own; 0 where seen, else -inf."""
        name = (queries, keys, window)
        if name not in self._masks:
            hidden = torch.ones(queries, keys, dtype=torch.bool).triu(keys - queries + 1)
            if window:
                hidden |= torch.ones(queries, keys, dtype=torch.bool).tril(keys - queries - window)
            mask = torch.zeros(queries, keys, dtype=dtype)
            self._masks[name] = mask.masked_fill_(hidden, float("-inf")).to(self.device)
        return self._masks[name]

    def _by_kernel(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        scale: float | None,
        window: int | None,
        softcap: float | None,
    ) -> torch.Tensor:
        def capped(score: torch.Tensor, *_: torch.Tensor) -> torch.Tensor:
            return softcap * torch.tanh(score / softcap) if softcap else score

        if window not in self._flex:
            self._flex[window] = self.block_mask(window)
        output: torch.Tensor = _flex_attention(str(query.device))(
            query,
            key,
            value,
            score_mod=capped if softcap else None,
            block_mask=self._flex[window],
            scale=scale,
            enable_gqa=True,
        )
        return output

    def block_mask(self, window: int | None) -> Any:
        """Which keys each query sees, for flex attention."""
        from torch.nn.attention.flex_attention import create_block_mask

        layout, total = self.layout, len(self.layout.ids)
        kept = torch.tensor(
            layout.kept, device=self.device
        )  # a number would compile anew each time
        last = torch.tensor(layout.last_seen(), device=self.device)
        own = torch.tensor(layout.positions, device=self.device)
        position = torch.cat([torch.arange(layout.kept, device=self.device), own])

        def sees(
            batch: torch.Tensor, head: torch.Tensor, query: torch.Tensor, key: torch.Tensor
        ) -> torch.Tensor:
            on_path = (key <= query + kept) & (query < last[key])
            return on_path & (own[query] - position[key] < window) if window else on_path

        return create_block_mask(sees, None, None, total, layout.kept + total, device=self.device)


@cache
def _flex_attention(device: str) -> Any:
    """Compiled, as it is meant to be; on a CPU, where only tests take it, as it is."""
    from torch.nn.attention.flex_attention import flex_attention

    if device.startswith("cuda"):
        return torch.compile(flex_attention, dynamic=True)
    return flex_attention


def _owned(tensor: torch.Tensor, spans: tuple[Span, ...]) -> torch.Tensor:
    """The places of some spans in memory of their own, so that the rest of the tensor can go."""
    if not spans:
        return tensor.new_empty((*tensor.shape[:2], 0, tensor.shape[3]))
    return _gather(tensor, spans).clone() if len(spans) == 1 else _gather(tensor, spans)


def _gather(tensor: torch.Tensor, spans: tuple[Span, ...]) -> torch.Tensor:
    """The places of some spans, along the third dimension."""
    if len(spans) == 1:
        return tensor[:, :, spans[0][0] : spans[0][1]]
    return torch.cat([tensor[:, :, start:end] for start, end in spans], 2)


def attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor,
    scale: float | None,
    softcap: float | None,
    *,
    hidden: int,
) -> torch.Tensor:
    """Attention of grouped heads with an additive mask, in whose last `hidden` columns alone it hides.

    SDPA, but for half precision on a CPU, where plain matrix products are twice as fast as PyTorch's
    kernel and round no more than transformers' eager attention does; and for capped scores, in float32.
    """
    groups = query.shape[1] // key.shape[1]
    if softcap is None and query.device.type == "cpu" and query.dtype != torch.float32:
        _, heads, queries, width = query.shape
        scaled = (query * (scale or width**-0.5)).reshape(-1, groups * queries, width)
        scores = torch.matmul(scaled, key[0].transpose(1, 2)).view(
            -1, groups, queries, key.shape[2]
        )
        scores[..., -hidden:] += mask[:, -hidden:]
        weights = torch.softmax(scores, -1).view(-1, groups * queries, key.shape[2])
        return torch.matmul(weights, value[0]).view(1, heads, queries, width)
    if softcap is None:
        return scaled_dot_product_attention(
            query, key, value, attn_mask=mask, scale=scale, enable_gqa=True
        )
    key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    scores = query.float() @ key.float().transpose(2, 3) * (scale or query.shape[-1] ** -0.5)
    scores = softcap * torch.tanh(scores / softcap)
    weights = torch.softmax(scores + mask, -1)
    return (weights @ value.float()).to(query.dtype)


_current: ContextVar[Pass] = ContextVar("current")


@contextmanager
def attending(current: Pass) -> Iterator[None]:
    """Let `NAME` attend as this pass says.

    Training, whose backward pass may run the forward once more in another thread, gives the pass to the
    model instead, as the argument `tree`, which it hands down to its attention.
    """
    token = _current.set(current)
    try:
        yield
    finally:
        _current.reset(token)


def _attention_function(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    s_aux: torch.Tensor | None = None,
    tree: Pass | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    if s_aux is not None:
        raise NotImplementedError("attention sinks")
    current = _current.get() if tree is None else tree
    current.windows.append(sliding_window)
    return current.attend(query, key, value, scaling, sliding_window, softcap), None


def register() -> None:
    """Make `NAME` known to transformers. It makes no mask: the batch says what is seen."""
    from transformers import AttentionInterface, AttentionMaskInterface

    AttentionInterface.register(NAME, _attention_function)
    AttentionMaskInterface.register(NAME, lambda *_, **__: None)
