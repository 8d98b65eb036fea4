select id from only customers
select c.i, c.m from customers as c(i, n, m)
select c.n from customers as c(i, n, m) where c.m is null
select distinct on (region) region, id from customers order by region, id
select distinct on (email) id, email from customers order by email, id
select c.id, z.t from customers c, lateral (select sum(o.total) as t from orders o where o.customer_id = c.id) z
select c.id, z.id from orders o join lateral (select * from customers c where c.id = o.customer_id) c on true, lateral (select c.id) z
select o.id, c.* from orders o cross join lateral (select email, phone from customers where id = o.customer_id) c
select json_build_object('id', id, 'email', email, 'phone', phone) from customers
select json_agg(email) as j, json_object_agg(id, phone) as k from customers
select row_to_json(x) from (select id, email from customers) x
select string_agg(phone, ',' order by email, id) from customers
select array_agg(id order by id) filter (where email is null) from customers
select percentile_disc(0.5) within group (order by age) from customers
select c.id, c.name, c.email, count(o.id) from customers c join orders o on o.customer_id = c.id group by c.id
select c.name, max(o.total) from customers c join orders o on o.customer_id = c.id group by c.id order by c.region, c.name
select c.id as k, upper(c.name) from customers c group by 1 having c.region = 'EU'
select region, phone, count(*) from customers group by rollup (region, phone)
select region, email, count(*) from customers group by grouping sets ((region), (email), ())
select * from customers c natural join (select id, region from customers) d
select * from customers full join orders on customers.id = orders.customer_id
select id from customers where (region, email) in (select region, email from customers)
select id from customers where id = any (array(select id from customers))
select id from customers where age = all (select age from customers)
select id from customers where email ilike 'N%' or phone ~ '^<'
select id from customers fetch first 2 rows only
select generate_series(1, id) from customers where id < 7
select c.id, g from customers c, generate_series(1, c.id) g where c.id < 7
select cast(age as text), age + 1, age * 2.5 from customers
select id from logs where day < '2024-02-01'
select * from logs_2024
select l.day, c.name from logs l left join customers c on c.id = l.id
