from __future__ import annotations

import subprocess
import sys

import pytest

MINOR_FAULTS = """
import resource, sys
import torch
from fcrewardbench.adapters.allocator import keep_freed_memory

if sys.argv[1] == "kept" and not keep_freed_memory():
    sys.exit("not glibc")


def activations():
    together = [torch.ones(500_000 + 40_000 * layer) for layer in range(40)]


for _ in range(3):
    activations()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    activations()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the C library is not glibc")
def test_freed_memory_is_not_asked_for_again() -> None:
    faults = {
        way: int(subprocess.check_output([sys.executable, "-c", MINOR_FAULTS, way]))
        for way in ("kept", "given back")
    }
    assert faults["kept"] < 1_000
    assert faults["given back"] > 100_000
