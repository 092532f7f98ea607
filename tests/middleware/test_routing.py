"""The routing layer alone."""

from __future__ import annotations

import pytest

from tests.harness import Inner, call, request
from wsgiproxy_hs.environ import PATH_PARAMS, ROUTE
from wsgiproxy_hs.exceptions import ConfigurationError, MethodNotAllowed, PathRefused, RouteNotFound
from wsgiproxy_hs.middleware.routing import RouteMiddleware, check_target
from wsgiproxy_hs.routes import NONE, RAW, Route, RouteTable

ROUTES = (
    Route("GET, POST", "auth/{action...}", "/auth/{action}/", NONE, RAW),
    Route("POST", "auth/register", "/auth/users/"),
    Route("GET, POST", "teams", "/api/teams/"),
    Route("GET, PUT, DELETE", "teams/{team_id}", "/api/teams/{team_id}/"),
    Route("GET", "teams/mine", "/api/teams/mine/"),
    Route("POST", "teams/{team_id}/leave", "/api/teams/{team_id}/leave/"),
)


def run(environ, routes=ROUTES, **options):
    inner = Inner()
    result = call(RouteMiddleware(inner.app, routes=routes, **options), environ)
    return inner, result


def refused(error, environ, **options):
    """The error that the layer raises; the inner app saw nothing."""
    inner = Inner()
    with pytest.raises(error) as caught:
        call(RouteMiddleware(inner.app, routes=ROUTES, **options), environ)
    assert not inner.was_called
    return caught.value


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/api",
        "/api/",
        "/api/unknown",
        "/apiteams",
        "/apixteams",
        "/api/teams/1/unknown",
        "/api/teams/1/leave/more",
        "/API/teams",
        "/api/Teams",
        "/api/auth",
        "/api/auth/",
        "/teams",
        "//evil.example/api/teams",
        "/other/api/teams",
        "/api/teams\u00e9",
    ],
)
def test_an_unknown_path_is_404(path):
    """What is not in the table does not exist; case counts, and the prefix is a whole segment (F044, F049)."""
    environ = request("GET", path)
    if path.endswith("\u00e9"):
        environ["PATH_INFO"] = "/api/teams" + "é".encode().decode("latin-1")
    refused(RouteNotFound, environ)


@pytest.mark.parametrize(
    "path",
    [
        "/api/teams/.",
        "/api/teams/..",
        "/api/teams/../auth/x",
        "/api/../api/teams",
        "/api/teams/..;/1",
        "/api/teams/1;v=2",
        "/api/teams/a\\b",
        "/api/teams/a#b",
        "/api/teams/a\x00b",
        "/api/teams/a\r\nX: y",
        "/api/teams/1\n",
        "/api/teams\n",
        "/api/teams/\x7f",
        "/api/teams/%2e%2e",
        "/api/teams/%2E.",
        "/api/teams/a%2Fb",
        "/api/teams/a%5cb",
        "/api/teams/a%00b",
        "/api/teams/%252e%252e",
        "/api/teams/%25252e%25252e",
        "/api/teams/" + "%" + "25" * 2000 + "2e",
        "/api/teams//leave",
        "/api//teams",
        "/api/teams//",
        "/api/auth/../teams",
        "/api/auth/a;b",
    ],
)
def test_a_path_that_can_be_read_in_two_ways_is_400(path):
    """Dots, controls, backslash, ``;``, ``#``, empty segments and what becomes these when decoded again (F041 to F050)."""
    refused(PathRefused, request("GET", path))


@pytest.mark.parametrize("raw", [b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\xc0\xae", b"caf\xe9"])
def test_bytes_that_are_not_utf8_are_400(raw):
    """Neither a 500 nor a guess: overlong forms and surrogates are refused with the rest (F048)."""
    refused(PathRefused, request("GET", "/api/teams/" + raw.decode("latin-1")))


@pytest.mark.parametrize(
    "target",
    [
        "/api/teams/a%2Fb",
        "/api/teams/a%2fb",
        "/api/teams/a%5Cb",
        "/api/teams/a%00",
        "/api/teams/a%0d%0aX:1",
        "/api/teams/a%1f",
        "/api/teams/a%7F",
        "/api/teams/a#b",
        "/api/teams/a?q#b",
        "/api/teams/a\\b",
        "/api/teams/%zz",
        "/api/teams/%",
        "/api/teams/%2",
        "http://evil.example/api/teams/a",
        "http://localhost.evil.example/api/teams/a",
        "http://localhost@evil.example/api/teams/a",
        "https://localhost:99/api/teams/a",
        "ftp://localhost/api/teams/a",
        "*",
        "evil.example:443",
    ],
)
@pytest.mark.parametrize("key", ["RAW_URI", "REQUEST_URI"])
def test_a_target_that_path_info_hides_the_truth_of_is_400(target, key):
    """What was decoded away, and an absolute target that names another host, are refused (F040, F042, F045 to F047)."""
    refused(PathRefused, request("GET", "/api/teams/a", headers={"Host": "localhost"}, **{key: target}))


@pytest.mark.parametrize(
    "target",
    [
        "/api/teams/a%20b",
        "/api/teams/a?next=%2Fhome%5c%00&x=%zz",
        "/api/teams/a?back=\\x",
        "http://localhost/api/teams/a",
        "HTTP://LOCALHOST/api/teams/a",
        "http://localhost",
        "/api/teams/caf%C3%A9",
    ],
)
def test_a_target_that_says_the_same_as_path_info_passes(target):
    """Escapes in the query are nobody's business here, and an absolute target may name the Host (F045, F056)."""
    check_target(target, "localhost")
    inner, _ = run(request("GET", "/api/teams/a", headers={"Host": "localhost"}, raw_target=target))
    assert inner.was_called


def test_without_a_raw_target_path_info_decides():
    """Servers that do not give the target as sent are served alike (granian)."""
    inner, _ = run(request("GET", "/api/teams/a b"))
    assert inner.environ[PATH_PARAMS] == {"team_id": "a b"}


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/api/teams", "GET, POST, HEAD, OPTIONS"),
        ("PATCH", "/api/teams/7", "GET, PUT, DELETE, HEAD, OPTIONS"),
        ("GET", "/api/teams/7/leave/", "POST, OPTIONS"),
        ("GET", "/api/auth/register", "POST, OPTIONS"),
        ("HEAD", "/api/teams/7/leave", "POST, OPTIONS"),
        ("TRACE", "/api/teams", "GET, POST, HEAD, OPTIONS"),
    ],
)
def test_another_method_is_405_with_the_methods_of_the_path(method, path, allow):
    """405 and not 404, and ``Allow`` tells what would do (F051)."""
    error = refused(MethodNotAllowed, request(method, path))
    assert error.headers == [("Allow", allow)]


def test_a_method_override_is_not_looked_at():
    """``X-HTTP-Method-Override`` changes nothing (F052)."""
    environ = request("GET", "/api/teams/7", headers={"X-HTTP-Method-Override": "DELETE"})
    inner, _ = run(environ)
    assert inner.environ["REQUEST_METHOD"] == "GET"
    refused(MethodNotAllowed, request("POST", "/api/teams/7", headers={"X-HTTP-Method-Override": "DELETE"}))


def test_forwarded_uri_headers_are_not_looked_at():
    """The policy comes from the request line alone (F053, F055)."""
    environ = request("GET", "/api/unknown", headers={"X-Forwarded-Uri": "/api/teams", "X-Original-URL": "/api/teams"})
    refused(RouteNotFound, environ)


@pytest.mark.parametrize(
    "path", ["/api/teams", "/api/teams/", "/api/teams/7", "/api/auth/session", "/api/auth/register/"]
)
def test_options_is_answered_here(path):
    """OPTIONS is 204 with ``Allow`` and goes no further."""
    inner, result = run(request("OPTIONS", path))
    assert not inner.was_called
    assert (result.code, result.body) == (204, b"")
    assert "OPTIONS" in (result.header("Allow") or "")
    assert result.header("Access-Control-Allow-Origin") is None


PREFLIGHT = {"Origin": "https://admin.example.com", "Access-Control-Request-Method": "POST"}


def test_a_preflight_is_left_to_a_layer_that_answers_them():
    """It goes on as OPTIONS with the row of the method that it asks for, when somebody was said to answer it."""
    inner, _ = run(request("OPTIONS", "/api/teams/7/leave", headers=PREFLIGHT), preflights=True)
    assert (inner.environ[ROUTE].path, inner.environ[PATH_PARAMS]) == ("teams/{team_id}/leave", {"team_id": "7"})
    assert inner.environ["REQUEST_METHOD"] == "OPTIONS"
    inner, result = run(request("OPTIONS", "/api/teams/7/leave", headers=PREFLIGHT))
    assert (inner.was_called, result.code) == (False, 204)


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/api/teams/7", PREFLIGHT),
        ("/api/teams", {**PREFLIGHT, "Access-Control-Request-Method": "OPTIONS"}),
        ("/api/teams", {**PREFLIGHT, "Access-Control-Request-Method": "post"}),
        ("/api/teams", {**PREFLIGHT, "Access-Control-Request-Method": "*"}),
        ("/api/teams", {"Origin": PREFLIGHT["Origin"]}),
        ("/api/teams", {"Access-Control-Request-Method": "POST"}),
    ],
)
def test_what_is_no_preflight_for_a_known_method_is_answered_here(path, headers):
    """``Allow`` says what there is, and nothing about other origins, so a browser stops there."""
    inner, result = run(request("OPTIONS", path, headers=headers), preflights=True)
    assert (inner.was_called, result.code) == (False, 204)
    assert [name for name, _ in result.headers] == ["Allow"]


def test_a_preflight_for_an_unknown_path_is_refused():
    """Nothing is said about paths that are not there."""
    refused(RouteNotFound, request("OPTIONS", "/api/unknown", headers=PREFLIGHT), preflights=True)


def test_options_of_an_unknown_or_crooked_path_is_refused():
    """Nothing is said about paths that are not there."""
    refused(RouteNotFound, request("OPTIONS", "/api/unknown"))
    refused(PathRefused, request("OPTIONS", "/api/teams/.."))


@pytest.mark.parametrize(
    ("method", "path", "template", "params"),
    [
        ("GET", "/api/teams", "teams", {}),
        ("GET", "/api/teams/", "teams", {}),
        ("HEAD", "/api/teams", "teams", {}),
        ("GET", "/api/teams/7", "teams/{team_id}", {"team_id": "7"}),
        ("PUT", "/api/teams/7/", "teams/{team_id}", {"team_id": "7"}),
        ("GET", "/api/teams/mine", "teams/mine", {}),
        ("POST", "/api/teams/mine/leave", "teams/{team_id}/leave", {"team_id": "mine"}),
        ("POST", "/api/auth/register", "auth/register", {}),
        ("POST", "/api/auth/register/x", "auth/{action...}", {"action": "register/x"}),
        ("GET", "/api/auth/callback/credentials", "auth/{action...}", {"action": "callback/credentials"}),
        ("GET", "/api/teams/caf\u00c3\u00a9", "teams/{team_id}", {"team_id": "café"}),
        ("GET", "/api/teams/a b+c%d", "teams/{team_id}", {"team_id": "a b+c%d"}),
        ("GET", "/api/teams/100%", "teams/{team_id}", {"team_id": "100%"}),
    ],
)
def test_the_row_and_its_parameters_are_written(method, path, template, params):
    """Static text beats a parameter and a parameter the rest; a slash at the end changes nothing; HEAD follows GET."""
    inner, result = run(request(method, path))
    assert result.code == 200
    assert inner.environ[ROUTE].path == template
    assert inner.environ[PATH_PARAMS] == params


def test_the_catch_all_keeps_empty_segments():
    """``auth/[...nextauth]`` tolerates them, as Auth.js does."""
    inner, _ = run(request("GET", "/api/auth/callback//x/"))
    assert inner.environ[PATH_PARAMS] == {"action": "callback//x/"}


def test_the_path_stays_as_the_server_gave_it():
    """``PATH_INFO`` and ``SCRIPT_NAME`` are read and not changed (F057)."""
    inner, _ = run(request("GET", "/api/teams/7", SCRIPT_NAME="/bff"))
    assert (inner.environ["SCRIPT_NAME"], inner.environ["PATH_INFO"]) == ("/bff", "/api/teams/7")


def test_a_host_that_mounts_at_the_prefix_has_none_left():
    """Mounted at ``/api`` the layer gets ``prefix=""`` and ignores ``SCRIPT_NAME`` (F057)."""
    inner, _ = run(request("GET", "/teams/7", SCRIPT_NAME="/api"), prefix="")
    assert inner.environ[PATH_PARAMS] == {"team_id": "7"}
    refused(RouteNotFound, request("GET", "/api/teams/7"), prefix="")
    refused(PathRefused, request("GET", "//teams/7"), prefix="")


def test_a_table_can_be_given_ready_made():
    """The table that the stack built is used as it is, its prefix included."""
    inner, _ = run(request("GET", "/bff/v1/teams"), routes=RouteTable(ROUTES, prefix="/bff/v1"))
    assert inner.environ[ROUTE].path == "teams"


def test_rows_that_cross_are_refused_when_built():
    """Two rows that could match the same path never wait for the request that shows it."""
    rows = [Route("GET", "a/{x}/c", "/"), Route("GET", "a/b/{y}", "/")]
    with pytest.raises(ConfigurationError, match="could match the same path"):
        RouteMiddleware(Inner().app, routes=rows)


@pytest.mark.parametrize("query", ["a b", "a\nb", "a\rb", "a\0b", "a\tb", "a#b", "a\x7fb"])
def test_a_query_that_could_end_the_request_line_is_refused(query):
    """The query travels byte for byte, so what would break the request line is 400 (F046, F047)."""
    refused(PathRefused, request(path="/api/teams", query=query))
