"""What the surface of two candidates gives away: how often a classifier that sees only that is right.

    python scripts/surface_leaks.py [--benchmark NAME]… [--json FILE]

Logistic regression and gradient boosting (scikit-learn) on differences of surface features, five-fold
cross-validated by tool catalogue, so that no pair is judged by a classifier that saw its tools. Every
pair goes in both ways round, and the verdict of a held-out pair is that of both ways together: what is
left over is 50 % for a benchmark without leaks. `by type` uses the classifier of all pairs;
`alone` one that is trained on the pairs of that type only.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fcrewardbench.benchmarks.registry import load_benchmark
from fcrewardbench.calls.edits.sites import leaves
from fcrewardbench.render import candidate_text, conversation_text
from fcrewardbench.stats import wilson
from fcrewardbench.types import Call, Candidate, Pair, Prompt

FOLDS = 5
SEED = 0
LEAST = 40
"""Pairs that an error type needs to be looked at alone."""


def features(candidate: Candidate, prompt: Prompt) -> dict[str, float]:
    """What can be seen of a candidate without reading the request for its meaning."""
    text = candidate_text(candidate)
    calls: Sequence[Call] = () if isinstance(candidate, str) else candidate
    size = max(1, len(calls))
    values = [leaf for call in calls for leaf in leaves(call.arguments)]
    texts = [value for value in values if isinstance(value, str)]
    said = conversation_text(prompt.messages).lower()
    arguments = [len(call.arguments) for call in calls]
    optional = [sum(map(_optional(call, prompt).__contains__, call.arguments)) for call in calls]
    kinds = Counter(_kind(value) for call in calls for value in call.arguments.values())
    return {
        "length": len(text),
        "length per call": len(text) / size,
        "calls": len(calls),
        "different functions": len({call.name for call in calls}),
        "repeated calls": len(calls) - len({json.dumps(call.as_dict()) for call in calls}),
        "name length": sum(len(call.name) for call in calls) / size,
        "name dots and underscores": sum(call.name.count(c) for call in calls for c in "._") / size,
        "arguments": sum(arguments),
        "arguments per call": sum(arguments) / size,
        "optional arguments": sum(optional),
        "optional arguments per call": sum(optional) / size,
        "calls without arguments": sum(not count for count in arguments),
        "arguments in schema order": sum(_in_order(call, prompt) for call in calls) / size,
        "values found in the conversation": _share(_plain(v) in said for v in values),
        "texts found in the conversation": _share(text.lower() in said for text in texts),
        "words found in the conversation": _share(
            w in said for t in texts for w in t.lower().split()
        ),
        "text length": sum(map(len, texts)) / max(1, len(texts)),
        "longest text": max(map(len, texts), default=0),
        "empty texts": sum(not text for text in texts),
        "capitals": sum(c.isupper() for text in texts for c in text) / max(1, len(texts)),
        "digits": sum(c.isdigit() for c in text),
        "spaces": text.count(" "),
        "other characters": sum(not c.isascii() for c in text),
        "escapes": text.count("\\"),
        "greatest number": max(
            (abs(float(v)) for v in values if _kind(v) == "number"), default=0.0
        ),
        **{f"{kind} values": kinds[kind] for kind in ("text", "number", "truth", "list", "object")},
        "fractions": sum(type(v) is float and v != int(v) for v in values if abs(_float(v)) < 1e15),
        "null values": sum(value is None for value in values),
    }


def _float(value: Any) -> float:
    return float(value) if type(value) in (int, float) else 0.0


def _kind(value: Any) -> str:
    kinds = {
        str: "text",
        bool: "truth",
        int: "number",
        float: "number",
        list: "list",
        dict: "object",
    }
    return kinds.get(type(value), "null")


def _plain(value: Any) -> str:
    return value.lower() if isinstance(value, str) else json.dumps(value)


def _share(flags: Iterator[bool]) -> float:
    known = list(flags)
    return sum(known) / len(known) if known else 0.0


def _optional(call: Call, prompt: Prompt) -> set[str]:
    """Arguments that the call's tool (for a made-up name: any tool) knows and does not require."""
    tools = [tool for tool in prompt.tools if tool.name == call.name] or prompt.tools
    known = {name for tool in tools for name in tool.parameters.get("properties") or ()}
    return known - {name for tool in tools for name in tool.parameters.get("required") or ()}


def _in_order(call: Call, prompt: Prompt) -> bool:
    own = [tool for tool in prompt.tools if tool.name == call.name]
    order = [name for tool in own for name in tool.parameters.get("properties") or ()]
    known = [order.index(name) for name in call.arguments if name in order]
    return known == sorted(known)


def differences(pairs: Sequence[Pair]) -> tuple[np.ndarray[Any, Any], list[str]]:
    """Features of the chosen minus those of the rejected candidate, a row per pair; their names."""
    rows = []
    for pair in pairs:
        chosen, rejected = (features(c, pair.prompt) for c in (pair.chosen, pair.rejected))
        rows.append([chosen[name] - rejected[name] for name in chosen])
    return np.array(rows, dtype=float), list(features((), pairs[0].prompt))


def classifiers() -> dict[str, Any]:
    return {
        "logistic regression": make_pipeline(
            StandardScaler(with_mean=False), LogisticRegression(max_iter=2000, fit_intercept=False)
        ),
        "gradient boosting": HistGradientBoostingClassifier(random_state=SEED),
    }


def held_out_credit(
    model: Any, rows: np.ndarray[Any, Any], groups: Sequence[str]
) -> np.ndarray[Any, Any]:
    """For each pair whether the classifier of the other folds finds the chosen one; ½ if undecided."""
    credit = np.full(len(rows), 0.5)
    for train, test in GroupKFold(FOLDS).split(rows, groups=groups):
        both = np.vstack([rows[train], -rows[train]])
        model.fit(both, np.repeat([1, 0], len(train)))
        margin = model.predict_proba(rows[test])[:, 1] - model.predict_proba(-rows[test])[:, 1]
        credit[test] = (np.sign(np.round(margin, 9)) + 1) / 2
    return credit


def report(name: str) -> dict[str, Any]:
    """Held-out accuracies on a benchmark: all pairs, by type, and types alone."""
    benchmark = load_benchmark(name)
    pairs = benchmark.pairs
    if not pairs:
        raise SystemExit(f"{benchmark.title} has no pairs.")
    rows, names = differences(pairs)
    groups = [pair.prompt.catalogue for pair in pairs]
    kinds = np.array([pair.error_type for pair in pairs])
    result: dict[str, Any] = {"benchmark": benchmark.title, "pairs": len(pairs), "features": names}
    for title, model in classifiers().items():
        credit = held_out_credit(model, rows, groups)
        found: dict[str, Any] = {"all": _accuracy(credit), "by type": {}, "alone": {}}
        for kind, count in Counter(kinds.tolist()).most_common():
            if count >= LEAST:
                own = np.flatnonzero(kinds == kind)
                found["by type"][kind] = _accuracy(credit[own])
                alone = held_out_credit(model, rows[own], [groups[place] for place in own])
                found["alone"][kind] = _accuracy(alone)
        result[title] = found
    return result


def _accuracy(credit: np.ndarray[Any, Any]) -> dict[str, float]:
    share = float(credit.mean())
    interval = wilson(share, len(credit))
    return {"n": len(credit), "accuracy": share, "low": interval.low, "high": interval.high}


def as_markdown(result: dict[str, Any]) -> str:
    """A table of one benchmark's accuracies in percent."""
    titles = list(classifiers())
    lines = [
        f"| {result['benchmark']} | n | " + " | ".join(f"{t} | {t}, alone" for t in titles) + " |",
        "| --- | --- |" + " --- | --- |" * len(titles),
    ]
    first = result[titles[0]]
    for kind in ("all", *first["by type"]):
        cells = []
        for title in titles:
            found = result[title]
            shown = (
                [found["all"]] if kind == "all" else [found["by type"][kind], found["alone"][kind]]
            )
            texts = [
                f"{100 * a['accuracy']:.1f} ({100 * a['low']:.0f} – {100 * a['high']:.0f})"
                for a in shown
            ]
            cells += texts + [""] * (2 - len(texts))
        count = (first["all"] if kind == "all" else first["by type"][kind])["n"]
        lines.append(f"| {kind} | {count:,} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--benchmark", action="append", default=[])
    parser.add_argument("--json", type=Path, help="write all numbers here")
    given = parser.parse_args()
    results = [report(name) for name in given.benchmark or ["open/core", "open/minimal"]]
    print("\n\n".join(map(as_markdown, results)))
    if given.json:
        given.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
