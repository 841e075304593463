"""The entries that we make ourselves: facts for each, and the gated ones as the gate makes them."""

from __future__ import annotations

from pathlib import Path

import yaml

from fcrewardbench.submissions.entries import read_entry
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
