"""SQL, understood: pure functions from text to facts and back to the text that may be sent."""

from langguard.sql.analyze import analyze
from langguard.sql.classify import actions, catalog_of, lineage, outline
from langguard.sql.conditions import check_filter, check_filter_alone
from langguard.sql.gate import LIMITS, Limits
from langguard.sql.parse import parser_is_interpreted
from langguard.sql.rewrite import rewrite

__all__ = [
    "LIMITS",
    "Limits",
    "actions",
    "analyze",
    "catalog_of",
    "check_filter",
    "check_filter_alone",
    "lineage",
    "outline",
    "parser_is_interpreted",
    "rewrite",
]
