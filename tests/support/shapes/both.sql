select * from customers
select c.* from customers c
select id, email, phone, age from customers
select count(*) from customers
select count(*), count(email), count(phone), count(age) from customers
select id from customers where email = 'n6@example.com'
select id from customers where email like 'n%'
select id from customers where email is null
select id from customers where phone = '<PHONE>'
select id from customers where phone like '+1 555%'
select id from customers where age > 22
select id from customers where age is null or age < 0
select id, email from customers where region = 'US'
select id from customers where region <> 'EU'
select id from customers where not (region = 'EU')
select id from customers where 1 = 1 or region = 'US'
select id, phone from customers order by phone, email, id desc
select id from customers order by age, name limit 3
select region, count(*) as n from customers group by region
select email, count(*) as n from customers group by email
select age, count(*) as n from customers group by age having count(*) > 1
select distinct phone from customers
select distinct region, email from customers
select upper(name) || '/' || coalesce(email, '-') as x from customers
select case when email like 'n%' then 'has' else 'none' end as x, count(*) from customers group by 1
select max(email), min(phone), sum(age), avg(age) from customers
select customers.id from main.customers where customers.email is null
select main.customers.id from main.customers
select "customers"."id" from "customers"
select c.id from customers as customers, customers as c where c.id = customers.boss
select a.id, b.id as boss from customers a join customers b on a.boss = b.id
select a.id, b.id as boss from customers a left join customers b on a.boss = b.id
select a.id, b.id as boss from customers a left join customers b on a.boss = b.id and b.region = 'US'
select a.id from customers a join customers b on a.email = b.email
select a.id, b.id from customers a join customers b using (phone)
select a.id from customers a join customers b using (email)
select o.id, c.name, c.email from orders o join customers c on c.id = o.customer_id
select o.id, c.name from orders o left join customers c on c.id = o.customer_id
select o.id, c.name from customers c right join orders o on c.id = o.customer_id
select o.id, c.name from orders o, customers c where c.id = o.customer_id and o.total > 15
select * from orders natural join (select id as customer_id, email from customers) x
select id from orders where note = (select max(note) from orders)
select id from orders where customer_id in (select id from customers)
select id from orders where customer_id not in (select id from customers)
select id from orders where customer_id not in (select id from customers where email is not null)
select o.id from orders o where exists (select 1 from customers c where c.id = o.customer_id)
select o.id from orders o where not exists (select * from customers c where c.id = o.customer_id)
select o.id, (select c.email from customers c where c.id = o.customer_id) as mail from orders o
select o.id, (select count(*) from customers c where c.region = 'US') as n from orders o
select c.id from customers c where (select count(*) from orders o where o.customer_id = c.id) > 2
select c.id from customers c where c.id = (select max(id) from customers)
with x as (select * from customers) select id, email from x where email is null
with x as (select id, phone p from customers), y as (select p, count(*) n from x group by p) select * from y
with x as (select id from customers) select x.id from x join customers c on c.id = x.id
with people as (select 1 as id) select * from people
with recursive up(id, boss) as (select id, boss from customers where id = 24 union select c.id, c.boss from customers c join up on c.id = up.boss) select * from up
with recursive n(i) as (select 1 union all select i + 1 from n where i < 5) select n.i, c.name from n left join customers c on c.id = n.i
select id from customers union select customer_id from orders
select id from customers union all select id from customers
select email from customers intersect select null
select id from customers except select customer_id from orders where total > 30
select phone from customers intersect select '<PHONE>'
select x.id from (select id from customers where email is null) x join (select id from orders) y on y.id = x.id
select x.n from (select count(*) as n from (select * from customers) a) x
select o.id from (orders o join customers c on c.id = o.customer_id) join items i on i.order_id = o.id
select i.quantity from (customers c join orders o on o.customer_id = c.id) left join items i on i.order_id = o.id
select c.id, row_number() over (order by c.email, c.id) as n from customers c
select c.id, count(*) over (partition by c.email) as n from customers c
select c.id, sum(c.id) over w as n from customers c window w as (partition by c.phone order by c.id)
select c.region, sum(o.total) as t from customers c join orders o on o.customer_id = c.id group by c.region having sum(o.total) > 1
select c.name, sum(o.total) t from customers c join orders o on c.id = o.customer_id group by c.name order by t desc, c.name limit 2
select p.title, sum(i.quantity) q from products p join items i on i.product_id = p.id join orders o on o.id = i.order_id group by p.title
select * from people
select id, email from people where email is null
select p.name from people p join orders o on o.customer_id = p.id
select * from buyers
select who from buyers where mail is null and spent > 10
select * from rich
select count(*) from rich r, people p
select * from mailed
select * from catalogue
select region from people group by region
with buyers as (select id from people) select * from buyers
select "c 1"."id" from customers "c 1"
select id as "region", region as "id" from customers where region = 'EU'
values (1), ((select count(*) from customers))
select coalesce((select email from customers where id = 6), 'none') as x
select nullif(region, 'EU') as r, count(*) from customers group by 1
select id from customers where id between 3 and 9 and region in ('EU', 'US') and name like 'Name%'
select 1 as one from customers where id = 7
select sum(total) from orders
select min(total) from orders where total < 10
select o.* from orders o where o.id in (1, 2, 3)
select length(phone) as n from customers
select id from customers limit 3 offset 2
