select id, group_concat(phone) from customers group by region
select json_object('email', email, 'phone', phone) from customers
select json_group_array(email) from customers
select c.id, c.name, sum(o.total) from customers c join orders o on o.customer_id = c.id group by c.id
select id from customers where email == 'n6@example.com' or phone glob '<*'
select id as n from customers where n < 9
select name, max(id) from customers group by region
select id from customers where ifnull(email, 'x') = 'x'
select * from customers natural join (select id, phone from customers)
select total(age), typeof(age) from customers
select id from customers order by email collate nocase, id
select iif(email is null, 1, 2) as x from customers
select * from renamed
