"""Hostile requests as data: techniques, each with a reason and at most five cases.

In the bytes of a case ``@ID@`` stands for its name, ``@HOST@`` for the address that it is sent to and ``@COOKIE@`` for
the cookie of a good session. What a case wants to smuggle in is always a request for ``/admin/``, which no table has.
"""

from __future__ import annotations

from itertools import chain
from typing import NamedTuple

ADMIN = b"GET /admin/ HTTP/1.1\r\nHost: @HOST@\r\nX-Request-ID: smuggled-0001\r\n\r\n"
OBJECT = b'{"a": 1}'
CHUNKED = b"Transfer-Encoding: chunked"
CHUNKS = b'8\r\n{"a": 1}\r\n0\r\n\r\n'


class Technique(NamedTuple):
    """A way to be misread."""

    family: str
    name: str
    reason: str
    requests: tuple[bytes, ...]


class Case(NamedTuple):
    """One request, with a name that is a valid request id."""

    name: str
    technique: Technique
    raw: bytes


def get(target: bytes, *lines: bytes, method: bytes = b"GET", version: bytes = b"HTTP/1.1", body: bytes = b"") -> bytes:
    """A request with a good session; ``lines`` are further header lines, as they are."""
    head = [method + b" " + target + b" " + version, b"Host: @HOST@", b"X-Request-ID: @ID@", b"Cookie: @COOKIE@"]
    return b"\r\n".join([*head, b"X-Requested-With: fetch", *lines]) + b"\r\n\r\n" + body


def line(request_line: bytes) -> bytes:
    """A request whose first line is as it is."""
    return get(b"@@").replace(b"GET @@ HTTP/1.1", request_line)


def post(*lines: bytes, body: bytes = b"", target: bytes = b"/api/items", method: bytes = b"POST") -> bytes:
    """A request with a JSON type and without a length."""
    return get(target, b"Content-Type: application/json", *lines, method=method, body=body)


def sized(body: bytes, *lines: bytes, target: bytes = b"/api/items", kind: bytes = b"application/json") -> bytes:
    """A POST with a body and its length."""
    return get(target, b"Content-Type: " + kind, b"Content-Length: %d" % len(body), *lines, method=b"POST", body=body)


def chunked(body: bytes, target: bytes = b"/api/items") -> bytes:
    return post(CHUNKED, body=body, target=target)


def cookies(*lines: bytes) -> bytes:
    """A GET whose cookie lines are as they are."""
    return get(b"/api/items").replace(b"Cookie: @COOKIE@", b"\r\n".join(b"Cookie: " + cookie for cookie in lines))


def bare(raw: bytes, *, name: bytes) -> bytes:
    """The request without the header line that begins with a name."""
    return b"\r\n".join(each for each in raw.split(b"\r\n") if not each.startswith(name))


def _technique(family: str, name: str, reason: str, *requests: bytes) -> Technique:
    return Technique(family, name, reason, requests)


def _framing(name: str, reason: str, *requests: bytes) -> Technique:
    return _technique("framing", name, reason, *requests)


def _header(name: str, reason: str, *requests: bytes) -> Technique:
    return _technique("headers", name, reason, *requests)


def _path(name: str, reason: str, *requests: bytes) -> Technique:
    return _technique("paths", name, reason, *requests)


ITEM = b"/api/items/"
SMUGGLED_CHUNK = b"0\r\n\r\n" + ADMIN

FRAMING = (
    _framing(
        "both lengths",
        "one reader goes by Content-Length, the next by the chunks",
        post(b"Content-Length: 6", CHUNKED, body=SMUGGLED_CHUNK),
        post(CHUNKED, b"Content-Length: 6", body=SMUGGLED_CHUNK),
        post(b"Content-Length: %d" % len(SMUGGLED_CHUNK), CHUNKED, body=SMUGGLED_CHUNK),
        post(b"Content-Length: 0", CHUNKED, body=CHUNKS),
        post(b"Content-Length: 4", CHUNKED, body=b"5c\r\n" + ADMIN + b"\r\n0\r\n\r\n", target=b"/api/raw"),
    ),
    _framing(
        "disguised coding",
        "a value that only one reader takes for chunked",
        *[
            post(b"Transfer-Encoding: " + value, b"Content-Length: 6", body=SMUGGLED_CHUNK)
            for value in (b"xchunked", b"\x0bchunked", b'"chunked"', b"chunked\x00", b"chunked;q=1")
        ],
    ),
    _framing(
        "repeated coding",
        "the first or the last of two codings",
        post(b"Transfer-Encoding: identity", CHUNKED, body=SMUGGLED_CHUNK),
        post(CHUNKED, b"Transfer-Encoding: identity", body=SMUGGLED_CHUNK),
        post(CHUNKED, CHUNKED, body=SMUGGLED_CHUNK),
        post(b"Transfer-Encoding: chunked, chunked", body=SMUGGLED_CHUNK),
        post(b"Transfer-Encoding: chunked, identity", body=SMUGGLED_CHUNK),
    ),
    _framing(
        "disguised coding name",
        "a name that only one reader takes for Transfer-Encoding",
        *[
            post(name + b": chunked", b"Content-Length: %d" % len(SMUGGLED_CHUNK), body=SMUGGLED_CHUNK)
            for name in (
                b"Transfer-Encoding ",
                b"Transfer_Encoding",
                b"Transfer-Encoding\t",
                b" Transfer-Encoding",
                b"X: y\nTransfer-Encoding",
            )
        ],
    ),
    _framing(
        "unknown coding",
        "a body whose end nobody can tell",
        *[
            post(b"Transfer-Encoding: " + value, body=CHUNKS)
            for value in (b"gzip", b"gzip, chunked", b"identity", b"", b"chunked, gzip")
        ],
    ),
    _framing(
        "coding in HTTP/1.0",
        "HTTP/1.0 has no chunks, yet some read them",
        post(CHUNKED, body=SMUGGLED_CHUNK).replace(b"HTTP/1.1", b"HTTP/1.0", 1),
        post(CHUNKED, b"Content-Length: 6", body=SMUGGLED_CHUNK).replace(b"HTTP/1.1", b"HTTP/1.0", 1),
        post(CHUNKED, b"Connection: keep-alive", body=SMUGGLED_CHUNK).replace(b"HTTP/1.1", b"HTTP/1.0", 1),
    ),
    _framing(
        "length that is no number",
        "a lenient conversion reads another number than the next one",
        *[post(b"Content-Length: " + value, body=OBJECT + ADMIN) for value in (b"+8", b"-1", b"0x8", b"8 8", b"8.0")],
    ),
    _framing(
        "repeated length",
        "the first or the last of two lengths",
        post(b"Content-Length: 8", b"Content-Length: 0", body=OBJECT),
        post(b"Content-Length: 0", b"Content-Length: 8", body=OBJECT),
        post(b"Content-Length: 8, 0", body=OBJECT),
        post(b"Content-Length: 8", b"Content-Length: 8", body=OBJECT),
        post(b"Content-Length: 8", b"Content_Length: 0", body=OBJECT),
    ),
    _framing(
        "odd length",
        "overflow, leading zeros and foreign digits",
        *[
            post(b"Content-Length: " + value, body=OBJECT)
            for value in (b"9223372036854775808", b"18446744073709551624", b"9" * 40, b"008", "٨".encode())
        ],
    ),
    _framing(
        "length too short",
        "what is behind the body is the next request",
        post(b"Content-Length: 8", body=OBJECT + ADMIN),
        post(b"Content-Length: 0", body=ADMIN),
        post(body=ADMIN),
        post(b"Content-Length: 2", body=b"{}\r\n\r\n" + ADMIN),
        sized(b"x", target=b"/api/raw") + b"\n" + ADMIN,
    ),
    _framing(
        "length too long",
        "a body that never ends, or ends early",
        post(b"Content-Length: 9", body=OBJECT),
        post(b"Content-Length: 100000", body=OBJECT, target=b"/api/raw"),
        post(b"Content-Length: 8"),
    ),
    _framing(
        "chunk size syntax",
        "a lenient conversion of the size",
        *[chunked(size + b'\r\n{"a": 1}\r\n' + SMUGGLED_CHUNK) for size in (b"0x8", b"+8", b" 8", b"8_", b"-8")],
    ),
    _framing(
        "chunk extension",
        "line ends and lengths hidden in an extension",
        chunked(b'8;a=b\r\n{"a": 1}\r\n0\r\n\r\n'),
        chunked(b'8;a\nb\r\n{"a": 1}\r\n' + SMUGGLED_CHUNK),
        chunked(b"8;" + b"a" * 20_000 + b'\r\n{"a": 1}\r\n0\r\n\r\n'),
        chunked(b'8 ; a="\r\n"\r\n{"a": 1}\r\n' + SMUGGLED_CHUNK),
        chunked(b'8;\x00\r\n{"a": 1}\r\n0\r\n\r\n'),
    ),
    _framing(
        "chunk line ends",
        "line ends that only some take for one",
        chunked(b'8\n{"a": 1}\n0\n\n' + ADMIN),
        chunked(b'8\r{"a": 1}\r\n' + SMUGGLED_CHUNK),
        chunked(b'8\r\n{"a": 1}' + SMUGGLED_CHUNK),
        chunked(b'8\r\n{"a": 1}XX' + SMUGGLED_CHUNK),
        chunked(b'8\r\r\n{"a": 1}\r\n' + SMUGGLED_CHUNK),
    ),
    _framing(
        "chunk size overflow",
        "a size that wraps around",
        chunked(b'10000000000000008\r\n{"a": 1}\r\n' + SMUGGLED_CHUNK),
        chunked(b"f" * 40 + b'\r\n{"a": 1}\r\n' + SMUGGLED_CHUNK),
        chunked(b"FFFFFFFFFFFFFFF8" + b'\r\n{"a": 1}\r\n' + SMUGGLED_CHUNK),
        chunked(b"0" * 30 + b'8\r\n{"a": 1}\r\n0\r\n\r\n'),
        chunked(b"8" + b"0" * 7 + b'\r\n{"a": 1}\r\n'),
    ),
    _framing(
        "trailers",
        "fields behind the body that count as headers",
        chunked(b'8\r\n{"a": 1}\r\n0\r\nContent-Length: 50\r\n\r\n'),
        chunked(b'8\r\n{"a": 1}\r\n0\r\nAuthorization: JWT forged\r\nX-User: root\r\n\r\n'),
        chunked(b'8\r\n{"a": 1}\r\n0\r\nHost: evil.example\r\n\r\n' + ADMIN),
        chunked(b'8\r\n{"a": 1}\r\n0\r\nX: y\n\r\n' + ADMIN),
        chunked(b'8\r\n{"a": 1}\r\n0\r\nno colon\r\n\r\n'),
    ),
    _framing(
        "end of chunks",
        "no end, two ends, an end of another spelling",
        chunked(b'8\r\n{"a": 1}\r\n'),
        chunked(b'8\r\n{"a": 1}\r\n000\r\n\r\n' + ADMIN),
        chunked(b'8\r\n{"a": 1}\r\n0\r\n\r\n0\r\n\r\n' + ADMIN),
        chunked(b'8\r\n{"a": 1}\r\n\r\n' + ADMIN),
        chunked(SMUGGLED_CHUNK, target=b"/api/raw"),
    ),
    _framing(
        "pipelining",
        "a second request on the same connection, checked or not",
        get(b"/api/items") + ADMIN,
        sized(b"x", target=b"/api/raw") + ADMIN,
        get(b"/api/items", method=b"HEAD") + ADMIN,
        b"\r\n\r\n" + get(b"/api/items") + ADMIN,
        get(b"/api/items") + b"\x00" + ADMIN,
    ),
    _framing(
        "body without a place",
        "a body that the next one takes for a request",
        get(b"/api/items", b"Content-Length: %d" % len(ADMIN), body=ADMIN),
        get(b"/api/items", CHUNKED, body=b"5c\r\n" + ADMIN + b"\r\n0\r\n\r\n"),
        get(b"/api/items", b"Content-Length: %d" % len(ADMIN), method=b"HEAD", body=ADMIN),
        get(b"/api/items/7", b"Content-Length: %d" % len(ADMIN), method=b"DELETE", body=ADMIN),
        get(b"/api/items", b"Content-Length: %d" % len(ADMIN), method=b"OPTIONS", body=ADMIN),
    ),
    _framing(
        "bare LF",
        "a line end for some, a part of the value for others",
        get(b"/api/items").replace(b"\r\n", b"\n"),
        get(b"/api/items", b"Accept: a\nX-User: root"),
        get(b"/api/items").replace(b"HTTP/1.1\r\n", b"HTTP/1.1\n", 1),
        get(b"/api/items", b"Accept: a\n") + ADMIN,
        get(b"/api/items", b"Accept: a\n\nGET /admin/ HTTP/1.1\nHost: x"),
    ),
    _framing(
        "bare CR",
        "as above, with the other half",
        get(b"/api/items", b"Accept: a\rX-User: root"),
        get(b"/api/items").replace(b"\r\n", b"\r"),
        get(b"/api/items", b"Accept: a\r\rGET /admin/ HTTP/1.1\rHost: x"),
        get(b"/api/items", b"Acc\rept: a"),
        line(b"GET /api/items\r HTTP/1.1"),
    ),
    _framing(
        "folded line",
        "a header that goes on in the next line, for some",
        get(b"/api/items", b"Accept: a\r\n X-User: root"),
        post(b"Content-Length: 8\r\n 0", body=OBJECT),
        post(b"Content-Length:\r\n 8", body=OBJECT),
        post(b"Transfer-Encoding:\r\n\tchunked", body=SMUGGLED_CHUNK),
        get(b"/api/items").replace(b"Host:", b" Host:", 1),
    ),
    _framing(
        "control characters",
        "NUL and its kin end a value for some",
        *[get(b"/api/items", b"User-Agent: a" + mark + b"b") for mark in (b"\x00", b"\x0b", b"\x7f", b"\x1b[2J")],
        get(b"/api/items", b"Acc\x00ept: a"),
    ),
    _framing(
        "absolute form",
        "a whole URL in place of the path",
        get(b"http://evil.example/api/items"),
        get(b"http://@HOST@/api/items"),
        get(b"http://@HOST@@evil.example/api/items"),
        get(b"http://@HOST@/admin/"),
        get(b"https://169.254.169.254/api/items"),
    ),
    _framing(
        "other forms",
        "targets that are no path at all",
        line(b"CONNECT evil.example:443 HTTP/1.1"),
        line(b"GET * HTTP/1.1"),
        line(b"OPTIONS * HTTP/1.1"),
        line(b"GET evil.example:80 HTTP/1.1"),
        line(b"GET ?x=/api/items HTTP/1.1"),
    ),
    _framing(
        "version",
        "protocols that are not spoken here",
        line(b"GET /api/items"),
        line(b"GET /api/items HTTP/2.0"),
        line(b"GET /api/items HTTP/1.10"),
        line(b"GET /api/items http/1.1"),
        line(b"GET /api/items HTTP/1.1 HTTP/1.0"),
    ),
    _framing(
        "blanks in the first line",
        "another target for everyone who splits in another way",
        line(b"GET  /api/items HTTP/1.1"),
        line(b"GET\t/api/items\tHTTP/1.1"),
        line(b" GET /api/items HTTP/1.1"),
        line(b"GET /api/items /admin/ HTTP/1.1"),
        line(b"GET /api/items\x0bHTTP/1.1 HTTP/1.1"),
    ),
    _framing(
        "host",
        "no host, two hosts, another host",
        bare(get(b"/api/items"), name=b"Host"),
        get(b"/api/items", b"Host: evil.example"),
        get(b"/api/items").replace(b"Host: @HOST@", b"Host: evil.example"),
        get(b"/api/items").replace(b"Host: @HOST@", b"Host: user@evil.example/x"),
        get(b"/api/items").replace(b"Host: @HOST@", b"Host:"),
    ),
    _framing(
        "expectation",
        "an interim answer that somebody takes for the answer",
        post(b"Expect: 100-continue", b"Content-Length: 8", body=OBJECT),
        get(b"/api/items", b"Expect: 100-continue"),
        post(b"Expect: 200-ok", b"Content-Length: 8", body=OBJECT),
        post(b"Expect: 100-continue", b"Expect: x", b"Content-Length: 8", body=OBJECT),
        post(b"Expect: 100-continue", CHUNKED, body=CHUNKS),
    ),
    _framing(
        "another protocol",
        "an upgrade opens a tunnel past every check",
        get(
            b"/api/items", b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQAAP__"
        ),
        get(
            b"/api/items",
            b"Connection: Upgrade",
            b"Upgrade: websocket",
            b"Sec-WebSocket-Version: 13",
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
        b"\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03" + b"\x00" * 36,
        b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n" + get(b"/api/items"),
    ),
)

HEADERS = (
    _header(
        "underscore names",
        "WSGI and CGI take _ for -",
        get(b"/api/items", b"X_User: root"),
        get(b"/api/items", b"X_Forwarded_For: 10.0.0.1"),
        get(b"/api/items", b"Remote_User: root"),
        get(b"/api/items", b"Accept_Language: de"),
        sized(b"{}", b"Stripe_Signature: forged", target=b"/api/raw"),
    ),
    _header(
        "dotted names",
        "as above, with dots",
        get(b"/api/items", b"X.User: root"),
        get(b"/api/items", b"X.Forwarded.For: 10.0.0.1"),
        get(b"/api/items", b"Remote.User: root"),
        get(b"/api/items", b"X.Real.IP: 10.0.0.1"),
    ),
    _header(
        "identity headers",
        "upstreams behind a sign-in proxy believe them",
        *[
            get(b"/api/items", name + b": root")
            for name in (b"X-User", b"Remote-User", b"X-Forwarded-User", b"X-Auth-Request-Email", b"X-Remote-User")
        ],
    ),
    _header(
        "forwarding headers",
        "the client says where it comes from",
        get(b"/api/items", b"X-Forwarded-For: 10.0.0.1"),
        get(b"/api/items", b"Forwarded: for=10.0.0.1;host=evil.example"),
        get(b"/api/items", b"X-Real-IP: 10.0.0.1", b"True-Client-IP: 10.0.0.1"),
        get(b"/api/items", b"X-Forwarded-Host: evil.example", b"X-Forwarded-Proto: javascript"),
        get(b"/api/items", b"Via: 1.1 a, 1.1 b"),
    ),
    _header(
        "rewrite headers",
        "some upstreams take the path from a header",
        *[
            get(b"/api/items", name + b": /admin/")
            for name in (
                b"X-Original-URL",
                b"X-Rewrite-URL",
                b"X-Forwarded-Uri",
                b"X-Forwarded-Prefix",
                b"X-Script-Name",
            )
        ],
    ),
    _header(
        "internal headers",
        "a header that switches a check off",
        get(b"/api/admin", b"x-middleware-subrequest: middleware:middleware:middleware"),
        bare(get(b"/api/items", b"wsgiproxy_hs.access_token: forged"), name=b"Cookie"),
        bare(get(b"/api/items", b"X-Internal: 1", b"X-Debug: 1"), name=b"Cookie"),
        bare(get(b"/api/items", b"User-Agent: kube-probe/1.0"), name=b"Cookie"),
    ),
    _header(
        "repeated headers",
        "the first or the last of two",
        get(b"/api/items", b"Accept: a/b", b"Accept: c/d"),
        get(b"/api/items", b"User-Agent: a", b"User-Agent: b"),
        sized(OBJECT, b"Content-Type: text/html"),
        get(b"/api/items", b"Range: bytes=0-1", b"Range: bytes=2-3"),
        get(b"/api/items", b"Idempotency-Key: a", b"Idempotency-Key: b"),
    ),
    _header(
        "credentials of the client",
        "a token of the attacker's in place of the session's",
        get(b"/api/items", b"Authorization: JWT forged"),
        bare(get(b"/api/items", b"Authorization: JWT forged"), name=b"Cookie"),
        bare(get(b"/api/public", b"Authorization: Bearer forged"), name=b"Cookie"),
        get(b"/api/items", b"Authorization: a", b"Authorization: JWT b"),
        get(b"/api/public", b"Proxy-Authorization: Basic cm9vdDpyb290"),
    ),
    _header(
        "listed in Connection",
        "the proxy is told to drop its own headers",
        *[
            get(b"/api/items", b"Connection: " + names)
            for names in (b"Authorization", b"Host, Via", b"X-Forwarded-For", b"close, Cookie", b"X-Request-ID")
        ],
    ),
    _header(
        "hop-by-hop headers",
        "meant for this hop and no other",
        get(b"/api/items", b"TE: trailers, deflate"),
        get(b"/api/items", b"Keep-Alive: timeout=1, max=1"),
        get(b"/api/items", b"Proxy-Connection: keep-alive"),
        get(b"/api/items", b"Trailer: X-User"),
        get(b"/api/items", b"Max-Forwards: 0"),
    ),
    _header(
        "large headers",
        "more than somebody on the way can hold",
        get(b"/api/items", b"User-Agent: " + b"a" * 70_000),
        get(b"/api/items", *[b"X-%d: a" % number for number in range(500)]),
        get(b"/api/items", b"X-" + b"a" * 20_000 + b": b"),
        get(b"/api/items", b"Accept: " + b"a/b, " * 1_500),
        cookies(b"; ".join(b"c%d=%d" % (number, number) for number in range(900)) + b"; @COOKIE@"),
    ),
    _header(
        "names that are none",
        "what is no token is read in many ways",
        *[get(b"/api/items", name + b": root") for name in (b"X(User)", b"", b"X User", b"X-Us\xc3\xa9r", b"X-User:")],
    ),
    _header(
        "bytes above ASCII",
        "one text in two encodings",
        get(b"/api/items", b"User-Agent: \xe9\xff"),
        get(b"/api/items", "Accept-Language: Zürich ✓".encode()),
        get(b"/api/items", b"Last-Event-ID: \xed\xa0\x80"),
        get(b"/api/items", "Accept: \u560a\u560dX-User: root".encode()),
        get(b"/api/items", b"User-Agent: \x85\xa0"),
    ),
    _header(
        "coded body",
        "the check sees other bytes than the upstream",
        *[sized(OBJECT, b"Content-Encoding: " + value) for value in (b"gzip", b"identity", b"br, gzip", b"x-gzip")],
        sized(b"\x1f\x8b\x08", b"Content-Encoding: gzip", target=b"/api/raw"),
    ),
    _header(
        "body type",
        "a type that goes round the check",
        sized(b"a=1", kind=b"application/x-www-form-urlencoded"),
        sized(OBJECT, kind=b"application/json; charset=utf-16"),
        sized(OBJECT, kind=b"text/plain"),
        sized(OBJECT, kind=b"multipart/form-data; boundary=a"),
        sized(OBJECT, kind=b"application/json, text/html"),
    ),
    _header(
        "method override",
        "a harmless method becomes a harmful one",
        get(b"/api/items", b"X-HTTP-Method-Override: DELETE"),
        get(b"/api/items", b"X-HTTP-Method: DELETE"),
        sized(OBJECT, b"X-Method-Override: DELETE"),
        sized(OBJECT, b"X_HTTP_Method_Override: DELETE"),
        sized(OBJECT, b"X.HTTP.Method.Override: DELETE"),
    ),
)

METHODS = tuple(
    _technique("methods", *row)
    for row in (
        (
            "unknown methods",
            "a row that names none is open to all",
            *[get(b"/api/public", method=method) for method in (b"TRACE", b"TRACK", b"PROPFIND", b"DEBUG", b"PURGE")],
        ),
        (
            "spelling of methods",
            "methods are case-sensitive, but not for everyone",
            *[get(b"/api/items", method=method) for method in (b"get", b"Get", b"GET\x00", b"G\xcbT", b"G" * 9_000)],
        ),
        (
            "methods of another row",
            "a path is known, the method is not",
            get(b"/api/public", method=b"DELETE"),
            get(b"/api/public", b"Content-Length: 0", method=b"POST"),
            get(b"/api/raw", method=b"GET"),
            get(b"/api/items/7", b"Content-Length: 0", method=b"PATCH"),
            get(b"/api/rest/a", b"Content-Length: 0", method=b"PUT"),
        ),
    )
)

PATHS = (
    _path(
        "dots",
        "climbing out of what the row allows",
        *[
            get(path)
            for path in (
                b"/api/items/../../admin/",
                b"/api/items/./7",
                b"/api/rest/../../admin/",
                b"/api/rest/a/./../../../admin/",
                b"/../api/items",
            )
        ],
    ),
    _path(
        "encoded dots",
        "dots that are decoded behind the check",
        *[
            get(path)
            for path in (
                b"/api/items/%2e%2e",
                b"/api/rest/%2e%2e/%2e%2e/admin/",
                b"/api/items/.%2E",
                b"/api/rest/a/%2e%2e%2f%2e%2e%2fadmin/",
                b"/%2e%2e/api/items",
            )
        ],
    ),
    _path(
        "encoded slashes",
        "one segment here, two there",
        *[
            get(path)
            for path in (
                b"/api/items/a%2fb",
                b"/api/items/7%2F..%2F..%2Fadmin",
                b"/api/rest/a%2Fb",
                b"/api%2fitems",
                b"/api/items%2f",
            )
        ],
    ),
    _path(
        "double encoding",
        "decoded once more than was checked",
        *[
            get(path)
            for path in (
                b"/api/items/%252e%252e",
                b"/api/items/a%252fb",
                b"/api/rest/%25252e%25252e/admin",
                b"/api/items/%25%32%65",
                b"/api/items/a%2500",
            )
        ],
    ),
    _path(
        "backslashes",
        "a slash for some",
        *[
            get(path)
            for path in (
                b"/api/items/..\\..\\admin",
                b"/api/items/a%5cb",
                b"/api\\items",
                b"\\\\evil.example\\api\\items",
                b"/api/rest/..%5c..%5cadmin",
            )
        ],
    ),
    _path(
        "parameters of a segment",
        "servlets cut at the semicolon",
        *[
            get(path)
            for path in (
                b"/api/items/7;admin=1",
                b"/api/items/..;/admin",
                b"/api/public;/../admin",
                b"/api/items/7%3badmin=1",
                b"/api/rest/a;b/c",
            )
        ],
    ),
    _path(
        "fragments",
        "never sent by a browser, and kept by some",
        *[
            get(path)
            for path in (
                b"/api/items#/admin",
                b"/api/items/7#",
                b"/api/items/a%23b",
                b"/api/items?x#y",
                b"/api/rest/a#b",
            )
        ],
    ),
    _path(
        "empty segments",
        "merged by some, another host for others",
        *[
            get(path)
            for path in (
                b"//evil.example/api/items",
                b"/api//items",
                b"/api/items//7",
                b"/api/items//",
                b"/api/rest//evil.example/",
            )
        ],
    ),
    _path(
        "encoded controls",
        "a line end in a path is one in a log and in a header",
        *[
            get(path)
            for path in (
                b"/api/items/a%0d%0aX-User:%20root",
                b"/api/items/a%00",
                b"/api/items/a%0a",
                b"/api/rest/a%0d%0a%0d%0aGET%20/admin/%20HTTP/1.1",
                b"/api/items/a%7f",
            )
        ],
    ),
    _path(
        "broken UTF-8",
        "overlong and half characters become something else",
        *[
            get(path)
            for path in (
                b"/api/items/%c0%ae%c0%ae",
                b"/api/items/%ff",
                b"/api/items/%ed%a0%80",
                b"/api/items/\xff",
                b"/api/rest/%c0%af..%c0%afadmin",
            )
        ],
    ),
    _path(
        "broken escapes",
        "kept, doubled or cut",
        *[
            get(path)
            for path in (
                b"/api/items/%",
                b"/api/items/%zz",
                b"/api/items/%2",
                b"/api/items/%u002e%u002e",
                b"/api/rest/a%%32f",
            )
        ],
    ),
    _path(
        "unicode",
        "characters that become others when normalised",
        *[
            get(path)
            for path in (
                "/api/items/．．/admin".encode(),
                b"/api/items/%ef%bc%8fadmin",
                b"/api/items/%e2%80%8b7",
                b"/api/%ef%bd%89tems",
                b"/api/items/%c3%a9",
            )
        ],
    ),
    _path(
        "long targets",
        "more than somebody on the way can hold",
        get(b"/api/items/" + b"a" * 3_000),
        get(b"/api/items/" + b"a" * 70_000),
        get(b"/api/items?" + b"a" * 70_000),
        get(b"/api/rest/" + b"a/" * 1_500),
        get(b"/api/items/" + b"%25" * 1_000),
    ),
    _path(
        "queries",
        "travels byte for byte, and so must hold nothing that ends the line",
        *[
            get(path)
            for path in (
                b"/api/items?x=%0d%0aX-User:root",
                b"/api/items?next=//evil.example/%2e%2e/",
                b"/api/items?_method=DELETE",
                b"/api/items?\xff=\x80",
                b"/api/items?x=a\tb",
            )
        ],
    ),
    _path(
        "outside the prefix",
        "near the table, not in it",
        *[get(path) for path in (b"/v1/items/", b"/API/items", b"/apiitems", b"/api", b"/api/rest")],
    ),
)

COOKIES = tuple(
    _technique("cookies", *row)
    for row in (
        (
            "tossed cookies",
            "a sibling domain sets a cookie of the same name",
            cookies(b"authjs.session-token=evil; @COOKIE@"),
            cookies(b"@COOKIE@; authjs.session-token=evil"),
            cookies(b"authjs.session-token.0=evil; @COOKIE@; authjs.session-token.1=evil"),
            cookies(b"__Host-authjs.session-token=evil; @COOKIE@"),
            cookies(b"authjs.session-token=evil"),
        ),
        (
            "several cookie lines",
            "joined by a comma, by some",
            cookies(b"a=1", b"@COOKIE@"),
            cookies(b"@COOKIE@", b"a=1"),
            cookies(b"a=1, @COOKIE@"),
            cookies(b"a=1", b"b=2", b"c=3"),
        ),
        (
            "broken cookies",
            "a neighbour that stops a parser",
            cookies(b'a={"x": 1}; @COOKIE@'),
            cookies(b"; =; a; ,; @COOKIE@"),
            cookies(b"a=\xff\xfe; @COOKIE@"),
            cookies(b'a="; @COOKIE@'),
            cookies(b"a=%; $Version=1; @COOKIE@"),
        ),
        (
            "forged cookies",
            "a session that nobody sealed",
            cookies(b"authjs.session-token=eyJhbGciOiJub25lIn0..."),
            cookies(
                b"authjs.session-token=eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAAAAAAAAAAAAAA.AA.AAAAAAAAAAAAAAAAAAAAAA"
            ),
            cookies(b"@COOKIE@A"),
            cookies(b"authjs_session-token=a; authjs.session-tokenX=b"),
            cookies(b"@COOKIE@".replace(b"@COOKIE@", b"next-auth.session-token=..."), b"session=eyJ1c2VyIjoxfQ.a.b"),
        ),
        (
            "no cookie",
            "a row that needs a session is asked for without one",
            bare(get(b"/api/items"), name=b"Cookie"),
            bare(sized(OBJECT), name=b"Cookie"),
            bare(sized(b"x", target=b"/api/raw/a"), name=b"Cookie"),
            get(b"/api/items").replace(b"Cookie:", b"Coo_kie:"),
            get(b"/api/items").replace(b"Cookie:", b"X-Cookie:"),
        ),
        (
            "another site",
            "the browser adds the cookie to a request that another site made",
            sized(OBJECT, b"Origin: https://evil.example"),
            sized(OBJECT, b"Origin: null"),
            sized(OBJECT, b"Sec-Fetch-Site: cross-site"),
            bare(sized(OBJECT, kind=b"text/plain"), name=b"X-Requested-With"),
            sized(OBJECT, b"Origin: http://@HOST@", b"Origin: https://evil.example"),
        ),
    )
)

BODIES = tuple(
    _technique("bodies", *row)
    for row in (
        (
            "JSON with two readings",
            "the check reads one value, the upstream the other",
            *[
                sized(body)
                for body in (
                    b'{"a": 1, "a": 2}',
                    b'{"a": NaN}',
                    b'{"a": "\\ud800"}',
                    b'{"a": 1}{"a": 2}',
                    b'{"a": "\\u0000"}',
                )
            ],
        ),
        (
            "JSON in other clothes",
            "encodings, depth and size",
            sized('{"a": 1}'.encode("utf-16")),
            sized(b"\xef\xbb\xbf{}"),
            sized(b'{"a": ' + b"[" * 3_000 + b"]" * 3_000 + b"}"),
            sized(b'{"a": ' + b"9" * 5_000 + b"}"),
            sized(b'{"a": "\xff"}'),
        ),
    )
)

TECHNIQUES: tuple[Technique, ...] = (*FRAMING, *HEADERS, *METHODS, *PATHS, *COOKIES, *BODIES)
CASES: tuple[Case, ...] = tuple(
    Case(f"case-{number:04}", technique, raw)
    for number, (technique, raw) in enumerate(
        chain.from_iterable([(technique, raw) for raw in technique.requests] for technique in TECHNIQUES), 1
    )
)
