"""The prefix tree: nothing twice, nothing forgotten, counted exactly."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from fcrewardbench import Group, load_benchmark
from fcrewardbench.render import Renderer
from fcrewardbench.scoring import plan as planning
from fcrewardbench.scoring.plan import Branch, Chapter, Plan, pack, plan

Ids = tuple[int, ...]
sequences = st.lists(
    st.lists(st.integers(0, 2), min_size=1, max_size=12).map(tuple), min_size=1, max_size=12
)


def branches_of(rows: Sequence[Ids], size: int = 2) -> list[Branch]:
    """Groups of `size` neighbours, scored from their middle on."""
    return [Branch(row, index // size, 1 + len(row) // 2) for index, row in enumerate(rows)]


def replay(
    chapter: Chapter, rows: Sequence[Ids], budget: int, state: int | None
) -> list[tuple[int, Ids, tuple[bool, ...]]]:
    """Do what the batches say on plain ids: each finished sequence, its tokens, which were scored."""
    finished = []
    path: list[tuple[int, bool]] = []
    for batch in pack(chapter, budget, state):
        assert batch.kept <= len(path)
        assert state is None or batch.kept <= state
        del path[batch.kept :]
        if state is None:
            assert batch.tokens <= budget
        for run in batch.runs:
            assert run.start <= len(path)
            assert run.start < run.end
            del path[run.start :]
            tokens = rows[run.sequence][run.start : run.end]
            path += [(token, run.start + i >= run.scored) for i, token in enumerate(tokens)]
            for sequence in run.ends:
                ids, scored = zip(*path, strict=True)
                finished.append((sequence, ids, scored))
    return finished


@settings(max_examples=200, deadline=None)
@given(sequences, st.integers(1, 9), st.sampled_from([None, 1, 3]))
def test_every_sequence_is_computed_whole_and_no_prefix_twice(
    rows: list[Ids], budget: int, state: int | None
) -> None:
    branches = branches_of(rows)
    made = plan(branches)
    prefixes = {row[:end] for row in rows for end in range(1, len(row) + 1)}
    assert made.bound == made.computed == len(prefixes)
    assert made.naive == sum(map(len, rows))
    finished = [one for chapter in made.chapters for one in replay(chapter, rows, budget, state)]
    assert sorted(sequence for sequence, _, _ in finished) == list(range(len(rows)))
    for sequence, ids, scored in finished:
        assert ids == rows[sequence]
        assert all(scored[branches[sequence].start :])


@settings(max_examples=100, deadline=None)
@given(sequences)
def test_small_chapters_stand_alone_and_leave_no_group_half_done(rows: list[Ids]) -> None:
    branches = branches_of(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "LEAST_CHAPTER_TOKENS", 4)
        patch.setattr(planning, "PREFIX_SHARE", 1)
        made = plan(branches, workers=8)
    again = sum(chapter.runs[0].end for chapter in made.chapters[1:] if not chapter.runs[0].ends)
    assert made.bound <= made.computed <= made.bound + again
    left = {index: branch.group for index, branch in enumerate(branches)}
    for chapter in made.chapters:
        for sequence, ids, _ in replay(chapter, rows, 3, None):
            assert ids == rows[sequence]
            del left[sequence]
        groups = {branches[sequence].group for sequence in chapter.ends}
        assert not groups & set(left.values())


def test_the_longest_path_comes_first() -> None:
    rows = [(1, 2), (1, 3, 4, 5, 6), (7, 8, 9), (1, 3, 9)]
    (chapter,) = plan(branches_of(rows)).chapters
    assert list(chapter.ends) == [1, 3, 0, 2]


def test_memory_is_tried_at_the_start() -> None:
    rows = [(1, *range(2, 2 + length)) for length in (5, 90, 30)]
    (chapter,) = plan(branches_of(rows)).chapters
    assert [batch.kept for batch in pack(chapter, 40)][:3] == [0, 40, 80]


def test_an_empty_sequence_is_refused() -> None:
    with pytest.raises(ValueError, match="empty sequence"):
        plan([Branch((), 0, 1)])


def test_a_first_token_has_no_log_probability() -> None:
    with pytest.raises(ValueError, match="follows nothing"):
        plan([Branch((1, 2), 0, 0)])


# ── on the benchmark ─────────────────────────────────────────────────────────────────────────────


def planned(groups: Sequence[Group], path: Path) -> Plan:
    renderer = Renderer(transformers.AutoTokenizer.from_pretrained(path))
    branches = [
        Branch(ids, index, len(ids))
        for index, group in enumerate(groups)
        for ids in renderer.render(group).ids
    ]
    made = plan(branches)
    batches = [batch for chapter in made.chapters for batch in pack(chapter, 1024)]
    assert made.computed == sum(batch.tokens for batch in batches)
    assert sorted(s for c in made.chapters for s in c.ends) == list(range(len(branches)))
    return made


def test_open_core_costs_its_tree_and_a_third_of_single_passes(smollm2: Path) -> None:
    """All 1,500 pairs; SmolLM2's prompts begin with the tools."""
    made = planned([item.group() for item in load_benchmark("open/core").items], smollm2)
    assert made.computed <= 1.005 * made.bound
    assert made.naive >= 3.7 * made.computed


def test_open_candidates_cost_their_tree(smollm2: Path) -> None:
    made = planned([item.group() for item in load_benchmark("open/candidates").items], smollm2)
    assert made.computed <= 1.005 * made.bound
    assert made.naive >= 7 * made.computed


def test_32_candidates_cost_their_tree(smollm2: Path) -> None:
    items = load_benchmark("open/candidates").items[:40]
    groups = [replace(item.group(), candidates=_thirty_two(item.group())) for item in items]
    made = planned(groups, smollm2)
    assert made.computed <= 1.005 * made.bound
    assert made.naive >= 12 * made.computed


def _thirty_two(group: Group) -> tuple[str, ...]:
    """Each candidate's calls four times, each with another sentence behind."""
    ends = ("", " Done.", " Is that what you want?", " I have called it.")
    return tuple(f"{candidate}{end}" for candidate in group.candidates for end in ends)


STREAM = """
import resource
from fcrewardbench.scoring.engine import Result
from fcrewardbench.scoring.groups import Asked, Task, windows, work_off
from fcrewardbench.scoring.plan import pack, plan
from fcrewardbench.types import Group, Prompt

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # MiB

def compute(branches, at, done):
    for chapter in plan(branches).chapters:
        for batch in pack(chapter, 1024):
            for run in batch.runs:
                for sequence in run.ends:
                    yield Result(sequence, None, None, 1)

def asked(number):
    prompt = [number % 50, *range(number % 977, number % 977 + 400)]
    return [[Asked([*prompt, number, end, *range(40)], 402)] for end in (1, 2)]

groups = (Group(str(n), Prompt((), ()), ("", "")) for n in range(100_000))
tasks = ([Task(group.id, asked(int(group.id))) for group in window] for window in windows(groups))
before, count = peak(), 0
for window in tasks:
    count += sum(1 for _ in work_off(window, compute, len, done=frozenset()))
print(count, peak() - before)
"""


def test_a_hundred_thousand_groups_are_planned_and_streamed_in_little_memory() -> None:
    run = subprocess.run([sys.executable, "-c", STREAM], capture_output=True, text=True, check=True)
    count, mebibytes = run.stdout.split()
    assert count == "100000"
    assert float(mebibytes) < 300
