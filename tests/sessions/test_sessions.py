from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgiproxy_hs.exceptions import ConfigurationError
from wsgiproxy_hs.sessions import Session, Sessions, formats, seal, seal_signed, secret_faults
from wsgiproxy_hs.sessions.generations import GenerationalCache

from .authjs_vectors import header, typical
from .test_signed import flask_cookie

NOW = 1_767_225_600
SECRET = "m6GlhOdh/mhFfp4ixj+5ilaA6q+mF/8o8nEo/wN08BA="
OTHER = "Q60zG6Rnl/O0zOK8iSn1WcW/hC+8L1cxwyUVAi+87OE="
PLAIN, SECURE, HOST = (prefix + "authjs.session-token" for prefix in ("", "__Secure-", "__Host-"))
V4 = "next-auth.session-token"
SIGNED = "wsgiproxy_hs.session"


def make(clock: Callable[[], float] = lambda: NOW, **changes: Any) -> Sessions:
    return Sessions(**{"secrets": [SECRET], "secure": True, "clock": clock, **changes})


def sealed(name: str = SECURE, *, secret: str = SECRET, now: float = NOW, max_age: int = 100, **claims: Any) -> str:
    return seal(claims, secrets=[secret], cookie_name=name, now=now, max_age=max_age)


def sub(sessions: Sessions, cookie_header: str) -> object:
    session = sessions.read(cookie_header)
    return None if session is None else session.claims["sub"]


def stored(lines: list[str]) -> str:
    """The Cookie header of a browser that took ``lines``."""
    pairs = [line.split(";")[0] for line in lines if "Max-Age=0" not in line]
    return "; ".join(pairs)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"secrets": []}, "no secret"),
        ({"secrets": "one text instead of a list, long enough"}, "give a list"),
        ({"secrets": ["tiny"]}, "Secret 1 of 1 is shorter"),
        ({"secrets": [SECRET, "x" * 40]}, "Secret 2 of 2 repeats"),
        ({"secrets": ["django-insecure-0123456789abcdefghijklmnop"]}, "sample"),
        ({"secrets": ["Change_Me change_me change_me 1234567890"]}, "sample"),
        ({"secrets": ["\udcff0123456789abcdefghijklmnopqrstuvwxyz"]}, "not valid Unicode"),
        ({"formats": ["authjs", "jwt"]}, "'jwt' is not one of"),
        ({"write_format": "next-auth"}, "'next-auth' cannot be written"),
        ({"write_format": "signed", "formats": ["authjs"]}, "written but not read"),
        ({"cookie_name": "a b"}, "'a b' is not a usable cookie name"),
        ({"cookie_name": "a" * 101}, "not a usable cookie name"),
        ({"cookie_names": {"signed": ""}}, "'' is not a usable cookie name"),
        ({"cookie_name": HOST, "secure": False}, "__Host- over https only"),
        ({"prefix": "__Secure-", "secure": False}, "__Secure- over https only"),
        ({"max_age_seconds": 0}, "positive"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_refuses_a_configuration_that_cannot_work(changes: dict[str, Any], fault: str) -> None:
    """A weak or missing secret and a mistaken name stop the start, and no secret is shown (F036, F037)."""
    with pytest.raises(ConfigurationError, match=fault) as caught:
        make(**changes)
    assert not any(secret in str(caught.value) for secret in changes.get("secrets", []) if len(secret) > 1)


def test_names_all_faults_at_once() -> None:
    """One start shows all that has to be mended."""
    with pytest.raises(ConfigurationError) as caught:
        make(secrets=["short", "x" * 32], max_age_seconds=0, write_format="x")
    assert len(caught.value.faults) == 4
    assert secret_faults([SECRET, OTHER]) == []


@pytest.mark.parametrize(
    "cookie_header",
    [
        "",
        "other=1",
        f"{SECURE}=",
        f"{SECURE}=garbage",
        f"{SECURE}=é\xff",
        f"{SECURE}=....",
        f"{SECURE}x={sealed(sub='1')}",
        f"{PLAIN}={sealed(sub='1')}",
        f"{SECURE}={sealed(sub='1', secret=OTHER)}",
        f"{SECURE}={sealed(sub='1', now=NOW - 115)}",
        f"{V4}={sealed(V4, sub='1')}",
        f"{SIGNED}={sealed(SIGNED, sub='1')}",
        f"session={sealed('session', sub='1')}",
        f"{SECURE}.0={sealed(sub='1')[:50]}",
    ],
    ids=lambda text: text[:48],
)
def test_what_cannot_be_unsealed_is_no_session(cookie_header: str) -> None:
    """Forged, foreign, expired, cut: no session, and never an error (F022, F026, F027)."""
    assert make().read(cookie_header) is None


@given(
    st.text(alphabet=st.characters(max_codepoint=255)),
    st.sampled_from([PLAIN, SECURE, V4, SIGNED, "session"]),
)
def test_no_header_raises(text: str, name: str) -> None:
    """Whatever a cookie holds, reading, writing and clearing go on (F026, F027, F031)."""
    sessions = make(formats=("authjs", "next-auth", "signed", "flask"))
    for cookie_header in (f"{name}={text}", f"{name}.0={text}; {name}={text}", text):
        assert sessions.read(cookie_header) is None
        sessions.has_cookie(cookie_header)
        sessions.clear(cookie_header)
        sessions.write({}, cookie_header)


def test_mutations_of_the_header_never_raise() -> None:
    """A header that was damaged in transit gives the session or none."""
    good, random_ = (
        f"a=1; {SECURE}.0={sealed(sub='1')[:300]}; {SECURE}.1={sealed(sub='1')[300:]}",
        random.Random(2),
    )
    sessions = make()
    for _ in range(2_000):
        place = random_.randrange(len(good))
        session = sessions.read(good[:place] + random_.choice(";=,.% \xe9") + good[place + 1 :])
        assert session is None or session.claims["sub"] == "1"


@pytest.mark.parametrize(
    "neighbour",
    [
        'a={"x":1,"y":2}',
        "bad name=1",
        "novalue",
        "",
        "x=\xe9\xff",
        "authjs.session-token-foo=1",
        f"{SECURE}x=1",
    ],
)
def test_a_session_survives_any_neighbour(neighbour: str) -> None:
    """What other software sets beside the session does not end it (F022, F031)."""
    token = sealed(sub="1")
    assert sub(make(), f"{neighbour}; {SECURE}={token}; {neighbour}") == "1"


def test_every_format_is_read() -> None:
    """Auth.js, NextAuth 4, our signed cookie, and Flask's when asked for (F030)."""
    v4, (flask, now) = typical("v4"), flask_cookie({"sub": "1"}, SECRET)
    assert sub(make(), f"{SECURE}={sealed(sub='1')}") == "1"
    assert sub(make(), f"{V4}={v4['token']}") == "42"
    assert sub(make(), f"__Secure-{V4}={v4['token']}") == "42"
    token = seal_signed({"sub": "1"}, secrets=[SECRET], now=NOW, max_age=9)
    assert sub(make(), f"{SIGNED}={token}") == "1"
    assert make(clock=lambda: now).read(f"session={flask}") is None
    assert sub(make(clock=lambda: now, formats=("authjs", "flask")), f"session={flask}") == "1"


def test_formats_are_tried_in_their_order() -> None:
    """The first format that holds a session wins."""
    v4 = typical("v4")["token"]
    both = f"{V4}={v4}; {SECURE}={sealed(sub='1')}"
    assert sub(make(), both) == "1"
    assert sub(make(formats=("next-auth", "authjs")), both) == "42"
    assert sub(make(), f"{V4}={v4}; {SECURE}=garbage") == "42"


@pytest.mark.parametrize("secure", [True, False])
def test_the_most_trustworthy_name_wins(secure: bool) -> None:
    """__Host-, then __Secure-, then plain; all are read on either scheme (F023, F033)."""
    host, secured, plain = (f"{name}={sealed(name, sub=name)}" for name in (HOST, SECURE, PLAIN))
    assert sub(make(secure=secure), f"{plain}; {secured}; {host}") == HOST
    assert sub(make(secure=secure), f"{plain}; {secured}") == SECURE
    assert sub(make(secure=secure), plain) == PLAIN


def test_of_two_genuine_tokens_the_newer_wins() -> None:
    """A stale whole cookie does not hide the newer chunks, nor the reverse (F018)."""
    old, new = sealed(sub="old", now=NOW - 50), sealed(sub="new")
    chunks = "; ".join(f"{SECURE}.{n}={new[n * 100 : n * 100 + 100]}" for n in range(9))
    assert sub(make(), f"{SECURE}={old}; {chunks}") == "new"
    assert sub(make(), f"{SECURE}={old}; {SECURE}={new}") == "new"
    assert sub(make(), f"{SECURE}={new}; {SECURE}={old}") == "new"


def test_a_tossed_cookie_does_not_hide_the_genuine_one() -> None:
    """Of duplicates the one that can be unsealed counts, wherever it stands (F033)."""
    token = sealed(sub="1")
    assert sub(make(), f"{SECURE}=evil; {SECURE}={token}") == "1"
    assert sub(make(), f"{SECURE}={token}; {SECURE}=evil; {SECURE}.0=evil") == "1"


def test_cookies_joined_by_a_comma_are_found_but_never_preferred() -> None:
    """Two Cookie lines that became one still hold the session; a value cannot replace a genuine one (F032)."""
    token, evil = sealed(sub="1"), sealed(sub="evil", now=NOW + 5)
    assert sub(make(), f"a=1, {SECURE}={token}") == "1"
    assert sub(make(), f"{SECURE}={token},b=2") == "1"
    assert sub(make(), f"{SECURE}.0={token[:90]},{SECURE}.1={token[90:]}") == "1"
    assert sub(make(), f"q=x,{SECURE}={evil}; {SECURE}={token}") == "1"
    assert sub(make(), f"q=x,{HOST}={sealed(HOST, sub='evil')}") is None


def test_secrets_rotate() -> None:
    """The first secret writes, all read (F025)."""
    rotated = make(secrets=[OTHER, SECRET])
    assert sub(rotated, f"{SECURE}={sealed(sub='1')}") == "1"
    written = stored(rotated.write({"sub": "2"}, ""))
    assert sub(make(secrets=[OTHER]), written) == "2"
    assert sub(make(), written) is None


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, SECURE),
        ({"secure": False}, PLAIN),
        ({"cookie_name": HOST}, HOST),
        ({"cookie_name": SECURE}, SECURE),
        ({"cookie_name": SECURE, "secure": False}, PLAIN),
        ({"cookie_name": "custom"}, "__Secure-custom"),
        ({"cookie_name": "custom", "prefix": ""}, "custom"),
        ({"write_format": "signed"}, "__Secure-" + SIGNED),
        ({"write_format": "signed", "cookie_names": {"signed": "s"}}, "__Secure-s"),
    ],
    ids=str,
)
def test_writes_under_the_right_name(changes: dict[str, Any], name: str) -> None:
    """The prefix follows the public scheme, and what is written is read (F023, F024)."""
    sessions = make(**changes)
    [line] = sessions.write({"sub": "1", "é": [1]}, "")
    assert line.startswith(f"{name}=")
    assert line.endswith("; Secure; SameSite=Lax") is changes.get("secure", True)
    assert "Expires=Sat, 31 Jan 2026 00:00:00 GMT; HttpOnly" in line
    session = sessions.read(stored([line]))
    assert session is not None
    assert session.claims == {**session.claims, "sub": "1", "é": [1], "iat": NOW, "exp": NOW + 2_592_000}


def test_writing_ends_when_it_is_told() -> None:
    """One end for the token and for the cookie."""
    sessions = make()
    [line] = sessions.write({}, "", expires=NOW + 60)
    assert "Expires=Thu, 01 Jan 2026 00:01:00 GMT" in line
    session = sessions.read(stored([line]))
    assert session is not None
    assert session.claims["exp"] == NOW + 60


def test_writing_removes_every_other_form() -> None:
    """The other prefix, NextAuth 4, signed and stale chunks go; strangers and Flask's session stay (F019, F038)."""
    carried = f"{PLAIN}=x; a=1; {SECURE}.0=x; {SECURE}.5=x; __Secure-{V4}.1=x; {V4}=; {SIGNED}=x; {HOST}=x; session=x"
    sessions = make(formats=("authjs", "next-auth", "signed", "flask"))
    lines = sessions.write({"sub": "1"}, carried)
    cleared = [PLAIN, f"__Secure-{V4}.1", SIGNED, HOST, f"{SECURE}.0", f"{SECURE}.5"]
    assert [line.partition("=")[0] for line in lines] == [*cleared, SECURE]
    assert lines[0] == f"{PLAIN}=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax"
    assert [line.partition("=")[0] for line in sessions.clear(carried)] == [
        PLAIN, f"{SECURE}.0", f"{SECURE}.5", f"__Secure-{V4}.1", SIGNED, HOST,
    ]  # fmt: skip


def test_clearing_a_secure_cookie_over_http_says_secure() -> None:
    """A browser removes a __Secure- cookie only when told with Secure."""
    assert make(secure=False).clear(f"{SECURE}=x; {PLAIN}=x") == [
        f"{SECURE}=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax",
        f"{PLAIN}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax",
    ]


def test_long_sessions_are_chunked_and_come_back() -> None:
    """A session too long for one cookie is written in several lines and read again (F016, F021)."""
    sessions = make()
    lines = sessions.write({"pad": "é" * 4000}, "")
    assert [line.partition("=")[0] for line in lines] == [f"{SECURE}.{n}" for n in range(3)]
    assert all(len(line) <= 4096 for line in lines)
    session = sessions.read(stored(lines))
    assert session is not None
    assert session.claims["pad"] == "é" * 4000
    with pytest.raises(ValueError, match="longer"):
        sessions.write({"pad": "x" * 70_000}, "")


def test_says_whether_a_session_cookie_came() -> None:
    """Readable or not, so that an unreadable one can be cleared (F026)."""
    sessions = make()
    for cookie_header in (f"{SECURE}=garbage", f"{V4}.3=x", f"a=1, {SIGNED}=x"):
        assert sessions.has_cookie(cookie_header)
    for cookie_header in ("", "a=1", f"{SECURE}=", f"{SECURE}x=1"):
        assert not sessions.has_cookie(cookie_header)


def test_a_remembered_session_ends_on_time() -> None:
    """What is remembered is held against the clock at every read, nbf included."""
    now = float(NOW)
    sessions, token = make(clock=lambda: now), sealed(sub="1", nbf=NOW - 5)
    for now, expected in (  # noqa: B007 - the clock reads it
        (NOW, "1"),
        (NOW + 114.9, "1"),
        (NOW + 115, None),
        (NOW, "1"),
        (NOW - 21, None),
    ):
        assert sub(sessions, f"{SECURE}={token}") == expected


def test_a_session_is_unsealed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second read of a token costs no cryptography; another name or format is another token."""
    calls: list[str] = []

    def counted(place: formats.Place, *rest: Any) -> dict[str, object]:
        calls.append(place.name)
        return formats.unseal(place, *rest)

    monkeypatch.setattr("wsgiproxy_hs.sessions.sessions.unseal", counted)
    sessions, token = make(), sealed(sub="1")
    for _ in range(3):
        assert sub(sessions, f"{SECURE}={token}") == "1"
        assert sub(sessions, f"{PLAIN}={token}") is None
    assert calls.count(SECURE) == 1
    assert calls.count(PLAIN) == 3


def test_forged_tokens_are_not_remembered() -> None:
    """Strangers cannot push genuine sessions out of the memory."""
    sessions = make()
    for number in range(50):
        sessions.read(f"{SECURE}=forged{number}")
    assert len(sessions._cache) == 0


def test_tokens_never_show() -> None:
    """Neither a session nor Sessions shows claims or secrets; public claims are without tokens."""
    sessions = make()
    token = sealed(accessToken="AT-hush", refreshToken="RT-hush", sub="1", email="me@example.com")
    session = sessions.read(f"{SECURE}={token}")
    assert session is not None
    shown = f"{session!r} {session} {sessions!r} {vars(session)!r:.0}"
    assert not any(text in shown for text in ("hush", "me@example.com", SECRET))
    assert set(sessions.public(session)) == {"sub", "email", "iat", "exp", "jti"}
    other = make(access_token_claim="access", refresh_token_claim="refresh")
    assert other.public(Session({"access": "a", "refresh": "r", "user": 1})) == {"user": 1}


def test_public_claims_are_a_copy() -> None:
    """Who changes what a request was given changes no other request."""
    sessions, cookie_header = make(), f"{SECURE}={sealed(user={'roles': [{'a': 1}]}, n=None)}"
    first = sessions.read(cookie_header)
    assert first is not None
    public: dict[str, Any] = sessions.public(first)
    public["user"]["roles"][0]["a"] = 2
    public["user"]["roles"].append(3)
    public["n"] = 4
    again = sessions.read(cookie_header)
    assert again is not None
    assert sessions.public(again)["user"] == {"roles": [{"a": 1}]}
    with pytest.raises(TypeError):
        again.claims["n"] = 4  # type: ignore[index]


@pytest.mark.parametrize("value", [None, 5, "", "a b", "a\r\nX: y", "é", ["t"], {"t": 1}])
def test_what_is_no_access_token_is_none(value: object) -> None:
    """A claim that could not be sent as a header is treated as no token."""
    assert make().access_token(Session({"accessToken": value})) is None
    assert make().access_token(Session({})) is None


def test_gives_the_access_token() -> None:
    """The handle judges by the clock of the sessions, and by the hook if there is one."""
    token = jwt.encode({"exp": NOW + 1}, SECRET, algorithm="HS256")
    session = Session({"accessToken": token, "at": token})
    handle = make().access_token(session)
    assert handle is not None
    assert handle.authorization("JWT") == f"JWT {token}"
    assert make(access_token_claim="at").access_token(session) is not None
    assert make(verify_access_token=lambda text, now: None).access_token(session) is None
    seen: dict[str, float] = {}
    verify = make(verify_access_token=lambda text, now: seen.setdefault(text, now)).access_token
    assert verify(session) is not None
    assert seen == {token: NOW}


def test_threads_share_sessions() -> None:
    """Many threads reading many sessions through a small memory all get their own."""
    sessions = make(max_cached=8)
    headers = [f"{SECURE}={sealed(sub=str(number))}" for number in range(40)]
    right: list[bool] = []

    def read(seed: int) -> None:
        numbers = random.Random(seed).choices(range(40), k=400)
        right.append(all(sub(sessions, headers[number]) == str(number) for number in numbers))

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert right == [True] * 8
    assert len(sessions._cache) <= 8 + 8


def test_reads_what_a_browser_of_auth_js_sends() -> None:
    """The recorded request of a real client is read as it stands."""
    entry = typical("v5")
    cookies = [
        ["authjs.csrf-token", "x%7Cy"],
        ["authjs.callback-url", "http%3A%2F%2Fl"],
        [PLAIN, entry["token"]],
    ]
    session = make().read(header(cookies))
    assert session is not None
    assert session.claims == entry["payload"]


def test_the_memory_is_bounded_and_forgets_the_unused_first() -> None:
    """Of two generations the older is dropped; what is found is young again."""
    cache: GenerationalCache[int, str] = GenerationalCache(4)
    for number in range(100):
        cache.put(number, "x")
        assert cache.get(0) == "x"
        assert len(cache) <= 4
    assert cache.get(1) is None
    assert cache.get(99) == "x"
