"""The reward model that all competitors load: SmolLM2-135M with a random head, saved once."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from fcrewardbench.models import KNOWN_MODELS, folder

NAME = "smollm2-135m-q4"


def reward_model(work: Path) -> Path:
    """The model's folder under `work`; made on the first call.

    Its files also say what the older transformers of a competitor looks for: `rope_theta` at the top, a
    tokenizer class that it has, and no token types, which SmolLM2's own tokenizer does not give.
    """
    import torch
    import transformers

    path = work / f"{NAME}-{KNOWN_MODELS[NAME].gguf_sha256[:12]}-head"
    if path.exists():
        return path
    source = folder(NAME)
    torch.manual_seed(0)
    network = transformers.AutoModelForSequenceClassification.from_pretrained(source, num_labels=1)
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=work) as scratch:
        made = Path(scratch) / "model"
        network.save_pretrained(made)
        transformers.AutoTokenizer.from_pretrained(source).save_pretrained(made)
        theta = network.config.rope_parameters["rope_theta"]
        _add(made / "config.json", rope_theta=theta, torch_dtype="float32")
        _add(
            made / "tokenizer_config.json",
            tokenizer_class="PreTrainedTokenizerFast",
            model_input_names=["input_ids", "attention_mask"],
        )
        made.rename(path)
    return path


def _add(file: Path, **values: object) -> None:
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | values, indent=2), "utf-8")
