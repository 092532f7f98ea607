"""The rule: what reaches the upstream is one well-formed request that the table allows, or nothing.

Written from the standards and from what the table means, with nothing of the package in it: a checker that shared the
package's code would share its mistakes.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

SEGMENT = r"(?:[A-Za-z0-9._~!$&'()*+,=:@-]|%[0-9A-F]{2})+"
ALLOWED = {
    r"/v1/items/": ("GET", "HEAD", "POST"),
    rf"/v1/items/{SEGMENT}/": ("GET", "HEAD", "PUT", "DELETE"),
    r"/v1/public/": ("GET", "HEAD"),
    r"/v1/raw/": ("POST",),
    rf"/v1/raw/{SEGMENT}/": ("POST",),
    rf"/v1/rest/(?:{SEGMENT}|/)*": ("GET", "HEAD", "POST"),
}
WITHOUT_SESSION = ("/v1/public/", "/v1/raw/")
ALWAYS = {"host", "via", "forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-request-id"}
MAY = {
    "accept", "accept-encoding", "accept-language", "authorization", "content-encoding", "content-length",
    "content-type", "if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "range",
    "idempotency-key", "last-event-id", "user-agent", "traceparent", "tracestate",
}  # fmt: skip
HEAD = re.compile(rb"([A-Z]+) ([!-~]+(?:\?[!-~\x80-\xff]*)?) HTTP/1\.1\r\n((?:[A-Za-z0-9-]+: [^\r\n\x00]*\r\n)+)\r\n")
FIELD = re.compile(rb"([A-Za-z0-9-]+): ([^\r\n\x00]*)\r\n")


class Broken(AssertionError):
    """What reached the upstream is not what may."""


class Received(NamedTuple):
    """A request as the upstream got it."""

    method: str
    target: str
    fields: dict[str, str]
    body: bytes


class Told(NamedTuple):
    """What every request must say of the proxy and its client, to the byte."""

    upstream: str
    front: str
    authorization: str


def requests_in(data: bytes) -> list[Received]:
    """All requests of one connection.

    :raises Broken: unless they follow one another without a byte between them or behind them.
    """
    found = []
    while data:
        match = HEAD.match(data)
        if match is None:
            raise Broken(f"no well-formed head: {data[:200]!r}")
        fields: dict[str, str] = {}
        for name, value in FIELD.findall(match[3]):
            key = name.decode().lower()
            if key in fields:
                raise Broken(f"{key} stands twice: {match[0]!r}")
            fields[key] = value.decode("latin-1")
        length = fields.get("content-length", "0")
        if not re.fullmatch(r"0|[1-9][0-9]*", length):
            raise Broken(f"the length {length!r}")
        end = match.end() + int(length)
        if len(data) < end:
            raise Broken(f"a body of {len(data) - match.end()} bytes in place of {length}")
        found.append(Received(match[1].decode(), match[2].decode("latin-1"), fields, data[match.end() : end]))
        data = data[end:]
    return found


def check(request: Received, told: Told) -> None:
    """:raises Broken: unless the table allows the request and the proxy may have sent it so."""
    path = request.target.partition("?")[0]
    check_path(request.method, path)
    fields = request.fields
    names = set(fields)
    if not names >= ALWAYS or not names <= ALWAYS | MAY | ({"stripe-signature"} if path == "/v1/raw/" else set()):
        raise Broken(f"headers that may not or must travel: {sorted((ALWAYS - names) | (names - ALWAYS - MAY))}")
    given = {"host": told.upstream, "x-forwarded-host": told.front, "x-forwarded-proto": "http"}
    given["x-forwarded-for"] = "127.0.0.1"
    given["forwarded"] = f'for=127.0.0.1;host="{told.front}";proto=http'
    for name, value in given.items():
        if fields[name] != value:
            raise Broken(f"{name} is {fields[name]!r} and not ours")
    if not re.fullmatch(r"(?:.*, )?1\.[01] wsgiproxy_hs", fields["via"]):
        raise Broken(f"via is {fields['via']!r}")
    wanted = None if path in WITHOUT_SESSION else told.authorization
    if fields.get("authorization") != wanted:
        raise Broken("the authorization is not the session's")
    if (request.method in ("POST", "PUT")) != ("content-length" in fields):
        raise Broken(f"{request.method} with the fields {sorted(names)}")


def check_path(method: str, path: str) -> None:
    """:raises Broken: unless the table allows the path and nobody can read it in two ways."""
    rows = [methods for pattern, methods in ALLOWED.items() if re.fullmatch(pattern, path)]
    if not any(method in methods for methods in rows):
        raise Broken(f"the table does not allow {method} {path!r}")
    for segment in path.split("/"):
        decoded = segment
        for _ in range(5):
            if decoded in (".", "..") or re.search(r"[\x00-\x1f\x7f/\\;#]", decoded):
                raise Broken(f"a segment with two readings: {segment!r}")
            decoded = unquote(decoded)
