"""The entries that we make ourselves: facts for each, and the gated ones as the gate makes them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from fcrewardbench.submissions.entries import entry_folders, read_entry
from fcrewardbench.submissions.pack import check_facts
from fcrewardbench.suite import read_suite
from scripts.own_entries import gate
from scripts.own_entries.pack import FACTS

ROOT = Path(__file__).parents[1]


def test_every_model_of_the_suite_has_its_facts() -> None:
    facts = yaml.safe_load(FACTS.read_text("utf-8"))
    suite = read_suite(FACTS.parent / "suite.yaml")
    names = {model.label() for model in suite.models}
    assert names == facts.keys() - {"*"}
    of_the_card = {"kind": "baseline", "licence": "MIT", "hardware": "a CPU", "date": "2026-01-01"}
    for name in names:
        organisation, _, rest = name.partition("/")
        kind = "baseline" if organisation == "baseline" else "classifier"
        said = of_the_card | {"kind": kind, "organisation": organisation, "name": rest}
        assert check_facts(said | facts["*"] | facts[name]) == {}, name


def test_the_reference_models_entry_is_its_networks_with_the_gate() -> None:
    folder = ROOT / "submissions" / "open@2"
    network = read_entry(folder / gate.NETWORK.replace("/", "__"))
    entry = read_entry(folder / gate.GATED.replace("/", "__"))
    card, rows = gate.gated_entry(network)
    assert rows == entry.rows
    assert card == entry.card
    assert rows != network.rows


@pytest.mark.parametrize(
    ("benchmark", "subset", "least"), [("open@2", "core", 0.10), ("rebuilt@1", "all", 0.05)]
)
def test_the_reference_model_is_ahead_of_its_rivals(
    benchmark: str, subset: str, least: float
) -> None:
    """`bench.rivals` measured what the entries show, and the least lead is what a reference needs."""
    measured = json.loads((ROOT / "bench" / "results" / "rivals" / "result.json").read_text())
    found = measured[f"{benchmark}/{subset}"]
    entries = entry_folders(ROOT / "submissions" / benchmark)
    shown = {
        f"{card.model.organisation}/{card.model.name}": card.results[subset].metrics.accuracy
        for card in (read_entry(folder).card for folder in entries)
    }
    assert found["accuracy"] == pytest.approx(found["accuracy"] | shown)
    leads = found["less"][gate.GATED]
    rivals = shown.keys() - {gate.GATED, gate.NETWORK}
    assert rivals < leads.keys()  # and SmolLM2's summed likelihood
    assert all(lead["difference"] >= least and lead["ci"][0] > 0 for lead in leads.values())


def test_the_reference_model_is_weak_at_no_kind_of_error() -> None:
    folder = ROOT / "submissions" / "open@2" / gate.GATED.replace("/", "__")
    results = read_entry(folder).card.results
    assert results["core"].metrics.accuracy >= 0.70
    for kind, of_kind in results["core"].by_error_type.items():
        assert of_kind.n < 40 or of_kind.accuracy > 0.55, kind
    for kind, of_kind in results["abstain"].by_error_type.items():
        assert of_kind.accuracy > 0.60, kind
