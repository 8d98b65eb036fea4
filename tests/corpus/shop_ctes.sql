--# one-cte: all
with big as (select * from orders where total > 1000) select customer_id, count(*) from big group by customer_id order by customer_id
--# cte-chain: all
with paid as (select * from orders where status <> 'cancelled'), per_customer as (select customer_id, sum(total) as spent, count(*) as n from paid group by customer_id), best as (select * from per_customer where spent > 2000) select c.name, b.spent, b.n from best b join customers c on c.id = b.customer_id order by b.spent desc, c.id
--# cte-column-names: all
with t (a, b) as (select category, count(*) from products group by category) select a, b from t where b > 10 order by a
--# cte-used-twice: all
with m as (select customer_id, sum(total) as s from orders group by customer_id) select (select count(*) from m) as n, (select max(s) from m) as most, (select avg(s) from m) as mean
--# cte-self-join: all
with n as (select customer_id, count(*) as n from orders group by customer_id) select a.customer_id, b.customer_id as peer from n a join n b on a.n = b.n and a.customer_id < b.customer_id where a.n > 11 order by 1, 2
--# cte-shadows-table: all but sqlite
with customers as (select id, country from customers where id < 30) select country, count(*) from customers group by country order by country
--# cte-in-subquery: all
select name from products where id in (with r as (select product_id, avg(rating) as a from reviews group by product_id) select product_id from r where a >= 4.5) order by name
--# cte-nested: all
with outer_cte as (with inner_cte as (select id, total from orders where id < 40) select id, total * 2 as twice from inner_cte) select * from outer_cte order by id
--# cte-union: all
with people as (select customer_id as id, 'bought' as did from orders where total > 1400 union all select customer_id, 'reviewed' from reviews where rating = 1) select did, count(*) as n, count(distinct id) as who from people group by did order by did
--# cte-star-of-star: all
with a as (select * from products), b as (select * from a), c as (select b.* from b) select * from c where id < 5 order by id
--# recursive-numbers: all
with recursive n (i) as (select 1 union all select i + 1 from n where i < 20) select i, i * i as square from n order by i
--# recursive-numbers-as: all
WITH RECURSIVE counter AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM counter WHERE n < 5) SELECT n FROM counter ORDER BY n
--# recursive-fibonacci: all
with recursive f (n, a, b) as (select 1, 0, 1 union all select n + 1, b, a + b from f where n < 15) select n, a from f order by n
--# recursive-fill: all
with recursive r (x) as (select 1 union all select x + 1 from r where x < 5) select r.x as rating, count(v.id) as n from r left join reviews v on v.rating = r.x group by r.x order by r.x
--# recursive-join: all
with recursive chain (id, customer_id, step) as (select min(id), customer_id, 1 from orders where customer_id in (1, 2, 3) group by customer_id union all select o.id, c.customer_id, c.step + 1 from chain c join orders o on o.customer_id = c.customer_id and o.id > c.id where c.step < 2) select customer_id, step, count(*) from chain group by customer_id, step order by 1, 2
--# materialized-hint: postgres sqlite duckdb
with t as materialized (select customer_id, count(*) as n from orders group by customer_id) select n, count(*) from t group by n order by n
--# rfm: all
with r as (select customer_id, max(id) as recent, count(*) as frequency, sum(total) as money from orders group by customer_id), s as (select customer_id, ntile(5) over (order by recent, customer_id) as r_score, ntile(5) over (order by frequency, customer_id) as f_score, ntile(5) over (order by money, customer_id) as m_score from r) select r_score, f_score, m_score, count(*) as n from s group by r_score, f_score, m_score order by n desc, 1, 2, 3 limit 20
--# funnel: all
with steps as (select c.id, case when exists (select 1 from orders o where o.customer_id = c.id) then 1 else 0 end as bought, case when c.id in (select r.customer_id from reviews r) then 1 else 0 end as reviewed from customers c) select count(*) as everybody, sum(bought) as bought, sum(bought * reviewed) as both_ from steps
--# abc-classes: all
with sales as (select product_id, sum(quantity * unit_price) as s from order_items group by product_id), cumulative as (select product_id, s, sum(s) over (order by s desc, product_id) / sum(s) over () as share from sales) select case when share <= 0.8 then 'A' when share <= 0.95 then 'B' else 'C' end as class, count(*) as products, round(sum(s), 2) as sales from cumulative group by case when share <= 0.8 then 'A' when share <= 0.95 then 'B' else 'C' end order by class
--# outlier-orders: all
with stats as (select avg(total) as m, max(total) - min(total) as spread from orders) select o.id, o.total from orders o cross join stats where o.total > stats.m + stats.spread / 2 order by o.total desc, o.id
--# compare-to-category: all
with c as (select category, avg(price) as mean from products group by category) select p.name, p.price, c.mean, case when p.price > c.mean then 'above' when p.price < c.mean then 'below' else 'at' end as position_ from products p inner join c on c.category = p.category order by p.id limit 50
--# unused-column-in-cte: all
with t as (select id, name, email, country from customers) select country, count(*) from t group by country order by 1
--# four-level: all
with a as (select customer_id, product_id, quantity from order_items i join orders o on o.id = i.order_id), b as (select customer_id, count(distinct product_id) as kinds from a group by customer_id), c as (select kinds, count(*) as n from b group by kinds), d as (select max(kinds) as most from c) select c.kinds, c.n, d.most from c, d where c.kinds <= d.most order by c.kinds
--# reviewers-without-purchase: all
with bought as (select distinct o.customer_id, i.product_id from orders o join order_items i on i.order_id = o.id) select r.id, r.rating from reviews r left join bought b on b.customer_id = r.customer_id and b.product_id = r.product_id where b.customer_id is null and r.rating = 1 order by r.id
--# share-two-ctes: all
with n as (select count(*) as n from customers), g as (select count(*) as g from good_customers) select g.g * 1.0 / n.n as share from n, g
