"""What training data have in common with benchmarks, as `toolrm.matching` compares them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fcrewardbench import Prompt, UsageError
from toolrm.matching import KINDS, THRESHOLDS, WORDS, Index, Kind, Match, Reference, hash_of
from toolrm.records import Record, TrainingPair


@dataclass(frozen=True, slots=True)
class Finding:
    """Something of a record that is in a reference, too: of each kind the most similar.

    A tool name is `exact` where whole names are equal, and not where the record's is only the last part
    of the reference's (`Events_3_FindEvents`, `weather.forecast`).
    """

    kind: Kind
    exact: bool
    similarity: float
    record: str
    benchmark: str
    item: str
    shared: bool
    in_domain: bool
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Overlap:
    """What was found.

    Args:
        references: the names and hashes of what was compared with.
        records: how many records were.
    """

    references: Mapping[str, str]
    records: int
    findings: tuple[Finding, ...]

    @property
    def refused(self) -> tuple[Finding, ...]:
        """The findings that must not be: all but those that a reference may share."""
        return tuple(finding for finding in self.findings if not finding.shared)

    @property
    def sha256(self) -> str:
        """The hash of the references, the thresholds and the findings, whatever their order."""
        findings = sorted(
            [one.benchmark, one.kind, one.record, one.item, one.exact, round(one.similarity, 6)]
            for one in self.findings
        )
        return hash_of([dict(self.references), dict(THRESHOLDS), WORDS, findings])

    def report(self) -> dict[str, Any]:
        """Counts and hashes for a model card, as JSON data; no texts."""
        return {
            "records": self.records,
            "records_refused": len({finding.record for finding in self.refused}),
            "clean": not self.refused,
            "near": {"jaccard": dict(THRESHOLDS), "shingles": [1, 2], "least_words": WORDS},
            "references": dict(self.references),
            "findings": self._counts(),
            "sha256": self.sha256,
        }

    def _counts(self) -> dict[str, dict[str, dict[str, int | bool]]]:
        """Benchmark → kind → how many exact, how many near, refused or not, in-domain or not."""
        counts = Counter((one.benchmark, one.kind, one.exact) for one in self.findings)
        said = {(one.benchmark, one.kind): one for one in self.findings}
        found: dict[str, dict[str, dict[str, int | bool]]] = {}
        for name in self.references:
            for kind in KINDS:
                if (name, kind) in said:
                    found.setdefault(name, {})[kind] = {
                        "exact": counts[name, kind, True],
                        "near": counts[name, kind, False],
                        "refused": not said[name, kind].shared,
                        "in_domain": said[name, kind].in_domain,
                    }
        return found


def find(data: Iterable[Record | TrainingPair], references: Iterable[Reference]) -> Overlap:
    """Compare records, or the records that pairs were made of, with references.

    Raises:
        MissingExtra: datasketch is not installed.
    """
    index = Index(tuple(references))
    records: set[str] = set()
    best: dict[tuple[str, Kind, int], tuple[str, Match]] = {}
    last: tuple[str, Prompt] | None = None
    for one in data:
        record, prompt = (
            (one.record, one.pair.prompt) if isinstance(one, TrainingPair) else (one.id, one.prompt)
        )
        if (record, prompt) == last:  # pairs of one record stand together
            continue
        last = record, prompt
        records.add(record)
        for ours, match in index.matches(prompt):
            place = (record, match.kind, match.reference)
            if place not in best or match.rank > best[place][1].rank:
                best[place] = ours, match
    findings = tuple(
        Finding(
            match.kind,
            match.exact,
            match.similarity,
            record,
            index.references[match.reference].name,
            match.item,
            match.kind in index.references[match.reference].shared,
            index.references[match.reference].in_domain,
            ours,
            match.theirs,
        )
        for (record, _, _), (ours, match) in best.items()
    )
    hashes = {reference.name: reference.sha256 for reference in index.references}
    return Overlap(hashes, len(records), findings)


def refuse(overlap: Overlap) -> None:
    """Stop where training data hold what they must not.

    Raises:
        UsageError: they do; the message counts it.
    """
    found = overlap.refused
    if not found:
        return
    counts = Counter((one.benchmark, one.kind) for one in found)
    shown = "; ".join(f"{name}: {n} by {kind}" for (name, kind), n in counts.most_common(4))
    more = f"; and {len(counts) - 4} more" if len(counts) > 4 else ""
    raise UsageError(
        f"{len({one.record for one in found})} of {overlap.records} records overlap with benchmarks "
        f"({shown}{more}). Synthesise the pairs anew without them, or train with --allow-overlap; "
        "toolrm overlap --show 20 shows what was found."
    )


class Filter:
    """Tells which records must not be trained on.

    Raises:
        MissingExtra: datasketch is not installed.
    """

    def __init__(self, references: Iterable[Reference]) -> None:
        self._index = Index(tuple(references))

    def reason(self, record: Record) -> str:
        """Why the record has to go, as "tool name in bfcl@v4"; empty where it may stay.

        Any tool on offer counts, called or not.
        """
        found: dict[Kind, Match] = {}
        for _, match in self._index.matches(record.prompt):
            allowed = match.kind in self._index.references[match.reference].shared
            if not allowed and (match.kind not in found or match.rank > found[match.kind].rank):
                found[match.kind] = match
        for kind in KINDS:
            if kind in found:
                near = "" if found[kind].exact else "near "
                return f"{near}{kind} in {self._index.references[found[kind].reference].name}"
        return ""
