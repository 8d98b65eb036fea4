# ruff: noqa: INP001 - a script, not a package
"""Write src/langguard/sql/dialects/functions_duckdb.py: the DuckDB functions a statement may call.

The rule is applied to `duckdb_functions()` of a database just made, so the list is of the engine's own functions only.
A name is allowed when it is a scalar, aggregate or window function whose every overload DuckDB calls CONSISTENT (the
same arguments give the same value), or is named in HELD with the reason there, and it matches none of PATTERNS: what
reads settings, statistics or the catalogue, runs or describes SQL text, calls a function by its name given as a text,
takes a lambda, or allocates by a number alone. The mark does not find these: `json_serialize_plan` and `list_aggregate`
are CONSISTENT. DuckDB runs inside the gateway's process and counts a value's bytes against no limit, so one call of
`repeat` with a large number could end the process. No table function is on the list; `unnest`, `range` and
`generate_series` are allowed in FROM by the dialect's own rules, where they are read piece by piece.

Run: python scripts/functions_duckdb.py
"""

import re
import textwrap
from pathlib import Path

import duckdb

PATTERNS: dict[str, str] = {
    r"^__|^index_key$|^vector_type$|^create_sort_key$|^remap_struct$|^constant_or_null$|^alias$|^switch$|_comparable$"
    r"|^icu_|^collate_|^in_search_path$|^vertex_extract$|^lttb$|^st_|^variant|^is_histogram": "the engine's inside",
    r"^current_|^get_block_size$|^getvariable$|^getenv$|^version$|^txid_|^stats$|^user$|^session_user$|^pg_"
    r"|^has_|_description$|^inet_|^format_pg_type$|^format_type$|^map_to_pg_oid$": "settings and the catalogue",
    r"^json_(de)?serialize|^json_execute|^parse_duckdb_log|^write_log$|^query": "SQL text, or the log",
    r"(list|array)_aggr(egate)?$|^aggregate$|^combine|^finalize$|^to_aggregate_state$|^invoke$": "a function by name",
    r"(list|array)_(transform|filter|reduce|apply|where_)$|^apply$|^filter$|^reduce$": "a lambda",
    r"^cast_to_type$|^make_type$|^get_type$|^replace_type$|^can_cast": "a type as a value",
    r"^repeat$|^lpad$|^rpad$|^bar$|_resize$|^range$|^generate_|^format$|^printf$|^bitstring|^equi_width"
    r"|^reservoir|^approx_top_k$|^array_value$|^to_base$|^unpivot_list$": "allocates by a number alone",
    r"^nextval$|^currval$|^setval$|^setseed$|^sleep_ms$|^error$|^assert_true$": "an effect, or time",
}
REFUSED = re.compile("|".join(PATTERNS))
HELD: dict[str, str] = {
    "all any cast coalesce columns exists extract grouping grouping_id ifnull overlay position row some substring "
    "trim try try_cast unnest": "forms of the language that stand before a bracket",
    "current_date current_localtime current_localtimestamp current_time current_timestamp get_current_time "
    "get_current_timestamp localtime localtimestamp now today transaction_timestamp": "the clock is no secret",
    "gen_random_uuid random uuid uuidv4 uuidv7": "volatile, and tell nothing",
    "ago array_append array_pop_back array_pop_front array_prepend array_push_back array_push_front array_reverse "
    "array_to_string date_add days_in_month fdiv fmod geomean geometric_mean if json json_group_array "
    "json_group_object json_group_structure list_any_value list_append list_approx_count_distinct list_avg "
    "list_bit_and list_bit_or list_bit_xor list_bool_and list_bool_or list_count list_entropy list_first "
    "list_histogram list_kurtosis list_last list_mad list_max list_median list_min list_mode list_prepend "
    "list_product list_reverse list_sem list_skewness list_stddev_pop list_stddev_samp list_string_agg list_sum "
    "list_var_pop list_var_samp map_contains_entry map_contains_value md5_number_lower md5_number_upper nullif "
    "split_part wavg weighted_avg": "the engine's own macros, each looked at: they only compute",
    "pg_typeof pg_size_pretty": "tell the type of a value, or write a number",
    "cume_dist dense_rank fill first_value lag last_value lead nth_value ntile percent_rank rank rank_dense "
    "row_number": "windows",
    "percentile_cont percentile_disc": "read by the parser as quantile_cont and quantile_disc WITHIN GROUP",
}
NOT_FUNCTIONS = frozenset({"columns"})


def allowed() -> tuple[str, list[str]]:
    """Return DuckDB's version and the names the rule lets through, sorted."""
    with duckdb.connect() as link:
        rows = link.execute(
            "SELECT lower(function_name), bool_and(coalesce(stability, '') = 'CONSISTENT') FROM duckdb_functions() "
            "WHERE function_type IN ('scalar', 'aggregate', 'window') AND internal GROUP BY ALL"
        ).fetchall()
    ours = {name for name, consistent in rows if consistent and re.fullmatch(r"[a-z_][a-z0-9_]*", name, re.ASCII)}
    held = {name for names in HELD for name in names.split()} - NOT_FUNCTIONS
    return duckdb.__version__, sorted({name for name in ours if not REFUSED.search(name)} | held)


def main() -> None:
    """Write the module."""
    version, names = allowed()
    body = textwrap.fill(" ".join(names), 118, break_on_hyphens=False)
    target = Path(__file__).parents[1] / "src/langguard/sql/dialects/functions_duckdb.py"
    target.write_text(
        f'"""DuckDB functions a statement may call. Made by scripts/functions_duckdb.py from {version}."""\n\n'
        f'from langguard.sql.words import words\n\nFUNCTIONS = words(\n    """\n{body}\n"""\n)\n',
        encoding="utf-8",
    )
    print(len(names), "names")  # noqa: T201


if __name__ == "__main__":
    main()
