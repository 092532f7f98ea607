from __future__ import annotations

import base64
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwe as joserfc_jwe
from joserfc.jwk import OctKey

from wsgiproxy_hs.sessions import Unsealable, base64url, jwe, seal, unseal

from .authjs_vectors import VECTORS, Entry, each, entries, secrets, typical

SECRET = "m6GlhOdh/mhFfp4ixj+5ilaA6q+mF/8o8nEo/wN08BA="
NAME = "authjs.session-token"
NOW = 1_767_225_600


def opened(entry: Entry, now: float | None = None, token: str | None = None) -> dict[str, object]:
    return unseal(
        entry["token"] if token is None else token,
        secrets=secrets(entry),
        cookie_name=entry["salt"],
        now=entry["now"] if now is None else now,
    )


def sealed(claims: dict[str, Any], **changes: Any) -> str:
    return seal(claims, **{"secrets": [SECRET], "cookie_name": NAME, "now": NOW, "max_age": 100, **changes})


def made(header: dict[str, object], plaintext: bytes = b"{}") -> str:
    """A genuine token with a header of our choice."""
    key = bytes.fromhex(typical("v5")["key_hex"])
    return jwe.encrypt_cbc(plaintext, key, b"i" * 16, base64url.encode(json.dumps(header).encode()))


def kid() -> str:
    found: str = typical("v5")["kid"]
    return found


def test_every_recorded_member_is_here() -> None:
    """No recorded entry is lost on the way into these tests."""
    members = ("sessions", "rotation", "negative", "clock", "chunked", "transitions")
    assert [len(entries("v5", member)) for member in members] == [26, 6, 45, 8, 6, 19]


@each("v5", "negative")
def test_refuses_what_the_library_refuses(entry: Entry) -> None:
    """Every token that Auth.js refuses is refused here (F026 to F030)."""
    with pytest.raises(Unsealable):
        opened(entry)


@each("v5", "clock", ok=False)
def test_refuses_outside_the_clock_tolerance(entry: Entry) -> None:
    """A token is over 15 seconds after exp and not yet begun 16 seconds before nbf."""
    with pytest.raises(Unsealable, match=r"exp is past|nbf is ahead"):
        opened(entry, now=entry["verify_at"])


@each("v5", "rotation", ok=False)
def test_refuses_secrets_that_are_not_in_the_list(entry: Entry) -> None:
    """A secret that left the list opens nothing any more; without kid only the first is tried (F025)."""
    with pytest.raises(Unsealable):
        opened(entry)


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "enc": "A256CBC-HS512"},
        {"alg": "PBES2-HS256+A128KW", "enc": "A256CBC-HS512", "p2c": 10**9},
        {"alg": "dir", "enc": "A128CBC-HS256"},
        {"alg": "dir", "enc": ["A256CBC-HS512"]},
        {"alg": "dir"},
        {"alg": "dir", "enc": "A256CBC-HS512", "zip": "DEF"},
        {"alg": "dir", "enc": "A256CBC-HS512", "crit": []},
        {"alg": "dir", "enc": "A256CBC-HS512", "kid": None},
        {"alg": "dir", "enc": "A256CBC-HS512", "kid": 5},
        {"alg": "dir", "enc": "A256CBC-HS512", "x": "y" * 1024},
    ],
    ids=lambda header: json.dumps(header)[:60],
)
def test_refuses_a_header_that_is_not_ours_although_the_key_is(header: dict[str, object]) -> None:
    """Algorithms, compression and extensions are never the token's to choose (F028, F029)."""
    with pytest.raises(Unsealable):
        unseal(made(header), secrets=[SECRET], cookie_name=NAME, now=NOW)


@pytest.mark.parametrize("plaintext", [b'{"a":NaN}', b"\xef\xbb\xbf{}", "{}".encode("utf-16"), b"[" * 100_000])
def test_refuses_claims_that_only_some_parsers_take(plaintext: bytes) -> None:
    """Claims are one JSON object in UTF-8, also for Python's parser, which knows more and sinks deeper."""
    token = made({"alg": "dir", "enc": "A256CBC-HS512", "kid": kid()}, plaintext[:40_000])
    with pytest.raises(Unsealable, match="JSON object"):
        unseal(token, secrets=[SECRET], cookie_name=NAME, now=NOW)


def test_refuses_claims_that_are_nested_without_end() -> None:
    """What nobody could copy or write again without running out of stack is refused; wide claims are not."""
    deep = b'{"a":' + b"[" * 100 + b"]" * 100 + b"}"
    token = made({"alg": "dir", "enc": "A256CBC-HS512", "kid": kid()}, deep)
    with pytest.raises(Unsealable, match="deep"):
        unseal(token, secrets=[SECRET], cookie_name=NAME, now=NOW)
    wide: dict[str, Any] = {"a": [[1], {"b": 2}] * 300}
    assert unseal(sealed(wide), secrets=[SECRET], cookie_name=NAME, now=NOW)["a"] == wide["a"]


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", ["true", "1e999", "-1e999", '"1"', "null", "[]", "1" * 400])
def test_refuses_dates_that_are_none(claim: str, value: str) -> None:
    """A date is a finite number; True is no number though Python says so."""
    plaintext = f'{{"{claim}":{value}}}'.encode()
    token = made({"alg": "dir", "enc": "A256CBC-HS512", "kid": kid()}, plaintext)
    with pytest.raises(Unsealable, match=claim):
        unseal(token, secrets=[SECRET], cookie_name=NAME, now=NOW)


def test_refuses_a_plaintext_without_padding() -> None:
    """An authentic token whose plaintext is not padded is refused, not half read."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    key = bytes.fromhex(typical("v5")["key_hex"])
    protected = base64url.encode(b'{"alg":"dir","enc":"A256CBC-HS512"}')
    cipher = Cipher(algorithms.AES(key[32:]), modes.CBC(b"i" * 16)).encryptor()
    ciphertext = cipher.update(b'{"abcdefghi":10}') + cipher.finalize()
    tag = jwe._tag(ciphertext, key, b"i" * 16, protected.encode())
    token = ".".join([protected, "", *map(base64url.encode, (b"i" * 16, ciphertext, tag))])
    with pytest.raises(Unsealable, match="padded"):
        unseal(token, secrets=[SECRET], cookie_name=NAME, now=NOW)


def test_refuses_too_long_a_token_before_looking_at_it() -> None:
    """Size is judged first (F028)."""
    with pytest.raises(Unsealable, match="too long"):
        unseal("x" * (jwe.MAX_TOKEN_LENGTH + 1), secrets=[SECRET], cookie_name=NAME, now=NOW)


def test_refuses_thousands_of_mutations() -> None:
    """A token that differs in one place anywhere is refused, and with Unsealable alone (F027)."""
    entry, random_ = typical("v5"), random.Random(1)
    for _ in range(5_000):
        token = mutated(entry["token"], random_)
        with pytest.raises(Unsealable):
            opened(entry, token=token)


def mutated(token: str, random_: random.Random) -> str:
    place, character = random_.randrange(len(token)), random_.choice("AZaz09-_.=+/ é\0\n\ud83d")
    changed = token[:place] + character + token[place + random_.choice((0, 1)) :]
    return changed if changed != token else token[:place] + token[place + 1 :]


@given(st.text(max_size=200) | st.text(alphabet="ey.AB-_=", max_size=60))
def test_any_text_is_refused_in_one_way(text: str) -> None:
    """No text, however crooked, raises anything but Unsealable (F027)."""
    with pytest.raises(Unsealable):
        unseal(text, secrets=[SECRET], cookie_name=NAME, now=NOW)


def test_a_refusal_holds_no_content() -> None:
    """Neither the error's text nor any exception behind it holds the plaintext, which may be full of tokens."""
    token = made({"alg": "dir", "enc": "A256CBC-HS512", "kid": kid()}, b'{"accessToken":"hush"')
    with pytest.raises(Unsealable) as caught:
        unseal(token, secrets=[SECRET], cookie_name=NAME, now=NOW)
    error: BaseException | None = caught.value
    while error is not None:
        assert "hush" not in str(error) + repr(vars(error))
        error = error.__cause__ or error.__context__


@each("v5", "sessions")
def test_reads_what_the_library_wrote(entry: Entry) -> None:
    """Every token that Auth.js reads is read here, claim by claim."""
    assert opened(entry) == entry["payload"]
    assert list(opened(entry)) == list(entry["payload"])


@each("v5", "sessions", decode_only=None)
def test_writes_what_the_library_wrote(entry: Entry) -> None:
    """With the same clock, jti and initialisation vector the token is the same, byte for byte."""
    token = seal(
        entry["input"],
        secrets=secrets(entry),
        cookie_name=entry["salt"],
        now=entry["now"],
        max_age=entry["max_age"],
        jti=entry["payload"]["jti"],
        iv=bytes.fromhex(entry["iv_hex"]),
    )
    assert token == entry["token"]


@each("v5", "chunked")
def test_reads_long_tokens(entry: Entry) -> None:
    """A token of several chunks is read once it is joined."""
    token = "".join(chunk["value"] for chunk in entry["chunks"])
    claims = opened(entry, token=token)
    assert claims == entry.get("payload", claims)
    assert len(token) == entry["length"]


@each("v5", "clock", ok=True)
def test_accepts_inside_the_clock_tolerance(entry: Entry) -> None:
    """A token is good until the last fraction of the 14th second after exp (F014)."""
    assert opened(entry, now=entry["verify_at"] + 0.999)


@each("v5", "rotation", ok=True)
def test_reads_with_any_secret_of_the_list(entry: Entry) -> None:
    """A rotated secret goes on reading while it is in the list (F025)."""
    assert opened(entry) == entry["payload"]


@pytest.mark.parametrize("entry", [e for e in VECTORS["hkdf"] if "kid" in e], ids=lambda e: e["label"])
def test_derives_the_recorded_keys(entry: Entry) -> None:
    """Key and thumbprint are the library's, for both lengths and any secret."""
    from wsgiproxy_hs.sessions.authjs import _key

    enc = {64: jwe.CBC_HS512, 32: jwe.GCM}[entry["length"]]
    key = _key(entry["secret"], entry["salt"], enc)
    assert (key.octets.hex(), key.kid) == (entry["key_hex"], entry["kid"])
    assert entry["key_hex"] not in repr(key)
    assert "octets" not in repr(key)


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text().filter(lambda name: name != "nbf"), json_values, max_size=6))
def test_round_trip(claims: dict[str, Any]) -> None:
    """Whatever JSON can say comes back as it was, with iat, exp and jti beside it."""
    read = unseal(sealed(claims, jti="j"), secrets=[SECRET], cookie_name=NAME, now=NOW)
    assert read == {**claims, "iat": NOW, "exp": NOW + 100, "jti": "j"}


@given(st.dictionaries(st.text(alphabet=st.characters(codec="utf-8")), st.integers(), max_size=3))
def test_another_library_reads_what_we_write(claims: dict[str, int]) -> None:
    """joserfc, which shares no line with this package, opens our tokens."""
    key = OctKey.import_key(bytes.fromhex(typical("v5")["key_hex"]))
    opened_ = joserfc_jwe.decrypt_compact(sealed(claims), key, algorithms=["dir", "A256CBC-HS512"])
    assert opened_.plaintext is not None
    assert json.loads(opened_.plaintext).keys() == {**claims, "iat": 0, "exp": 0, "jti": 0}.keys()


@pytest.mark.parametrize("enc, bytes_", [("A256CBC-HS512", 64), ("A256GCM", 32)])
def test_we_read_what_another_library_writes(enc: str, bytes_: int) -> None:
    """We open tokens that joserfc made."""
    key = OctKey.import_key(bytes.fromhex(typical("v5")["key_hex"])[:bytes_])
    token = joserfc_jwe.encrypt_compact({"alg": "dir", "enc": enc}, b'{"sub":"1"}', key, algorithms=["dir", enc])
    assert unseal(token, secrets=[SECRET], cookie_name=NAME, now=NOW) == {"sub": "1"}


def test_writing_needs_a_secret_and_writable_claims() -> None:
    """Nothing is sealed without a secret, and nothing that JavaScript could not read."""
    with pytest.raises(ValueError, match="no secret"):
        sealed({}, secrets=[])
    with pytest.raises(ValueError, match="16 bytes"):
        sealed({}, iv=b"short")
    crooked: list[dict[Any, Any]] = [{"a": float("nan")}, {"a": float("inf")}, {"a": b"bytes"}, {1: "a"}]
    for claims in crooked:
        with pytest.raises(ValueError, match="JSON"):
            sealed(claims)


def test_each_token_is_new() -> None:
    """Two tokens of the same claims share neither initialisation vector nor jti."""
    first, second = sealed({"sub": "1"}), sealed({"sub": "1"})
    assert first.split(".")[2:] != second.split(".")[2:]
    read = [unseal(token, secrets=[SECRET], cookie_name=NAME, now=NOW)["jti"] for token in (first, second)]
    assert read[0] != read[1]


@pytest.mark.parametrize("text", ["A", "AB", "ABD", "AA=", "AA==", "A+AA", "A/AA", "AA A", "AAAAB", "é", "AAA\n"])
def test_base64url_has_one_spelling(text: str) -> None:
    """Padding, foreign characters, impossible lengths and surplus bits are refused."""
    with pytest.raises(Unsealable, match="base64url"):
        base64url.decode(text)


@given(st.binary(max_size=100))
def test_base64url_round_trip(data: bytes) -> None:
    """Bytes come back, spelled as the standard library spells them."""
    assert base64url.decode(base64url.encode(data)) == data
    assert base64url.encode(data) == base64.urlsafe_b64encode(data).decode().rstrip("=")
