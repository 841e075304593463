"""A trained model as a folder that every adapter of FC-RewardBench, transformers and vLLM load."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel

from toolrm.train.progress import draw_curves

_CARD = """---
license: other
library_name: transformers
pipeline_tag: text-classification
tags: [reward-model, tool-calling, toolrm]
---
# {name}

An outcome reward model for tool calls: a higher logit for the better calls, given tools and
conversation. Trained with `toolrm train`, a Bradley-Terry loss on pairs of calls.

```python
import fcrewardbench

model = fcrewardbench.load("path:{name}")
model.score(tools, messages, [candidate, other])
```

| | |
| --- | --- |
| base | {base} |
| training pairs | {pairs} in {groups:,} groups |
| sha256 of the training pairs | `{data}` |
| sha256 of the held-out pairs | `{held_out}` |
| sha256 of the template | `{template}` |
| held out, best look | {best} |
| overlap with benchmarks | {overlap} |

The prompt's form is in the tokenizer's chat template where it has one; tools that it does not show
stand in the system turn, as `fcrewardbench.render` writes them. Score with that renderer, or the model
reads text that it was not trained on.

## Recipe

```json
{recipe}
```
"""


def save(network: Any, tokenizer: Any, base: Path, out: Path, told: dict[str, Any]) -> None:
    """Write `model`, `adapter` if there is one, the card, `report.json` and the curves into a folder.

    `model` is float32, adapters merged into its weights.
    """
    if isinstance(network, PeftModel):
        network.save_pretrained(str(out / "adapter"))
        network = network.to(
            torch.float32
        ).merge_and_unload()  # bfloat16 would round the adapters away
    del network.forward  # the class's own again
    network.set_attn_implementation("sdpa")
    network.to(torch.float32).save_pretrained(out / "model")
    tokenizer.save_pretrained(out / "model")
    (out / "report.json").write_text(json.dumps(told, indent=1), "utf-8")
    (out / "model" / "README.md").write_text(_card(out, told), "utf-8")
    draw_curves(out / "metrics.jsonl", out / "curves.png")


def _card(out: Path, told: dict[str, Any]) -> str:
    inputs, best = told["inputs"], told["best"]
    counts = ", ".join(f"{count:,} {what}" for what, count in told["pairs"]["training"].items())
    return _CARD.format(
        name=out.name,
        base=inputs["recipe"]["base"],
        pairs=counts,
        groups=told["groups"],
        data=inputs["data"],
        held_out=inputs["held_out"],
        template=told["template_sha256"],
        best=f"step {best['step']}: loss {best['eval_loss']:.4f}, accuracy {best['eval_accuracy']:.1%}"
        if best
        else "none",
        overlap=_overlap(told["overlap"]),
        recipe=json.dumps(inputs["recipe"], indent=1),
    )


def _overlap(report: dict[str, Any] | None) -> str:
    if report is None:
        return "not looked for"
    found = "none" if report["clean"] else f"{report['records_refused']:,} records"
    return (
        f"{found}, among {report['records']:,} records and {len(report['references'])} benchmarks "
        f"(sha256 of the account `{report['sha256']}`)"
    )
