"""The API judge against a real HTTP server that fails in every way we know of."""

from __future__ import annotations

import itertools
import logging
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fault_server import NONSENSE, PROBE, STATUS_FAULTS, FaultServer, Plan

from fcrewardbench.adapters.api import ApiJudge
from fcrewardbench.adapters.base import group_of
from fcrewardbench.adapters.replies import letter_of, parse_verdict
from fcrewardbench.errors import FCRewardBenchError, RunError, UsageError
from fcrewardbench.outcomes import outcome_of_verdicts
from fcrewardbench.types import Group, Outcome, Tokens, Verdict

KEY = "tok_0123456789abcdef"
TOOLS = [{"name": "act", "description": "Acts.", "parameters": {"type": "object"}}]
RETRYABLE = ("429", "429 retry-after", "500", "503 html", "half a body", "reset", "silence")
FINAL = {
    **dict.fromkeys(NONSENSE, Verdict.ERROR),
    "401": Verdict.ERROR,
    "403": Verdict.ERROR,
    "404": Verdict.ERROR,
    "422": Verdict.ERROR,
    "429 come back tomorrow": Verdict.ERROR,
    "too long (openai)": Verdict.TOO_LONG,
    "too long (vllm)": Verdict.TOO_LONG,
    "too long (llama.cpp)": Verdict.TOO_LONG,
    "content policy": Verdict.REFUSED,
    "content filter": Verdict.REFUSED,
    "refusal": Verdict.REFUSED,
}


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.01)
    monkeypatch.setattr("openai._base_client.MAX_RETRY_DELAY", 0.05)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


def task(number: int, right_first: bool = True) -> Group:
    right = [{"name": "act", "arguments": {"value": "RIGHT"}}]
    wrong = [{"name": "act", "arguments": {"value": "other"}}]
    candidates = [right, wrong] if right_first else [wrong, right]
    message = {"role": "user", "content": f"Do task-{number}."}
    return group_of(TOOLS, [message], candidates, id=f"task-{number}")


def judge(server: FaultServer, **options: Any) -> ApiJudge:
    return ApiJudge("judge-small", base_url=server.url, **{"timeout": 10, "retries": 4, **options})


def after_probe(fault: str) -> Plan:
    return lambda name, attempt: "" if name == PROBE else fault


def after_first(fault: str) -> Plan:
    return lambda name, attempt: "" if name in (PROBE, "task-0") else fault


def always(fault: str) -> Plan:
    return lambda name, attempt: fault


RIGHT = (Verdict.FIRST, Verdict.SECOND)
WRONG_WAY = (Verdict.SECOND, Verdict.FIRST)


# ── no row lost, none invented ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("mode", ["logprobs", "text"])
def test_random_faults_lose_no_row_and_invent_none(mode: str) -> None:
    chance = random.Random(7)
    final = {f"task-{i}": chance.choice(list(FINAL)) for i in range(200) if i % 8 == 0}
    passing = {f"task-{i}": chance.choices(RETRYABLE, k=2) for i in range(200) if i % 3 == 1}

    def plan(task: str, attempt: int) -> str:
        if task in final:
            return final[task]
        faults = passing.get(task, [])
        return faults[attempt] if attempt < len(faults) else ""

    groups = [task(i, right_first=i % 2 == 0) for i in range(200)]
    with FaultServer(plan, silence=1.2) as server:
        results = list(judge(server, verdict=mode, timeout=0.8).compare_groups(groups))
    assert Counter(result.id for result in results) == Counter(group.id for group in groups)
    for result in results:
        if result.id in final:
            assert result.verdicts == (FINAL[final[result.id]],) * 2, final[result.id]
            assert result.detail or final[result.id] in ("content filter", "refusal")
        else:
            even = int(result.id.removeprefix("task-")) % 2 == 0
            assert result.verdicts == (RIGHT if even else WRONG_WAY), passing.get(result.id)
            assert result.detail == ""
            assert result.tokens == Tokens(202, 202)


@pytest.mark.parametrize("fault", RETRYABLE)
def test_what_may_pass_is_retried_until_the_retries_are_used_up(fault: str) -> None:
    with FaultServer(after_probe(fault), silence=0.6) as server:
        timeout = 0.3 if fault == "silence" else 10
        (result,) = judge(server, retries=2, timeout=timeout).compare_groups([task(1)])
    assert result.verdicts == (Verdict.ERROR, Verdict.ERROR)
    assert result.detail
    assert sorted(server.asked.values()) == [1, 3, 3]


@pytest.mark.parametrize("fault", sorted(FINAL))
def test_what_will_not_pass_is_asked_once(fault: str) -> None:
    with FaultServer(after_probe(fault)) as server:
        (result,) = judge(server).compare_groups([task(1)])
    assert result.verdicts == (FINAL[fault],) * 2
    assert set(server.asked.values()) == {1}


def test_retry_after_is_kept() -> None:
    with FaultServer(lambda name, attempt: "" if attempt else "429 retry-after") as server:
        began = time.monotonic()
        (result,) = judge(server, verdict="logprobs").compare_groups([task(1)])
    assert result.verdicts == RIGHT
    assert time.monotonic() - began > 3 * 0.2


def test_one_order_may_fail_alone() -> None:
    faults = iter(["", "", "422"])
    with FaultServer(lambda name, attempt: next(faults)) as server:
        (result,) = judge(server, concurrency=1).compare_groups([task(1)])
    assert result.verdicts == (Verdict.FIRST, Verdict.ERROR)
    assert result.replies[0].startswith("A 0.7 B 0.2")
    assert result.detail == "HTTP 422 unprocessable"
    assert result.tokens == Tokens(101, 101)


def test_text_that_cannot_be_sent_is_an_error_row() -> None:
    group = group_of(TOOLS, [{"role": "user", "content": "task-1 \ud800"}], ["a", "b"])
    with FaultServer() as server:
        (result,) = judge(server).compare_groups([group])
    assert result.verdicts == (Verdict.ERROR, Verdict.ERROR)
    assert "surrogate" in result.detail


# ── reading a verdict ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        ("[[A]]", Verdict.FIRST),
        ("[[b]].", Verdict.SECOND),
        ("**[[ Tie ]]**", Verdict.TIE),
        ("[[A]] looks right, but its date is wrong.\n[[B]]", Verdict.SECOND),
        ("[[B]] or [[tie]]? Neither: [[A]]", Verdict.FIRST),
        ("Candidate A is correct.", Verdict.UNPARSED),
        ("[A]", Verdict.UNPARSED),
        ("[[C]]", Verdict.UNPARSED),
        ("[[A or B]]", Verdict.UNPARSED),
        ("", Verdict.UNPARSED),
        ("<think>[[A]]</think>[[B]]", Verdict.SECOND),
        ("<think>It is [[A]].</think>I cannot tell.", Verdict.UNPARSED),
        ("it is [[A]]</think>\n[[B]]", Verdict.SECOND),
        ("<think>It is [[A]], no, [[B]], no", Verdict.UNPARSED),
        ("[[A]]<think>no", Verdict.UNPARSED),
        ("<reasoning>[[A]]</reasoning><think>[[B]]</think>[[tie]]", Verdict.TIE),
    ],
)
def test_the_last_verdict_counts(reply: str, verdict: Verdict) -> None:
    assert parse_verdict(reply) is verdict


@pytest.mark.parametrize(
    ("token", "letter"),
    [
        ("A", "A"),
        (" B", "B"),
        ("b", "B"),
        (" a", None),
        ("**A", "A"),
        ("[[B", "B"),
        ('"A"', "A"),
        ("\u2581B", "B"),
        ("\u0120A", "A"),
        ("A.", "A"),
        ("Answer", None),
        ("AB", None),
        ("", None),
        ("**", None),
    ],
)
def test_a_letter_may_be_dressed(token: str, letter: str | None) -> None:
    assert letter_of(token) == letter


@pytest.mark.parametrize(
    ("tops", "verdict"),
    [
        ([("A", -1.0), (" B", -1.2), ("**B", -1.2)], Verdict.SECOND),
        ([("A", -1.0), ("B", -1.0)], Verdict.TIE),
        ([("B", -3.0), ("The", -0.1)], Verdict.SECOND),
        ([("B", -9.0), ("The", -0.1)], Verdict.UNPARSED),
        ([("The", -0.1), (" a", -1.0)], Verdict.UNPARSED),
        ([("A", float("-inf")), ("The", -0.1)], Verdict.UNPARSED),
        ([("A", float("nan")), ("B", -0.1)], Verdict.ERROR),
        ([], Verdict.ERROR),
    ],
)
def test_the_more_probable_letter_wins(
    tops: list[tuple[str, float]], verdict: Verdict, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultServer() as server:
        asked = judge(server)
        asked.describe()
        top = [{"token": token, "logprob": logprob} for token, logprob in tops]
        monkeypatch.setattr("fault_server._token", lambda token, count: {"top_logprobs": top})
        (result,) = asked.compare_groups([task(1)])
    assert result.verdicts == (verdict, verdict)


def test_a_judge_that_says_one_letter_whatever_the_order_is_inconsistent() -> None:
    with FaultServer(first_token="A") as server:
        (result,) = judge(server).compare_groups([task(1)])
    assert result.verdicts == (Verdict.FIRST, Verdict.FIRST)
    assert outcome_of_verdicts(result, (True, False)) is Outcome.INCONSISTENT


def test_a_reply_that_is_cut_off_is_unparsed() -> None:
    with FaultServer(after_probe("cut off"), logprobs="ignored") as server:
        (result,) = judge(server).compare_groups([task(1)])
    assert result.verdicts == (Verdict.UNPARSED, Verdict.UNPARSED)
    assert result.replies[0].startswith("Both have their merits")
    assert result.detail == "cut off at max_tokens"


def test_one_pair_alone() -> None:
    group = task(1)
    with FaultServer() as server:
        asked = judge(server)
        assert asked.verdict(group.prompt, *group.candidates) is Verdict.FIRST
        assert asked.verdict(group.prompt, *reversed(group.candidates)) is Verdict.SECOND
    assert len(server.requests) == 3


# ── the probe ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("traits", "mode", "settings", "requests"),
    [
        ({}, "logprobs", {"max_tokens": 1, "top_logprobs": 20}, 3),
        ({"logprobs": "5 at most"}, "logprobs", {"top_logprobs": 5}, 4),
        ({"logprobs": "refused"}, "text", {"max_tokens": 1024, "top_logprobs": None}, 5),
        ({"logprobs": "ignored"}, "text", {"max_tokens": 1024}, 4),
        ({"first_token": "<think>"}, "text", {"max_tokens": 1024}, 4),
        ({"refused": ("seed",)}, "logprobs", {"seed": None, "temperature": 0}, 4),
        ({"refused": ("max_tokens", "temperature")}, "logprobs", {"temperature": None}, 5),
    ],
)
def test_the_mode_is_decided_once_before_the_first_pair(
    traits: dict[str, Any], mode: str, settings: dict[str, Any], requests: int
) -> None:
    with FaultServer(**traits) as server:
        asked = judge(server)
        (result,) = asked.compare_groups([task(1, right_first=False)])
        described = asked.describe()
    assert result.verdicts == WRONG_WAY
    assert described["verdict"] == mode
    assert {key: described[key] for key in settings} == settings
    assert described["reported"] == {
        "models": ["judge-small-2026"],
        "system_fingerprints": ["fp_1"],
    }
    assert len(server.requests) == requests
    assert server.requests[-1].keys() == server.requests[-2].keys()


def test_a_description_before_the_first_pair_does_not_change_with_the_server() -> None:
    with FaultServer() as server:
        described = judge(server).describe()
    assert described["base_url"] == server.url
    assert described["verdict_reason"] == "the server gives them"
    assert described["reported"] == {"models": [], "system_fingerprints": []}


def test_logprobs_can_be_insisted_on() -> None:
    with FaultServer(logprobs="ignored") as server, pytest.raises(UsageError, match="log-prob"):
        judge(server, verdict="logprobs").describe()
    with FaultServer(first_token="The") as server:
        (result,) = judge(server, verdict="logprobs").compare_groups([task(1)])
    assert result.verdicts == (Verdict.UNPARSED, Verdict.UNPARSED)


@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        ("401", UsageError, "OPENAI_API_KEY (HTTP 401)"),
        ("403", UsageError, "OPENAI_API_KEY (HTTP 403)"),
        ("404", UsageError, "no model 'judge-small'; it lists judge-small, judge-large"),
        ("422", UsageError, "refuses a plain question: HTTP 422 unprocessable"),
        ("500", RunError, "HTTP 500 it broke"),
        ("silence", RunError, "ReadTimeout"),
        ("reset", RunError, "Start the server"),
        ("html", RunError, "Check --base-url"),
    ],
)
def test_a_probe_that_fails_ends_the_run_with_one_sentence(
    fault: str, error: type[Exception], says: str
) -> None:
    with FaultServer(always(fault), silence=0.5) as server:
        asked = judge(server, timeout=0.2)
        with pytest.raises(error) as raised:
            list(asked.compare_groups([task(1)]))
    assert says in str(raised.value)
    assert server.url in str(raised.value)


def test_no_server_at_all() -> None:
    with FaultServer() as server:
        pass
    with pytest.raises(RunError, match=r"No answer from http://127\.0\.0\.1:\d+/v1: .*--base-url"):
        judge(server).describe()


def test_a_wrong_path_is_told_from_a_wrong_model() -> None:
    with (
        FaultServer(always("404"), refused=("404 models",)) as server,
        pytest.raises(UsageError) as raised,
    ):
        judge(server).describe()
    assert "usually ends in /v1" in str(raised.value)


@pytest.mark.parametrize("options", [{"verdict": "guess"}, {"concurrency": 0}, {"base_url": "x"}])
def test_options_that_cannot_be(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        ApiJudge("m", **{"base_url": "http://127.0.0.1:1/v1", **options})


# ── what stays secret ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("mode", ["logprobs", "text"])
def test_the_key_is_never_told(
    mode: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    faults = ["", *STATUS_FAULTS, *NONSENSE, *RETRYABLE, "content filter", "refusal"]

    def plan(name: str, attempt: int) -> str:
        return "" if name == PROBE else faults[int(name.removeprefix("task-"))]

    with FaultServer(plan, echo=True, silence=0.6) as server:
        asked = judge(server, verdict=mode, retries=1, timeout=0.3)
        results = list(asked.compare_groups(task(i) for i in range(len(faults))))
        told = f"{results} {asked.describe()} {caplog.text}"
    assert len(results) == len(faults)
    assert "***" in told  # the server did echo it
    assert KEY not in told
    assert KEY[:12] not in told


@pytest.mark.parametrize("fault", ["401", "403", "404", "422", "500", "html"])
def test_the_key_is_not_in_the_probes_sentence(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with (
        FaultServer(always(fault), echo=True) as server,
        pytest.raises(FCRewardBenchError) as raised,
    ):
        judge(server).describe()
    assert KEY not in str(raised.value)


def test_credentials_in_the_address_are_left_out() -> None:
    with FaultServer(echo=True) as server:
        address = server.url.replace("http://", "http://someone:pass-word@")
        asked = ApiJudge("judge-small", base_url=address)
        assert len(list(asked.compare_groups([task(1)]))) == 1
        described = asked.describe()
    assert "***" in str(described)
    assert described["base_url"] == server.url
    assert "pass-word" not in str(described)
    assert "c29tZW9uZTpwYXNzLXdvcmQ=" not in str(described)


def test_openai_itself_needs_a_key_and_others_get_a_placeholder() -> None:
    with pytest.raises(UsageError, match="OPENAI_API_KEY"):
        ApiJudge("m")
    with FaultServer(echo=True) as server:
        asked = judge(server)
        assert asked.verdict(task(1).prompt, *task(1).candidates) is Verdict.FIRST
        assert asked.describe()["reported"]["models"] == ["Bearer none judge-small-2026"]


# ── streams ──────────────────────────────────────────────────────────────────────────────────────


def counted(numbers: Iterator[int]) -> Iterator[Group]:
    return (task(next(numbers)) for _ in itertools.repeat(None))


def test_groups_are_taken_as_they_are_needed() -> None:
    numbers = itertools.count()
    with FaultServer(delay=0.01) as server:
        results = judge(server, concurrency=3).compare_groups(counted(numbers))
        for got in range(1, 31):
            next(results)
            assert next(numbers) <= got + 2 * 3 + got  # this count takes a number each time, too
        results.close()  # type: ignore[attr-defined]
    assert server.most_at_once <= 3


def test_slow_rows_do_not_hold_up_the_others() -> None:
    with FaultServer(lambda name, attempt: "silence" if name == "task-0" else "") as server:
        results = judge(server, retries=0, concurrency=4).compare_groups(task(i) for i in range(20))
        order = [result.id for result in results]
    assert sorted(order) == sorted(f"task-{i}" for i in range(20))
    assert order[-1] == "task-0"


def test_closing_the_stream_cancels_what_is_under_way() -> None:
    with FaultServer(after_first("silence"), silence=30) as server:
        results = judge(server, timeout=30, concurrency=8).compare_groups(
            counted(itertools.count())
        )
        next(results)
        began = time.monotonic()
        results.close()  # type: ignore[attr-defined]
        assert time.monotonic() - began < 5


def test_an_error_of_the_groups_themselves_comes_through() -> None:
    def broken() -> Iterator[Group]:
        yield task(0)
        raise ValueError("the file ends here")

    with FaultServer() as server, pytest.raises(ValueError, match="the file ends here"):
        list(judge(server).compare_groups(broken()))


STREAM = """
import signal, sys
from test_api import ApiJudge, task
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
results = ApiJudge("m", base_url=sys.argv[1]).compare_groups(task(i) for i in range(99))
print(next(results).id, flush=True)
"""


def streaming(server: FaultServer, then: str) -> subprocess.Popen[str]:
    """A process that takes one result off a stream that gives no second one."""
    process = subprocess.Popen(
        [sys.executable, "-c", STREAM + then, server.url],
        cwd=Path(__file__).parent,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "task-0\n"
    return process


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_control_c_ends_a_run_at_once() -> None:
    with FaultServer(after_first("silence"), silence=30) as server:
        process = streaming(server, "next(results)")
        process.send_signal(signal.SIGINT)
        _, complaint = process.communicate(timeout=20)
    assert process.returncode == -signal.SIGINT
    assert complaint.rstrip().endswith("KeyboardInterrupt")


def test_a_process_that_leaves_a_stream_open_ends() -> None:
    with FaultServer(after_first("silence"), silence=30) as server:
        process = streaming(server, "raise SystemExit(3)")
        _, complaint = process.communicate(timeout=20)
    assert process.returncode == 3
    assert complaint == ""


# ── the package ──────────────────────────────────────────────────────────────────────────────────


def test_importing_the_adapter_does_not_import_openai() -> None:
    script = "import sys, fcrewardbench.adapters.api; print('openai' in sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "False\n"
