"""FC-RewardBench: tells whether a reward model can judge tool calls.

    import fcrewardbench

    model = fcrewardbench.load("smollm2-135m-q4")
    model.score(tools, messages, [candidate, other])

    run = fcrewardbench.evaluate("baseline/longer", "open")
    run.accuracy

Everything that users' code may rely on is in `__all__`. Importing this package imports no torch.
"""

from fcrewardbench.adapters.base import Adapter, Judge, Scorer
from fcrewardbench.adapters.registry import load
from fcrewardbench.benchmarks.registry import load_benchmark
from fcrewardbench.calls.check import AdmissibleCall, Checked, Failure, check
from fcrewardbench.calls.parse import Parsed, parse
from fcrewardbench.calls.schema import validate
from fcrewardbench.errors import (
    DataError,
    FCRewardBenchError,
    MissingExtra,
    ModelError,
    PlainTextWarning,
    RunError,
    SlowWarning,
    UnknownName,
    UsageError,
)
from fcrewardbench.run import Run, evaluate
from fcrewardbench.score import score_file
from fcrewardbench.types import (
    Benchmark,
    Call,
    Candidate,
    CandidateSet,
    Compared,
    ErrorType,
    Group,
    Outcome,
    Pair,
    Prompt,
    Scored,
    Tokens,
    Tool,
    Verdict,
)

__all__ = [
    "Adapter",
    "AdmissibleCall",
    "Benchmark",
    "Call",
    "Candidate",
    "CandidateSet",
    "Checked",
    "Compared",
    "DataError",
    "ErrorType",
    "FCRewardBenchError",
    "Failure",
    "Group",
    "Judge",
    "MissingExtra",
    "ModelError",
    "Outcome",
    "Pair",
    "Parsed",
    "PlainTextWarning",
    "Prompt",
    "Run",
    "RunError",
    "Scored",
    "Scorer",
    "SlowWarning",
    "Tokens",
    "Tool",
    "UnknownName",
    "UsageError",
    "Verdict",
    "check",
    "evaluate",
    "load",
    "load_benchmark",
    "parse",
    "score_file",
    "validate",
]
