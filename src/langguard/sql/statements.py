"""What a statement is by its first word: which ones are read further, and what the others would do."""

import msgspec
from sqlglot import Token

from langguard.protocol import Action, Refusal
from langguard.sql.described import described
from langguard.sql.refusals import Refused, refused

READ_FURTHER = frozenset({"SELECT", "WITH", "VALUES", "TABLE", "(", "INSERT", "UPDATE", "DELETE", "MERGE"})

WHAT: dict[Action, str] = {
    "ddl": "changes the structure of the database (DDL)",
    "privilege": "changes who may do what",
    "file": "reads or writes files",
    "session": "changes or shows the session",
    "transaction": "steers transactions or locks",
    "procedure": "runs a procedure",
    "admin": "is an administrative command",
    "write": "changes rows in a form that is not analysed",
    "metadata": "reads the structure of the database",
    "read": "reads rows in a form that is not analysed",
}
"""By what weighs most: the first of a statement's actions is the one its refusal speaks of."""
HINTS: dict[str, str] = {
    "EXPLAIN": "Send the SELECT itself.",
    "SHOW": "Use the schema tool to see tables and columns.",
    "PRAGMA": "Use the schema tool to see tables and columns.",
    "DESCRIBE": "Use the schema tool to see tables and columns.",
    "DESC": "Use the schema tool to see tables and columns.",
    "REPLACE": "Use INSERT ... ON CONFLICT.",
    "PIVOT": "Use CASE with GROUP BY.",
    "UNPIVOT": "Use UNION ALL.",
    "SUMMARIZE": "Use count, min, max and avg.",
    "TRUNCATE": "Use DELETE with a WHERE clause.",
}


def first_word(tokens: list[Token], text: str, dialect: str, further: frozenset[str] = frozenset()) -> str:
    """Return the first word, upper case, of a statement that is read further.

    Args:
        tokens: Of `text`.
        text: The statement.
        dialect: The parser's name for it.
        further: Words that the dialect reads further besides those of all.

    Raises:
        Refused: It is any other statement; the refusal says what that would do.
    """
    word = text[tokens[0].start : tokens[0].end + 1].upper()
    if word in READ_FURTHER or word in further:
        return word
    raise _refusal(word.split()[0], tokens, text, dialect)


def _refusal(word: str, tokens: list[Token], text: str, dialect: str) -> Refused:
    fragment = text[tokens[0].start : tokens[min(len(tokens), 8) - 1].end + 1]
    own = described(text, dialect)
    action = next((action for action in WHAT if action in own.actions), None)
    if action is None or not own.kind:
        return refused(
            "not_parsed",
            "The text does not start like a SQL statement that is allowed here.",
            fragment,
            position=tokens[0].start,
            hint=HINTS.get(word, "Start with SELECT, WITH, VALUES, INSERT, UPDATE or DELETE."),
        )
    return refused(
        "statement_not_allowed",
        f"{word} {WHAT[action]} and is not allowed.",
        fragment,
        position=tokens[0].start,
        hint=HINTS.get(word, "Only SELECT, INSERT, UPDATE and DELETE are analysed."),
        actions=own.actions,
    )


def told(refusal: Refusal, text: str, dialect: str) -> Refusal:
    """Return a refusal with what the statement's words tell: its kind, its targets, and all that it would do."""
    if refusal.code == "not_text":
        return refusal
    own = described(text, str(dialect))
    actions = {*refusal.actions, *(own.actions if own.actions - {"read"} else ())}
    return msgspec.structs.replace(
        refusal,
        kind=own.kind,
        targets=tuple(own.targets),
        actions=tuple(sorted(actions)),
    )
