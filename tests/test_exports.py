import subprocess
import sys

import fcrewardbench

EXPORTED = [
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
HEAVY = (
    "torch",
    "transformers",
    "datasets",
    "pandas",
    "pyarrow",
    "openai",
    "scipy",
    "numpy",
    "vllm",
)


def test_exported_names_are_pinned() -> None:
    assert sorted(fcrewardbench.__all__) == sorted(EXPORTED)
    for name in EXPORTED:
        assert getattr(fcrewardbench, name)


def test_import_and_help_load_nothing_heavy() -> None:
    program = (
        "import sys, fcrewardbench, fcrewardbench.cli\n"
        "from click.testing import CliRunner\n"
        "assert CliRunner().invoke(fcrewardbench.cli.cli, ['--help']).exit_code == 0\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"
