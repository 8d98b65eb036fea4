"""Placeholders that stand close together: `IN ($1,$2)`.

The parser's tokenizer takes `$1,$` for the start of a dollar-quoted string, as no engine does: a quote's tag does not
begin with a digit. So the text is given to it with a space after each placeholder, and the tokens are moved back.
"""

import re
from bisect import bisect_left

from sqlglot import Token
from sqlglot.dialects.dialect import Dialect

_CLOSE = re.compile(r"\$[0-9]+[^\s0-9A-Za-z_$][^\s$]*\$")
_PART = re.compile(
    r"""'(?:[^'\\]|''|\\.)*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/|(?P<quote>\$(?:[^\W\d]\w*)?\$).*?(?P=quote)|(?P<at>\$[0-9]+)""",
    re.DOTALL,
)


def tokens(text: str, dialect: str) -> list[Token]:
    """Return a text's tokens; raises what the tokenizer raises.

    Args:
        text: As it came.
        dialect: One in which `$1` is a placeholder.
    """
    tokenize = Dialect.get_or_raise(dialect).tokenize
    if not _CLOSE.search(text):
        return tokenize(text)
    ends = [found.end("at") for found in _PART.finditer(text) if found["at"]]
    pieces = [text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True)]
    added = [end + number for number, end in enumerate(ends)]
    found = tokenize(" ".join(pieces))
    for token in found:
        before, within = bisect_left(added, token.start), bisect_left(added, token.end)
        token.start -= before
        token.end -= within
    return found
