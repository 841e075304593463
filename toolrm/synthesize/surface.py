"""What the surface of two candidates gives away: how often counts alone tell which is the right one.

A model that is trained on pairs learns what is easiest, and ten counts are easier than requests.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from fcrewardbench import Call, Candidate, MissingExtra, Pair, Prompt, parse
from fcrewardbench.calls.edits.base import properties, required
from fcrewardbench.calls.edits.sites import leaves
from fcrewardbench.render import candidate_text
from toolrm.records import TrainingPair

if TYPE_CHECKING:
    import numpy as np

FOLDS = 5
LEAST = 40
"""Pairs that a file needs to be looked at."""
ALL = "all"


def features(candidate: Candidate, prompt: Prompt) -> list[float]:
    """Ten counts of a candidate that need no reading of the request."""
    read = parse(candidate).candidate if isinstance(candidate, str) else candidate
    calls: Sequence[Call] = () if isinstance(read, str) else read
    tools = {tool.name: tool for tool in prompt.tools}
    said = "\n".join(str(message["content"]) for message in prompt.messages).lower()
    values = [leaf for call in calls for leaf in leaves(call.arguments)]
    known = [(call, tools[call.name]) for call in calls if call.name in tools]
    return [
        len(candidate_text(candidate)),
        len(calls),
        sum(len(call.arguments) for call in calls),
        sum(str(value).lower() not in said for value in values),
        sum(call.name not in tools for call in calls),
        sum(name not in properties(tool) for call, tool in known for name in call.arguments),
        sum(name not in call.arguments for call, tool in known for name in required(tool)),
        sum(value is None for value in values),
        len({call.name for call in calls}),
        sum(isinstance(value, str) for value in values),
    ]


def need_scikit_learn() -> None:
    """Tell at once what the report at the end needs.

    Raises:
        MissingExtra: scikit-learn is not installed.
    """
    if find_spec("sklearn") is None:
        raise MissingExtra("scikit-learn", "train")


def given_away(
    train: Sequence[TrainingPair], held_out: Sequence[TrainingPair]
) -> tuple[dict[str, float], dict[str, float]]:
    """By error type and of all: the share of the pairs of both files that a logistic regression on
    `features` ranks rightly, ties half; 0.5 is a guess.

    A pair of the training file is judged by a regression that saw none of its record; those of the
    other file by one of the whole training file. Empty for a file of too few pairs.
    """
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    records = [pair.record for pair in train]
    if len(train) < LEAST or len(set(records)) < FOLDS:
        return {}, {}

    def fitted(rows: np.ndarray[Any, Any]) -> Any:
        both = np.concatenate([rows, -rows])  # either way round
        right = np.repeat([1, 0], len(rows))
        scaled = StandardScaler(with_mean=False)
        model = LogisticRegression(max_iter=1_000, fit_intercept=False)
        return make_pipeline(scaled, model).fit(both, right)

    rows = _differences([pair.pair for pair in train])
    margins = np.zeros(len(rows))
    for seen, judged in GroupKFold(FOLDS).split(rows, groups=records):
        margins[judged] = fitted(rows[seen]).decision_function(rows[judged])
    of_train = _by_type(train, margins)
    if len(held_out) < LEAST:
        return of_train, {}
    others = _differences([pair.pair for pair in held_out])
    return of_train, _by_type(held_out, fitted(rows).decision_function(others))


def _differences(pairs: Sequence[Pair]) -> np.ndarray[Any, Any]:
    """Features of the chosen minus those of the rejected candidate: a row per pair."""
    import numpy as np

    rows = []
    for pair in pairs:
        chosen, rejected = (features(c, pair.prompt) for c in (pair.chosen, pair.rejected))
        rows.append([right - wrong for right, wrong in zip(chosen, rejected, strict=True)])
    return np.array(rows, dtype=float)


def _by_type(pairs: Sequence[TrainingPair], margins: np.ndarray[Any, Any]) -> dict[str, float]:
    ranked: defaultdict[str, list[float]] = defaultdict(list)
    for pair, margin in zip(pairs, margins, strict=True):
        right = 0.5 if abs(margin) < 1e-9 else float(margin > 0)
        for kind in (ALL, pair.pair.error_type):
            ranked[kind].append(right)
    shares = {kind: round(sum(found) / len(found), 3) for kind, found in ranked.items()}
    return dict(sorted(shares.items(), key=lambda item: (item[0] != ALL, -item[1], item[0])))
