"""Our checker beside BFCL's own, on real model outputs.

Imports decoders and checker out of the pinned `bfcl-eval` wheel, with stubs for its model table and
for the modules that need what it requires. Development only.

    python scripts/compare_bfcl_checker.py RESULTS_FOLDER [--show N]

RESULTS_FOLDER holds BFCL result files, nested or flat, v3 or v4 (`BFCL_v4_<category>_result.json`).
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
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from fcrewardbench.benchmarks.bfcl import PYTHON_CATEGORIES, WHEELS, Task, load_tasks
from fcrewardbench.calls.check import Checked, check
from fcrewardbench.calls.parse import Parsed, parse
from fcrewardbench.packages import fetch
from fcrewardbench.types import ErrorType

MODEL_TABLE = "bfcl_eval.constants.model_config"
STUBS = (
    "bfcl_eval.model_handler.parser.java_parser",
    "bfcl_eval.model_handler.parser.js_parser",
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


def load_original() -> tuple[Callable[..., Any], dict[str, Callable[[Any], Any]]]:
    """BFCL's checker, and its decoders by the kind of model they belong to."""
    unpacked = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, unpacked)
    with zipfile.ZipFile(fetch(WHEELS["v4"])) as archive:
        archive.extractall(unpacked)
    sys.path.insert(0, unpacked)
    sys.modules.update({name: _Stub(name) for name in STUBS})
    table = ModuleType(MODEL_TABLE)
    plain = SimpleNamespace(underscore_to_dot=False)
    table.MODEL_CONFIG_MAPPING = defaultdict(lambda: plain)  # type: ignore[attr-defined]
    sys.modules[MODEL_TABLE] = table
    decoder_modules = "bfcl_eval.model_handler.local_inference"

    def of(module: str, handler: str) -> Callable[[Any], Any]:
        cls = getattr(importlib.import_module(f"{decoder_modules}.{module}"), handler)
        instance = cls.__new__(cls)
        return lambda result: instance.decode_ast(result, python, False)

    checker = importlib.import_module("bfcl_eval.eval_checker.ast_eval.ast_checker")
    enums = importlib.import_module("bfcl_eval.constants.enums")
    handler = importlib.import_module("bfcl_eval.model_handler.utils")
    python = enums.ReturnFormat.PYTHON
    decoders = {
        "Qwen3-8B-FC": of("qwen_fc", "QwenFCHandler"),
        "Llama-3.1-8B-Instruct-FC": of("llama_3_1", "LlamaHandler_3_1"),
        "xLAM-2-8b-fc-r": of("salesforce_llama", "SalesforceLlamaHandler"),
        "Ministral-8B": of("mistral_fc", "MistralFCHandler"),
        "": lambda result: handler.default_decode_ast_prompting(result, python),
    }

    def verdict(tools: Any, calls: Any, answer: Any, category: str) -> Any:
        return checker.ast_checker(tools, calls, answer, enums.Language.PYTHON, category, "any")

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


def original_verdict(
    verdict: Any, task: Task, decode: Callable[[Any], Any], output: Any
) -> tuple[bool, str]:
    """(valid, error type) of BFCL's own decoder and checker."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            calls = decode(output)
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


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--show", type=int, default=0, help="print N examples of each kind")
    given = arguments.parse_args()
    verdict, decoders = load_original()
    tasks = {version: load_tasks(version) for version in ("v3", "v4")}
    counts: Counter[str] = Counter()
    kinds: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    labels: Counter[tuple[str, str]] = Counter()
    work: list[tuple[Task, Parsed]] = []
    for file in sorted(given.folder.rglob("BFCL_v*_result.json")):
        version, category = file.stem.removesuffix("_result").removeprefix("BFCL_").split("_", 1)
        if version == "v3" and category == "simple":
            category = "simple_python"
        if category not in PYTHON_CATEGORIES:
            continue
        model = next(name for name in decoders if name in str(file.parent))
        if model == "Llama-3.1-8B-Instruct-FC" and "-FC" not in str(file.parent):
            model = ""
        for line in file.open(encoding="utf-8"):
            row = json.loads(line)
            task, output = tasks[version][row["id"]], row["result"]
            parsed = parse(output)
            ours = check(
                parsed.candidate, task.answer or (), task.prompt.tools, unreadable=parsed.problem
            )
            work.append((task, parsed))
            calls = [{c.name: dict(c.arguments)} for c in parsed.calls or ()]
            counts["outputs"] += 1
            counts[f"dialect: {parsed.dialect}"] += 1
            same, label = original_verdict(verdict, task, lambda read: read, calls)
            if parsed.calls:
                counts["read by us"] += 1
                counts["checker agrees on what we read"] += same == ours.ok
                if same != ours.ok:
                    kinds["checker", label or "valid", name_of(ours)].append(
                        f"{row['id']} {output}"
                    )
                elif not same:
                    labels[label, name_of(ours)] += 1
            valid, label = original_verdict(verdict, task, decoders[model], output)
            counts["valid by BFCL's decoder and checker"] += valid
            counts["valid by ours"] += ours.ok
            counts["decoder and checker agree"] += valid == ours.ok
            if valid != ours.ok:
                kinds["end to end", label or "valid", f"{name_of(ours)} [{parsed.dialect}]"].append(
                    f"{row['id']} {output} || {[f.message for f in ours.failures]}"
                )
    started = time.perf_counter()
    for task, parsed in work:
        check(parsed.candidate, task.answer or (), task.prompt.tools, unreadable=parsed.problem)
    rate = len(work) / (time.perf_counter() - started)
    for name, count in counts.most_common():
        print(f"{count:7d}  {count / counts['outputs']:8.3%}  {name}")
    print(f"{rate:,.0f} checks a second on one core\n\nfirst failure (BFCL's, ours), same calls:")
    for (theirs, mine), count in labels.most_common():
        print(f"{count:7d}  {theirs} | {mine}")
    print("\ndisagreements on the verdict (stage, BFCL, ours):")
    for key, examples in sorted(kinds.items(), key=lambda item: -len(item[1])):
        print(f"{len(examples):7d}  {' | '.join(key)}")
        for example in examples[: given.show]:
            print(f"           {example[:600]}")


def name_of(checked: Checked) -> str:
    return str(checked.first.type) if checked.first else "valid"


if __name__ == "__main__":
    main()
