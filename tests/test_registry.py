import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from fcrewardbench import Group, Scorer, UnknownName, UsageError, evaluate, load
from fcrewardbench.adapters import registry
from fcrewardbench.adapters.base import Judge, group_of
from fcrewardbench.adapters.registry import adapter_class, adapter_names
from fcrewardbench.types import Call, Candidate, Prompt, Verdict

WEATHER = {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}  # fmt: skip
ASKED = [{"role": "user", "content": "How is the weather in Oslo?"}]


class CountsCalls(Scorer):
    """Prefers more calls. What a plug-in would bring."""

    def __init__(self, *, sign: int = 1) -> None:
        self.sign = sign

    def score_group(self, group: Group) -> list[float]:
        return [float(self.sign * len(candidate)) for candidate in group.candidates]


class NamedJudge(Judge):
    """Takes a model's name, whatever it is."""

    def __init__(self, model: str) -> None:
        self.model = model

    def verdict(self, prompt: Prompt, first: Candidate, second: Candidate) -> Verdict:
        return Verdict.FIRST


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        EntryPoint("counts-calls", f"{__name__}:CountsCalls", registry.ENTRY_POINT_GROUP),
        EntryPoint("named-judge", f"{__name__}:NamedJudge", registry.ENTRY_POINT_GROUP),
        EntryPoint("broken", "no_such_module:Nothing", registry.ENTRY_POINT_GROUP),
        EntryPoint("function", f"{__name__}:plugins", registry.ENTRY_POINT_GROUP),
    ]
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])

    def entry_points(*, group: str, name: str | None = None) -> list[EntryPoint]:
        assert group == registry.ENTRY_POINT_GROUP
        return [point for point in points if name in (None, point.name)]

    monkeypatch.setattr(registry, "entry_points", entry_points)


def test_every_name_leads_to_a_documented_class() -> None:
    for name in adapter_names():
        assert adapter_class(name).__doc__


@pytest.mark.usefixtures("plugins")
def test_entry_points_are_found_by_name_and_take_options() -> None:
    assert "counts-calls" in adapter_names()
    scorer = load("counts-calls", sign=-1)
    assert isinstance(scorer, Scorer)
    assert scorer.score([WEATHER], ASKED, ["[]", "get_weather(city='Oslo')"]) == [0.0, -1.0]
    judge = load("anything/at-all", "named-judge")
    assert isinstance(judge, NamedJudge)
    assert judge.model == "anything/at-all"
    with pytest.raises(UnknownName, match="Did you mean 'counts-calls'"):
        load("count-calls")
    with pytest.raises(UsageError, match="needs a model"):
        load("named-judge")
    with pytest.raises(UsageError, match="cannot be imported"):
        load("broken")
    with pytest.raises(UsageError, match="is no Scorer or Judge class"):
        load("function")


def test_baselines_say_what_their_names_say() -> None:
    right, wrong = "get_weather(city='Oslo')", "get_weather(city='Longyearbyen', x=1)"

    def scores(name: str, **options: Any) -> list[float]:
        scorer = load(f"baseline/{name}", **options)
        assert isinstance(scorer, Scorer)
        return scorer.score([WEATHER], ASKED, [right, wrong, "Which city?"])

    longer, shorter = scores("longer"), scores("shorter")
    assert longer[1] > longer[0] > longer[2]
    assert shorter == [-score for score in longer]
    assert scores("overlap") == [1.0, 0.0, 0.0]
    assert scores("schema") == [1.0, 0.0, 0.0]
    assert scores("random") == scores("random") != scores("random", seed=1)


def test_candidates_may_be_call_objects_but_no_mixture() -> None:
    scorer = load("baseline/longer")
    assert isinstance(scorer, Scorer)
    call = Call("f", {"a": 1})
    forms: list[Any] = [(call,), [call], [{"f": {"a": 1}}], ({"f": {"a": 1}},)]
    assert len(set(scorer.score([], ASKED, forms))) == 1
    with pytest.raises(TypeError, match="not both"):
        scorer.score([], ASKED, [[call, {"f": {}}]])  # type: ignore[list-item]


def test_overlap_looks_into_nested_values() -> None:
    scorer = load("baseline/overlap")
    assert isinstance(scorer, Scorer)
    group = group_of([], [{"role": "user", "content": "Three of red, size 12"}], [])
    nested = (Call("f", {"a": {"b": ["RED", 12]}, "c": "blue", "d": None}),)
    assert scorer.score([], group.prompt.messages, [nested]) == [0.5]


def test_random_is_half_right_and_does_not_depend_on_the_order() -> None:
    run = evaluate("baseline/random", "open")
    low, high = run.card["metrics"]["accuracy_ci"]
    assert low < 0.5 < high
    scorer = load("baseline/random")
    assert isinstance(scorer, Scorer)
    forwards = scorer.score([], ASKED, ["a", "b"])
    assert scorer.score([], ASKED, ["b", "a"]) == forwards[::-1]


def test_length_tells_nothing_on_open() -> None:
    for name in ("baseline/longer", "baseline/shorter", "baseline/overlap"):
        assert 0.45 <= evaluate(name, "open").accuracy <= 0.55, name


def test_a_folder_wins_over_the_hub_unless_forced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "owner" / "name").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Exception, match=r"has no config.json"):
        load("owner/name")
    with pytest.raises(Exception, match="The hub cannot be reached"):
        load("hub:owner/name")
    with pytest.raises(UsageError, match="'owner/name' is not from the hub"):
        load("owner/name", revision="main")
