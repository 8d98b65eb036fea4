"""The words that statements of all dialects start with, and what each would do."""

from collections.abc import Mapping
from typing import Final, cast

from langguard.protocol import Action
from langguard.sql.words import words

VERBS: Final = frozenset({"CREATE", "ALTER", "DROP", "UNDROP", "RENAME"})
PEOPLE: Final = frozenset(
    {
        *{"ROLE", "USER", "GROUP", "POLICY", "SERVER", "DATABASE", "SYSTEM", "OWNER", "OWNED", "DEFAULT", "PRIVILEGES"},
        *{"LOGIN", "CREDENTIAL", "SECRET", "SHARE", "INTEGRATION", "ACCOUNT", "CERTIFICATE", "USERS", "AUTHORIZATION"},
    }
)
"""Objects that are about who may do what."""
OBJECTS: Final = PEOPLE - {"DEFAULT", "OWNER", "USERS"} | words(
    """
TABLE VIEW INDEX SCHEMA SEQUENCE FUNCTION PROCEDURE PROC TRIGGER TYPE EXTENSION PUBLICATION SUBSCRIPTION TABLESPACE
DOMAIN COLLATION CONVERSION OPERATOR AGGREGATE CAST LANGUAGE RULE STATISTICS EVENT MACRO WAREHOUSE STAGE PIPE STREAM
TASK FORMAT MODEL CONNECTION RESOURCE COMPONENT INSTANCE TAG ASSEMBLY SYNONYM TRANSFORM WRAPPER PACKAGE SERVICE QUEUE
CONTRACT MESSAGE PARTITION COLUMN SNAPSHOT TABLES DATASET APPLICATION SESSION PLUGIN LOGFILE METHOD LARGE ROUTINE
"""
)
NAMELESS: Final = frozenset({"SYSTEM", "PRIVILEGES", "OWNED", "ACCOUNT", "SESSION", "INSTANCE"})
"""Objects that have no name of their own."""
NOISE: Final = words(
    """
IF EXISTS NOT ONLY TABLE TABLES INTO FROM ON LOCAL NO_WRITE_TO_BINLOG IGNORE OR LOW_PRIORITY DELAYED HIGH_PRIORITY QUICK
CONCURRENTLY FULL FREEZE VERBOSE ANALYZE OVERWRITE INDEX SCHEMA DATABASE VIEW SEQUENCE FUNCTION PROCEDURE ROUTINE ALL
IN COLUMN AS INSERT IMMEDIATE MATERIALIZED TEMPORARY TEMP EXTENDED FORMATTED TOP ABORT FAIL ROLLBACK
"""
)
"""Words that may stand between a statement's word and the name it is about."""
PAIRS: Final = words(
    """
BULK_INSERT LOAD_DATA LOAD_XML EXECUTE_IMMEDIATE EXECUTE_TASK LOCK_TABLE LOCK_TABLES UNLOCK_TABLES BACKUP_DATABASE
BACKUP_LOG RESTORE_DATABASE RESTORE_LOG EXPORT_DATABASE EXPORT_DATA IMPORT_DATABASE IMPORT_FOREIGN IMPORT_TABLE
CHANGE_MASTER CHANGE_REPLICATION PURGE_BINARY INSTALL_PLUGIN INSTALL_COMPONENT UNINSTALL_PLUGIN UNINSTALL_COMPONENT
SECURITY_LABEL REASSIGN_OWNED REFRESH_MATERIALIZED FORCE_CHECKPOINT FORCE_INSTALL OPTIMIZE_TABLE REPAIR_TABLE
CHECK_TABLE CHECKSUM_TABLE ANALYZE_TABLE EXPLAIN_ANALYZE RESET_MASTER RESET_REPLICA STOP_REPLICA STOP_SLAVE COMMENT_ON
"""
)
"""First words that say little without the second."""
_EVERYWHERE: Final = """
read: select, values, table, with
write: insert, update, delete, merge, replace, upsert
ddl write: truncate
ddl: comment, refresh, import, security
privilege: grant, revoke, reassign
file: copy, attach, detach, load, put, get
file write: load data, load xml
file read: unload, export
session: set, reset, show, use, prepare, deallocate, discard, listen, notify, unlisten, declare, fetch, move, close
session: open
transaction: begin, begin tran, begin transaction, begin work, start, start transaction, commit, rollback, abort
transaction: end, savepoint, release, lock
procedure: call, do, execute, exec
admin: vacuum, analyze, analyse, cluster, reindex, checkpoint, pragma, explain, kill, shutdown, optimize, install
metadata: describe, desc
"""
_BY_DIALECT: Final = {
    "postgres": """
admin file: load
""",
    "mysql": """
read session: handler
admin: flush, binlog, cache, change, purge, stop, repair, check, checksum, restart, uninstall, reset, start replica
admin: start slave, start group_replication
procedure: signal, resignal
metadata: help, show
transaction: xa, unlock
session: delimiter, get
admin file: clone
ddl file: import
""",
    "duckdb": """
read: summarize, pivot, unpivot, from
admin: force, load, update extensions
metadata: show
file ddl write: import
""",
    "tsql": """
procedure: if, while, print, raiserror, throw, return, begin
session: go, waitfor
transaction: save
privilege: deny, revert, setuser, execute as
admin file: backup, restore, dump, load
admin: dbcc, reconfigure
file write: bulk
read: readtext
write: writetext, updatetext, send, receive
ddl: enable, disable
""",
    "snowflake": """
file: list, ls, remove, rm
session: unset
metadata: show
""",
    "bigquery": """
procedure: assert, if, while, loop, repeat, for, case, raise, return, begin
file write: load
""",
}


def _read(text: str, dialect: str) -> dict[tuple[str, str], frozenset[Action]]:
    found: dict[tuple[str, str], frozenset[Action]] = {}
    for line in text.strip().splitlines():
        actions, _, named = line.partition(":")
        for word in named.split(","):
            found[dialect, word.strip().upper()] = frozenset(cast("list[Action]", actions.split()))
    return found


ACTIONS_OF: Final[Mapping[tuple[str, str], frozenset[Action]]] = {
    key: value
    for table in (_read(_EVERYWHERE, ""), *(_read(text, dialect) for dialect, text in _BY_DIALECT.items()))
    for key, value in table.items()
}
"""By dialect (empty for all) and first word, or first two: what such a statement does."""
