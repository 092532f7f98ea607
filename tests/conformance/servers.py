"""The servers of a comparison, each on a free loopback port: the fake Django, ours, and the real library's."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIApplication

import requests.adapters
from urllib3.util import Timeout
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.auth.exchanges import CONFIGS, Answer, Send, config_of
from tests.auth.fake_django import fake_django
from wsgiproxy_hs.auth import AuthApp, Hooks, User
from wsgiproxy_hs.auth.accounts import Accounts
from wsgiproxy_hs.auth.pages import Pages
from wsgiproxy_hs.sessions import Sessions
from wsgiproxy_hs.upstream.client import UpstreamClient

FOLDER = Path(__file__).parent
CONFIG_HEADER = "X-Conformance-Config"


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *arguments: Any) -> None:
        """Say nothing about requests."""


@contextlib.contextmanager
def serving(app: WSGIApplication) -> Iterator[int]:
    """Serve ``app`` in threads; gives the port."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def real_library(backend_port: int) -> Iterator[int]:
    """The real library under node; gives the port."""
    environ = {
        **os.environ,
        "CONFORMANCE_CONFIGS": json.dumps({name: config_of(name) for name in CONFIGS}),
        "CONFORMANCE_BACKEND": f"http://127.0.0.1:{backend_port}",
    }
    process = subprocess.Popen(["node", "server.mjs"], cwd=FOLDER, env=environ, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError("the real library did not start; is 'npm ci --prefix tests/conformance' done?")
        yield json.loads(line)["port"]
    finally:
        process.terminate()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def our_apps(backend_url: str, transport: requests.adapters.BaseAdapter) -> dict[str, AuthApp]:
    """One handler for each configuration but that of the client, which needs the server's address first."""
    return {name: our_app(config_of(name), backend_url, transport) for name in CONFIGS if name != "client"}


def our_app(config: dict[str, Any], backend_url: str, transport: requests.adapters.BaseAdapter) -> AuthApp:
    accounts = Accounts(
        UpstreamClient(backend_url, transport=transport, timeout=Timeout(5)),
        scheme="JWT",
        access_token_claim="accessToken",
        refresh_token_claim="refreshToken",
    )
    secure = config["origin"].startswith("https:")
    own = config["pages"]
    return AuthApp(
        public_url=config["origin"],
        base_path=config["basePath"],
        secrets=config["secret"],
        sessions=Sessions(secrets=config["secret"], secure=secure, max_age_seconds=config["maxAge"]),
        pages=Pages(own.get("signIn"), own.get("signOut"), own.get("error"), own.get("verifyRequest")),
        hooks=Hooks(
            authorize=accounts.authorize,
            sign_in=judge if config["signIn"] else None,
            update=rename if config["update"] else None,
            events=lambda name, details: None,
        ),
        session_max_age_seconds=config["maxAge"],
    )


def judge(user: User) -> bool | str:
    if user.email == "denied@example.com":
        return False
    return "/elsewhere?why=divert" if user.email == "divert@example.com" else True


def rename(claims: Mapping[str, Any], data: object) -> Mapping[str, Any] | None:
    if not isinstance(data, dict):
        return claims
    if data.get("signOut"):
        return None
    return {**claims, "name": data["name"]} if isinstance(data.get("name"), str) else claims


def by_config(apps: Mapping[str, WSGIApplication]) -> WSGIApplication:
    """The app that the header names."""
    return lambda environ, start_response: apps[environ.get("HTTP_X_CONFORMANCE_CONFIG", "default")](
        environ, start_response
    )


def sender(port: int) -> Send:
    """Sends over a socket and reads the answer, header line by header line."""

    def send(config: str, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in {**headers, CONFIG_HEADER: config}.items():
                connection.putheader(name, value.encode("utf-8"))
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            return answer_of(response.status, response.getheaders(), response.read())
        finally:
            connection.close()

    return send


def answer_of(status: int, headers: list[tuple[str, str]], body: bytes) -> Answer:
    lower = [(name.lower(), value) for name, value in headers]
    return Answer(
        status,
        [(name, value) for name, value in lower if name != "set-cookie"],
        [value for name, value in lower if name == "set-cookie"],
        body,
    )


@dataclass(frozen=True)
class Pair:
    """The real library and ours in front of the same backend: how to send to each, and their addresses."""

    theirs: Send
    ours: Send
    their_url: str
    our_url: str


@contextlib.contextmanager
def both() -> Iterator[Pair]:
    """Start all three servers."""
    with contextlib.ExitStack() as stack:
        backend = stack.enter_context(serving(fake_django))
        their_port = stack.enter_context(real_library(backend))
        backend_url, transport = f"http://127.0.0.1:{backend}", requests.adapters.HTTPAdapter()
        apps = our_apps(backend_url, transport)
        our_port = stack.enter_context(serving(by_config(apps)))
        our_url = f"http://127.0.0.1:{our_port}"
        apps["client"] = our_app({**config_of("client"), "origin": our_url}, backend_url, transport)
        yield Pair(sender(their_port), sender(our_port), f"http://127.0.0.1:{their_port}", our_url)
