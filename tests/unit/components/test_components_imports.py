"""What importing costs: nothing heavy before something needs it."""

import subprocess
import sys

import pytest

import langguard

HEAVY = (
    "presidio_analyzer",
    "spacy",
    "starlette",
    "uvicorn",
    "langchain_community",
    "langchain_core",
    "sqlalchemy",
    "sqlglot",
)
CHECK = "import sys; print(sorted({name.partition('.')[0] for name in sys.modules} & set(%r)))"


def loaded(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", f"{program}\n{CHECK % (HEAVY,)}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("program", "may"),
    [
        pytest.param("import langguard; langguard.__version__; langguard.AccessDeniedError", [], id="the package"),
        pytest.param("from langguard import Guard; repr(Guard('http://127.0.0.1:1', 'lgk_x'))", [], id="a client"),
        pytest.param("from langguard import GuardCallbackHandler", ["langchain_core"], id="the callback handler"),
        pytest.param(
            "from langguard import GuardedSQLDatabase",
            ["langchain_community", "langchain_core", "sqlalchemy"],
            id="the database",
        ),
    ],
)
def test_nothing_is_imported_before_it_is_needed(program, may):
    assert loaded(program) == str(may)


def test_every_public_name_is_there_and_no_other():
    for name in langguard.__all__:
        assert getattr(langguard, name) is not None
    assert dir(langguard) == sorted(langguard.__all__)
    with pytest.raises(AttributeError, match="nonsense"):
        langguard.nonsense  # noqa: B018


def test_the_types_name_what_is_there():
    from pathlib import Path

    stub = Path(langguard.__file__).with_suffix(".pyi").read_text()
    assert all(f" as {name}" in stub or f"{name}:" in stub for name in langguard.__all__)
