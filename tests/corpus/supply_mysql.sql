--# backticks: mysql
select `e`.`id`, `e`.`kind` from `events` as `e` where `e`.`id` < 5 order by `e`.`id`
--# double-quoted-string: mysql
select count(*) from events where kind = "login" and channel <> "web"
--# if-function: mysql
select if(active, 'yes', 'no') as active, count(*) from events group by 1 order by 1
--# ifnull: mysql
select ifnull(channel, '-') as channel, count(*) from events group by ifnull(channel, '-') order by 1
--# isnull-function: mysql
select sum(isnull(channel)) as missing from events
--# null-safe: mysql
select count(*) from events where channel <=> null
--# group-concat: mysql
select department, group_concat(full_name order by full_name separator '; ') as people from employees group by department order by department
--# group-concat-distinct: mysql
select group_concat(distinct department order by department desc) as departments from employees
--# group-concat-plain: mysql
select department, group_concat(id) from (select * from employees order by id limit 40) e where department = 'Sales' group by department
--# having-alias: mysql
select department as d, count(*) as n from employees group by d having n > 5 order by n desc, d
--# with-rollup: mysql
select department, title, sum(salary) as pay from employees group by department, title with rollup
--# limit-comma: mysql
select p_partkey from part order by p_partkey limit 5, 10
--# div-operator: mysql
select 17 div 5 as a, 17 mod 5 as b, 17 % 5 as c, 7 / 2 as d
--# concat-many: mysql
select concat(c_name, ' ', c_phone, ' ', c_acctbal) as line, concat_ws(',', c_custkey, null, c_mktsegment) as csv from customer where c_custkey < 6 order by c_custkey
--# substring-index: mysql
select substring_index(p_type, ' ', 1) as grade, substring_index(p_type, ' ', -1) as metal, count(*) from part group by 1, 2 order by 1, 2
--# string-functions: mysql
select lcase('ABC') as a, ucase('abc') as b, char_length('héllo') as c, length('héllo') as d, lpad('7', 3, '0') as e, rpad('7', 3, '-') as f, locate('l', 'hello') as g, instr('hello', 'l') as h, insert('hello', 1, 1, 'J') as i, mid('hello', 2, 3) as j, left('hello', 2) as k, right('hello', 2) as l, reverse('abc') as m, repeat('ab', 2) as n, space(2) as o, strcmp('a', 'b') as p, field('b', 'a', 'b') as q, elt(2, 'a', 'b') as r, find_in_set('b', 'a,b,c') as s, hex(255) as t, ascii('A') as u, quote('it''s') as v
--# maths: mysql
select round(2.567, 1) as a, truncate(2.567, 2) as b, ceiling(1.2) as c, floor(-1.2) as d, mod(-7, 3) as e, pow(2, 3) as f, sqrt(2) as g, ln(10) as h, log(100) as i, log2(8) as j, log10(100) as k, abs(-3) as l, sign(-2) as m, greatest(1, 2) as n, least(1, 2) as o, crc32('a') as p, conv('ff', 16, 10) as q, pi() as r, degrees(1) as s
--# date-functions: mysql
select date('2024-05-06 07:08:09') as a, time('2024-05-06 07:08:09') as b, year('2024-05-06') as c, month('2024-05-06') as d, day('2024-05-06') as e, dayofyear('2024-05-06') as f, dayofweek('2024-05-06') as g, weekday('2024-05-06') as h, week('2024-05-06') as i, weekofyear('2024-05-06') as j, quarter('2024-05-06') as k, hour('07:08:09') as l, minute('07:08:09') as m, second('07:08:09') as n, dayname('2024-05-06') as o, monthname('2024-05-06') as p, last_day('2024-02-01') as q
--# date-arithmetic: mysql
select date_add('2024-01-31', interval 1 month) as a, date_sub('2024-03-31', interval 1 day) as b, '2024-01-01' + interval 1 week as c, adddate('2024-01-01', 5) as d, subdate('2024-01-10', 5) as e, datediff('2024-03-01', '2024-02-01') as f, timediff('10:00:00', '08:30:00') as g, timestampdiff(month, '2023-01-15', '2024-05-01') as h, timestampadd(hour, 5, '2024-01-01 00:00:00') as i, period_diff(202405, 202401) as j, to_days('2024-01-01') as k, from_days(739000) as l, makedate(2024, 60) as m, addtime('10:00:00', '01:30:00') as n
--# date-formats: mysql
select date_format('2024-05-06 07:08:09', '%W, %e %M %Y %H:%i:%s') as a, date_format('2024-05-06', '%d.%m.%y') as b, str_to_date('06.05.2024', '%d.%m.%Y') as c, from_unixtime(0) is not null as d, unix_timestamp('2024-01-01 00:00:00') > 0 as e, time_format('07:08:09', '%k h %i') as f, sec_to_time(3661) as g, time_to_sec('01:01:01') as h
--# interval-columns: mysql
select id, happened_at + interval 36 hour as later, happened_at - interval '1 2' day_hour as earlier from events where id < 6 order by id
--# extract-units: mysql
select extract(year_month from happened_at) as ym, extract(hour from happened_at) as h, count(*) from events where id < 100 group by 1, 2 order by 1, 2
--# current-things: mysql
select curdate() = current_date as a, now() >= '2024-01-01' as b, current_timestamp > '2024-01-01' as c, utc_timestamp() > '2024-01-01' as d, year(now()) > 2000 as e
--# cast-and-convert: mysql
select cast('12' as signed) as a, cast(3.7 as unsigned) as b, cast('2024-02-29' as date) as c, cast(5 as char) as d, convert('7', signed) as e, cast(1.25 as decimal(5, 1)) as f, cast('10:20' as time) as g, cast('2024-01-01 10:00' as datetime) as h, cast('abc' as binary) = 'abc' as j
--# regexp: mysql
select count(*) from part where p_name regexp '^g' and p_name not regexp 'plum|rose' and p_brand rlike '#1'
--# regexp-functions: mysql
select regexp_replace(p_name, '[aeiou]', '*') as a, regexp_substr(p_name, '[a-z]+') as b, regexp_instr(p_name, ' ') as c from part where p_partkey < 6 order by p_partkey
--# json-functions: mysql
select json_extract(payload, '$.user.age') as age, json_unquote(json_extract(payload, '$.page')) as page, json_keys(payload) as k, json_type(json_extract(payload, '$.items')) as t, json_valid(payload) as v, json_length(payload) as n, json_search(payload, 'one', 'home') as s, json_contains_path(payload, 'one', '$.page') as p from events where id < 8 order by id
--# json-build: mysql
select json_object('a', 1, 'b', json_array(1, 2)) as doc, json_quote('x') as q, json_set('{"a": 1}', '$.a', 5) as s, json_remove('{"a": 1, "b": 2}', '$.a') as r, json_merge_patch('{"a": 1}', '{"b": 2}') as m
--# json-agg: mysql
select department, json_arrayagg(full_name) as people, json_objectagg(id, salary) as pay from employees where id < 10 group by department order by department
--# window-functions: mysql
select id, department, rank() over (partition by department order by salary desc) as r, sum(salary) over (partition by department order by id rows between unbounded preceding and current row) as running, ntile(3) over (order by salary) as third, first_value(full_name) over (partition by department order by salary desc) as top from employees order by id
--# median: mysql
select distinct department, median(salary) over (partition by department) as median, percentile_disc(0.9) within group (order by salary) over (partition by department) as p90 from employees order by department
--# statistics: mysql
select std(salary) as a, stddev(salary) as b, stddev_samp(salary) as c, var_pop(salary) as d, variance(salary) as e, bit_or(id) as f, bit_xor(id) as g from employees
--# straight-subquery: mysql
select * from (select department, count(*), max(salary) from employees group by department) t order by department
--# case-compare: mysql
select case when salary > 8000 then 'high' when salary > 5000 then 'mid' else 'low' end as band, count(*) as n from employees group by band order by n desc, band
--# exists-in: mysql
select c_name from customer c where exists (select 1 from orders o where o.o_custkey = c.c_custkey and o.o_totalprice > 100000) and c_nationkey in (select n_nationkey from nation where n_regionkey = 3) order by c_name
--# except-intersect: mysql
select o_custkey from orders except select custkey from events where kind = 'cart' intersect select custkey from events order by 1
--# union-distinct: mysql
select n_name from nation where n_regionkey = 1 union distinct select r_name from region order by 1
--# cte-update-free: mysql
with recursive dates (d) as (select cast('2024-01-01' as date) union all select d + interval 1 day from dates where d < '2024-01-10') select d, dayname(d) as name, (select count(*) from orders where o_orderdate = d) as n from dates order by d
--# natural-join: mysql
select id, full_name, n from employees natural join (select id, count(*) as n from events group by id) v order by id limit 10
--# using-join: mysql
select id, full_name, kind from employees join events using (id) where kind = 'cart' order by id
--# escaped-strings: mysql
select 'it\'s' as a, "say ""hi""" as b, 'tab\there' as c, 'back\\slash' as d
--# adjacent-strings: mysql
select 'con' 'cat' as s
--# bit-operators: mysql
select id & 3 as a, id | 8 as b, id ^ 5 as c, id << 1 as d, ~id & 255 as e from events where id < 5 order by id
--# logical-operators: mysql
select count(*) from events where kind = 'login' && active || kind = 'logout' and not active xor id = 5
--# not-operator: mysql
select count(*) from events where !(kind = 'login')
--# boolean-sum: mysql
select sum(active) as a, sum(kind = 'view') as b, avg(kind in ('cart', 'purchase')) as c from events
--# like-escape: mysql
select o_orderkey from orders where o_comment like '%\_once' order by o_orderkey limit 10
--# order-by-field: mysql
select kind, count(*) from events group by kind order by field(kind, 'login', 'view', 'search', 'cart', 'purchase', 'logout')
--# order-by-null-first: mysql
select id, channel from events where id < 20 order by isnull(channel) desc, channel, id
--# collation: mysql
select count(*) from nation where n_name collate utf8mb4_bin = 'France'
--# comment-hash: mysql
# everything about regions
select r_name from region order by r_name
--# fetch-first: mysql
select p_partkey from part order by p_partkey offset 3 rows fetch next 4 rows only
--# row-comparison: mysql
select o_orderkey from orders where (o_custkey, o_orderstatus) = (1, 'F') or row(o_custkey, o_orderkey) in (row(4, 1), row(4, 2)) order by 1
--# any-subquery: mysql
select p_name from part where p_size >= all (select p_size from part where p_brand like 'Brand#1%') order by p_name limit 5
--# group-by-two-forms: mysql
select year(o_orderdate) as y, month(o_orderdate) as m, sum(o_totalprice) as total from orders group by y, m order by y desc, m desc limit 12
--# last-days: mysql
select count(*) from orders where o_orderdate >= date_sub(curdate(), interval 30 year) and o_orderdate < curdate()
--# md5-sha: mysql
select md5('a') as a, sha1('a') as b, sha2('a', 256) as c, length(uuid()) as d
--# bin-oct: mysql
select bin(5) as a, oct(8) as b, format(1234567.891, 2) as c, rand() < 1 as d
--# schema-qualified: mysql
select region.r_name from region where region.r_regionkey < 3 order by region.r_name
--# dual: mysql
select 1 + 1 as two from dual
--# lag-lead: mysql
select id, lag(salary) over w as before_, lead(salary) over w as after_ from employees window w as (order by id) order by id limit 20
--# hex-strings: mysql
select x'4142' as a, b'101' + 0 as c
