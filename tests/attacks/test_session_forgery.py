"""Somebody makes a session cookie without the secret, or makes another one of a cookie that is theirs (F026 to F030, F037).

Through the whole stack: the answer is the same 401 for every forgery, and the upstream hears nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
import zlib

import pytest
from itsdangerous import URLSafeTimedSerializer
from joserfc import jwe
from joserfc.jwk import OctKey

from tests.harness import OTHER_SECRET, PUBLIC_URL, SECRET, UPSTREAM_URL, FakeUpstream, access_token, call, request
from wsgiproxy_hs.sessions.authjs import seal
from wsgiproxy_hs.sessions.signed import seal_signed
from wsgiproxy_hs.settings import Settings
from wsgiproxy_hs.stack import create_app

NAME = "__Secure-authjs.session-token"
NOW = time.time()
CLAIMS = {"sub": "root", "accessToken": access_token(), "iat": int(NOW), "exp": int(NOW) + 3600, "jti": "j"}
TOKEN = seal(CLAIMS, secrets=[SECRET], cookie_name=NAME, now=NOW, max_age=3600)
SIGNED = seal_signed(CLAIMS, secrets=[SECRET], now=NOW, max_age=3600)


def ask(cookie):
    upstream = FakeUpstream()
    app = create_app(Settings(backend_url=UPSTREAM_URL, public_url=PUBLIC_URL, secrets=[SECRET]), transport=upstream)
    return call(app, request("GET", "/api/workspaces", headers={"Cookie": cookie})), upstream


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def with_header(**changes):
    """The good token under another header."""
    head, *rest = TOKEN.split(".")
    header = {**json.loads(base64.urlsafe_b64decode(head + "==")), **changes}
    return ".".join([b64(json.dumps({k: v for k, v in header.items() if v is not None}).encode()), *rest])


def sealed_with(password, alg="dir", enc="A256GCM", **header):
    """A token by somebody else's library and a key of the attacker's."""
    key = OctKey.import_key(hashlib.sha512(password).digest()[: 64 if "512" in enc else 32])
    registry = jwe.JWERegistry(algorithms=["dir", "A256GCM", "A256CBC-HS512", "A256KW", "DEF"])
    if alg == "A256KW":
        key = OctKey.import_key(hashlib.sha256(password).digest())
    return jwe.encrypt_compact({"alg": alg, "enc": enc, **header}, json.dumps(CLAIMS), key, registry=registry)


PLAIN = b64(json.dumps(CLAIMS).encode())
FORGERIES = {
    "another secret": f"{NAME}={seal(CLAIMS, secrets=[OTHER_SECRET], cookie_name=NAME, now=NOW, max_age=3600)}",
    "another cookie's key": f"{NAME}={seal(CLAIMS, secrets=[SECRET], cookie_name='authjs.session-token', now=NOW, max_age=3600)}",
    "the key of the csrf cookie": f"{NAME}={seal(CLAIMS, secrets=[SECRET], cookie_name='__Host-authjs.csrf-token', now=NOW, max_age=3600)}",
    "over": f"{NAME}={seal(CLAIMS, secrets=[SECRET], cookie_name=NAME, now=NOW - 9_000, max_age=3600)}",
    "unsigned JWT": f"{NAME}={b64(b'{}')}.{PLAIN}.",
    "alg none": f"{NAME}={b64(json.dumps({'alg': 'none'}).encode())}.{PLAIN}.",
    "alg none, five segments": f"{NAME}={b64(json.dumps({'alg': 'none', 'enc': 'A256GCM'}).encode())}...{PLAIN}.",
    "alg changed": f"{NAME}={with_header(alg='PBES2-HS256+A128KW', p2c=2**31, p2s='AAAA')}",
    "enc changed": f"{NAME}={with_header(enc='A256GCM')}",
    "compressed": f"{NAME}={with_header(zip='DEF')}",
    "critical extension": f"{NAME}={with_header(crit=['exp'])}",
    "no key id": f"{NAME}={with_header(kid=None)}",
    "key id of a file": f"{NAME}={with_header(kid='../../dev/null')}",
    "key of the attacker": f"{NAME}={sealed_with(b'evil')}",
    "key in the header": f"{NAME}={sealed_with(b'evil', jwk={'kty': 'oct', 'k': b64(bytes(32))})}",
    "key from an address": f"{NAME}={sealed_with(b'evil', jku='https://evil.example/jwks')}",
    "empty key": f"{NAME}={sealed_with(b'')}",
    "wrapped key": f"{NAME}={sealed_with(b'evil', alg='A256KW')}",
    "bare secret as key": f"{NAME}={sealed_with(SECRET.encode())}",
    "one letter off": f"{NAME}={TOKEN[:200]}{'A' if TOKEN[200] != 'A' else 'B'}{TOKEN[201:]}",
    "no tag": f"{NAME}={TOKEN.rpartition('.')[0]}.",
    "cut": f"{NAME}={TOKEN[:-1]}",
    "longer": f"{NAME}={TOKEN}A",
    "twice": f"{NAME}={TOKEN}{TOKEN}",
    "claims as they are": f"{NAME}={json.dumps(CLAIMS)}",
    "signed with another secret": f"__Secure-wsgiproxy.session={seal_signed(CLAIMS, secrets=[OTHER_SECRET], now=NOW, max_age=3600)}",
    "signed with another salt": f"__Secure-wsgiproxy.session={URLSafeTimedSerializer(SECRET, salt='cookie').dumps(CLAIMS)}",
    "signed by Flask": f"session={URLSafeTimedSerializer(SECRET, salt='cookie-session').dumps(CLAIMS)}",
    "signature of another payload": f"__Secure-wsgiproxy.session={b64(json.dumps(CLAIMS).encode())}.{SIGNED.split('.', 1)[1]}",
    "inflates to a lot": f"__Secure-wsgiproxy.session=.{b64(zlib.compress(bytes(4_000_000)))}.{SIGNED.split('.', 2)[-1]}",
    "another name": f"authjs.session-tokenX={TOKEN}",
    "another case": f"{NAME.upper()}={TOKEN}",
}  # fmt: skip


@pytest.mark.parametrize("kind", FORGERIES)
def test_a_forged_session_is_none(kind):
    """A cookie that we did not seal for this purpose is 401, and nothing is asked with it."""
    result, upstream = ask(FORGERIES[kind])
    assert (result.code, upstream.sent) == (401, [])
    assert result.document["error"] == "Unauthorized"


def test_the_genuine_one_is_accepted():
    """The cookies above differ from one that is accepted."""
    assert ask(f"{NAME}={TOKEN}")[0].code == 200


def test_all_forgeries_look_alike():
    """Nobody learns from the answer what was wrong: signature, time or form (F159)."""
    bodies = set()
    for cookie in FORGERIES.values():
        result, _ = ask(cookie)
        document = result.document
        document.pop("request_id")
        bodies.add((result.status, json.dumps(document), result.header("WWW-Authenticate")))
    assert len(bodies) == 1
