"""Any bytes as a request, through the whole stack: what comes out is documented, and what leaves is one request.

Bytes are read as ``target 0xFE header 0xFE header ... 0xFF 0xFF body``. The first byte of the target chooses the method
and what the server does, the first of a header its name; so any bytes are some request, and small changes of them are
small changes of it.
"""

from __future__ import annotations

import io
import json
import re
from typing import Any, Final
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIEnvironment

from tests.differential import front, rule
from tests.fuzz.properties import COOKIE, TOKEN, Recorder
from tests.harness import PUBLIC_URL, SECRET, UPSTREAM_URL, call, request
from wsgiproxy_hs.auth import AuthApp
from wsgiproxy_hs.endpoints.contact import ContactEmail
from wsgiproxy_hs.routes import NONE, RAW, CrossSite, Route
from wsgiproxy_hs.routes.bodies import Contact
from wsgiproxy_hs.settings import Settings
from wsgiproxy_hs.stack import create_app

METHODS: Final = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "get", "CONNECT")
NAMES: Final = (
    "COOKIE", "ORIGIN", "SEC_FETCH_SITE", "SEC_FETCH_MODE", "SEC_FETCH_DEST", "HOST", "X_REQUESTED_WITH", "X_CSRF",
    "CONTENT_TYPE", "CONTENT_LENGTH", "TRANSFER_ENCODING", "CONTENT_ENCODING", "EXPECT", "CONNECTION", "UPGRADE", "TE",
    "ACCEPT", "ACCEPT_ENCODING", "ACCEPT_LANGUAGE", "USER_AGENT", "RANGE", "IF_MATCH", "IDEMPOTENCY_KEY", "VIA",
    "FORWARDED", "X_FORWARDED_FOR", "X_REQUEST_ID", "TRACEPARENT", "TRACESTATE", "STRIPE_SIGNATURE", "LAST_EVENT_ID",
    "X_AUTH_RETURN_REDIRECT", "ACCESS_CONTROL_REQUEST_METHOD", "X_HTTP_METHOD_OVERRIDE", "AUTHORIZATION",
)  # fmt: skip
STATUSES: Final = {200, 204, 302, 400, 401, 403, 404, 405, 411, 413, 414, 415, 431, 503, 508}
"""What the documentation has for an upstream that answers 200 at once; 503 is the contact form without a mailer."""
ROUTES: Final = (
    *front.ROUTES,
    Route("GET, POST", "auth/{action...}", AuthApp, NONE, RAW, cross_site=CrossSite.OWN_TOKEN),
    Route("POST", "send-contact-email", ContactEmail, NONE, Contact),
)
RECORDER: Final = Recorder()
APP: Final = create_app(
    Settings(
        backend_url=UPSTREAM_URL,
        public_url=PUBLIC_URL,
        secrets=[SECRET],
        allowed_origins=("https://admin.example.com",),
        max_body_bytes=512,
    ),
    routes=ROUTES,
    transport=RECORDER,
)
SEEDS: Final = (
    b"\x00/api/items?a=b",
    b"\x00/api/items\xfe\x00",
    b"\x01/api/items\xfe\x00\xfe\x01https://app.example.com\xff\xff{\"a\":1}",
    b"\x02/api/items/7\xfe\x00\xfe\x02same-origin\xfe\x08application/json\xff\xff{\"a\":1}",
    b"\x01/api/raw\xfe\x1dt=1\xff\xffbytes",
    b"\x01/api/raw\xfe\x0achunked\xff\xffbytes",
    b"\x11/api/rest/a/b\xfe\x00\xfe\x02none\xfe\x0achunked\xff\xffbytes",
    b"\x00/api/public\xfe\x171.1 wsgiproxy_hs",
    b"\x04/api/rest/a%2Fb\xfe\x00",
    b"\x05/api/items\xfe\x01https://admin.example.com\xfe\x20POST",
    b"\x00/api/auth/session\xfe\x00",
    b"\x00/api/auth/csrf",
    b"\x00/api/auth/signin?error=x&callbackUrl=/y",
    b"\x01/api/auth/callback/credentials\xfe\x08application/x-www-form-urlencoded\xff\xffemail=a&password=b&csrfToken=c",
    b"\x01/api/auth/session\xfe\x00\xfe\x08application/json\xff\xff{\"csrfToken\":\"x\",\"data\":{}}",
    b"\x01/api/send-contact-email\xfe\x02same-origin\xff\xff{\"name\":\"a\",\"email\":\"a@b\",\"subject\":\"s\",\"message\":\"m\"}",
)  # fmt: skip


def environ_of(data: bytes) -> WSGIEnvironment:
    """The environ that a server makes of a request, more or less careful by the bits of its first byte."""
    head, _, body = data.partition(b"\xff\xff")
    first, *fields = head.split(b"\xfe")
    choice, target = first[0] if first else 0, first[1:]
    path, _, query = target.partition(b"?")
    environ = request(METHODS[choice % 16 % len(METHODS)], unquote_to_bytes(path).decode("latin-1"))
    environ["QUERY_STRING"] = query.decode("latin-1")
    environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body)) if body else ""
    environ["wsgi.input_terminated"] = bool(choice & 16)
    if choice & 32:
        environ["RAW_URI"] = target.decode("latin-1")
    if choice & 64:
        environ["SERVER_SOFTWARE"] = "Granian"
    for field in fields[:12]:
        if field:
            name, value = NAMES[field[0] % len(NAMES)], field[1:].decode("latin-1").strip(" \t")
            key = name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + name
            environ[key] = COOKIE if key == "HTTP_COOKIE" and not value else value
    if "HTTP_TRANSFER_ENCODING" in environ and b"\xfe\x09" not in head:
        environ["CONTENT_LENGTH"] = ""
    return environ


def check_request(data: bytes) -> None:
    """Whatever is asked: no exception, one documented answer, and at most one request, which the table allows."""
    RECORDER.sent.clear()
    RECORDER.data.clear()
    environ = environ_of(data)
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    result = call(APP, environ, validate=False)
    assert result.code in STATUSES, (result, environ)
    for name, value in result.headers:
        assert re.fullmatch(r"[A-Za-z0-9-]+", name), name
        assert not re.search(r"[\r\n\0]", value), (name, value)
        value.encode("latin-1")
    assert method == "HEAD" or result.header("Content-Length") in (None, str(len(result.body)))
    if result.code >= 400 and method != "HEAD" and not path.startswith("/api/auth/"):
        assert {"error", "code", "request_id"} <= set(json.loads(result.body))
    assert TOKEN.encode() not in result.body
    check_sent(RECORDER.data, result.code)


def check_sent(requests: list[bytes], code: int) -> None:
    """Nothing left, or one request of the table with its answer."""
    assert len(requests) <= 1
    for data in requests:
        assert code == 200
        (sent,) = rule.requests_in(data)
        path = sent.target.partition("?")[0]
        rule.check_path(sent.method, path)
        may: set[str] = {"stripe-signature"} if path == "/v1/raw/" else set()
        assert rule.ALWAYS <= set(sent.fields) <= rule.ALWAYS | rule.MAY | may, sent
        wanted: Any = None if path in rule.WITHOUT_SESSION else f"JWT {TOKEN}"
        assert sent.fields.get("authorization") == wanted
        assert (sent.fields["x-forwarded-for"], sent.fields["x-forwarded-host"]) == ("203.0.113.9", "app.example.com")
        assert b"session-token" not in data
