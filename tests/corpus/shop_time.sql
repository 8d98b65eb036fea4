--# by-month: postgres duckdb
select date_trunc('month', ordered_at) as month, sum(total) as revenue from orders group by 1 order by 1
--# by-month: sqlite
select strftime('%Y-%m', ordered_at) as month, sum(total) as revenue from orders group by 1 order by 1
--# by-month: mysql
select date_format(ordered_at, '%Y-%m-01') as month, sum(total) as revenue from orders group by 1 order by 1
--# by-month-as-date: postgres duckdb
select date_trunc('month', ordered_at)::date as month, count(*) from orders where status <> 'cancelled' group by month order by month
--# by-month-as-date: sqlite
select date(ordered_at, 'start of month') as month, count(*) from orders where status <> 'cancelled' group by month order by month
--# by-month-as-date: mysql
select cast(date_format(ordered_at, '%Y-%m-01') as date) as month, count(*) from orders where status <> 'cancelled' group by month order by month
--# by-quarter: postgres duckdb
select date_trunc('quarter', ordered_at) as quarter, round(avg(total), 2) as mean from orders group by quarter order by quarter
--# by-quarter: mysql
select year(ordered_at) as y, quarter(ordered_at) as q, round(avg(total), 2) as mean from orders group by y, q order by y, q
--# by-quarter: sqlite
select strftime('%Y', ordered_at) || '-Q' || ((cast(strftime('%m', ordered_at) as integer) + 2) / 3) as quarter, round(avg(total), 2) as mean from orders group by quarter order by quarter
--# by-week: postgres duckdb
select date_trunc('week', created) as week, count(*) as reviews from reviews group by date_trunc('week', created) order by week
--# by-week: sqlite
select strftime('%Y-%W', created) as week, count(*) as reviews from reviews group by week order by week
--# by-week: mysql
select yearweek(created, 3) as week, count(*) as reviews from reviews group by week order by week
--# by-day: all
select cast(ordered_at as date) as day, count(*) as n from orders group by cast(ordered_at as date) order by n desc, day limit 10
--# by-day: sqlite
select date(ordered_at) as day, count(*) as n from orders group by date(ordered_at) order by n desc, day limit 10
--# by-year: postgres duckdb mysql
select extract(year from ordered_at) as year, count(*) from orders group by extract(year from ordered_at) order by 1
--# by-year: sqlite
select cast(strftime('%Y', ordered_at) as integer) as year, count(*) from orders group by 1 order by 1
--# day-of-week: postgres duckdb
select extract(dow from ordered_at) as dow, count(*) as n from orders group by 1 order by 1
--# day-of-week: sqlite
select cast(strftime('%w', ordered_at) as integer) as dow, count(*) as n from orders group by 1 order by 1
--# day-of-week: mysql
select dayofweek(ordered_at) as dow, dayname(ordered_at) as name, count(*) as n from orders group by 1, 2 order by 1
--# hour-of-day: postgres duckdb
select extract(hour from ordered_at) as hour, count(*) from orders group by hour order by hour
--# hour-of-day: sqlite
select strftime('%H', ordered_at) as hour, count(*) from orders group by hour order by hour
--# hour-of-day: mysql
select hour(ordered_at) as hour, count(*) from orders group by hour order by hour
--# date-range: all
select count(*) from orders where ordered_at >= '2024-03-01' and ordered_at < '2024-06-01'
--# date-between: all
select id, joined from customers where joined between '2021-01-01' and '2021-03-31' order by joined, id
--# date-literal: postgres duckdb mysql
select id, joined from customers where joined >= date '2023-06-01' order by joined, id
--# date-literal: sqlite
select id, joined from customers where joined >= date('2023-06-01') order by joined, id
--# timestamp-literal: postgres duckdb mysql
select count(*) from orders where ordered_at > timestamp '2025-01-01 12:00:00'
--# timestamp-literal: sqlite
select count(*) from orders where ordered_at > datetime('2025-01-01 12:00:00')
--# last-days-before: postgres duckdb
select count(*) from orders where ordered_at >= timestamp '2025-12-31' - interval '30 days'
--# last-days-before: sqlite
select count(*) from orders where ordered_at >= datetime('2025-12-31', '-30 days')
--# last-days-before: mysql
select count(*) from orders where ordered_at >= date_sub('2025-12-31', interval 30 day)
--# interval-unit-outside: postgres duckdb
select count(*) from orders where ordered_at < date '2024-02-01' + interval '1' month
--# interval-unit-outside: mysql
select count(*) from orders where ordered_at < date '2024-02-01' + interval 1 month
--# interval-unit-outside: sqlite
select count(*) from orders where ordered_at < date('2024-02-01', '+1 month')
--# since-today: postgres duckdb
select count(*) from orders where ordered_at > current_date - interval '20 years'
--# since-today: sqlite
select count(*) from orders where ordered_at > date('now', '-20 years')
--# since-today: mysql
select count(*) from orders where ordered_at > curdate() - interval 20 year
--# since-now: postgres duckdb
select count(*) from orders where ordered_at < now()
--# since-now: sqlite
select count(*) from orders where ordered_at < datetime('now')
--# since-now: mysql
select count(*) from orders where ordered_at < now()
--# current-timestamp: all
select count(*) from orders where ordered_at < current_timestamp
--# age-in-days: postgres duckdb
select id, date '2026-01-01' - joined as days from customers where id <= 20 order by id
--# age-in-days: sqlite
select id, cast(julianday('2026-01-01') - julianday(joined) as integer) as days from customers where id <= 20 order by id
--# age-in-days: mysql
select id, datediff('2026-01-01', joined) as days from customers where id <= 20 order by id
--# age-function: postgres duckdb
select id, age(timestamp '2026-01-01', joined::timestamp) as age from customers where id <= 10 order by id
--# age-function: sqlite
select id, (strftime('%Y', '2026-01-01') - strftime('%Y', joined)) as years from customers where id <= 10 order by id
--# age-function: mysql
select id, timestampdiff(year, joined, '2026-01-01') as years, timestampdiff(month, joined, '2026-01-01') as months from customers where id <= 10 order by id
--# date-plus-days: postgres
select id, joined + 30 as trial_ends from customers where id < 10 order by id
--# date-plus-days: duckdb
select id, joined + 30 as trial_ends from customers where id < 10 order by id
--# date-plus-days: sqlite
select id, date(joined, '+30 days') as trial_ends from customers where id < 10 order by id
--# date-plus-days: mysql
select id, date_add(joined, interval 30 day) as trial_ends, adddate(joined, 7) as week from customers where id < 10 order by id
--# format-date: postgres
select id, to_char(ordered_at, 'DD Mon YYYY') as day, to_char(total, 'FM999G990D00') as amount from orders where id < 15 order by id
--# format-date: duckdb
select id, strftime(ordered_at, '%d %b %Y') as day from orders where id < 15 order by id
--# format-date: sqlite
select id, strftime('%d/%m/%Y', ordered_at) as day from orders where id < 15 order by id
--# format-date: mysql
select id, date_format(ordered_at, '%d %b %Y') as day, time_format(ordered_at, '%H:%i') as clock from orders where id < 15 order by id
--# date-part: postgres duckdb
select date_part('month', ordered_at) as month, count(*) from orders group by 1 order by 1
--# date-part: mysql
select month(ordered_at) as month, monthname(ordered_at) as name, count(*) from orders group by 1, 2 order by 1
--# date-part: sqlite
select strftime('%m', ordered_at) as month, count(*) from orders group by 1 order by 1
--# extract-epoch: postgres duckdb
select id, extract(epoch from ordered_at) as seconds from orders where id < 6 order by id
--# extract-epoch: sqlite
select id, strftime('%s', ordered_at) as seconds, unixepoch(ordered_at) as again from orders where id < 6 order by id
--# extract-epoch: mysql
select id, unix_timestamp(ordered_at) as seconds from orders where id < 6 order by id
--# extract-day: postgres duckdb mysql
select extract(day from joined) as day, count(*) from customers group by 1 order by 1
--# extract-day: sqlite
select cast(strftime('%d', joined) as integer) as day, count(*) from customers group by 1 order by 1
--# hours-between: postgres duckdb
select o.id, extract(epoch from (r.created - o.ordered_at)) / 3600 as hours from orders o join reviews r on r.customer_id = o.customer_id where r.id < 60 order by o.id, r.id
--# hours-between: sqlite
select o.id, round((julianday(r.created) - julianday(o.ordered_at)) * 24, 3) as hours from orders o join reviews r on r.customer_id = o.customer_id where r.id < 60 order by o.id, r.id
--# hours-between: mysql
select o.id, timestampdiff(hour, o.ordered_at, r.created) as hours from orders o join reviews r on r.customer_id = o.customer_id where r.id < 60 order by o.id, r.id
--# interval-arithmetic: postgres duckdb
select id, ordered_at + interval '2 days 3 hours' as due, ordered_at - interval '90 minutes' as before from orders where id < 8 order by id
--# interval-arithmetic: mysql
select id, ordered_at + interval 2 day + interval 3 hour as due, ordered_at - interval 90 minute as before_ from orders where id < 8 order by id
--# interval-arithmetic: sqlite
select id, datetime(ordered_at, '+2 days', '+3 hours') as due from orders where id < 8 order by id
--# interval-by-column: postgres duckdb
select id, joined + id * interval '1 day' as later from customers where id < 8 order by id
--# interval-by-column: mysql
select id, joined + interval id day as later from customers where id < 8 order by id
--# interval-by-column: sqlite
select id, date(joined, id || ' days') as later from customers where id < 8 order by id
--# make-interval: postgres
select id, joined + make_interval(days => 10) as later from customers where id < 5 order by id
--# month-end: postgres duckdb
select id, (date_trunc('month', joined) + interval '1 month' - interval '1 day')::date as month_end from customers where id < 12 order by id
--# month-end: sqlite
select id, date(joined, 'start of month', '+1 month', '-1 day') as month_end from customers where id < 12 order by id
--# month-end: mysql
select id, last_day(joined) as month_end from customers where id < 12 order by id
--# calendar-months: postgres
select m::date as month, count(o.id) as orders from generate_series(date '2024-01-01', date '2024-12-01', interval '1 month') as m left join orders o on date_trunc('month', o.ordered_at) = m group by m order by m
--# calendar-months: duckdb
select m.month, count(o.id) as orders from generate_series(timestamp '2024-01-01', timestamp '2024-12-01', interval '1 month') as m (month) left join orders o on date_trunc('month', o.ordered_at) = m.month group by m.month order by m.month
--# calendar-months: sqlite mysql
with recursive m (n) as (select 1 union all select n + 1 from m where n < 12)
select m.n as month, count(o.id) as orders from m left join orders o on cast(substr(o.ordered_at, 6, 2) as decimal) = m.n and substr(o.ordered_at, 1, 4) = '2024' group by m.n order by m.n
--# calendar-days: postgres
select d::date, coalesce(n, 0) as n from generate_series('2024-02-20'::date, '2024-03-05'::date, '1 day') d left join (select ordered_at::date as day, count(*) as n from orders group by 1) o on o.day = d::date order by 1
--# calendar-days: duckdb
select d.day::date as day, coalesce(n, 0) as n from generate_series(timestamp '2024-02-20', timestamp '2024-03-05', interval 1 day) as d (day) left join (select ordered_at::date as day, count(*) as n from orders group by 1) o on o.day = d.day::date order by 1
--# calendar-days: sqlite
with recursive d (day) as (select date('2024-02-20') union all select date(day, '+1 day') from d where day < '2024-03-05') select d.day, count(o.id) as n from d left join orders o on date(o.ordered_at) = d.day group by d.day order by d.day
--# calendar-days: mysql
with recursive d (day) as (select date('2024-02-20') union all select day + interval 1 day from d where day < '2024-03-05') select d.day, count(o.id) as n from d left join orders o on date(o.ordered_at) = d.day group by d.day order by d.day
--# year-over-year: postgres duckdb
select extract(month from ordered_at) as month, sum(case when extract(year from ordered_at) = 2024 then total else 0 end) as y2024, sum(case when extract(year from ordered_at) = 2025 then total else 0 end) as y2025 from orders group by 1 order by 1
--# year-over-year: sqlite
select strftime('%m', ordered_at) as month, sum(case when strftime('%Y', ordered_at) = '2024' then total else 0 end) as y2024, sum(case when strftime('%Y', ordered_at) = '2025' then total else 0 end) as y2025 from orders group by 1 order by 1
--# year-over-year: mysql
select month(ordered_at) as month, sum(if(year(ordered_at) = 2024, total, 0)) as y2024, sum(if(year(ordered_at) = 2025, total, 0)) as y2025 from orders group by 1 order by 1
--# month-over-month: postgres duckdb
with m as (select date_trunc('month', ordered_at) as month, sum(total) as revenue from orders group by 1)
select month, revenue, lag(revenue) over (order by month) as before, round(100.0 * (revenue - lag(revenue) over (order by month)) / lag(revenue) over (order by month), 2) as growth from m order by month
--# month-over-month: sqlite
with m as (select strftime('%Y-%m', ordered_at) as month, sum(total) as revenue from orders group by 1)
select month, revenue, lag(revenue) over (order by month) as prior, round(100.0 * (revenue - lag(revenue) over (order by month)) / lag(revenue) over (order by month), 2) as growth from m order by month
--# month-over-month: mysql
with m as (select date_format(ordered_at, '%Y-%m') as month, sum(total) as revenue from orders group by 1)
select month, revenue, lag(revenue) over (order by month) as prior, round(100.0 * (revenue - lag(revenue) over (order by month)) / lag(revenue) over (order by month), 2) as growth from m order by month
--# cohorts: postgres duckdb
with first as (select customer_id, min(date_trunc('month', ordered_at)) as cohort from orders group by customer_id),
active as (select distinct o.customer_id, f.cohort, (extract(year from o.ordered_at) - extract(year from f.cohort)) * 12 + extract(month from o.ordered_at) - extract(month from f.cohort) as age from orders o join first f on f.customer_id = o.customer_id)
select cohort, age, count(*) as customers from active where cohort < date '2024-07-01' and age <= 6 group by cohort, age order by cohort, age
--# cohorts: sqlite
with starts as (select customer_id, min(strftime('%Y-%m', ordered_at)) as cohort from orders group by customer_id),
active as (select distinct o.customer_id, f.cohort, (strftime('%Y', o.ordered_at) - substr(f.cohort, 1, 4)) * 12 + strftime('%m', o.ordered_at) - substr(f.cohort, 6, 2) as age from orders o join starts f on f.customer_id = o.customer_id)
select cohort, age, count(*) as customers from active where cohort < '2024-07' and age <= 6 group by cohort, age order by cohort, age
--# cohorts: mysql
with starts as (select customer_id, min(date_format(ordered_at, '%Y-%m-01')) as cohort from orders group by customer_id),
active as (select distinct o.customer_id, f.cohort, timestampdiff(month, f.cohort, o.ordered_at) as age from orders o join starts f on f.customer_id = o.customer_id)
select cohort, age, count(*) as customers from active where cohort < '2024-07-01' and age <= 6 group by cohort, age order by cohort, age
--# retention: postgres duckdb
with a as (select distinct customer_id, date_trunc('quarter', ordered_at) as q from orders)
select a.q, count(*) as active, count(b.customer_id) as came_back from a left join a b on b.customer_id = a.customer_id and b.q = a.q + interval '3 months' group by a.q order by a.q
--# retention: sqlite
with a as (select distinct customer_id, strftime('%Y-%m-01', ordered_at) as m from orders)
select a.m, count(*) as active, count(b.customer_id) as came_back from a left join a b on b.customer_id = a.customer_id and b.m = date(a.m, '+1 month') group by a.m order by a.m
--# retention: mysql
with a as (select distinct customer_id, date_format(ordered_at, '%Y-%m-01') as m from orders)
select a.m, count(*) as active, count(b.customer_id) as came_back from a left join a b on b.customer_id = a.customer_id and b.m = date_format(date_add(a.m, interval 1 month), '%Y-%m-01') group by a.m order by a.m
--# days-since-last-order: postgres duckdb
select customer_id, date '2026-01-01' - max(ordered_at)::date as days from orders group by customer_id having max(ordered_at) < timestamp '2025-06-01' order by days desc, customer_id
--# days-since-last-order: sqlite
select customer_id, julianday('2026-01-01') - julianday(date(max(ordered_at))) as days from orders group by customer_id having max(ordered_at) < '2025-06-01' order by days desc, customer_id
--# days-since-last-order: mysql
select customer_id, datediff('2026-01-01', max(ordered_at)) as days from orders group by customer_id having max(ordered_at) < '2025-06-01' order by days desc, customer_id
--# gaps-between-orders: postgres duckdb
select customer_id, avg(gap) as mean_gap from (select customer_id, ordered_at - lag(ordered_at) over (partition by customer_id order by ordered_at) as gap from orders) t where gap is not null group by customer_id having count(*) > 8 order by customer_id
--# gaps-between-orders: sqlite
select customer_id, round(avg(gap), 4) as mean_gap from (select customer_id, julianday(ordered_at) - julianday(lag(ordered_at) over (partition by customer_id order by ordered_at)) as gap from orders) t where gap is not null group by customer_id having count(*) > 8 order by customer_id
--# gaps-between-orders: mysql
select customer_id, avg(gap) as mean_gap from (select customer_id, timestampdiff(second, lag(ordered_at) over (partition by customer_id order by ordered_at), ordered_at) as gap from orders) t where gap is not null group by customer_id having count(*) > 8 order by customer_id
--# at-time-zone: postgres
select id, ordered_at at time zone 'UTC' at time zone 'Europe/Paris' as paris from orders where id < 5 order by id
--# weekend-orders: postgres duckdb
select extract(isodow from ordered_at) in (6, 7) as weekend, count(*) from orders group by 1 order by 1
--# weekend-orders: sqlite
select strftime('%w', ordered_at) in ('0', '6') as weekend, count(*) from orders group by 1 order by 1
--# weekend-orders: mysql
select weekday(ordered_at) in (5, 6) as weekend, count(*) from orders group by 1 order by 1
--# cast-strings-to-dates: postgres duckdb
select count(*) from customers where joined > '2022-01-15'::date and cast('2023-01-01' as date) > joined
--# cast-strings-to-dates: mysql
select count(*) from customers where joined > str_to_date('15.01.2022', '%d.%m.%Y') and cast('2023-01-01' as date) > joined
--# cast-strings-to-dates: sqlite
select count(*) from customers where joined > date('2022-01-15') and '2023-01-01' > joined
--# to-date: postgres
select to_date('03.02.2024', 'DD.MM.YYYY') as d, to_timestamp('2024-02-03 04:05', 'YYYY-MM-DD HH24:MI') > timestamp '2024-01-01' as after
--# overlaps: postgres
select count(*) from orders where (ordered_at, interval '1 day') overlaps (date '2024-05-01', date '2024-05-08')
--# half-hours: postgres
select date_bin('30 minutes', ordered_at, timestamp '2024-01-01') as slot, count(*) from orders where ordered_at < '2024-01-05' group by slot order by slot
