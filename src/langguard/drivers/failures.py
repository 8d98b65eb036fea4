"""What may be said of a database's own error: nothing of its text, unless the whole sentence can only hold names.

Databases quote values in errors, unescaped and in any position, so a message can't be cleaned: it is replaced by a
sentence of ours, chosen by the error's class. The few messages that are let through are raised while a statement is
planned, before any row is read, and must match a sentence word by word.
"""

import re
from typing import Final

from langguard.drivers import failures_duckdb

_BY_STATE: Final = {
    "0A000": "The database does not support a feature that the statement uses.",
    "21000": "A subquery used as a single value returned more than one row.",
    "22001": "A text is too long for its type.",
    "22003": "A number is out of the range of its type.",
    "22007": "A text could not be read as a date or time.",
    "22008": "A date or time is out of range.",
    "22012": "Division by zero; use NULLIF(divisor, 0).",
    "22023": "An argument of a function is not one that it takes.",
    "22P02": "A text could not be read as the type it was cast to.",
    "23502": "A column that must have a value was given none.",
    "23503": "A row that is referred to does not exist, or is still referred to.",
    "23505": "A row with this key exists already.",
    "23514": "A value breaks a check of its table.",
    "25006": "The statement would change something, and this call may only read.",
    "40001": "The transaction met another one; ask again.",
    "40P01": "The transaction met another one; ask again.",
    "42501": "The connection's database role may not do this.",
    "42601": "The database can't read the statement.",
    "42703": "A column does not exist in the database.",
    "42803": "A column must be in GROUP BY or inside an aggregate function.",
    "42804": "Types do not fit each other; add a cast.",
    "42883": "No function or operator takes arguments of these types; add a cast.",
    "42P01": "A table does not exist in the database.",
    "42P18": "A value's type can't be told; add a cast.",
    "55P03": "A lock could not be had in time; ask again.",
    "57014": "The statement took too long, or was cancelled; ask for less.",
}
_BY_CLASS: Final = {
    "08": "The connection to the database failed.",
    "22": "A value does not fit what is done with it.",
    "23": "The change breaks a constraint.",
    "25": "The transaction does not allow this.",
    "28": "The database did not accept the connection's credential.",
    "40": "The transaction met another one; ask again.",
    "42": "The statement does not fit the database's tables, types or functions.",
    "53": "The database is out of a resource.",
    "54": "The statement is too large or too deep for the database.",
    "57": "The database is stopping, or ended the statement.",
    "58": "The database failed.",
    "XX": "The database failed.",
}
_TYPE: Final = r"[a-z][a-z0-9_ ]{0,40}(?:\[\])?"
_PLANNED: Final = {
    "42803": re.compile(
        r'column "[\w.]{1,128}" must appear in the GROUP BY clause or be used in an aggregate function', re.ASCII
    ),
    "42883": re.compile(
        rf"operator does not exist: (?:{_TYPE} )?[-+*/<>=~!@#%^&|`?]{{1,4}} {_TYPE}"
        rf"|function [a-z_][a-z0-9_.]{{0,80}}\((?:{_TYPE}(?:, {_TYPE})*)?\) does not exist",
        re.ASCII,
    ),
}
_SQLITE: Final = {
    "not authorized": "The statement would change something, and this call may only read.",
    "attempt to write a readonly database": "The statement would change something, and this call may only read.",
    "integer overflow": "A number is out of the range of its type.",
    "interrupted": "The statement took too long, or was cancelled; ask for less.",
    "database is locked": "A lock could not be had in time; ask again.",
    "string or blob too big": "A value would be too large.",
    "malformed JSON": "A text could not be read as JSON.",
    "unable to open database file": "The database can't be reached.",
}
_SQLITE_CLASSES: Final = {
    "SQLITE_CONSTRAINT": "The change breaks a constraint.",
    "SQLITE_FULL": "The database is out of a resource.",
    "SQLITE_NOMEM": "The database is out of a resource.",
    "SQLITE_BUSY": "A lock could not be had in time; ask again.",
    "SQLITE_IOERR": "The database failed.",
    "SQLITE_CORRUPT": "The database failed.",
    "SQLITE_CANTOPEN": "The database can't be reached.",
    "SQLITE_READONLY": "The statement would change something, and this call may only read.",
    "SQLITE_TOOBIG": "A value would be too large.",
}
_NO_PYTHON_VALUE: Final = re.compile(r"(date|timestamp|time|interval) too (large|small)\b", re.ASCII)
_ELSE: Final = "It gave no reason that can be passed on."


_READS_ONLY: Final = "The statement would change something, and this call may only read."
_MYSQL: Final = {
    1044: "The connection's database user may not use this database.",
    1045: "The database did not accept the connection's credential.",
    1048: "A column that must have a value was given none.",
    1052: "A column's name is in more than one table; write it as table.column.",
    1054: "A column does not exist in the database.",
    1055: "A column must be in GROUP BY or inside an aggregate function.",
    1062: "A row with this key exists already.",
    1064: "The database can't read the statement.",
    1104: "The statement would look at more rows than the database allows; ask for less.",
    1111: "An aggregate function stands where none may be.",
    1140: "Aggregate functions and plain columns are mixed without GROUP BY.",
    1142: "The connection's database user may not do this.",
    1143: "The connection's database user may not use one of the columns.",
    1146: "A table does not exist in the database.",
    1153: "A value or the statement is larger than the database takes.",
    1205: "A lock could not be had in time; ask again.",
    1213: "The transaction met another one; ask again.",
    1222: "The queries of a set operation differ in their number of columns.",
    1227: "The connection's database user may not do this.",
    1241: "A subquery used as a single value has more than one column.",
    1242: "A subquery used as a single value returned more than one row.",
    1264: "A number is out of the range of its type.",
    1265: "A value does not fit its column.",
    1292: "A text could not be read as the type it is used as.",
    1305: "A function does not exist in the database.",
    1317: "The statement took too long, or was cancelled; ask for less.",
    1364: "A column that must have a value was given none.",
    1365: "Division by zero; use NULLIF(divisor, 0).",
    1366: "A value does not fit its column.",
    1406: "A text is too long for its type.",
    1411: "A text could not be read as a date or time.",
    1451: "A row is still referred to.",
    1452: "A row that is referred to does not exist.",
    1525: "A text could not be read as the type it is used as.",
    1582: "A function takes another number of arguments.",
    1690: "A number is out of the range of its type.",
    1792: _READS_ONLY,
    1836: _READS_ONLY,
    1290: _READS_ONLY,
    1927: "The statement took too long, or was cancelled; ask for less.",
    1969: "The statement took too long, or was cancelled; ask for less.",
    2002: "The database can't be reached.",
    2003: "The database can't be reached.",
    2006: "The connection to the database failed.",
    2013: "The connection to the database failed.",
    2014: "The connection to the database failed.",
    2055: "The connection to the database failed.",
    2068: "The statement would read a file of this machine.",
    3024: "The statement took too long, or was cancelled; ask for less.",
    3819: "A value breaks a check of its table.",
    4025: "A value breaks a check of its table.",
    4078: "Types do not fit each other; add a CAST.",
}
_MYSQL_REFUSED: Final = frozenset({1205, 1213, 1290, 1792, 1836})
"""After a commit: the server rolled back, or never began."""


def mysql_number(origin: BaseException) -> int | None:
    """Return the number of an error that MySQL's driver raised, or None for any other error."""
    if not type(origin).__module__.startswith("pymysql"):
        return None
    first = origin.args[0] if origin.args else None
    return first if isinstance(first, int) and 0 < first < 100_000 else None


_UNANSWERED: Final = ("08", "57", "58", "XX", "40003")
"""States that may come after a commit took effect: the connection, the server or its disk failed."""


def refused(error: BaseException) -> bool:
    """Say whether a commit that failed is known to have had no effect: the database itself answered that it refused."""
    origin = getattr(error, "orig", None) or error
    number = mysql_number(origin)
    if number is not None:
        return number in _MYSQL_REFUSED
    state = str(getattr(origin, "sqlstate", None) or getattr(origin, "pgcode", None) or "")
    if state:
        return not state.startswith(_UNANSWERED)
    code = str(getattr(origin, "sqlite_errorname", None) or "")
    return failures_duckdb.refused(origin) or code.startswith(("SQLITE_BUSY", "SQLITE_CONSTRAINT", "SQLITE_FULL"))


def describe(error: BaseException) -> str:
    """Return one sentence about a driver's error that holds no value, whatever the driver put into its message."""
    origin = getattr(error, "orig", None) or error
    state = str(getattr(origin, "sqlstate", None) or getattr(origin, "pgcode", None) or "")
    name = type(origin).__name__
    number = mysql_number(origin)
    if number is not None:
        return f"The database refused the statement: {name} [{number}]: {_MYSQL.get(number, _ELSE)}"
    if re.fullmatch(r"[0-9A-Z]{5}", state, re.ASCII):
        return f"The database refused the statement: {name} [{state}]: {_postgres(origin, state)}"
    code = str(getattr(origin, "sqlite_errorname", None) or "")
    if re.fullmatch(r"SQLITE_[A-Z_]{2,40}", code, re.ASCII):
        return f"The database refused the statement: {name} [{code}]: {_sqlite(origin, code)}"
    said = failures_duckdb.sentence(origin)
    if said is not None:
        return f"The database refused the statement: {name}: {said}"
    unreadable = _NO_PYTHON_VALUE.match(str(origin))
    if unreadable is not None:
        return (
            f"The database's driver failed: {name}: a {unreadable[1]} is too {unreadable[2]} for Python; "
            f"read it as text with CAST(... AS TEXT)."
        )
    if "OperationalError" in name or "InterfaceError" in name:
        return f"The database refused the statement or can't be reached: {name}."
    return f"The database refused the statement: {name}: {_ELSE}"


def _postgres(origin: BaseException, state: str) -> str:
    message = str(getattr(getattr(origin, "diag", None), "message_primary", None) or "")
    planned = _PLANNED.get(state)
    if planned is not None and planned.fullmatch(message):
        return f"{message}."
    return _BY_STATE.get(state) or _BY_CLASS.get(state[:2]) or _ELSE


def _sqlite(origin: BaseException, code: str) -> str:
    said = _SQLITE.get(str(origin).strip())
    return said or next((text for start, text in _SQLITE_CLASSES.items() if code.startswith(start)), _ELSE)
