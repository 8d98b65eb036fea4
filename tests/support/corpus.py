"""The corpus of analysts' queries in tests/corpus, and the two databases that they are asked of.

A file is named `<database>_<topic>.sql`. In it a query starts at a line `--# name: engines` and ends at the next one.
`engines` is `all`, `all but sqlite`, or a list such as `postgres duckdb`; a text for named engines goes before one for
all, so that a query may be written anew where a dialect differs.
"""

import datetime as dt
import json
import pathlib
import random
import re
from dataclasses import dataclass
from decimal import Decimal

from langguard.cli.demo.shop import shop

ENGINES = ("postgres", "sqlite", "mysql", "duckdb")
FOLDER = pathlib.Path(__file__).parent.parent / "corpus"
_HEAD = re.compile(r"--# ([a-z0-9-]+): ([a-z ]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One query as it is written for one engine. `database` is `shop` or `supply`."""

    name: str
    database: str
    text: str


def queries(engine):
    """Return all queries written for one engine."""
    found = []
    for path in sorted(FOLDER.glob("*_*.sql")):
        database, _, topic = path.stem.partition("_")
        texts = {}
        for name, engines, text in _blocks(path):
            meant, exact = _engines(engines, path)
            if engine in meant and (exact or name not in texts):
                if texts.get(name, ("", False))[1] and exact:
                    raise ValueError(f"{path.name}: {name} has two texts for {engine}")
                texts[name] = (text, exact)
        found += [Asked(name=f"{topic}/{name}", database=database, text=t) for name, (t, _) in texts.items()]
    return found


def refused(engine):
    """Return what an analyst may write too and is refused on purpose, in refused.sql: over `supply`."""
    path = FOLDER / "refused.sql"
    found = [(n, t) for n, engines, t in _blocks(path) if engine in _engines(engines, path)[0]]
    return [Asked(name=name, database="supply", text=text) for name, text in found]


def _blocks(path):
    parts = re.split(r"(?m)^(--# .*)\n", path.read_text(encoding="utf-8"))
    seen = set()
    for head, text in zip(parts[1::2], parts[2::2], strict=True):
        found = _HEAD.fullmatch(head)
        if found is None:
            raise ValueError(f"{path.name}: {head}")
        if found.groups() in seen:
            raise ValueError(f"{path.name}: {head} is there twice")
        seen.add(found.groups())
        yield *found.groups(), text.strip("\n")


def _engines(words, path):
    """Return the engines meant, and whether each is named."""
    names = words.split()
    if names[0] == "all":
        if not set(names[2:]) <= set(ENGINES) or (names[1:] and names[1] != "but"):
            raise ValueError(f"{path.name}: {words}")
        return [e for e in ENGINES if e not in names[2:]], False
    if not set(names) <= set(ENGINES):
        raise ValueError(f"{path.name}: {words}")
    return names, True


# Columns as `name type`; {text} and {json} are each engine's own word.
SHOP = {
    "customers": "id integer primary key, name {text} not null, email {text} not null unique, phone {text} not null, "
    "card_number {text} not null, city {text} not null, country {text} not null, segment {text} not null, "
    "joined date not null, notes {long}",
    "products": "id integer primary key, sku {text} not null unique, name {text} not null, category {text} not null, "
    "price numeric(10, 2) not null, description {long} not null",
    "orders": "id integer primary key, customer_id integer not null references customers (id), "
    "ordered_at {moment} not null, status {text} not null, total numeric(12, 2) not null",
    "order_items": "id integer primary key, order_id integer not null references orders (id), "
    "product_id integer not null references products (id), quantity integer not null, "
    "unit_price numeric(10, 2) not null",
    "reviews": "id integer primary key, product_id integer not null references products (id), "
    "customer_id integer not null references customers (id), rating integer not null, title {text} not null, "
    "body {long} not null, created {moment} not null",
}
SHOP_VIEWS = {
    "monthly_sales": "select customer_id, count(*) as orders, sum(total) as spent, max(ordered_at) as last_order "
    "from orders where status <> 'cancelled' group by customer_id",
    "good_customers": "select c.id, c.name, c.country, m.orders, m.spent from customers c "
    "join monthly_sales m on m.customer_id = c.id where m.spent > 1000",
}
SUPPLY = {
    "region": "r_regionkey integer primary key, r_name {text} not null, r_comment {text}",
    "nation": "n_nationkey integer primary key, n_name {text} not null, n_regionkey integer not null, n_comment {text}",
    "supplier": "s_suppkey integer primary key, s_name {text} not null, s_address {text} not null, "
    "s_nationkey integer not null, s_phone {text} not null, s_acctbal numeric(12, 2) not null, s_comment {text}",
    "customer": "c_custkey integer primary key, c_name {text} not null, c_address {text} not null, "
    "c_nationkey integer not null, c_phone {text} not null, c_acctbal numeric(12, 2) not null, "
    "c_mktsegment {text}, c_comment {text}",
    "part": "p_partkey integer primary key, p_name {text} not null, p_mfgr {text} not null, p_brand {text} not null, "
    "p_type {text} not null, p_size integer not null, p_container {text} not null, "
    "p_retailprice numeric(12, 2) not null, p_comment {text}",
    "partsupp": "ps_partkey integer not null, ps_suppkey integer not null, ps_availqty integer not null, "
    "ps_supplycost numeric(12, 2) not null, ps_comment {text}, primary key (ps_partkey, ps_suppkey)",
    "orders": "o_orderkey integer primary key, o_custkey integer not null, o_orderstatus {text} not null, "
    "o_totalprice numeric(12, 2) not null, o_orderdate date not null, o_orderpriority {text} not null, "
    "o_clerk {text} not null, o_shippriority integer not null, o_comment {text}",
    "lineitem": "l_orderkey integer not null, l_partkey integer not null, l_suppkey integer not null, "
    "l_linenumber integer not null, l_quantity numeric(12, 2) not null, l_extendedprice numeric(12, 2) not null, "
    "l_discount numeric(12, 2) not null, l_tax numeric(12, 2) not null, l_returnflag {text} not null, "
    "l_linestatus {text} not null, l_shipdate date not null, l_commitdate date not null, "
    "l_receiptdate date not null, l_shipinstruct {text} not null, l_shipmode {text} not null, l_comment {text}, "
    "primary key (l_orderkey, l_linenumber)",
    "employees": "id integer primary key, full_name {text} not null, title {text} not null, manager_id integer, "
    "department {text} not null, salary numeric(12, 2) not null, hired date not null, rate {double} not null",
    "events": "id integer primary key, custkey integer not null, happened_at {moment} not null, kind {text} not null, "
    "channel {text}, payload {json}, tags {array}, active {boolean} not null",
    "{q}Sales Targets{q}": "{q}Region Name{q} {text} not null, {q}Year{q} integer not null, "
    "{q}Target Amount{q} numeric(12, 2), {q}order{q} integer",
}
_KEYS = ("text", "long", "moment", "json", "array", "boolean", "double", "q")
_WORDS = {
    "postgres": ("text", "text", "timestamp", "jsonb", "text[]", "boolean", "double precision", '"'),
    "sqlite": ("TEXT", "TEXT", "TIMESTAMP", "JSON", "JSON", "BOOLEAN", "REAL", '"'),
    "mysql": ("varchar(190)", "text", "datetime(6)", "json", "json", "boolean", "double", "`"),
    "duckdb": ("varchar", "varchar", "timestamp", "json", "varchar[]", "boolean", "double", '"'),
}
WORDS = {engine: dict(zip(_KEYS, words, strict=True)) for engine, words in _WORDS.items()}


def ddl(database, engine):
    """Return the statements that make a database's tables, and those that make its views."""
    words = WORDS[engine]
    tables = [
        f"create table {name.format(**words)} ({columns.format(**words)})"
        for name, columns in (SHOP if database == "shop" else SUPPLY).items()
    ]
    # As whoever asks, so that the privileges on base tables decide.
    mode = " with (security_invoker = true)" if engine == "postgres" else ""
    views = SHOP_VIEWS.items() if database == "shop" else ()
    return tables, [f"create view {name}{mode} as {query}" for name, query in views]


def rows(database):
    """Return all rows by table, parents first; JSON and arrays as Python's own values."""
    return shop().tables() if database == "shop" else _supply()


def loaded(database, engine):
    """Return (table as written in SQL, rows in the engine's own values), parents first."""
    words = WORDS[engine]
    for name, held in rows(database).items():
        yield name.format(**words), [tuple(_value(v, engine) for v in row) for row in held]


def _value(value, engine):
    if isinstance(value, dict) or (isinstance(value, list) and engine in {"sqlite", "mysql"}):
        return json.dumps(value)
    if engine == "sqlite":
        if isinstance(value, Decimal):
            return float(value)
        if isinstance(value, dt.datetime):
            return value.isoformat(sep=" ")
        if isinstance(value, dt.date):
            return value.isoformat()
        if isinstance(value, bool):
            return int(value)
    return value


_NATIONS = (
    "Algeria:0 Kenya:0 Morocco:0 Mozambique:0 Ghana:0 Argentina:1 Brazil:1 Canada:1 Peru:1 Chile:1 India:2 Indonesia:2 "
    "Japan:2 China:2 Vietnam:2 France:3 Germany:3 Romania:3 Norway:3 Portugal:3 Egypt:4 Iran:4 Iraq:4 Jordan:4 Oman:4"
)
_REGIONS = ("Africa", "America", "Asia", "Europe", "Middle East")
_COLOURS = ("almond", "azure", "coral", "forest", "green", "ivory", "lemon", "navy", "plum", "rose", "steel", "tan")
_METALS = ("BRASS", "COPPER", "NICKEL", "STEEL", "TIN")
_GRADES = ("ECONOMY", "LARGE", "MEDIUM", "PROMO", "SMALL", "STANDARD")
_FINISH = ("ANODIZED", "BRUSHED", "BURNISHED", "PLATED", "POLISHED")
_SEGMENTS = ("AUTOMOBILE", "BUILDING", "FURNITURE", "HOUSEHOLD", "MACHINERY")
_PRIORITIES = ("1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECIFIED", "5-LOW")
_MODES = ("AIR", "FOB", "MAIL", "RAIL", "REG AIR", "SHIP", "TRUCK")
_ORDERS_OF_SHIPPING = ("COLLECT COD", "DELIVER IN PERSON", "NONE", "TAKE BACK RETURN")
_REMARKS = (
    "asked twice about special requests",
    "carefully packed; pending deposits",
    "final accounts, 100% checked",
    "Customer Complaints noted_once",
    "it's a regular deposit",
    "",
    None,
    "unusual packages sleep furiously",
)
_DEPARTMENTS = ("Engineering", "Finance", "Operations", "Sales", "Support")
_KINDS = ("login", "view", "search", "cart", "purchase", "logout")


def _supply():
    dice = random.Random(7)
    cents = lambda low, high: Decimal(dice.randint(low * 100, high * 100)) / 100  # noqa: E731
    day = lambda: dt.date(2022, 1, 1) + dt.timedelta(days=dice.randint(0, 1095))  # noqa: E731
    nations = [n.split(":") for n in _NATIONS.split()]
    phone = lambda nation: f"{10 + nation}-{dice.randint(100, 999)}-{dice.randint(100, 999)}-{dice.randint(1000, 9999)}"  # noqa: E731
    suppliers = []
    for number in range(1, 21):
        nation = dice.randrange(25)
        suppliers.append(
            (
                number,
                f"Supplier#{number:09d}",
                f"{dice.randint(1, 99)} Quay Street",
                nation,
                phone(nation),
                cents(-900, 9900),
                dice.choice(_REMARKS),
            )
        )
    customers = []
    for number in range(1, 61):
        nation = dice.randrange(25)
        customers.append(
            (
                number,
                f"Customer#{number:09d}",
                f"{dice.randint(1, 99)} Mill Lane",
                nation,
                phone(nation),
                cents(-900, 9900),
                None if number % 17 == 0 else dice.choice(_SEGMENTS),
                dice.choice(_REMARKS),
            )
        )
    parts = [
        (
            number,
            " ".join(dice.sample(_COLOURS, 3)),
            f"Manufacturer#{number % 5 + 1}",
            f"Brand#{number % 5 + 1}{dice.randint(1, 5)}",
            f"{dice.choice(_GRADES)} {dice.choice(_FINISH)} {dice.choice(_METALS)}",
            dice.randint(1, 50),
            dice.choice(("SM CASE", "MED BOX", "LG DRUM", "JUMBO PKG", "WRAP BAG")),
            Decimal(900 + number) + Decimal(number % 100) / 100,
            dice.choice(_REMARKS),
        )
        for number in range(1, 81)
    ]
    offers = [
        (part[0], supplier, dice.randint(1, 9999), cents(1, 900), dice.choice(_REMARKS))
        for part in parts
        for supplier in sorted(dice.sample(range(1, 21), 2))
    ]
    orders, items = [], []
    for number in range(1, 251):
        ordered, total, states = day(), Decimal(0), set()
        for line in range(1, dice.randint(1, 6) + 1):
            part, supplier = dice.choice(offers)[:2]
            quantity = dice.randint(1, 50)
            price = quantity * parts[part - 1][7]
            shipped = ordered + dt.timedelta(days=dice.randint(1, 120))
            received = shipped + dt.timedelta(days=dice.randint(1, 30))
            state = "O" if shipped > dt.date(2024, 6, 30) else "F"
            states.add(state)
            discount, tax = Decimal(dice.randint(0, 10)) / 100, Decimal(dice.randint(0, 8)) / 100
            total += price * (1 - discount) * (1 + tax)
            items.append(
                (
                    number,
                    part,
                    supplier,
                    line,
                    Decimal(quantity),
                    price,
                    discount,
                    tax,
                    "N" if state == "O" else dice.choice("AR"),
                    state,
                    shipped,
                    ordered + dt.timedelta(days=dice.randint(30, 90)),
                    received,
                    dice.choice(_ORDERS_OF_SHIPPING),
                    dice.choice(_MODES),
                    dice.choice(_REMARKS),
                )
            )
        orders.append(
            (
                number,
                dice.randint(0, 57) // 3 * 3 + 1 if number % 3 else dice.randint(1, 40),
                states.pop() if len(states) == 1 else "P",
                round(total, 2),
                ordered,
                dice.choice(_PRIORITIES),
                f"Clerk#{dice.randint(1, 10):09d}",
                0,
                dice.choice(_REMARKS),
            )
        )
    employees = [
        (
            number,
            f"Employee {number}",
            ("CEO" if number == 1 else "Manager" if number < 7 else "Analyst"),
            (None if number == 1 else 1 if number < 7 else number % 5 + 2),
            _DEPARTMENTS[number % 5],
            cents(2500, 9500),
            day(),
            dice.randint(0, 1000) / 8,
        )
        for number in range(1, 41)
    ]
    events = [
        (
            number,
            dice.randint(1, 60),
            dt.datetime(2024, 1, 1) + dt.timedelta(seconds=dice.randint(0, 366 * 86_400 - 1)),
            dice.choice(_KINDS),
            dice.choice(("web", "app", "store", None)),
            None
            if number % 29 == 0
            else {
                "page": dice.choice(("home", "item", "basket")),
                "amount": dice.randint(1, 500),
                "user": {"plan": dice.choice(("free", "pro")), "age": dice.randint(18, 80)},
                "items": [
                    {"sku": f"S{dice.randint(1, 9)}", "n": dice.randint(1, 4)} for _ in range(dice.randint(0, 3))
                ],
            },
            sorted(dice.sample(("new", "vip", "mobile", "promo", "returning"), dice.randint(0, 3))),
            bool(dice.randint(0, 1)),
        )
        for number in range(1, 301)
    ]
    targets = [
        (region, year, None if (region, year) == ("Asia", 2024) else cents(100_000, 900_000), at)
        for at, (region, year) in enumerate((r, y) for r in _REGIONS for y in (2022, 2023, 2024))
    ]
    return {
        "region": [(at, name, _REMARKS[at]) for at, name in enumerate(_REGIONS)],
        "nation": [(at, name, int(region), _REMARKS[at % 8]) for at, (name, region) in enumerate(nations)],
        "supplier": suppliers,
        "customer": customers,
        "part": parts,
        "partsupp": offers,
        "orders": orders,
        "lineitem": items,
        "employees": employees,
        "events": events,
        "{q}Sales Targets{q}": targets,
    }


def fill(run, database, engine):
    """Make a database's tables, rows and views. `run(text, rows=None)` sends one statement, once or for each row."""
    tables, views = ddl(database, engine)
    for statement in tables:
        run(statement)
    for name, held in loaded(database, engine):
        marks = ", ".join("?" if engine in {"sqlite", "duckdb"} else "%s" for _ in held[0])
        run(f"insert into {name} values ({marks})", held)
    for statement in views:
        run(statement)
