"""Who is measured: each contender as a command, and the upstream behind all of them."""

from __future__ import annotations

import json
import pathlib
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from bench.apps.payload import BODY
from bench.loads import DIRECT, GET, POST, REFUSED, SECRET, Load
from bench.machine import LOAD_CORE, ROOT, SERVER_CORE, Process, free_port, running

THREADS = 8
Command = tuple[Sequence[str], dict[str, str]]
Start = Callable[[int, str, pathlib.Path], Command]
"""From a port, the upstream's URL and a folder to a command and its environment."""


@dataclass(frozen=True)
class Contender:
    """A server under test."""

    name: str
    start: Start
    loads: tuple[Load, ...] = ()


def nginx_conf(port: int, location: str, *, prelude: str = "") -> str:
    """A whole configuration of one worker."""
    return (
        f"daemon off; worker_processes 1; error_log stderr crit; pid nginx-{port}.pid;\n"
        "events { worker_connections 1024; }\n"
        "http { access_log off; keepalive_requests 1000000; client_body_buffer_size 64k;\n"
        f"{prelude}\nserver {{ listen 127.0.0.1:{port} backlog=1024; {location} }} }}\n"
    )


def nginx(more: str = "") -> Start:
    """``proxy_pass`` with kept-alive connections. ``more``: further directives."""

    def start(port: int, upstream: str, folder: pathlib.Path) -> Command:
        conf = folder / f"proxy-{port}.conf"
        prelude = f"upstream up {{ server {upstream.removeprefix('http://')}; keepalive 64; }}"
        location = (
            "location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ''; "
            f"proxy_set_header Authorization 'JWT x'; proxy_set_header Cookie ''; {more} }}"
        )
        conf.write_text(nginx_conf(port, location, prelude=prelude))
        return ["nginx", "-c", str(conf), "-p", str(folder)], {}

    return start


def _environ(port: int, upstream: str) -> dict[str, str]:
    return {"BACKEND_URL": upstream, "AUTH_URL": f"http://127.0.0.1:{port}", "AUTH_SECRET": SECRET}


def gunicorn(app: str, *options: str, **environ: str) -> Start:
    """One worker with threads, as documented."""

    def start(port: int, upstream: str, _: pathlib.Path) -> Command:
        command = [sys.executable, "-m", "gunicorn", app, f"--bind=127.0.0.1:{port}", "--worker-class=gthread",
                   f"--threads={THREADS}", "--keep-alive=30", "--log-level=error", "--no-control-socket",
                   *options]  # fmt: skip
        return command, {**_environ(port, upstream), **environ}

    return start


def granian(app: str, **environ: str) -> Start:
    """One worker with threads, as documented."""

    def start(port: int, upstream: str, _: pathlib.Path) -> Command:
        command = [str(pathlib.Path(sys.executable).parent / "granian"), "--interface=wsgi", "--host=127.0.0.1",
                   f"--port={port}", "--workers=1", f"--blocking-threads={THREADS}", "--no-ws", "--http=1",
                   "--log-level=error", app]  # fmt: skip
        return command, {**_environ(port, upstream), **environ}

    return start


def next_js(port: int, upstream: str, _: pathlib.Path) -> Command:
    """The documented route handler, ``auth()`` and ``fetch``, in the production build of the real Next.js."""
    project = ROOT / "tests" / "conformance_next"
    command = ["node", str(project / "node_modules/next/dist/bin/next"), "start", str(project),
               "--hostname", "127.0.0.1", "--port", str(port)]  # fmt: skip
    return command, {**_environ(port, upstream), "NEXT_TELEMETRY_DISABLED": "1", "NODE_ENV": "production"}


APP, APPLICATION = "wsgiproxy_hs:app", "wsgiproxy_hs.wsgi:application"
OURS = (GET, POST, *REFUSED)
NGINX = Contender("nginx proxy_pass", nginx(), (DIRECT,))
GUNICORN_CONSTANT = Contender("gunicorn, constant", gunicorn("bench.apps.constant:app"), (GET,))
GRANIAN_CONSTANT = Contender("granian, constant", granian("bench.apps.constant:app"), (GET,))
OURS_GUNICORN = Contender("wsgiproxy_hs, gunicorn", gunicorn(APP), OURS)
OURS_GRANIAN = Contender("wsgiproxy_hs, granian", granian(APPLICATION), OURS)
CONTENDERS = (
    NGINX,
    GUNICORN_CONSTANT,
    GRANIAN_CONSTANT,
    OURS_GUNICORN,
    OURS_GRANIAN,
    Contender("werkzeug ProxyMiddleware, gunicorn", gunicorn("bench.apps.werkzeug_proxy:app"), (DIRECT,)),
    Contender("WSGIProxy2, gunicorn", gunicorn("bench.apps.wsgiproxy2:app"), (DIRECT,)),
    Contender("requests.Session in a view, gunicorn", gunicorn("bench.apps.requests_view:app"), (DIRECT,)),
)
# It parses the JSON and writes it again, without blanks. Nobody else compresses, so it is not asked to.
_NEXT_GET = replace(
    GET,
    headers={**GET.headers, "Accept-Encoding": "identity"},
    length=len(json.dumps(json.loads(BODY), separators=(",", ":"))),
)
NEXT_JS = Contender("Next.js route handler with auth()", next_js, (_NEXT_GET,))


@contextmanager
def serving(contender: Contender, upstream: str, folder: pathlib.Path) -> Iterator[tuple[int, Process]]:
    """The contender, ready; its port."""
    port = free_port()
    command, environ = contender.start(port, upstream, folder)
    with running(command, port, core=SERVER_CORE, environ=environ) as process:
        yield port, process


@contextmanager
def constant_upstream(folder: pathlib.Path, *, core: int = LOAD_CORE) -> Iterator[str]:
    """nginx with a constant answer; its URL."""
    port = free_port()
    body = BODY.decode().replace("\\", "\\\\").replace("'", "\\'")
    conf = folder / f"upstream-{port}.conf"
    conf.write_text(nginx_conf(port, f"location / {{ default_type application/json; return 200 '{body}'; }}"))
    with running(["nginx", "-c", str(conf), "-p", str(folder)], port, core=core):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def bulk_upstream() -> Iterator[str]:
    """The small server for what is large or lasts; its URL."""
    port = free_port()
    with running([sys.executable, "-m", "bench.apps.upstream", str(port)], port, core=LOAD_CORE):
        yield f"http://127.0.0.1:{port}"
