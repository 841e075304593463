"""An LLM judge behind any OpenAI-compatible server, hosted or on this machine.

Both orders of every pair are asked; which candidate comes first is the group's own order, which the
pair's id fixed. How a verdict is read is decided once, before the first pair, by a probe:

* `logprobs`: one token is asked for, and the more probable of the letters A and B is the verdict.
* `text`: the judge writes, and the last `[[A]]`, `[[B]]` or `[[tie]]` of its reply is the verdict.

What fails on the way is tried again as `server` says; what a judge answered is never asked again,
however badly it reads.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from fcrewardbench.adapters.base import Judge
from fcrewardbench.adapters.replies import (
    LEAST_LETTER_MASS,
    Completion,
    NoCompletion,
    Usage,
    body_of,
    failure_of,
    read_completion,
    read_logprobs,
    read_text,
)
from fcrewardbench.adapters.server import KEY_ENV, PROBE, Connection, Server
from fcrewardbench.errors import FCRewardBenchError, RunError, UsageError
from fcrewardbench.prompts import load_prompt
from fcrewardbench.types import Candidate, Compared, Group, Input, Prompt, Tokens, Verdict

if TYPE_CHECKING:
    from openai import APIStatusError, AsyncOpenAI

OPENAI_URL = "https://api.openai.com/v1"
VERDICT_MODES = ("auto", "logprobs", "text")
SEED = 0
TOP_LOGPROBS = 20
FEWER_TOP_LOGPROBS = 5  # what OpenAI's first models and several servers allow at most
LENGTH_SETTINGS = ("max_tokens", "max_completion_tokens")


@dataclass(frozen=True, slots=True)
class _Way:
    """How this server is asked: the question's form, the request's settings, and why so."""

    ask: str
    settings: dict[str, Any]
    reason: str


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came of one request."""

    verdict: Verdict
    reply: str = ""
    tokens: Tokens = field(default_factory=Tokens)
    detail: str = ""


class ApiJudge(Judge):
    """Asks a chat-completions server which of two candidates is right.

    Args:
        model: the model's name on the server.
        base_url: the server's address up to `/v1`; OPENAI_BASE_URL or OpenAI's own if left out. The
            key is read from the environment; only OpenAI's own server needs one.
        concurrency: requests at once. A server that answers one at a time (llama-cpp-python) lets
            the others wait, and their wait counts towards `timeout`: take 1 to 4 there.
        verdict: "logprobs", "text", or "auto": `logprobs` where the server gives them and a letter
            is among the model's first tokens (not where it reasons first), else `text`.
        timeout: seconds that the server may be silent before an attempt counts as failed.
        retries: how often a request that failed on the way is repeated.
        max_tokens: the longest reply in `text` mode.
        key_env: the environment variable that holds the key.
        prompt: what is asked: a pairwise prompt's name, or the path of your own `.jinja` file.

    Raises:
        UsageError: an argument that cannot be, or no key for OpenAI's own server.
    """

    neutral_options = frozenset({"concurrency", "retries", "timeout"})

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        concurrency: int = 16,
        verdict: str = "auto",
        timeout: float = 120.0,
        retries: int = 6,
        max_tokens: int = 1024,
        prompt: str = "pairwise",
        key_env: str = KEY_ENV,
    ) -> None:
        if verdict not in VERDICT_MODES:
            raise UsageError(
                f"There is no verdict mode '{verdict}'; there are {', '.join(VERDICT_MODES)}."
            )
        if max_tokens < 1:
            raise UsageError("max_tokens must be 1 or more.")
        self._prompt = load_prompt(prompt, "pairwise")
        self._model = model
        address = base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI_URL
        self._server = Server(
            address, key_env=key_env, concurrency=concurrency, timeout=timeout, retries=retries
        )
        if not self._server.key and address == OPENAI_URL:
            raise UsageError(
                f"OpenAI's server needs a key: set {key_env}, or name another server with "
                "--base-url."
            )
        self._wanted = verdict
        self._max_tokens = max_tokens
        self._way: _Way | None = None
        self._models: set[str] = set()
        self._fingerprints: set[str] = set()

    # ── what a judge does ────────────────────────────────────────────────────────────────────────

    def verdict(self, prompt: Prompt, first: Candidate, second: Candidate) -> Verdict:
        """Which of the two is better, shown in this order.

        Raises:
            RunError, UsageError: see `compare_groups`.
        """
        with self._connected() as connection:
            answer: _Answer = connection.portal.call(
                self._ask, connection.client, self._decided(), prompt, first, second
            )
        return answer.verdict

    def compare_groups(self, groups: Iterable[Group]) -> Iterator[Compared]:
        """Compare the two candidates of every group, `concurrency` requests at once.

        Results come as they are ready. Groups are taken as they are needed, at most twice
        `concurrency` ahead. What fails after the probe is a verdict, never an exception.

        Raises:
            RunError: the server cannot be reached, or answers no chat completion.
            UsageError: it refuses the key, the model or the request.
        """
        with self._connected() as connection:
            ask = partial(self._compare, connection.client)
            yield from self._server.each(connection, ask, groups)

    def describe(self) -> dict[str, Any]:
        """What the run card says. Asks the server which mode holds, if nothing has yet.

        `reported` is what the server called itself in its answers so far, the probe's left out: it is
        empty before the first pair, so that a server that was updated does not end a resumed run.

        Raises:
            RunError, UsageError: see `compare_groups`.
        """
        if self._way is None:
            with self._connected():
                pass
        way = self._decided()
        return {
            "model": self._model,
            "base_url": self._server.url,
            "verdict": way.ask,
            "verdict_reason": way.reason,
            "prompt": self._prompt.name,
            "template_sha256": self._prompt.sha256(way.ask),
            "temperature": way.settings.get("temperature"),
            "seed": way.settings.get("seed"),
            "max_tokens": next(way.settings[key] for key in LENGTH_SETTINGS if key in way.settings),
            "top_logprobs": way.settings.get("top_logprobs"),
            "least_letter_mass": LEAST_LETTER_MASS if way.ask == "logprobs" else None,
            "reported": {
                "models": sorted(self._models),
                "system_fingerprints": sorted(self._fingerprints),
            },
        }

    def inputs(self, group: Group) -> tuple[Input, Input]:
        """Until the probe has decided, `verdict="auto"` is shown as `logprobs`, its first try."""
        ask = self._way.ask if self._way else "text" if self._wanted == "text" else "logprobs"
        first, second = group.candidates
        given, swapped = (
            self._prompt.messages(group.prompt, order, ask)
            for order in ((first, second), (second, first))
        )
        return _as_input(given), _as_input(swapped)

    # ── one group, one request ───────────────────────────────────────────────────────────────────

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """A connection, after the probe."""
        with self._server.connected() as connection:
            if self._way is None:
                self._way = connection.portal.call(self._probe, connection.client)
            yield connection

    def _decided(self) -> _Way:
        assert self._way is not None, "the probe comes before every question"
        return self._way

    async def _compare(self, client: AsyncOpenAI, group: Group) -> Compared:
        first, second = group.candidates
        way = self._decided()
        # One order after the other: the second finds the prompt in the server's prefix cache.
        given = await self._ask(client, way, group.prompt, first, second)
        swapped = await self._ask(client, way, group.prompt, second, first)
        details = dict.fromkeys(answer.detail for answer in (given, swapped) if answer.detail)
        return Compared(
            group.id,
            (given.verdict, swapped.verdict),
            given.tokens + swapped.tokens,
            (given.reply, swapped.reply),
            "; ".join(details),
        )

    async def _ask(
        self, client: AsyncOpenAI, way: _Way, prompt: Prompt, first: Candidate, second: Candidate
    ) -> _Answer:
        from openai import OpenAIError

        try:
            completion = await self._completion(client, way, prompt, first, second)
        except OpenAIError as why:
            return _Answer(failure_of(why), detail=self._server.told(why))
        except NoCompletion as why:
            return _Answer(Verdict.ERROR, detail=self._server.clean(str(why)))
        if completion.model:
            self._models.add(self._server.clean(completion.model))
        if completion.system_fingerprint:
            self._fingerprints.add(self._server.clean(completion.system_fingerprint))
        usage = completion.usage or Usage()
        total = usage.prompt_tokens + usage.completion_tokens
        read = read_logprobs if way.ask == "logprobs" else read_text
        verdict, reply, detail = read(completion.choices[0])
        return _Answer(
            verdict,
            self._server.without_secrets(reply),
            Tokens(total, total),
            self._server.clean(detail),
        )

    async def _completion(
        self, client: AsyncOpenAI, way: _Way, prompt: Prompt, first: Candidate, second: Candidate
    ) -> Completion:
        """One request and its answer.

        Raises:
            OpenAIError: no answer, or an HTTP error.
            NoCompletion: the answer is no chat completion, or the question cannot be sent.
        """
        messages: Any = self._prompt.messages(prompt, (first, second), way.ask)
        try:
            raw = await client.chat.completions.with_raw_response.create(
                model=self._model, messages=messages, **way.settings
            )
        except UnicodeEncodeError:
            raise NoCompletion(
                "the question cannot be sent: it has half of a surrogate pair"
            ) from None
        return read_completion(raw.http_response.content)

    # ── the probe ────────────────────────────────────────────────────────────────────────────────

    async def _probe(self, client: AsyncOpenAI) -> _Way:
        """Find the form of request that this server takes; each round mends what it refused."""
        from openai import APIStatusError, OpenAIError

        url = self._server.url
        client = self._server.for_probe(client)
        way = self._text_way("asked for") if self._wanted == "text" else _logprobs_way(self._wanted)
        while True:
            try:
                completion = await self._completion(client, way, PROBE.prompt, *PROBE.candidates)
            except APIStatusError as why:
                mended = self._mended(way, why)
                if mended is None:
                    raise await self._refusal(client, why) from None
                way = mended
                continue
            except OpenAIError as why:
                raise RunError(
                    f"No answer from {url}: {self._server.told(why)}. Start the server, or check "
                    "--base-url."
                ) from None
            except NoCompletion as why:
                raise RunError(
                    f"{url} answers, but {self._server.clean(str(why))}. Check --base-url; it "
                    "usually ends in /v1."
                ) from None
            if way.ask == "text":
                return way
            verdict, _, detail = read_logprobs(completion.choices[0])
            if verdict in (Verdict.FIRST, Verdict.SECOND, Verdict.TIE):
                return way
            if self._wanted == "auto":
                way = self._text_way(detail or "no letter is among its first tokens")
            elif verdict is Verdict.UNPARSED:
                return way
            else:
                raise UsageError(
                    f"'{self._model}' at {url} gives no verdict by log-probabilities "
                    f"({detail or verdict}): leave out the option verdict, or make it 'text'."
                )

    def _text_way(self, reason: str) -> _Way:
        settings = {"temperature": 0, "seed": SEED, "max_tokens": self._max_tokens}
        return _Way("text", settings, reason)

    def _mended(self, way: _Way, why: APIStatusError) -> _Way | None:
        """The same request without what the server refused; None where that is not a setting."""
        told = body_of(why)
        if why.status_code not in (400, 403, 422) or failure_of(why) is not Verdict.ERROR:
            return None
        if "logprobs" in told and way.ask == "logprobs":
            if way.settings["top_logprobs"] > FEWER_TOP_LOGPROBS:
                fewer = {**way.settings, "top_logprobs": FEWER_TOP_LOGPROBS}
                return _Way(way.ask, fewer, way.reason)
            if self._wanted == "auto":
                return self._text_way("the server refuses logprobs")
            return None
        settings = dict(way.settings)
        if "max_tokens" in told and "max_tokens" in settings:
            settings["max_completion_tokens"] = settings.pop("max_tokens")
            return _Way(way.ask, settings, way.reason)
        for name in ("temperature", "seed"):
            if name in told and name in settings:
                del settings[name]
                return _Way(way.ask, settings, way.reason)
        return None

    async def _refusal(self, client: AsyncOpenAI, why: APIStatusError) -> FCRewardBenchError:
        """The sentence for a server that answers the probe with an HTTP error."""
        url, told = self._server.url, self._server.told(why)
        if why.status_code in (401, 403):
            state = "refuses the key in" if self._server.key else "wants a key; there is none in"
            return UsageError(
                f"{url} {state} {self._server.key_env} (HTTP {why.status_code}): set it to one that "
                f"may use '{self._model}'."
            )
        if why.status_code == 404 or "model_not_found" in body_of(why):
            names = await self._listed(client)
            if names is None:
                return UsageError(
                    f"{url} has no model '{self._model}', or is no OpenAI-compatible server "
                    f"({told}). Check --model and --base-url, which usually ends in /v1."
                )
            return UsageError(
                f"{url} has no model '{self._model}'; it lists {names}. Choose one with --model."
            )
        if why.status_code < 500 and why.status_code != 429:
            return UsageError(f"{url} refuses a plain question: {told}.")
        return RunError(f"{url} does not answer: {told}. Try again later.")

    async def _listed(self, client: AsyncOpenAI) -> str | None:
        """The models that the server lists, None where it does not."""
        from openai import OpenAIError

        try:
            raw = await client.models.with_raw_response.list()
            names = [str(model["id"]) for model in json.loads(raw.http_response.content)["data"]]
        except (OpenAIError, ValueError, LookupError, TypeError):
            return None
        more = f" and {len(names) - 20} more" if len(names) > 20 else ""
        return self._server.without_secrets((", ".join(names[:20]) or "none") + more)


def _logprobs_way(wanted: str) -> _Way:
    settings = {
        "temperature": 0,
        "seed": SEED,
        "max_tokens": 1,
        "logprobs": True,
        "top_logprobs": TOP_LOGPROBS,
    }
    return _Way(
        "logprobs", settings, "asked for" if wanted == "logprobs" else "the server gives them"
    )


def _as_input(messages: list[dict[str, str]]) -> Input:
    return Input("\n\n".join(f"{turn['role']}: {turn['content']}" for turn in messages))
