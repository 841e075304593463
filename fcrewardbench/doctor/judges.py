"""Checks of a judge's verdicts."""

from __future__ import annotations

from collections import Counter

from fcrewardbench.doctor.base import Grade, Seen, check
from fcrewardbench.doctor.examination import Examination
from fcrewardbench.doctor.scores import CLEARLY_SWAPPED, MAYBE_SWAPPED
from fcrewardbench.outcomes import outcome_of_verdicts
from fcrewardbench.types import Outcome, Verdict

USABLE = (Verdict.FIRST, Verdict.SECOND, Verdict.TIE)


@check(
    "verdicts readable",
    "Raise max_tokens, take --option verdict=text where the model reasons first, or change the prompt.",
)
def readable(examination: Examination) -> Seen:
    missing = [pair.id for pair in examination.pairs if pair.id not in examination.compared]
    if missing:
        told = f"{len(missing)} of {len(examination.pairs)} pairs, '{missing[0]}' first"
        return Grade.FAIL, f"no result for {told}"
    counts = Counter(v for one in examination.compared.values() for v in one.verdicts)
    bad = {verdict.value: count for verdict, count in counts.items() if verdict not in USABLE}
    told = ", ".join(f"{count} {name}" for name, count in bad.items())
    if not bad:
        return Grade.PASS, f"{counts.total()} verdicts, all of them read"
    grade = Grade.FAIL if 2 * sum(bad.values()) >= counts.total() else Grade.WARN
    detail = next((one.detail for one in examination.compared.values() if one.detail), "")
    return grade, f"{told} of {counts.total()} verdicts{f' ({detail})' if detail else ''}"


@check(
    "not constant",
    "Make sure that both candidates are part of what the judge reads.",
)
def decides(examination: Examination) -> Seen:
    verdicts = _usable(examination)
    ties = sum(verdict is Verdict.TIE for verdict in verdicts)
    told = f"{ties} of {len(verdicts)} verdicts are ties"
    if ties == len(verdicts):
        return Grade.FAIL, told
    return (Grade.WARN if 2 * ties > len(verdicts) else Grade.PASS), told


@check(
    "order consistency",
    "Take a stronger judge, or --option verdict=text; what it says depends on the order shown.",
)
def consistency(examination: Examination) -> Seen:
    outcomes = _outcomes(examination)
    changed = outcomes[Outcome.INCONSISTENT]
    told = f"{changed} of {outcomes.total()} pairs are judged otherwise in the other order"
    if 2 * changed > outcomes.total():
        return Grade.FAIL, told
    return (Grade.WARN if 4 * changed > outcomes.total() else Grade.PASS), told


@check("position bias", "Take a stronger judge: this one prefers a place to a candidate.")
def position(examination: Examination) -> Seen:
    verdicts = _usable(examination)
    first, second = (sum(v is side for v in verdicts) for side in (Verdict.FIRST, Verdict.SECOND))
    told = f"the first place won {first} times, the second {second} times"
    return (Grade.WARN if max(first, second) > 0.75 * max(len(verdicts), 1) else Grade.PASS), told


@check("labels not swapped", "Check that the verdict's letters mean what the prompt says.")
def labels(examination: Examination) -> Seen:
    outcomes = _outcomes(examination)
    wins, losses = outcomes[Outcome.WIN], outcomes[Outcome.LOSS]
    told = f"right in both orders in {wins}, wrong in both in {losses} of {outcomes.total()} pairs"
    if losses >= MAYBE_SWAPPED:
        return (
            Grade.FAIL if losses >= CLEARLY_SWAPPED else Grade.WARN
        ), f"{told}: worse than guessing"
    return Grade.PASS, told


def _usable(examination: Examination) -> list[Verdict]:
    verdicts = [v for one in examination.compared.values() for v in one.verdicts]
    return [verdict for verdict in verdicts if verdict in USABLE]


def _outcomes(examination: Examination) -> Counter[Outcome]:
    return Counter(
        outcome_of_verdicts(examination.compared[pair.id], pair.group().correct or ())
        for pair in examination.pairs
    )


JUDGE_CHECKS = (readable, decides, consistency, position, labels)
