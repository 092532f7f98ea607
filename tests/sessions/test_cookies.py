from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgiproxy_hs.sessions import cookies_as_sent, parse_cookies, set_cookie

from .authjs_vectors import VECTORS, Entry

NEIGHBOURS = [
    'a={"x":1}',
    'a={"x":1,"y":[1,2]}',
    "bad name=1",
    "novalue",
    "",
    "   ",
    "x=\xe9\xff\x00",
    "=nameless",
    'quoted="q;uoted"',
    "p=%ZZ",
    "p=%",
    "p=%E9",
    "s=other, t=1",
    ",,,",
    "a=b=c==",
    "$Version=1",
    "s2=tok",
    "café=1",
]


@pytest.mark.parametrize("neighbour", NEIGHBOURS)
@pytest.mark.parametrize("before", [True, False])
def test_survives_any_neighbour(neighbour: str, before: bool) -> None:
    """One bad cookie hides no other (F031)."""
    header = f"{neighbour}; s=tok" if before else f"s=tok; {neighbour}"
    assert ("s", "tok") in cookies_as_sent(header)
    assert ("s", "tok") in parse_cookies(header)


@given(st.lists(st.text(alphabet=st.characters(max_codepoint=255)), max_size=6), st.integers(0, 6))
def test_survives_any_bytes(parts: list[str], place: int) -> None:
    """Whatever bytes stand around it, a cookie is found and nothing is raised."""
    parts.insert(place, "s=tok")
    assert ("s", "tok") in parse_cookies(";".join(parts))


@given(st.text())
def test_never_raises(header: str) -> None:
    """Not even text that WSGI would never give raises."""
    sent = cookies_as_sent(header)
    assert parse_cookies(header)[: len(sent)] == sent


def test_keeps_order_and_duplicates() -> None:
    """Nothing is dropped, sorted or merged (F033)."""
    assert parse_cookies("b=1; a=2; b=3;b=1") == [("b", "1"), ("a", "2"), ("b", "3"), ("b", "1")]


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("a%20b%7C", "a b|"),
        ("%C3%A9", "é"),
        ("%C3", "%C3"),
        ("%41%ZZ", "%41%ZZ"),
        ("%4", "%4"),
        ("%ED%A0%80", "%ED%A0%80"),
        ("a+b", "a+b"),
        ('"q"', '"q"'),
        ("\xe9%41", "\xe9A"),
    ],
)
def test_decodes_escapes_or_leaves_the_value_alone(sent: str, read: str) -> None:
    """One malformed escape leaves the whole value as it was sent; quotes are kept."""
    assert parse_cookies(f"n=\t {sent} \t") == [("n", read)]


def test_splits_lines_that_a_server_joined_by_a_comma() -> None:
    """Two Cookie lines joined by a comma give both cookies, behind the reading as sent (F032)."""
    assert parse_cookies("a=1,b=2, c=3; d=4") == [
        ("a", "1,b=2, c=3"),
        ("d", "4"),
        ("a", "1"),
        ("b", "2"),
        ("c", "3"),
    ]


def test_leaves_values_with_commas_whole() -> None:
    """A comma inside a value adds readings at most, and none where no cookie can begin."""
    assert parse_cookies('j={"a":1,"b":2}') == [("j", '{"a":1,"b":2}')]
    assert parse_cookies("l=1,2,3") == [("l", "1,2,3")]
    assert parse_cookies("l=1,x=2")[0] == ("l", "1,x=2")
    assert parse_cookies("novalue, s=tok")[-1] == ("s", "tok")


def test_a_value_cannot_pass_for_a_host_cookie() -> None:
    """The __Host- prefix is the browser's word; the inside of another cookie's value cannot give it (F033)."""
    assert [name for name, _ in parse_cookies("x=1,__Host-s=evil")] == ["x"]
    assert ("__Host-s", "good") in parse_cookies("__Host-s=good,b=1")


@pytest.mark.parametrize("header", [",=" * 60_000, "a,b" * 60_000, "a=%" * 60_000, ";" * 180_000, "=," * 60_000])
def test_takes_linear_time(header: str) -> None:
    """No header, however long, costs more than its length."""
    began = time.process_time()
    parse_cookies(header)
    assert time.process_time() - began < 2.0


@pytest.mark.parametrize(
    "arguments",
    [
        {"name": "a b"},
        {"name": ""},
        {"name": "a=b"},
        {"name": "a\r\nSet-Cookie: x"},
        {"path": "/\r\n"},
        {"path": "/; Secure"},
        {"domain": "example.com; x"},
        {"name": "__Secure-a"},
        {"name": "__Host-a"},
        {"name": "__Host-a", "secure": True, "path": "/api"},
        {"name": "__Host-a", "secure": True, "domain": "example.com"},
        {"value": "\ud800"},
    ],
)
def test_refuses_to_write_what_a_browser_would_not_take(arguments: dict[str, object]) -> None:
    """A cookie that a browser would drop or read otherwise is an error here, not a riddle there."""
    given_ = {"name": "a", "value": "v", "secure": False, **arguments}
    with pytest.raises(ValueError):
        set_cookie(**given_)  # type: ignore[arg-type]


@pytest.mark.parametrize("entry", VECTORS["csrf"], ids=lambda entry: f"{entry['lib']} {entry['label']}")
def test_encodes_as_the_library_does(entry: Entry) -> None:
    """Attributes and percent-encoding are those of Auth.js; an escaped value reads back."""
    name, value = entry["cookie_name"], entry["cookie_value"]
    written = set_cookie(name, value, secure=name.startswith("__"))
    assert written == entry["set_cookie"]
    assert parse_cookies(written.partition(";")[0]) == [(name, value)]


def test_writes_all_attributes_in_their_order() -> None:
    """Max-Age, Domain, Path, Expires, HttpOnly, Secure, SameSite, as Auth.js orders them."""
    written = set_cookie(
        "n",
        "a b/é!~*'()",
        secure=True,
        expires=4102444800.9,
        max_age=900,
        path="/api",
        same_site="Strict",
        domain="example.com",
    )
    assert written == (
        "n=a%20b%2F%C3%A9!~*'(); Max-Age=900; Domain=example.com; Path=/api; "
        "Expires=Fri, 01 Jan 2100 00:00:00 GMT; HttpOnly; Secure; SameSite=Strict"
    )
    assert set_cookie("n", "", secure=False, http_only=False, max_age=0) == "n=; Max-Age=0; Path=/; SameSite=Lax"


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_a_written_value_reads_back(value: str) -> None:
    """Any text survives the way through a browser."""
    pair = set_cookie("n", value, secure=False).partition(";")[0]
    assert cookies_as_sent(pair) == [("n", value)]
