"""Is what a model's scores say right? A short examination that catches what goes wrong in silence."""

from __future__ import annotations

from typing import Any

from fcrewardbench.adapters.base import Judge
from fcrewardbench.adapters.registry import load_named
from fcrewardbench.benchmarks.registry import load_benchmark
from fcrewardbench.doctor.base import Finding, Grade
from fcrewardbench.doctor.examination import Examination
from fcrewardbench.doctor.judges import JUDGE_CHECKS
from fcrewardbench.doctor.network import NETWORK_CHECKS, head_trained
from fcrewardbench.doctor.scores import SCORE_CHECKS
from fcrewardbench.doctor.texts import TEXT_CHECKS
from fcrewardbench.doctor.whole import WHOLE_CHECKS
from fcrewardbench.errors import FCRewardBenchError, ModelError

__all__ = ["Finding", "Grade", "examine"]


def examine(
    model: str, adapter: str | None = None, *, benchmark: str = "open", **options: Any
) -> list[Finding]:
    """Examine a model on 16 pairs of `open`.

    Args:
        model, adapter, options: see `load`.
        benchmark: what time and memory are foreseen for.

    Returns:
        A finding a check. A model that is refused when it is loaded is a finding, too.

    Raises:
        UsageError: bad names, options or data.
    """
    data = load_benchmark(benchmark)
    options.pop("store", None)  # or every variant would read what the first pass wrote
    try:
        loaded = load_named(model, adapter, **options)
        if loaded.options.get("schema_gate"):  # it would hide the scale of the model's own scores
            loaded = load_named(model, adapter, **{**options, "schema_gate": False})
    except ModelError as why:
        return [_refusal(why)]
    examination = Examination(loaded, data)
    texts = [check.find(examination) for check in TEXT_CHECKS]
    try:
        loaded.adapter.ready()
    except ModelError as why:
        return [_refusal(why), *texts]
    runs = _runs(examination)
    if runs.grade is Grade.FAIL:
        return [runs, *texts]
    is_judge = isinstance(loaded.adapter, Judge)
    checks = JUDGE_CHECKS if is_judge else (*SCORE_CHECKS, *NETWORK_CHECKS)
    numbers = [check.find(examination) for check in (*checks, *WHOLE_CHECKS)]
    return [runs, *texts, *numbers]


def _refusal(why: ModelError) -> Finding:
    """The finding that a refusal at loading is."""
    if "trained head" in str(why):
        return Finding(head_trained.name, Grade.FAIL, str(why), head_trained.mend)
    mend = "Mend the folder, or name the adapter that fits it with --adapter."
    return Finding("loads", Grade.FAIL, str(why), mend)


def _runs(examination: Examination) -> Finding:
    """Whether the pairs can be scored at all, which all other numbers rest on."""
    is_judge = isinstance(examination.loaded.adapter, Judge)
    try:
        count = len(examination.compared if is_judge else examination.scores)
    except FCRewardBenchError as why:
        return Finding("runs", Grade.FAIL, str(why), "Mend that first.")
    except Exception as why:  # an adapter raises whatever it meets
        mend = "Mend the adapter: it has to give a result for every group."
        return Finding("runs", Grade.FAIL, f"{type(why).__name__}: {why}", mend)
    seconds = examination.seconds_per_group * len(examination.groups)
    return Finding("runs", Grade.PASS, f"{count} groups in {seconds:.1f} s")
