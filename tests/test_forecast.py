"""`--dry-run`: counts that the run then confirms, estimates that say what they are."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import WEATHER, Fcrb, record
from safetensors import safe_open

from fcrewardbench import evaluate
from fcrewardbench.config import EvaluateConfig
from fcrewardbench.forecast import Forecast, duration, forecast


def forecast_of(
    model: Path, benchmark: Path, rate: float | None = None, **options: int
) -> Forecast:
    config = EvaluateConfig(
        model=f"path:{model}", adapter="likelihood", benchmark=str(benchmark), options=dict(options)
    )
    found = forecast(config, rate=rate)
    assert found is not None
    return found


@pytest.fixture
def benchmark(pairs_file: Callable[..., Path]) -> Path:
    long = json.dumps([{**WEATHER, "description": "Weather. " * 90}])
    return pairs_file(*(record(str(n)) for n in range(3)), record("long", tools=long))


def test_the_run_computes_what_was_forecast(smollm2: Path, benchmark: Path) -> None:
    found = forecast_of(smollm2, benchmark, rate=100.0)
    run = evaluate(str(smollm2), str(benchmark), adapter="likelihood")
    assert found.exact
    assert found.groups == len(run.rows) == 4
    assert found.naive == run.card["tokens"]["naive"]
    assert found.computed == run.card["tokens"]["computed"] < found.naive
    assert found.bound <= found.computed
    assert found.seconds == found.computed / 100
    alone = forecast_of(smollm2, benchmark, share_prompt=False)
    assert alone.computed == alone.naive == found.naive


def test_rows_that_do_not_fit_are_counted_and_not_computed(smollm2: Path, benchmark: Path) -> None:
    whole, cut = forecast_of(smollm2, benchmark), forecast_of(smollm2, benchmark, max_length=250)
    assert (whole.too_long, cut.too_long) == (0, 1)
    assert cut.longest == whole.longest > 250
    assert cut.limit == 250
    run = evaluate(str(smollm2), str(benchmark), adapter="likelihood", max_length=250)
    assert run.card["metrics"]["outcomes"]["too_long"] == 1
    assert run.card["tokens"]["naive"] == cut.naive


def test_memory_follows_the_dtype_and_the_weights(smollm2: Path, benchmark: Path) -> None:
    (file,) = smollm2.glob("*.safetensors")
    with safe_open(file, "pt") as tensors:
        elements = sum(tensors.get_tensor(name).numel() for name in tensors.keys())  # noqa: SIM118
    sizes = {}
    for dtype in ("float32", "bfloat16"):
        config = EvaluateConfig(
            model=f"path:{smollm2}", benchmark=str(benchmark), options={"dtype": dtype}
        )
        found = forecast(config)
        assert found is not None
        assert found.memory is not None
        sizes[dtype] = found.memory
    assert sizes["float32"].weights == 4 * elements
    assert sizes["bfloat16"].weights == 2 * elements
    assert sizes["float32"].state == 2 * sizes["bfloat16"].state


def test_only_the_header_of_the_weights_is_read(
    smollm2: Path, benchmark: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(smollm2, folder)
    (file,) = folder.glob("*.safetensors")
    with file.open("r+b") as content:
        content.truncate(8 + int.from_bytes(content.read(8), "little"))
    assert forecast_of(folder, benchmark) == forecast_of(smollm2, benchmark)


def test_a_server_is_estimated_without_being_asked(
    fcrb: Fcrb, benchmark: Path, tmp_path: Path
) -> None:
    command = ("evaluate", "--model", "m", "--base-url", "http://127.0.0.1:9/v1")
    options = ("--benchmark", benchmark, "--dry-run", "--price", "3,15", "--json")
    code, out, _ = fcrb(*command, *options, "--option", "verdict=logprobs")
    found = json.loads(out)
    assert code == 0
    assert not found["exact"]
    assert found["sequences"] == found["replies"] == 8
    assert found["cost"] == pytest.approx((found["naive"] * 3 + 8 * 15) / 1e6)
    code, out, _ = fcrb(*command, *options, "--option", "verdict=text", "--option", "max_tokens=50")
    assert json.loads(out)["replies"] == 8 * 50
    assert not (tmp_path / "runs").exists()
    _, out, _ = fcrb(*command, *options[:-1], "--option", "verdict=logprobs")
    assert "estimate: 4 characters a token" in out


def test_options_that_have_nothing_to_do_are_refused(fcrb: Fcrb, benchmark: Path) -> None:
    command = ("evaluate", "--model", "baseline/longer", "--benchmark", benchmark)
    for arguments, told in (
        (("--rate", "5"), "are for --dry-run"),
        (("--dry-run",), "reads no tokens"),
        (("--dry-run", "--price", "3"), "is no IN,OUT"),
    ):
        code, _, err = fcrb(*command, *arguments)
        assert code == 2
        assert told in err


def test_a_judge_is_told_that_sets_are_not_for_it(fcrb: Fcrb) -> None:
    command = ("evaluate", "--model", "m", "--base-url", "http://127.0.0.1:9/v1")
    code, _, err = fcrb(*command, "--benchmark", "open/candidates", "--dry-run")
    assert code == 2
    assert "is a judge, which compares two: evaluate a scorer on it." in " ".join(err.split())


def test_durations_read_well() -> None:
    assert [duration(s) for s in (12.4, 200, 7505)] == ["12 s", "3 min 20 s", "2 h 05 min"]
