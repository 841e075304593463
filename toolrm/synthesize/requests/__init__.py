"""Single-turn records made from tool schemas alone: values are drawn, and a request says them all."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from fcrewardbench import AdmissibleCall, Prompt, Tool
from fcrewardbench.calls.edits.base import Context
from toolrm.records import Record
from toolrm.synthesize.abstention import missing_arguments
from toolrm.synthesize.requests.data import FRAMES
from toolrm.synthesize.requests.kinds import kind_of, label_of
from toolrm.synthesize.requests.phrases import (
    Argument,
    details_of,
    dressed,
    inline,
    pairs_of,
    short_action,
    single,
    upper,
    without_object,
)
from toolrm.synthesize.requests.schemas import Offer, field_of, offered, served_names
from toolrm.synthesize.requests.values import joined, value_of

__all__ = ["Lacking", "requested"]

_ATTEMPTS = 500  # in a row without a new request, after which there are no more
_TRIES = 20  # for one sort of request, after which another one is tried
_OFFERS = 4  # of each tool, so that its schema is not always the same
_LACKING, _ONE_CALL, _ONE_TOOL = 0.03, 0.63, 0.82  # sorts of requests, each up to its number
_CONTRASTED = 0.16
_ADDED = 0.6  # added parameters that are asked for
_SAME_FIELD = 0.7
_MANY = 60  # tools without a field, from which on several can be asked for together
_MOST, _MOST_OF_SEVERAL = 3, 1  # arguments of a call above which half of them are not taken
_SHORTENED = 0.5


@dataclass(frozen=True, slots=True)
class Lacking(Record):
    """A record whose request does not tell the value of a required parameter, so that no call is due.

    Args:
        due: the call that is due once the user has told it. Of its arguments, the one that is missing
            is that whose value the conversation does not give (`abstention.missing_arguments`).
    """

    due: tuple[AdmissibleCall, ...] = ()


def requested(
    tools: Sequence[Tool], rng: Random, number: int, prefix: str, licence: str
) -> Iterator[Record]:
    """Up to `number` records whose requests were phrased for drawn calls. No two requests are equal.

    Most ask for one call; some for one tool with several values, some for two or three tools of one
    field or of two (the `field` of a tool's description; without it, where there are many tools).
    Each value is said in the request, if not always in the form that is due. Optional parameters that
    it does not mention are not in the answer, or stand there at their default. A few requests lack a
    value (see `Lacking`).

    The tools are shown as `schemas.offered` changes them. `prefix` names the source.

    There are fewer records where the tools are too few for so many different requests, or where values
    can be drawn for hardly any of them: it ends after 500 attempts in a row without a new one.
    """
    drawing = _Drawing(tools, rng)
    seen: set[str] = set()
    count = failed = 0
    sort = 0.0
    while tools and count < number and failed < _ATTEMPTS:
        if failed % _TRIES == 0:
            sort = rng.random()
        made = drawing.request(sort)
        text = dressed(made.text, rng) if made else ""
        cores = {_core(text), _core(made.text)} if made else seen
        if made is None or cores & seen or (made.lacks and _missing(made, text) != [made.lacks]):
            failed += 1
            continue
        failed = 0
        seen |= cores
        count += 1
        prompt = Prompt(made.tools, ({"role": "user", "content": text},))
        id = f"{prefix}/{count:06d}"
        if not made.lacks:
            yield Record(id, prefix, licence, prompt, made.answer)
            continue
        id = f"{id}~w{rng.getrandbits(32):08x}"
        yield Lacking(id, prefix, licence, prompt, (), due=made.answer)


def _core(text: str) -> str:
    return text.casefold().rstrip(".?! ")


@dataclass(frozen=True, slots=True)
class _Made:
    """A request, and the calls that it asks for, or would if it did not lack a value.

    Args:
        lacks: the parameter whose value it does not say; empty where it says all.
    """

    text: str
    tools: tuple[Tool, ...]
    answer: tuple[AdmissibleCall, ...]
    lacks: str = ""


class _Drawing:
    """Draws requests for some tools."""

    def __init__(self, tools: Sequence[Tool], rng: Random) -> None:
        self._tools = tools
        self._rng = rng
        self._names = served_names(tools, rng)
        self._offers: defaultdict[str, list[Offer]] = defaultdict(list)
        self._companions = _companions(tools, rng)

    def request(self, sort: float) -> _Made | None:
        """A request of a sort, a number from 0 to 1; None where the drawn tools do not suit it."""
        tool = self._rng.choice(self._tools)
        if sort < _LACKING:
            return self._lacking(self._offer(tool))
        if sort < _ONE_CALL:
            offer = self._offer(tool)
            drawn = self._drawn(offer)
            if drawn is None:
                return None
            contrasted = _contrasted(offer, drawn, self._rng)
            text = single(offer.tool, contrasted, self._rng)
            return _Made(text, (offer.tool,), (self._call(offer, drawn),))
        if sort < _ONE_TOOL:
            return self._repeated(self._offer(tool))
        return self._several(tool)

    def _offer(self, tool: Tool) -> Offer:
        offers = self._offers[tool.name]
        if len(offers) < _OFFERS:
            offers.append(offered(tool, self._names[tool.name], self._rng))
            return offers[-1]
        return self._rng.choice(offers)

    def _lacking(self, offer: Offer) -> _Made | None:
        """A request for one call that leaves out the value of a required parameter."""
        drawn = self._drawn(offer)
        if not drawn:
            return None
        needed = [argument for argument in drawn if _is_needed(offer, argument)]
        if not needed:
            return None
        missing = self._rng.choice(needed)
        text = single(offer.tool, [a for a in drawn if a is not missing], self._rng)
        due = self._call(offer, drawn, at_default=False)
        made = _Made(text, (offer.tool,), (due,), lacks=missing.name)
        return made if _missing(made, text) == [missing.name] else None

    def _several(self, tool: Tool) -> _Made | None:
        """Two or three tools, one call of each."""
        rng = self._rng
        own, other_field = self._companions.get(tool.name, ((), ()))
        near = other_field if rng.random() >= _SAME_FIELD else own
        count = 2 if rng.random() < 0.78 else 3
        others = [other for other in near if other.name != tool.name]
        if len(others) < count - 1:
            return None
        offers = [self._offer(one) for one in (tool, *rng.sample(others, count - 1))]
        drawn = [self._drawn(offer, _MOST_OF_SEVERAL) for offer in offers]
        if not all(drawn):
            return None
        calls = [(offer, some) for offer, some in zip(offers, drawn, strict=True) if some]
        parts = [inline(offer.tool, some, rng) for offer, some in calls]
        said = dict(zip(("one", "two", "three"), parts, strict=False))
        said |= {upper(key): upper(part) for key, part in said.items()}
        text = rng.choice(FRAMES["two" if count == 2 else "three"]).format(**said)
        answer = tuple(self._call(offer, some) for offer, some in calls)
        return _Made(self._opened(text), tuple(offer.tool for offer in offers), answer)

    def _repeated(self, offer: Offer) -> _Made | None:
        """One tool for two to four calls with other values."""
        rng = self._rng
        first = self._drawn(offer, _MOST_OF_SEVERAL)
        if not first:
            return None
        varied = [a for a in first if _varies_alone(a)]
        alone = rng.choice(varied) if varied and rng.random() < 0.65 else None
        if alone is not None:
            kept = {a.name for a in first if a is not alone}
        else:
            kept = {a.name for a in first if len(first) > 1 and rng.random() < 0.3}
        calls = [first]
        for _ in range(rng.choice((1, 1, 1, 2, 2, 3))):
            following = [a if a.name in kept else _again(a, offer.tool, rng) for a in first]
            calls.append(following if alone is not None else _ordered(following))
        at_default = rng.random() < 0.5
        answer = tuple(self._call(offer, arguments, at_default=at_default) for arguments in calls)
        if len({_plain(call) for call in answer}) < len(answer):
            return None
        text = self._each(offer.tool, calls, alone)
        return None if text is None else _Made(self._opened(text), (offer.tool,), answer)

    def _each(
        self, tool: Tool, calls: Sequence[Sequence[Argument]], alone: Argument | None
    ) -> str | None:
        """One request for calls of a tool, or for calls that differ in the argument `alone` alone."""
        rng, first = self._rng, calls[0]
        do = short_action(tool, rng)
        if alone is not None:
            values = [a.value.said for call in calls for a in call if a.name == alone.name]
            if any(re.search(r",| and ", value) for value in values):
                return None
            all_of_it = replace(alone.value, said=joined(values))
            arguments = [replace(a, value=all_of_it) if a is alone else a for a in first]
            frame = rng.choice(FRAMES["every"])
            return frame.format(do=do, Do=upper(do), w=details_of(arguments, rng))
        do = without_object(do, first, rng)
        if len(calls) > 2 or rng.random() < 0.4:
            bare = len(first) == 1 and rng.random() < 0.6
            rows = [a[0].value.said if bare else pairs_of(a, rng) for a in calls]
            items = "\n".join(f"{i}. {row}" for i, row in enumerate(rows, start=1))
            frame = rng.choice(FRAMES["each"])
            return frame.format(do=do, Do=upper(do), items=items, count=len(calls))
        one, two = (details_of(arguments, rng) for arguments in calls)
        if one.startswith(" and ") or two.startswith(" and "):
            return None
        return rng.choice(FRAMES["same_again"]).format(do=do, Do=upper(do), one=one, two=two)

    def _opened(self, text: str) -> str:
        """The request, now and then with a sentence on how it came about before it."""
        opening = self._rng.choice(FRAMES["openings"])
        return f"{opening} {text}" if self._rng.random() < 0.06 else text

    def _drawn(self, offer: Offer, most: int = _MOST) -> list[Argument] | None:
        """Values for the required and some optional parameters; None where one has to be guessed.

        Now and then also None where they are more than `most`: most requests are short.
        """
        rng, tool = self._rng, offer.tool
        properties = tool.parameters["properties"]
        required = set(tool.parameters.get("required") or ())
        kinds = {name: kind_of(name, schema) for name, schema in properties.items()}
        share = rng.choice((0.0, 0.3, 0.6)) if required else rng.choice((0.4, 0.8))
        drawn: list[Argument] = []
        for name, schema in properties.items():
            if name not in required and rng.random() >= max(share, _ADDED * (name in offer.added)):
                continue
            value = value_of(name, schema, rng)
            for _ in range(5):
                if value is None or all(value.said != other.value.said for other in drawn):
                    break
                value = value_of(name, schema, rng)
            if value is None:
                if name in required:
                    return None
                continue
            alone = list(kinds.values()).count(kinds[name]) == 1
            label = label_of(name)
            if "-code" in kinds[name] and value.said not in value.admissible:
                label = label.removesuffix(" code")
            drawn.append(Argument(name, label, kinds[name], alone, value))
        if properties and not drawn:
            return None
        if len(drawn) > most and rng.random() < _SHORTENED:
            return None
        return _ordered(drawn)

    def _call(
        self, offer: Offer, drawn: Sequence[Argument], *, at_default: bool | None = None
    ) -> AdmissibleCall:
        """The call with all admissible values; what was not asked for is left out or at its default."""
        if at_default is None:
            at_default = self._rng.random() < 0.5
        values = {argument.name: list(argument.value.admissible) for argument in drawn}
        required = set(offer.tool.parameters.get("required") or ())
        for name, default in offer.defaults.items():
            if name in required:
                continue
            if name not in values:
                values[name] = [default, ""] if at_default else ["", default]
            elif default in values[name] and type(default) is type(values[name][0]):
                values[name].append("")
        order = offer.tool.parameters["properties"]
        return AdmissibleCall(
            offer.tool.name, {name: values[name] for name in order if name in values}
        )


def _companions(
    tools: Sequence[Tool], rng: Random
) -> dict[str, tuple[Sequence[Tool], Sequence[Tool]]]:
    """Of each tool, what it is asked for together with: tools of its field, and of one other field.

    So only few tools hang together, and some can be held out. Of tools without a field three form
    one, where they are many.
    """
    fields: defaultdict[str, list[Tool]] = defaultdict(list)
    loose = [tool for tool in tools if not field_of(tool)]
    for tool in tools:
        if field_of(tool):
            fields[field_of(tool)].append(tool)
    if len(loose) >= _MANY:
        for place, tool in enumerate(rng.sample(loose, len(loose))):
            fields[str(place // 3)].append(tool)
    groups = rng.sample(list(fields.values()), len(fields))
    found: dict[str, tuple[Sequence[Tool], Sequence[Tool]]] = {}
    for pair in zip(groups[::2], [*groups[1::2], []], strict=False):
        for own, other in (pair, pair[::-1]):
            found |= {tool.name: (own, other) for tool in own}
    return found


def _missing(made: _Made, text: str) -> list[str]:
    """The arguments of the call that a text, once it is the request, does not give."""
    prompt = Prompt(made.tools, ({"role": "user", "content": text},))
    due = Record("", "", "", prompt, made.answer).gold[0]
    return missing_arguments(Context(made.tools, prompt.messages, ()), due)


def _is_needed(offer: Offer, argument: Argument) -> bool:
    """Whether nothing but the user can tell a value that is not a matter of taste."""
    required = offer.tool.parameters.get("required") or ()
    schema = offer.tool.parameters["properties"][argument.name]
    said = str(schema.get("description", ""))
    if argument.name not in required or argument.name in offer.defaults:
        return False
    if argument.kind in ("boolean", "array", "object", "choice", "pool", "word"):
        return False
    return re.search(r"default|optional|current|if (?:not|omitted|none)", said, re.I) is None


def _contrasted(offer: Offer, drawn: Sequence[Argument], rng: Random) -> list[Argument]:
    """The arguments, one of them now and then with a value that is not meant."""
    result = list(drawn)
    if not drawn or rng.random() >= 2 * _CONTRASTED:
        return result
    place = rng.randrange(len(drawn))
    argument = drawn[place]
    if argument.kind in ("boolean", "array", "object", "text"):
        return result
    other = value_of(argument.name, offer.tool.parameters["properties"][argument.name], rng)
    known = {_core(str(value)) for value in argument.value.admissible}
    if other is not None and not known & {_core(str(value)) for value in other.admissible}:
        result[place] = replace(argument, other=other.said)
    return result


def _varies_alone(argument: Argument) -> bool:
    """Whether several values of an argument can stand in one sentence, for a call each."""
    return argument.kind not in ("boolean", "array", "object", "text", "date", "time", "moment")


def _again(argument: Argument, tool: Tool, rng: Random) -> Argument:
    schema = tool.parameters["properties"][argument.name]
    value = value_of(argument.name, schema, rng)
    return argument if value is None else replace(argument, value=value)


def _plain(call: AdmissibleCall) -> str:
    best = {name: values[0] for name, values in call.arguments.items()}
    return re.sub(r"[ ,./\-_*^]", "", json.dumps(best, sort_keys=True)).lower()


def _ordered(drawn: list[Argument]) -> list[Argument]:
    """Two dates or times in their order: the first is taken to be the start."""
    result = list(drawn)
    for kind in ("date", "time"):
        places = [place for place, argument in enumerate(drawn) if argument.kind == kind]
        if len(places) == 2:
            values = sorted((drawn[place].value for place in places), key=lambda v: v.order)
            for place, value in zip(places, values, strict=True):
                result[place] = replace(drawn[place], value=value)
    return result
