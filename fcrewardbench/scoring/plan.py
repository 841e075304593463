"""What to compute, and in which order: a prefix tree over the token ids of many sequences.

Sequences that begin alike (the candidates of a prompt, candidates that agree beyond it, prompts that
open with the same tools) share a path of the tree, and each node's tokens are computed once. The tree
is walked depth first, children with the longest way down first: what runs out of memory does so at the
start, and all that later work still needs is the path from the root to where the walk stands. That path
is the whole shared state.

    plan      sequences → chapters, and how many tokens they cost
    pack      one chapter → batches of at most so many new tokens
    whole     sequences → one batch

A chapter begins with an empty state, so that it gives the same numbers whether or not the chapters
before it ran: a run that was killed goes on at a chapter, and several GPUs take one each. No model is
needed here, and all counts are exact.
"""

from __future__ import annotations

import sys
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

CHAPTER_TOKENS = 65_536
LEAST_CHAPTER_TOKENS = 8_192
PREFIX_SHARE = 100
"""A chapter may end where the tokens that the next one computes again are at most 1/100 of it."""


@dataclass(frozen=True, slots=True)
class Branch:
    """One sequence to compute: its token ids, its group, and the first position whose log-probability
    is wanted: at least 1, and its length where none is."""

    ids: Sequence[int]
    group: int
    start: int


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring tokens of one sequence, at the positions `start` to `end`, behind those on its path.

    From position `scored` on, log-probabilities are wanted. `ends` are the sequences whose last token
    is the run's last: more than one where sequences are equal.
    """

    sequence: int
    start: int
    end: int
    scored: int
    ends: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """Runs for one forward pass, in depth-first order.

    The first `kept` positions of the path on which the first run continues are taken from the shared
    state; whatever else the state held is used up.
    """

    kept: int
    runs: tuple[Run, ...]

    @property
    def tokens(self) -> int:
        return sum(run.end - run.start for run in self.runs)


@dataclass(frozen=True, slots=True)
class Chapter:
    """Runs that need no state from before."""

    runs: tuple[Run, ...]

    @property
    def tokens(self) -> int:
        return sum(run.end - run.start for run in self.runs)

    @property
    def ends(self) -> Iterator[int]:
        """The sequences that are finished in it."""
        return (sequence for run in self.runs for sequence in run.ends)


@dataclass(frozen=True, slots=True)
class Plan:
    """The chapters of some sequences.

    `naive` counts every token of every sequence, `bound` every node of the tree once, and `computed`
    what the chapters do. No token is padding.
    """

    chapters: tuple[Chapter, ...]
    naive: int
    bound: int

    @property
    def computed(self) -> int:
        return sum(chapter.tokens for chapter in self.chapters)


@dataclass(slots=True)
class _Node:
    """The tokens `start` to `end` of `sequence`, which all sequences below share."""

    start: int
    end: int
    sequence: int
    children: list[_Node] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    longest: int = 0
    scored: int = sys.maxsize


def plan(branches: Sequence[Branch], *, workers: int = 1) -> Plan:
    """Order the work of some sequences.

    Args:
        branches: the sequences; none of them empty.
        workers: how many share the chapters; they become shorter, so that all have work.

    Raises:
        ValueError: an empty sequence, or one whose first token's log-probability is wanted.
    """
    _check(branches)
    root = _tree(branches)
    runs = list(_depth_first(root))
    bound = sum(run.end - run.start for run in runs)
    wanted = min(CHAPTER_TOKENS, max(LEAST_CHAPTER_TOKENS, bound // (8 * workers)))
    chapters = _chapters(runs, branches, wanted, root.scored)
    return Plan(tuple(chapters), sum(len(branch.ids) for branch in branches), bound)


def whole(branches: Sequence[Branch]) -> Batch:
    """All of some sequences in one forward pass, whatever it costs: what training takes.

    Raises:
        ValueError: see `plan`.
    """
    _check(branches)
    return Batch(0, tuple(_depth_first(_tree(branches))))


def pack(chapter: Chapter, batch_tokens: int, state_tokens: int | None = None) -> Iterator[Batch]:
    """The batches of a chapter, each of at most `batch_tokens` new tokens.

    Args:
        batch_tokens: the budget; a run that does not fit is cut.
        state_tokens: how many positions of the path the shared state may hold between two batches.
            What is beyond them is computed again, on top of the budget.
    """
    scored = min(run.scored for run in chapter.runs)
    runs: list[Run] = []
    kept, room = 0, batch_tokens
    for run in chapter.runs:
        start = run.start
        while start < run.end:
            if room == 0:
                yield Batch(kept, tuple(runs))
                kept = start if state_tokens is None else min(start, state_tokens)
                runs = [Run(run.sequence, kept, start, scored)] if kept < start else []
                room = batch_tokens
            end = min(run.end, start + room)
            ends = run.ends if end == run.end else ()
            runs.append(Run(run.sequence, start, end, run.scored, ends))
            room -= end - start
            start = end
    yield Batch(kept, tuple(runs))


def _check(branches: Sequence[Branch]) -> None:
    if any(len(branch.ids) == 0 for branch in branches):
        raise ValueError("an empty sequence cannot be scored")
    if any(branch.start < 1 for branch in branches):
        raise ValueError("the first token of a sequence has no log-probability: it follows nothing")


def _key(ids: Sequence[int]) -> bytes:
    """Ids as bytes that sort as the ids do."""
    words = array("I", ids)
    if sys.byteorder == "little":
        words.byteswap()
    return words.tobytes()


def _tree(branches: Sequence[Branch]) -> _Node:
    """The prefix tree: sorted sequences enter one by one on the right."""
    size = array("I").itemsize
    keys = [_key(branch.ids) for branch in branches]
    root = _Node(0, 0, 0)
    path = [root]
    before = b""
    for index in sorted(range(len(keys)), key=keys.__getitem__):
        key = keys[index]
        common = _common_bytes(before, key) // size
        while len(path) > 1 and path[-1].start >= common:
            path.pop()
        parent = path[-1]
        if parent.end > common:
            lower = _Node(common, parent.end, parent.sequence, parent.children, parent.ends)
            parent.end, parent.children, parent.ends = common, [lower], []
        length = len(key) // size
        if length > common:
            leaf = _Node(common, length, index, ends=[index])
            parent.children.append(leaf)
            path.append(leaf)
        else:
            parent.ends.append(index)
        before = key
    _sum_up(root, branches)
    return root


def _common_bytes(first: bytes, second: bytes) -> int:
    """Length of the common prefix, by bisection: comparing slices is what Python does fast."""
    low, high = 0, min(len(first), len(second))
    while low < high:
        middle = (low + high + 1) // 2
        if first[:middle] == second[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _sum_up(root: _Node, branches: Sequence[Branch]) -> None:
    """For every node the length of the longest sequence through it, and the least of their starts."""
    order = [root]
    for node in order:
        order.extend(node.children)
    for node in reversed(order):
        node.longest = max([node.end, *(child.longest for child in node.children)])
        starts = [branches[index].start for index in node.ends]
        node.scored = min(
            [*starts, *(child.scored for child in node.children)], default=sys.maxsize
        )


def _depth_first(root: _Node) -> Iterator[Run]:
    left = [root]
    while left:
        node = left.pop()
        if node is not root:
            yield Run(node.sequence, node.start, node.end, node.scored, tuple(node.ends))
        left.extend(sorted(node.children, key=lambda child: child.longest))


def _chapters(
    runs: Sequence[Run], branches: Sequence[Branch], wanted: int, scored: int
) -> Iterator[Chapter]:
    """Cut the walk where no group is half done and little has to be computed again."""
    left = Counter(branch.group for branch in branches)
    sizes = dict(left)
    half_done: set[int] = set()
    chapter: list[Run] = []
    tokens = 0
    for run in runs:
        ended = bool(chapter and chapter[-1].ends)
        if ended and not half_done and tokens >= max(wanted, PREFIX_SHARE * run.start):
            yield Chapter(tuple(chapter))
            again = Run(run.sequence, 0, run.start, scored)
            chapter = [again] if run.start else []
            tokens = run.start
        chapter.append(run)
        tokens += run.end - run.start
        for sequence in run.ends:
            group = branches[sequence].group
            left[group] -= 1
            if 0 < left[group] < sizes[group]:
                half_done.add(group)
            else:
                half_done.discard(group)
    if chapter:
        yield Chapter(tuple(chapter))
