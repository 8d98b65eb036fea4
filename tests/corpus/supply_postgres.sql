--# with-ordinality: postgres
select e.id, t.tag, t.nr from events e, unnest(e.tags) with ordinality as t (tag, nr) where e.id < 30 order by e.id, t.nr
--# elements-with-ordinality: postgres
select e.id, i.value ->> 'sku' as sku, i.ordinality from events e cross join lateral jsonb_array_elements(e.payload -> 'items') with ordinality as i where e.id < 20 order by e.id, i.ordinality
--# json-each: postgres
select k.key, count(*) from events, jsonb_each(payload) as k group by k.key order by 1
--# json-object-keys: postgres
select distinct k from events, jsonb_object_keys(payload) as k order by k
--# json-each-text: postgres
select id, key, value from events, jsonb_each_text(payload -> 'user') where id < 8 order by id, key
--# json-path: postgres
select id, jsonb_path_query_first(payload, '$.items[0].sku') as sku from events where jsonb_path_exists(payload, '$.items[*] ? (@.n > 2)') order by id limit 15
--# json-record: postgres
select e.id, r.plan, r.age from events e, jsonb_to_record(e.payload -> 'user') as r (plan text, age int) where e.id < 15 order by e.id
--# json-recordset: postgres
select e.id, r.sku, r.n from events e, jsonb_to_recordset(e.payload -> 'items') as r (sku text, n int) where e.id < 25 order by e.id, r.sku, r.n
--# row-to-json: postgres
select row_to_json(t) as doc from (select id, kind, channel from events where id < 5 order by id) t
--# to-jsonb-minus: postgres
select payload - 'items' as short, payload || '{"seen": true}'::jsonb as more from events where id < 6 order by id
--# jsonb-agg-filter: postgres
select custkey, jsonb_agg(kind order by id) filter (where active) as kinds from events where custkey < 8 group by custkey order by custkey
--# jsonb-object-agg: postgres
select jsonb_object_agg(department, n) as by_department from (select department, count(*) as n from employees group by department) t
--# jsonb-set: postgres
select jsonb_set(payload, '{user,plan}', '"none"') -> 'user' as u from events where id < 5 order by id
--# array-subquery: postgres
select m.full_name, array(select e.full_name from employees e where e.manager_id = m.id order by e.id) as team from employees m where m.id < 5 order by m.id
--# array-slices: postgres
select id, tags[1] as first_tag, tags[1:2] as two, array_to_string(tags, '/') as joined from events where id < 20 order by id
--# array-operators: postgres
select id from events where tags @> array['vip'] and not tags <@ array['vip', 'new'] order by id
--# array-position: postgres
select id, array_position(tags, 'vip') as at, array_remove(tags, 'vip') as others, array_append(tags, 'x') as more from events where id < 12 order by id
--# any-array: postgres
select id, kind from events where kind = any(array['login', 'logout']) and id < 40 order by id
--# any-string-array: postgres
select count(*) from events where custkey = any('{1,2,3,4}'::int[])
--# not-all-array: postgres
select count(*) from events where kind <> all (array['login', 'logout'])
--# string-to-array: postgres
select id, string_to_array(p_name, ' ') as words, (string_to_array(p_name, ' '))[2] as second from (select p_partkey as id, p_name from part) p where id < 10 order by id
--# unnest-two: postgres
select a, b from unnest(array[1, 2, 3], array['x', 'y', 'z']) as t (a, b)
--# unnest-in-select: postgres
select id, unnest(tags) as tag from events where id < 10 order by id, tag
--# generate-series-select: postgres
select generate_series(1, 5) as n
--# generate-series-join: postgres
select g.n, count(l.l_orderkey) from generate_series(1, 6) as g (n) left join lineitem l on l.l_linenumber = g.n group by g.n order by g.n
--# series-of-weeks: postgres
select w::date as week, (select count(*) from orders o where o.o_orderdate >= w and o.o_orderdate < w + interval '7 days') as n from generate_series('2024-01-01'::timestamp, '2024-03-01'::timestamp, interval '1 week') w order by w
--# rollup-dates: postgres
select date_trunc('year', o_orderdate)::date as year, o_orderstatus, count(*) from orders group by rollup (1, 2) order by 1 nulls last, 2 nulls last
--# percentile-array: postgres
select department, percentile_cont(array[0.25, 0.5, 0.75]) within group (order by salary) as quartiles from employees group by department order by department
--# ordered-set-filter: postgres
select mode() within group (order by kind) filter (where active) as usual, count(*) filter (where not active) as inactive from events
--# hypothetical-rank: postgres
select rank(5000) within group (order by salary desc) as place from employees
--# fetch-with-ties: postgres
select p_brand, p_size from part order by p_size desc fetch first 3 rows with ties
--# distinct-on-latest: postgres
select distinct on (custkey) custkey, kind, happened_at from events order by custkey, happened_at desc, id
--# lateral-series: postgres
select o.o_orderkey, x.line from orders o cross join lateral (select l.l_linenumber as line from lineitem l where l.l_orderkey = o.o_orderkey order by l.l_extendedprice desc limit 1) x where o.o_orderkey < 20 order by 1
--# window-frame-exclude: postgres
select id, sum(salary) over (partition by department order by hired rows between 1 preceding and 1 following exclude current row) as around from employees order by id
--# range-interval-window: postgres
select id, count(*) over (order by happened_at range between interval '12 hours' preceding and interval '12 hours' following) as busy from events where id < 60 order by id
--# casts-everywhere: postgres
select '12'::int + 1 as a, 3.7::int as b, '2024-02-29'::date + 1 as c, 1::text || 'x' as d, 'true'::boolean as e, '1 day'::interval * 3 as f, cast(5 as numeric(8, 3)) as g, 7::double precision / 2 as h, '12:30'::time as i, 'abc'::varchar(2) as j
--# intervals: postgres
select interval '1 year 2 months 3 days' as a, interval '90' minute as b, interval '3' day + interval '4 hours' as c, justify_hours(interval '30 hours') as d, extract(day from interval '40 days 2 hours') as e
--# date-functions: postgres
select age(date '2024-05-01', date '2023-04-03') as a, make_date(2024, 2, 29) as b, date_trunc('quarter', timestamp '2024-05-06 07:08') as c, extract(isoyear from date '2024-12-30') as d, date_part('epoch', timestamp '2024-01-01') as e, to_char(date '2024-05-06', 'Day, DD "of" Month YYYY') as f, isfinite(date '2024-01-01') as g
--# at-time-zones: postgres
select happened_at at time zone 'UTC' as utc, (happened_at at time zone 'Europe/Berlin')::date as day, timezone('America/New_York', happened_at) as ny from events where id < 5 order by id
--# overlaps-ranges: postgres
select daterange(hired, hired + 30) && daterange('2023-01-01', '2023-06-01') as met, hired <@ daterange('2022-06-01', '2022-12-31') as inside from employees where id < 10 order by id
--# range-functions: postgres
select lower(int4range(1, 5)) as a, upper(numrange(1.5, 2.5)) as b, 3 <@ int4range(1, 5) as c, isempty(int4range(2, 2)) as d
--# text-search: postgres
select count(*) from lineitem where to_tsvector('english', l_comment) @@ plainto_tsquery('english', 'deposit')
--# regexp-set: postgres
select p_partkey, m[1] as first_word from part, regexp_matches(p_name, '^(\w+)') as m where p_partkey < 10 order by p_partkey
--# regexp-split: postgres
select word, count(*) from part, regexp_split_to_table(p_name, ' ') as word group by word order by 2 desc, 1
--# regexp-functions: postgres
select p_partkey, regexp_replace(p_name, '(\w+) (\w+)', '\2 \1') as swapped, regexp_count(p_name, 'e') as es, regexp_substr(p_name, '[a-z]+$') as last_word, regexp_like(p_name, 'GREEN', 'i') as green from part where p_partkey < 12 order by 1
--# string-functions: postgres
select lpad('7', 3, '0') as a, translate('2024', '0123', 'abcd') as b, btrim('xxhixx', 'x') as c, strpos('hello', 'l') as d, overlay('abcdef' placing 'ZZ' from 2 for 3) as e, repeat('ab', 2) as f, initcap('new york') as g, quote_literal('it''s') as h, to_hex(255) as i, chr(65) as j, left('hello', -1) as k, reverse('abc') as l, split_part('a,b,c', ',', -1) as m, concat_ws('-', 'a', null, 'b') as n, format('%s/%L', 1, 'x') as o, md5('a') as p, encode('abc'::bytea, 'hex') as q
--# maths: postgres
select round(2.567, 1) as a, trunc(2.567, 2) as b, ceil(1.2) as c, floor(-1.2) as d, mod(-7, 3) as e, power(2, 3) as f, 2 ^ 4 as g, sqrt(2) as h, ln(10) as i, log(100) as j, log(2, 8) as k, div(17, 5) as l, 17 % 5 as m, abs(-3) as n, sign(-2) as o, gcd(12, 18) as p, width_bucket(35, 0, 100, 10) as q, 5 # 3 as t, degrees(pi()) as u
--# greatest-least: postgres
select greatest(1, 5, null, 3) as a, least('b', 'a') as b, coalesce(null, 2) as c, nullif(2, 2) as d, num_nulls(1, null) as e
--# between-symmetric: postgres
select count(*) from part where p_size between symmetric 20 and 10
--# is-distinct: postgres
select count(*) from events where channel is not distinct from null
--# is-unknown: postgres
select count(*) from events where (channel = 'web') is unknown
--# row-values: postgres
select o_orderkey from orders where (o_custkey, o_orderstatus) = (1, 'F') or (o_orderdate, o_orderkey) > (date '2024-12-15', 100) order by 1
--# row-constructor: postgres
select row(id, kind) = row(1, 'login') as same from events where id < 4 order by id
--# in-values: postgres
select id, kind from events where (custkey, kind) in (values (1, 'login'), (2, 'view'), (3, 'cart')) order by id
--# table-command: postgres
table region
--# select-only-from: postgres
select from_nation.n_name from nation as from_nation where from_nation.n_regionkey = 2 order by 1
--# only-keyword: postgres
select count(*) from only orders
--# nested-cte-materialized: postgres
with a as not materialized (select o_custkey, sum(o_totalprice) as s from orders group by 1), b as materialized (select avg(s) as m from a) select a.o_custkey, a.s from a, b where a.s > 1.5 * b.m order by a.s desc
--# recursive-search: postgres
with recursive t as (select id, manager_id, array[id] as path from employees where manager_id is null union all select e.id, e.manager_id, t.path || e.id from employees e join t on e.manager_id = t.id where not e.id = any(t.path)) select id, array_length(path, 1) as depth from t order by path
--# grouping-sets-mixed: postgres
select p_brand, p_container, count(*) from part group by grouping sets (rollup (p_brand), cube (p_container)) order by 1 nulls last, 2 nulls last, 3
--# group-by-all-aliases: postgres
select o_orderstatus s, o_orderpriority p, count(*) c from orders group by s, p order by s, p
--# group-by-primary-key: postgres
select o.o_orderkey, o.o_totalprice, count(*) as lines from orders o join lineitem l on l.l_orderkey = o.o_orderkey group by o.o_orderkey order by lines desc, o.o_orderkey limit 10
--# aliased-join: postgres
select j.full_name, j.kind from (employees join events on events.custkey = employees.id) as j where j.kind = 'cart' order by j.full_name, j.kind limit 20
--# count-distinct-pair: postgres
select count(distinct (custkey, kind)) as pairs, count(*) from events
--# array-agg-order: postgres
select custkey, (array_agg(kind order by happened_at desc, id))[1] as last_kind from events group by custkey order by custkey limit 20
--# string-agg-filter: postgres
select department, string_agg(full_name, '; ' order by full_name desc) filter (where salary > 6000) as rich from employees group by department order by department
--# bool-ops: postgres
select every(active) as all_active, bool_or(active and channel is not null) as any_known, bit_and(custkey) as bits from events
--# statistics: postgres
select corr(p_size, p_retailprice) as c, regr_slope(p_retailprice, p_size) as slope, stddev_pop(p_retailprice) as sd, var_samp(p_size) as v, covar_pop(p_size, p_retailprice) as cv from part
--# current-things: postgres
select current_date = current_date as same_day, now() = current_timestamp as same_time, localtimestamp is not null as here, extract(year from now()) > 2000 as modern
--# dollar-strings: postgres
select $$it's$$ as a, $tag$with 'quotes'$tag$ as b, E'line\nbreak' as c
--# collate-c: postgres
select n_name from nation order by n_name collate "C" desc limit 5
--# operators-like: postgres
select count(*) from part where p_name ~~ '%green%' and p_name !~~* '%PLUM%' and p_type ^@ 'S'
--# intersect-except-all: postgres
select o_custkey from orders intersect all select custkey from events except all select 3 order by 1 limit 20
--# limit-all: postgres
select r_name from region order by r_name limit all
--# values-typed: postgres
select v.day, v.amount from (values (date '2024-01-01', 10.5), ('2024-01-02', 20)) as v (day, amount) order by v.day
--# uuid-and-random: postgres
select length(gen_random_uuid()::text) as n, random() < 1 as r
--# xml-free-casts: postgres
select cast(payload as text) like '%home%' as home, payload::text ilike '%PRO%' as pro from events where id < 10 order by id
--# offset-fetch: postgres
select p_partkey from part order by p_partkey offset 5 rows fetch next 5 rows only
--# case-nulls-order: postgres
select c_custkey, c_mktsegment from customer order by case when c_mktsegment is null then 1 else 0 end, c_mktsegment desc, c_custkey limit 65
--# bit-and-bytes: postgres
select id & 3 as low_bits, id | 8 as set_bit, id << 1 as doubled, ~id as inverted, octet_length(kind) as bytes, get_byte(kind::bytea, 0) as first_byte from events where id < 6 order by id
--# select-subquery-array: postgres
select (select array_agg(x) from (select n_name as x from nation where n_regionkey = r_regionkey order by n_name limit 2) t) as some from region order by r_regionkey
