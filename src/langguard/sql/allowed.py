"""The allow-list of tree nodes, types and operators: whatever is not listed here is refused, by name."""

from sqlglot import exp

from langguard.protocol import Action
from langguard.sql.words import words

_STRUCTURE: dict[str, str] = {
    # class: the arguments it may have ("*": any)
    "Select": "with_ expressions from_ joins where group having windows distinct order limit offset",
    "Union": "with_ this expression distinct order limit offset",
    "Except": "with_ this expression distinct order limit offset",
    "Intersect": "with_ this expression distinct order limit offset",
    "Subquery": "with_ this alias joins order limit offset",
    "Values": "expressions alias",
    "With": "expressions recursive",
    "CTE": "this alias materialized",
    "TableAlias": "this columns",
    "From": "this",
    "Join": "this method side kind on using",
    "Table": "this db alias joins only ordinality",
    "Lateral": "this alias ordinality",
    "Unnest": "expressions alias offset",
    "ColumnDef": "this kind",
    "Where": "this",
    "Having": "this",
    "Group": "expressions rollup cube grouping_sets",
    "Rollup": "expressions",
    "Cube": "expressions",
    "GroupingSets": "expressions",
    "Order": "this expressions",
    "Ordered": "this desc nulls_first",
    "Limit": "expression",
    "Fetch": "direction count limit_options",
    "LimitOptions": "rows with_ties",
    "Offset": "expression",
    "Distinct": "expressions on",
    "Window": "this partition_by order spec alias over",
    "WindowSpec": "kind start start_side end end_side exclude",
    "Filter": "this expression",
    "WithinGroup": "this expression",
    "Alias": "this alias",
    "Column": "this table db",
    "Identifier": "this quoted",
    "Star": "",
    "Literal": "this is_string",
    "Boolean": "this",
    "Null": "",
    "Parameter": "this",
    "Interval": "this unit fraction_in_string",
    "IntervalSpan": "this expression",
    "Var": "this",
    "Tuple": "expressions",
    "Paren": "this",
    "Case": "this ifs default",
    "If": "this true false",
    "Cast": "this to",
    "DataType": "this expressions nested values kind",
    "DataTypeParam": "this",
    "HexString": "this",
    "BitString": "this",
    "Bracket": "this expressions offset",
    "Slice": "this expression",
    "In": "this expressions query",
    "Between": "this low high symmetric",
    "Exists": "this",
    "Any": "this",
    "All": "this",
    "Kwarg": "this expression",
    "PropertyEQ": "this expression",
    "JSONPath": "*",
    "JSONPathRoot": "",
    "JSONPathKey": "this",
    "JSONPathSubscript": "this",
    "Collate": "this expression",
    "AtTimeZone": "this zone",
    "Extract": "this expression",
    "Escape": "this expression",
    "Anonymous": "this expressions",
    "JSONKeyValue": "this expression",
    # writes
    "Insert": "with_ this expression conflict returning alternative",
    "Schema": "this expressions",
    "OnConflict": "action conflict_keys expressions where index_where",
    "Returning": "expressions",
    "Update": "with_ this expressions from_ where returning",
    "Delete": "with_ this using where returning",
    "Merge": "with_ this using on whens returning",
    "Whens": "expressions",
    "When": "matched source condition then",
}
ARGS: dict[str, frozenset[str] | None] = {
    name: None if args == "*" else frozenset(args.split()) for name, args in _STRUCTURE.items()
}
OPERATORS = words(
    """
Add Sub Mul Div Mod IntDiv Pow DPipe Neg Not And Or EQ NEQ GT GTE LT LTE Is NullSafeEQ NullSafeNEQ Like ILike
SimilarTo RegexpLike RegexpILike Glob BitwiseAnd BitwiseOr BitwiseXor BitwiseNot BitwiseLeftShift BitwiseRightShift
JSONExtract JSONExtractScalar JSONBExtract JSONBExtractScalar JSONBContains JSONBContainsAnyTopKeys
JSONBContainsAllTopKeys JSONBDeleteAtPath ArrayContainsAll ArrayContainedBy ArrayOverlaps JSONBPathExists
JSONBContainsTopKey ExtendsLeft ExtendsRight Variadic MatchAgainst Overlaps Distance Adjacent
"""
)
FUNCTION_CLASSES = words(
    """
Abs Acos Acosh AnyValue Array ArrayAgg ArrayAppend ArrayConcat ArraySize ArrayPosition ArrayPrepend ArrayRemove
ArrayReverse ArraySort ArrayToString Ascii Asin Asinh Atan Atan2 Atanh Avg BitwiseAndAgg BitLength BitwiseOrAgg
BitwiseXorAgg LogicalAnd LogicalOr Cbrt Ceil Chr Length Coalesce Concat ConcatWs Corr Cos Cosh Cot Count CovarPop
CovarSamp CumeDist Date DateBin TimestampTrunc Decode Degrees DenseRank Encode Exp Factorial FirstValue Floor Format
Uuid ExplodingGenerateSeries Getbit Greatest Grouping Host Initcap JSONArrayAgg JSONObject JSONObjectAgg
JSONStripNulls JSONBObjectAgg JustifyDays JustifyHours JustifyInterval Lag LastValue Lead Least Left Ln Log Lower Pad
Trim MakeInterval TimeFromParts TimestampFromParts Max MD5 Min Mode Normalize CurrentTimestamp CurrentDate CurrentTime
Localtime Localtimestamp NthValue Ntile Nullif Overlay PercentRank PercentileCont PercentileDisc Pi StrPosition
Radians Rand Rank RegexpCount RegexpInstr RegexpReplace RegexpSubstr RegrAvgx RegrAvgy RegrCount RegrIntercept RegrR2
RegrSlope RegrSxx RegrSxy RegrSyy Repeat Replace Reverse Right Round RowNumber SHA2Digest Sign Sin Sinh SplitPart Sqrt
StartsWith Stddev StddevPop StddevSamp GroupConcat StringToArray Substring Sum Tan Tanh TimeToStr StrToDate Hex
ToNumber UnixToTime StrToTime Translate Trunc Explode Upper VariancePop Variance WidthBucket JSONRemove JSONSet
JSONType ParseJSON Soundex TsOrDsToTimestamp TsOrDsToDate Typeof Unhex Unicode XMLElement CurrentDatetime
"""
)
TYPES = words(
    """
ARRAY BIGINT BIGSERIAL BINARY BIT BLOB BOOLEAN BPCHAR BYTEA CHAR DATE DATERANGE DATETIME DECIMAL DOUBLE FLOAT INET INT
INT4RANGE INT8RANGE INTERVAL JSON JSONB MONEY NAME NCHAR NUMRANGE NVARCHAR POINT REAL SMALLINT TEXT TIME TIMETZ
TIMESTAMP TIMESTAMPTZ TIMESTAMPNTZ TINYINT TSMULTIRANGE TSRANGE TSTZRANGE UUID VARBINARY VARBIT VARCHAR XML
NUMMULTIRANGE DATEMULTIRANGE INT4MULTIRANGE INT8MULTIRANGE TSTZMULTIRANGE CIDR LSEG
"""
)
NAMED_TYPES = words(
    "box cidr circle jsonpath line lseg macaddr macaddr8 path polygon tsquery tsvector varbit "
    "pg_lsn pg_snapshot txid_snapshot xid8 int2vector oidvector"
)
KNOWN: dict[str, tuple[str, str, tuple[Action, ...]]] = {
    "Into": ("SELECT INTO makes a table", "Leave INTO out.", ("ddl",)),
    "Lock": ("Row locks (FOR UPDATE, FOR SHARE) are", "Leave the FOR clause out.", ("transaction",)),
    "Create": ("CREATE is DDL and", "", ("ddl",)),
    "Drop": ("DROP is DDL and", "", ("ddl",)),
    "Merge": ("MERGE is", "Use INSERT, UPDATE or DELETE.", ("read", "write")),
    "Operator": ("OPERATOR(...) is", "Write the plain operator.", ()),
    "Placeholder": ("Placeholders other than $1, $2... are", "Write $1, $2...", ()),
    "Dot": ("This dotted expression is", "Name the column as table.column, and call functions without a schema.", ()),
    "Pivot": ("PIVOT is", "Use CASE with GROUP BY.", ()),
    "TableSample": ("TABLESAMPLE is", "Use ORDER BY random() LIMIT n.", ()),
}
MODIFIERS: dict[str, tuple[str, str, tuple[Action, ...]]] = {
    "into": KNOWN["Into"],
    "locks": KNOWN["Lock"],
    "sample": KNOWN["TableSample"],
    "pivots": KNOWN["Pivot"],
    "catalog": ("Names of another database are", "Name tables as schema.table.", ()),
    "except_": ("* EXCEPT is", "Name the columns.", ()),
}
QUERIES = (exp.Query, exp.Values)
WRITES = (exp.Insert, exp.Update, exp.Delete, exp.Merge)
