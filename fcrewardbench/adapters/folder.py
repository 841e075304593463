"""What can be known of a folder of weights without loading them."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fcrewardbench.errors import MissingExtra, ModelError

_FIRST_POSITION_BEHIND_PAD = frozenset(
    {"roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "longformer"}
)


@contextmanager
def headless_base() -> Iterator[None]:
    """Load a base into a classifier without transformers' bars and its warning that the head is new."""
    from transformers.utils import logging

    before, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        if bars:
            logging.enable_progress_bar()


def load_tokenizer(model: str, *, trust_remote_code: bool) -> Any:
    """The folder's tokenizer.

    Raises:
        MissingExtra: transformers is not installed.
        ModelError: the folder has none, or only with remote code that may not run.
    """
    try:
        import transformers
    except ImportError as why:
        raise MissingExtra(str(why.name), "hf") from None
    try:
        return transformers.AutoTokenizer.from_pretrained(
            model, trust_remote_code=trust_remote_code
        )
    except Exception as why:  # transformers and tokenizers raise whatever they meet
        raise loading_error(model, why) from why


def load_config(model: str, *, trust_remote_code: bool) -> Any:
    """The folder's transformers configuration; raises what `load_tokenizer` does."""
    try:
        import transformers
    except ImportError as why:
        raise MissingExtra(str(why.name), "hf") from None
    try:
        return transformers.AutoConfig.from_pretrained(model, trust_remote_code=trust_remote_code)
    except Exception as why:
        raise loading_error(model, why) from why


def longest_sequence(config: Any) -> int | None:
    """The most tokens that a model takes by its configuration; None where that does not say."""
    text = config.get_text_config()
    limit: int | None = getattr(text, "max_position_embeddings", None)
    if limit is not None and text.model_type in _FIRST_POSITION_BEHIND_PAD:
        limit -= text.pad_token_id + 1
    return limit


def loading_error(model: str, why: Exception) -> ModelError:
    """One sentence out of a library's many."""
    text = " ".join(str(why).split())
    if "trust_remote_code" in text:
        return ModelError(
            f"{model} brings its own Python code: read it, then pass --trust-remote-code to run it."
        )
    return ModelError(f"{model} cannot be loaded: {text[:300]}")


def weight_names(model: str) -> set[str]:
    """The names of all tensors in the folder's safetensors files; raises what `tensor_sizes` does."""
    return set(tensor_sizes(model))


def tensor_sizes(model: str) -> dict[str, int]:
    """The number of elements of every tensor in the folder's safetensors files, out of their headers.

    Raises:
        ModelError: there is no such file, or one that is not safetensors.
    """
    sizes: dict[str, int] = {}
    files = sorted(Path(model).glob("*.safetensors"))
    if not files:
        raise ModelError(f"{model} has no *.safetensors file: save the model as safetensors.")
    for file in files:
        try:
            with file.open("rb") as content:
                length = int.from_bytes(content.read(8), "little")
                header = json.loads(content.read(min(length, file.stat().st_size)))
            header.pop("__metadata__", None)
            sizes |= {name: math.prod(tensor["shape"]) for name, tensor in header.items()}
        except (ValueError, AttributeError, LookupError, TypeError) as why:
            raise ModelError(f"{file} is no safetensors file ({why}): save it anew.") from None
    return sizes


def files_sha256(model: str) -> str:
    """The revision of a local folder: a hash over its weights, tokenizer and chat template."""
    digest = hashlib.sha256()
    for pattern in ("*.safetensors", "tokenizer*", "*.jinja", "config.json", "*.py"):
        for file in sorted(Path(model).glob(pattern)):
            with file.open("rb") as content:
                digest.update(hashlib.file_digest(content, "sha256").digest())
    return f"files-sha256:{digest.hexdigest()}"
