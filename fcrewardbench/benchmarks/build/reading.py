"""Result folders → judged outputs by task, and an account of everything that was read."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from fcrewardbench.benchmarks.bfcl import LANGUAGES, NO_CALL_CATEGORIES, Task
from fcrewardbench.benchmarks.build.judge import Judged, judge
from fcrewardbench.benchmarks.build.layout import ResultFile, categories_of, result_files
from fcrewardbench.benchmarks.build.results import Left, Line, ReadFile, leave_out, read_file
from fcrewardbench.benchmarks.build.tasks import Catalogue, line_id, load_catalogue
from fcrewardbench.errors import DataError

Progress: TypeAlias = Callable[[int, int], None]
"""Called with the number of files done and of all files."""

# Where so many outputs are written in a script that their English questions lack, the questions were
# others. Numbers and names stay as they are in translation, so that it is never all of them.
_FOREIGN_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Output:
    """What one model answered to one task, judged."""

    generator: str
    judged: Judged


@dataclass(frozen=True, slots=True)
class Answered:
    """A task and all outputs for it, in an order that does not depend on where they lay."""

    task: Task
    outputs: tuple[Output, ...]


@dataclass
class Account:
    """What was read: outputs by generator and category, dialects, verdicts, what was left out."""

    outputs: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    dialects: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def leave(self, left: Iterable[Left]) -> None:
        for item in left:
            self.left_out[item.reason] += item.count
            if item.problem:
                self.problems.append(item.problem)


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that result folders hold: answered tasks in BFCL's order, and the account."""

    answered: tuple[Answered, ...]
    account: Account


def read_results(
    results: Sequence[Path],
    *,
    languages: Sequence[str] = ("python",),
    progress: Progress = lambda done, total: None,
) -> Reading:
    """Read and judge every result file under the folders.

    Raises:
        DataError: a folder does not exist, or BFCL's own data cannot be had.
        UnknownName: no such language.
    """
    wanted = categories_of(languages)
    account = Account()
    files: list[ResultFile] = []
    for found in result_files(results):
        if isinstance(found, str):
            account.problems.append(found)
        elif found.category in wanted:
            files.append(found)
        else:
            account.leave([leave_out(found, _reason(found))])
    read = (read_file(file) for file in files)
    return judge_files(counted(read, len(files), progress), account)


def counted(files: Iterable[ReadFile], total: int, progress: Progress) -> Iterator[ReadFile]:
    """The files, each reported as done when the next one is asked for."""
    for done, file in enumerate(files, 1):
        yield file
        progress(done, total)


def _reason(file: ResultFile) -> str:
    if file.category in NO_CALL_CATEGORIES:
        return "irrelevance: no call is due"
    if file.category in LANGUAGES:
        return f"{LANGUAGES[file.category]}: a language not asked for"
    if file.known:
        return "relevance: BFCL has no answer"
    return f"{file.category}: not a single-turn category with answers"


def judge_files(files: Iterable[ReadFile], account: Account) -> Reading:
    """Give every line to its task and judge it."""
    catalogue = load_catalogue()
    found: dict[str, list[Output]] = defaultdict(list)
    known: dict[tuple[str, str], Judged | str] = {}
    first: dict[tuple[str, str, str], Path] = {}
    for read in files:
        account.leave(read.left)
        file = read.file
        key = (file.generator, file.category, read.sha256)
        if read.lines and key in first:
            problem = f"{file.path}: the same outputs as {first[key]}; they count once."
            account.leave([Left("the same file twice", len(read.lines), problem)])
            continue
        first[key] = file.path
        for line, task in _assigned(read, catalogue, account):
            # Not `line.text`, whose keys are sorted: which order comes first depends on the folders.
            place = (task.id, json.dumps(line.output))
            if place not in known:
                known[place] = _judged(line, task)
            verdict = known[place]
            if isinstance(verdict, str):
                account.leave([Left("cannot be judged", 1, f"{line.where}: {verdict}")])
                continue
            found[task.id].append(Output(file.generator, verdict))
            account.outputs[file.generator][file.category] += 1
            account.dialects[verdict.dialect] += 1
            account.verdicts[verdict.error_type.value if verdict.error_type else "right"] += 1
    tasks = {t.id: t for version in ("v4", "v3") for t in catalogue.tasks[version].values()}
    return Reading(
        tuple(
            Answered(task, tuple(sorted(found[id], key=_place)))
            for id, task in tasks.items()
            if id in found
        ),
        account,
    )


def _place(output: Output) -> tuple[str, str, str]:
    return (output.generator, output.judged.meaning, repr(output.judged.candidate))


def _judged(line: Line, task: Task) -> Judged | str:
    try:
        return judge(line.output, task)
    except (DataError, OverflowError, RecursionError) as why:
        return str(why)


def _assigned(read: ReadFile, catalogue: Catalogue, account: Account) -> list[tuple[Line, Task]]:
    """The lines of a file with their tasks, unless the file as a whole answers something else."""
    file = read.file
    pairs: list[tuple[Line, Task]] = []
    unknown: list[Left] = []
    others: list[Left] = []
    twice: list[Left] = []
    seen: dict[str, str] = {}
    foreign = 0
    for line in read.lines:
        task = catalogue.find(file, line.record)
        own = line_id(line.record)
        if task is None:
            problem = f"{line.where}: BFCL {file.version} has no '{own}' in {file.category}."
            unknown.append(Left("unknown id", 1, problem))
        elif task.id in seen:
            problem = f"{line.where}: the id '{own}' stands twice, first at {seen[task.id]}."
            twice.append(Left("duplicate id", 1, problem))
        elif not _same_question(line.record, task):
            problem = f"{line.where}: its question is not that of BFCL's '{own}'."
            others.append(Left("another question", 1, problem))
        else:
            seen[task.id] = line.where
            foreign += bool(_scripts(line.text) - _scripts(_asked(task)))
            pairs.append((line, task))
    total = len(read.lines)
    if 2 * len(unknown) > total:
        problem = (
            f"{file.path}: {len(unknown)} of {total} ids are not BFCL {file.version}'s "
            f"({unknown[0].problem}) Name the file after the version that it answers."
        )
        account.leave([Left("unknown id", total, problem)])
        return []
    if 2 * len(others) > total or foreign > _FOREIGN_SHARE * total:
        why = (
            others[0].problem
            if others
            else f"{foreign} of {total} outputs are in a script that their questions do not use."
        )
        problem = f"{file.path}: answers to translated or other questions, left out: {why}"
        account.leave([Left("translated", total, problem)])
        return []
    account.leave(unknown + twice + others)
    return pairs


def _same_question(record: Mapping[str, Any], task: Task) -> bool:
    """Whether the question that a line carries, where it does, is the task's."""
    asked = _text_of(record.get("question"))
    contents = [str(message["content"]) for message in task.prompt.messages]
    return not asked or " ".join(asked.split()) in (
        " ".join(" ".join(contents).split()),
        " ".join(contents[-1].split()),
    )


def _text_of(question: Any, lists: int = 2) -> str:
    """The text of a question: in v1 it is one, later a list of lists of turns, at most."""
    if isinstance(question, list) and lists:
        return " ".join(_text_of(part, lists - 1) for part in question)
    if isinstance(question, Mapping):
        return str(question.get("content", ""))
    return question if isinstance(question, str) else ""


def _asked(task: Task) -> str:
    """Everything that a task's prompt says."""
    tools = [tool.original for tool in task.prompt.tools]
    return f"{task.prompt.messages} {tools}"


def _scripts(text: str) -> frozenset[str]:
    """The scripts of a text's letters ("CJK", "CYRILLIC"), without Latin and Greek."""
    if text.isascii():
        return frozenset()
    names = (unicodedata.name(c, "LATIN") for c in set(text) if not c.isascii() and c.isalpha())
    found = frozenset(name.split()[0].split("-")[0] for name in names)
    return found - {"LATIN", "GREEK"}
