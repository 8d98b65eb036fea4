--# revenue-by-category: all
select p.category, sum(i.quantity * i.unit_price) as revenue from order_items i join products p on p.id = i.product_id group by p.category order by revenue desc
--# group-by-position: all
select country, segment, count(*) from customers group by 1, 2 order by 1, 2
--# group-by-alias: all
select case when total < 100 then 'small' when total < 500 then 'middle' else 'large' end as size, count(*) as n from orders group by size order by n
--# group-by-expression: all
select length(sku) as len, count(*) from products group by length(sku) order by 1
--# having-count: all
select customer_id, count(*) as n from orders group by customer_id having count(*) >= 10 order by n desc, customer_id
--# having-two: all
select p.category, avg(r.rating) as mean, count(*) as n from products p join reviews r on r.product_id = p.id group by p.category having avg(r.rating) > 3 and count(*) > 20 order by mean desc
--# having-without-group: all
select count(*) as n from orders having count(*) > 10
--# where-and-having: all
select country, count(*) as n from customers where segment <> 'consumer' group by country having count(*) > 5 order by n desc, country
--# min-max: all
select min(price), max(price), max(price) - min(price) as spread from products
--# five-numbers: all
select count(*) as n, sum(total) as total, avg(total) as mean, min(total) as low, max(total) as high from orders where status = 'delivered'
--# count-distinct-in-group: all
select p.category, count(distinct o.customer_id) as buyers from products p join order_items i on i.product_id = p.id join orders o on o.id = i.order_id group by p.category order by 1
--# sum-distinct: all
select sum(distinct rating), count(distinct rating) from reviews
--# pivot-by-case: all
select p.category,
  sum(case when o.status = 'delivered' then i.quantity else 0 end) as delivered,
  sum(case when o.status = 'returned' then i.quantity else 0 end) as returned,
  sum(case when o.status = 'cancelled' then i.quantity else 0 end) as cancelled
from order_items i join orders o on o.id = i.order_id join products p on p.id = i.product_id group by p.category order by p.category
--# count-case: all
select count(case when rating >= 4 then 1 end) as good, count(case when rating <= 2 then 1 end) as bad, count(*) as everything from reviews
--# filter-clause: postgres sqlite duckdb
select country, count(*) filter (where segment = 'small business') as business, count(*) filter (where segment = 'consumer') as retail from customers group by country order by country
--# filter-clause: mysql
select country, sum(segment = 'small business') as business, sum(segment = 'consumer') as retail from customers group by country order by country
--# share-of-total: all
select status, count(*) * 100.0 / (select count(*) from orders) as percent from orders group by status order by status
--# share-by-window: all
select status, round(100.0 * count(*) / sum(count(*)) over (), 1) as percent from orders group by status order by status
--# conversion-rate: all
select round(1.0 * count(distinct o.customer_id) / nullif(count(distinct c.id), 0), 4) as rate from customers c left join orders o on o.customer_id = c.id
--# average-of-counts: all
select avg(n) from (select count(*) as n from orders group by customer_id) t
--# average-as-decimal: all
select product_id, avg(cast(rating as decimal(10, 2))) as mean from reviews group by product_id having count(*) > 5 order by product_id
--# string-agg: postgres duckdb
select category, string_agg(sku, ', ' order by sku) as skus from products group by category order by category
--# string-agg: sqlite
select category, group_concat(sku, ', ') as skus from (select category, sku from products order by sku) group by category order by category
--# string-agg: mysql
select category, group_concat(sku order by sku separator ', ') as skus from products group by category order by category
--# string-agg-distinct: postgres duckdb
select segment, string_agg(distinct country, '|' order by country) from customers group by segment order by segment
--# string-agg-distinct: sqlite
select segment, count(distinct country), group_concat(distinct segment) from customers group by segment order by segment
--# string-agg-distinct: mysql
select segment, group_concat(distinct country order by country separator '|') from customers group by segment order by segment
--# array-agg: postgres duckdb
select customer_id, array_agg(id order by id) as order_ids from orders where customer_id < 10 group by customer_id order by customer_id
--# stddev: postgres mysql duckdb
select status, stddev_samp(total) as deviation, var_pop(total) as variance from orders group by status order by status
--# stddev: sqlite
select status, sqrt(avg(total * total) - avg(total) * avg(total)) as deviation from orders group by status order by status
--# rollup: postgres duckdb
select country, segment, count(*) as n from customers group by rollup (country, segment) order by country nulls last, segment nulls last
--# rollup: mysql
select country, segment, count(*) as n from customers group by country, segment with rollup
--# rollup: sqlite
select country, segment, count(*) as n from customers group by country, segment union all select country, null, count(*) from customers group by country union all select null, null, count(*) from customers order by 1, 2
--# cube: postgres duckdb
select segment, country, count(*) from customers group by cube (segment, country) order by 1 nulls last, 2 nulls last
--# grouping-sets: postgres duckdb
select p.category, o.status, sum(i.quantity) as pieces, grouping(p.category, o.status) as level from order_items i join orders o on o.id = i.order_id join products p on p.id = i.product_id group by grouping sets ((p.category, o.status), (p.category), ()) order by level, 1, 2
--# grouping-with-case: postgres duckdb
select case when grouping(segment) = 1 then 'all segments' else segment end as segment, count(*) from customers group by rollup (segment) order by 2, 1
--# median: postgres duckdb
select percentile_cont(0.5) within group (order by total) as median from orders
--# median: mysql
select distinct status, percentile_cont(0.5) within group (order by total) over (partition by status) as median from orders order by status
--# median: sqlite
select avg(total) as median from (select total, row_number() over (order by total) as r, count(*) over () as n from orders) where r in ((n + 1) / 2, (n + 2) / 2)
--# percentiles: postgres duckdb
select category, percentile_disc(0.25) within group (order by price) as q1, percentile_disc(0.75) within group (order by price) as q3 from products group by category order by category
--# mode: postgres duckdb
select country, mode() within group (order by segment) as usual from customers group by country order by country
--# bool-aggregates: postgres duckdb
select product_id, bool_and(rating >= 3) as all_fine, bool_or(rating = 1) as any_bad from reviews group by product_id order by product_id
--# bool-aggregates: sqlite mysql
select product_id, min(rating >= 3) as all_fine, max(rating = 1) as any_bad from reviews group by product_id order by product_id
--# correlation: postgres duckdb
select corr(p.price, r.rating) as correlation, regr_slope(r.rating, p.price) as slope from products p join reviews r on r.product_id = p.id
--# most-recent-per-group: all
select o.customer_id, o.id, o.total from orders o join (select customer_id, max(id) as last_id from orders group by customer_id) l on l.last_id = o.id order by o.customer_id limit 40
--# first-of-group-distinct-on: postgres duckdb
select distinct on (customer_id) customer_id, ordered_at, total from orders order by customer_id, ordered_at desc, id
--# distinct-on-expression: postgres duckdb
select distinct on (lower(category)) category, name, price from products order by lower(category), price desc, name
--# top-three-per-category: all
select category, name, price from (select category, name, price, row_number() over (partition by category order by price desc, name) as r from products) t where r <= 3 order by category, r
--# repeat-customers: all
select n_orders, count(*) as customers from (select customer_id, count(*) as n_orders from orders group by customer_id) t group by n_orders order by n_orders
--# basket-pairs: all
select a.product_id, b.product_id as other, count(*) as together from order_items a join order_items b on a.order_id = b.order_id and a.product_id < b.product_id group by a.product_id, b.product_id having count(*) >= 3 order by together desc, 1, 2
--# average-basket: all
select round(avg(items), 3) as items, round(avg(pieces), 3) as pieces from (select order_id, count(*) as items, sum(quantity) as pieces from order_items group by order_id) t
--# totals-agree: all
select o.id, o.total, s.computed from orders o join (select order_id, sum(quantity * unit_price) as computed from order_items group by order_id) s on s.order_id = o.id where abs(o.total - s.computed) < 0.005 and o.id < 60 order by o.id
--# ratio-nullif: all
select status, sum(total) / nullif(count(*), 0) as mean, sum(total) / nullif(sum(case when total > 1000 then 1 else 0 end), 0) as per_big from orders group by status order by status
--# group-and-limit: all
select p.name, count(r.id) as reviews, round(avg(r.rating), 2) as mean from products p left join reviews r on r.product_id = p.id group by p.id, p.name order by reviews desc, p.name limit 15
--# distinct-aggregate-order: all
select country, max(joined) as latest, min(joined) as first from customers group by country order by max(joined) desc, country
--# any-value: postgres duckdb
select category, any_value(category) as same from products group by category order by 1
--# count-two-levels: all
select segment, count(*) as customers, sum(n) as orders, max(n) as most from (select c.id, c.segment, count(o.id) as n from customers c left join orders o on o.customer_id = c.id group by c.id, c.segment) t group by segment order by segment
--# histogram: all
select floor(price / 25) * 25 as bucket, count(*) as n from products group by floor(price / 25) * 25 order by bucket
--# width-bucket: postgres
select width_bucket(price, 0, 400, 8) as bucket, count(*) from products group by bucket order by bucket
--# nested-aggregate-window: all
select country, count(*) as n, rank() over (order by count(*) desc) as place from customers group by country order by place, country
--# max-by-subquery: all
select name, price from products where price = (select max(price) from products)
--# having-subquery: all
select category, avg(price) as mean from products group by category having avg(price) > (select avg(price) from products) order by category
--# aggregates-of-case: all
select country, avg(case when segment = 'small business' then 1.0 else 0 end) as business_share from customers group by country order by business_share desc, country
--# json-agg: postgres
select category, json_agg(json_build_object('sku', sku, 'price', price) order by sku) as items from products where id < 25 group by category order by category
--# json-agg: sqlite
select category, json_group_array(json_object('sku', sku, 'price', price)) as items from products where id < 25 group by category order by category
--# json-agg: mysql
select category, json_arrayagg(json_object('sku', sku, 'price', price)) as items from products where id < 25 group by category order by category
--# json-agg: duckdb
select category, to_json(list({'sku': sku, 'price': price} order by sku)) as items from products where id < 25 group by category order by category
