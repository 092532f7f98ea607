from __future__ import annotations

import copy
import pickle
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from hypothesis import given
from hypothesis import strategies as st

from wsgiproxy_hs.exceptions import Unauthorized
from wsgiproxy_hs.sessions import AccessToken, expiry, is_sendable, verified_claims

NOW = 1_767_225_600
KEY = "a key of 64 characters, as Django makes them, more or less...... "


def token(**claims: Any) -> str:
    return jwt.encode(claims, KEY, algorithm="HS256")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a b",
        "a\r\nX: y",
        "a\n",
        "a\tb",
        "a\0",
        "é",
        "\x7f",
        "\u2028",
        None,
        5,
        b"bytes",
        ["a"],
        "a\ud800",
    ],
)
def test_what_cannot_be_a_header_value_is_no_token(text: Any) -> None:
    """Whatever would end or alter the Authorization header never becomes a token."""
    assert not is_sendable(text)
    if isinstance(text, str):
        with pytest.raises(ValueError, match="visible"):
            AccessToken(text)


def test_a_token_that_is_over_is_not_sent() -> None:
    """Beyond the leeway the upstream would refuse it anyhow: 401 at once (F014)."""
    now = NOW
    handle = AccessToken(token(exp=NOW + 60), clock=lambda: now)
    now = NOW + 75
    assert handle.is_over(now)
    assert not handle.is_over(now - 0.001)
    with pytest.raises(Unauthorized) as caught:
        handle.authorization("JWT")
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("hide", [repr, str, format, "{}".format, "{!r:>20}".format, "%s".__mod__])
def test_hides_itself(hide: Any) -> None:
    """No way of turning the handle into text shows the token."""
    secret = token(exp=NOW)
    assert secret not in hide(AccessToken(secret))
    assert "AccessToken" in hide(AccessToken(secret))


def test_cannot_be_pickled() -> None:
    """A handle does not leave its process, by pickling or copying."""
    for leave in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="pickled"):
            leave(AccessToken(token(exp=NOW)))


@pytest.mark.parametrize(
    "claims", [{}, {"exp": None}, {"exp": "1"}, {"exp": True}, {"exp": [1]}, {"exp": {}}, {"sub": 5}]
)
def test_an_expiry_that_is_none_is_unknown(claims: dict[str, Any]) -> None:
    """An unknown expiry is no expiry: the token is used until the upstream refuses it (F012)."""
    assert expiry(token(**claims)) is None
    handle = AccessToken(token(**claims), clock=lambda: 1e12)
    assert handle.expires is None
    assert not handle.is_over(1e12)
    assert handle.authorization("Bearer").startswith("Bearer ")


@given(st.text() | st.from_regex(r"\A[A-Za-z0-9_-]{0,9}\.[A-Za-z0-9_-]{0,9}\.[A-Za-z0-9_-]{0,9}\Z"))
def test_reading_the_expiry_never_raises(text: str) -> None:
    """An opaque or broken token has no known expiry."""
    assert expiry(text) is None


@pytest.mark.parametrize("payload", [b"[]", b'{"exp":1e999}', b'{"exp":NaN}', b"[" * 50_000, b"\xff", b"1" * 5000])
def test_reading_the_expiry_of_a_crooked_payload_never_raises(payload: bytes) -> None:
    """Nor has one whose claims are none."""
    from wsgiproxy_hs.sessions import base64url

    header = base64url.encode(b'{"alg":"HS256"}')
    assert expiry(f"{header}.{base64url.encode(payload)}.AAAA") is None


def test_gives_the_header_value() -> None:
    """The upstream's scheme and the token, and nothing else."""
    secret = token(exp=NOW + 60.5)
    handle = AccessToken(secret, clock=lambda: NOW)
    assert handle.authorization("JWT") == f"JWT {secret}"
    assert handle.expires == NOW + 60.5


def test_does_not_renew_yet() -> None:
    """Until there is renewal, a refusal is passed on."""
    handle = AccessToken(token(exp=NOW + 60), clock=lambda: NOW)
    assert handle.renew(handle.authorization("JWT")) is False


@pytest.mark.parametrize("algorithms", [[], ["none"], ["HS256", "RS256"], ["HS256", "none"], ["RS256", "NONE"]])
def test_refuses_algorithms_that_would_verify_nothing(algorithms: list[str]) -> None:
    """The allow-list names one family (RFC 8725)."""
    with pytest.raises(ValueError, match="algorithms"):
        verified_claims(token(), key=KEY, algorithms=algorithms, now=NOW)


def test_a_token_that_does_not_verify_is_none() -> None:
    """Another key, another algorithm, no signature, a foreign form, a time that is past: no token."""
    good = token(exp=NOW + 1)
    for bad in (
        jwt.encode({"exp": NOW}, KEY * 2, algorithm="HS256"),
        jwt.encode({"exp": NOW}, KEY, algorithm="HS512"),
        jwt.encode({"exp": NOW}, "", algorithm="none"),
        good[:-4] + "AAAA",
        "garbage",
        token(exp=NOW - 15),
        token(nbf=NOW + 16),
        token(exp="soon"),
    ):
        assert verified_claims(bad, key=KEY, algorithms=["HS256"], now=NOW) is None


def test_a_wrong_key_is_a_loud_mistake() -> None:
    """A key that cannot serve these algorithms is the operator's fault, and not that of every user."""
    private = generate_private_key(SECP256R1())
    signed = jwt.encode({"sub": "1"}, private, algorithm="ES256")
    with pytest.raises(ValueError, match="PEM"):
        verified_claims(signed, key="no key", algorithms=["ES256"], now=NOW)
    assert verified_claims(signed, key=private.public_key(), algorithms=["ES256"], now=NOW) == {"sub": "1"}


def test_a_token_that_verifies_gives_its_claims() -> None:
    """Times are judged by the clock that was given; a numeric sub, as SimpleJWT may write, is accepted."""
    claims = {"sub": 5, "exp": NOW - 14, "nbf": NOW + 15, "iat": NOW + 9999, "aud": "x"}
    assert verified_claims(token(**claims), key=KEY, algorithms=["HS256"], now=NOW) == claims
