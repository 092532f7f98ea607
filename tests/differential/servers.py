"""The four servers, each a process of its own with the stack in it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from importlib.metadata import version
from pathlib import Path

from tests.integration.servers import ROOT, free_port, proxy_environ, stop, wait_for

APP = "tests.differential.front:app"
COMMANDS: dict[str, Callable[[int], list[str]]] = {
    "gunicorn": lambda port: [
        "gunicorn", APP, f"--bind=127.0.0.1:{port}", "--worker-class=gthread", "--threads=8", "--log-level=critical",
        "--limit-request-field_size=16380", "--no-control-socket", "--graceful-timeout=1",
    ],
    "waitress": lambda port: ["waitress", f"--listen=127.0.0.1:{port}", "--threads=8", APP],
    "granian": lambda port: [
        "granian", "--interface=wsgi", "--host=127.0.0.1", f"--port={port}", "--workers=1", "--blocking-threads=8",
        "--no-ws", "--log-level=critical", APP,
    ],
    "werkzeug": lambda port: ["tests.differential.dev_server", str(port)],
}  # fmt: skip


def versions() -> dict[str, str]:
    """The installed version of each server."""
    return {name: version(name) for name in COMMANDS}


@contextmanager
def front(name: str, upstream_url: str, folder: Path) -> Iterator[int]:
    """One of the servers with the stack in front of an upstream; its port.

    :param folder: for its log, which is read by people only.
    """
    port = free_port()
    environ = {
        **os.environ,
        **proxy_environ(upstream_url, port, RENEWAL_DIRECTORY=str(folder / f"{name}-renewal")),
        "PYTHONPATH": str(ROOT),
    }
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *COMMANDS[name](port)], env=environ, cwd=ROOT, stdout=log, stderr=log
        )
        try:
            wait_for(port, process)
            wait_for_answer(port)
            yield port
        finally:
            stop(process)


def wait_for_answer(port: int, seconds: float = 20.0) -> None:
    """Return when the app answers: some servers listen before they have it."""
    until = time.monotonic() + seconds
    while True:
        connection = HTTPConnection("127.0.0.1", port, timeout=seconds)
        try:
            connection.request("GET", "/nowhere")
            if connection.getresponse().status == 404:
                return
        except (OSError, HTTPException):
            time.sleep(0.05)
        finally:
            connection.close()
        if time.monotonic() > until:
            raise RuntimeError("the server has no app")
