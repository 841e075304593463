"""Wrong names: of places, people and things, in the conversation or of the same kind."""

from __future__ import annotations

IMPORTS

def _shape(text: str) -> tuple[bool, bool, bool, int]:
    """What two names must share to stand for each other: case, a comma, digits, and length."""
    words = text.split()
    size = 1 if len(words) <= 3 else 2 if len(words) <= 8 else 3
    return text[:1].isupper(), "," in text, bool(re.search(r"\d", text)), size


def _replaceable_text(context: Context, site: Site) -> bool:
    value = site.value
    if not isinstance(value, str) or len(value) < 2 or _moment(value) or site.schema.get("enum"):
        return False
    return asked_for(context, site) and len(value) <= 60


def _fitting(site: Site, value: Any) -> bool:
    if not isinstance(value, str) or not value or _shape(value) != _shape(site.value):
        return False
    return value.lower() not in _NO_PREFERENCE and means_something_else(site, value)


def _entity_here(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """A value of this parameter elsewhere that this conversation names too."""
    if _replaceable_text(context, site):
        text = context.text.lower()
        for value in shuffled(context.peers.get(site.key, ()), rng):
            if _fitting(site, value) and str(value).split(",")[0].lower() in text:
                yield value


def _entity_elsewhere(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """A value that the same parameter takes in another task."""
    if _replaceable_text(context, site) and len(context.peers.get(site.key, ())) >= 3:
        for value in shuffled(context.peers[site.key], rng):
            if _fitting(site, value) and not site.key.lower().endswith("id"):
                yield value


def _other_call(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """The value that the same parameter takes in another call of this answer."""
    if not asked_for(context, site) or isinstance(site.value, (bool, dict)):
        return
    for expected in shuffled(context.answer, rng):
        options = [o for o in expected.arguments.get(site.parameter, ()) if o != ""]
        if len(site.path) == 1 and options and type(options[0]) is type(site.value):
            value = rng.choice(options)
            text = isinstance(value, str)
            if not text or means_something_else(site, value):
                yield styled(value, site.schema, context.text)


_KINDS = (
    "kilometers miles meters feet",
    "km mi",
    "km/h mph m/s",
    "meter foot yard",
    "kg lb",
    "kilograms pounds grams ounces",
    "celsius fahrenheit kelvin",
    "metric imperial",
    "hours minutes days weeks months",
    "hour minute day week month year",
    "daily weekly monthly yearly annually",
    "usd eur gbp jpy cny cad",
    "dollar euro yen pound",
    "cups tablespoons teaspoons milliliters liters",
    "monday tuesday wednesday thursday friday saturday sunday",
    "january february march april may june july august september october november december",
    "spring summer autumn winter",
    "english spanish french german italian portuguese japanese chinese",
    "en es fr de it pt ja zh",
    "red blue green yellow black white orange purple",
    "male female",
    "north south east west",
    "major minor",
    "ascending descending",
    "asc desc",
    "breakfast lunch dinner",
    "italian chinese mexican indian thai japanese french",
    "spades hearts clubs diamonds",
    "standard deluxe suite",
    "morning afternoon evening",
    "mean median mode",
    "linear quadratic exponential",
    "car bus train plane bicycle",
    "aapl goog amzn msft tsla nflx meta",
    "apple google amazon microsoft tesla netflix",
    "usa canada mexico brazil france germany italy spain china india japan australia",
    "us uk ca fr de it es cn in jp au",
    "california texas florida nevada oregon ohio virginia georgia",
    "ca tx fl nv or oh va ga",
    "paris london berlin madrid rome tokyo sydney chicago boston seattle miami dallas houston",
    "nasdaq nyse",
    "mercury venus earth mars jupiter saturn uranus neptune",
    "hydrogen helium oxygen nitrogen carbon",
    "violin piano guitar cello flute drums",
    "football basketball tennis baseball soccer hockey",
    "violet indigo teal maroon",
    "vegan vegetarian keto paleo",
    "strawberry vanilla chocolate",
)


def _sibling_word(context: Context, site: Site, rng: Random) -> Iterator[Any]:
    """Another member of a small everyday kind: a unit, a weekday, a colour, a country."""
    if not isinstance(site.value, str) or site.optional or site.schema.get("enum"):
        return
    word = site.value.lower()
    kinds = [kind.split() for kind in _KINDS if word in kind.split()]
    if not kinds or not context.mentions(site.value):
        return
    for other in shuffled([o for o in rng.choice(kinds) if o != word], rng):
        value = _cased(other, site.value)
        if means_something_else(site, value):
            yield value


def _cased(word: str, like: str) -> str:
    if like.isupper():
        return word.upper()
    return word.capitalize() if like[:1].isupper() else word


# Pairs of parameters whose exchange a reader may let pass: sides, factors, members of a set.
_SYMMETRIC = re.compile(
    r"^.{0,2}$|\d$|(^|_)(a|b|x|y|z|first|second|one|two|base|height|width|length|breadth|side)(_|$)"
    r"|team|color|player|person|body|num",
    re.I,
)


def _swapped_arguments(context: Context, calls: Calls, rng: Random) -> Iterator[Calls]:
    """Two arguments of one call with each other's values."""
    places = [site for site in sites(context, calls) if len(site.path) == 1 and not site.optional]
    pairs = [(a, b) for n, a in enumerate(places) for b in places[n + 1 :] if a.call == b.call]
    for a, b in shuffled(pairs, rng):
        alike = type(a.value) is type(b.value) and isinstance(a.value, (str, int, float))
        if not alike or isinstance(a.value, bool) or a.schema.get("enum") or b.schema.get("enum"):
            continue
        if _SYMMETRIC.search(a.key) or _SYMMETRIC.search(b.key):
            continue
        if isinstance(a.value, str):
            fits = _shape(a.value) == _shape(b.value) and not related(a.value, b.value)
        else:
            fits = a.value != b.value and _same_scale(a.value, b.value)
        if fits:
            yield with_value(with_value(calls, a, b.value), b, a.value)
