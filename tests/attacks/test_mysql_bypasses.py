"""MySQL statements that try to pass as a plain read, to hide a column, or to be read in two ways."""

import pytest

from langguard.protocol import Catalog, Column, Facts, InnerMask, Refusal, RowFilter, SqlObligations, Table
from langguard.sql import actions, analyze, rewrite


def table(name, columns, **more):
    return Table(
        schema="shop",
        name=name,
        columns=tuple(Column(name=c, type="text", kind="text") for c in columns.split()),
        **more,
    )


CATALOG = Catalog(
    dialect="mysql",
    default_schemas=("shop",),
    tables=(table("people", "id name ssn"), table("log", "id entry"), table("rank", "id word")),
    user_functions=("leak", "any_value"),
)


@pytest.mark.parametrize(
    "text",
    [
        "select 1 /*! union select ssn from people */",
        "select 1 /*!50000 union select ssn from people */",
        "select 1 /*M!100000 union select ssn from people */",
        "select /*+ set_var(sql_mode='') */ 1",
        "select 1--1",
        "select id from people --x",
        "select 'a\\",
        'select "a',
        "select `a",
        "select n'x'",
        "select _latin1'x'",
        "select 0x41 + 0",
        "select @1",
        "select @ssn := ssn from people",
        "select @@version",
        "select id := 1 from people",
        "select id into @x from people",
        "select id from people into outfile '/tmp/x'",
        "select id from people into dumpfile '/tmp/x'",
        "select id from people for update",
        "select id from people lock in share mode",
        "select id from people for share skip locked",
        "select id from people procedure analyse()",
        "select sql_calc_found_rows id from people",
        "select sql_buffer_result id from people",
        "select id from people partition (p0)",
        "select id from people use index (a)",
        "select id from people for system_time all",
        "select * from json_table('[1]', '$[*]' columns (x int path '$')) t",
        "select * from seq_1_to_10",
        "select * from mysql.user",
        "select * from MySQL.USER",
        "select * from information_schema.processlist",
        "select * from performance_schema.accounts",
        "select * from sys.session",
        "select _rowid from people",
        "select next value for s",
        "select nextval(s), lastval(s), setval(s, 1)",
        "select sleep(1)",
        "select benchmark(1, 1)",
        "select get_lock('a', 1)",
        "select load_file('/etc/passwd')",
        "select last_insert_id(5)",
        "select extractvalue('<a/>', ssn) from people",
        "select updatexml('<a/>', ssn, 1) from people",
        "select name_const(ssn, 1) from people",
        "select uuid_short()",
        "select user(), database(), version()",
        "select current_user",
        "select `upper`(name) from people",
        "select leak(name) from people",
        "select any_value(name) from people",
        "select shop.leak(name) from people",
        "select values(ssn) from people",
        "select default(ssn) from people",
        "select people from people",
        "select ssn from people p (id, name, ssn)",
        "select id from people; delete from people",
        "replace into people values (1, 'a', 'b')",
        "handler people open",
        "do sleep(1)",
        "set @x = 1",
        "call p()",
        "load data infile 'x' into table people",
        "prepare s from 'delete from people'",
        "execute immediate 'delete from people'",
        "explain select 1",
        "analyze select 1",
        "kill 1",
        "xa begin 'x'",
    ],
)
def test_what_is_more_than_a_read_is_refused(text):
    assert isinstance(analyze(text, "mysql", CATALOG), Refusal)


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("select 'a\\' union select ssn from people -- '", set()),
        ('select "a\\" union select ssn from people -- "', set()),
        ("select '\\\\', ssn from people", {"ssn"}),
        ("select 1 /* /* */ union select ssn from people -- */", {"ssn"}),
        ('select "ssn" from people', set()),
        ("select 'ssn' from people", set()),
        ("select `ssn` from people", {"ssn"}),
        ("select SSN as x from PEOPLE having x > ''", {"ssn"}),
        # A name that is an output's and a column's carries both.
        ("select id as ssn from people having ssn > ''", {"id", "ssn"}),
        ("select name as ssn, id from people order by concat(ssn, '')", {"id", "name", "ssn"}),
        ("select name || ssn from people", {"name", "ssn"}),
        ("select group_concat(ssn order by id separator '|') from people", {"ssn", "id"}),
        ("select if(1, ssn, 0), ifnull(ssn, ''), ssn regexp 'a', ssn ->> '$.a' from people", {"ssn"}),
        ("select insert('abc', 1, 1, ssn), mod(ssn, 2), date_format(ssn, '%H:%i:%s') from people", {"ssn"}),
        ("select match (ssn) against ('x' in boolean mode) from people", {"ssn"}),
        ("select (select max(p.ssn) from people p) from people", {"ssn"}),
        (
            "with recursive t as (select id, ssn from people union select id, ssn from t) select ssn from t",
            {"ssn", "id"},
        ),
        ("select json_objectagg(name, ssn), json_arrayagg(ssn) from people", {"name", "ssn"}),
        ("select convert(ssn using utf8mb4) from people", None),
        ("select timestampadd(day, 1, ssn), date_add(ssn, interval id day) from people", {"ssn", "id"}),
        ("select entry from log", {"entry"}),
        ("select word from `rank`", {"word"}),
    ],
)
def test_outputs_carry_what_they_are_made_of(text, columns):
    found = analyze(text, "mysql", CATALOG)
    if columns is None:
        assert isinstance(found, Refusal)
        return
    assert isinstance(found, Facts), found
    assert found.actions == ("read",)
    carried = {column.rpartition(".")[2] for output in found.outputs for column in output.columns}
    assert carried <= columns
    assert carried | {column.rpartition(".")[2] for column in found.touched} == columns


@pytest.mark.parametrize(
    "text",
    [
        "update people, log set people.name = log.entry",
        "update people join log on people.id = log.id set people.name = 'x'",
        "update people set name = 'x' order by id limit 1",
        "delete people from people join log using (id)",
        "delete from people using people join log using (id)",
        "delete from people order by id limit 1",
        "delete quick from people",
        "insert into people select * from mysql.user",
        "insert into people (id) values (sleep(1))",
        "insert into people (id) values (1) on duplicate key update name = (select load_file('x'))",
    ],
)
def test_writes_that_are_not_analysed_are_refused(text):
    assert isinstance(analyze(text, "mysql", CATALOG), Refusal)


def test_a_table_may_be_called_like_a_function():
    found = analyze(
        "insert into log (id, entry) values (1, 'x') on duplicate key update entry = values(entry)", "mysql", CATALOG
    )
    assert isinstance(found, Facts), found
    assert found.statement == (
        "INSERT INTO `shop`.`log` (`id`, `entry`) VALUES (1, 'x') ON DUPLICATE KEY UPDATE `entry` = VALUES(`entry`)"
    )
    assert actions("select * from log", "mysql") == {"read"}


def test_filters_and_masks_stand_below_what_the_statement_asks():
    found = analyze("select name from people p where ssn = 'x' order by length(name)", "mysql", CATALOG)
    assert isinstance(found, Facts), found
    sent = rewrite(
        found,
        SqlObligations(
            rows=5,
            filters=(RowFilter(table="shop.people", where="name = principal.name", values={"name": ("it's \\",)}),),
            masks=(InnerMask(column="shop.people.ssn", value="a\\'b"),),
        ),
        CATALOG,
    )
    assert isinstance(sent, str), sent
    assert "`ssn` = 'x'" in sent
    assert "'a\\\\''b' AS `ssn`" in sent
    assert "= 'it''s \\\\'" in sent
    assert sent.endswith("LIMIT 6")
