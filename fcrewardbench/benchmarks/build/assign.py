"""Which task gives which error type, and whose mistake it is: two assignment problems.

Both are solved as assignments of least cost, with random weights on top of what matters, so that there
is one best answer which every solver finds: a seed gives the same pairs with any version of scipy.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from fractions import Fraction
from random import Random
from typing import Any, TypeAlias

from fcrewardbench.types import ErrorType

# Sums of costs stay below 2**53, where floating-point numbers are exact integers.
_TYPE_TIE = 2**30
_GENERATOR_TIE = 2**20
_STEP = 2**32
_SHARES = 1_000

Offers: TypeAlias = Mapping[str, Mapping[ErrorType, Collection[str]]]
"""By task and error type: the generators that made such a mistake."""


def assign_types(offers: Offers, quota: Mapping[ErrorType, int], seed: int) -> dict[str, ErrorType]:
    """Give tasks an error type they offer, each type to as many tasks as `fillable` says.

    Among the ways to do so it takes one that leaves out mistakes which only the busiest generators
    made; the rest is up to the seed.
    """
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    slots = [kind for kind, count in fillable(offers, quota).items() for _ in range(count)]
    tasks = sorted(offers)
    if not slots:
        return {}
    rng = Random(f"types|{seed}")
    busy = _busyness(offers)
    columns = {kind: [i for i, slot in enumerate(slots) if slot is kind] for kind in ErrorType}
    costs = np.full((len(tasks), len(slots)), np.inf)
    for row, task in enumerate(tasks):
        for kind in sorted(offers[task]):
            least = min(busy[name] for name in offers[task][kind])
            costs[row, columns[kind]] = least * _TYPE_TIE + rng.randrange(_TYPE_TIE)
    rows, places = linear_sum_assignment(costs)
    return {tasks[row]: slots[place] for row, place in zip(rows, places, strict=True)}


def fillable(offers: Offers, quota: Mapping[ErrorType, int]) -> dict[ErrorType, int]:
    """How many pairs of each type there can be, one a task.

    All together as many as possible. Types that enough tasks offer come first; those that too few
    offer are filled to the same share of their quota, as far as that goes.
    """
    supply = Counter(kind for kinds in offers.values() for kind in kinds)
    rich = [kind for kind in quota if supply[kind] >= quota[kind]]
    filled = dict.fromkeys(quota, 0)
    for tier in (rich, [kind for kind in quota if kind not in rich]):
        low, high = 0, _SHARES
        while low < high:
            middle = (low + high + 1) // 2
            tried = {**filled, **{kind: quota[kind] * middle // _SHARES for kind in tier}}
            if _flow(offers, tried) == sum(tried.values()):
                low = middle
            else:
                high = middle - 1
        filled.update({kind: quota[kind] * low // _SHARES for kind in tier})
        for kind in sorted(tier, key=lambda kind: supply[kind] / quota[kind], reverse=True):
            more = _flow(offers, {**filled, kind: quota[kind]})
            filled[kind] += more - sum(filled.values())
    return filled


def _busyness(offers: Offers) -> dict[str, int]:
    """By generator, its share of all mistakes in thousandths; one that several made is shared."""
    shares: dict[str, Fraction] = defaultdict(Fraction)
    for kinds in offers.values():
        for names in kinds.values():
            for name in names:
                shares[name] += Fraction(1, len(names))
    total = sum(shares.values())
    return {name: int(1000 * share / total) for name, share in shares.items()}


def assign_generators(offers: Mapping[str, Collection[str]], seed: int) -> dict[str, str]:
    """Give every task one of the generators it offers, as evenly as can be.

    The largest load is the least possible, and so is the sum of squared loads. Every task has to
    offer one.
    """
    import numpy as np
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    tasks = sorted(offers)
    if not tasks:
        return {}
    most = least_largest_load(offers)
    names = sorted({name for names in offers.values() for name in names})
    rng = Random(f"generators|{seed}")
    slots = np.arange(most)
    costs: list[Any] = []
    columns: list[Any] = []
    ends = [0]
    for task in tasks:
        for name in sorted(offers[task]):
            costs.append((slots + 1) * float(_STEP) + rng.randrange(_GENERATOR_TIE))
            columns.append(names.index(name) * most + slots)
        ends.append(len(costs) * most)
    graph: Any = csr_matrix(
        (np.concatenate(costs), np.concatenate(columns), ends),
        shape=(len(tasks), len(names) * most),
    )
    rows, places = min_weight_full_bipartite_matching(graph)
    return {tasks[row]: names[place // most] for row, place in zip(rows, places, strict=True)}


def least_largest_load(offers: Mapping[str, Collection[str]]) -> int:
    """The least number of tasks that the busiest generator must take, where every task is given."""
    names = {name for names in offers.values() for name in names}
    low, high = -(-len(offers) // len(names)), len(offers)
    while low < high:
        middle = (low + high) // 2
        if _flow(offers, dict.fromkeys(names, middle)) == len(offers):
            high = middle
        else:
            low = middle + 1
    return low


def _flow(offers: Mapping[str, Collection[str]], capacity: Mapping[Any, int]) -> int:
    """How many tasks can be given one of what they offer, each of which takes so many tasks."""
    import numpy as np
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import maximum_flow

    node = {name: len(offers) + place for place, name in enumerate(sorted(capacity))}
    source, sink = len(offers) + len(node), len(offers) + len(node) + 1
    edges = [(source, row, 1) for row in range(len(offers))]
    edges += [(node[name], sink, count) for name, count in capacity.items()]
    for row, task in enumerate(offers):
        edges += [(row, node[name], 1) for name in offers[task] if name in node]
    heads, tails, counts = (np.array(part, dtype=np.int32) for part in zip(*edges, strict=True))
    graph: Any = csr_matrix((counts, (heads, tails)), shape=(sink + 1, sink + 1))
    return int(maximum_flow(graph, source, sink).flow_value)
