"""A catalogue as rows: what a `schema` call returns. It holds names and types, never a value."""

from langguard.flow import Rows
from langguard.protocol import Catalog, Table

COLUMNS = ("table", "column", "type", "nullable", "primary_key", "references")


def structure_rows(catalog: Catalog, tables: tuple[str, ...]) -> Rows:
    """Return one row a column, in the order the database keeps them.

    Args:
        catalog: The snapshot.
        tables: `schema.table` names to include.
    """
    wanted = set(tables)
    rows = [row for table in catalog.tables if table.id in wanted for row in _rows(table)]
    return Rows(columns=COLUMNS, rows=rows)


def _rows(table: Table) -> list[tuple[str, str, str, bool, bool, str | None]]:
    references = {
        column: f"{key.table}.{far}"
        for key in table.foreign_keys
        for column, far in zip(key.columns, key.references, strict=False)
    }
    return [
        (
            table.id,
            column.name,
            column.type,
            column.nullable,
            column.name in table.primary_key,
            references.get(column.name),
        )
        for column in table.columns
    ]
