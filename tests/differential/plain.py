"""A plain upstream without any proxy before it, on the parser of the standard library, and the harm that was done.

It is as trusting as services behind a front often are: it reads bodies by ``Content-Length`` alone, decodes and
tidies paths, believes headers that say who is asking, and takes ``_`` and ``.`` in their names for ``-``.
"""

from __future__ import annotations

import contextlib
import io
import json
import posixpath
import re
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote, urlsplit

TRUSTED = {
    "x-user", "remote-user", "x-forwarded-user", "x-auth-request-email", "x-remote-user", "x-forwarded-for",
    "x-real-ip", "true-client-ip", "forwarded", "x-forwarded-host", "x-original-url", "x-rewrite-url",
    "x-forwarded-uri", "x-forwarded-prefix", "x-script-name", "x-middleware-subrequest", "x-http-method-override",
    "x-http-method", "x-method-override", "wsgiproxy-hs-access-token", "x-internal", "x-debug", "stripe-signature",
}  # fmt: skip
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
HOP = {"te", "keep-alive", "proxy-connection", "trailer", "max-forwards", "upgrade", "expect", "proxy-authorization"}
LARGE = 8_192


class _Wire:
    """A connection whose input is a string of bytes: nothing has to be waited for."""

    def __init__(self, data: bytes) -> None:
        self._input = io.BytesIO(data)

    def makefile(self, *_: Any, **__: Any) -> io.BytesIO:
        return self._input

    def sendall(self, data: bytes) -> None:
        """Answers are of no interest."""

    def setsockopt(self, *_: Any) -> None:
        """As with a socket."""


def harm(raw: bytes) -> set[str]:
    """What a request did at the plain upstream; empty when it was refused or harmless."""
    done: set[str] = set()
    seen = 0

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):
                return self.serve
            raise AttributeError(name)

        def serve(self) -> None:
            nonlocal seen
            seen += 1
            done.update(harm_of(self.command, self.path, self.headers.items(), self.rfile))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """The log is of no interest."""

        def log_request(self, *_: Any) -> None:
            """Nor is this one."""

    with contextlib.suppress(ValueError, OSError, UnicodeError):
        Handler(_Wire(raw), ("127.0.0.1", 1), None)  # type: ignore[arg-type]
    if seen > 1:
        done.add("a second request")
    return done


def harm_of(method: str, target: str, headers: Any, body: io.BufferedIOBase) -> set[str]:
    """What one request does to a trusting service."""
    done: set[str] = set()
    fields = [(re.sub(r"[-_.]", "-", name).lower().strip(), value) for name, value in headers]
    names = [name for name, _ in fields]
    values = dict(reversed(fields))
    path = unquote(unquote(urlsplit(target).path if "://" in target else target.partition("?")[0])).replace("\\", "/")
    tidy = posixpath.normpath("/" + re.sub(r";[^/]*", "", path).lstrip("/"))
    if tidy.startswith("/admin"):
        done.add("a page that was not meant for it")
    if tidy.rstrip("/") + "/" != target.partition("?")[0].rstrip("/") + "/" or not target.startswith("/"):
        done.add("another path than the one that was sent")
    done.update(f"believed {name}" for name in TRUSTED.intersection(names))
    done.update(f"heard {name}" for name in (HOP | {"cookie", "authorization"}).intersection(names) - {"cookie"})
    done.update(f"read {name} twice" for name in set(names) if names.count(name) > 1)
    if method not in ("GET", "HEAD", "OPTIONS") and _is_of_another_site(values):
        done.add("an action for another site")
    if "cookie" not in names:
        done.add("an answer to a stranger")
    if method not in METHODS:
        done.add("a method of somebody's own")
    if sum(len(name) + len(value) for name, value in fields) + len(target) > LARGE:
        done.add("more than it can hold")
    if any(not value.isprintable() or not value.isascii() for _, value in fields):
        done.add("bytes with two readings")
    if any(mark in target for mark in "\t\r#") or not target.isascii():
        done.add("bytes with two readings")
    done.update(_harm_of_body(values, body))
    return done


def _is_of_another_site(values: dict[str, str]) -> bool:
    """Whether a page of another site may have made the request."""
    is_form = values.get("content-type", "").startswith(("text/plain", "multipart/", "application/x-www-form"))
    is_foreign = "evil" in values.get("origin", "") or values.get("origin") == "null"
    return is_form or is_foreign or values.get("sec-fetch-site") == "cross-site"


def _harm_of_body(values: dict[str, str], body: io.BufferedIOBase) -> set[str]:
    if "transfer-encoding" in values and "content-length" not in values:
        return {"a body that it did not see"}
    try:
        length = int(values.get("content-length", "0"))
    except ValueError:
        return {"a crash"}
    data = body.read(min(max(length, 0), 1_000_000))
    done = {"a cut body"} if len(data) < length or length < 0 else set()
    if values.get("content-encoding", "identity") != "identity":
        done.add("a body in another coding")
    if data and "json" in values.get("content-type", ""):
        try:
            document = json.loads(data)
            if json.dumps(document, separators=(",", ":")) != data.decode("utf-8").replace(" ", ""):
                done.add("a document with two readings")
        except (ValueError, RecursionError):
            done.add("a crash")
    return done
