"""Words that names are made of."""

from __future__ import annotations

from random import Random

from fcrewardbench.calls.edits.base import name_words

_STOP = {"a", "an", "the", "of", "for", "to", "in", "on", "and", "or", "given", "by", "with", "at"}


def described_words(text: str, rng: Random) -> list[str]:
    words = [word for word in name_words(text)[:8] if word.isalpha() and word not in _STOP]
    return words[: rng.choice((2, 3))]
