"""What is asked of httpbin: one row a request, by its behaviours."""

from __future__ import annotations

import gzip
from typing import NamedTuple

from tests.peers.wire import Headers, Question

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
EVERY_BYTE = bytes(range(256))
MULTIPART = "multipart/form-data; boundary=cut-here"
PARTS = (
    b'--cut-here\r\nContent-Disposition: form-data; name="title"\r\n\r\nS\xc3\xa4tze\r\n'
    b'--cut-here\r\nContent-Disposition: form-data; name="file"; filename="a b.bin"\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n\x00\x01\xff\r\n--cut-here--\r\n"
)


class Case(NamedTuple):
    """One request. Its name is what the tests call it."""

    name: str
    question: Question


def case(name: str, line: str, *headers: tuple[str, str], body: bytes | None = None) -> Case:
    """:param line: method and target."""
    method, _, target = line.partition(" ")
    return Case(name, Question(method, target, headers, body))


def typed(name: str, line: str, kind: str, body: bytes, *headers: tuple[str, str]) -> Case:
    """A request with a body of a type."""
    return case(name, line, ("Content-Type", kind), *headers, body=body)


def shows(*pairs: tuple[str, str]) -> Headers:
    """These headers, of a request whose answer shows all that arrived."""
    return (("User-Agent", "peers/1"), ("Accept", "*/*"), *pairs)


METHODS = [
    case("get", "GET /get"),
    case("post", "POST /post"),
    case("put", "PUT /put"),
    case("patch", "PATCH /patch"),
    case("delete", "DELETE /delete"),
    *(case(f"anything, {method}", f"{method} /anything/here") for method in ("GET", "POST", "PUT", "PATCH", "DELETE")),
    case("the wrong method", "GET /post"),
    case("another wrong method", "DELETE /get"),
    case("no such page", "GET /no-such-page"),
    case("the front page", "GET /"),
]

HEADS = [
    case(f"HEAD of {path}", f"HEAD {path}")
    for path in (
        "/get", "/html", "/image/png", "/bytes/32?seed=1", "/stream/2", "/stream-bytes/64?seed=1&chunk_size=7", "/gzip",
        "/drip?numbytes=2&duration=0", "/status/204", "/status/304", "/status/404", "/redirect/1", "/cache/60",
        "/range/30", "/basic-auth/ada/pass", "/anything?a=1", "/post", "/no-such-page",
    )
]  # fmt: skip

STATUSES = [
    case(f"status {status}", f"GET /status/{status}")
    for status in (
        200, 201, 202, 203, 204, 205, 206, 207, 226, 299, 300, 301, 302, 303, 304, 305, 307, 308, 399, 400, 401, 402,
        403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418, 421, 422, 423, 425, 426, 428,
        429, 431, 451, 499, 500, 501, 502, 503, 504, 505, 507, 511, 599,
    )
] + [case(f"status 409 to {method}", f"{method} /status/409") for method in ("POST", "PUT", "PATCH", "DELETE")]  # fmt: skip

CODINGS = [
    case("gzip", "GET /gzip", ("Accept-Encoding", "gzip")),
    case("gzip that nobody asked for", "GET /gzip"),
    case("deflate", "GET /deflate", ("Accept-Encoding", "deflate")),
    case("brotli", "GET /brotli", ("Accept-Encoding", "br, gzip;q=0.5")),
    case("utf-8", "GET /encoding/utf8"),
    case("base64", "GET /base64/SFRUUEJJTiBpcyBhd2Vzb21l"),
    case("base64 of bytes", "GET /base64/AAEC_w=="),
    case("base64 that is none", "GET /base64/!!!"),
    case("image, none asked for", "GET /image"),
    *(case(f"image/{kind}", f"GET /image/{kind}") for kind in ("png", "jpeg", "webp", "svg")),
    case("image by Accept", "GET /image", ("Accept", "image/webp")),
    case("image that is not to be had", "GET /image", ("Accept", "application/x-nothing")),
    *(
        case(f"page {path}", f"GET {path}")
        for path in ("/html", "/xml", "/json", "/robots.txt", "/deny", "/forms/post")
    ),
    case("a file", "GET /static/favicon.ico"),
]

STREAMS = [
    case("stream", "GET /stream/3", ("Accept", "*/*")),
    case("stream of none", "GET /stream/0"),
    case("drip", "GET /drip?numbytes=5&duration=0.2&delay=0"),
    case("drip after a delay", "GET /drip?numbytes=3&duration=0&delay=0.2"),
    case("drip with an error", "GET /drip?numbytes=3&duration=0.1&code=503"),
    case("drip of nothing", "GET /drip?numbytes=0"),
    case("bytes", "GET /bytes/1024?seed=7"),
    case("no bytes", "GET /bytes/0"),
    case("bytes, the most there are", "GET /bytes/102400?seed=7"),
    case("stream-bytes", "GET /stream-bytes/1000?seed=7"),
    case("stream-bytes in chunks of one", "GET /stream-bytes/50?seed=7&chunk_size=1"),
    case("stream-bytes in chunks of seven", "GET /stream-bytes/1000?seed=7&chunk_size=7"),
    case("stream-bytes in one chunk", "GET /stream-bytes/70000?seed=7&chunk_size=70000"),
    case("stream-bytes without bytes", "GET /stream-bytes/0?seed=7"),
    case("delay", "GET /delay/0.2"),
    case("delay of a POST", "POST /delay/0", body=b"x"),
    case("links", "GET /links/3/1"),
    case("links, which redirect", "GET /links/3"),
    case("uuid", "GET /uuid"),
]

RANGES = [
    case("range, whole", "GET /range/100"),
    *(
        case(f"range {value}", "GET /range/100", ("Range", f"bytes={value}"))
        for value in ("0-9", "10-", "-5", "99-99", "100-", "5-2", "0-0,5-9", "x-y")
    ),
    case("range in pieces", "GET /range/100?chunk_size=9&duration=0.1", ("Range", "bytes=3-60")),
    case("range if it is the same", "GET /range/100", ("Range", "bytes=0-9"), ("If-Range", '"range100"')),
    case("range if it is another", "GET /range/100", ("Range", "bytes=0-9"), ("If-Range", '"other"')),
    case("range of a file", "GET /static/favicon.ico", ("Range", "bytes=0-15")),
    case("range of a file, at its end", "GET /static/favicon.ico", ("Range", "bytes=-16")),
    case("range of a file, beyond it", "GET /static/favicon.ico", ("Range", "bytes=99999999-")),
    case("range of a file that has changed", "GET /static/favicon.ico", ("Range", "bytes=0-15"), ("If-Range", '"x"')),
]

SINCE = "Thu, 01 Jan 2026 00:00:00 GMT"
CONDITIONS = [
    case("cache", "GET /cache"),
    case("cache, known by tag", "GET /cache", ("If-None-Match", '"any"')),
    case("cache, known by date", "GET /cache", ("If-Modified-Since", SINCE)),
    case("cache for a minute", "GET /cache/60"),
    case("etag", "GET /etag/x"),
    *(
        case(f"etag, {name}: {value}", "GET /etag/x", (name, value))
        for name in ("If-None-Match", "If-Match")
        for value in ('"x"', 'W/"x"', '"y"', '"y", "x"', "*")
    ),
    case("etag, HEAD, 304", "HEAD /etag/x", ("If-None-Match", '"x"')),
    case("etag, HEAD, 412", "HEAD /etag/x", ("If-Match", '"y"')),
    case("a file since", "GET /static/favicon.ico", ("If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT")),
    case("a file before", "GET /static/favicon.ico", ("If-Modified-Since", "Thu, 01 Jan 1970 00:00:00 GMT")),
    case("a file unmodified since", "GET /static/favicon.ico", ("If-Unmodified-Since", SINCE)),
]

REDIRECTS = [
    case("redirect", "GET /redirect/1"),
    case("redirects", "GET /redirect/3"),
    case("redirect, relative", "GET /relative-redirect/2"),
    case("redirect, absolute", "GET /absolute-redirect/2"),
    case("redirect elsewhere", "GET /redirect-to?url=http://example.com/a?b=c%26d"),
    case("redirect beside", "GET /redirect-to?url=get"),
    case("redirect to a name only", "GET /redirect-to?url=//example.com/"),
    *(case(f"redirect by {code}", f"GET /redirect-to?url=/get&status_code={code}") for code in (301, 303, 307, 308)),
    case("redirect of a POST", "POST /redirect-to?url=/post&status_code=307", body=b"x"),
    case("redirect beyond ASCII", "GET /redirect-to?url=/caf%C3%A9"),
]

COOKIES = [
    case("cookies", "GET /cookies", ("Cookie", "a=1; b=2")),
    case("cookie set", "GET /cookies/set/a/1"),
    case("cookies set", "GET /cookies/set?a=1&b=2"),
    case("cookie deleted", "GET /cookies/delete?a"),
]

CREDENTIALS = [
    case("basic, without", "GET /basic-auth/ada/pass"),
    case("basic, wrong", "GET /basic-auth/ada/pass", ("Authorization", "Basic YWRhOm5v")),
    case("basic, right", "GET /basic-auth/ada/pass", ("Authorization", "Basic YWRhOnBhc3M=")),
    case("hidden basic", "GET /hidden-basic-auth/ada/pass"),
    case("bearer, without", "GET /bearer"),
    case("bearer, with", "GET /bearer", ("Authorization", "Bearer abc")),
    case("digest", "GET /digest-auth/auth/ada/pass"),
    case("digest by SHA-256", "GET /digest-auth/auth-int/ada/pass/SHA-256"),
]

BODIES = [
    typed("JSON", "POST /post", JSON, b'{ "b": 1.0, "a": "\xc3\xa9\\u00e9", "a": [] }'),
    typed("JSON with PUT", "PUT /put", JSON, b"[1, 2]"),
    typed("JSON with PATCH", "PATCH /patch", JSON, b"null"),
    typed("JSON with DELETE", "DELETE /delete", JSON, b'{"why": "so"}'),
    typed("JSON that is none", "POST /post", JSON, b"{"),
    typed("a form", "POST /post", FORM, b"a=1&a=2&b=%C3%A9+x&c="),
    typed("a form with PUT", "PUT /put", FORM, b"a=1"),
    typed("a form in parts", "POST /post", MULTIPART, PARTS),
    typed("a form in parts that are none", "POST /post", MULTIPART, b"--other\r\n"),
    typed("every byte", "POST /post", "application/octet-stream", EVERY_BYTE),
    typed("100 KB", "POST /post", "application/octet-stream", b"0123456789" * 10_000),
    typed("text", "POST /anything", "text/plain; charset=utf-8", "Grüße\r\n".encode()),
    typed("text in another charset", "POST /anything", "text/plain; charset=iso-8859-1", b"Gr\xfc\xdfe"),
    typed("gzip sent", "POST /anything", JSON, gzip.compress(b"{}", mtime=0), ("Content-Encoding", "gzip")),
    case("a body without a type", "POST /anything", body=b"a=1"),
    case("an empty body", "POST /anything", body=b""),
    typed("a type without a body", "POST /anything", JSON, b""),
    typed("chunks sent", "POST /post", "text/plain", b"y" * 2500, ("Transfer-Encoding", "chunked")),
    typed("waits for 100", "POST /post", "text/plain", b"hello", ("Expect", "100-continue")),
]

TARGETS = [
    *(
        case(f"query {query}", f"GET /anything?{query}")
        for query in (
            "a=1&b=2&a=3", "a", "a=", "=", "&&", "a=b=c", "b=1&a=1", "a=+", "a=%20", "a=%2B", "a=%zz", "a=%", "a=%00",
            "a=caf%C3%A9", "a=%ff", "a=..%2F..", "a=http://x/?y=1", "a[b]=1", "a={}|^", "a=1;b=2", "a='\"<>", "?", "a=1?",
            "%61=1", "a=%0d%0aX:%20y",
        )
    ),
    case("an empty query", "GET /anything?"),
    *(
        case(f"path {path}", f"GET /anything/{path}")
        for path in (
            "a%20b", "a+b", "a%2Bb", "%7Eada", "~ada", "caf%C3%A9", "%E2%82%AC", "a:b@c", "!$&'()*+,=", "a%3Fb", "a%26b", "%41",
            "a%25b", "a.b", "...", "a/b/c/", "100%25", "a%22b", "%5Ba%5D", "a%7Cb", "%F0%9F%98%80",
        )
    ),
]  # fmt: skip

KEPT_BACK = (
    "Access-Control-Allow-Headers", "Access-Control-Allow-Methods", "Access-Control-Expose-Headers",
    "Access-Control-Max-Age", "Allow", "Alt-Svc", "Clear-Site-Data", "Service-Worker-Allowed", "Strict-Transport-Security",
    "X-Accel-Redirect", "X-AspNet-Version", "X-Generator", "X-Powered-By", "X-Runtime", "X-Sendfile",
)  # fmt: skip
ANSWER_HEADERS = [
    case("headers at will", "GET /response-headers?X-Odd=1&x-odd=2&Link=%3Ca%3E&Link=%3Cb%3E"),
    case("headers at will, by POST", "POST /response-headers?X-Odd=1&Vary=Accept", body=b""),
    case("a header twice", "GET /response-headers?Freeform=one&Freeform=two%2C+three"),
    case("a header beyond ASCII", "GET /response-headers?X-Odd=caf%C3%A9"),
    case("a header without a value", "GET /response-headers?X-Odd="),
    case("another type", "GET /response-headers?Content-Type=text/plain;%20charset=utf-8"),
    case("a language", "GET /response-headers?Content-Language=de&Cache-Control=public,%20max-age=1&Age=1"),
    case("a policy as strict as ours", "GET /response-headers?Referrer-Policy=no-referrer"),
    case("a policy less strict", "GET /response-headers?Referrer-Policy=unsafe-url"),
    case("nosniff", "GET /response-headers?X-Content-Type-Options=nosniff&X-Odd=1"),
    *(case(f"kept back: {name}", f"GET /response-headers?{name}=v&X-Odd=1") for name in KEPT_BACK),
]

SHOWN = [
    Case("all that arrives", Question("GET", "/anything?show_env=1", shows(("Accept-Language", "de, en;q=0.5")))),
    Case("headers", Question("GET", "/headers", shows())),
    Case("keeps the connection", Question("GET", "/headers", shows(("Connection", "keep-alive")))),
    Case("the client's address", Question("GET", "/ip")),
    Case("the user agent", Question("GET", "/user-agent", shows())),
    Case("further headers", Question("GET", "/headers", shows(("X-Odd", "1"), ("Referer", "http://x/"), ("DNT", "1")))),
    Case("another host", Question("GET", "/headers", (("Host", "app.example.com"), *shows()))),
    Case("a page of ours", Question("POST", "/anything", shows(("Origin", "https://app.example.com")))),
    Case("says who it is", Question("GET", "/anything?show_env=1", shows(("X-Forwarded-For", "192.0.2.1")))),
    Case("says what it is", Question("GET", "/headers?show_env=1", shows(("Forwarded", "for=192.0.2.1;proto=ftp")))),
    Case("says where it was", Question("GET", "/anything?show_env=1", shows(("X-Forwarded-Host", "evil.example")))),
    Case("came by another proxy", Question("GET", "/anything?show_env=1", shows(("Via", "1.0 fred")))),
    Case("has a number", Question("GET", "/anything?show_env=1", shows(("X-Request-ID", "number-0001")))),
    Case("accepts twice", Question("GET", "/headers", (("Accept", "a/b"), ("accept", "c/d;q=0.1")))),
    Case("a type without need", Question("GET", "/headers", shows(("Content-Type", JSON)))),
    Case("in another order", Question("GET", "/stream/1", (("User-Agent", "peers/1"), ("Range", "bytes=0-"), *shows()[1:]))),
    Case("a key", Question("POST", "/anything", shows(("Idempotency-Key", "k"), ("Last-Event-ID", "7")), b"x")),
    Case("upgrades", Question("GET", "/headers", shows(("Upgrade", "websocket"), ("TE", "trailers")))),
    Case("a trace", Question("GET", "/headers", shows(("Traceparent", f"00-{'4b' * 16}-{'0f' * 8}-01")))),
    Case("a trace that is none", Question("GET", "/headers", shows(("Traceparent", "nonsense")))),
]  # fmt: skip

CASES = [
    *METHODS, *HEADS, *STATUSES, *CODINGS, *STREAMS, *RANGES, *CONDITIONS, *REDIRECTS, *COOKIES, *CREDENTIALS, *BODIES,
    *TARGETS, *ANSWER_HEADERS, *SHOWN,
]  # fmt: skip
