"""The card of a submission: what is said of the model, and what the rows come to."""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
    model_validator,
)

from fcrewardbench.errors import DataError
from fcrewardbench.types import Outcome

SCHEMA_VERSION = 1
MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""From each older version to the next."""
BASELINE = "baseline"
"""The kind and the organisation of what others are measured by."""
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_BLANK = {"\u115f", "\u1160", "\u2800", "\u3164", "\uffa0"}
_MOST_MARKS = 2
_OPTIONS_LIMIT = 4_000


def _plain(text: str) -> str:
    """Refuse what cannot be seen, turns the direction of writing, or has a second spelling."""
    marks = 0
    for character in text:
        if unicodedata.category(character) in _INVISIBLE or character in _BLANK:
            raise ValueError(f"U+{ord(character):04X} is no character that can be seen")
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks > _MOST_MARKS:
            raise ValueError(f"more than {_MOST_MARKS} marks on one letter")
    if unicodedata.normalize("NFC", text) != text:
        raise ValueError("it is not in Unicode's normal form C")
    return text


def _no_double_underscore(name: str) -> str:
    if "__" in name:
        raise ValueError("'__' parts organisation and model in a folder's name")
    return name


def _short(options: dict[str, JsonValue]) -> dict[str, JsonValue]:
    for part in _texts_in(list(options.values())):
        _plain(part)
    text = json.dumps(options, ensure_ascii=False, allow_nan=False)
    if len(text) > _OPTIONS_LIMIT:
        raise ValueError(f"more than {_OPTIONS_LIMIT:,} characters of options")
    return options


def _texts_in(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        yield from _texts_in(list(value.values()))
    elif isinstance(value, list):
        for part in value:
            yield from _texts_in(part)


Name = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,94}[A-Za-z0-9])?$"),
    AfterValidator(_no_double_underscore),
]
"""Letters, digits, '.', '_' and '-' of ASCII: no name looks like another by its letters."""
Short = Annotated[str, StringConstraints(max_length=120), AfterValidator(_plain)]
Long = Annotated[str, StringConstraints(max_length=500), AfterValidator(_plain)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Link = Annotated[
    str,
    StringConstraints(
        max_length=300, pattern=r"^https://[A-Za-z0-9.-]+(/[A-Za-z0-9._~/%?&=#+,:@-]*)?$"
    ),
]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Amount = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=10**15)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Links(_Strict):
    """Where to read more."""

    paper: Link | None = None
    weights: Link | None = None
    code: Link | None = None


class ModelFacts(_Strict):
    """What is said of the model; nothing of it can be recomputed.

    `contact` is the GitHub login of who may change the entry; None where only maintainers may.
    `overlap` says whether the training data has something in common with the benchmark, as
    `toolrm overlap` finds it. `cost_per_1000` is in US dollars per 1,000 pairs.
    """

    name: Name
    organisation: Name
    kind: Literal["classifier", "judge", "dpo", "likelihood", "baseline"]
    parameters: Count | None
    base_model: Short | None
    licence: Short
    links: Links = Links()
    training_data: Long
    overlap: Literal["none", "some", "unknown"]
    overlap_sha256: Sha256 | None = None
    contact: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9](-?[A-Za-z0-9]){0,38}$")] | None
    cost_per_1000: Amount | None = None
    hardware: Short
    date: date
    note: Annotated[str, StringConstraints(max_length=280), AfterValidator(_plain)] = ""

    @model_validator(mode="after")
    def _baselines_are_ours(self) -> ModelFacts:
        if (self.kind == BASELINE) != (self.organisation == BASELINE):
            raise ValueError("kind and organisation are both 'baseline', or neither is")
        return self


class Metrics(_Strict):
    """What rows come to; see `fcrewardbench.report.card.metrics`."""

    n: Count
    accuracy: Share
    accuracy_ci: tuple[Share, Share]
    ci_method: Short
    strict_accuracy: Share
    outcomes: dict[Outcome, Count]
    auc: Share | None = None
    auc_ci: tuple[Share, Share] | None = None
    order_consistency: Share | None = None
    first_position_share: Share | None = None


class SubsetResult(_Strict):
    """One run: how it was made, and its numbers."""

    data_sha256: Sha256
    adapter: Short
    revision: Short | None
    dtype: Short | None
    template_sha256: Short | None
    model: Short
    options: Annotated[dict[Short, JsonValue], AfterValidator(_short)]
    tokens_naive: Count
    tokens_computed: Count
    seconds: Amount
    finished: datetime
    versions: Annotated[dict[Short, Short], Field(max_length=20)]
    metrics: Metrics
    by_error_type: Annotated[dict[Short, Metrics], Field(max_length=100)]
    by_category: Annotated[dict[Short, Metrics], Field(max_length=100)]


class SubmissionCard(_Strict):
    """A submission without its rows."""

    schema_version: Literal[1]
    benchmark: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*@[0-9]+$")]
    model: ModelFacts
    results: Annotated[dict[Name, SubsetResult], Field(min_length=1, max_length=20)]

    @property
    def folder(self) -> str:
        """The name of its folder."""
        return f"{self.model.organisation}__{self.model.name}"


def parse_card(text: str, where: str) -> SubmissionCard:
    """The card in a JSON text, lifted to the newest version of the schema.

    Raises:
        DataError: it is not JSON, has NaN or infinities, or is no card; every fault is named.
    """
    try:
        data = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except (ValueError, RecursionError) as why:
        raise DataError(f"{where} is no JSON ({why}).") from None
    version = data.get("schema_version") if isinstance(data, dict) else None
    if not isinstance(version, int) or isinstance(version, bool):
        raise DataError(f"{where} has no schema_version: write it with fcrb submit.")
    if version > SCHEMA_VERSION:
        raise DataError(
            f"{where} is of schema version {version}, and {SCHEMA_VERSION} is the newest known: "
            "install a newer fcrewardbench."
        )
    try:
        for step in range(version, SCHEMA_VERSION):
            data = MIGRATIONS[step](data)
        return SubmissionCard.model_validate(data)
    except ValidationError as why:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc']))[:200]}: {fault['msg']}"
            for fault in why.errors()[:20]
        )
        raise DataError(f"{where}: {faults}.") from None
    except KeyError:
        raise DataError(f"{where} is of schema version {version}, which never was.") from None


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _finite(text: str) -> float:
    if not math.isfinite(float(text)):
        raise ValueError(f"{text} is too large a number")
    return float(text)


def card_text(card: SubmissionCard) -> str:
    """A card as it is written."""
    return card.model_dump_json(indent=2) + "\n"


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a card."""
    return SubmissionCard.model_json_schema()
