"""Who is measured, and with which requests."""

from __future__ import annotations

import json
import pathlib
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jwt

from bench.apps.payload import BODY, POST_BODY
from bench.machine import Process
from wsgiproxy_hs.sessions import Sessions

SECRET = "benchmarks-own-sealing-key-0123456789abcdef"
WORKSPACE, CHAT = "7a9c1c1e-3b0a-4a8e-9d3f-6f8f6c5a0d11", "51f0b2b6-6d4c-4c6e-9a53-0a4f3f2b7f11"
GET_PATH = f"/api/workspaces/{WORKSPACE}/chats/{CHAT}"
POST_PATH = f"{GET_PATH}/messages"
UPSTREAM_SUFFIX = "/"
THREADS = 8


@dataclass(frozen=True)
class Load:
    """A kind of request. ``status``: what every answer must be."""

    name: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""
    status: int = 200


@dataclass(frozen=True)
class Contender:
    """A server under test. ``start`` gives its command and environment for a port and an upstream's URL."""

    name: str
    start: Callable[[int, str, pathlib.Path], tuple[Sequence[str], dict[str, str]]]
    loads: tuple[Load, ...]


def session_cookie(claims: dict[str, object] | None = None) -> str:
    """A sealed session as a browser holds it: user, access and refresh token."""
    now = int(time.time())
    access = jwt.encode(
        {"token_type": "access", "exp": now + 360_000, "iat": now, "jti": "a" * 32, "user_id": "1"}, "k" * 32
    )
    refresh = jwt.encode({"token_type": "refresh", "exp": now + 1_209_600, "jti": "b" * 32, "user_id": "1"}, "k" * 32)
    user = {"name": "Ada Lovelace", "email": "ada@example.com", "picture": None, "sub": "1"}
    sessions = Sessions(secrets=[SECRET], secure=False)
    lines = sessions.write({**user, "accessToken": access, "refreshToken": refresh, **(claims or {})}, "")
    return "; ".join(line.partition(";")[0] for line in lines)


def forged(cookie: str) -> str:
    """The same cookie with another tag: right name, right header, right ``kid``."""
    name, _, token = cookie.partition("=")
    head, tag = token.rsplit(".", 1)
    return f"{name}={head}.{'A' * len(tag)}"


BROWSER = {
    "Accept": "*/*",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Accept-Language": "en-GB,en;q=0.9",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
    "Sec-Fetch-Site": "same-origin",
    "Sec-Fetch-Mode": "cors",
    "Sec-Fetch-Dest": "empty",
}
COOKIE = session_cookie()
SIGNED_IN = {**BROWSER, "Cookie": COOKIE}
GET = Load("GET 1.3 KB", "GET", GET_PATH, SIGNED_IN)
POST = Load("POST 1 KB", "POST", POST_PATH, {**SIGNED_IN, "Content-Type": "text/plain;charset=UTF-8"}, POST_BODY)
NO_SESSION = Load("401 no session", "GET", GET_PATH, BROWSER, status=401)
FORGED = Load("401 forged cookie", "GET", GET_PATH, {**BROWSER, "Cookie": forged(COOKIE)}, status=401)
UNKNOWN = Load("404 unknown path", "GET", "/api/nothing/here", SIGNED_IN, status=404)
DIRECT = Load("GET 1.3 KB", "GET", GET_PATH + UPSTREAM_SUFFIX, SIGNED_IN)


def nginx_conf(port: int, location: str, *, prelude: str = "") -> str:
    """A whole configuration of one worker."""
    return (
        f"daemon off; worker_processes 1; error_log stderr crit; pid nginx-{port}.pid;\n"
        "events { worker_connections 1024; }\n"
        "http { access_log off; keepalive_requests 1000000; client_body_buffer_size 64k;\n"
        f"{prelude}\nserver {{ listen 127.0.0.1:{port} backlog=1024; {location} }} }}\n"
    )


def upstream_conf(port: int) -> str:
    """The upstream: nginx with a constant answer."""
    body = BODY.decode().replace("\\", "\\\\").replace("'", "\\'")
    return nginx_conf(port, f"location / {{ default_type application/json; return 200 '{body}'; }}")


def _nginx(port: int, upstream: str, folder: pathlib.Path) -> tuple[Sequence[str], dict[str, str]]:
    address = upstream.removeprefix("http://")
    conf = folder / "proxy.conf"
    prelude = f"upstream up {{ server {address}; keepalive 64; }}"
    location = (
        "location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ''; "
        "proxy_set_header Authorization 'JWT x'; proxy_set_header Cookie ''; }"
    )
    conf.write_text(nginx_conf(port, location, prelude=prelude))
    return ["nginx", "-c", str(conf), "-p", str(folder)], {}


def _environ(port: int, upstream: str) -> dict[str, str]:
    return {"BACKEND_URL": upstream, "AUTH_URL": f"http://127.0.0.1:{port}", "AUTH_SECRET": SECRET}


def gunicorn(app: str) -> Callable[[int, str, pathlib.Path], tuple[Sequence[str], dict[str, str]]]:
    """One worker with threads, as documented."""

    def start(port: int, upstream: str, _: pathlib.Path) -> tuple[Sequence[str], dict[str, str]]:
        command = [sys.executable, "-m", "gunicorn", app, f"--bind=127.0.0.1:{port}", "--worker-class=gthread",
                   f"--threads={THREADS}", "--keep-alive=30", "--log-level=error", "--no-control-socket"]  # fmt: skip
        return command, _environ(port, upstream)

    return start


def granian(app: str) -> Callable[[int, str, pathlib.Path], tuple[Sequence[str], dict[str, str]]]:
    """One worker with threads, as documented."""

    def start(port: int, upstream: str, _: pathlib.Path) -> tuple[Sequence[str], dict[str, str]]:
        command = [str(pathlib.Path(sys.executable).parent / "granian"), "--interface=wsgi", "--host=127.0.0.1",
                   f"--port={port}", "--workers=1", f"--blocking-threads={THREADS}", "--no-ws", "--http=1",
                   "--log-level=error", app]  # fmt: skip
        return command, _environ(port, upstream)

    return start


OURS = (GET, POST, NO_SESSION, FORGED, UNKNOWN)
CONTENDERS = (
    Contender("nginx proxy_pass", _nginx, (DIRECT,)),
    Contender("gunicorn, constant", gunicorn("bench.apps.constant:app"), (GET,)),
    Contender("granian, constant", granian("bench.apps.constant:app"), (GET,)),
    Contender("wsgiproxy_hs, gunicorn", gunicorn("wsgiproxy_hs:app"), OURS),
    Contender("wsgiproxy_hs, granian", granian("wsgiproxy_hs.wsgi:application"), OURS),
    Contender("werkzeug ProxyMiddleware, gunicorn", gunicorn("bench.apps.werkzeug_proxy:app"), (DIRECT,)),
    Contender("WSGIProxy2, gunicorn", gunicorn("bench.apps.wsgiproxy2:app"), (DIRECT,)),
    Contender("requests.Session in a view, gunicorn", gunicorn("bench.apps.requests_view:app"), (DIRECT,)),
)


def wrk_script(load: Load) -> str:
    """The load in wrk's language; answers of another status are counted as wrong."""
    lines = [f"wrk.method = {json.dumps(load.method)}", f"wrk.path = {json.dumps(load.path)}"]
    lines += [f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}" for name, value in load.headers.items()]
    if load.body:
        lines.append(f"wrk.body = {json.dumps(load.body.decode())}")
    lines.append(
        "local threads = {}\n"
        "function setup(thread) table.insert(threads, thread) end\n"
        "function init(args) wrong = 0 end\n"
        f"function response(status) if status ~= {load.status} then wrong = wrong + 1 end end\n"
        "function done(summary, latency, requests)\n"
        "  local bad = 0\n"
        "  for _, thread in ipairs(threads) do bad = bad + thread:get('wrong') end\n"
        "  io.write(string.format('RESULT %d %d %d %.1f %.1f %.0f\\n', summary.requests, bad,\n"
        "    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,\n"
        "    latency:percentile(50), latency:percentile(99), summary.duration))\n"
        "end"
    )
    return "\n".join(lines)


def start(contender: Contender, port: int, upstream: str, folder: pathlib.Path, *, core: int) -> Process:
    """The contender, ready."""
    command, environ = contender.start(port, upstream, folder)
    process = Process(command, core=core, environ=environ)
    process.wait_for(port)
    return process
