"""The four servers of ``examples/servers``, each a process of its own with the stack in front of a port.

The upstream's port is known before anybody listens on it: each test puts its own upstream there.
"""

from __future__ import annotations

import os
import random
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.differential.servers import wait_for_answer
from tests.integration.servers import ROOT, free_port, proxy_environ, stop, wait_for

EXAMPLES = ROOT / "examples" / "servers"
Command = Callable[[int], list[str]]


def gunicorn(config: str) -> Command:
    """gunicorn with one of the configuration files, quieter and with one worker."""
    own = ["--workers=1", "--log-level=critical"]
    path = f"--config={EXAMPLES / config}"
    return lambda port: [sys.executable, "-m", "gunicorn", path, f"--bind=127.0.0.1:{port}", *own]


SERVERS: dict[str, Command] = {
    "gthread": gunicorn("gunicorn_gthread.py"),
    "gevent": gunicorn("gunicorn_gevent.py"),
    "granian": lambda port: [
        "sh", str(EXAMPLES / "granian.sh"), f"--port={port}", "--workers=1", "--log-level=critical",
    ],
    "waitress": lambda port: [sys.executable, str(EXAMPLES / "waitress_launcher.py")],
}  # fmt: skip
"""How each of them is started on a port."""


@dataclass(frozen=True)
class Served:
    """A server that runs. ``upstream_port`` is where it looks for its upstream."""

    name: str
    port: int
    upstream_port: int
    pid: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def worker(self) -> int:
        """The process that answers: the one that a starting process began last, or the only one."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return max(map(int, children), default=self.pid)

    def open_sockets(self) -> int:
        """How many sockets the process that answers holds."""
        return sum(link.startswith("socket:") for link in map(_link, Path(f"/proc/{self.worker}/fd").iterdir()))

    def memory_bytes(self, field: str = "VmRSS") -> int:
        """What the process that answers has of the machine's memory; ``VmHWM`` is the most it ever had."""
        status = Path(f"/proc/{self.worker}/status").read_text()
        found = re.search(rf"^{field}:\s+([0-9]+) kB$", status, re.MULTILINE)
        assert found is not None
        return int(found[1]) * 1024


@contextmanager
def served(name: str, folder: Path, **environ: str) -> Iterator[Served]:
    """One of the servers. It never leaves its upstream alone, however often that fails: failing is what is tested.

    :param folder: for its log, which is read by people only.
    :param environ: further settings.
    """
    port, upstream_port = free_port(), lasting_port()
    own = proxy_environ(f"http://127.0.0.1:{upstream_port}", port, RENEWAL_DIRECTORY=str(folder / "renewal"))
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environ = {
        **os.environ, **own, "PATH": path, "PYTHONPATH": str(ROOT), "PORT": str(port),
        "WSGIPROXY_ROUTES": "tests.servers.table:ROUTES", "BREAKER_FAILURES": "0", **environ,
    }  # fmt: skip
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(SERVERS[name](port), env=environ, cwd=ROOT, stdout=log, stderr=log)
        try:
            wait_for(port, process)
            wait_for_answer(port)
            yield Served(name, port, upstream_port, process.pid)
        finally:
            stop(process)


def lasting_port() -> int:
    """A free port that no outgoing connection will be given, so that it stays free while nobody listens on it."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(lowest // 2, lowest)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port


def _link(path: Path) -> str:
    """Where a descriptor leads; nothing when it was closed meanwhile."""
    try:
        return str(path.readlink())
    except OSError:
        return ""
