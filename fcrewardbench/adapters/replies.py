"""What a chat-completions server answers, and the verdict in it.

Read with its own few fields, since servers that call themselves compatible leave out or misspell the
rest.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, Field, ValidationError

from fcrewardbench.types import Verdict

if TYPE_CHECKING:
    from openai import APIStatusError, OpenAIError


class NoCompletion(Exception):
    """No usable answer, for a reason that asking again would not mend; the message is the reason."""


class Usage(BaseModel):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Alternative(BaseModel):
    token: str
    logprob: Annotated[float, Field(le=0.01)]  # which NaN is not


class _Token(BaseModel):
    top_logprobs: list[_Alternative] | None = None


class _Logprobs(BaseModel):
    content: list[_Token] | None = None


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None
    logprobs: _Logprobs | None = None


class Completion(BaseModel):
    """The fields of a chat completion that are read here; reasoning_content is not, on purpose."""

    choices: Annotated[list[Choice], Field(min_length=1)]
    usage: Usage | None = None
    model: str | None = None
    system_fingerprint: str | None = None


_TOO_LONG = re.compile(
    r"context_length_exceeded|exceed_context_size"
    r"|(?:context|model) (?:length|window|size)|prompt is too long|maximum number of tokens"
    r"|must have less than \d+ tokens",
    re.IGNORECASE,
)
_REFUSED = re.compile(
    r"content_filter|content_policy|content (?:management )?policy|moderation",
    re.IGNORECASE,
)


def failure_of(why: OpenAIError) -> Verdict:
    """The verdict that an error stands for."""
    from openai import APIStatusError

    if isinstance(why, APIStatusError) and why.status_code in (400, 403, 413, 422):
        told = body_of(why)
        if _TOO_LONG.search(told):
            return Verdict.TOO_LONG
        if _REFUSED.search(told):
            return Verdict.REFUSED
    return Verdict.ERROR


def body_of(why: APIStatusError) -> str:
    return why.body if isinstance(why.body, str) else json.dumps(why.body, default=str)


def message_of(why: APIStatusError) -> str:
    """The server's own sentence, in the shapes of OpenAI, vLLM, FastAPI; else the whole body."""
    if isinstance(why.body, dict):
        for key in ("message", "detail"):
            if isinstance(why.body.get(key), str):
                return str(why.body[key])
    return body_of(why)


def read_completion(body: bytes) -> Completion:
    try:
        return Completion.model_validate_json(body)
    except ValidationError as why:
        problem = why.errors(include_url=False)[0]
        where = ".".join(map(str, problem["loc"]))
        told = f"{where}: {problem['msg']}" if where else problem["msg"]
        text = body.decode(errors="replace")
        raise NoCompletion(f"the answer is no chat completion ({told}): {text}") from None


# ── what a judge said ────────────────────────────────────────────────────────────────────────────

LEAST_LETTER_MASS = 0.01
RATINGS = range(1, 11)
"""What a pointwise prompt asks for."""
_VERDICTS = {"A": Verdict.FIRST, "B": Verdict.SECOND, "TIE": Verdict.TIE}
_LAST_VERDICT = re.compile(r"\[\[\s*(A|B|TIE)\s*\]\]", re.IGNORECASE)
_LAST_RATING = re.compile(r"\[\[\s*([-+]?\d[\d.,/]*)\s*\]\]", re.ASCII)
_REASONING_TAG = re.compile(r"<(/?)(?:think|thinking|reasoning)>", re.IGNORECASE)
_AROUND_LETTER = (
    " \t\r\n\v\f\u00a0\u0120\u010a\u2581"  # white space, also as vocabularies write it: Ġ, Ċ, ▁
    "'\"`\u2018\u2019\u201c\u201d()[]{}<>*_#~.:"  # quotes, brackets, markdown
)


def parse_verdict(reply: str) -> Verdict:
    """The last `[[A]]`, `[[B]]` or `[[tie]]` after a reply's reasoning, or UNPARSED."""
    found = _LAST_VERDICT.findall(reply, _end_of_reasoning(reply))
    return _VERDICTS[found[-1].upper()] if found else Verdict.UNPARSED


def parse_rating(reply: str) -> int | None:
    """The last `[[n]]` after a reply's reasoning; None where it is no whole number from 1 to 10."""
    found = _LAST_RATING.findall(reply, _end_of_reasoning(reply))
    if not found or not found[-1].isdecimal():
        return None
    rating = int(found[-1])
    return rating if rating in RATINGS else None


def _end_of_reasoning(reply: str) -> int:
    """Where a reply's own words begin; at its end where it is still reasoning."""
    after = 0
    for tag in _REASONING_TAG.finditer(reply):
        after = tag.end() if tag[1] else len(reply)
    return after


def letter_of(token: str) -> str | None:
    """A or B, bare or dressed, in lower case only bare (" a" is an article); else None."""
    letter = token.upper() if token in ("a", "b") else token.strip(_AROUND_LETTER)
    return letter if letter in ("A", "B") else None


def read_text(choice: Choice) -> tuple[Verdict, str, str]:
    """Verdict, reply and detail of a written judgement."""
    content = choice.message.content or ""
    if choice.message.refusal or choice.finish_reason == "content_filter":
        return Verdict.REFUSED, choice.message.refusal or content, ""
    if choice.finish_reason == "error":
        return Verdict.ERROR, content, "the server's finish_reason is 'error'"
    if choice.finish_reason == "length" and not content.rstrip().endswith("]]"):
        return Verdict.UNPARSED, content, "cut off at max_tokens"
    return parse_verdict(content), content, ""


def read_logprobs(choice: Choice) -> tuple[Verdict, str, str]:
    """Verdict, most probable tokens and detail of a one-token judgement.

    The verdict is the letter with the larger sum of probabilities over all tokens that spell it, if
    both together have at least LEAST_LETTER_MASS: a model that wants to say something else has none.
    """
    if choice.message.refusal or choice.finish_reason == "content_filter":
        return Verdict.REFUSED, choice.message.refusal or "", ""
    tokens = choice.logprobs.content if choice.logprobs else None
    top = tokens[0].top_logprobs if tokens else None
    if not top:
        return Verdict.ERROR, "", "the answer has no log-probabilities"
    letters = {"A": 0.0, "B": 0.0}
    others: list[tuple[float, str]] = []
    for alternative in top:
        probability = math.exp(alternative.logprob)
        letter = letter_of(alternative.token)
        if letter:
            letters[letter] += probability
        else:
            others.append((probability, alternative.token.strip()))
    first, second = letters["A"], letters["B"]
    shown = [(first, "A"), (second, "B"), *sorted(others, reverse=True)[:3]]
    reply = " ".join(f"{token} {mass:.2g}" for mass, token in shown)
    if first + second < LEAST_LETTER_MASS:
        return Verdict.UNPARSED, reply, ""
    if first == second:
        return Verdict.TIE, reply, ""
    return Verdict.FIRST if first > second else Verdict.SECOND, reply, ""
