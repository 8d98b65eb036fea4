"""How results are to be masked: the policy's words, and the plan made from them for one result."""

from typing import Literal

from langguard.protocol._base import Wire

OperatorName = Literal["redact", "replace", "mask", "hash", "null", "keep"]
Inference = Literal["deny", "mask", "allow"]


class Operator(Wire, frozen=True, kw_only=True):
    """What to put in a value's place.

    Attributes:
        name: `redact` (remove), `replace` (`<ENTITY>` or `text`), `mask` (stars, `keep_last` characters left),
            `hash` (keyed token, equal values give equal tokens within a connection), `null`, `keep`.
        text: For `replace`: the replacement; empty means `<ENTITY>`.
        keep_last: For `mask`: characters left in clear at the end.
    """

    name: OperatorName
    text: str = ""
    keep_last: int = 0


class ColumnMask(Wire, frozen=True, kw_only=True):
    """A mask on named columns: `connection/schema.table.column`, `*` allowed for a whole part.

    Attributes:
        inference: What a statement may do with such a column beside putting it out (masked): compare, join, group or
            order by it. `deny` refuses; `mask` lets it compare the mask instead of the value; `allow` lets it compare
            the value as it is, though not in a computed form.
        groups: Whose results it masks; empty means everyone's.
    """

    columns: tuple[str, ...]
    operator: Operator
    inference: Inference = "deny"
    groups: tuple[str, ...] = ()


class EntityMask(Wire, frozen=True, kw_only=True):
    """A mask on what Presidio finds in values.

    Attributes:
        entities: Presidio's names, such as `EMAIL_ADDRESS`.
        connections: Names it applies to; empty means all.
    """

    entities: tuple[str, ...]
    operator: Operator
    connections: tuple[str, ...] = ()


class MaskPolicy(Wire, frozen=True, kw_only=True):
    """All masking rules of a policy.

    Attributes:
        clear: Columns (patterns as in ColumnMask) declared free of personal data: passed as they are.
        structured: Text columns declared to hold codes, numbers or addresses and no prose: content analysis by
            patterns is enough for them. Any other text column that is not clear counts as free text.
        min_score: Presidio findings below this are ignored, 0 to 1.
    """

    columns: tuple[ColumnMask, ...] = ()
    entities: tuple[EntityMask, ...] = ()
    clear: tuple[str, ...] = ()
    structured: tuple[str, ...] = ()
    min_score: float = 0.4


class ColumnPlan(Wire, frozen=True, kw_only=True):
    """What happens to one output column.

    Attributes:
        action: `pass`; `mask` (the whole value, by `operator`); `analyse` (by content, entity by entity).
        label: What a masked value is called in its place, such as `EMAIL` or `TEXT`.
        why: One phrase for the record: `clear`, `rule customers.email`, `expression over ...`, `free text`.
        context: Words about the column, space-separated, that help a detector (`customers.phone` helps a number).
        typed: With `analyse`: no base column has a text type, so text that is no number, time, UUID or address is
            masked whole.
    """

    action: Literal["pass", "mask", "analyse"]
    operator: Operator | None = None
    label: str = "MASKED"
    why: str = ""
    context: str = ""
    typed: bool = False


class MaskPlan(Wire, frozen=True, kw_only=True):
    """The plan for one result: a column plan per output, and the entity operators for analysed ones."""

    columns: tuple[ColumnPlan, ...]
    entities: tuple[EntityMask, ...] = ()
    min_score: float = 0.4
