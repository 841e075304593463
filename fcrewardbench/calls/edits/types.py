"""Right values of the wrong JSON type."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from fcrewardbench.calls.edits.base import Calls, Context, Operator
from fcrewardbench.calls.edits.sites import Site, shuffled, sites, with_value
from fcrewardbench.types import ErrorType


def _operator(name: str, convert: Callable[[Context, Site], Iterator[Any]]) -> Operator:
    def edit(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
        for site in shuffled(sites(context, calls), rng):
            for value in convert(context, site):
                yield with_value(calls, site, value)

    return Operator(f"type/{name}", ErrorType.TYPE, edit)


def _number_as_text(context: Context, site: Site) -> Iterator[Any]:
    if type(site.value) in (int, float):
        yield str(site.value)


def _number_with_unit(context: Context, site: Site) -> Iterator[Any]:
    """The number together with the word that follows it in the conversation."""
    if type(site.value) in (int, float) and 0 <= site.value < 1000:
        following = re.search(
            rf"(?<![\d.]){re.escape(str(site.value))} ?([a-z]{{2,12}}(?![a-z])|%)", context.text
        )
        if following and following[1] not in ("and", "to", "in", "for", "at", "of", "or", "with"):
            yield following[0]


def _bool_as_text(context: Context, site: Site) -> Iterator[Any]:
    if isinstance(site.value, bool):
        yield str(site.value).lower()


def _text_as_bool(context: Context, site: Site) -> Iterator[Any]:
    if site.value in ("True", "False", "true", "false"):
        yield str(site.value).lower() == "true"


def _text_as_number(context: Context, site: Site) -> Iterator[Any]:
    if isinstance(site.value, str) and re.fullmatch(r"[1-9]\d{0,8}", site.value):
        yield int(site.value)


def _scalar_as_list(context: Context, site: Site) -> Iterator[Any]:
    if isinstance(site.value, (str, int, float)) and not isinstance(site.value, bool):
        yield [site.value]


def _list_as_text(context: Context, site: Site) -> Iterator[Any]:
    value = site.value
    if (
        isinstance(value, list)
        and value
        and all(isinstance(item, (str, int, float)) for item in value)
    ):
        yield ", ".join(map(str, value))


def _list_as_scalar(context: Context, site: Site) -> Iterator[Any]:
    if isinstance(site.value, list) and len(site.value) == 1:
        yield site.value[0]


def _object_as_text(context: Context, site: Site) -> Iterator[Any]:
    if isinstance(site.value, dict):
        yield json.dumps(site.value, ensure_ascii=False)


TYPES = (
    _operator("number-as-text", _number_as_text),
    _operator("number-with-unit", _number_with_unit),
    _operator("bool-as-text", _bool_as_text),
    _operator("text-as-bool", _text_as_bool),
    _operator("text-as-number", _text_as_number),
    _operator("scalar-as-list", _scalar_as_list),
    _operator("list-as-text", _list_as_text),
    _operator("list-as-scalar", _list_as_scalar),
    _operator("object-as-text", _object_as_text),
)
