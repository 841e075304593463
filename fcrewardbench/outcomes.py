"""Scores and verdicts → outcomes."""

from __future__ import annotations

from collections.abc import Sequence

from fcrewardbench.types import Compared, Outcome, Verdict


def outcome_of_verdicts(compared: Compared, correct: tuple[bool, ...]) -> Outcome:
    """What a judge's two verdicts come to, knowing which candidate is right."""
    for failure in (Verdict.ERROR, Verdict.TOO_LONG, Verdict.REFUSED, Verdict.UNPARSED):
        if failure in compared.verdicts:
            return Outcome(failure.value)
    first_is_right = correct[0]
    given, swapped = compared.verdicts
    right = (
        Verdict.FIRST if first_is_right else Verdict.SECOND,
        Verdict.SECOND if first_is_right else Verdict.FIRST,
    )
    if (given, swapped) == right:
        return Outcome.WIN
    if given == swapped == Verdict.TIE:
        return Outcome.TIE
    if Verdict.TIE in (given, swapped) or given == swapped:
        return Outcome.INCONSISTENT
    return Outcome.LOSS


def outcome_of_scores(scores: Sequence[float], correct: Sequence[bool]) -> tuple[Outcome, float]:
    """What scores come to, knowing which candidates are right, and its credit.

    The top candidate decides. Where right and wrong ones share the top, that is a tie, and its credit
    is the share of right ones among them: what choosing one of them at random earns.

    Raises:
        ValueError: there are more scores than candidates, or fewer.
    """
    if len(scores) != len(correct):
        raise ValueError(f"{len(scores)} scores for {len(correct)} candidates")
    best = max(scores)
    if scores.count(best) == 1:
        return (Outcome.WIN, 1.0) if correct[scores.index(best)] else (Outcome.LOSS, 0.0)
    top = [right for score, right in zip(scores, correct, strict=True) if score == best]
    credit = sum(top) / len(top)
    if 0 < credit < 1:
        return Outcome.TIE, credit
    return (Outcome.WIN if credit else Outcome.LOSS), credit


def pairwise_auc(scores: Sequence[float], correct: Sequence[bool]) -> float:
    """The share of (right, wrong) pairs of candidates in which the right one scores higher; ties ½."""
    right = [score for score, is_right in zip(scores, correct, strict=True) if is_right]
    wrong = [score for score, is_right in zip(scores, correct, strict=True) if not is_right]
    credits = [(r > w) + (r == w) / 2 for r in right for w in wrong]
    return sum(credits) / len(credits)
