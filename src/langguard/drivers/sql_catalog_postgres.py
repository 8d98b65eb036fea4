# ruff: noqa: S608 - queries are put together of constants
"""PostgreSQL's structure, from its own catalogue, with every object that could run code no statement shows."""

from collections import defaultdict

from sqlalchemy import Connection

from langguard.protocol import Catalog, Column, ColumnKind, ForeignKey, Table

_PG_KINDS: dict[str, ColumnKind] = {
    "S": "text",
    "E": "text",
    "N": "number",
    "B": "boolean",
    "D": "time",
    "T": "time",
    "I": "network",
    "A": "array",
}
_PG_NAMED: dict[str, ColumnKind] = {"uuid": "uuid", "json": "json", "jsonb": "json", "bytea": "binary"}
_ASK_COLUMNS = """
SELECT n.nspname, c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull,
       t.typcategory::text, t.typname, c.relkind::text,
       CASE WHEN a.attgenerated <> '' THEN pg_catalog.pg_get_expr(ad.adbin, ad.adrelid) END
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef ad ON ad.adrelid = a.attrelid AND ad.adnum = a.attnum
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND n.nspname = ANY (%(schemas)s)
  AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT,INSERT,UPDATE')
ORDER BY n.nspname, c.relname, a.attnum
"""
_ASK_KEYS = """
SELECT n.nspname, c.relname, k.contype::text,
       (SELECT pg_catalog.array_agg(a.attname::text ORDER BY u.place) FROM pg_catalog.unnest(k.conkey)
          WITH ORDINALITY u(num, place) JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num),
       fn.nspname, fc.relname,
       (SELECT pg_catalog.array_agg(a.attname::text ORDER BY u.place) FROM pg_catalog.unnest(k.confkey)
          WITH ORDINALITY u(num, place) JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.num)
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_class fc ON fc.oid = k.confrelid
LEFT JOIN pg_catalog.pg_namespace fn ON fn.oid = fc.relnamespace
WHERE k.contype IN ('p', 'f') AND n.nspname = ANY (%(schemas)s)
ORDER BY k.conname
"""
_USED = """
WITH used AS (
  SELECT DISTINCT u.kind FROM pg_catalog.pg_attribute a
  JOIN pg_catalog.pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = ANY (%(schemas)s)
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  CROSS JOIN LATERAL (VALUES (a.atttypid), (t.typelem), (t.typbasetype)) u(kind)
  WHERE a.attnum > 0 AND NOT a.attisdropped AND u.kind <> 0
), own AS (
  SELECT t.oid, t.typname FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
  WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
), shipped AS (
  SELECT d.classid, d.objid FROM pg_catalog.pg_depend d WHERE d.deptype = 'e'
)
"""
# A function counts when it could be chosen: its arguments are of built-in types, or of types that columns here have.
# An extension's `avg(vector)` does not taint `avg(numeric)`.
_ASK_FUNCTIONS = (
    _USED
    + """
SELECT DISTINCT pg_catalog.lower(p.proname::text) FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
AND NOT EXISTS (SELECT 1 FROM pg_catalog.unnest(p.proargtypes) u(kind) JOIN own ON own.oid = u.kind
  WHERE u.kind NOT IN (SELECT kind FROM used) OR EXISTS (SELECT 1 FROM shipped s
    WHERE s.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND s.objid = p.oid))
"""
)
_ASK_OPERATORS = """
SELECT DISTINCT o.oprname::text FROM pg_catalog.pg_operator o
JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
  WHERE t.oid IN (o.oprleft, o.oprright) AND tn.nspname <> 'pg_catalog')
"""
_CASTS = """
SELECT k.castsource, k.casttarget, k.castcontext FROM pg_catalog.pg_cast k
LEFT JOIN pg_catalog.pg_proc p ON p.oid = k.castfunc
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE (k.oid >= 16384 OR n.nspname <> 'pg_catalog') AND NOT EXISTS (SELECT 1 FROM shipped s
  WHERE s.classid = 'pg_catalog.pg_cast'::pg_catalog.regclass AND s.objid = k.oid)
"""
# Casts between built-in types: explicit ones by the name of their target, * for one that no text shows.
_ASK_CASTS = (
    _USED
    + f"""
SELECT DISTINCT CASE WHEN k.castcontext = 'i' THEN '*' ELSE pg_catalog.format_type(k.casttarget, NULL) END
FROM ({_CASTS}) k WHERE k.casttarget NOT IN (SELECT oid FROM own) AND k.castsource NOT IN (SELECT oid FROM own)
"""
)
# Columns whose type brings operators or casts of the database's owner: comparing or converting one runs them.
_ASK_RISKY = (
    _USED
    + f"""
SELECT n.nspname, c.relname, a.attname::text FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE n.nspname = ANY (%(schemas)s) AND a.attnum > 0 AND NOT a.attisdropped AND EXISTS (
  SELECT 1 FROM own WHERE own.oid IN (t.oid, t.typelem, t.typbasetype) AND (
    EXISTS (SELECT 1 FROM ({_CASTS}) k WHERE own.oid IN (k.castsource, k.casttarget))
    OR EXISTS (SELECT 1 FROM pg_catalog.pg_operator o WHERE own.oid IN (o.oprleft, o.oprright) AND NOT EXISTS (
      SELECT 1 FROM shipped s WHERE s.classid = 'pg_catalog.pg_operator'::pg_catalog.regclass AND s.objid = o.oid))))
ORDER BY a.attnum
"""
)
_CALLED = """
ARRAY(SELECT DISTINCT p.proname::text FROM pg_catalog.pg_depend d
  LEFT JOIN pg_catalog.pg_operator o ON d.refclassid = 'pg_catalog.pg_operator'::pg_catalog.regclass
    AND o.oid = d.refobjid
  JOIN pg_catalog.pg_proc p ON p.oid = CASE WHEN o.oid IS NULL THEN d.refobjid ELSE o.oprcode END
  JOIN pg_catalog.pg_namespace pn ON pn.oid = p.pronamespace
  WHERE d.classid = 'pg_catalog.{kind}'::pg_catalog.regclass AND d.objid = x.oid AND pn.nspname <> 'pg_catalog'
  AND d.refclassid IN ('pg_catalog.pg_proc'::pg_catalog.regclass, 'pg_catalog.pg_operator'::pg_catalog.regclass))
"""
_ASK_VIEWS = f"""
SELECT n.nspname, c.relname, pg_catalog.pg_get_viewdef(c.oid), {_CALLED.format(kind="pg_rewrite")}
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_rewrite x ON x.ev_class = c.oid AND x.ev_type = '1'
WHERE c.relkind IN ('v', 'm') AND n.nspname = ANY (%(schemas)s)
ORDER BY n.nspname, c.relname
"""
_ASK_POLICIES = f"""
SELECT n.nspname, c.relname, pg_catalog.concat(pg_catalog.pg_get_expr(x.polqual, x.polrelid), ' ',
       pg_catalog.pg_get_expr(x.polwithcheck, x.polrelid)), {_CALLED.format(kind="pg_policy")}
FROM pg_catalog.pg_policy x JOIN pg_catalog.pg_class c ON c.oid = x.polrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relrowsecurity AND n.nspname = ANY (%(schemas)s)
"""
_ASK_PARENTS = """
SELECT n.nspname, c.relname, pn.nspname, p.relname FROM pg_catalog.pg_inherits i
JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class p ON p.oid = i.inhparent JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
WHERE n.nspname = ANY (%(schemas)s) AND c.relkind IN ('r', 'p', 'f') ORDER BY i.inhseqno
"""


def read(connection: Connection, schemas: tuple[str, ...], allowed: tuple[str, ...]) -> Catalog:
    """Return the structure of these schemas, `public` where none is given; `allowed` are functions vouched for."""
    schemas = schemas or ("public",)
    given = {"schemas": list(schemas)}
    # With no schema on the path the server writes each name in a definition with its schema.
    connection.exec_driver_sql("SELECT pg_catalog.set_config('search_path', '', true)")
    columns: dict[tuple[str, str], list[Column]] = defaultdict(list)
    viewed: dict[tuple[str, str], list[Column]] = defaultdict(list)
    for schema, table, name, text, required, category, type_name, sort, made in connection.exec_driver_sql(
        _ASK_COLUMNS, given
    ):
        kind = _PG_NAMED.get(type_name) or _PG_KINDS.get(category, "other")
        held = viewed if sort in {"v", "m"} else columns
        column = Column(name=name, type=text, kind=kind, nullable=not required, made_of=(made,) if made else ())
        held[schema, table].append(column)
    primary: dict[tuple[str, str], tuple[str, ...]] = {}
    foreign: dict[tuple[str, str], list[ForeignKey]] = defaultdict(list)
    for schema, table, kind, own, far_schema, far_table, far in connection.exec_driver_sql(_ASK_KEYS, given):
        if kind == "p":
            primary[schema, table] = tuple(own)
        else:
            key = ForeignKey(columns=tuple(own), table=f"{far_schema}.{far_table}", references=tuple(far))
            foreign[schema, table].append(key)
    parents: dict[tuple[str, str], list[str]] = defaultdict(list)
    for schema, table, far_schema, far_table in connection.exec_driver_sql(_ASK_PARENTS, given):
        parents[schema, table].append(f"{far_schema}.{far_table}")
    refused = _refused_tables(connection, given, allowed)
    tables = tuple(
        Table(
            schema=schema,
            name=table,
            columns=_made_of(tuple(held)),
            primary_key=primary.get((schema, table), ()),
            foreign_keys=tuple(foreign[schema, table]),
            parents=tuple(parents[schema, table]),
            refused=refused.get((schema, table), ""),
        )
        for (schema, table), held in columns.items()
    )
    catalog = Catalog(
        dialect="postgres",
        default_schemas=schemas,
        tables=tables,
        user_functions=tuple(sorted(row[0] for row in connection.exec_driver_sql(_ASK_FUNCTIONS, given))),
        user_operators=tuple(sorted(row[0] for row in connection.exec_driver_sql(_ASK_OPERATORS))),
        user_casts=tuple(sorted(row[0] for row in connection.exec_driver_sql(_ASK_CASTS, given))),
        allowed_functions=allowed,
    )
    if not viewed:
        return catalog
    from langguard.sql.views import Definition, with_views  # noqa: PLC0415 - loads sqlglot, only where there are views

    definitions = tuple(
        Definition(schema=schema, name=name, columns=tuple(viewed[schema, name]), query=text, calls=tuple(calls))
        for schema, name, text, calls in connection.exec_driver_sql(_ASK_VIEWS, given)
        if (schema, name) in viewed
    )
    return with_views(catalog, definitions)


def _refused_tables(
    connection: Connection, given: dict[str, list[str]], allowed: tuple[str, ...]
) -> dict[tuple[str, str], str]:
    """Return why tables may not be read: reading them runs code of the database's owner that no statement shows."""
    found: dict[tuple[str, str], str] = {}
    for schema, table, column in connection.exec_driver_sql(_ASK_RISKY, given):
        found.setdefault(
            (schema, table), f"the type of its column {column} has operators or casts of the database's own."
        )
    policies = connection.exec_driver_sql(_ASK_POLICIES, given).fetchall()
    if not policies:
        return found
    from langguard.sql.views import policy_refused  # noqa: PLC0415 - as above

    for schema, table, text, calls in policies:
        reason = policy_refused((text,), tuple(calls), allowed)
        if reason:
            found.setdefault((schema, table), reason)
    return found


def _made_of(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """Put the names of columns in place of the expressions of generated ones."""
    if not any(column.made_of for column in columns):
        return columns
    from langguard.sql.views import with_makings  # noqa: PLC0415 - as above

    return with_makings(columns, "postgres")
