"""Names, titles, addresses and texts that nobody has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from toolrm.synthesize.requests.data import WORDS
from toolrm.synthesize.requests.kinds import CITIES, COUNTRIES
from toolrm.synthesize.requests.moments import drawn_day


def _person(rng: Random) -> str:
    return f"{rng.choice(WORDS['first_names'])} {rng.choice(WORDS['last_names'])}"


def town(rng: Random) -> str:
    """The name of a town that is nowhere."""
    return f"{rng.choice(WORDS['town_starts'])}{rng.choice(WORDS['town_ends'])}"


def _title(rng: Random) -> str:
    adjective, noun, other = rng.choice(WORDS["adjectives"]), *rng.sample(WORDS["nouns"], 2)
    forms = (f"The {adjective} {noun}", f"{noun} of the {other}", f"{adjective} {noun}")
    return rng.choice((*forms, f"{noun} and {other}", f"A {noun} in {rng.choice(CITIES)[0]}"))


def organisation(rng: Random, endings: Sequence[str]) -> str:
    """A name that ends as organisations of its sort do."""
    starts = (
        town(rng),
        rng.choice(WORDS["last_names"]),
        f"{rng.choice(WORDS['adjectives'])} {rng.choice(WORDS['nouns'])}",
    )
    return f"{rng.choice(starts)} {rng.choice(endings)}"


def _product(rng: Random) -> str:
    letters = "".join(rng.choices("ABCDEGHKLMPRSTVXZ", k=rng.randint(1, 2)))
    return f"{rng.choice(WORDS['nouns'])} {letters}{rng.randrange(2, 90) * 10}"


def code(rng: Random) -> str:
    """Letters and digits that identify something."""
    letters = "".join(rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZ", k=rng.randint(2, 3)))
    digits = "".join(rng.choices("0123456789", k=rng.randint(3, 6)))
    mixed = "".join(rng.choices("abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789", k=10))
    return rng.choice((f"{letters}-{digits}", f"{letters}{digits}", f"7{digits}", mixed))


def _email(rng: Random) -> str:
    first, last = rng.choice(WORDS["first_names"]).lower(), rng.choice(WORDS["last_names"]).lower()
    host = f"{rng.choice(WORDS['nouns'])}{rng.choice(WORDS['nouns'])}".lower()
    return f"{rng.choice((f'{first}.{last}', f'{first[0]}{last}', first))}@{host}.example"


def _url(rng: Random) -> str:
    host = f"{rng.choice(WORDS['adjectives'])}-{rng.choice(WORDS['nouns'])}".lower()
    return f"https://{rng.choice(('www.', ''))}{host}.example/{rng.choice(WORDS['nouns']).lower()}"


def file(rng: Random, endings: Sequence[str]) -> str:
    """A path of a file."""
    state = f"{rng.choice(('v', 'draft', 'final', 'scan'))}{rng.randrange(2, 99)}"
    stem = f"{rng.choice(WORDS['nouns'])}_{state}"
    folder = rng.choice(("data", "home/work", "tmp", "srv/files"))
    return f"/{folder}/{stem.lower()}.{rng.choice(endings)}"


def _address(rng: Random) -> str:
    street = f"{rng.choice(WORDS['nouns'])} {rng.choice(('Street', 'Road', 'Avenue', 'Lane'))}"
    return f"{rng.randrange(2, 240)} {street}, {rng.choice(CITIES)[0]}"


def _phone(rng: Random) -> str:
    return f"+{rng.randrange(20, 99)} {rng.randrange(100, 999)} 555 {rng.randrange(1000, 9999)}"


def _username(rng: Random) -> str:
    name = f"{rng.choice(WORDS['adjectives'])}_{rng.choice(WORDS['nouns'])}"
    return f"{name.lower()}{rng.randrange(2, 99)}"


def _period(rng: Random) -> str:
    first = rng.randrange(1985, 2020)
    span = f"{rng.choice(('last', 'past'))} {rng.randrange(2, 40)} {rng.choice(WORDS['spans'])}"
    month = f"{rng.choice(WORDS['months'])} {rng.randrange(1990, 2026)}"
    return rng.choice((f"{first}-{first + rng.randrange(2, 16)}", f"the {span}", month))


def _ip(rng: Random) -> str:
    return f"10.{rng.randrange(2, 250)}.{rng.randrange(2, 250)}.{rng.randrange(2, 250)}"


MAKERS: dict[str, Callable[[Random], str]] = {
    "person": _person,
    "title": _title,
    "named": lambda rng: f"{rng.choice(WORDS['adjectives'])} {rng.choice(WORDS['nouns'])}",
    "product": _product,
    "code": code,
    "email": _email,
    "url": _url,
    "address": _address,
    "phone": _phone,
    "username": _username,
    "ip": _ip,
    "region": lambda rng: rng.choice((*WORDS["regions"], *COUNTRIES)),
    "language": lambda rng: rng.choice(WORDS["languages"]),
    "year": lambda rng: str(rng.randrange(1962, 2026)),
    "topic": lambda rng: f"{rng.choice(WORDS['topic_starts'])} {rng.choice(WORDS['topic_ends'])}",
    "text": lambda rng: f"{rng.choice(WORDS['contexts'])}, {rng.choice(WORDS['sequels'])}",
    "period": _period,
    "word": lambda rng: rng.choice((*WORDS["adjectives"], *WORDS["nouns"])).lower(),
    "version": lambda rng: ".".join(str(rng.randrange(1, 12)) for _ in range(3)),
    "moment": lambda rng: (
        f"{drawn_day(rng).isoformat()} {rng.randrange(6, 23):02d}:{rng.choice((0, 15, 30, 45)):02d}"
    ),
}
"""By kind of value."""
