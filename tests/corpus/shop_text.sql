--# upper-lower: all
select upper(name) as loud, lower(email) as quiet from customers where id <= 15 order by id
--# length: all
select id, length(name) as n from customers order by n desc, id limit 10
--# concat-pipes: postgres sqlite duckdb
select name || ' <' || email || '>' as contact from customers where id <= 15 order by id
--# concat-pipes: mysql
select concat(name, ' <', email, '>') as contact from customers where id <= 15 order by id
--# concat-function: postgres mysql duckdb
select concat(city, ', ', country) as place, concat_ws('/', segment, country, city) as path from customers where id <= 15 order by id
--# concat-function: sqlite
select city || ', ' || country as place, printf('%s/%s', segment, country) as path from customers where id <= 15 order by id
--# substring-from: postgres mysql duckdb
select substring(sku from 1 for 2) as prefix, count(*) from products group by 1 order by 1
--# substring-from: sqlite
select substr(sku, 1, 2) as prefix, count(*) from products group by 1 order by 1
--# substring-commas: all
select substring(sku, 4, 4) as number, substr(sku, 1, 2) as prefix from products where id < 10 order by id
--# left-right: postgres mysql duckdb
select left(sku, 2) as a, right(sku, 4) as b from products where id < 10 order by id
--# left-right: sqlite
select substr(sku, 1, 2) as a, substr(sku, -4) as b from products where id < 10 order by id
--# trim: all
select trim(name) as a, ltrim(name) as b, rtrim(name) as c from products where id < 6 order by id
--# trim-characters: postgres mysql duckdb
select trim(both '-' from sku) as a, trim(leading 'C' from sku) as b, trim(trailing '1' from sku) as c from products where id < 12 order by id
--# trim-characters: sqlite
select trim(sku, '-') as a, ltrim(sku, 'C') as b, rtrim(sku, '1') as c from products where id < 12 order by id
--# replace: all
select replace(sku, '-', '_') as code from products where id < 10 order by id
--# email-domain: postgres
select split_part(email, '@', 2) as domain, count(*) from customers group by 1 order by 2 desc, 1
--# email-domain: sqlite
select substr(email, instr(email, '@') + 1) as domain, count(*) from customers group by 1 order by 2 desc, 1
--# email-domain: mysql
select substring_index(email, '@', -1) as domain, count(*) from customers group by 1 order by 2 desc, 1
--# email-domain: duckdb
select split_part(email, '@', 2) as domain, count(*) from customers group by 1 order by 2 desc, 1
--# position: postgres mysql duckdb
select id, position('@' in email) as at_sign from customers where id < 10 order by id
--# position: sqlite
select id, instr(email, '@') as at_sign from customers where id < 10 order by id
--# pad: postgres
select lpad(cast(id as varchar), 6, '0') as code, rpad(category, 12, '.') as dotted from products where id < 8 order by id
--# pad: mysql
select lpad(id, 6, '0') as code, rpad(category, 12, '.') as dotted from products where id < 8 order by id
--# pad: sqlite
select printf('%06d', id) as code, substr(category || '............', 1, 12) as dotted from products where id < 8 order by id
--# reverse-repeat: postgres mysql
select reverse(sku) as backwards, repeat('*', rating) as stars from products p join reviews r on r.product_id = p.id where r.id < 15 order by r.id
--# reverse-repeat: sqlite
select substr('*****', 1, rating) as stars from products p join reviews r on r.product_id = p.id where r.id < 15 order by r.id
--# initcap: postgres
select initcap(segment) as nice, count(*) from customers group by 1 order by 1
--# ilike: postgres duckdb
select sku, name from products where name ilike '%travel%' or name ilike 'e%' order by sku
--# ilike: sqlite mysql
select sku, name from products where lower(name) like '%travel%' or lower(name) like 'e%' order by sku
--# not-ilike: postgres duckdb
select count(*) from customers where email not ilike '%EXAMPLE.COM'
--# not-ilike: sqlite mysql
select count(*) from customers where lower(email) not like '%example.com'
--# regex-match: postgres
select id, name from customers where phone ~ '^\+1' and name !~ '[0-9]' order by id
--# regex-match: mysql
select id, name from customers where phone regexp '^[+]1' and name not regexp '[0-9]' order by id
--# regex-match: duckdb
select id, name from customers where regexp_matches(phone, '^\+1') and not regexp_matches(name, '[0-9]') order by id
--# regex-match: sqlite
select id, name from customers where phone glob '+1*' and name not glob '*[0-9]*' order by id
--# regex-case-insensitive: postgres
select count(*) from reviews where body ~* 'broke|return' and title !~* 'great'
--# regex-case-insensitive: mysql
select count(*) from reviews where body rlike 'broke|return'
--# regex-case-insensitive: duckdb
select count(*) from reviews where regexp_matches(body, 'broke|return', 'i')
--# regex-replace: postgres
select id, regexp_replace(phone, '[^0-9]', '', 'g') as digits from customers where id < 12 order by id
--# regex-replace: mysql
select id, regexp_replace(phone, '[^0-9]', '') as digits from customers where id < 12 order by id
--# regex-replace: duckdb
select id, regexp_replace(phone, '[^0-9]', '', 'g') as digits from customers where id < 12 order by id
--# regex-extract: postgres
select id, substring(sku from '[0-9]+') as number, (regexp_match(sku, '([A-Z]+)-'))[1] as letters from products where id < 12 order by id
--# regex-extract: mysql
select id, regexp_substr(sku, '[0-9]+') as number from products where id < 12 order by id
--# regex-extract: duckdb
select id, regexp_extract(sku, '[0-9]+') as number, regexp_extract(sku, '([A-Z]+)-', 1) as letters from products where id < 12 order by id
--# words: postgres
select array_length(string_to_array(body, ' '), 1) as words, count(*) from reviews group by 1 order by 1
--# words: sqlite mysql
select length(body) - length(replace(body, ' ', '')) + 1 as words, count(*) from reviews group by 1 order by 1
--# words: duckdb
select len(string_split(body, ' ')) as words, count(*) from reviews group by 1 order by 1
--# first-name: postgres duckdb
select split_part(name, ' ', 1) as first_name, count(*) as n from customers group by first_name having count(*) > 12 order by n desc, first_name
--# first-name: sqlite
select case when instr(name, ' ') > 0 then substr(name, 1, instr(name, ' ') - 1) else name end as first_name, count(*) as n from customers group by first_name having n > 12 order by n desc, first_name
--# first-name: mysql
select substring_index(name, ' ', 1) as first_name, count(*) as n from customers group by first_name having n > 12 order by n desc, first_name
--# masked-by-hand: postgres duckdb mysql
select concat(left(name, 1), '***') as hidden, right(card_number, 4) as last4 from customers where id < 12 order by id
--# masked-by-hand: sqlite
select substr(name, 1, 1) || '***' as hidden, substr(card_number, -4) as last4 from customers where id < 12 order by id
--# md5: postgres duckdb mysql
select id, md5(email) as digest from customers where id < 6 order by id
--# md5: sqlite
select id, hex(email) as digest from customers where id < 6 order by id
--# ascii-chr: postgres duckdb
select ascii('A') as code, chr(66) as letter
--# ascii-chr: sqlite
select unicode('A') as code, char(66) as letter
--# ascii-chr: mysql
select ascii('A') as code, char(66) as letter, ord('B') as again
--# translate: postgres duckdb
select translate(sku, '0123456789', '##########') as pattern, count(*) from products group by 1 order by 1
--# format: postgres
select format('%s has %s points', name, id) as line from customers where id < 5 order by id
--# format: sqlite
select printf('%s has %d points', name, id) as line, format('%.1f', id / 3.0) as third from customers where id < 5 order by id
--# format: mysql
select format(total, 2) as nice from orders where id < 5 order by id
--# starts-with: postgres duckdb
select count(*) from products where starts_with(name, 'Em')
--# length-by-country: all
select country, avg(length(name)) as mean_length from customers group by country order by mean_length desc, country
--# like-column: all
select count(*) from reviews r join products p on p.id = r.product_id where r.body like concat('%', p.category, '%')
--# like-column: sqlite postgres duckdb
select count(*) from reviews r join products p on p.id = r.product_id where r.body like '%' || p.category || '%'
--# similar-to: postgres duckdb
select count(*) from products where sku similar to '(CO|GA)-[0-9]+'
--# collate: postgres
select name from products order by name collate "C" limit 10
--# collate: sqlite
select name from products order by name collate nocase limit 10
--# overlay: postgres
select overlay(card_number placing '****' from 1 for 4) as card from customers where id < 5 order by id
--# string-in-case: all
select case when email like '%.org' then 'org' when email like '%.com' then 'com' else 'other' end as kind, count(*) from customers group by case when email like '%.org' then 'org' when email like '%.com' then 'com' else 'other' end order by 1
--# split-to-rows: postgres
select word, count(*) as n from reviews, regexp_split_to_table(lower(title), '\s+') as word group by word order by n desc, word limit 20
--# split-to-rows: duckdb
select word, count(*) as n from (select unnest(string_split(lower(title), ' ')) as word from reviews) t group by word order by n desc, word limit 20
--# reverse: duckdb
select reverse(sku) as backwards from products where id < 15 order by id
