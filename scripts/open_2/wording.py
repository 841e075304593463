"""How a candidate declines or asks back, in words that fit any request.

Both directions of the `abstain` subset draw from the same texts, so that the wording tells nothing
about whether declining is right.
"""

from itertools import product

_OPENINGS = ("", "I'm sorry, but ", "Unfortunately, ", "Thanks for asking. Sadly, ", "I'm afraid ")
_DECLINES = (
    "none of the functions that I have can do this.",
    "the tools available to me do not cover this request.",
    "this is outside of what my functions can do.",
    "I have no tool that fits this.",
    "I can't do that with the functions that I was given.",
    "there is no suitable function for it, so I won't make a call.",
    "the functions at hand serve another purpose.",
    "my tools do not support this, so I can't give you a result.",
)
_ENDINGS = (
    "",
    " Is there something else that I can help with?",
    " You may want to look it up elsewhere.",
    " If you rephrase the request, I can check again.",
    " Let me know if you need anything else.",
)
_QUESTIONS = (
    "Could you give me a few more details before I go on?",
    "I need more information for that. What exactly would you like me to do?",
    "Before I call anything: can you say more precisely what you need?",
    "Some of the details that I need are missing. Can you fill them in?",
    "Can you clarify the request? As it stands, I can't tell which values to use.",
    "I'd like to help, but the request leaves open what I should pass on. Can you tell me more?",
    "What should I assume for the details that you have not given?",
    "Could you confirm what you are looking for, and add what is missing?",
)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


DECLINES = tuple(
    _sentence(f"{opening}{decline}{ending}")
    for opening, decline, ending in product(_OPENINGS, _DECLINES, _ENDINGS)
)
QUESTIONS = (
    *_QUESTIONS,
    *(f"{question} Then I can see whether one of my functions fits." for question in _QUESTIONS),
)
QUESTION_SHARE = 0.3
"""How many of the candidates ask back instead of declining."""
