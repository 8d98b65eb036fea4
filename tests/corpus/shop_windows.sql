--# row-number: all
select id, customer_id, row_number() over (partition by customer_id order by ordered_at) as nth from orders where customer_id < 20 order by customer_id, nth
--# rank-and-dense-rank: all
select category, name, rank() over (partition by category order by price desc) as r, dense_rank() over (partition by category order by price desc) as d from products order by category, r, name
--# running-total: all
select id, total, sum(total) over (order by id) as running from orders where id <= 100 order by id
--# running-total-per-customer: all
select customer_id, id, sum(total) over (partition by customer_id order by id rows between unbounded preceding and current row) as so_far from orders where customer_id <= 10 order by customer_id, id
--# moving-average: all
select id, avg(total) over (order by id rows between 6 preceding and current row) as week_mean from orders where id <= 100 order by id
--# centred-window: all
select id, avg(total) over (order by id rows between 2 preceding and 2 following) as smooth from orders where id <= 60 order by id
--# lag-lead: all
select id, total, lag(total) over (order by id) as before_, lead(total) over (order by id) as after_ from orders where id <= 50 order by id
--# lag-with-default: all
select id, total - lag(total, 1, 0) over (order by id) as change_ from orders where id <= 50 order by id
--# lag-with-default: mysql
select id, total - coalesce(lag(total, 1) over (order by id), 0) as change_ from orders where id <= 50 order by id
--# first-last-value: all
select category, name, first_value(name) over (partition by category order by price, id) as cheapest, last_value(name) over (partition by category order by price, id rows between unbounded preceding and unbounded following) as dearest from products order by category, id
--# nth-value: all
select category, name, nth_value(name, 2) over (partition by category order by price desc, id rows between unbounded preceding and unbounded following) as second from products order by category, id
--# ntile: all
select id, spent, ntile(4) over (order by spent desc, id) as quartile from good_customers order by spent desc, id
--# percent-rank: all
select sku, price, percent_rank() over (order by price) as pr, cume_dist() over (order by price) as cd from products order by price, sku
--# share-of-category: all
select category, name, price / sum(price) over (partition by category) as share from products order by category, name
--# count-over: all
select id, country, count(*) over (partition by country) as neighbours from customers where id <= 60 order by id
--# total-next-to-rows: all
select id, total, total * 100 / sum(total) over () as percent from orders where id <= 40 order by id
--# named-window: all
select id, sum(total) over w as s, avg(total) over w as a, count(*) over w as n from orders where id <= 80 window w as (partition by status order by id) order by id
--# named-window-extended: all
select id, sum(total) over (w order by id) as s from orders where id <= 60 window w as (partition by status) order by id
--# two-named-windows: all
select id, rank() over a as by_total, row_number() over b as by_id from orders where id <= 60 window a as (order by total desc), b as (order by id) order by id
--# aggregate-then-window: all
select customer_id, sum(total) as spent, rank() over (order by sum(total) desc) as place from orders group by customer_id order by place, customer_id limit 20
--# running-months: postgres duckdb
select date_trunc('month', ordered_at) as month, sum(total) as revenue, sum(sum(total)) over (order by date_trunc('month', ordered_at)) as running from orders group by 1 order by 1
--# running-months: sqlite
select strftime('%Y-%m', ordered_at) as month, sum(total) as revenue, sum(sum(total)) over (order by strftime('%Y-%m', ordered_at)) as running from orders group by 1 order by 1
--# running-months: mysql
select month, revenue, sum(revenue) over (order by month) as running from (select date_format(ordered_at, '%Y-%m') as month, sum(total) as revenue from orders group by 1) t order by month
--# window-in-cte: all
with ranked as (select id, customer_id, total, row_number() over (partition by customer_id order by total desc, id) as r from orders) select customer_id, id, total from ranked where r = 1 and total > 800 order by total desc, id
--# top-n-with-ties: all
select category, name, price from (select p.*, rank() over (partition by category order by price desc) as place from products p) x where place <= 2 order by category, price desc, name
--# range-frame-interval: postgres duckdb
select id, count(*) over (order by ordered_at range between interval '1 day' preceding and current row) as last_day from orders where id <= 150 order by id
--# range-frame-interval: mysql sqlite
select id, count(*) over (order by id range between 5 preceding and current row) as near from orders where id <= 150 order by id
--# groups-frame: postgres sqlite duckdb
select id, sum(quantity) over (order by order_id groups between 1 preceding and 1 following) as around from order_items where id <= 60 order by id
--# exclude-current: postgres sqlite duckdb
select id, avg(price) over (partition by category order by id rows between unbounded preceding and unbounded following exclude current row) as others from products order by id
--# filter-window: postgres sqlite duckdb
select id, count(*) filter (where status = 'returned') over (order by id) as returns_so_far from orders where id <= 120 order by id
--# case-in-window: all
select id, sum(case when status = 'returned' then 1 else 0 end) over (partition by customer_id order by id) as returns_so_far from orders where customer_id < 12 order by customer_id, id
--# window-order-expression: all
select id, row_number() over (order by length(name) desc, id) as r from products order by r limit 20
--# islands: all
select customer_id, min(id) as first_id, max(id) as last_id, count(*) as n from (select id, customer_id, status, row_number() over (partition by customer_id order by id) - row_number() over (partition by customer_id, status order by id) as grp from orders) t where customer_id < 15 group by customer_id, status, grp having count(*) > 1 order by 1, 2
--# difference-from-mean: all
select id, price, price - avg(price) over (partition by category) as above from products where category in ('Audio', 'Garden') order by id
--# pareto: all
select name, revenue, sum(revenue) over (order by revenue desc, name) / sum(revenue) over () as cumulative from (select p.name, sum(i.quantity * i.unit_price) as revenue from products p join order_items i on i.product_id = p.id group by p.name) t order by revenue desc, name limit 30
--# dedupe: all
select id, name, city from (select c.*, row_number() over (partition by city order by id) as rn from customers c) d where rn = 1 order by city
--# qualify: duckdb
select category, name, price from products qualify row_number() over (partition by category order by price desc, name) = 1 order by category
--# two-windows-one-expression: all
select id, sum(quantity) over (partition by order_id) - quantity as rest, max(quantity) over () as most from order_items where id <= 50 order by id
--# ranking-text: all
select country, name, row_number() over (partition by country order by name desc, id) as r from customers where country in ('Japan', 'Poland') order by country, r
--# lag-two: all
select id, lag(total, 2) over (partition by status order by id) as two_back from orders where id < 60 order by id
--# ignore-nulls-by-subquery: all
select id, (select max(c2.notes) from customers c2 where c2.id <= c.id and c2.notes is not null) as seen from customers c where id <= 25 order by id
