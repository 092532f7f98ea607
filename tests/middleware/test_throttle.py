"""The throttle layer alone."""

from __future__ import annotations

import gc

import pytest

from tests.harness import Inner, call, request, routed
from wsgiproxy_hs.environ import CLIENT_ADDRESS, SESSION
from wsgiproxy_hs.exceptions import Throttled, TooManyAtOnce
from wsgiproxy_hs.middleware.throttle import ThrottleMiddleware, known_address
from wsgiproxy_hs.rates import Rate
from wsgiproxy_hs.routes import NONE, Route
from wsgiproxy_hs.throttling import By, Throttle
from wsgiproxy_hs.trusted_proxies import TrustedProxies

ADA = {"sub": "7", "email": "ada@example.com"}
THROTTLES = {"by-address": Throttle(Rate(2, 60), By.ADDRESS), "by-user": Throttle(Rate(2, 60), By.USER), "own": None}
PUBLIC = {"REMOTE_ADDR": "8.8.8.8"}


class Counting:
    """A meter that forgets nothing."""

    def __init__(self):
        self.counts = {}

    def hit(self, name, key, rate):
        count = self.counts[name, key] = self.counts.get((name, key), 0) + 1
        return None if count <= rate.amount else 42


def environ_of(name="by-address", claims=None, headers=None, **keys):
    row = Route("POST", "x", "/x/", NONE, throttle=name)
    environ = routed(row, request("POST", "/api/x", headers=headers or {}, **{**PUBLIC, **keys}))
    return environ if claims is None else {**environ, SESSION: claims}


def layer(inner, meter=None, **options):
    meter = meter if meter is not None else Counting()
    return ThrottleMiddleware(inner, throttles=THROTTLES, meter=meter, **options)


def test_one_too_many_is_429_and_says_when_and_why():
    """``Retry-After``, and the rule as ``RateLimit-Policy`` and ``RateLimit`` name it; the inner app is not asked."""
    inner = Inner()
    app = layer(inner.app)
    for _ in range(2):
        assert call(app, environ_of()).code == 200
    with pytest.raises(Throttled) as caught:
        call(app, environ_of())
    assert len(inner.environs) == 2
    assert caught.value.headers == [
        ("Retry-After", "42"),
        ("RateLimit-Policy", '"by-address";q=2;w=60'),
        ("RateLimit", '"by-address";r=0;t=42'),
    ]


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        ({"REMOTE_ADDR": "8.8.8.8"}, {"REMOTE_ADDR": "8.8.4.4"}, False),
        ({"REMOTE_ADDR": "8.8.8.8"}, {"REMOTE_ADDR": "::ffff:8.8.8.8"}, True),
        ({"REMOTE_ADDR": "2a00:1450::1"}, {"REMOTE_ADDR": "2a00:1450::ffff:1"}, True),
        ({"REMOTE_ADDR": "2a00:1450::1"}, {"REMOTE_ADDR": "2a00:1450:0:1::1"}, False),
    ],
)
def test_who_shares_an_address(first, second, shared):
    """An IPv4 address is one, in both spellings; an IPv6 client owns its whole /64 and is counted as that."""
    app = layer(Inner().app)
    for keys in (first, first, second):
        end = call(app, environ_of(**keys)).code if keys is first else None
        assert end in (200, None)
    if shared:
        with pytest.raises(Throttled):
            call(app, environ_of(**second))
    else:
        assert call(app, environ_of(**second)).code == 200


@pytest.mark.parametrize(
    "peer", ["", "127.0.0.1", "10.1.2.3", "192.168.0.7", "100.64.0.1", "fe80::1", "::1", "nonsense"]
)
def test_an_address_that_may_be_a_proxys_counts_for_nothing(peer):
    """With no trusted proxy named, a private peer may be one: all its clients would share one limit."""
    inner = Inner()
    app = layer(inner.app)
    for _ in range(5):
        assert call(app, environ_of(REMOTE_ADDR=peer, headers={"X-Forwarded-For": "8.8.8.8"})).code == 200
    assert all(CLIENT_ADDRESS not in environ for environ in inner.environs)


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ({"X-Forwarded-For": "10.9.9.9"}, "10.9.9.9"),
        ({"X-Forwarded-For": "1.1.1.1, 8.8.8.8"}, "8.8.8.8"),
        ({"X-Forwarded-For": "8.8.8.8", "Forwarded": "for=8.8.4.4"}, "unknown"),
        ({"X-Forwarded-For": "nonsense"}, "unknown"),
    ],
)
def test_a_trusted_proxy_says_who_the_client_is(headers, address):
    """Whom it does not name, or names in two ways, shares one limit with all such clients."""
    trusted = TrustedProxies.parse("127.0.0.0/8")
    environ = environ_of(headers=headers, REMOTE_ADDR="127.0.0.1")
    assert known_address(environ, trusted) == address
    inner = Inner()
    call(layer(inner.app, trusted=trusted), environ)
    assert inner.environ[CLIENT_ADDRESS] == address


def test_by_user_the_person_counts_and_not_the_cookie():
    """A session that was written anew is the same person's; another person has a share of their own."""
    app = layer(Inner().app)
    for number in range(2):
        assert call(app, environ_of("by-user", {**ADA, "jti": str(number), "exp": number})).code == 200
    with pytest.raises(Throttled):
        call(app, environ_of("by-user", ADA))
    assert call(app, environ_of("by-user", {"sub": "8"})).code == 200
    assert call(app, environ_of("by-user")).code == 200


@pytest.mark.parametrize("claims", [{}, {"sub": ""}, {"name": "Ada"}, {"sub": None}, {"sub": [1]}])
def test_a_session_that_names_nobody_is_counted_too(claims):
    """By its claims without their times, so that no session escapes."""
    app = layer(Inner().app)
    for number in range(2):
        call(app, environ_of("by-user", {**claims, "iat": number}))
    with pytest.raises(Throttled):
        call(app, environ_of("by-user", {**claims, "iat": 9}))


@pytest.mark.parametrize("name", [None, "own"])
def test_a_row_without_a_rule_is_not_counted(name):
    """No rule, or one that is the endpoint's affair; the latter still learns the address."""
    meter, inner = Counting(), Inner()
    call(layer(inner.app, meter), environ_of(name))
    assert meter.counts == {}
    assert inner.environ.get(CLIENT_ADDRESS) == ("8.8.8.8" if name else None)


def test_keys_show_nobody():
    """No address, user or e-mail address stands in the storage."""
    meter = Counting()
    app = layer(Inner().app, meter)
    call(app, environ_of())
    call(app, environ_of("by-user", {"email": "ada@example.com"}))
    assert not any(word in repr(meter.counts) for word in ("8.8.8.8", "ada", "example"))


# At once


class Open:
    """An app whose answers stay open until they are closed."""

    def __init__(self, failure=None):
        self.failure = failure

    def __call__(self, environ, start_response):
        if self.failure is not None:
            raise self.failure
        start_response("200 OK", [("Content-Type", "text/plain")])
        return iter([b"a", b"b"])


def begin(app, claims=ADA):
    return app(environ_of(None, claims), lambda *_: lambda _: None)


def test_more_at_once_than_one_person_needs_is_429():
    """Another person is not concerned, nor is anybody without a session."""
    app = layer(Open(), max_at_once=2)
    held = [begin(app), begin(app)]
    with pytest.raises(TooManyAtOnce) as caught:
        begin(app)
    assert caught.value.headers == [("Retry-After", "1")]
    assert begin(app, {"sub": "8"})
    assert len([begin(app, None) for _ in range(5)]) == 5
    held[0].close()
    assert begin(app)


def test_a_request_is_under_way_until_its_answer_is_closed():
    """An event stream holds its place for as long as it runs, read to its end or not."""
    app = layer(Open(), max_at_once=1)
    answer = begin(app)
    assert list(answer) == [b"a", b"b"]
    with pytest.raises(TooManyAtOnce):
        begin(app)
    answer.close()
    answer.close()
    again = begin(app)
    with pytest.raises(TooManyAtOnce):
        begin(app)
    again.close()


def test_a_server_that_forgets_to_close_leaks_no_place():
    """An answer that nobody has any more is over (F164)."""
    app = layer(Open(), max_at_once=1)
    begin(app)
    gc.collect()
    assert begin(app)


@pytest.mark.parametrize("failure", [ZeroDivisionError, KeyboardInterrupt])
def test_a_request_that_fails_is_over(failure):
    """Whatever is raised, its place is free again."""
    app = layer(Open(failure()), max_at_once=1)
    for _ in range(3):
        with pytest.raises(failure):
            begin(app)


def test_an_answer_that_cannot_be_closed_is_over():
    """A failing ``close()`` is told to the server, and frees the place."""

    class Broken(list):
        def close(self):
            raise OSError

    app = layer(lambda environ, start_response: Broken(), max_at_once=1)
    for _ in range(2):
        answer = begin(app)
        with pytest.raises(OSError):
            answer.close()
