"""The wrong side: a task's distinct wrong candidates, who wrote them, and why one might accept them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from fcrewardbench.benchmarks.bfcl import Task
from fcrewardbench.benchmarks.build.reading import Answered, Output
from fcrewardbench.benchmarks.build.right import right_for
from fcrewardbench.types import Candidate, ErrorType


@dataclass(frozen=True, slots=True)
class Wrong:
    """A wrong candidate, its error, and the generators that wrote it."""

    candidate: Candidate
    error_type: ErrorType
    generators: tuple[str, ...]


def wrongs_of(answered: Answered) -> Iterator[Wrong]:
    """The wrong candidates of a task that a right one can stand beside, each meaning once."""
    some_passes = any(output.judged.error_type is None for output in answered.outputs)
    by_meaning: dict[str, list[Output]] = defaultdict(list)
    for output in answered.outputs:
        by_meaning[output.judged.meaning].append(output)
    for _, outputs in sorted(by_meaning.items()):
        judged = outputs[0].judged
        if judged.error_type is None:
            continue
        if some_passes or right_for(answered, judged.candidate) is not None:
            yield Wrong(
                judged.candidate,
                judged.error_type,
                tuple(sorted({output.generator for output in outputs})),
            )


def doubts_of(wrong: Wrong, task: Task) -> tuple[str, ...]:
    """Why a careful reader may accept it; about Java and JavaScript, which are text, none is known."""
    from fcrewardbench.calls.doubt import doubts

    if task.language != "python":
        return ()
    return doubts(wrong.candidate, task.answer or (), task.prompt)
