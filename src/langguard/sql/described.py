"""What a statement would do, by its words alone: for refusals, so that the record, rules and risk can name it.

Never trusted for allowing anything: what is allowed is analysed. Strings and comments are skipped, so that no value of
a statement is taken for a name.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from langguard.protocol import Action
from langguard.sql.verbs import ACTIONS_OF, NAMELESS, NOISE, OBJECTS, PAIRS, PEOPLE, VERBS

LONGEST: Final = 16_384
"""Most characters that are read."""
MOST: Final = 8
"""Most targets, and statements, that are told."""
_NAME: Final = 80
_DOUBLE: Final = frozenset({"mysql", "bigquery"})
_BACKSLASH: Final = frozenset({"mysql", "bigquery", "snowflake"})
_END_OF_NAMES: Final = frozenset({"TO", "FROM"})


def _lexer(dialect: str) -> re.Pattern[str]:
    inside = r"[^'\\]|\\.|''" if dialect in _BACKSLASH else r"[^']|''"
    strings = rf"'(?:{inside})*(?:'|\Z)"
    names = r"`[^`]*(?:`|\Z)|\[[^\]]*(?:\]|\Z)"
    if dialect in _DOUBLE:
        strings += r'|"(?:[^"\\]|\\.)*(?:"|\Z)'
    else:
        names = r'"(?:[^"]|"")*(?:"|\Z)|' + names
    return re.compile(
        rf"(?P<skip>\s+|--[^\n]*|/\*.*?(?:\*/|\Z)|{strings}|\$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|\Z))"
        rf"|(?P<name>{names})|(?P<word>[^\W\d][\w$#]*|[@#]+\w+|\d[\w.]*)|(?P<symbol>.)",
        re.DOTALL,
    )


_LEXERS: Final = {dialect: _lexer(dialect) for dialect in _BACKSLASH | _DOUBLE}
_PLAIN: Final = _lexer("")


@dataclass(frozen=True, slots=True)
class Word:
    """A word, quoted name or symbol, and how many brackets are open around it."""

    text: str
    upper: str  # empty for a quoted name
    depth: int

    @property
    def is_name(self) -> bool:
        """Whether it can be a name."""
        return not self.upper or self.upper[0].isalpha() or (self.upper[0] in "_@#" and len(self.upper) > 1)


@dataclass(slots=True)
class Described:
    """What the words of a statement tell.

    Attributes:
        kind: Such as `drop_table`, `update` or `select`; empty where the first word is no statement's.
        actions: All that any part of it would do.
        targets: Names it would act on, as spelt, without duplicates.
    """

    kind: str = ""
    actions: set[Action] = field(default_factory=set)
    targets: list[str] = field(default_factory=list)

    def aim(self, *names: str) -> None:
        """Add targets."""
        for name in names:
            if name and name not in self.targets and len(self.targets) < MOST:
                self.targets.append(name)


def described(text: str, dialect: str) -> Described:
    """Return what the words of a text tell: of its first statement's kind, and of what all of them would do."""
    words = _words(text[:LONGEST], dialect)
    found = Described()
    start = 0
    ends = [at for at, word in enumerate(words) if word.text == ";"][:MOST]
    for end in [*ends, len(words)]:
        statement = words[start:end]
        start = end + 1
        if statement:
            _statement(statement, dialect, found)
    return found


def _words(text: str, dialect: str) -> list[Word]:
    lexer = _LEXERS.get(dialect, _PLAIN)
    found: list[Word] = []
    depth = 0
    for match in lexer.finditer(text):
        if match.lastgroup in {"skip", "tag"}:
            continue
        part = match.group()
        if part == ")":
            depth -= 1
        found.append(Word(part, "" if match["name"] else part.upper(), depth))
        if part == "(":
            depth += 1
    return found


def _statement(words: list[Word], dialect: str, found: Described) -> None:
    opened = next((at for at, word in enumerate(words) if word.text != "("), 0)
    words = words[opened:]
    first = words[0].upper
    second = words[1].upper if len(words) > 1 else ""
    own = Described()
    if first == "WITH":
        own.kind = next((w.upper.lower() for w in words if w.depth == words[0].depth and w.upper in _QUERY), "select")
    elif first in VERBS:
        _verb(words, own)
    else:
        actions = ACTIONS_OF.get((dialect, first), ACTIONS_OF.get(("", first)))
        if actions is not None:
            paired = ACTIONS_OF.get((dialect, f"{first} {second}"), ACTIONS_OF.get(("", f"{first} {second}")))
            pair = paired is not None or f"{first}_{second}" in PAIRS
            own.kind = f"{first}_{second}".lower() if pair else first.lower()
            own.actions |= set(paired or actions)
            _aims(first, words, own)
    explains = first in {"EXPLAIN", "DESCRIBE", "DESC"}
    runs = not explains or any(w.upper in {"ANALYZE", "ANALYSE"} for w in words[1:6])
    if runs and not own.kind.startswith(("grant", "revoke", "deny", "alter_privileges")):
        _inside(words, own)
    found.kind = found.kind or own.kind
    found.actions |= own.actions
    found.aim(*own.targets)


_QUERY: Final = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES", "TABLE", "REPLACE"})


def _verb(words: list[Word], found: Described) -> None:
    """CREATE, ALTER, DROP and the like: the kind of object, and its name."""
    verb = words[0].upper
    found.actions.add("ddl")
    near = words[1:12]
    at = next((n for n, w in enumerate(near) if w.upper in OBJECTS), None)
    skipped = {w.upper for w in near[:at]} if at is not None else {w.upper for w in near[:2]}
    if (at is not None and near[at].upper in PEOPLE) or skipped & PEOPLE:
        found.actions.add("privilege")
    if at is None:
        found.kind = verb.lower()
        return
    what = near[at].upper
    whole = "MATERIALIZED_VIEW" if what == "VIEW" and "MATERIALIZED" in skipped else what
    found.kind = f"{verb}_{whole}".lower()
    if what == "SESSION" and verb == "ALTER":
        found.actions = {"session"}
    if what in {"SYSTEM", "INSTANCE", "ACCOUNT"}:
        found.actions.add("admin")
    rest = words[at + 2 :]
    if what not in NAMELESS:
        found.aim(*_names(rest, several=verb in {"DROP", "UNDROP"}))
    if what in {"INDEX", "TRIGGER", "POLICY", "RULE", "STATISTICS"}:
        found.aim(*_after(rest[:40], "ON"))


def _aims(first: str, words: list[Word], found: Described) -> None:
    """Note the targets of statements that are not CREATE, ALTER or DROP, nor change rows."""
    match first:
        case "TRUNCATE":
            found.aim(*_names(words[1:], several=True))
        case "GRANT" | "REVOKE" | "DENY":
            after = [at for at, w in enumerate(words) if w.upper == "ON"]
            ends = next((at for at, w in enumerate(words) if w.upper in _END_OF_NAMES), len(words))
            found.aim(*_names(words[(after[0] if after and after[0] < ends else 0) + 1 : ends], several=True))
        case "COPY" | "LOAD" | "BULK":
            into = _after(words, "INTO") or _after(words, "TABLE")
            name = into or ([] if first == "LOAD" else _names(words[1:], several=False))
            found.aim(*name)
            incoming = bool(into) or first == "BULK" or any(w.upper == "FROM" and w.depth == 0 for w in words)
            if first != "LOAD" or name:
                found.actions.add("write" if incoming and not (name and name[0].startswith("@")) else "read")
        case "COMMENT" | "SECURITY" | "REFRESH":
            at = next((n for n, w in enumerate(words) if w.upper in OBJECTS), len(words))
            found.aim(*_names(words[at + 1 :], several=False))
        case "VACUUM" if any(w.upper == "INTO" for w in words):
            found.actions.add("file")
        case "LOCK" | "ANALYZE" | "ANALYSE" | "VACUUM" | "CLUSTER" | "REINDEX" | "OPTIMIZE" | "REPAIR" | "CHECK":
            found.aim(*_names(words[1:], several=True))
        case "CALL" | "EXEC" | "EXECUTE" | "HANDLER" | "DESCRIBE" | "DESC" | "SUMMARIZE" | "USE" | "ATTACH" | "DETACH":
            found.aim(*_names(words[1:], several=False))


def _inside(words: list[Word], found: Described) -> None:
    """Note what any part of a statement would do to rows: a named query or a bracket may hide a write."""
    selecting = False
    for at, word in enumerate(words):
        after = [w.upper for w in words[at + 1 : at + 6]]
        rest = words[at + 1 : at + 40]
        before = words[at - 1].upper if at else ""
        match word.upper:
            case "SELECT" | "VALUES" | "TABLE" if word.upper == "SELECT" or at == 0:
                found.actions.add("read")
                selecting = True
            case "DELETE" if at == 0 or "FROM" in after[:1]:
                found.actions.add("write")
                found.aim(*_names(rest, several=False))
                selecting = False
            case "INSERT" | "REPLACE" | "MERGE" if (
                (at == 0 and word.upper != "MERGE")
                or "INTO" in after[:4]
                or (word.upper == "MERGE" and "USING" in after)
            ):
                found.actions.add("write")
                found.aim(*(_after(words[at : at + 8], "INTO") or _names(rest, several=False)))
                selecting = False
            case "UPDATE" if before not in {"FOR", "KEY", "ON", "DO", "THEN"} and (at == 0 or "SET" in after):
                found.actions.add("write")
                found.aim(*_names(rest, several=False))
            case "UPDATE" | "SHARE" if before in {"FOR", "KEY", "IN"}:
                found.actions.add("transaction")
            case "INTO" if selecting and before not in {"INSERT", "MERGE", "REPLACE", "COPY", "IGNORE", "DATA"}:
                _into(rest, found)
                selecting = False
            case "DROP" | "ALTER" | "CREATE" | "TRUNCATE" if at and set(after[:3]) & OBJECTS:
                found.actions.add("ddl")
                found.aim(*_names(rest, several=False))
            case "OUTFILE" | "DUMPFILE" | "INFILE":
                found.actions.add("file")
            case _:
                pass


def _into(rest: list[Word], found: Described) -> None:
    target = rest[0] if rest else None
    if target is None:
        return
    if target.upper in {"OUTFILE", "DUMPFILE"}:
        found.actions.add("file")
    elif target.text.startswith("@"):
        found.actions.add("session")
    else:
        found.actions.add("ddl")
        found.aim(*_names(rest, several=False))


def _after(words: list[Word], word: str) -> list[str]:
    """Return the name that follows a word."""
    at = next((n for n, w in enumerate(words) if w.upper == word), None)
    return [] if at is None else _names(words[at + 1 :], several=False)


def _names(words: list[Word], *, several: bool) -> list[str]:
    """Return the name a run of words starts with, its parts joined by dots, or all of a list of names."""
    found: list[str] = []
    at = 0
    while at < len(words) and len(found) < MOST:
        while at < len(words) and words[at].upper in NOISE:
            at += 1
        parts: list[str] = []
        while at < len(words) and words[at].is_name:
            parts.append(words[at].text.strip('"`[]'))
            at += 1
            if at >= len(words) or words[at].text != ".":
                break
            at += 1
        if not parts:
            break
        found.append(".".join(parts)[:_NAME])
        if not several:
            break
        while at < len(words) and words[at].text != "," and words[at].is_name:
            at += 1  # an alias, READ or WRITE, a list of privileges' columns
        if at >= len(words) or words[at].text != ",":
            break
        at += 1
    return found
