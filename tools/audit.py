"""Known holes in the dependencies, by ``pip-audit``: ``python tools/audit.py``.

Fails on every hole and on every package that could not be looked up. Only when not one could be, because the database
cannot be reached from here, it says so and passes: nothing was audited then.
"""

from __future__ import annotations

import json
import subprocess
import sys


def main() -> int:
    command = [sys.executable, "-m", "pip_audit", "--format=json", "--progress-spinner=off", "--skip-editable"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        print("NOTHING WAS AUDITED: pip-audit gave no report, see above", file=sys.stderr)
        return 1
    looked_up = [package for package in packages if "skip_reason" not in package]
    missed = [package["name"] for package in packages if "not found on PyPI" in package.get("skip_reason", "")]
    holes = [(package["name"], hole["id"]) for package in looked_up for hole in package["vulns"]]
    for name, hole in holes:
        print(f"{name}: {hole}")
    if not looked_up:
        print("NOTHING WAS AUDITED: the vulnerability database cannot be reached from here", file=sys.stderr)
        return 0
    print(f"{len(looked_up)} packages audited, {len(holes)} holes, not found: {', '.join(missed) or 'none'}")
    return 1 if holes or missed else 0


if __name__ == "__main__":
    sys.exit(main())
