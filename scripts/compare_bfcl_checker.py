"""Our checker beside BFCL's own, on real model outputs.

Imports decoders and checker out of the pinned `bfcl-eval` wheel, with stubs for its model table and
for the modules that need what it requires. Development only.

    python scripts/compare_bfcl_checker.py RESULTS_FOLDER [--languages NAME…] [--show N]
        [--at-least SHARE]

RESULTS_FOLDER holds BFCL result files, nested or flat, v3 or v4 (`BFCL_v4_<category>_result.json`).
For Java and JavaScript, BFCL's decoders need the parsers that its wheel pins:

    pip install tree_sitter==0.21.3 tree-sitter-java==0.21.0 tree-sitter-javascript==0.21.4
"""

from __future__ import annotations

import argparse
import atexit
import importlib
import json
import shutil
import sys
import tempfile
import time
import warnings
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from fcrewardbench.benchmarks.bfcl import LANGUAGES, WHEELS, Task, load_tasks
from fcrewardbench.calls.check import Checked, check
from fcrewardbench.calls.parse import Parsed, parse
from fcrewardbench.calls.typed_values import Language
from fcrewardbench.packages import fetch
from fcrewardbench.types import ErrorType

V3_CATEGORIES = {
    "simple": "simple_python",
    "java": "simple_java",
    "javascript": "simple_javascript",
}
MODEL_TABLE = "bfcl_eval.constants.model_config"
TREE_SITTER_PARSERS = (
    "bfcl_eval.model_handler.parser.java_parser",
    "bfcl_eval.model_handler.parser.js_parser",
)
STUBS = (
    "bfcl_eval.model_handler.local_inference.base_oss_handler",
    "overrides",
    "tenacity",
    "filelock",
    "dotenv",
)


class _Stub(ModuleType):
    """A module in which every name is a class that does nothing."""

    def __getattr__(self, name: str) -> Any:
        if name == "override":
            return lambda function: function
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


Decoder = Callable[[Any, Language], Any]


def load_original(
    languages: Sequence[Language],
) -> tuple[Callable[..., Any], dict[str, Decoder]]:
    """BFCL's checker, and its decoders by the kind of model they belong to."""
    unpacked = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, unpacked)
    with zipfile.ZipFile(fetch(WHEELS["v4"])) as archive:
        archive.extractall(unpacked)
    sys.path.insert(0, unpacked)
    stubs = STUBS if set(languages) - {"python"} else (*STUBS, *TREE_SITTER_PARSERS)
    sys.modules.update({name: _Stub(name) for name in stubs})
    table = ModuleType(MODEL_TABLE)
    plain = SimpleNamespace(underscore_to_dot=False)
    table.MODEL_CONFIG_MAPPING = defaultdict(lambda: plain)  # type: ignore[attr-defined]
    sys.modules[MODEL_TABLE] = table
    decoder_modules = "bfcl_eval.model_handler.local_inference"

    def of(module: str, handler: str) -> Decoder:
        cls = getattr(importlib.import_module(f"{decoder_modules}.{module}"), handler)
        instance = cls.__new__(cls)
        return lambda result, language: instance.decode_ast(
            result, enums.ReturnFormat(language), False
        )

    checker = importlib.import_module("bfcl_eval.eval_checker.ast_eval.ast_checker")
    enums = importlib.import_module("bfcl_eval.constants.enums")
    handler = importlib.import_module("bfcl_eval.model_handler.utils")
    decoders = {
        "Qwen3-8B-FC": of("qwen_fc", "QwenFCHandler"),
        "Llama-3.1-8B-Instruct-FC": of("llama_3_1", "LlamaHandler_3_1"),
        "xLAM-2-8b-fc-r": of("salesforce_llama", "SalesforceLlamaHandler"),
        "Ministral-8B": of("mistral_fc", "MistralFCHandler"),
        "": lambda result, language: handler.default_decode_ast_prompting(
            result, enums.ReturnFormat(language)
        ),
    }

    def verdict(tools: Any, calls: Any, answer: Any, category: str) -> Any:
        language = enums.Language(LANGUAGES[category])
        return checker.ast_checker(tools, calls, answer, language, category, "any")

    return verdict, decoders


BFCL_TYPES = {
    "wrong_func_name": ErrorType.NAME,
    "missing_required": ErrorType.MISSING_REQUIRED,
    "missing_optional": ErrorType.MISSING_OPTIONAL,
    "unexpected_param": ErrorType.UNEXPECTED,
    "wrong_count": ErrorType.COUNT,
}


def original_type(result: dict[str, Any]) -> str:
    """BFCL's error type in our words; "no match" where it only says that nothing matched."""
    kind, _, detail = str(result.get("error_type", "type_error:nested")).partition(":")
    if kind == "type_error":
        return str(ErrorType.TYPE)
    if kind in ("value_error", "dict_checker", "list_dict_checker"):
        return str(ErrorType.VALUE)
    if detail == "cannot_find_match":
        return "no match"
    return str(BFCL_TYPES[detail])


def original_verdict(verdict: Any, task: Task, decode: Decoder, output: Any) -> tuple[bool, str]:
    """(valid, error type) of BFCL's own decoder and checker."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            calls = decode(output, task.language)
    except Exception:
        return False, "decoder failed"
    well_formed = isinstance(calls, list) and all(isinstance(call, dict) for call in calls)
    if not (well_formed and all(isinstance(args, dict) for c in calls for args in c.values())):
        return False, "decoder wrong format"
    tools = [tool.original for tool in task.prompt.tools]
    answer = [{c.name: {k: list(v) for k, v in c.arguments.items()}} for c in task.answer or ()]
    try:
        result = verdict(tools, calls, answer, task.category)
    except Exception as why:
        return False, f"checker crashed ({type(why).__name__})"
    return bool(result["valid"]), "" if result["valid"] else original_type(result)


@dataclass
class Tally:
    """What the comparison counts."""

    counts: Counter[str] = field(default_factory=Counter)
    disagreements: dict[tuple[str, str, str], list[str]] = field(
        default_factory=lambda: defaultdict(list)
    )
    labels: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, task: Task, output: Any, parsed: Parsed, verdict: Any, decode: Any) -> None:
        """Hold one output against the original: its checker on our calls, then its decoder, too."""
        ours = judged(task, parsed)
        mine = str(ours.first.type) if ours.first else "valid"
        calls = [{call.name: dict(call.arguments)} for call in parsed.calls or ()]
        self.counts["outputs"] += 1
        self.counts[f"dialect: {parsed.dialect}"] += 1
        self.counts["read by us"] += parsed.calls is not None
        self.counts["valid by ours"] += ours.ok
        same, theirs = original_verdict(verdict, task, lambda read, _: read, calls)
        self.counts["checker agrees, same calls"] += same == ours.ok
        if same != ours.ok:
            key = ("checker", theirs or "valid", mine)
            self.disagreements[key].append(f"{task.id} {output}")
        elif not same and calls:
            self.labels[theirs, mine] += 1
        valid, theirs = original_verdict(verdict, task, decode, output)
        self.counts["valid by BFCL's decoder and checker"] += valid
        self.counts["decoder and checker agree"] += valid == ours.ok
        if valid != ours.ok:
            key = ("end to end", theirs or "valid", f"{mine} [{parsed.dialect}]")
            self.disagreements[key].append(f"{task.id} {output}")

    def show(self, examples: int) -> None:
        for name, count in self.counts.most_common():
            print(f"{count:7d}  {count / self.counts['outputs']:8.3%}  {name}")
        print("\nfirst failure (BFCL's, ours), same calls:")
        for (theirs, mine), count in self.labels.most_common():
            print(f"{count:7d}  {theirs} | {mine}")
        print("\ndisagreements on the verdict (stage, BFCL, ours):")
        for key, found in sorted(self.disagreements.items(), key=lambda item: -len(item[1])):
            print(f"{len(found):7d}  {' | '.join(key)}")
            for example in found[:examples]:
                print(f"           {example[:600]}")


def judged(task: Task, parsed: Parsed) -> Checked:
    return check(
        parsed.candidate,
        task.answer or (),
        task.prompt.tools,
        unreadable=parsed.problem,
        language=task.language,
    )


def decoder_of(file: Path, decoders: dict[str, Decoder]) -> Decoder:
    """The decoder of the model whose folder a file is in; most prompting models share one."""
    folder = str(file.parent)
    return next(decoder for name, decoder in decoders.items() if name in folder)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder", type=Path)
    arguments.add_argument(
        "--languages", nargs="+", default=["python"], choices=["python", "java", "javascript"]
    )
    arguments.add_argument("--show", type=int, default=0, help="print N examples of each kind")
    arguments.add_argument(
        "--at-least", type=float, default=0.0, help="fail where the checkers agree on less"
    )
    given = arguments.parse_args()
    verdict, decoders = load_original(given.languages)
    tasks = {version: load_tasks(version, tuple(LANGUAGES)) for version in ("v3", "v4")}
    tally = Tally()
    work: list[tuple[Task, Parsed]] = []
    for file in sorted(given.folder.rglob("BFCL_v*_result.json")):
        version, category = file.stem.removesuffix("_result").removeprefix("BFCL_").split("_", 1)
        if version == "v3":
            category = V3_CATEGORIES.get(category, category)
        if category not in LANGUAGES or LANGUAGES[category] not in given.languages:
            continue
        for line in file.open(encoding="utf-8"):
            row = json.loads(line)
            task, parsed = (
                tasks[version][row["id"]],
                parse(row["result"], language=LANGUAGES[category]),
            )
            work.append((task, parsed))
            tally.add(task, row["result"], parsed, verdict, decoder_of(file, decoders))
    started = time.perf_counter()
    for task, parsed in work:
        judged(task, parsed)
    rate = len(work) / (time.perf_counter() - started)
    tally.show(given.show)
    print(f"\n{rate:,.0f} checks a second on one core")
    if tally.counts["checker agrees, same calls"] < given.at_least * len(work):
        sys.exit(f"The checkers agree on less than {given.at_least:.1%}.")


if __name__ == "__main__":
    main()
