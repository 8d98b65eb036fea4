"""The text to send: the analysed statement with its row cap, row filters and masks in it."""

import re

import msgspec
from sqlglot import exp

from langguard.protocol import Catalog, Facts, Refusal, SqlObligations
from langguard.sql.analyze import literal_limit, same_meaning, settled, unreadable
from langguard.sql.dialects import RULES
from langguard.sql.gate import LIMITS, Limits
from langguard.sql.guards import Guards
from langguard.sql.holds import Holds
from langguard.sql.names import quoted
from langguard.sql.parse import canonical, parse
from langguard.sql.proof import kept, verify
from langguard.sql.refusals import Refused, refuse, refused

_LITERALS = re.compile(r"""'[^']*'|"[^"]*"|`[^`]*`""")
_CAPS = re.compile(r"\b(?:LIMIT|OFFSET|FETCH)\b")


def rewrite(facts: Facts, obligations: SqlObligations, catalog: Catalog, *, limits: Limits = LIMITS) -> str | Refusal:
    """Return the text to send: a read ends one row after its row cap; row filters and masks are in the text.

    The one row more than may be released shows that there was more.

    Args:
        facts: Of the statement, from `analyze` with the same catalogue.
        obligations: What the text carries out.
        catalog: The tables it may name.
        limits: Those it was analysed with.

    Returns:
        The text, analysed once more: it does the same to the same columns, and reads filtered tables and masked columns
        only as they may be read. A Refusal where that can't be shown.
    """
    wide = limits.wide().wide()  # text of our own making is longer than what it was made from
    try:
        if obligations.rows < 0:
            refuse("row_cap", "The row cap is negative.")
        holds = Holds(obligations, catalog)
        if holds.hold_for(facts.tables):
            return _guarded(facts, holds, wide)
        text, limit = _with_cap(facts, obligations.rows + 1, catalog.dialect, wide)
        return _proven(text, facts, catalog, wide, limit=limit)
    except Refused as error:
        return error.refusal
    except RecursionError:
        return refused("too_complex", "The statement is nested too deep.").refusal
    except Exception as error:  # noqa: BLE001 - whatever the parser raises, nothing is sent
        return unreadable(error)


def _with_cap(facts: Facts, cap: int, dialect: str, wide: Limits) -> tuple[str, int | None]:
    """Return the text that ends after `cap` rows, and the limit its facts must then have where that is plain."""
    if facts.written:
        return facts.statement, None
    bare = _LITERALS.sub("", facts.statement)
    simple = RULES[dialect].plain_quotes
    plain = simple and bare.startswith(("SELECT ", "WITH ")) and "TIES" not in bare
    if plain and facts.limit is not None and facts.limit <= cap:
        return facts.statement, facts.limit
    if plain and not _CAPS.search(bare):
        # What the tree with a limit would be written as; the reading of the result shows that it is one.
        return f"{facts.statement} LIMIT {cap}", cap
    return _capped(facts, cap, dialect, wide), None


def _proven(text: str, facts: Facts, catalog: Catalog, wide: Limits, *, limit: int | None) -> str:
    """Return a text that does the same as `facts` says, and ends after `limit` rows where that is given.

    Raises:
        Refused: That can't be shown.
    """
    again = settled(text, catalog.dialect, catalog, wide)
    if not same_meaning(facts, again) or (limit is not None and again.limit != limit):
        refuse(
            "changed_by_rewriting",
            "The statement does not keep its meaning with a row cap in it.",
            facts.statement,
            hint="Write a plain LIMIT with a number.",
        )
    return again.statement


def _guarded(facts: Facts, holds: Holds, wide: Limits) -> str:
    """Return the text with row filters, masks and row cap, proven by its own tree and facts.

    Raises:
        Refused: They can't be put in, or that they hold can't be shown.
    """
    dialect = holds.catalog.dialect
    guards = Guards(holds)
    tree, _ = parse(facts.statement, dialect, wide, is_canonical=True)
    bound = msgspec.structs.replace(facts, statement=canonical(guards.put(tree), dialect))
    text, limit = _with_cap(bound, holds.obligations.rows + 1, dialect, wide)
    again = settled(text, dialect, holds.catalog, wide)
    root, _ = parse(again.statement, dialect, wide.wide(), is_canonical=True)
    if (
        not verify(root, holds)
        or not kept(facts, again, holds, filtering=guards.touched, added=guards.extra, views=guards.views)
        or (limit is not None and again.limit != limit)
    ):
        refuse(
            "changed_by_rewriting",
            "The statement does not keep its meaning with the row filters in it that hold for you.",
            facts.statement,
            hint="Write it in a simpler way.",
        )
    return again.statement


def _capped(facts: Facts, cap: int, dialect: str, wide: Limits) -> str:
    tree, _ = parse(facts.statement, dialect, wide)
    limit = tree.args.get("limit")
    own = literal_limit(tree)
    replaceable = limit is None or _is_no_limit(limit) or (own is not None and not _has_ties(limit))
    if isinstance(tree, (exp.Select, exp.SetOperation)) and replaceable:
        tree.set("limit", exp.Limit(expression=exp.Literal.number(cap if own is None else min(own, cap))))
        return canonical(tree, dialect)
    return canonical(_wrapped(tree, facts, cap), dialect)


def _is_no_limit(limit: exp.Expr) -> bool:
    """LIMIT ALL and LIMIT NULL set none."""
    if not isinstance(limit, exp.Limit):
        return False
    return isinstance(limit.expression, exp.Null) or limit.expression == exp.Var(this="ALL")


def _has_ties(limit: exp.Expr) -> bool:
    options = limit.args.get("limit_options")
    return options is not None and bool(options.args.get("with_ties"))


def _wrapped(tree: exp.Expr, facts: Facts, cap: int) -> exp.Expr:
    """Put a query that can't take a limit of its own (VALUES, LIMIT $1, WITH TIES) inside one that can.

    Its columns are numbered by a list of names, because names of outputs may repeat.
    """
    taken = {i.name.lower() for i in tree.find_all(exp.Identifier)}
    name = next(n for n in (f"_capped{at}" for at in range(len(taken) + 1)) if n not in taken)
    columns = [f"_c{at}" for at in range(1, len(facts.outputs) + 1)]
    inner = tree
    return exp.Select(
        expressions=[
            exp.Alias(this=exp.Column(this=quoted(c), table=quoted(name)), alias=quoted(o.name))
            for c, o in zip(columns, facts.outputs, strict=True)
        ],
        from_=exp.From(this=exp.Table(this=quoted(name), alias=exp.TableAlias(this=quoted(name)))),
        with_=exp.With(
            expressions=[
                exp.CTE(
                    this=inner,
                    alias=exp.TableAlias(this=quoted(name), columns=[quoted(c) for c in columns]),
                )
            ]
        ),
        limit=exp.Limit(expression=exp.Literal.number(cap)),
    )
