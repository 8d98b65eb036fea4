"""Snowflake functions a statement may call, by hand from its reference: each only computes from its arguments.

Left out on purpose: who and where one is (CURRENT_USER, CURRENT_ROLE, CURRENT_ACCOUNT, INVOKER_ROLE), the SYSTEM$
family, sequences (NEXTVAL), stages and files (GET_PRESIGNED_URL, BUILD_STAGE_FILE_URL, TO_FILE), results of other
queries (RESULT_SCAN, LAST_QUERY_ID), metadata (GET_DDL, the POLICY_ and TAG_ families), notifications and
mail, models (the AI_ and CORTEX families), ENCRYPT and DECRYPT, RANDOM and SEQ, and every table function.
"""

from langguard.sql.words import words

FUNCTIONS = words(
    # One value from the rows of a group.
    """
any_value approx_count_distinct approx_percentile approx_top_k approximate_similarity array_agg array_union_agg
array_unique_agg avg bitand_agg bitor_agg bitxor_agg booland_agg boolor_agg boolxor_agg corr count count_if covar_pop
covar_samp grouping grouping_id hash_agg hll kurtosis listagg max max_by median min min_by minhash mode object_agg
percentile_cont percentile_disc regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy
regr_syy skew stddev stddev_pop stddev_samp sum var_pop var_samp variance variance_pop variance_samp bit_and_agg
"""
    # One value for each row from the rows around it.
    """
conditional_change_event conditional_true_event cume_dist dense_rank first_value lag last_value lead nth_value ntile
percent_rank rank ratio_to_report row_number width_bucket
"""
    # Arithmetic.
    """
abs acos acosh asin asinh atan atan2 atanh bitand bitnot bitor bitshiftleft bitshiftright bitxor cbrt ceil cos cosh cot
degrees div0 div0null exp factorial floor getbit greatest greatest_ignore_nulls haversine least least_ignore_nulls ln
log mod pi pow power radians round sign sin sinh sqrt square tan tanh trunc truncate
"""
    # Text to text or to a number.
    """
ascii base64_decode_string base64_encode bit_length charindex chr char concat concat_ws contains editdistance endswith
hex_decode_string hex_encode ilike initcap insert jarowinkler_similarity left length len like lower lpad ltrim md5
md5_hex md5_number_lower64 md5_number_upper64 octet_length position regexp_count regexp_instr regexp_like
regexp_replace regexp_substr regexp_substr_all repeat replace reverse right rpad rlike rtrim sha1 sha1_hex sha2 sha2_hex
soundex soundex_p123 space split split_part startswith strtok strtok_to_array substr substring translate trim
try_base64_decode_string try_hex_decode_string unicode upper uuid_string parse_ip parse_url collate
"""
    # Dates and times; the clock is read, nothing is kept.
    """
add_months convert_timezone current_date current_time current_timestamp date date_from_parts date_part date_trunc
dateadd datediff dayname day dayofmonth dayofweek dayofweekiso dayofyear hour last_day localtime localtimestamp minute
month monthname months_between next_day previous_day quarter second time time_from_parts time_slice timeadd timediff
timestamp_from_parts timestamp_ltz_from_parts timestamp_ntz_from_parts timestamp_tz_from_parts timestampadd
timestampdiff week weekiso weekofyear year yearofweek yearofweekiso extract getdate sysdate trunc
"""
    # From one type to another.
    """
as_array as_boolean as_char as_date as_decimal as_double as_integer as_number as_object as_real as_varchar cast to_array
to_binary to_boolean to_char to_date to_decimal to_double to_geography to_json to_number to_numeric to_object to_time
to_timestamp to_timestamp_ltz to_timestamp_ntz to_timestamp_tz to_varchar to_variant to_xml try_cast try_to_binary
try_to_boolean try_to_date try_to_decimal try_to_double try_to_number try_to_numeric try_to_time try_to_timestamp
"""
    # One of the arguments.
    """
booland boolnot boolor boolxor coalesce decode equal_null iff ifnull is_null_value nullif nullifzero nvl nvl2 regr_valx
regr_valy zeroifnull
"""
    # Semi-structured values, in and out; GET_PATH is what `a:b.c` is written as.
    """
array_append array_cat array_compact array_construct array_construct_compact array_contains array_distinct array_except
array_insert array_intersection array_max array_min array_position array_prepend array_remove array_size array_slice
array_sort array_to_string arrays_overlap check_json get get_ignore_case get_path is_array is_boolean is_char is_date
is_decimal is_double is_integer is_object is_real is_varchar json_extract_path_text object_construct
object_construct_keep_null object_delete object_insert object_keys object_pick parse_json parse_xml strip_null_value
try_parse_json typeof
"""
    # Digests.
    """
hash
"""
    # Words of the language before a bracket.
    """
all any exists some
"""
)
