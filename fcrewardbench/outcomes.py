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


def outcome_of_scores(scores: Sequence[float], correct: tuple[bool, ...]) -> Outcome:
    """What two scores come to, knowing which candidate is right. Equal scores are a tie."""
    right = scores[correct.index(True)]
    wrong = scores[correct.index(False)]
    if right == wrong:
        return Outcome.TIE
    return Outcome.WIN if right > wrong else Outcome.LOSS
