--# columns-regex: duckdb
select columns('^n_') from nation order by n_nationkey limit 3
--# list-lambda: duckdb
select list_transform([1, 2, 3], lambda x: x * 2) as a, list_filter([1, 2, 3], lambda x: x > 1) as b
--# list-comprehension: duckdb
select [x * 2 for x in [1, 2, 3] if x > 1] as a
--# union-by-name: duckdb
select n_name as name, n_nationkey as k from nation where n_regionkey = 1 union all by name select r_regionkey as k, r_name as name from region order by name
--# asof-join: duckdb
select e.id, o.o_orderkey from events e asof join orders o on e.custkey = o.o_custkey and e.happened_at >= o.o_orderdate where e.id < 40 order by e.id
--# positional-join: duckdb
select a.r_name, b.n_name from region a positional join (select n_name from nation order by n_nationkey limit 5) b order by 1
--# sample: duckdb
select count(*) >= 0 as some from orders using sample 50%
--# tablesample: duckdb
select count(*) >= 0 as some from orders tablesample 10 rows
--# limit-percent: duckdb
select p_partkey from part order by p_partkey limit 10%
--# dot-calls: duckdb
select r_name.upper() as loud, ('a-b').replace('-', '+') as b from region order by r_regionkey
--# star-like: duckdb
select * like '%name' from nation order by n_nationkey limit 3
--# json-table: mysql
select e.id, j.sku, j.n, j.pos from events e join json_table(e.payload, '$.items[*]' columns (pos for ordinality, sku varchar(10) path '$.sku', n int path '$.n' default '0' on empty)) j on true where e.id < 20 order by e.id, j.pos
--# straight-values: mysql
values (1, 'a'), (2, 'b')
--# hex-literals: mysql
select x'4142' as a, 0x4142 as b, b'101' + 0 as c
--# json-rows: mysql
select i.sku, sum(i.n) as n from events e, json_table(e.payload, '$.items[*]' columns (sku varchar(9) path '$.sku', n int path '$.n')) as i group by i.sku order by i.sku
--# tags-unnest: mysql
select t.tag, count(*) as n from events e join json_table(e.tags, '$[*]' columns (tag varchar(20) path '$')) t group by t.tag order by n desc, t.tag
--# pad: duckdb
select lpad(cast(id as varchar), 6, '0') as code, rpad(category, 12, '.') as dotted from products where id < 8 order by id
--# format: duckdb
select format('{} has {} points', name, id) as line, printf('%05d', id) as padded from customers where id < 5 order by id
--# repeat: duckdb
select repeat('*', rating) as stars from reviews where id < 15
--# series-as-a-value: duckdb
select unnest(generate_series(1, 12)) as month
--# tablesample: postgres
select count(*) from orders tablesample bernoulli (50)
--# catalogue: postgres
select relname from pg_class
--# information-schema: postgres mysql duckdb
select table_name from information_schema.tables
--# catalogue: sqlite
select name from sqlite_master
--# absolute-operator: postgres
select @ -5 as five
--# whole-row: postgres
select r from region r
--# user-name: postgres
select current_user
--# row-lock: postgres mysql
select r_name from region for update
--# explain: all
explain select * from region
--# regexp: sqlite
select r_name from region where r_name regexp 'A'
--# json-each: sqlite
select e.id, j.value from events e, json_each(e.tags) j
--# series: sqlite
select value from generate_series(1, 5)
--# convert-charset: mysql
select convert(r_name using latin1) from region
--# variables: mysql
select @n := 5
--# pivot: duckdb
pivot employees on title using count(*) group by department
--# describe: mysql duckdb
describe region
