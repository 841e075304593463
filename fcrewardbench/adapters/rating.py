"""A causal language model on this machine that rates candidates one by one, from 1 to 10."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from fcrewardbench.adapters.judge import no_sharing, write
from fcrewardbench.adapters.local import LocalScorer
from fcrewardbench.adapters.replies import LEAST_LETTER_MASS, RATINGS, parse_rating
from fcrewardbench.errors import UsageError
from fcrewardbench.prompts import ASKS, load_prompt
from fcrewardbench.scoring.groups import Asked, Failure
from fcrewardbench.types import Group, Input, Outcome, Scored, Tokens

if TYPE_CHECKING:
    from fcrewardbench.scoring.engine import Result


class Rating(LocalScorer):
    """A causal language model that rates each candidate from 1 to 10.

    Args:
        verdict: "logprobs": the mean of the ten ratings, weighted by their probabilities as the
            answer's beginning; or "text": the model writes (greedily, one question at a time), and the
            last `[[n]]` of its reply counts.
        prompt: what is asked: a pointwise prompt's name, or the path of your own `.jinja` file.
        max_tokens: the longest reply in `text` mode. Question and reply together must fit the model.
        options: those of `LocalScorer`.
    """

    auto_class = "AutoModelForCausalLM"
    with_logprobs = True
    sequences_per_candidate = len(RATINGS)

    def __init__(
        self,
        model: str,
        *,
        verdict: str = "logprobs",
        prompt: str = "pointwise",
        max_tokens: int = 1024,
        **options: Any,
    ) -> None:
        if verdict not in ASKS:
            raise UsageError(f"There is no verdict mode '{verdict}'; there are {', '.join(ASKS)}.")
        if max_tokens < 1:
            raise UsageError(f"max_tokens must be 1 or more, not {max_tokens}.")
        if verdict == "text" and options.get("store") is not None:
            raise UsageError("Written ratings are not kept in a store: leave it out.")
        if verdict == "text" and options.get("schema_gate"):
            raise UsageError("Written ratings take no schema_gate: leave it out.")
        self._prompt = load_prompt(prompt, "pointwise")
        self._ask = verdict
        self._max_tokens = max_tokens
        super().__init__(model, **(options if verdict == "logprobs" else no_sharing(options)))

    def score_groups(
        self, groups: Iterable[Group], done: frozenset[str] = frozenset()
    ) -> Iterator[Scored]:
        if self._ask == "logprobs":
            yield from super().score_groups(groups, done)
            return
        for group in groups:
            if group.id not in done:
                yield self._written(group)

    def inputs(self, group: Group) -> tuple[Input, ...]:
        """The question about each candidate, up to where the answer begins."""
        return tuple(
            self.renderer.question(self._prompt.messages(group.prompt, (candidate,), self._ask))
            for candidate in group.candidates
        )

    def describe(self) -> dict[str, Any]:
        by_probability = self._ask == "logprobs"
        return {
            **super().describe(),
            "verdict": self._ask,
            "prompt": self._prompt.name,
            "prompt_sha256": self._prompt.sha256(self._ask),
            "max_tokens": None if by_probability else self._max_tokens,
            "least_letter_mass": LEAST_LETTER_MASS if by_probability else None,
        }

    def asked(self, group: Group) -> list[list[Asked]]:
        """The question with each of the ten answers."""
        answered = [
            [self.renderer.answered(question, str(rating)) for rating in RATINGS]
            for question in self.inputs(group)
        ]
        return [[Asked(fed.ids, fed.start) for fed in each] for each in answered]

    def _value(self, results: Sequence[Result]) -> float | Failure:
        """The expected rating. "10" begins with "1", whose probability counts without it."""
        found = [result.logprobs for result in results if result.logprobs is not None]
        chances = {
            rating: float(logprobs.double().sum().exp())
            for rating, logprobs in zip(RATINGS, found, strict=True)
        }
        if len(found[-1]) > len(found[0]):
            chances[1] = max(chances[1] - chances[10], 0.0)
        mass = sum(chances.values())
        if not math.isfinite(mass):
            return Failure(Outcome.ERROR, "a probability is not a finite number")
        if mass < LEAST_LETTER_MASS:
            return Failure(
                Outcome.UNPARSED, f"all ratings together have the probability {mass:.2g}"
            )
        return sum(rating * chance for rating, chance in chances.items()) / mass

    def _written(self, group: Group) -> Scored:
        """Scores out of what the model writes."""
        inputs = self.inputs(group)
        failure = self._too_long(max(len(fed.ids) for fed in inputs) + self._max_tokens)
        if failure is not None:
            return Scored(group.id, None, failure=failure.outcome, detail=failure.detail)
        ratings = []
        for fed in inputs:
            reply, _ = write(self.network, self.tokenizer, fed.ids, self._max_tokens)
            ratings.append(parse_rating(reply))
        total = sum(len(fed.ids) for fed in inputs)
        found = [float(rating) for rating in ratings if rating is not None]
        if len(found) < len(ratings):
            detail = f"{len(ratings) - len(found)} replies without a rating"
            return Scored(group.id, None, Tokens(total, total), Outcome.UNPARSED, detail)
        return Scored(group.id, tuple(found), Tokens(total, total))
