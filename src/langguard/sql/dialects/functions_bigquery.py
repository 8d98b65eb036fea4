"""BigQuery functions a statement may call, by hand from its reference: each only computes from its arguments.

Left out on purpose: who one is (SESSION_USER), other systems (EXTERNAL_QUERY, EXTERNAL_OBJECT_TRANSFORM), models and
remote functions (the ML., AI. and VECTOR_SEARCH families), keys (KEYS., AEAD., DLP_ families), change history (APPENDS,
CHANGES), ERROR, RAND, everything with a dot before its name (NET., SAFE., HLL_COUNT.), and every table function.
"""

from langguard.sql.words import words

FUNCTIONS = words(
    # One value from the rows of a group.
    """
any_value approx_count_distinct approx_quantiles approx_top_count approx_top_sum array_agg array_concat_agg avg bit_and
bit_or bit_xor corr count countif covar_pop covar_samp grouping logical_and logical_or max max_by min min_by stddev
stddev_pop stddev_samp string_agg sum var_pop var_samp variance
"""
    # One value for each row from the rows around it.
    """
cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank percentile_cont percentile_disc rank
row_number
"""
    # Arithmetic; the SAFE_ ones give NULL in place of an error.
    """
abs acos acosh asin asinh atan atan2 atanh bit_count cbrt ceil ceiling cos cosh cosine_distance cot coth csc csch div
euclidean_distance exp floor greatest ieee_divide is_inf is_nan least ln log log10 mod pow power range_bucket round
safe_add safe_divide safe_multiply safe_negate safe_subtract sec sech sign sin sinh sqrt tan tanh trunc
"""
    # Text to text or to a number.
    """
ascii byte_length char_length character_length chr code_points_to_bytes code_points_to_string collate concat
contains_substr edit_distance ends_with format from_base32 from_base64 from_hex initcap instr left length lower lpad
ltrim normalize normalize_and_casefold octet_length regexp_contains regexp_extract regexp_extract_all regexp_instr
regexp_replace regexp_substr repeat replace reverse right rpad rtrim safe_convert_bytes_to_string soundex split
starts_with strpos substr substring to_base32 to_base64 to_code_points to_hex translate trim unicode upper
"""
    # Dates and times; the clock is read, nothing is kept.
    """
current_date current_datetime current_time current_timestamp date date_add date_bucket date_diff date_from_unix_date
date_sub date_trunc datetime datetime_add datetime_bucket datetime_diff datetime_sub datetime_trunc extract format_date
format_datetime format_time format_timestamp generate_date_array generate_timestamp_array justify_days justify_hours
justify_interval last_day make_interval parse_date parse_datetime parse_time parse_timestamp string time time_add
time_diff time_sub time_trunc timestamp timestamp_add timestamp_bucket timestamp_diff timestamp_micros timestamp_millis
timestamp_seconds timestamp_sub timestamp_trunc unix_date unix_micros unix_millis unix_seconds
"""
    # From one type to another.
    """
bool cast float64 int64 parse_bignumeric parse_numeric safe_cast bignumeric numeric
"""
    # One of the arguments.
    """
coalesce if ifnull nullif nullifzero zeroifnull
"""
    # Arrays and JSON, in and out.
    """
array array_concat array_first array_includes array_last array_length array_reverse array_slice array_to_string
generate_array json_array json_extract json_extract_array json_extract_scalar json_extract_string_array json_keys
json_object json_query json_query_array json_remove json_set json_strip_nulls json_type json_value json_value_array
lax_bool lax_float64 lax_int64 lax_string parse_json to_json to_json_string
"""
    # Digests and made-up ids: nothing is stored.
    """
farm_fingerprint generate_uuid md5 sha1 sha256 sha512
"""
    # Words of the language before a bracket.
    """
all any exists some
"""
)
