"""DuckDB, 1.4 and later."""

from langguard.sql.dialects.functions_duckdb import FUNCTIONS
from langguard.sql.dialects.rules import Rules, node_rules
from langguard.sql.words import words

FROM_ONLY = words("generate_series range")
"""Read piece by piece in FROM; as a value they are a list as long as a number says."""
_CALLS = words(
    """
ApproxDistinct ApproxQuantile ArgMax ArgMin ArrayContains ArrayDistinct ArrayIntersect ArrayMax ArrayMin ArraySlice
Contains CosineDistance CountIf DateAdd DateDiff DateFromParts DateSub Day DayOfMonth DayOfWeek DayOfWeekIso DayOfYear
Dayname EndsWith EuclideanDistance First Flatten FromBase64 FromJson GenerateSeries GroupingId Hour IsInf IsNan
JSONArray JSONExtractArray JSONKeys JarowinklerSimilarity Kurtosis Last LastDay Levenshtein Map MapFromEntries MapKeys
Median Minute Month Monthname Quantile Quarter RegexpExtract RegexpExtractAll RegexpFullMatch RegexpSplit SHA SHA2
Second Skewness SortArray Split Struct StructExtract TimeToUnix ToBase64 ToBinary ToDays ToMap Try Week WeekOfYear Year
"""
)
_ELSE = {
    "Select": "with_ expressions from_ joins where group having qualify windows distinct order limit offset",
    "Qualify": "this",
    "Group": "expressions rollup cube grouping_sets all",
    "Star": "except_ replace",
    "TryCast": "this to safe",
    "IgnoreNulls": "this",
    "RespectNulls": "this",
}

DUCKDB = Rules(
    name="duckdb",
    title="DuckDB",
    home="main",
    functions=FUNCTIONS | FROM_ONLY,
    operators=words(
        "+ - * / // % ** ^ = == <> != < > <= >= || -> ->> | & ~ << >> ^@ && @> <@ <-> <=> ~~ !~~ ~~* !~~* ~~~ !~"
    ),
    nodes=node_rules(
        plus=dict.fromkeys(_CALLS, "*") | _ELSE,
        minus="Variadic MatchAgainst XMLElement Host JSONBContains JSONBDeleteAtPath JSONBPathExists Into Lock",
    ),
    types=words(
        """
ARRAY BIGINT BIGNUM BINARY BIT BLOB BOOLEAN BPCHAR CHAR DATE DATETIME DECIMAL DOUBLE FLOAT INT INT128 INTERVAL JSON
LIST REAL SMALLINT TEXT TIME TIMESTAMP TIMESTAMPLTZ TIMESTAMPNTZ TIMESTAMPTZ TIMESTAMP_MS TIMESTAMP_NS TIMESTAMP_S
TIMETZ TINYINT UBIGINT UINT UINT128 USMALLINT UTINYINT UUID VARBINARY VARCHAR
"""
    ),
    named_types=frozenset(),
    system_schemas=words("information_schema pg_catalog temp system"),
    system_prefixes=("duckdb_", "sqlite_", "pragma_", "pg_"),
    files_by_name=True,
    hidden_columns=words("rowid"),
    first_words=words("FROM"),
    table_functions=dict.fromkeys([*sorted(FROM_ONLY), "unnest"], ()),
    from_only=FROM_ONLY,
    plain_calls=words(
        """
date_add date_diff date_trunc datediff datetrunc last_day len list list_contains log2 log10 strftime
string_split strptime time_bucket
"""
    ),
    dollar="placeholder",
    fields=True,
    value_names=("col", 0),
    join_kinds=words("INNER OUTER CROSS SEMI ANTI"),
    using_in_place=True,
    aliases="inline",
    typed_null=True,
    output_names="duckdb",
    declared_names=True,
    lengthless=True,
)
