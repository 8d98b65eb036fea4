"""Fail unless a wheel holds exactly the package: every module of it, its types, its licence, and nothing else.

Usage: wheel_contents.py WHEEL SRC.
"""

import sys
import zipfile
from pathlib import Path


def main() -> int:
    wheel, source = Path(sys.argv[1]), Path(sys.argv[2])
    with zipfile.ZipFile(wheel) as opened:
        held = set(opened.namelist())
        information = next(name.partition("/")[0] for name in held if ".dist-info/" in name)
        metadata = opened.read(f"{information}/METADATA").decode()
    package = {name for name in held if not name.startswith(information)}
    wanted = {
        str(path.relative_to(source))
        for path in source.joinpath("langguard").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    wrong = [f"not shipped: {name}" for name in sorted(wanted - package)]
    wrong += [f"should not be shipped: {name}" for name in sorted(package - wanted)]
    for name in ("langguard/py.typed", "langguard/__init__.pyi", f"{information}/licenses/LICENSE"):
        if name not in held:
            wrong.append(f"missing: {name}")
    for line in ("License-Expression: Apache-2.0", "Requires-Python: >=3.11", "License-File: LICENSE"):
        if line not in metadata.splitlines():
            wrong.append(f"METADATA lacks: {line}")
    for text in wrong:
        print(text, file=sys.stderr)
    print(f"{wheel.name}: {len(package)} files, {wheel.stat().st_size / 1000:.0f} kB")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
