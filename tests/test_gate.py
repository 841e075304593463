"""Calls that the schemas forbid rank last, whatever a model thinks of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fcrewardbench import Call, Candidate, DataError, Group, Prompt, Scorer, UsageError, load
from fcrewardbench.adapters.gate import STEP, forbidden, gated
from fcrewardbench.calls.schema import validate
from fcrewardbench.calls.tools import tool_from

TOOL = tool_from(
    {
        "name": "tide_table",
        "description": "Times of high and low tide in a harbour",
        "parameters": {
            "type": "object",
            "properties": {"harbour": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["harbour"],
        },
    }
)
CANDIDATES: list[tuple[Candidate, bool]] = [
    ((Call("tide_table", {"harbour": "Vlissingen"}),), False),
    ((Call("tide_table", {"harbour": "a harbour that nobody asked for", "days": -4}),), False),
    ("Which harbour do you mean?", False),
    ((Call("tide_tables", {"harbour": "Vlissingen"}),), True),
    ((Call("tide_table", {"days": 2}),), True),
    ((Call("tide_table", {"harbour": "Vlissingen", "days": "two"}),), True),
    ((Call("tide_table", {"harbour": "Vlissingen", "place": "Vlissingen"}),), True),
    ('[{"name": "tide_table", "arguments": {"harbour": "Vliss', True),
    ('[{"name": "tide_tables", "arguments": {"harbour": "Vlissingen"}}]', True),
    ('[{"name": "tide_table", "arguments": {"harbour": "Vlissingen"}}]', False),
    ("[Note] I cannot tell which harbour you mean.", True),  # it begins like a call
    ("Here is how: ```python\nprint(1)\n```", True),
    ("tide_table could tell, but which harbour?", False),
]
GROUP = Group(
    "one",
    Prompt((TOOL,), ({"role": "user", "content": "When is high tide in Vlissingen?"},)),
    tuple(candidate for candidate, _ in CANDIDATES),
)


BREACHES = tuple(breach for _, breach in CANDIDATES)


def test_what_the_schemas_forbid_and_what_they_leave_to_the_model() -> None:
    assert forbidden(GROUP) == BREACHES


def test_order_stays_on_both_sides_of_the_gate() -> None:
    found = gated([5.0, -3.0, 7.0, 6.0], [False, False, True, True])
    assert sorted(found, reverse=True) == [found[0], found[1], found[2], found[3]]


@pytest.mark.parametrize(
    "schema", [{"$ref": "#/$defs/Nope"}, {"type": "string", "pattern": "\\p{L}+"}]
)
def test_calls_of_a_tool_with_a_broken_schema_are_left_to_the_model(schema: dict[str, Any]) -> None:
    parameters = {"type": "object", "properties": {"harbour": schema}}
    tool = tool_from({"name": "tide_table", "description": "", "parameters": parameters})
    call = Call("tide_table", {"harbour": "Vlissingen"})
    with pytest.raises(DataError, match="schema of tool 'tide_table'"):
        validate([call], [tool])
    group = Group("one", Prompt((tool,), GROUP.prompt.messages), ((call,), (Call("other", {}),)))
    assert forbidden(group) == (False, True)


def test_groups_of_one_id_and_groups_that_are_done(smollm2: Path) -> None:
    gate = load(str(smollm2), schema_gate=True)
    assert isinstance(gate, Scorer)
    wrong = replace(GROUP, candidates=GROUP.candidates[::-1])
    first, second = (one.scores for one in gate.score_groups([GROUP, wrong]))  # both are "one"
    assert first is not None
    assert second == pytest.approx(first[::-1], abs=1e-4)
    groups = [replace(GROUP, id=id) for id in ("a", "b")]
    left = [one for one in gate.score_groups(groups, done=frozenset({"a"})) if one.id == "b"]  # type: ignore[call-arg]
    assert left[0].scores == pytest.approx(first, abs=1e-4)


def test_written_ratings_take_no_gate(smollm2: Path) -> None:
    with pytest.raises(UsageError, match="take no schema_gate"):
        load(str(smollm2), "rating", verdict="text", schema_gate=True)


def test_a_gated_score_is_the_models_own_or_a_step_below(smollm2: Path, tmp_path: Path) -> None:
    store = str(tmp_path / "scores")
    plain, gate = (load(str(smollm2), store=store, schema_gate=gated) for gated in (False, True))
    assert isinstance(plain, Scorer)
    assert isinstance(gate, Scorer)
    (own,) = plain.score_groups([GROUP])
    (found,) = gate.score_groups([GROUP])
    assert own.scores is not None
    assert found.scores == pytest.approx(
        [score - STEP * breach for score, breach in zip(own.scores, BREACHES, strict=True)]
    )
    assert own.tokens.computed > 0
    assert found.tokens.computed == 0  # what is kept between runs is the model's own score
    assert gate.describe() == {**plain.describe(), "schema_gate": True}


def test_the_reference_model_has_a_gate(smollm2: Path) -> None:
    plain, gate = (load(f"toolrm/smollm2-135m{ending}") for ending in ("-ungated", ""))
    assert gate.describe() == {**plain.describe(), "schema_gate": True}
