"""A trained model as a folder that FC-RewardBench, transformers and vLLM load."""

from __future__ import annotations

import json
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel

from toolrm.train.progress import by_source, draw_curves

_CARD = """---
license: other
library_name: transformers
pipeline_tag: text-classification
tags: [reward-model, tool-calling, toolrm]
---
# Reward model for tool calls

An outcome reward model: a higher logit for the better calls, given tools and conversation. Trained with
`toolrm train`, a Bradley-Terry loss on pairs of calls.

```python
import fcrewardbench

model = fcrewardbench.load("path:FOLDER")  # or the hub's OWNER/NAME
model.score(tools, messages, [candidate, other])
```

| | |
| --- | --- |
| base | {base} |
| goes on from | {start} |
| training pairs | {pairs}, in {groups:,} groups |
| licences of the training pairs | {licences} |
| sha256 of the training pairs | `{data}` |
| sha256 of the held-out pairs | `{held_out}` |
| sha256 of the template | `{template}` |
| held out, before the first step | {before} |
| held out, best look | {best} |
| the same by source | {best_by_source} |
| overlap with benchmarks | {overlap} |
| made with | {versions} |

The prompt's form is in the tokenizer's chat template where it has one; tools that it does not show
stand in the system turn, as `fcrewardbench.render` writes them. Score with that renderer, or the model
reads text that it was not trained on. The reward is the head's at the very last token; transformers'
own pooling takes the last token that is not the padding token, which is another one where a text ends
in it.

`metrics.jsonl` and `curves.png` are the run's; `overlap.json`, where there is one, is that account.

## Recipe

```json
{recipe}
```
"""
_PACKAGES = ("fcrewardbench", "torch", "transformers", "trl", "peft", "accelerate")


def save(network: Any, tokenizer: Any, out: Path, told: dict[str, Any]) -> None:
    """Write `model`, `adapter` if there is one, the curves, the card and `report.json` into a folder.

    `model` is whole by itself, with the run's metrics and curves and the account of overlap.
    Adapters and head are rounded to the dtype that the recipe keeps weights in; `model` is float32,
    these adapters merged into its weights. `report.json` comes last: a folder that has it is complete.
    """
    told["versions"] = {name: version(name) for name in _PACKAGES}
    if isinstance(network, PeftModel):
        network = network.to(getattr(torch, told["inputs"]["recipe"]["dtype"]))
        network.save_pretrained(str(out / "adapter"))
        # Merged in bfloat16, they would be rounded away.
        network = network.to(torch.float32).merge_and_unload()
    network.to(torch.float32).save_pretrained(out / "model")
    tokenizer.save_pretrained(out / "model")
    (out / "model" / "README.md").write_text(_card(told), "utf-8")
    if told["overlap"] is not None:
        account = json.dumps(told["overlap"], indent=2) + "\n"
        (out / "model" / "overlap.json").write_text(account, "utf-8")
    draw_curves(out / "metrics.jsonl", out / "curves.png")
    for name in ("metrics.jsonl", "curves.png"):
        shutil.copyfile(out / name, out / "model" / name)
    scratch = out / "report.json.part"
    scratch.write_text(json.dumps(told, indent=1), "utf-8")
    scratch.replace(out / "report.json")


def _card(told: dict[str, Any]) -> str:
    inputs, best = told["inputs"], told["best"]
    counts = ", ".join(f"{count:,} {what}" for what, count in told["pairs"]["training"].items())
    of_groups = "means over {:,} of {:,} groups".format(*told["looked_at"])
    before, look = (_look(one, of_groups) for one in (told["before"], best))
    if best:
        trained_on = best["step"] * inputs["recipe"]["groups_per_step"]
        look = f"step {best['step']:.0f}, after {trained_on:,.0f} groups: {look}"
    groups = told["looked_at_by_source"]
    look_by_source = "; ".join(
        f"{source}: loss {loss:.4f}, accuracy {accuracy:.1%} ({groups[source]:,} groups)"
        for source, (loss, accuracy) in by_source(best).items()
    )
    revision = f" at {inputs['base']}" if inputs["base"] else ""
    recipe = {**inputs["recipe"], "base": _named(inputs["recipe"]["base"])}
    return _CARD.format(
        base=f"{recipe['base']}{revision}",
        start=_start(told["start"]),
        pairs=counts,
        groups=told["groups"],
        licences=", ".join(f"{name} ({count:,})" for name, count in told["licences"].items()),
        data=inputs["data"],
        held_out=inputs["held_out"],
        template=told["template_sha256"],
        before=before,
        best=look,
        best_by_source=look_by_source or "none",
        overlap=_overlap(told["overlap"]),
        versions=", ".join(f"{name} {number}" for name, number in told["versions"].items()),
        recipe=json.dumps(recipe, indent=1),
    )


def _look(metrics: dict[str, float], of_groups: str) -> str:
    if not metrics:
        return "none"
    return f"loss {metrics['eval_loss']:.4f}, accuracy {metrics['eval_accuracy']:.1%}, {of_groups}"


def _named(base: str) -> str:
    """A base without the folders of this machine."""
    kind, _, path = base.partition(":")
    return f"path:{Path(path).name}" if kind == "path" else base


def _start(begun: dict[str, Any] | None) -> str:
    if begun is None:
        return "nothing"
    pairs = (
        f"pairs with the sha256 `{begun['data']}`" if begun["data"] else "pairs that are not known"
    )
    earlier = f"; before that {_start(begun['start'])}" if begun["start"] else ""
    return (
        f"adapters with the sha256 `{begun['sha256']}`, trained on {pairs}, whose overlap with "
        f"benchmarks is: {_overlap(begun['overlap'])}{earlier}"
    )


def _overlap(report: dict[str, Any] | None) -> str:
    if report is None:
        return "not looked for"
    found = "none" if report["clean"] else f"{report['records_refused']:,} records"
    where = ", ".join(report["references"])
    return (
        f"{found}, among {report['records']:,} records, looked for in {where} "
        f"(sha256 of the account `{report['sha256']}`)"
    )
