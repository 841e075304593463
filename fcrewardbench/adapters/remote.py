"""A reward model behind a vLLM server: token ids are sent, raw logits come back.

The ids are made here, so that the server's model reads the text that every other adapter reads. A
server ignores request fields that it does not know; that this one knows `use_activation`, and so gives
the logit and not its sigmoid, is proved by a probe before the first group.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import BaseModel, Field, ValidationError

from fcrewardbench.adapters.base import Scorer
from fcrewardbench.adapters.folder import load_tokenizer
from fcrewardbench.adapters.replies import failure_of
from fcrewardbench.adapters.server import KEY_ENV, PROBE, Connection, Server
from fcrewardbench.errors import ModelError, RunError, UsageError
from fcrewardbench.render import Renderer
from fcrewardbench.types import Group, Input, Outcome, Scored, Tokens

if TYPE_CHECKING:
    from openai import APIStatusError, AsyncOpenAI

NOISE = 0.02
"""By how much a probability may differ between two requests for it, on a server in bfloat16."""


class _Wrong(Exception):
    """An answer that is not what was asked for; the message says how."""


class _Model(BaseModel):
    id: str
    max_model_len: int | None = None


class _Models(BaseModel):
    data: Annotated[list[_Model], Field(min_length=1)]


class _Tokenized(BaseModel):
    tokens: list[int]


class _Classified(BaseModel):
    index: int
    probs: list[float]


class _Classification(BaseModel):
    data: list[_Classified]


_Answer = TypeVar("_Answer", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class _Served:
    """The model that the server has: its name there, and the longest sequence it takes."""

    name: str
    limit: int | None


class Remote(Scorer):
    """A reward model with one output on a vLLM server, through its `/classify`.

    Args:
        model: a folder with the served model's tokenizer; its weights are not read.
        base_url: the server's address, with or without `/v1`.
        key_env: the environment variable that holds its key, if it has one.
        revision: what the run card calls the weights, which the server does not tell.
        concurrency: groups asked for at once. The candidates of a group are one request, so that the
            server's prefix cache serves them.
        timeout: seconds that the server may be silent before an attempt counts as failed.
        retries: how often a request that failed on the way is repeated.
        trust_remote_code: run Python code that comes with the tokenizer. Off by default.

    Raises:
        UsageError: an argument that cannot be.
        ModelError: the folder has no tokenizer.
    """

    needs_folder = True
    loads_weights = False
    neutral_options = frozenset({"concurrency", "retries", "timeout"})

    def __init__(
        self,
        model: str,
        *,
        base_url: str,
        key_env: str = KEY_ENV,
        revision: str | None = None,
        concurrency: int = 16,
        timeout: float = 120.0,
        retries: int = 6,
        trust_remote_code: bool = False,
    ) -> None:
        root = base_url.rstrip("/").removesuffix("/v1")
        self._server = Server(
            root, key_env=key_env, concurrency=concurrency, timeout=timeout, retries=retries
        )
        self.tokenizer = load_tokenizer(model, trust_remote_code=trust_remote_code)
        self.renderer = Renderer(self.tokenizer)
        self._revision = revision
        self._trust_remote_code = trust_remote_code
        self._served: _Served | None = None

    def ready(self) -> None:
        """Probe the server, if that has not been done.

        Raises:
            RunError: the server cannot be reached, or is no vLLM server.
            UsageError: it refuses the key, or gives no raw logits of one output.
            ModelError: it cuts text into other tokens.
        """
        if self._served is None:
            with self._connected():
                pass

    def score_group(self, group: Group) -> Sequence[float]:
        return self.score(group.prompt.tools, group.prompt.messages, group.candidates)

    def score_groups(self, groups: Iterable[Group]) -> Iterator[Scored]:
        """Scores as they come; what fails after the probe is an outcome, never an exception.

        Tokens are counted as sent: what the server shares, it does not tell.

        Raises:
            RunError, UsageError, ModelError: see `ready`.
        """
        with self._connected() as connection:
            ask = partial(self._score, connection.client)
            yield from self._server.each(connection, ask, groups)

    def inputs(self, group: Group) -> tuple[Input, ...]:
        rendered = self.renderer.render(group)
        return tuple(map(Input, rendered.texts, rendered.ids, rendered.starts))

    def describe(self) -> dict[str, Any]:
        """What the run card says; probes the server, if nothing has yet, see `ready`."""
        self.ready()
        served = self._found()
        return {
            "revision": self._revision,
            "model": served.name,
            "base_url": self._server.url,
            "max_length": served.limit,
            "trust_remote_code": self._trust_remote_code,
            "template_sha256": self.renderer.template_sha256,
            "native_tools": self.renderer.native_tools,
            "native_calls": self.renderer.native_calls,
        }

    # ── one group, one request ───────────────────────────────────────────────────────────────────

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """A connection, after the probe."""
        with self._server.connected() as connection:
            if self._served is None:
                self._served = connection.portal.call(self._probe, connection.client)
            yield connection

    def _found(self) -> _Served:
        assert self._served is not None, "the probe comes before every question"
        return self._served

    async def _score(self, client: AsyncOpenAI, group: Group) -> Scored:
        from openai import OpenAIError

        served = self._found()
        sequences = self.renderer.render(group).ids
        longest = max(map(len, sequences))
        if served.limit is not None and longest > served.limit:
            detail = f"{longest} tokens, the server's limit is {served.limit}"
            return Scored(group.id, None, failure=Outcome.TOO_LONG, detail=detail)
        try:
            scores = await self._logits(client, served.name, sequences, activated=False)
        except OpenAIError as why:
            failure = Outcome(failure_of(why).value)
            return Scored(group.id, None, failure=failure, detail=self._server.told(why))
        except _Wrong as why:
            detail = self._server.clean(str(why))
            return Scored(group.id, None, failure=Outcome.ERROR, detail=detail)
        total = sum(map(len, sequences))
        return Scored(group.id, scores, Tokens(total, total))

    async def _logits(
        self,
        client: AsyncOpenAI,
        name: str,
        sequences: Sequence[Sequence[int]],
        *,
        activated: bool,
    ) -> tuple[float, ...]:
        """The head's output for each sequence.

        Raises:
            OpenAIError: no answer, or an HTTP error.
            _Wrong: not one number per sequence.
        """
        body = {
            "model": name,
            "input": [list(ids) for ids in sequences],
            "use_activation": activated,
        }
        answer = await _post(client, "/classify", body, _Classification)
        found = {one.index: one.probs for one in answer.data}
        if sorted(found) != list(range(len(sequences))):
            raise _Wrong(f"{len(answer.data)} results came back for {len(sequences)} sequences")
        for outputs in found.values():
            if len(outputs) != 1:
                raise _Wrong(f"the model has {len(outputs)} outputs; a reward model has one")
        return tuple(found[index][0] for index in range(len(sequences)))

    # ── the probe ────────────────────────────────────────────────────────────────────────────────

    async def _probe(self, client: AsyncOpenAI) -> _Served:
        """The served model, proved to read our tokens and to give raw logits."""
        from openai import APIStatusError, OpenAIError

        client = self._server.for_probe(client)
        url = self._server.url
        try:
            listed = await _get(client, "/v1/models", _Models)
            served = _Served(listed.data[0].id, listed.data[0].max_model_len)
            await self._check_tokens(client, served.name)
            ids = self.renderer.render(PROBE).ids
            raw = await self._logits(client, served.name, ids, activated=False)
            activated = await self._logits(client, served.name, ids, activated=True)
        except APIStatusError as why:
            raise self._refusal(why) from None
        except OpenAIError as why:
            raise RunError(
                f"No answer from {url}: {self._server.told(why)}. Start the server, or check "
                "--base-url."
            ) from None
        except _Wrong as why:
            raise UsageError(
                f"{url} does not serve a reward model: {self._server.clean(str(why))}. Start vLLM "
                "with one and --runner pooling."
            ) from None
        if not _raw(raw, activated):
            raise UsageError(
                f"{url} does not switch the activation off when asked (use_activation=false), so its "
                "numbers may be probabilities, which round good candidates to ties: serve the model "
                "with a newer vLLM."
            )
        return served

    async def _check_tokens(self, client: AsyncOpenAI, name: str) -> None:
        """Refuse a server whose tokenizer is another one; some cannot be asked."""
        from openai import NotFoundError

        text = self.renderer.render(PROBE).texts[0]
        body = {"model": name, "prompt": text, "add_special_tokens": False}
        try:
            theirs = await _post(client, "/tokenize", body, _Tokenized)
        except NotFoundError:
            return
        ours = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        if theirs.tokens != list(ours):
            raise ModelError(
                f"'{name}' at {self._server.url} cuts text into other tokens than the tokenizer of "
                "--model: name the folder or hub id that the server was started with."
            )

    def _refusal(self, why: APIStatusError) -> UsageError | RunError:
        """The sentence for a server that answers the probe with an HTTP error."""
        url, told = self._server.url, self._server.told(why)
        if why.status_code in (401, 403):
            return UsageError(
                f"{url} refuses the key in {self._server.key_env} (HTTP {why.status_code}): set it to "
                "the one that the server was started with."
            )
        if why.status_code == 404:
            return UsageError(
                f"{url} has no /v1/models or no /classify ({told}): start vLLM with a reward model "
                "and --runner pooling, and check --base-url."
            )
        if why.status_code < 500 and why.status_code != 429:
            return UsageError(f"{url} refuses a plain question: {told}.")
        return RunError(f"{url} does not answer: {told}. Try again later.")


def _raw(raw: Sequence[float], activated: Sequence[float]) -> bool:
    """Whether the first numbers are logits, given what the server says with its activation on.

    Either the second are their sigmoids, and others than they; or the model has no activation, and the
    numbers lie where no probability can.
    """
    both = list(zip(raw, activated, strict=True))
    if all(abs(first - second) < NOISE for first, second in both):
        return not all(0 <= number <= 1 for number in raw)
    sigmoids = [(1 + math.tanh(logit / 2)) / 2 for logit in raw]
    return all(abs(s - p) < NOISE for s, p in zip(sigmoids, activated, strict=True))


async def _get(client: AsyncOpenAI, path: str, kind: type[_Answer]) -> _Answer:
    from httpx import Response

    return _read(await client.get(path, cast_to=Response), kind)


async def _post(
    client: AsyncOpenAI, path: str, body: dict[str, Any], kind: type[_Answer]
) -> _Answer:
    from httpx import Response

    return _read(await client.post(path, body=body, cast_to=Response), kind)


def _read(response: Any, kind: type[_Answer]) -> _Answer:
    try:
        return kind.model_validate_json(response.content)
    except ValidationError as why:
        problem = why.errors(include_url=False)[0]
        where = ".".join(map(str, problem["loc"]))
        raise _Wrong(f"the answer is not vLLM's ({where}: {problem['msg']})") from None
