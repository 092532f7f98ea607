"""From the environ to a request: paths, bodies, lengths."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from tests.auth.browser import Browser, call, environ_of
from tests.auth.conftest import MakeApp
from wsgiproxy_hs.auth.errors import BadRequest
from wsgiproxy_hs.auth.incoming import action_path, is_ours, parse_body, parse_query, read_body, split_action
from wsgiproxy_hs.environ import PATH_PARAMS
from wsgiproxy_hs.exceptions import BodyTooLarge, ContentLengthInvalid

FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "//",
        "nope",
        "SESSION",
        "Session",
        "session/x",
        "a/b/c",
        "callback/a/b",
        "callback/../session",
        ".",
        "..",
        "session;x",
        "session ",
        " session",
        "session\x00",
        "sess\xefon",
        "csrf/x",
        "%73ession",
        "signin\\x",
        "__proto__",
        "constructor",
    ],
)
def test_paths_that_name_no_action(path: str) -> None:
    """A path that is not one of the actions, letter by letter, names none."""
    with pytest.raises(BadRequest):
        split_action(path)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("session", ("session", None)),
        ("/session", ("session", None)),
        ("//session//", ("session", None)),
        ("callback/credentials", ("callback", "credentials")),
        ("/callback//credentials/", ("callback", "credentials")),
        ("signin/undefined", ("signin", None)),
        ("webauthn-options/x", ("webauthn-options", "x")),
    ],
)
def test_paths_that_name_an_action(path: str, expected: tuple[str, str | None]) -> None:
    """Slashes more or less change nothing; the provider id ``undefined`` is none."""
    assert split_action(path) == expected


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({PATH_PARAMS: {"action": "csrf"}, "PATH_INFO": "/x"}, "csrf"),
        ({"SCRIPT_NAME": "", "PATH_INFO": "/api/auth/csrf"}, "/csrf"),
        ({"SCRIPT_NAME": "/api", "PATH_INFO": "/auth/csrf"}, "/csrf"),
        ({"SCRIPT_NAME": "/api/auth", "PATH_INFO": "/csrf"}, "/csrf"),
        ({"SCRIPT_NAME": "/api/auth", "PATH_INFO": ""}, ""),
        ({"SCRIPT_NAME": "", "PATH_INFO": "/csrf"}, "/csrf"),
        ({"SCRIPT_NAME": "/elsewhere", "PATH_INFO": "/csrf"}, "/csrf"),
        ({"SCRIPT_NAME": "", "PATH_INFO": "/api/authcsrf"}, "/api/authcsrf"),
        ({PATH_PARAMS: {"other": "x"}, "PATH_INFO": "/csrf"}, "/csrf"),
        ({}, ""),
    ],
)
def test_where_the_action_stands(environ: dict[str, Any], expected: str) -> None:
    """The route's match decides; mounted alone, what follows the base path, however the host has cut it."""
    assert action_path(environ, "/api/auth") == expected


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "CONNECT", "get", "X" * 50])
def test_other_methods_are_refused(make_app: MakeApp, method: str) -> None:
    """Only GET and POST are served; HEAD has no body."""
    environ = environ_of("GET", "/api/auth/session", {}, None)
    environ["REQUEST_METHOD"] = method
    seen: list[str] = []
    body = b"".join(make_app()(environ, lambda status, headers, exc_info=None: seen.append(status)))  # type: ignore[arg-type]
    assert seen == ["400 Bad Request"]
    assert body == (b"" if method == "HEAD" else b'"Bad request."')


@pytest.mark.parametrize(
    "body", [b"", b"{", b"{'a':1}", b"NaN", b'{"a":Infinity}', b"[" * 60_000, b"1" * 5_000, b"{}x", b"\xff"]
)
def test_json_that_is_none(body: bytes) -> None:
    """What JSON.parse refuses is refused; nesting without end, or a number without end, ends nobody's process."""
    with pytest.raises(BadRequest):
        parse_body("application/json", body)


@pytest.mark.parametrize(
    ("body", "members"), [(b"null", 0), (b"[1]", 0), (b'"x"', 0), (b"7", 0), (b"true", 0), (b'{"a":1}', 1)]
)
def test_json_that_is_no_object_has_no_members(body: bytes, members: int) -> None:
    """Any JSON is taken; only an object has members."""
    assert len(parse_body("application/json", body)) == members


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "multipart/form-data; boundary=b", FORM.upper(), "APPLICATION/JSON", "text/json"]
)
def test_other_types_have_no_members(content_type: str) -> None:
    """A body of another type, or of a type in upper case, is not read at all: its POST fails the CSRF check."""
    assert parse_body(content_type, b'{"csrfToken":"x"}') == {}


def test_forms_are_read_as_browsers_read_them() -> None:
    """Plus is a blank, the last of a name wins, broken escapes stay, nothing is an error."""
    assert parse_body(FORM, b"a=1&a=2&b=%E2%9C%93+x&c&=&&%zz=%ff") == {
        "a": "2",
        "b": "✓ x",
        "c": "",
        "": "",
        "%zz": "\ufffd",
    }
    assert parse_query("a=%C3%A9&a=\xc3\xa9") == [("a", "é"), ("a", "é")]


@pytest.mark.parametrize(
    ("fetch_site", "origin", "expected"),
    [
        ("cross-site", None, False),
        ("same-site", None, False),
        ("", None, False),
        ("Same-Origin", None, False),
        ("cross-site", "https://app.example.com", False),
        (None, "https://evil.example", False),
        (None, "null", False),
        (None, "", False),
        (None, "http://app.example.com", False),
        (None, "https://app.example.com/", False),
        (None, "https://app.example.com.evil.example", False),
        ("same-origin", None, True),
        ("same-origin", "null", True),
        ("none", None, True),
        (None, "https://app.example.com", True),
        (None, None, True),
    ],
)
def test_whose_request_it_is(fetch_site: str | None, origin: str | None, expected: bool) -> None:
    """The browser's own word decides: Sec-Fetch-Site where there is one, else Origin, else nothing speaks against."""
    assert is_ours(fetch_site, origin, "https://app.example.com") is expected


def input_of(body: bytes, **environ: Any) -> dict[str, Any]:
    return {"wsgi.input": io.BytesIO(body), **environ}


@pytest.mark.parametrize("length", ["-1", "+1", "1_0", "0x1", "1.0", " 1", "٣", "1" * 19, "x"])
def test_lengths_that_are_none(length: str) -> None:
    """A Content-Length that is not digits is refused."""
    with pytest.raises(ContentLengthInvalid):
        read_body(input_of(b"x" * 100, CONTENT_LENGTH=length), 100)


class Unread(io.BytesIO):
    """A body of which no byte may be read."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise AssertionError("read")


def test_bodies_that_are_too_large_are_not_read() -> None:
    """An announced length above the limit is refused before a byte is read; an unannounced one as soon as it shows."""

    with pytest.raises(BodyTooLarge):
        read_body({"wsgi.input": Unread(), "CONTENT_LENGTH": "101"}, 100)
    endless = io.BytesIO(b"x" * 1_000_000)
    with pytest.raises(BodyTooLarge):
        read_body({"wsgi.input": endless, "wsgi.input_terminated": True}, 100)
    assert endless.tell() == 101


def test_bodies_that_end_early_are_bad_requests() -> None:
    """A body shorter than announced is not taken for the whole (F076)."""
    with pytest.raises(BadRequest):
        read_body(input_of(b"half", CONTENT_LENGTH="8"), 100)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"CONTENT_LENGTH": "3"}, b"abc"),
        ({"CONTENT_LENGTH": "0"}, b""),
        ({"CONTENT_LENGTH": ""}, b""),
        ({}, b""),
        ({"wsgi.input_terminated": True}, b"abcdef"),
        ({"CONTENT_LENGTH": "6"}, b"abcdef"),
    ],
)
def test_bodies_end_where_they_end(environ: dict[str, Any], expected: bytes) -> None:
    """Exactly the announced bytes, or all of a stream that the server ends itself."""
    assert read_body(input_of(b"abcdef", **environ), 6) == expected


@pytest.mark.parametrize(
    ("environ", "code"),
    [
        ({"CONTENT_LENGTH": "3", "wsgi.input_terminated": True}, 400),
        ({"CONTENT_LENGTH": "0"}, 400),
        ({"wsgi.input_terminated": True, "SERVER_SOFTWARE": "Granian"}, 411),
        ({}, 411),
    ],
)
def test_bodies_whose_end_nobody_knows_are_not_read(browser: Browser, environ: dict[str, Any], code: int) -> None:
    """A chunked body with a length beside it, of a server that hides cuts, or of one that unpacks no chunks."""
    request = environ_of("POST", "/api/auth/signout", {"Transfer-Encoding": "chunked"}, b"x")
    del request["CONTENT_LENGTH"]
    request |= {"wsgi.input": Unread(), **environ}
    answer = call(browser.app, request)
    assert (answer.status, answer.cookies) == (code, [])
    assert json.loads(answer.body)["code"] in ("content-length-invalid", "length-required")


def test_413_has_the_shape_of_this_library(browser: Browser) -> None:
    """A body above the limit is 413 in the documented error shape, and no cookie is set."""
    answer = browser.post("/callback/credentials", {"password": "x" * 70_000})
    assert answer.status == 413
    assert json.loads(answer.body)["code"] == "body-too-large"
    assert answer.cookies == []


def test_bad_requests_are_answered_as_auth_js_does(browser: Browser) -> None:
    """400, JSON, and the words in quotes."""
    answer = browser.get("/nope")
    assert (answer.status, answer.body, dict(answer.headers)["content-type"]) == (
        400,
        b'"Bad request."',
        "application/json",
    )


def test_the_stack_gives_the_action(make_app: MakeApp) -> None:
    """Behind the route table the matched action counts, whatever the path looks like."""
    environ = environ_of("GET", "/somewhere/else", {}, None)
    environ[PATH_PARAMS] = {"action": "providers"}
    assert "credentials" in json.loads(call(make_app(), environ).body)
