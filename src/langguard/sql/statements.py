"""What a statement is by its first word: which ones are read further, and what the others would do."""

from sqlglot import Token

from langguard.protocol import Action
from langguard.sql.refusals import Refused, refused

READ_FURTHER = frozenset({"SELECT", "WITH", "VALUES", "TABLE", "(", "INSERT", "UPDATE", "DELETE", "MERGE"})

_BY_WORD: dict[Action, str] = {
    "ddl": "CREATE ALTER DROP TRUNCATE COMMENT RENAME REFRESH IMPORT SECURITY",
    "privilege": "GRANT REVOKE REASSIGN",
    "file": "COPY ATTACH DETACH LOAD UNLOAD EXPORT PUT GET",
    "session": "SET RESET SHOW USE PREPARE DEALLOCATE DISCARD LISTEN NOTIFY UNLISTEN DECLARE FETCH MOVE CLOSE OPEN",
    "transaction": "BEGIN START COMMIT ROLLBACK ABORT END SAVEPOINT RELEASE LOCK",
    "procedure": "CALL DO EXECUTE EXEC",
    "admin": "VACUUM ANALYZE ANALYSE CLUSTER REINDEX CHECKPOINT PRAGMA EXPLAIN KILL SHUTDOWN OPTIMIZE INSTALL",
    "write": "REPLACE UPSERT",
    "metadata": "DESCRIBE DESC",
}
ACTION_OF: dict[str, Action] = {word: action for action, words in _BY_WORD.items() for word in words.split()}
PEOPLE = frozenset({"ROLE", "USER", "GROUP", "POLICY", "SERVER", "DATABASE", "SYSTEM", "OWNER", "DEFAULT"})
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
}
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


def first_word(tokens: list[Token], text: str, further: frozenset[str] = frozenset()) -> str:
    """Return the first word, upper case, of a statement that is read further.

    Args:
        tokens: Of `text`.
        text: The statement.
        further: Words that the dialect reads further besides those of all.

    Raises:
        Refused: It is any other statement; the refusal says what that would do.
    """
    word = text[tokens[0].start : tokens[0].end + 1].upper()
    if word in READ_FURTHER or word in further:
        return word
    raise _refusal(word, tokens, text)


def _refusal(word: str, tokens: list[Token], text: str) -> Refused:
    fragment = text[tokens[0].start : tokens[min(len(tokens), 8) - 1].end + 1]
    action = ACTION_OF.get(word)
    if action is None:
        return refused(
            "not_parsed",
            "The text does not start like a SQL statement that is allowed here.",
            fragment,
            position=tokens[0].start,
            hint=HINTS.get(word, "Start with SELECT, WITH, VALUES, INSERT, UPDATE or DELETE."),
        )
    actions: set[Action] = {action}
    if word in {"CREATE", "ALTER", "DROP"} and {t.text.upper() for t in tokens[1:3]} & PEOPLE:
        actions.add("privilege")
    if word == "TRUNCATE":
        actions.add("write")
    return refused(
        "statement_not_allowed",
        f"{word} {WHAT[action]} and is not allowed.",
        fragment,
        position=tokens[0].start,
        hint=HINTS.get(word, "Only SELECT, INSERT, UPDATE and DELETE are analysed."),
        actions=actions,
    )
