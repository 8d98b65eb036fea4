"""On a real MariaDB: whatever is called a read changes nothing, and needs no right but SELECT on the columns touched.

Each statement runs twice. First as a user that may read exactly the columns that its facts name, then as the server's
root in a transaction that may write. Statements come from a grammar, from hostile ones mangled at random, and from
quotes, escapes and comments thrown together, which the server must split as the analyser did.
"""

import pymysql
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from langguard.drivers.sql import open_engine
from langguard.drivers.sql_base import Terms
from langguard.drivers.sql_catalog import snapshot
from langguard.drivers.sql_mysql import pin
from langguard.protocol import Facts, SqlObligations
from langguard.sql import analyze, rewrite

TABLES = {
    "customers": "id name email region",
    "orders": "id customer_id total note",
    "items": "id order_id price title",
    "secrets": "id word",
}
SETUP = """
CREATE TABLE customers (id INT, name TEXT, email TEXT, region VARCHAR(20), FULLTEXT (name));
CREATE TABLE orders (id INT, customer_id INT, total DECIMAL(10,2), note TEXT);
CREATE TABLE items (id INT, order_id INT, price DECIMAL(10,2), title TEXT);
CREATE TABLE secrets (id INT, word TEXT);
INSERT INTO customers VALUES (1, 'Ann', 'ann@example.com', 'north'), (2, 'Bo', NULL, 'south');
INSERT INTO orders VALUES (1, 1, 10.5, 'now'), (2, 2, 20, '{"k": 1}');
INSERT INTO items VALUES (1, 1, 5, 'pen'), (2, 2, 7, 'ink');
INSERT INTO secrets VALUES (1, 'plugh');
CREATE SEQUENCE numbers;
CREATE FUNCTION spoil(x INT) RETURNS INT BEGIN DELETE FROM items; RETURN x; END;
CREATE FUNCTION any_value(x TEXT) RETURNS TEXT BEGIN UPDATE orders SET total = 0; RETURN x; END;
CREATE SQL SECURITY INVOKER VIEW named AS SELECT id, UPPER(name) AS name FROM customers;
CREATE VIEW spoiling AS SELECT id, spoil(id) AS x FROM customers;
CREATE PROCEDURE p() DELETE FROM items;
"""
FUNCTIONS = """
upper lower length abs coalesce ifnull count max min sum avg round substr replace trim concat concat_ws group_concat if
nullif now curdate date_format md5 row_number json_extract json_unquote json_object json_arrayagg nextval lastval
setval sleep benchmark get_lock release_lock load_file last_insert_id found_rows row_count user version database
extractvalue updatexml name_const uuid_short spoil any_value insert left elt field find_in_set char hex unhex
regexp_replace interval values std log10 mod to_days convert_tz sys_exec des_encrypt master_pos_wait p is_used_lock
""".split()  # noqa: SIM905 - a list of words
OPERATORS = "+ - * / % = <> < > <=> and or xor || && like rlike regexp is in div mod & | ^ << -> ->> := !".split()  # noqa: SIM905
HOSTILE = [
    "select 1 /*! union select word from secrets */",
    "select 1 /*!50000 union select word from secrets */ from customers",
    "select /*M! (select word from secrets), */ id from customers",
    "select id from customers into outfile '/tmp/langguard-differential'",
    "select id into @x from customers",
    "select id from customers into dumpfile '/tmp/langguard-differential'",
    "select @x := word from secrets",
    "select id from customers for update",
    "select id from customers lock in share mode",
    "select id from customers procedure analyse()",
    "select next value for numbers",
    "select nextval(numbers), lastval(numbers), setval(numbers, 5)",
    "select spoil(id) from customers",
    "select any_value(name) from customers",
    "select * from spoiling",
    "select get_lock('a', 1), release_lock('a')",
    "select sleep(1) from customers",
    "select load_file('/etc/passwd')",
    "select last_insert_id(7)",
    "select extractvalue('<a/>', concat('~', (select word from secrets)))",
    "select * from customers; delete from items",
    "select 'a\\' union select word from secrets -- '",
    'select "a\\" union select word from secrets -- "',
    "select '\\\\' union select word from secrets -- '",
    "select 1 -- 2 union select word from secrets",
    "select 1--2 union select word from secrets",
    "select 1 # \n union select word from secrets",
    "select 1 /* /* */ union select word from secrets -- */",
    "select `id`, 'a' 'b', _utf8'x', x'41' from customers",
    "select (select word from secrets) from customers",
    "select name from customers having name in (select word from secrets)",
    "select name as word from customers order by (select max(word) from secrets)",
    "select id from customers where match (name) against ('ann' in boolean mode)",
    "with recursive r as (select id from orders union select r.id from r join secrets using (id)) select * from r",
    "select * from named natural join customers",
    "select id from customers union select id from secrets order by 1",
    "select * from customers partition (p0)",
    "select * from customers use index (name)",
    "handler customers open",
    "do sleep(1)",
    "call p()",
    "replace into items values (9, 9, 9, 'x')",
    "select * from mysql.user",
    "select * from information_schema.tables",
    "select * from seq_1_to_10",
    "select * from json_table('[1]', '$[*]' columns (x int path '$')) t",
    "select sum(total) over w, count(*) from orders group by id with rollup window w as (order by id)",
    "select interval(1, 2), values(name), default(name) from customers",
    "table secrets",
    "values ((select max(word) from secrets))",
    "explain delete from items",
    "analyze select * from items",
]
TABLE = st.sampled_from([*TABLES, *TABLES, "named", "spoiling", "`orders`", "numbers", "dual", "Customers"])
NAMES = sorted({column for columns in TABLES.values() for column in columns.split()})
COLUMN = st.sampled_from([*NAMES, *NAMES, "t.id", "t.name", "u.id", "u.note", "t.*", "*", "`word`", "@x", "@@version"])
LITERAL = st.sampled_from(
    ["1", "'x'", '"y"', "null", "2.5", "'a''b'", "'a\\'b'", "true", "'{}'", "x'41'", "0x41", "''"]
)


def _expressions(inner):
    return st.one_of(
        st.tuples(st.sampled_from(FUNCTIONS), st.lists(inner, max_size=3)).map(lambda p: f"{p[0]}({', '.join(p[1])})"),
        st.tuples(inner, st.sampled_from(OPERATORS), inner).map(" ".join),
        inner.map("({})".format),
        inner.map("not {}".format),
        inner.map("cast({} as char)".format),
        inner.map("date_add({}, interval 1 day)".format),
        inner.map("case when {} then 1 else 2 end".format),
        st.tuples(inner, TABLE, inner).map(lambda p: f"(select {p[0]} from {p[1]} u where {p[2]} limit 1)"),
        st.tuples(TABLE, inner).map(lambda p: f"exists (select 1 from {p[0]} u where {p[1]})"),
    )


EXPRESSION = st.recursive(st.one_of(COLUMN, LITERAL), _expressions, max_leaves=5)
TAIL = st.sampled_from(
    [
        *("", "", " order by 1", " limit 2", " limit 1, 2", " for update", " group by 1", " group by 1 with rollup"),
        *(" having v > 1", " having name > 'a'", " order by abs(v)", " group by v", "; select 1", " into @x"),
    ]
)
JOIN = st.sampled_from([" join {} u on t.id = u.id", ", {} u", " left join {} u using (id)", " natural join {} u"])
FROM = st.one_of(TABLE.map("{} t".format), st.tuples(TABLE, JOIN, TABLE).map(lambda p: f"{p[0]} t" + p[1].format(p[2])))
OUTPUT = st.tuples(EXPRESSION, st.sampled_from(["", "", " as v", " as name", " 'n'"])).map("".join)
SELECT = st.tuples(st.lists(OUTPUT, min_size=1, max_size=3), FROM, st.one_of(st.none(), EXPRESSION), TAIL).map(
    lambda p: f"select {', '.join(p[0])} from {p[1]}" + (f" where {p[2]}" if p[2] else "") + p[3]
)
WITH = st.tuples(SELECT, SELECT).map(lambda p: f"with customers as ({p[0]}) {p[1]}")
UNION = st.tuples(SELECT, SELECT).map(" union ".join)
PIECES = [
    "'",
    '"',
    "`",
    "\\",
    "''",
    "\\'",
    "--",
    "-- ",
    "#",
    "/*",
    "*/",
    "/*!",
    "\n",
    " ",
    "a",
    "1",
    ",",
    "id",
    "(",
    ")",
]
NOISE = st.tuples(
    st.lists(st.sampled_from([*PIECES, " union select word from secrets "]), min_size=1, max_size=9).map("".join),
    st.sampled_from(["'{}'", '"{}"', "{}", "'{}", "1 {} 1", "1 /*{}*/", "'a' '{}'", "`{}`"]),
).map(lambda p: f"select {p[1].format(p[0])} from customers")


@st.composite
def mangled(draw):
    """A hostile statement with words dropped, doubled, swapped or replaced by those of another."""
    words = draw(st.sampled_from(HOSTILE)).split(" ")
    other = draw(st.sampled_from(HOSTILE)).split(" ")
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(words) - 1))
        how = draw(st.sampled_from(("drop", "double", "replace", "splice")))
        if how == "drop" and len(words) > 1:
            words.pop(at)
        elif how == "double":
            words.insert(at, words[at])
        elif how == "replace":
            words[at] = draw(st.sampled_from(other))
        else:
            words[at:] = other[draw(st.integers(0, len(other) - 1)) :]
    return " ".join(words)


@st.composite
def plausible(draw):
    """A statement whose names exist, in the shapes that are MySQL's own."""

    def value(alias, table):
        column = f"{alias}.{draw(st.sampled_from(TABLES[table].split()))}"
        other = draw(st.sampled_from(sorted(TABLES)))
        shapes = (
            column,
            f"concat({column}, 'x')",
            f"if({column} regexp '^a', 1, {column})",
            f"(select max(s.id) from {other} s where s.id = {alias}.id)",
            f"exists (select 1 from {other} s where s.id = {alias}.id)",
            f"group_concat(distinct {column} order by {column} separator '|')",
            f"count(distinct {column})",
            f"row_number() over (order by {column})",
            f"{draw(st.sampled_from(FUNCTIONS))}({column})",
        )
        return draw(st.sampled_from(shapes))

    first, second = draw(st.sampled_from(sorted(TABLES))), draw(st.sampled_from(sorted(TABLES)))
    name = draw(st.sampled_from(["v", "id", "name", "word"]))
    tail = draw(
        st.sampled_from(["", f" having {name} > 0", f" group by {name}", f" order by abs({name}), 1", " limit 1"])
    )
    outputs = f"{value('t', first)} as {name}, {value('t', first)}"
    where = f" where {value('t', first)} <=> 1" if draw(st.booleans()) else ""
    shape = draw(st.integers(0, 5))
    if shape == 0:
        return f"select * from {first} t{where}"
    if shape == 1:
        return f"select {outputs}, {value('u', second)} from {first} t join {second} u on u.id = t.id{where}{tail}"
    if shape == 2:
        return f"with {second} as (select * from {first}) select {outputs} from {second} t{where}{tail}"
    if shape == 3:
        return f"select q.* from (select {value('t', first)} as v from {first} t{where}) q order by 1"
    if shape == 4:
        return f"select id from {first} union select id from {second} order by id"
    return f"select {outputs} from {first} t left join {second} u using (id){where}{tail}"


STATEMENTS = st.one_of(plausible(), plausible(), SELECT, WITH, UNION, mangled(), NOISE, NOISE)
EXAMPLES = settings(
    max_examples=500, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)
DENIED = {1044, 1142, 1143, 1227, 1370, 1345, 1356}
STATE = [
    *(f"SELECT * FROM {table}" for table in TABLES),
    "SELECT next_not_cached_value FROM numbers",
    "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()",
    "SELECT VARIABLE_NAME, VARIABLE_VALUE FROM information_schema.USER_VARIABLES",
    "SELECT COUNT(*) FROM performance_schema.metadata_locks WHERE OBJECT_TYPE = 'USER LEVEL LOCK'",
    "SELECT @@sql_mode, @@autocommit, @@insert_id, @@last_insert_id, @@timestamp > 0, LAST_INSERT_ID()",
]


def _state(cursor):
    found = []
    for asked in STATE:
        cursor.execute(asked)
        found.append(cursor.fetchall())
    return found


def _run(cursor, text):
    """Run and fetch; return the error's number, or nothing."""
    try:
        cursor.execute(text)
        cursor.fetchall()
    except pymysql.Error as failed:
        return failed.args[0]
    return None


@pytest.fixture
def opened(mariadb, mariadb_database):
    with mariadb.connect(mariadb_database) as link, link.cursor() as cursor:
        for statement in SETUP.split(";\n"):
            if statement.strip():
                cursor.execute(statement)
        cursor.execute("CREATE OR REPLACE USER narrow@localhost IDENTIFIED BY 'pw'")
    engine = open_engine(mariadb.url(mariadb_database))
    catalog = snapshot(engine, dialect="mysql")
    with engine.connect() as pinned:
        pin(pinned, Terms(timeout_ms=2000, read_only=False, schemas=(), result_bytes=0))
        root = pinned.connection.driver_connection.cursor()
        with mariadb.connect(mariadb_database) as owner, owner.cursor() as grants:
            yield root, grants, catalog, lambda: mariadb.connect(mariadb_database, user="narrow", password="pw")
        pinned.rollback()
    engine.dispose()
    with mariadb.connect() as link, link.cursor() as cursor:
        cursor.execute("DROP USER narrow@localhost")


def _rights(facts, catalog):
    """Return what may be read, as GRANT words it: the columns touched, or one of a table that is only counted."""
    columns = {table.id: [c.name for c in table.columns] for table in (*catalog.tables, *catalog.views)}
    for table in facts.tables:
        used = [c for c in columns[table] if f"{table}.{c}" in facts.touched]
        is_view = any(view.id == table for view in catalog.views)
        listed = columns[table] if is_view else used or columns[table][:1]
        yield f"SELECT ({', '.join(listed)}) ON {table}"


def test_reads_change_nothing_and_need_no_right_but_to_the_columns_touched(opened):
    root, grants, catalog, connect = opened
    root.execute("START TRANSACTION READ WRITE")
    before = _state(root)
    root.execute("ROLLBACK")
    ran = set()

    def verify(text):
        found = analyze(text, "mysql", catalog)
        if not isinstance(found, Facts) or found.actions != ("read",) or found.parameters:
            return
        sent = rewrite(found, SqlObligations(rows=5), catalog)
        if not isinstance(sent, str):
            return
        grants.execute("REVOKE ALL, GRANT OPTION FROM narrow@localhost")
        for right in {"USAGE ON *.*", *_rights(found, catalog)}:
            grants.execute(f"GRANT {right} TO narrow@localhost")
        grants.execute("GRANT EXECUTE ON *.* TO narrow@localhost")
        with connect() as link, link.cursor() as narrow:
            narrow.execute("SET SESSION max_statement_time = 2")
            number = _run(narrow, sent)
        assert number not in DENIED, (text, sent, number)
        root.execute("START TRANSACTION READ WRITE")
        if _run(root, sent) is None:
            ran.add(sent)
            assert len(root.description) == len(found.outputs), (text, sent)
        assert _state(root) == before, (text, sent)
        root.execute("ROLLBACK")

    for text in HOSTILE:
        verify(text)
    EXAMPLES(given(STATEMENTS)(verify))()
    assert len(ran) > 60, len(ran)
