"""MySQL and MariaDB functions a statement may call. Made by scripts/functions_mysql.py from 10.11.19."""

from langguard.sql.words import words

FUNCTIONS = words(
    """
abs acos add_months adddate addtime all any any_value ascii asin atan atan2 avg bin bin_to_uuid bit_and bit_count
bit_length bit_or bit_xor cast ceil ceiling char char_length character_length charset chr coalesce coercibility
collation concat concat_ws conv convert convert_tz cos cot count crc32 crc32c cume_dist curdate current_date
current_time current_timestamp curtime date date_add date_format date_sub datediff day dayname dayofmonth dayofweek
dayofyear degrees dense_rank elt exists exp export_set extract field find_in_set first_value floor format from_base64
from_days from_unixtime greatest group_concat grouping hex hour if ifnull inet6_aton inet6_ntoa inet_aton inet_ntoa
insert instr is_ipv4 is_ipv4_compat is_ipv4_mapped is_ipv6 is_uuid isnull json_array json_array_append
json_array_insert json_arrayagg json_compact json_contains json_contains_path json_depth json_detailed json_equals
json_exists json_extract json_insert json_keys json_length json_loose json_merge_patch json_merge_preserve
json_normalize json_object json_objectagg json_overlaps json_pretty json_query json_quote json_remove json_replace
json_schema_valid json_search json_set json_storage_size json_type json_unquote json_valid json_value lag last_day
last_value lcase lead least left length lengthb ln localtime localtimestamp locate log log10 log2 lower lpad ltrim
make_set makedate maketime max md5 median microsecond mid min minute mod month monthname natural_sort_key now
nth_value ntile nullif nvl nvl2 oct octet_length ord percent_rank percentile_cont percentile_disc period_add
period_diff pi point position pow power quarter quote radians rand random_bytes rank regexp_instr regexp_like
regexp_replace regexp_substr repeat replace reverse right round row row_number rpad rtrim sec_to_time second sha sha1
sha2 sign sin some soundex space sqrt st_area st_astext st_contains st_distance st_distance_sphere st_geomfromtext
st_intersects st_length st_within st_x st_y std stddev stddev_pop stddev_samp str_to_date strcmp subdate substr
substring substring_index subtime sum sys_guid sysdate tan time time_format time_to_sec timediff timestamp
timestampadd timestampdiff to_base64 to_char to_days to_seconds trim truncate ucase unhex unix_timestamp upper
utc_date utc_time utc_timestamp uuid uuid_to_bin values var_pop var_samp variance week weekday weekofyear
weight_string year yearweek
"""
)
