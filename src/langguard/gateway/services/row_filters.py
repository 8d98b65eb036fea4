"""Row filters of a policy held against the structure of their tables, when it is loaded and not first when they act."""

from collections.abc import Mapping

from langguard.errors import PolicyError
from langguard.policy import Policy
from langguard.protocol import Catalog, Refusal


def check_row_filters(
    policy: Policy, dialects: Mapping[str, str], catalogs: Mapping[str, Catalog]
) -> tuple[PolicyError, ...]:
    """Return an error for every condition that can't hold on its table, as far as that is known.

    Args:
        policy: Its names are checked already.
        dialects: Connection to the parser's name of its dialect.
        catalogs: Connection to its structure; one left out is not known yet, and its conditions are only read.
    """
    if not policy.row_filters:
        return ()
    from langguard.sql import check_filter, check_filter_alone  # noqa: PLC0415 - sqlglot is loaded where it is needed

    found: list[PolicyError] = []
    for held in policy.row_filters:
        catalog = catalogs.get(held.connection)
        dialect = dialects.get(held.connection, "")
        faults: list[Refusal | None]
        if catalog is None:
            faults = [check_filter_alone(held.where, dialect)] if dialect else []
        else:
            faults = [check_filter(held.where, table, catalog) for table in held.tables]
        for fault in faults:
            if fault is not None:
                place = held.place
                about = f" (at `{fault.fragment}`)" if fault.fragment and fault.fragment not in fault.reason else ""
                message = f"row filter: {fault.reason}{about}{f' {fault.hint}' if fault.hint else ''}"
                found.append(PolicyError(message, source=policy.source, line=place.line, column=place.column))
                break
    return tuple(found)
