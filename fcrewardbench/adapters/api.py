"""An LLM judge behind any OpenAI-compatible server, hosted or on this machine.

Both orders of every pair are asked; which candidate comes first is the group's own order, which the
pair's id fixed. How a verdict is read is decided once, before the first pair, by a probe:

* `logprobs`: one token is asked for, and the more probable of the letters A and B is the verdict.
* `text`: the judge writes, and the last `[[A]]`, `[[B]]` or `[[tie]]` of its reply is the verdict.

Only what may pass is tried again: no connection, a time-out, a body that breaks off, and HTTP 408,
409, 429 and 5xx, with the waits of the openai client (`Retry-After` is kept up to two minutes; a
server that asks for more, or sends `x-should-retry: false`, is not asked again). What a judge
answered is never asked again, however badly it reads.
"""

from __future__ import annotations

import asyncio
import atexit
import base64
import json
import os
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from fcrewardbench.adapters.base import Judge, group_of
from fcrewardbench.adapters.replies import (
    LEAST_LETTER_MASS,
    Completion,
    NoCompletion,
    Usage,
    body_of,
    failure_of,
    message_of,
    read_completion,
    read_logprobs,
    read_text,
)
from fcrewardbench.errors import FCRewardBenchError, RunError, UsageError
from fcrewardbench.render import judge_messages, judge_template_sha256
from fcrewardbench.types import Candidate, Compared, Group, Prompt, Tokens, Verdict

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal
    from openai import APIStatusError, AsyncOpenAI, OpenAIError

OPENAI_URL = "https://api.openai.com/v1"
VERDICT_MODES = ("auto", "logprobs", "text")
SEED = 0
TOP_LOGPROBS = 20
FEWER_TOP_LOGPROBS = 5  # what OpenAI's first models and several servers allow at most
PROBE_RETRIES = 2  # a server that is not there should be reported in seconds
CONNECT_SECONDS = 10.0
DETAIL_LENGTH = 300
LENGTH_SETTINGS = ("max_tokens", "max_completion_tokens")
_KEY_LIKE = re.compile(r"\bsk-[\w*-]{6,}")  # OpenAI quotes keys with their middle starred out
_PROBE = group_of(
    [
        {
            "name": "current_weather",
            "description": "The weather in a city now.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        }
    ],
    [{"role": "user", "content": "What is the weather in Lisbon?"}],
    [
        [{"name": "current_weather", "arguments": {"city": "Lisbon"}}],
        [{"name": "current_weather", "arguments": {"city": "Oslo"}}],
    ],
)


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
            key is read from OPENAI_API_KEY; only OpenAI's own server needs one.
        concurrency: requests at once. A server that answers one at a time (llama-cpp-python) lets
            the others wait, and their wait counts towards `timeout`: take 1 to 4 there.
        verdict: "logprobs", "text", or "auto": `logprobs` where the server gives them and a letter
            is among the model's first tokens (not where it reasons first), else `text`.
        timeout: seconds that the server may be silent before an attempt counts as failed.
        retries: how often a request that failed on the way is repeated.
        max_tokens: the longest reply in `text` mode.

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
    ) -> None:
        if verdict not in VERDICT_MODES:
            raise UsageError(
                f"There is no verdict mode '{verdict}'; there are {', '.join(VERDICT_MODES)}."
            )
        if concurrency < 1 or retries < 0 or max_tokens < 1 or timeout <= 0:
            raise UsageError(
                "concurrency and max_tokens must be 1 or more, retries 0 or more, timeout above 0."
            )
        self._model = model
        self._base_url = base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI_URL
        self._url = _public_url(self._base_url)
        self._key = os.environ.get("OPENAI_API_KEY", "")
        if not self._key and self._base_url == OPENAI_URL:
            raise UsageError(
                "OpenAI's server needs a key: set OPENAI_API_KEY, or name another server with "
                "--base-url."
            )
        self._secrets = [text for text in (self._key, *_credentials(self._base_url)) if text]
        self._concurrency = concurrency
        self._wanted = verdict
        self._timeout = timeout
        self._retries = retries
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
        with self._connected() as (portal, client, _):
            answer: _Answer = portal.call(self._ask, client, self._decided(), prompt, first, second)
        return answer.verdict

    def compare_groups(self, groups: Iterable[Group]) -> Iterator[Compared]:
        """Compare the two candidates of every group, `concurrency` requests at once.

        Results come as they are ready. Groups are taken as they are needed, at most twice
        `concurrency` ahead. What fails after the probe is a verdict, never an exception.

        Raises:
            RunError: the server cannot be reached, or answers no chat completion.
            UsageError: it refuses the key, the model or the request.
        """
        to_do = iter(groups)
        finished: SimpleQueue[Future[Compared]] = SimpleQueue()
        under_way: set[Future[Compared]] = set()
        with self._connected() as (portal, client, leaving):
            slots = asyncio.Semaphore(self._concurrency)
            leaving.callback(_cancel, under_way)
            while True:
                # Twice as many as are asked at once, so that no slot waits for the consumer.
                for group in islice(to_do, 2 * self._concurrency - len(under_way)):
                    future = portal.start_task_soon(self._compare, client, slots, group)
                    under_way.add(future)
                    future.add_done_callback(finished.put)
                if not under_way:
                    return
                ready = finished.get()
                under_way.remove(ready)
                yield ready.result()

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
            "base_url": self._url,
            "verdict": way.ask,
            "verdict_reason": way.reason,
            "template_sha256": judge_template_sha256(way.ask),
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

    # ── one group, one request ───────────────────────────────────────────────────────────────────

    @contextmanager
    def _connected(self) -> Iterator[tuple[BlockingPortal, AsyncOpenAI, ExitStack]]:
        """A client in an event loop of its own, after the probe, and what leaving them does."""
        import openai
        from anyio.from_thread import start_blocking_portal

        with ExitStack() as leaving:
            portal = leaving.enter_context(start_blocking_portal())
            client = openai.AsyncOpenAI(
                api_key=self._key or "none",
                base_url=self._base_url,
                max_retries=self._retries,
                timeout=openai.Timeout(self._timeout, connect=min(self._timeout, CONNECT_SECONDS)),
            )
            leaving.enter_context(portal.wrap_async_context_manager(client))
            # A stream that nobody ends is closed after the interpreter has stopped all threads; it
            # would wait for them for ever.
            atexit.register(leaving.close)
            leaving.callback(atexit.unregister, leaving.close)
            if self._way is None:
                self._way = portal.call(self._probe, client)
            yield portal, client, leaving

    def _decided(self) -> _Way:
        assert self._way is not None, "the probe comes before every question"
        return self._way

    async def _compare(
        self, client: AsyncOpenAI, slots: asyncio.Semaphore, group: Group
    ) -> Compared:
        first, second = group.candidates
        way = self._decided()
        # One order after the other: the second finds the prompt in the server's prefix cache.
        async with slots:
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
            return _Answer(failure_of(why), detail=self._told(why))
        except NoCompletion as why:
            return _Answer(Verdict.ERROR, detail=self._clean(str(why)))
        if completion.model:
            self._models.add(self._clean(completion.model))
        if completion.system_fingerprint:
            self._fingerprints.add(self._clean(completion.system_fingerprint))
        usage = completion.usage or Usage()
        total = usage.prompt_tokens + usage.completion_tokens
        read = read_logprobs if way.ask == "logprobs" else read_text
        verdict, reply, detail = read(completion.choices[0])
        return _Answer(
            verdict,
            self._without_secrets(reply),
            Tokens(total, total),
            self._clean(detail),
        )

    async def _completion(
        self, client: AsyncOpenAI, way: _Way, prompt: Prompt, first: Candidate, second: Candidate
    ) -> Completion:
        """One request and its answer.

        Raises:
            OpenAIError: no answer, or an HTTP error.
            NoCompletion: the answer is no chat completion, or the question cannot be sent.
        """
        messages: Any = judge_messages(prompt, first, second, way.ask)
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

        client = client.with_options(max_retries=min(self._retries, PROBE_RETRIES))
        way = self._text_way("asked for") if self._wanted == "text" else _logprobs_way(self._wanted)
        while True:
            try:
                completion = await self._completion(client, way, _PROBE.prompt, *_PROBE.candidates)
            except APIStatusError as why:
                mended = self._mended(way, why)
                if mended is None:
                    raise await self._refusal(client, why) from None
                way = mended
                continue
            except OpenAIError as why:
                raise RunError(
                    f"No answer from {self._url}: {self._told(why)}. Start the server, or check "
                    "--base-url."
                ) from None
            except NoCompletion as why:
                raise RunError(
                    f"{self._url} answers, but {self._clean(str(why))}. Check --base-url; it "
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
                    f"'{self._model}' at {self._url} gives no verdict by log-probabilities "
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
        if why.status_code in (401, 403):
            state = "refuses the key in" if self._key else "wants a key; there is none in"
            return UsageError(
                f"{self._url} {state} OPENAI_API_KEY (HTTP {why.status_code}): set it to one that "
                f"may use '{self._model}'."
            )
        if why.status_code == 404 or "model_not_found" in body_of(why):
            names = await self._listed(client)
            if names is None:
                return UsageError(
                    f"{self._url} has no model '{self._model}', or is no OpenAI-compatible server "
                    f"({self._told(why)}). Check --model and --base-url, which usually ends in /v1."
                )
            return UsageError(
                f"{self._url} has no model '{self._model}'; it lists {names}. Choose one with "
                "--model."
            )
        if why.status_code < 500 and why.status_code != 429:
            return UsageError(f"{self._url} refuses a plain question: {self._told(why)}.")
        return RunError(f"{self._url} does not answer: {self._told(why)}. Try again later.")

    async def _listed(self, client: AsyncOpenAI) -> str | None:
        """The models that the server lists, None where it does not."""
        from openai import OpenAIError

        try:
            raw = await client.models.with_raw_response.list()
            names = [str(model["id"]) for model in json.loads(raw.http_response.content)["data"]]
        except (OpenAIError, ValueError, LookupError, TypeError):
            return None
        more = f" and {len(names) - 20} more" if len(names) > 20 else ""
        return self._without_secrets((", ".join(names[:20]) or "none") + more)

    # ── what may be told ─────────────────────────────────────────────────────────────────────────

    def _told(self, why: OpenAIError) -> str:
        """An error in a few words, without what the server may have echoed of the key."""
        from openai import APIConnectionError, APIStatusError

        if isinstance(why, APIStatusError):
            return self._clean(f"HTTP {why.status_code} {message_of(why)}")
        if isinstance(why, APIConnectionError):
            cause = why.__cause__ or why
            return self._clean(f"{type(cause).__name__} {cause}")
        return self._clean(f"{type(why).__name__} {why}")

    def _clean(self, text: str) -> str:
        """Server text as one line: secrets out first, then cut, without its full stop."""
        line = " ".join(self._without_secrets(text).split())
        cut = line if len(line) <= DETAIL_LENGTH else line[: DETAIL_LENGTH - 1] + "…"
        return cut.removesuffix(".")

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return _KEY_LIKE.sub("***", text)


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


def _cancel(futures: Iterable[Future[Compared]]) -> None:
    for future in futures:
        future.cancel()


def _credentials(url: str) -> tuple[str, ...]:
    """What must not be told of an address: password, the header made of it, query."""
    parts = urlsplit(url)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    header = base64.b64encode(f"{user}:{password}".encode()).decode() if user or password else ""
    return (password or user, parts.password or parts.username or "", header, parts.query)


def _public_url(url: str) -> str:
    """An address without user, password, query and fragment.

    Raises:
        UsageError: it is no http address.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme not in ("http", "https") or not host:
        raise UsageError("--base-url must be an http address, such as http://127.0.0.1:8000/v1.")
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}{f':{port}' if port else ''}{parts.path.rstrip('/')}"
