"""A shop with row filters and masks below filters, and the truth: the same shop, holding only what may show."""

from __future__ import annotations

from pathlib import Path

from langguard.protocol import InnerMask, RowFilter, SqlObligations

TABLES = """
create table customers
  (id integer primary key, name text, email text, phone text, age integer, region text, boss integer);
create table orders (id integer primary key, customer_id integer, total numeric, note text, placed date);
create table items (order_id integer, product_id integer, quantity integer);
create table products (id integer primary key, title text, price numeric);
"""
VIEWS = """
create view people as select id, name, email, region from customers;
create view buyers as select c.id, c.name as who, c.email as mail, sum(o.total) as spent
  from customers c join orders o on o.customer_id = c.id group by c.id, c.name, c.email;
create view rich as select who, spent from buyers where spent > 20;
create view mailed as select id, name from customers where email is not null;
create view catalogue as select id, title from products;
"""
CUSTOMERS = [
    (i, f"Name {i:02}", f"n{i}@example.com", f"+1 555 01{i:02}", 20 + i % 7, ("EU", "US", "AP")[i % 3], max(i // 2, 1))
    for i in range(1, 25)
]
ORDERS = [
    (i, i % 24 + 1, 7.5 * (i % 9), f"note of n{i % 24 + 1}@example.com", f"2024-0{i % 9 + 1}-1{i % 9}")
    for i in range(1, 61)
]
ITEMS = [(i % 60 + 1, i % 5 + 1, i % 4 + 1) for i in range(1, 120)]
PRODUCTS = [(i, f"Thing {i}", 2.5 * i) for i in range(1, 6)]


def allowed(customer: tuple[object, ...]) -> bool:
    """Say whether a customer may show."""
    return customer[5] == "EU" and customer[1] != "Name 03"


def shown(customer: tuple[object, ...]) -> tuple[object, ...]:
    """Return a customer as it may show: no e-mail, a constant for the phone, no age."""
    return (*customer[:2], None, "<PHONE>", None, *customer[5:])


TRUE_CUSTOMERS = [shown(c) for c in CUSTOMERS if allowed(c)]
TRUE_ORDERS = [o for o in ORDERS if float(str(o[2])) >= 10]


def obligations(schema: str, rows: int = 10_000) -> SqlObligations:
    """Return the filters and masks that make the truth of the shop."""
    return SqlObligations(
        rows=rows,
        filters=(
            RowFilter(
                table=f"{schema}.customers", where="region IN (principal.groups)", values={"groups": ("EU", "O'Hara")}
            ),
            RowFilter(table=f"{schema}.customers", where="lower(name) <> 'name 03' OR region = 'x'"),
            RowFilter(table=f"{schema}.orders", where="total >= 10"),
        ),
        masks=(
            InnerMask(column=f"{schema}.customers.email"),
            InnerMask(column=f"{schema}.customers.phone", value="<PHONE>"),
            InnerMask(column=f"{schema}.customers.age"),
        ),
    )


def shapes(name: str) -> list[str]:
    """Return the statements of a list beside this file, one a line; in `both`, `main.` stands for the schema."""
    return (Path(__file__).parent / "shapes" / f"{name}.sql").read_text(encoding="utf-8").splitlines()
