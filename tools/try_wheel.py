"""Installs a built wheel into an empty environment, imports it there and asks its command for the routes.

Usage: ``python tools/try_wheel.py DIST_FOLDER``
"""

import pathlib
import subprocess
import sys
import tempfile
import venv
import zipfile

UNWANTED = ("tests/", "examples/", "bench/", "docs/", "tools/")


def main(dist: str) -> None:
    """Fails with the first thing that does not hold."""
    (wheel,) = pathlib.Path(dist).glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    unwanted = [name for name in names if name.startswith(UNWANTED)]
    if unwanted:
        sys.exit(f"the wheel holds what it should not: {unwanted}")
    if "wsgiproxy_hs/py.typed" not in names:
        sys.exit("the wheel has no py.typed")
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        binaries = pathlib.Path(folder) / "bin"
        run(binaries / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel))
        run(binaries / "python", "-W", "error", "-c", "import wsgiproxy_hs; wsgiproxy_hs.ROUTES", cwd=folder)
        routes = run(binaries / "wsgiproxy-hs", "routes", cwd=folder)
        if "/api/workspaces" not in routes:
            sys.exit("the installed command does not print the routes")
    print(f"{wheel.name}: {len(names)} files, installs, imports and prints its routes")


def run(*arguments: object, cwd: str | None = None) -> str:
    """The output of a command that must succeed."""
    return subprocess.run([str(a) for a in arguments], check=True, capture_output=True, text=True, cwd=cwd).stdout


if __name__ == "__main__":
    main(sys.argv[1])
