--# price-summary: all
select l_returnflag, l_linestatus, sum(l_quantity) as quantity, sum(l_extendedprice) as base, sum(l_extendedprice * (1 - l_discount)) as net, sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) as gross, avg(l_quantity) as mean_quantity, avg(l_discount) as mean_discount, count(*) as n from lineitem where l_shipdate <= '2024-09-01' group by l_returnflag, l_linestatus order by l_returnflag, l_linestatus
--# cheapest-supplier: all
select p.p_partkey, p.p_mfgr, s.s_name, n.n_name, ps.ps_supplycost from part p join partsupp ps on ps.ps_partkey = p.p_partkey join supplier s on s.s_suppkey = ps.ps_suppkey join nation n on n.n_nationkey = s.s_nationkey join region r on r.r_regionkey = n.n_regionkey where r.r_name = 'Europe' and p.p_size > 10 and ps.ps_supplycost = (select min(ps2.ps_supplycost) from partsupp ps2, supplier s2, nation n2, region r2 where ps2.ps_partkey = p.p_partkey and s2.s_suppkey = ps2.ps_suppkey and s2.s_nationkey = n2.n_nationkey and n2.n_regionkey = r2.r_regionkey and r2.r_name = 'Europe') order by ps.ps_supplycost desc, p.p_partkey
--# unshipped-orders: all
select l_orderkey, sum(l_extendedprice * (1 - l_discount)) as open_value, o_orderdate, o_shippriority from customer, orders, lineitem where c_mktsegment = 'BUILDING' and c_custkey = o_custkey and l_orderkey = o_orderkey and o_orderdate < '2024-06-01' and l_shipdate > '2024-06-01' group by l_orderkey, o_orderdate, o_shippriority order by open_value desc, l_orderkey limit 10
--# late-orders-by-priority: all
select o_orderpriority, count(*) as late_orders from orders where o_orderdate >= '2023-01-01' and o_orderdate < '2024-01-01' and exists (select * from lineitem where l_orderkey = o_orderkey and l_commitdate < l_receiptdate) group by o_orderpriority order by o_orderpriority
--# local-business: all
select n_name, sum(l_extendedprice * (1 - l_discount)) as revenue from customer, orders, lineitem, supplier, nation, region where c_custkey = o_custkey and l_orderkey = o_orderkey and l_suppkey = s_suppkey and s_nationkey = n_nationkey and n_regionkey = r_regionkey and r_name in ('Asia', 'Europe') group by n_name order by revenue desc
--# discount-effect: all
select sum(l_extendedprice * l_discount) as lost from lineitem where l_shipdate >= '2023-01-01' and l_shipdate < '2024-01-01' and l_discount between 0.03 and 0.07 and l_quantity < 24
--# trade-between-nations: postgres duckdb
select supp_nation, cust_nation, l_year, sum(volume) as revenue from (select n1.n_name as supp_nation, n2.n_name as cust_nation, extract(year from l_shipdate) as l_year, l_extendedprice * (1 - l_discount) as volume from supplier, lineitem, orders, customer, nation n1, nation n2 where s_suppkey = l_suppkey and o_orderkey = l_orderkey and c_custkey = o_custkey and s_nationkey = n1.n_nationkey and c_nationkey = n2.n_nationkey and n1.n_regionkey <> n2.n_regionkey) as shipping group by supp_nation, cust_nation, l_year order by revenue desc limit 20
--# trade-between-nations: sqlite
select supp_nation, cust_nation, l_year, sum(volume) as revenue from (select n1.n_name as supp_nation, n2.n_name as cust_nation, strftime('%Y', l_shipdate) as l_year, l_extendedprice * (1 - l_discount) as volume from supplier, lineitem, orders, customer, nation n1, nation n2 where s_suppkey = l_suppkey and o_orderkey = l_orderkey and c_custkey = o_custkey and s_nationkey = n1.n_nationkey and c_nationkey = n2.n_nationkey and n1.n_regionkey <> n2.n_regionkey) as shipping group by supp_nation, cust_nation, l_year order by revenue desc limit 20
--# trade-between-nations: mysql
select supp_nation, cust_nation, l_year, sum(volume) as revenue from (select n1.n_name as supp_nation, n2.n_name as cust_nation, year(l_shipdate) as l_year, l_extendedprice * (1 - l_discount) as volume from supplier, lineitem, orders, customer, nation n1, nation n2 where s_suppkey = l_suppkey and o_orderkey = l_orderkey and c_custkey = o_custkey and s_nationkey = n1.n_nationkey and c_nationkey = n2.n_nationkey and n1.n_regionkey <> n2.n_regionkey) as shipping group by supp_nation, cust_nation, l_year order by revenue desc limit 20
--# market-share: all
select r_name, sum(case when n_name in ('Brazil', 'Germany', 'India') then l_extendedprice else 0 end) / sum(l_extendedprice) as share from lineitem join supplier on s_suppkey = l_suppkey join nation on n_nationkey = s_nationkey join region on r_regionkey = n_regionkey group by r_name order by r_name
--# profit-by-nation: all
select n_name, sum(l_extendedprice * (1 - l_discount) - ps_supplycost * l_quantity) as profit from part, supplier, lineitem, partsupp, nation where s_suppkey = l_suppkey and ps_suppkey = l_suppkey and ps_partkey = l_partkey and p_partkey = l_partkey and s_nationkey = n_nationkey and p_name like '%green%' group by n_name order by profit desc
--# returned-items: all
select c_custkey, c_name, sum(l_extendedprice * (1 - l_discount)) as revenue, c_acctbal, n_name, c_address, c_phone, c_comment from customer, orders, lineitem, nation where c_custkey = o_custkey and l_orderkey = o_orderkey and l_returnflag = 'R' and c_nationkey = n_nationkey group by c_custkey, c_name, c_acctbal, c_phone, n_name, c_address, c_comment order by revenue desc, c_custkey limit 20
--# important-stock: all
select ps_partkey, sum(ps_supplycost * ps_availqty) as value from partsupp join supplier on ps_suppkey = s_suppkey group by ps_partkey having sum(ps_supplycost * ps_availqty) > (select sum(ps_supplycost * ps_availqty) * 0.02 from partsupp) order by value desc
--# shipping-modes: all
select l_shipmode, sum(case when o_orderpriority = '1-URGENT' or o_orderpriority = '2-HIGH' then 1 else 0 end) as high, sum(case when o_orderpriority <> '1-URGENT' and o_orderpriority <> '2-HIGH' then 1 else 0 end) as low from orders, lineitem where o_orderkey = l_orderkey and l_shipmode in ('MAIL', 'SHIP') and l_commitdate < l_receiptdate and l_shipdate < l_commitdate group by l_shipmode order by l_shipmode
--# order-count-distribution: all
select c_count, count(*) as custdist from (select c_custkey, count(o_orderkey) as c_count from customer left outer join orders on c_custkey = o_custkey and o_comment not like '%special%requests%' group by c_custkey) c_orders group by c_count order by custdist desc, c_count desc
--# promotion-share: all
select 100.00 * sum(case when p_type like 'PROMO%' then l_extendedprice * (1 - l_discount) else 0 end) / sum(l_extendedprice * (1 - l_discount)) as promo from lineitem, part where l_partkey = p_partkey and l_shipdate >= '2023-09-01' and l_shipdate < '2024-10-01'
--# top-supplier: all
with revenue as (select l_suppkey as supplier_no, sum(l_extendedprice * (1 - l_discount)) as total_revenue from lineitem where l_shipdate >= '2023-01-01' and l_shipdate < '2023-07-01' group by l_suppkey) select s_suppkey, s_name, s_address, s_phone, total_revenue from supplier, revenue where s_suppkey = supplier_no and total_revenue = (select max(total_revenue) from revenue) order by s_suppkey
--# parts-by-supplier-count: all
select p_brand, p_type, p_size, count(distinct ps_suppkey) as suppliers from partsupp, part where p_partkey = ps_partkey and p_brand <> 'Brand#45' and p_type not like 'MEDIUM POLISHED%' and p_size in (9, 14, 19, 23, 36, 45, 49, 3) and ps_suppkey not in (select s_suppkey from supplier where s_comment like '%Complaints%') group by p_brand, p_type, p_size order by suppliers desc, p_brand, p_type, p_size
--# small-quantity-revenue: all
select sum(l_extendedprice) / 7.0 as yearly from lineitem, part where p_partkey = l_partkey and p_container = 'MED BOX' and l_quantity < (select 0.6 * avg(l2.l_quantity) from lineitem l2 where l2.l_partkey = p_partkey)
--# large-volume-customers: all
select c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice, sum(l_quantity) as quantity from customer, orders, lineitem where o_orderkey in (select l_orderkey from lineitem group by l_orderkey having sum(l_quantity) > 150) and c_custkey = o_custkey and o_orderkey = l_orderkey group by c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice order by o_totalprice desc, o_orderdate limit 100
--# discounted-revenue: all
select sum(l_extendedprice * (1 - l_discount)) as revenue from lineitem, part where (p_partkey = l_partkey and p_container in ('SM CASE', 'WRAP BAG') and l_quantity between 1 and 20 and p_size between 1 and 25 and l_shipmode in ('AIR', 'REG AIR')) or (p_partkey = l_partkey and p_container in ('LG DRUM') and l_quantity >= 20 and l_quantity <= 40 and l_shipinstruct = 'DELIVER IN PERSON')
--# promotion-candidates: all
select s_name, s_address from supplier, nation where s_suppkey in (select ps_suppkey from partsupp where ps_partkey in (select p_partkey from part where p_name like 'forest%' or p_name like 'coral%') and ps_availqty > (select 0.5 * sum(l_quantity) from lineitem where l_partkey = ps_partkey and l_suppkey = ps_suppkey and l_shipdate >= '2023-01-01')) and s_nationkey = n_nationkey order by s_name
--# waiting-suppliers: all
select s_name, count(*) as numwait from supplier, lineitem l1, orders where s_suppkey = l1.l_suppkey and o_orderkey = l1.l_orderkey and l1.l_receiptdate > l1.l_commitdate and exists (select * from lineitem l2 where l2.l_orderkey = l1.l_orderkey and l2.l_suppkey <> l1.l_suppkey) and not exists (select * from lineitem l3 where l3.l_orderkey = l1.l_orderkey and l3.l_suppkey <> l1.l_suppkey and l3.l_receiptdate > l3.l_commitdate) group by s_name order by numwait desc, s_name limit 100
--# sales-opportunity: postgres duckdb mysql
select cntrycode, count(*) as numcust, sum(c_acctbal) as totacctbal from (select substring(c_phone from 1 for 2) as cntrycode, c_acctbal from customer where substring(c_phone from 1 for 2) in ('13', '31', '23', '29', '30', '18', '17') and c_acctbal > (select avg(c_acctbal) from customer where c_acctbal > 0.00) and not exists (select * from orders where o_custkey = c_custkey)) as custsale group by cntrycode order by cntrycode
--# sales-opportunity: sqlite
select cntrycode, count(*) as numcust, sum(c_acctbal) as totacctbal from (select substr(c_phone, 1, 2) as cntrycode, c_acctbal from customer where c_acctbal > (select avg(c_acctbal) from customer where c_acctbal > 0.00) and not exists (select * from orders where o_custkey = c_custkey)) as custsale group by cntrycode order by cntrycode
--# nation-ranking: all
select r_name, n_name, sum(o_totalprice) as total, rank() over (partition by r_name order by sum(o_totalprice) desc) as place from region join nation on n_regionkey = r_regionkey join customer on c_nationkey = n_nationkey join orders on o_custkey = c_custkey group by r_name, n_name order by r_name, place
--# supplier-without-lines: all
select s_suppkey, s_name from supplier where not exists (select 1 from lineitem where l_suppkey = s_suppkey and l_returnflag = 'R' and l_shipmode = 'AIR') order by s_suppkey
--# clerks: all
select o_clerk, count(*) as n, min(o_orderdate) as first_order, max(o_totalprice) as largest from orders group by o_clerk having count(*) > 20 order by n desc, o_clerk
--# line-number-check: all
select l_orderkey, count(*) as n, max(l_linenumber) as highest from lineitem group by l_orderkey having count(*) <> max(l_linenumber)
--# running-order-value: all
select o_custkey, o_orderkey, o_totalprice, sum(o_totalprice) over (partition by o_custkey order by o_orderdate, o_orderkey) as running, o_totalprice - avg(o_totalprice) over (partition by o_custkey) as against_mean from orders where o_custkey < 12 order by o_custkey, o_orderdate, o_orderkey
--# brand-matrix: all
select p_brand, count(case when p_container = 'SM CASE' then 1 end) as sm, count(case when p_container = 'MED BOX' then 1 end) as med, count(case when p_container = 'LG DRUM' then 1 end) as lg from part group by p_brand order by p_brand
--# nulls-in-segments: all
select coalesce(c_mktsegment, 'unknown') as segment, count(*) as n, count(c_mktsegment) as known, sum(case when c_mktsegment is null then 1 else 0 end) as missing from customer group by coalesce(c_mktsegment, 'unknown') order by segment
--# null-arithmetic: all
select c_custkey, c_acctbal + null as nothing_, coalesce(null, c_acctbal, 0) as balance, nullif(c_mktsegment, 'BUILDING') as seg from customer where c_custkey < 20 order by c_custkey
--# money-rounding: all
select o_orderkey, round(o_totalprice * 0.0725, 2) as tax, round(o_totalprice, -2) as hundreds, o_totalprice / 3 as third from orders where o_orderkey < 15 order by o_orderkey
--# quoted-odd-names: postgres sqlite duckdb
select "Region Name", "Year", "Target Amount", "order" from "Sales Targets" where "Target Amount" > 200000 order by "order"
--# quoted-odd-names: mysql
select `Region Name`, `Year`, `Target Amount`, `order` from `Sales Targets` where `Target Amount` > 200000 order by `order`
--# quoted-odd-aliases: postgres sqlite duckdb
select t."Region Name" as "Région", sum(t."Target Amount") as "Total (EUR)" from "Sales Targets" t group by t."Region Name" order by 2 desc, 1
--# quoted-odd-aliases: mysql
select t.`Region Name` as `Région`, sum(t.`Target Amount`) as `Total (EUR)` from `Sales Targets` t group by t.`Region Name` order by 2 desc, 1
--# target-versus-actual: postgres duckdb
select t."Region Name", t."Year", t."Target Amount", a.sold, round(100 * a.sold / t."Target Amount", 1) as pct from "Sales Targets" t left join (select r_name, extract(year from o_orderdate)::int as y, sum(o_totalprice) as sold from orders join customer on c_custkey = o_custkey join nation on n_nationkey = c_nationkey join region on r_regionkey = n_regionkey group by 1, 2) a on a.r_name = t."Region Name" and a.y = t."Year" order by t."order"
--# target-versus-actual: sqlite
select t."Region Name", t."Year", t."Target Amount", a.sold, round(100 * a.sold / t."Target Amount", 1) as pct from "Sales Targets" t left join (select r_name, cast(strftime('%Y', o_orderdate) as integer) as y, sum(o_totalprice) as sold from orders join customer on c_custkey = o_custkey join nation on n_nationkey = c_nationkey join region on r_regionkey = n_regionkey group by 1, 2) a on a.r_name = t."Region Name" and a.y = t."Year" order by t."order"
--# target-versus-actual: mysql
select t.`Region Name`, t.`Year`, t.`Target Amount`, a.sold, round(100 * a.sold / t.`Target Amount`, 1) as pct from `Sales Targets` t left join (select r_name, year(o_orderdate) as y, sum(o_totalprice) as sold from orders join customer on c_custkey = o_custkey join nation on n_nationkey = c_nationkey join region on r_regionkey = n_regionkey group by 1, 2) a on a.r_name = t.`Region Name` and a.y = t.`Year` order by t.`order`
