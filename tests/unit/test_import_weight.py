"""What importing costs in time, as a ratio to LangChain's own import in the same run; and that processes stay lean.

Which modules a client and the components load is told in components/test_components_imports.py.
"""

import subprocess
import sys

import pytest

ROUNDS = 4
CLOCKED = """
import sys, time
before = time.perf_counter()
exec(sys.argv[1])
print(time.perf_counter() - before)
"""
LOADED = "import sys; exec(sys.argv[1]); print(*sorted(set(sys.argv[2].split()) & sys.modules.keys()))"


def run(program: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("ours", "theirs", "most"),
    [
        # Measured: 0.05, 0.9 and 1.9. The budget leaves room for a noisy machine, not for another heavy dependency.
        pytest.param("import langguard", "import langchain_core.tools", 0.4, id="the package"),
        pytest.param(
            "import langguard; langguard.Guard('http://127.0.0.1:1', 'lgk_x')",
            "import langchain_core.tools",
            2.0,
            id="a client",
        ),
        pytest.param(
            "from langguard import GuardedSQLDatabase",
            "from langchain_community.utilities import SQLDatabase",
            3.0,
            id="the database",
        ),
    ],
)
def test_importing_takes_no_longer_than_its_budget(ours, theirs, most):
    """The quickest of some rounds in turn: what a quiet machine would take, whatever else this one does."""
    pairs = [(float(run(CLOCKED, ours)), float(run(CLOCKED, theirs))) for _ in range(ROUNDS)]
    spent, base = (min(column) for column in zip(*pairs, strict=True))
    assert spent / base <= most, f"{spent:.3f} s against {base:.3f} s"


@pytest.mark.parametrize(
    ("program", "never"),
    [
        pytest.param(
            "import langguard.cli",
            "cel langchain langchain_core presidio_analyzer psycopg spacy sqlalchemy sqlglot starlette uvicorn",
            id="the command line starts at once",
        ),
        pytest.param(
            "import langguard.gateway.serve",
            "langchain langchain_core langchain_community presidio_analyzer presidio_anonymizer spacy sqlglot",
            id="the gateway leaves parser and detectors to its workers, and knows no LangChain",
        ),
        pytest.param(
            "import langguard.ledger; langguard.ledger.verify",
            "cel langchain_core presidio_analyzer spacy sqlalchemy sqlglot starlette uvicorn",
            id="the offline verifier",
        ),
        pytest.param(
            "import langguard.sql; langguard.sql.analyze",
            "cel langchain_core presidio_analyzer spacy sqlalchemy starlette uvicorn",
            id="the worker that analyses",
        ),
        pytest.param(
            "import langguard.components.sql_database",
            "cel presidio_analyzer psycopg spacy sqlglot starlette uvicorn langguard.gateway langguard.drivers.sql",
            id="an agent that holds no credential",
        ),
    ],
)
def test_a_process_loads_only_what_it_is_for(program, never):
    assert run(LOADED, program, never) == ""


def test_the_check_sees_what_is_loaded():
    assert run(LOADED, "import sqlglot", "sqlglot starlette") == "sqlglot"
