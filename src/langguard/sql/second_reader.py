"""PostgreSQL's own parser as a second reader: where the two hear different things, the statement is refused.

The parser (pglast) is optional and written in C: it is used where it is installed, after the gate, and by the gateway
only in worker processes that may die. It is asked about the text as it came and about the canonical text:

1. the canonical text has the kind, the tables, the functions, the placeholders, the outputs and the limit of the facts;
2. the text as it came says the same as the canonical text: nothing was lost or changed when it was written anew.
"""

import functools
import re
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final, NoReturn

import msgspec

from langguard.protocol import Catalog, Facts, Table, View
from langguard.sql.refusals import Refused, placed, refuse, refused
from langguard.sql.second_tree import KINDS, Heard, heard
from langguard.sql.tables import tables_of

_VALUES: Final = frozenset({"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"})
_GRAMMAR: Final = {
    # the engine's function: the words that PostgreSQL's grammar makes it of, which no bracket follows as a name
    "timezone": "AT TIME ZONE",
    "like_escape": "LIKE ... ESCAPE",
    "similar_to_escape": "SIMILAR TO",
    "overlaps": "OVERLAPS",
}
_NAMES: Final = {
    # the engine's function: names by which a statement may call it
    "btrim": ("trim",),
    "ltrim": ("trim",),
    "rtrim": ("trim",),
    "position": ("strpos",),
    "strpos": ("position",),
}
_SAME: Final = {
    # how the canonical text may spell it otherwise: it does the same
    "ceiling": "ceil",
    "variance": "var_samp",
    "stddev": "stddev_samp",
    "every": "bool_and",
    "char_length": "length",
    "character_length": "length",
    "substr": "substring",
    "strpos": "position",
    "date_part": "extract",
    "now": "current_timestamp",
    "transaction_timestamp": "current_timestamp",
    "log10": "log",
    "mod": "%",
    "pow": "power",
    "^": "power",
    "||/": "cbrt",
    "|/": "sqrt",
    "^@": "starts_with",
    "regexp_like": "~",
}
_NUMBERS_ADDED: Final = {"substring": "1", "log": "10"}
_TYPES_ADDED: Final = {"round": "numeric", "generate_series": "interval"}  # what a step or a rounding is cast to
_TYPES_LEFT_OUT: Final = frozenset({"int4"})  # SUBSTRING(x FOR n) is read as one with a cast
_UNITS: Final = {
    word: words.split()[0]
    for words in (
        "microsecond microseconds us usec usecs",
        "millisecond milliseconds ms msec msecs",
        "second seconds s sec secs",
        "minute minutes m min mins",
        "hour hours h hr hrs",
        "day days d",
        "week weeks w",
        "month months mon mons",
        "quarter",
        "year years y yr yrs",
        "decade decades",
        "century centuries",
        "millennium millennia",
    )
    for word in words.split()
}
_SPAN: Final = re.compile(r"([+-]?[0-9]+(?:\.[0-9]+)?)\s*([a-z]*)", re.ASCII)


@functools.cache
def reader() -> Callable[[str], str] | None:
    """Return the parser, text to JSON, or None where it is not installed."""
    try:
        found: Callable[[str], str] = import_module("pglast.parser").parse_sql_json
    except ImportError:
        return None
    return found


@functools.cache
def described() -> str:
    """Return which second reader there is, such as `pglast 8.8 (PostgreSQL 18)`; empty where there is none."""
    if reader() is None:
        return ""
    pglast: Any = import_module("pglast")
    return f"pglast {str(pglast.__version__).removeprefix('v')} (PostgreSQL {pglast.get_postgresql_version()[0]})"


def agree(text: str, facts: Facts, catalog: Catalog) -> None:
    """Return where PostgreSQL's parser hears what the facts say; without that parser, always.

    Args:
        text: The statement as it came; it has passed the gate.
        facts: What was found out about it, its canonical text included.
        catalog: The tables it may name; another dialect's is not looked at.

    Raises:
        Refused: `readers_disagree`, with what they disagree about.
    """
    parse = reader()
    if parse is None or catalog.dialect != "postgres":
        return
    try:
        sent = _heard(parse, facts.statement)
    except Refused as error:
        raise placed(error.refusal, text) from None
    about = _differs(sent, facts, catalog)
    if not about and text != facts.statement:
        about = _changed(_heard(parse, text), sent, catalog)
    if about:
        _refuse(about)


def _heard(parse: Callable[[str], str], text: str) -> Heard:
    try:
        statements = msgspec.json.decode(parse(text))["stmts"]
    except RecursionError:
        raise
    except Exception as error:
        name = type(error).__name__
        if name != "ParseError":
            raise
        place = error.args[1] if len(error.args) > 1 and isinstance(error.args[1], int) else None
        raise refused(
            code="readers_disagree",
            reason="PostgreSQL does not understand this statement, though it looks plain.",
            fragment="" if place is None else text[place : place + 40],
            position=place,
            hint="Write it in plain PostgreSQL; check the spelling near the fragment.",
        ) from None
    if len(statements) != 1:
        _refuse("how many statements there are")
    return heard(statements[0]["stmt"])


def _differs(sent: Heard, facts: Facts, catalog: Catalog) -> str:
    """Return what the facts of a canonical text and PostgreSQL's reading of it disagree about, or nothing."""
    is_write = bool(facts.written)
    if (sent.kind == "read") is is_write or sent.kind not in KINDS or sent.odd:
        return "what kind of statement it is"
    if is_write and sent.kind.lower() != facts.operation:
        return "what kind of statement it is"
    if facts.filtered and not sent.filtered and sent.kind in {"UPDATE", "DELETE"}:
        return "whether it has a WHERE clause"
    if not _tables_agree(sent, facts, catalog):
        return "which tables it reads or writes"
    if not _functions_agree(sent, frozenset(facts.functions)):
        return "which functions it calls"
    if sent.parameters != set(range(1, facts.parameters + 1)):
        return "its placeholders"
    if sent.limit != facts.limit:
        return "its row limit"
    names = tuple(output.name for output in facts.outputs)
    if sent.outputs is None or len(sent.outputs) != len(names):
        return "its result columns"
    if any(name not in {None, own} for name, own in zip(sent.outputs, names, strict=True)):
        return "the names of its result columns"
    return ""


def _tables_agree(sent: Heard, facts: Facts, catalog: Catalog) -> bool:
    tables = tables_of(catalog)
    ids = _ids(sent, catalog)
    read = {name for table in ids.values() for name in (tables.reads(table) if table is not None else ("",))}
    target = tables.at(*sent.target) if sent.target else None
    written = () if target is None else (target.id,)
    return read == set(facts.tables) and written == facts.written


def _ids(one: Heard, catalog: Catalog) -> dict[str, Table | View | None]:
    """Return the tables a reading names by their ids, the one it writes too; one that is not known is None."""
    tables = tables_of(catalog)
    named = one.relations | ({one.target} if one.target else set())
    found = (tables.at(schema, name) for schema, name in named)
    return {"" if table is None else table.id: table for table in found}


def _functions_agree(sent: Heard, named: frozenset[str]) -> bool:
    if not sent.values <= _VALUES:
        return False
    unknown = sent.functions - named - _GRAMMAR.keys()
    return all(any(name in named for name in _NAMES.get(function, ())) for function in unknown)


def _changed(came: Heard, sent: Heard, catalog: Catalog) -> str:
    """Return what the text as it came says differently from the canonical text, or nothing."""
    if came.kind != sent.kind or came.odd or came.filtered != sent.filtered:
        return "what kind of statement it is"
    if _ids(came, catalog).keys() != _ids(sent, catalog).keys():
        return "which tables it reads or writes"
    if acts(came) != acts(sent):
        return "which functions and operators it uses"
    added = {_TYPES_ADDED.get(function, "") for function in sent.functions}
    if came.types - sent.types - _TYPES_LEFT_OUT or sent.types - came.types - added:
        return "which types it converts to"
    if not _same_strings(came.strings, sent.strings) or not _same_numbers(came, sent):
        return "which values stand in it"
    if +came.parts != +sent.parts:
        return "its conditions, joins or clauses"
    if came.columns - sent.columns:
        return "which columns it names"
    if came.parameters != sent.parameters or came.limit != sent.limit:
        return "its placeholders or its row limit"
    if came.outputs is not None and sent.outputs is not None:
        pairs = list(zip(came.outputs, sent.outputs, strict=False))
        if len(came.outputs) != len(sent.outputs) or any(one not in {None, other} for one, other in pairs):
            return "its result columns"
    return ""


def acts(one: Heard) -> frozenset[str]:
    """Return the functions, operators and values of a reading, each by one name for all its spellings."""
    words = one.functions | one.values | {word.removeprefix("!") for word in one.operators}
    return frozenset(_SAME.get(word, word) for word in words)


def _same_numbers(came: Heard, sent: Heard) -> bool:
    added = set(sent.numbers - came.numbers)
    return not came.numbers - sent.numbers and added <= {_NUMBERS_ADDED.get(act, "") for act in acts(sent)}


def _same_strings(came: Counter[str], sent: Counter[str]) -> bool:
    """Whether two texts hold the same strings, but for how the unit of a time span is spelt."""
    lost, gained = list((came - sent).elements()), list((sent - came).elements())
    for text in lost:
        match = next((other for other in gained if _same_span(text.lower(), other.lower())), None)
        if match is None:
            return False
        gained.remove(match)
    return not gained


def _same_span(one: str, other: str) -> bool:
    """Whether two strings name the same unit, or the same number of it; a number alone has its unit beside it."""
    if one in _UNITS:
        return _UNITS[one] == _UNITS.get(other)
    mine, theirs = _SPAN.fullmatch(one), _SPAN.fullmatch(other)
    if mine is None or theirs is None or mine[1] != theirs[1]:
        return False
    unit = _UNITS.get(theirs[2])
    if not mine[2]:
        return unit == "second" or (unit is not None and mine[1].lstrip("+-").isdigit())
    return unit is not None and unit == _UNITS.get(mine[2])


def _refuse(about: str) -> NoReturn:
    refuse(
        "readers_disagree",
        f"Two readers of this statement disagree about {about}.",
        hint="Write it in a simpler way, in plain PostgreSQL.",
    )
