"""``traceparent`` and ``tracestate`` travel when they are what they say (F157)."""

from __future__ import annotations

import pytest

from tests.harness import PUBLIC_URL, SECRET, UPSTREAM_URL, FakeUpstream, call, request
from wsgiproxy_hs.settings import Settings
from wsgiproxy_hs.stack import create_app
from wsgiproxy_hs.upstream.headers import REQUEST_HEADERS, environ_names, request_headers

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"
STATE = "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"
NAMES = environ_names(REQUEST_HEADERS)


def travelling(parent=None, state=None):
    environ = {"HTTP_TRACEPARENT": parent, "HTTP_TRACESTATE": state}
    return request_headers({key: value for key, value in environ.items() if value is not None}, NAMES)


@pytest.mark.parametrize(
    "parent",
    [
        "",
        "x",
        PARENT.upper(),
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"{PARENT}-more",
        f"{PARENT},{PARENT}",
        f" {PARENT}",
        f"{PARENT}\n",
        f"01-{TRACE}-{SPAN}-01more",
        f"01-{TRACE}-{SPAN}-01-" + "a" * 500,
        f"00-{TRACE[:-1]}g-{SPAN}-01",
    ],
)
def test_a_malformed_parent_goes_no_further_and_takes_its_state_along(parent):
    """Section 4.3 of the standard: the upstream begins a trace of its own then."""
    assert travelling(parent, STATE) == {}


@pytest.mark.parametrize(
    "state",
    [
        "nonsense",
        "=a",
        "A=b",
        "a=b;c\n",
        "a=" + "x" * 257,
        ",".join(f"a{n}=1" for n in range(33)),
        "a=" + "é",
        "a=b=c",
        "a=b " + "\x00",
    ],
)
def test_a_malformed_state_goes_no_further(state):
    """Section 3.3: the parent is good without it."""
    assert travelling(PARENT, state) == {"Traceparent": PARENT}


def test_a_state_without_a_parent_goes_no_further():
    """It means nothing alone."""
    assert travelling(None, STATE) == {}


@pytest.mark.parametrize("parent", [PARENT, f"01-{TRACE}-{SPAN}-01", f"cc-{TRACE}-{SPAN}-01-what-the-future-brings"])
@pytest.mark.parametrize("state", [STATE, "", "a=b", "t@v=1, a=2 , ,b=3", ",".join(f"a{n}=1" for n in range(32))])
def test_what_is_well_formed_travels_as_it_is(parent, state):
    """Later versions too, as the standard wants it."""
    assert travelling(parent, state) == {"Traceparent": parent, "Tracestate": state}


def test_a_trace_is_begun_anew_where_the_browsers_is_not_to_be_trusted():
    """``TRACE_CONTEXT=restart``: a stranger neither names the trace nor orders that it is sampled; all else travels."""
    environ = {"HTTP_TRACEPARENT": PARENT, "HTTP_TRACESTATE": STATE, "HTTP_ACCEPT": "a/b"}
    for choice, expected in (("pass", {"Accept", "Traceparent", "Tracestate"}), ("restart", {"Accept"})):
        settings = Settings(backend_url=UPSTREAM_URL, public_url=PUBLIC_URL, secrets=[SECRET], trace_context=choice)
        upstream = FakeUpstream()
        call(create_app(settings, transport=upstream), {**request("GET", "/api/subscriptions/pricing"), **environ})
        (sent,) = upstream.sent
        assert {"Accept", "Traceparent", "Tracestate"} & set(sent.headers) == expected
