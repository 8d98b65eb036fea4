"""Make shop.db, a small shop with invented customers."""

import sqlite3
from pathlib import Path

PLACE = Path(__file__).with_name("shop.db")

PLACE.unlink(missing_ok=True)
shop = sqlite3.connect(PLACE)
shop.executescript("""
    CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, segment TEXT NOT NULL);
    CREATE TABLE orders (
        id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers(id),
        status TEXT NOT NULL, total NUMERIC(10, 2) NOT NULL);
    INSERT INTO customers VALUES
        (1, 'Maren Holt', 'maren.holt@shop.example', 'consumer'),
        (2, 'Idris Vane', 'idris.vane@shop.example', 'enterprise'),
        (3, 'Lotte Brandt', 'lotte.brandt@shop.example', 'consumer');
    INSERT INTO orders VALUES
        (1, 1, 'shipped', 120.50), (2, 1, 'open', 19.90), (3, 2, 'shipped', 990), (4, 3, 'open', 45);
""")
shop.close()
