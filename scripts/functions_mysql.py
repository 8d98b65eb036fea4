# ruff: noqa: INP001 - a script, not a package
"""Write src/langguard/sql/dialects/functions_mysql.py: the functions of MySQL and MariaDB a statement may call.

MariaDB lists its own functions in information_schema.SQL_FUNCTIONS, those that are words of its grammar apart. A name
is allowed when it

- is listed there, or in ADDED with the reason there;
- is not in DENIED, where each name has its reason: what it reads, waits for, changes or hides.

Run where MariaDB is installed: python scripts/functions_mysql.py
"""

import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.mariadb import find_server, start_mariadb  # noqa: E402 - found through the line above

DENIED: dict[str, str] = {
    "benchmark sleep": "take time, and nothing else",
    "get_lock is_free_lock is_used_lock release_all_locks release_lock": "locks that other sessions see",
    "binlog_gtid_pos master_gtid_wait master_pos_wait wsrep_last_seen_gtid wsrep_last_written_gtid "
    "wsrep_sync_wait_upto_gtid": "replication: waits, and tells the server's place in it",
    "load_file": "reads a file of the server's",
    "des_decrypt des_encrypt": "read keys from a file of the server's",
    "encrypt old_password password": "made for the server's own accounts",
    "last_insert_id row_count found_rows": "tell what the connection did before; last_insert_id(x) changes it",
    "connection_id database schema schemas session_user system_user version": "tell about the server and the session",
    "uuid_short": "counts a number of the server's up",
    "extractvalue updatexml": "made to put a value into an error's text; Oracle's and MySQL's own advice is JSON",
    "name_const": "for the server's own use; puts values into names",
    "aes_decrypt aes_encrypt compress decode encode uncompress uncompressed_length": "hide what a text holds from "
    "detectors; uncompress makes megabytes of a few bytes",
    "column_check column_exists column_json column_list": "dynamic columns, which have no words in the parser",
    "concat_operator_oracle decode_oracle lpad_oracle ltrim_oracle replace_oracle rpad_oracle rtrim_oracle "
    "substr_oracle trim_oracle": "the inside of another SQL mode",
    "decode_histogram": "reads statistics, which hold values of columns",
    "json_merge": "replaced by json_merge_preserve in both engines",
    "sformat": "makes a text of any width from a number",
    "cast": "a form of the language: added below",
}
ADDED: dict[str, str] = {
    "all any cast convert default exists extract if in match position row some substring trim values": "forms of the "
    "language that stand before a bracket",
    "adddate ascii avg char charset curdate current_date current_time current_timestamp curtime date day hour insert "
    "left localtime localtimestamp minute mod month now quarter repeat replace right second sysdate time timestamp "
    "timestampadd timestampdiff truncate utc_date utc_time utc_timestamp week weight_string year": "words of the "
    "grammar, so not listed; the clock is no secret",
    "coalesce ifnull interval nullif": "conditions, partly words of the grammar",
    "avg count group_concat last_value max min row_number sum": "aggregates and windows",
    "any_value bin_to_uuid grouping is_uuid regexp_like uuid_to_bin json_storage_size json_schema_valid": "MySQL's "
    "alone: they only compute",
    "st_area st_astext st_contains st_distance st_distance_sphere st_geomfromtext st_intersects st_length st_within "
    "st_x st_y point": "geometry: loaded as a plugin, so not listed",
}
NOT_FUNCTIONS = frozenset({"in", "default", "match", "interval"})


def allowed() -> tuple[str, list[str]]:
    """Return the server's version and the names the rule lets through, sorted."""
    server = find_server()
    if server is None:
        sys.exit("MariaDB is not installed")
    with start_mariadb(server) as running, running.connect() as link, link.cursor() as cursor:
        cursor.execute("SELECT VERSION()")
        version = cursor.fetchone()[0]
        cursor.execute("SELECT LOWER(FUNCTION) FROM information_schema.SQL_FUNCTIONS")
        listed = {row[0] for row in cursor.fetchall()}
    denied = {name for names in DENIED for name in names.split()}
    unknown = denied - listed
    if unknown:
        sys.exit(f"denied, and not listed by this server: {' '.join(sorted(unknown))}")
    added = {name for names in ADDED for name in names.split()}
    return version.partition("-")[0], sorted(((listed - denied) | added) - NOT_FUNCTIONS)


def main() -> None:
    """Write the module."""
    version, names = allowed()
    body = textwrap.fill(" ".join(names), 118)
    target = ROOT / "src/langguard/sql/dialects/functions_mysql.py"
    target.write_text(
        f'"""MySQL and MariaDB functions a statement may call. Made by scripts/functions_mysql.py '
        f'from {version}."""\n\n'
        f'from langguard.sql.words import words\n\nFUNCTIONS = words(\n    """\n{body}\n"""\n)\n',
        encoding="utf-8",
    )
    print(len(names), "names")  # noqa: T201


if __name__ == "__main__":
    main()
