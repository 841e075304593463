"""What a run would take, without running it: tokens, memory, time, cost. No weights are loaded.

Tokens are counted as the run would, where the adapter makes them; a server's are estimated from the
text. Memory is an estimate:

    weights      elements of all tensors in the safetensors headers × bytes of the run's dtype
    state        (2 × layers × KV heads × head size + hidden size) × bytes
                 × (longest sequence + tokens of a batch)
    activations  tokens of a batch × (8 × hidden size + 3 × intermediate size) × bytes
                 + 256 rows × vocabulary × 4 bytes

Time needs a measured rate, cost needs a price.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fcrewardbench.adapters.base import Judge
from fcrewardbench.adapters.folder import load_config, longest_sequence, tensor_sizes
from fcrewardbench.adapters.local import LocalScorer
from fcrewardbench.adapters.network import (
    CPU_BATCH_TOKENS,
    GPU_BATCH_TOKENS,
    LocalModel,
    state_bytes_per_token,
)
from fcrewardbench.adapters.registry import Loaded, defaults_of, load_named
from fcrewardbench.benchmarks.registry import load_benchmark
from fcrewardbench.config import EvaluateConfig
from fcrewardbench.run import check_fit, sample
from fcrewardbench.scoring.plan import Branch, plan
from fcrewardbench.types import Group, Input

CHARACTERS_PER_TOKEN = 4
BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
HEAD_ROWS = 128


@dataclass(frozen=True, slots=True)
class Memory:
    """An estimate in bytes; see the module for the formula."""

    weights: int
    state: int
    activations: int

    @property
    def total(self) -> int:
        return self.weights + self.state + self.activations


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a run would take.

    `naive` counts a full pass for every sequence, `computed` what the engine's plan does, `bound` every
    node of the prefix tree once. Where not `exact`, they are estimated from the number of characters.
    Sequences longer than `limit` are not in them; `too_long` counts the groups that have one.
    `replies` is the most tokens that a judge may write. `seconds` and `cost` are None without a rate or
    a price, `memory` without a folder of weights.
    """

    groups: int
    sequences: int
    exact: bool
    naive: int
    computed: int
    bound: int
    longest: int
    limit: int | None
    too_long: int
    replies: int
    memory: Memory | None
    seconds: float | None
    cost: float | None


def forecast(
    config: EvaluateConfig, *, rate: float | None = None, price: tuple[float, float] | None = None
) -> Forecast | None:
    """What `evaluate` with this configuration would take; None where the adapter reads no text.

    Args:
        rate: tokens a second, measured on the machine of the run.
        price: of a million tokens read and of a million written.

    Raises:
        UsageError: bad names, options or data.
    """
    loaded = load_named(config.model, config.adapter, **config.options)
    benchmark = load_benchmark(config.benchmark)
    check_fit(loaded, benchmark)
    items = sample(benchmark.items, config.limit, config.sample_seed)
    groups = (item.group() for item in items)
    return forecast_groups(loaded, groups, rate=rate, price=price)


def forecast_groups(
    loaded: Loaded,
    groups: Iterable[Group],
    *,
    rate: float | None = None,
    price: tuple[float, float] | None = None,
) -> Forecast | None:
    """What these groups would take; see `forecast`."""
    settings = {**defaults_of(type(loaded.adapter)), **loaded.options}
    folder, limit = loaded.folder, settings.get("max_length")
    network = None
    if folder is not None and loaded.adapter.loads_weights:
        remote_code = bool(settings.get("trust_remote_code"))
        network = load_config(str(folder), trust_remote_code=remote_code)
        limit = limit or longest_sequence(network)
    branches: list[Branch] = []
    count = characters = longest = too_long = 0
    exact = True
    for number, group in enumerate(groups):
        inputs = loaded.adapter.inputs(group)
        if inputs is None:
            return None
        count += 1
        exact = exact and all(fed.ids for fed in inputs)
        lengths = [_tokens(fed) for fed in inputs]
        longest = max(longest, *lengths)
        if limit is not None and max(lengths) > limit:
            too_long += 1
            continue
        characters += sum(len(fed.text) for fed in inputs)
        if isinstance(loaded.adapter, LocalScorer):
            asked = (one for each in loaded.adapter.asked(group) for one in each)
            branches += [Branch(array("i", one.ids), number, one.start) for one in asked]
        else:
            branches += [Branch(array("i", fed.ids), number, fed.start) for fed in inputs]
    if exact:
        planned = plan(branches)
        ours = isinstance(loaded.adapter, LocalModel)
        passes = loaded.adapter.passes if isinstance(loaded.adapter, LocalModel) else 1
        naive, bound = planned.naive * passes, planned.bound * passes
        shares = ours and settings.get("share_prompt", True)
        computed = planned.computed * passes if shares else naive
    else:
        naive = computed = bound = characters // CHARACTERS_PER_TOKEN
    written = len(branches) * _reply_tokens(settings) if isinstance(loaded.adapter, Judge) else 0
    memory = None
    if folder is not None and loaded.adapter.loads_weights:
        fitting = longest if limit is None else min(longest, limit)
        memory = _memory(folder, network, settings, fitting)
    return Forecast(
        groups=count,
        sequences=len(branches),
        exact=exact,
        naive=naive,
        computed=computed,
        bound=bound,
        longest=longest,
        limit=limit,
        too_long=too_long,
        replies=written,
        memory=memory,
        seconds=None if rate is None else computed / rate,
        cost=None if price is None else (naive * price[0] + written * price[1]) / 1e6,
    )


def _tokens(fed: Input) -> int:
    return len(fed.ids) or len(fed.text) // CHARACTERS_PER_TOKEN


def _reply_tokens(settings: dict[str, Any]) -> int:
    """The most that a judge writes: one token where its letter is read from the first."""
    return 1 if settings.get("verdict") == "logprobs" else int(settings.get("max_tokens") or 1)


def _memory(folder: Path, config: Any, settings: dict[str, Any], longest: int) -> Memory:
    text = config.get_text_config()
    dtype = settings.get("dtype") or "float32"
    size = BYTES[dtype]
    batch = settings.get("batch_tokens") or _batch_tokens(settings.get("device"))
    state = state_bytes_per_token(config, dtype) * (longest + batch)
    wide = getattr(text, "intermediate_size", None) or 4 * text.hidden_size
    activations = batch * (8 * text.hidden_size + 3 * wide) * size
    head = HEAD_ROWS * text.vocab_size * 4
    folders = [str(folder), *([settings["reference"]] if settings.get("reference") else [])]
    weights = sum(sum(tensor_sizes(one).values()) for one in folders) * size
    return Memory(weights, state, activations + head)


def _batch_tokens(device: str | None) -> int:
    """What an adapter takes by itself."""
    import torch

    on_gpu = torch.cuda.is_available() if device is None else not device.startswith("cpu")
    return GPU_BATCH_TOKENS if on_gpu else CPU_BATCH_TOKENS


def forecast_lines(found: Forecast) -> Sequence[tuple[str, str]]:
    """A forecast in words: what, and how much, estimates named as such."""
    about = "" if found.exact else "about "
    lines = [
        ("groups", f"{found.groups:,}, {found.sequences:,} sequences to read"),
        ("longest sequence", f"{about}{found.longest:,} tokens{_limit(found)}"),
    ]
    if found.too_long:
        lines.append(("too long", f"{found.too_long:,} groups, which would not be scored"))
    if found.exact:
        ratio = found.naive / max(found.computed, 1)
        lines += [
            ("tokens, a pass a candidate", f"{found.naive:,}"),
            ("tokens computed", f"{found.computed:,} ({ratio:.2f} times fewer)"),
            ("lower bound of the prefix tree", f"{found.bound:,}"),
        ]
    else:
        told = f"about {found.naive:,} (estimate: {CHARACTERS_PER_TOKEN} characters a token)"
        lines.append(("tokens to read", told))
    if found.replies:
        lines.append(("tokens to write", f"at most {found.replies:,}"))
    if found.memory is not None:
        memory = found.memory
        parts = (memory.weights, memory.state, memory.activations)
        weights, state, activations = (f"{part / 2**30:.2f}" for part in parts)
        told = f"{weights} weights + {state} state + {activations} activations"
        lines.append(("memory (estimate)", f"{memory.total / 2**30:.2f} GiB: {told}"))
    if found.seconds is not None:
        lines.append(("time (estimate)", duration(found.seconds)))
    if found.cost is not None:
        lines.append(("cost (estimate)", f"{found.cost:,.2f}, with replies at their longest"))
    return lines


def _limit(found: Forecast) -> str:
    return "" if found.limit is None else f"; the model takes {found.limit:,}"


def duration(seconds: float) -> str:
    """`2 h 05 min`, `3 min 20 s`, `12 s`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
