"""Where BFCL's result files lie and what their names say, in every version's layout."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fcrewardbench.benchmarks.bfcl import CATEGORIES, LANGUAGES
from fcrewardbench.errors import DataError, UnknownName

_NAME = re.compile(
    r"(?:BFCL_(?P<version>v\d+)|gorilla_openfunctions_v1_test)_(?P<category>.+)_result"
)
_VERSIONS = ("v1", "v2", "v3", "v4")
# Version 1 says "multiple_function"; versions 1 to 3 say "simple" where 4 says "simple_python".
_CATEGORY_NAMES = {
    "simple": "simple_python",
    "java": "simple_java",
    "javascript": "simple_javascript",
    "multiple_function": "multiple",
    "parallel_function": "parallel",
    "parallel_multiple_function": "parallel_multiple",
    "relevance": "irrelevance",
}
# Folders between a model's own and its files.
_BETWEEN = frozenset(
    {
        *("live", "non_live", "multi_turn", "agentic", "format_sensitivity"),
        *("memory", "kv", "vector", "rec_sum", "web_search"),
    }
)


@dataclass(frozen=True, slots=True)
class ResultFile:
    """One result file.

    `category` is named as in v4, or as the file is where BFCL's single-turn data have none of that
    name; `prefix` is what the file's own ids may begin with in its version.
    """

    path: Path
    version: str
    category: str
    prefix: str
    generator: str

    @property
    def known(self) -> bool:
        """Whether it is one of BFCL's single-turn categories."""
        return self.category in CATEGORIES


def categories_of(languages: Sequence[str]) -> tuple[str, ...]:
    """The categories with a checkable answer in these languages.

    Raises:
        UnknownName: a language that BFCL's tools are not written in.
    """
    for language in languages:
        if language not in LANGUAGES.values():
            raise UnknownName("language", language, LANGUAGES.values())
    return tuple(category for category, language in LANGUAGES.items() if language in languages)


def result_files(folders: Sequence[Path]) -> Iterator[ResultFile | str]:
    """Every result file under the folders, each once, in the order of their paths; links are followed.

    A file that ends in `_result.json` without BFCL's name, a folder that holds no result file, and
    what cannot be opened come as a sentence that says so.

    Raises:
        DataError: a folder does not exist.
    """
    seen: set[Path] = set()
    for folder in folders:
        if not folder.is_dir():
            raise DataError(
                f"There is no folder {folder}; --results wants folders of result files."
            )
        unread: list[str] = []
        paths = sorted(_found(folder, unread))
        yield from sorted(unread)
        if not paths:
            yield (
                f"{_shown(folder)}: no file is named BFCL_<version>_<category>_result.json or "
                "gorilla_openfunctions_v1_test_<category>_result.json; give the folder that holds them."
            )
        for path in paths:
            # A link to a file is a file of the folder that it lies in.
            place = path.parent.resolve() / path.name
            if place not in seen:
                seen.add(place)
                yield _described(path)


def _found(folder: Path, unread: list[str]) -> Iterator[Path]:
    """The files under a folder that are named like results; sentences on others go to `unread`."""

    def fail(why: OSError) -> None:
        unread.append(f"{_shown(Path(why.filename))}: it cannot be opened ({why.strerror}).")

    entered: set[Path] = set()
    for parent, folders, names in os.walk(folder, onerror=fail, followlinks=True):
        here = Path(parent)
        entered.add(here.resolve())
        folders[:] = [name for name in sorted(folders) if (here / name).resolve() not in entered]
        for name in names:
            path = here / name
            if not is_result_name(name):
                continue
            if path.is_file():
                yield path
            else:
                unread.append(f"{_shown(path)}: it is no file, or a link to nothing.")


def is_result_name(name: str) -> bool:
    """Whether a file of this name is taken for one with results."""
    return name.endswith(("_result.json", "_result.jsonl"))


def _shown(path: Path) -> str:
    """A path as text that can be written; bytes that are not UTF-8 are "?"."""
    return str(path).encode(errors="replace").decode()


def _described(path: Path) -> ResultFile | str:
    if any(_shown(place) != str(place) for place in (path, path.parent.resolve())):
        return f"{_shown(path)}: its name, or a folder's, is not UTF-8; rename it."
    name = _NAME.fullmatch(path.stem)
    if name is None:
        return (
            f"{path}: an unknown layout, its name is neither BFCL_<version>_<category>_result.json "
            "nor gorilla_openfunctions_v1_test_<category>_result.json; rename it."
        )
    version = name["version"] or "v1"
    if version not in _VERSIONS:
        return f"{path}: there is no BFCL {version} here; known are {', '.join(_VERSIONS)}."
    category = name["category"]
    return ResultFile(
        path, version, _CATEGORY_NAMES.get(category, category), category, generator_of(path)
    )


def generator_of(path: Path) -> str:
    """The model's name: its folder's, whatever lies between."""
    folders = [part for part in path.parent.resolve().parts if part not in _BETWEEN]
    return folders[-1]
