"""The real httpbin on a gunicorn of its own, in an environment of its own."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager

from tests.integration.servers import ROOT, free_port, stop, wait_for

BANNER = "httpbin"
"""What its gunicorn calls itself in ``Server``, so that the proxy's own can be told from it."""

_REQUIREMENTS = pathlib.Path(__file__).with_name("httpbin-requirements.txt")
_START = f"import gunicorn; gunicorn.SERVER = {BANNER!r}; from gunicorn.app.wsgiapp import run; run()"


def installed() -> pathlib.Path:
    """The Python that has httpbin; it is made when it is not there, or when the requirements have changed."""
    home = ROOT / "var" / f"httpbin-{sys.version_info.major}.{sys.version_info.minor}"
    python, stamp = home / "bin" / "python", home / "installed.txt"
    wanted = _REQUIREMENTS.read_text()
    if not stamp.exists() or stamp.read_text() != wanted:
        venv.create(home, with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, f"--requirement={_REQUIREMENTS}"], check=True)
        stamp.write_text(wanted)
    return python


@contextmanager
def httpbin() -> Iterator[str]:
    """A running httpbin; its URL."""
    port = free_port()
    options = [f"--bind=127.0.0.1:{port}", "--threads=8", "--log-level=error", "--no-control-socket", "--keep-alive=1"]
    command = [str(installed()), "-c", _START, "httpbin:app", *options]
    process = subprocess.Popen(command, cwd=ROOT / "var")
    try:
        wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop(process)
