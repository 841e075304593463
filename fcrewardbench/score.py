"""Score a file of groups, no labels needed: JSON lines in, one Parquet table out.

A group is one object a line: `candidates` (each of them calls in any dialect, or text), the
conversation under `messages` or `conversation`, `tools` where there are any, and an `id` (the line's
number if left out). The table has a row a group, in the file's order:

* `id`;
* `scores`: a number per candidate, null where the group could not be scored;
* `best`: the index of the highest, the first of equals;
* `failure`, `detail`: why there are no scores ("too_long", "error");
* `tokens_naive`, `tokens_computed`.

The table's metadata say under `fcrewardbench` which run it is of. Groups are read as they are needed
and never held together. What is done stands in a log beside the table, so that a run that was killed
goes on; the log goes when the table is there.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from fcrewardbench.adapters.base import Judge, Scorer, group_of
from fcrewardbench.adapters.registry import load_named
from fcrewardbench.benchmarks.files import json_lines
from fcrewardbench.benchmarks.records import tools_of
from fcrewardbench.config import config_of
from fcrewardbench.errors import DataError, FCRewardBenchError, RunError, UsageError
from fcrewardbench.run import Progress
from fcrewardbench.score_log import ScoreLog
from fcrewardbench.types import Group, Outcome, Scored

SCORED = "scored"
SHOWN_PROBLEMS = 5
ROWS_AT_ONCE = 10_000
_METADATA = b"fcrewardbench"


def score_file(
    model: str,
    data: str | Path,
    out: str | Path,
    *,
    adapter: str | None = None,
    fresh: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> dict[str, int]:
    """Score every group of a JSONL file; see the module for its fields and the table's.

    Args:
        model: a name that `load` knows; a scorer's.
        data: the file.
        out: the table, a `.parquet` file. A run that was killed goes on; groups that failed on the way
            ("error") are tried again by the next run.
        adapter: see `load`.
        fresh: throw away what `out` holds of an earlier run.
        progress: called after every group.
        options: the adapter's own.

    Returns:
        How many groups were `scored`, and how many came to which failure.

    Raises:
        DataError: lines that are no groups; nothing has run then.
        UsageError: bad names or options, a judge, or `out` holds another run.
        RunError: the run broke off; what is done is kept beside `out`.
    """
    source, table = Path(data), Path(out)
    if table.suffix != ".parquet":
        raise UsageError(f"The table {table} is Parquet: give it a name that ends in .parquet.")
    config_of({"model": model, "adapter": adapter, "options": options})  # refuses secrets
    ids, digest = _checked(source)
    loaded = load_named(model, adapter, **options)
    if isinstance(loaded.adapter, Judge):
        raise UsageError(f"'{loaded.name}' is a judge, which gives no scores: name a scorer.")
    described = loaded.adapter.describe()
    described.pop("reported", None)  # what a server says of itself comes with its answers
    identity = {
        "data_sha256": digest,
        "model": {"name": loaded.name, "adapter": loaded.adapter_name, **described},
        "options": {k: v for k, v in options.items() if k not in loaded.adapter.neutral_options},
        "fcrewardbench": version("fcrewardbench"),
    }
    table.parent.mkdir(parents=True, exist_ok=True)
    log_path = table.with_name(table.name + ".log")
    lock = table.with_name(table.name + ".lock")
    try:
        with FileLock(lock, timeout=0):
            if fresh:
                table.unlink(missing_ok=True)
                log_path.unlink(missing_ok=True)
            if log_path.exists() or not table.exists():
                with ScoreLog(log_path, identity) as log:
                    _score(loaded.adapter, source, ids, log, progress or (lambda done, total: None))
                    _write(log, ids, identity, table)
                    failed = bool(log.failed)
                if not failed:  # else the same command tries what failed again
                    log_path.unlink()
            counts = _counts(table, identity)
            lock.unlink(missing_ok=True)
            return counts
    except Timeout:
        raise UsageError(f"Another run is writing {table}; give another --out.") from None


def _score(scorer: Scorer, source: Path, ids: list[str], log: ScoreLog, progress: Progress) -> None:
    """Score what the log does not hold yet."""
    finished = len(log.places)
    progress(finished, len(ids))
    sizes: dict[str, int] = {}
    try:
        for result in _results(scorer, _remembering(groups_of(source), sizes), log):
            if result.id in log.places:
                continue
            log.append(_entry(result, sizes.pop(result.id)))
            finished += 1
            progress(finished, len(ids))
    except FCRewardBenchError:
        raise
    except Exception as why:
        raise RunError(
            f"The run broke off after {finished} of {len(ids)} groups ({type(why).__name__}: {why}). "
            "The same command goes on from there."
        ) from why
    if finished < len(ids):
        missing = next(id for id in ids if id not in log.places)
        raise RunError(
            f"The adapter gave no result for {len(ids) - finished} groups, the first '{missing}'; it "
            "has to give one for every group."
        )


def _results(scorer: Scorer, groups: Iterable[Group], log: ScoreLog) -> Iterator[Scored]:
    if scorer.plans:
        planner: Any = scorer
        results: Iterator[Scored] = planner.score_groups(groups, done=frozenset(log.places))
        return results
    return scorer.score_groups(group for group in groups if group.id not in log.places)


def _remembering(groups: Iterable[Group], sizes: dict[str, int]) -> Iterator[Group]:
    """The groups, with the number of candidates of each that was taken noted."""
    for group in groups:
        sizes[group.id] = len(group.candidates)
        yield group


def _entry(result: Scored, size: int) -> dict[str, Any]:
    """One row of the table."""
    scores, failure, detail = result.scores, result.failure, result.detail
    if scores is not None and len(scores) != size:
        raise ValueError(f"{len(scores)} scores for the {size} candidates of '{result.id}'")
    if scores is None:
        failure = failure or Outcome.ERROR
    elif not all(math.isfinite(score) for score in scores):
        detail = f"a score is not a finite number: {list(scores)}"
        scores, failure = None, Outcome.ERROR
    return {
        "id": result.id,
        "scores": None if scores is None else [float(score) for score in scores],
        "best": None if scores is None else max(range(size), key=scores.__getitem__),
        "failure": None if failure is None else failure.value,
        "detail": detail,
        "tokens_naive": result.tokens.naive,
        "tokens_computed": result.tokens.computed,
    }


# ── groups in a file ─────────────────────────────────────────────────────────────────────────────


def groups_of(path: Path) -> Iterator[Group]:
    """The groups of a file, one at a time.

    Raises:
        DataError: a line that is none.
    """
    for number, (where, record) in enumerate(json_lines(path), 1):
        try:
            yield _group(record, str(number))
        except DataError as why:
            raise DataError(f"{where}: {why}") from None


def _checked(path: Path) -> tuple[list[str], str]:
    """The ids of all groups, in order, and a hash of the file; every line is read.

    Raises:
        DataError: no groups, or lines that are none, the first of them named.
    """
    if not path.is_file():
        raise DataError(f"There is no file {path}.")
    first: dict[str, str] = {}
    problems = []
    for number, (where, record) in enumerate(json_lines(path), 1):
        try:
            id = _group(record, str(number)).id
        except DataError as why:
            problems.append(f"{where}: {why}")
            continue
        if id in first:
            problems.append(f"{where}: the id '{id}' stands twice, first at {first[id]}.")
        first.setdefault(id, where)
    if problems:
        shown = "\n".join(problems[:SHOWN_PROBLEMS])
        rest = len(problems) - SHOWN_PROBLEMS
        more = f"\nand {rest} more." if rest > 0 else ""
        raise DataError(f"{path} has {len(problems)} lines that are no group:\n{shown}{more}")
    if not first:
        raise DataError(f"{path} holds no groups; it should hold one object a line.")
    with path.open("rb") as file:
        return list(first), hashlib.file_digest(file, "sha256").hexdigest()


def _group(record: Mapping[str, Any] | str, fallback_id: str) -> Group:
    if isinstance(record, str):
        raise DataError(record)
    messages = record.get("messages") or record.get("conversation")
    if messages is None:
        raise DataError("there is no conversation: give it under 'messages'.")
    candidates = record.get("candidates")
    if not isinstance(candidates, list) or not candidates:
        raise DataError("'candidates' is no list, or an empty one.")
    if not all(isinstance(candidate, (str, list, dict)) for candidate in candidates):
        raise DataError("'candidates' holds something that is neither calls nor text.")
    id = record.get("id")
    named = fallback_id if id is None else str(id)
    return group_of(tools_of(record.get("tools") or []), messages, candidates, named)


# ── the table ────────────────────────────────────────────────────────────────────────────────────


def _write(log: ScoreLog, ids: list[str], identity: dict[str, Any], table: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [
            ("id", pa.string()),
            ("scores", pa.list_(pa.float64())),
            ("best", pa.int32()),
            ("failure", pa.string()),
            ("detail", pa.string()),
            ("tokens_naive", pa.int64()),
            ("tokens_computed", pa.int64()),
        ],
        metadata={_METADATA: json.dumps(identity, sort_keys=True).encode()},
    )
    scratch = table.with_name(table.name + ".tmp")
    with pq.ParquetWriter(scratch, schema) as writer:
        for start in range(0, len(ids), ROWS_AT_ONCE):
            rows = [log.row(id) for id in ids[start : start + ROWS_AT_ONCE]]
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
    scratch.replace(table)


def _counts(table: Path, identity: dict[str, Any]) -> dict[str, int]:
    """What the groups of a finished table came to.

    Raises:
        UsageError: the table is of another run, or of no run.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        read = pq.read_table(table, columns=["failure"])
        run = json.loads((read.schema.metadata or {})[_METADATA])
    except (pa.ArrowException, KeyError, ValueError):
        run = None
    if run != json.loads(json.dumps(identity)):
        raise UsageError(
            f"{table} holds something else, or the scores of another run: give another --out, or "
            "--fresh to throw it away."
        )
    return dict(Counter(failure or SCORED for failure in read["failure"].to_pylist()))
