"""Sessions that are kept in a real Redis: what is written where, for how long, and what wins."""

from __future__ import annotations

import threading

import pytest

from tests.sessions.authjs_vectors import secrets, typical
from tests.sessions.conftest import (
    ID_COOKIE,
    NOW,
    OTHER_SECRET,
    READ,
    SEALED_COOKIE,
    SECRET,
    Browser,
    Shelf,
    claims_of,
    renewed,
)
from wsgiproxy_hs.exceptions import ConfigurationError
from wsgiproxy_hs.sessions import Session, Sessions


def signed_in(sessions: Sessions, sub: str = "7") -> Browser:
    browser = Browser()
    browser.keep(sessions.write(claims_of(sub), ""))
    return browser


def held(sessions: Sessions, browser: Browser) -> Session:
    session = sessions.read(browser.header)
    assert session is not None
    return session


def test_the_cookie_holds_an_id_and_nothing_else(shelf: Shelf) -> None:
    """One short cookie, ``HttpOnly`` and ``Secure``, and another worker reads the claims that it leads to."""
    (line,) = shelf.sessions().write(claims_of(), "")
    name, _, rest = line.partition("=")
    value, *attributes = rest.split("; ")
    assert (name, len(value)) == (ID_COOKIE, 43)
    assert {"HttpOnly", "Secure", "SameSite=Lax", "Path=/"} < set(attributes)
    session = held(shelf.sessions(), Browser({name: value}))
    assert {**session.claims, **claims_of()} == dict(session.claims)
    assert (session.issued, session.expires) == (NOW, NOW + 1000)


def test_a_store_is_needed_and_named() -> None:
    """Sessions that are to be in a store, without one: said at the start."""
    with pytest.raises(ConfigurationError, match="needs a store"):
        Sessions(secrets=[SECRET], secure=True, formats=READ, write_format="stored")
    with pytest.raises(ConfigurationError, match="written but not read"):
        Sessions(secrets=[SECRET], secure=True, write_format="stored")


@pytest.mark.parametrize("size", [5_000, 100_000, 300_000])
def test_tokens_that_no_cookie_could_carry(shelf: Shelf, size: int) -> None:
    """The cookie stays as short as ever, and the tokens come back whole."""
    sessions = shelf.sessions()
    claims = claims_of(accessToken="a" * size, refreshToken="r" * size)
    browser = Browser()
    browser.keep(sessions.write(claims, ""))
    assert len(browser.header) < 100
    found = held(shelf.sessions(), browser)
    assert (found.claims["accessToken"], found.claims["refreshToken"]) == ("a" * size, "r" * size)
    browser.keep(sessions.write(renewed({**found.claims}, 1), browser.header))
    assert held(sessions, browser).claims["accessToken"] == "access-1"


def test_there_is_a_largest_session(shelf: Shelf) -> None:
    """What is larger than a mebibyte is refused as what is too large for cookies is, and nothing is stored."""
    with pytest.raises(ValueError, match="must not be longer"):
        shelf.sessions().write(claims_of(accessToken="a" * 1_000_000), "")
    assert shelf.keys() == []


def test_no_two_ids_are_the_same(shelf: Shelf) -> None:
    """Each sign-in has 256 bits of its own."""
    sessions = shelf.sessions()
    assert len({signed_in(sessions).header for _ in range(50)}) == 50


def test_a_session_ends_when_nobody_writes_it(shelf: Shelf) -> None:
    """Reading prolongs nothing; writing does, in the claims, the cookie and Redis, and the id stays the same."""
    sessions = shelf.sessions()
    browser = signed_in(sessions)
    shelf.now = NOW + 900
    session = held(sessions, browser)
    assert session.expires == NOW + 1000
    before = browser.copy()
    lines = sessions.write(session.claims, browser.header)
    browser.keep(lines)
    assert browser.cookies == before.cookies
    assert "Expires=" in lines[0]
    (row,) = [key for key in shelf.keys() if ":row:" in key]
    assert 1_010_000 < shelf.redis.pttl(row) <= 1_015_000
    shelf.now = NOW + 1900
    assert held(sessions, browser).expires == NOW + 1900
    shelf.now = NOW + 1915
    assert sessions.read(browser.header) is None
    assert shelf.sessions().read(browser.header) is None


def test_it_ends_with_its_refresh_token(shelf: Shelf) -> None:
    """As a sealed one: ``expires`` of the writer is the end."""
    sessions = shelf.sessions()
    browser = Browser()
    browser.keep(sessions.write(claims_of(), "", expires=NOW + 10))
    shelf.now = NOW + 30
    assert sessions.read(browser.header) is None


def test_the_index_of_a_user_forgets_what_is_over(shelf: Shelf) -> None:
    """Sessions that ran out are not counted, and do not pile up in Redis."""
    sessions = shelf.sessions()
    for _ in range(3):
        sessions.write(claims_of(), "", expires=NOW - 20)
    (index,) = [key for key in shelf.keys() if ":user:" in key]
    shelf.redis.zadd(index, {"long ago": 1}, xx=False)
    signed_in(sessions)
    assert "long ago" not in shelf.redis.zrange(index, 0, -1)
    assert shelf.redis.pttl(index) > 0


def test_a_sealed_session_moves_at_its_next_write(shelf: Shelf) -> None:
    """Switched on, nobody is signed out: the cookie is read, at the next write there is an id in its place."""
    browser = signed_in(shelf.sealed())
    sessions = shelf.sessions()
    session = held(sessions, browser)
    assert session.claims["accessToken"] == "access-of-7"
    assert shelf.keys() == []
    browser.keep(sessions.write(session.claims, browser.header))
    assert list(browser.cookies) == [ID_COOKIE]
    assert held(sessions, browser).claims["accessToken"] == "access-of-7"


@pytest.mark.parametrize("write_format", ["authjs", "signed"])
def test_sessions_of_every_form_move(shelf: Shelf, write_format: str) -> None:
    """In chunks or signed: they lead to one id, and leave no cookie behind (F019)."""
    browser = Browser()
    padding = "".join(chr(33 + number * number % 89) for number in range(9000))
    browser.keep(shelf.sealed(write_format=write_format).write(claims_of(padding=padding), ""))
    sessions = shelf.sessions()
    browser.keep(sessions.write(held(sessions, browser).claims, browser.header))
    assert list(browser.cookies) == [ID_COOKIE]
    assert held(sessions, browser).claims["padding"] == padding


def test_sessions_of_nextauth_4_move(shelf: Shelf) -> None:
    """One that the library itself sealed (F030)."""
    entry = typical("v4")
    shelf.now = entry["now"]
    browser = Browser({"next-auth.session-token": entry["token"]})
    sessions = shelf.sessions(secrets=secrets(entry))
    browser.keep(sessions.write(held(sessions, browser).claims, browser.header))
    assert list(browser.cookies) == [ID_COOKIE]
    assert held(sessions, browser).claims["sub"] == entry["payload"]["sub"]


def test_requests_that_come_together_move_it_once(shelf: Shelf) -> None:
    """Whoever holds the sealed cookie moves to the same id, and an old one leads to what became of it."""
    old = signed_in(shelf.sealed())
    one, two = shelf.sessions(), shelf.sessions()
    claims = [dict(held(each, old).claims) for each in (one, two)]
    first, second = old.copy(), old.copy()
    first.keep(one.write(renewed(claims[0], 1), old.header))
    second.keep(two.write(claims[1], old.header))
    assert first.cookies == second.cookies
    assert len([key for key in shelf.keys() if ":row:" in key]) == 1
    assert {held(two, each).claims["accessToken"] for each in (old, first, second)} == {"access-1"}


def test_switching_back(shelf: Shelf) -> None:
    """``SESSION_STORE=cookie`` with the Redis still there: ids are read, and move back into cookies at the next write."""
    browser = signed_in(shelf.sessions())
    back = shelf.sessions(formats=(*READ[1:], "stored"), write_format="authjs")
    session = held(back, browser)
    browser.keep(back.write(session.claims, browser.header))
    assert list(browser.cookies) == [SEALED_COOKIE]
    assert held(shelf.sealed(), browser).claims["accessToken"] == "access-of-7"
    assert "storeKey" not in held(shelf.sealed(), browser).claims
    browser.keep(shelf.sessions().write(held(shelf.sessions(), browser).claims, browser.header))
    assert list(browser.cookies) == [ID_COOKIE]


def test_an_older_generation_never_replaces_a_newer_one(shelf: Shelf) -> None:
    """Two workers write back two renewals, the later one first: the newer pair stays."""
    one, two = shelf.sessions(), shelf.sessions()
    browser = signed_in(one)
    claims = dict(held(one, browser).claims)
    assert two.write(renewed(claims, 2), browser.header)
    assert one.write(renewed(claims, 1), browser.header)
    assert held(one, browser).claims["accessToken"] == "access-2"
    one.write({**renewed(claims, 2), "name": "Ada L."}, browser.header)
    assert held(two, browser).claims["name"] == "Ada L."


def test_writers_that_race(shelf: Shelf) -> None:
    """Forty generations from two workers at once, in any order: the newest is kept, and nothing is torn."""
    workers = shelf.sessions(), shelf.sessions()
    browser = signed_in(workers[0])
    claims = dict(held(workers[0], browser).claims)
    barrier = threading.Barrier(8)

    def run(number: int) -> None:
        barrier.wait()
        for generation in range(40 - number, 0, -8):
            workers[number % 2].write(renewed(claims, generation), browser.header)

    threads = [threading.Thread(target=run, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert held(workers[0], browser).claims["accessToken"] == "access-40"


def test_a_user_who_changes_moves_to_another_index(shelf: Shelf) -> None:
    """A page that changes ``sub`` (``update()``): the session belongs to the new user alone."""
    sessions = shelf.sessions()
    browser = signed_in(sessions)
    sessions.write({**held(sessions, browser).claims, "sub": "8"}, browser.header)
    assert sessions.revoke_all("7") == 0
    assert sessions.read(browser.header) is not None
    assert sessions.revoke_all("8") == 1
    assert sessions.read(browser.header) is None


def test_the_key_is_no_business_of_the_browsers(shelf: Shelf) -> None:
    """What leaves the process names neither the key nor the tokens."""
    sessions = shelf.sessions()
    public = sessions.public(held(sessions, signed_in(sessions)))
    assert set(public) == {"name", "sub", "iat", "exp", "jti"}


def test_secrets_change_without_signing_anybody_out(shelf: Shelf) -> None:
    """A new secret seals, the old one opens, and after the next write the old one may go (F025)."""
    browser = signed_in(shelf.sessions())
    both = shelf.sessions(secrets=[OTHER_SECRET, SECRET])
    both.write(held(both, browser).claims, browser.header)
    assert held(shelf.sessions(secrets=[OTHER_SECRET]), browser).claims["sub"] == "7"
    assert shelf.sessions().read(browser.header) is None
