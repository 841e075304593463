"""Texts that say the same in other words or letters."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Any

from fcrewardbench.calls.doubts.base import Place
from fcrewardbench.calls.doubts.words import content, folded, tokens
from fcrewardbench.calls.edits.base import name_words

_TRUTHS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_NEGATIONS = frozenset(("no", "not", "never", "without", "except", "none", "neither", "nor"))


def truth_of(value: Any) -> bool | None:
    """A boolean, however written; None for what is none."""
    if isinstance(value, bool):
        return value
    return _TRUTHS.get(value.strip().lower()) if isinstance(value, str) else None


def truth_and_text(given: Any, due: Any, place: Place) -> bool:
    """`true` and "yes". Two texts are for the other equivalences: "on" is a preposition, too."""
    if not isinstance(given, bool) and not isinstance(due, bool):
        return False
    return truth_of(given) is not None and truth_of(given) == truth_of(due)


def same_letters(given: Any, due: Any, place: Place) -> bool:
    """Case, spaces, accents, punctuation and doubled escapes apart; escapes only where signs count."""
    if not (isinstance(given, str) and isinstance(due, str)):
        return False
    if place.exact:
        return _unescaped(given) == _unescaped(due) or _bare_address(given) == _bare_address(due)
    if _bare_address(given) == _bare_address(due):
        return True
    letters = "".join(tokens(given))
    return bool(letters) and letters == "".join(tokens(due))


def _unescaped(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"\\+", r"\\", text)).replace('"', "'").strip().lower()


def _bare_address(text: str) -> str:
    """A web address without scheme, `www.` and the last slash."""
    return re.sub(r"^(?:https?://)?(?:www\.)?|/$", "", text.strip().lower())


def own_spelling(given: Any, due: Any, place: Place) -> bool:
    """The user's spelling kept where the answer corrects it: "Berkley" and "Berkeley"."""
    if not (isinstance(given, str) and isinstance(due, str)):
        return False
    a, b = ("".join(tokens(text)) for text in (given, due))
    if min(len(a), len(b)) < 6 or re.sub(r"\D", "", a) != re.sub(r"\D", "", b):
        return False
    said, owed = given.split(",")[0], due.split(",")[0]
    near = SequenceMatcher(None, a, b, autojunk=False).ratio() >= 0.88
    return near and place.talk.quotes(said) and not place.talk.quotes(owed)


def own_script(given: Any, due: Any, place: Place) -> bool:
    """The user's own word in a script that the answer has left: 北京 where "Beijing" is due."""
    if not (isinstance(given, str) and isinstance(due, str)) or given.isascii():
        return False
    return place.talk.quotes(given.split(",")[0]) and not place.talk.supports(due.split(",")[0])


def fuller_name(given: Any, due: Any, place: Place) -> bool:
    """What the user said in full, where the answer has a part: "American Civil War", "Civil War"."""
    if not (isinstance(given, str) and isinstance(due, str)) or not place.talk.quotes(given):
        return False
    whole, part = content(given), content(due)
    extra = [word for word in whole if word not in part]
    if len(extra) > 2 or not part or [word for word in whole if word in part] != part:
        return False
    return not any(word in _NEGATIONS or re.search(r"\d", word) for word in extra)


def same_words(given: Any, due: Any, place: Place) -> bool:
    """Singular and plural, articles and other words without meaning apart; the order holds."""
    if not (isinstance(given, str) and isinstance(due, str)):
        return False
    words = content(given)
    return bool(words) and "".join(words) == "".join(content(due))


def kind_added(given: Any, due: Any, place: Place) -> bool:
    """What the parameter's or the tool's own name says, said again: "human cell" as a `cell_type`."""
    if not (isinstance(given, str) and isinstance(due, str)):
        return False
    named = set(content(" ".join([*place.names, *name_words(place.tool.name)]))) | _KINDS
    rest = [[word for word in content(text) if word not in named] for text in (given, due)]
    return bool(rest[0]) and rest[0] == rest[1]


_KIND_NAMES = """
city type company inc corp ltd corporation concert show festival movie film song album book hotel
restaurant museum team stadium university store level
"""
_KINDS = frozenset(_KIND_NAMES.split())


def same_message(given: Any, due: Any, place: Place) -> bool:
    """For wording of the model's own: one keeps all the words of the other, and adds what was said.

    The shorter one keeps the numbers, negations and more than half of the words of the longer one.
    """
    if not place.free or not (isinstance(given, str) and isinstance(due, str)):
        return False
    a, b = (dict.fromkeys(content(text)) for text in (given, due))
    if not a or not b or not (a.keys() <= b.keys() or b.keys() <= a.keys()):
        return False
    differing = a.keys() ^ b.keys()
    if differing & _NEGATIONS or any(re.search(r"\d", word) for word in differing):
        return False
    if len(b) > len(a):
        return 2 * len(a) > len(b)
    return 2 * len(b) >= len(a) and all(word in place.talk.words for word in differing)


def quoted(given: Any, due: Any, place: Place) -> bool:
    """For wording of the model's own: the user's words, half of them the answer's."""
    if not place.free or not (isinstance(given, str) and isinstance(due, str)):
        return False
    words, owed = content(given), content(due)
    if not 3 <= len(words) <= 2 * len(owed) or not place.talk.quotes(given):
        return False
    return 2 * len(set(owed) & set(words)) >= min(len(set(owed)), len(set(words)))


def same_formula(given: Any, due: Any, place: Place) -> bool:
    """Formulas apart from their notation: `x**2`, `x^2`, `lambda x: x*x` and its body, `2x`, `2*x`."""
    if not (isinstance(given, str) and isinstance(due, str)):
        return False
    if not (_FORMULA.search(place.key) or _POWER.search(given + due)):
        return False
    return _formula(given) == _formula(due)


_FORMULA = re.compile(r"func|equation|formula|expr|polynom|integrand|derivative", re.I)
_POWER = re.compile(r"\*\*|\^|\blambda\b|\dx\b")


def _formula(text: str) -> str:
    text = re.sub(r"^\s*(?:lambda \w+\s*:|\w\(\w\)\s*=|y\s*=)", "", text.strip().lower())
    text = re.sub(r"\b(?:math|np|numpy|sympy)\.", "", text)
    text = re.sub(r"\s", "", text).replace("**", "^").replace("·", "*").replace("×", "*")
    for sign, power in (("²", "^2"), ("³", "^3")):
        text = text.replace(sign, power)
    text = re.sub(r"(?<=\d)\*?(?=[a-z(])", "*", text)
    return re.sub(r"\^\((\w+)\)", r"^\1", text)


def equated(given: Any, due: Any, place: Place) -> bool:
    """Words that the parameter's own description sets equal: `"asc" (ascending)`, `C: Celsius`."""
    if not (isinstance(given, str) and isinstance(due, str)):
        return False
    text, a, b = (folded(words) for words in (place.description, given, due))
    if not a or not b or a not in text or b not in text:
        return False
    a, b = re.escape(a), re.escape(b)
    return any(re.search(rf"(?<!\w){x}{_LINK}{y}(?!\w)", text) for x, y in ((a, b), (b, a)))


_LINK = r"\s*(?:\(|=|:|is|for|means|stands for)\s*(?:the |an? )?"
