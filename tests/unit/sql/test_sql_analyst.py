"""What an analyst, or a model in an analyst's place, asks: all of it must be allowed, and run."""

import pytest

from langguard.protocol import Facts, SqlObligations
from langguard.sql import actions, analyze, rewrite

BOTH = [
    "select * from customers",
    "select c.name, o.total from customers c join orders o on o.customer_id = c.id where o.total > 20 order by 2 desc",
    "select region, count(*) as n, avg(total) from customers join orders on customers.id = orders.customer_id "
    "group by region having count(*) > 1 order by n desc limit 3",
    "select c.name, (select count(*) from orders o where o.customer_id = c.id) as orders from customers c",
    "select name from customers where id in (select customer_id from orders where total > 30)",
    "select name from customers c where exists (select 1 from orders o where o.customer_id = c.id and o.total > 30)",
    "select name from customers where id not in (1, 2, 3) and region is not null and name like 'N%'",
    "with t as (select customer_id, sum(total) s from orders group by customer_id) "
    "select c.name, t.s from t join customers c on c.id = t.customer_id where t.s > (select avg(s) from t)",
    "with recursive n(i) as (select 1 union all select i + 1 from n where i < 5) select i from n",
    "select name, row_number() over (partition by region order by name) as rn from customers",
    "select id, sum(total) over (order by id rows between 2 preceding and current row) from orders",
    "select id, lag(total) over w, rank() over w from orders window w as (partition by customer_id order by total)",
    "select case when total > 50 then 'big' when total > 20 then 'middle' else 'small' end as size, count(*) "
    "from orders group by 1 order by 1",
    "select count(*) filter (where total > 20), count(distinct customer_id) from orders",
    "select name from customers union select title from products order by 1",
    "select id from customers intersect select customer_id from orders except select 3",
    "select coalesce(email, 'none'), nullif(region, 'north'), upper(name) || ' ' || lower(name) from customers",
    "select round(avg(total), 2), min(total), max(total), abs(-1) from orders",
    "select substr(name, 1, 3), length(name), replace(name, 'N', 'n'), trim(name) from customers",
    "select cast(total as integer) / 2 from orders where total between 10 and 20",
    "select a.name, b.name from customers a, customers b where a.region = b.region and a.id < b.id",
    "select c.region, p.category from customers c left join orders o on o.customer_id = c.id "
    "left join order_items i on i.order_id = o.id left join products p on p.id = i.product_id",
    "select x.region from (select region, count(*) n from customers group by region) x where x.n > 3",
    "select id from orders where (total > 10 or note = 'note 3') and not (id = 7)",
    "select distinct region from customers limit 10 offset 1",
    "select current_date, current_timestamp",
    "select 1 as one, 'it''s' as text, null as none, 1.5e3 as big",
    "select name from customers where region = $1 and id > $2",
    "values (1, 'a'), (2, 'b')",
    "select * from customers c join orders o using (id)",
    "select region, group_total from (select region, sum(id) as group_total from customers group by region) g "
    "order by group_total desc;",
    "-- the largest orders\nselect id /* key */ from orders order by total desc nulls last",
]
POSTGRES = [
    "select date_trunc('month', placed) as month, sum(total) from orders group by 1 order by 1",
    "select to_char(placed, 'YYYY-MM'), extract(year from placed), date_part('dow', placed) from orders",
    "select id from orders where placed >= now() - interval '30 days' and placed < current_date + interval '1 month'",
    "select distinct on (customer_id) customer_id, total from orders order by customer_id, placed desc",
    "select c.name, l.total from customers c cross join lateral "
    "(select o.total from orders o where o.customer_id = c.id order by o.placed desc limit 1) l",
    "select name from customers where name ilike '%ann%' and email ~* '^n[0-9]+@'",
    "select doc->>'k', doc->'a'->>'b', doc#>>'{a,b}', doc @> '{\"k\": 1}' from orders where doc ? 'k'",
    "select jsonb_build_object('id', id, 'total', total) from orders",
    "select string_agg(name, ', ' order by name), array_agg(distinct region) from customers",
    "select percentile_cont(0.5) within group (order by total) from orders",
    "select generate_series(1, 3) as n",
    "select d::date, count(o.id) from generate_series(date '2024-01-01', date '2024-03-01', interval '1 month') d "
    "left join orders o on date_trunc('month', o.placed) = d group by 1 order by 1",
    "select t from orders, unnest(tags) as t where 'a' = any(tags)",
    "select e.value from orders, jsonb_array_elements(doc->'list') e",
    "select split_part(email, '@', 2), regexp_replace(name, '[0-9]', '', 'g'), left(name, 2), initcap(name) "
    "from customers",
    "select region, count(*) from customers group by grouping sets ((region), ())",
    "select region, grouping(region), count(*) from customers group by rollup (region)",
    "select total::numeric(10, 2), id::text, '2024-01-01'::date from orders",
    "select concat_ws(' ', name, email), md5(email), greatest(1, 2), age(created) from customers",
    "select * from customers order by created desc fetch first 5 rows only",
    "select row_to_json(x) from (select id, name from customers) x",
    "select stddev(total), variance(total), corr(total, id), bool_and(total > 0) from orders",
    "select first_value(name) over (partition by region order by created range between unbounded preceding "
    "and unbounded following) from customers",
    "select created at time zone 'utc' from customers",
    "select (placed - created) from orders join customers on customers.id = orders.customer_id",
    'select s."Name" from hr."Staff" s where s.salary > 10',
    "select array[1, 2, 3], (array[4, 5])[1], array(select id from customers)",
    "select * from (values (1, 'a'), (2, 'b')) as v(id, label) join customers using (id)",
    "select id from customers where (id, region) in (select customer_id, note from orders)",
    "select sum(total) filter (where placed > now() - interval '7 days') as week from orders",
]
SQLITE = [
    "select strftime('%Y-%m', placed) as month, sum(total) from orders group by month order by month",
    "select name from customers where created > date('now', '-30 days')",
    "select julianday('now') - julianday(placed), datetime(placed) from orders",
    "select group_concat(name, ', '), total(id) from customers",
    "select json_extract(doc, '$.k'), doc ->> 'k' from orders",
    "select iif(total > 10, 'big', 'small'), ifnull(note, '-'), printf('%.2f', total) from orders",
    'select name from customers where region = "north"',
    "select [name], `email` from customers where name glob 'N*'",
    "select name as n from customers where n like 'N%' group by n having n > 'A'",
    "select total * 2 as twice from orders order by twice + 1 limit 5",
    "select instr(email, '@'), substr(email, 1, instr(email, '@') - 1) from customers",
    "select cast(strftime('%Y', placed) as integer) from orders",
    "select max(total, 3), min(id, 2), typeof(total) from orders",
]


@pytest.mark.parametrize("statement", BOTH + POSTGRES)
def test_postgres_analyst_is_understood(statement, catalogs):
    facts = analyze(statement, "postgres", catalogs["postgres"])
    assert isinstance(facts, Facts), facts
    assert facts.actions == ("read",)
    assert facts.precise
    assert isinstance(rewrite(facts, SqlObligations(rows=10), catalogs["postgres"]), str)
    assert actions(statement, "postgres") == {"read"}


@pytest.mark.parametrize("statement", BOTH + SQLITE)
def test_sqlite_analyst_gets_the_same_rows(statement, catalogs, sqlite_shop):
    """The text sent gives what the text asked gives, at most cap + 1 rows of it."""
    facts = analyze(statement, "sqlite", catalogs["sqlite"])
    assert isinstance(facts, Facts), facts
    assert facts.actions == ("read",)
    assert actions(statement, "sqlite") == {"read"}
    binds = {"1": "north", "2": 3} if facts.parameters else {}
    asked = sqlite_shop.execute(statement, binds).fetchall()
    sent = rewrite(facts, SqlObligations(rows=1000), catalogs["sqlite"])
    assert isinstance(sent, str), sent
    cursor = sqlite_shop.execute(sent, binds)
    assert [d[0] for d in cursor.description] == [o.name for o in facts.outputs]
    got = cursor.fetchall()
    times = {"current_timestamp", "julianday('now')"}
    if not any(t in statement for t in times):
        assert sorted(map(repr, got)) == sorted(map(repr, asked))
    capped = rewrite(facts, SqlObligations(rows=2), catalogs["sqlite"])
    assert isinstance(capped, str), capped
    assert len(sqlite_shop.execute(capped, binds).fetchall()) == min(3, len(asked))
