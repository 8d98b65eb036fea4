"""Each reference page against the code it describes: what is added, renamed or removed there must be told here too."""

import ast
import importlib.util
import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest
from tests.docs.shell import ROOT

from langguard import errors, stores
from langguard.client import settings as client_settings
from langguard.detectors.settings import PHONE_REGIONS
from langguard.gateway import settings, settings_estimates, settings_identity, settings_masking, settings_sql
from langguard.gateway.problems import CODES
from langguard.gateway.routes.openapi import document
from langguard.ledger import KINDS
from langguard.policy import environment
from langguard.policy.environment import Type
from langguard.policy.parse import _BOUNDS, SECTIONS
from langguard.policy.request import Reason
from langguard.protocol import SCOPES, SQL_ACTIONS, OperatorName
from langguard.sql import LIMITS

SOURCE = ROOT / "src/langguard"
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])
LONGEST = 200


def page(name: str) -> str:
    return (ROOT / "docs/reference" / name).read_text(encoding="utf-8")


def named(text: str) -> set[str]:
    """Return what stands between backticks."""
    return set(re.findall(r"`([^`\n]+)`", text))


def section(text: str, title: str) -> str:
    found = re.search(rf"^##+ {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    assert found, title
    return found[1]


def rows(text: str) -> dict[str, list[str]]:
    """Return the rows of the tables in a text by their first cell's name, with all cells."""
    found = {}
    for line in text.splitlines():
        if line.startswith("| `"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            for name in re.findall(r"`([^`]+)`", cells[0]):
                found[name] = cells
    return found


def test_the_command_line_page_is_the_commands_own_help() -> None:
    spec = importlib.util.spec_from_file_location("docs_cli", ROOT / "scripts/docs_cli.py")
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    assert made.PAGE.read_text(encoding="utf-8") == made.page(), "run: python scripts/docs_cli.py"


def test_every_exception_is_listed_with_its_code() -> None:
    listed = rows(section(page("errors.md"), "Exceptions"))
    known = {
        name: held.code
        for module in (errors, stores)
        for name, held in vars(module).items()
        if isinstance(held, type) and issubclass(held, errors.LangguardError)
    }
    assert {name: cells[1].strip("`") for name, cells in listed.items()} == known


def test_every_exception_is_imported_from_where_the_page_says() -> None:
    for name, cells in rows(section(page("errors.md"), "Exceptions")).items():
        home = importlib.import_module(cells[2].strip("`"))
        assert hasattr(home, name), (name, cells[2])


def test_every_problem_is_listed_with_its_status() -> None:
    listed = rows(section(page("errors.md"), "Problems of the interface"))
    assert {name: int(cells[1]) for name, cells in listed.items()} == {name: held[0] for name, held in CODES.items()}


def test_every_reason_of_a_decision_is_listed() -> None:
    """A reason is what `_deny` is given, or the first of the pair (reason, message) that a method returns."""
    homes = [SOURCE / "gateway/services" / name for name in ("judge.py", "hidden.py")]
    judge = [node for home in homes for node in ast.walk(ast.parse(home.read_text(encoding="utf-8")))]
    places = [
        node.args[1]
        for node in judge
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "_deny"
    ]
    places += [
        node.value.elts[0]
        for node in judge
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) and len(node.value.elts) == 2
    ]
    words = [part.value for place in places for part in ast.walk(place) if isinstance(part, ast.Constant)]
    known = {word for word in words if isinstance(word, str)} | set(get_args(Reason))
    assert len(known) > 8
    assert set(rows(section(page("errors.md"), "Reasons of a decision"))) == known


def test_every_refusal_of_a_statement_is_listed() -> None:
    places = [*SOURCE.glob("sql/*.py"), SOURCE / "gateway/services/analysis.py"]
    known: set[str] = set()
    for place in places:
        for node in ast.walk(ast.parse(place.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"refuse", "refused", "Refusal"}:
                first = [*node.args[:1], *(word.value for word in node.keywords if word.arg == "code")]
                known |= {held.value for held in first if isinstance(held, ast.Constant)}
    assert len(known) > 20
    listed = rows(section(page("sql.md"), "What is refused"))
    assert set(listed) == known | {"not_parsed", "not_analysed"}


def test_every_setting_is_listed() -> None:
    text = page("settings.md")
    connection = set(rows(section(text, "The gateway's file").partition("### identity")[0]))
    keys = {name for name in settings._FILE if name not in {"store", "sessions"}}
    assert connection == keys | {"store.path", "sessions.ttl", "sessions.idle"} | set(settings._CONNECTION)
    identity = section(text, "identity").partition("### masking")[0]
    assert set(rows(identity)) == {*settings_identity._PROVIDER, *settings_identity._SECTION}
    assert set(settings_identity.ROLES) <= named(identity)
    assert set(settings_identity.ALGORITHMS) <= named(identity)
    masking, _, estimates = text.partition("### masking")[2].partition("\n## ")[0].partition("### estimates")
    estimates, _, sql = estimates.partition("### sql")
    assert set(rows(estimates)) == set(settings_estimates._SECTION)
    told = rows(sql)
    assert set(told) == {"second_reader", "limits", *(f"limits.{name}" for name in settings_sql.LIMITS)}
    for name, (low, high) in settings_sql.LIMITS.items():
        cells = told[f"limits.{name}"]
        assert cells[1].endswith(f"; {low} to {high}"), name
        assert float(cells[2].strip("`")) == getattr(LIMITS, name), name
    assert {f"`{word}`" for word in settings_sql.READERS} <= set(re.findall(r"`[a-z]+`", told["second_reader"][1]))
    assert set(rows(masking)) == set(settings_masking._SECTION)
    assert set(settings_masking._RECOGNIZER) <= named(masking)
    assert f"[{', '.join(PHONE_REGIONS)}]" in masking


def test_every_variable_is_listed() -> None:
    text = page("settings.md")
    assert set(rows(section(text, "The gateway's environment"))) == set(settings.VARIABLES)
    reads = re.findall(r'environ\.get\("(LANGGUARD_[A-Z_]+)"', Path(client_settings.__file__).read_text("utf-8"))
    assert set(rows(section(text, "The client's environment"))) == set(reads)


def test_the_policy_page_has_every_section_action_and_operator() -> None:
    told = named(page("policy.md"))
    assert set(SQL_ACTIONS) <= told
    assert set(environment.ACTIONS) <= told
    assert {*get_args(OperatorName)} <= told
    assert {*_BOUNDS} <= told
    for name in SECTIONS:
        assert name in page("policy.md")


def fields(kind: Type, path: str = "") -> dict[str, tuple[bool, bool]]:
    """Return each readable field of the environment: whether it is supplied, and whether the client asserts it."""
    found = {}
    for name, field in kind.fields.items():
        whole = f"{path}.{name}" if path else name
        if field.type.name == "object":
            found |= fields(field.type, whole)
        else:
            found[whole] = (field.supplied, field.asserted)
    return found


def test_the_policy_page_says_of_each_field_whether_it_is_supplied_and_who_asserts_it() -> None:
    text = section(page("policy.md"), "Conditions")
    listed = rows(text)
    known = fields(environment.ENVIRONMENT)
    assert set(listed) == {name for name, (supplied, _) in known.items() if supplied}
    later = named(text.partition("Named and not supplied")[2].partition("\n\n")[0])
    assert later == {name for name, (supplied, _) in known.items() if not supplied}
    for name, cells in listed.items():
        assert ("asserted" in cells[2]) == known[name][1], name
    words = {word.partition("(")[0] for word in named(text)}
    assert {"size", *environment.FUNCTIONS, *environment.METHODS, *environment.MACROS} <= words


def test_every_route_is_listed_with_who_may() -> None:
    known = {
        f"{method.upper()} {path}": held.get("description", "Scopes: anyone.")
        for path, methods in document()["paths"].items()
        for method, held in methods.items()
    }
    listed = rows(page("api.md"))
    assert set(listed) == set(known)
    for route, cells in listed.items():
        assert known[route] == f"Scopes: {cells[2].replace('`', '')}."
    assert set(SCOPES) <= named(page("api.md"))


def test_the_kinds_of_entries_are_those_that_are_written() -> None:
    written = {
        kind
        for place in SOURCE.glob("gateway/**/*.py")
        for kind in re.findall(r'Draft\(\s*kind="([a-z_]+)"', place.read_text(encoding="utf-8"))
    }
    text = page("ledger-format.md").partition("This version writes the kinds")[2].partition(". A call")[0]
    assert named(text) == written <= KINDS


def test_extras_that_pages_install_exist() -> None:
    known = set(
        tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    )
    told = {
        extra
        for path in PAGES
        for listed in re.findall(r"'(?:\.|langguard)\[([a-z,]+)\]'", path.read_text(encoding="utf-8"))
        for extra in listed.split(",")
    }
    assert told == known


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere_and_pages_stay_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# "), "a page begins with its title"
    assert len(text.splitlines()) <= LONGEST or path.name == "cli.md"  # that one is made from the help
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("https://"):
            continue
        place, _, anchor = target.partition("#")
        other = (path.parent / place).resolve() if place else path
        assert other.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.*)$", other.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^a-z0-9 _-]", "", title.lower()).replace(" ", "-") for title in titles}
            assert anchor in slugs, target
