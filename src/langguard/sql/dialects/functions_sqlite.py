"""SQLite functions a statement may call. Made by scripts/functions_sqlite.py from 3.40.1."""

from langguard.sql.words import words

FUNCTIONS = words(
    """
abs acos acosh all asin asinh atan atan2 atanh avg cast ceil ceiling char coalesce concat concat_ws cos cosh count
cume_dist current_date current_time current_timestamp date datetime degrees dense_rank exists exp first_value floor
format glob group_concat hex ifnull iif instr json json_array json_array_length json_extract json_group_array
json_group_object json_insert json_object json_patch json_quote json_remove json_replace json_set json_type json_valid
julianday lag last_value lead length like likelihood likely ln log log10 log2 lower ltrim max min mod nth_value ntile
nullif octet_length percent_rank pi pow power printf quote radians random rank replace round row_number rtrim sign sin
sinh soundex sqrt strftime string_agg substr substring sum tan tanh time timediff total trim trunc typeof unhex
unicode unixepoch unlikely upper
"""
)
