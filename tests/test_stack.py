"""The whole stack: every refusal through all layers, their order, and who else is asked."""

from __future__ import annotations

import io
import json
import logging

import pytest
import requests.exceptions as outer
import urllib3.exceptions as inner

from tests.harness import (
    PUBLIC_URL,
    SECRET,
    UPSTREAM_URL,
    WORKSPACE_ID,
    FakeUpstream,
    access_token,
    call,
    make_sessions,
    request,
    session_cookie,
)
from wsgiproxy_hs import exceptions
from wsgiproxy_hs.assembly import load_routes
from wsgiproxy_hs.environ import KEYS, ROUTE
from wsgiproxy_hs.exceptions import ConfigurationError, ProxyError
from wsgiproxy_hs.middleware import BodyMiddleware, ErrorMiddleware, RouteMiddleware
from wsgiproxy_hs.rates import Rate
from wsgiproxy_hs.routes import EMPTY_OR_OBJECT, NONE, Route
from wsgiproxy_hs.settings import Settings
from wsgiproxy_hs.stack import compose, create_app
from wsgiproxy_hs.upstream.breaker import Resting

SETTINGS = Settings(
    backend_url=UPSTREAM_URL, public_url=PUBLIC_URL, secrets=[SECRET], openai_api_key="sk-test-key-0123456789"
)
WORKSPACE = f"/api/workspaces/{WORKSPACE_ID}"


def stack(upstream=None, **options):
    settings = options.pop("settings", SETTINGS)
    return create_app(settings, transport=upstream if upstream is not None else FakeUpstream(), **options)


def ours(method="POST", path="/api/workspaces", **keys):
    """A request of our own page, with a session."""
    headers = {
        "Cookie": session_cookie(),
        "Origin": PUBLIC_URL,
        "X-Request-ID": "request-0001",
        **keys.pop("headers", {}),
    }
    return request(method, path, headers=headers, **keys)


def chunked(**keys):
    environ = ours(**keys)
    environ["HTTP_TRANSFER_ENCODING"] = "chunked"
    environ["wsgi.input"] = io.BytesIO(b"{}")
    return environ


LARGE = Settings(backend_url=UPSTREAM_URL, public_url=PUBLIC_URL, secrets=[SECRET], max_body_bytes=10)
CONTACT = json.dumps({"name": "Ada", "email": "ada@example.com", "subject": "Hi", "message": "Hello"}).encode()
TRANSLATION = json.dumps({"text": "Hello", "target_language": "German"}).encode()
VIA_US = {"Via": "1.1 wsgiproxy_hs"}

SMALL = LARGE.model_copy(update={"max_url_bytes": 100, "max_header_bytes": 300, "max_cookie_bytes": 100_000})
STRICT = SETTINGS.model_copy(update={"max_json_keys": 1, "max_upload_seconds": 1e-9, "throttle_reset": Rate(1, 60)})


class Slow(io.BytesIO):
    """A client that sends a byte at a time."""

    def read(self, size=-1):
        return super().read(min(size, 1))


# error class -> (settings, request); none of these may reach the upstream
REFUSED_HERE = {
    exceptions.UrlTooLong: (SMALL, lambda: ours("GET", query="x" * 200)),
    exceptions.HeadersInvalid: (SETTINGS, lambda: ours("GET", HTTP_ACCEPT="a\0b")),
    exceptions.HeadersTooLarge: (SMALL, lambda: ours("GET", headers={"X-Large": "x" * 300})),
    exceptions.BodyTooComplex: (STRICT, lambda: ours(body=b'{"a": 1, "b": 2}')),
    exceptions.UploadTooSlow: (STRICT, lambda: ours(wsgi__input=Slow(b"{}"), CONTENT_LENGTH="2")),
    exceptions.PathRefused: (SETTINGS, lambda: ours("GET", "/api/workspaces/..", raw_target="/api/workspaces/%2e%2e")),
    exceptions.RouteNotFound: (SETTINGS, lambda: ours("GET", "/api/unknown")),
    exceptions.MethodNotAllowed: (SETTINGS, lambda: ours("PATCH")),
    exceptions.CrossSiteRefused: (SETTINGS, lambda: ours(headers={"Origin": "https://evil.example"})),
    exceptions.CrossSiteHeaderMissing: (
        SETTINGS,
        lambda: request(
            "POST", "/api/workspaces", headers={"Cookie": session_cookie(), "X-Request-ID": "request-0001"}
        ),
    ),
    exceptions.Unauthorized: (
        SETTINGS,
        lambda: request("GET", "/api/workspaces", headers={"X-Request-ID": "request-0001"}),
    ),
    exceptions.BodyInvalid: (SETTINGS, lambda: ours(path=f"{WORKSPACE}/invitations", body=b'{"email": "nobody"}')),
    exceptions.BodyNotExpected: (SETTINGS, lambda: ours("GET", body=b"{}")),
    exceptions.BodyIncomplete: (SETTINGS, lambda: ours(body=b"{}", CONTENT_LENGTH="5")),
    exceptions.ContentLengthInvalid: (SETTINGS, lambda: ours(body=b"{}", CONTENT_LENGTH="+2")),
    exceptions.LengthRequired: (SETTINGS, chunked),
    exceptions.BodyTooLarge: (LARGE, lambda: ours(body=b'{"name": "x"}')),
    exceptions.UnsupportedMediaType: (
        SETTINGS,
        lambda: ours(body=b"a=b", content_type="application/x-www-form-urlencoded"),
    ),
    exceptions.EndpointNotConfigured: (SETTINGS, lambda: ours(path="/api/send-contact-email", body=CONTACT)),
    exceptions.UpstreamLoop: (SETTINGS, lambda: ours(headers=VIA_US)),
}
# these need a request before them
REFUSED_IN_TIME = (exceptions.Throttled, exceptions.TooManyAtOnce)
# error class -> upstream; what these answer is turned into our own
REFUSED_THERE = {
    exceptions.UpstreamStatus: FakeUpstream(418, b'{"detail": "I am a teapot", "email": ["x"]}'),
    exceptions.UpstreamUnreachable: FakeUpstream(failure=outer.ConnectionError(ConnectionRefusedError("10.0.0.7"))),
    exceptions.UpstreamAnswerInvalid: FakeUpstream(failure=outer.ConnectionError(inner.ProtocolError("10.0.0.7"))),
    exceptions.UpstreamRedirect: FakeUpstream(302, b"", [("Location", "http://10.0.0.7/")]),
    exceptions.UpstreamBusy: FakeUpstream(failure=outer.ConnectionError(inner.EmptyPoolError(None, "10.0.0.7"))),
    exceptions.UpstreamUnavailable: FakeUpstream(failure=outer.ConnectionError(Resting("10.0.0.7", 3))),
    exceptions.UpstreamTimeout: FakeUpstream(failure=outer.ReadTimeout("10.0.0.7")),
}


def leaves(root=ProxyError):
    below = [child for child in root.__subclasses__() if child.__module__.startswith(exceptions.__name__)]
    return {leaf for child in below for leaf in leaves(child)} if below else {root}


def check_shape(result, error):
    """The documented shape, with everything in its place."""
    assert result.header("Content-Type") == "application/json"
    assert result.header("Content-Length") == str(len(result.body))
    assert "no-store" in (result.header("Cache-Control") or "")
    assert result.header("X-Content-Type-Options") == "nosniff"
    document = result.document
    assert set(document) <= {"error", "code", "fields", "request_id"}
    assert (document["code"], document["request_id"]) == (error.code, "request-0001")
    assert isinstance(document["error"], str)
    assert document["error"]


def test_every_leaf_of_the_error_tree_is_provoked_here():
    """No refusal is documented that these tests do not see."""
    assert (
        set(REFUSED_HERE)
        | set(REFUSED_THERE)
        | {exceptions.ProviderFailed, exceptions.RenewalUnavailable}
        | set(REFUSED_IN_TIME)
        == leaves()
    )


@pytest.mark.parametrize("error", REFUSED_HERE, ids=lambda error: error.__name__)
def test_what_is_refused_here_never_reaches_the_upstream(error):
    """The status and shape of each refusal, and an upstream that saw nothing."""
    settings, make = REFUSED_HERE[error]
    upstream = FakeUpstream()
    result = call(stack(upstream, settings=settings), make())
    assert result.code == error.status
    check_shape(result, error)
    assert upstream.sent == []


def test_the_second_reset_is_one_too_many():
    """429 in the same shape, and the upstream saw the first one alone."""
    upstream = FakeUpstream()
    app = stack(upstream, settings=STRICT.model_copy(update={"max_upload_seconds": 60.0}))
    results = [
        call(app, ours(path="/api/auth/reset-password", body=b'{"email": "a@b"}', REMOTE_ADDR="8.8.8.8"))
        for _ in range(2)
    ]
    assert [result.code for result in results] == [200, 429]
    check_shape(results[1], exceptions.Throttled)
    assert len(upstream.sent) == 1


def test_the_second_request_at_once_is_one_too_many():
    """429 in the same shape while the first answer is open."""
    upstream = FakeUpstream()
    app = stack(upstream, settings=SETTINGS.model_copy(update={"max_requests_at_once": 1}))
    answer = app(ours("GET"), lambda *_: lambda _: None)
    result = call(app, ours("GET"))
    assert result.code == 429
    check_shape(result, exceptions.TooManyAtOnce)
    assert len(upstream.sent) == 1
    answer.close()


def test_a_session_that_cannot_be_renewed_just_now_is_told_to_wait():
    """A token that is over, and a token endpoint that is away: 503, nothing is forwarded, the cookies stay (F009)."""
    upstream = FakeUpstream(503, b"down for a moment")
    cookie = session_cookie(access_token(expires_in=-600), refreshToken="a-refresh-token-of-the-stack-tests")
    result = call(
        stack(upstream), request("GET", "/api/workspaces", headers={"Cookie": cookie, "X-Request-ID": "request-0001"})
    )
    assert result.code == 503
    check_shape(result, exceptions.RenewalUnavailable)
    assert result.header("Retry-After")
    assert result.all("Set-Cookie") == []
    assert [sent.url.partition("8000")[2] for sent in upstream.sent] == ["/auth/jwt/refresh/"]


@pytest.mark.parametrize("error", REFUSED_THERE, ids=lambda error: error.__name__)
def test_what_the_upstream_refuses_has_the_same_shape(error):
    """Its failures and errors become ours, and nothing of the inside is told."""
    result = call(stack(REFUSED_THERE[error]), ours("GET"))
    assert result.code == (418 if error is exceptions.UpstreamStatus else error.status)
    check_shape(result, error)
    assert b"10.0.0.7" not in result.body
    assert "10.0.0.7" not in repr(result.headers)


def test_a_failing_provider_is_502():
    """The service behind an endpoint of our own fails in the same shape."""

    class ByHost(FakeUpstream):
        def send(self, request, **options):
            self.status = 200 if (request.url or "").startswith(UPSTREAM_URL) else 500
            return super().send(request, **options)

    result = call(stack(ByHost()), ours(path=f"{WORKSPACE}/translate", body=TRANSLATION))
    assert result.code == 502
    check_shape(result, exceptions.ProviderFailed)


def test_fields_stand_beside_the_error():
    """A wrong body and an upstream's field errors are read in one way (F126)."""
    here = call(stack(), ours(path=f"{WORKSPACE}/invitations", body=b'{"email": "nobody"}')).document
    there = call(stack(FakeUpstream(400, b'{"email": ["Enter a valid email address."]}')), ours(body=b"{}")).document
    assert here["fields"] == there["fields"] == {"email": ["Enter a valid email address."]}
    assert there["error"] == "Request failed"


def test_unauthorized_is_what_the_contract_says():
    """``{"error": "Unauthorized"}`` with 401."""
    result = call(stack(), request("GET", "/api/workspaces"))
    assert (result.code, result.document["error"]) == (401, "Unauthorized")
    assert result.header("WWW-Authenticate")


def test_a_bug_is_a_bare_500_in_the_same_shape(caplog):
    """An endpoint that fails tells nothing and logs everything."""

    def broken(environ, start_response):
        raise ZeroDivisionError("the pass-phrase is xyzzy")

    with caplog.at_level(logging.ERROR):
        result = call(
            stack(routes=[Route("GET", "x", broken, NONE)]),
            request("GET", "/api/x", headers={"X-Request-ID": "request-0001"}),
        )
    assert result.code == 500
    check_shape(result, ProxyError)
    assert b"xyzzy" not in result.body
    assert "xyzzy" in caplog.text


# Order


def test_an_unknown_path_never_unseals_a_cookie():
    """Routing stands before the session, so a scan of paths costs no cryptography."""

    class Untouchable:
        def __getattr__(self, name):
            raise AssertionError(name)

    rows = [Route("GET", "x", "/x/")]
    result = call(stack(sessions=Untouchable(), routes=rows), ours("GET", "/api/unknown"))
    assert result.code == 404


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "code"),
    [
        ("POST", "/api/unknown", {"Origin": "https://evil.example"}, b"not json", 404),
        ("PATCH", "/api/workspaces", {"Origin": "https://evil.example"}, b"not json", 405),
        ("POST", "/api/workspaces", {"Origin": "https://evil.example"}, b"not json", 403),
        ("POST", "/api/workspaces", {}, b"not json", 401),
        ("POST", "/api/workspaces", {"Cookie": "theme=dark"}, b"not json", 403),
        ("POST", "/api/auth/register", {}, b"not json", 400),
    ],
)
def test_the_first_layer_that_refuses_answers(method, path, headers, body, code):
    """Errors, routing, cross-site, session, body, in this order."""
    upstream = FakeUpstream()
    assert call(stack(upstream), request(method, path, headers=headers, body=body)).code == code
    assert upstream.sent == []


def test_a_stranger_cannot_make_us_read_a_megabyte():
    """Without a session the body is drained within the bound of the errors layer, and never judged."""
    stream = io.BytesIO(b"x" * 1_000_000)
    environ = request("POST", "/api/workspaces", CONTENT_LENGTH="1000000", wsgi__input=stream)
    assert call(stack(), environ).code == 401
    assert stream.tell() <= 262_144


# Success


def test_a_request_goes_through_all_layers():
    """Cookie in, token out, the same bytes both ways, and an answer that nobody keeps."""
    token, upstream = access_token(), FakeUpstream(201, b'{ "id": 1 }')
    environ = request(
        "POST",
        f"{WORKSPACE}/chats/",
        headers={"Cookie": session_cookie(token), "Origin": PUBLIC_URL},
        body=b'{"name" : "A"}',
        query="a=b+c",
        content_type="text/plain;charset=UTF-8",
    )
    result = call(stack(upstream), environ)
    (sent,) = upstream.sent
    assert (sent.method, sent.url) == ("POST", f"{UPSTREAM_URL}/api/workspaces/{WORKSPACE_ID}/chats/?a=b+c")
    assert sent.body == b'{"name" : "A"}'
    assert sent.headers["Authorization"] == f"JWT {token}"
    assert sent.headers["Content-Type"] == "application/json"
    assert sent.headers["Host"] == "upstream.test:8000"
    assert (sent.headers["X-Forwarded-Proto"], sent.headers["X-Forwarded-Host"]) == ("https", "app.example.com")
    assert "Cookie" not in sent.headers
    assert (result.code, result.body) == (201, b'{ "id": 1 }')
    assert result.header("Cache-Control") == "private, no-store"


@pytest.mark.parametrize("path", ["confirm-upload", "reprocess"])
def test_a_post_without_a_body_is_served(path):
    """The browser code posts nothing at all to many actions."""
    upstream = FakeUpstream(204, b"", [])
    result = call(stack(upstream), ours(path=f"{WORKSPACE}/documents/7/{path}/"))
    assert (result.code, result.body) == (204, b"")
    assert (upstream.sent[0].headers["Content-Length"], upstream.sent[0].body) == ("0", b"")


def test_the_webhook_needs_neither_session_nor_origin():
    """Stripe's bytes and signature arrive as they were, and no cookie does (F069, F162)."""
    upstream = FakeUpstream()
    headers = {"Stripe-Signature": "t=1,v1=x", "Cookie": "a=b"}
    call(
        stack(upstream),
        request(
            "POST",
            "/api/subscriptions/webhook",
            headers=headers,
            body=b'{"a":1,"a":2}\n',
            content_type="application/json; charset=utf-8",
        ),
    )
    (sent,) = upstream.sent
    assert sent.body == b'{"a":1,"a":2}\n'
    assert sent.headers["Stripe-Signature"] == "t=1,v1=x"
    assert sent.headers["Content-Type"] == "application/json; charset=utf-8"
    assert not {"Authorization", "Cookie"} & set(sent.headers)


@pytest.mark.parametrize("cookie", [None, session_cookie()])
def test_prices_are_for_everybody_and_know_who_asks(cookie):
    """OPTIONAL sends the token when there is one."""
    upstream = FakeUpstream()
    headers = {} if cookie is None else {"Cookie": cookie}
    assert call(stack(upstream), request("GET", "/api/subscriptions/pricing", headers=headers)).code == 200
    assert ("Authorization" in upstream.sent[0].headers) is (cookie is not None)
    assert upstream.sent[0].url == f"{UPSTREAM_URL}/api/subscriptions/subscribable-product/"


def test_a_path_that_is_a_setting_replaces_the_rows_own():
    """``TRANSCRIBE_PATH`` moves the one row whose upstream path is not documented."""
    upstream = FakeUpstream()
    settings = SETTINGS.model_copy(update={"transcribe_path": "/api/whisper/"})
    call(
        stack(upstream, settings=settings),
        ours(path="/api/transcribe-audio", body=b"\x00audio", content_type="audio/webm"),
    )
    assert upstream.sent[0].url == f"{UPSTREAM_URL}/api/whisper/"


def test_the_prefix_is_a_setting():
    """Mounted by a host at ``/api``, the stack is given an empty prefix (F057)."""
    settings = SETTINGS.model_copy(update={"prefix": ""})
    assert call(stack(settings=settings), ours("GET", "/workspaces", SCRIPT_NAME="/api")).code == 200


def test_nothing_secret_is_logged(caplog):
    """Neither tokens nor cookies stand in any log line of a success or a refusal (F151)."""
    token = access_token()
    cookie = session_cookie(token)
    with caplog.at_level(logging.DEBUG):
        for upstream in (FakeUpstream(), *REFUSED_THERE.values()):
            call(stack(upstream), request("GET", "/api/workspaces", headers={"Cookie": cookie}))
            call(stack(upstream), request("POST", "/api/workspaces", headers={"Cookie": cookie}, body=b"bad"))
    assert token not in caplog.text
    assert cookie.split("=", 1)[1] not in caplog.text


# Building


def test_compose_folds_a_list_outermost_first():
    """The list reads in request order."""
    seen = []

    def layer(name):
        def wrap(app):
            def call_it(environ, start_response):
                seen.append(name)
                return app(environ, start_response)

            return call_it

        return wrap

    def app(environ, start_response):
        seen.append("app")
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b""]

    call(compose([layer("a"), layer("b")], app), request())
    assert seen == ["a", "b", "app"]
    assert compose([], app) is app


def test_a_stack_of_ones_own_is_a_list_too():
    """Single layers fit together without the rest."""
    rows = [Route("POST", "echo", lambda environ, start_response: [], NONE, EMPTY_OR_OBJECT)]

    def echo(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ["wsgi.input"].read()]

    app = compose([ErrorMiddleware, lambda app: RouteMiddleware(app, routes=rows), BodyMiddleware], echo)
    assert call(app, request("POST", "/api/echo", body=b"{}"), validate=False).body == b"{}"
    assert call(app, request("POST", "/api/echo", body=b"{"), validate=False).code == 400


@pytest.mark.parametrize(
    "routes",
    ["no.such.module:ROUTES", "wsgiproxy_hs.table:NOTHING", "wsgiproxy_hs.table:MiB", "wsgiproxy_hs.environ:KEYS"],
)
def test_a_table_that_cannot_be_loaded_is_named(routes):
    """``WSGIPROXY_ROUTES`` that leads nowhere, or to something else, is a fault of the configuration."""
    with pytest.raises(ConfigurationError, match="WSGIPROXY_ROUTES"):
        load_routes(SETTINGS.model_copy(update={"routes": routes}))


def test_a_table_with_crossing_rows_builds_no_app():
    """The mistake is found at the start and not by a request."""
    with pytest.raises(ConfigurationError):
        stack(routes=[Route("GET", "a/{x}/c", "/"), Route("GET", "a/b/{y}", "/")])


def test_sessions_of_ones_own_are_used():
    """A reader that the host supplies decides who is signed in."""
    sessions = make_sessions(secrets=["some-other-key-of-a-host-0123456789abc"])
    cookie = session_cookie(sessions=sessions)
    assert call(stack(sessions=sessions), request("GET", "/api/workspaces", headers={"Cookie": cookie})).code == 200
    assert call(stack(), request("GET", "/api/workspaces", headers={"Cookie": cookie})).code == 401


# A host app beside the table


class Host:
    """An app that keeps everything it was given."""

    def __init__(self):
        self.calls = []
        self.answer = [b"host"]

    def __call__(self, environ, start_response):
        self.calls.append((environ, start_response))
        start_response("200 OK", [("Content-Type", "text/plain")])
        return self.answer


def start(status, headers, exc_info=None):
    return lambda _: None


@pytest.mark.parametrize(
    "path", ["", "/", "/index.html", "/apix", "/api", "/static/caf\xe9", "/static/..;/x", "/static//x", "/api/unknown"]
)
def test_what_is_outside_the_table_is_the_hosts_before_any_layer(path):
    """The host gets the same environ and ``start_response``, nothing added or read, and its iterable comes back."""
    host = Host()
    environ = request("POST", path, body=b"the host's")
    before = dict(environ)
    assert stack(otherwise=host)(environ, start) is host.answer
    ((seen, start_response),) = host.calls
    assert seen is environ
    assert start_response is start
    assert environ == before
    assert not set(KEYS) & set(environ)
    assert environ["wsgi.input"].tell() == 0


@pytest.mark.parametrize(
    ("path", "code"), [("/api/workspaces", 401), ("/api/workspaces/..", 400), ("/api/workspaces/caf\xe9", 400)]
)
def test_what_is_in_the_table_or_crooked_below_the_prefix_is_ours(path, code):
    """The host never sees what the table answers or refuses."""
    host = Host()
    assert call(stack(otherwise=host), request("GET", path)).code == code
    assert host.calls == []


def test_exceptions_of_the_host_are_its_own():
    """An error of the host is not turned into our document."""

    def host(environ, start_response):
        raise exceptions.RouteNotFound

    with pytest.raises(exceptions.RouteNotFound):
        stack(otherwise=host)(request("GET", "/elsewhere"), start)


def test_without_a_host_the_rest_is_404():
    """The stack alone answers everything."""
    environ = request("GET", "/elsewhere")
    assert call(stack(), environ).code == 404
    assert ROUTE not in environ
