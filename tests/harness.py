"""What the unit tests share: calling an app as a strict server would, and doubles for what lies around a layer."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment
from wsgiref.validate import validator

import jwt
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from urllib3 import HTTPHeaderDict, HTTPResponse
from werkzeug.test import create_environ

from wsgiproxy_hs.environ import PATH_PARAMS, REQUEST_ID, ROUTE
from wsgiproxy_hs.routes import Route
from wsgiproxy_hs.sessions import Sessions

SECRET = "a-test-key-that-nobody-uses-0123456789"
OTHER_SECRET = "another-test-key-of-nobody-9876543210"
UPSTREAM_URL = "http://upstream.test:8000"
PUBLIC_URL = "https://app.example.com"
WORKSPACE_ID = "7f8f6a1e-4c1f-4a5e-9a39-0c7e3c8f1b11"


class Result(NamedTuple):
    """An answer."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def code(self) -> int:
        return int(self.status.split(" ", 1)[0])

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    def all(self, name: str) -> list[str]:
        """The values of a header, in order."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name: str) -> str | None:
        values = self.all(name)
        assert len(values) < 2, f"{name} stands {len(values)} times in the answer"
        return values[0] if values else None


def request(
    method: str = "GET",
    path: str = "/",
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    query: str = "",
    content_type: str | None = None,
    raw_target: str | None = None,
    **keys: Any,
) -> WSGIEnvironment:
    """An environ as a server makes it.

    :param path: ``PATH_INFO`` as it is, with nothing decoded or encoded.
    :param raw_target: what gunicorn gives as ``RAW_URI``; absent when ``None``, as under granian.
    :param keys: environ keys that are set last; dots are written as double underscores.
    """
    environ = create_environ(method=method, headers=dict(headers or {}))
    del environ["REQUEST_URI"], environ["RAW_URI"]
    environ["PATH_INFO"], environ["QUERY_STRING"] = path, query
    environ.pop("CONTENT_LENGTH", None)
    environ["REMOTE_ADDR"] = "203.0.113.9"
    if body is not None:
        environ["CONTENT_LENGTH"], environ["wsgi.input"] = str(len(body)), io.BytesIO(body)
    if content_type is not None:
        environ["CONTENT_TYPE"] = content_type
    if raw_target is not None:
        environ["RAW_URI"] = raw_target
    environ.update({name.replace("__", "."): value for name, value in keys.items()})
    return environ


def routed(route: Route, environ: WSGIEnvironment, **params: str) -> WSGIEnvironment:
    """The environ as it is behind the routing layer."""
    environ[ROUTE], environ[PATH_PARAMS] = route, params
    environ.setdefault(REQUEST_ID, "request-0001")
    return environ


def call(app: WSGIApplication, environ: WSGIEnvironment, *, validate: bool = True) -> Result:
    """Call an app, read its answer to the end and close it; exceptions of the app come through.

    :param validate: whether ``wsgiref.validate`` stands outside; it refuses environs that are broken on purpose.
    """
    started: list[Any] = []
    written: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
        assert not started or exc_info, "start_response was called twice without exc_info"
        started[:] = [status, list(headers)]
        return written.append

    iterable = (validator(app) if validate else app)(environ, start_response)
    try:
        body = b"".join(iterable)
    finally:
        if hasattr(iterable, "close"):
            iterable.close()
    return Result(started[0], started[1], b"".join(written) + body)


class Inner:
    """An app that remembers what it saw, and answers.

    ``app`` is it behind ``wsgiref.validate``, which is what a layer gets as its inner app.
    """

    def __init__(
        self,
        status: str = "200 OK",
        headers: Iterable[tuple[str, str]] = (("Content-Type", "text/plain"),),
        body: Iterable[bytes] = (b"inner",),
    ) -> None:
        self.answer = (status, list(headers), list(body))
        self.environs: list[WSGIEnvironment] = []
        self.bodies: list[bytes] = []
        self.app: WSGIApplication = validator(self)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.environs.append(dict(environ))
        self.bodies.append(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        status, headers, body = self.answer
        start_response(status, list(headers))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else body

    @property
    def was_called(self) -> bool:
        return bool(self.environs)

    @property
    def environ(self) -> WSGIEnvironment:
        """Of the only request."""
        (environ,) = self.environs
        return environ

    @property
    def body(self) -> bytes:
        (body,) = self.bodies
        return body

    @property
    def stream(self) -> Any:
        """The ``wsgi.input`` that the layer left, without the validator around it."""
        stream = self.environ["wsgi.input"]
        return getattr(stream, "input", stream)


class Sent(NamedTuple):
    """What an upstream got."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None


class FakeUpstream(BaseAdapter):
    """A transport that answers itself and remembers what it got.

    :param failure: raised in place of an answer.
    """

    def __init__(
        self,
        status: int = 200,
        body: bytes = b'{"ok": true}',
        headers: Iterable[tuple[str, str]] = (("Content-Type", "application/json"),),
        *,
        failure: BaseException | None = None,
    ) -> None:
        super().__init__()
        self.sent: list[Sent] = []
        self.status, self.body, self.headers, self.failure = status, body, list(headers), failure

    def send(self, request: PreparedRequest, **_: Any) -> Response:  # type: ignore[override]
        body = request.body.read() if hasattr(request.body, "read") else request.body
        self.sent.append(Sent(request.method or "", request.url or "", dict(request.headers), body))  # type: ignore[arg-type]
        if self.failure is not None:
            raise self.failure
        pairs = HTTPHeaderDict()
        for name, value in self.headers:
            pairs.add(name, value)
        response = Response()
        response.raw = HTTPResponse(
            body=io.BytesIO(b"" if request.method == "HEAD" else self.body),
            headers=pairs,
            status=self.status,
            preload_content=False,
            decode_content=False,
            request_method=request.method,
        )
        response.status_code = self.status
        return response

    def close(self) -> None:
        pass


def access_token(*, expires_in: float = 3600, **claims: Any) -> str:
    """A JWT as Django issues it."""
    return jwt.encode({"user_id": 7, "exp": int(time.time() + expires_in), **claims}, OTHER_SECRET, algorithm="HS256")


def make_sessions(**options: Any) -> Sessions:
    return Sessions(**{"secrets": [SECRET], "secure": True, **options})


def session_cookie(
    token: str | None = None, *, sessions: Sessions | None = None, expires_in: float = 3600, **claims: Any
) -> str:
    """A ``Cookie`` header with a session that holds an access token (or none, when ``token`` is empty)."""
    token = access_token() if token is None else token
    held = {"name": "Ada", "email": "ada@example.com", **({"accessToken": token} if token else {}), **claims}
    lines = (sessions or make_sessions()).write(held, "", expires=time.time() + expires_in)
    return "; ".join(line.split(";", 1)[0] for line in lines)
