"""What a function that is not allowed was likely meant to be: one but for a letter, or another engine's."""

import difflib
from collections.abc import Collection, Mapping
from typing import Final

ELSEWHERE: Final[Mapping[str, tuple[str, ...]]] = {
    # what other engines call it: what may be allowed here, the best first
    "char_length": ("length",),
    "charindex": ("strpos", "instr"),
    "concat_ws": ("printf",),
    "curdate": ("current_date", "date"),
    "date_format": ("to_char", "strftime"),
    "date_trunc": ("strftime", "date_format"),
    "getdate": ("now", "datetime"),
    "group_concat": ("string_agg",),
    "ifnull": ("coalesce",),
    "iif": ("if",),
    "instr": ("strpos",),
    "isnull": ("coalesce",),
    "json_extract": ("json_extract_path_text",),
    "lcase": ("lower",),
    "len": ("length",),
    "listagg": ("string_agg", "group_concat"),
    "now": ("datetime", "current_timestamp"),
    "nvl": ("coalesce",),
    "rand": ("random",),
    "random": ("rand",),
    "stdev": ("stddev",),
    "str_to_date": ("to_date",),
    "strftime": ("to_char", "date_format"),
    "string_agg": ("group_concat",),
    "strpos": ("instr",),
    "substring": ("substr",),
    "sysdate": ("now", "datetime"),
    "to_char": ("strftime", "date_format"),
    "ucase": ("upper",),
}
_LONGEST: Final = 63
_LIKENESS: Final = 0.8


def likely_function(name: str, allowed: Collection[str]) -> str:
    """Return the allowed function that a name was likely meant to be, or nothing.

    Only names with the same first letter and about the same length are compared: each comparison takes microseconds.
    """
    name = name.lower()[:_LONGEST]
    for known in ELSEWHERE.get(name, ()):
        if known in allowed:
            return known
    alike = [word for word in sorted(allowed) if word[:1] == name[:1] and abs(len(word) - len(name)) <= 2]
    found = difflib.get_close_matches(name, alike, n=1, cutoff=_LIKENESS)
    return found[0] if found else ""
