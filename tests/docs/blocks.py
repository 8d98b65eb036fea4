"""The code blocks of a Markdown page, and what is said about running them.

A comment before a block, invisible where the page is read, says what is special about it:

    <!-- run: save=agent.py -->         write the block to a file; do nothing else with it
    <!-- run: background -->            start the console command, wait for its expected first line, leave it running
    <!-- run: agent -->                 Python: with `model`, `uri` and the like defined before it
    <!-- run: no -->                    not run; must be listed, with its reason, in test_docs.py

A comment `<!-- page: gateway administrator -->` (or `agent`) anywhere gives the page a running gateway and that key.
"""

import re
from dataclasses import dataclass
from pathlib import Path

LANGUAGES = frozenset({"console", "python", "yaml", "json", "diff", "text"})
_HOW = re.compile(r"save=[\w.]+|background|agent|no")
_RUN = re.compile(r"<!-- run: ([^>]*?) -->")
_PAGE = re.compile(r"<!-- page: ([^>]*?) -->")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block: its language, its lines, where it starts (1-based) and its directive."""

    language: str
    text: str
    line: int
    how: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page: its path, what it needs, its blocks."""

    path: Path
    needs: str
    blocks: tuple[Block, ...]


def read(path: Path) -> Page:
    """Return a page's blocks; a fence that is not closed or has an unknown language fails."""
    blocks: list[Block] = []
    how = ""
    fence: tuple[int, str] | None = None
    held: list[str] = []
    text = path.read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        mark = line.strip()
        if fence is not None:
            if mark == "```":
                blocks.append(Block(language=fence[1], text="\n".join(held) + "\n", line=fence[0], how=how))
                fence, held, how = None, [], ""
            else:
                held.append(line)
        elif mark.startswith("```"):
            language = mark.removeprefix("```").strip()
            assert language in LANGUAGES, f"{path}:{number}: a block of language {language!r}: {sorted(LANGUAGES)}"
            fence = (number, language)
        elif found := _RUN.search(line):
            how = found[1].strip()
            assert _HOW.fullmatch(how), f"{path}:{number}: an unknown directive {how!r}"
        elif mark:
            assert not how, f"{path}:{number}: a directive that no block follows"
    assert fence is None, f"{path}: a block is not closed"
    page = _PAGE.search(text)
    return Page(path=path, needs=page[1].strip() if page else "", blocks=tuple(blocks))
