"""What `langguard connection check` shows, and the check of a database from where the command runs."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from langguard.cli._output import colour, plain
from langguard.drivers.sql import dialect_of, open_engine
from langguard.drivers.sql_catalog import snapshot
from langguard.drivers.sql_check import Target
from langguard.drivers.sql_check import check as try_walls


def here(name: str, uri: str, *, writes: bool) -> dict[str, Any]:
    """Check a database with a credential that is here, and return what the gateway's route would.

    Raises:
        TargetError: It can't be reached, or does not answer.
    """
    engine = open_engine(uri)
    try:
        catalog = snapshot(engine, dialect=dialect_of(engine))
        found = try_walls(Target(engine=engine, catalog=catalog, writes=writes))
    finally:
        engine.dispose()
    return {"connection": name, "holds": not found.failed, **asdict(found)}


def lines(held: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of a check: a table of walls, then what the role could do too much, and how that is mended."""
    wide = max(len(wall["name"]) for wall in held["walls"])
    for wall in held["walls"]:
        mark = colour("holds", "green") if wall["holds"] else colour("FAILS", "red")
        yield f"{mark}  {plain(wall['name']):<{wide}}  {colour(plain(wall['tried']), 'dim')}"
        if not wall["holds"]:
            yield f"       {plain(wall['said'])}"
    excess = held["excess"]
    if not excess:
        yield "The role can do nothing more than it should, as far as can be seen."
        return
    yield f"The role could do {len(excess)} thing{'' if len(excess) == 1 else 's'} that it should not:"
    for item in excess:
        yield f"  {colour(plain(item['what']), 'yellow')}: {plain(item['why'])}"
        yield f"    {plain(item['mend'])}"
