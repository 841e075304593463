"""RewardBench's own pipeline, package `rewardbench`: what its command does with a data set.

The default entry of its model table, its DataLoader, its batch of 8 in file order, its left padding,
its two calls a batch for a pair and one for anything else, nothing truncated (its own default). Its
pipeline sends inputs to "cuda" whatever the machine has; where there is no such device, that one call
is made to leave them where they are. It also counts the tokens there, padding included.
"""

from __future__ import annotations

from typing import Any

import torch
from accelerate import Accelerator
from datasets import Dataset
from rewardbench import REWARD_MODEL_CONFIG, check_tokenizer_chat_template
from transformers import AutoTokenizer, BatchEncoding

from bench.peers.competitor import Competitor, Row, Scores, serve

BATCH = 8


class RewardBench(Competitor):
    packages = ("rewardbench", "torch", "transformers")

    def __init__(self, model: str, dtype: str) -> None:
        config = REWARD_MODEL_CONFIG["default"]
        tokenizer = AutoTokenizer.from_pretrained(model)
        tokenizer.padding_side = "left"
        network = config["model_builder"](
            model, device_map="auto", torch_dtype=getattr(torch, dtype)
        )
        pipe = config["pipeline_builder"]("text-classification", model=network, tokenizer=tokenizer)
        if tokenizer.pad_token_id is None:
            network.config.pad_token_id = tokenizer.pad_token_id = tokenizer.eos_token_id
        if network.config.pad_token_id is None:
            network.config.pad_token_id = tokenizer.pad_token_id
        if not check_tokenizer_chat_template(tokenizer):
            tokenizer.add_eos_token = True
        pipe.model = Accelerator().prepare(pipe.model)
        self._pipe = pipe
        self._computed = 0
        to = BatchEncoding.to

        def counting_to(inputs: BatchEncoding, device: Any, **rest: Any) -> BatchEncoding:
            self._computed += inputs["input_ids"].numel()
            return to(inputs, device, **rest) if torch.cuda.is_available() else inputs

        BatchEncoding.to = counting_to

    def score(self, prepared: list[Row]) -> tuple[Scores, int]:
        self._computed = 0
        size = len(prepared[0]["texts"])
        names = ["text_chosen", "text_rejected"] if size == 2 else ["text"]
        if size == 2:
            columns = zip(*(row["texts"] for row in prepared), strict=True)
            data = dict(zip(names, map(list, columns), strict=True))
        else:
            data = {"text": [text for row in prepared for text in row["texts"]]}
        loader = torch.utils.data.DataLoader(
            Dataset.from_dict(data), batch_size=BATCH, shuffle=False, drop_last=False
        )
        found: dict[str, list[float]] = {name: [] for name in names}
        for batch in loader:
            for name in names:
                found[name].extend(self._call(batch[name]))
        if size == 2:
            scores = [list(pair) for pair in zip(*found.values(), strict=True)]
        else:
            flat = found["text"]
            scores = [flat[start : start + size] for start in range(0, len(flat), size)]
        return scores, self._computed

    def _call(self, texts: list[str]) -> list[float]:
        rewards = self._pipe(
            texts,
            batch_size=BATCH,
            truncation=False,
            padding=True,
            max_length=512,  # without truncation it cuts nothing
            function_to_apply="none",
            return_token_type_ids=False,
        )
        return [score for (score,) in rewards.float().cpu().numpy().tolist()]


if __name__ == "__main__":
    serve(RewardBench)
