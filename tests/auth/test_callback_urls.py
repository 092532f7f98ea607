"""Where a person may be sent after signing in or out."""

from __future__ import annotations

from urllib.parse import unquote, urljoin, urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.auth.browser import Browser, header, url_of
from wsgiproxy_hs.auth.callback_urls import MAX_CHARACTERS, callback_url

ORIGIN = "https://app.example.com"

HOSTILE = [
    "https://evil.example",
    "https://evil.example/",
    "http://app.example.com/",
    "https://app.example.com.evil.example/",
    "https://app.example.com:444/",
    "https://app.example.com:0443/",
    "https://app.example.com:/",
    "https://app.example.com./",
    "https://evil.example#app.example.com",
    "https://evil.example?app.example.com",
    "https://evil.example/app.example.com",
    "https://app.example.com@evil.example/",
    "https://app.example.com:443@evil.example/",
    "https://user@app.example.com/",
    "https://user:password@app.example.com/",
    "https://@app.example.com/",
    "https://evil.example\\@app.example.com/",
    "https://app.example.com\\@evil.example/",
    "https://app.example.com\\.evil.example/",
    "https:\\\\app.example.com/",
    "https:\\\\evil.example/",
    "https:/evil.example",
    "https:evil.example",
    "https:///evil.example",
    "https:////evil.example",
    "https://https://evil.example",
    "https://[::1]/",
    "https://app%2eexample.com/",
    "https://app.example.com%2f@evil.example/",
    "https://app.example.com%00.evil.example/",
    "https://app.exampleⓛe.com/",
    "https://аpp.example.com/",
    "https://app.example.com。evil.example/",
    "//evil.example",
    "//evil.example/%2f..",
    "///evil.example",
    "////evil.example",
    "//app.example.com",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r/evil.example",
    "\t//evil.example",
    "/\x00/evil.example",
    "/\x7f/evil.example",
    "/\u0085/evil.example",
    "/\u2028/evil.example",
    "/\ufeff/evil.example",
    "/%2fevil.example",
    "/%2Fevil.example",
    "/%2f%2fevil.example",
    "/%5cevil.example",
    "/%5C%5Cevil.example",
    "/%252fevil.example",
    "/%255cevil.example",
    "/%09/evil.example",
    "/%0a/evil.example",
    "/%0d%0aSet-Cookie:x=1",
    "/%00/evil.example",
    "/%2509/evil.example",
    "/.//evil.example",
    "/..//evil.example",
    "/x/..//evil.example",
    "/x/%2e%2e//evil.example",
    "/x/..%2f/evil.example",
    "/%2e//evil.example",
    "https://app.example.com//evil.example",
    "https://app.example.com/\\evil.example",
    "https://app.example.com/%2f/evil.example",
    "https://app.example.com/.//evil.example",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "java\nscript:alert(1)",
    "\x01javascript:alert(1)",
    "javascript://app.example.com/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "blob:https://app.example.com/x",
    "view-source:https://app.example.com/",
    "ftp://app.example.com/",
    "ws://app.example.com/",
    "mailto:a@b.c",
    "intent://app.example.com#Intent;end",
    "evil.example",
    "app.example.com",
    "?x=//evil.example",
    "#//evil.example",
    ".",
    "..",
    "./x",
    "%2f%2fevil.example",
    "/a\r\nLocation: https://evil.example",
    "/a\nSet-Cookie: x=1",
    "/\ud800",
    "/" + "a" * MAX_CHARACTERS,
    "https://app.example.com/" + "é" * 1_000,
    "not a url",
    "\xa0https://app.example.com/x",
    "https ://app.example.com/",
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_urls_lead_to_the_site_itself(hostile: str) -> None:
    """What could lead elsewhere, by any reading, leads to the origin and nowhere else."""
    assert callback_url(hostile, ORIGIN) == ORIGIN


def test_there_are_enough_tricks() -> None:
    """At least sixty known tricks are tried, each once."""
    assert len(HOSTILE) >= 60
    assert len(set(HOSTILE)) == len(HOSTILE)


@pytest.mark.parametrize("value", [None, 7, True, ["/x"], {"url": "/x"}, b"/x", 1.5])
def test_values_that_are_no_text_lead_to_the_site_itself(value: object) -> None:
    """JSON can bring any type: none but text is a URL, and none is an error."""
    assert callback_url(value, ORIGIN) == ORIGIN


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("/", "/"),
        ("/dash", "/dash"),
        ("/a/b/?c=d&e=%2F%2Fevil.example#f", "/a/b/?c=d&e=%2F%2Fevil.example#f"),
        ("/?next=https://evil.example", "/?next=https://evil.example"),
        ("/a//b", "/a//b"),
        ("/files/a%2Fb", "/files/a%2Fb"),
        ("/q?line=%0Abreak", "/q?line=%0Abreak"),
        ("/%E5%A4%A7", "/%E5%A4%A7"),
        ("/大橋?名=前#片", "/%E5%A4%A7%E6%A9%8B?%E5%90%8D=%E5%89%8D#%E7%89%87"),
        ("/café", "/caf%C3%A9"),
        ("/a b", "/a%20b"),
        ("/100%", "/100%25"),
        ("/100%zz", "/100%25zz"),
        ('/<script>"', "/%3Cscript%3E%22"),
        ("/@evil.example", "/@evil.example"),
        ("/a?ids[]=1&b='c'(d)*!$,;:@|", "/a?ids[]=1&b='c'(d)*!$,;:@|"),
        ("/x/../y", "/x/../y"),
        ("https://app.example.com", ""),
        ("https://app.example.com/", "/"),
        ("https://app.example.com?x=1", "?x=1"),
        ("https://app.example.com#x", "#x"),
        ("https://app.example.com/dash", "/dash"),
        ("https://app.example.com:443/dash", "/dash"),
        ("HTTPS://APP.EXAMPLE.COM/Dash", "/Dash"),
        ("  /dash  ", "/dash"),
    ],
)
def test_pages_of_this_site_are_reached(given: str, expected: str) -> None:
    """A path, or a URL of the same origin, leads there, percent-encoded."""
    assert callback_url(given, ORIGIN) == ORIGIN + expected


URL_TEXT = st.text(alphabet=st.sampled_from("/\\:?#@%.25fF0aA \t\n;&=éあ\u2028\ud800htps[]<>\"'`{}|^"), max_size=30)


@given(st.one_of(URL_TEXT, URL_TEXT.map("/".__add__), URL_TEXT.map(ORIGIN.__add__)))
@example("/" + "é" * 400)
@settings(max_examples=400)
def test_the_result_is_always_ours_and_stable(text: str) -> None:
    """Whatever is given in: the result is printable ASCII on our origin for every parser, and gives itself again."""
    result = callback_url(text, ORIGIN)
    assert result.isascii()
    assert all("!" <= character <= "~" and character != "\\" for character in result)
    parts = urlsplit(result)
    assert (parts.scheme, parts.netloc) == ("https", "app.example.com")
    assert urlsplit(urljoin(ORIGIN, unquote(unquote(parts.path)) or "/")).netloc == "app.example.com"
    assert callback_url(result, ORIGIN) == result


@pytest.mark.parametrize(
    "hostile", ["https://evil.example", "//evil.example", "/\\evil.example", "not a url", "/a\nX: y"]
)
def test_no_sign_in_is_lost_to_a_hostile_url(browser: Browser, hostile: str) -> None:
    """A bad callback URL costs nobody the sign-in, and leads to the site itself (F149)."""
    answer = browser.sign_in(callbackUrl=hostile)
    assert url_of(answer) == header(answer, "location") == "http://localhost:3000"
    assert browser.session()["user"]["email"] == "ada@example.com"


@pytest.mark.parametrize("broken", ["nonsense", "javascript:alert(1)", "%zz", "\xff\xfe", "x" * 9_000])
def test_a_broken_callback_cookie_heals_itself(browser: Browser, broken: str) -> None:
    """A callback-url cookie that leads nowhere is ignored and written anew, not answered with 500 for ever."""
    browser.get("/csrf")
    browser.jar["authjs.callback-url"] = broken
    answer = browser.get("/session")
    assert answer.status == 200
    assert answer.cookies == ["authjs.callback-url=http%3A%2F%2Flocalhost%3A3000; Path=/; HttpOnly; SameSite=Lax"]


@pytest.mark.parametrize("path", ["/session", "/csrf", "/signin", "/signout", "/error", "/verify-request"])
def test_a_broken_callback_query_is_no_error(browser: Browser, path: str) -> None:
    """A callbackUrl in the query that is none changes nothing about the answer."""
    assert browser.get(path + "?callbackUrl=not%20a%20url").status == 200


def test_the_callback_url_is_remembered(browser: Browser) -> None:
    """The last good callback URL is where the next sign-in or sign-out leads."""
    browser.get("/signin?callbackUrl=%2Fdeep%3Fa%3D1")
    assert browser.cookie("authjs.callback-url") == "http://localhost:3000/deep?a=1"
    assert url_of(browser.sign_in()) == "http://localhost:3000/deep?a=1"
