"""TLS to the upstream: always verified, and never an end that only looks like one (F154)."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.asking import HASTY, PATIENT, ask, make_app
from tests.faults.certificates import Authority
from tests.faults.upstream import (
    ScriptedUpstream,
    answer,
    chunked,
    close,
    farewell,
    forever,
    pause,
    read,
    read_head,
    reset,
    send,
    wait_for_end,
)
from wsgiproxy_hs.exceptions import ConfigurationError
from wsgiproxy_hs.upstream import Transport


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def transport(authority: Authority) -> Iterator[Transport]:
    """Trusts that authority."""
    made = Transport(ca_bundle=authority.bundle)
    yield made
    assert all(pool.places.in_use == 0 for pool in made._pools.values())
    made.close()


SERVES = forever(read(), send(answer()))


def test_verified_and_kept(authority: Authority, transport: Transport) -> None:
    """An upstream with a good certificate is asked over one connection, whose session tickets do not retire it."""
    with ScriptedUpstream(SERVES, tls=authority.server()) as upstream:
        app = make_app(upstream.url, transport=transport)
        assert [ask(app).body for _ in range(5)] == [b"ok"] * 5
        assert len(upstream.peers) == 1


@pytest.mark.parametrize("host", ["other.example", "127.0.0.1"])
def test_other_name(authority: Authority, transport: Transport, host: str) -> None:
    """A certificate for another name is 502."""
    with ScriptedUpstream(SERVES, tls=authority.server(host)) as upstream:
        assert ask(make_app(upstream.url, transport=transport)).status == 502
        assert upstream.requests == []


def test_address_as_name(authority: Authority, transport: Transport) -> None:
    """An upstream named by its address shows a certificate for that address."""
    with ScriptedUpstream(SERVES, tls=authority.server("127.0.0.1")) as upstream:
        url = upstream.url.replace("localhost", "127.0.0.1")
        assert ask(make_app(url, transport=transport)).status == 200


def test_expired(authority: Authority, transport: Transport) -> None:
    """A certificate that is over is 502."""
    with ScriptedUpstream(SERVES, tls=authority.server(expired=True)) as upstream:
        assert ask(make_app(upstream.url, transport=transport)).status == 502
        assert upstream.requests == []


def test_unknown_authority(tmp_path: Path, transport: Transport) -> None:
    """A certificate that nobody we trust signed is 502, and so is any without a bundle of our own."""
    with ScriptedUpstream(SERVES, tls=Authority(tmp_path, "stranger").server()) as upstream:
        assert ask(make_app(upstream.url, transport=transport)).status == 502
        default = Transport()
        assert ask(make_app(upstream.url, transport=default)).status == 502
        assert upstream.requests == []


def test_verification_cannot_be_turned_off(authority: Authority) -> None:
    """Not even ``verify=False`` of ``requests`` sends anything to an upstream that cannot be trusted."""
    import requests

    with ScriptedUpstream(SERVES, tls=authority.server()) as upstream, requests.Session() as session:
        session.mount("https://", Transport())
        with pytest.raises(requests.ConnectionError):
            session.get(upstream.url, verify=False)
        assert upstream.requests == []


def test_plain_text_where_tls_is_expected(transport: Transport) -> None:
    """An upstream that does not speak TLS is 502 and gets no request."""
    with ScriptedUpstream(send(answer()), wait_for_end()) as upstream:
        url = upstream.url.replace("http://", "https://")
        assert ask(make_app(url, transport=transport)).status == 502
        assert b"GET" not in upstream.peer().received


def test_silent_handshake(transport: Transport) -> None:
    """A handshake that does not come to its end is 504, by the connect clock."""
    with ScriptedUpstream(pause()) as upstream:
        url = upstream.url.replace("http://", "https://")
        assert ask(make_app(url, transport=transport, clocks=HASTY)).status == 504


def test_client_certificate(authority: Authority) -> None:
    """An upstream that asks for a certificate gets ours, and without one there is no exchange."""
    ours = authority.issue("proxy.example")
    with ScriptedUpstream(SERVES, tls=authority.server(ask_client=True)) as upstream:
        showing = Transport(ca_bundle=authority.bundle, client_certificate=ours)
        assert ask(make_app(upstream.url, transport=showing)).status == 200
        showing.close()
        silent = Transport(ca_bundle=authority.bundle)
        assert ask(make_app(upstream.url, transport=silent)).status == 502


def test_wrong_files(tmp_path: Path, authority: Authority) -> None:
    """A bundle or certificate that cannot be used is told at construction, by the name of its setting."""
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    for bundle in (str(empty), str(tmp_path / "missing.pem")):
        with pytest.raises(ConfigurationError, match="UPSTREAM_CA_BUNDLE"):
            Transport(ca_bundle=bundle)
    for certificate in (str(empty), str(tmp_path / "missing.pem"), authority.bundle):
        with pytest.raises(ConfigurationError, match="UPSTREAM_CLIENT_CERTIFICATE"):
            Transport(client_certificate=certificate)


def test_key_with_password(tmp_path: Path, authority: Authority) -> None:
    """A key with a password is told at construction; nothing asks for it at the terminal."""
    from cryptography.hazmat.primitives import serialization

    pem = Path(authority.issue("locked.example")).read_bytes()
    key = serialization.load_pem_private_key(pem, None)
    locked = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
    )
    path = tmp_path / "locked.pem"
    path.write_bytes(locked + pem[pem.index(b"-----BEGIN CERTIFICATE") :])
    with pytest.raises(ConfigurationError, match="password"):
        Transport(client_certificate=str(path))


@pytest.mark.parametrize(
    ("steps", "cut"),
    [
        ((send(b"HTTP/1.1 200 OK\r\n\r\nabc"), farewell()), False),
        ((send(b"HTTP/1.1 200 OK\r\n\r\nabc"), close()), True),
        ((send(b"HTTP/1.1 200 OK\r\n\r\nabc"), pause(0.05), reset()), True),
        ((send(answer(b"abc")), close()), False),
        ((send(answer(b"abc", length=9)), farewell()), True),
        ((send(chunked(b"abc")[:-5]), close()), True),
    ],
    ids=["farewell", "no farewell", "reset", "whole by its length", "cut", "chunks cut"],
)
def test_ends(authority: Authority, transport: Transport, steps: tuple, cut: bool) -> None:
    """RFC 9112, section 9.8: without TLS's farewell an answer is whole only when its length says so."""
    with ScriptedUpstream(read(), *steps, tls=authority.server()) as upstream:
        outcome = ask(make_app(upstream.url, transport=transport))
    assert (outcome.status, outcome.cut is not None) == (200, cut)
    assert outcome.body in (b"abc", b"")


@pytest.mark.parametrize("step", [close(), reset(), farewell()], ids=["closes", "resets", "farewell"])
def test_no_answer(authority: Authority, transport: Transport, step: object) -> None:
    """An upstream that ends the connection instead of answering is 502."""
    with ScriptedUpstream(read(), step, tls=authority.server()) as upstream:  # type: ignore[arg-type]
        assert ask(make_app(upstream.url, transport=transport)).status == 502


def test_large_upload(authority: Authority, transport: Transport) -> None:
    """Session tickets that arrive during an upload are no answer: the body arrives whole."""
    body = bytes(range(256)) * 8_192
    with ScriptedUpstream(SERVES, tls=authority.server()) as upstream:
        assert ask(make_app(upstream.url, transport=transport), "POST", body=body).status == 200
        assert upstream.requests[0].endswith(body)


def test_early_answer(authority: Authority, transport: Transport) -> None:
    """F084: an answer that comes while the body is sent is delivered, over TLS too."""
    refuses = (read_head(), send(answer(b'{"detail": "Too large"}', "413 Too Large")), pause())
    with ScriptedUpstream(*refuses, tls=authority.server()) as upstream:
        outcome = ask(make_app(upstream.url, transport=transport), "POST", body=b"x" * 8_000_000)
    assert outcome.status == 413


def test_stale_connection(authority: Authority, transport: Transport) -> None:
    """F133: a kept connection that the upstream ended is not used for the next request."""
    once = (read(), send(answer()), farewell())
    with ScriptedUpstream(*once, tls=authority.server()) as upstream:
        app = make_app(upstream.url, transport=transport, clocks=PATIENT)
        for index in range(3):
            assert ask(app, "POST", body=b"x").status == 200
            assert upstream.peer(index).finished.wait(5)
    assert len(upstream.requests) == 3


def test_contexts_are_made_late() -> None:
    """F141: no TLS context exists before the first request, so that gevent can still change the class."""
    transport = Transport()
    assert not any(isinstance(value, ssl.SSLContext) for value in vars(transport).values())
