"""Choose the rows of FC-RewardBench-Open, edition 2: writes `selection.json`, which `build` reads.

    python -m scripts.open_2.select [--rounds N] [--again SUBSET…] [--mend]

For the subsets of pairs a seeded local search decides which task gives which pair: exact counts per
error type, shares of the generators, near misses first, and surface differences that cancel. In rounds,
classifiers that see only the surface are trained on the pairs chosen so far, and the search turns
against what they find. To do so again byte for byte takes the same versions of numpy and scikit-learn;
that is why the selection is an ingredient of its own, and building from it needs neither.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, TypeAlias

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from fcrewardbench.benchmarks.bfcl import NO_CALL_CATEGORIES, PYTHON_CATEGORIES, Task, load_tasks
from fcrewardbench.benchmarks.official import PAPER_QUOTA
from fcrewardbench.calls.edits.base import Peers
from fcrewardbench.types import ErrorType
from scripts.build_open_1 import each_question_once, peers_of
from scripts.open_2.ingredients import EXCLUDED, SELECTION
from scripts.open_2.options import SEED, Option, Output, fields_between, options_of, read_outputs
from scripts.open_2.sets import abstentions, candidate_sets
from scripts.surface_leaks import features

Matrix: TypeAlias = np.ndarray[Any, Any]

MINIMAL = {ErrorType.VALUE: 300}
MOST = {"smollm2-135m-q4": 0.35, "gemma3-270m-q4": 0.35, "edit": 0.40}
"""The greatest share of the pairs that a generator makes, and as far as possible of each type."""
MANNER_SHARES = {"named": 0.3}
MANNER_SHARE = 0.12
"""The greatest share of its type that an edit operator makes; above, that of a kind of outputs."""
SUBSETS = ("core", "minimal", "abstain", "candidates")
FARTHEST = 8
ROUNDS = 4
MOVES = 50_000
FOLDS = 5
WEIGHTS = {"all": 4.0, "type": 2.0, "margin": 1.2, "distance": 0.05}


class Pool:
    """Options as arrays: what each adds to the surface differences, and what is counted."""

    def __init__(self, options: Sequence[Option], tasks: Mapping[str, Task]) -> None:
        self.options = options
        self.surface = np.array([_difference(option, tasks[option.task]) for option in options])
        spread = np.sqrt((self.surface**2).mean(0)) + 1e-9
        scaled = np.clip(self.surface / spread, -3, 3)
        self.balance = np.hstack([scaled, np.sign(self.surface)])
        self.margins = np.zeros(len(options))
        self.folds = np.array([_fold(tasks[option.task].prompt.catalogue) for option in options])
        self.by_place: dict[tuple[str, ErrorType], dict[str, dict[str, list[int]]]] = {}
        for index, option in enumerate(options):
            found = self.by_place.setdefault((option.task, option.error_type), {})
            found.setdefault(option.generator, {}).setdefault(option.manner, []).append(index)

    def learn(self, chosen: Sequence[int]) -> None:
        """Train classifiers on the chosen pairs; how sure they are of every option, half of it anew.

        The other half is what earlier rounds knew, so that the search does not swing to and fro.
        """
        picked = np.array(chosen)
        kinds = np.array([self.options[index].error_type.value for index in picked])
        parts = [picked] + [
            picked[kinds == kind] for kind, count in Counter(kinds.tolist()).items() if count >= 40
        ]
        all_kinds = np.array([option.error_type.value for option in self.options])
        self.margins *= 0.5
        for number, part in enumerate(parts):
            own = (
                np.arange(len(self.options))
                if number == 0
                else np.flatnonzero(all_kinds == self.options[part[0]].error_type.value)
            )
            self.margins[own] += self._margins(part, own, seed=number) / (2 if number == 0 else 4)

    def _margins(self, part: Matrix, own: Matrix, seed: int) -> Matrix:
        result = np.zeros(len(own))
        leaf = 20 if len(part) >= 200 else 8
        for fold in range(FOLDS):
            train = self.surface[part[self.folds[part] != fold]]
            model = HistGradientBoostingClassifier(random_state=seed, min_samples_leaf=leaf)
            model.fit(np.vstack([train, -train]), np.repeat([1, 0], len(train)))
            # Options of tasks that a model was not trained on.
            at = np.flatnonzero(self.folds[own] == fold)
            rows = self.surface[own[at]]
            result[at] = model.predict_proba(rows)[:, 1] - model.predict_proba(-rows)[:, 1]
        return result


class Search:
    """Which task gives which option, and what that costs."""

    def __init__(
        self,
        pool: Pool,
        quotas: Mapping[ErrorType, int],
        categories: Mapping[str, str],
        rng: Random,
        kept: Sequence[int] = (),
    ) -> None:
        self.pool, self.quotas, self.categories, self.rng = pool, quotas, categories, rng
        self.size = sum(quotas.values())
        self.kinds: dict[str, list[ErrorType]] = defaultdict(list)
        for task, kind in pool.by_place:
            if kind in quotas:
                self.kinds[task].append(kind)
        self.tasks = sorted(self.kinds)
        self.chosen: dict[str, int] = {}
        self.sums: dict[Any, Matrix] = defaultdict(lambda: np.zeros(pool.balance.shape[1]))
        self.counts: Counter[Any] = Counter()
        per_category = Counter(categories[task] for task in self.tasks)
        self.due = {name: n * self.size / len(self.tasks) for name, n in per_category.items()}
        self._apply([], kept)
        settled = set(self.chosen)
        self._start()
        self.taken = sorted(set(self.chosen) - settled)
        self.free = [task for task in self.tasks if task not in self.chosen]

    def _start(self) -> None:
        supply = Counter(kind for kinds in self.kinds.values() for kind in kinds)
        order = self.rng.sample(self.tasks, len(self.tasks))
        for kind in sorted(self.quotas, key=lambda kind: supply[kind] / self.quotas[kind]):
            able = [t for t in order if kind in self.kinds[t] and t not in self.chosen]
            left = self.quotas[kind] - self._count(kind)
            if len(able) < left:
                raise SystemExit(f"only {len(able)} tasks are left for {kind.value}")
            for task in able[:left]:
                self._apply([], [self._any(task, kind)])

    def _count(self, kind: ErrorType) -> int:
        options = self.pool.options
        return sum(options[index].error_type is kind for index in self.chosen.values())

    def _any(self, task: str, kind: ErrorType) -> int:
        """A generator first, then a manner, so that prolific ones are not favoured."""
        by_generator = self.pool.by_place[task, kind]
        by_manner = by_generator[self.rng.choice(sorted(by_generator))]
        return self.rng.choice(by_manner[self.rng.choice(sorted(by_manner))])

    def _keys(self, index: int) -> list[Any]:
        option = self.pool.options[index]
        kind = option.error_type
        return [
            ("generator", option.generator),
            ("of type", kind, option.generator),
            ("manner", kind, option.manner),
            ("category", self.categories[option.task]),
        ]

    def _apply(self, out: Sequence[int], into: Sequence[int]) -> None:
        for sign, indices in ((-1, out), (1, into)):
            for index in indices:
                option = self.pool.options[index]
                self.sums["all"] += sign * self.pool.balance[index]
                self.sums[option.error_type] += sign * self.pool.balance[index]
                for key in self._keys(index):
                    self.counts[key] += sign
        for index in out:
            del self.chosen[self.pool.options[index].task]
        for index in into:
            self.chosen[self.pool.options[index].task] = index

    def _change(self, out: Sequence[int], into: Sequence[int]) -> float:
        pool = self.pool
        cost = 0.0
        moved: dict[Any, Matrix] = {}
        counts: Counter[Any] = Counter()
        for sign, indices in ((-1, out), (1, into)):
            for index in indices:
                option = pool.options[index]
                cost += sign * WEIGHTS["margin"] * max(0.0, pool.margins[index])
                cost += sign * WEIGHTS["distance"] * min(option.distance, FARTHEST)
                vector = sign * pool.balance[index]
                for block in ("all", option.error_type):
                    moved[block] = moved[block] + vector if block in moved else vector
                for key in self._keys(index):
                    counts[key] += sign
        for block, vector in moved.items():
            weight, n = ("all", self.size) if block == "all" else ("type", self.quotas[block])
            cost += WEIGHTS[weight] / n * float(vector @ (2 * self.sums[block] + vector))
        for key, change in counts.items():
            if change:
                before = self.counts[key]
                cost += self._misfit(key, before + change) - self._misfit(key, before)
        return cost

    def _misfit(self, key: Any, count: int) -> float:
        if key[0] == "generator":
            return 400 * max(0.0, count / self.size - MOST[key[1]] + 0.005) ** 2 * self.size
        if key[0] == "of type":
            quota = self.quotas[key[1]]
            return 20 * max(0.0, count / quota - MOST[key[2]]) ** 2 * quota
        if key[0] == "manner":
            if "/" not in key[2] and key[2] not in MANNER_SHARES:
                return 0.0
            quota = self.quotas[key[1]]
            most = MANNER_SHARES.get(key[2], MANNER_SHARE)
            return 20 * max(0.0, count / quota - most) ** 2 * quota
        return 0.5 * (count - self.due[key[1]]) ** 2 / self.due[key[1]]

    def improve(self, moves: int) -> None:
        """Take random exchanges that cost less."""
        kinds = (self._other_option, self._other_option, self._other_task, self._exchange)
        for _ in range(moves):
            self.rng.choice(kinds)()

    def _try(self, out: list[int], into: list[int]) -> bool:
        if self._change(out, into) >= 0:
            return False
        self._apply(out, into)
        return True

    def _other_option(self) -> None:
        task = self.rng.choice(self.taken)
        old = self.chosen[task]
        self._try([old], [self._any(task, self.pool.options[old].error_type)])

    def _other_task(self) -> None:
        if not self.free:
            return
        at, into = self.rng.randrange(len(self.taken)), self.rng.randrange(len(self.free))
        task, other = self.taken[at], self.free[into]
        old = self.chosen[task]
        kind = self.pool.options[old].error_type
        if kind in self.kinds[other] and self._try([old], [self._any(other, kind)]):
            self.taken[at], self.free[into] = other, task

    def _exchange(self) -> None:
        if len(self.taken) < 2:
            return
        first, second = self.rng.sample(self.taken, 2)
        kinds = [self.pool.options[self.chosen[task]].error_type for task in (first, second)]
        if kinds[0] is kinds[1] or kinds[1] not in self.kinds[first]:
            return
        if kinds[0] in self.kinds[second]:
            out = [self.chosen[first], self.chosen[second]]
            self._try(out, [self._any(first, kinds[1]), self._any(second, kinds[0])])

    def report(self, heading: str) -> float:
        """Print where the search stands; the share of pairs that the classifiers find."""
        picked = list(self.chosen.values())
        options = [self.pool.options[index] for index in picked]
        means = {
            "margin": self.pool.margins[picked].mean(),
            "distance": np.mean([option.distance for option in options]),
            "imbalance": np.abs(self.sums["all"]).mean() / self.size,
        }
        found = np.mean((np.sign(np.round(self.pool.margins[picked], 9)) + 1) / 2)
        shown = " ".join(f"{name} {value:.3f}" for name, value in means.items())
        makers = Counter(option.generator for option in options)
        print(f"{heading}: found {found:.3f} {shown} {dict(makers)}", flush=True)
        return float(found)


def _difference(option: Option, task: Task) -> list[float]:
    right, wrong = (features(c, task.prompt) for c in (option.chosen, option.rejected))
    return [right[name] - wrong[name] for name in right]


def _fold(catalogue: str) -> int:
    return int(catalogue, 16) % FOLDS


def choose(
    options: Sequence[Option],
    tasks: Mapping[str, Task],
    quotas: Mapping[ErrorType, int],
    rounds: int,
    seed: str,
    kept: Sequence[Sequence[str]] = (),
) -> list[Option]:
    """The options that make a subset of pairs, those with the keys `kept` among them."""
    pool = Pool(options, tasks)
    categories = {task.id: task.category for task in tasks.values()}
    places = {option.key: index for index, option in enumerate(options)}
    old = [places[tuple(key)] for key in kept if tuple(key) in places]
    search = Search(pool, quotas, categories, Random(seed), old)
    if not search.taken:
        return [options[index] for _, index in sorted(search.chosen.items())]
    search.improve(2 * MOVES)
    for number in range(rounds):
        pool.learn(list(search.chosen.values()))
        # Below half, the search would begin to hide pairs from these very classifiers.
        if search.report(f"{seed}, round {number}") <= 0.5:
            break
        search.improve(MOVES)
    return [options[index] for _, index in sorted(search.chosen.items())]


def pool_of(
    tasks: Mapping[str, Task], outputs: Mapping[str, Sequence[Output]], peers: Peers
) -> list[Option]:
    """Every option of every sound task."""
    return [
        option
        for task in each_question_once(tasks.values())
        for option in options_of(task, outputs.get(task.id, ()), peers)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument(
        "--again", nargs="*", default=SUBSETS, choices=SUBSETS, help="the others stay as they are"
    )
    parser.add_argument(
        "--mend", action="store_true", help="keep the pairs that are not excluded by now"
    )
    given = parser.parse_args()
    excluded = set(json.loads(EXCLUDED.read_text("utf-8")))
    every = load_tasks("v4", (*PYTHON_CATEGORIES, *NO_CALL_CATEGORIES))
    peers = peers_of(task for task in every.values() if task.answer)
    tasks = {i: task for i, task in every.items() if task.answer and i not in excluded}
    outputs = read_outputs()
    selection: dict[str, list[Any]] = {name: [] for name in SUBSETS}
    if SELECTION.exists():
        selection |= json.loads(SELECTION.read_text("utf-8"))
    options = pool_of(tasks, outputs, peers) if {"core", "minimal"} & set(given.again) else []
    for subset in given.again:
        print(subset, flush=True)
        if subset == "core":
            kept = selection[subset] if given.mend else ()
            core = choose(options, tasks, PAPER_QUOTA, given.rounds, f"{SEED}|core", kept)
            selection[subset] = [list(option.key) for option in core]
        elif subset == "minimal":
            used = {tuple(key[:4]) for key in selection["core"]}
            single = [
                option
                for option in options
                if option.key[:4] not in used
                and option.error_type is ErrorType.VALUE
                and fields_between(option.chosen, option.rejected) == 1
            ]
            kept = selection[subset] if given.mend else ()
            minimal = choose(single, tasks, MINIMAL, given.rounds, f"{SEED}|minimal", kept)
            selection[subset] = [list(option.key) for option in minimal]
        elif subset == "abstain":
            taken = {key[0] for name in ("core", "minimal") for key in selection[name]}
            no_call = [task for i, task in every.items() if not task.answer and i not in excluded]
            sound = each_question_once(tasks.values())
            free = [task for task in sound if task.id not in taken]
            selection[subset] = abstentions(no_call, free, outputs)
        else:
            sound = each_question_once(tasks.values())
            selection[subset] = candidate_sets(sound, outputs, peers)
        write(selection)


def write(selection: Mapping[str, Sequence[Any]]) -> None:
    """The selection as JSON, an entry a line."""
    lines = [
        f'"{name}": [\n' + ",\n".join(map(json.dumps, rows)) + "\n]"
        for name, rows in selection.items()
    ]
    SELECTION.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
