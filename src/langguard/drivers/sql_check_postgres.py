"""The walls of a PostgreSQL connection, and what its role could do that it should not."""

from collections.abc import Iterator
from typing import Any, Final

from langguard.drivers.sql_check_base import Excess, Target, Wall, listed
from langguard.drivers.sql_postgres import PINS

_READ_ONLY: Final = ("[25006]",)
_NOT_ALLOWED: Final = ("[42501]", "[25006]")
_TRIGGERLESS: Final = """
SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_|^information_schema$'
AND NOT c.relhastriggers AND NOT c.relhasrules
ORDER BY pg_catalog.has_table_privilege(c.oid, 'DELETE') DESC, 1, 2 LIMIT 1
"""


def walls(target: Target) -> Iterator[Wall]:
    """Try each wall."""
    yield target.refused("a read can't make a table", "CREATE TEMP TABLE langguard_check (n integer)", *_READ_ONLY)
    found = target.facts(_TRIGGERLESS)
    if found:
        name = _name(*found[0])
        text = f"DELETE FROM {name} WHERE false"  # noqa: S608 - quoted; it deletes nothing where it is let through
        yield target.refused("a read can't change rows", text, *_NOT_ALLOWED)
    yield target.refused("a text is one statement", "SELECT 1; SELECT 2", "more than one statement")
    yield _one_statement(target)
    yield target.refused("no file can be read", "SELECT length(pg_read_file('PG_VERSION'))", *_NOT_ALLOWED)
    yield target.refused("no folder can be listed", "SELECT count(*) FROM pg_ls_dir('.')", *_NOT_ALLOWED)
    yield _settings(target)
    yield target.timed("SELECT pg_sleep(20)")
    yield target.cancelled("SELECT pg_sleep(20)")
    yield target.capped("SELECT generate_series(1, 100)")
    yield target.sized("SELECT repeat('x', 100000)")


def _one_statement(target: Target) -> Wall:
    """Try the server's own wall, past the driver's look at the text."""
    name, tried = "a text is one statement to the server too", "SELECT 1; SELECT 2, past the driver"
    with target.engine.connect() as connection:
        try:
            connection.exec_driver_sql("SELECT 1; SELECT 2", execution_options={"no_parameters": True})
        except Exception as failed:  # noqa: BLE001 - only the error's class is looked at
            state = str(getattr(getattr(failed, "orig", None), "sqlstate", ""))
            connection.rollback()
            return Wall(name=name, tried=tried, holds=state == "42601", said=f"refused [{state}]")
        connection.rollback()
    return Wall(name=name, tried=tried, holds=False, said="it ran")


def _settings(target: Target) -> Wall:
    names = [*PINS, "transaction_read_only", "search_path"]
    read = ", ".join(f"current_setting('{name}')" for name in names)
    (kept,) = target.facts(f"SELECT {read}")
    paths = [*(_quoted(schema) for schema in target.catalog.default_schemas), "pg_temp"]
    wanted = [*PINS.values(), "on", ", ".join(paths)]
    wrong = [name for name, value, found in zip(names, wanted, kept, strict=True) if value != found]
    said = f"kept: {', '.join(names)}" if not wrong else f"not kept: {', '.join(wrong)}"
    return Wall(name="settings that give a text its meaning are pinned", tried="read back", holds=not wrong, said=said)


_ROLE: Final = """
SELECT r.rolname, d.datname, r.rolsuper, r.rolcreatedb, r.rolcreaterole, r.rolreplication, r.rolbypassrls
FROM pg_catalog.pg_roles r, pg_catalog.pg_database d
WHERE r.rolname = current_user AND d.datname = current_database()
"""
_POWERS: Final = (
    ("SUPERUSER", "No check of the database's own binds it: it reads files, runs programs and lifts every grant."),
    ("CREATEDB", "It can make databases that nobody looks at."),
    ("CREATEROLE", "It can make logins and give itself other roles."),
    ("REPLICATION", "It can copy the whole database, past grants and row security."),
    ("BYPASSRLS", "Row security does not hold for it."),
)
_MEMBER: Final = """
SELECT r.rolname, r.rolsuper FROM pg_catalog.pg_roles r
WHERE r.rolname <> current_user AND pg_catalog.pg_has_role(current_user, r.oid, 'MEMBER')
AND (r.rolsuper OR r.rolcreaterole OR r.rolbypassrls OR r.rolname IN ('pg_read_server_files', 'pg_write_server_files',
'pg_execute_server_program', 'pg_signal_backend', 'pg_read_all_data', 'pg_write_all_data', 'pg_maintain', 'pg_monitor',
'pg_checkpoint', 'pg_create_subscription', 'pg_signal_autovacuum_worker')) ORDER BY 1
"""
_MEMBERSHIPS: Final = {
    "pg_read_server_files": "It reads any file that the server can.",
    "pg_write_server_files": "It writes files on the server.",
    "pg_execute_server_program": "It runs programs on the server.",
    "pg_signal_backend": "It ends other people's sessions.",
    "pg_read_all_data": "It reads every table, whatever is granted.",
    "pg_write_all_data": "It writes every table, whatever is granted.",
    "pg_monitor": "It reads other people's statements.",
}
_OWNED: Final = """
SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname !~ '^pg_|^information_schema$'
AND pg_catalog.pg_has_role(current_user, c.relowner, 'USAGE') ORDER BY 1, 2
"""
# A grantee of 0 is PUBLIC. What a role has as the owner is told apart, above.
_HELD: Final = """
SELECT DISTINCT o.place, coalesce(g.rolname, 'PUBLIC'), a.privilege_type FROM ({objects}) o
CROSS JOIN LATERAL pg_catalog.aclexplode(o.acl) a LEFT JOIN pg_catalog.pg_roles g ON g.oid = a.grantee
WHERE a.privilege_type IN ({wanted}) AND a.grantee <> o.owner
AND (a.grantee = 0 OR pg_catalog.pg_has_role(current_user, a.grantee, 'USAGE')) ORDER BY 1, 2, 3
"""
_DATABASE: Final = """
SELECT datname AS place, coalesce(datacl, pg_catalog.acldefault('d', datdba)) AS acl, datdba AS owner
FROM pg_catalog.pg_database WHERE datname = current_database()
"""
_SCHEMAS: Final = """
SELECT nspname AS place, coalesce(nspacl, pg_catalog.acldefault('n', nspowner)) AS acl, nspowner AS owner
FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_|^information_schema$'
"""
_TABLES: Final = """
SELECT n.nspname AS place, c.relacl AS acl, c.relowner AS owner FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_|^information_schema$'
UNION ALL SELECT n.nspname, a.attacl, c.relowner FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE a.attacl IS NOT NULL AND n.nspname !~ '^pg_|^information_schema$'
"""
_DANGEROUS: Final = """
SELECT n.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid), coalesce(g.rolname, 'PUBLIC')
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_language l ON l.oid = p.prolang
CROSS JOIN LATERAL pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) a
LEFT JOIN pg_catalog.pg_roles g ON g.oid = a.grantee
WHERE a.privilege_type = 'EXECUTE' AND (a.grantee = 0 OR pg_catalog.pg_has_role(current_user, a.grantee, 'USAGE'))
AND ((p.proname ~ '^(dblink.*|pg_(read|ls|file|logdir)_.*|lo_import|lo_export|pg_reload_conf|pg_rotate_logfile)$'
    OR p.proname IN ('pg_stat_file', 'pg_switch_wal', 'pg_promote', 'pg_create_restore_point'))
  OR (n.nspname <> 'pg_catalog' AND p.prosecdef)
  OR (n.nspname <> 'pg_catalog' AND NOT l.lanpltrusted AND l.lanname NOT IN ('internal', 'c', 'sql')))
ORDER BY 1, 2, 3
"""
_SERVERS: Final = """
SELECT s.srvname, w.fdwname FROM pg_catalog.pg_foreign_server s
JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw
WHERE pg_catalog.has_server_privilege(s.oid, 'USAGE') ORDER BY 1
"""


def excess(target: Target) -> Iterator[Excess]:
    """Return what the role could do that it should not, each with the statement that takes it away."""
    ((role, database, *powers),) = target.facts(_ROLE)
    for (power, why), held in zip(_POWERS, powers, strict=True):
        if held:
            yield Excess(what=power, why=why, mend=f"ALTER ROLE {_quoted(role)} NO{power};")
    if powers[0]:
        return  # everything below is true of a superuser and says nothing more
    for name, above in target.facts(_MEMBER):
        why = _MEMBERSHIPS.get(name, "It can become a superuser." if above else "It can use that role's powers.")
        yield Excess(what=f"member of {name}", why=why, mend=f"REVOKE {_quoted(name)} FROM {_quoted(role)};")
    yield from _owned(target, role)
    yield from _placed(target, database)
    yield from _written(target)
    yield from _reached(target)


def _owned(target: Target, role: str) -> Iterator[Excess]:
    owned = [f"{schema}.{name}" for schema, name in target.facts(_OWNED)]
    if owned:
        yield Excess(
            what=f"owns {len(owned)} tables, views or sequences: {listed(owned)}",
            why="An owner changes and drops them, and row security does not hold for it.",
            mend=f"REASSIGN OWNED BY {_quoted(role)} TO another_role;  -- then GRANT back what it needs",
        )


def _placed(target: Target, database: str) -> Iterator[Excess]:
    for _, grantee, power in target.facts(_HELD.format(objects=_DATABASE, wanted="'CREATE', 'TEMPORARY'")):
        why = "It can make schemas." if power == "CREATE" else "It can make temporary tables, which no one sees."
        yield Excess(
            what=f"{power} on database {database}" + (" (as everyone)" if grantee == "PUBLIC" else ""),
            why=why,
            mend=f"REVOKE {power} ON DATABASE {_quoted(database)} FROM {_grantee(grantee)};",
        )
    for schema, grantee, _ in target.facts(_HELD.format(objects=_SCHEMAS, wanted="'CREATE'")):
        yield Excess(
            what=f"CREATE on schema {schema}" + (" (as everyone)" if grantee == "PUBLIC" else ""),
            why="It can make tables, and functions that stand for the engine's own.",
            mend=f"REVOKE CREATE ON SCHEMA {_quoted(schema)} FROM {_grantee(grantee)};",
        )


def _written(target: Target) -> Iterator[Excess]:
    names = ["TRUNCATE", "TRIGGER", "REFERENCES", *([] if target.writes else ["INSERT", "UPDATE", "DELETE"])]
    wanted = ", ".join(f"'{name}'" for name in names)
    held: dict[tuple[str, str], list[str]] = {}
    for schema, grantee, power in target.facts(_HELD.format(objects=_TABLES, wanted=wanted)):
        held.setdefault((schema, grantee), []).append(power)
    for (schema, grantee), powers in held.items():
        listed_powers = ", ".join(powers)
        why = "No one may write through this connection." if not target.writes else "No call needs it."
        yield Excess(
            what=f"{listed_powers} on tables of schema {schema}" + (" (as everyone)" if grantee == "PUBLIC" else ""),
            why=f"{why} Nothing but the read-only transaction keeps it from being used.",
            mend=f"REVOKE {listed_powers} ON ALL TABLES IN SCHEMA {_quoted(schema)} FROM {_grantee(grantee)};",
        )


def _reached(target: Target) -> Iterator[Excess]:
    for schema, name, arguments, grantee in target.facts(_DANGEROUS):
        yield Excess(
            what=f"EXECUTE on {schema}.{name}({arguments})" + (" (as everyone)" if grantee == "PUBLIC" else ""),
            why="It reaches beyond the tables, or runs with its owner's rights.",
            mend=f"REVOKE EXECUTE ON FUNCTION {_name(schema, name)}({arguments}) FROM {_grantee(grantee)};",
        )
    for server, wrapper in target.facts(_SERVERS):
        yield Excess(
            what=f"USAGE on foreign server {server} ({wrapper})",
            why="It can reach files or other databases through it.",
            mend=f"REVOKE USAGE ON FOREIGN SERVER {_quoted(server)} FROM PUBLIC;  -- or from whom it was given to",
        )


def _quoted(name: Any) -> str:
    return '"' + str(name).replace('"', '""') + '"'


def _name(schema: Any, name: Any) -> str:
    return f"{_quoted(schema)}.{_quoted(name)}"


def _grantee(name: str) -> str:
    return "PUBLIC" if name == "PUBLIC" else _quoted(name)
