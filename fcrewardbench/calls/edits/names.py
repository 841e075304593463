"""Wrong functions: another tool of the catalogue, or a name that no tool has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from random import Random

from fcrewardbench.calls.edits.base import Calls, Context, Operator, name_words, required
from fcrewardbench.calls.edits.siblings import sibling_call, siblings
from fcrewardbench.calls.edits.sites import shuffled
from fcrewardbench.types import Call, ErrorType

_NEAREST = 3


def _carried(call: Call, other: Call) -> str:
    """How much of a call's arguments another call has: "all", "some" or "none"."""
    if other.arguments == call.arguments:
        return "all"
    kept = any(other.arguments.get(name) == value for name, value in call.arguments.items())
    return "some" if kept else "none"


def _sibling(carried: str) -> Callable[[Context, Calls, Random], Iterator[Calls]]:
    """Another tool, to which all, some or none of the right call's arguments are carried over."""

    def edit(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
        for index in shuffled(range(len(calls)), rng):
            call = calls[index]
            for tool in shuffled(siblings(context, context.tool(call.name))[:_NEAREST], rng):
                other = sibling_call(context, tool, call, rng)
                if other is None or _carried(call, other) != carried:
                    continue
                if other.arguments or not call.arguments:
                    yield (*calls[:index], other, *calls[index + 1 :])

    return edit


def _renaming(name: str, propose: Callable[[Context, str, Random], Iterator[str]]) -> Operator:
    """An operator that gives one call a name that no tool of the task has."""

    def edit(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
        known = {_flat(tool.name) for tool in context.tools}
        for index in shuffled(range(len(calls)), rng):
            call = calls[index]
            for other in propose(context, call.name, rng):
                if _flat(other) not in known and re.fullmatch(r"[A-Za-z_][\w.\-]*", other):
                    renamed = tuple(
                        Call(other, one.arguments) if one.name == call.name else one
                        for one in calls
                    )
                    yield renamed
                    break

    return Operator(f"name/{name}", ErrorType.NAME, edit)


def _flat(name: str) -> str:
    return name.replace(".", "_").lower()


def split_name(name: str) -> tuple[str, list[str], Callable[[list[str]], str]]:
    """The part before the last dot (with it), the words after it, and how to join them again."""
    numbered = re.fullmatch(r"(\w+_)([A-Z][a-z]+(?:[A-Z][a-z]+)+)", name)
    prefix, dot, last = (numbered[1], "", numbered[2]) if numbered else name.rpartition(".")
    if "_" in last or last.islower():
        return prefix + dot, last.split("_"), "_".join
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", last)
    if "".join(words) != last:
        return prefix + dot, [last], "".join
    first_lower = last[:1].islower()

    def camel(parts: list[str]) -> str:
        joined = "".join(part[:1].upper() + part[1:] for part in parts)
        return joined[:1].lower() + joined[1:] if first_lower else joined

    return prefix + dot, words, camel


def _prefix_lost(context: Context, name: str, rng: Random) -> Iterator[str]:
    prefix, words, join = split_name(name)
    if prefix:
        yield join(words)


_VERBS = (
    "get fetch retrieve",
    "find search lookup",
    "calculate compute evaluate",
    "calc compute",
    "book reserve schedule",
    "create make add",
    "update modify edit",
    "delete remove",
    "generate create produce",
    "play start stream",
    "send deliver submit",
    "buy purchase order",
    "list show enumerate",
    "check verify inspect",
    "convert transform translate",
    "predict forecast estimate",
    "set configure assign",
    "analyze evaluate examine",
    "solve compute resolve",
    "order request place",
    "provider vendor",
    "movies films",
    "music songs",
    "weather forecast",
    "info details data",
    "price cost value",
    "query search",
    "status state",
    "area surface",
    "distance length",
)


def _synonym(context: Context, name: str, rng: Random) -> Iterator[str]:
    prefix, words, join = split_name(name)
    for place in shuffled(range(len(words)), rng):
        kinds = [kind.split() for kind in _VERBS if words[place].lower() in kind.split()]
        for other in shuffled([o for kind in kinds for o in kind], rng):
            if other != words[place].lower():
                cased = other.capitalize() if words[place][:1].isupper() else other
                yield prefix + join([*words[:place], cased, *words[place + 1 :]])


def _number_of_noun(context: Context, name: str, rng: Random) -> Iterator[str]:
    """A plural for a singular, or the other way round."""
    prefix, words, join = split_name(name)
    last = words[-1]
    if len(words) < 2 or len(last) < 4 or not last.isalpha():
        return
    if last.endswith("s") and not last.endswith(("ss", "us", "is", "ics")):
        yield prefix + join([*words[:-1], last[:-1]])
    elif last[-1] in "aeilmnoprtdkgw":
        yield prefix + join([*words[:-1], last + "s"])


def _word_dropped(context: Context, name: str, rng: Random) -> Iterator[str]:
    prefix, words, join = split_name(name)
    if len(words) >= 3:
        for place in shuffled(range(1, len(words)), rng):
            left = words[:place] + words[place + 1 :]
            if not left[-1].isdigit() and left[-1] not in ("by", "of", "and", "for", "in", "to"):
                yield prefix + join(left)


_ENDINGS = ("info", "details", "data", "by_name", "results", "list")


def _word_added(context: Context, name: str, rng: Random) -> Iterator[str]:
    """A word more, one that the parameters suggest or an ending that many tools have."""
    prefix, words, join = split_name(name)
    present = set(name_words(name))
    parameters = [key for key in required(context.tool(name)) if key.islower() and len(key) < 10]
    endings = [f"by_{key}" for key in parameters] + list(_ENDINGS)
    for ending in shuffled(endings, rng):
        parts = ending.split("_")
        if not present & set(parts) and parts[0].isalpha():
            cased = [part.capitalize() for part in parts] if words[-1][:1].isupper() else parts
            yield prefix + join([*words, *cased])


def _prefix_gained(context: Context, name: str, rng: Random) -> Iterator[str]:
    """A module in front, named after the tool's own noun or taken from a neighbour."""
    if "." in name or re.search(r"_\d+_", name):
        return
    modules = [tool.name.rpartition(".")[0] for tool in context.tools if "." in tool.name]
    words = [word for word in name_words(name) if len(word) > 3 and word.isalpha()]
    for module in [*shuffled(modules, rng), *words[-1:]]:
        yield f"{module}.{name}"


def _words_reordered(context: Context, name: str, rng: Random) -> Iterator[str]:
    """`find_recipe` for `recipe_find`."""
    prefix, words, join = split_name(name)
    if not prefix and len(words) == 2 and all(word.isalpha() for word in words):
        yield join([words[1], words[0]])


def _blended(context: Context, name: str, rng: Random) -> Iterator[str]:
    """The first word of one tool with the rest of another."""
    prefix, words, join = split_name(name)
    for tool in shuffled(context.tools, rng):
        other_prefix, other, _ = split_name(tool.name)
        if tool.name == name:
            continue
        dotted = prefix.endswith(".") and other_prefix.endswith(".")
        if dotted and other_prefix != prefix:
            yield other_prefix + join(words)
        if len(words) >= 2 and len(other) >= 2 and other[0] != words[0]:
            yield prefix + join([other[0], *words[1:]])
            yield prefix + join([words[0], *other[1:]])


def _number_slipped(context: Context, name: str, rng: Random) -> Iterator[str]:
    """`Media_2_FindMovies` for `Media_3_FindMovies`."""
    match = re.search(r"(?<=_)\d(?=_)", name)
    if match:
        other = int(match[0]) + rng.choice((-1, 1))
        yield f"{name[: match.start()]}{max(1, other)}{name[match.end() :]}"


NAMES = (
    Operator("name/sibling-carried", ErrorType.NAME, _sibling("all")),
    Operator("name/sibling-adapted", ErrorType.NAME, _sibling("some")),
    Operator("name/sibling-filled", ErrorType.NAME, _sibling("none")),
    _renaming("prefix-lost", _prefix_lost),
    _renaming("prefix-gained", _prefix_gained),
    _renaming("synonym", _synonym),
    _renaming("plural", _number_of_noun),
    _renaming("word-dropped", _word_dropped),
    _renaming("word-added", _word_added),
    _renaming("words-reordered", _words_reordered),
    _renaming("blended", _blended),
    _renaming("number-slipped", _number_slipped),
)
