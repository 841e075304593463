"""Heads that are not one logit: what a reward model does behind its last hidden state.

A head is made by a function of the model's folder. Ours have names; a user's own is
"module:function", and returns a `Head` too:

    def mine(folder: Path) -> Head:
        weights = HeadWeights(folder)
        value = weights["value_head.weight"]
        return Head(lambda last, prompt: (last @ value.T)[:, 0])

Weights are read from the folder's safetensors files and compute in float32 on the CPU, whatever the
decoder's dtype and device.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from fcrewardbench.errors import ModelError, UnknownName, UsageError

if TYPE_CHECKING:
    from torch import Tensor

Score: TypeAlias = "Callable[[Tensor, Tensor], Tensor]"
_BATCH_NORM_EPS = 1e-5  # torch's default, which the published heads were made with


@dataclass(frozen=True, slots=True)
class Head:
    """How hidden states become scores.

    `score(last, prompt)` takes float32 tensors [n, hidden] on the CPU, the decoder's last hidden states
    (after its final norm) of n candidates: at the candidate's last token, and at the token that closes
    the prompt's last turn, before the header of the answer. It returns a float32 tensor [n].
    `suffix` are token ids that follow every sequence; `last` is then the state at the last of these.
    """

    score: Score
    suffix: tuple[int, ...] = ()


class HeadWeights:
    """The tensors of a model's folder that its head needs, read one by one, as float32."""

    def __init__(self, folder: Path) -> None:
        from safetensors import safe_open

        self._folder = folder
        self._files: dict[str, Path] = {}
        for file in sorted(folder.glob("*.safetensors")):
            with safe_open(file, "pt") as tensors:
                self._files.update(dict.fromkeys(tensors.keys(), file))

    def names(self, prefix: str) -> list[str]:
        """The names of all tensors that start so."""
        return sorted(name for name in self._files if name.startswith(prefix))

    def __getitem__(self, name: str) -> Tensor:
        """One tensor.

        Raises:
            ModelError: it is not there, not finite, or nothing but zeros where zeros are no weights.
        """
        from safetensors import safe_open

        if name not in self._files:
            raise ModelError(
                f"{self._folder} has no weights '{name}', so its head would be random: take a "
                "checkpoint that holds its trained head, or another --option head."
            )
        with safe_open(self._files[name], "pt") as tensors:
            tensor: Tensor = tensors.get_tensor(name).float()
        if not tensor.isfinite().all():
            raise ModelError(f"The weights '{name}' of {self._folder} are not all finite.")
        if name.endswith("weight") and not tensor.any():
            raise ModelError(
                f"The weights '{name}' of {self._folder} are all zero: its head was never trained."
            )
        return tensor

    def config(self) -> dict[str, Any]:
        """The model's configuration."""
        config: dict[str, Any] = json.loads((self._folder / "config.json").read_text("utf-8"))
        return config


def internlm2(folder: Path) -> Head:
    """InternLM2-Reward: one linear layer at a token of its own that follows the text."""
    weights = HeadWeights(folder)
    value = weights["v_head.weight"]
    token = weights.config().get("reward_token_id")
    if not isinstance(token, int):
        raise ModelError(f"{folder / 'config.json'} has no reward_token_id, at which it is scored.")
    return Head(lambda last, prompt: (last @ value.T)[:, 0], suffix=(token,))


def gated(folder: Path) -> Head:
    """ArmoRM and QRM: several objectives, weighted by a gate that reads the prompt.

    With R the regression layer, T the reward transform and g the gating network, the score is the sum
    of softmax(g(prompt) / temperature) · scale · (mean over quantiles of R(last)) T. ArmoRM
    (arXiv 2406.12845) regresses one number for each of 19 objectives, QRM (arXiv 2409.10164) several
    quantiles for each; their number follows from the shapes.
    """
    weights = HeadWeights(folder)
    regression = weights["regression_layer.weight"]
    transform = weights["reward_transform_matrix"]
    scale = weights["gating.logit_scale"]
    temperature = float(weights.config().get("gating_temperature", 10))
    gate = _gating_network(weights, folder)
    objectives = len(transform)
    if regression.shape[0] % objectives:
        raise ModelError(
            f"The regression layer of {folder} has {regression.shape[0]} outputs, which are no "
            f"multiple of its {objectives} objectives."
        )

    def score(last: Tensor, prompt: Tensor) -> Tensor:
        rewards = (last @ regression.T).reshape(len(last), objectives, -1).mean(2) @ transform
        shares = (gate(prompt) / temperature).softmax(1) * scale
        return (shares * rewards).sum(1)

    return Head(score)


def _gating_network(weights: HeadWeights, folder: Path) -> Callable[[Tensor], Tensor]:
    """Linear layers with a ReLU between them, behind which a batch norm (of QRM) may follow."""
    from torch.nn.functional import batch_norm, linear, relu

    prefix = "gating.layers."
    names = weights.names(prefix)
    layers: dict[int, dict[str, Tensor]] = {}
    for name in names:
        index, _, part = name.removeprefix(prefix).partition(".")
        if part != "num_batches_tracked":
            layers.setdefault(int(index), {})[part] = weights[name]
    if not layers:
        raise ModelError(
            f"{folder} has no gating network ({prefix}…), so its head would be random: take a "
            "checkpoint that holds its trained head."
        )
    ordered = [layers[index] for index in sorted(layers)]

    def gate(x: Tensor) -> Tensor:
        for number, layer in enumerate(ordered):
            if "running_mean" in layer:
                mean, variance = layer["running_mean"], layer["running_var"]
                x = batch_norm(
                    x, mean, variance, layer["weight"], layer["bias"], eps=_BATCH_NORM_EPS
                )
                continue
            x = linear(x, layer["weight"], layer.get("bias"))
            if number < len(ordered) - 1:
                x = relu(x)
        return x

    return gate


HEADS: dict[str, Callable[[Path], Head]] = {"internlm2": internlm2, "gated": gated}


def head_sha256(name: str) -> str | None:
    """A hash of the file that a user's head stands in; None for ours, which the version tells."""
    if name in HEADS:
        return None
    file = find_spec(name.partition(":")[0])
    if file is None or file.origin is None:
        return None
    return hashlib.sha256(Path(file.origin).read_bytes()).hexdigest()


def load_head(name: str, folder: Path) -> Head:
    """A head by its name, or by "module:function".

    Raises:
        UnknownName: there is no head of that name.
        UsageError: the function cannot be imported, or returns no `Head`.
        ModelError: the folder lacks what the head needs.
    """
    if name in HEADS:
        return HEADS[name](folder)
    module, colon, function = name.partition(":")
    if not colon:
        raise UnknownName("head", name, HEADS, "Your own is module:function.")
    try:
        factory = getattr(import_module(module), function)
    except (ImportError, AttributeError) as why:
        raise UsageError(f"The head '{name}' cannot be imported: {why}.") from why
    head = factory(folder)
    if not isinstance(head, Head):
        raise UsageError(f"The head '{name}' returned {type(head).__name__}, not a Head.")
    return head
