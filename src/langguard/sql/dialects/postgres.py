"""PostgreSQL, 13 and later."""

from langguard.sql.dialects.functions_postgres import FUNCTIONS
from langguard.sql.dialects.rules import Rules
from langguard.sql.words import words

_ONE_COLUMN = words(
    """
generate_series generate_subscripts json_object_keys jsonb_object_keys regexp_split_to_table string_to_table unnest
regexp_matches jsonb_path_query
"""
)
_SEVERAL: dict[str, tuple[str, ...]] = {
    "json_array_elements": ("value",),
    "json_array_elements_text": ("value",),
    "jsonb_array_elements": ("value",),
    "jsonb_array_elements_text": ("value",),
    "json_each": ("key", "value"),
    "json_each_text": ("key", "value"),
    "jsonb_each": ("key", "value"),
    "jsonb_each_text": ("key", "value"),
}
_RECORDS = words("json_to_record json_to_recordset jsonb_to_record jsonb_to_recordset")

POSTGRES = Rules(
    name="postgres",
    title="PostgreSQL",
    home="public",
    functions=FUNCTIONS,
    operators=words(
        """
+ - * / % ^ = <> != < > <= >= || -> ->> #> #>> #- @> <@ ? ?| ?& && | & # ~ << >> ~* !~ !~* ~~ ~~* !~~ !~~* @@ @? -|-
=> <-> ^@ &< &> <<| |>> &<| |&> ?- ?|| ?-|
"""
    ),
    plain_calls=words(
        """
date_add date_bin date_part date_subtract date_trunc generate_series log10 regexp_like to_char to_date to_hex
to_timestamp
"""
    ),
    folds="lower",
    insensitive=False,
    longest_name=63,
    system_schemas=words("pg_catalog information_schema pg_toast pg_temp temp"),
    system_prefixes=("pg_",),
    table_functions=dict.fromkeys(_ONE_COLUMN | _RECORDS, ()) | _SEVERAL,
    record_functions=_RECORDS,
    whole_rows=True,
    typed_null=True,
    grouped_by_key=True,
    output_names="postgres",
)
