--# managers: all
select e.full_name as employee, m.full_name as manager from employees e left join employees m on m.id = e.manager_id order by e.id
--# org-chart: all
with recursive chart (id, full_name, manager_id, level) as (select id, full_name, manager_id, 1 from employees where manager_id is null union all select e.id, e.full_name, e.manager_id, c.level + 1 from employees e join chart c on e.manager_id = c.id) select level, count(*) as people from chart group by level order by level
--# reports-of-one: all
with recursive team as (select id, full_name from employees where id = 3 union select e.id, e.full_name from employees e join team t on e.manager_id = t.id) select * from team order by id
--# path-upwards: all
with recursive up (id, manager_id, hops) as (select id, manager_id, 0 from employees where id = 25 union all select e.id, e.manager_id, u.hops + 1 from employees e join up u on e.id = u.manager_id) select id, hops from up order by hops
--# path-as-text: postgres duckdb
with recursive chart as (select id, full_name::text as path from employees where manager_id is null union all select e.id, c.path || ' > ' || e.full_name from employees e join chart c on e.manager_id = c.id) select id, path from chart order by id limit 15
--# path-as-text: sqlite
with recursive chart as (select id, full_name as path from employees where manager_id is null union all select e.id, c.path || ' > ' || e.full_name from employees e join chart c on e.manager_id = c.id) select id, path from chart order by id limit 15
--# path-as-text: mysql
with recursive chart as (select id, cast(full_name as char(500)) as path from employees where manager_id is null union all select e.id, concat(c.path, ' > ', e.full_name) from employees e join chart c on e.manager_id = c.id) select id, path from chart order by id limit 15
--# above-department-average: all
select e.full_name, e.department, e.salary from employees e where e.salary > (select avg(d.salary) from employees d where d.department = e.department) order by e.department, e.salary desc
--# best-paid-each: all
select department, full_name, salary from employees e where salary = (select max(salary) from employees where department = e.department) order by department
--# salary-rank: all
select full_name, department, salary, dense_rank() over (partition by department order by salary desc) as place from employees order by department, place
--# salary-gap: all
select full_name, salary, salary - lag(salary) over (order by salary) as gap from employees order by salary limit 20
--# nth-highest-salary: all
select distinct salary from employees e1 where 2 = (select count(distinct e2.salary) from employees e2 where e2.salary > e1.salary)
--# department-summary: all
select department, count(*) as n, min(salary) as low, max(salary) as high, round(avg(salary), 2) as mean, sum(salary) as payroll from employees group by department having count(*) > 1 order by payroll desc
--# titles-pivot: all
select department, sum(case title when 'Manager' then 1 else 0 end) as managers, sum(case title when 'Analyst' then 1 else 0 end) as analysts from employees group by department order by department
--# double-arithmetic: all
select id, rate, rate * 1.1 as raised, rate / 7 as weekly, round(rate) as whole from employees where id < 20 order by id
--# hired-first: all
select * from employees order by hired, id limit 3
--# same-manager-pairs: all
select a.full_name as one, b.full_name as other from employees a inner join employees b on a.manager_id = b.manager_id and a.id < b.id where a.department = b.department order by a.id, b.id
--# not-managers: all
select id, full_name from employees where id not in (select manager_id from employees where manager_id is not null) order by id limit 10
--# three-level-join: all
select e.full_name, m.full_name as boss, g.full_name as grand_boss from employees e join employees m on e.manager_id = m.id left join employees g on m.manager_id = g.id order by e.id limit 12
--# event-counts: all
select kind, count(*) as n, count(distinct custkey) as people from events group by kind order by n desc, kind
--# event-funnel: all
select count(distinct case when kind = 'view' then custkey end) as viewed, count(distinct case when kind = 'cart' then custkey end) as carted, count(distinct case when kind = 'purchase' then custkey end) as bought from events
--# active-events: all
select channel, active, count(*) from events where active group by channel, active order by 3 desc, 1
--# active-comparison: postgres mysql duckdb
select count(*) from events where active = true and not (active is false)
--# active-comparison: sqlite
select count(*) from events where active = 1 and not (active is false)
--# first-event: all
select custkey, kind, happened_at from (select e.*, row_number() over (partition by custkey order by happened_at, id) as n from events e) t where n = 1 order by custkey limit 20
--# sessions: postgres duckdb
select custkey, count(*) as sessions from (select custkey, happened_at, lag(happened_at) over (partition by custkey order by happened_at) as before_ from events) t where before_ is null or happened_at - before_ > interval '7 days' group by custkey order by sessions desc, custkey limit 20
--# sessions: sqlite
select custkey, count(*) as sessions from (select custkey, happened_at, lag(happened_at) over (partition by custkey order by happened_at) as before_ from events) t where before_ is null or julianday(happened_at) - julianday(before_) > 7 group by custkey order by sessions desc, custkey limit 20
--# sessions: mysql
select custkey, count(*) as sessions from (select custkey, happened_at, lag(happened_at) over (partition by custkey order by happened_at) as before_ from events) t where before_ is null or timestampdiff(day, before_, happened_at) >= 7 group by custkey order by sessions desc, custkey limit 20
--# channel-null: all
select coalesce(channel, '(none)') as channel, count(*) from events group by channel order by 2 desc, 1
--# events-with-names: all
select c.c_name, e.kind, count(*) as n from events e join customer c on c.c_custkey = e.custkey where e.kind in ('cart', 'purchase') group by c.c_name, e.kind order by c.c_name, e.kind limit 30
--# json-text: postgres
select id, payload ->> 'page' as page, payload -> 'user' ->> 'plan' as plan, (payload ->> 'amount')::int as amount from events where id <= 40 order by id
--# json-text: sqlite
select id, payload ->> '$.page' as page, payload ->> '$.user.plan' as plan, cast(payload ->> 'amount' as integer) as amount from events where id <= 40 order by id
--# json-text: mysql
select id, json_value(payload, '$.page') as page, json_value(payload, '$.user.plan') as plan, cast(json_value(payload, '$.amount') as signed) as amount from events where id <= 40 order by id
--# json-text: duckdb
select id, payload ->> 'page' as page, payload ->> '$.user.plan' as plan, (payload ->> 'amount')::int as amount from events where id <= 40 order by id
--# json-group: postgres
select payload ->> 'page' as page, avg((payload ->> 'amount')::numeric) as mean from events group by 1 order by 1 nulls last
--# json-group: sqlite
select json_extract(payload, '$.page') as page, avg(json_extract(payload, '$.amount')) as mean from events group by 1 order by 1
--# json-group: mysql
select json_unquote(json_extract(payload, '$.page')) as page, avg(json_value(payload, '$.amount')) as mean from events group by 1 order by 1
--# json-group: duckdb
select json_extract_string(payload, '$.page') as page, avg(cast(json_extract(payload, '$.amount') as integer)) as mean from events group by 1 order by 1
--# json-filter: postgres
select count(*) from events where payload @> '{"page": "home"}' and payload ? 'user' and payload #>> '{user,plan}' = 'pro'
--# json-filter: sqlite
select count(*) from events where payload ->> 'page' = 'home' and json_extract(payload, '$.user.plan') = 'pro'
--# json-filter: mysql
select count(*) from events where json_value(payload, '$.page') = 'home' and json_contains(payload, '"pro"', '$.user.plan')
--# json-filter: duckdb
select count(*) from events where payload ->> '$.page' = 'home' and json_extract_string(payload, '$.user.plan') = 'pro'
--# json-array-length: postgres
select jsonb_array_length(payload -> 'items') as items, count(*) from events group by 1 order by 1
--# json-array-length: sqlite
select json_array_length(payload, '$.items') as items, count(*) from events group by 1 order by 1
--# json-array-length: mysql
select json_length(payload, '$.items') as items, count(*) from events group by 1 order by 1
--# json-array-length: duckdb
select json_array_length(payload, '$.items') as items, count(*) from events group by 1 order by 1
--# json-rows: postgres
select i ->> 'sku' as sku, sum((i ->> 'n')::int) as n from events e, jsonb_array_elements(e.payload -> 'items') as i group by 1 order by 1
--# json-rows: sqlite
select json_extract(payload, '$.items[0].sku') as sku, count(*) as n from events group by 1 order by 1
--# json-rows: duckdb
select i ->> 'sku' as sku, sum((i ->> 'n')::int) as n from (select unnest(cast(payload -> 'items' as json[])) as i from events) t group by 1 order by 1
--# json-build: postgres
select json_build_object('id', id, 'kind', kind, 'when', happened_at) as doc from events where id < 6 order by id
--# json-build: sqlite
select json_object('id', id, 'kind', kind, 'when', happened_at) as doc, json_array(id, kind) as pair from events where id < 6 order by id
--# json-build: mysql
select json_object('id', id, 'kind', kind) as doc, json_array(id, kind) as pair from events where id < 6 order by id
--# json-build: duckdb
select json_object('id', id, 'kind', kind) as doc, json_array(id, kind) as pair from events where id < 6 order by id
--# tags-contain: postgres
select id, tags from events where 'vip' = any(tags) and tags && array['mobile', 'promo'] order by id
--# tags-contain: sqlite
select id, tags from events where tags like '%"vip"%' and (tags like '%"mobile"%' or tags like '%"promo"%') order by id
--# tags-contain: mysql
select id, tags from events where json_contains(tags, '"vip"') and (json_contains(tags, '"mobile"') or json_contains(tags, '"promo"')) order by id
--# tags-contain: duckdb
select id, tags from events where list_contains(tags, 'vip') and list_has_any(tags, ['mobile', 'promo']) order by id
--# tags-unnest: postgres
select tag, count(*) as n from events, unnest(tags) as tag group by tag order by n desc, tag
--# tags-unnest: duckdb
select tag, count(*) as n from (select unnest(tags) as tag from events) t group by tag order by n desc, tag
--# tags-unnest: sqlite
select count(*) as n, sum(json_array_length(tags)) as tags from events
--# tags-size: postgres
select coalesce(array_length(tags, 1), 0) as size, cardinality(tags) as again, count(*) from events group by 1, 2 order by 1
--# tags-size: duckdb
select len(tags) as size, array_length(tags) as again, count(*) from events group by 1, 2 order by 1
--# tags-size: sqlite
select json_array_length(tags) as size, count(*) from events group by 1 order by 1
--# tags-size: mysql
select json_length(tags) as size, count(*) from events group by 1 order by 1
--# json-rows: mysql
select json_value(payload, '$.items[0].sku') as sku, count(*) as n from events group by 1 order by 1
--# tags-unnest: mysql
with recursive k (i) as (select 0 union all select i + 1 from k where i < 4) select json_value(e.tags, concat('$[', k.i, ']')) as tag, count(*) as n from events e join k on k.i < json_length(e.tags) group by tag order by n desc, tag
