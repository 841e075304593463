"""Models in vLLM's offline engine: reward models with a scalar head, and what its judge shares.

The engine gets token ids from our own renderer, so that it reads the text that every other adapter
reads, and the raw logit is asked for: by itself vLLM gives its sigmoid. Its prefix cache shares what
sequences have in common, in whole blocks (16 tokens on a GPU, 128 on a CPU); sequences that begin alike
are submitted next to each other. The engine makes its batches itself, so that the last bits of a score
may depend on what is scored together.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import Any, ClassVar

from fcrewardbench.adapters.base import Scorer
from fcrewardbench.adapters.folder import (
    files_sha256,
    load_config,
    load_tokenizer,
    loading_error,
    longest_sequence,
    weight_names,
)
from fcrewardbench.adapters.network import DTYPES
from fcrewardbench.errors import MissingExtra, ModelError, UsageError
from fcrewardbench.render import Rendered, Renderer
from fcrewardbench.types import Group, Input, Outcome, Scored, Tokens

WINDOW = 256
"""Groups that the engine holds at once."""


class VllmModel:
    """A model in vLLM's offline engine on this machine.

    The engine starts when something is scored; a folder that cannot be is refused before.

    Args:
        model: the model's folder.
        dtype: "float32", "bfloat16" or "float16". A reward model's head is float32 in any case.
        revision: what the run card calls the weights; a hash of them where it is left out.
        max_length: the longest sequence, in tokens; the model's own limit if left out.
        tensor_parallel_size: GPUs that the weights are spread over.
        gpu_memory_utilization: the share of a GPU's memory that the engine takes.
        enforce_eager: start in seconds, without compiling, and run slower.
        trust_remote_code: run Python code that comes with the model. Off by default.

    Raises:
        MissingExtra: vLLM is not installed.
        ModelError: the model cannot be scored by this adapter.
    """

    needs_folder: ClassVar[bool] = True
    neutral_options: ClassVar[frozenset[str]] = frozenset({"gpu_memory_utilization"})
    runner: ClassVar[str]

    def __init__(
        self,
        model: str,
        *,
        dtype: str = "bfloat16",
        revision: str | None = None,
        max_length: int | None = None,
        tensor_parallel_size: int = 1,
        gpu_memory_utilization: float = 0.9,
        enforce_eager: bool = False,
        trust_remote_code: bool = False,
    ) -> None:
        if dtype not in DTYPES:
            raise UsageError(f"There is no dtype '{dtype}'; there are {', '.join(DTYPES)}.")
        # The run has its own progress and error messages, and reports to nobody.
        os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
        os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
        try:
            import vllm
        except ImportError as why:
            raise MissingExtra(str(why.name or "vllm"), "vllm") from None
        config = load_config(model, trust_remote_code=trust_remote_code)
        self._check(model, config)
        self.limit = max_length or longest_sequence(config)
        self.tokenizer = load_tokenizer(model, trust_remote_code=trust_remote_code)
        self.renderer = Renderer(self.tokenizer)
        self._model = model
        self._revision = revision or files_sha256(model)
        self._version = vllm.__version__
        self._settings = {
            "dtype": dtype,
            "tensor_parallel_size": tensor_parallel_size,
            "enforce_eager": enforce_eager,
            "trust_remote_code": trust_remote_code,
        }
        self._memory = gpu_memory_utilization

    def _check(self, model: str, config: Any) -> None:
        """Refuse a folder that this adapter would score wrongly."""

    @cached_property
    def engine(self) -> Any:
        """The `vllm.LLM`, started.

        Raises:
            ModelError: vLLM cannot run the model.
        """
        import vllm

        try:
            return vllm.LLM(
                self._model,
                runner=self.runner,
                max_model_len=self.limit,
                gpu_memory_utilization=self._memory,
                enable_prefix_caching=True,
                **self._settings,
            )
        except Exception as why:  # it raises whatever it meets
            raise loading_error(self._model, why) from why

    def ready(self) -> None:
        assert self.engine is not None

    def describe(self) -> dict[str, Any]:
        return {
            "revision": self._revision,
            **self._settings,
            "max_length": self.limit,
            "vllm": self._version,
            "template_sha256": self.renderer.template_sha256,
            "native_tools": self.renderer.native_tools,
            "native_calls": self.renderer.native_calls,
        }


class VllmClassifier(VllmModel, Scorer):
    """A reward model with one output: its head's logit at the last token."""

    runner = "pooling"

    def _check(self, model: str, config: Any) -> None:
        if not any(name.startswith(("score.", "classifier.")) for name in weight_names(model)):
            raise ModelError(
                f"{model} has no trained head (neither score.* nor classifier.* is in its weights), "
                "so its scores would be random: train it first, or judge with --adapter vllm-judge."
            )
        if config.num_labels != 1:
            raise ModelError(
                f"{model} has {config.num_labels} outputs; a reward model has one. Train it with "
                "num_labels=1."
            )

    def score_groups(self, groups: Iterable[Group]) -> Iterator[Scored]:
        """Scores of many groups, those of a window whose texts begin alike next to each other."""
        for window in windows(groups):
            rendered = [(group.id, self.renderer.render(group)) for group in window]
            fitting = []
            for id, texts in sorted(rendered, key=lambda each: each[1].ids):
                detail = too_long(max(map(len, texts.ids)), self.limit)
                if detail:
                    yield Scored(id, None, failure=Outcome.TOO_LONG, detail=detail)
                else:
                    fitting.append((id, texts))
            yield from self._score_fitting(fitting)

    def inputs(self, group: Group) -> tuple[Input, ...]:
        rendered = self.renderer.render(group)
        return tuple(map(Input, rendered.texts, rendered.ids, rendered.starts))

    def score_group(self, group: Group) -> Sequence[float]:
        return self.score(group.prompt.tools, group.prompt.messages, group.candidates)

    def _score_fitting(self, fitting: list[tuple[str, Rendered]]) -> Iterator[Scored]:
        from vllm import PoolingParams

        if not fitting:
            return
        outputs = iter(
            self.engine.classify(
                as_prompts(ids for _, texts in fitting for ids in texts.ids),
                pooling_params=PoolingParams(use_activation=False),
                use_tqdm=False,
            )
        )
        for id, texts in fitting:
            own = list(islice(outputs, len(texts.ids)))
            naive = sum(map(len, texts.ids))
            cached = sum(output.num_cached_tokens for output in own)
            scores = tuple(float(output.outputs.probs[0]) for output in own)
            yield Scored(id, scores, Tokens(naive, naive - cached))


def windows(groups: Iterable[Group]) -> Iterator[list[Group]]:
    """Groups as they come, WINDOW at a time."""
    waiting = iter(groups)
    while window := list(islice(waiting, WINDOW)):
        yield window


def as_prompts(sequences: Iterable[Sequence[int]]) -> list[dict[str, list[int]]]:
    """Token ids in the form that vLLM takes."""
    return [{"prompt_token_ids": list(ids)} for ids in sequences]


def too_long(length: int, limit: int | None) -> str:
    """What to tell of a sequence that does not fit; empty where it does."""
    if limit is None or length <= limit:
        return ""
    return f"{length} tokens, the model's limit is {limit}"
