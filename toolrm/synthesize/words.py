"""Replies in words: ones that decline, that ask for a value, that claim a result, that describe a call.

All are composed of parts. Those that decline, ask, or tell results are right where no call is due and
wrong where one is, so that words alone give nothing away. Where one is due, the others come up, too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

from fcrewardbench import Call, Tool
from fcrewardbench.calls.edits.base import name_words, properties
from toolrm.synthesize.results import PAST, Result, code, result_of

_OPENINGS = (
    "",
    "",
    "",
    "Sorry! ",
    "Unfortunately, ",
    "Thanks for your message. ",
    "Good question. ",
    "I had a look, and ",
    "Hmm, ",
    "To be honest, ",
    "I understand what you are after, but ",
    "Apologies: ",
    "As things stand, ",
)
_DECLINES = (
    "none of my tools can do that",
    "there is no function here that fits what you want",
    "I don't have a tool for this",
    "what I can call does something else",
    "this is beyond the functions that I was given",
    "I have no way to do this with what is available",
    "that isn't something my functions support",
    "I can't help with that through any of these tools",
    "what I was set up with is meant for other things",
    "no available action would get you there",
    "I would need a different tool for it",
    "nothing that I can run answers this",
    "calling one of my functions wouldn't be of use here",
)
_AFTER_DECLINING = (
    ".",
    ".",
    ". Is there something else that I can do?",
    ". Perhaps another service can help.",
    ", so there is nothing to run here.",
    ". I'd rather tell you than guess.",
    ". Could I assist with a different task?",
    "; please try a specialised site.",
    ". Let me know what else you need.",
    ". A web search may serve you better.",
)
_ASKS = (
    "could you tell me {what}?",
    "I still need {what}.",
    "please give me {what} first.",
    "what is {what}?",
    "you haven't mentioned {what} yet.",
    "may I have {what}?",
    "I can do this once I know {what}.",
    "before I go ahead, which one should I use for {what}?",
    "one thing is missing: {what}.",
    "let me know {what} and I'll take care of it.",
    "I'd like to confirm {what} with you first.",
    "without {what} I can't continue.",
)
_BEFORE_ASKING = (
    "",
    "",
    "Sure! ",
    "Happy to help. ",
    "Of course. ",
    "Almost there: ",
    "All right, ",
    "Gladly. ",
    "One moment: ",
    "Okay. ",
    "To do that, ",
)


_LONGER = 0.25  # of replies, whatever they say
_BEFORE = (
    "Thank you for the details.",
    "I've read your request carefully.",
    "Let me go through this step by step.",
    "I understand that you would like some help with this, and I'd be glad to do what I can.",
    "Here is how I see it:",
    "You have given me quite a bit to work with.",
    "Before anything else, a short note on where we stand.",
)
_BEHIND = (
    "I hope that helps.",
    "Feel free to come back with more questions at any time.",
    "If anything about this is unclear, tell me and I will explain it in other words.",
    "Please note that I can only go by what you wrote.",
    "That is all for now.",
    "I'm here if you want to change something about it.",
)


def _at_length(reply: str, rng: Random) -> str:
    """The reply, now and then with a sentence around it that says nothing."""
    if rng.random() >= _LONGER:
        return reply
    before = rng.choice(_BEFORE) if rng.random() < 0.7 else ""
    behind = rng.choice(_BEHIND) if not before or rng.random() < 0.4 else ""
    between = rng.choice((" ", " ", "\n\n"))
    return between.join(part for part in (before, reply, behind) if part)


def decline(rng: Random) -> str:
    """A reply that says that no function fits."""
    said = _sentence(rng.choice(_OPENINGS), rng.choice(_DECLINES)) + rng.choice(_AFTER_DECLINING)
    return _at_length(said, rng)


def ask(what: Sequence[str], rng: Random) -> str:
    """A reply that asks for values, described in words; see `described`."""
    asked = rng.choice(_ASKS).format(what=" and ".join(what))
    return _at_length(_sentence(rng.choice(_BEFORE_ASKING), asked), rng)


_DONE = (
    "I've {did} for you",
    "all done: I've {did}",
    "that's taken care of, I've {did}",
    "as you wished, I've {did}",
    "I just {did}",
    "good news, I've {did}",
    "right away! I've {did}",
)
_RESULTS = (
    "everything went through",
    "it came back with {number} results",
    "the best match is {value}",
    "the confirmation number is {code}",
    "the answer is {number}",
    "for {value}, it says {number}",
    "it shows {number} entries for {value}",
    "you will get a message in {number} minutes",
)
_CHANGED = (
    "the {subject} is done, under {code}",
    "done: {code} is your reference",
    "your {subject} went through ({code})",
    "that worked. The reference is {code}",
)
_TOLD = (
    "the {subject} is {value}",
    "for the {subject}, it says {value}",
    "it came back with {value} for the {subject}",
    "{subject}: {value}",
    "here is the {subject}: {value}",
)
_PLANS = (
    "I would call {tool} with {arguments}.",
    "To do this, call {tool}; {arguments}.",
    "The right function is {tool}, where {arguments}.",
    "Next I'm going to use {tool} with {arguments}.",
    "You can run {tool} for this: {arguments}.",
    "Let me use {tool}. It takes {arguments}.",
    "I'll call {tool} now, and {arguments}.",
)


def claim(call: Call, tool: Tool, rng: Random) -> str:
    """A reply that tells of a result that nobody has looked up."""
    if rng.random() < 0.5:
        return report([result_of(tool, rng)], rng)
    texts = [
        str(value) for value in call.arguments.values() if isinstance(value, (str, int, float))
    ]
    number = rng.choice((rng.randint(2, 9), rng.randint(10, 99), rng.randint(100, 9_999)))
    result = rng.choice(_RESULTS).format(
        number=number, code=code(rng), value=rng.choice(texts) if texts else "it"
    )
    verb = next((word for word in name_words(call.name) if word in PAST), None)
    if verb is None or rng.random() < 0.5:
        opening = rng.choice(("", "", "Sure! ", "Of course. ", "I had a look: ", "Okay, done. "))
        return _at_length(_sentence(opening, result) + ".", rng)
    done = _sentence("", rng.choice(_DONE).format(did=f"{PAST[verb]} it"))
    return _at_length(f"{done}. {_sentence('', result)}.", rng)


def report(results: Sequence[Result], rng: Random) -> str:
    """A reply that tells what calls came back with."""
    told = []
    for one in results:
        if one.verb and rng.random() < 0.5:
            did = rng.choice(_DONE).format(did=f"{one.verb} it")
            told.append(f"{did}; {one.value} is the reference")
        elif one.changed:
            told.append(rng.choice(_CHANGED).format(subject=one.subject, code=one.value))
        else:
            told.append(rng.choice(_TOLD).format(subject=one.subject, value=one.value))
    return _at_length(" ".join(f"{_sentence('', part)}." for part in told), rng)


def plan(call: Call, tool: Tool, rng: Random) -> str:
    """A reply that says in words which call it would make."""
    form = rng.choice(
        ("{name} is {value}", "{name} = {value}", "{value} as {name}", "{value} for {name}")
    )
    parts = [
        form.format(name=described(tool, name) if rng.random() < 0.5 else name, value=value)
        for name, value in call.arguments.items()
    ]
    arguments = " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
    planned = rng.choice(_PLANS).format(tool=call.name, arguments=arguments or "no arguments")
    return _at_length(planned, rng)


def described(tool: Tool, parameter: str) -> str:
    """A parameter in words: what its description begins with, or the words of its name."""
    schema = properties(tool).get(parameter, {})
    text = str(schema.get("description") or "").strip()
    clause = re.split(r"[.,;:(\n]| e\.g", text, maxsplit=1)[0].strip()
    words = clause.split()
    if not 1 <= len(words) <= 9:
        words = [word for word in name_words(parameter) if word.isalpha()] or ["value"]
    if words[0][:1].isupper() and words[0][1:].islower():
        words[0] = words[0].lower()
    if words[0] in ("the", "your", "a", "an", "whether", "how", "which", "what", "when"):
        return " ".join(words)
    return " ".join(["the", *words])


def _sentence(opening: str, rest: str) -> str:
    if opening.rstrip().endswith((",", ":", "but", "and")) and opening:
        return opening + rest
    return opening + rest[:1].upper() + rest[1:]
