"""Fixtures that several kinds of tests share: real database servers, and a new database on one for each test."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from tests.support.gateway import gateway

if TYPE_CHECKING:
    from tests.support.mariadb import MariaDB

    from langguard.cli.demo.databases import Address, RunningDatabase

__all__ = ["gateway"]
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[RunningDatabase]:
    """A real, empty PostgreSQL server for the whole run (about half a second). Missing binaries fail, never skip.

    `.url` (SQLAlchemy) and `.dsn` (psycopg) are the owner's, on the database `postgres`; `.address(user=, password=,
    database=)` gives another login's, `.admin_address(database)` the owner's on another database.
    """
    from langguard.cli.demo.databases import start_postgres

    with start_postgres() as server:
        yield server


@pytest.fixture
def postgres_database(postgres: RunningDatabase) -> Iterator[Address]:
    """A new, empty database, the owner's: `.url` for SQLAlchemy, `.dsn` for psycopg. Dropped with its connections."""
    import psycopg

    name = f"test_{next(_numbers)}"
    with psycopg.connect(postgres.dsn, autocommit=True) as link:
        link.execute(f'CREATE DATABASE "{name}"')
    yield postgres.admin_address(name)
    with psycopg.connect(postgres.dsn, autocommit=True) as link:
        link.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDB]:
    """A real, empty MariaDB server for the whole run (about two seconds); skips where the machine has no binaries."""
    from tests.support.mariadb import find_server, start_mariadb

    server = find_server()
    if server is None:
        pytest.skip("MariaDB is not installed: apt install mariadb-server")
    with start_mariadb(server) as running:
        yield running


@pytest.fixture
def mariadb_database(mariadb: MariaDB) -> Iterator[str]:
    """The name of a new, empty database on `mariadb`, dropped at the end."""
    name = f"test_{next(_numbers)}"
    with mariadb.connect() as link, link.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    yield name
    with mariadb.connect() as link, link.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
