"""A causal language model on this machine as a judge of two candidates, in both orders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from fcrewardbench.adapters.base import Judge
from fcrewardbench.adapters.network import LocalModel, devices_of, head_of
from fcrewardbench.adapters.replies import LEAST_LETTER_MASS, Choice, read_logprobs, read_text
from fcrewardbench.errors import UsageError
from fcrewardbench.prompts import ASKS, load_prompt
from fcrewardbench.scoring.groups import Asked, Task, windows, work_off
from fcrewardbench.types import Candidate, Compared, Group, Input, Prompt, Tokens, Verdict

if TYPE_CHECKING:
    from fcrewardbench.scoring.engine import Result
    from fcrewardbench.scoring.head import Head

TOP_LOGPROBS = 20

Answer = tuple[Verdict, str, str]
"""Verdict, reply and detail."""


class LocalJudge(LocalModel, Judge):
    """Asks a causal language model on this machine which of two candidates is right.

    Args:
        verdict: "logprobs": the more probable of the letters A and B as the answer's first token; or
            "text": the model writes (greedily, one question at a time), and the last `[[A]]`, `[[B]]`
            or `[[tie]]` of its reply counts, which a model that reasons first needs.
        prompt: what is asked: a pairwise prompt's name, or the path of your own `.jinja` file.
        max_tokens: the longest reply in `text` mode. Question and reply together must fit the model.
        options: those of `LocalModel`, `store` excepted.
    """

    auto_class = "AutoModelForCausalLM"
    plans = True

    def __init__(
        self,
        model: str,
        *,
        verdict: str = "logprobs",
        prompt: str = "pairwise",
        max_tokens: int = 1024,
        **options: Any,
    ) -> None:
        if verdict not in ASKS:
            raise UsageError(f"There is no verdict mode '{verdict}'; there are {', '.join(ASKS)}.")
        if max_tokens < 1:
            raise UsageError(f"max_tokens must be 1 or more, not {max_tokens}.")
        if options.get("store") is not None:
            raise UsageError("A judge gives verdicts, and a store keeps scores: leave it out.")
        self._prompt = load_prompt(prompt, "pairwise")
        self._ask = verdict
        self._max_tokens = max_tokens if verdict == "text" else 1
        # A reply is written with the network's own attention and cache.
        super().__init__(model, **(options if verdict == "logprobs" else no_sharing(options)))
        self._head: Head | None = None

    def verdict(self, prompt: Prompt, first: Candidate, second: Candidate) -> Verdict:
        (compared,) = self.compare_groups([Group("0", prompt, (first, second))])
        return compared.verdicts[0]

    def compare_groups(
        self, groups: Iterable[Group], done: frozenset[str] = frozenset()
    ) -> Iterator[Compared]:
        """Verdicts as they come; see `LocalScorer.score_groups`."""
        for window in windows(groups):
            if done.issuperset(group.id for group in window):
                continue
            if self._ask == "text":
                for group in window:
                    if group.id not in done:
                        task = self._task(group)
                        answers = [self._written(one[0].ids) for one in task.asked]
                        yield self._compared(task, answers)
                continue
            tasks = [self._task(group) for group in window]
            for task in work_off(tasks, self._compute, self._read, done=done):
                yield self._compared(task, task.ordered)

    def inputs(self, group: Group) -> tuple[Input, Input]:
        first, second = group.candidates
        return (self._input(group.prompt, first, second), self._input(group.prompt, second, first))

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

    def _input(self, prompt: Prompt, first: Candidate, second: Candidate) -> Input:
        messages = self._prompt.messages(prompt, (first, second), self._ask)
        return self.renderer.question(messages)

    def _task(self, group: Group) -> Task:
        both = self.inputs(group)
        failure = self._too_long(max(len(fed.ids) for fed in both) + self._max_tokens)
        if failure:
            return Task(group.id, failure=failure)
        return Task(group.id, [[Asked(f.ids, len(f.ids), (len(f.ids) - 1,))] for f in both])

    def _compared(self, task: Task, answers: Sequence[Answer]) -> Compared:
        if task.failure is not None:
            verdict = Verdict(task.failure.outcome.value)
            return Compared(task.group, (verdict, verdict), detail=task.failure.detail)
        (given, reply, told), (swapped, other_reply, other_told) = answers
        details = dict.fromkeys(detail for detail in (told, other_told) if detail)
        tokens = task.tokens
        if self._ask == "text":
            tokens = Tokens(tokens.naive, tokens.naive)
        return Compared(
            task.group, (given, swapped), tokens, (reply, other_reply), "; ".join(details)
        )

    def _read(self, results: Sequence[Result]) -> Answer:
        """The verdict in the probabilities of the answer's first token."""
        import torch

        (result,) = results
        assert result.states is not None
        if self._head is None:
            self._head = head_of(self.network)
        with torch.inference_mode():
            logits = self._head.logits(result.states.to(self.network.device))[0]
            if not logits.isfinite().all():
                return Verdict.ERROR, "", "a logit is not a finite number"
            top = logits.log_softmax(0).topk(TOP_LOGPROBS)
        tokens = [
            {"token": self.tokenizer.decode([index]), "logprob": logprob}
            for logprob, index in zip(top.values.tolist(), top.indices.tolist(), strict=True)
        ]
        logprobs = {"content": [{"top_logprobs": tokens}]}
        return read_logprobs(Choice.model_validate({"message": {}, "logprobs": logprobs}))

    def _written(self, ids: Sequence[int]) -> Answer:
        reply, ended = write(self.network, self.tokenizer, ids, self._max_tokens)
        reason = "stop" if ended else "length"
        return read_text(
            Choice.model_validate({"message": {"content": reply}, "finish_reason": reason})
        )


def no_sharing(options: dict[str, Any]) -> dict[str, Any]:
    """The options of a model that writes.

    Raises:
        UsageError: they ask for more than one device.
    """
    device = options.get("device") or devices_of(None)[0]
    if "," in device:
        raise UsageError("A model that writes its verdict runs on one device: name one.")
    return {**options, "device": device, "share_prompt": False}


def write(network: Any, tokenizer: Any, ids: Sequence[int], max_tokens: int) -> tuple[str, bool]:
    """A greedy reply to a prompt, and whether it came to its end."""
    import torch

    prompt = torch.tensor([list(ids)], device=network.device)
    with torch.inference_mode():
        output = network.generate(
            input_ids=prompt,
            attention_mask=torch.ones_like(prompt),
            do_sample=False,
            temperature=None,
            top_p=None,
            top_k=None,
            max_new_tokens=max_tokens,
            pad_token_id=tokenizer.pad_token_id or tokenizer.eos_token_id,
        )
    written = output[0, len(ids) :]
    text: str = tokenizer.decode(written, skip_special_tokens=True)
    return text, len(written) < max_tokens
