"""The servers of the comparison, each on a free loopback port: Django with a memory, the Next.js server, and ours."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.integration import servers
from tests.integration.conftest import Backend, access_token

FOLDER = Path(__file__).parent
BUILT = FOLDER / ".next" / "BUILD_ID"


@dataclass
class Side:
    """One of the two servers, seen by a browser: signed in, signed out, and with the other one's session."""

    url: str
    signed_in: servers.Client
    nobody: servers.Client
    crossed: servers.Client


@dataclass(frozen=True)
class World:
    """Everything that runs. ``stop_backend`` takes Django away from both sides."""

    backend: Backend
    theirs: Side
    ours: Side
    stop_backend: Callable[[], None]


def build() -> None:
    """Install and build the Next.js app, from its lock file."""
    quiet = ["--no-audit", "--no-fund", "--silent"]
    subprocess.run(["npm", "ci", *quiet], cwd=FOLDER, check=True)
    subprocess.run(["npm", "run", "build", "--silent"], cwd=FOLDER, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def world() -> Iterator[World]:
    """Start all three servers and sign in to both sides."""
    with ExitStack() as stack:
        data = tempfile.mkdtemp(prefix="conformance-next-")
        stack.callback(shutil.rmtree, data, ignore_errors=True)
        django = stack.enter_context(ExitStack())
        backend = django.enter_context(running_backend(data))
        next_url = stack.enter_context(next_server(backend.url, f"{data}/next.log"))
        port = servers.free_port()
        environ = servers.proxy_environ(backend.url, port)
        our_url = stack.enter_context(servers.gunicorn("wsgiproxy_hs:app", environ, port=port))
        theirs, ours = side(next_url), side(our_url)
        theirs.crossed.cookies.update(ours.signed_in.cookies)
        ours.crossed.cookies.update(theirs.signed_in.cookies)
        yield World(backend, theirs, ours, django.close)


@contextmanager
def running_backend(data: str) -> Iterator[Backend]:
    """The reference backend, seeded."""
    port = servers.free_port()
    environ = {"BACKEND_DATA_DIR": data, "BACKEND_PUBLIC_URL": f"http://127.0.0.1:{port}"}
    path = [servers.BACKEND, servers.ROOT / "tests" / "integration"]
    servers.manage(environ, "migrate", "--verbosity=0")
    ids = json.loads(servers.manage(environ, "seed_demo", "--email", servers.EMAIL, "--password", servers.PASSWORD))
    with servers.gunicorn("recorder:application", environ, port=port, path=path) as url:
        tokens = [access_token(url, email) for email in (servers.EMAIL, "grace@example.com")]
        yield Backend(url, ids, *tokens, data)


@contextmanager
def next_server(backend_url: str, log: str) -> Iterator[str]:
    """``next start`` on the production build; its URL. Its own messages go to ``log``."""
    port = servers.free_port()
    url = f"http://127.0.0.1:{port}"
    environ = {
        **os.environ,
        "BACKEND_URL": backend_url,
        "AUTH_URL": url,
        "AUTH_SECRET": servers.SECRET,
        "NEXT_TELEMETRY_DISABLED": "1",
    }
    command = ["node", "node_modules/next/dist/bin/next", "start", "--hostname", "127.0.0.1", "--port", str(port)]
    with open(log, "wb") as output:
        process = subprocess.Popen(command, cwd=FOLDER, env=environ, stdout=output, stderr=output)
        try:
            servers.wait_for(port, process)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=20)


def side(url: str) -> Side:
    """Sign in through the server's own auth endpoints."""
    client = servers.Client(url)
    answer = client.sign_in()
    if answer.status != 200 or "error" in answer.json()["url"]:
        raise RuntimeError(f"{url} does not sign in: {answer}")
    return Side(url, client, servers.Client(url), servers.Client(url))
