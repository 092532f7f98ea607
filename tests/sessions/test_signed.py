from __future__ import annotations

import hashlib
import random
import zlib
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import Signer, URLSafeTimedSerializer
from markupsafe import Markup

from wsgiproxy_hs.sessions import Unsealable, read_flask, seal_signed, unseal_signed
from wsgiproxy_hs.sessions.signed import FLASK_LIFETIME_SECONDS, MAX_TOKEN_LENGTH, SALT

from .test_authjs import mutated

SECRET = "a secret of our own, long enough to be one"
OLD = "the secret before it, which went on to read"
NOW = 1_767_225_600
SIGNER: dict[str, Any] = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
FLASK_SIGNER: dict[str, Any] = {"key_derivation": "hmac", "digest_method": hashlib.sha1}


def signed(claims: dict[str, Any], **changes: Any) -> str:
    return seal_signed(claims, **{"secrets": [SECRET, OLD], "now": NOW, "max_age": 100, **changes})


def opened(token: str, now: float = NOW, secrets: tuple[str, ...] = (SECRET, OLD)) -> dict[str, object]:
    return unseal_signed(token, secrets=secrets, now=now)


def test_refuses_what_another_secret_or_salt_signed() -> None:
    """Only our secrets with our salt make a session."""
    for token in (
        signed({}, secrets=["another"]),
        URLSafeTimedSerializer(SECRET, salt="other", signer_kwargs=SIGNER).dumps({}),
        URLSafeTimedSerializer(SECRET, salt=SALT).dumps({}),
    ):
        with pytest.raises(Unsealable, match="no secret matches"):
            opened(str(token))


def test_refuses_a_session_that_is_over() -> None:
    """The exp claim ends the session, with the tolerance of the sealed ones."""
    token = signed({})
    assert opened(token, NOW + 114)
    with pytest.raises(Unsealable, match="exp is past"):
        opened(token, NOW + 115)


def test_refuses_thousands_of_mutations() -> None:
    """A token that differs in one place anywhere is refused, and with Unsealable alone (F027)."""
    random_ = random.Random(3)
    tokens = [signed({"sub": "1"}), signed({"pad": "x" * 500})]
    assert tokens[1].startswith(".")
    for _ in range(4_000):
        with pytest.raises(Unsealable):
            opened(mutated(random_.choice(tokens), random_))


@given(st.text(alphabet="ab.-_é", max_size=40))
def test_any_text_is_refused_in_one_way(text: str) -> None:
    """No text raises anything but Unsealable (F027)."""
    with pytest.raises(Unsealable):
        opened(text)
    with pytest.raises(Unsealable):
        read_flask(text, SECRET, now=NOW)


def resigned(payload: str, timestamp: str = "AAAA") -> str:
    signer = Signer(SECRET, salt=SALT, key_derivation="hmac", digest_method=hashlib.sha256)
    return signer.sign(f"{payload}.{timestamp}").decode()


def deflated(data: bytes) -> str:
    from wsgiproxy_hs.sessions import base64url

    return "." + base64url.encode(zlib.compress(data))


@pytest.mark.parametrize(
    "payload",
    [
        deflated(b"{}" + b" " * 2_000_000),
        deflated(b'{"a":"' + b"x" * 2_000_000 + b'"}'),
        ".AAAA",
        "AAAA",
        "A",
        "",
        ".",
    ],
)
def test_refuses_a_bomb_and_a_crooked_payload_that_is_signed(payload: str) -> None:
    """Inflating is bounded, and what is signed is still read strictly (F028)."""
    with pytest.raises(Unsealable):
        opened(resigned(payload))


def test_refuses_too_long_a_token() -> None:
    """Size is judged first (F028)."""
    with pytest.raises(Unsealable, match="too long"):
        opened("x" * (MAX_TOKEN_LENGTH + 1))


def test_writing_needs_a_secret() -> None:
    """Nothing is signed without a secret."""
    with pytest.raises(ValueError, match="no secret"):
        signed({}, secrets=[])


@given(st.dictionaries(st.text().filter(lambda name: name != "nbf"), st.text() | st.integers() | st.none(), max_size=5))
def test_round_trip(claims: dict[str, Any]) -> None:
    """Claims come back with iat, exp and jti; the first secret writes, all read (F025)."""
    token = signed(claims, secrets=[OLD], jti="j")
    assert opened(token) == {**claims, "iat": NOW, "exp": NOW + 100, "jti": "j"}


def test_itsdangerous_itself_reads_it() -> None:
    """The format is the one documented: another program needs itsdangerous and nothing of ours."""
    serializer = URLSafeTimedSerializer(SECRET, salt=SALT, signer_kwargs=SIGNER)
    for claims in ({"sub": "é"}, {"pad": "x" * 500}):
        read, written = serializer.loads(signed(claims, jti="j"), return_timestamp=True)
        assert read == {**claims, "iat": NOW, "exp": NOW + 100, "jti": "j"}
        assert written == datetime.fromtimestamp(NOW, UTC)


def flask_cookie(session: dict[str, Any], secret: str = SECRET) -> tuple[str, float]:
    """What a real Flask app would set now, and the current time."""
    app = Flask("app")
    app.secret_key = secret
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None
    cookie = serializer.dumps(session)
    assert isinstance(cookie, str)
    return cookie, serializer.loads(cookie, return_timestamp=True)[1].timestamp()


def flask_signed(payload: dict[str, Any]) -> str:
    """A payload of our choice with the signature of the Flask app."""
    return str(URLSafeTimedSerializer(SECRET, salt="cookie-session", signer_kwargs=FLASK_SIGNER).dumps(payload))


def test_refuses_foreign_and_old_flask_sessions() -> None:
    """A Flask session needs its app's secret, ends after its lifetime and cannot come from the future."""
    cookie, now = flask_cookie({"a": 1})
    for value, secret, when in (
        (cookie, "another", now),
        (cookie, SECRET, now + FLASK_LIFETIME_SECONDS + 15),
        (cookie, SECRET, now - 16),
        (signed({}), SECRET, NOW),
        (flask_signed({" t": []}), SECRET, now),
    ):
        with pytest.raises(Unsealable):
            read_flask(value, secret, now=when)


def test_reads_what_flask_wrote() -> None:
    """Flask's own types arrive as plain JSON values."""
    session = {
        "text": "é",
        "tuple": (1, (2,)),
        "bytes": b"ab",
        "markup": Markup("<b>"),
        "uuid": UUID(int=1),
        "date": datetime(2026, 1, 1, tzinfo=UTC),
        "tagged": {" t": [1]},
        "nested": {"a": [{"b": (1,)}]},
        "unknown": {" x": 1},
        "two": {" t": 1, "b": 2},
    }
    cookie, now = flask_cookie(session)
    assert read_flask(cookie, "other", SECRET, now=now) == {
        "text": "é",
        "tuple": [1, [2]],
        "bytes": "YWI=",
        "markup": "<b>",
        "uuid": "00000000-0000-0000-0000-000000000001",
        "date": "Thu, 01 Jan 2026 00:00:00 GMT",
        "tagged": {" t": [1]},
        "nested": {"a": [{"b": [1]}]},
        "unknown": {" x": 1},
        "two": {" t": 1, "b": 2},
        "iat": now,
        "exp": now + FLASK_LIFETIME_SECONDS,
    }


def test_reads_a_long_flask_session_and_a_crooked_uuid() -> None:
    """A deflated session is inflated; a tag with something else inside is left as it is."""
    cookie, now = flask_cookie({"pad": "x" * 500})
    assert cookie.startswith(".")
    assert read_flask(cookie, SECRET, now=now)["pad"] == "x" * 500
    crooked = read_flask(flask_signed({"a": {" u": "zz"}, "b": {" u": 1}}), SECRET, now=now)
    assert (crooked["a"], crooked["b"]) == ("zz", {" u": 1})
    single, now = flask_cookie({" t": [1]})
    assert read_flask(single, SECRET, now=now)[" t"] == [1]
