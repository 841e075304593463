"""Records and ready pairs of all sources, without what benchmarks have, too."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from heapq import nsmallest
from pathlib import Path
from random import Random
from typing import TypeVar

from fcrewardbench import DataError, Prompt, Tool
from fcrewardbench.benchmarks.files import json_lines
from fcrewardbench.calls.tools import tool_from
from fcrewardbench.messages import calls_of
from toolrm.records import Record, TrainingPair
from toolrm.sources import SOURCES, load_pairs, load_records
from toolrm.sources.base import Skipped
from toolrm.synthesize.config import RequestsConfig, SourceConfig, SynthesizeConfig
from toolrm.synthesize.report import sha256_of
from toolrm.synthesize.split import order_of, tools_of, with_tools

Loaded = TypeVar("Loaded", Record, TrainingPair)
LeftOut = dict[str, Counter[str]]


@dataclass
class Material:
    """What a synthesis starts from.

    Args:
        spare: tools that no record needs.
        left_out: by stage, how many of what were left out, by reason.
        skipped: those of them that a source could not read, by source.
        overlap: why a record has to go since a benchmark has it, too; empty where it may stay.
    """

    records: list[Record] = field(default_factory=list)
    pairs: list[TrainingPair] = field(default_factory=list)
    spare: list[Tool] = field(default_factory=list)
    inputs: dict[str, str] = field(default_factory=dict)
    left_out: LeftOut = field(default_factory=dict)
    skipped: dict[str, Skipped] = field(default_factory=dict)
    overlap: Callable[[Record], str] = lambda record: ""


def material_of(config: SynthesizeConfig) -> Material:
    """All records and ready pairs that may be trained on.

    Raises:
        DataError, UnknownName: a path does not hold what it should, or a source that nobody knows.
    """
    clean = _Cleaner(config)
    material = Material(overlap=clean.reason)
    for source in config.sources:
        reasons = material.skipped.setdefault(source.name, Skipped())
        material.left_out[source.name] = reasons
        path = config.data / source.path
        material.inputs[str(source.path)] = sha256_of(path)
        if SOURCES.get(source.name, "").endswith(":pairs"):
            pairs = load_pairs(source.name, path, reasons)
            kept = (pair for pair in pairs if clean.pair(pair, reasons))
            material.pairs += _sampled(kept, source, config.seed)
        else:
            found = load_records(source.name, path, reasons)
            records = (clean.record(record, reasons) for record in found)
            material.records += _sampled(filter(None, records), source, config.seed)
    if config.requests is not None:
        _add_requests(material, config, config.requests, clean)
    return material


def _sampled(items: Iterable[Loaded], source: SourceConfig, seed: int) -> list[Loaded]:
    if source.limit is None:
        return list(items)
    return nsmallest(source.limit, items, key=lambda item: order_of(seed, _id_of(item)))


def _id_of(item: Record | TrainingPair) -> str:
    return item.record if isinstance(item, TrainingPair) else item.id


def _add_requests(
    material: Material, config: SynthesizeConfig, wanted: RequestsConfig, clean: _Cleaner
) -> None:
    from toolrm.synthesize.requests import requested

    prefix = f"requests-{wanted.source}"
    reasons = material.skipped.setdefault(prefix, Skipped())
    material.left_out[prefix] = reasons
    path = config.data / wanted.schemas
    material.inputs[str(wanted.schemas)] = sha256_of(path)
    tools = [tool for tool in _schemas(path, reasons) if clean.tool(tool, reasons)]
    if not tools:
        raise DataError(f"{path} holds no tool that may be used; see the names under 'requests'.")
    rng = Random(f"{config.seed}|requests")
    for record in requested(tools, rng, wanted.number, prefix, wanted.licence):
        cleaned = clean.record(record, reasons)
        if cleaned is not None:
            material.records.append(cleaned)
    material.spare += tools


def _schemas(path: Path, skipped: Skipped) -> Iterator[Tool]:
    """Tools, each name once, out of OpenAI descriptions or Seal-Tools' own, one a line."""
    seen: set[str] = set()
    for where, row in json_lines(path):
        which = Path(where).name
        if isinstance(row, str):
            skipped.add(which, "a line that is no tool description")
            continue
        try:
            if "api_name" in row:
                tool = tool_from(
                    {
                        "name": row["api_name"],
                        "field": row.get("field"),
                        "description": row["api_description"],
                        "parameters": {
                            "type": "object",
                            "properties": row["parameters"],
                            "required": row["required"],
                        },
                    }
                )
                tool = tool_from({**tool.original, "parameters": tool.parameters})
            else:
                tool = tool_from(row)
        except (DataError, KeyError, TypeError, AttributeError):
            skipped.add(which, "a tool description that cannot be read")
            continue
        if tool.name in seen:
            skipped.add(which, "a tool twice")
        else:
            seen.add(tool.name)
            yield tool


class _Cleaner:
    """Takes out what benchmarks have, too."""

    def __init__(self, config: SynthesizeConfig) -> None:
        self._filter = None
        if not config.allow_overlap:
            from toolrm.overlap import Filter
            from toolrm.references import references

            downstream = config.data / config.downstream if config.downstream else None
            self._filter = Filter(references(config.benchmarks, downstream))
        self._tool_reason = cache(self._reason_of_tool)

    def record(self, record: Record, reasons: Counter[str]) -> Record | None:
        """The record without the tools on offer that benchmarks have; None where it needs one of them,
        or where its query is a benchmark's."""
        bad = {t.name for t in record.prompt.tools if self._tool_reason(_json(t))}
        needed = tools_of(record) if record.answer else frozenset[str]()
        for tool in record.prompt.tools:
            if tool.name in bad & needed:
                reasons[self._tool_reason(_json(tool))] += 1
                return None
        if bad:
            record = with_tools(record, {t.name for t in record.prompt.tools} - bad)
            reasons["tools on offer beside those needed, in benchmarks"] += len(bad)
        if not record.prompt.tools:
            reasons["no tool is left"] += 1
            return None
        called = [c.name for m in record.prompt.messages for c in calls_of(m)]
        if not {tool.name for tool in record.prompt.tools} >= set(called):
            reasons["an earlier call of a tool that is not there"] += 1
            return None
        reason = self.reason(record)
        if reason:
            reasons[reason] += 1
            return None
        return record

    def reason(self, record: Record) -> str:
        return self._filter.reason(record) if self._filter else ""

    def pair(self, pair: TrainingPair, reasons: Counter[str]) -> bool:
        """Whether a ready pair shares nothing with a benchmark."""
        reason = self.reason(Record(pair.record, pair.source, pair.licence, pair.pair.prompt, ()))
        if reason:
            reasons[reason] += 1
        return not reason

    def tool(self, tool: Tool, reasons: Counter[str]) -> bool:
        reason = self._tool_reason(_json(tool))
        if reason:
            reasons[reason] += 1
        return not reason

    def _reason_of_tool(self, description: str) -> str:
        prompt = Prompt((tool_from(json.loads(description)),), ())
        return self.reason(Record("", "", "", prompt, ()))


def _json(tool: Tool) -> str:
    return json.dumps(tool.original, sort_keys=True)
