"""What a judge is asked: Jinja files, ours beside this one, or a user's own.

A prompt is a file of text with these variables, each of them a string:

* `tools`: the functions as JSON, one a line; `conversation`: its turns, a paragraph each;
* `first` and `second`, the two candidates of a pairwise prompt, or `candidate`, the one of a pointwise
  prompt. Which of them a prompt uses tells its kind.
* `ask`: "logprobs" where the answer is read from the first token, so that a pairwise prompt asks for A
  or B and a pointwise one for a number from 1 to 10; "text" where the judge writes and ends in `[[A]]`,
  `[[B]]` or `[[tie]]`, or in `[[n]]`.

The file's text becomes one user turn. It runs in Jinja's sandbox.
"""

from __future__ import annotations

import hashlib
import json
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from jinja2 import StrictUndefined, TemplateSyntaxError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from fcrewardbench.errors import UnknownName, UsageError
from fcrewardbench.render import candidate_text, conversation_text, tools_text
from fcrewardbench.types import Candidate, Prompt

Kind: TypeAlias = Literal["pairwise", "pointwise"]

ASKS = ("logprobs", "text")
SUFFIX = ".jinja"
CANDIDATE_NAMES: dict[Kind, tuple[str, ...]] = {
    "pairwise": ("first", "second"),
    "pointwise": ("candidate",),
}
"""The variables that hold a prompt's candidates, in their order."""

_SHARED_NAMES = ("tools", "conversation", "ask")
_KIND_MEANS: dict[Kind, str] = {"pairwise": "compares two candidates", "pointwise": "rates one"}
_FILENAME = "<prompt>"
_FOLDER = Path(__file__).parent


class JudgePrompt:
    """One prompt: its `name`, its `kind`, and the chats it makes.

    Args:
        name: what messages call it.
        source: its Jinja text.

    Raises:
        UsageError: the template is broken, or uses the variables of both kinds or of none.
    """

    def __init__(self, name: str, source: str) -> None:
        self.name = name
        self._source = source
        environment = ImmutableSandboxedEnvironment(
            undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        try:
            tree = environment.parse(source)
            code = environment.compile(tree, filename=_FILENAME)
        except TemplateSyntaxError as why:
            raise self._broken(why.lineno, why.message or "syntax error") from None
        self.kind = self._kind(tree)
        self._template = environment.template_class.from_code(environment, code, {})
        for ask in ASKS:
            self.messages(Prompt((), ()), [""] * len(CANDIDATE_NAMES[self.kind]), ask)

    def messages(
        self, prompt: Prompt, candidates: Sequence[Candidate], ask: str
    ) -> list[dict[str, str]]:
        """The chat that asks a judge.

        Args:
            prompt: what the candidates answer.
            candidates: two in the order shown for a pairwise prompt, one for a pointwise one.
            ask: "logprobs" or "text": how the answer will be read.

        Raises:
            UsageError: the template fails on them.
        """
        shown = zip(CANDIDATE_NAMES[self.kind], map(candidate_text, candidates), strict=True)
        try:
            text = self._template.render(
                tools=tools_text(prompt.tools),
                conversation=conversation_text(prompt.messages),
                ask=ask,
                **dict(shown),
            )
        except Exception as why:  # a template can do anything that Python can
            lines = [f.lineno for f in traceback.extract_tb(why.__traceback__) if _is_ours(f)]
            raise self._broken(lines[-1] if lines else None, str(why)) from None
        return [{"role": "user", "content": text.rstrip("\n")}]

    def sha256(self, ask: str) -> str:
        """The hash that a judge's run card names: of the template and of how it is asked."""
        return hashlib.sha256(json.dumps([self._source, ask]).encode()).hexdigest()

    def _kind(self, tree: nodes.Template) -> Kind:
        used = meta.find_undeclared_variables(tree)
        allowed = {*_SHARED_NAMES, *(name for names in CANDIDATE_NAMES.values() for name in names)}
        for node in tree.find_all(nodes.Name):
            if node.name in used - allowed:
                raise self._broken(
                    node.lineno,
                    f"there is no variable '{node.name}', only {', '.join(sorted(allowed))}",
                )
        touched = [kind for kind, names in CANDIDATE_NAMES.items() if used & set(names)]
        if len(touched) != 1 or not used.issuperset(CANDIDATE_NAMES[touched[0]]):
            raise self._broken(
                None, "it must show first and second (pairwise), or candidate alone (pointwise)"
            )
        return touched[0]

    def _broken(self, line: int | None, reason: str) -> UsageError:
        where = f", line {line}" if line else ""
        return UsageError(f"The judge prompt '{self.name}'{where}: {reason.removesuffix('.')}.")


def prompt_names() -> list[str]:
    """The prompts that have a name."""
    return sorted(path.stem for path in _FOLDER.glob(f"*{SUFFIX}"))


def load_prompt(name: str, kind: Kind) -> JudgePrompt:
    """A prompt by its name, or a user's own by its path, which ends in `.jinja`.

    Args:
        name: the name or path.
        kind: what the judge needs.

    Raises:
        UnknownName: there is no such name.
        UsageError: no such file, a broken template, or one of the other kind.
    """
    path = Path(name).expanduser() if name.endswith(SUFFIX) else _FOLDER / f"{name}{SUFFIX}"
    if not name.endswith(SUFFIX) and name not in prompt_names():
        raise UnknownName(
            "judge prompt", name, prompt_names(), "Your own is a path that ends in .jinja."
        )
    try:
        source = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as why:
        raise UsageError(f"The judge prompt {name} cannot be read: {why}.") from None
    prompt = JudgePrompt(name, source)
    if prompt.kind != kind:
        raise UsageError(
            f"The judge prompt '{name}' {_KIND_MEANS[prompt.kind]}, and this judge "
            f"{_KIND_MEANS[kind]}: choose a {kind} one."
        )
    return prompt


def _is_ours(frame: traceback.FrameSummary) -> bool:
    return frame.filename == _FILENAME
