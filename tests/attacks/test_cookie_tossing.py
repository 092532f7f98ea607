"""A sibling domain, or a script on it, sets a cookie of the session's name, so that the victim acts as the attacker.

Or so that the victim is signed out for good. Through the whole stack: the genuine session counts, whatever was tossed
beside it (F018 to F022, F031 to F033); where the attacker tosses a genuine session of their own, only a ``__Host-``
name helps, and it is preferred.
"""

from __future__ import annotations

import time

import pytest

from tests.harness import PUBLIC_URL, SECRET, UPSTREAM_URL, FakeUpstream, access_token, call, request, session_cookie
from wsgiproxy_hs.sessions import Sessions
from wsgiproxy_hs.settings import Settings
from wsgiproxy_hs.stack import create_app

NAME = "__Secure-authjs.session-token"
VICTIM, ATTACKER = access_token(user_id=1), access_token(user_id=666)
COOKIE = session_cookie(VICTIM)
LONG = session_cookie(VICTIM, note="x" * 6_000)
TOSSED = {
    "in front": f"{NAME}=evil; {COOKIE}",
    "behind": f"{COOKIE}; {NAME}=evil",
    "many": "; ".join([COOKIE] + [f"{NAME}=evil{number}" for number in range(3)]),
    "many in front": "; ".join([f"{NAME}=evil{number}" for number in range(3)] + [COOKIE]),
    "empty": f"{NAME}=; {COOKIE}; {NAME}",
    "chunks": f"{NAME}.0=evil; {COOKIE}; {NAME}.1=evil",
    "old chunks": f"{NAME}.0={'A' * 3936}; {NAME}.1=B; {COOKIE}",
    "a stale last chunk": f"{LONG}; {NAME}.9=evil",
    "a whole one beside chunks": f"{NAME}=evil; {LONG}",
    "a stronger prefix": f"__Host-authjs.session-token=evil; {COOKIE}",
    "no prefix": f"authjs.session-token=evil; {COOKIE}",
    "the older library's": f"__Secure-next-auth.session-token=evil; {COOKIE}",
    "quotes": f'{NAME}="evil; {COOKIE}; a="',
    "inside another value": f"a=x,{NAME}=evil; {COOKIE}",
    "joined by a comma": f"a=1, {COOKIE}",
    "rubbish": f'a={{"x": 1}}; \xff=\xfe; ;;=; {COOKIE}; $Version=1',
}


def ask(cookie):
    upstream = FakeUpstream()
    app = create_app(Settings(backend_url=UPSTREAM_URL, public_url=PUBLIC_URL, secrets=[SECRET]), transport=upstream)
    result = call(app, request("GET", "/api/workspaces", headers={"Cookie": cookie}))
    return result, [sent.headers.get("Authorization") for sent in upstream.sent]


@pytest.mark.parametrize("kind", TOSSED)
def test_the_genuine_session_counts(kind):
    """What somebody tossed beside the session neither hides nor replaces it."""
    result, used = ask(TOSSED[kind])
    assert (result.code, used) == (200, [f"JWT {VICTIM}"])


def test_a_value_cannot_bring_a_session_in():
    """A genuine session of the attacker inside another cookie's value does not take the victim's place."""
    other = session_cookie(ATTACKER)
    for cookie in (f"a=x,{other}; {COOKIE}", f"{COOKIE}; a=x, {other}", f'a="{other}; {COOKIE}'):
        assert ask(cookie)[1] == [f"JWT {VICTIM}"]


def test_a_host_cookie_is_beyond_tossing():
    """With a ``__Host-`` name, which no sibling can set, even a newer genuine session of the attacker is passed over."""
    settings = {"secrets": [SECRET], "secure": True}
    host = Sessions(**settings, cookie_name="__Host-authjs.session-token")
    mine = session_cookie(VICTIM, sessions=host)
    newer = Sessions(**settings, clock=lambda: time.time() + 5)
    theirs = session_cookie(ATTACKER, sessions=newer)
    for cookie in (f"{theirs}; {mine}", f"{mine}; {theirs}"):
        assert ask(cookie)[1] == [f"JWT {VICTIM}"]


def test_many_candidates_cost_a_blink():
    """Nobody makes us try without end: a header full of candidates is read in a moment (and the session may be lost)."""
    started = time.process_time()
    result, _ = ask("; ".join(f"{NAME}.{number}={'A' * 40}" for number in range(170)))
    assert result.code in (401, 431)
    assert time.process_time() - started < 2
