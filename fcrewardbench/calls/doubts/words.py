"""Words of a text: folded, in the singular, with or without those that carry no meaning."""

from __future__ import annotations

import re
import unicodedata

_TOKEN = re.compile(r"(?<!\w)-?\d+(?:\.\d+)*(?!\w)|[^\W_]+|[+<>=%#@$€£]")
_ESCAPED = re.compile(r"\\+u([0-9a-fA-F]{4})")
# No negation, and no word that tells a direction or bounds: "from", "to", "before", "under", "or".
_STOPWORD_LIST = """
a an the of in on at for with by and is are was were be i me my we our you your it its this that these
those do does did can could will would should please some any what which who where how when s whats
named called have has had there here about into as their them they he she his her
"""
_STOPWORDS = frozenset(_STOPWORD_LIST.split())


def folded(text: str) -> str:
    """Text in lower case, without accents, doubled escapes, quotation marks and apostrophes."""
    text = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    text = unicodedata.normalize("NFKD", text.lower().replace("đ", "d").replace("ß", "ss"))
    text = "".join(sign for sign in text if not unicodedata.combining(sign))
    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text).replace("&", " and ")
    return re.sub(r"['’‘`\"“”\\]", "", text)


def tokens(text: str) -> list[str]:
    """Words, numbers and the signs that count (`C++`, `<5`, `5%`); `a.b.` is read as `ab`."""
    text = re.sub(r"\b(?:[a-z]\.){2,}", lambda match: match[0].replace(".", ""), folded(text))
    return _TOKEN.findall(text)


def singular(word: str) -> str:
    """An English word without its plural ending."""
    if len(word) < 4 or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ses", "xes", "zes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") else word


# Codes of states and countries that look like stopwords: "Portland, ME", "Mumbai, IN".
_REGION = re.compile(r", ?([A-Z]{2})\b")


def content(text: str) -> list[str]:
    """The words that carry meaning, in the singular and in their order."""
    words = tokens(_REGION.sub(r", region\1", text))
    return [singular(word) for word in words if word not in _STOPWORDS]
