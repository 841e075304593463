"""The remote scorer against a real HTTP server that classifies as vLLM does, or nearly."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import transformers

from fcrewardbench.adapters.registry import load_named
from fcrewardbench.adapters.remote import Remote
from fcrewardbench.errors import ModelError, RunError, UsageError
from fcrewardbench.types import Group, Outcome, Scored

KEY = "tok_0123456789abcdef"
LIMIT = 600


def logit(ids: list[int]) -> float:
    """Any number that only these very tokens give."""
    return sum((place + 1) * token for place, token in enumerate(ids)) % 997 / 100 - 5


@dataclass
class Classifies:
    """What the server does, and what it was asked for."""

    tokenizer: Any
    ignores_activation: bool = False
    identity: bool = False
    outputs: int = 1
    limit: int | None = LIMIT
    faults: Iterator[tuple[int, str]] = field(default_factory=lambda: iter(()))
    inputs: list[list[list[int]]] = field(default_factory=list)

    def answer(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        if path == "/v1/models":
            return 200, {"data": [{"id": "served", "max_model_len": self.limit}]}
        if path == "/tokenize":
            ids = self.tokenizer(body["prompt"], add_special_tokens=body["add_special_tokens"])
            return 200, {"tokens": ids["input_ids"]}
        if path != "/classify" or body["model"] != "served":
            return 404, {"error": {"message": f"no {path} or no {body.get('model')}"}}
        for status, told in self.faults:
            if status:
                return status, {"error": {"message": told}}
            break
        self.inputs.append(body["input"])
        activated = not self.identity and (self.ignores_activation or body["use_activation"])
        numbers = [logit(ids) for ids in body["input"]]
        numbers = [1 / (1 + math.exp(-n)) for n in numbers] if activated else numbers
        data = [{"index": i, "probs": [n] * self.outputs} for i, n in enumerate(numbers)]
        return 200, {"data": data[::-1]}


@contextmanager
def serving(does: Classifies) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            assert self.headers["Authorization"] in (f"Bearer {KEY}", "Bearer none")
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, told = does.answer(self.path, json.loads(sent or b"{}"))
            body = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.01)
    monkeypatch.setattr("openai._base_client.MAX_RETRY_DELAY", 0.05)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture(scope="module")
def tokenizer(smollm2: Path) -> Any:
    return transformers.AutoTokenizer.from_pretrained(smollm2)


def by_id(results: Iterator[Scored]) -> dict[str, Scored]:
    return {scored.id: scored for scored in results}


@pytest.mark.parametrize("suffix", ["", "/", "/v1"])
def test_each_group_is_one_request_of_our_own_tokens(
    smollm2: Path, tokenizer: Any, groups: list[Group], suffix: str
) -> None:
    does = Classifies(tokenizer, limit=None)
    with serving(does) as url:
        scorer = load_named(str(smollm2), "remote", base_url=url + suffix).adapter
        assert isinstance(scorer, Remote)
        described = scorer.describe()
        assert (described["model"], described["base_url"]) == ("served", url)
        del does.inputs[:]
        results = by_id(scorer.score_groups(groups))
    sent = {json.dumps(sequences) for sequences in does.inputs}
    assert len(does.inputs) == len(groups)
    for group in groups:
        ids = [list(one) for one in scorer.renderer.render(group).ids]
        assert json.dumps(ids) in sent
        assert results[group.id].scores == pytest.approx([logit(one) for one in ids])
        assert results[group.id].tokens.naive == sum(map(len, ids))


def test_a_server_that_gives_probabilities_is_refused(smollm2: Path, tokenizer: Any) -> None:
    with (
        serving(Classifies(tokenizer, ignores_activation=True)) as url,
        pytest.raises(UsageError, match="does not switch the activation off"),
    ):
        Remote(str(smollm2), base_url=url).ready()


def test_a_model_without_an_activation_is_taken(
    smollm2: Path, tokenizer: Any, groups: list[Group]
) -> None:
    with serving(Classifies(tokenizer, identity=True)) as url:
        scorer = Remote(str(smollm2), base_url=url)
        (scored,) = scorer.score_groups(groups[:1])
    assert scored.scores == pytest.approx([logit(list(i.ids)) for i in scorer.inputs(groups[0])])


def test_what_is_no_reward_model_is_refused(smollm2: Path, tokenizer: Any, gemma3: Path) -> None:
    with (
        serving(Classifies(tokenizer, outputs=2)) as url,
        pytest.raises(UsageError, match="has 2 outputs"),
    ):
        Remote(str(smollm2), base_url=url).ready()
    with (
        serving(Classifies(transformers.AutoTokenizer.from_pretrained(gemma3))) as url,
        pytest.raises(ModelError, match="cuts text into other tokens"),
    ):
        Remote(str(smollm2), base_url=url).ready()
    with (
        serving(Classifies(tokenizer, faults=iter([(401, "no")]))) as url,
        pytest.raises(UsageError, match="refuses the key"),
    ):
        Remote(str(smollm2), base_url=url).ready()


def test_a_server_that_is_not_there_ends_the_run(smollm2: Path, tokenizer: Any) -> None:
    with serving(Classifies(tokenizer)) as url:
        pass
    with pytest.raises(RunError, match="No answer from"):
        Remote(str(smollm2), base_url=url).ready()


def test_too_long_is_an_outcome_whoever_notices(
    smollm2: Path, tokenizer: Any, groups: list[Group]
) -> None:
    does = Classifies(tokenizer)
    with serving(does) as url:
        scorer = Remote(str(smollm2), base_url=url)
        results = by_id(scorer.score_groups(groups))
    long = {g.id for g in groups if max(len(i.ids) for i in scorer.inputs(g)) > LIMIT}
    assert 0 < len(long) < len(groups)
    assert {id for id, one in results.items() if one.failure is Outcome.TOO_LONG} == long
    assert max(len(ids) for sequences in does.inputs for ids in sequences) <= LIMIT

    told = "This model's maximum context length is 40 tokens. However, your prompt has more."
    does = Classifies(tokenizer, limit=None, faults=iter([(0, ""), (0, ""), (400, told)]))
    with serving(does) as url:
        (scored,) = Remote(str(smollm2), base_url=url).score_groups(groups[:1])
    assert (scored.failure, scored.scores) == (Outcome.TOO_LONG, None)


def test_what_may_pass_is_tried_again_and_the_rest_is_told_without_the_key(
    smollm2: Path, tokenizer: Any, groups: list[Group], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    probed = [(0, ""), (0, "")]
    for fault in (500, 429):
        does = Classifies(tokenizer, limit=None, faults=iter([*probed, (fault, ""), (fault, "")]))
        with serving(does) as url:
            (scored,) = Remote(str(smollm2), base_url=url).score_groups(groups[:1])
        assert scored.scores is not None
    does = Classifies(tokenizer, limit=None, faults=iter([*probed, (422, f"not with {KEY}")]))
    with serving(does) as url:
        (scored,) = Remote(str(smollm2), base_url=url).score_groups(groups[:1])
    assert scored.failure is Outcome.ERROR
    assert scored.detail == "HTTP 422 not with ***"
