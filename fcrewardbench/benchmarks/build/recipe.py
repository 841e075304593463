"""A pinned recipe: which outputs of which public repositories make a benchmark, and its sha256."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

from fcrewardbench.benchmarks.build.layout import ResultFile, result_files
from fcrewardbench.benchmarks.build.results import ReadFile, read_file
from fcrewardbench.errors import DataError
from fcrewardbench.packages import cache_folder

NAME = "rebuilt"
EDITION = "1"
FILE = f"{NAME}.json"


@dataclass(frozen=True, slots=True)
class Source:
    """A public repository: at a commit, or as a pull request left it."""

    repository: str
    revision: str
    folder: str
    licence: str

    def clone(self) -> str:
        """The commands that put it under the current folder."""
        into = shlex.quote(f"{self.repository.replace('/', '__')}-{self._short()}")
        lines = (
            f"git clone --filter=blob:none --no-checkout https://github.com/{self.repository} {into}",
            f"git -C {into} fetch origin {shlex.quote(self.revision)}",
            f"git -C {into} sparse-checkout set --no-cone {shlex.quote('/' + self.folder)}",
            f"git -C {into} checkout FETCH_HEAD",
        )
        return "\n".join(lines)

    def _short(self) -> str:
        """A commit's first signs, or "pull-1319": two pull requests of a repository are two folders."""
        return self.revision.removeprefix("refs/").removesuffix("/head").replace("/", "-")[:12]


@dataclass(frozen=True, slots=True)
class PinnedFile:
    """One result file: its path in its source's folder, whose outputs it holds, and the hash of what
    it says (`ReadFile.sha256`)."""

    source: str
    path: str
    generator: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """Sources by repository and revision, their files, the builder's options, and what comes out."""

    sources: dict[str, Source]
    files: tuple[PinnedFile, ...]
    options: dict[str, Any]
    sha256: str

    def how_to_build(self, sources: Iterable[str] = ()) -> str:
        """What to run, with the commands that fetch the sources named, or all."""
        names = sorted(sources) or list(self.sources)
        clones = "\n".join(self.sources[name].clone() for name in names)
        build = f"fcrb build --preset {NAME} --results ."
        return f"Clone the sources into a folder and build:\n{clones}\n{build}"

    def read(self, results: Sequence[Path]) -> list[ReadFile]:
        """The recipe's files, found by what they say wherever they lie; any others are left alone.

        Raises:
            DataError: some are missing; the message has the commands that fetch them.
        """
        names = {Path(file.path).name for file in self.files}
        found: dict[str, ReadFile] = {}
        for file in result_files(results):
            if isinstance(file, ResultFile) and file.path.name in names:
                read = read_file(file)
                found.setdefault(f"{file.path.name} {read.sha256}", read)
        missing = [file for file in self.files if _key(file) not in found]
        if missing:
            sources = {file.source for file in missing}
            which = ", ".join(
                f"{self.sources[name].repository} ({sum(f.source == name for f in missing)})"
                for name in sorted(sources)
            )
            raise DataError(
                f"{len(missing)} of the {len(self.files)} files of the recipe '{NAME}' are not under "
                f"{', '.join(map(str, results))}. Missing are files of {which}. "
                f"{self.how_to_build(sources)}"
            )
        return [_as_pinned(found[_key(file)], file) for file in self.files]


def _key(file: PinnedFile) -> str:
    return f"{Path(file.path).name} {file.sha256}"


def _as_pinned(read: ReadFile, file: PinnedFile) -> ReadFile:
    return replace(read, file=replace(read.file, generator=file.generator))


def read_recipe() -> Recipe:
    """The recipe that the package ships."""
    text = (resources.files(__package__) / FILE).read_text(encoding="utf-8")
    data = json.loads(text)
    return Recipe(
        sources={name: Source(**source) for name, source in data["sources"].items()},
        files=tuple(PinnedFile(*row) for row in data["files"]),
        options=data["options"],
        sha256=data["sha256"],
    )


def recipe_text(recipe: Recipe) -> str:
    """The recipe as its file holds it: one result file a line."""
    sources = {
        name: {
            "repository": source.repository,
            "revision": source.revision,
            "folder": source.folder,
            "licence": source.licence,
        }
        for name, source in recipe.sources.items()
    }
    rows = [[file.source, file.path, file.generator, file.sha256] for file in recipe.files]
    lines = ",\n".join(f"    {json.dumps(row, ensure_ascii=False)}" for row in rows)
    return (
        f'{{\n  "sources": {json.dumps(sources, indent=4)},\n'
        f'  "options": {json.dumps(recipe.options)},\n'
        f'  "sha256": "{recipe.sha256}",\n'
        f'  "files": [\n{lines}\n  ]\n}}\n'
    )


def cached_path() -> Path:
    """Where the built file lies."""
    return cache_folder() / "benchmarks" / f"{NAME}-{EDITION}.jsonl"


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
