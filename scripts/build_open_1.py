"""Build FC-RewardBench-Open, edition 1: 1,500 pairs on BFCL's Python single-turn tasks.

    python scripts/build_open_1.py [--out FILE]

Every run writes the same bytes. Candidates come from the benchmark family of edit operators; which
task gives which pair is settled by a seeded local search for exact counts per error type and for
surface differences that cancel: whatever difference in length, arguments or support in the
conversation some pairs show, as many show the other way round.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

from fcrewardbench.benchmarks.base import candidate_json
from fcrewardbench.benchmarks.bfcl import Task, load_tasks
from fcrewardbench.benchmarks.official import PAPER_QUOTA
from fcrewardbench.calls.edits.base import Calls, Context, Peers, edited, properties, required
from fcrewardbench.calls.edits.families import OPERATORS
from fcrewardbench.calls.edits.sites import leaves
from fcrewardbench.calls.edits.variants import draw
from fcrewardbench.types import Candidate, ErrorType

SEED = "open-1"
OUT = Path(__file__).parent.parent / "fcrewardbench" / "benchmarks" / "data" / "open-1.jsonl"
SIZE = sum(PAPER_QUOTA.values())
# The least and the greatest share of its type that an operator should make, as far as supply and
# balance allow. Siblings are what strong models really confuse, and a schema check cannot see them.
SHARES = (0.0, 0.3)
OPERATOR_SHARES = {
    "count/extra-sibling": (0.0, 0.1),
    "name/sibling-carried": (0.16, 0.3),
    "name/sibling-adapted": (0.33, 0.34),
    "name/sibling-filled": (0.14, 0.3),
    "name/synonym": (0.0, 0.06),
    "name/word-added": (0.0, 0.06),
    "name/plural": (0.0, 0.04),
    "name/prefix-lost": (0.0, 0.05),
    "name/words-reordered": (0.0, 0.03),
    "name/blended": (0.0, 0.05),
    "name/word-dropped": (0.0, 0.04),
    "name/number-slipped": (0.0, 0.03),
    "name/prefix-gained": (0.0, 0.03),
    "value/entity-elsewhere": (0.0, 0.06),
    "value/sibling-word": (0.0, 0.03),
    "value/digits-slipped": (0.0, 0.08),
    "value/power-of-ten": (0.0, 0.04),
    "value/date-other-year": (0.0, 0.03),
}
# Tasks whose gold call or question is flawed, found by reading: weekdays that contradict the date,
# escapes and quotation marks in values, arguments that the question does not give, choices that it
# leaves open.
FLAWED = frozenset(
    {
        *("live_multiple_153-58-7", "live_multiple_183-78-0", "live_multiple_269-127-4"),
        *("live_multiple_271-127-6", "live_multiple_670-162-12", "live_multiple_672-162-14"),
        *("live_multiple_678-163-3", "live_multiple_808-175-14", "live_multiple_904-186-1"),
        *("live_multiple_981-215-5", "live_multiple_984-215-8", "live_multiple_995-226-0"),
        *("live_parallel_15-11-0", "live_simple_145-95-2", "live_simple_148-95-5"),
        *("live_simple_154-95-11", "live_simple_167-99-1", "live_simple_196-116-4"),
        *("parallel_51", "parallel_multiple_97", "parallel_multiple_130", "simple_python_199"),
        *("live_multiple_833-178-8", "live_multiple_884-184-1", "live_multiple_974-214-0"),
        *("multiple_40", "parallel_multiple_163"),
    }
)
# Every task could give a parsing error; a few are enough to choose from, and parsing takes time.
PARSING_TASKS = 20
ROUNDS = 160_000

Features: TypeAlias = tuple[float, ...]
Cell: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Option:
    """One pair that a task could give, and what it adds to each cell of the balance."""

    task: str
    error_type: ErrorType
    operator: str
    base: str
    chosen: Calls
    rejected: Candidate
    cells: tuple[tuple[int, float], ...]


class Cells(dict[Cell, int]):
    """The cells of the balance, numbered as they come: their hashes are slow."""

    def __missing__(self, cell: Cell) -> int:
        self[cell] = len(self)
        return self[cell]


# ── candidates ───────────────────────────────────────────────────────────────────────────────────


def peers_of(tasks: Iterable[Task]) -> Peers:
    """By parameter name, the admissible values of all tasks, each once, in the tasks' order."""
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for task in tasks:
        for expected in task.answer or ():
            for name, admissible in expected.arguments.items():
                for value in admissible:
                    if value != "" and not isinstance(value, dict):
                        for key in (name, f"{expected.name}.{name}"):
                            found[key].setdefault(json.dumps(value), value)
    return {name: tuple(values.values()) for name, values in found.items()}


def options_of(task: Task, peers: Peers, cells: Cells, *, parsing: bool) -> Iterator[Option]:
    """The pairs a task could give: edits of the chosen calls and of other admissible variants."""
    assert task.answer is not None
    context = Context(task.prompt.tools, task.prompt.messages, task.answer, peers)
    first, second, third = (draw(context, f"{SEED}|{task.id}|{n}") for n in range(3))
    family = [o for o in OPERATORS if parsing or o.error_type is not ErrorType.PARSING]
    combinations = ((first, first), (second, third), (third, first))
    for place, (chosen, base) in enumerate(combinations):
        if chosen is None or base is None:
            continue
        same = chosen == base
        right = features(chosen, context)
        for edit in edited(family, context, base, f"{SEED}|{task.id}|{place}", each=1):
            if edit.candidate == chosen:
                continue
            wrong = features(edit.candidate, context)
            difference = tuple(b - a for a, b in zip(right, wrong, strict=True))
            found = _cells(task.category, edit.error_type, same, difference)
            yield Option(
                task=task.id,
                error_type=edit.error_type,
                operator=edit.operator,
                base="same" if same else "other",
                chosen=chosen,
                rejected=edit.candidate,
                cells=tuple((cells[cell], amount) for cell, amount in found),
            )


# ── surface ──────────────────────────────────────────────────────────────────────────────────────

FEATURES = (
    *("length", "calls", "arguments", "optional", "found", "found_text", "texts", "numbers"),
    *("all_arguments", "all_optional"),
)


def features(candidate: Candidate, context: Context) -> Features:
    """What can be seen without reading the request for its meaning.

    Arguments are per call; `all_…` are those of all calls together.
    """
    text = text_of(candidate)
    if isinstance(candidate, str):
        return (len(text), *[0] * (len(FEATURES) - 1))
    calls = max(1, len(candidate))
    arguments = sum(len(call.arguments) for call in candidate)
    optional = sum(_optional_count(call.name, call.arguments, context) for call in candidate)
    values = [value for call in candidate for value in leaves(call.arguments)]
    said = context.text.lower()
    texts = [value for value in values if isinstance(value, str)]
    return (
        len(text),
        len(candidate),
        arguments / calls,
        optional / calls,
        _share_said(values, said),
        _share_said(texts, said),
        len(texts) / calls,
        sum(type(value) in (int, float) for value in values) / calls,
        arguments,
        optional,
    )


def text_of(candidate: Candidate) -> str:
    """The JSON text of calls; other text as it is."""
    if isinstance(candidate, str):
        return candidate
    return json.dumps(candidate_json(candidate), ensure_ascii=False)


def _optional_count(name: str, arguments: Mapping[str, Any], context: Context) -> int:
    """Arguments that the tool does not require; of a made-up tool, that no tool requires."""
    tools = [tool for tool in context.tools if tool.name == name] or context.tools
    needed = {key for tool in tools for key in required(tool)}
    known = {key for tool in tools for key in properties(tool)}
    return sum(key in known and key not in needed for key in arguments)


def _share_said(values: Sequence[Any], said: str) -> float:
    texts = [v.lower() if isinstance(v, str) else json.dumps(v) for v in values]
    return sum(text in said for text in texts) / len(texts) if texts else 0.0


def _sign(number: float) -> int:
    return (number > 1e-9) - (number < -1e-9)


def _level(number: float, steps: Sequence[float]) -> int:
    return _sign(number) * (1 + sum(abs(number) > step for step in steps))


def _cells(
    category: str, error_type: ErrorType, same: bool, difference: Features
) -> Iterator[tuple[Cell, float]]:
    """Contributions to sums that should all come out as zero (categories: as their share)."""
    length, calls, arguments, optional, found, found_text, texts, numbers, _, _ = difference
    named = dict(zip(FEATURES, difference, strict=True))
    yield ("base",), 1.0 if same else -1.0
    yield ("category", category), 1.0
    if error_type is ErrorType.PARSING:  # its calls cannot be read: only its length can be balanced
        yield ("sign", "length", error_type), _sign(length)
        return
    for name in ("length", "found", "calls", "arguments", "optional"):
        if sign := _sign(named[name]):
            yield ("sign", name), sign
            yield ("sign", name, error_type), sign
    for name in ("calls", "arguments", "optional", "all_arguments", "all_optional"):
        yield ("sum", name), named[name]
    joint = (
        _level(length, (3, 9, 25)),
        _sign(calls),
        _sign(arguments),
        _sign(optional),
        _level(found, (0.26,)),
        _sign(found_text),
        _sign(texts),
        _sign(numbers),
    )
    for cell in (joint, joint[:1] + joint[4:6], joint[:4], joint[4:]):
        if any(cell):
            mirrored = tuple(-part for part in cell)
            yield ("joint", max(cell, mirrored)), 1.0 if cell > mirrored else -1.0
    for own in (joint[:1] + joint[4:5], joint[2:4] + joint[5:]):
        if any(own):
            mirrored = tuple(-part for part in own)
            yield ("joint", error_type, max(own, mirrored)), 1.0 if own > mirrored else -1.0


# ── selection ────────────────────────────────────────────────────────────────────────────────────

_WEIGHTS = {"sign": 6.0, "sum": 6.0, "base": 1.0, "category": 0.5, "joint": 1.0}


class Selection:
    """Which task gives which pair, and how far the whole is from balance.

    `options` by task, error type and operator; `categories` says how many pairs each category should
    give.
    """

    def __init__(
        self,
        options: Mapping[str, Mapping[ErrorType, Mapping[str, Sequence[Option]]]],
        cells: Cells,
        categories: Mapping[str, float],
        rng: Random,
    ) -> None:
        self.options = options
        self.rng = rng
        self.tasks = list(options)
        self.chosen: dict[str, Option] = {}
        self.weights = [_weight(cell) for cell in cells]
        self.targets = [categories[c[1]] if c[0] == "category" else 0.0 for c in cells]
        self.sums = [0.0] * len(cells)
        self.operators: Counter[str] = Counter()
        self._start()
        self.free = [task for task in self.tasks if task not in self.chosen]
        self.taken = [task for task in self.tasks if task in self.chosen]

    def _start(self) -> None:
        """Scarce types first, each on tasks in random order, those with a wanted operator first."""
        supply = {
            kind: sum(kind in kinds for kinds in self.options.values()) for kind in PAPER_QUOTA
        }
        order = self.rng.sample(self.tasks, len(self.tasks))
        for kind in sorted(PAPER_QUOTA, key=lambda kind: supply[kind] / PAPER_QUOTA[kind]):
            able = [
                task for task in order if kind in self.options[task] and task not in self.chosen
            ]
            able.sort(key=lambda task: not self._wanted(task, kind))
            if len(able) < PAPER_QUOTA[kind]:
                raise SystemExit(f"only {len(able)} tasks are left for {kind.value}")
            for task in able[: PAPER_QUOTA[kind]]:
                option = self._any(task, kind)
                self.chosen[task] = option
                self._apply([], [option])

    def _wanted(self, task: str, kind: ErrorType) -> bool:
        """Whether the task can give the pair by an operator that should make a certain share."""
        return any(OPERATOR_SHARES.get(o, SHARES)[0] > 0 for o in self.options[task][kind])

    def _any(self, task: str, kind: ErrorType) -> Option:
        """An option of that type: an operator first, so that prolific ones are not favoured."""
        by_operator = self.options[task][kind]
        return self.rng.choice(by_operator[self.rng.choice(list(by_operator))])

    def _apply(self, out: Sequence[Option], into: Sequence[Option]) -> None:
        for cell, change in _changes(out, into).items():
            self.sums[cell] += change
        self.operators.subtract(option.operator for option in out)
        self.operators.update(option.operator for option in into)

    def _cost_change(self, out: Sequence[Option], into: Sequence[Option]) -> float:
        cost = 0.0
        for cell, change in _changes(out, into).items():
            if change:
                before = self.sums[cell] - self.targets[cell]
                cost += self.weights[cell] * change * (2 * before + change)
        moved = Counter(option.operator for option in into)
        moved.subtract(option.operator for option in out)
        kinds = {option.operator: option.error_type for option in (*out, *into)}
        for operator, change in moved.items():
            before = self.operators[operator]
            kind = kinds[operator]
            cost += _misfit(operator, kind, before + change) - _misfit(operator, kind, before)
        return cost

    def improve(self, rounds: int) -> None:
        """Take random exchanges that bring the whole nearer to balance."""
        moves = (self._other_option, self._other_task, self._exchange)
        for _ in range(rounds):
            self.rng.choice(moves)()

    def _other_option(self) -> None:
        task = self.rng.choice(self.taken)
        old = self.chosen[task]
        self._try([old], [self._any(task, old.error_type)])

    def _other_task(self) -> None:
        """A free task takes a pair's place."""
        at, into = self.rng.randrange(len(self.taken)), self.rng.randrange(len(self.free))
        task, other = self.taken[at], self.free[into]
        old = self.chosen[task]
        if old.error_type not in self.options[other]:
            return
        if self._try([old], [self._any(other, old.error_type)]):
            self.taken[at], self.free[into] = other, task

    def _exchange(self) -> None:
        """Two tasks exchange the types of their pairs."""
        first, second = (self.chosen[task] for task in self.rng.sample(self.taken, 2))
        if first.error_type is second.error_type:
            return
        if second.error_type not in self.options[first.task]:
            return
        if first.error_type in self.options[second.task]:
            new = self._any(first.task, second.error_type)
            self._try([first, second], [new, self._any(second.task, first.error_type)])

    def _try(self, out: list[Option], into: list[Option]) -> bool:
        if self._cost_change(out, into) >= 0:
            return False
        self._apply(out, into)
        for option in out:
            del self.chosen[option.task]
        for option in into:
            self.chosen[option.task] = option
        return True


def _changes(out: Sequence[Option], into: Sequence[Option]) -> dict[int, float]:
    changes: dict[int, float] = defaultdict(float)
    for sign, options in ((-1, out), (1, into)):
        for option in options:
            for cell, amount in option.cells:
                changes[cell] += sign * amount
    return changes


def _weight(cell: Cell) -> float:
    """A deviation counts relative to what it is a part of."""
    kind = next((part for part in cell if isinstance(part, ErrorType)), None)
    return 10 * _WEIGHTS[cell[0]] / (PAPER_QUOTA[kind] if kind else SIZE)


def _misfit(operator: str, kind: ErrorType, count: int) -> float:
    """What it costs that an operator makes more or less than its share of a type."""
    least, greatest = OPERATOR_SHARES.get(operator, SHARES)
    quota = PAPER_QUOTA[kind]
    outside = max(0.0, count - greatest * quota, least * quota - count)
    return outside**2 / quota * 200


# ── the file and the report ──────────────────────────────────────────────────────────────────────


def build() -> tuple[list[dict[str, Any]], dict[str, Option], dict[str, Task]]:
    """The rows of the file, the options they were made from by task, and all tasks."""
    tasks = load_tasks("v4")
    peers = peers_of(tasks.values())
    cells = Cells()
    options: dict[str, dict[ErrorType, dict[str, list[Option]]]] = {}
    for place, task in enumerate(each_question_once(tasks.values())):
        found = list(options_of(task, peers, cells, parsing=place % PARSING_TASKS == 0))
        kinds = options[task.id] = {option.error_type: {} for option in found}
        for option in sorted(found, key=lambda option: option.operator):
            kinds[option.error_type].setdefault(option.operator, []).append(option)
    per_category = Counter(task.category for task in tasks.values())
    due = {name: count * SIZE / len(tasks) for name, count in per_category.items()}
    rng = Random(SEED)
    selection = Selection(options, cells, due, rng)
    selection.improve(ROUNDS)
    order = rng.sample(sorted(selection.chosen), SIZE)
    rows = [
        _row(number, selection.chosen[task], tasks[task]) for number, task in enumerate(order, 1)
    ]
    return rows, selection.chosen, tasks


def each_question_once(tasks: Iterable[Task]) -> list[Task]:
    """Sound tasks, without those whose question an earlier one asks with other tools."""
    first: dict[str, Task] = {}
    for task in tasks:
        if task.id not in FLAWED:
            first.setdefault(json.dumps(task.prompt.messages), task)
    return list(first.values())


def _row(number: int, option: Option, task: Task) -> dict[str, Any]:
    return {
        "id": f"open-1/{number:04d}",
        "task": option.task,
        "category": task.category,
        "error_type": option.error_type.value,
        "chosen": candidate_json(option.chosen),
        "rejected": candidate_json(option.rejected),
        "edit": option.operator,
        "base": option.base,
    }


def as_jsonl(rows: Iterable[Mapping[str, Any]]) -> str:
    lines = (json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
    return "".join(f"{line}\n" for line in lines)


def report(chosen: Mapping[str, Option], tasks: Mapping[str, Task]) -> str:
    """Counts and balance, as text."""
    lines = []
    options = list(chosen.values())
    pairs = {}
    for option in options:
        task = tasks[option.task]
        context = Context(task.prompt.tools, task.prompt.messages, task.answer or ())
        both = features(option.chosen, context), features(option.rejected, context)
        pairs[option.task] = dict(zip(FEATURES, zip(*both, strict=True), strict=True))
    for kind in (None, *PAPER_QUOTA):
        some = [option for option in options if kind in (None, option.error_type)]
        kind_pairs = [pairs[option.task] for option in some]
        longer = _credit(pair["length"] for pair in kind_pairs)
        found = _credit(pair["found"] for pair in kind_pairs)
        same = sum(option.base == "same" for option in some) / len(some)
        lines.append(
            f"{kind or 'all':36} n={len(some):5} longer {longer:6.1%} shorter {1 - longer:6.1%} "
            f"overlap {found:6.1%} minimal {same:4.0%}"
        )
    readable = [pairs[o.task] for o in options if o.error_type is not ErrorType.PARSING]
    for name in ("calls", "arguments", "optional", "all_arguments", "all_optional"):
        left, right = (sum(pair[name][side] for pair in readable) for side in (0, 1))
        means = left / len(readable), right / len(readable)
        lines.append(f"mean {name}: chosen {means[0]:.4f} rejected {means[1]:.4f} (readable)")
    lines.append(f"categories {dict(Counter(tasks[task].category for task in sorted(chosen)))}")
    kinds = {option.operator: option.error_type for option in options}
    for operator, count in sorted(Counter(option.operator for option in options).items()):
        lines.append(
            f"{operator:36} {count:4} {count / PAPER_QUOTA[kinds[operator]]:6.1%} of its type"
        )
    return "\n".join(lines)


def _credit(values: Iterable[tuple[float, float]]) -> float:
    """Accuracy of "the greater is right", ties half."""
    signs = [_sign(chosen - rejected) for chosen, rejected in values]
    return sum((sign + 1) / 2 for sign in signs) / len(signs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT)
    path: Path = parser.parse_args().out
    rows, chosen, tasks = build()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(as_jsonl(rows), encoding="utf-8")
    print(report(chosen, tasks))
    print(f"{len(rows)} pairs written to {path}")


if __name__ == "__main__":
    main()
