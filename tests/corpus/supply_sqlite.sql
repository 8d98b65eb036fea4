--# double-quoted-string: sqlite
select count(*) from events where kind = "login"
--# brackets-and-backticks: sqlite
select [id], `kind`, "channel" from [events] where id < 5 order by id
--# bare-group-column: sqlite
select custkey, kind, max(happened_at) from events group by custkey order by custkey limit 20
--# having-alias: sqlite
select department as d, count(*) as n from employees group by d having n > 5 order by n desc, d
--# where-alias: sqlite
select p_retailprice * 2 as twice from part where twice > 1900 order by twice
--# iif: sqlite
select iif(active, 'yes', 'no') as active, count(*) from events group by 1 order by 1
--# ifnull: sqlite
select ifnull(channel, '-') as channel, count(*) from events group by ifnull(channel, '-') order by 1
--# total-and-avg: sqlite
select total(salary), avg(salary), sum(salary) / count(*) from employees
--# glob: sqlite
select p_name from part where p_name glob 'g*' and p_name not glob '*plum*' order by p_partkey
--# like-escape: sqlite
select o_orderkey from orders where o_comment like '%\_once' escape '\' order by o_orderkey limit 10
--# instr-substr: sqlite
select substr(p_type, 1, instr(p_type, ' ') - 1) as grade, count(*) from part group by 1 order by 1
--# printf: sqlite
select printf('%08.2f|%-6s|%+d', p_retailprice, p_container, p_size) as line from part where p_partkey < 6 order by p_partkey
--# format-function: sqlite
select format('%s: %d', p_brand, p_size) from part where p_partkey < 6 order by p_partkey
--# date-modifiers: sqlite
select date('2024-01-31', '+1 month'), date('2024-05-06', 'weekday 1'), time('12:30', '+45 minutes'), datetime('2024-01-01', '+1 day', '-1 second'), julianday('2024-01-01')
--# strftime-many: sqlite
select strftime('%Y', hired) as y, strftime('%m', hired) as m, strftime('%d', hired) as d, strftime('%j', hired) as doy, strftime('%W', hired) as w, strftime('%s', hired) as s from employees where id < 6 order by id
--# unixepoch: sqlite
select unixepoch('2024-01-01 00:00:00') as s, datetime(1704067200, 'unixepoch') as t
--# days-between: sqlite
select id, round(julianday('2025-01-01') - julianday(hired)) as days from employees where id < 10 order by id
--# date-in-range: sqlite
select count(*) from orders where o_orderdate between date('2024-01-01') and date('2024-01-01', '+3 months', '-1 day')
--# last-month-start: sqlite
select count(*) from orders where o_orderdate < date('now', 'start of month', '-1 month')
--# cast-affinity: sqlite
select cast('12abc' as integer), cast(3.9 as integer), cast(5 as text), cast('1.5' as real), cast('7' as numeric), cast(2.0 as decimal(10, 2)), cast(1 as varchar(10))
--# typeof: sqlite
select typeof(p_retailprice), typeof(p_size), typeof(p_name), typeof(null), typeof(p_size / 2), typeof(p_size * 1.0) from part where p_partkey = 1
--# integer-division: sqlite
select 7 / 2, 7 / 2.0, 7 % 3, -7 / 2, 7 * 1.0 / 2
--# mod-function: sqlite
select mod(7, 3), mod(7.5, 2), 7.5 % 2
--# group-concat: sqlite
select department, group_concat(full_name, '; ') from (select * from employees order by full_name) group by department order by department
--# group-concat-distinct: sqlite
select group_concat(distinct department) from (select department from employees order by department)
--# json-extract-many: sqlite
select json_extract(payload, '$.page', '$.amount') as both_, json_type(payload, '$.items') as t, json_valid(payload) as ok from events where id < 10 order by id
--# json-arrows: sqlite
select payload -> 'user' as u, payload -> '$.user.age' as age, payload ->> '$.items[#-1].sku' as last_sku from events where id < 10 order by id
--# json-quote-patch: sqlite
select json_quote('x'), json_patch('{"a":1}', '{"b":2}'), json_remove('{"a":1,"b":2}', '$.a'), json_set('{"a":1}', '$.a', 5), json_insert('[1]', '$[#]', 2)
--# json-group: sqlite
select department, json_group_array(full_name) as people, json_group_object(full_name, salary) as pay from employees where id < 12 group by department order by department
--# row-values-update-style: sqlite
select o_orderkey from orders where (o_custkey, o_orderstatus) = (select 1, 'F') order by 1
--# values-compare: sqlite
select count(*) from part where (p_size, p_brand) > (40, 'Brand#3')
--# is-operator: sqlite
select count(*) from events where channel is null or channel is 'web'
--# is-not-operator: sqlite
select count(*) from events where channel is not 'web'
--# is-not-distinct: sqlite
select count(*) from events where channel is not distinct from null
--# double-equals: sqlite
select count(*) from events where kind == 'login' and id <> 3
--# concat-null: sqlite
select 'a' || null, 'a' || 1, coalesce(channel, '') || '/' || kind from events where id < 5 order by id
--# filter-where: sqlite
select count(*) filter (where kind = 'view') as views, avg(custkey) filter (where active) as mean from events
--# window-chain: sqlite
select id, sum(salary) over win as running, row_number() over (win rows unbounded preceding) as n from employees window win as (partition by department order by id) order by id
--# window-groups: sqlite
select id, count(*) over (order by department groups between 1 preceding and current row exclude ties) as n from employees order by id
--# recursive-limit: sqlite
with recursive c (x) as (select 1 union all select x + 1 from c limit 10) select x, x * x from c
--# recursive-without-word: sqlite
with c (x) as (select 1 union all select x + 1 from c where x < 5) select sum(x) from c
--# cte-not-materialized: sqlite
with t as not materialized (select * from nation) select n_name from t where n_regionkey = 3 order by 1
--# compound-order: sqlite
select n_name as name from nation where n_regionkey = 1 union select r_name from region order by name desc limit 5
--# limit-comma: sqlite
select p_partkey from part order by p_partkey limit 5, 10
--# limit-negative: sqlite
select r_name from region order by r_name limit -1
--# limit-expression: sqlite
select p_partkey from part order by p_partkey limit 2 + 3 offset 1
--# collate-order: sqlite
select distinct p_container from part order by p_container collate nocase desc
--# collate-compare: sqlite
select count(*) from nation where n_name = 'FRANCE' collate nocase
--# case-in-order: sqlite
select id, kind from events order by case kind when 'login' then 0 when 'logout' then 2 else 1 end, id limit 20
--# natural-join: sqlite
select id, full_name, n from employees natural join (select id, count(*) as n from events group by id) order by id limit 10
--# cross-join-on: sqlite
select r_name, n_name from region cross join nation on n_regionkey = r_regionkey order by n_name limit 10
--# right-and-full: sqlite
select e.id, v.custkey from employees e full join (select distinct custkey from events where kind = 'cart') v on v.custkey = e.id order by 1, 2
--# exists-scalar: sqlite
select exists (select 1 from events where kind = 'refund'), not exists (select 1 from events)
--# min-max-scalar: sqlite
select max(1, 5, 3), min('b', 'a'), max(p_size), min(p_size, 10) from part group by p_size having p_size < 4
--# round-and-math: sqlite
select round(2.567, 1), round(-2.5), abs(-3), ceil(1.2), floor(-1.2), trunc(2.7), sign(-4), sqrt(16), pow(2, 3), exp(0), ln(1), log(100), log(2, 8), pi() > 3
--# hex-and-unicode: sqlite
select hex('abc'), char(72, 105), unicode('A'), quote('it''s'), x'4142', lower('ABC'), length('héllo')
--# replace-trim: sqlite
select replace('a-b-c', '-', '+'), trim('  x '), ltrim('xxy', 'x'), rtrim('yxx', 'x'), substr('hello', -3, 2)
--# likely: sqlite
select count(*) from events where likely(active) and unlikely(id > 290)
--# nulls-order: sqlite
select id, channel from events where id < 20 order by channel desc nulls last, id
--# between-dates-text: sqlite
select substr(o_orderdate, 1, 7) as ym, count(*) from orders group by ym having count(*) > 5 order by ym
--# star-from-subquery: sqlite
select * from (select kind, count(*), max(id) from events group by kind) order by kind
--# nested-aggregate-alias: sqlite
select avg(n) as mean, max(n) as most from (select count(*) n from events group by custkey)
--# boolean-arithmetic: sqlite
select sum(active), sum(kind = 'view'), sum(kind in ('cart', 'purchase')) * 1.0 / count(*) from events
--# alias-as-string: sqlite
select count(*) as 'How Many' from events
