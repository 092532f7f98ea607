from __future__ import annotations

import random

import pytest

from wsgiproxy_hs.sessions import Unsealable, unseal_v4

from .authjs_vectors import Entry, each, entries, secrets, typical
from .test_authjs import mutated


def opened(entry: Entry, now: float | None = None, token: str | None = None) -> dict[str, object]:
    return unseal_v4(
        entry["token"] if token is None else token,
        secrets=secrets(entry),
        now=entry["now"] if now is None else now,
        salt=entry["salt"],
    )


def test_every_recorded_member_is_here() -> None:
    """No recorded entry is lost on the way into these tests."""
    members = ("sessions", "negative", "clock", "chunked", "transitions", "checks")
    assert [len(entries("v4", member)) for member in members] == [13, 20, 3, 5, 6, 3]


@each("v4", "negative")
def test_refuses_what_the_library_refuses(entry: Entry) -> None:
    """Every token that NextAuth 4 refuses is refused here, tokens of version 5 among them (F030)."""
    with pytest.raises(Unsealable):
        opened(entry)


@each("v4", "clock", ok=False)
def test_refuses_outside_the_clock_tolerance(entry: Entry) -> None:
    """A token is over 15 seconds after exp."""
    with pytest.raises(Unsealable, match="exp is past"):
        opened(entry, now=entry["verify_at"])


def test_refuses_the_other_encryption_before_decrypting() -> None:
    """A version 5 token is told from its header (F030)."""
    entry = typical("v4")
    with pytest.raises(Unsealable, match="NextAuth 4"):
        opened(entry, token=typical("v5")["token"])


def test_refuses_thousands_of_mutations() -> None:
    """A token that differs in one place anywhere is refused, and with Unsealable alone (F027)."""
    entry, random_ = typical("v4"), random.Random(4)
    for _ in range(3_000):
        token = mutated(entry["token"], random_)
        with pytest.raises(Unsealable):
            opened(entry, token=token)


@each("v4", "sessions")
def test_reads_what_the_library_wrote(entry: Entry) -> None:
    """Every token that NextAuth 4 reads is read here."""
    assert opened(entry) == entry["payload"]


@each("v4", "chunked")
def test_reads_long_tokens(entry: Entry) -> None:
    """A token of several chunks is read once it is joined."""
    claims = opened(entry, token="".join(chunk["value"] for chunk in entry["chunks"]))
    assert claims == entry.get("payload", claims)


@pytest.mark.parametrize("entry", entries("v4", "checks"), ids=lambda entry: entry["name"])
def test_reads_salted_tokens(entry: Entry) -> None:
    """The cookies of an OAuth sign-in are read with their own name as salt."""
    assert opened(entry) == entry["payload"]


@each("v4", "clock", ok=True)
def test_accepts_inside_the_clock_tolerance(entry: Entry) -> None:
    """A token is good until the 14th second after exp (F014)."""
    assert opened(entry, now=entry["verify_at"])


def test_tries_every_secret() -> None:
    """Unlike the library, a rotated secret goes on reading (F025)."""
    entry = typical("v4")
    rotated = ["another secret", entry["secret"]]
    assert unseal_v4(entry["token"], secrets=rotated, now=entry["now"]) == entry["payload"]
