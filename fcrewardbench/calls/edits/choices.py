"""Wrong choices: another enum member, the opposite, the default instead of what was asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random
from typing import Any

from fcrewardbench.calls.edits.base import Context
from fcrewardbench.calls.edits.sites import (
    Site,
    about,
    asked_for,
    lacks_preference,
    means_something_else,
    shuffled,
    value_operator,
)
from fcrewardbench.calls.edits.variants import styled


def _other_enum(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    members = site.schema.get("enum") or ()
    if site.value not in members or lacks_preference(site.value):
        return
    if not asked_for(context, site):
        return
    for member in shuffled(members, rng):
        if type(member) is not type(site.value) or lacks_preference(member):
            continue
        if not isinstance(member, str) or means_something_else(site, member):
            yield member


_QUOTED = re.compile(r"['\"`]([^'\"`]{2,40})['\"`]")


def _described_option(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """Another of the options that the description lists in quotes, the right one among them."""
    if not isinstance(site.value, str) or site.schema.get("enum") or not asked_for(context, site):
        return
    options = list(dict.fromkeys(_QUOTED.findall(site.description)))
    # Quoted places and names with a comma are examples of a format, not options.
    if site.value not in options or any("," in option for option in options):
        return
    for option in shuffled(options, rng):
        same_kind = option[0].isupper() == site.value[0].isupper()
        if same_kind and not re.search(r"\d", option) and means_something_else(site, option):
            yield option


def _negated(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    if isinstance(site.value, bool) and not site.optional and about(context, site.key):
        yield not site.value
    if isinstance(site.value, str) and asked_for(context, site):
        members = site.schema.get("enum") or ()
        opposite = {"True": "False", "False": "True"}.get(site.value)
        if opposite in members:
            yield opposite


def _default_instead(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """What the schema falls back to, where the conversation asks for something else."""
    default = site.schema.get("default")
    usable = default not in (None, "") and not lacks_preference(default)
    if usable and type(default) is type(site.value) and asked_for(context, site):
        if not isinstance(default, (str, int, float)) or "null" in str(default):
            return
        if not isinstance(default, str) or means_something_else(site, default):
            yield styled(default, site.schema, context.text)


CHOICES = (
    value_operator("other-enum", _other_enum),
    value_operator("described-option", _described_option),
    value_operator("negated", _negated),
    value_operator("default-instead", _default_instead, to_default=True),
)
