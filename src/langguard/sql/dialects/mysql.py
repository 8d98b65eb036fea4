"""MySQL 8 and MariaDB 10.6 and later, under the modes that the driver pins (no ANSI_QUOTES, no PIPES_AS_CONCAT...)."""

from langguard.sql.allowed import FUNCTION_CLASSES, OPERATORS
from langguard.sql.dialects.functions_mysql import FUNCTIONS
from langguard.sql.dialects.mysql_text import read_again, settle
from langguard.sql.dialects.rules import Rules, node_rules
from langguard.sql.words import words

_TYPED = words(
    """
adddate all any ascii avg bit_and bit_or bit_xor cast char coalesce concat concat_ws convert count cume_dist curdate
current_date current_time current_timestamp curtime date date_add date_sub dense_rank exists extract first_value
group_concat grouping if ifnull lag last_value lcase lead left localtime localtimestamp lower max mid min mod now
nth_value ntile nullif percent_rank percentile_cont percentile_disc position rand rank replace right round row
row_number some stddev stddev_pop stddev_samp subdate substr substring sum sysdate time timestamp timestampadd
timestampdiff trim ucase upper values var_pop var_samp variance
"""
)
"""Functions with a grammar of their own, or that the parser writes as it reads them. The others are kept as called."""

_CLASSES = words(
    """
Abs Avg BitwiseAndAgg BitwiseOrAgg BitwiseXorAgg Ascii Chr Coalesce Concat ConcatWs Count CumeDist CurrentDate
CurrentTime CurrentTimestamp Date DenseRank Extract FirstValue GroupConcat Grouping Lag LastValue Lead Left Localtime
Localtimestamp Lower Max Min NthValue Ntile Nullif PercentRank PercentileCont PercentileDisc Rand Rank Replace Right
Round RowNumber Soundex Stddev StddevPop StddevSamp StrPosition Substring Sum Time Timestamp Trim TsOrDsToDate Upper
Variance VariancePop
"""
)
_OPERATORS = words(
    """
Add Sub Mul Div Mod IntDiv Neg Not And Or EQ NEQ GT GTE LT LTE Is NullSafeEQ Like BitwiseAnd BitwiseOr BitwiseXor
BitwiseNot BitwiseLeftShift BitwiseRightShift JSONExtract MatchAgainst
"""
)
_NO_GRAMMAR = """
Parameter PropertyEQ Kwarg Lateral Unnest Filter Bracket Slice AtTimeZone Fetch LimitOptions Cube GroupingSets Escape
IntervalSpan JSONKeyValue
"""
"""Of the shared list, what MySQL has no words for. Among them `@1` and `:=`, which are its own variables."""

MYSQL = Rules(
    name="mysql",
    title="MySQL",
    home="main",
    functions=FUNCTIONS,
    operators=words("+ - * / % = <=> <> != < > <= >= & | ^ ~ << >> ->"),
    nodes=node_rules(
        plus={
            "Escape": "this expression",
            "Xor": "this expression",
            "DateAdd": "this expression unit",
            "DateSub": "this expression unit",
            "TimestampDiff": "this expression unit",
            "Insert": "this expression conflict returning ignore",
            "OnConflict": "duplicate action expressions",
            "Update": "with_ this expressions where",
            "Delete": "with_ this where returning",
            "Window": "this partition_by order spec alias over",
            "Time": "this",
            "Timestamp": "this zone",
        },
        minus=" ".join((OPERATORS - _OPERATORS) | (FUNCTION_CLASSES - _CLASSES)) + _NO_GRAMMAR.replace("Escape", ""),
    ),
    types=words("BIGINT BINARY CHAR DATE DATETIME DECIMAL DOUBLE FLOAT INT JSON TIME UBIGINT UNSIGNED VARCHAR YEAR"),
    named_types=words("signed unsigned"),
    system_schemas=words("mysql information_schema performance_schema sys ndbinfo"),
    hidden_columns=words("_rowid"),
    dollar="name",
    alias_columns=False,
    aliases="tail",
    plain_quotes=False,
    output_names="short",
    target_alias=False,
    plain_calls=FUNCTIONS - _TYPED,
    settle=settle,
    read_again=read_again,
)
