from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgiproxy_hs.sessions import (
    CHUNK_SIZE_V4,
    CHUNK_SIZE_V5,
    Sessions,
    candidates,
    clear_session_cookies,
    split_chunks,
    unseal,
    write_session_cookies,
)
from wsgiproxy_hs.sessions.chunks import MAX_CANDIDATES, MAX_JOINED_LENGTH

from .authjs_vectors import VECTORS, Entry, each, header, secrets

NAME = "s"
SIZES = {"v5": CHUNK_SIZE_V5, "v4": CHUNK_SIZE_V4}
SESSION_NAMES = {"v5": "authjs.session-token", "v4": "next-auth.session-token"}


@pytest.mark.parametrize(
    "name", ["sx", "s-foo", "s.", "s.x", "s.1x", "s.1.2", "s.-1", "s.²", "s.١", "s.1234", "S", "x.s", "s.0.s"]
)
def test_a_name_that_only_begins_alike_is_no_chunk(name: str) -> None:
    """Only name and name.<digits> belong to a session (F022)."""
    cookies = [(name, "stranger"), ("s", "tok")]
    assert list(candidates(cookies, NAME)) == ["tok"]
    assert clear_session_cookies([(name, "stranger")], [NAME], secure=False) == []


def test_empty_cookies_are_not_seen() -> None:
    """A cookie without a value is none."""
    assert list(candidates([("s", ""), ("s.0", "")], NAME)) == []


def test_what_is_tried_is_bounded() -> None:
    """However many cookies come, few tokens are tried and none is endless (F028)."""
    many = [("s", f"t{n}") for n in range(50)] + [(f"s.{n}", "c") for n in range(1000)]
    assert len(list(candidates(many, NAME))) == MAX_CANDIDATES
    long = [("s", "x" * (MAX_JOINED_LENGTH + 1))] + [(f"s.{n}", "y" * 30_000) for n in range(9)]
    assert list(candidates(long, NAME)) == ["y" * 60_000, "y" * 30_000]
    tossed = [("s.0", "x" * (MAX_JOINED_LENGTH + 1)), ("s.0", "a"), ("s.1", "b")]
    assert list(candidates(tossed, NAME)) == ["ab", "a"]


def test_a_token_that_could_not_be_read_back_is_not_written() -> None:
    """What no browser and no reader would take is an error at once (F016)."""
    with pytest.raises(ValueError, match="longer"):
        split_chunks(NAME, "x" * (MAX_JOINED_LENGTH + 1))


def test_chunks_are_joined_by_number() -> None:
    """Twelve chunks in any order are joined as numbers, not as text (F020)."""
    cookies = [(f"s.{n}", chr(97 + n)) for n in (11, 2, 10, 0, 9, 1, 3, 8, 4, 7, 5, 6)]
    assert next(candidates(cookies, NAME)) == "abcdefghijkl"


def test_stale_higher_chunks_are_left_out_in_turn() -> None:
    """What an earlier, longer token left behind does not spoil the shorter one (F019)."""
    cookies = [("s.0", "a"), ("s.1", "b"), ("s.2", "x"), ("s.9", "y")]
    assert list(candidates(cookies, NAME)) == ["abxy", "abx", "ab", "a"]


def test_a_whole_cookie_and_chunks_are_both_tried() -> None:
    """Neither spoils the other (F018)."""
    assert list(candidates([("s.0", "a"), ("s", "whole"), ("s.1", "b")], NAME)) == ["whole", "ab", "a"]


def test_every_duplicate_is_tried() -> None:
    """A cookie that a sibling domain set does not hide the genuine one (F033)."""
    assert list(candidates([("s", "evil"), ("s", "good")], NAME)) == ["evil", "good"]
    assert "ab" in candidates([("s.0", "evil"), ("s.0", "a"), ("s.1", "b")], NAME)


@given(st.text(alphabet="abc", max_size=50), st.integers(1, 9), st.randoms())
def test_what_is_split_is_joined(value: str, size: int, random_: object) -> None:
    """Chunks of any size and order give the value back, and each is full but the last."""
    chunks = split_chunks(NAME, value, size)
    assert all(len(part) == size for _, part in chunks[:-1])
    assert len(chunks[-1][1]) <= size
    random_.shuffle(chunks)  # type: ignore[attr-defined]
    assert not value or next(candidates(chunks, NAME)) == value


@pytest.mark.parametrize("version", ["v5", "v4"])
def test_sizes_are_the_recorded_ones(version: str) -> None:
    """Chunks have the length that each library gives them."""
    assert SIZES[version] == VECTORS["constants"][f"{version}_chunk"]


def check_chunked(entry: Entry, name: str, size: int) -> None:
    cookies = [(chunk["name"], chunk["value"]) for chunk in entry["chunks"]]
    token = "".join(value for _, value in cookies)
    assert split_chunks(name, token, size) == cookies
    assert next(candidates(cookies, name)) == token
    secure = name.startswith("__Secure-")
    lines = write_session_cookies([(name, "old")], name, token, secure=secure, expires=4102444800, size=size)
    assert lines == entry["set_cookie"]


@each("v5", "chunked")
def test_writes_the_recorded_lines_v5(entry: Entry) -> None:
    """Set-Cookie lines are those of Auth.js, whole, at every recorded size (F016, F021)."""
    check_chunked(entry, entry["salt"], CHUNK_SIZE_V5)


@each("v4", "chunked")
def test_writes_the_recorded_lines_v4(entry: Entry) -> None:
    """So are those of NextAuth 4."""
    check_chunked(entry, entry["cookie_name"], CHUNK_SIZE_V4)


def recorded_lines(entry: Entry) -> list[str]:
    return ["; ".join([f"{line['name']}={line['value']}", *line["attributes"]]) for line in entry["set_cookie"]]


def check_transition(entry: Entry, version: str) -> None:
    name, cookies = SESSION_NAMES[version], [tuple(pair) for pair in entry["request_cookies"]]
    written = {line["name"]: line["value"] for line in entry["set_cookie"] if not line["cleared"]}
    if not written:
        assert clear_session_cookies(cookies, [name], secure=False) == recorded_lines(entry)
        return
    token = next(candidates(list(written.items()), name))
    lines = write_session_cookies(cookies, name, token, secure=False, expires=4102444800, size=SIZES[version])
    assert lines == recorded_lines(entry)


@each("v5", "transitions")
def test_recorded_transitions_v5(entry: Entry) -> None:
    """From what the request carried to what the answer sets and clears, line by line as Auth.js (F018, F019)."""
    check_transition(entry, "v5")


@each("v4", "transitions")
def test_recorded_transitions_v4(entry: Entry) -> None:
    """The same for NextAuth 4."""
    check_transition(entry, "v4")


@each("v5", "transitions")
def test_recorded_transitions_of_whole_sessions(entry: Entry) -> None:
    """Sessions writes and clears the recorded cookies, in the recorded order and lengths."""
    sessions = Sessions(
        secrets=secrets(entry), secure=False, max_age_seconds=entry["max_age"], clock=lambda: entry["now"]
    )
    carried = header(entry["request_cookies"])
    written = {line["name"]: line["value"] for line in entry["set_cookie"] if not line["cleared"]}
    if not written:
        assert sessions.clear(carried) == recorded_lines(entry)
        return
    token = next(candidates(list(written.items()), entry["salt"]))
    claims = unseal(token, secrets=secrets(entry), cookie_name=entry["salt"], now=entry["now"])
    lines = sessions.write(claims, carried)
    assert [line.partition("=")[0] for line in lines] == [line["name"] for line in entry["set_cookie"]]
    assert [len(line) for line in lines] == [len(line) for line in recorded_lines(entry)]


@pytest.mark.parametrize("id_", ["stale-extra", "whole-and-chunk"])
def test_keeps_sessions_that_the_library_loses(id_: str) -> None:
    """Where a leftover chunk makes Auth.js sign the user out, the session is read (F018, F019)."""
    entry = next(entry for entry in VECTORS["v5"]["transitions"] if entry["id"] == id_)
    sessions = Sessions(secrets=secrets(entry), secure=False, clock=lambda: entry["now"])
    assert entry["body"] == "null"
    assert sessions.read(header(entry["request_cookies"])) is not None
