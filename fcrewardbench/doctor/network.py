"""Checks of a model on this machine: the head, the pooling, sharing, dtype."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fcrewardbench.adapters.folder import tensor_sizes
from fcrewardbench.adapters.registry import parameters_of
from fcrewardbench.doctor.base import Grade, Seen, check
from fcrewardbench.doctor.examination import EXAMINED, FEW, Examination, difference

HEADS = ("score.weight", "classifier.weight", "classifier.out_proj.weight")
LIKE_FRESH = 0.1
"""How far a head's standard deviation may be from that of a fresh one to look like it."""
PADDED = 4
_NO_HEAD = (Grade.SKIPPED, "not a network with one trained linear head")


@check(
    "head trained",
    "Train the head, or save it with the weights; score a plain language model with "
    "--adapter likelihood.",
)
def head_trained(examination: Examination) -> Seen:
    folder, config = _head_folder(examination)
    if folder is None:
        return _NO_HEAD
    name = next((name for name in HEADS if name in tensor_sizes(str(folder))), None)
    if name is None:
        return Grade.FAIL, f"none of {', '.join(HEADS)} is in the weights"
    head = _tensor(folder, name)
    if not head.any():
        return Grade.FAIL, f"{name} is all zeros"
    spread, fresh = float(head.std()), float(config.get("initializer_range") or 0.02)
    wins, _ = examination.wins_and_losses()
    told = f"{name} has a standard deviation of {spread:.4f}; right in {wins} of {EXAMINED} pairs"
    if abs(spread / fresh - 1) < LIKE_FRESH:
        return Grade.WARN, f"{told}: a fresh head has just that spread ({fresh:.4f})"
    return Grade.PASS, told


@check(
    "padding and pooling",
    "Pool at the last real token, by the attention mask and not by the padding token's id.",
)
def pooling(examination: Examination) -> Seen:
    folder, _ = _head_folder(examination)
    if folder is None:
        return _NO_HEAD
    if examination.inputs is None or not examination.inputs[0][1][0].ids:
        return Grade.SKIPPED, "the adapter does not tell its token ids"
    ids, ours = [], []
    for group in examination.groups[:PADDED]:
        scores = examination.scores[group.id].scores
        inputs = examination.loaded.adapter.inputs(group)
        if scores is not None and inputs is not None:
            ids.append(list(inputs[0].ids))
            ours.append(scores[0])
    found = _padded(examination, folder, ids)
    if found is None:
        return Grade.SKIPPED, "an encoder, or a head of another kind"
    alone, left, right, theirs = found
    limit = examination.tolerance
    wrong = sum(abs(a - b) > limit for a, b in zip(ours, alone, strict=True))
    if wrong:
        like = sum(abs(a - b) <= limit for a, b in zip(ours, theirs, strict=True))
        where = ", but that of transformers' own pooling" if like == len(ours) else ""
        return (
            Grade.FAIL,
            f"{wrong} of {len(ours)} scores are not the head's at the last token{where}",
        )
    sides = max(abs(a - b) for a, b in zip([*left, *right], [*alone, *alone], strict=True))
    if sides > limit:
        return Grade.WARN, f"padding moves the model's scores by {sides:.1e}; ours are unpadded"
    trap = sum(abs(a - b) > limit for a, b in zip(alone, theirs, strict=True))
    if trap:
        return (
            Grade.WARN,
            f"ours are right, but transformers' own pooling takes another token in {trap} of "
            f"{len(ours)} (pad and end are one token): plain scripts get other scores",
        )
    return Grade.PASS, f"left, right and none give the same within {sides:.1e}"


@check(
    "sharing on = off",
    "Score with --option share_prompt=false, and report the model: its attention is not understood.",
)
def sharing(examination: Examination) -> Seen:
    if not _takes(examination, "share_prompt"):
        return Grade.SKIPPED, "the adapter shares nothing"
    other = examination.variant(share_prompt=False)
    largest, flips, torn = difference(examination.scores, other)
    told = f"scores with and without differ by {largest:.1e} at most"
    if torn or largest > examination.tolerance:
        return Grade.FAIL, f"{told}; {flips} of {len(other)} decisions flip"
    return Grade.PASS, told


@check("dtype drift", "Score with --dtype float32, or report how many decisions the dtype flips.")
def drift(examination: Examination) -> Seen:
    if not _takes(examination, "dtype"):
        return Grade.SKIPPED, "the adapter has no dtype"
    dtype = examination.described.get("dtype")
    if dtype == "float32":
        return Grade.PASS, "the run is in float32"
    other = examination.variant(dtype="float32")
    largest, flips, _ = difference(examination.scores, other)
    told = f"{dtype} differs from float32 by {largest:.1e} at most; {flips} of {FEW} decisions flip"
    return (Grade.WARN if flips else Grade.PASS), told


def _takes(examination: Examination, option: str) -> bool:
    return option in parameters_of(type(examination.loaded.adapter))


def _head_folder(examination: Examination) -> tuple[Path | None, dict[str, Any]]:
    """The folder and configuration of a network with a linear head of one output, or None."""
    folder = examination.loaded.folder
    if folder is None or examination.loaded.options.get("head"):
        return None, {}
    if not examination.loaded.adapter.loads_weights:
        return None, {}
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    architectures = config.get("architectures") or []
    if not any(name.endswith("ForSequenceClassification") for name in architectures):
        return None, {}
    return folder, config


def _tensor(folder: Path, name: str) -> Any:
    from safetensors import safe_open

    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, "pt") as tensors:
            if name in tensors.keys():  # noqa: SIM118 - it is no mapping
                return tensors.get_tensor(name).float()
    raise LookupError(name)


def _padded(
    examination: Examination, folder: Path, ids: list[list[int]]
) -> tuple[list[float], list[float], list[float], list[float]] | None:
    """Scores of token sequences by transformers' own forward pass: the head at the last real token of
    each alone, padded on the left, padded on the right, and what transformers pools there itself."""
    import torch
    import transformers

    described = examination.described
    device = str(described.get("device") or "cpu").split(",", maxsplit=1)[0]
    dtype = getattr(torch, str(described.get("dtype") or "float32"))
    network = transformers.AutoModelForSequenceClassification.from_pretrained(
        folder,
        dtype=dtype,
        use_safetensors=True,
        trust_remote_code=bool(examination.loaded.options.get("trust_remote_code")),
    )
    network = network.to(device).eval()
    head = getattr(network, "score", None)
    if head is None or getattr(head, "weight", None) is None:
        return None
    pad = network.config.pad_token_id
    pad = network.config.eos_token_id if pad is None else pad
    pad = pad[0] if isinstance(pad, list) else pad or 0
    network.config.pad_token_id = pad

    def pooled(rows: list[list[int]], left: bool) -> tuple[list[float], list[float]]:
        wide = max(map(len, rows))
        fill = [wide - len(row) for row in rows]
        tokens = [
            [pad] * n + row if left else row + [pad] * n for row, n in zip(rows, fill, strict=True)
        ]
        masks = [
            [0] * n + [1] * len(row) if left else [1] * len(row) + [0] * n
            for row, n in zip(rows, fill, strict=True)
        ]
        mask = torch.tensor(masks, device=device)
        with torch.inference_mode():
            given = {
                "input_ids": torch.tensor(tokens, device=device),
                "attention_mask": mask,
                "position_ids": (mask.cumsum(1) - 1).clamp(min=0),
            }
            states = network.base_model(**given).last_hidden_state
            logits = network(**given).logits.float()[:, 0]
        last = [wide - 1 if left else len(row) - 1 for row in rows]
        ends = torch.stack([states[n, at] for n, at in enumerate(last)]).float()
        bias = None if head.bias is None else head.bias.float()
        scores = torch.nn.functional.linear(ends, head.weight.float(), bias)[:, 0]
        return scores.tolist(), logits.tolist()

    each = [pooled([row], left=False) for row in ids]
    left, _ = pooled(ids, left=True)
    right, _ = pooled(ids, left=False)
    return [own[0] for own, _ in each], left, right, [theirs[0] for _, theirs in each]


NETWORK_CHECKS = (head_trained, pooling, sharing, drift)
