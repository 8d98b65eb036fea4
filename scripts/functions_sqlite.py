# ruff: noqa: INP001 - a script, not a package
"""Write src/langguard/sql/dialects/functions_sqlite.py: the SQLite functions a statement may call.

The list is taken from `pragma_function_list` of a library made with the usual extensions (core, maths, JSON, window
functions), joined with those of HELD that other builds have. A name is allowed when every overload of it

- is marked INNOCUOUS by SQLite itself (it has no effect outside and gives away nothing but its arguments' values), or
  is named in HELD with the reason there;
- is not marked DIRECTONLY;
- matches none of PATTERNS: what reports on the build or the connection, needs a virtual table, allocates by a number
  alone, or exists to be overloaded by the application. The mark alone does not find these.

Run: python scripts/functions_sqlite.py
"""

import re
import sqlite3
import textwrap
from pathlib import Path

DIRECT_ONLY = 0x80000
INNOCUOUS = 0x200000
PATTERNS = re.compile(
    r"""^sqlite_|^fts|^rtree|^geopoly|^match$|^regexp|^load_extension$|^readfile$|^writefile$|^edit$|^zipfile
    |^changes$|^total_changes$|^last_insert_rowid$|^zeroblob$|^randomblob$|^optimize$|^snippet$|^offsets$|^matchinfo$
    |^bm25$|^highlight$|^subtype$|^decimal|^base64$|^base85$|^->>?$|^jsonb|_each$|_tree$|^shell_|^sha""",
    re.VERBOSE,
)
HELD: dict[str, str] = {
    "all any cast exists row": "forms of the language that stand before a bracket",
    "random": "volatile, and tells nothing",
    "date datetime julianday strftime time timediff unixepoch": "the clock is no secret",
    "acos acosh asin asinh atan atan2 atanh ceil ceiling cos cosh degrees exp floor ln log log10 log2 mod pi pow power "
    "radians sin sinh sqrt tan tanh trunc": "maths, left out of some builds",
    "avg count group_concat max min string_agg sum total": "aggregates",
    "cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number": "windows",
    "json json_array json_array_length json_extract json_group_array json_group_object json_insert json_object "
    "json_patch json_quote json_remove json_replace json_set json_type json_valid": "JSON, marked since SQLite 3.38",
    "concat concat_ws octet_length unhex format": "newer than some libraries",
    "soundex": "left out of most builds",
}
NOT_FUNCTIONS = frozenset({"any", "row"})
# Listed by newer libraries only: to be looked at one by one before a text may rely on them.
NEWER = re.compile(r"^(json_pretty|json_error_position|unistr|unistr_quote|if$|median|percentile)")


def allowed() -> tuple[str, list[str]]:
    """Return the library's version and the names the rule lets through, sorted."""
    connection = sqlite3.connect(":memory:")
    rows = connection.execute("SELECT name, builtin, flags FROM pragma_function_list").fetchall()
    connection.close()
    flags: dict[str, list[int]] = {}
    for name, builtin, marked in rows:
        flags.setdefault(name.lower(), []).append(marked if builtin else DIRECT_ONLY)
    innocuous = {
        name
        for name, marks in flags.items()
        if all(mark & INNOCUOUS and not mark & DIRECT_ONLY for mark in marks) and not PATTERNS.search(name)
    }
    held = {name for names in HELD for name in names.split()} - NOT_FUNCTIONS
    return sqlite3.sqlite_version, sorted(name for name in innocuous | held if not NEWER.search(name))


def main() -> None:
    """Write the module."""
    version, names = allowed()
    body = textwrap.fill(" ".join(names), 118, break_on_hyphens=False)
    target = Path(__file__).parents[1] / "src/langguard/sql/dialects/functions_sqlite.py"
    target.write_text(
        f'"""SQLite functions a statement may call. Made by scripts/functions_sqlite.py from {version}."""\n\n'
        f'from langguard.sql.words import words\n\nFUNCTIONS = words(\n    """\n{body}\n"""\n)\n',
        encoding="utf-8",
    )
    print(len(names), "names")  # noqa: T201


if __name__ == "__main__":
    main()
