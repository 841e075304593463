"""Names → adapters and models. Nothing is imported before it is asked for."""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass, field, replace
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from fcrewardbench.adapted import is_adapter, merged
from fcrewardbench.adapters.base import Adapter, Judge, Scorer
from fcrewardbench.errors import ModelError, UnknownName, UsageError
from fcrewardbench.hub import snapshot
from fcrewardbench.models import KNOWN_MODELS, PackagedModel, folder
from fcrewardbench.presets import Preset, load_preset, preset_names

ENTRY_POINT_GROUP = "fcrewardbench.adapters"
_ADAPTERS = {
    "baseline/random": "fcrewardbench.adapters.baselines:Random",
    "baseline/longer": "fcrewardbench.adapters.baselines:Longer",
    "baseline/shorter": "fcrewardbench.adapters.baselines:Shorter",
    "baseline/overlap": "fcrewardbench.adapters.baselines:Overlap",
    "baseline/schema": "fcrewardbench.adapters.baselines:Schema",
    "classifier": "fcrewardbench.adapters.classifier:Classifier",
    "likelihood": "fcrewardbench.adapters.likelihood:Likelihood",
    "dpo": "fcrewardbench.adapters.dpo:Dpo",
    "guardian": "fcrewardbench.adapters.guardian:Guardian",
    "judge": "fcrewardbench.adapters.judge:LocalJudge",
    "rating": "fcrewardbench.adapters.rating:Rating",
    "api": "fcrewardbench.adapters.api:ApiJudge",
    "vllm": "fcrewardbench.adapters.vllm:VllmClassifier",
    "vllm-judge": "fcrewardbench.adapters.vllm_judge:VllmJudge",
    "remote": "fcrewardbench.adapters.remote:Remote",
    "mock": "fcrewardbench.adapters.mock:Mock",
}
MODEL_ADAPTERS = (
    "classifier",
    "likelihood",
    "dpo",
    "guardian",
    "judge",
    "rating",
    "api",
    "vllm",
    "vllm-judge",
    "remote",
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A loaded model: its name, its adapter's, and the object that scores.

    Its weights came from `package`, from the hub at `commit`, or from a folder; they are in `folder`,
    where the adapter needs one. `preset` is the one that its name leads to, if any. `options` are those
    that were given, by a preset, too. Where `by_name` is False, it was loaded elsewhere, and its name
    leads to nothing.
    """

    name: str
    adapter_name: str
    adapter: Adapter
    package: PackagedModel | None = None
    commit: str | None = None
    by_name: bool = True
    folder: Path | None = None
    preset: Preset | None = None
    options: dict[str, Any] = field(default_factory=dict)


def adapter_names() -> list[str]:
    """Every adapter that can be named, those of entry points included."""
    return sorted({*_ADAPTERS, *(point.name for point in entry_points(group=ENTRY_POINT_GROUP))})


def adapter_class(name: str) -> type[Adapter]:
    """The class behind an adapter's name.

    Raises:
        UnknownName: there is none.
    """
    if name in _ADAPTERS:
        module, _, attribute = _ADAPTERS[name].partition(":")
        found: type[Adapter] = getattr(import_module(module), attribute)
        return found
    for point in entry_points(group=ENTRY_POINT_GROUP, name=name):
        try:
            loaded = point.load()
        except Exception as why:
            raise UsageError(
                f"The adapter '{name}' of the entry point {point.value} cannot be imported "
                f"({type(why).__name__}: {why}): mend or uninstall its package."
            ) from why
        if not (isinstance(loaded, type) and issubclass(loaded, (Scorer, Judge))):
            raise UsageError(f"The entry point {point.value} is no Scorer or Judge class.")
        return loaded
    raise UnknownName("adapter", name, adapter_names())


def load_named(model: str, adapter: str | None = None, **options: Any) -> Loaded:
    """Find and load a model.

    A name is looked up among the adapters that need no model, then among the presets and the known
    models, then as a local path, then on the hub; `path:` and `hub:` force one, and
    `package:NAME/FOLDER` is what an installed package carries. A preset brings its adapter and options;
    those that are given win.

    Args:
        model: the name.
        adapter: an adapter's name; where it is left out, a known model's own, or what the model's
            `config.json` says it is.
        options: the adapter's own keyword arguments.

    Raises:
        UnknownName: no such model or adapter.
        UsageError: an option that the adapter does not have.
    """
    if adapter is None and model in adapter_names() and model not in MODEL_ADAPTERS:
        scorer = _construct(model, adapter_class(model), None, options)
        return Loaded(model, model, scorer, options=options)
    if model in preset_names():
        return _load_preset(load_preset(model), adapter, options)
    if adapter is not None:
        cls = adapter_class(adapter)
        if not cls.needs_folder:
            takes_model = "model" in parameters_of(cls)
            if not takes_model and model != adapter:
                raise UsageError(
                    f"The adapter '{adapter}' takes no model, so '{model}' would not be looked at: "
                    f"give --model {adapter} alone."
                )
            scorer = _construct(adapter, cls, model if takes_model else None, options)
            return Loaded(model, adapter, scorer, options=options)
    location, revision = locate(model, options.pop("revision", None))
    package = KNOWN_MODELS.get(model)
    name = adapter or (package.adapter if package else _guess(location, model))
    if revision is not None:
        options["revision"] = revision
    if options.get("reference") is not None:
        options["reference"] = str(locate(options["reference"], None)[0])
    scorer = _construct(name, adapter_class(name), str(location), options)
    commit = None if package else revision
    return Loaded(model, name, scorer, package, commit, folder=location, options=options)


_OF_LOADING = frozenset({"dtype", "share_prompt"})
"""Options of a preset that say how weights are loaded, and nothing to an adapter that loads none."""


def _load_preset(preset: Preset, adapter: str | None, options: dict[str, Any]) -> Loaded:
    """The preset's model under its name, with the options that are given before its own."""
    name = adapter or preset.adapter
    taken = parameters_of(adapter_class(name))
    own = {
        option: value
        for option, value in preset.options.items()
        if option in taken or option not in _OF_LOADING
    }
    merged = {**own, **options}
    model = preset.model
    if adapter_class(name).needs_folder and not preset.is_packaged:
        model = f"hub:{model}"
        merged.setdefault("revision", preset.revision)
    return replace(load_named(model, name, **merged), name=preset.name, preset=preset)


def load(model: str, adapter: str | None = None, **options: Any) -> Adapter:
    """Load a model by name; see `load_named` for how names are found.

    Returns a `Scorer` (`score`, `score_groups`) or a `Judge` (`compare`, `compare_groups`).
    """
    loaded = load_named(model, adapter, **options).adapter
    loaded.ready()
    return loaded


def parameters_of(cls: type[Adapter]) -> list[str]:
    """The names that an adapter's `__init__` takes, those it passes on to its bases included."""
    return list(_parameters(cls))


def defaults_of(cls: type[Adapter]) -> dict[str, Any]:
    """The options of an adapter that may be left out, and what they are then."""
    return {
        name: default
        for name, (_, default) in _parameters(cls).items()
        if default is not inspect.Parameter.empty
    }


def _parameters(cls: type[Adapter]) -> dict[str, tuple[Any, Any]]:
    """Names, annotations (`Any` where there is none) and defaults."""
    found: dict[str, tuple[Any, Any]] = {}
    for owner in cls.__mro__[:-1]:
        if "__init__" not in vars(owner):
            continue
        init = vars(owner)["__init__"]
        parameters = list(inspect.signature(init).parameters.values())[1:]
        hints = get_type_hints(init)
        for parameter in parameters:
            if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
                told = (hints.get(parameter.name, Any), parameter.default)
                found.setdefault(parameter.name, told)
        if all(parameter.kind is not parameter.VAR_KEYWORD for parameter in parameters):
            break
    return found


def _construct(
    name: str, cls: type[Adapter], model: str | None, options: dict[str, Any]
) -> Adapter:
    """The adapter with its options, each of them known and of its type."""
    parameters = _parameters(cls)
    known = [parameter for parameter in parameters if parameter != "model"]
    for option, value in options.items():
        if option not in known:
            takes = ", ".join(known) or "no options"
            raise UsageError(f"The adapter '{name}' has no option '{option}'; it takes {takes}.")
        try:
            TypeAdapter(parameters[option][0]).validate_python(
                value, strict=not isinstance(value, int)
            )
        except ValidationError as why:
            reason = why.errors()[0]["msg"]
            raise UsageError(
                f"The option '{option}' of '{name}' cannot be {value!r}: {reason}."
            ) from None
    if "model" in parameters:
        if model is None:
            raise UsageError(
                f"The adapter '{name}' needs a model: give --model NAME --adapter {name}."
            )
        options = {"model": model, **options}
    return cls(**options)


def locate(model: str, wanted: str | None) -> tuple[Path, str | None]:
    """Folder of a model, and its revision where the folder's content does not have to tell it.

    Low-rank adapters are merged into their base.

    Raises:
        UnknownName, UsageError, ModelError: there is none.
    """
    path, revision = _found(model, wanted)
    return (merged(path, locate) if is_adapter(path) else path), revision


def _found(model: str, wanted: str | None) -> tuple[Path, str | None]:
    on_hub = model.startswith("hub:") or _is_hub_id(model)
    if wanted is not None and not on_hub:
        raise UsageError(f"'{model}' is not from the hub, so it has no revision to choose.")
    if model.startswith("path:"):
        path = Path(model.removeprefix("path:")).expanduser()
        if not path.is_dir():
            raise UsageError(f"There is no folder {path}; --model path:… names a model's folder.")
        return path, None
    if model.startswith("package:"):
        return _in_package(model.removeprefix("package:")), None
    if model.startswith("hub:"):
        return _from_hub(model.removeprefix("hub:"), wanted)
    if model in KNOWN_MODELS:
        return folder(model), KNOWN_MODELS[model].revision
    if on_hub:
        return _from_hub(model, wanted)
    if Path(model).expanduser().is_dir():
        return Path(model).expanduser(), None
    named = [name for name in adapter_names() if name not in MODEL_ADAPTERS]
    known = [*named, *preset_names(), *KNOWN_MODELS]
    raise UnknownName(
        "model", model, known, "It is no folder either, and a hub id looks like owner/name."
    )


def _is_hub_id(model: str) -> bool:
    """Whether a name can only mean a hub repository: owner/name, and no folder of that name."""
    elsewhere = (".", "/", "~", "baseline/", "path:", "package:")
    shaped = model.count("/") == 1 and not model.startswith(elsewhere)
    return shaped and not Path(model).is_dir()


def _in_package(place: str) -> Path:
    """The folder of a model that an installed package carries: PACKAGE/FOLDER."""
    package, _, folder_name = place.partition("/")
    found = find_spec(package) if package.isidentifier() else None
    if found is None or found.origin is None:
        raise UsageError(
            f"The package '{package}', which carries this model, is not installed: install it, or name "
            "the model package:PACKAGE/FOLDER."
        )
    path = Path(found.origin).parent / folder_name
    if not path.is_dir():
        raise UsageError(f"The package {package} has no folder {folder_name}.")
    return path


def _from_hub(repository: str, wanted: str | None) -> tuple[Path, str]:
    path = snapshot(repository, wanted)
    return path, path.name


def _guess(location: Path, model: str) -> str:
    """The adapter that fits a model's architecture, out of its config.json."""
    config = location / "config.json"
    if not config.is_file():
        raise ModelError(f"{model} has no config.json, so it is no transformers model.")
    try:
        architectures = json.loads(config.read_text(encoding="utf-8")).get("architectures") or []
    except ValueError as why:
        raise ModelError(f"{config} is not JSON: {why}") from None
    if any(name.endswith("ForSequenceClassification") for name in architectures):
        return "classifier"
    if any(name.endswith(("ForCausalLM", "LMHeadModel")) for name in architectures):
        return "likelihood"
    raise ModelError(
        f"{model} is a {', '.join(architectures) or 'model without architectures'}; name its adapter "
        f"with --adapter, one of {', '.join(MODEL_ADAPTERS)}."
    )
