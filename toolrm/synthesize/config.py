"""What a synthesis is asked to do: one YAML file."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from fcrewardbench import ErrorType, UnknownName, UsageError

_WEIGHTS = {
    ErrorType.VALUE: 0.38,
    ErrorType.NAME: 0.18,
    ErrorType.COUNT: 0.12,
    ErrorType.MISSING_OPTIONAL: 0.06,
    ErrorType.MISSING_REQUIRED: 0.06,
    ErrorType.TYPE: 0.05,
    ErrorType.UNEXPECTED: 0.05,
    ErrorType.PARSING: 0.02,
    ErrorType.NO_CALL: 0.08,
}
"""Near the distribution of the paper's benchmark; rare types are raised, so that they can be learnt."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceConfig(_Part):
    """A data set.

    Args:
        name: of the source; see `toolrm.sources`.
        path: its file or folder.
        limit: take so many records or ready pairs, at random.
        share: the largest share of the records trained on that it may make.
    """

    name: str
    path: Path
    limit: int | None = Field(default=None, ge=1)
    share: float = Field(default=1.0, gt=0, le=1)


class RequestsConfig(_Part):
    """Requests made from tool schemas alone.

    Args:
        source: where the schemas are from: the name in the pairs is `requests-<source>`.
        schemas: Seal-Tools' `tool.jsonl`, or JSON lines of OpenAI tool descriptions.
        licence: that of the schemas.
        number: of requests.
        share: the largest share of the records trained on that they may make.
    """

    source: str
    schemas: Path
    licence: str
    number: int = Field(ge=1)
    share: float = Field(default=1.0, gt=0, le=1)


class GeneratorConfig(_Part):
    """A model whose wrong calls become rejected candidates.

    Args:
        model: its name on the server.
        base_url: an OpenAI-compatible server's address up to `/v1`.
        key_env: the environment variable that holds the key.
        temperatures: each record is asked at each of them.
        samples: how often at each.
        near_misses: how often at each it is, besides, held to the right calls but for one value, and
            writes that. The server has to take JSON schemas.
        records: how many records are asked about, at random.
        fix_count: ask for JSON with exactly as many calls as are due, where the server can do so: then
            wrong values and names come out, and not wrong numbers of calls.
        max_tokens: the longest reply.
        concurrency: requests at once.
        timeout: seconds that the server may be silent.
    """

    model: str
    base_url: str
    key_env: str = "OPENAI_API_KEY"
    temperatures: tuple[float, ...] = Field(default=(0.7,), min_length=1)
    samples: int = Field(default=1, ge=0)
    near_misses: int = Field(default=0, ge=0)
    records: int = Field(default=1_000, ge=1)
    fix_count: bool = True
    max_tokens: int = Field(default=256, ge=1)
    concurrency: int = Field(default=16, ge=1)
    timeout: float = Field(default=120.0, gt=0)

    @model_validator(mode="after")
    def _asked(self) -> GeneratorConfig:
        if not self.samples + self.near_misses:
            raise ValueError("samples and near_misses are both 0: nothing would be asked")
        return self


class Limits(_Part):
    """What is left out so that nothing is too much of one kind.

    Args:
        alike: records whose requests differ in nothing but their values and numbers.
        per_tool: records that call one tool.
        longest: characters of tools, conversation and longest candidate together.
        operator: the largest share of the rejected candidates that one edit may make.
        generator: the same of one model.
        tool: the largest share of the records trained on in which one tool is due.
    """

    alike: int = Field(default=3, ge=1)
    per_tool: int | None = Field(default=None, ge=1)
    longest: int = Field(default=12_000, ge=100)
    operator: float = Field(default=0.08, gt=0, le=1)
    generator: float = Field(default=0.35, gt=0, le=1)
    tool: float = Field(default=0.1, gt=0, le=1)


class SynthesizeConfig(_Part):
    """One synthesis.

    Args:
        rejected_per_record: of different errors, as far as there are; they share the prompt.
        weights: by error type, how much of it there should be where a call is due.
        said: the share of wrong values that stand in the conversation: below it, such come first, as
            far as there are any. Less lets a look at the conversation for the value tell more, and
            makes fewer wrong values that no reader would take for right ones.
        irrelevance: the share of records in which no call is due.
        underway: the share of records that are put behind calls already made, with made-up results,
            as far as they can be: some of several calls are made, or another request was served. Of
            those in which no call is due, in some all is done and told, or to be told.
        obfuscated: the share of records whose function and parameter names say nothing.
        distractors: how few and how many tools there are beside those that are due; a record keeps
            those that it has.
        styled: the share of records whose candidates are written in another JSON style.
        alone: the share of records that get no distractors.
        held_out: the share of records whose tools occur in no others, in a file of their own.
        held_out_sources: sources of which all records are in that file, and none of their tools
            elsewhere.
        benchmarks: further benchmarks and test sets, as `fcrb evaluate` takes them, that nothing may
            overlap with, beside BFCL, `open` and `rebuilt`.
        downstream: the folder of the test sets that nothing may overlap with, besides the benchmarks.
        allow_overlap: keep records that overlap with benchmarks.
        data: what the paths of sources, schemas and test sets are relative to.
        out: the folder to write.
    """

    sources: tuple[SourceConfig, ...] = ()
    requests: RequestsConfig | None = None
    generators: tuple[GeneratorConfig, ...] = ()
    rejected_per_record: int = Field(default=4, ge=1)
    weights: dict[ErrorType, float] = Field(default_factory=lambda: dict(_WEIGHTS))
    said: float = Field(default=0.65, ge=0, le=1)
    irrelevance: float = Field(default=0.1, ge=0, lt=1)
    underway: float = Field(default=0.0, ge=0, le=1)
    obfuscated: float = Field(default=0.5, ge=0, le=1)
    distractors: tuple[int, int] = (0, 5)
    alone: float = Field(default=0.0, ge=0, le=1)
    styled: float = Field(default=0.25, ge=0, le=1)
    limits: Limits = Limits()
    held_out: float = Field(default=0.05, ge=0, lt=1)
    held_out_sources: frozenset[str] = frozenset()
    benchmarks: tuple[str, ...] = ()
    downstream: Path | None = None
    allow_overlap: bool = False
    seed: int = 0
    data: Path = Field(default=Path(), exclude=True)
    out: Path = Field(default=Path("training-data"), exclude=True)

    @field_validator("weights")
    @classmethod
    def _weights_of_due_calls(cls, weights: dict[ErrorType, float]) -> dict[ErrorType, float]:
        if ErrorType.SHOULD_NOT_CALL in weights:
            raise ValueError(f"how much of '{ErrorType.SHOULD_NOT_CALL}' is said by 'irrelevance'")
        positive = {kind: weight for kind, weight in weights.items() if weight > 0}
        if not positive or len(positive) < len(weights):
            raise ValueError("every weight has to be above 0; leave out what is not wanted")
        total = sum(positive.values())
        return {kind: weight / total for kind, weight in positive.items()}

    @model_validator(mode="after")
    def _possible(self) -> SynthesizeConfig:
        if not self.sources and self.requests is None:
            raise ValueError("there are neither sources nor requests to make pairs of")
        names = [source.name for source in self.sources]
        if len(set(names)) < len(names):
            raise ValueError("a source stands twice")
        unknown = sorted(self.held_out_sources - set(names))
        if unknown:
            raise ValueError(f"held_out_sources has '{unknown[0]}', which is none of the sources")
        if self.held_out_sources and not self.held_out:
            raise ValueError("held_out_sources need a share held_out above 0")
        if not 0 <= self.distractors[0] <= self.distractors[1]:
            raise ValueError("distractors have to be two numbers, the smaller one first")
        return self


def load_config(name: str, **changes: Any) -> SynthesizeConfig:
    """A configuration out of a YAML file, or a shipped one by its name.

    Args:
        changes: fields that take the place of the file's, where they are not None.

    Raises:
        UnknownName: neither a shipped recipe nor a file.
        UsageError: the file cannot be read, or a field in it cannot be so.
    """
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as why:
            raise UsageError(f"The configuration {path} cannot be read: {why}.") from None
    elif name in shipped():
        text = (files("toolrm") / "recipes" / f"{name}.yaml").read_text("utf-8")
    else:
        hint = "A file's name ends in .yaml."
        raise UnknownName("recipe of a synthesis", name, shipped(), hint)
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as why:
        raise UsageError(f"{name} is no YAML: {' '.join(str(why).split())}.") from None
    if not isinstance(values, dict):
        raise UsageError(f"{name} is no configuration of a synthesis: it has no fields.")
    given = {field: value for field, value in changes.items() if value is not None}
    try:
        return SynthesizeConfig.model_validate({**values, **given})
    except ValidationError as why:
        found = why.errors()
        fields = "; ".join(
            ": ".join(filter(None, (".".join(map(str, e["loc"])), e["msg"]))) for e in found
        )
        raise UsageError(f"{name} is no synthesis that can be run ({fields}).") from None


def limited(config: SynthesizeConfig, limit: int) -> SynthesizeConfig:
    """The configuration with no more than so many records of each source, and requests."""
    sources = tuple(
        source.model_copy(update={"limit": min(limit, source.limit or limit)})
        for source in config.sources
    )
    requests = config.requests and config.requests.model_copy(
        update={"number": min(limit, config.requests.number)}
    )
    return config.model_copy(update={"sources": sources, "requests": requests})


def shipped() -> list[str]:
    """The recipes of syntheses that ship with the package."""
    names = (entry.name for entry in (files("toolrm") / "recipes").iterdir())
    return sorted(n.removesuffix(".yaml") for n in names if n.startswith("synthesize-"))
