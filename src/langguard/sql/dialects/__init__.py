"""The dialects that are analysed, by the parser's name."""

from langguard.sql.dialects.bigquery import BIGQUERY
from langguard.sql.dialects.duckdb import DUCKDB
from langguard.sql.dialects.mysql import MYSQL
from langguard.sql.dialects.postgres import POSTGRES
from langguard.sql.dialects.rules import Rules, node_rules
from langguard.sql.dialects.snowflake import SNOWFLAKE
from langguard.sql.dialects.sqlite import SQLITE
from langguard.sql.dialects.tsql import TSQL

RULES: dict[str, Rules] = {rules.name: rules for rules in (POSTGRES, SQLITE, MYSQL, DUCKDB, TSQL, SNOWFLAKE, BIGQUERY)}

__all__ = ["RULES", "Rules", "node_rules"]
