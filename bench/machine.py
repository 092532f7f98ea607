"""What the measurement needs of the machine: pinned processes, their CPU time and memory, free ports."""

from __future__ import annotations

import os
import pathlib
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Process:
    """A server with its children, pinned to a core."""

    def __init__(self, command: Sequence[str], *, core: int, environ: Mapping[str, str] | None = None) -> None:
        self._popen = subprocess.Popen(
            ["taskset", "-c", str(core), *command],
            env={**os.environ, "PYTHONPATH": str(ROOT), **(environ or {})},
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def wait_for(self, port: int, seconds: float = 30.0) -> None:
        """Return when the port takes connections."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._popen.poll() is not None:
                assert self._popen.stderr is not None
                raise RuntimeError(self._popen.stderr.read().decode()[-2000:])
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError(f"nothing listens on port {port}")

    def cpu_seconds(self) -> float:
        """User and system time of the process and all below it."""
        return sum(_nanoseconds(pid) for pid in self._pids()) / 1e9

    def memory_bytes(self) -> int:
        """The largest resident set among the process and all below it."""
        return max((_resident(pid) for pid in self._pids()), default=0)

    def stop(self) -> None:
        """End the whole process group."""
        for sign in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._popen.pid, sign)
                self._popen.wait(timeout=10)
                break
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        if self._popen.stderr is not None:
            self._popen.stderr.close()

    def _pids(self) -> list[int]:
        pids, pending = [], [self._popen.pid]
        while pending:
            pid = pending.pop()
            pids.append(pid)
            try:
                for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                    pending += map(int, (task / "children").read_text().split())
            except OSError:
                continue
        return pids


def _nanoseconds(pid: int) -> int:
    """Time on a CPU of all threads, as the scheduler counts it: ``stat`` counts in ticks, and misses short turns."""
    try:
        tasks = list(pathlib.Path(f"/proc/{pid}/task").iterdir())
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)
    except OSError:
        return 0


def _resident(pid: int) -> int:
    try:
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    kilobytes = next((line.split()[1] for line in text.splitlines() if line.startswith("VmRSS:")), "0")
    return int(kilobytes) * 1024


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
