"""Scores that are kept: found again for the same weights, text and dtype, and for nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fcrewardbench import Group, Scorer, UsageError, load
from fcrewardbench.scoring.store import ScoreStore
from fcrewardbench.types import Scored


def scored(model: Path, store: Path, groups: list[Group], **options: Any) -> dict[str, Scored]:
    scorer = load(str(model), store=str(store), **options)
    assert isinstance(scorer, Scorer)
    return {one.id: one for one in scorer.score_groups(groups)}


def test_a_score_is_computed_once(smollm2: Path, groups: list[Group], tmp_path: Path) -> None:
    store = tmp_path / "scores"
    first = scored(smollm2, store, groups[:1])
    again = scored(smollm2, store, groups[:2])
    known, new = groups[0].id, groups[1].id
    assert again[known].scores == first[known].scores
    assert again[known].tokens.computed == 0
    assert again[known].tokens.naive == first[known].tokens.naive
    assert again[new].tokens.computed > 0
    unshared = scored(smollm2, store, groups[:2], share_prompt=False)
    assert unshared[new].scores == again[new].scores
    assert unshared[new].tokens.computed == 0


def test_another_dtype_is_another_score(smollm2: Path, groups: list[Group], tmp_path: Path) -> None:
    store = tmp_path / "scores"
    id = groups[0].id
    first = scored(smollm2, store, groups[:1])[id]
    other = scored(smollm2, store, groups[:1], dtype="bfloat16")[id]
    assert other.tokens.computed > 0
    assert other.scores != first.scores


def test_both_reductions_come_out_of_one_pass(
    smollm2: Path, groups: list[Group], tmp_path: Path
) -> None:
    store = tmp_path / "scores"
    id = groups[0].id
    means = scored(smollm2, store, groups[:1])[id].scores
    kept = scored(smollm2, store, groups[:1], reduction="sum")[id]
    assert kept.tokens.computed == 0
    sums = scored(smollm2, tmp_path / "others", groups[:1], reduction="sum")[id].scores
    assert kept.scores == sums
    assert sums != means


def test_a_candidate_added_to_a_known_group_is_all_that_is_computed(
    smollm2: Path, groups: list[Group], tmp_path: Path
) -> None:
    store = tmp_path / "scores"
    group = groups[0]
    scored(smollm2, store, [Group(group.id, group.prompt, group.candidates[:2])])
    (whole,) = scored(smollm2, store, [group]).values()
    assert whole.scores is not None
    assert len(whole.scores) == 3
    assert 0 < whole.tokens.computed < 0.4 * whole.tokens.naive


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scores"
    path.write_text("these are no scores, but words that go on for a while" * 20)
    with pytest.raises(UsageError, match="cannot be used as a score store"):
        ScoreStore(path)


def test_many_keys_are_looked_up(tmp_path: Path) -> None:
    with ScoreStore(tmp_path / "scores") as store:
        store.put((bytes([index % 256, index // 256]), float(index)) for index in range(1200))
    with ScoreStore(tmp_path / "scores") as store:
        keys = [bytes([index % 256, index // 256]) for index in range(1300)]
        found = store.get(keys)
    assert len(found) == 1200
    assert found[keys[1100]] == 1100.0
