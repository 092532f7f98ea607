"""What the measurement needs of the machine: pinned processes, their CPU time and memory, free ports."""

from __future__ import annotations

import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

ROOT = pathlib.Path(__file__).resolve().parent.parent
SERVER_CORE, LOAD_CORE = 0, 1
"""The server under test has a core to itself; upstream and load share the other one."""


class Process:
    """A server with its children, pinned to a core."""

    def __init__(self, command: Sequence[str], *, core: int, environ: Mapping[str, str] | None = None) -> None:
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - a pipe that nobody reads would stop the server
        self._popen = subprocess.Popen(
            ["taskset", "-c", str(core), *command],
            env={**os.environ, "PYTHONPATH": str(ROOT), **(environ or {})},
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=self._stderr,
            start_new_session=True,
        )

    def wait_for(self, port: int, seconds: float = 30.0) -> None:
        """Return when the port takes connections."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._popen.poll() is not None:
                self._stderr.seek(0)
                raise RuntimeError(self._stderr.read().decode()[-2000:])
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
        return max(self.memory("VmRSS").values(), default=0)

    def memory(self, name: str) -> dict[int, int]:
        """``VmRSS``, or ``VmHWM`` for its peak, of the process and all below it: bytes by process id."""
        return {pid: _status_bytes(pid, name) for pid in self._pids()}

    def forget_peaks(self) -> None:
        """From now on ``VmHWM`` is the peak since now."""
        for pid in self._pids():
            pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")

    def stop(self) -> None:
        """End the whole process group, and make sure that nothing of it is left."""
        with suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(self._popen.pid, signal.SIGTERM)
            self._popen.wait(timeout=10)
        with suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
        self._stderr.close()

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


@contextmanager
def running(
    command: Sequence[str], port: int, *, core: int, environ: Mapping[str, str] | None = None
) -> Iterator[Process]:
    """A server that answers on its port; ended at the end."""
    process = Process(command, core=core, environ=environ)
    try:
        process.wait_for(port)
        yield process
    finally:
        process.stop()


def growth_bytes(before: Mapping[int, int], after: Mapping[int, int]) -> int:
    """The most that one process grew."""
    return max((size - before[pid] for pid, size in after.items() if pid in before), default=0)


def pin(core: int) -> None:
    """Keep this process, and what it starts unless that is pinned itself, on a core."""
    os.sched_setaffinity(0, {core})


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _nanoseconds(pid: int) -> int:
    """Time on a CPU of all threads, as the scheduler counts it: ``stat`` counts in ticks, and misses short turns."""
    try:
        tasks = list(pathlib.Path(f"/proc/{pid}/task").iterdir())
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)
    except OSError:
        return 0


def _status_bytes(pid: int, name: str) -> int:
    try:
        lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:")), 0)
