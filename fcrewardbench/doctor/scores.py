"""Checks of a scorer's numbers; they know nothing of how it makes them."""

from __future__ import annotations

import math

from fcrewardbench.doctor.base import Grade, Seen, check
from fcrewardbench.doctor.examination import Examination, difference
from fcrewardbench.types import Outcome, Scored

CLEARLY_SWAPPED = 14
MAYBE_SWAPPED = 12
"""Losses of 16. A scorer that guesses has so many in 2 and in 38 of 1,000 examinations."""


@check(
    "finite", "Look at the rows named: a wrong dtype (try float32) or a broken weight gives NaN."
)
def finite(examination: Examination) -> Seen:
    groups = examination.groups
    missing = [group.id for group in groups if group.id not in examination.scores]
    if missing:
        return (
            Grade.FAIL,
            f"no result for {len(missing)} of {len(groups)} groups, '{missing[0]}' first",
        )
    bad = [scored for scored in examination.scores.values() if not _is_finite(scored)]
    if bad:
        told = bad[0].detail or str(bad[0].scores)
        return Grade.FAIL, f"{len(bad)} of {len(groups)} rows, '{bad[0].id}' first: {told}"
    return Grade.PASS, f"{len(groups)} groups, all scores finite"


def _is_finite(scored: Scored) -> bool:
    if scored.failure is Outcome.TOO_LONG:
        return True
    return scored.scores is not None and all(math.isfinite(score) for score in scored.scores)


@check(
    "not constant",
    "Make sure that the candidate is part of what the model reads, and that its head is trained.",
)
def not_constant(examination: Examination) -> Seen:
    scored = [one.scores for one in examination.scores.values() if one.scores]
    if len({score for scores in scored for score in scores}) <= 1:
        return Grade.FAIL, "every candidate of every pair has the same score"
    ties = sum(len(set(scores)) == 1 for scores in scored)
    if ties == len(scored):
        return Grade.FAIL, "both candidates of every pair have the same score"
    told = f"{ties} of {len(scored)} pairs are exact ties"
    return (Grade.WARN if ties > len(scored) // 4 else Grade.PASS), told


@check(
    "long pairs",
    "Raise max_length, and truncate nothing: leave out what is too long, and say so.",
)
def long_pairs(examination: Examination) -> Seen:
    long = examination.long_scores
    if long.failure is Outcome.TOO_LONG:
        return Grade.WARN, f"'{long.id}', longer than nine in ten pairs, is too long: {long.detail}"
    if not _is_finite(long):
        told = long.detail or str(long.scores)
        return Grade.FAIL, f"'{long.id}', longer than nine in ten pairs: {told}"
    ties = [len(set(one.scores)) == 1 for one in examination.scores.values() if one.scores]
    if long.scores and len(set(long.scores)) == 1 and 2 * sum(ties) < len(ties):
        return Grade.FAIL, f"both candidates of the long pair '{long.id}' have the same score"
    return Grade.PASS, f"the candidates of '{long.id}', longer than nine in ten, are told apart"


@check(
    "batch 1 = batch n",
    "Score each text by itself: mask padding, and normalise nothing over what comes in one call.",
)
def batch(examination: Examination) -> Seen:
    return _equal(examination, examination.scores, examination.alone, ("together", "alone"))


@check(
    "order of the candidates",
    "Score each candidate by itself; if the model compares them, it is a judge: write a Judge.",
)
def order(examination: Examination) -> Seen:
    orders = ("in one order", "in the other")
    return _equal(examination, examination.alone, examination.turned, orders)


@check(
    "labels not swapped",
    "Check the sign of the score, the order of a head's outputs, and chosen and rejected in training.",
)
def labels(examination: Examination) -> Seen:
    wins, losses = examination.wins_and_losses()
    told = f"right in {wins}, wrong in {losses} of {len(examination.pairs)} pairs"
    if losses >= MAYBE_SWAPPED:
        grade = Grade.FAIL if losses >= CLEARLY_SWAPPED else Grade.WARN
        return grade, f"{told}, which is worse than guessing: labels or sign may be swapped"
    return Grade.PASS, told


def _equal(
    examination: Examination,
    first: dict[str, Scored],
    second: dict[str, Scored],
    how: tuple[str, str],
) -> Seen:
    largest, flips, torn = difference(first, second)
    if torn:
        return Grade.FAIL, f"'{torn[0]}' has scores {how[0]} and none {how[1]}, or the reverse"
    told = f"scores {how[0]} and {how[1]} differ by {largest:.1e} at most"
    if largest > examination.tolerance:
        return Grade.FAIL, f"{told}; {flips} of {len(second)} decisions flip"
    return Grade.PASS, told


SCORE_CHECKS = (finite, not_constant, long_pairs, batch, order, labels)
