"""Names that stand for one thing: countries, states, languages, currencies, a few cities.

Each line is one thing. Names that stand for two (CA: California and Canada) are in two lines.
"""

from __future__ import annotations

from collections.abc import Mapping

_COUNTRIES = """
united states|us|usa|united states of america|america
united kingdom|uk|gb|gbr|great britain|britain|england|scotland|wales|northern ireland
canada|ca|can
mexico|mx|mex
brazil|br|bra
argentina|ar|arg
chile|cl
colombia|co
peru|pe
costa rica|cr
france|fr|fra
germany|de|deu
spain|es|esp
portugal|pt|prt
italy|it|ita
netherlands|nl|nld|holland
belgium|be|bel
switzerland|ch|che
austria|at|aut
ireland|ie|irl
denmark|dk
sweden|se|swe
norway|no|nor
finland|fi|fin
poland|pl|pol
czech republic|cz|czechia
hungary|hu
greece|gr|grc
turkey|tr|turkiye
russia|ru|rus|russian federation
ukraine|ua
israel|il|isr
egypt|eg|egy
south africa|za|zaf
kenya|ke|ken
nigeria|ng|nga
morocco|ma
united arab emirates|ae|are|uae
saudi arabia|sa
india|in|ind
pakistan|pk
bangladesh|bd
china|cn|chn|peoples republic of china|中国
hong kong|hk
taiwan|tw
japan|jp|jpn
south korea|kr|kor|korea|republic of korea
thailand|th|tha
vietnam|vn|vnm|viet nam
malaysia|my|mys
singapore|sg|sgp
indonesia|id|idn
philippines|ph|phl
australia|au|aus
new zealand|nz|nzl
"""
_STATES = """
us: alabama|al
us: alaska|ak
us: arizona|az
us: arkansas|ar
us: california|ca|calif
us: colorado|co
us: connecticut|ct
us: delaware|de
us: district of columbia|dc
us: florida|fl
us: georgia|ga
us: hawaii|hi
us: idaho|id
us: illinois|il
us: indiana|in
us: iowa|ia
us: kansas|ks
us: kentucky|ky
us: louisiana|la
us: maine|me
us: maryland|md
us: massachusetts|ma
us: michigan|mi
us: minnesota|mn
us: mississippi|ms
us: missouri|mo
us: montana|mt
us: nebraska|ne
us: nevada|nv
us: new hampshire|nh
us: new jersey|nj
us: new mexico|nm
us: new york|ny
us: north carolina|nc
us: north dakota|nd
us: ohio|oh
us: oklahoma|ok
us: oregon|or
us: pennsylvania|pa
us: rhode island|ri
us: south carolina|sc
us: south dakota|sd
us: tennessee|tn
us: texas|tx
us: utah|ut
us: vermont|vt
us: virginia|va
us: washington|wa|washington state
us: west virginia|wv
us: wisconsin|wi
us: wyoming|wy
ca: alberta|ab
ca: british columbia|bc
ca: ontario|on
ca: quebec|qc
au: new south wales|nsw
au: victoria|vic
au: queensland|qld
mx: cdmx
"""
_CITIES = """
new york: new york city|nyc|ny|new york
los angeles: la|l a|los angeles
san francisco: sf|san francisco|san fran
san diego: sd|san diego
washington: washington|washington dc|washington d c
las vegas: vegas|las vegas
mexico city: mexico city|ciudad de mexico|cdmx
saint petersburg: st petersburg|saint petersburg
saint louis: st louis|saint louis
bombay: mumbai|bombay
bangalore: bangalore|bengaluru
new delhi: new delhi|delhi
munich: munich|munchen
rome: rome|roma
"""
# Where a city that everybody knows is: the first region of a line, and its country behind it.
_WHEREABOUTS = """
new york, us: new york
california, us: los angeles|san francisco|san diego|san jose|berkeley|oakland|sacramento|palo alto
illinois, us: chicago
massachusetts, us: boston
washington, us: seattle
texas, us: houston|dallas|austin|san antonio
nevada, us: las vegas
georgia, us: atlanta
oregon, us: portland
colorado, us: denver
arizona, us: phoenix|tucson
florida, us: miami|orlando|tampa
pennsylvania, us: philadelphia|pittsburgh
michigan, us: detroit
district of columbia, us: washington
hawaii, us: honolulu
utah, us: salt lake city
tennessee, us: nashville|memphis
louisiana, us: new orleans
minnesota, us: minneapolis
uk: london|manchester|edinburgh|glasgow|oxford|liverpool
france: paris|lyon|nice|marseille
germany: berlin|munich|hamburg|frankfurt
spain: madrid|barcelona
italy: rome|milan|venice|florence|naples
japan: tokyo|kyoto|osaka
china: beijing|shanghai|guangzhou|shenzhen
india: mumbai|bombay|new delhi|bangalore|chennai|kolkata
new south wales, australia: sydney
victoria, australia: melbourne
queensland, australia: brisbane
ontario, canada: toronto|ottawa
british columbia, canada: vancouver
quebec, canada: montreal
"""
_LANGUAGES = """
english|en|eng
spanish|es|spa|espanol
french|fr|fra|francais
german|de|deu|ger|deutsch
italian|it|ita
portuguese|pt|por
dutch|nl
russian|ru|rus
chinese|zh|zho|mandarin|chinese simplified|simplified chinese|zh cn
japanese|ja|jpn
korean|ko|kor
arabic|ar|ara
hindi|hi|hin
turkish|tr
polish|pl
swedish|sv
vietnamese|vi
thai|th
indonesian|id
greek|el
hebrew|he
"""
_CURRENCIES = """
usd|us dollar|us dollars|united states dollar|united states dollars|dollar|dollars|$|us$
eur|euro|euros|€
gbp|british pound|british pounds|pound|pounds|pound sterling|pounds sterling|£
jpy|yen|japanese yen|¥
cny|yuan|chinese yuan|rmb|renminbi
inr|rupee|rupees|indian rupee|indian rupees
cad|canadian dollar|canadian dollars
aud|australian dollar|australian dollars
chf|swiss franc|swiss francs
krw|won|korean won|south korean won
mxn|mexican peso|mexican pesos
thb|baht|thai baht
rub|ruble|rubles|russian ruble
btc|bitcoin
eth|ethereum
"""


def _aliases(lines: str) -> dict[str, str]:
    """Every name to the first of its line."""
    return {
        name: line.split("|")[0] for line in lines.strip().split("\n") for name in line.split("|")
    }


def _belonging(lines: str) -> list[tuple[str, list[str]]]:
    parts = [line.split(": ") for line in lines.strip().split("\n")]
    return [(owner, names.split("|")) for owner, names in parts]


COUNTRIES: Mapping[str, str] = _aliases(_COUNTRIES)
LANGUAGES: Mapping[str, str] = _aliases(_LANGUAGES)
CURRENCIES: Mapping[str, str] = _aliases(_CURRENCIES)
CITIES: Mapping[str, str] = {name: city for city, names in _belonging(_CITIES) for name in names}
STATES: Mapping[str, tuple[str, str]] = {
    name: (names[0], COUNTRIES[owner]) for owner, names in _belonging(_STATES) for name in names
}
"""A state's names to its full name and its country."""
WHEREABOUTS: Mapping[str, tuple[str, ...]] = {
    CITIES.get(city, city): tuple(COUNTRIES.get(region, region) for region in where.split(", "))
    for where, cities in _belonging(_WHEREABOUTS)
    for city in cities
}
"""A city to its state, where the state is usually named, and its country."""
