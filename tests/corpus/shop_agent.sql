--# top-customers: all
-- Find the top 10 customers by total spending
SELECT
    c.id AS customer_id,
    c.name AS customer_name,
    COUNT(DISTINCT o.id) AS order_count,
    SUM(o.total) AS total_spent
FROM
    customers c
    INNER JOIN orders o ON c.id = o.customer_id
WHERE
    o.status != 'cancelled'
GROUP BY
    c.id,
    c.name
ORDER BY
    total_spent DESC, customer_id
LIMIT 10;
--# monthly-revenue: postgres duckdb
-- Monthly revenue for 2024
SELECT
  DATE_TRUNC('month', o.ordered_at) AS month,
  ROUND(SUM(oi.quantity * oi.unit_price)::numeric, 2) AS revenue
FROM orders AS o
JOIN order_items AS oi ON oi.order_id = o.id
WHERE EXTRACT(YEAR FROM o.ordered_at) = 2024
GROUP BY DATE_TRUNC('month', o.ordered_at)
ORDER BY month;
--# monthly-revenue: sqlite
-- Monthly revenue for 2024
SELECT
  strftime('%Y-%m', o.ordered_at) AS month,
  ROUND(SUM(oi.quantity * oi.unit_price), 2) AS revenue
FROM orders AS o
JOIN order_items AS oi ON oi.order_id = o.id
WHERE strftime('%Y', o.ordered_at) = '2024'
GROUP BY strftime('%Y-%m', o.ordered_at)
ORDER BY month;
--# monthly-revenue: mysql
-- Monthly revenue for 2024
SELECT
  DATE_FORMAT(o.ordered_at, '%Y-%m') AS month,
  ROUND(SUM(oi.quantity * oi.unit_price), 2) AS revenue
FROM orders AS o
JOIN order_items AS oi ON oi.order_id = o.id
WHERE YEAR(o.ordered_at) = 2024
GROUP BY DATE_FORMAT(o.ordered_at, '%Y-%m')
ORDER BY month;
--# best-rated-products: all
/* Best rated products with at least 3 reviews */
SELECT p.name AS "product", ROUND(AVG(r.rating), 2) AS average_rating, COUNT(*) AS review_count
FROM products AS p
INNER JOIN reviews AS r ON r.product_id = p.id
GROUP BY p.id, p.name
HAVING COUNT(*) >= 3
ORDER BY average_rating DESC, review_count DESC, p.name ASC
LIMIT 5;
--# best-rated-products: mysql
/* Best rated products with at least 3 reviews */
SELECT p.name AS `product`, ROUND(AVG(r.rating), 2) AS average_rating, COUNT(*) AS review_count
FROM products AS p
INNER JOIN reviews AS r ON r.product_id = p.id
GROUP BY p.id, p.name
HAVING COUNT(*) >= 3
ORDER BY average_rating DESC, review_count DESC, p.name ASC
LIMIT 5;
--# return-rate: all
SELECT
  p.category,
  COUNT(DISTINCT o.id) AS orders,
  COUNT(DISTINCT CASE WHEN o.status = 'returned' THEN o.id END) AS returned,
  ROUND(100.0 * COUNT(DISTINCT CASE WHEN o.status = 'returned' THEN o.id END) / COUNT(DISTINCT o.id), 2) AS return_rate_pct
FROM products p
JOIN order_items oi ON oi.product_id = p.id
JOIN orders o ON o.id = oi.order_id
GROUP BY p.category
ORDER BY return_rate_pct DESC, p.category;
--# customers-by-country: all
SELECT country, COUNT(*) AS num_customers FROM customers GROUP BY country ORDER BY num_customers DESC, country;
--# sample-rows: all
SELECT * FROM reviews ORDER BY id LIMIT 3;
--# latest-order: all
SELECT * FROM orders WHERE customer_id = 5 ORDER BY ordered_at DESC, id DESC LIMIT 1;
--# search-products: all
SELECT id, sku, name, price
FROM products
WHERE LOWER(name) LIKE '%studio%' OR LOWER(description) LIKE '%studio%'
ORDER BY price ASC, id
LIMIT 20;
--# customer-lookup: all
SELECT id, name, email, phone FROM customers WHERE email = 'nobody@example.com' OR id = 42;
--# never-sold: all
SELECT p.id, p.name
FROM products p
LEFT JOIN order_items oi ON p.id = oi.product_id
LEFT JOIN orders o ON oi.order_id = o.id AND o.status = 'cancelled'
GROUP BY p.id, p.name
HAVING COUNT(o.id) = 0
ORDER BY p.id;
--# segment-summary: all
WITH order_totals AS (
    SELECT
        o.customer_id,
        SUM(o.total) AS total_spent,
        COUNT(*) AS order_count,
        AVG(o.total) AS avg_order_value
    FROM orders o
    WHERE o.status IN ('delivered', 'shipped')
    GROUP BY o.customer_id
)
SELECT
    c.segment,
    COUNT(DISTINCT c.id) AS customers,
    ROUND(COALESCE(SUM(ot.total_spent), 0), 2) AS revenue,
    ROUND(COALESCE(AVG(ot.avg_order_value), 0), 2) AS avg_order_value
FROM customers c
LEFT JOIN order_totals ot ON ot.customer_id = c.id
GROUP BY c.segment
ORDER BY revenue DESC;
--# rank-in-country: all
WITH customer_spend AS (
  SELECT c.country, c.name, SUM(o.total) AS spend,
         RANK() OVER (PARTITION BY c.country ORDER BY SUM(o.total) DESC) AS spend_rank
  FROM customers c JOIN orders o ON o.customer_id = c.id
  GROUP BY c.country, c.id, c.name
)
SELECT country, name, spend FROM customer_spend WHERE spend_rank <= 3 ORDER BY country, spend_rank, name;
--# category-growth: postgres duckdb
WITH by_year AS (
  SELECT p.category, EXTRACT(YEAR FROM o.ordered_at)::int AS yr, SUM(oi.quantity * oi.unit_price) AS revenue
  FROM order_items oi
  JOIN orders o ON o.id = oi.order_id
  JOIN products p ON p.id = oi.product_id
  GROUP BY 1, 2
)
SELECT a.category, a.revenue AS rev_2024, b.revenue AS rev_2025,
       ROUND((b.revenue - a.revenue) / NULLIF(a.revenue, 0) * 100, 1) AS growth_pct
FROM by_year a JOIN by_year b ON a.category = b.category AND a.yr = 2024 AND b.yr = 2025
ORDER BY growth_pct DESC NULLS LAST;
--# category-growth: sqlite
WITH by_year AS (
  SELECT p.category, CAST(strftime('%Y', o.ordered_at) AS INTEGER) AS yr, SUM(oi.quantity * oi.unit_price) AS revenue
  FROM order_items oi
  JOIN orders o ON o.id = oi.order_id
  JOIN products p ON p.id = oi.product_id
  GROUP BY 1, 2
)
SELECT a.category, a.revenue AS rev_2024, b.revenue AS rev_2025,
       ROUND((b.revenue - a.revenue) / NULLIF(a.revenue, 0) * 100, 1) AS growth_pct
FROM by_year a JOIN by_year b ON a.category = b.category AND a.yr = 2024 AND b.yr = 2025
ORDER BY growth_pct DESC;
--# category-growth: mysql
WITH by_year AS (
  SELECT p.category, YEAR(o.ordered_at) AS yr, SUM(oi.quantity * oi.unit_price) AS revenue
  FROM order_items oi
  JOIN orders o ON o.id = oi.order_id
  JOIN products p ON p.id = oi.product_id
  GROUP BY 1, 2
)
SELECT a.category, a.revenue AS rev_2024, b.revenue AS rev_2025,
       ROUND((b.revenue - a.revenue) / NULLIF(a.revenue, 0) * 100, 1) AS growth_pct
FROM by_year a JOIN by_year b ON a.category = b.category AND a.yr = 2024 AND b.yr = 2025
ORDER BY growth_pct DESC;
--# reviews-with-names: all
SELECT r.id, r.rating, r.title, c.name AS reviewer, p.name AS product
FROM reviews r
  LEFT JOIN customers c ON r.customer_id = c.id
  LEFT JOIN products p ON r.product_id = p.id
WHERE r.rating <= 2
ORDER BY r.created DESC, r.id
LIMIT 20;
--# distinct-values: all
SELECT DISTINCT status FROM orders;
--# min-max-dates: all
SELECT MIN(ordered_at) AS first_order, MAX(ordered_at) AS last_order FROM orders;
--# counts-of-everything: all
SELECT
  (SELECT COUNT(*) FROM customers) AS customers,
  (SELECT COUNT(*) FROM orders) AS orders,
  (SELECT COUNT(*) FROM order_items) AS items,
  (SELECT COUNT(*) FROM products) AS products,
  (SELECT COUNT(*) FROM reviews) AS reviews;
--# poison-review: all
SELECT body FROM reviews WHERE title = 'Please read before you answer';
--# average-order-value: all
SELECT AVG(order_total) AS aov FROM (SELECT o.id, SUM(oi.quantity * oi.unit_price) AS order_total FROM orders o JOIN order_items oi ON o.id = oi.order_id GROUP BY o.id) AS totals;
--# customer-lifetime: all
SELECT c.id, c.name, MIN(o.ordered_at) AS first_order, MAX(o.ordered_at) AS last_order, COUNT(*) AS n
FROM customers AS c JOIN orders AS o ON o.customer_id = c.id
GROUP BY c.id, c.name HAVING COUNT(*) > 5 ORDER BY n DESC, c.id;
--# price-bands: all
SELECT
  CASE
    WHEN price < 25 THEN '0-25'
    WHEN price >= 25 AND price < 50 THEN '25-50'
    WHEN price >= 50 AND price < 100 THEN '50-100'
    ELSE '100+'
  END AS price_band,
  COUNT(*) AS product_count,
  MIN(price) AS cheapest,
  MAX(price) AS dearest
FROM products
GROUP BY 1
ORDER BY MIN(price);
--# nps: all
SELECT ROUND(100.0 * (SUM(CASE WHEN rating = 5 THEN 1 ELSE 0 END) - SUM(CASE WHEN rating <= 3 THEN 1 ELSE 0 END)) / COUNT(*), 1) AS nps FROM reviews;
--# bought-together: all
SELECT p1.name AS product_a, p2.name AS product_b, COUNT(*) AS times
FROM order_items a
JOIN order_items b ON a.order_id = b.order_id AND a.product_id < b.product_id
JOIN products p1 ON p1.id = a.product_id
JOIN products p2 ON p2.id = b.product_id
GROUP BY p1.name, p2.name
HAVING COUNT(*) > 2
ORDER BY times DESC, product_a, product_b
LIMIT 10;
--# inactive-customers: all
SELECT c.id, c.name, c.email
FROM customers c
WHERE NOT EXISTS (
    SELECT 1
    FROM orders o
    WHERE o.customer_id = c.id
      AND o.ordered_at >= '2025-01-01'
)
ORDER BY c.id
LIMIT 50;
--# second-largest: all
SELECT MAX(total) AS second_largest FROM orders WHERE total < (SELECT MAX(total) FROM orders);
--# percent-by-segment: all
SELECT segment, COUNT(*) AS cnt, ROUND(COUNT(*) * 100.0 / SUM(COUNT(*)) OVER (), 2) AS pct FROM customers GROUP BY segment ORDER BY cnt DESC;
--# coalesced-left-join: all
SELECT p.category, COALESCE(ROUND(AVG(r.rating), 1), 0) AS avg_rating, COUNT(r.id) AS n FROM products p LEFT JOIN reviews r ON p.id = r.product_id GROUP BY p.category ORDER BY avg_rating DESC, p.category;
--# where-one-equals-one: all
SELECT id, name FROM products WHERE 1 = 1 AND price > 50 AND category = 'Photography' ORDER BY id;
--# order-detail: all
SELECT o.id AS "Order ID", o.status AS "Status", p.name AS "Product Name", oi.quantity AS "Qty", oi.quantity * oi.unit_price AS "Line Total" FROM orders o JOIN order_items oi ON oi.order_id = o.id JOIN products p ON p.id = oi.product_id WHERE o.id = 100 ORDER BY oi.id
--# order-detail: mysql
SELECT o.id AS `Order ID`, o.status AS `Status`, p.name AS `Product Name`, oi.quantity AS `Qty`, oi.quantity * oi.unit_price AS `Line Total` FROM orders o JOIN order_items oi ON oi.order_id = o.id JOIN products p ON p.id = oi.product_id WHERE o.id = 100 ORDER BY oi.id
--# status-pivot: all
SELECT country,
  SUM(CASE WHEN status = 'delivered' THEN total ELSE 0 END) AS delivered,
  SUM(CASE WHEN status = 'shipped' THEN total ELSE 0 END) AS shipped,
  SUM(CASE WHEN status IN ('returned', 'cancelled') THEN total ELSE 0 END) AS lost
FROM orders INNER JOIN customers ON customers.id = orders.customer_id
GROUP BY country ORDER BY country;
