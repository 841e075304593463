"""Pack the entries that we run ourselves, those of `suite.yaml` that are finished.

Run it after `fcrb suite scripts/own_entries/suite.yaml`:
`python -m scripts.own_entries.pack runs/entries submissions`.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import yaml

from fcrewardbench.benchmarks.labels import known_labels, required_subset
from fcrewardbench.report.card import read_card
from fcrewardbench.submissions.pack import known_facts, pack

FACTS = Path(__file__).parent / "facts.yaml"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path)
    parser.add_argument("out", type=Path)
    asked = parser.parse_args()
    facts = yaml.safe_load(FACTS.read_text(encoding="utf-8"))
    found: dict[tuple[str, str], dict[str, Path]] = defaultdict(dict)
    for path in sorted(asked.runs.glob("*/*/card.json")):
        benchmark = read_card(path.parent)["benchmark"]
        title = f"{benchmark['name']}@{benchmark['edition']}"
        label = path.parent.name.replace("__", "/")
        found[title, label][benchmark["subset"] or "all"] = path.parent
    for (title, label), runs in found.items():
        required = required_subset(title)
        if required not in runs:
            print(f"{label} on {title}: {required} is not finished")
            continue
        ordered = [runs[name] for name in known_labels()[title] if name in runs]
        organisation, _, name = label.partition("/")
        said = {**facts["*"], **facts[label], "organisation": organisation, "name": name}
        print(
            pack(
                ordered, {**known_facts(read_card(runs[required])), **said}, asked.out, replace=True
            )
        )


if __name__ == "__main__":
    main()
