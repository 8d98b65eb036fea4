--# from-first: duckdb
from region order by r_name
--# group-by-all: duckdb
select department, title, count(*) as n from employees group by all order by all
--# star-exclude: duckdb
select * exclude (payload, tags) from events where id < 5 order by id
--# star-replace: duckdb
select * replace (upper(r_name) as r_name) from region order by r_regionkey
--# qualify: duckdb
select department, full_name, salary from employees qualify row_number() over (partition by department order by salary desc) <= 2 order by department, salary desc
--# qualify-alias: duckdb
select department, full_name, rank() over (partition by department order by salary) as r from employees qualify r = 1 order by department
--# where-alias: duckdb
select p_retailprice * 2 as twice from part where twice > 1900 order by twice
--# having-alias: duckdb
select department as d, count(*) as n from employees group by d having n > 5 order by n desc, d
--# list-functions: duckdb
select [1, 2, 3] as a, len([1, 2]) as b, list_sum([1, 2, 3]) as c, list_sort([3, 1, 2]) as d, list_distinct([1, 1, 2]) as e, [1, 2, 3][1] as f, [1, 2, 3][2:3] as g, list_concat([1], [2]) as h, array_to_string(['a', 'b'], '-') as i
--# list-agg: duckdb
select department, list(full_name order by full_name) as people from employees group by department order by department
--# struct-access: duckdb
select s.a, s['b'] as b from (select {'a': 1, 'b': 'x'} as s) t
--# struct-pack: duckdb
select struct_pack(id := id, kind := kind) as s, row(id, kind) as r from events where id < 4 order by id
--# map: duckdb
select map {'a': 1, 'b': 2}['b'] as v, map_keys(map {'a': 1}) as k
--# unnest-list: duckdb
select id, unnest(tags) as tag from events where id < 10 order by id, tag
--# unnest-from: duckdb
select e.id, t.tag from events e, unnest(e.tags) as t (tag) where e.id < 10 order by e.id, t.tag
--# unnest-two: duckdb
select unnest([1, 2, 3]) as a, unnest(['x', 'y', 'z']) as b
--# range-series: duckdb
select range as n from range(5) order by n
--# generate-series: duckdb
select g.n, count(l.l_orderkey) as lines from generate_series(1, 6) as g (n) left join lineitem l on l.l_linenumber = g.n group by g.n order by g.n
--# pivot-by-filter: duckdb
select department, count(*) filter (title = 'Manager') as managers, count(*) filter (where title = 'Analyst') as analysts from employees group by department order by department
--# arg-max: duckdb
select department, arg_max(full_name, salary) as richest, arg_min(full_name, salary) as poorest, max_by(full_name, hired) as newest from employees group by department order by department
--# first-last: duckdb
select kind, first(custkey order by id) as f, last(custkey order by id) as l, any_value(kind) as k from events group by kind order by kind
--# quantiles: duckdb
select department, median(salary) as med, quantile_cont(salary, 0.9) as p90, quantile_cont(salary, [0.25, 0.75]) as q, mad(salary) as mad, mode(title) as m from employees group by department order by department
--# approx-count: duckdb
select approx_count_distinct(custkey) > 0 as some, count(distinct custkey) as exact_ from events
--# string-functions: duckdb
select upper('a') as a, lower('B') as b, strlen('abc') as c, length('héllo') as d, string_split('a,b', ',') as f, split_part('a-b', '-', 2) as g, contains('hello', 'ell') as h, starts_with('hello', 'he') as i, suffix('hello', 'lo') as j, replace('a-b', '-', '+') as k, trim('  x ') as l, left('hello', 2) as m, right('hello', 2) as n, reverse('abc') as p, instr('hello', 'l') as q, strip_accents('é') as r, ascii('A') as s, chr(65) as t, md5('a') as u, concat_ws(',', 'a', null, 'b') as x, levenshtein('kitten', 'sitting') as y
--# slicing: duckdb
select 'hello'[2:3] as a, substring('hello', 2, 3) as b, 'a' || 'b' as c
--# regex: duckdb
select count(*) from part where regexp_matches(p_name, '^g') and not regexp_matches(p_name, 'plum') and p_brand similar to 'Brand#[12].*'
--# regex-extract: duckdb
select regexp_extract(p_type, '(\w+) (\w+)', 2) as middle, regexp_extract_all(p_name, '[a-z]+') as words, regexp_replace(p_name, 'e', 'E', 'g') as loud from part where p_partkey < 5 order by p_partkey
--# date-functions: duckdb
select year(date '2024-05-06') as a, month(date '2024-05-06') as b, dayname(date '2024-05-06') as c, monthname(date '2024-05-06') as d, date_diff('day', date '2024-01-01', date '2024-03-01') as e, date_add(date '2024-01-31', interval 1 month) as f, date_trunc('quarter', date '2024-05-06') as g, last_day(date '2024-02-01') as h, make_date(2024, 2, 29) as i, strftime(date '2024-05-06', '%d/%m/%Y') as j, strptime('06/05/2024', '%d/%m/%Y') as k, epoch(timestamp '2024-01-01') as l, week(date '2024-05-06') as m, quarter(date '2024-05-06') as n, datediff('month', date '2024-01-01', date '2024-05-01') as o, date_part('year', date '2024-01-01') as p, datepart('month', date '2024-03-01') as q, isodow(date '2024-05-06') as r
--# intervals: duckdb
select interval 3 days as a, interval '2' hour as b, timestamp '2024-01-01' + interval 90 minute as c, to_days(5) as d, interval (1 + 1) month as e, date '2024-01-31' + to_months(1) as f, interval '1 day 2 hours' as g
--# time-bucket: duckdb
select time_bucket(interval '7 days', happened_at) as week, count(*) as n from events group by week order by week limit 10
--# strftime-group: duckdb
select strftime(happened_at, '%Y-%m') as ym, count(*) as n from events group by ym order by ym
--# casts: duckdb
select '12'::int + 1 as a, try_cast('x' as integer) as b, cast('2024-01-01' as date) as c, 3.7::int as d, 5::varchar as e, 1.5::decimal(10, 2) as f, '[1,2]'::int[] as g, 1::boolean as h, '42'::hugeint as i, 7::double / 2 as j, 'abc'::text as k, 5::bigint as l, 3::tinyint as m, 7::uinteger as n
--# maths: duckdb
select round(2.567, 1) as a, trunc(2.567) as b, ceil(1.2) as c, floor(-1.2) as d, 7 // 2 as e, 7 / 2 as f, 7 % 3 as g, 2 ** 3 as h, 2 ^ 3 as i, sqrt(2) as j, ln(10) as k, log10(100) as l, log2(8) as m, abs(-3) as n, sign(-2) as o, greatest(1, 2) as p, least(1, 2) as q, gcd(12, 18) as r, factorial(5) as s, pow(2, 3) as t, @(-5) as u, even(3) as v, bit_count(7) as w
--# json-functions: duckdb
select payload ->> '$.page' as a, json_extract(payload, '$.user.age') as b, json_extract_string(payload, '$.user.plan') as c, json_type(payload) as d, json_array_length(payload, '$.items') as e, json_valid(payload) as f, json_keys(payload) as g, json_exists(payload, '$.page') as h from events where id < 8 order by id
--# json-struct: duckdb
select json_object('a', 1, 'b', [1, 2]) as a, to_json({'x': 1}) as b, json_array(1, 'x') as c, json_quote('x') as d, json_merge_patch('{"a":1}', '{"b":2}') as e
--# json-bracket: duckdb
select payload['page'] as page, payload -> 'items' -> 0 ->> 'sku' as first_sku from events where id < 10 order by id
--# is-distinct: duckdb
select count(*) from events where channel is not distinct from null
--# not-null-word: duckdb
select count(*) from events where channel notnull and id isnull = false
--# ilike: duckdb
select count(*) from part where p_name ilike '%GREEN%' and p_name not ilike '%plum%'
--# glob: duckdb
select count(*) from part where p_name glob 'g*'
--# like-column-list: duckdb
select count(*) from part where p_name like 'green%' or p_name like 'plum%'
--# in-list-value: duckdb
select count(*) from events where kind in ['login', 'logout']
--# any-list: duckdb
select count(*) from events where kind = any(['login', 'logout'])
--# except-all: duckdb
select o_custkey from orders except all select custkey from events order by 1 limit 20
--# semi-join: duckdb
select c_name from customer semi join orders on o_custkey = c_custkey order by c_name limit 10
--# anti-join: duckdb
select c_name from customer anti join orders on o_custkey = c_custkey order by c_name limit 10
--# lateral-alias: duckdb
select p_retailprice * 1.19 as gross, gross - p_retailprice as vat from part where p_partkey < 6 order by p_partkey
--# lateral-join: duckdb
select c.c_name, t.n from customer c, lateral (select count(*) as n from orders o where o.o_custkey = c.c_custkey) t where c.c_custkey < 10 order by c.c_custkey
--# order-by-all: duckdb
select r_name, r_regionkey from region order by all desc
--# window-frames: duckdb
select id, sum(salary) over (partition by department order by hired, id rows between 1 preceding and 1 following) as around, avg(salary) over (order by hired range between interval 30 days preceding and current row) as month_mean from employees order by id
--# window-named: duckdb
select id, lag(salary) over w as before_, first_value(full_name) over w as f from employees window w as (partition by department order by id) order by id
--# grouping-sets: duckdb
select department, title, count(*) as n, grouping_id(department, title) as g from employees group by grouping sets ((department, title), (department), ()) order by all
--# count-if: duckdb
select count_if(active) as a, sum(active::int) as b, bool_and(active) as c, bit_xor(id) as d, product(1) as e, string_agg(distinct kind, ',' order by kind) as f, histogram(kind) as h from events
--# statistics: duckdb
select corr(p_size, p_retailprice) as c, stddev(p_retailprice) as s, var_pop(p_size) as v, skewness(p_size) as k, kurtosis(p_size) as ku, entropy(p_size) as e, covar_samp(p_size, p_retailprice) as cv, regr_slope(p_retailprice, p_size) as rs from part
--# values-list: duckdb
select * from (values (1, 'a'), (2, 'b')) t (id, label) order by id
--# recursive: duckdb
with recursive t (n) as (select 1 union all select n + 1 from t where n < 5) select n, n ** 2 as sq from t order by n
--# cte-materialized: duckdb
with t as materialized (select * from nation) select n_name from t where n_regionkey = 3 order by 1
--# trailing-comma: duckdb
select r_name, r_regionkey, from region order by 1
--# underscored-numbers: duckdb
select 1_000_000 as million
--# case-insensitive: duckdb
SELECT Full_Name, DEPARTMENT FROM Employees WHERE ID < 4 ORDER BY iD
--# prefix-alias: duckdb
select n: count(*), k: kind from events group by kind order by k
--# ifnull-if: duckdb
select ifnull(channel, '-') as a, if(active, 1, 0) as b, coalesce(channel, kind) as c, nullif(kind, 'login') as d from events where id < 10 order by id
--# summarize-by-hand: duckdb
select min(p_size) as lo, max(p_size) as hi, avg(p_size) as mean, approx_quantile(p_size, 0.5) > 0 as med, count(*) - count(p_comment) as nulls from part
--# current-things: duckdb
select current_date = today() as a, now() >= timestamp '2024-01-01' as b, year(current_date) > 2000 as c, length(uuid()::varchar) as d, random() < 1 as e
--# ends-with-operator: duckdb
select count(*) from part where p_name ^@ 'green'
--# row-values: duckdb
select o_orderkey from orders where (o_custkey, o_orderstatus) = (1, 'F') or (o_custkey, o_orderkey) in ((4, 1), (4, 2)) order by 1
--# median-window: duckdb
select distinct department, median(salary) over (partition by department) as med from employees order by department
--# list-contains: duckdb
select id from events where list_contains(tags, 'vip') and len(tags) > 1 and tags[1] <> 'new' order by id
--# date-compare-text: duckdb
select count(*) from orders where o_orderdate between '2023-01-01' and '2023-12-31'
