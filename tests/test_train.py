"""Training on trees: gradients, the whole command, kills, long prompts, bad input."""

from __future__ import annotations

import copy
import errno
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest
import torch
from click.testing import CliRunner
from datasets import Dataset
from peft import LoraConfig
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    Gemma3TextConfig,
    JambaConfig,
    LlamaConfig,
    PreTrainedConfig,
    Qwen3Config,
)
from trl import RewardConfig, RewardTrainer

from fcrewardbench import (
    Call,
    DataError,
    ModelError,
    Pair,
    PlainTextWarning,
    Prompt,
    RunError,
    Scorer,
    UsageError,
    load,
)
from fcrewardbench.adapters.folder import load_tokenizer
from fcrewardbench.calls.tools import tool_from
from fcrewardbench.render import Renderer, candidate_text
from toolrm.cli.train import command
from toolrm.matching import reference_of
from toolrm.records import TrainingPair, read_pairs, write_pairs
from toolrm.train.batch import TreeCollator
from toolrm.train.forward import over_trees
from toolrm.train.groups import Account, rendered
from toolrm.train.progress import by_source, read_metrics
from toolrm.train.recipe import Lora, Recipe, load_recipe, recipe_names
from toolrm.train.run import _is_new, train
from toolrm.train.start import start_from
from toolrm.train.trainer import TreeRewardTrainer

SIZES: dict[str, Any] = {
    "vocab_size": 500,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "num_labels": 1,
    "pad_token_id": 0,
}
CONFIGS: list[PreTrainedConfig] = [
    LlamaConfig(**SIZES),
    Qwen3Config(head_dim=16, **SIZES),
    Gemma3TextConfig(head_dim=16, sliding_window=16, **SIZES),
]
PLACES = ("Oslo", "Lima", "Cairo", "Rome", "Bern", "Kyoto", "Quito", "Riga")
FERRIES = tool_from(
    {
        "name": "chart_ferry",
        "description": "Ferries between two harbours, by their towns",
        "parameters": {
            "type": "object",
            "properties": {"start": {"type": "string"}, "end": {"type": "string"}},
            "required": ["start", "end"],
        },
    }
)


def _pairs(records: int, seed: int, source: str = "toy") -> Iterator[TrainingPair]:
    rng = Random(seed)
    for number in range(records):
        start, end = rng.sample(PLACES, 2)
        prompt = Prompt(
            (FERRIES,), ({"role": "user", "content": f"Ferries from {start} to {end}."},)
        )
        right = (Call("chart_ferry", {"start": start, "end": end}),)
        for place, wrong in enumerate(({"start": end, "end": start}, {"start": start})):
            pair = Pair(
                f"{seed}-{number}-{place}",
                prompt,
                right,
                (Call("chart_ferry", wrong),),
                "parameter value error",
                source,
                "edit:swap",
            )
            yield TrainingPair(pair, f"{seed}-{number}", "CC0-1.0")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pairs")
    write_pairs(folder / "train.parquet", _pairs(40, 1))
    write_pairs(folder / "held-out.parquet", _pairs(6, 2))
    return folder


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, smollm2: Path) -> Path:
    """A tiny Llama with SmolLM2's tokenizer."""
    folder = tmp_path_factory.mktemp("base")
    tokenizer = AutoTokenizer.from_pretrained(smollm2)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    sizes = {**SIZES, "vocab_size": len(tokenizer), "max_position_embeddings": 2_048}
    from transformers import AutoModelForCausalLM

    config = LlamaConfig(**{**sizes, "num_labels": 2})
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    return folder


def _recipe(base: Path, **changes: Any) -> Recipe:
    values = {
        "base": f"path:{base}",
        "autocast": False,
        "learning_rate": 2e-3,
        "groups_per_step": 4,
        "groups_per_pass": 2,
        "epochs": 10,
        "max_steps": 12,
        "evaluate_every": 4,
    }
    return Recipe.model_validate({**values, **changes})


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: type(config).__name__)
@pytest.mark.parametrize("checkpointing", [False, True])
def test_gradients_are_those_of_single_sequences(
    config: PreTrainedConfig, checkpointing: bool
) -> None:
    torch.manual_seed(0)
    tree = AutoModelForSequenceClassification.from_config(copy.deepcopy(config)).float()
    plain = copy.deepcopy(tree)
    plain.set_attn_implementation("eager")
    rng = Random(1)

    def ids(length: int) -> list[int]:
        return [rng.randrange(1, 500) for _ in range(length)]

    examples: list[dict[str, Any]] = []
    for length in (150, 40):
        prompt = ids(length)
        chosen = prompt + ids(20)
        examples.append(
            {"chosen_ids": chosen, "rejected_ids": [prompt + ids(9), chosen[:-5] + ids(30)]}
        )
    over_trees(tree)
    tree.train()
    if checkpointing:
        tree.gradient_checkpointing_enable({"use_reentrant": False})
    batch = TreeCollator()(examples)
    assert batch["input_ids"].shape[1] == (150 + 20 + 9 + 30) + (40 + 20 + 9 + 30)
    chosen, rejected = tree(**batch).logits.chunk(2)
    loss = -torch.nn.functional.logsigmoid(chosen - rejected).mean()
    loss.backward()  # type: ignore[no-untyped-call]

    losses = []
    for example in examples:
        better = plain(input_ids=torch.tensor([example["chosen_ids"]])).logits[0, 0]
        for row in example["rejected_ids"]:
            worse = plain(input_ids=torch.tensor([row])).logits[0, 0]
            losses.append(-torch.nn.functional.logsigmoid(better - worse))
    expected = torch.stack(losses).mean()
    expected.backward()  # type: ignore[no-untyped-call]
    assert float(loss) == pytest.approx(float(expected), abs=1e-5)
    compared = 0
    for (name, one), (_, other) in zip(
        tree.named_parameters(), plain.named_parameters(), strict=True
    ):
        if other.grad is None:
            continue
        assert one.grad is not None, name
        assert float((one.grad - other.grad).norm() / other.grad.norm()) < 1e-4, name
        compared += 1
    assert compared > 20


def test_a_trained_model_scores_as_it_was_trained(base: Path, data: Path, tmp_path: Path) -> None:
    recipe = _recipe(base, max_steps=40, evaluate_every=20)
    train(recipe, data / "train.parquet", data / "held-out.parquet", tmp_path / "run")
    rows = read_metrics(tmp_path / "run" / "metrics.jsonl")
    looks = [row for row in rows if "eval_loss" in row]
    assert [row["step"] for row in looks] == [20, 40]
    assert looks[-1]["eval_loss"] < 0.6931  # it learnt what it saw
    scorer = load(f"path:{tmp_path / 'run' / 'model'}")
    assert isinstance(scorer, Scorer)
    margins = []
    for pair in read_pairs(data / "held-out.parquet"):
        chosen, rejected = scorer.score_group(pair.pair.group())
        margins.append(
            (chosen - rejected) * (1 if pair.pair.group().correct == (True, False) else -1)
        )
    best = min(looks, key=lambda row: row["eval_loss"])
    assert sum(margins) / len(margins) == pytest.approx(best["eval_margin"], abs=1e-4)
    assert (tmp_path / "run" / "curves.png").stat().st_size > 5_000
    card = (tmp_path / "run" / "model" / "README.md").read_text()
    assert "Bradley-Terry" in card
    assert "| licences of the training pairs | CC0-1.0 (80) |" in card
    assert f"| base | path:{base.name} |" in card
    assert str(tmp_path.parent) not in card
    sent = {path.name for path in (tmp_path / "run" / "model").iterdir()}
    assert {"metrics.jsonl", "curves.png"} <= sent
    assert "overlap.json" not in sent  # nobody looked
    assert "80 whole" in card


def test_adapters_are_kept_and_merged(base: Path, data: Path, tmp_path: Path) -> None:
    recipe = _recipe(
        base, lora={"rank": 4, "alpha": 8, "from_layer": 1}, dtype="bfloat16", autocast=True
    )
    train(recipe, data / "train.parquet", None, tmp_path / "run")
    adapter = load_file(tmp_path / "run" / "adapter" / "adapter_model.safetensors")
    assert any(name.endswith("score.weight") for name in adapter)
    assert not any(".layers.0." in name for name in adapter)
    merged = load_file(tmp_path / "run" / "model" / "model.safetensors")
    original = load_file(base / "model.safetensors")
    assert torch.equal(
        merged["model.layers.0.mlp.up_proj.weight"],
        original["model.layers.0.mlp.up_proj.weight"].bfloat16().float(),
    )
    up = "model.layers.2.mlp.up_proj"
    key = f"base_model.model.{up}.lora_{{}}.weight"
    change = 2 * adapter[key.format("B")].float() @ adapter[key.format("A")].float()
    scorers = [load(f"path:{tmp_path / 'run' / part}") for part in ("model", "adapter")]
    pair = next(read_pairs(data / "held-out.parquet")).pair
    one, other = (scorer.score_group(pair.group()) for scorer in scorers)  # type: ignore[union-attr]
    assert list(other) == pytest.approx(list(one), abs=0.02)  # its base is not rounded to bfloat16
    found = merged[f"{up}.weight"] - original[f"{up}.weight"].bfloat16().float()
    assert float(change.abs().max()) > 0
    torch.testing.assert_close(found, change, atol=1e-6, rtol=1e-3)


def test_a_run_goes_on_from_the_adapters_of_another(base: Path, data: Path, tmp_path: Path) -> None:
    recipe = _recipe(base, lora=Lora(rank=4, alpha=8), max_steps=4)
    held_out = data / "held-out.parquet"
    train(recipe, data / "train.parquet", held_out, tmp_path / "first")
    start = tmp_path / "first" / "adapter"
    still = recipe.model_copy(update={"learning_rate": 1e-12, "max_steps": 1})
    train(still, data / "train.parquet", held_out, tmp_path / "second", start=start)
    looks = [
        json.loads((tmp_path / run / "report.json").read_text())[look]["eval_loss"]
        for run, look in (("first", "best"), ("second", "before"))
    ]
    assert looks[1] == pytest.approx(looks[0], abs=1e-5)
    before, after = (
        load_file(tmp_path / run / "adapter" / "adapter_model.safetensors")
        for run in ("first", "second")
    )
    assert any(float(tensor.abs().max()) > 0 for name, tensor in before.items() if "lora_B" in name)
    for name, tensor in before.items():
        torch.testing.assert_close(after[name], tensor, atol=1e-6, rtol=1e-3, msg=name)
    card = (tmp_path / "second" / "model" / "README.md").read_text()
    assert f"| held out, before the first step | loss {looks[1]:.4f}, accuracy " in card
    data_sha256 = hashlib.sha256((data / "train.parquet").read_bytes()).hexdigest()
    assert f"trained on pairs with the sha256 `{data_sha256}`, whose overlap" in card
    told = json.loads((tmp_path / "second" / "report.json").read_text())
    assert told["start"]["sha256"] == told["inputs"]["start"]
    assert told["start"]["generators"] == ["edit:swap"]
    other = still.model_copy(update={"seed": 1})
    (start.parent / "report.json").unlink()
    train(other, data / "train.parquet", None, tmp_path / "third", start=start)
    card = (tmp_path / "third" / "model" / "README.md").read_text()
    assert "pairs that are not known, whose overlap with benchmarks is: not looked for" in card
    further = tmp_path / "second" / "adapter"
    train(still, data / "train.parquet", None, tmp_path / "fourth", start=further)
    card = (tmp_path / "fourth" / "model" / "README.md").read_text()
    assert card.count(f"trained on pairs with the sha256 `{data_sha256}`") == 2


def test_adapters_that_saw_benchmarks_are_gone_on_from_only_if_allowed(
    base: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = _recipe(base, lora=Lora(rank=4, alpha=8), max_steps=1)
    found = {"clean": False, "records": 9, "records_refused": 3, "references": {}, "sha256": "x"}
    train(recipe, data / "train.parquet", None, tmp_path / "first", overlap=found)
    first = tmp_path / "first" / "adapter"
    train(recipe, data / "train.parquet", None, tmp_path / "second", start=first)
    for run in ("first", "second"):
        with pytest.raises(UsageError, match="saw pairs that overlap with benchmarks"):
            start_from(tmp_path / run / "adapter", recipe).refuse_overlap()
    train(recipe, data / "train.parquet", None, tmp_path / "third")
    unknown = tmp_path / "third" / "adapter"
    assert not start_from(unknown, recipe).is_compared
    assert start_from(first, recipe).is_compared
    file = tmp_path / "recipe.yaml"
    file.write_text(json.dumps(recipe.model_dump(mode="json")))
    # The folder is another run's, so that nothing is trained.
    asked = ["--recipe", file, "--data", data / "train.parquet", "--out", tmp_path / "third"]
    monkeypatch.setattr("toolrm.references.references", lambda names, downstream: [])
    for start, told in ((unknown, True), (first, False)):
        done = CliRunner().invoke(
            command, [*map(str, asked), "--start", str(start), "--allow-overlap"]
        )
        assert isinstance(done.exception, UsageError)
        assert ("saw benchmarks is not known" in done.output) is told
    card = (tmp_path / "second" / "model" / "README.md").read_text()
    assert "whose overlap with benchmarks is: 3 records, among 9 records" in card
    account = json.loads((tmp_path / "first" / "model" / "overlap.json").read_text())
    assert account == json.loads((tmp_path / "first" / "report.json").read_text())["overlap"]
    report = tmp_path / "first" / "report.json"
    for text in ("[]", "{", '{"inputs": null}', '{"inputs": {"data": "x"}, "overlap": 3}'):
        report.write_text(text)
        with pytest.raises(UsageError, match="is no report of toolrm train"):
            start_from(first, recipe)


def test_held_out_pairs_must_not_overlap_either(
    base: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tmp_path / "mine.yaml"
    recipe.write_text(json.dumps(_recipe(base).model_dump(mode="json")))
    trained = [one.pair.prompt for one in _pairs(40, 1)]
    watched = next(p for one in _pairs(6, 2) if (p := one.pair.prompt) not in trained)
    benchmark = reference_of("a benchmark", [("1", watched)], ["tool name", "tool schema"])
    known = {"mine.jsonl": benchmark}
    monkeypatch.setattr(
        "toolrm.references.references", lambda names, downstream: [known[name] for name in names]
    )
    paths = {"--config": recipe, "--data": data / "train.parquet", "--out": tmp_path / "run"}
    paths |= {"--held-out": data / "held-out.parquet", "--benchmark": Path("mine.jsonl")}
    asked = [str(word) for pair in paths.items() for word in pair]
    done = CliRunner().invoke(command, asked)
    assert isinstance(done.exception, UsageError)
    assert "1 of 46 records overlap with benchmarks (a benchmark: 1 by query)" in str(
        done.exception
    )
    assert "rebuilt is not built here, so nothing is compared with it." in done.output
    assert not (tmp_path / "run").exists()


def test_a_run_that_ended_before_it_began_can_be_started_again(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "run.json.part").write_text("{")
    assert _is_new(tmp_path, {})
    (tmp_path / "checkpoints" / "checkpoint-3").mkdir()
    with pytest.raises(UsageError, match="is not empty and no training run"):
        _is_new(tmp_path, {})


def test_the_reference_model_can_be_gone_on_from() -> None:
    folder = Path(str(files("toolrm"))) / "reference" / "smollm2-135m"
    told = start_from(folder, load_recipe("smollm2-135m")).told
    card = (folder / "README.md").read_text()
    assert told["data"] in card
    assert told["overlap"]["clean"]
    assert told["overlap"]["sha256"] in card


def test_a_run_that_goes_on_can_be_killed(base: Path, data: Path, tmp_path: Path) -> None:
    recipe = _recipe(base, lora=Lora(rank=4, alpha=8), max_steps=8)
    train(recipe, data / "train.parquet", None, tmp_path / "first")
    start = tmp_path / "first" / "adapter"
    held_out = data / "held-out.parquet"
    train(recipe, data / "train.parquet", held_out, tmp_path / "whole", start=start)
    torn = tmp_path / "torn"
    train(recipe, data / "train.parquet", held_out, torn, start=start)
    for path in ("model", "adapter"):
        shutil.rmtree(torn / path)
    (torn / "report.json").unlink()
    assert (torn / "checkpoints" / "checkpoint-4").is_dir()
    with pytest.raises(UsageError, match="another recipe, base, data, start or number"):
        train(recipe, data / "train.parquet", held_out, torn)
    for lost in ("checkpoint-8", "checkpoint-*"):
        for folder in (torn / "checkpoints").glob(lost):
            shutil.rmtree(folder)
        train(recipe, data / "train.parquet", held_out, torn, start=start)
        whole, resumed = (
            load_file(run / "adapter" / "adapter_model.safetensors")
            for run in (tmp_path / "whole", torn)
        )
        for name, tensor in whole.items():
            torch.testing.assert_close(resumed[name], tensor, atol=1e-6, rtol=1e-4, msg=name)
        rows = read_metrics(torn / "metrics.jsonl")
        assert [row["step"] for row in rows if "eval_loss" in row] == [0, 4, 8]
        before = json.loads((torn / "report.json").read_text())["before"]
        assert before == next(row for row in rows if "eval_loss" in row)
        (torn / "report.json").unlink()


def test_a_run_that_made_its_start_worse_says_so(
    base: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = []
    for run, rate, start in (("first", 2e-3, None), ("worse", 5.0, tmp_path / "first" / "adapter")):
        recipe = _recipe(base, lora=Lora(rank=4, alpha=8), learning_rate=rate)
        train(
            recipe, data / "train.parquet", data / "held-out.parquet", tmp_path / run, start=start
        )
        told.append("what the run went on from was better" in capsys.readouterr().err)
    assert told == [False, True]


def test_adapters_that_do_not_fit_are_not_gone_on_from(
    base: Path, data: Path, tmp_path: Path
) -> None:
    recipe = _recipe(base, lora=Lora(rank=4, alpha=8), max_steps=1)
    train(recipe, data / "train.parquet", None, tmp_path / "first")
    start = tmp_path / "first" / "adapter"

    def refused(message: str, **changes: Any) -> None:
        other = recipe.model_copy(update=changes)
        with pytest.raises(UsageError, match=message):
            train(other, data / "train.parquet", None, tmp_path / "second", start=start)

    refused("needs a recipe with lora", lora=None)
    refused("their layers_to_transform are", lora=Lora(rank=4, alpha=8, from_layer=1))
    refused("rank and alpha are not 4 and 16", lora=Lora(rank=4, alpha=16))
    told = json.loads((start / "adapter_config.json").read_text())
    for changes, message in (
        ({"use_rslora": True}, "not made by toolrm train"),
        ({"task_type": "CAUSAL_LM"}, "not made by toolrm train"),
        ({"base_model_name_or_path": "other"}, "their base is other"),
        ({"peft_type": "X"}, "no adapters that can be read"),
        ({"target_modules": ["q_proj"]}, "their target_modules are"),
    ):
        (start / "adapter_config.json").write_text(json.dumps(told | changes))
        refused(message)
    (start / "adapter_config.json").write_text("[]")
    refused("no adapters that can be read")
    (start / "adapter_config.json").write_text(json.dumps(told))
    (start / "adapter_model.safetensors").unlink()
    refused("no adapters that can be read")


def test_a_look_takes_as_many_groups_as_the_recipe_says(
    base: Path, data: Path, tmp_path: Path
) -> None:
    recipe = _recipe(base, evaluated_groups=2, max_steps=4)
    train(recipe, data / "train.parquet", data / "held-out.parquet", tmp_path / "run")
    assert json.loads((tmp_path / "run" / "report.json").read_text())["looked_at"] == [2, 6]
    assert "means over 2 of 6 groups" in (tmp_path / "run" / "model" / "README.md").read_text()


def test_a_look_tells_of_every_source(base: Path, data: Path, tmp_path: Path) -> None:
    held_out = tmp_path / "held-out.parquet"
    write_pairs(held_out, [*_pairs(4, 2), *_pairs(2, 3, "other")])
    recipe = _recipe(base, max_steps=4)
    train(recipe, data / "train.parquet", held_out, tmp_path / "run")
    (look,) = (r for r in read_metrics(tmp_path / "run" / "metrics.jsonl") if "eval_loss" in r)
    told = by_source(look)
    assert list(told) == ["other", "toy"]
    assert told["other"][0] != told["toy"][0]
    for place, name in enumerate(("loss", "accuracy")):
        mean = (4 * told["toy"][place] + 2 * told["other"][place]) / 6
        assert look[f"eval_{name}"] == pytest.approx(mean, abs=1e-6)
    groups = json.loads((tmp_path / "run" / "report.json").read_text())["looked_at_by_source"]
    assert groups == {"toy": 4, "other": 2}
    assert f"other: loss {told['other'][0]:.4f}" in (
        tmp_path / "run" / "model" / "README.md"
    ).read_text("utf-8")


def test_logs_end_where_checkpoints_do(base: Path, data: Path, tmp_path: Path) -> None:
    recipe = _recipe(base, max_steps=22, evaluate_every=22)
    train(recipe, data / "train.parquet", data / "held-out.parquet", tmp_path / "run")
    rows = read_metrics(tmp_path / "run" / "metrics.jsonl")
    assert [row["step"] for row in rows if "loss" in row] == [*range(2, 23, 2)]


def _command(base: Path, data: Path, out: Path, **changes: Any) -> list[str]:
    recipe = out.parent / "recipe.yaml"
    recipe.write_text(json.dumps(_recipe(base, **changes).model_dump(mode="json")))  # JSON is YAML
    return [
        *(sys.executable, "-m", "toolrm", "train", "--recipe", str(recipe), "--out", str(out)),
        *("--data", str(data / "train.parquet"), "--held-out", str(data / "held-out.parquet")),
    ]


def _kill_at(step: int, run: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while not any(row["step"] >= step for row in read_metrics(run / "metrics.jsonl")):
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    workers = psutil.Process(process.pid).children(recursive=True)  # in sessions of their own
    for one in (process, *workers):
        one.kill()
    process.wait()
    psutil.wait_procs(workers)
    assert not (run / "model").exists()


def test_a_killed_run_ends_with_the_same_loss(base: Path, data: Path, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    train(_recipe(base), data / "train.parquet", data / "held-out.parquet", whole)
    command = _command(base, data, killed)
    _kill_at(6, killed, subprocess.Popen(command))
    subprocess.run(command, check=True)
    one, other = (
        {
            row["step"]: row["eval_loss"]
            for row in read_metrics(run / "metrics.jsonl")
            if "eval_loss" in row
        }
        for run in (whole, killed)
    )
    assert other.keys() == one.keys() == {4, 8, 12}
    assert other[12] == pytest.approx(one[12], abs=1e-3)


def test_a_checkpoint_cut_off_by_a_kill_is_passed_over(
    base: Path, data: Path, tmp_path: Path
) -> None:
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    for out in (whole, torn):
        train(_recipe(base), data / "train.parquet", data / "held-out.parquet", out)
    shutil.rmtree(torn / "model")
    (torn / "report.json").unlink()
    (torn / "checkpoints" / "checkpoint-12" / "trainer_state.json").unlink()
    train(_recipe(base), data / "train.parquet", data / "held-out.parquet", torn)
    one, other = (load_file(out / "model" / "model.safetensors") for out in (whole, torn))
    for name, tensor in one.items():
        torch.testing.assert_close(other[name], tensor, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("changes", "last"),
    [({}, 12), ({"patience": 1, "learning_rate": 1e-12, "max_steps": 40}, 8)],
    ids=["steps", "patience"],
)
def test_a_run_killed_at_its_end_trains_no_further(
    base: Path, data: Path, tmp_path: Path, changes: dict[str, Any], last: int
) -> None:
    run = tmp_path / "run"
    for _ in range(2):
        train(_recipe(base, **changes), data / "train.parquet", data / "held-out.parquet", run)
        steps = [row["step"] for row in read_metrics(run / "metrics.jsonl")]
        assert max(steps) == last
        (run / "report.json").unlink()
        shutil.rmtree(run / "model")


@pytest.mark.parametrize("lora", [False, True], ids=["all weights", "lora"])
def test_loss_and_gradients_are_those_of_trl(lora: bool, smollm2: Path, tmp_path: Path) -> None:
    """With centering and margins, on groups of one pair."""
    rng = Random(4)
    examples: list[dict[str, Any]] = []
    for length, margin in ((60, 0.5), (25, 0.0), (33, 1.5)):
        prompt, chosen, rejected = (
            [rng.randrange(3, 500) for _ in range(n)] for n in (length, rng.randrange(4, 20), 11)
        )
        examples.append(
            {"chosen_ids": prompt + chosen, "rejected_ids": prompt + rejected, "margin": margin}
        )
    ours = [
        {**one, "rejected_ids": [one["rejected_ids"]], "margins": [one["margin"]]}
        for one in examples
    ]
    arguments = RewardConfig(
        output_dir=str(tmp_path),
        center_rewards_coefficient=0.03,
        per_device_train_batch_size=3,
        max_length=None,
        bf16=False,
        gradient_checkpointing=False,
        use_cpu=True,
        report_to="none",
    )
    network = AutoModelForSequenceClassification.from_config(LlamaConfig(**SIZES)).float()
    adapters = LoraConfig(
        task_type="SEQ_CLS",
        r=4,
        target_modules=["q_proj", "down_proj"],
        modules_to_save=["score"],
        init_lora_weights=False,
    )
    tokenizer = AutoTokenizer.from_pretrained(smollm2)
    found: list[tuple[float, dict[str, torch.Tensor]]] = []
    weights: dict[str, torch.Tensor] = {}
    for kind, data in ((TreeRewardTrainer, ours), (RewardTrainer, examples)):
        trainer = kind(
            model=copy.deepcopy(network),
            args=arguments,
            train_dataset=Dataset.from_list(data),
            processing_class=tokenizer,
            peft_config=adapters if lora else None,
        )
        weights = weights or copy.deepcopy(trainer.model.state_dict())
        trainer.model.load_state_dict(weights)
        trainer.model.train()
        batch = trainer.data_collator(data)
        loss = trainer.compute_loss(trainer.model, batch)
        loss.backward()
        named = trainer.model.named_parameters()
        found.append(
            (float(loss.detach()), {name: p.grad for name, p in named if p.grad is not None})
        )
    (loss, gradients), (expected, reference) = found
    assert loss == pytest.approx(expected, abs=1e-5)
    assert gradients.keys() == reference.keys()
    assert len(gradients) == (13 if lora else 30)
    for name, gradient in gradients.items():
        assert float((gradient - reference[name]).norm() / reference[name].norm()) < 1e-4, name


def test_groups_weigh_alike_however_many_pairs_they_have() -> None:
    examples = [
        {"chosen_ids": [1, 2, 3], "rejected_ids": [[1, 2, 4]]},
        {"chosen_ids": [5, 6], "rejected_ids": [[5, 7], [5, 8], [5, 9], [5]]},
    ]
    batch = TreeCollator()(examples)
    assert batch["weight"].tolist() == [0.5, 0.125, 0.125, 0.125, 0.125]
    alone = [TreeCollator()([example])["weight"] for example in examples]
    torch.testing.assert_close(torch.cat(alone) / 2, batch["weight"])


def test_an_architecture_that_reads_along_the_row_is_refused() -> None:
    sizes = {**SIZES, "mamba_expand": 2, "attn_layer_period": 2, "attn_layer_offset": 1}
    config = JambaConfig(**sizes, use_mamba_kernels=False, num_experts=2)
    with pytest.raises(ModelError, match="cannot be trained on trees"):
        over_trees(AutoModelForSequenceClassification.from_config(config))


def test_two_processes_train_together_and_go_on_as_two_machines_in_a_later_epoch(
    base: Path, data: Path, tmp_path: Path
) -> None:
    alone, together = tmp_path / "alone", tmp_path / "together"
    changes = {"max_steps": 24, "evaluate_every": 12}  # an epoch has ten
    shutil.copyfile(data / "train.parquet", tmp_path / "train.parquet")
    write_pairs(tmp_path / "held-out.parquet", [*_pairs(4, 2), *_pairs(3, 3, "other")])  # odd
    train(_recipe(base, **changes), data / "train.parquet", tmp_path / "held-out.parquet", alone)
    command = _command(base, tmp_path, together, **changes)[1:]

    def launched(*arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "torch.distributed.run", *arguments, *command],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )

    _kill_at(13, together, launched("--nproc_per_node", "2", "--standalone"))
    shutil.rmtree(together / "checkpoints" / "checkpoint-24", ignore_errors=True)
    kept = [row for row in read_metrics(together / "metrics.jsonl") if row["step"] <= 12]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    meeting = ("--nnodes", "2", "--master_addr", "127.0.0.1", "--master_port", port)
    machines = [launched(*meeting, "--node_rank", rank) for rank in ("0", "1")]
    assert [machine.wait() for machine in machines] == [0, 0]
    # With the time that a look took, which no other run has.
    assert read_metrics(together / "metrics.jsonl")[: len(kept)] == kept
    one, other = (
        {row["step"]: row["loss"] for row in read_metrics(run / "metrics.jsonl") if "loss" in row}
        for run in (alone, together)
    )
    assert json.loads((together / "run.json").read_text())["processes"] == 2
    assert list(other) == list(one) == list(range(1, 25))
    # The same groups meet in a step there, and weigh alike.
    assert other == pytest.approx(one, abs=1e-4)
    assert one[24] < 0.6
    looks = [read_metrics(run / "metrics.jsonl")[-1] for run in (alone, together)]
    for name in ("eval_loss", "eval_accuracy", "eval_loss/toy", "eval_accuracy/other"):
        assert looks[1][name] == pytest.approx(looks[0][name], abs=1e-3)
    assert (together / "model" / "model.safetensors").is_file()


def test_long_prompts_lose_unused_tools_then_turns_and_are_counted(smollm2: Path) -> None:
    renderer = Renderer(load_tokenizer(str(smollm2), trust_remote_code=False))
    other = tool_from({"name": "sing", "description": "la " * 300, "parameters": {}})
    first = next(_pairs(1, 1))
    messages = (
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "old " * 300},
        {"role": "assistant", "content": "Yes."},
        *first.pair.prompt.messages,
    )

    def pair(number: int, tools: Any, turns: Any) -> TrainingPair:
        return TrainingPair(
            Pair(
                str(number),
                Prompt(tools, turns),
                first.pair.chosen,
                first.pair.rejected,
                "x",
                "toy",
                "edit:swap",
            ),
            str(number),
            "CC0-1.0",
        )

    short = first.pair.prompt.messages
    same = candidate_text(first.pair.chosen)
    pairs = [
        pair(0, (FERRIES,), short),
        pair(1, (other, FERRIES), short),
        pair(2, (FERRIES, other), messages),
        pair(3, (FERRIES,), ({"role": "user", "content": "now " * 900},)),
        replace(first, record="same", pair=replace(first.pair, rejected=same)),
    ]
    account = Account()
    groups = list(rendered(pairs, renderer, 300, account))
    assert account.counts == {
        "whole": 1,
        "tools cut": 1,
        "turns cut": 1,
        "left out: too long even so": 1,
        "left out: the same tokens as chosen": 1,
    }
    texts = [renderer._tokenizer.decode(group.chosen) for group in groups]
    assert all("chart_ferry" in text and "sing" not in text for text in texts)
    assert "Be brief." in texts[2]
    assert "old" not in texts[2]
    assert account.longest <= 300
    assert account.groups == len(groups) == 3


def test_a_candidate_that_is_too_long_takes_no_others_with_it(smollm2: Path) -> None:
    renderer = Renderer(load_tokenizer(str(smollm2), trust_remote_code=False))
    first, second = list(_pairs(1, 1))[:2]
    rambling = replace(second, pair=replace(second.pair, rejected="Well, " * 400))
    account = Account()
    (group,) = rendered([first, rambling], renderer, 300, account)
    assert account.counts == {"whole": 1, "left out: too long even so": 1}
    (alone,) = rendered([first], renderer, 300, Account())
    assert (group.chosen, group.rejected) == (alone.chosen, alone.rejected)
    account = Account()
    assert list(rendered([rambling], renderer, 300, account)) == []
    assert account.counts == {"left out: too long even so": 1}


def test_what_cannot_be_trained_is_told_before_anything_is_rendered(
    base: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> Any:
        raise AssertionError("it read the pairs")
        yield

    def start(recipe: Recipe) -> None:
        train(recipe, data / "train.parquet", None, tmp_path / "run", read=lambda _: broken())

    with pytest.raises(UsageError, match="takes 2048 tokens; max_tokens must not be above that"):
        start(_recipe(base, max_tokens=4_096))
    with monkeypatch.context() as patched:
        patched.setattr(torch.cuda, "device_count", lambda: 2)
        with pytest.raises(UsageError, match="2 GPUs are in sight of one process: start it with"):
            start(_recipe(base))
    bare = tmp_path / "bare"
    shutil.copytree(base, bare)
    tokenizer = AutoTokenizer.from_pretrained(base)
    tokenizer.chat_template = None
    tokenizer.save_pretrained(bare)
    (bare / "chat_template.jinja").unlink(missing_ok=True)
    with (
        pytest.warns(PlainTextWarning, match="has no chat template"),
        pytest.raises(AssertionError),
    ):
        start(_recipe(bare))
    tokenizer.pad_token = tokenizer.eos_token = None
    tokenizer.save_pretrained(bare)
    with pytest.raises(ModelError, match="neither a padding nor an end token"):
        start(_recipe(bare))
    assert not (tmp_path / "run").exists()


def test_recipes_that_ship_are_valid() -> None:
    assert {"smoke", "smollm2-135m", "paper-1.7b", "paper-8b", "paper-14b"} <= set(recipe_names())
    for name in recipe_names():
        load_recipe(name)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("base: x\nlearning_rate: 1e-4\nlearning_rat: 2", "learning_rat: Extra inputs"),
        ("base: x\nlearning_rate: -1", "learning_rate: Input should be greater than 0"),
        ("base: [", "no YAML"),
    ],
)
def test_a_wrong_recipe_is_refused_in_a_sentence(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match=told):
        load_recipe(str(path))


def test_bad_input_is_told_with_its_place(base: Path, data: Path, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(data / "train.parquet")
    column = table["rejected_output"].to_pylist()
    column[4] = table["chosen_output"][4].as_py()
    place = table.column_names.index("rejected_output")
    pq.write_table(
        table.set_column(place, "rejected_output", pa.array(column)), tmp_path / "bad.parquet"
    )
    with pytest.raises(DataError, match=r"bad\.parquet, row 5"):
        train(_recipe(base), tmp_path / "bad.parquet", None, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    misspelt = _recipe(base, margins={"parameter valu error": 1.0})
    with pytest.raises(UsageError, match="No pair has the error type 'parameter valu error'"):
        train(misspelt, data / "train.parquet", None, tmp_path / "run")
    train(_recipe(base, max_steps=1), data / "train.parquet", None, tmp_path / "run")
    path = tmp_path / "run" / "run.json"
    earlier = json.loads(path.read_text())
    del earlier["start"]  # as runs were written before they could go on from others
    path.write_text(json.dumps(earlier))
    train(_recipe(base, max_steps=1), data / "train.parquet", None, tmp_path / "run")
    with pytest.raises(UsageError, match="holds a run of another recipe"):
        train(_recipe(base, seed=1), data / "train.parquet", None, tmp_path / "run")
    with pytest.raises(UsageError, match="no multiple"):
        train(_recipe(base, groups_per_step=5), data / "train.parquet", None, tmp_path / "other")


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        (
            "chosen_output",
            '[{"name": "chart_boat", "arguments": {}}]',
            "calls 'chart_boat', which is",
        ),
        ("chosen_output", '[{"name": "chart_ferry", "arg', "looks like calls that cannot be read"),
        ("conversation", '[{"role": "assistant", "content": "Well?"}]', "has no query"),
        ("tools", json.dumps([FERRIES.original] * 2), "a tool is there twice"),
    ],
)
def test_pairs_whose_right_side_cannot_be_right_are_refused(
    column: str, value: str, told: str, base: Path, data: Path, tmp_path: Path
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(data / "train.parquet")
    values = table[column].to_pylist()
    values[6] = value
    place = table.column_names.index(column)
    path = tmp_path / "bad.parquet"
    pq.write_table(table.set_column(place, column, pa.array(values)), path)
    with pytest.raises(DataError, match=rf"bad\.parquet, row 7: .*{told}.*take it out"):
        train(_recipe(base), path, None, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_base_that_lacks_weights_is_refused(base: Path, data: Path, tmp_path: Path) -> None:
    lacking = tmp_path / "lacking"
    shutil.copytree(base, lacking)
    weights = load_file(lacking / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, lacking / "model.safetensors", {"format": "pt"})
    with pytest.raises(
        ModelError, match=r"lacks .*layers\.1\.mlp\.up_proj\.weight.*decoder is whole"
    ):
        train(_recipe(lacking), data / "train.parquet", None, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_tracker_that_is_not_installed_is_told_before_anything_is_read(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolrm.cli.train.find_spec", lambda package: None)
    recipe = tmp_path / "mine.yaml"
    recipe.write_text(f"base: path:{base}\nlearning_rate: 1e-4\nreport_to: [tensorboard]\n")
    asked = ["--recipe", str(recipe), "--data", str(recipe), "--out", str(tmp_path / "run")]
    with pytest.raises(UsageError, match="reports to tensorboard: run pip install tensorboard"):
        CliRunner().invoke(command, asked, catch_exceptions=False)


def test_pairs_come_back_as_they_were_written(tmp_path: Path) -> None:
    first = next(_pairs(1, 1))
    styled = '[{"arguments":{"start":"Rome"},"name":"chart_ferry"}]'
    pairs = [first, replace(first, pair=replace(first.pair, id="other", rejected=styled))]
    assert write_pairs(tmp_path / "pairs.parquet", pairs) == 2
    assert list(read_pairs(tmp_path / "pairs.parquet")) == pairs


def test_a_full_disk_is_told_and_nothing_is_lost(
    base: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("toolrm.train.run.save", full)
        with pytest.raises(RunError, match="make room, and start the same command again"):
            train(_recipe(base, max_steps=4), data / "train.parquet", None, tmp_path / "run")
    assert not (tmp_path / "run" / "report.json").exists()
    train(_recipe(base, max_steps=4), data / "train.parquet", None, tmp_path / "run")
    assert (tmp_path / "run" / "model" / "model.safetensors").is_file()
