"""From records to training pairs: variants of records, rejected candidates, filters, and the account.

    config = load_config("synthesis.yaml", data=Path("data"), out=Path("training-data"))
    report = synthesize(config)

The same configuration and inputs give the same files, byte for byte, in any process.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from random import Random

from fcrewardbench import Candidate, DataError, Pair, RunError, check
from fcrewardbench.benchmarks.base import same
from fcrewardbench.calls.edits.base import Edit
from toolrm.records import Record, TrainingPair, write_pairs
from toolrm.sources import SOURCES
from toolrm.sources.base import Skipped
from toolrm.synthesize.balance import capped, distinct, length_of, thinned
from toolrm.synthesize.config import SynthesizeConfig, load_config
from toolrm.synthesize.distractors import ToolPool
from toolrm.synthesize.generate import Progress, generated
from toolrm.synthesize.material import LeftOut, Material, material_of
from toolrm.synthesize.peers import peers_of
from toolrm.synthesize.prepare import Shown, Surroundings, prepared
from toolrm.synthesize.rejected import rejected_of, unasked_of
from toolrm.synthesize.report import REPORTS, Report, by_size, part_of
from toolrm.synthesize.split import (
    held_out_tools,
    is_spare,
    order_of,
    tools_of,
    with_tools,
)
from toolrm.synthesize.styles import restyled
from toolrm.synthesize.surface import given_away, need_scikit_learn
from toolrm.synthesize.tally import Tally

__all__ = ["Report", "SynthesizeConfig", "load_config", "synthesize"]

TRAIN, HELD_OUT = "train.parquet", "held-out.parquet"
LEFT_OUT = "left-out.jsonl"
REPLIES = "replies.jsonl"


@dataclass(frozen=True, slots=True)
class _Made:
    """A pair, and how its record was made."""

    pair: TrainingPair
    tools: frozenset[str]
    obfuscated: bool = False
    style: str = ""


def synthesize(
    config: SynthesizeConfig,
    *,
    command: str = "toolrm.synthesize.synthesize(config)",
    progress: Progress = lambda done, total: None,
) -> Report:
    """Write `train.parquet`, `held-out.parquet`, `report.json` and `report.md` under `config.out`.

    What of the sources cannot be used stands in `left-out.jsonl`, each record with the reason. A folder
    with `left-out.jsonl` is complete: an earlier run's files but its pairs go when the first pairs are
    written.

    Args:
        command: what repeats the run, for the report.
        progress: what to call with the number of finished records, or of models' replies, and of all.

    Raises:
        DataError, UnknownName: a path does not hold what it should, or a source that nobody knows.
        RunError: no pairs came out, or a server gives no reply.
        MissingExtra: scikit-learn, or what looks for overlap, is not installed.
    """
    need_scikit_learn()
    material = material_of(config)
    left_out = material.left_out
    finished: list[tuple[str, list[_Made]]] = []
    notes: list[str] = []
    for file, records, pairs, pool in _parts(material, config, notes):
        stage = file.removesuffix(".parquet")
        reasons = left_out.setdefault(f"{stage}: candidates and pairs", Counter())
        share = 1.0 if file == TRAIN else config.held_out
        around = Surroundings(
            pool,
            partial(_is_of, file, config),
            peers_of(records, config.seed),
            config,
            material.overlap,
            reasons,
        )
        made = list(_made(records, around, share, progress))
        made += [_Made(pair, _called(pair)) for pair in pairs if _is_short(pair, config, reasons)]
        kept = _distinct(made, reasons)
        if file == TRAIN:
            kept = _balanced(kept, config, reasons, notes)
        if not kept and file == TRAIN:
            raise RunError(
                "No pairs came out: everything was left out by "
                f"{_reasons(left_out)}. Give other sources, or mend the configuration."
            )
        if not kept:
            notes.append(f"{file} is empty: {_reasons({stage: reasons})}.")
        if file == TRAIN:
            for earlier in (HELD_OUT, LEFT_OUT, *REPORTS):
                (config.out / earlier).unlink(missing_ok=True)
        write_pairs(config.out / file, (one.pair for one in kept))
        finished.append((file, kept))
    files = {file: [one.pair for one in kept] for file, kept in finished}
    shares = given_away(files[TRAIN], files.get(HELD_OUT, []))
    parts = [
        part_of(
            config.out / file,
            files[file],
            sum(one.obfuscated for one in kept),
            sum(bool(one.style) for one in kept),
            surface,
        )
        for (file, kept), surface in zip(finished, shares, strict=False)
    ]
    report = Report(
        command,
        config.model_dump(mode="json"),
        material.inputs,
        parts,
        {stage: by_size(reasons) for stage, reasons in left_out.items() if reasons},
        notes,
    )
    report.write(config.out)
    _write_skipped(config.out / LEFT_OUT, material.skipped)
    return report


def _is_of(file: str, config: SynthesizeConfig, text: str) -> bool:
    """Whether a text of small talk is for this file."""
    return is_spare(text, config.held_out, config.seed) is (file == HELD_OUT)


def _write_skipped(path: Path, skipped: Mapping[str, Skipped]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for source, reasons in skipped.items():
            for which, reason in reasons.which:
                row = {"source": source, "which": which, "reason": reason}
                file.write(json.dumps(row) + "\n")


def _reasons(left_out: LeftOut) -> str:
    total = sum(left_out.values(), Counter[str]())
    return "; ".join(f"{reason} ({n})" for reason, n in total.most_common(3)) or "nothing read"


def _is_short(pair: TrainingPair, config: SynthesizeConfig, reasons: Counter[str]) -> bool:
    one = pair.pair
    if length_of(one.prompt, [one.chosen, one.rejected]) <= config.limits.longest:
        return True
    reasons["a ready pair that is too long"] += 1
    return False


def _called(pair: TrainingPair) -> frozenset[str]:
    chosen = pair.pair.chosen
    return frozenset() if isinstance(chosen, str) else frozenset(call.name for call in chosen)


# ── parts ────────────────────────────────────────────────────────────────────────────────────────


def _parts(
    material: Material, config: SynthesizeConfig, notes: list[str]
) -> Iterator[tuple[str, list[Record], list[TrainingPair], ToolPool]]:
    """The file of a part, its records, ready pairs, and the tools to take distractors from."""
    reasons = material.left_out.setdefault("records", Counter())
    records = thinned(material.records, config.limits, config.seed, reasons)
    needed = [tools_of(record) for record in records]
    anyway = [
        *(tools_of(record) for record in records if record.source in config.held_out_sources),
        *_offered(pair for pair in material.pairs if pair.source in config.held_out_sources),
    ]
    held = held_out_tools(
        chain(needed, _offered(material.pairs)),
        config.held_out,
        config.seed,
        frozenset(chain.from_iterable(anyway)),
    )
    known = frozenset(chain.from_iterable(chain(needed, _offered(material.pairs))))

    def is_held(name: str) -> bool:
        return name in held if name in known else is_spare(name, config.held_out, config.seed)

    for file, of_part in ((TRAIN, False), (HELD_OUT, True)):
        if of_part and not config.held_out:
            continue
        own = [r for r, names in zip(records, needed, strict=True) if (names <= held) is of_part]
        names = {
            tool.name
            for tool in chain(*(record.prompt.tools for record in own), material.spare)
            if is_held(tool.name) is of_part
        }
        own = [with_tools(record, names) for record in own]
        if not of_part:
            own = _within_shares(own, config, reasons, notes)
        spare = [tool for tool in material.spare if tool.name in names]
        pool = ToolPool(chain(*(record.prompt.tools for record in own), spare))
        pairs = [
            p
            for p, on in zip(material.pairs, _offered(material.pairs), strict=True)
            if (on <= held if of_part else not on & held)
        ]
        yield file, own, pairs, pool


def _offered(pairs: Iterable[TrainingPair]) -> Iterator[frozenset[str]]:
    for pair in pairs:
        yield frozenset(tool.name for tool in pair.pair.prompt.tools)


# ── pairs of records ─────────────────────────────────────────────────────────────────────────────


def _made(
    records: Sequence[Record], around: Surroundings, share: float, progress: Progress
) -> Iterator[_Made]:
    """The pairs of all records of a part, those of one record together.

    Args:
        share: of the models' replies that are asked for, so many are for this part.
    """
    config, reasons = around.config, around.left_out
    ready = list(prepared(records, around))
    replies: dict[str, list[Edit]] = {}
    if config.generators:
        asked = [one.record for one in ready]
        replies = generated(
            asked,
            config.generators,
            config.out / REPLIES,
            config.seed,
            share,
            reasons,
            progress,
        )
    replied = [one.asks for one in ready if not one.record.answer]
    asking = sum(replied) / len(replied) if replied else 0.5
    tally = Tally(config.weights, asking, config.limits.operator, config.said, left_out=reasons)
    for done, one in enumerate(ready, 1):
        yield from _pairs(one, replies.get(one.record.id, ()), tally, config)
        progress(done, len(ready))


def _pairs(
    one: Shown, made: Sequence[Edit], tally: Tally, config: SynthesizeConfig
) -> Iterator[_Made]:
    record, size = one.record, config.rejected_per_record
    rng = Random(f"{config.seed}|rejected|{record.id}")
    try:
        if not check(one.chosen, record.answer, record.prompt.tools).ok:
            tally.left_out["a gold call that the checker does not pass"] += 1
            return
        if record.answer:
            telling = not one.obfuscated
            edits = rejected_of(record, made, one.peers, tally, size, rng, telling=telling)
        else:
            edits = unasked_of(record, one.origin, made, one.peers, tally, size, rng)
    except DataError:
        tally.left_out["a record with a type that the checker does not know"] += 1
        return
    edits = [edit for edit in edits if not same(edit.candidate, one.chosen)]
    if not edits:
        tally.left_out["a record that no edit fits"] += 1
        return
    chosen: Candidate = one.chosen
    rejected = [edit.candidate for edit in edits]
    style = ""
    if rng.random() < config.styled:
        written = restyled(chosen, edits, rng)
        if written is None:
            tally.left_out["a style that does not fit all candidates"] += 1
        else:
            style, chosen, rejected = written
    if length_of(record.prompt, [chosen, *rejected]) > config.limits.longest:
        tally.left_out["a record that is too long"] += 1
        return
    for number, (edit, candidate) in enumerate(zip(edits, rejected, strict=True), 1):
        pair = Pair(
            id=f"{record.id}/{number}",
            prompt=record.prompt,
            chosen=chosen,
            rejected=candidate,
            error_type=edit.error_type.value,
            category=record.source,
            generator=edit.operator,
        )
        names = frozenset(call.name for call in one.origin.answer)
        yield _Made(TrainingPair(pair, record.id, record.licence), names, one.obfuscated, style)


# ── balance ──────────────────────────────────────────────────────────────────────────────────────


def _distinct(made: Sequence[_Made], reasons: Counter[str]) -> list[_Made]:
    by_id = {one.pair.pair.id: one for one in made}
    if len(by_id) < len(made):
        raise DataError("Two pairs have one id: two sources give records of the same id.")
    return [by_id[pair.pair.id] for pair in distinct((one.pair for one in made), reasons)]


def _within_shares(
    records: list[Record], config: SynthesizeConfig, reasons: Counter[str], notes: list[str]
) -> list[Record]:
    """The records with no source or tool above its share.

    They are left out before any edit is made, so that edits are balanced over what stays.
    """
    shares = {source.name: source.share for source in config.sources}
    if config.requests is not None:
        shares[f"requests-{config.requests.source}"] = config.requests.share
    limits = config.limits

    def rank(record: Record) -> str:
        return order_of(config.seed, record.id)

    def due(record: Record) -> frozenset[str]:
        return frozenset(call.name for call in record.answer)

    kept = records
    for what, kinds_of, share_of in (
        ("source", lambda record: [record.source], lambda kind: shares.get(kind, 1.0)),
        ("tool", due, lambda kind: limits.tool),
    ):
        before = len(kept)
        kept, above = capped(kept, kinds_of, share_of, rank)
        if before > len(kept):
            reasons[f"more of one {what} than its share"] += before - len(kept)
        _note_above(what, above, notes)
    return kept


def _balanced(
    made: Sequence[_Made], config: SynthesizeConfig, reasons: Counter[str], notes: list[str]
) -> list[_Made]:
    """The pairs with no edit, no model, and no source of ready pairs above its share."""
    shares = {
        source.name: source.share
        for source in config.sources
        if SOURCES.get(source.name, "").endswith(":pairs")
    }

    def rank(one: _Made) -> str:
        return order_of(config.seed, one.pair.pair.id)

    def share_of_generator(name: str) -> float:
        return config.limits.operator if name.startswith("edit:") else config.limits.generator

    kept = list(made)
    for what, kinds_of, share_of in (
        ("source", lambda one: [one.pair.source], lambda kind: shares.get(kind, 1.0)),
        ("edit or model", lambda one: [one.pair.pair.generator], share_of_generator),
    ):
        before = len(kept)
        kept, above = capped(kept, kinds_of, share_of, rank)
        if before > len(kept):
            reasons[f"more of one {what} than its share"] += before - len(kept)
        _note_above(what, above, notes)
    return kept


def _note_above(what: str, above: Sequence[str], notes: list[str]) -> None:
    if above:
        notes.append(
            f"No {what} could be held to its share: the shares of all together leave nothing "
            f"({len(above)} above)."
        )
