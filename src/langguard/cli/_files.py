"""Commands that read the gateway's file themselves, without a gateway: checking it, and proposing masks."""

from pathlib import Path

import msgspec

from langguard.cli._environment import environ
from langguard.drivers.sql import open_engine
from langguard.drivers.sql_catalog import sample, snapshot
from langguard.errors import ConfigError
from langguard.gateway.services.row_filters import check_row_filters
from langguard.gateway.settings import ConnectionSettings, Settings, load
from langguard.gateway.settings_sql import SqlSettings
from langguard.policy import Known, Policy, check
from langguard.protocol import Catalog
from langguard.secrets import Reference, resolve


def checked(path: Path, *, connect: bool) -> tuple[Policy, list[str]]:
    """Return a file's policy once it checks, and what was not checked.

    Raises:
        ConfigError: Something is wrong; the place is named.
    """
    settings = load(path, environ())
    columns: dict[str, frozenset[str]] = {}
    catalogs: dict[str, Catalog] = {}
    notes: list[str] = []
    if connect:
        for item in settings.connections:
            if item.custody == "gateway":
                catalog = catalogs[item.name] = _catalog(item, settings)
                columns[item.name] = frozenset(
                    f"{table.id}.{column.name}" for table in catalog.tables for column in table.columns
                )
            else:
                notes.append(f"connection {item.name}: columns not checked (its structure is pinned at the gateway)")
    elif settings.connections:
        notes.append("columns not checked: add --connect to read the databases' structure")
    from langguard.detectors import Engine

    engine = Engine(settings.masking)
    known = Known(
        connections={item.name: item.kind for item in settings.connections},
        entities=frozenset(engine.supported),
        columns=columns or None,
    )
    notes.append(f"masking: {engine.describe()}")
    policy = settings.load_policy()
    dialects: dict[str, str] = {item.name: item.dialect for item in settings.connections}
    problems = check(policy, known) or check_row_filters(policy, dialects, catalogs)
    if problems:
        raise problems[0]
    return policy, notes


def proposal(name: str, path: Path, *, rows: int) -> tuple[str, dict[str, object]]:
    """Return the masks proposed for a connection: as YAML text, and as data.

    Raises:
        ConfigError: There is no such connection in custody `gateway`.
        TargetError: Its database can't be read.
    """
    from langguard.detectors import Engine
    from langguard.detectors.classify import classify

    settings = load(path, environ())
    item = _own(name, settings)
    engine = open_engine(resolve(_reference(item), settings.environ).reveal())
    try:
        catalog = snapshot(
            engine,
            dialect=item.dialect,
            schemas=item.schemas,
            include=item.include,
            exclude=item.exclude,
            allowed=item.functions,
        )
        samples = sample(engine, catalog, rows=rows)
    finally:
        engine.dispose()
    found = classify(samples, catalog, Engine(settings.masking), connection=name)
    return found.yaml(), {"columns": msgspec.to_builtins(found.columns)}


def structure(name: str, path: Path) -> Catalog:
    """Return the structure of a connection's database, read now.

    Raises:
        ConfigError: There is no such connection in custody `gateway`.
        TargetError: Its database can't be read.
    """
    settings = load(path, environ())
    return _catalog(_own(name, settings), settings)


def reading(path: Path) -> SqlSettings:
    """Return how a gateway of this file reads statements.

    Raises:
        ConfigError: The file is wrong.
    """
    return load(path, environ()).sql


def _own(name: str, settings: Settings) -> ConnectionSettings:
    item = next((each for each in settings.connections if each.name == name), None)
    if item is None or item.custody != "gateway":
        have = ", ".join(each.name for each in settings.connections if each.custody == "gateway") or "none"
        msg = f"{settings.path} has no connection `{name}` in custody `gateway`; it has: {have}"
        raise ConfigError(msg)
    return item


def _reference(item: ConnectionSettings) -> Reference:
    if item.credential is None:
        msg = f"connection `{item.name}` has no credential in this file"
        raise ConfigError(msg)
    return item.credential


def _catalog(item: ConnectionSettings, settings: Settings) -> Catalog:
    engine = open_engine(resolve(_reference(item), settings.environ).reveal())
    try:
        return snapshot(
            engine,
            dialect=item.dialect,
            schemas=item.schemas,
            include=item.include,
            exclude=item.exclude,
            allowed=item.functions,
        )
    finally:
        engine.dispose()
