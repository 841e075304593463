"""Granite Guardian as a scorer: is a call of this candidate hallucinated, yes or no?"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fcrewardbench.adapters.local import LocalScorer
from fcrewardbench.errors import ModelError, UsageError
from fcrewardbench.render import candidate_text, common_length, conversation_text
from fcrewardbench.scoring.groups import Asked
from fcrewardbench.types import Candidate, Group, Input, Prompt

if TYPE_CHECKING:
    from fcrewardbench.scoring.engine import Result


@dataclass(frozen=True, slots=True)
class _Form:
    """How a generation of Granite Guardian is asked about function calls, and what it may answer."""

    config: dict[str, str]
    tools_turn: bool
    risk: str
    safe: str


FORMS = {
    "3.1": _Form({"risk_name": "function_call"}, True, "Yes", "No"),
    "3.3": _Form(
        {"criteria_id": "function_call"}, False, "<score> yes </score>", "<score> no </score>"
    ),
}


class Guardian(LocalScorer):
    """Granite Guardian's yes or no: the log-odds that no function call is hallucinated.

    Its own chat template asks the question. A candidate's score is the log-probability of the safe
    answer minus that of the risky one, so that 0 is where the model's verdict turns. A conversation of
    more than one turn goes into the user's turn, as text.

    Args:
        form: "3.1" (3.0 to 3.2: tools in a turn of their own, Yes or No) or "3.3" (available_tools,
            <score> yes </score>, without thinking).
        options: those of `LocalScorer`.

    Raises:
        UsageError: there is no such form.
    """

    auto_class = "AutoModelForCausalLM"
    with_logprobs = True
    sequences_per_candidate = 2

    def __init__(self, model: str, *, form: str, **options: Any) -> None:
        if form not in FORMS:
            raise UsageError(f"There is no form '{form}'; there are {', '.join(FORMS)}.")
        super().__init__(model, **options)
        self._form_name = form
        self._form = FORMS[form]

    def inputs(self, group: Group) -> tuple[Input, ...]:
        """The question about each candidate, up to where the answer begins."""
        questions = [self._question(group.prompt, candidate) for candidate in group.candidates]
        found = [(question, self._ids(question)) for question in questions]
        return tuple(Input(question, ids, len(ids)) for question, ids in found)

    def describe(self) -> dict[str, Any]:
        form = self._form
        parts = [self.tokenizer.chat_template, form.config, form.tools_turn, form.risk, form.safe]
        return {
            **super().describe(),
            "form": self._form_name,
            "template_sha256": hashlib.sha256(json.dumps(parts).encode()).hexdigest(),
            "native_tools": True,
            "native_calls": False,
        }

    def asked(self, group: Group) -> list[list[Asked]]:
        asked = []
        for question in self.inputs(group):
            answers = [self._ids(question.text + a) for a in (self._form.risk, self._form.safe)]
            asked.append([Asked(ids, common_length(question.ids, ids)) for ids in answers])
        return asked

    def _value(self, results: Sequence[Result]) -> float:
        risk, safe = (result.logprobs for result in results)
        assert risk is not None
        assert safe is not None
        return float(safe.sum() - risk.sum())

    def _ids(self, text: str) -> tuple[int, ...]:
        return tuple(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def _question(self, prompt: Prompt, candidate: Candidate) -> str:
        """The text up to the answer.

        Raises:
            ModelError: the chat template shows no tools or calls, so it is not Granite Guardian's.
        """
        tools = [tool.as_openai()["function"] for tool in prompt.tools]
        only = prompt.messages[0] if len(prompt.messages) == 1 else None
        asked = only["content"] if only else conversation_text(prompt.messages)
        messages = [
            {"role": "user", "content": asked},
            {"role": "assistant", "content": candidate_text(candidate)},
        ]
        more: dict[str, Any] = {"available_tools": tools, "think": False}
        if self._form.tools_turn:
            messages.insert(0, {"role": "tools", "content": json.dumps(tools, indent=2)})
            more = {}
        text: str = self.tokenizer.apply_chat_template(
            messages,
            guardian_config=self._form.config,
            tokenize=False,
            add_generation_prompt=True,
            **more,
        )
        calls = () if isinstance(candidate, str) else candidate
        names = [*(tool.name for tool in prompt.tools), *(call.name for call in calls)]
        missing = [name for name in names if name not in text]
        if missing:
            raise ModelError(
                f"The model's chat template does not show '{missing[0]}', so it is not that of a "
                "Granite Guardian of this form: choose another --option form or --adapter."
            )
        return text
