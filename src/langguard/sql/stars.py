"""`* EXCLUDE (...) REPLACE (...)`: what a star stands for once columns are left out and put in."""

from sqlglot import exp

from langguard.sql.names import stored, unknown_column
from langguard.sql.refusals import refuse
from langguard.sql.scope import Scope


def changed(star: exp.Expr, columns: list[exp.Expr], scope: Scope) -> list[exp.Expr]:
    """Return a star's columns with EXCLUDE and REPLACE carried out.

    Raises:
        Refused: A name in them is none of the star's, or is not a plain one.
    """
    if not star.args.get("except_") and not star.args.get("replace"):
        return columns
    replaced: dict[str, exp.Expr] = {}
    for item in star.args.get("replace") or []:
        if not isinstance(item, exp.Alias):
            refuse("construct_not_allowed", "REPLACE takes an expression AS a column's name.", "REPLACE")
        replaced[scope.key(stored(item.args["alias"], scope.dialect))] = item
    names: set[str] = set()
    for item in star.args.get("except_") or []:
        bare = item.this if isinstance(item, exp.Column) and item.args.get("table") is None else item
        if not isinstance(bare, exp.Identifier):
            refuse("construct_not_allowed", "EXCLUDE takes names of columns only.", "EXCLUDE")
        names.add(scope.key(stored(bare, scope.dialect)))
    there = [scope.key(column.name) for column in columns]
    wrong = sorted((names | replaced.keys()) - set(there)) or sorted(names & replaced.keys())
    if wrong:
        raise unknown_column(wrong[0], (column.name for column in columns), None)
    several = sorted(name for name in replaced if there.count(name) > 1)
    if several:
        refuse("ambiguous_column", f"The column {several[0][:60]} is in more than one table.", several[0])
    return [replaced.get(name, column) for name, column in zip(there, columns, strict=True) if name not in names]
