"""Snips' utterances: seven intents as tools, their slots as arguments.

Each record has its own intent's tool alone: other tools beside it are for synthesis to choose.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fcrewardbench import Call, DataError, Tool
from toolrm.records import Record
from toolrm.sources.base import LeftOut, Skipped, expected, record_of, tools_from
from toolrm.sources.grounding import NUMBER_WORDS

LICENCE = "CC0-1.0"
_EXPECTED = "a folder of Snips' train_<Intent>_full.json or validate_<Intent>.json"

_PLACE = {
    "city": "City or town, as the user names it",
    "state": "State or province, in full or abbreviated",
    "country": "Country",
    "spatial_relation": "How near it has to be, such as 'closest' or 'in the neighbourhood'",
}
_WHEN = "Time, date or span of time in the user's words, such as 'tomorrow' or 'in two hours'"
_NUMBERS = ("party_size_number", "rating_value", "best_rating")
# Of every intent: what it does, its slots, and those of them that are always given.
_INTENTS: dict[str, tuple[str, dict[str, str], tuple[str, ...]]] = {
    "AddToPlaylist": (
        "Add a song, an album or all of an artist's music to one of a person's playlists",
        {
            "playlist": "Name of the playlist to add to",
            "playlist_owner": "Whose playlist it is: 'my' for the user's own, else a person's name",
            "entity_name": "Title of the song or album to add",
            "artist": "Artist of the music to add",
            "music_item": "Kind of thing to add, such as 'song' or 'album'",
        },
        ("playlist",),
    ),
    "BookRestaurant": (
        "Book a table at a restaurant, bar or similar place that fits the description",
        {
            "restaurant_name": "Name of the place",
            "restaurant_type": "Kind of place, such as 'pub', 'bakery' or 'food truck'",
            "cuisine": "Cuisine it has to serve",
            "served_dish": "Dish it has to have",
            "facility": "Something it has to offer besides food, such as 'parking' or 'wifi'",
            "sort": "How it has to rank, such as 'best' or 'cheapest'",
            "party_size_number": "Number of people",
            "party_size_description": "Who is coming, where people are named instead of a number",
            "poi": "Landmark, street or neighbourhood that it has to be at or near",
            **_PLACE,
            "timeRange": _WHEN,
        },
        (),
    ),
    "GetWeather": (
        "Tell the weather, or whether a condition is to be expected, at a place and time",
        {
            "condition_description": "Weather condition asked about, such as 'sunny' or 'overcast'",
            "condition_temperature": "Temperature asked about in words, such as 'warm' or 'freezing'",
            "current_location": "The user's words for where they are, such as 'here'",
            "geographic_poi": "Park, reserve or other named place",
            **_PLACE,
            "timeRange": _WHEN,
        },
        (),
    ),
    "PlayMusic": (
        "Play music that fits all that is given",
        {
            "track": "Title of the song",
            "album": "Title of the album",
            "artist": "Artist or band",
            "genre": "Genre",
            "playlist": "Name of the playlist to play",
            "year": "Year or decade of the music, such as '1958' or 'eighties'",
            "sort": "How to choose, such as 'newest' or 'oldest'",
            "music_item": "Kind of thing to play, such as 'song' or 'album'",
            "service": "Streaming service to play it on",
        },
        (),
    ),
    "RateBook": (
        "Give a book, or a series of books, a rating",
        {
            "rating_value": "Rating to give",
            "best_rating": "Best rating on the scale that the user has in mind",
            "rating_unit": "What the rating counts: 'stars' or 'points'",
            "object_name": "Title of the book or series",
            "object_select": "Which one, where no title is given: 'this', 'previous', 'next', …",
            "object_type": "Kind of work, such as 'novel', 'essay' or 'textbook'",
            "object_part_of_series_type": "Kind of series, such as 'saga'",
        },
        ("rating_value",),
    ),
    "SearchCreativeWork": (
        "Find a creative work by its title: a film, show, book, song, game, picture, …",
        {
            "object_name": "Title of the work",
            "object_type": "Kind of work, such as 'TV series', 'song' or 'painting'",
        },
        ("object_name",),
    ),
    "SearchScreeningEvent": (
        "Find out which films are on, where, and at what times",
        {
            "movie_name": "Title of the film",
            "movie_type": "Kind of film, such as 'animated movies' or 'documentaries'",
            "object_type": "What is asked for, such as 'movie times'",
            "location_name": "Name of the cinema or chain of cinemas",
            "object_location_type": "Kind of place, such as 'cinema'",
            "spatial_relation": _PLACE["spatial_relation"],
            "timeRange": _WHEN,
        },
        (),
    ),
}
TOOLS: list[dict[str, Any]] = [
    {
        "name": intent,
        "description": what,
        "parameters": {
            "type": "object",
            "properties": {
                slot: {"type": "integer" if slot in _NUMBERS else "string", "description": text}
                for slot, text in slots.items()
            },
            "required": list(required),
        },
    }
    for intent, (what, slots, required) in _INTENTS.items()
]


def records(path: Path, skipped: Skipped) -> Iterator[Record]:
    """A record for each utterance.

    Raises:
        DataError: there are no such files, or one of them is something else.
    """
    files = [*sorted(path.glob("train_*_full.json")), *sorted(path.glob("validate_*.json"))]
    if not files:
        raise DataError(f"There are no utterances in {path}: expected is {_EXPECTED}.")
    tools = {tool.name: tool for tool in tools_from(TOOLS)}
    for file in files:
        split, intent = file.stem.split("_")[:2]
        for number, utterance in enumerate(_utterances(file, intent), 1):
            id = f"{split}/{intent}/{number}"
            try:
                if intent not in tools:
                    raise LeftOut("a gold call of a tool that is not there")
                yield _record(id, utterance, tools[intent])
            except LeftOut as why:
                skipped.add(id, why)


def _utterances(file: Path, intent: str) -> list[Any]:
    text = file.read_bytes().decode("utf-8", "surrogateescape")
    try:
        found = json.loads(re.sub("[\udc80-\udcff]+", _stray, text))[intent]
    except (ValueError, KeyError, TypeError) as why:
        raise DataError(f"{file} has no '{intent}' ({why!r}): expected is {_EXPECTED}.") from None
    if not isinstance(found, list):
        raise DataError(f"{file} holds no list of utterances: expected is {_EXPECTED}.")
    return found


def _record(id: str, utterance: Any, tool: Tool) -> Record:
    query = ""
    arguments: dict[str, Any] = {}
    try:
        for part in utterance["data"]:
            text = part["text"]
            query += text
            slot = part.get("entity")
            if slot is None:
                continue
            if slot in arguments:
                raise LeftOut("a slot that is filled twice")
            arguments[slot] = _value(text.strip(), tool.parameters["properties"].get(slot, {}))
    except (KeyError, TypeError, AttributeError):
        raise LeftOut("an utterance that cannot be read") from None
    answer = [expected(Call(tool.name, arguments), [tool])]
    messages = [{"role": "user", "content": query.strip()}]
    return record_of("snips", LICENCE, id, [tool], messages, answer)


def _stray(run: re.Match[str]) -> str:
    """Bytes that are no UTF-8: both halves of a surrogate pair, written one by one, or Latin-1."""
    raw = run[0].encode("utf-8", "surrogateescape")
    try:
        halves = raw.decode("utf-8", "surrogatepass")
        return halves.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _value(text: str, schema: Mapping[str, Any]) -> Any:
    if schema.get("type") != "integer":
        return text
    number = NUMBER_WORDS.get(text.lower())
    if number is None and not text.isdecimal():
        raise LeftOut("a number that cannot be read")
    return int(text) if number is None else number
