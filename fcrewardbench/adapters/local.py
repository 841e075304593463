"""What the adapters for local transformers models have in common: loading, rendering, the limits."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from fcrewardbench.adapters.base import Scorer
from fcrewardbench.errors import MissingExtra, ModelError, UsageError
from fcrewardbench.render import Rendered, Renderer
from fcrewardbench.types import Group, Outcome, Scored, Tokens

DTYPES = ("float32", "bfloat16", "float16")


class LocalScorer(Scorer):
    """A transformers model on this machine.

    Args:
        model: the model's folder.
        dtype: "float32", "bfloat16" or "float16"; the scores' arithmetic is float32 in any case.
        device: "cpu", "cuda", "cuda:1"…; where it is left out, a GPU if there is one.
        revision: what the run card calls the weights; a hash of them where it is left out.
        max_length: the longest sequence to score, in tokens; the model's own limit if left out.
        share_prompt: compute what the candidates of a group have in common once.
        trust_remote_code: run Python code that comes with the model. Off by default.
    """

    auto_class = ""

    def __init__(
        self,
        model: str,
        *,
        dtype: str = "float32",
        device: str | None = None,
        revision: str | None = None,
        max_length: int | None = None,
        share_prompt: bool = True,
        trust_remote_code: bool = False,
    ) -> None:
        if dtype not in DTYPES:
            raise UsageError(f"There is no dtype '{dtype}'; there are {', '.join(DTYPES)}.")
        try:
            import torch
            import transformers
        except ImportError as why:
            raise MissingExtra(str(why.name), "hf") from None

        transformers.utils.logging.disable_progress_bar()  # the run has its own
        try:
            tokenizer = transformers.AutoTokenizer.from_pretrained(
                model, trust_remote_code=trust_remote_code
            )
            network, notes = getattr(transformers, self.auto_class).from_pretrained(
                model,
                dtype=getattr(torch, dtype),
                use_safetensors=True,
                output_loading_info=True,
                trust_remote_code=trust_remote_code,
            )
        except Exception as why:  # transformers and safetensors raise whatever they meet
            raise _loading_error(model, why) from why
        missing = sorted(notes["missing_keys"])
        self._check(model, network, missing)
        if missing:
            raise ModelError(
                f"{model} lacks {len(missing)} weights, {missing[0]} for one, which would be random: "
                "save the whole model, or choose another --adapter."
            )
        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        try:
            self.network = network.to(self._device).eval()
        except (RuntimeError, AssertionError) as why:
            reason = str(why).splitlines()[0]
            raise UsageError(f"The device '{self._device}' cannot be used: {reason}.") from why
        self.renderer = Renderer(tokenizer)
        self._limit = max_length or getattr(network.config, "max_position_embeddings", None)
        self._share = share_prompt
        self._dtype = dtype
        self._trust_remote_code = trust_remote_code
        self._revision = revision or _weights(model)

    def _check(self, model: str, network: Any, missing: list[str]) -> None:
        """Refuse a network that this adapter would score wrongly."""

    @abstractmethod
    def _score_rendered(self, rendered: Rendered) -> tuple[Sequence[float], Tokens]:
        """Scores and token counts of one group."""

    def score_groups(self, groups: Iterable[Group]) -> Iterator[Scored]:
        for group in groups:
            rendered = self.renderer.render(group)
            longest = max(len(sequence) for sequence in rendered.ids)
            if self._limit is not None and longest > self._limit:
                detail = f"{longest} tokens, the model's limit is {self._limit}"
                yield Scored(group.id, None, failure=Outcome.TOO_LONG, detail=detail)
                continue
            scores, tokens = self._score_rendered(rendered)
            yield Scored(group.id, tuple(scores), tokens)

    def score_group(self, group: Group) -> Sequence[float]:
        return self.score(group.prompt.tools, group.prompt.messages, group.candidates)

    def describe(self) -> dict[str, Any]:
        return {
            "revision": self._revision,
            "dtype": self._dtype,
            "device": self._device,
            "max_length": self._limit,
            "share_prompt": self._share,
            "trust_remote_code": self._trust_remote_code,
            "template_sha256": self.renderer.template_sha256,
            "native_tools": self.renderer.native_tools,
            "native_calls": self.renderer.native_calls,
        }


def _weights(model: str) -> str:
    """The revision of a local folder: a hash over its weights, tokenizer and chat template."""
    digest = hashlib.sha256()
    for pattern in ("*.safetensors", "tokenizer*", "*.jinja", "config.json"):
        for file in sorted(Path(model).glob(pattern)):
            with file.open("rb") as content:
                digest.update(hashlib.file_digest(content, "sha256").digest())
    return f"files-sha256:{digest.hexdigest()}"


def _loading_error(model: str, why: Exception) -> ModelError:
    """One sentence out of transformers' many."""
    text = " ".join(str(why).split())
    if "trust_remote_code" in text:
        return ModelError(
            f"{model} brings its own Python code: read it, then pass --trust-remote-code to run it."
        )
    return ModelError(f"{model} cannot be loaded: {text[:300]}")
