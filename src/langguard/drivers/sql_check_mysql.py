"""The walls of a MySQL or MariaDB connection, and what its account could do that it should not."""

from collections.abc import Iterator
from typing import Final

from langguard.drivers.sql_check_base import Excess, Target, Wall, listed

_LONG: Final = "SELECT SLEEP(20)"
_MANY: Final = "SELECT table_name FROM information_schema.tables"
_GLOBAL: Final = "SELECT privilege_type, is_grantable FROM information_schema.user_privileges WHERE {mine}"
_SCHEMA: Final = "SELECT table_schema, privilege_type FROM information_schema.schema_privileges WHERE {mine}"
_TABLE: Final = (
    "SELECT table_schema, privilege_type FROM information_schema.table_privileges WHERE {mine} UNION "
    "SELECT table_schema, privilege_type FROM information_schema.column_privileges WHERE {mine}"
)
_MINE: Final = (
    "grantee = CONCAT('''', SUBSTRING_INDEX(CURRENT_USER(), '@', 1), '''@''', "
    "SUBSTRING_INDEX(CURRENT_USER(), '@', -1), '''')"
)
_DANGEROUS: Final = {
    "FILE": "It reads and writes files on the server.",
    "SUPER": "It lifts read-only mode and other people's limits.",
    "PROCESS": "It reads other people's statements.",
    "SHUTDOWN": "It stops the server.",
    "RELOAD": "It flushes logs and tables.",
    "CREATE USER": "It makes logins.",
    "REPLICATION SLAVE": "It copies the whole server's changes.",
    "REPLICATION CLIENT": "It reads the state of replication.",
    "GRANT OPTION": "It gives others what it has.",
    "CONNECTION ADMIN": "It ends other people's sessions.",
    "SYSTEM_VARIABLES_ADMIN": "It changes the server's settings.",
    "READ_ONLY ADMIN": "It writes where the server is read-only.",
}
_CHANGES: Final = (
    "CREATE",
    "DROP",
    "ALTER",
    "INDEX",
    "TRIGGER",
    "EVENT",
    "CREATE VIEW",
    "CREATE ROUTINE",
    "ALTER ROUTINE",
    "EXECUTE",
    "REFERENCES",
    "LOCK TABLES",
    "CREATE TEMPORARY TABLES",
)
_WRITES: Final = ("INSERT", "UPDATE", "DELETE")


def walls(target: Target) -> Iterator[Wall]:
    """Try each wall."""
    table = next((table for table in target.catalog.tables), None)
    if table is not None:
        name = f"{_quoted(table.schema)}.{_quoted(table.name)}"
        text = f"DELETE FROM {name} WHERE 1 = 0"  # noqa: S608 - quoted; it deletes nothing where it is let through
        yield target.refused("a read can't change rows", text, "1792", "1142", "read", "may not")
    yield target.refused("a text is one statement", "SELECT 1; SELECT 2", "more than one statement")
    yield _file(target)
    yield _settings(target)
    yield target.timed(_LONG, timeout_ms=1000)
    yield target.cancelled(_LONG)
    yield target.capped(_MANY)
    yield target.sized("SELECT REPEAT('x', 100000)")


def _file(target: Target) -> Wall:
    name, statement = "no file can be read", "SELECT LENGTH(LOAD_FILE('/etc/hosts')) AS n"
    ((size,),) = target.facts(statement)
    said = "the server read nothing" if size is None else "the server read the file"
    return Wall(name=name, tried=statement, holds=size is None, said=said)


def _settings(target: Target) -> Wall:
    ((modes, zone, characters),) = target.facts(
        "SELECT @@SESSION.sql_mode, @@SESSION.time_zone, @@SESSION.character_set_connection"
    )
    bad = {"ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "PIPES_AS_CONCAT", "HIGH_NOT_PRECEDENCE", "IGNORE_SPACE"}
    holds = not bad & set(str(modes).split(",")) and zone == "+00:00" and characters == "utf8mb4"
    said = f"sql_mode {modes}, time_zone {zone}, {characters}"
    return Wall(name="settings that give a text its meaning are pinned", tried="read back", holds=holds, said=said)


def excess(target: Target) -> Iterator[Excess]:
    """Return what the account could do that it should not, each with the statement that takes it away."""
    ((user,),) = target.facts("SELECT CURRENT_USER()")
    account = "@".join("'" + part.replace("'", "''") + "'" for part in str(user).rsplit("@", 1))
    everywhere = target.facts(_GLOBAL.format(mine=_MINE))
    names = {str(name).upper() for name, _ in everywhere}
    if any(str(grantable).upper() == "YES" for _, grantable in everywhere):
        names.add("GRANT OPTION")
    for power in sorted(names & set(_DANGEROUS)):
        yield Excess(
            what=f"{power} on the whole server", why=_DANGEROUS[power], mend=f"REVOKE {power} ON *.* FROM {account};"
        )
    if "FILE" in names:
        ((folder,),) = target.facts("SELECT @@GLOBAL.secure_file_priv")
        if not folder:
            yield Excess(
                what="secure_file_priv is empty",
                why="With FILE, every file the server can read is open to it.",
                mend="set secure_file_priv=NULL (or a folder) in the server's configuration",
            )
    unwanted = {*_CHANGES, *(() if target.writes else _WRITES)}
    why = "No call needs it; nothing but the analysis and the read-only transaction keeps it from being used."
    if wide := sorted(names & (unwanted | {"SELECT"})):
        yield Excess(
            what=f"{', '.join(wide)} on every database of the server",
            why="It reaches databases that the connection is not for.",
            mend=f"REVOKE {', '.join(wide)} ON *.* FROM {account};  -- then GRANT SELECT on what it needs",
        )
    held: dict[str, set[str]] = {}
    for schema, power in [*target.facts(_SCHEMA.format(mine=_MINE)), *target.facts(_TABLE.format(mine=_MINE))]:
        held.setdefault(str(schema), set()).add(str(power).upper())
    for schema, powers in sorted(held.items()):
        if over := sorted(powers & unwanted):
            yield Excess(
                what=f"{listed(over)} in database {schema}",
                why=why,
                mend=f"REVOKE {', '.join(over)} ON {_quoted(schema)}.* FROM {account};",
            )


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
