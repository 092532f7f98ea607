"""Real servers for the tests: gunicorn processes on free ports of the loopback, and a plain HTTP client."""

from __future__ import annotations

import base64
import http.client
import json
import os
import pathlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

ROOT = pathlib.Path(__file__).resolve().parents[2]
BACKEND = ROOT / "examples" / "backend"
SECRET = "integration-tests-own-sealing-key-0123456789"
EMAIL, PASSWORD = "ada@example.com", "correct horse battery staple"


@dataclass(frozen=True)
class Answer:
    """What came back: header names in lower case, repeated ones in a list."""

    status: int
    headers: dict[str, list[str]]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        values = self.headers.get(name)
        return ", ".join(values) if values else None


def ask(
    url: str, method: str, target: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> Answer:
    """One request, the target as it is."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    try:
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        found: dict[str, list[str]] = {}
        for name, value in response.getheaders():
            found.setdefault(name.lower(), []).append(value)
        return Answer(response.status, found, response.read())
    finally:
        connection.close()


@dataclass
class Client:
    """A browser of sorts: keeps cookies, and says where its pages come from."""

    url: str
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(
        self, method: str, target: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        own = {"Origin": self.url, "Sec-Fetch-Site": "same-origin"}
        if self.cookies:
            own["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = ask(self.url, method, target, headers={**own, **(headers or {})}, body=body)
        for line in answer.headers.get("set-cookie", []):
            name, _, rest = line.partition("=")
            self.cookies[name] = rest.partition(";")[0]
            if not self.cookies[name]:
                del self.cookies[name]
        return answer

    def sign_in(self, email: str = EMAIL, password: str = PASSWORD, *, auth: str = "/api/auth") -> Answer:
        """Sign in as the client library does."""
        token = self.ask("GET", f"{auth}/csrf").json()["csrfToken"]
        form = {"email": email, "password": password, "csrfToken": token, "callbackUrl": self.url}
        return self.ask(
            "POST",
            f"{auth}/callback/credentials?",
            headers={"Content-Type": "application/x-www-form-urlencoded", "X-Auth-Return-Redirect": "1"},
            body=urlencode(form).encode(),
        )


@dataclass(frozen=True)
class Received:
    """What the backend received."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


def received(backend: str) -> list[Received]:
    """What the backend received since this was last asked."""
    rows = ask(backend, "GET", "/__received__").json()
    return [Received(r["method"], r["target"], r["headers"], base64.b64decode(r["body"])) for r in rows]


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextmanager
def gunicorn(
    app: str, environ: Mapping[str, str], *, port: int, path: Sequence[pathlib.Path] = (ROOT,)
) -> Iterator[str]:
    """A gunicorn that answers; its URL.

    :param path: folders to import from; the first is where it runs.
    """
    command = [
        sys.executable, "-m", "gunicorn", app, f"--bind=127.0.0.1:{port}", "--threads=8", "--log-level=warning",
        "--limit-request-field_size=16380", "--no-control-socket",
    ]  # fmt: skip
    python_path = os.pathsep.join(map(str, path))
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": python_path, **environ}, cwd=path[0])
    try:
        wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes], seconds: float = 10.0) -> None:
    """End a server, the gentle way first."""
    process.terminate()
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_for(port: int, process: subprocess.Popen[bytes], seconds: float = 30.0) -> None:
    """Return when the port takes connections."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with status {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the server does not answer")


def manage(environ: Mapping[str, str], *arguments: str) -> str:
    """The output of a command of the backend."""
    command = [sys.executable, str(BACKEND / "manage.py"), *arguments]
    return subprocess.run(command, env={**os.environ, **environ}, check=True, stdout=subprocess.PIPE, text=True).stdout


def proxy_environ(backend: str, port: int, **more: str) -> dict[str, str]:
    """The settings of a proxy in front of a backend."""
    return {"BACKEND_URL": backend, "AUTH_URL": f"http://127.0.0.1:{port}", "AUTH_SECRET": SECRET, **more}
