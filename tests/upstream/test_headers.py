"""Which headers travel."""

from __future__ import annotations

import pytest

from wsgiproxy_hs.exceptions import UpstreamLoop
from wsgiproxy_hs.upstream.headers import (
    ANSWER_HEADERS_KEPT_BACK,
    PSEUDONYM,
    REQUEST_HEADERS,
    Forwarding,
    answer_headers,
    environ_names,
    forwarding_headers,
    request_headers,
)

VIA = f"1.1 {PSEUDONYM}"
OURS = [("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "same-origin")]
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.mark.parametrize("name", sorted(set(REQUEST_HEADERS) - {"Traceparent", "Tracestate"}))
def test_every_listed_request_header_travels_under_its_listed_name(name):
    """What is on the list goes out with the value that came in."""
    key = "HTTP_" + name.upper().replace("-", "_")
    assert request_headers({key: "v", "HTTP_X_OTHER": "w"}, environ_names(REQUEST_HEADERS)) == {name: "v"}


def test_every_row_has_its_reason():
    """Neither list has a row that nobody can explain."""
    assert all(REQUEST_HEADERS.values())
    assert all(ANSWER_HEADERS_KEPT_BACK.values())


@pytest.mark.parametrize(
    "name",
    [
        "Cookie",
        "Authorization",
        "Host",
        "Origin",
        "Referer",
        "Forwarded",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Real-IP",
        "Via",
        "Connection",
        "TE",
        "Upgrade",
        "Expect",
        "Transfer-Encoding",
        "Content-Length",
        "X-HTTP-Method-Override",
        "X-User",
        "Remote-User",
        "X-Requested-With",
        "X-CSRF",
        "Proxy",
        "Keep-Alive",
        "Trailer",
        "Cookie2",
    ],
)
def test_what_must_not_travel_is_not_on_the_list(name):
    """Cookies, credentials, identity, forwarding and hop-by-hop headers stay here (F080, F087 to F092, F130)."""
    assert name.lower() not in {listed.lower() for listed in REQUEST_HEADERS}


def test_we_alone_tell_the_upstream_who_the_client_is():
    """``X-Forwarded-For`` and ``Forwarded`` name the peer, whatever the client claims (F091 to F093)."""
    claims = {"HTTP_X_FORWARDED_FOR": "1.2.3.4", "HTTP_FORWARDED": "for=1.2.3.4", "HTTP_X_FORWARDED_PROTO": "ftp"}
    assert forwarding_headers({**claims, "REMOTE_ADDR": "203.0.113.9"}, Forwarding("https://app.example.com:444")) == {
        "Via": VIA,
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "app.example.com:444",
        "X-Forwarded-For": "203.0.113.9",
        "Forwarded": 'for=203.0.113.9;host="app.example.com:444";proto=https',
    }


def test_without_a_peer_address_nothing_is_invented():
    """Behind a Unix socket there is no address to tell."""
    for environ in ({}, {"REMOTE_ADDR": ""}, {"REMOTE_ADDR": "unix:"}):
        headers = forwarding_headers(environ, Forwarding())
        assert "X-Forwarded-For" not in headers
        assert headers["Forwarded"] == "for=unknown"


def test_via_is_appended_to():
    """Proxies before us stay named, and so does the protocol that we were spoken to in (RFC 9110, section 7.6.3)."""
    assert forwarding_headers({"HTTP_VIA": "1.1 front"}, Forwarding())["Via"] == f"1.1 front, {VIA}"
    assert forwarding_headers({"SERVER_PROTOCOL": "HTTP/2"}, Forwarding())["Via"] == "2 wsgiproxy_hs"


@pytest.mark.parametrize("via", ["1.1 caf\xe9", "1.1 a\x00", "1.1 a\r\nX-User: 1", "1.1 " + "a" * 2000])
def test_a_via_that_is_none_goes_no_further(via):
    """What cannot be a list of servers is replaced by ours (F102)."""
    assert forwarding_headers({"HTTP_VIA": via}, Forwarding())["Via"] == VIA


@pytest.mark.parametrize(
    "via",
    [
        VIA,
        f"1.1 front, {VIA}",
        f"{VIA}, 1.1 front",
        "1.0 WSGIPROXY_HS",
        "HTTP/1.1 wsgiproxy_hs (a comment)",
        "1.1  wsgiproxy_hs",
        "1.1 a\x00, 1.1 wsgiproxy_hs",
    ],
)
def test_a_request_that_came_through_here_is_a_loop(via):
    """Our own name in ``Via`` ends a loop before the threads do (F109)."""
    with pytest.raises(UpstreamLoop):
        forwarding_headers({"HTTP_VIA": via}, Forwarding())


@pytest.mark.parametrize(
    "via", ["1.1 wsgiproxy_hs2", "1.1 my-wsgiproxy_hs", "1.1 front (wsgiproxy_hs)", "wsgiproxy_hs"]
)
def test_another_server_in_via_is_no_loop(via):
    """Loops are found by our own name alone, and the name is a setting: two such servers may stand in a row (F109)."""
    assert forwarding_headers({"HTTP_VIA": via}, Forwarding())["Via"] == f"{via}, {VIA}"
    assert forwarding_headers({"HTTP_VIA": VIA}, Forwarding(pseudonym="inner"))["Via"] == f"{VIA}, 1.1 inner"


@pytest.mark.parametrize(
    "value", ["unsafe-url", "origin", "strict-origin-when-cross-origin", "no-referrer, unsafe-url", ""]
)
def test_a_looser_referrer_policy_of_the_upstream_is_replaced(value):
    """No other site learns our paths because the upstream thought nothing of it."""
    assert answer_headers([("Referrer-Policy", value)]) == OURS


def test_a_stricter_referrer_policy_of_the_upstream_stays_and_nothing_is_said_twice():
    """The stricter word counts, and each of these headers stands once in an answer."""
    pairs = [("referrer-policy", "no-referrer"), ("x-content-type-options", "nosniff")]
    assert answer_headers(pairs) == [("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer")]


@pytest.mark.parametrize("name", ANSWER_HEADERS_KEPT_BACK)
def test_every_listed_answer_header_is_kept_back(name):
    """In whatever case it is spelt (F086, F094, F158)."""
    pairs = [("X-A", "1"), (name, "x"), (name.title(), "x"), (name.upper(), "x"), ("X-B", "2")]
    assert answer_headers(pairs) == [("X-A", "1"), ("X-B", "2"), *OURS]


@pytest.mark.parametrize(
    ("connection", "named"),
    [
        (["X-Hop"], {"x-hop"}),
        (["close, X-Hop"], {"x-hop"}),
        (["x-hop ,X-Other"], {"x-hop", "x-other"}),
        (["X-Hop", "X-Other"], {"x-hop", "x-other"}),
    ],
)
def test_what_connection_names_is_kept_back_too(connection, named):
    """A header that ``Connection`` names is hop-by-hop, wherever it stands (RFC 9110, section 7.6.1; F094)."""
    pairs = [("X-Hop", "1"), *[("Connection", value) for value in connection], ("X-Other", "2"), ("X-Stays", "3")]
    assert [name for name, _ in answer_headers(pairs)[:-2]] == [
        n for n in ("X-Hop", "X-Other", "X-Stays") if n.lower() not in named
    ]


@pytest.mark.parametrize("value", ["close", "keep-alive", "Keep-Alive, close", ""])
def test_a_plain_connection_header_takes_nothing_with_it(value):
    """``close`` and ``keep-alive`` name no header."""
    assert answer_headers([("Connection", value), ("X-A", "1")]) == [("X-A", "1"), *OURS]


def test_everything_else_comes_back_in_order_with_repetitions():
    """Conditionals, ranges, codings, links and headers that nobody knows are passed as they are (F085, F096, F100)."""
    pairs = [
        ("ETag", '"x"'),
        ("Link", "<a>"),
        ("link", "<b>"),
        ("Content-Encoding", "br"),
        ("Content-Length", "5"),
        ("X-Odd", "caf\xe9"),
        ("Vary", "Accept"),
    ]
    assert answer_headers(pairs) == [*pairs, *OURS]


def test_an_upstream_that_invents_names_does_not_fill_the_memory():
    """The memory for header names is bounded."""
    from wsgiproxy_hs.upstream import headers

    for index in range(5000):
        answer_headers([(f"X-{index}", "1")])
    assert len(headers._LOWER) <= 1024
