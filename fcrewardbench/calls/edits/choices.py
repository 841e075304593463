"""Wrong choices: another enum member, the opposite, the default instead of what was asked for."""

from __future__ import annotations

IMPORTS

def _other_enum(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    members = site.schema.get("enum") or ()
    if site.value not in members or str(site.value).lower() in _NO_PREFERENCE:
        return
    if not asked_for(context, site) and (not site.optional or _INFERRED.search(site.key)):
        return
    for member in shuffled(members, rng):
        if type(member) is not type(site.value) or str(member).lower() in _NO_PREFERENCE:
            continue
        if not isinstance(member, str) or means_something_else(site, member):
            yield member


_QUOTED = re.compile(r"['\"`]([^'\"`]{2,40})['\"`]")


def _described_option(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """Another of the options that the description lists in quotes, the right one among them."""
    if not isinstance(site.value, str) or site.schema.get("enum") or not asked_for(context, site):
        return
    options = list(dict.fromkeys(_QUOTED.findall(site.description)))
    if site.value not in options:
        return
    for option in shuffled(options, rng):
        same_kind = option[0].isupper() == site.value[0].isupper()
        if same_kind and not re.search(r"\d", option) and means_something_else(site, option):
            yield option


def _negated(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    if isinstance(site.value, bool) and _about(context, site.key):
        yield not site.value
    if isinstance(site.value, str) and asked_for(context, site):
        members = site.schema.get("enum") or ()
        opposite = {"True": "False", "False": "True"}.get(site.value)
        if opposite in members:
            yield opposite


def _about(context: Context, name: str) -> bool:
    """Whether the conversation speaks of what a parameter is named after."""
    stems = {word[:4] for word in context.words if len(word) >= 4}
    return any(word[:4] in stems for word in re.findall(r"[a-z]{4,}", _spaced(name).lower()))


def _spaced(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)


def _default_instead(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """What the schema falls back to, where the conversation asks for something else."""
    default = site.schema.get("default")
    usable = default not in (None, "") and str(default).lower() not in _NO_PREFERENCE
    if usable and type(default) is type(site.value) and asked_for(context, site):
        if not isinstance(default, (str, int, float)):
            return
        if not isinstance(default, str) or means_something_else(site, default):
            yield styled(default, site.schema, context.text)
