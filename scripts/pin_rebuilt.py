"""Write the recipe of the benchmark `rebuilt` anew from a folder of results.

    python scripts/pin_rebuilt.py RESULTS_FOLDER

RESULTS_FOLDER holds one folder a source, named as in SOURCES below. Run it whenever the parser, the
checker or the doubt checks change what comes out; every user then builds the new file.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from fcrewardbench.benchmarks import build
from fcrewardbench.benchmarks.bfcl import PYTHON_CATEGORIES
from fcrewardbench.benchmarks.build.layout import ResultFile, result_files
from fcrewardbench.benchmarks.build.recipe import (
    FILE,
    PinnedFile,
    Recipe,
    Source,
    recipe_text,
)
from fcrewardbench.benchmarks.build.results import read_file

_BOARD = "berkeley-function-call-leaderboard"
SOURCES = {
    "v3_apache_aaronwu901225main": Source(
        "aaronwu901225main/gorilla",
        "ef6d9b060e8e3eb7426e77ab860c7719edaa5115",
        f"{_BOARD}/BFCL_ENG_Response&Score/eng_result",
        "Apache-2.0",
    ),
    "v3_apache_0xayman": Source(
        "0xayman/llm-berkeley-fc-eval",
        "a9b68d428589b303a1307b48c90027fa6a914351",
        f"{_BOARD}/result",
        "Apache-2.0",
    ),
    "v4_apache_vgangal101": Source(
        "vgangal101/gorilla_bfcl",
        "989b9d19729a1263599857e408a084ac67561abf",
        f"{_BOARD}/results",
        "Apache-2.0",
    ),
    "v4_apache_gorilla_pr1319": Source(
        "ShishirPatil/gorilla", "refs/pull/1319/head", f"{_BOARD}/result", "Apache-2.0"
    ),
    "v4_apache_gorilla_pr1344": Source(
        "ShishirPatil/gorilla", "refs/pull/1344/head", f"{_BOARD}/result", "Apache-2.0"
    ),
    "v4_mit_ctrlg": Source(
        "limyixiang/Ctrl-G",
        "3376252dadf97134004f24d56b1ab01b6a52ae72",
        "bfcl/result",
        "MIT",
    ),
}
OPTIONS = {"quota": "natural", "drop_doubtful": True, "seed": 0}


def pinned_files(results: Path) -> list[PinnedFile]:
    """The result files in BFCL's Python categories, each under its source."""
    found = []
    for folder in SOURCES:
        for file in result_files([results / folder]):
            if isinstance(file, str):
                raise SystemExit(file)
            if file.category in PYTHON_CATEGORIES:
                found.append(_pinned(file, folder, results / folder))
    return found


def _pinned(file: ResultFile, folder: str, root: Path) -> PinnedFile:
    path = file.path.relative_to(root).as_posix()
    return PinnedFile(folder, path, file.generator, read_file(file).sha256)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("results", type=Path)
    results: Path = arguments.parse_args().results
    recipe = Recipe(SOURCES, tuple(pinned_files(results)), OPTIONS, "")
    built = build.build_recipe(recipe, [results])
    recipe = replace(recipe, sha256=built.report["sha256"])
    path = Path(build.__file__).with_name(FILE)
    path.write_text(recipe_text(recipe), encoding="utf-8")
    print(f"{path}: {len(recipe.files)} files, {len(built.records)} pairs, sha256 {recipe.sha256}")


if __name__ == "__main__":
    main()
