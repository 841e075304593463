"""Single-turn records made from tool schemas alone: values are drawn, and a request says them all."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Any

from fcrewardbench import AdmissibleCall, DataError, Prompt, Tool
from toolrm.records import Record
from toolrm.synthesize.distractors import listed

_ATTEMPTS = 500  # in a row without a new request, after which there are no more


def _phrases(text: str) -> tuple[str, ...]:
    """A list of phrases, written as running text with underscores for their spaces."""
    return tuple(phrase.replace("_", " ") for phrase in listed(text))


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip().replace("\\n", "\n") for line in text.strip().splitlines())


_FIRST = listed(
    """
    Aisha Alejandro Amara Anders Anika Beatriz Bilal Bronwyn Camille Carlos Chidi Clara Daichi
    Dalia Darius Elena Elif Emeka Esther Farah Felix Fiona Freya Gabriel Giulia Grace Hana Harold
    Hassan Helga Ibrahim Ingrid Isabel Ivan Jamal Joanna Jonas Kavya Kenji Kofi Laila Lars Leila
    Liam Lucia Magnus Maria Mateo Mei Mikael Nadia Naomi Nikhil Noor Olga Omar Oscar Paloma Petra
    Priya Quentin Rafael Rania Rohan Rosa Samira Santiago Sofia Sven Tariq Teresa Thabo Tomas Uma
    Valeria Viktor Wanjiru Xavier Yara Yusuf Zainab Zoe
    """
)
_LAST = listed(
    """
    Abara Almeida Andersson Banerjee Becker Bianchi Castillo Chowdhury Costa Dahl Delgado Diallo
    Dubois Eriksen Espinoza Fischer Fontaine Fujita Garcia Gupta Haddad Hansen Hoffmann Ibarra
    Iwata Jansen Jimenez Kapoor Karlsson Kimura Kowalski Kruger Laurent Lindqvist Lopez Mahmoud
    Marchetti Mbeki Mendes Moreau Murphy Nakata Ncube Novak Nwosu Ogawa Okafor Oliveira Ortega
    Osei Papadakis Patel Pereira Petrov Quispe Rahman Ramirez Rossi Sato Schneider Sharma Silva
    Soto Suzuki Takeda Tanaka Tembo Torres Uchida Ueda Vargas Virtanen Vogel Wallace Weber Xu
    Yamada Yildiz Zapata Zeller Zhou
    """
)
_CITIES = tuple(
    (city, country)
    for city, _, country in (
        pair.partition("/")
        for pair in _phrases(
            """
            Lagos/Nigeria Nairobi/Kenya Accra/Ghana Cairo/Egypt Casablanca/Morocco Tunis/Tunisia
            Dakar/Senegal Kampala/Uganda Lusaka/Zambia Windhoek/Namibia Durban/South_Africa
            Addis_Ababa/Ethiopia Tokyo/Japan Osaka/Japan Sapporo/Japan Seoul/South_Korea
            Busan/South_Korea Taipei/Taiwan Shanghai/China Chengdu/China Hanoi/Vietnam
            Bangkok/Thailand Jakarta/Indonesia Manila/Philippines Mumbai/India Pune/India
            Chennai/India Jaipur/India Lahore/Pakistan Karachi/Pakistan Dhaka/Bangladesh
            Colombo/Sri_Lanka Kathmandu/Nepal Almaty/Kazakhstan Tbilisi/Georgia Yerevan/Armenia
            Baku/Azerbaijan Istanbul/Turkey Ankara/Turkey Amman/Jordan Muscat/Oman Doha/Qatar
            Dubai/United_Arab_Emirates Athens/Greece Thessaloniki/Greece Sofia/Bulgaria
            Bucharest/Romania Cluj-Napoca/Romania Belgrade/Serbia Zagreb/Croatia Split/Croatia
            Ljubljana/Slovenia Budapest/Hungary Vienna/Austria Graz/Austria Prague/Czech_Republic
            Brno/Czech_Republic Bratislava/Slovakia Warsaw/Poland Krakow/Poland Gdansk/Poland
            Vilnius/Lithuania Riga/Latvia Tallinn/Estonia Helsinki/Finland Tampere/Finland
            Stockholm/Sweden Gothenburg/Sweden Oslo/Norway Bergen/Norway Aarhus/Denmark
            Copenhagen/Denmark Hamburg/Germany Leipzig/Germany Munich/Germany Zurich/Switzerland
            Basel/Switzerland Lyon/France Marseille/France Nantes/France Lille/France
            Brussels/Belgium Ghent/Belgium Rotterdam/Netherlands Utrecht/Netherlands
            Dublin/Ireland Cork/Ireland Manchester/United_Kingdom Bristol/United_Kingdom
            Glasgow/United_Kingdom Cardiff/United_Kingdom Lisbon/Portugal Porto/Portugal
            Madrid/Spain Seville/Spain Valencia/Spain Bilbao/Spain Naples/Italy Turin/Italy
            Bologna/Italy Palermo/Italy Boston/United_States Denver/United_States
            Seattle/United_States Chicago/United_States Portland/United_States
            Austin/United_States Atlanta/United_States Toronto/Canada Montreal/Canada
            Calgary/Canada Halifax/Canada Guadalajara/Mexico Puebla/Mexico Havana/Cuba
            Bogota/Colombia Medellin/Colombia Quito/Ecuador Lima/Peru Cusco/Peru Santiago/Chile
            Valparaiso/Chile Montevideo/Uruguay Rosario/Argentina Cordoba/Argentina Recife/Brazil
            Curitiba/Brazil Sydney/Australia Perth/Australia Hobart/Australia Auckland/New_Zealand
            Wellington/New_Zealand Suva/Fiji
            """
        )
    )
)
_COUNTRIES = tuple(dict.fromkeys(country for _, country in _CITIES))
_REGIONS = _phrases(
    """
    Europe Asia North_America South_America Southeast_Asia Scandinavia Bavaria Tuscany Catalonia
    Andalusia Brittany Ontario Quebec Queensland Tasmania Patagonia Punjab Kerala Hokkaido
    Normandy Provence Alberta Oregon Vermont Colorado Maine East_Africa West_Africa
    Central_America the_Balkans the_Alps
    """
)
_LANGUAGES = listed(
    """
    English French German Spanish Italian Portuguese Dutch Swedish Norwegian Danish Finnish Polish
    Czech Greek Turkish Arabic Hebrew Hindi Urdu Bengali Tamil Mandarin Japanese Korean Vietnamese
    Thai Indonesian Swahili Yoruba Amharic Hungarian Romanian Bulgarian Croatian Ukrainian
    Estonian Latvian Icelandic Welsh Basque
    """
)
_TOWN_STARTS = listed(
    """
    Ash Birch Brook Clay Cold Copper Deer Elm Fair Fern Glen Green Hart Hazel Kings Lake Maple
    Mill North Oak Raven River Rock Silver South Stone Thorn Wester Willow Winter
    """
)
_TOWN_ENDS = listed(
    """
    borough bridge burn bury creek dale field ford gate ham haven mouth ridge side stead ton view
    ville water wick wood
    """
)
_ADJECTIVES = listed(
    """
    Amber Ancient Autumn Blue Bold Brave Bright Broken Burning Calm Clever Copper Crimson Crystal
    Distant Electric Emerald Endless Faded Fearless First Forgotten Frozen Gentle Golden Grand
    Hidden Hollow Humble Infinite Iron Jade Last Little Lonely Lost Lucky Lunar Midnight Modern
    Northern Open Pale Patient Quiet Rapid Restless Rising Royal Sacred Scarlet Second Secret
    Silent Silver Simple Smart Solar Steady Summer Velvet Wandering Western Wild Winter Wooden
    """
)
_NOUNS = listed(
    """
    Anchor Archive Arrow Atlas Beacon Bridge Canvas Castle Circle Cloud Compass Corner Crown
    Current Dawn Desert Dream Echo Ember Engine Falcon Field Flame Forest Fountain Frontier Garden
    Gate Harbor Harvest Heart Horizon Island Journey Key Kingdom Lagoon Lantern Letter Lighthouse
    Machine Map Market Meadow Mirror Moon Mountain Ocean Orchard Path Pearl Pilot Planet Promise
    Pulse Rain Ridge River Road Rose Sail Season Shadow Signal Sky Song Spark Spring Star Stone
    Storm Story Summit Sun Tide Tower Trail Valley Voyage Wave Window Wing Wolf
    """
)
_TOPIC_STARTS = listed(
    """
    urban rural coastal digital affordable sustainable early modern medieval industrial local
    global renewable ethical inclusive experimental quantum marine alpine tropical adaptive
    cooperative
    """
)
_TOPIC_ENDS = _phrases(
    """
    beekeeping housing transport literacy forestry fisheries architecture agriculture tourism
    journalism trade education irrigation energy_storage waste_recycling food_systems
    music_festivals shipbuilding water_supply public_health migration city_planning robotics
    textiles mapmaking packaging gardening storytelling banking photography
    """
)
_CONTEXTS = _lines(
    """
    The delivery was late again
    Our team finished the first draft
    The heating on the second floor has stopped working
    Everybody liked the new menu
    The museum opens an hour earlier
    We saw two herons by the lake
    The battery drains too quickly
    Sales went up a little
    The train was crowded but quick
    The paint needs another coat
    My parcel arrived with a dent
    The choir is looking for tenors
    The new signs are easy to read
    The lecture was moved to the main hall
    The garden gate squeaks
    The coffee machine is back in service
    The bakery ran out of rye bread
    The lift is being repaired
    A neighbour found my umbrella
    The class starts with a short walk
    """
)
_SEQUELS = _lines(
    """
    so please call me back
    and nobody knows why
    which surprised all of us
    but the mood is good
    since the storm last week
    thanks to the volunteers
    as we had agreed
    and we should talk about it
    although it was raining
    just before the holidays
    in spite of the short notice
    and I would do it again
    so plan some extra time
    even at the weekend
    because of a small mistake
    for the third time in a row
    and it will stay that way
    so we left early
    to the surprise of the guests
    and that is good news
    """
)

# Words that stand in "(e.g., …)" for a sort of value instead of a value.
_META = frozenset(
    _phrases(
        """
        address age age_group area building city code continent coordinates country county date
        date_range day district email email_address etc file_path gender gps_coordinates id
        interests keyword keywords landmark latitude link location longitude month name
        neighborhood none null number path phone phone_number place postal_code province region
        specific_date specific_date_and_time specific_location state street street_name string
        text time_range title town url username value village website year zip zip_code
        """
    )
)
_PEOPLE = frozenset(
    listed(
        """
        player patient customer guest employee participant athlete student contact author
        recipient sender person manager coach driver teacher director actor actress singer writer
        artist attendee passenger doctor physician candidate applicant client member owner
        assignee spokesperson consultant user designer lawyer defendant judge nurse therapist
        donor victim suspect volunteer speaker instructor boxer philosopher scientist researcher
        photographer dancer musician composer editor journalist reviewer visitor worker tenant
        buyer seller chef engineer politician leader requester gymnast swimmer cyclist golfer
        mentor creator producer sculptor architect poet historian child parent individual friend
        celebrity influencer
        """
    )
)
_MAKERS = frozenset(
    listed(
        """
        author artist writer director composer creator photographer designer producer
        """
    )
)
_ORGANISATIONS = {
    noun: _phrases(endings)
    for nouns, _, endings in (
        line.partition(":")
        for line in _lines(
            """
            hotel establishment:Hotel Inn Lodge Suites Guesthouse
            restaurant:Kitchen Bistro Grill Trattoria
            school:School Academy College
            university:University Institute_of_Technology State_University
            institution:Institute College Foundation
            hospital clinic:Hospital Clinic Medical_Center
            facility:Center Plant Depot
            library:Library Public_Library Reading_Rooms
            museum:Museum Gallery
            venue:Hall Arena Pavilion
            theater:Theater Playhouse
            team club:Rovers Falcons United Hawks Athletic
            league:League Premier_Division
            journal publication:Review Journal Quarterly Gazette
            publisher:Press Books
            bank:Bank Savings_Bank Credit_Union
            airline:Airways Air
            company:Ltd Group Industries Labs Partners Holdings
            organization organisation charity nonprofit:Foundation Alliance Trust Network Association
            brand manufacturer business vendor supplier store firm:Works Goods Co Brothers
            agency outlet employer carrier provider insurer:Agency Services Media
            department office:Office Department Bureau
            """
        )
    )
    for noun in nouns.split()
}
_TITLED = frozenset(
    listed(
        """
        title film movie book song album game event project campaign article paper course
        exhibition show series play novel poem artwork painting festival conference program
        podcast playlist workshop lesson magazine story video track document report presentation
        collection mission experiment survey session ship spacecraft vineyard winery farm park
        monument bridge building street trail river lake mountain network cluster dataset database
        model system robot drone vessel portfolio plan policy tour tournament template
        """
    )
)
_CODED = frozenset(
    listed(
        """
        id identifier code key token password vin isbn hash serial pin account credentials
        signature sku barcode reference uuid doi number no zipcode
        """
    )
)
_POOLS = {
    kind: _phrases(words)
    for kind, _, words in (
        line.partition(":")
        for line in _lines(
            """
            color:red blue green teal navy maroon beige turquoise orange violet ivory olive coral
            gender:male female
            nationality:Brazilian Kenyan Japanese Polish Irish Indian Mexican Greek Swedish
            currency:USD EUR GBP JPY CHF SEK INR BRL CAD AUD NOK MXN ZAR TRY PLN
            disease:asthma malaria diabetes hypertension influenza measles arthritis migraine
            drug:ibuprofen metformin amoxicillin aspirin lisinopril warfarin omeprazole paracetamol
            chemical:ethanol acetone toluene benzene methanol ammonia glycerol sucrose urea phenol
            species:otter lynx badger heron salmon beaver gecko hedgehog falcon puffin tortoise ibex
            plant:basil lavender maize barley soybean sunflower sorghum quinoa rice wheat lentil
            food:lentils salmon tofu oatmeal yogurt couscous almonds spinach hummus polenta cheddar
            material:steel aluminum bamboo concrete titanium glass rubber oak copper nylon wool
            sport:tennis basketball rowing handball cricket badminton hockey volleyball fencing judo
            job:electrician accountant data_analyst welder nurse plumber civil_engineer baker translator
            industry:logistics mining tourism banking textiles aerospace farming shipping publishing
            """
        )
    )
}
_POOL_WORDS = {
    word: words.split()[0]
    for words in _lines(
        """
        color colour
        gender sex
        disease illness condition diagnosis disorder
        drug medication medicine
        chemical compound substance molecule solvent
        species animal breed wildlife organism bird fish mammal insect
        plant crop
        food ingredient dish
        nationality
        currency
        material
        sport
        industry
        """
    )
    for word in words.split()
}
_TEXTS = frozenset(
    listed(
        """
        text message content description body sentence comment feedback notes note details review
        summary instructions reason abstract caption post greeting inquiry remark
        """
    )
)
_TOPICS = frozenset(
    listed(
        """
        topic subject query keyword question theme issue research field technology
        """
    )
)
_FILES = {
    noun: listed(endings)
    for noun, _, endings in (
        line.partition(":")
        for line in _lines(
            """
            image:png jpg tiff
            photo:jpg png
            video:mp4 mov
            audio:wav mp3
            music:mp3 flac
            file:txt csv json pdf
            document:pdf docx
            attachment:pdf zip
            resume:pdf docx
            dataset:csv parquet
            data:csv json
            path:csv dat bin
            logo:png svg
            script:sh py
            """
        )
    )
}
_PLACED = frozenset(
    listed(
        """
        city location place destination origin town venue address area departure source
        """
    )
)
_MONTHS = listed(
    "January February March April May June July August September October November December"
)
_SPANS = listed("days weeks months years")
_NUMBER_WORDS = dict(
    enumerate(listed("two three four five six seven eight nine ten eleven twelve"), start=2)
)
_UNITS = _phrases(
    """
    km/h mph minutes seconds hours days weeks months years kilograms grams pounds kilometers
    meters centimeters millimeters inches miles feet degrees_Celsius Celsius Fahrenheit Kelvin
    dollars USD euros percent watts kilowatts volts amperes ohms hertz mg ml liters gallons
    square_meters hectares acres Newtons Pascals joules decibels calories megabytes gigabytes
    knots nanometers
    """
)
# The range of a number and its decimals, by a word of its name.
_RANGES = {
    word: (float(low), float(high), int(decimals))
    for word, low, high, decimals in (
        line.split()
        for line in _lines(
            """
            age 18 88 0
            year 1962 2025 0
            latitude -60 66 4
            longitude -170 170 4
            temperature -12 96 1
            percentage 1 98 1
            rate 0.5 19.5 2
            price 4 900 2
            cost 20 9000 2
            amount 10 9000 2
            budget 200 90000 0
            income 18000 240000 0
            salary 18000 240000 0
            revenue 20000 4000000 0
            population 800 900000 0
            weight 2 140 1
            height 0.5 220 1
            probability 0.02 0.98 2
            ratio 0.05 0.95 2
            month 1 12 0
            day 1 28 0
            size 2 96 0
            people 2 14 0
            guests 2 14 0
            limit 3 60 0
            page 2 40 0
            rating 1 5 0
            """
        )
    )
}
_DECEMBER_2025 = date(2025, 12, 31)


@dataclass(frozen=True, slots=True)
class _Value:
    """A value as the request says it, and how a call may give it, the best way first."""

    said: str
    admissible: tuple[Any, ...]
    order: str = ""  # what dates and times are compared by


@dataclass(frozen=True, slots=True)
class _Argument:
    """An argument of a call to be. `alone`: no other parameter of its tool takes this kind of value."""

    name: str
    label: str
    kind: str
    alone: bool
    value: _Value


def requested(
    tools: Sequence[Tool], rng: Random, number: int, prefix: str, licence: str
) -> Iterator[Record]:
    """Records whose requests were phrased for drawn calls. No two requests are equal.

    Most ask for one call; some for the same tool with other values, some for two tools of one field
    (the `field` of a tool's description, where it has one). Each value is said in the request, and
    optional parameters that it does not mention are not in the answer. `prefix` names the source.

    Raises:
        DataError: the tools are too few for so many different requests, or none has parameters for
            which values can be drawn.
    """
    fields: defaultdict[str, list[Tool]] = defaultdict(list)
    for tool in tools:
        fields[str(tool.original.get("field"))].append(tool)
    seen: set[str] = set()
    failed = 0
    while len(seen) < number:
        made = _request(rng.choice(tools), fields, rng) if tools else None
        core = made[0].casefold().rstrip(".?! ") if made else ""
        if made is None or core in seen:
            failed += 1
            if failed > _ATTEMPTS or not tools:
                raise DataError(
                    f"The {len(tools)} tools of '{prefix}' gave {len(seen)} different requests where "
                    f"{number} were asked for: ask for fewer, or give more tools."
                )
            continue
        failed = 0
        text, asked, answer = made
        seen.add(core)
        prompt = Prompt(tuple(asked), ({"role": "user", "content": _dressed(text, rng)},))
        yield Record(f"{prefix}/{len(seen):06d}", prefix, licence, prompt, tuple(answer))


_Made = tuple[str, list[Tool], list[AdmissibleCall]]


def _request(tool: Tool, fields: Mapping[str, Sequence[Tool]], rng: Random) -> _Made | None:
    sort = rng.random()
    if sort < 0.80:
        drawn = _drawn(tool, rng)
        if drawn is None:
            return None
        return _single(tool, drawn, rng), [tool], [_call(tool, drawn)]
    if sort < 0.92:
        return _repeated(tool, rng)
    field = tool.original.get("field")
    other = rng.choice(fields[str(field)]) if field else tool
    first, second = _drawn(tool, rng), _drawn(other, rng)
    if other.name == tool.name or not first or not second:
        return None
    one, two = (_inline(*pair, rng) for pair in ((tool, first), (other, second)))
    text = rng.choice(_TWO).format(one=one, One=_upper(one), two=two, Two=_upper(two))
    return text, [tool, other], [_call(tool, first), _call(other, second)]


def _repeated(tool: Tool, rng: Random) -> _Made | None:
    """One tool for two or three calls with other values."""
    first = _drawn(tool, rng)
    if not first:
        return None
    kept = {a.name for a in first if len(first) > 1 and rng.random() < 0.3}
    calls = [first]
    for _ in range(1 if rng.random() < 0.7 else 2):
        following = [a if a.name in kept else _again(a, tool, rng) for a in first]
        calls.append(_ordered(following))
    answer = [_call(tool, arguments) for arguments in calls]
    if len({_plain(call) for call in answer}) < len(answer):
        return None
    do = _without_object(_action(tool), first, rng)
    if len(calls) > 2 or rng.random() < 0.4:
        items = "\n".join(f"{i}. {_pairs(a, rng)}" for i, a in enumerate(calls, start=1))
        text = rng.choice(_EACH).format(do=do, Do=_upper(do), items=items, count=len(calls))
    else:
        one, two = (_details(arguments, rng) for arguments in calls)
        text = rng.choice(_SAME_AGAIN).format(do=do, Do=_upper(do), one=one, two=two)
    return text, [tool], answer


def _again(argument: _Argument, tool: Tool, rng: Random) -> _Argument:
    schema = tool.parameters["properties"][argument.name]
    value = _value(argument.name, schema, rng)
    return argument if value is None else replace(argument, value=value)


def _plain(call: AdmissibleCall) -> str:
    best = {name: values[0] for name, values in call.arguments.items()}
    return re.sub(r"[ ,./\-_*^]", "", json.dumps(best, sort_keys=True)).lower()


def _call(tool: Tool, drawn: Sequence[_Argument]) -> AdmissibleCall:
    values = {argument.name: list(argument.value.admissible) for argument in drawn}
    order = tool.parameters["properties"]
    return AdmissibleCall(tool.name, {name: values[name] for name in order if name in values})


def _drawn(tool: Tool, rng: Random) -> list[_Argument] | None:
    """Values for the required and some optional parameters; None where one has to be guessed."""
    properties = tool.parameters["properties"]
    required = set(tool.parameters.get("required") or ())
    kinds = {name: _kind(name, schema) for name, schema in properties.items()}
    share = rng.choice((0.0, 0.3, 0.6)) if required else rng.choice((0.4, 0.8))
    drawn: list[_Argument] = []
    for name, schema in properties.items():
        if name not in required and rng.random() >= share:
            continue
        value = _value(name, schema, rng)
        for _ in range(5):
            if value is None or all(value.said != other.value.said for other in drawn):
                break
            value = _value(name, schema, rng)
        if value is None:
            if name in required:
                return None
            continue
        alone = list(kinds.values()).count(kinds[name]) == 1
        drawn.append(_Argument(name, _label(name), kinds[name], alone, value))
    if properties and not drawn:
        return None
    return _ordered(drawn)


def _ordered(drawn: list[_Argument]) -> list[_Argument]:
    """Two dates or times in their order: the first is taken to be the start."""
    result = list(drawn)
    for kind in ("date", "time"):
        places = [place for place, argument in enumerate(drawn) if argument.kind == kind]
        if len(places) == 2:
            values = sorted((drawn[place].value for place in places), key=lambda v: v.order)
            for place, value in zip(places, values, strict=True):
                result[place] = replace(drawn[place], value=value)
    return result


# --- values


def _words(name: str) -> list[str]:
    return [part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


_IN_FULL = {"num": "number of", "qty": "quantity", "max": "maximum", "min": "minimum"}


def _label(name: str) -> str:
    """A parameter's name as people say it."""
    upper = {
        "id",
        "url",
        "ip",
        "vin",
        "isbn",
        "dna",
        "rna",
        "gpa",
        "bmi",
        "api",
        "doi",
        "uri",
        "sku",
    }
    words = [_IN_FULL.get(word, word) for word in _words(name)]
    return " ".join(word.upper() if word in upper else word for word in words) or name


def _examples(schema: Mapping[str, Any]) -> list[str]:
    """The values that a schema or its description gives as examples."""
    for key in ("enum", "choices", "examples"):
        if isinstance(schema.get(key), list) and schema[key]:
            return [str(value) for value in schema[key]]
    found = re.search(
        r"\((?:e\.?g\.?|i\.?e\.?|such as|for example|like|example:?)[,:.]?\s*([^()]+)\)",
        str(schema.get("description", "")),
        re.IGNORECASE,
    )
    if found is None:
        return []
    parts = re.split(r"\s*[,;]\s*(?:or |and )?|\s+or\s+", found[1])
    values = [part.strip(" '\"“”‘’.") for part in parts]
    cut = any("..." in part or "…" in part for part in parts)  # part of a value, not one
    return [v for v in values if 0 < len(v) <= 40 and v.lower() != "etc" and not cut]


def _kind(name: str, schema: Mapping[str, Any]) -> str:
    """What sort of value a parameter takes: by type, examples, name and description."""
    declared = schema.get("type")
    if declared in ("boolean", "integer", "number", "array"):
        return str(declared)
    if declared != "string":
        return ""
    if isinstance(schema.get("enum"), list):
        return "choice"
    words = _words(name)
    examples = [value.lower() for value in _examples(schema)]
    said = str(schema.get("description", "")).lower()
    tail = _singular(words[-1]) if words else ""
    if (
        "timestamp" in words
        or {"date", "time"} <= set(words)
        or ("hh:mm" in said and "yyyy" in said)
    ):
        return "moment"
    if tail in ("date", "deadline", "dob", "birthdate") or re.search(r"yyyy|\bdd[/-]mm", said):
        return "date"
    if tail == "year" and all(re.fullmatch(r"\d{4}", value) for value in examples):
        return "year"
    if tail == "time" and all(re.match(r"\d{1,2}:\d\d|hh:mm", value) for value in examples):
        return "time"
    kind = _named_kind(words, tail, said)
    if not examples:
        return kind
    if kind == "" or not any(_fits(kind, value) for value in _examples(schema)):
        return "" if any(map(_is_sort, examples)) else "choice"
    return kind


def _named_kind(words: list[str], tail: str, said: str) -> str:
    if words[-2:] == ["job", "title"]:
        return "pool:job"
    if tail in ("name", "title", "") or tail.isdigit():
        named = re.search(
            r"(?:name|title) of (?:the|a|an|your) (?:[\w-]+ ){0,3}?(\w+)"
            r"(?= (?:\w+ing|\w+ed|for|to|you|in|of|on|that|who|which|where|or)\b| \(|[.,]|$)",
            said,
        )
        nouns = [*words[-2:-1], *([named[1]] if named else [])]
        kinds = [_noun_kind(_singular(noun), said) for noun in nouns]
        return next((kind for kind in kinds if kind), "title" if tail == "title" else "named")
    return _noun_kind(tail, said)


def _noun_kind(noun: str, said: str) -> str:
    if noun == "address":
        return "email" if "email" in said else "address" if " ip " not in f" {said} " else "ip"
    if noun in ("email", "recipient") and "email" in said:
        return "email"
    if noun in ("phone", "mobile", "telephone") or "phone number" in said:
        return "phone"
    if noun in ("url", "website", "link", "domain", "webpage") or "url of" in said:
        return "url"
    if noun in ("username", "handle"):
        return "username"
    if noun in ("ip", "host", "server"):
        return "ip"
    if noun in _CODED:
        return "code"
    if noun in _FILES and re.search(r"path|file|url", said):
        return f"file:{noun}"
    if noun in ("country", "region", "language"):
        return noun
    if noun in ("state", "province") and "current" not in said:
        return "region"
    if noun in _PLACED:
        return "place"
    if noun in _PEOPLE:
        return "person"
    if noun in _ORGANISATIONS:
        return f"organisation:{noun}"
    if noun in _TEXTS:
        return "text"
    if noun in _TOPICS:
        return "topic"
    if noun in ("period", "timeframe", "frame"):
        return "period"
    if noun in ("word", "version"):
        return noun
    if noun in _POOL_WORDS:
        return f"pool:{_POOL_WORDS[noun]}"
    if noun in ("product", "device", "item", "equipment", "machine", "sensor"):
        return "product"
    return "title" if noun in _TITLED else ""


def _is_sort(example: str) -> bool:
    """Whether an example names a sort of value, as "domain name" does."""
    sorts = ("name", "address", "number", "id", "date")
    return example in _META or (" " in example and example.rpartition(" ")[2] in sorts)


def _fits(kind: str, example: str) -> bool:
    """Whether an example is of a kind whose values we draw, so that ours may stand for it."""
    if _is_sort(example.lower()):
        return True
    if kind in ("place", "region", "country"):
        return example in _KNOWN_PLACES
    if kind == "language":
        return example in _LANGUAGES
    if kind == "person":
        return re.fullmatch(r"[A-Z]\w+ [A-Z]\w+", example) is not None
    if kind == "code":
        return re.search(r"\d{3}", example) is not None
    if kind in ("title", "named") or kind.startswith("organisation"):
        return re.fullmatch(r"(?:[A-Z]\S+ )+(?:\S+ )*[A-Z]\S+", example) is not None
    return kind.partition(":")[0] in (
        "email",
        "phone",
        "url",
        "username",
        "ip",
        "file",
        "text",
        "address",
    )


_KNOWN_PLACES = frozenset(
    [name for pair in _CITIES for name in pair]
    + [
        *_REGIONS,
        *_COUNTRIES,
        "New York",
        "London",
        "Paris",
        "Los Angeles",
        "Berlin",
        "San Francisco",
    ]
    + [
        "USA",
        "UK",
        "Brazil",
        "Russia",
        "Africa",
        "California",
        "Texas",
        "Singapore",
        "Beijing",
        "Moscow",
    ]
)


def _value(name: str, schema: Mapping[str, Any], rng: Random) -> _Value | None:
    kind = _kind(name, schema)
    if kind == "boolean":
        true = rng.random() < 0.5
        return _Value(rng.choice(("yes", "true") if true else ("no", "false")), (true,))
    if kind in ("integer", "number"):
        return _number(name, schema, kind == "integer", rng)
    if kind == "array":
        return _list(name, schema, rng)
    examples = _examples(schema)
    if kind == "choice":
        value = rng.choice(examples)
        return None if re.fullmatch(r"[\s.…]*", value) else _Value(value, (value,))
    if kind == "code" and examples:
        shape = rng.choice([value for value in examples if re.search(r"\d", value)] or [""])
        code = re.sub(r"\d", lambda _: str(rng.randrange(1, 10)), shape) or _code(rng)
        return _Value(code, (code,))
    if "isbn" in _words(name):
        isbn = f"978-{rng.randrange(2, 9)}-{rng.randrange(10**7, 10**8)}-{rng.randrange(9)}"
        return _Value(isbn, (isbn,))
    if kind == "date":
        return _date(str(schema.get("description", "")), rng)
    maker, _, sort = kind.partition(":")
    if maker == "pool":
        value = rng.choice(_POOLS[sort])
    elif maker == "file":
        value = _file(rng, _FILES[sort])
    elif maker == "organisation":
        value = _organisation(rng, _ORGANISATIONS[sort])
    elif maker == "time":
        return _time(rng)
    elif maker in _MAKERS_OF_VALUES:
        value = _MAKERS_OF_VALUES[maker](rng)
    else:
        return None
    quoted = maker == "text" or (maker in ("title", "topic", "product") and rng.random() < 0.5)
    mark = "'" if rng.random() < 0.25 and "'" not in value else '"'
    return _Value(f"{mark}{value}{mark}" if quoted else value, (value,))


def _person(rng: Random) -> str:
    return f"{rng.choice(_FIRST)} {rng.choice(_LAST)}"


def _place(rng: Random) -> str:
    city, country = rng.choice(_CITIES)
    sort = rng.random()
    if sort < 0.5:
        return city
    return f"{city}, {country}" if sort < 0.7 else _town(rng)


def _town(rng: Random) -> str:
    return f"{rng.choice(_TOWN_STARTS)}{rng.choice(_TOWN_ENDS)}"


def _title(rng: Random) -> str:
    adjective, noun, other = rng.choice(_ADJECTIVES), *rng.sample(_NOUNS, 2)
    forms = (f"The {adjective} {noun}", f"{noun} of the {other}", f"{adjective} {noun}")
    return rng.choice((*forms, f"{noun} and {other}", f"A {noun} in {rng.choice(_CITIES)[0]}"))


def _organisation(rng: Random, endings: Sequence[str]) -> str:
    starts = (_town(rng), rng.choice(_LAST), f"{rng.choice(_ADJECTIVES)} {rng.choice(_NOUNS)}")
    return f"{rng.choice(starts)} {rng.choice(endings)}"


def _product(rng: Random) -> str:
    letters = "".join(rng.choices("ABCDEGHKLMPRSTVXZ", k=rng.randint(1, 2)))
    return f"{rng.choice(_NOUNS)} {letters}{rng.randrange(2, 90) * 10}"


def _code(rng: Random) -> str:
    letters = "".join(rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZ", k=rng.randint(2, 3)))
    digits = "".join(rng.choices("0123456789", k=rng.randint(3, 6)))
    mixed = "".join(rng.choices("abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789", k=10))
    return rng.choice((f"{letters}-{digits}", f"{letters}{digits}", f"7{digits}", mixed))


def _email(rng: Random) -> str:
    first, last = rng.choice(_FIRST).lower(), rng.choice(_LAST).lower()
    host = f"{rng.choice(_NOUNS)}{rng.choice(_NOUNS)}".lower()
    return f"{rng.choice((f'{first}.{last}', f'{first[0]}{last}', first))}@{host}.example"


def _url(rng: Random) -> str:
    host = f"{rng.choice(_ADJECTIVES)}-{rng.choice(_NOUNS)}".lower()
    return f"https://{rng.choice(('www.', ''))}{host}.example/{rng.choice(_NOUNS).lower()}"


def _file(rng: Random, endings: Sequence[str]) -> str:
    stem = (
        f"{rng.choice(_NOUNS)}_{rng.choice(('v', 'draft', 'final', 'scan'))}{rng.randrange(2, 99)}"
    )
    folder = rng.choice(("data", "home/work", "tmp", "srv/files"))
    return f"/{folder}/{stem.lower()}.{rng.choice(endings)}"


def _address(rng: Random) -> str:
    street = f"{rng.choice(_NOUNS)} {rng.choice(('Street', 'Road', 'Avenue', 'Lane'))}"
    return f"{rng.randrange(2, 240)} {street}, {rng.choice(_CITIES)[0]}"


def _phone(rng: Random) -> str:
    return f"+{rng.randrange(20, 99)} {rng.randrange(100, 999)} 555 {rng.randrange(1000, 9999)}"


def _username(rng: Random) -> str:
    return f"{rng.choice(_ADJECTIVES)}_{rng.choice(_NOUNS)}{rng.randrange(2, 99)}".lower()


def _period(rng: Random) -> str:
    first = rng.randrange(1985, 2020)
    span = f"{rng.choice(('last', 'past'))} {rng.randrange(2, 40)} {rng.choice(_SPANS)}"
    month = f"{rng.choice(_MONTHS)} {rng.randrange(1990, 2026)}"
    return rng.choice((f"{first}-{first + rng.randrange(2, 16)}", f"the {span}", month))


def _ip(rng: Random) -> str:
    return f"10.{rng.randrange(2, 250)}.{rng.randrange(2, 250)}.{rng.randrange(2, 250)}"


_MAKERS_OF_VALUES: dict[str, Callable[[Random], str]] = {
    "person": _person,
    "place": _place,
    "title": _title,
    "named": lambda rng: f"{rng.choice(_ADJECTIVES)} {rng.choice(_NOUNS)}",
    "product": _product,
    "code": _code,
    "email": _email,
    "url": _url,
    "address": _address,
    "phone": _phone,
    "username": _username,
    "ip": _ip,
    "country": lambda rng: rng.choice(_COUNTRIES),
    "region": lambda rng: rng.choice((*_REGIONS, *_COUNTRIES)),
    "language": lambda rng: rng.choice(_LANGUAGES),
    "year": lambda rng: str(rng.randrange(1962, 2026)),
    "topic": lambda rng: f"{rng.choice(_TOPIC_STARTS)} {rng.choice(_TOPIC_ENDS)}",
    "text": lambda rng: f"{rng.choice(_CONTEXTS)}, {rng.choice(_SEQUELS)}",
    "period": _period,
    "word": lambda rng: rng.choice((*_ADJECTIVES, *_NOUNS)).lower(),
    "version": lambda rng: ".".join(str(rng.randrange(1, 12)) for _ in range(3)),
    "moment": lambda rng: (
        f"{_day(rng).isoformat()} {rng.randrange(6, 23):02d}:{rng.choice((0, 15, 30, 45)):02d}"
    ),
}


def _day(rng: Random) -> date:
    return _DECEMBER_2025 - timedelta(days=rng.randrange(3_600))


def _date(description: str, rng: Random) -> _Value | None:
    """A date as people write it; the call has it in the form that the description asks for."""
    day = _day(rng)
    month = _MONTHS[day.month - 1]
    ending = (
        "th" if 4 <= day.day % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
    )
    iso = day.isoformat()
    asked = description.lower()
    if re.search(r"dd[/.-]mm[/.-]yyyy", asked):
        best = f"{day:%d/%m/%Y}"
    elif re.search(r"mm[/.-]dd[/.-]yyyy", asked):
        best = f"{day:%m/%d/%Y}"
    elif re.search(r"(?<!\d)\d\d/\d\d/\d{4}", asked):
        return None  # which of the two is the month nobody can tell
    else:
        best = iso
    said = rng.choice(
        (
            *(best, iso, f"{day.day} {month} {day.year}", f"{month} {day.day}, {day.year}"),
            *(
                f"{month} {day.day}{ending}, {day.year}",
                f"the {day.day}{ending} of {month} {day.year}",
            ),
        )
    )
    return _Value(said, tuple(dict.fromkeys((best, iso, said))), order=iso)


def _time(rng: Random) -> _Value:
    hour, minute = rng.randrange(6, 23), rng.choice((0, 5, 10, 15, 20, 30, 40, 45, 50))
    best = f"{hour:02d}:{minute:02d}"
    spoken = f"{(hour - 1) % 12 + 1}:{minute:02d} {'am' if hour < 12 else 'pm'}"
    said = rng.choice((best, spoken))
    return _Value(said, tuple(dict.fromkeys((best, said))), order=best)


def _number(name: str, schema: Mapping[str, Any], integer: bool, rng: Random) -> _Value | None:
    words, said = _words(name), str(schema.get("description", ""))
    low, high, decimals = _range(words, schema, integer)
    number: float = round(rng.uniform(low, high), decimals)
    if rng.random() < 0.4 and high - low > 200:
        number = round(number, -2 if high - low > 2_000 else -1) or number
    exact = int(number) if integer or number == int(number) else number
    if not all(_within(exact, schema, key) for key in ("minimum", "maximum")):
        return None
    counted = not set(words) & {
        "id",
        "year",
        "number",
        "code",
        "latitude",
        "longitude",
        "identifier",
    }
    text = str(exact)
    if counted and exact in _NUMBER_WORDS and rng.random() < 0.3:
        text = _NUMBER_WORDS[int(exact)]
    elif counted and abs(exact) >= 10_000 and rng.random() < 0.6:
        text = f"{exact:,}"
    unit = next((u for u in _UNITS if re.search(rf"\bin {u}\b", said, re.IGNORECASE)), "")
    if not unit and "year" not in words and re.search(r"age .*in years", said):
        unit = "years"
    return _Value(f"{text} {unit}" if unit and counted and exact != 1 else text, (exact,))


def _within(number: float, schema: Mapping[str, Any], key: str) -> bool:
    bound = schema.get(key)
    if not isinstance(bound, int | float):
        return True
    return number >= bound if key == "minimum" else number <= bound


def _range(words: list[str], schema: Mapping[str, Any], integer: bool) -> tuple[float, float, int]:
    examples = [value for value in _examples(schema) if re.fullmatch(r"-?\d+(?:\.\d+)?", value)]
    if examples:
        numbers = [float(value) for value in examples]
        places = max(len(value.partition(".")[2]) for value in examples)
        low, high = min(numbers), max(numbers)
        if "year" in words and low > 1_000:
            return low, max(high, min(low + 20, 2025)), 0
        low = low * 0.6 if low > 0 else low * 1.4
        low = max(low, 1) if integer and min(numbers) > 0 else low
        return (
            low,
            max(high * 1.4, low + 1),
            0 if integer else max(places, 1 if high < 10 else places),
        )
    if set(words) & {"id", "identifier", "code"}:
        return 101, 98_999, 0
    found = next(
        (_RANGES[_singular(word)] for word in reversed(words) if _singular(word) in _RANGES), None
    )
    low, high, decimals = found or (2, 480, 1)
    return (max(low, 1) if low > 0 else low, high, 0) if integer else (low, high, decimals)


def _list(name: str, schema: Mapping[str, Any], rng: Random) -> _Value | None:
    items = schema.get("items")
    if not isinstance(items, Mapping) or items.get("type") not in ("string", "integer", "number"):
        return None
    schema = {"description": schema.get("description", ""), **items}
    drawn = [_value(_singular(name), schema, rng) for _ in range(rng.randint(2, 3))]
    values = list({value.said: value for value in drawn if value is not None}.values())
    if not values:
        return None
    said = _joined([value.said for value in values])
    return _Value(said, ([value.admissible[0] for value in values],))


def _singular(word: str) -> str:
    if word.endswith("ies") and word not in ("series", "species"):
        return f"{word[:-3]}y"
    kept = ("ss", "us", "is", "species", "series", "details", "notes", "guests", "instructions")
    return word[:-1] if word.endswith("s") and not word.endswith(kept) else word


# --- phrases


def _action(tool: Tool) -> str:
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
        return " ".join(_words(tool.name))
    if first.lower() in ("a", "an", "the", "information", "details"):
        first, rest = "get", f"{first.lower()} {rest}"
    elif re.fullmatch(r"[A-Za-z]+[^su]s", first) and first.lower() != "access":
        stem = re.sub(r"ie$", "y", first[:-1])
        first = re.sub(r"(ch|sh|ss|x|z)e$", r"\1", stem)
    rest = re.sub(rf"\ban? {_VAGUE} (\w)", lambda m: f"{_article(m[1])} {m[1]}", rest)
    rest = re.sub(rf"\b{_VAGUE} (?=\w)", "", rest)
    return f"{first[0].lower()}{first[1:]} {rest}"


_VAGUE = "(?:given|specified|certain|particular|specific)"


def _article(text: str) -> str:
    return "an" if re.match(r"[aeioAEIO]|un(?!i)|u[^sn]", text) else "a"


_READING = listed("retrieve get find fetch obtain view show provide search")
_SYNONYMS: dict[str, tuple[str, ...]] = {
    "retrieve": ("get", "find", "fetch", "pull up", "look up", "retrieve", "show me", "give me"),
    "get": ("get", "find", "look up", "pull up", "show me"),
    "calculate": ("calculate", "compute", "work out", "figure out"),
    "create": ("create", "set up", "make"),
    "check": ("check", "verify", "look up"),
    "generate": ("generate", "produce", "create"),
    "update": ("update", "change"),
    "delete": ("delete", "remove", "get rid of"),
    "estimate": ("estimate", "work out"),
    "analyze": ("analyze", "examine", "take a look at"),
    "perform": ("perform", "do", "run"),
    "find": ("find", "look for", "locate"),
    "cancel": ("cancel", "call off"),
    "schedule": ("schedule", "plan"),
    "book": ("book", "reserve"),
}


def _varied(action: str, rng: Random, frame: str = "") -> str:
    """The action with another verb that fits the frame: "show me" is what others are asked to do."""
    verb, _, rest = action.partition(" ")
    verbs = _SYNONYMS.get(verb, (verb,))
    if re.search(r"(?<!you )to \{(?:do|one)\}|me \{do\}|Let's", frame):
        verbs = tuple(verb for verb in verbs if not verb.endswith(" me"))
    return f"{rng.choice(verbs)} {rest}".strip()


def _thing(action: str) -> str | None:
    """What a reading tool shows, with an article where it needs one."""
    verb, _, rest = action.partition(" ")
    if verb not in _READING or rest.startswith(("for ", "from ", "by ", "whether ")):
        return None
    head = re.split(r" (?:of|for|about|in|on|at|to|from|by) ", rest)[0]
    bare = head.startswith(("the ", "a ", "an ", "all ", "information", "data")) or head.endswith(
        "s"
    )
    return rest if bare else f"the {rest}"


_FILLED = re.compile(
    r"\ban? ((?:\w+ ){0,2}?\w+)(?= (?:for|in|on|at|by|with|from|to|based|using)\b|$)"
)
_NAMES = ("name", "id", "identifier", "title", "code", "number")


def _filled(action: str, drawn: Sequence[_Argument], rng: Random) -> tuple[str, list[_Argument]]:
    """The action with values where it speaks of "a …", and the arguments that are yet to be said."""
    left = list(drawn)
    if rng.random() < 0.08:
        return action, left

    def fill(found: re.Match[str]) -> str:
        for argument in left:
            said = _filling(found[1], argument, rng)
            if said is not None:
                left.remove(argument)
                return said
        return found[0]

    return _FILLED.sub(fill, action), left


def _without_object(action: str, drawn: Sequence[_Argument], rng: Random) -> str:
    """The action without "of a …" at its end, where the calls say which ones."""
    found = re.search(r" (?:for|in|of|from|at|on) an? ((?:\w+ ){0,2}?\w+)$", action)
    if found and any(_filling(found[1], argument, rng) is not None for argument in drawn):
        return action[: found.start()]
    return action


def _filling(noun: str, argument: _Argument, rng: Random) -> str | None:
    """What to say for "a <noun>" where the argument tells which one, else None."""
    words, sort = _words(argument.name), argument.kind.partition(":")[0]
    core = [word for word in words if word not in _NAMES]
    coded = sort == "code" or (sort in ("integer", "string") and {"id", "identifier"} & set(words))
    if not core or noun.lower().split()[-len(core) :] != core:
        return None
    said = argument.value.said
    if coded:
        return rng.choice((f"the {noun} with {argument.label} {said}", f"{noun} {said}"))
    if sort in ("place", "country", "person", "organisation", "region"):
        return rng.choice((said, said, f"the {noun} {said}"))
    return f"the {noun} {said}" if sort in ("title", "product") else None


def _phrase(argument: _Argument, rng: Random) -> str:
    """An argument within a sentence, most often so that its parameter can be told from the words."""
    label, said, kind = argument.label, argument.value.said, argument.kind
    words = set(_words(argument.name))
    article = _article(label)
    if kind == "boolean":
        verb, _, rest = label.partition(" ")
        yes = argument.value.admissible[0]
        if verb in ("include", "show", "use", "enable", "send", "allow") and rest:
            return f"and {verb} {rest}" if yes else f"and do not {verb} {rest}"
        return rng.choice(
            (f"with {label} set to {said}", f"{label}: {said}", f"with '{label}' as {said}")
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
        if label.endswith("s") and not re.search(r"[a-z]$", said) and " " not in label:
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
    elif kind == "person" and words & _MAKERS:
        short = [f"by {said}"]
    elif kind == "person":
        short = [f"for {said}"] * (argument.alone or not noun) + [f"for {noun} {said}"] * bool(noun)
    elif kind in ("place", "region", "country"):
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
    return rng.choice(short if short and rng.random() < 0.7 else forms)


def _plural(label: str) -> bool:
    return _singular(label) != label and not label.startswith("number of ")


def _is(label: str) -> str:
    return "are" if _plural(label) else "is"


def _details(arguments: Sequence[_Argument], rng: Random) -> str:
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


def _pairs(arguments: Sequence[_Argument], rng: Random, between: str = ", ") -> str:
    mark = rng.choice((": ", ": ", " = ", " "))
    return between.join(f"{a.label}{mark}{a.value.said}" for a in arguments)


def _facts(arguments: Sequence[_Argument], rng: Random) -> str:
    forms = ("The {label} {is_} {said}.", "Use {said} as the {label}.", "{Label}: {said}.")
    if rng.random() < 0.3 and len(arguments) > 1:
        parts = [f"the {a.label} {_is(a.label)} {a.value.said}" for a in arguments]
        return _upper(f"{_joined(parts)}.")
    form = rng.choice(
        (*forms, forms[0], "The {label} should be {said}.", "For the {label}, take {said}.")
    )
    sentences = [
        (form if rng.random() < 0.7 else forms[0]).format(
            label=argument.label,
            Label=_upper(argument.label),
            is_=_is(argument.label),
            said=argument.value.said,
        )
        for argument in arguments
    ]
    return " ".join(sentences)


def _joined(parts: Sequence[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]


def _upper(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


# {w}: details within the sentence; {facts}: sentences; {list}: lines; {pairs}: label and value.
INLINE = _lines(
    """
    {Do}{w}.
    {Do}{w}.
    Please {do}{w}.
    {Do}{w}, please.
    Can you {do}{w}?
    Could you {do}{w}?
    Could you please {do}{w}?
    Would you {do}{w}, please?
    I need you to {do}{w}.
    Kindly {do}{w}.
    I'd like you to {do}{w}.
    Help me {do}{w}.
    I need help to {do}{w}.
    Go ahead and {do}{w}.
    Hey, {do}{w}.
    Hi there! Can you {do}{w}?
    I was hoping you could {do}{w}.
    Quick one: {do}{w}.
    Is it possible to {do}{w}?
    My manager wants me to {do}{w}.
    When you have a minute, {do}{w}.
    It would help me a lot if you could {do}{w}.
    Time to {do}{w}.
    We have to {do}{w}. Can you do that?
    Would you mind helping me {do}{w}?
    Just {do}{w}.
    The next step is to {do}{w}.
    Now {do}{w}.
    I wonder if you could {do}{w}.
    For a project of mine, {do}{w}.
    Let's {do}{w}.
    Mind if I ask you to {do}{w}?
    """
)
APART = _lines(
    """
    {Do}. {facts}
    Please {do}. {facts}
    {facts} {Do}.
    {facts} Can you {do} with that?
    Can you {do}? {facts}
    Here is what I have. {facts} Please {do}.
    I need to {do}. {facts} Thanks!
    {facts} With this, please {do}.
    {Do} for me. {facts}
    {Do}:\\n{list}
    {Do} ({pairs}).
    Please {do} using these details:\\n{list}
    {Do}; {pairs}.
    {Do} - {pairs}
    {pairs}. {Do}.
    Details below, please {do}.\\n\\n{list}
    Task: {do}\\n{list}
    {Do} with these values: {pairs}.
    """
)
THINGS = _lines(
    """
    Show me {thing}{w}.
    Tell me {thing}{w}.
    Give me {thing}{w}.
    I'm looking for {thing}{w}.
    Do you have {thing}{w}?
    I'd like to see {thing}{w}.
    {Thing}{w}, please.
    {Thing}: {pairs}
    Could I get {thing}{w}?
    Any chance of getting {thing}{w}?
    I need {thing}{w}.
    {Thing}{w}
    I want to know {thing}{w}.
    Where can I see {thing}{w}?
    May I have {thing}{w}?
    {Thing}?\\n{list}
    Can you tell me {thing}{w}?
    I'm after {thing}{w}. Can you help?
    {Thing} wanted. {facts}
    """
)
_TWO = _lines(
    """
    {One}. Also, {two}.
    {One}, and then {two}.
    Two things: first, {one}; second, {two}.
    Can you {one}? I also need you to {two}.
    {One}. After that, {two}.
    Please {one}. Please also {two}.
    I need you to {one}. At the same time, {two}.
    - {one}\\n- {two}
    {One}. {Two}.
    1. {One}\\n2. {Two}
    """
)
_SAME_AGAIN = _lines(
    """
    {Do}{one}. Then do the same{two}.
    {Do}{one}, and once more{two}.
    {Do} twice: once{one}, and once{two}.
    Please {do}{one}. I also need this{two}.
    Can you {do}{one}, and again{two}?
    {Do}{one}. Same{two}.
    I have to {do}{one}; after that I need it{two}.
    Could you {do}, first{one}, then{two}?
    """
)
_EACH = _lines(
    """
    {Do} for each of these:\\n{items}
    Please {do}, once for each line:\\n{items}
    {Do} {count} times:\\n{items}
    I need to {do} for all of the following:\\n{items}
    Can you {do} separately for these?\\n{items}
    """
)
_REMARKS_A = _lines(
    """
    What a long week.
    I'm just back from lunch.
    It is raining again here.
    My cat is on the keyboard.
    I hope you are well.
    Sorry to bother you again.
    I've been at this all morning.
    My colleague said you are good at this.
    The coffee here is terrible, by the way.
    I'm new to this, so bear with me.
    Happy Friday!
    We are in a bit of a hurry.
    I lost my notes, of course.
    The office is freezing.
    Long day, but almost done.
    Good morning!
    """
)
_REMARKS_B = _lines(
    """
    Thanks a lot!
    Thank you.
    No rush.
    I really appreciate it.
    That's all for now.
    Cheers!
    Then I can finally go home.
    My boss keeps asking.
    It's for a presentation.
    Many thanks in advance.
    I owe you one.
    Let me know how it goes.
    You are a lifesaver.
    After that I'm off to the gym.
    """
)


def _single(tool: Tool, drawn: Sequence[_Argument], rng: Random) -> str:
    action = _action(tool)
    frames: tuple[str, ...] = INLINE if rng.random() < 0.6 or not drawn else APART
    if _thing(action) is not None and rng.random() < 0.45:
        frames = THINGS
    frame = rng.choice(frames)
    if not drawn and re.search(r"\{(?:facts|list|pairs)\}", frame):
        frame = "{Do}." if frames is not THINGS else "{Thing}, please."
    full, left = _filled(action, drawn, rng)
    if not left and "{w}" not in frame:
        frame = "Please {do}."
    do, thing = _varied(full, rng, frame), _thing(full) or full
    ordered = rng.sample(left, len(left))
    bullet = rng.choice(("- ", "* ", ""))
    text = frame.format(
        do=do,
        Do=_upper(do),
        thing=thing,
        Thing=_upper(thing),
        w=_details(left, rng),
        facts=_facts(ordered, rng) if ordered else "",
        pairs=_pairs(ordered, rng),
        list="\n".join(f"{bullet}{a.label}: {a.value.said}" for a in ordered),
    )
    if frame in ("{Do}{w}.", "Please {do}{w}.", "Can you {do}{w}?") and left and rng.random() < 0.4:
        return _fronted(do, left, rng)
    return text


def _fronted(do: str, arguments: Sequence[_Argument], rng: Random) -> str:
    details = _details(arguments, rng).strip()
    if details.startswith("and "):
        return f"{_upper(do)} {details}."
    end = rng.choice((f"{do}.", f"please {do}.", f"can you {do}?", f"could you {do}?"))
    return f"{_upper(details)}, {end}"


def _inline(tool: Tool, drawn: Sequence[_Argument], rng: Random) -> str:
    action, left = _filled(_action(tool), drawn, rng)
    return f"{_varied(action, rng)}{_details(left, rng)}"


def _dressed(text: str, rng: Random) -> str:
    """The request with a remark that has nothing to do with it, or typed in haste, or as it is."""
    text = re.sub(r"([.?!])\.+$", r"\1", text)
    sort = rng.random()
    if sort < 0.12:
        text = f"{rng.choice(_REMARKS_A)} {text}"
    if 0.08 <= sort < 0.20:
        return f"{text}{'' if text[-1] in '.?!' else '.'} {rng.choice(_REMARKS_B)}"
    if 0.20 <= sort < 0.28 and "\n" not in text:
        return f"{text[0].lower()}{text[1:]}".rstrip(".")
    return text
