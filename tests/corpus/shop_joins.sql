--# inner-join: all
select o.id, c.name, o.total from orders o inner join customers c on c.id = o.customer_id where o.id <= 60 order by o.id
--# join-without-alias: all
select orders.id, customers.name from orders join customers on customers.id = orders.customer_id where orders.total > 900 order by orders.id
--# comma-join: all
select c.name, o.total from customers c, orders o where o.customer_id = c.id and o.total > 800 order by o.total desc, o.id
--# left-join-missing: all
select c.id, c.name from customers c left join orders o on o.customer_id = c.id where o.id is null order by c.id
--# left-join-counts: all
select c.id, count(o.id) as orders, coalesce(sum(o.total), 0) as spent from customers c left join orders o on o.customer_id = c.id group by c.id order by spent desc, c.id limit 30
--# left-outer: all
select p.sku, r.rating from products p left outer join reviews r on r.product_id = p.id and r.rating = 1 order by p.sku, r.id
--# right-join: all
select p.id, p.name, r.id as review from reviews r right join products p on p.id = r.product_id where p.id < 25 order by p.id, r.id
--# full-join: postgres sqlite duckdb
select coalesce(a.country, b.country) as country, a.n as buyers, b.n as reviewers
from (select c.country, count(distinct o.customer_id) as n from customers c join orders o on o.customer_id = c.id where o.total > 1200 group by c.country) a
full outer join (select c.country, count(distinct r.customer_id) as n from customers c join reviews r on r.customer_id = c.id where r.rating = 1 group by c.country) b
on a.country = b.country order by 1
--# full-join: mysql
select a.country, a.n as buyers, b.n as reviewers
from (select c.country, count(distinct o.customer_id) as n from customers c join orders o on o.customer_id = c.id where o.total > 1200 group by c.country) a
left join (select c.country, count(distinct r.customer_id) as n from customers c join reviews r on r.customer_id = c.id where r.rating = 1 group by c.country) b
on a.country = b.country
union
select b.country, a.n, b.n
from (select c.country, count(distinct o.customer_id) as n from customers c join orders o on o.customer_id = c.id where o.total > 1200 group by c.country) a
right join (select c.country, count(distinct r.customer_id) as n from customers c join reviews r on r.customer_id = c.id where r.rating = 1 group by c.country) b
on a.country = b.country order by 1
--# cross-join: all
select s.segment, p.category from (select distinct segment from customers) s cross join (select distinct category from products) p order by 1, 2
--# self-join: all
select a.id as first_id, b.id as second_id, a.city from customers a join customers b on a.city = b.city and a.id < b.id where a.id < 40 order by 1, 2
--# three-tables: all
select c.country, p.category, sum(i.quantity) as pieces from customers c join orders o on o.customer_id = c.id join order_items i on i.order_id = o.id join products p on p.id = i.product_id group by c.country, p.category order by pieces desc, 1, 2 limit 40
--# four-tables-where: all
SELECT c.name AS customer_name, o.id AS order_id, p.name AS product_name, oi.quantity
FROM customers c
JOIN orders o ON c.id = o.customer_id
JOIN order_items oi ON o.id = oi.order_id
JOIN products p ON oi.product_id = p.id
WHERE p.category = 'Kitchen' AND o.status = 'returned'
ORDER BY o.id, oi.id;
--# using-join: all
select product_id, r.rating, i.quantity from reviews r join order_items i using (product_id) where product_id in (3, 17) order by 1, r.id, i.id limit 50
--# using-star: all
select * from (select id as customer_id, name, country from customers where id < 12) c join orders o using (customer_id) order by o.id
--# using-left: all
select customer_id, name, count(o.id) as n from (select id as customer_id, name from customers where id < 30) c left join orders o using (customer_id) group by customer_id, name order by customer_id
--# using-two-columns: all
select product_id, customer_id, count(*) from reviews join (select i.product_id, o.customer_id from order_items i join orders o on o.id = i.order_id) bought using (product_id, customer_id) group by product_id, customer_id order by 1, 2
--# natural-join: all
select customer_id, name, total from (select id as customer_id, name from customers where country = 'Japan') j natural join (select customer_id, total from orders) o order by customer_id, total
--# natural-left-join: all
select name, total from (select id as customer_id, name from customers where id < 20) j natural left join (select customer_id, total from orders where total > 300) o order by name, total
--# join-on-range: all
select o.id, b.band from orders o join (select 'small' as band, 0 as low, 100 as high union all select 'middle', 100, 500 union all select 'large', 500, 100000) b on o.total >= b.low and o.total < b.high where o.id <= 120 order by o.id
--# join-on-expression: all
select a.sku, b.sku as other from products a join products b on a.category = b.category and abs(a.price - b.price) < 2 and a.id < b.id order by 1, 2
--# join-or-condition: all
select count(*) from customers c join reviews r on r.customer_id = c.id and (r.rating = 5 or r.title like 'A%')
--# bracketed-joins: all
select c.id, o.id as order_id, i.id as item from customers c left join (orders o join order_items i on i.order_id = o.id) on o.customer_id = c.id where c.id < 15 order by 1, 2, 3
--# derived-table: all
select t.country, t.spent from (select c.country, sum(o.total) as spent from customers c join orders o on o.customer_id = c.id group by c.country) as t where t.spent > 10000 order by t.spent desc
--# derived-twice: all
select x.category, x.avg_price, y.n from (select category, avg(price) as avg_price from products group by category) x join (select p.category, count(*) as n from products p join reviews r on r.product_id = p.id group by p.category) y on y.category = x.category order by 1
--# nested-derived: all
select max(per_day) as best_day from (select d, sum(total) as per_day from (select cast(ordered_at as date) as d, total from orders where status <> 'cancelled') a group by d) b
--# nested-derived: sqlite
select max(per_day) as best_day from (select d, sum(total) as per_day from (select date(ordered_at) as d, total from orders where status <> 'cancelled') a group by d) b
--# in-subquery: all
select name from customers where id in (select customer_id from orders where total > 1500) order by name
--# not-in-subquery: all
select sku from products where id not in (select product_id from reviews) order by sku
--# exists: all
select c.id, c.name from customers c where exists (select 1 from reviews r where r.customer_id = c.id and r.rating = 1) order by c.id
--# exists-star: all
select count(*) from products p where exists (select * from order_items i where i.product_id = p.id and i.quantity >= 4)
--# not-exists: all
select p.sku, p.name from products p where not exists (select null from reviews r where r.product_id = p.id) order by p.sku
--# scalar-subquery: all
select c.id, (select count(*) from orders o where o.customer_id = c.id) as orders, (select max(o.total) from orders o where o.customer_id = c.id) as largest from customers c where c.id <= 50 order by c.id
--# scalar-in-where: all
select id, total from orders where total > (select 3 * avg(total) from orders) order by total desc, id
--# correlated-average: all
select p.sku, p.category, p.price from products p where p.price > (select 1.5 * avg(q.price) from products q where q.category = p.category) order by p.category, p.sku
--# correlated-having: all
select o.customer_id, sum(o.total) as spent from orders o group by o.customer_id having sum(o.total) > (select 2.5 * avg(t.s) from (select sum(total) as s from orders group by customer_id) t) order by spent desc
--# all-and-any: postgres mysql duckdb
select sku, price from products where price >= all (select price from products where category = 'Audio') and category <> 'Audio' order by sku
--# all-and-any: sqlite
select sku, price from products where price >= (select max(price) from products where category = 'Audio') and category <> 'Audio' order by sku
--# any-subquery: postgres mysql duckdb
select id, name from customers where id = any (select customer_id from reviews where rating = 1) order by id
--# any-subquery: sqlite
select id, name from customers where id in (select customer_id from reviews where rating = 1) order by id
--# union: all
select city from customers where country = 'Germany' union select city from customers where country = 'Poland' order by city
--# union-all: all
select 'order' as source, customer_id, total as amount from orders where total > 1500 union all select 'review', customer_id, rating from reviews where rating = 1 order by 1, 2, 3
--# intersect: all
select customer_id from orders where total > 700 intersect select customer_id from reviews order by customer_id
--# except: all
select id from customers where id < 800 except select customer_id from orders order by 1
--# union-of-three: all
select count(*) as n, 'customers' as what from customers union all select count(*), 'orders' from orders union all select count(*), 'reviews' from reviews order by what
--# union-in-from: all
select kind, count(*) from (select 'good' as kind, id from reviews where rating > 3 union all select 'bad', id from reviews where rating <= 2) t group by kind order by kind
--# union-brackets: postgres mysql duckdb
(select id, total from orders order by total desc, id limit 3) union all (select id, total from orders order by total, id limit 3) order by total, id
--# union-brackets: sqlite
select * from (select id, total from orders order by total desc, id limit 3) union all select * from (select id, total from orders order by total, id limit 3) order by total, id
--# view: all
select * from good_customers order by id
--# view-joined: all
select g.country, count(*) as n, round(avg(g.spent), 2) as mean from good_customers g join customers c on c.id = g.id where c.joined >= '2020-01-01' group by g.country order by n desc, 1
--# view-alias: all
select m.customer_id, m.orders, m.spent / m.orders as per_order from monthly_sales m where m.orders >= 5 order by m.spent desc, m.customer_id
--# lateral-top: postgres duckdb
select c.id, c.name, l.total from customers c cross join lateral (select o.total from orders o where o.customer_id = c.id order by o.total desc, o.id limit 2) l where c.id < 40 order by c.id, l.total desc
--# lateral-left: postgres duckdb
select p.sku, x.best from products p left join lateral (select max(r.rating) as best from reviews r where r.product_id = p.id) x on true order by p.sku
--# lateral-comma: postgres
select c.id, l.n from customers c, lateral (select count(*) as n from orders o where o.customer_id = c.id) l where c.id <= 30 order by c.id
--# same-name-columns: all
select c.id, o.id, c.name, p.name from customers c join orders o on o.customer_id = c.id join order_items i on i.order_id = o.id join products p on p.id = i.product_id where o.id < 25 order by 1, 2, i.id
--# anti-join-two-ways: all
select c.country, count(*) from customers c left join reviews r on r.customer_id = c.id where r.customer_id is null and not exists (select 1 from orders o where o.customer_id = c.id) group by c.country order by 1
--# join-same-table-thrice: all
select a.customer_id, a.id, b.id, c.id from orders a join orders b on b.customer_id = a.customer_id and b.id > a.id join orders c on c.customer_id = b.customer_id and c.id > b.id where a.customer_id < 8 order by 1, 2, 3, 4 limit 60
