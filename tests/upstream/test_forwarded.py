"""Who the client is, as far as the servers in front may be believed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgiproxy_hs.trusted_proxies import TrustedProxies
from wsgiproxy_hs.upstream.forwarded import canonical_address, client_address, forwarded_node

INNER, OUTER, CLIENT = "10.0.0.1", "10.0.0.2", "203.0.113.9"
NETWORKS = TrustedProxies.parse("10.0.0.0/8, 2001:db8:f::/48")
UNIX = TrustedProxies.parse("unix")
ONE, TWO = TrustedProxies.parse("1"), TrustedProxies.parse("2")


def asked(trusted, peer=INNER, listed=None, forwarded=None):
    """The client of a request with these two headers."""
    environ = {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": listed, "HTTP_FORWARDED": forwarded}
    return client_address({key: value for key, value in environ.items() if value is not None}, trusted)


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "0.0.0.0/0",
        "::/0",
        "10.0.0.1/8",
        "10.0.0.0/33",
        "proxy.example.com",
        "-1",
        "11",
        "99999",
        "1, 2",
        "1.5",
        "²",
    ],
)
def test_trust_that_cannot_be_meant_is_refused(text):
    """Trusting everybody, a host name or half a network is a mistake, and what to write instead is said."""
    with pytest.raises(ValueError, match=r"write|did you mean"):
        TrustedProxies.parse(text)


def test_what_is_no_network_is_not_repeated():
    """A variable may hold another one's secret by mistake."""
    with pytest.raises(ValueError) as caught:
        TrustedProxies.parse("hunter2-hunter2")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("text", ["", " ", "0", " , "])
def test_the_default_is_nobody(text):
    """Nothing, and no hop, is nobody."""
    assert not TrustedProxies.parse(text)
    assert asked(TrustedProxies.parse(text), CLIENT, "1.2.3.4", "for=1.2.3.4") == CLIENT


@pytest.mark.parametrize("trusted", [NETWORKS, UNIX])
@pytest.mark.parametrize("headers", [{"listed": "1.2.3.4"}, {"forwarded": "for=1.2.3.4"}])
def test_a_stranger_is_not_believed(trusted, headers):
    """A peer that is no trusted proxy is the client itself, whatever it says (F091, F092)."""
    assert asked(trusted, CLIENT, **headers) == CLIENT


@pytest.mark.parametrize(
    ("trusted", "peer", "invented", "appended"),
    [
        (NETWORKS, INNER, "1.2.3.4", CLIENT),
        (NETWORKS, INNER, "1.2.3.4, 10.0.0.9", CLIENT),
        (NETWORKS, INNER, "unknown", CLIENT),
        (NETWORKS, INNER, ",,,", f"{CLIENT}, {OUTER}"),
        (NETWORKS, INNER, ", ".join(["1.2.3.4"] * 50), CLIENT),
        (NETWORKS, "2001:db8:f::1", "1.2.3.4", f"{CLIENT}, 2001:db8:f::2"),
        (ONE, "192.0.2.1", "1.2.3.4", CLIENT),
        (TWO, "192.0.2.1", "1.2.3.4", f"{CLIENT}, 192.0.2.2"),
        (UNIX, "", "1.2.3.4", CLIENT),
        (ONE, "", "1.2.3.4", CLIENT),
    ],
)
def test_what_the_client_invented_is_not_looked_at(trusted, peer, invented, appended):
    """The list is read from its end, where the proxies write (F091)."""
    assert asked(trusted, peer, f"{invented}, {appended}") == CLIENT
    elements = ", ".join(forwarded_node(address) for address in appended.split(", "))
    for forged in ("for=1.2.3.4", 'for="x', 'for=1.2.3.4;by="', 'x="a\\', "for=unknown;", '"', 'for=1.2.3.4;host="'):
        assert asked(trusted, peer, forwarded=f"{forged}, {elements}") == CLIENT


@pytest.mark.parametrize("trusted", [NETWORKS, ONE])
@pytest.mark.parametrize("forged", ["for=1.2.3.4", "for=unknown", "nonsense", ""])
def test_headers_that_contradict_each_other_are_both_disbelieved(trusted, forged):
    """A proxy that keeps up one of them passes the other on as it came, and which it is nobody knows (F092)."""
    assert asked(trusted, listed=CLIENT, forwarded=forged) is None
    if forged.startswith("for=1"):
        assert asked(trusted, listed="1.2.3.4", forwarded=f"for={CLIENT}") is None


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "unknown",
        "_hidden",
        "1.2.3",
        "1.2.3.4.5",
        "01.2.3.4",
        "1.2.3.4:",
        "1.2.3.4:123456",
        "[::1",
        "::1]",
        "[1.2.3.4]x",
        "fe80::1%eth0",
        "1.2.3.4 5.6.7.8",
        "1.2.3.4/32",
        "a\r\nb",
    ],
)
def test_a_malformed_entry_ends_the_walk(entry):
    """Behind what cannot be read, nothing is guessed: nobody knows the client then."""
    assert asked(NETWORKS, listed=f"1.2.3.4, {entry}") is None
    assert asked(ONE, listed=f"1.2.3.4, {entry}") is None


@pytest.mark.parametrize(
    "element",
    [
        "for=unknown",
        "for=_hidden",
        "for=",
        "for",
        "proto=https",
        "for=1.2.3.4;for=5.6.7.8",
        "for=::1",
        'for="::1"',
        'for="1.2.3.4',
        "for='1.2.3.4'",
        'for="1.2.3.4\\""',
        "for = 1.2.3.4",
        "for=1.2.3.4;",
        "",
        'for="[::1]:a b"',
    ],
)
def test_a_malformed_element_ends_the_walk(element):
    """As an entry of the other header does; an obfuscated one names nobody either (RFC 7239, section 6.3)."""
    assert asked(NETWORKS, forwarded=f"for=1.2.3.4, {element}") is None


def test_fewer_entries_than_hops_say_nothing():
    """A request that came a shorter way was not written down by all: its list is the client's own."""
    assert asked(TWO, listed="1.2.3.4") is None
    assert asked(TWO, listed=f"{CLIENT}, 192.0.2.2", forwarded="for=1.2.3.4") == CLIENT


def test_a_list_without_end_is_not_read_to_its_beginning():
    """More proxies in a row than anybody has are none."""
    assert asked(NETWORKS, listed=", ".join([CLIENT, *[OUTER] * 20])) is None


@pytest.mark.parametrize(
    ("entry", "address"),
    [
        (CLIENT, CLIENT),
        (f"{CLIENT}:5678", CLIENT),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("::ffff:203.0.113.9", CLIENT),
    ],
)
def test_every_usual_spelling_of_an_address_is_read(entry, address):
    """With a port as Azure writes it, in brackets, in capitals: the same address is the same text (F091)."""
    assert asked(NETWORKS, listed=entry) == address


@pytest.mark.parametrize(
    "element",
    [
        'for="[2001:db8::1]:443"',
        'For="[2001:DB8::1]"',
        'proto=https;for="[2001:db8::1]:_x1";host="app.example.com:8443"',
        ' by=_proxy ; for="[2001:db8::1]" ',
    ],
)
def test_every_form_of_an_element_is_read(element):
    """Names in any case, pairs in any order, ports (RFC 7239, sections 4 and 6)."""
    assert asked(NETWORKS, forwarded=element) == "2001:db8::1"
    assert asked(NETWORKS, listed="2001:db8::1", forwarded=element) == "2001:db8::1"


def test_the_peer_is_the_client_of_its_own_requests():
    """A proxy that checks our health sends no list."""
    assert asked(NETWORKS) == asked(ONE) == INNER
    assert asked(UNIX, "") is None


def test_a_client_within_the_trusted_networks_is_found():
    """When all of them are trusted, the first one is where it began."""
    assert asked(NETWORKS, listed=f"10.1.1.1, {OUTER}") == "10.1.1.1"


@pytest.mark.parametrize(
    ("peer", "address"), [("fe80::1%eth0", "fe80::1"), ("::ffff:10.0.0.1", INNER), ("unix:", None)]
)
def test_the_peer_has_one_spelling_too(peer, address):
    """A dual-stack socket tells IPv4 peers as IPv6; zones are ours alone."""
    assert asked(TrustedProxies(), peer) == address


@given(
    st.text(alphabet=st.characters(max_codepoint=255)), st.text(alphabet='for=;,"[]:.0123456789abc \\_%', max_size=60)
)
def test_no_invention_of_a_client_moves_the_answer(invented, forwarded):
    """Whatever stands to the left of what the proxy appended, the answer is the same."""
    assert asked(ONE, "192.0.2.1", f"{invented}, {CLIENT}") == CLIENT
    assert asked(NETWORKS, INNER, forwarded=f"{forwarded}, for={CLIENT}") == CLIENT


@given(st.text(max_size=40))
def test_nothing_is_an_address_that_cannot_be_a_header_value(text):
    """What comes out is an address in canonical form, or nothing."""
    address = canonical_address(text)
    assert address is None or canonical_address(address) == address
