"""How fast this CPU computes in a dtype: without instructions for it, it takes many times as long."""

from __future__ import annotations

import time
import warnings
from functools import cache

from fcrewardbench.errors import SlowWarning

_ROWS, _WIDTH, _ROUNDS = 64, 576, 3
_WORTH_TELLING = 3.0


@cache
def slowdown(dtype: str) -> float:
    """How many times as long as in float32 a matrix product takes on the CPU; takes up to 0.1 s."""
    import torch

    def seconds(kind: torch.dtype) -> float:
        states = torch.ones(_ROWS, _WIDTH, dtype=kind)
        weights = torch.ones(_WIDTH, _WIDTH, dtype=kind)
        taken = []
        for _ in range(_ROUNDS):
            started = time.perf_counter()
            states @ weights
            taken.append(time.perf_counter() - started)
        return min(taken)

    return seconds(getattr(torch, dtype)) / seconds(torch.float32)


def warn_if_slow(dtype: str, mend: str) -> None:
    """Tell of a dtype that this CPU computes slowly.

    Args:
        mend: what to do instead, as the end of a sentence.
    """
    if dtype == "float32":
        return
    times = slowdown(dtype)
    if times > _WORTH_TELLING:
        warnings.warn(
            f"A small product in {dtype} took {times:.0f} times as long as in float32 on this CPU: "
            f"{mend}.",
            SlowWarning,
            stacklevel=3,
        )
