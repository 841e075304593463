"""Wrong values that stand in the conversation: read off it, and wrong all the same.

None is of a kind that the benchmark family has. That family takes whole values: another argument's, one
that the parameter has elsewhere, another number. Here it is what stands around the right value, a part
of it, the way it was said where another form is due, or words that no argument is about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random
from typing import Any

from fcrewardbench.calls.edits.base import Context
from fcrewardbench.calls.edits.dates import moment_of
from fcrewardbench.calls.edits.sites import (
    Site,
    asked_for,
    is_number,
    leaves,
    means_something_else,
    related,
    same_scale,
    shuffled,
    value_operator,
)
from toolrm.synthesize.asides import asides_in
from toolrm.synthesize.distractors import listed
from toolrm.synthesize.edits.values import free_text

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DATE = re.compile(
    rf"\b(?:{_MONTH} (?:the )?\d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}})?"
    rf"|(?:the )?\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH}(?:,? \d{{4}})?|the \d{{1,2}}(?:st|nd|rd|th)"
    r"|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}|(?:next |this |on )?(?:mon|tues|wednes|thurs|fri|satur|sun)day"
    r"|the day after tomorrow|tomorrow|tonight|next week)\b",
    re.I,
)
_TIME = re.compile(
    r"\b(?:(?:half|quarter) (?:past|to) \w+|\d{1,2}(?::\d\d)? ?(?:[ap]\.?m\b\.?|o'?clock|in the \w+)"
    r"|noon|midnight|\d{1,2}:\d\d)",
    re.I,
)
_ENDS = re.compile(r"[.,;:!?()\n\"]")
_LINKS = frozenset(listed("in at for on by from with using to of under near and called named"))
_SMALL = frozenset(
    listed(
        """
        a an the this that these those my your our his her its i you we he she it they me us them is
        are was were be been do does did can could would should will please and or but so if of to in
        at for on by from with using need want like get give tell show set not no yes up out some any
        all one who whose which where when while keeps know help find add play book see make listen
        look looking search searching interested something someone anything there here also then
        """
    )
)


def _turns(context: Context) -> list[str]:
    """What the user says, the last turn first."""
    return [str(m["content"]) for m in reversed(context.messages) if m["role"] == "user"]


def _spans(context: Context, site: Site) -> Iterator[tuple[str, int, int]]:
    """Where the user says the value: the turn, and the span in it."""
    for turn in _turns(context):
        for match in re.finditer(rf"(?<!\w){re.escape(str(site.value))}(?!\w)", turn, re.I):
            yield turn, match.start(), match.end()


def _as_spoken(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """A date, a time or an amount as it was said, where another form is due."""
    if not isinstance(site.value, str) or site.optional:
        return
    read = moment_of(site.value)
    if read:
        form = _DATE if "%d" in read[1] else _TIME
        said = [match[0] for turn in _turns(context) for match in form.finditer(turn)]
        yield from shuffled(list(dict.fromkeys(said)), rng)
    elif re.fullmatch(r"\d[\d.,]*", site.value):
        number = re.escape(site.value)
        for turn in _turns(context):
            found = re.search(
                rf"[$€£] ?{number}(?![\w.])|(?<![\w.]){number} ?(?:[a-z]{{3,}}|%)", turn
            )
            if found and found[0].split()[-1] not in _SMALL:
                yield found[0]


def _unit_left_on(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """A text with the word before or behind it that says what it is: "the song X", "X playlist"."""
    if not free_text(context, site):
        return
    for turn, start, end in _spans(context, site):
        before = re.search(r"([A-Za-z]{3,}) $", turn[:start])
        behind = re.match(r" ([a-z]{3,})(?!\w)", turn[end:])
        found = []
        if before and before[1].lower() not in _SMALL | _LINKS:
            found.append(turn[before.start() : end])
        if behind and behind[1] not in _SMALL | _LINKS:
            found.append(turn[start : end + behind.end()])
        yield from shuffled(found, rng)


def _over_long(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """A text with more of its sentence than belongs to it: "Louvre Museum in Paris"."""
    if not free_text(context, site):
        return
    for turn, start, end in _spans(context, site):
        rest = _ENDS.split(turn[end:], maxsplit=1)[0]
        words = rest.split()
        if rest.startswith(" ") and len(words) >= 2 and words[0].lower() in _LINKS:
            for size in shuffled(range(2, min(4, len(words)) + 1), rng):
                if words[size - 1].lower() not in _SMALL | _LINKS:
                    yield f"{turn[start:end]} {' '.join(words[:size])}"
        ahead = _ENDS.split(turn[:start])[-1].split()
        if turn[start - 1 : start] == " " and len(ahead) >= 2 and ahead[-1].lower() in _LINKS:
            word = ahead[-2].lower()
            if word not in _SMALL and word.isalpha():
                yield f"{' '.join(ahead[-2:])} {turn[start:end]}"


def _whole_sentence(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """All of the sentence in which the value is said."""
    if not free_text(context, site):
        return
    for turn, start, end in _spans(context, site):
        first = max(turn.rfind(mark, 0, start) for mark in (".", "!", "?", "\n")) + 1
        sentence = turn[first : end + len(re.split(r"[.!?\n]", turn[end:], maxsplit=1)[0])].strip()
        if 4 <= len(sentence.split()) <= 20:
            yield sentence


def _run_together(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """A text up to the next thing that was said, another argument's value."""
    if not free_text(context, site):
        return
    others = {str(leaf) for call in context.answer for leaf in leaves(call.arguments)} - {""}
    for turn, start, end in _spans(context, site):
        for other in sorted(others - {str(site.value)}):
            behind = turn.find(other, end)
            if 0 < behind - end <= 25 and not _ENDS.search(turn[end:behind].replace(",", "")):
                yield turn[start : behind + len(other)]


def _word_beside(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """The word before or behind the value in its place."""
    if not free_text(context, site):
        return
    for turn, start, end in _spans(context, site):
        before = re.search(r"([A-Za-z]{4,}) (?:\w{2,6} )?$", turn[:start])
        behind = re.match(r" (?:\w{2,4} )?([A-Za-z]{4,})(?!\w)", turn[end:])
        for found in shuffled([m[1] for m in (before, behind) if m], rng):
            if found.lower() not in _LINKS and _unused(context, site, found):
                yield found


def _head_lost(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """A text of several words without its last or its first ones."""
    if not free_text(context, site) or not any(_spans(context, site)):
        return
    words = site.value.split()
    cuts = [words[:-1], words[1:]] if len(words) > 1 else []
    cuts += [words[: len(words) // 2], words[-1:]] if len(words) > 3 else []
    for cut in shuffled(cuts, rng):
        if cut[0].lower() not in _SMALL and cut[-1].lower() not in _SMALL | _LINKS:
            yield " ".join(cut)


def _unused(context: Context, site: Site, text: str) -> bool:
    """Whether a text is no value of the answer, no part of one, and none that the parameter has."""
    due = [leaf for call in context.answer for leaf in leaves(call.arguments) if leaf != ""]
    if any(related(text, str(leaf)) for leaf in due) or text in context.named_peers(site.key):
        return False
    return text.lower() not in _SMALL and means_something_else(site, text)


def _other_clause(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """What another clause of the request speaks of, and no argument does."""
    if not free_text(context, site):
        return
    found = []
    for turn in _turns(context):
        for clause in _ENDS.split(turn):
            words = clause.split()
            for place, word in enumerate(words[:-1]):
                after = words[place + 1 : place + 4]
                while after and after[0].lower() in _SMALL:
                    after = after[1:]
                stop = next((n for n, w in enumerate(after) if w.lower() in _SMALL | _LINKS), 3)
                # What stands behind "to" is a verb more often than not.
                if word.lower() in _LINKS - {"to"} and after[:stop]:
                    found.append(" ".join(after[:stop]))
    for text in shuffled(list(dict.fromkeys(found)), rng):
        if len(text) > 2 and re.fullmatch(r"[\w' -]+", text) and _unused(context, site, text):
            yield text


def _unused_name(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """A name, or words in quotes, of the conversation that no argument is about."""
    if not free_text(context, site):
        return
    said = "\n".join(
        str(m["content"]) for m in context.messages if m["role"] in ("user", "assistant")
    )
    names = re.findall(r"(?<=[a-z,] )[A-Z][\w'-]+(?: [A-Z][\w'-]+)*", said)
    names += re.findall(r"[\"“]([^\"”\n]{3,40})[\"”]", said)
    for text in shuffled(list(dict.fromkeys(names)), rng):
        if text.split()[0] not in ("I", "I'm", "I'd", "I'll", "Okay", "Yes") and _unused(
            context, site, text
        ):
            yield text


def _out_of_a_date(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """A number that the conversation has inside a date, a time or a code."""
    if not is_number(site.value) or site.optional or site.schema.get("enum"):
        return
    if not asked_for(context, site):
        return
    numbers = [int(text) for turn in _turns(context) for text in re.findall(r"\d{1,5}", turn)]
    due = {leaf for call in context.answer for leaf in leaves(call.arguments) if is_number(leaf)}
    for number in shuffled(list(dict.fromkeys(numbers)), rng):
        if number not in due and number not in context.numbers and same_scale(site.value, number):
            yield type(site.value)(number)


def _aside(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """What the user says that it was another time."""
    if free_text(context, site) and not site.optional:
        peers = context.peers.get(site.key, ())
        for value in asides_in(_turns(context)[0] if _turns(context) else ""):
            if value in peers and means_something_else(site, value):
                yield value


SAID = (
    value_operator("as-spoken", _as_spoken),
    value_operator("unit-left-on", _unit_left_on),
    value_operator("over-long", _over_long),
    value_operator("whole-sentence", _whole_sentence),
    value_operator("run-together", _run_together),
    value_operator("word-beside", _word_beside),
    value_operator("head-lost", _head_lost),
    value_operator("other-clause", _other_clause),
    value_operator("unused-name", _unused_name),
    value_operator("out-of-a-date", _out_of_a_date),
    value_operator("aside", _aside),
)
