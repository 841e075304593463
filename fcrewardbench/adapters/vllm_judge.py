"""A causal model in vLLM's offline engine as a judge of two candidates, in both orders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from fcrewardbench.adapters.base import Judge
from fcrewardbench.adapters.replies import LEAST_LETTER_MASS, Choice, read_logprobs, read_text
from fcrewardbench.adapters.vllm import VllmModel, as_prompts, too_long, windows
from fcrewardbench.errors import UsageError
from fcrewardbench.prompts import ASKS, load_prompt
from fcrewardbench.types import Candidate, Compared, Group, Input, Prompt, Tokens, Verdict

TOP_LOGPROBS = 20  # as many as vLLM gives unless told otherwise


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came of one question."""

    verdict: Verdict
    reply: str = ""
    tokens: Tokens = field(default_factory=Tokens)
    detail: str = ""


class VllmJudge(VllmModel, Judge):
    """Asks a model which of two candidates is right.

    Args:
        verdict: "logprobs": the more probable of the letters A and B as the answer's first token; or
            "text": the judge writes, and the last `[[A]]`, `[[B]]` or `[[tie]]` of its reply counts,
            which a model that reasons first needs.
        prompt: what is asked: a pairwise prompt's name, or the path of your own `.jinja` file.
        max_tokens: the longest reply in `text` mode. Question and reply together must fit the model.
        engine: see `VllmModel`.
    """

    runner = "generate"

    def __init__(
        self,
        model: str,
        *,
        verdict: str = "logprobs",
        prompt: str = "pairwise",
        max_tokens: int = 1024,
        **engine: Any,
    ) -> None:
        if verdict not in ASKS:
            raise UsageError(f"There is no verdict mode '{verdict}'; there are {', '.join(ASKS)}.")
        if max_tokens < 1:
            raise UsageError("max_tokens must be 1 or more.")
        self._prompt = load_prompt(prompt, "pairwise")
        self._ask = verdict
        self._max_tokens = max_tokens if verdict == "text" else 1
        super().__init__(model, **engine)

    def verdict(self, prompt: Prompt, first: Candidate, second: Candidate) -> Verdict:
        (answer,) = self._answers([self._question(prompt, first, second).ids])
        return answer.verdict

    def compare_groups(self, groups: Iterable[Group]) -> Iterator[Compared]:
        """Verdicts on many groups, those of a window whose texts begin alike next to each other."""
        for window in windows(groups):
            asked = [(group.id, [order.ids for order in self.inputs(group)]) for group in window]
            asked.sort(key=lambda each: each[1])
            answers = iter(self._answers([ids for _, orders in asked for ids in orders]))
            for id, _ in asked:
                given, swapped = next(answers), next(answers)
                details = dict.fromkeys(a.detail for a in (given, swapped) if a.detail)
                yield Compared(
                    id,
                    (given.verdict, swapped.verdict),
                    given.tokens + swapped.tokens,
                    (given.reply, swapped.reply),
                    "; ".join(details),
                )

    def inputs(self, group: Group) -> tuple[Input, Input]:
        first, second = group.candidates
        return (
            self._question(group.prompt, first, second),
            self._question(group.prompt, second, first),
        )

    def describe(self) -> dict[str, Any]:
        by_letter = self._ask == "logprobs"
        return {
            **super().describe(),
            "verdict": self._ask,
            "prompt": self._prompt.name,
            "prompt_sha256": self._prompt.sha256(self._ask),
            "max_tokens": self._max_tokens,
            "top_logprobs": TOP_LOGPROBS if by_letter else None,
            "least_letter_mass": LEAST_LETTER_MASS if by_letter else None,
        }

    def _question(self, prompt: Prompt, first: Candidate, second: Candidate) -> Input:
        return self.renderer.question(self._prompt.messages(prompt, (first, second), self._ask))

    def _answers(self, questions: list[tuple[int, ...]]) -> list[_Answer]:
        """One answer per question, in their order."""
        from vllm import SamplingParams

        room = None if self.limit is None else self.limit - self._max_tokens
        notes = [too_long(len(ids), room) for ids in questions]
        fitting = [ids for ids, note in zip(questions, notes, strict=True) if not note]
        settings = SamplingParams(
            temperature=0,
            max_tokens=self._max_tokens,
            logprobs=TOP_LOGPROBS if self._ask == "logprobs" else None,
        )
        outputs = iter(
            self.engine.generate(as_prompts(fitting), settings, use_tqdm=False) if fitting else ()
        )
        return [
            _Answer(Verdict.TOO_LONG, detail=note) if note else self._answer(next(outputs))
            for note in notes
        ]

    def _answer(self, output: Any) -> _Answer:
        (completion,) = output.outputs
        choice = Choice.model_validate(
            {
                "message": {"content": completion.text},
                "finish_reason": completion.finish_reason,
                "logprobs": {"content": [_top(at) for at in completion.logprobs or ()]},
            }
        )
        read = read_logprobs if self._ask == "logprobs" else read_text
        verdict, reply, detail = read(choice)
        naive = len(output.prompt_token_ids) + len(completion.token_ids)
        tokens = Tokens(naive, naive - (output.num_cached_tokens or 0))
        return _Answer(verdict, reply, tokens, detail)


def _top(at: dict[int, Any]) -> dict[str, Any]:
    """One position's most probable tokens, as chat completions tell them."""
    top = [{"token": one.decoded_token or "", "logprob": one.logprob} for one in at.values()]
    return {"top_logprobs": top}
