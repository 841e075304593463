"""What the small models' outputs come to, as Markdown.

python -m scripts.open_2.acceptance
"""

from __future__ import annotations

from collections import Counter

from fcrewardbench.benchmarks.bfcl import NO_CALL_CATEGORIES, PYTHON_CATEGORIES, load_tasks
from fcrewardbench.types import ErrorType
from scripts.open_2.options import FATES, context_of, judged, read_outputs
from scripts.open_2.sets import call_where_none_is_due


def main() -> None:
    tasks = load_tasks("v4", (*PYTHON_CATEGORIES, *NO_CALL_CATEGORIES))
    fates: Counter[tuple[str, str, str]] = Counter()
    kinds: Counter[tuple[str, str]] = Counter()
    reached: dict[str, set[str]] = {}
    for outputs in read_outputs().values():
        for output in outputs:
            task = tasks[output.task]
            reached.setdefault(output.model, set()).add(output.task)
            if not task.answer:
                fate = "usable" if call_where_none_is_due(task, output) else "garbled"
                fates[output.model, "no call due", fate] += 1
                continue
            fate, wrong = judged(task, output, context_of(task, {}))
            fates[output.model, output.kind, fate] += 1
            if wrong is not None:
                kinds[output.model, wrong.error_type] += 1
    models = sorted(reached)
    print("| model | kind | outputs | " + " | ".join(FATES) + " |")
    print("| --- | --- |" + " --- |" * (len(FATES) + 1))
    for model, kind in sorted({(model, kind) for model, kind, _ in fates}):
        counts = [fates[model, kind, fate] for fate in FATES]
        cells = " | ".join(f"{count:,}" for count in (sum(counts), *counts))
        print(f"| {model} | {kind} | {cells} |")
    print("\n| usable, by error type | " + " | ".join(models) + " |")
    print("| --- |" + " --- |" * len(models))
    for kind in ErrorType:
        if any(kinds[model, kind] for model in models):
            print(f"| {kind} | " + " | ".join(f"{kinds[m, kind]:,}" for m in models) + " |")
    due = sum(bool(task.answer) for task in tasks.values())
    for model in models:
        answered = sum(bool(tasks[task].answer) for task in reached[model])
        print(f"\n{model} answered {answered:,} of {due:,} tasks in which a call is due.")


if __name__ == "__main__":
    main()
