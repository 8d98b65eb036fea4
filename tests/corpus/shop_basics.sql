--# all-customers: all
select * from customers
--# some-columns: all
SELECT id, name, email FROM customers ORDER BY id LIMIT 25;
--# count-customers: all
select count(*) from customers
--# count-with-alias: all
SELECT COUNT(*) AS customer_count FROM customers;
--# shouting: all
SELECT ID, NAME, COUNTRY FROM CUSTOMERS WHERE COUNTRY = 'Germany' ORDER BY ID
--# shouting: mysql
SELECT ID, NAME, COUNTRY FROM customers WHERE COUNTRY = 'Germany' ORDER BY ID
--# odd-whitespace: all
  select
	id ,name
   from   customers
 where
   segment='small business'   order
 by id
--# alias-without-as: all
select c.id customer, c.name full_name, c.city town from customers c where c.id between 10 and 40 order by customer
--# in-list: all
select name, country from customers where country in ('Germany', 'France', 'Japan') order by name, id
--# not-in-list: all
select id, status from orders where status not in ('delivered', 'shipped') order by id
--# like-prefix: all
select name, category from products where name like 'E%' order by name
--# like-both-ends: all
select id, title from reviews where title like '%love%' or title like '%Love%' order by id
--# not-like: all
select count(*) from products where name not like '%e%'
--# like-escape: all
select id, sku from products where sku like '%!_%' escape '!' or sku like 'CO%' order by id
--# between-numbers: all
select sku, name, price from products where price between 20 and 60 order by price, sku
--# not-between: all
select sku, price from products where price not between 10 and 200 order by price desc, sku
--# is-null: all
select count(*) from customers where notes is null
--# is-not-null: all
select id, notes from customers where notes is not null and id < 60 order by id
--# and-or-not: all
select id, name from customers where (country = 'Japan' or country = 'Brazil') and not (segment = 'consumer') order by id
--# top-products: all
select sku, name, price from products order by price desc, sku limit 10
--# page-two: all
select id, name from customers order by id limit 20 offset 20
--# offset-first: postgres duckdb
select id, name from customers order by id offset 20 limit 20
--# distinct-one: all
select distinct country from customers order by country
--# distinct-two: all
select distinct country, segment from customers order by country, segment
--# distinct-count: all
select count(distinct country) as countries, count(distinct city) as cities from customers
--# order-by-position: all
select country, count(*) from customers group by country order by 2 desc, 1
--# order-by-alias: all
select country, count(*) as n from customers group by country order by n desc, country limit 5
--# order-by-expression: all
select id, quantity, unit_price from order_items where id <= 80 order by quantity * unit_price desc, id
--# order-two-ways: all
select category, name, price from products order by category asc, price desc, name asc
--# arithmetic: all
select id, quantity * unit_price as line_total, quantity * unit_price * 0.19 as vat from order_items where order_id = 17 order by id
--# unary-minus: all
select id, -quantity as returned, +quantity as kept from order_items where id < 6 order by id
--# modulo: all
select id, id % 7 as bucket from products where id % 7 = 3 order by id
--# literals: all
select 1 as one, 2.5 as two_and_half, 'text' as word, null as none_
--# no-from: all
select 2 + 3 * 4
--# true-false: all
select true as yes, false as no_
--# case-simple: all
select id, case status when 'delivered' then 'done' when 'cancelled' then 'off' else 'open' end as state from orders where id <= 50 order by id
--# case-searched: all
select name, case when price < 20 then 'cheap' when price < 100 then 'middle' else 'dear' end as band from products order by name
--# case-without-else: all
select id, case when rating >= 4 then 'happy' end as mood from reviews where id <= 40 order by id
--# coalesce: all
select id, coalesce(notes, 'no notes') as notes from customers where id <= 20 order by id
--# nullif: all
select id, nullif(status, 'delivered') as not_delivered from orders where id < 30 order by id
--# cast-integer: all
select id, cast(total as integer) as whole from orders where id <= 20 order by id
--# cast-integer: mysql
select id, cast(total as signed) as whole from orders where id <= 20 order by id
--# cast-text: all
select cast(id as varchar(20)) as id_text from products where id < 10 order by id
--# cast-text: mysql
select cast(id as char(20)) as id_text from products where id < 10 order by id
--# cast-decimal: all
select id, cast(unit_price as decimal(10, 1)) as short_price from order_items where id < 15 order by id
--# round-and-friends: all
select round(avg(total), 2) as mean, floor(min(total)) as low, ceil(max(total)) as high from orders
--# abs-and-mod: all
select abs(-5) as five, mod(17, 5) as two, sign(-2.5) as minus
--# power-and-root: all
select power(2, 10) as kilo, sqrt(144) as twelve, exp(0) as one
--# comment-line: all
-- customers of one country
select id, name from customers where country = 'Poland' order by id -- by key
--# comment-block: all
/* The shop's
   cheapest products */
select sku, price /* in the shop's currency */ from products order by price, sku limit 5
--# comment-strings: all
select 'a -- not a comment' as one, 'b /* nor this */' as two
--# quotes-inside: all
select name from customers where name like '%O''Donnell%' or name = 'it''s' order by name
--# unicode: all
select id, city from customers where city in ('Köln', 'São Paulo', '大阪', 'Kraków') order by id
--# quoted-columns: postgres sqlite duckdb
select "id", "name" as "Full Name" from "customers" where "country" = 'Brazil' order by "Full Name", "id"
--# quoted-columns: mysql
select `id`, `name` as `Full Name` from `customers` where `country` = 'Brazil' order by `Full Name`, `id`
--# alias-mixed-case: all
select country as Country, count(*) as TotalCustomers from customers group by country order by TotalCustomers desc, Country
--# schema-qualified: postgres
select customers.id, public.customers.name from public.customers where public.customers.id < 9 order by 1
--# schema-qualified: sqlite
select customers.id, main.customers.name from main.customers where main.customers.id < 9 order by 1
--# schema-qualified: duckdb
select customers.id, main.customers.name from main.customers where main.customers.id < 9 order by 1
--# table-qualified: all
select customers.id, customers.name from customers where customers.id < 9 order by customers.id
--# star-of-alias: all
select p.* from products p where p.category = 'Garden' order by p.id
--# star-and-more: all
select o.*, o.total * 2 as twice from orders o where o.id <= 12 order by o.id
--# column-twice: all
select id, id, name from products where id < 5 order by 1
--# exists-anything: all
select exists (select 1 from orders where total > 5000) as has_big_orders
--# boolean-column: all
select id, rating >= 4 as good, rating = 1 or rating = 2 as bad from reviews where id <= 25 order by id
--# greatest-least: all
select id, greatest(quantity, 2) as at_least_two, least(quantity, 2) as at_most_two from order_items where id <= 30 order by id
--# greatest-least: sqlite
select id, max(quantity, 2) as at_least_two, min(quantity, 2) as at_most_two from order_items where id <= 30 order by id
--# values-rows: all but mysql
values (1, 'one'), (2, 'two'), (3, 'three')
--# values-in-from: postgres duckdb
select v.label, count(*) from (values (1, 'bad'), (2, 'bad'), (3, 'fair'), (4, 'good'), (5, 'good')) as v (rating, label)
join reviews r on r.rating = v.rating group by v.label order by v.label
--# values-in-from: sqlite mysql
with v (rating, label) as (select 1, 'bad' union all select 2, 'bad' union all select 3, 'fair' union all select 4, 'good' union all select 5, 'good')
select v.label, count(*) from v join reviews r on r.rating = v.rating group by v.label order by v.label
--# nulls-last: postgres sqlite duckdb
select id, notes from customers where id < 30 order by notes nulls last, id
--# nulls-last: mysql
select id, notes from customers where id < 30 order by notes is null, notes, id
--# nulls-first: postgres sqlite duckdb
select id, notes from customers where id < 30 order by notes desc nulls first, id
--# nulls-first: mysql
select id, notes from customers where id < 30 order by notes is not null, notes desc, id
--# fetch-first: postgres duckdb mysql
select id, name from customers order by id fetch first 7 rows only
--# fetch-first: sqlite
select id, name from customers order by id limit 7
--# limit-zero: all
select * from orders limit 0
--# empty-result: all
select name, email from customers where country = 'Atlantis'
--# is-distinct-from: postgres sqlite duckdb
select count(*) from customers where notes is distinct from 'VIP'
--# is-distinct-from: mysql
select count(*) from customers where not (notes <=> 'VIP')
--# is-true: all
select count(*) from reviews where (rating > 3) is true
--# row-comparison: all
select id, rating from reviews where (rating, id) > (4, 500) order by rating, id
--# row-in: all
select id, product_id, customer_id from reviews where (product_id, rating) in ((17, 5), (17, 1), (3, 4)) order by id
--# row-in: sqlite
select id, product_id, customer_id from reviews where (product_id, rating) in (values (17, 5), (17, 1), (3, 4)) order by id
--# semicolon-and-space: all
select sku from products where id = 1 ;  
--# brackets-all-over: all
((select ((id)) as id from products where ((id) < (4)) order by (id)))
--# brackets-all-over: sqlite
select ((id)) as id from products where ((id) < (4)) order by (id)
--# double-negation: all
select count(*) from orders where not not status = 'shipped' and - - total > 10
--# sum-of-nothing: all
select sum(total), avg(total), count(total), max(total) from orders where id < 0
--# hex-and-exponent: all
select id, price * 1e-2 as percent from products where price > 1.5e2 order by id
--# ne-both-ways: all
select count(*) from orders where status <> 'delivered' and status != 'shipped'
--# keywords-as-aliases: postgres sqlite duckdb
select count(*) as "count", max(total) as "max", min(ordered_at) as "from" from orders
--# keywords-as-aliases: mysql
select count(*) as `count`, max(total) as `max`, min(ordered_at) as `from` from orders
