"""Forward passes over a group that compute the tokens its candidates have in common once.

The common prefix goes through the model alone; its keys and values are repeated for every candidate,
and the rest of each follows in one batch, padded on the right. Positions are explicit, so that a score
does not depend on padding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fcrewardbench.types import Tokens

if TYPE_CHECKING:
    import torch


def forward(
    model: Any, ids: Sequence[Sequence[int]], *, share: bool, output: str, start: int
) -> tuple[list[torch.Tensor], Tokens]:
    """Run a decoder over the token sequences of a group.

    Args:
        model: a transformers decoder, with or without a language-model head.
        ids: one sequence per candidate.
        share: compute the common prefix once; where False, each sequence goes alone.
        output: the field of the model's output to return ("logits" or "last_hidden_state").
        start: the first position whose output is wanted; below every sequence's length.

    Returns:
        For each sequence a tensor [its length - start, width], and the tokens computed.
    """
    import torch

    naive = sum(len(sequence) for sequence in ids)
    shared = common_prefix(ids) if share and len(ids) > 1 else 0
    with torch.inference_mode():
        if not shared:
            alone = [_pass(model, [list(sequence)], output, 0, start) for sequence in ids]
            return [tensor[0] for tensor, _ in alone], Tokens(naive, naive)
        head, cache = _pass(model, [list(ids[0][:shared])], output, 0, min(start, shared - 1), True)
        cache.batch_repeat_interleave(len(ids))
        rests = [list(sequence[shared:]) for sequence in ids]
        tail, _ = _pass(model, rests, output, shared, shared, True, cache)
    longest = max(len(rest) for rest in rests)
    wanted = head[0, start - min(start, shared - 1) :]
    outputs = [
        torch.cat([wanted, tail[index, max(start - shared, 0) : len(rest)]])
        for index, rest in enumerate(rests)
    ]
    return outputs, Tokens(naive, shared + longest * len(rests))


def _pass(
    model: Any,
    rows: list[list[int]],
    output: str,
    done: int,
    start: int,
    caching: bool = False,
    cache: Any = None,
) -> tuple[torch.Tensor, Any]:
    """One pass over `rows`, which stand behind `done` cached positions; outputs from `start` on."""
    import torch

    longest = max(len(row) for row in rows)
    pads = [[0] * (longest - len(row)) for row in rows]
    device = model.device
    ids = torch.tensor([row + pad for row, pad in zip(rows, pads, strict=True)], device=device)
    mask = torch.tensor(
        [[1] * (done + len(row)) + pad for row, pad in zip(rows, pads, strict=True)], device=device
    )
    positions = torch.arange(done, done + longest, device=device).expand(len(rows), -1)
    # Only a head's outputs are large enough to be worth leaving out.
    keep = {"logits_to_keep": done + longest - start} if output == "logits" else {}
    result = model(
        input_ids=ids,
        attention_mask=mask,
        position_ids=positions,
        past_key_values=cache,
        use_cache=caching,
        **keep,
    )
    values = result[output]
    return values[:, values.shape[1] - (done + longest - start) :], result.get("past_key_values")


def common_prefix(ids: Sequence[Sequence[int]]) -> int:
    """How many first tokens all sequences share, leaving each at least one of its own."""
    longest = min(len(sequence) for sequence in ids) - 1
    length = 0
    while length < longest and all(sequence[length] == ids[0][length] for sequence in ids):
        length += 1
    return length
