"""The words that the demo's shop is made of. The people are invented; e-mail domains are reserved for examples."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Country:
    """Where customers come from.

    Attributes:
        name: As the shop stores it.
        cities: Some of its cities.
        given: Given names.
        family: Family names.
        phones: Formats of phone numbers; each `#` becomes a digit, each `%` a digit from 2 to 9.
        domain: Where their e-mail is: under a name reserved by RFC 2606.
        family_first: Whether a name is written with the family name first.
        spelled: How names not in Latin letters are spelled in e-mail addresses.
    """

    name: str
    cities: tuple[str, ...]
    given: tuple[str, ...]
    family: tuple[str, ...]
    phones: tuple[str, ...]
    domain: str
    family_first: bool = False
    spelled: tuple[tuple[str, str], ...] = ()


COUNTRIES: Final = (
    Country(
        name="United States",
        cities=("Austin", "Portland", "Denver", "Madison", "Raleigh"),
        given=(
            *("Emily", "Marcus", "Denise", "Tyrone", "Heather", "Caleb", "Monique", "Gregory"),
            *("Latoya", "Brandon", "Shannon", "Wesley", "Abigail", "Curtis", "Paulette", "Darnell"),
        ),
        family=(
            *("Whitfield", "Okafor-Reyes", "Delgado", "McAllister", "Pruitt", "Hargrove", "Castellano"),
            *("O'Donnell", "Vandermeer", "Blackwell", "Thibodeaux", "Kowalczyk", "Stallworth", "Yazzie"),
        ),
        phones=("(%##) %##-####", "+1 %## %## ####", "%##-%##-####"),
        domain="example.com",
    ),
    Country(
        name="United Kingdom",
        cities=("Leeds", "Bristol", "Cardiff", "Dundee"),
        given=(
            *("Alistair", "Gemma", "Rhys", "Imogen", "Callum", "Priya", "Siobhan", "Nigel"),
            *("Beatrix", "Tariq", "Eleri", "Rupert", "Harriet", "Kwame"),
        ),
        family=(
            *("Fairbairn", "Ashworth", "Llewellyn", "MacTavish", "Pemberton", "Hussain", "Oyelaran"),
            *("Thistlewood", "Braithwaite", "Chaudhry", "Winterbourne", "Gallagher"),
        ),
        phones=("07### ######", "+44 7### ######", "020 7### ####"),
        domain="mail.example.org",
    ),
    Country(
        name="Germany",
        cities=("Leipzig", "Köln", "Freiburg", "Rostock"),
        given=(
            *("Jürgen", "Annegret", "Björn", "Käthe", "Matthias", "Sieglinde", "Torsten", "Ayşe"),
            *("Friederike", "Lothar", "Heike", "Korbinian", "Mareike", "Detlef"),
        ),
        family=(
            *("Großmann", "Schäfer", "Müller-Lüdenscheidt", "Obermayer", "Weißenfels", "Kröger"),
            *("Yılmaz", "Dietrich", "Hölderlein", "Brüggemann", "Pfeiffer", "Zschiesche"),
        ),
        phones=("+49 30 ########", "0151 #######", "0341/#######"),
        domain="post.example.net",
    ),
    Country(
        name="France",
        cities=("Lyon", "Nantes", "Lille", "Toulouse"),
        given=(
            *("Élodie", "Guillaume", "Océane", "Jean-Baptiste", "Maëlle", "Thibault", "Sandrine"),
            *("Rachid", "Geneviève", "Loïc", "Mathilde", "Aurélien"),
        ),
        family=(
            *("Lefèvre", "Duchêne", "Benchétrit", "Rousselot", "Delacroix", "Mercadier", "N'Diaye"),
            *("Vasseur", "Beaumarchais", "Poirier", "Le Goff", "Charpentier"),
        ),
        phones=("06 ## ## ## ##", "+33 6 ## ## ## ##", "01.##.##.##.##"),
        domain="example.com",
    ),
    Country(
        name="Spain",
        cities=("Sevilla", "Bilbao", "Valencia"),
        given=(
            *("Begoña", "Íñigo", "María José", "Álvaro", "Montserrat", "Joaquín", "Nuria", "Gonzalo"),
            *("Rocío", "Xavier", "Inmaculada", "Fermín"),
        ),
        family=(
            *("Echevarría", "Núñez", "Zubizarreta", "Castaño", "Villanueva", "Peñalver", "Goikoetxea"),
            *("Santamaría", "Ibáñez", "Quiroga", "Montoya", "Ferrándiz"),
        ),
        phones=("6## ### ###", "+34 6## ## ## ##"),
        domain="correo.example.org",
    ),
    Country(
        name="Poland",
        cities=("Kraków", "Gdańsk", "Wrocław"),
        given=(
            *("Łukasz", "Agnieszka", "Zbigniew", "Małgorzata", "Grzegorz", "Bożena", "Wojciech"),
            *("Katarzyna", "Radosław", "Jadwiga", "Przemysław", "Elżbieta"),
        ),
        family=(
            *("Wójcik", "Zieliński", "Szczepańska", "Brzęczyszczykiewicz", "Kaźmierczak", "Mroczek"),
            *("Jabłoński", "Wiśniewska", "Pawłowicz", "Gąsior", "Ostrowski"),
        ),
        phones=("+48 5## ### ###", "6##-###-###"),
        domain="poczta.example.net",
    ),
    Country(
        name="Japan",
        cities=("大阪", "Sapporo", "Fukuoka"),
        given=("陽翔", "美咲", "健太郎", "さくら", "大輔", "結衣", "直樹", "千尋", "翔太", "恵子"),
        family=("田中", "佐々木", "小野寺", "長谷川", "渡辺", "松本", "石川", "藤原", "中島", "五十嵐"),
        phones=("090-####-####", "+81 90 #### ####", "06-####-####"),
        domain="denshi.example.org",
        family_first=True,
        spelled=(
            *(("陽翔", "haruto"), ("美咲", "misaki"), ("健太郎", "kentaro"), ("さくら", "sakura")),
            *(("大輔", "daisuke"), ("結衣", "yui"), ("直樹", "naoki"), ("千尋", "chihiro"), ("翔太", "shota")),
            *(("恵子", "keiko"), ("田中", "tanaka"), ("佐々木", "sasaki"), ("小野寺", "onodera")),
            *(("長谷川", "hasegawa"), ("渡辺", "watanabe"), ("松本", "matsumoto"), ("石川", "ishikawa")),
            *(("藤原", "fujiwara"), ("中島", "nakajima"), ("五十嵐", "igarashi")),
        ),
    ),
    Country(
        name="India",
        cities=("Pune", "Kochi", "Jaipur"),
        given=(
            *("Ananya", "Venkatesh", "Lakshmi", "Arjun", "Meenakshi", "Rohan", "Sunita", "Karthik"),
            *("Deepika", "Imran", "Gurpreet", "Nandini"),
        ),
        family=(
            *("Subramanian", "Chatterjee", "Deshpande", "Bhattacharya", "Iyengar", "Malhotra"),
            *("Qureshi", "Nambiar", "Raghunathan", "Sandhu", "Kulkarni", "Trivedi"),
        ),
        phones=("+91 9#### #####", "09#########"),
        domain="example.net",
    ),
    Country(
        name="Brazil",
        cities=("Recife", "Curitiba", "São Paulo"),
        given=(
            *("Thiago", "Fernanda", "João", "Conceição", "Wellington", "Luíza", "Caetano", "Iracema"),
            *("Gilberto", "Marina", "Antônio", "Jéssica"),
        ),
        family=(
            *("Gonçalves", "Albuquerque", "Magalhães", "Nascimento", "Figueiredo", "Cavalcanti"),
            *("da Conceição", "Brandão", "Guimarães", "Bittencourt", "Sampaio"),
        ),
        phones=("+55 11 9####-####", "(41) 9####-####"),
        domain="correio.example.com",
    ),
    Country(
        name="Nigeria",
        cities=("Ibadan", "Enugu"),
        given=(
            "Chidinma",
            "Oluwaseun",
            "Ngozi",
            "Babatunde",
            "Adaeze",
            "Emeka",
            "Folasade",
            "Yusuf",
            "Ifeoma",
            "Tunde",
        ),
        family=(
            "Adeyemi",
            "Okonkwo",
            "Balogun",
            "Nwachukwu",
            "Olawale",
            "Eze-Udo",
            "Abubakar",
            "Ogunleye",
            "Chukwuemeka",
        ),
        phones=("+234 80# ### ####", "080########"),
        domain="example.org",
    ),
    Country(
        name="Greece",
        cities=("Θεσσαλονίκη", "Patras"),
        given=("Ελένη", "Γιώργος", "Κατερίνα", "Νίκος", "Σοφία", "Δημήτρης", "Αγγελική", "Στέλιος"),
        family=("Παπαδοπούλου", "Καραγιάννης", "Θεοδωρίδης", "Μαυρομιχάλη", "Αλεξίου", "Βλαχόπουλος", "Οικονόμου"),
        phones=("+30 69# ### ####", "210 ### ####"),
        domain="tachydromio.example.com",
        spelled=(
            *(("Ελένη", "eleni"), ("Γιώργος", "giorgos"), ("Κατερίνα", "katerina"), ("Νίκος", "nikos")),
            *(("Σοφία", "sofia"), ("Δημήτρης", "dimitris"), ("Αγγελική", "aggeliki"), ("Στέλιος", "stelios")),
            *(("Παπαδοπούλου", "papadopoulou"), ("Καραγιάννης", "karagiannis"), ("Θεοδωρίδης", "theodoridis")),
            *(("Μαυρομιχάλη", "mavromichali"), ("Αλεξίου", "alexiou"), ("Βλαχόπουλος", "vlachopoulos")),
            ("Οικονόμου", "oikonomou"),
        ),
    ),
)

# Test ranges of card numbers, completed to their length with digits and a Luhn check digit: (prefix, digits).
CARDS: Final = (
    ("411111", 16),
    ("555555", 16),
    ("222300", 16),
    ("378282", 15),
    ("371449", 15),
    ("601111", 16),
    ("630495", 19),
)

SEGMENTS: Final = ("consumer", "small business", "enterprise", "education")

# Category: (nouns, cheapest, dearest) in whole units of currency.
CATEGORIES: Final = {
    "Audio": (("headphones", "bookshelf speaker", "turntable", "soundbar", "field recorder"), 39, 480),
    "Coffee": (("espresso machine", "burr grinder", "pour-over set", "milk pitcher", "travel press"), 14, 690),
    "Cycling": (("touring saddle", "commuter helmet", "pannier", "light set", "floor pump"), 19, 240),
    "Garden": (("pruning shears", "raised bed", "hose reel", "potting bench", "rain gauge"), 9, 310),
    "Home office": (("standing desk", "task chair", "monitor arm", "desk lamp", "footrest"), 29, 890),
    "Kitchen": (("carbon steel pan", "stand mixer", "chef's knife", "bread box", "kettle"), 17, 420),
    "Outdoor": (("two-person tent", "sleeping mat", "trail stove", "headlamp", "dry bag"), 15, 380),
    "Photography": (("tripod", "camera strap", "light meter", "softbox", "lens cloth set"), 8, 330),
    "Toys": (("wooden train", "marble run", "puzzle of 1000 pieces", "kite", "chemistry set"), 11, 95),
}
MAKES: Final = ("Northwind", "Halcyon", "Basalt", "Juniper", "Meridian", "Tern", "Quarry", "Lumen", "Fathom", "Ember")
QUALITIES: Final = ("Classic", "Compact", "Pro", "Light", "Studio", "Plus")

PRAISE: Final = (
    "Does exactly what it promises.",
    "Sturdy, and it looks better than in the pictures.",
    "I use it every day and it still feels new.",
    "Arrived quickly and was easy to set up.",
    "Worth every cent.",
)
GRUMBLES: Final = (
    "The packaging was damaged and a part was missing.",
    "It stopped working after two weeks.",
    "Louder than I expected.",
    "The instructions are hard to follow.",
    "Smaller than the photos suggest.",
)
SO_SO: Final = (
    "Fine for the price, nothing more.",
    "Good idea, average finish.",
    "It works, but the surface scratches easily.",
    "Decent, though delivery took long.",
)
TITLES: Final = {
    1: ("Disappointed", "Would not buy again", "Sent it back"),
    2: ("Not for me", "Expected more", "Rather poor"),
    3: ("It is all right", "Average", "Mixed feelings"),
    4: ("Good value", "Solid", "Happy with it"),
    5: ("Excellent", "Could not be better", "Love it"),
}

# Notes that the shop's staff wrote: personal data inside prose, not always the customer's own.
NOTES: Final = (
    "Called from {phone} about a late parcel; {name} wants the refund sent to the card ending as before.",
    "{name} asked us to use {email} for invoices from now on.",
    "Delivery goes to the neighbour, {other}, if nobody answers. Ring {other_phone} first.",
    "Complaint handled by phone ({phone}). Customer was upset, gave a 10% voucher.",
    "New contact for orders: {other} <{other_email}>, replaces {name}.",
    "Paid with card {card} over the phone because the web checkout failed.",
    "Prefers e-mail ({email}), never call before noon.",
    "VIP. Birthday gift was sent in spring.",
    "Duplicate account? Same phone {phone} as an older record.",
)
