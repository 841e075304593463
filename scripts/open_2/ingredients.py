"""Where the ingredients of FC-RewardBench-Open, edition 2, lie.

* `outputs.jsonl.xz`: what the small models wrote (`generate`)
* `excluded.json`: tasks that a reading found flawed, each with the reason
* `selection.json`: the options that make the rows (`select`)
* `verdicts.jsonl`: what the readers of the audit said (`audit`)
"""

from pathlib import Path

FOLDER = Path(__file__).parent
OUTPUTS = FOLDER / "outputs.jsonl.xz"
EXCLUDED = FOLDER / "excluded.json"
SELECTION = FOLDER / "selection.json"
DATA = FOLDER.parents[1] / "fcrewardbench" / "benchmarks" / "data" / "open-2"
VERDICTS = FOLDER / "verdicts.jsonl"
