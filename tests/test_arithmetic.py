from __future__ import annotations

import sys
import warnings

import click
import pytest

from fcrewardbench import SlowWarning
from fcrewardbench.adapters import arithmetic
from fcrewardbench.cli.lazy import run


def test_a_dtype_that_the_cpu_has_no_instructions_for_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(arithmetic, "slowdown", lambda dtype: 52.4)
    with pytest.warns(
        SlowWarning, match="in bfloat16 took 52 times as long as in float32 on this CPU: sell it."
    ):
        arithmetic.warn_if_slow("bfloat16", "sell it")


@pytest.mark.parametrize(("dtype", "times"), [("bfloat16", 0.4), ("float16", 2.9), ("float32", 90)])
def test_a_dtype_that_is_fast_is_not_told(
    monkeypatch: pytest.MonkeyPatch, dtype: str, times: float
) -> None:
    monkeypatch.setattr(arithmetic, "slowdown", lambda dtype: times)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        arithmetic.warn_if_slow(dtype, "sell it")
    assert told == []


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
def test_every_dtype_can_be_timed(dtype: str) -> None:
    assert 0 < arithmetic.slowdown(dtype) < float("inf")


def test_the_command_line_tells_it_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    @click.command()
    def command() -> None:
        warnings.warn("It is slow.", SlowWarning, stacklevel=1)
        warnings.warn("It is old.", DeprecationWarning, stacklevel=1)

    monkeypatch.setattr(sys, "argv", ["fcrb"])
    with pytest.warns(DeprecationWarning, match="It is old"):
        run(command, "fcrb", ())
    assert capfd.readouterr().err == "fcrb: It is slow.\n"
