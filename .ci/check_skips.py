"""Fail on a test that was skipped, or expected to fail, unless a committed list names it with its reason.

Usage: check_skips.py REPORT.xml ALLOWED.txt. A line of the list: `tests/path/test_file.py::test_name  # why`; the name
covers all its parameters. A test that can't run in some place must not vanish from all places in silence.
"""

import sys
import xml.etree.ElementTree as ET
from pathlib import Path


def main() -> int:
    report, listed = Path(sys.argv[1]), Path(sys.argv[2])
    allowed = _allowed(listed)
    cases = list(ET.parse(report).getroot().iter("testcase"))
    if not cases:
        print(f"{report} holds no test", file=sys.stderr)
        return 1
    skipped = {_name(case): case.find("skipped") for case in cases if case.find("skipped") is not None}
    wrong = {
        name: found
        for name, found in skipped.items()
        if not {name.partition("[")[0], name.partition("::")[0]} & allowed
    }
    for name, found in sorted(wrong.items()):
        why = "" if found is None else found.get("message", "")
        print(f"skipped without leave: {name}: {why}", file=sys.stderr)
    print(f"{len(cases)} tests, {len(skipped)} skipped, {len(skipped) - len(wrong)} of them as {listed} allows")
    return 1 if wrong else 0


def _allowed(listed: Path) -> set[str]:
    names = set()
    for number, line in enumerate(listed.read_text(encoding="utf-8").splitlines(), start=1):
        name, _, reason = line.partition("  # ")
        if not name.strip() or name.startswith("#"):
            continue
        if not reason.strip():
            raise SystemExit(f"{listed}:{number}: give the reason: {name}  # why")
        names.add(name.strip())
    return names


def _name(case: ET.Element) -> str:
    """Return `tests/path/test_file.py::Class::test_name[parameters]` of a JUnit case."""
    parts = case.get("classname", "").split(".") if case.get("classname") else []
    name = case.get("name", "")
    if not parts:  # a module that was skipped whole
        return name.replace(".", "/") + ".py"
    last = next((at for at, part in reversed(list(enumerate(parts))) if part.startswith("test_")), len(parts) - 1)
    return "::".join(["/".join(parts[: last + 1]) + ".py", *parts[last + 1 :], name])


if __name__ == "__main__":
    sys.exit(main())
