"""The worst texts of the benchmark, a sample of them: every one comes back, whatever the stack it is given."""

import random
import subprocess
import sys
from pathlib import Path

import pytest
from bench.sql_worst import DIALECTS, catalog, texts, through

from langguard.protocol import Refusal
from langguard.sql import actions, analyze
from langguard.sql.dialects import RULES

ROOT = Path(__file__).parents[2]
DEEP = ("brackets", "calls", "casts", "case", "not", "minus", "subqueries", "in subqueries", "arrays", "subscripts")
SMALL = """
import sys, threading
from bench.sql_worst import SHAPES, catalog
from langguard.protocol import Facts, Refusal
from langguard.sql import actions, analyze

def ask():
    for dialect in {dialects!r}:
        held = catalog(dialect)
        for name in {names!r}:
            for size in (20, 99, 990, 2_400):
                text = SHAPES[name](size)
                assert isinstance(analyze(text, dialect, held), Facts | Refusal)
                actions(text, dialect)

def deep(left):
    return ask() if not left else deep(left - 1)

if {kib}:
    threading.stack_size({kib} * 1024)
thread = threading.Thread(target=deep, args=({frames},))
thread.start()
thread.join()
print("done")
"""


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_text_comes_back(dialect):
    assert dialect in RULES
    chance = random.Random(f"worst {dialect}")
    held = catalog(dialect)
    for _, text in chance.sample(texts(random.Random(7), 60), 45):
        _, ended = through(text, dialect, held)
        assert ended


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "constructor", ["int(", "date(", "char(", "decimal(", "timestamp(", "array[", "struct(", "map["]
)
def test_nested_constructors_are_refused_before_they_are_parsed(dialect, constructor):
    close = "]" if constructor.endswith("[") else ")"
    for levels in (20, 24, 200):
        text = "select " + constructor * levels + "1" + close * levels
        assert isinstance(analyze(text, dialect, catalog(dialect)), Refusal)
        assert actions(text, dialect) != {"read"}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_pipes_are_refused(dialect):
    found = analyze("from customers |> select id" + " |> select id" * 300, dialect, catalog(dialect))
    assert isinstance(found, Refusal)


@pytest.mark.parametrize(("kib", "frames"), [(256, 0), (0, 900)], ids=["a small stack", "a deep caller"])
def test_no_text_ends_the_process(kib, frames):
    code = SMALL.format(dialects=DIALECTS, names=DEEP, kib=kib, frames=frames)
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert (run.returncode, run.stdout.strip()) == (0, "done"), run.stderr[-2_000:]
