"""A real browser on the built-in pages: ``python -m tests.browser.run``.

Needs node 20, Chromium (Debian's package; ``CHROMIUM`` names another one) and ``npm ci`` in this folder, which
``--install`` does. Starts the demo, runs ``sign_in.mjs`` against it and stops the demo; ends as ``sign_in.mjs`` did.
"""

from __future__ import annotations

import argparse
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
_URL = re.compile(r"The proxy is at (http://[\d.]+:\d+)")


@contextmanager
def demo() -> Iterator[str]:
    """The running demo; its URL."""
    command = [sys.executable, str(ROOT / "examples" / "demo.py")]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = next(filter(None, map(_URL.search, process.stdout)), None)
        if found is None:
            raise RuntimeError(f"the demo ended with status {process.wait()}")
        yield found[1]
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--install", action="store_true", help="npm ci first")
    if parser.parse_args().install:
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=FOLDER, check=True)
    if not (FOLDER / "node_modules").exists():
        print("not installed yet: npm ci --prefix tests/browser, or --install", file=sys.stderr)
        return 2
    with demo() as url:
        return subprocess.run(["node", str(FOLDER / "sign_in.mjs"), url], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
