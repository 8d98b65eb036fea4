"""What the dialects share that are analysed only: reads, the plainest classes of the tree, calls kept as they came.

These engines are not run in the tests, so nothing is allowed that could be read in two ways: no writes, no
placeholders, no escapes in strings, no names but those of the catalogue, no table functions. Nearly every function is
read as a plain call, so that the parser's idea of what it does plays no part in the text that is written.
"""

from collections.abc import Mapping

from langguard.sql.allowed import ARGS
from langguard.sql.dialects.rules import NodeRule
from langguard.sql.words import words

_WITHOUT = words(
    """
Insert Schema OnConflict Returning Update Delete Merge Whens When Parameter Unnest Lateral Kwarg PropertyEQ Slice
Bracket HexString BitString WithinGroup IntervalSpan Any All ColumnDef
"""
)
_OPERATORS = words(
    """
Add Sub Mul Div Mod DPipe Neg Not And Or EQ NEQ GT GTE LT LTE Is Like BitwiseAnd BitwiseOr BitwiseXor BitwiseNot
"""
)
_FUNCTIONS = words(
    """
Avg Coalesce Count CumeDist CurrentDate CurrentTimestamp DenseRank FirstValue Lag LastValue Lead Max Min Ntile Nullif
PercentRank Rank RowNumber Sum
"""
)


def strict_nodes(plus: Mapping[str, str]) -> Mapping[str, NodeRule]:
    """Return the classes that a strictly read dialect allows.

    Args:
        plus: Further classes, each with the arguments it may have, parted by spaces; `*` for any. Replaces an entry.
    """
    found: dict[str, NodeRule] = {name: rule for name, rule in ARGS.items() if name not in _WITHOUT}
    found |= dict.fromkeys(_OPERATORS | _FUNCTIONS)
    for name, args in plus.items():
        found[name] = None if args == "*" else words(args)
    return found


TREE_CALLS = words(
    """
all any avg cast coalesce count cume_dist current_date current_timestamp dense_rank exists extract first_value lag
last_value lead max min ntile nullif percent_rank rank row_number some sum try_cast safe_cast
"""
)
"""Functions that the parser reads by a class of their own; all others are plain calls."""
