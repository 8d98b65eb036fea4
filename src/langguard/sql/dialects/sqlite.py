"""SQLite, 3.40 and later."""

from langguard.sql.allowed import NAMED_TYPES
from langguard.sql.dialects.functions_sqlite import FUNCTIONS
from langguard.sql.dialects.rules import Rules, node_rules
from langguard.sql.words import words

SQLITE = Rules(
    name="sqlite",
    title="SQLite",
    home="main",
    functions=FUNCTIONS,
    operators=words("+ - * / % = == <> != < > <= >= || -> ->> | & ~ << >>"),
    named_types=NAMED_TYPES | {"numeric"},
    # Types of numeric affinity, which the parser would write as REAL, INTEGER and BLOB.
    own_types=dict.fromkeys(("DECIMAL", "BOOLEAN", "BINARY", "VARBINARY"), "NUMERIC"),
    plain_calls=words("mod log2 log10"),
    system_schemas=words("temp information_schema"),
    system_prefixes=("sqlite_", "pragma_", "dbstat", "json_each", "json_tree", "fts5vocab", "bytecode", "tables_used"),
    nodes=node_rules(minus="Merge Whens When"),
    hidden_columns=words("rowid oid _rowid_"),
    dollar="name",
    literal_in_double_quotes=True,
    alias_columns=False,
    comma_binds_last=False,
    using_merges=False,
    always_recursive=True,
    aliases="where",
    collated_output=True,
    declared_names=True,
    operator_functions=words("like glob"),
    # Without code of the application's, SQLite has no REGEXP.
    refused_words=words("REGEXP"),
)
