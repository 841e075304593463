"""Names → benchmarks."""

from __future__ import annotations

from pathlib import Path

from fcrewardbench.benchmarks import files, official
from fcrewardbench.benchmarks import open as open_set
from fcrewardbench.errors import UnknownName
from fcrewardbench.types import Benchmark


def descriptions() -> dict[str, str]:
    """What every name leads to."""
    from fcrewardbench.benchmarks import rebuilt

    newest, *older = sorted(open_set.EDITIONS, reverse=True)
    return {
        "open": f"FC-RewardBench-Open, edition {newest}, core",
        **{f"open/{name}": what for name, what in open_set.SUBSETS.items()},
        **{f"open@{n}": f"edition {n}: {', '.join(open_set.EDITIONS[n])}" for n in older},
        "rebuilt": f"real mistakes of tool-calling models ({rebuilt.state()})",
        "official": "the paper's 1,500 pairs, from the hub",
    }


def load_benchmark(name: str = "open") -> Benchmark:
    """Load a benchmark: `open`, `open@1`, `open/abstain`, `rebuilt`, `official`, a file, or a hub id.

    Names come first, then local files, then the hub; `path:` and `hub:` force one.

    Raises:
        UnknownName: no such benchmark, edition or subset.
        DataError: the data cannot be had, or is not what it should be.
    """
    if name.startswith("path:"):
        return files.load_file(Path(name.removeprefix("path:")).expanduser())
    if name.startswith("hub:"):
        return files.load_hub(name.removeprefix("hub:"))
    head, _, subset = name.partition("/")
    base, _, edition = head.partition("@")
    if base == "open":
        return open_set.load(_edition(edition), subset or "core")
    if name == "rebuilt":
        from fcrewardbench.benchmarks import rebuilt  # it brings the builder along

        return rebuilt.load()
    if name == "official":
        return official.load()
    path = Path(name).expanduser()
    if path.exists():
        return files.load_file(path)
    is_file = path.suffix in files.SUFFIXES
    if name.count("/") == 1 and not name.startswith((".", "/", "~")) and not is_file:
        return files.load_hub(name)
    raise UnknownName(
        "benchmark",
        name,
        descriptions(),
        "It is no file either, and a hub id looks like owner/name.",
    )


def _edition(text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal():
        raise UnknownName("edition of 'open'", text, map(str, open_set.EDITIONS))
    return int(text)


def pinned(name: str, benchmark: Benchmark) -> str:
    """The name that will lead to this very benchmark when there are newer editions."""
    is_open = benchmark.name == open_set.NAME and benchmark.subset  # a file may be called open, too
    return benchmark.title if is_open else name
