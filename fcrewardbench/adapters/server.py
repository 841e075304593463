"""A server that answers many requests at once, and what may be told of it.

Only what may pass is tried again: no connection, a time-out, a body that breaks off, and HTTP 408,
409, 429 and 5xx, with the waits of the openai client (`Retry-After` is kept up to two minutes; a
server that asks for more, or sends `x-should-retry: false`, is not asked again).
"""

from __future__ import annotations

import asyncio
import atexit
import base64
import os
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote, urlsplit

from fcrewardbench.adapters.base import group_of
from fcrewardbench.adapters.replies import message_of
from fcrewardbench.errors import UsageError

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal
    from openai import AsyncOpenAI, OpenAIError

KEY_ENV = "OPENAI_API_KEY"
PROBE_RETRIES = 2  # a server that is not there should be reported in seconds
CONNECT_SECONDS = 10.0
DETAIL_LENGTH = 300
_KEY_LIKE = re.compile(r"\bsk-[\w*-]{6,}")  # OpenAI quotes keys with their middle starred out
PROBE = group_of(
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
"""What a server is tried with."""

Asked = TypeVar("Asked")
Answered = TypeVar("Answered")


@dataclass(frozen=True, slots=True)
class Connection:
    """An open client in an event loop of its own, and what leaving them does."""

    portal: BlockingPortal
    client: AsyncOpenAI
    leaving: ExitStack


class Server:
    """An HTTP server under `base_url`.

    Args:
        base_url: the address that paths are relative to.
        key_env: the environment variable that holds its key.
        concurrency: requests at once.
        timeout: seconds that the server may be silent before an attempt counts as failed.
        retries: how often a request that failed on the way is repeated.

    Raises:
        UsageError: an argument that cannot be.
    """

    def __init__(
        self, base_url: str, *, key_env: str, concurrency: int, timeout: float, retries: int
    ) -> None:
        if concurrency < 1 or retries < 0 or timeout <= 0:
            raise UsageError("concurrency must be 1 or more, retries 0 or more, timeout above 0.")
        self.url = _public_url(base_url)
        """The address as it may be told."""
        self.key_env = key_env
        self.key = os.environ.get(key_env, "")
        self._base_url = base_url
        self._secrets = [text for text in (self.key, *_credentials(base_url)) if text]
        self._concurrency = concurrency
        self._timeout = timeout
        self._retries = retries

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        import openai
        from anyio.from_thread import start_blocking_portal

        with ExitStack() as leaving:
            portal = leaving.enter_context(start_blocking_portal())
            client = openai.AsyncOpenAI(
                api_key=self.key or "none",
                base_url=self._base_url,
                max_retries=self._retries,
                timeout=openai.Timeout(self._timeout, connect=min(self._timeout, CONNECT_SECONDS)),
            )
            leaving.enter_context(portal.wrap_async_context_manager(client))
            # A stream that nobody ends is closed after the interpreter has stopped all threads; it
            # would wait for them for ever.
            atexit.register(leaving.close)
            leaving.callback(atexit.unregister, leaving.close)
            yield Connection(portal, client, leaving)

    def for_probe(self, client: AsyncOpenAI) -> AsyncOpenAI:
        """The client, with less patience."""
        return client.with_options(max_retries=min(self._retries, PROBE_RETRIES))

    def each(
        self,
        connection: Connection,
        ask: Callable[[Asked], Awaitable[Answered]],
        questions: Iterable[Asked],
    ) -> Iterator[Answered]:
        """What `ask` makes of every question, `concurrency` of them at once, as they are ready.

        Questions are taken as they are needed, at most twice `concurrency` ahead.
        """
        to_do = iter(questions)
        finished: SimpleQueue[Future[Answered]] = SimpleQueue()
        under_way: set[Future[Answered]] = set()
        slots = asyncio.Semaphore(self._concurrency)
        connection.leaving.callback(_cancel, under_way)

        async def in_turn(question: Asked) -> Answered:
            async with slots:
                return await ask(question)

        while True:
            # Twice as many as are asked at once, so that no slot waits for the consumer.
            for question in islice(to_do, 2 * self._concurrency - len(under_way)):
                future = connection.portal.start_task_soon(in_turn, question)
                under_way.add(future)
                future.add_done_callback(finished.put)
            if not under_way:
                return
            ready = finished.get()
            under_way.remove(ready)
            yield ready.result()

    # ── what may be told ─────────────────────────────────────────────────────────────────────────

    def told(self, why: OpenAIError) -> str:
        """An error in a few words, without what the server may have echoed of the key."""
        from openai import APIConnectionError, APIStatusError

        if isinstance(why, APIStatusError):
            return self.clean(f"HTTP {why.status_code} {message_of(why)}")
        if isinstance(why, APIConnectionError):
            cause = why.__cause__ or why
            return self.clean(f"{type(cause).__name__} {cause}")
        return self.clean(f"{type(why).__name__} {why}")

    def clean(self, text: str) -> str:
        """Server text as one line: secrets out first, then cut, without its full stop."""
        line = " ".join(self.without_secrets(text).split())
        cut = line if len(line) <= DETAIL_LENGTH else line[: DETAIL_LENGTH - 1] + "…"
        return cut.removesuffix(".")

    def without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return _KEY_LIKE.sub("***", text)


def _cancel(futures: Iterable[Future[Any]]) -> None:
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
