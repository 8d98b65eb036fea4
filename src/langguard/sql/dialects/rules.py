"""What one dialect allows and how it reads names: everything in which the analyser treats engines differently."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from sqlglot import Token, exp

from langguard.protocol import SqlDialect
from langguard.sql.allowed import ARGS, FUNCTION_CLASSES, NAMED_TYPES, OPERATORS, TYPES
from langguard.sql.words import words

NodeRule = frozenset[str] | None
"""The arguments a class of node may have; None for any."""


def node_rules(*, plus: Mapping[str, str] | None = None, minus: str = "") -> Mapping[str, NodeRule]:
    """Return the node classes of the shared list, changed.

    Args:
        plus: Class to the arguments it may have, parted by spaces; `*` for any. Replaces a shared entry.
        minus: Classes that this dialect does not allow.
    """
    found: dict[str, NodeRule] = dict(ARGS) | dict.fromkeys(OPERATORS | FUNCTION_CLASSES)
    for name, args in (plus or {}).items():
        found[name] = None if args == "*" else words(args)
    return {name: rule for name, rule in found.items() if name not in words(minus)}


SHARED_NODES = node_rules()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """One dialect.

    Attributes:
        name: The parser's name for it.
        title: What people call it.
        home: The schema of an unqualified name where none is configured.
        functions: Lower-case names that may be called. A name that is not here is refused.
        operators: Symbols and runs of symbols that may stand between values.
        nodes: Classes of the tree, each with the arguments it may have.
        types: The parser's names of types.
        named_types: Types that the parser knows by name only, lower case.
        own_types: The parser's names of types that it would write as another one, to the engine's own word.
        plain_calls: Lower-case names of functions that the parser would write as something else: read as plain calls.
        lengthless: The engine takes no notice of the length of a text type, and it is left out.
        folds: What becomes of a name without quotes.
        insensitive: Names are compared without regard to case, quoted or not.
        longest_name: In bytes; a longer name is refused because the engine would cut it. None where it would not.
        system_schemas: Lower-case names of schemas that are the engine's own.
        system_prefixes: Starts of the names of schemas and tables that are the engine's own, lower case.
        files_by_name: A table's name that no table has may be that of a file, which is then read.
        hidden_columns: Lower-case names of columns that a table has without listing them.
        table_functions: Functions allowed in FROM, each with the names of its columns; empty for one column that is
            named as the function or its alias.
        record_functions: Those of them that return a record: a list of columns and types must follow the alias.
        first_words: Upper-case words that a query may start with beside SELECT, WITH, VALUES and TABLE.
        from_only: Lower-case names of functions that may stand in FROM and nowhere else.
        dollar: What the parser makes of a placeholder `$1`: a parameter, a column's name, or a placeholder.
        value_names: How the columns of VALUES are called: a word, and the number of the first.
        join_kinds: Upper-case words that may stand before JOIN, beside LEFT, RIGHT, FULL and NATURAL. SEMI and ANTI
            keep the left side's columns only.
        literal_in_double_quotes: A name in double quotes that is no column is a string.
        fields: A dotted name that leads to no table may lead into a column's struct, map or JSON value.
        whole_rows: A table's name as a value stands for its whole row.
        alias_columns: A table or subquery in FROM may have a list of column names after its alias.
        comma_binds_last: In FROM, JOIN binds closer than a comma.
        using_merges: A column merged by USING is the left one's (the right one's in a right join), and comes first;
            False where it is either's and stays in place.
        using_in_place: A column merged by USING stands where the left side's stood, whichever its value is.
        always_recursive: WITH allows recursion without the word RECURSIVE.
        aliases: Where a SELECT's own output names may be used, beside ORDER BY and GROUP BY: `where` is anywhere in
            its conditions, `having` in HAVING only, `inline` anywhere in the SELECT after it; there the expression is
            put in the name's place, so that nothing depends on which of the names in reach the engine would take.
            `tail` is in HAVING and inside expressions of GROUP BY and ORDER BY, before columns of the same name.
        collated_output: ORDER BY may name an output with a COLLATE after it.
        operator_functions: Lower-case words that stand for operators and are carried out by a function of that name,
            which the database's owner may have defined anew.
        refused_words: Upper-case words that are operators only with the application's code.
        plain_quotes: Canonical text doubles the quote inside a string or name, and nothing else escapes it.
        typed_null: NULL in a subquery has a type of its own, so a column that is read as NULL needs a cast.
        grouped_by_key: A query grouped by a table's primary key may name the table's other columns.
        output_names: How the engine names an output that has no alias; `short` is by its text, cut; `word`
            is too, and of letters, digits and _ only.
        declared_names: A column without an alias is named as its table declares it, not as the statement writes it.
        target_alias: The table of an INSERT or DELETE may have an alias, and gets one.
        settle: Puts forms into a tree that the engine takes in place of some that the parser makes.
        read_again: A second reading of a text's quotes and comments, which refuses one that the parser read otherwise.
        national_strings: N'...' is a string like any other.
        runs: The gateway runs statements of this dialect; otherwise they are only analysed.
    """

    name: SqlDialect
    title: str
    home: str
    functions: frozenset[str]
    operators: frozenset[str]
    nodes: Mapping[str, NodeRule] = field(default_factory=lambda: SHARED_NODES)
    types: frozenset[str] = TYPES
    named_types: frozenset[str] = NAMED_TYPES
    own_types: Mapping[str, str] = field(default_factory=dict)
    plain_calls: frozenset[str] = frozenset()
    lengthless: bool = False
    folds: Literal["lower", "upper", "keep"] = "keep"
    insensitive: bool = True
    longest_name: int | None = None
    system_schemas: frozenset[str] = frozenset({"information_schema"})
    system_prefixes: tuple[str, ...] = ()
    files_by_name: bool = False
    hidden_columns: frozenset[str] = frozenset()
    table_functions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    record_functions: frozenset[str] = frozenset()
    first_words: frozenset[str] = frozenset()
    from_only: frozenset[str] = frozenset()
    dollar: Literal["parameter", "name", "placeholder"] = "parameter"
    value_names: tuple[str, int] = ("column", 1)
    join_kinds: frozenset[str] = frozenset({"INNER", "OUTER", "CROSS"})
    using_in_place: bool = False
    literal_in_double_quotes: bool = False
    fields: bool = False
    whole_rows: bool = False
    alias_columns: bool = True
    comma_binds_last: bool = True
    using_merges: bool = True
    always_recursive: bool = False
    aliases: Literal["order", "having", "where", "inline", "tail"] = "order"
    collated_output: bool = False
    operator_functions: frozenset[str] = frozenset()
    refused_words: frozenset[str] = frozenset()
    plain_quotes: bool = True
    typed_null: bool = False
    grouped_by_key: bool = False
    output_names: Literal["postgres", "duckdb", "text", "short", "word"] = "text"
    declared_names: bool = False
    target_alias: bool = True
    settle: Callable[[exp.Expr], exp.Expr] | None = None
    read_again: Callable[[str, list[Token]], None] | None = None
    national_strings: bool = False
    runs: bool = True
