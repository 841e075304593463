"""What a request says: a tool's action, its arguments, and the sentences around them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from fcrewardbench import Tool
from toolrm.synthesize.requests.data import FRAMES, WORDS
from toolrm.synthesize.requests.kinds import MAKERS, singular, words_in
from toolrm.synthesize.requests.numbers import in_words
from toolrm.synthesize.requests.value import Value
from toolrm.synthesize.requests.values import joined

_STORY = 0.24
"""How often a request for one call tells a story, with more facts than are needed."""

_NAMES = tuple(WORDS["names"])
_TERSE = 0.3
_NAMED = 0.5
_SHORTEST = 2  # letters of a name's last word that is no word
_LONG = 250  # characters
_COUNTS = frozenset(filter(None, map(in_words, range(1, 101))))


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a call to be.

    Args:
        alone: no other parameter of its tool takes this kind of value.
        other: another value of the same kind, which the request says is not meant; mostly none.
    """

    name: str
    label: str
    kind: str
    alone: bool
    value: Value
    other: str = ""


def action_of(tool: Tool) -> str:
    """What a tool does, as a command in lower case without a full stop."""
    text = re.sub(r"\s*\([^()]*\)", "", tool.description).strip()
    text = re.split(r"(?<=[a-z])\.(?:\s|$)|\n", text)[0].rstrip(". ")
    text = re.sub(
        r"^(?:this (?:api|function|tool|method) )?(?:can |is used to |allows?|enables?|lets?)"
        r"(?: (?:\w+ ){1,3}?to)? ",
        "",
        text,
        flags=re.IGNORECASE,
    )
    first, _, rest = text.partition(" ")
    if not rest:
        return " ".join(words_in(tool.name))
    if first.lower() in ("a", "an", "the", "information", "details"):
        first, rest = "get", f"{first.lower()} {rest}"
    elif re.fullmatch(r"[A-Za-z]+[^su]s", first) and first.lower() != "access":
        stem = re.sub(r"ie$", "y", first[:-1])
        first = re.sub(r"(ch|sh|ss|x|z)e$", r"\1", stem)
    rest = re.sub(rf"\ban? {_VAGUE} (\w)", lambda m: f"{_article(m[1])} {m[1]}", rest)
    rest = re.sub(rf"\b{_VAGUE} (?=\w)", "", rest)
    return f"{first[0].lower()}{first[1:]} {rest}"


def short_action(tool: Tool, rng: Random) -> str:
    """The same, or now and then the words of the tool's name, where those are a command, too."""
    action = action_of(tool)
    words = words_in(re.split(r"[._]", tool.name)[-1])
    verbs = {action.partition(" ")[0], *WORDS["reading"], *WORDS["synonyms"]}
    is_command = len(words) > 1 and words[0] in verbs and len(words[-1]) > _SHORTEST
    return " ".join(words) if is_command and rng.random() < _NAMED else action


_VAGUE = "(?:given|specified|certain|particular|specific)"


def _article(text: str) -> str:
    return "an" if re.match(r"[aeioAEIO]|un(?!i)|u[^sn]", text) else "a"


def _varied(action: str, rng: Random, frame: str = "") -> str:
    """The action with another verb that fits the frame: "show me" is what others are asked to do."""
    verb, _, rest = action.partition(" ")
    verbs = tuple(WORDS["synonyms"].get(verb, (verb,)))
    if re.search(r"(?<!you )to \{(?:do|one)\}|me \{do\}|Let's", frame):
        verbs = tuple(verb for verb in verbs if not verb.endswith(" me"))
    if rng.random() < 0.6:
        rest = re.sub(r"^(?:the |detailed )*information (?:about|on|regarding)\b", "info on", rest)
    return f"{rng.choice(verbs)} {rest}".strip()


def _thing(action: str) -> str | None:
    """What a reading tool shows, with an article where it needs one."""
    verb, _, rest = action.partition(" ")
    if verb not in WORDS["reading"] or rest.startswith(("for ", "from ", "by ", "whether ")):
        return None
    head = re.split(r" (?:of|for|about|in|on|at|to|from|by) ", rest)[0]
    bare = head.startswith(("the ", "a ", "an ", "all ", "information", "data")) or head.endswith(
        "s"
    )
    return rest if bare else f"the {rest}"


_FILLED = re.compile(
    r"\ban? ((?:\w+ ){0,2}?\w+)(?= (?:for|in|on|at|by|with|from|to|based|using)\b|$)"
)


def _filled(action: str, drawn: Sequence[Argument], rng: Random) -> tuple[str, list[Argument]]:
    """The action with values where it speaks of "a …", and the arguments that are yet to be said."""
    left = list(drawn)
    if rng.random() < 0.08:
        return action, left

    def fill(found: re.Match[str]) -> str:
        for argument in left:
            if argument.other:
                continue
            said = _filling(found[1], argument, rng)
            if said is not None:
                left.remove(argument)
                return said
        return found[0]

    return _FILLED.sub(fill, action), left


def without_object(action: str, drawn: Sequence[Argument], rng: Random) -> str:
    """The action without "of a …" at its end, where the calls say which ones."""
    found = re.search(r" (?:for|in|of|from|at|on) an? ((?:\w+ ){0,2}?\w+)$", action)
    if found and any(_filling(found[1], argument, rng) is not None for argument in drawn):
        return action[: found.start()]
    return action


def _filling(noun: str, argument: Argument, rng: Random) -> str | None:
    """What to say for "a <noun>" where the argument tells which one, else None."""
    words, sort = words_in(argument.name), argument.kind.partition(":")[0]
    core = [word for word in words if word not in _NAMES]
    coded = sort == "code" or (sort in ("integer", "string") and {"id", "identifier"} & set(words))
    if not core or noun.lower().split()[-len(core) :] != core:
        return None
    said = argument.value.said
    if coded:
        return rng.choice((f"the {noun} with {argument.label} {said}", f"{noun} {said}"))
    if sort in ("place", "country", "country-code", "person", "organisation", "region"):
        return rng.choice((said, said, f"the {noun} {said}"))
    return f"the {noun} {said}" if sort in ("title", "product") else None


def _phrase(argument: Argument, rng: Random) -> str:
    """An argument within a sentence, most often so that its parameter can be told from the words."""
    label, said, kind = argument.label, argument.value.said, argument.kind.partition(":")[0]
    words = set(words_in(argument.name))
    article = _article(label)
    if argument.other:
        return rng.choice(FRAMES["contrasts_inline"]).format(
            label=label, said=said, other=argument.other, is_=_is(label)
        )
    if argument.value.command and rng.random() < 0.8:
        return f"and {argument.value.command}"
    if argument.value.statement and rng.random() < 0.8:
        return f"where {argument.value.statement}"
    if kind == "boolean":
        verb, _, rest = label.partition(" ")
        yes = argument.value.admissible[0]
        if verb in ("include", "show", "use", "enable", "send", "allow") and rest:
            return f"and {verb} {rest}" if yes else f"and do not {verb} {rest}"
        return rng.choice(
            (f"with {label} set to {said}", f"with {label} {said}", f"with '{label}' as {said}")
        )
    is_ = _is(label)
    forms = [
        f"with {label} {said}",
        f"with the {label} {said}",
        f"with {label} set to {said}",
        f"where the {label} {is_} {said}",
        f"using {said} as the {label}",
        f"using {label} {said}",
        f"with {said} as the {label}",
        f"for the {label} {said}",
        f"the {label} being {said}",
    ]
    if kind in ("integer", "number"):
        counted = said in _COUNTS or not re.search(r"[a-z]$", said)
        measured = (
            not counted and said not in _COUNTS and re.search(r"^(?:a|an|half|two|three) ", said)
        )
        if measured and {"duration", "length", "time", "days", "minutes", "hours"} & words:
            forms = [f"for {said}", f"with {label} {said}", f"with {article} {label} of {said}"]
        elif label.endswith("s") and counted and " " not in label:
            forms = [f"with {said} {label}", f"for {said} {label}", *forms[2:4]]
        else:
            forms = [
                f"with {article} {label} of {said}",
                f"at {article} {label} of {said}",
                *forms[:5],
            ]
    short: list[str] = []
    noun = " ".join(word for word in label.split() if word.lower() not in _NAMES)
    if kind == "code" and noun:
        short = [f"for {noun} {said}", f"for the {noun} with {label} {said}"]
    elif kind == "person" and words & MAKERS:
        short = [f"by {said}"]
    elif kind == "person":
        short = [f"for {said}"] * (argument.alone or not noun) + [f"for {noun} {said}"] * bool(noun)
    elif kind in ("place", "region", "country", "country-code"):
        if words & {"origin", "source", "from"}:
            short = [f"from {said}", f"starting from {said}"]
        elif words & {"destination", "to"}:
            short = [f"to {said}", f"going to {said}"]
        elif argument.alone and len(words) == 1:
            short = [f"in {said}", f"for {said}", f"in {said}"]
    elif kind == "date":
        if words & {"start", "from"}:
            short = [f"from {said}", f"starting on {said}", f"starting {said}"]
        elif words & {"end", "to", "until"}:
            short = [f"until {said}", f"ending on {said}", f"up to {said}"]
        elif argument.alone and words & {"date", "day"}:
            short = [f"on {said}", f"for {said}"]
    elif kind == "year" or label == "year":
        short = [f"in {said}", f"for {said}", f"for the year {said}"]
    elif kind == "time" and argument.alone:
        short = [f"at {said}"]
    elif label == "age" and not said.endswith("years"):
        short = [f"aged {said}"]
    return rng.choice(short if short and rng.random() < 0.85 else forms)


def _plural(label: str) -> bool:
    return singular(label) != label and not label.startswith("number of ")


def _is(label: str) -> str:
    return "are" if _plural(label) else "is"


def details_of(arguments: Sequence[Argument], rng: Random) -> str:
    """All arguments within one sentence, in a new order, a space before."""
    phrases = [_phrase(argument, rng) for argument in rng.sample(arguments, len(arguments))]
    phrases.sort(
        key=lambda p: 2 * p.startswith("and ") + p.startswith(("using ", "where ", "the "))
    )
    if not phrases:
        return ""
    last = phrases[-1]
    if len(phrases) == 1:
        return f", {last}" if last.startswith(("the ", "where ")) else f" {last}"
    start = ", ".join(phrases[:-1]) if rng.random() < 0.6 else " ".join(phrases[:-1])
    if last.startswith("and "):
        return f" {start}, {last}"
    return f" {start} and {last}" if rng.random() < 0.7 else f" {start}, {last}"


def pairs_of(arguments: Sequence[Argument], rng: Random, between: str = ", ") -> str:
    mark = rng.choice((": ", ": ", " = ", " "))
    return between.join(f"{a.label}{mark}{a.value.said}" for a in arguments)


def _facts(arguments: Sequence[Argument], rng: Random) -> str:
    plain = [a for a in arguments if not (a.other or a.value.command or a.value.statement)]
    if rng.random() < 0.3 and len(plain) == len(arguments) > 1:
        parts = [f"the {a.label} {_is(a.label)} {a.value.said}" for a in arguments]
        return upper(f"{joined(parts)}.")
    usual = "The {label} {is_} {said}."
    form = rng.choice(FRAMES["facts"])
    return " ".join(_fact(a, form if rng.random() < 0.7 else usual, rng) for a in arguments)


def _fact(argument: Argument, form: str, rng: Random) -> str:
    """A sentence that says an argument."""
    value, label = argument.value, argument.label
    if value.command and rng.random() < 0.8:
        return f"{rng.choice(('Please ', 'And please ', 'Also, '))}{value.command}."
    if value.statement and rng.random() < 0.8:
        return f"{upper(value.statement)}."
    if argument.other:
        form = rng.choice(FRAMES["contrasts"])
    return form.format(
        label=label, Label=upper(label), is_=_is(label), said=value.said, other=argument.other
    )


def upper(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def single(tool: Tool, drawn: Sequence[Argument], rng: Random) -> str:
    """A request for one call, with all of these arguments."""
    if drawn and rng.random() < _STORY:
        return _story(tool, drawn, rng)
    action = short_action(tool, rng)
    frames = FRAMES["inline"] if rng.random() < 0.7 or not drawn else FRAMES["apart"]
    if _thing(action) is not None and rng.random() < 0.45:
        frames = FRAMES["things"]
    frame = rng.choice(frames)
    if drawn and rng.random() < _TERSE:
        frame = rng.choice(FRAMES["terse"])
    if not drawn and re.search(r"\{(?:facts|list|pairs)\}", frame):
        frame = "{Do}." if frames is not FRAMES["things"] else "{Thing}, please."
    full, left = _filled(action, drawn, rng)
    if not left and "{w}" not in frame:
        frame = "Please {do}."
    do, thing = _varied(full, rng, frame), _thing(full) or full
    ordered = rng.sample(left, len(left))
    bullet = rng.choice(("- ", "* ", ""))
    text = frame.format(
        do=do,
        Do=upper(do),
        thing=thing,
        Thing=upper(thing),
        w=details_of(left, rng),
        facts=_facts(ordered, rng) if ordered else "",
        pairs=pairs_of(ordered, rng),
        list="\n".join(f"{bullet}{a.label}: {a.value.said}" for a in ordered),
    )
    fit = frame in ("{Do}{w}.", "Please {do}{w}.", "Can you {do}{w}?")
    if fit and left and rng.random() < 0.4:
        return _fronted(do, left, rng)
    return text


def _fronted(do: str, arguments: Sequence[Argument], rng: Random) -> str:
    details = details_of(arguments, rng).strip(" ,")
    if details.startswith("and "):
        return f"{upper(do)} {details}."
    end = rng.choice((f"{do}.", f"please {do}.", f"can you {do}?", f"could you {do}?"))
    return f"{upper(details)}, {end}"


def _story(tool: Tool, drawn: Sequence[Argument], rng: Random) -> str:
    """A request that tells how it came about, with facts that no call needs."""
    action = action_of(tool)
    do = _varied(action, rng, "to {do}")
    facts = [_fact(a, rng.choice(FRAMES["facts_told"]), rng) for a in rng.sample(drawn, len(drawn))]
    asking = rng.choice(FRAMES["asked_last"]).format(do=do, Do=upper(do))
    opening = rng.choice(FRAMES["openings"])
    asides = rng.sample(FRAMES["asides"], 2)
    parts = [opening, asides[0], *facts]
    if rng.random() < 0.35:
        first = rng.choice(FRAMES["asked_first"]).format(do=do, Do=upper(do))
        parts = [opening, first, *facts, asides[0]]
    else:
        parts.append(asking)
    if sum(map(len, parts)) < _LONG:
        parts.insert(rng.randint(2, len(parts) - 1), asides[1])
    return " ".join(parts)


def inline(tool: Tool, drawn: Sequence[Argument], rng: Random) -> str:
    action, left = _filled(short_action(tool, rng), drawn, rng)
    return f"{_varied(action, rng)}{details_of(left, rng)}"


def dressed(text: str, rng: Random) -> str:
    """The request with a remark that has nothing to do with it, or typed in haste, or as it is."""
    text = re.sub(r"([.?!])\.+$", r"\1", text)
    sort = rng.random()
    if sort < 0.07:
        text = f"{rng.choice(FRAMES['remarks_before'])} {text}"
    if 0.05 <= sort < 0.13:
        return f"{text}{'' if text[-1] in '.?!' else '.'} {rng.choice(FRAMES['remarks_after'])}"
    if 0.20 <= sort < 0.30 and "\n" not in text:
        return f"{text[0].lower()}{text[1:]}".rstrip(".")
    return text
