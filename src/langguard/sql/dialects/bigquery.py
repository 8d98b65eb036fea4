"""BigQuery (GoogleSQL), analysed only."""

from langguard.sql.allowed import TYPES
from langguard.sql.dialects.functions_bigquery import FUNCTIONS
from langguard.sql.dialects.rules import Rules
from langguard.sql.dialects.strict import TREE_CALLS, strict_nodes
from langguard.sql.dialects.strict_text import strict_reader, with_date_parts
from langguard.sql.words import words

_PART_LAST = words(
    """
date_trunc datetime_trunc time_trunc timestamp_trunc date_diff datetime_diff time_diff timestamp_diff last_day
"""
)
"""Functions whose last argument is a word for a part of a date."""

BIGQUERY = Rules(
    name="bigquery",
    title="BigQuery",
    home="default",
    functions=FUNCTIONS,
    operators=words("+ - * / = <> != < > <= >= || & | ^ ~"),
    nodes=strict_nodes(
        {
            "TryCast": "this to safe",
            "Extract": "this expression",
            "CurrentDatetime": "",
            "Select": "with_ expressions from_ joins where group having qualify windows distinct order limit offset",
            "Qualify": "this",
        }
    ),
    types=(TYPES | words("BIGDECIMAL")) - words("JSONB ARRAY NAME POINT LSEG MONEY"),
    named_types=frozenset(),
    plain_calls=FUNCTIONS - TREE_CALLS,
    system_prefixes=("information_schema", "__"),
    hidden_columns=words("_partitiontime _partitiondate _table_suffix _file_name _change_type _change_timestamp"),
    aliases="having",
    plain_quotes=False,
    settle=with_date_parts(dict.fromkeys(_PART_LAST, -1)),
    read_again=strict_reader(
        title="BigQuery",
        signs=("$", "@", "#", "?", "{", "}", "!<", "!>", "\\", "->", "=>", "|>", ":", ";", "[", "]"),
        # Of escapes only a quote's; a string of three quotes has another end.
        spellings=(r"\\(?!')", "'''", '"""'),
    ),
    output_names="word",
    runs=False,
)
