"""One given value against the admissible ones: why a reader may let it pass, or None."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from fcrewardbench.calls.doubts.base import Equivalence, Place
from fcrewardbench.calls.doubts.moments import day_open, same_moment, year_open
from fcrewardbench.calls.doubts.numbers import (
    number_and_text,
    same_number,
    same_quantity,
    same_share,
    same_unit,
)
from fcrewardbench.calls.doubts.places import same_code, same_person, same_place
from fcrewardbench.calls.doubts.texts import (
    equated,
    fuller_name,
    kind_added,
    own_script,
    own_spelling,
    quoted,
    same_formula,
    same_letters,
    same_message,
    same_words,
    truth_and_text,
    truth_of,
)
from fcrewardbench.calls.doubts.words import content
from fcrewardbench.calls.edits.base import name_words
from fcrewardbench.calls.edits.sites import default_of, plain

Excuse: TypeAlias = tuple[str, ...] | None
"""Kinds of doubt; empty where the values are the same, None where they really differ."""

# What may differ between a member of an enum and the same member written otherwise.
_NOTATIONS: tuple[tuple[str, Equivalence], ...] = (
    ("number as text", number_and_text),
    ("number in another notation", same_number),
    ("boolean as text", truth_and_text),
    ("other spelling", same_letters),
)
_EQUIVALENCES: tuple[tuple[str, Equivalence], ...] = (
    *_NOTATIONS,
    ("date in another format", same_moment),
    ("percent or fraction", same_share),
    ("unit in another form", same_unit),
    ("unit in another form", same_quantity),
    ("formula in another notation", same_formula),
    ("other spelling", same_words),
    ("place with or without its region", same_place),
    ("name or code", same_code),
    ("title of a person", same_person),
    ("kind named with it", kind_added),
    ("set equal by the description", equated),
    ("the user's own spelling", own_spelling),
    ("the user's own script", own_script),
    ("the user's fuller wording", fuller_name),
    ("shorter or longer wording", same_message),
    ("the user's own words", quoted),
    ("year left open", year_open),
    ("day left open", day_open),
)
_NOTHING = ("", "null", "none", "n/a", "dontcare", "any", "unspecified", "not specified", "unknown")


def says_nothing(value: Any) -> bool:
    """Whether a value states no preference: null, empty, "dontcare"."""
    if isinstance(value, str):
        return value.strip().lower() in _NOTHING
    return value is None or value in ([], {})


def defaulted(value: Any, place: Place) -> bool:
    """Whether the value is the default that the schema or its description states."""
    default = default_of(place.schema)
    takes_list = place.schema.get("type") in ("array", "tuple")
    if default is None or isinstance(value, Mapping) or isinstance(value, list) is not takes_list:
        return False
    return any(holds(value, default, place) for _, holds in _NOTATIONS) or value == default


def excuse(value: Any, admissible: Sequence[Any], place: Place) -> Excuse:
    """Why the value may pass for one of the admissible ones, `""` among which means optional."""
    due = [option for option in admissible if option != ""]
    if says_nothing(value) and ("" in admissible or all(says_nothing(option) for option in due)):
        return ("left empty",)
    found = [kinds for option in due if (kinds := same(value, option, place)) is not None]
    if found:
        return min(found, key=len)
    if defaulted(value, place):
        if "" in admissible:
            return ("default made explicit",)
        if unasked(admissible, place):
            return ("default where nobody asked for more",)
    silent = all(says_nothing(option) or defaulted(option, place) for option in due)
    if "" in admissible and silent and supported(value, place):
        return ("optional value that the conversation names",)
    return None


def supported(value: Any, place: Place) -> bool:
    """Whether the conversation names a text that can only belong here.

    A member of the parameter's enum, or wording of the model's own; any other name may be one for
    another parameter, the actor's for the director's.
    """
    if not isinstance(value, str):
        return False
    if value in (place.schema.get("enum") or ()):
        return place.talk.quotes(value)
    words = content(value)
    return place.free and bool(words) and all(place.talk.mentions(word) for word in words)


def same(value: Any, due: Any, place: Place) -> Excuse:
    """Kinds of doubt under which two values are one; lists and objects item by item."""
    if isinstance(due, Mapping):
        return _same_object(value, due, place)
    if isinstance(due, (list, tuple)) or isinstance(value, list):
        return _same_list(value, due, place)
    if type(value) is type(due) and plain(value) == plain(due):
        return ()
    if isinstance(value, (Mapping, list)) or value is None or due is None:
        return None
    strict = place.exact or _choices_differ(value, due, place)
    rules = _NOTATIONS if strict else _EQUIVALENCES
    return next(((kind,) for kind, holds in rules if holds(value, due, place)), None)


_QUOTED = re.compile(r"(?<!\w)['\"`]([^'\"`]{1,40})['\"`](?!\w)")


def _choices_differ(value: Any, due: Any, place: Place) -> bool:
    """Whether the value due is one of several choices that the schema or the description lists."""
    members = [plain(member) for member in place.schema.get("enum") or ()]
    if plain(due) in members:
        return True
    listed = [plain(option) for option in _QUOTED.findall(place.description)]
    return plain(value) in listed and plain(due) in listed


def _same_object(value: Any, due: Mapping[str, Any], place: Place) -> Excuse:
    """Under each key of an object that is due, BFCL lists admissible values."""
    if not isinstance(value, Mapping):
        return None
    kinds: list[str] = []
    for key in dict.fromkeys((*value, *due)):
        inner, options = place.within(key), due.get(key)
        choices = options if isinstance(options, list) else [options]
        if key not in value:
            if "" in choices:
                continue
            excused: Excuse = left_out(choices, inner)
        elif key not in due:
            excused = ("default made explicit",) if defaulted(value[key], inner) else None
        else:
            excused = excuse(value[key], choices, inner)
        if excused is None:
            return None
        kinds.extend(excused)
    return tuple(dict.fromkeys(kinds))


def left_out(admissible: Sequence[Any], place: Place) -> Excuse:
    """Why an argument may be missing: what is due is what its absence means."""
    if any(says_nothing(option) for option in admissible):
        return ("nothing left out",)
    if any(defaulted(option, place) for option in admissible):
        return ("default left out",)
    return ("left out where nobody asked for it",) if unasked(admissible, place) else None


_FLAG_WORDS = frozenset(
    ("is", "has", "have", "include", "included", "show", "with", "allow", "enable", "use", "get")
)


def unasked(admissible: Sequence[Any], place: Place) -> bool:
    """Whether a flag, false by default, is due as true and the conversation has no word of it."""
    if truth_of(default_of(place.schema)) is not False:
        return False
    words = [word for word in name_words(place.key) if word not in _FLAG_WORDS]
    said = any(place.talk.mentions(word) for word in words)
    return bool(words) and not said and all(option is True for option in admissible)


def _same_list(value: Any, due: Any, place: Place) -> Excuse:
    inner = place.within(None)
    if not isinstance(due, (list, tuple)):
        alone = len(value) == 1 and same(value[0], due, inner) is not None
        return ("one item or a list of it",) if alone else None
    if not isinstance(value, list):
        as_text = isinstance(value, str) and value.strip().startswith("[")
        alone = len(due) == 1 and not as_text and same(value, due[0], inner) is not None
        return ("one item or a list of it",) if alone else None
    if len(value) != len(due):
        return None
    in_order = _pairwise(value, due, inner)
    if in_order is not None or not _a_set(value, place):
        return in_order
    rest = list(value)
    kinds = ["other order"]
    for item in due:
        found = next((e for e in rest if same(e, item, inner) is not None), None)
        if found is None:
            return None
        rest.remove(found)
        kinds.extend(same(found, item, inner) or ())
    return tuple(dict.fromkeys(kinds))


def _pairwise(value: Sequence[Any], due: Sequence[Any], inner: Place) -> Excuse:
    kinds: list[str] = []
    for given, expected in zip(value, due, strict=True):
        found = same(given, expected, inner)
        if found is None:
            return None
        kinds.extend(found)
    return tuple(dict.fromkeys(kinds))


_ORDERED = re.compile(
    r"order|sequen|coord|matrix|vector|range|interval|bounds|path|route|step|rank|priorit|first|start|"
    r"respectiv|correspond|series|point|position|waypoint|stops?\b|itinerar|dimension|\bx\b|\bversus\b|"
    r"array|sort|time|chain|level|each|pair|between|polynom|coefficient|weight|score",
    re.I,
)
_AGGREGATES = re.compile(
    r"mean|average|median|mode\b|\bsum\b|deviation|variance|maximum|minimum|largest", re.I
)


def _a_set(value: Sequence[Any], place: Place) -> bool:
    """Whether the order of a list says nothing: a list of names, or numbers to be summed up."""
    if _ORDERED.search(f"{place.key.replace('_', ' ')} {place.description}"):
        return False
    if all(isinstance(item, str) for item in value):
        return True
    numbers = all(type(item) in (int, float) for item in value)
    return numbers and bool(_AGGREGATES.search(f"{place.tool.name} {place.tool.description}"))
