"""vLLM's offline engine and server give what transformers gives. Skipped where vLLM is not installed.

`bench/vllm_cpu.sh` makes an environment in which these tests run on a CPU.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "2")
os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")  # in this process: starts in seconds
pytest.importorskip("vllm", reason="vLLM is not installed", exc_type=ImportError)

from fcrewardbench.adapters.registry import load_named
from fcrewardbench.adapters.remote import Remote
from fcrewardbench.adapters.replies import letter_of
from fcrewardbench.adapters.vllm import VllmClassifier
from fcrewardbench.adapters.vllm_judge import TOP_LOGPROBS, VllmJudge
from fcrewardbench.errors import ModelError
from fcrewardbench.render import common_length
from fcrewardbench.types import Group, Outcome, Scored, Verdict

TOLERANCE = 1e-4  # fp32
OPTIONS: dict[str, Any] = {
    "dtype": "float32",
    "max_length": 4096,
    "enforce_eager": True,
    "gpu_memory_utilization": 0.2,
}


@pytest.fixture(scope="module")
def reward_model(tmp_path_factory: pytest.TempPathFactory, smollm2: Path) -> Path:
    """SmolLM2 with a random head whose weights are saved, so that it counts as trained."""
    torch.manual_seed(0)
    network = transformers.AutoModelForSequenceClassification.from_pretrained(smollm2, num_labels=1)
    path = tmp_path_factory.mktemp("reward")
    network.save_pretrained(path)
    transformers.AutoTokenizer.from_pretrained(smollm2).save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def scorer(reward_model: Path) -> VllmClassifier:
    found = load_named(str(reward_model), "vllm", **OPTIONS).adapter
    assert isinstance(found, VllmClassifier)
    return found


@pytest.fixture(scope="module")
def judge(smollm2: Path) -> VllmJudge:
    return VllmJudge(str(smollm2), **OPTIONS)


@pytest.fixture(scope="module")
def expected(
    reward_model: Path, scorer: VllmClassifier, groups: list[Group]
) -> dict[str, list[float]]:
    """The head's logit at the last token, each sequence alone."""
    network = transformers.AutoModelForSequenceClassification.from_pretrained(reward_model).eval()

    def alone(ids: tuple[int, ...]) -> float:
        with torch.inference_mode():
            states = network.model(input_ids=torch.tensor([ids])).last_hidden_state
            return float(network.score(states[0, -1]))

    return {group.id: [alone(one.ids) for one in scorer.inputs(group)] for group in groups}


@pytest.fixture(scope="module")
def pairs(groups: list[Group]) -> list[Group]:
    return [Group(group.id, group.prompt, group.candidates[:2]) for group in groups]


def by_id(results: Iterator[Scored]) -> dict[str, Scored]:
    return {scored.id: scored for scored in results}


def test_scores_are_raw_logits_whatever_is_scored_together(
    scorer: VllmClassifier,
    expected: dict[str, list[float]],
    groups: list[Group],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    together = by_id(scorer.score_groups(groups))
    monkeypatch.setattr("fcrewardbench.adapters.vllm.WINDOW", 1)
    apart = by_id(scorer.score_groups(groups[::-1]))
    assert together.keys() == apart.keys() == expected.keys()
    assert any(not 0 <= score <= 1 for scores in expected.values() for score in scores)
    for id, scores in expected.items():
        assert together[id].scores == pytest.approx(scores, abs=TOLERANCE)
        assert apart[id].scores == pytest.approx(scores, abs=TOLERANCE)


def test_what_candidates_share_is_computed_once(scorer: VllmClassifier, pairs: list[Group]) -> None:
    scorer.engine.reset_prefix_cache()
    for scored in scorer.score_groups(pairs):
        (group,) = (group for group in pairs if group.id == scored.id)
        first, second = (one.ids for one in scorer.inputs(group))
        shared = common_length(first, second)
        assert scored.tokens.naive == len(first) + len(second)
        assert scored.tokens.naive - shared <= scored.tokens.computed < scored.tokens.naive


def test_a_row_longer_than_the_model_takes_is_an_outcome(
    scorer: VllmClassifier, reward_model: Path, groups: list[Group]
) -> None:
    short = VllmClassifier(str(reward_model), **{**OPTIONS, "max_length": 600})
    short.engine = scorer.engine
    lengths = {group.id: max(len(one.ids) for one in short.inputs(group)) for group in groups}
    results = by_id(short.score_groups(groups))
    failed = {id for id, scored in results.items() if scored.failure is Outcome.TOO_LONG}
    assert failed == {id for id, length in lengths.items() if length > 600}
    assert 0 < len(failed) < len(groups)
    assert all("limit is 600" in results[id].detail for id in failed)


def test_a_head_that_is_not_trained_or_not_one_is_refused(
    smollm2: Path, reward_model: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="no trained head"):
        VllmClassifier(str(smollm2), **OPTIONS)
    for file in reward_model.iterdir():
        shutil.copy(file, tmp_path)
    config = json.loads((tmp_path / "config.json").read_text("utf-8"))
    config |= {"id2label": {"0": "a", "1": "b"}, "label2id": {"a": 0, "b": 1}}
    (tmp_path / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(ModelError, match="has 2 outputs"):
        VllmClassifier(str(tmp_path), **OPTIONS)


def test_a_judge_reads_the_letters_that_transformers_gives(
    judge: VllmJudge, smollm2: Path, pairs: list[Group]
) -> None:
    network = transformers.AutoModelForCausalLM.from_pretrained(smollm2).eval()
    for compared in judge.compare_groups(pairs):
        (group,) = (group for group in pairs if group.id == compared.id)
        for asked, verdict, reply in zip(
            judge.inputs(group), compared.verdicts, compared.replies, strict=True
        ):
            assert asked.text.endswith("<|im_start|>assistant\n")
            with torch.inference_mode():
                logits = network(input_ids=torch.tensor([asked.ids])).logits[0, -1]
            top = torch.softmax(logits, -1).topk(TOP_LOGPROBS)
            mass = {"A": 0.0, "B": 0.0}
            for probability, token in zip(*map(torch.Tensor.tolist, top), strict=True):
                letter = letter_of(judge.tokenizer.decode([token]))
                if letter:
                    mass[letter] += probability
            assert verdict is (Verdict.FIRST if mass["A"] > mass["B"] else Verdict.SECOND)
            assert reply.startswith(f"A {mass['A']:.2g} B {mass['B']:.2g}")


def test_a_judge_that_writes_is_read_at_its_end(
    judge: VllmJudge, smollm2: Path, pairs: list[Group]
) -> None:
    writes = VllmJudge(str(smollm2), verdict="text", max_tokens=8, **OPTIONS)
    writes.engine = judge.engine
    network = transformers.AutoModelForCausalLM.from_pretrained(smollm2).eval()
    (compared,) = writes.compare_groups(pairs[:1])
    ids = torch.tensor([writes.inputs(pairs[0])[0].ids])
    with torch.inference_mode():
        written = network.generate(ids, do_sample=False, max_new_tokens=8)[0, ids.shape[1] :]
    assert compared.replies[0] == judge.tokenizer.decode(written, skip_special_tokens=True)
    assert compared.verdicts == (Verdict.UNPARSED, Verdict.UNPARSED)
    assert compared.detail == "cut off at max_tokens"


def test_a_question_that_leaves_no_room_is_too_long(
    judge: VllmJudge, smollm2: Path, pairs: list[Group]
) -> None:
    needed = max(len(one.ids) for one in judge.inputs(pairs[0]))
    for limit, fits in ((needed, False), (needed + 1, True)):
        short = VllmJudge(str(smollm2), **{**OPTIONS, "max_length": limit})
        short.engine = judge.engine
        (compared,) = short.compare_groups(pairs[:1])
        assert (Verdict.TOO_LONG in compared.verdicts) is not fits


@pytest.fixture(scope="module")
def server(reward_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """vLLM's own server with the reward model."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        *(sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(reward_model)),
        *("--runner", "pooling", "--served-model-name", "smol", "--port", str(port)),
        *("--dtype", "float32", "--enforce-eager", "--max-model-len", "4096"),
        *("--gpu-memory-utilization", "0.2"),
    ]
    log = tmp_path_factory.mktemp("server") / "log"
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{url}/v1/models", timeout=5).close()
                break
            except OSError:
                assert process.poll() is None, log.read_text()[-3000:]
                time.sleep(1)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def test_a_server_gives_the_same_raw_logits(
    server: str, reward_model: Path, expected: dict[str, list[float]], groups: list[Group]
) -> None:
    remote = Remote(str(reward_model), base_url=f"{server}/v1")
    assert remote.describe()["model"] == "smol"
    results = by_id(remote.score_groups(groups))
    for id, scores in expected.items():
        assert results[id].scores == pytest.approx(scores, abs=TOLERANCE)
