"""A transformers model on this machine: its weights, its devices, its engine.

Weights load in a thread, while the first groups are rendered and tokenised.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING, Any

from fcrewardbench.adapters.arithmetic import warn_if_slow
from fcrewardbench.adapters.folder import (
    files_sha256,
    load_config,
    load_tokenizer,
    loading_error,
    longest_sequence,
)
from fcrewardbench.errors import MissingExtra, ModelError, UsageError
from fcrewardbench.render import Renderer
from fcrewardbench.scoring.groups import Failure
from fcrewardbench.scoring.plan import Branch
from fcrewardbench.types import Outcome

if TYPE_CHECKING:
    from fcrewardbench.scoring.engine import Engine, Result, Sharing
    from fcrewardbench.scoring.head import Head

DTYPES = ("float32", "bfloat16", "float16")
PRECISIONS = ("highest", "high", "medium")
CPU_BATCH_TOKENS = 1_024
GPU_BATCH_TOKENS = 16_384
_ONE_AT_A_TIME = Lock()
"""Held while weights load: transformers patches torch meanwhile, and two loads would mix."""


class LocalModel:
    """A transformers model on this machine.

    Args:
        model: the model's folder.
        dtype: "float32", "bfloat16" or "float16"; the head is float32 in any case.
        device: "cpu", "cuda:1", or several with commas between them, each of which gets a copy of the
            model and its share of the work; where it is left out, every GPU, else the CPU.
        revision: what the run card calls the weights; a hash of them where it is left out.
        max_length: the longest sequence to score, in tokens; the model's own limit if left out.
        share_prompt: compute what sequences have in common once.
        batch_tokens: new tokens in one forward pass; 1,024 on a CPU and 16,384 on a GPU if left out.
        state_bytes: the most that the shared state (keys and values of one path of the prefix tree) may
            take between two passes; what does not fit is computed again. No limit if left out.
        matmul_precision: torch's precision of float32 matrix products; "high" and "medium" are faster,
            and may compute in bfloat16 or TF32.
        store: a file that keeps every score, and gives it back for the same weights, text and dtype.
        trust_remote_code: run Python code that comes with the model. Off by default.

    Raises:
        MissingExtra: torch or transformers is not installed.
        ModelError: the folder holds no model that can be scored so; loading it may say so only when
            `network` is first asked for.
        UsageError: an argument that cannot be.
    """

    needs_folder = True
    auto_class = ""
    with_logprobs = False
    """Whether sequences come with the log-probabilities of their tokens."""
    passes = 1
    """How many networks read every sequence."""

    def __init__(
        self,
        model: str,
        *,
        dtype: str = "float32",
        device: str | None = None,
        revision: str | None = None,
        max_length: int | None = None,
        share_prompt: bool = True,
        batch_tokens: int | None = None,
        state_bytes: int | None = None,
        matmul_precision: str = "highest",
        store: str | None = None,
        trust_remote_code: bool = False,
    ) -> None:
        for what, given, known in (
            ("dtype", dtype, DTYPES),
            ("matmul_precision", matmul_precision, PRECISIONS),
        ):
            if given not in known:
                raise UsageError(f"There is no {what} '{given}'; there are {', '.join(known)}.")
        for name, number in (("batch_tokens", batch_tokens), ("state_bytes", state_bytes)):
            if number is not None and number < 1:
                raise UsageError(f"{name} must be 1 or more, not {number}.")
        try:
            import torch
            import transformers
        except ImportError as why:
            raise MissingExtra(str(why.name), "hf") from None

        transformers.utils.logging.disable_progress_bar()  # the run has its own
        torch.set_float32_matmul_precision(matmul_precision)
        self.tokenizer = load_tokenizer(model, trust_remote_code=trust_remote_code)
        self.renderer = Renderer(self.tokenizer)
        self._config = load_config(model, trust_remote_code=trust_remote_code)
        self._limit = max_length or longest_sequence(self._config)
        self._model = model
        self._dtype = dtype
        self._devices = devices_of(device)
        self._revision = revision
        self._share = share_prompt
        on_cpu = self._devices[0].startswith("cpu")
        if on_cpu:
            warn_if_slow(dtype, "choose float32")
        self._batch_tokens = batch_tokens or (CPU_BATCH_TOKENS if on_cpu else GPU_BATCH_TOKENS)
        self._state_bytes = state_bytes
        self._precision = matmul_precision
        self._store = store
        self._trust_remote_code = trust_remote_code
        self._future: Future[list[Any]] | None = None
        self._engine: Engine | None = None
        self._sharing: Sharing = "none"
        self._why_alone = "not asked for"

    @property
    def limit(self) -> int | None:
        """The longest sequence that is scored, in tokens."""
        return self._limit

    def _start(self) -> Future[list[Any]]:
        """The loading of the weights, which begins when something is about to need them."""
        if self._future is None:
            pool = ThreadPoolExecutor(1, "load")
            self._future = pool.submit(self._load)
            pool.shutdown(wait=False)
        return self._future

    def ready(self) -> None:
        self._networks  # noqa: B018 - waits, and raises what loading met

    @property
    def _networks(self) -> list[Any]:
        """One network per device."""
        return self._start().result()

    @property
    def network(self) -> Any:
        """The transformers model, on the first device."""
        return self._networks[0]

    @property
    def engine(self) -> Engine:
        """The engine over the network's decoder."""
        from fcrewardbench.scoring.engine import Engine

        if self._engine is None:
            decoders = [decoder_of(network) for network in self._networks]
            heads = [head_of(network) for network in self._networks] if self.with_logprobs else []
            state_tokens = None
            if self._state_bytes is not None:
                state_tokens = self._state_bytes // state_bytes_per_token(self._config, self._dtype)
            self._engine = Engine(
                decoders,
                heads,
                sharing=self._sharing,
                batch_tokens=self._batch_tokens,
                state_tokens=state_tokens,
            )
        return self._engine

    def _load(self) -> list[Any]:
        """The network on each device."""
        import torch
        import transformers

        from fcrewardbench.scoring.engine import prepare

        try:
            with _ONE_AT_A_TIME:
                network, notes = getattr(transformers, self.auto_class).from_pretrained(
                    self._model,
                    dtype=getattr(torch, self._dtype),
                    use_safetensors=True,
                    output_loading_info=True,
                    trust_remote_code=self._trust_remote_code,
                )
        except Exception as why:  # transformers and safetensors raise whatever they meet
            raise loading_error(self._model, why) from why
        missing = sorted(notes["missing_keys"])
        self._check(network, missing)
        if missing:
            raise ModelError(
                f"{self._model} lacks {len(missing)} weights, {missing[0]} for one, which would be "
                "random: save the whole model, or choose another --adapter."
            )
        try:
            others = [copy.deepcopy(network).to(device).eval() for device in self._devices[1:]]
            networks = [network.to(self._devices[0]).eval(), *others]
        except (RuntimeError, AssertionError) as why:
            reason = str(why).splitlines()[0]
            devices = ",".join(self._devices)
            raise UsageError(f"The device '{devices}' cannot be used: {reason}.") from why
        self._check_head(network)
        if self._share and self._is_decoder(network):
            found = [prepare(decoder_of(one)) for one in networks]
            if len({sharing for sharing, _ in found}) > 1:
                raise ModelError(
                    f"{self._model} shares prompts on some of its devices only: choose devices of one "
                    "kind with --option device=…"
                )
            self._sharing, self._why_alone = found[0]
        return networks

    def _check_head(self, network: Any) -> None:
        """Refuse a language model whose logits are not what `head_of` makes of its hidden states."""
        import torch

        if self.auto_class != "AutoModelForCausalLM":
            return
        vocabulary = network.config.get_text_config().vocab_size
        ids = torch.tensor([[token % vocabulary for token in range(11, 95, 7)]])
        ids = ids.to(network.device)
        with torch.inference_mode():
            own = network(input_ids=ids, use_cache=False).logits[0].float().log_softmax(-1)
            states = decoder_of(network)(input_ids=ids, use_cache=False).last_hidden_state[0]
            gap = float((head_of(network).logits(states).log_softmax(-1) - own).abs().max())
        if not gap <= (1e-3 if self._dtype == "float32" else 1.0):
            raise ModelError(
                f"{self._model} has a language-model head that is no plain linear layer "
                f"(log-probabilities differ by {gap:.1e}): judge with it in vLLM, by --adapter "
                "vllm-judge."
            )

    def _is_decoder(self, network: Any) -> bool:
        """Whether each token reads only those before it, which sharing relies on."""
        return True

    def _check(self, network: Any, missing: list[str]) -> None:
        """Refuse a network that this adapter would score wrongly."""

    def describe(self) -> dict[str, Any]:
        self._start()  # while the weights are hashed
        if self._revision is None:
            self._revision = files_sha256(self._model)
        return {
            "revision": self._revision,
            "dtype": self._dtype,
            "device": ",".join(self._devices),
            "max_length": self._limit,
            "share_prompt": self._share,
            "batch_tokens": self._batch_tokens,
            "state_bytes": self._state_bytes,
            "matmul_precision": self._precision,
            "trust_remote_code": self._trust_remote_code,
            "template_sha256": self.renderer.template_sha256,
            "native_tools": self.renderer.native_tools,
            "native_calls": self.renderer.native_calls,
            "reported": self._reported(),
        }

    def _too_long(self, tokens: int) -> Failure | None:
        """The outcome of a sequence of that length, if the model does not take it."""
        if self._limit is None or tokens <= self._limit:
            return None
        return Failure(Outcome.TOO_LONG, f"{tokens} tokens, the model's limit is {self._limit}")

    def _compute(
        self, branches: Sequence[Branch], at: Sequence[Sequence[int]], done: frozenset[int]
    ) -> Iterator[Result]:
        return self.engine.run(branches, at, done=done)

    def _reported(self) -> dict[str, Any]:
        """What the engine came to; empty before its first use."""
        if self._engine is None:
            return {}
        told = {"sharing": self._engine.sharing, "batch_tokens": self._engine.batch_tokens}
        return {**told, "why_alone": self._why_alone} if self._sharing == "none" else told


def decoder_of(network: Any) -> Any:
    """The part of a network that gives hidden states: all but its head."""
    return getattr(network, network.base_model_prefix, network)


def head_of(network: Any) -> Head:
    """A network's language-model head."""
    from fcrewardbench.scoring.head import Head

    config = network.config.get_text_config()
    layer = network.get_output_embeddings()
    bias = getattr(layer, "bias", None)
    scaled = getattr(config, "logits_scaling", None) or 1
    return Head(
        layer.weight.float(),
        None if bias is None else bias.float(),
        getattr(config, "logit_scale", None) or 1 / scaled,
        getattr(config, "final_logit_softcapping", None),
    )


def state_bytes_per_token(config: Any, dtype: str) -> int:
    """Keys, values and the final hidden state of one position."""
    text = config.get_text_config()
    heads = text.num_attention_heads
    size = getattr(text, "head_dim", None) or text.hidden_size // heads
    kv_heads = getattr(text, "num_key_value_heads", None) or heads
    numbers = 2 * text.num_hidden_layers * kv_heads * size + text.hidden_size
    return int(numbers * (4 if dtype == "float32" else 2))


def devices_of(given: str | None) -> list[str]:
    """The devices that an option names; where it names none, every GPU, else the CPU."""
    import torch

    if given is not None:
        return [name.strip() for name in given.split(",")]
    count = torch.cuda.device_count()
    return [f"cuda:{index}" for index in range(count)] or ["cpu"]
