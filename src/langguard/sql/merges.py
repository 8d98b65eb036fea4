"""MERGE: what each of its branches does to which rows."""

from sqlglot import exp

from langguard.protocol import Change
from langguard.sql.expressions import Ctes
from langguard.sql.names import quoted
from langguard.sql.refusals import refuse, refused
from langguard.sql.scope import Scope
from langguard.sql.trivial import where_of
from langguard.sql.writes import Writes
from langguard.sql.written import Written, tightest


class Merges(Writes):
    """Resolves every kind of write, in place."""

    def write(self, node: exp.Expr) -> Written:
        """Return what one write comes to.

        Raises:
            Refused: A name leads nowhere, or a form is used that is not analysed.
        """
        if not isinstance(node, exp.Merge):
            return super().write(node)
        self.writing = True
        return self._merge(node, self.with_(node, {}, None))

    def _merge(self, node: exp.Merge, ctes: Ctes) -> Written:
        scope = Scope(dialect=self.dialect)
        written = self._target(node.this, scope)
        self.source(node.args["using"], scope, ctes)
        on = node.args.get("on")
        self.steers(on, scope, ctes)
        for when in node.args["whens"].expressions:
            if not isinstance(when, exp.When):
                refuse("construct_not_allowed", "This form of MERGE is not allowed.", type(when).__name__)
            condition = when.args.get("condition")
            self.steers(condition, scope, ctes)
            change = self._branch(when, written, scope, ctes)
            if change is not None:
                written.changes.add(change)
            if change in {"update", "delete"}:
                tests = [condition] if not when.args.get("matched") else [on, condition]
                limits = [where_of(test, written.row(), node, [node.args["using"]]) for test in tests]
                written.limited(tightest(limits))
        written.outputs = self._returning(node, scope, ctes)
        return written

    def _branch(self, when: exp.When, written: Written, scope: Scope, ctes: Ctes) -> Change | None:
        """Resolve what one branch of a MERGE does."""
        then = when.args["then"]
        matched, by_source = bool(when.args.get("matched")), bool(when.args.get("source"))
        match then:
            case exp.Update() if (matched or by_source) and then.expressions and set(_given(then)) == {"expressions"}:
                self._assignments(then.expressions, written, scope, ctes)
                return "update"
            case exp.Insert() if not (matched or by_source) and set(_given(then)) <= {"this", "expression"}:
                names = None
                if isinstance(then.this, exp.Tuple):
                    columns = [
                        c.this if isinstance(c, exp.Column) and not c.table else c for c in then.this.expressions
                    ]
                    names = self._columns(columns, written.table)
                if not isinstance(then.expression, exp.Tuple):
                    refuse("construct_not_allowed", "INSERT in a MERGE takes VALUES.", "INSERT")
                values = self._row_values(then.expression.expressions, ctes, scope)
                names = self._filled(names, values, written.table)
                then.set("this", exp.Tuple(expressions=[exp.Column(this=quoted(n)) for n in names]))
                for name, value in zip(names, values, strict=True):
                    written.set(name, value)
                return "insert"
            case exp.Var() if then.name.upper() == "DELETE" and (matched or by_source):
                then.set("this", "DELETE")
                return "delete"
            case exp.Var() if then.name.upper() == "DO NOTHING":
                then.set("this", "DO NOTHING")
                return None
            case _:
                raise refused(
                    code="construct_not_allowed",
                    reason="This branch of a MERGE is not allowed.",
                    fragment=then.sql(self.dialect, comments=False),
                    hint="Use UPDATE SET, DELETE or DO NOTHING when matched; INSERT (...) VALUES (...) when not.",
                    actions=("read", "write"),
                )


def _given(node: exp.Expr) -> list[str]:
    return [name for name, value in node.args.items() if value]
