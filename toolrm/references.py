"""The data sets that no training data may overlap with: benchmarks, and downstream test sets."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from fcrewardbench import DataError, Prompt, Tool, load_benchmark
from fcrewardbench.benchmarks.bfcl import CATEGORIES, WHEELS, load_tasks
from fcrewardbench.benchmarks.build.recipe import cached_path
from fcrewardbench.benchmarks.open import EDITIONS
from fcrewardbench.calls.tools import tool_from
from fcrewardbench.packages import fetch
from toolrm.matching import Kind, Reference, reference_of

_SHARED: tuple[Kind, ...] = ("tool name", "tool schema")
"""What downstream sets may share with training data: some of their tools are of the same catalogues."""
_IN_DOMAIN = frozenset({"seal_tools", "hammer_format/sealtool", "nestful/non-executable-sgd"})
"""The downstream sets that come from where training data come from."""


def references(names: Sequence[str] = (), downstream: Path | None = None) -> list[Reference]:
    """BFCL's tasks, every subset of `open`, `rebuilt` where it is built, and what is asked for.

    Args:
        names: further benchmarks, as `load_benchmark` takes them.
        downstream: a folder with `hammer_format`, `seal_tools`, `toolalpaca`, `nestful` and `rotbench`
            as they are published.

    Raises:
        UnknownName: no such benchmark.
        DataError: a benchmark cannot be had, or the folder does not hold the sets.
    """
    ours = [f"open@{n}/{subset}" for n, subsets in EDITIONS.items() for subset in subsets]
    ours += ["rebuilt"] if cached_path().is_file() else []
    found = [bfcl(version) for version in WHEELS]
    found += map(benchmark, dict.fromkeys([*ours, *names]))
    if downstream is not None:
        found += downstream_sets(downstream)
    return list({reference.name: reference for reference in found}.values())


def benchmark(name: str) -> Reference:
    """A benchmark that `load_benchmark` takes."""
    loaded = load_benchmark(name)
    return reference_of(loaded.title, ((item.id, item.prompt) for item in loaded.items))


def bfcl(version: str) -> Reference:
    """All of BFCL: what `load_tasks` gives, and the tasks of the wheel that are not single-turn, that
    need a server, or that are no longer used."""
    wheel = fetch(WHEELS[version])
    tasks = {task.id: task.prompt for task in load_tasks(version, CATEGORIES, wheel).values()}
    with zipfile.ZipFile(wheel) as archive:
        rest = {
            item: prompt
            for member in archive.namelist()
            for item, prompt in _bfcl_prompts(archive, member)
            if item not in tasks
        }
    return reference_of(f"bfcl@{version}", (tasks | rest).items())


def _bfcl_prompts(archive: zipfile.ZipFile, member: str) -> Iterator[tuple[str, Prompt]]:
    folder, _, file = member.rpartition("/")
    if folder.endswith("/multi_turn_func_doc"):
        tools = tuple(tool_from(json.loads(line)) for line in archive.open(member))
        yield file, Prompt(tools, ())
    elif file.startswith("BFCL_") and folder.endswith(("/data", "/question")):
        if "format_sensitivity" in file:  # only names tasks of other files
            return
        for number, line in enumerate(archive.open(member), 1):
            row = json.loads(line)
            tools = tuple(map(tool_from, row.get("function") or ()))
            yield row.get("id") or f"{file}/{number}", Prompt(tools, tuple(_turns(row["question"])))


def _turns(question: Any) -> Iterator[dict[str, Any]]:
    """Messages out of text, a message, or lists of these in lists."""
    if isinstance(question, list):
        for part in question:
            yield from _turns(part)
    else:
        yield question if isinstance(question, dict) else _said(question)


def _said(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def downstream_sets(folder: Path) -> list[Reference]:
    """The test sets that trained models are judged on: their queries must not be trained on. Tools may
    be shared; the sets that come from where training data do are in-domain.

    Raises:
        DataError: the folder does not hold them.
    """
    if not folder.is_dir():
        raise DataError(
            f"There is no folder {folder}; give the one that holds the downstream sets."
        )
    hammer = sorted((folder / "hammer_format").glob("*.json"))
    nestful = sorted((folder / "nestful").glob("*/*-data.json"))
    try:
        sets = {
            **{f"hammer_format/{path.stem}": list(_hammer(path)) for path in hammer},
            "seal_tools": list(_seal_tools(folder / "seal_tools")),
            "toolalpaca": list(_toolalpaca(folder / "toolalpaca")),
            **{f"nestful/{p.stem.removesuffix('-data')}": list(_nestful(p)) for p in nestful},
            "rotbench": list(_rotbench(folder / "rotbench")),
        }
    except OSError as why:
        raise DataError(f"{folder} does not hold the downstream sets: {why}.") from None
    except (ValueError, KeyError, TypeError, AttributeError) as why:
        raise DataError(
            f"{folder} does not hold the downstream sets as they are published: {why!r}."
        ) from None
    missing = [
        name for name, found in (("hammer_format", hammer), ("nestful", nestful)) if not found
    ]
    missing += [name for name, prompts in sets.items() if not prompts]
    if missing:
        raise DataError(f"{folder} holds nothing of {' and '.join(missing)}; unpack it there.")
    return [
        reference_of(name, prompts, _SHARED, in_domain=name in _IN_DOMAIN)
        for name, prompts in sets.items()
    ]


def _hammer(path: Path) -> Iterator[tuple[str, Prompt]]:
    for number, row in enumerate(_json(path)):
        tools = tuple(map(tool_from, row["tools"]))
        yield str(number), Prompt(tools, tuple(_turns(row["query"])))


def _seal_tools(folder: Path) -> Iterator[tuple[str, Prompt]]:
    for path in sorted(folder.glob("test_*.jsonl")):
        for row in _lines(path):
            yield row["id"], Prompt((), (_said(row["query"]),))
    for row in _lines(folder / "tool.jsonl"):
        name = row["api_name"]
        schema = {"type": "object", "properties": row["parameters"], "required": row["required"]}
        tool = tool_from(
            {"name": name, "description": row["api_description"], "parameters": schema}
        )
        yield name, Prompt((tool,), ())


def _toolalpaca(folder: Path) -> Iterator[tuple[str, Prompt]]:
    for path in sorted(folder.glob("eval_*.json")):
        for row in _json(path):
            tools = tuple(
                _toolalpaca_tool(name, text)
                for name, text in row["Function_Description"].items()
                if name != "components"
            )
            yield f"{path.stem}/{row['Name']}", Prompt(tools, tuple(_turns(row["Instructions"])))


def _toolalpaca_tool(name: str, text: str) -> Tool:
    """Out of a description, its parameters as a line of JSON, and what the tool returns."""
    description, _, rest = text.partition("\nParameters: ")
    texts = json.loads(rest.partition("\n")[0] or "{}")
    parameters = {key: {"description": value} for key, value in texts.items()}
    return tool_from({"name": name, "description": description, "parameters": parameters})


def _nestful(path: Path) -> Iterator[tuple[str, Prompt]]:
    specification = path.with_name(path.name.replace("-data", "-spec"))
    tools = tuple(
        tool_from({**row, "parameters": row.get("query_parameters") or row.get("arguments")})
        for row in _json(specification)
    )
    yield specification.name, Prompt(tools, ())
    for number, row in enumerate(_json(path)):
        yield str(number), Prompt((), (_said(row["input"]),))


def _rotbench(folder: Path) -> Iterator[tuple[str, Prompt]]:
    for path in sorted(folder.glob("Data/*/*.json")):
        for number, row in enumerate(_json(path)):
            texts = {turn["from"]: turn["value"] for turn in row["conversations"][:2]}
            listed = (
                texts["system"].partition("following tools:\n")[2].partition("\n\nLet's Begin")[0]
            )
            said = texts["user"].rpartition("\nBegin!")[0] or texts["user"]
            yield (
                f"{path.parent.name}/{path.stem}/{number}",
                Prompt(tuple(map(tool_from, json.loads(listed))), (_said(said),)),
            )


def _json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def _lines(path: Path) -> Iterable[Any]:
    return map(json.loads, path.read_text("utf-8").splitlines())
