"""The whole benchmark, foreseen from a sample: time, memory, rows that do not fit."""

from __future__ import annotations

import os

from fcrewardbench.adapters.base import Scorer
from fcrewardbench.doctor.base import Grade, Seen, check
from fcrewardbench.doctor.examination import Examination
from fcrewardbench.forecast import Forecast, duration, forecast_groups
from fcrewardbench.run import sample

SAMPLED = 100


@check(
    "the whole benchmark",
    "Take a model with a longer context, a smaller dtype or batch_tokens, or a larger machine.",
)
def whole(examination: Examination) -> Seen:
    items = examination.benchmark.items
    some = sample(items, SAMPLED, 0)
    found = forecast_groups(examination.loaded, (item.group() for item in some))
    factor = len(items) / len(some)
    rate = examination.rate if isinstance(examination.loaded.adapter, Scorer) else None
    if found is None or rate is None:
        seconds = examination.seconds_per_group * len(items)
    else:
        seconds = found.computed * factor / rate
    told = [f"{examination.benchmark.title}: about {duration(seconds)}"]
    if found is None:
        return Grade.PASS, told[0]
    grade = Grade.PASS
    told.append(f"{found.computed * factor:,.0f} tokens")
    if found.memory is not None:
        told.append(f"{found.memory.total / 2**30:.1f} GiB of memory")
        free = _memory_at_hand(examination)
        if free is not None and found.memory.total > free:
            grade = Grade.WARN
            told.append(f"but there are {free / 2**30:.1f}")
    if found.too_long:
        grade = Grade.WARN
        told.append(_too_long(found, factor))
    return grade, ", ".join(told)


def _too_long(found: Forecast, factor: float) -> str:
    return f"about {found.too_long * factor:.0f} rows longer than {found.limit:,} tokens"


def _memory_at_hand(examination: Examination) -> int | None:
    """Bytes of the first device that the run uses; None where the system does not say."""
    device = str(examination.described.get("device") or "cpu").split(",", maxsplit=1)[0]
    if device.startswith("cuda"):
        import torch

        total: int = torch.cuda.get_device_properties(device).total_memory
        return total
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None


WHOLE_CHECKS = (whole,)
