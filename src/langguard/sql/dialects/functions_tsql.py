"""T-SQL functions a statement may call, by hand from Microsoft's reference: each only computes from its arguments.

Left out on purpose: who and where one is (USER_NAME, SUSER_SNAME, HOST_NAME, APP_NAME, SESSION_CONTEXT), metadata
(OBJECT_ID, COL_NAME, DB_NAME, the PROPERTY family), state (RAND with its seed, IDENT_CURRENT, SCOPE_IDENTITY,
@@ROWCOUNT, NEXT VALUE FOR, NEWSEQUENTIALID), keys and certificates (ENCRYPTBYKEY, SIGNBYCERT), text pointers, errors,
and everything that opens something else (OPENROWSET, OPENQUERY, OPENDATASOURCE, OPENXML, OPENJSON, sys.fn_*, sys.dm_*).
"""

from langguard.sql.words import words

FUNCTIONS = words(
    # One value from the rows of a group.
    """
approx_count_distinct avg checksum_agg count count_big grouping grouping_id max min stdev stdevp string_agg sum var varp
approx_percentile_cont approx_percentile_disc
"""
    # One value for each row from the rows around it.
    """
cume_dist dense_rank first_value lag last_value lead ntile percent_rank percentile_cont percentile_disc rank row_number
"""
    # Arithmetic; no state, no seed.
    """
abs acos asin atan atn2 bit_count ceiling cos cot degrees exp floor get_bit greatest least left_shift log log10 pi power
radians right_shift round set_bit sign sin sqrt square tan
"""
    # Text to text or to a number.
    """
ascii char charindex concat concat_ws datalength difference format left len lower ltrim nchar patindex quotename
regexp_count regexp_instr regexp_like regexp_replace regexp_substr replace replicate reverse right rtrim soundex space
str string_escape stuff substring translate trim unicode unistr upper base64_encode base64_decode
edit_distance edit_distance_similarity jaro_winkler_distance jaro_winkler_similarity
"""
    # Dates and times; the clock is read, nothing is kept.
    """
current_timestamp date_bucket dateadd datediff datediff_big datefromparts datename datepart datetime2fromparts
datetimefromparts datetimeoffsetfromparts datetrunc day eomonth getdate getutcdate isdate month
smalldatetimefromparts switchoffset sysdatetime sysdatetimeoffset sysutcdatetime timefromparts todatetimeoffset year
current_date
"""
    # From one type to another.
    """
cast convert parse try_cast try_convert try_parse
"""
    # One of the arguments.
    """
choose coalesce iif isnull isnumeric nullif
"""
    # JSON as text, in and out.
    """
isjson json_array json_arrayagg json_modify json_object json_objectagg json_path_exists json_query json_value
"""
    # Digests and made-up ids: nothing is stored.
    """
binary_checksum checksum compress decompress hashbytes newid
"""
    # Words of the language before a bracket.
    """
all any exists some
"""
)
