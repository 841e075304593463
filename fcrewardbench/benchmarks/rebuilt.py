"""The pairs of the recipe `rebuilt`: real mistakes of real models, made on the user's machine.

Nothing of it ships: `fcrb build --preset rebuilt` makes the file out of public result folders that the
user cloned, and its sha256 is the recipe's.
"""

from __future__ import annotations

from fcrewardbench.benchmarks.base import benchmark_of
from fcrewardbench.benchmarks.build.recipe import EDITION, NAME, cached_path, read_recipe, sha256_of
from fcrewardbench.benchmarks.errata import with_errata
from fcrewardbench.benchmarks.files import load_file
from fcrewardbench.errors import DataError
from fcrewardbench.types import Benchmark


def load() -> Benchmark:
    """The pairs out of the cache.

    Raises:
        DataError: they were not built yet, or the file is not the recipe's.
    """
    path = cached_path()
    recipe = read_recipe()
    if not path.is_file():
        raise DataError(f"The benchmark '{NAME}' is not built yet. {recipe.how_to_build()}")
    found = sha256_of(path)
    if found != recipe.sha256:
        raise DataError(
            f"{path} is not what the recipe '{NAME}' makes: its sha256 is {found}, not "
            f"{recipe.sha256}. {recipe.how_to_build()}"
        )
    items = with_errata(load_file(path).items, f"{NAME}/")
    return benchmark_of(NAME, EDITION, items, str(path))


def state() -> str:
    """Whether the file is there, for a list of benchmarks."""
    path = cached_path()
    if not path.is_file():
        return "not built; see docs/build.md"
    same = sha256_of(path) == read_recipe().sha256
    return "built" if same else "built by another version; build it anew"
