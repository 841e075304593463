"""Keeps freed memory for the next tensors instead of handing it back to the system.

glibc gives large blocks, and whatever is free at the top of its heap, back to the system, so that on a
CPU the kernel zeroes the memory of every layer's activations anew, page by page. See mallopt(3);
`bench/allocator.py` measures what keeping it is worth.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_LARGEST_MMAP_THRESHOLD = 32 << 20  # glibc's own limit on 64 bits
_NEVER_TRIM = 2**31 - 1


@cache
def keep_freed_memory() -> bool:
    """Tell the C library so, once a process; returns whether it is one that can be told (glibc)."""
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    mallopt(_M_ARENA_MAX, 1)
    kept = mallopt(_M_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)
    return bool(kept and mallopt(_M_TRIM_THRESHOLD, _NEVER_TRIM))
