"""Log-probabilities by blocks of the vocabulary are those of all logits at once."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from fcrewardbench.scoring import head
from fcrewardbench.scoring.head import Head


def _head(vocabulary: int, **settings: Any) -> tuple[Head, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    states, targets = torch.randn(7, 16), torch.randint(0, vocabulary, (7,))
    targets[:2] = torch.tensor([0, vocabulary - 1])
    return Head(torch.randn(vocabulary, 16), **settings), states, targets


@pytest.mark.parametrize("settings", [{}, {"factor": 0.25}, {"softcap": 3.0}], ids=str)
@pytest.mark.parametrize("block", [(512, 2048), (3, 10), (1, 1), (7, 97), (5, 96)])
def test_blocks_give_what_all_logits_give(
    monkeypatch: pytest.MonkeyPatch, block: tuple[int, int], settings: dict[str, float]
) -> None:
    monkeypatch.setattr(head, "CPU_BLOCK", block)
    made, states, targets = _head(97, **settings)
    logits = states @ made.weight.T * settings.get("factor", 1.0)
    if cap := settings.get("softcap"):
        logits = cap * torch.tanh(logits / cap)
    torch.testing.assert_close(made.logits(states), logits)
    expected = logits.log_softmax(1).gather(1, targets[:, None])[:, 0]
    torch.testing.assert_close(made.logprobs(states, targets), expected)


def test_a_bias_counts_and_may_rule_tokens_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head, "CPU_BLOCK", (4, 10))
    made, states, targets = _head(30)
    bias = torch.randn(30)
    bias[:10] = -torch.inf  # the whole first block
    bias[29] = 50.0
    targets[:2] = torch.tensor([29, 12])
    found = Head(made.weight, bias).logprobs(states[:2], targets[:2])
    logits = torch.nn.functional.linear(states[:2], made.weight, bias)
    torch.testing.assert_close(found, logits.log_softmax(1).gather(1, targets[:2, None])[:, 0])


def test_great_logits_stay_finite_and_none_is_made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head, "CPU_BLOCK", (4, 10))
    made, states, targets = _head(30)
    assert Head(made.weight * 1e4).logprobs(states, targets).isfinite().all()
    states[3] = torch.nan
    found = made.logprobs(states, targets)
    assert found.isnan().nonzero().flatten().tolist() == [3]


def test_no_positions_have_no_log_probabilities() -> None:
    made, states, targets = _head(30)
    assert made.logprobs(states[:0], targets[:0]).tolist() == []
