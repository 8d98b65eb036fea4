"""Snowflake, analysed only."""

from langguard.sql.allowed import TYPES
from langguard.sql.dialects.functions_snowflake import FUNCTIONS
from langguard.sql.dialects.rules import Rules
from langguard.sql.dialects.strict import TREE_CALLS, strict_nodes
from langguard.sql.dialects.strict_text import strict_reader, with_date_parts
from langguard.sql.words import words

SNOWFLAKE = Rules(
    name="snowflake",
    title="Snowflake",
    home="PUBLIC",
    functions=FUNCTIONS,
    operators=words("+ - * / % = <> != < > <= >= ||"),
    nodes=strict_nodes(
        {
            "TryCast": "this to safe requires_string",
            "ILike": "this expression",
            "WithinGroup": "this expression",
            "JSONExtract": "this expression requires_json variant_extract",
            "Select": "with_ expressions from_ joins where group having qualify distinct order limit offset",
            "Qualify": "this",
        }
    ),
    types=(TYPES | words("VARIANT OBJECT TIMESTAMPLTZ")) - words("JSONB NAME POINT LSEG MONEY"),
    named_types=frozenset(),
    plain_calls=FUNCTIONS - TREE_CALLS - words("get_path"),
    folds="upper",
    insensitive=False,
    # The schemas of the database SNOWFLAKE, which are in reach where that one is in use.
    system_schemas=words(
        "information_schema account_usage organization_usage reader_account_usage data_sharing_usage core alert "
        "trust_center telemetry local ml cortex"
    ),
    aliases="where",
    plain_quotes=False,
    settle=with_date_parts(
        dict.fromkeys(
            words("dateadd datediff date_part date_trunc timeadd timediff timestampadd timestampdiff"),
            0,
        )
        | {"last_day": 1}
    ),
    read_again=strict_reader(
        title="Snowflake",
        signs=("$", "@", "#", "?", "{", "}", "`", "\\", "->", "=>", "!", "(+)", "|>"),
        # Of escapes only a quote's, which no mode of the engine changes.
        spellings=(r"\\(?!')", r"\$\$"),
    ),
    output_names="short",
    runs=False,
)
