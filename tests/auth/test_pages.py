"""The built-in pages: accessible, without a script, and nobody else's words in them."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from tests.auth.browser import Browser, header
from tests.auth.conftest import MakeApp
from tests.auth.exchanges import SECRET
from tests.auth.test_app import app_of
from wsgiproxy_hs.auth import CredentialsProvider, FormField, Pages
from wsgiproxy_hs.auth.pages import sign_in_message
from wsgiproxy_hs.auth.style import STYLE, STYLE_SOURCE, VARIABLES
from wsgiproxy_hs.exceptions import ConfigurationError

PAGES = [
    "/signin",
    "/signin?error=CredentialsSignin",
    "/signout",
    "/error",
    "/error?error=AccessDenied",
    "/verify-request",
]
SCRIPT = "%3Cscript%3Ealert(1)%3C/script%3E"


class Elements(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attributes)))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def page(browser: Browser, path: str) -> Elements:
    return Elements(browser.get(path).body.decode())


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_accessible(browser: Browser, path: str) -> None:
    """One language, one title, one main, one heading; every input that is seen has a label and a purpose."""
    elements = page(browser, path)
    assert elements.of("html") == [{"lang": "en"}]
    assert [len(elements.of(tag)) for tag in ("title", "main", "h1")] == [1, 1, 1]
    labels = {label["for"] for label in elements.of("label")}
    for field in elements.of("input"):
        if field["type"] != "hidden":
            assert field["id"] in labels
            assert field["autocomplete"]
            assert "required" in field
            assert "autofocus" not in field
    for button in elements.of("button"):
        assert button["type"] == "submit"


@pytest.mark.parametrize("path", PAGES)
def test_pages_hold_no_script_and_nothing_foreign(browser: Browser, path: str) -> None:
    """No script, no handler, no inline style, no image; nothing is loaded from anywhere."""
    elements = page(browser, path)
    assert {tag for tag, _ in elements.found} <= {
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "main",
        "h1",
        "p",
        "form",
        "input",
        "label",
        "button",
        "a",
    }
    for _, attributes in elements.found:
        assert not any(name.startswith("on") or name in ("style", "src") for name in attributes)


@pytest.mark.parametrize("path", PAGES)
def test_headers_of_pages(browser: Browser, path: str) -> None:
    """A strict policy, no frame, no cache, no sniffing."""
    answer = browser.get(path)
    policy = str(header(answer, "content-security-policy"))
    assert (
        policy
        == f"default-src 'none'; style-src {STYLE_SOURCE}; form-action http://localhost:3000; base-uri 'none'; frame-ancestors 'none'"
    )
    assert header(answer, "cache-control") == "private, no-cache, no-store"
    assert header(answer, "x-frame-options") == "DENY"
    assert header(answer, "x-content-type-options") == "nosniff"
    assert header(answer, "referrer-policy") == "same-origin"
    assert header(answer, "content-type") == "text/html"


def test_an_error_is_announced(browser: Browser) -> None:
    """A message is an alert, and the fields say that it is about them."""
    elements = page(browser, "/signin?error=CredentialsSignin&code=credentials")
    assert {"class": "error", "id": "sign-in-error", "role": "alert"} in elements.of("p")
    described = [field.get("aria-describedby") for field in elements.of("input") if field["type"] != "hidden"]
    assert described == ["sign-in-error", "sign-in-error"]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({}, None),
        ({"error": ""}, None),
        ({"error": "CredentialsSignin"}, "Sign in failed. Check the details you provided are correct."),
        (
            {"error": "CredentialsSignin", "code": "credentials"},
            "Sign in failed. Check the details you provided are correct.",
        ),
        ({"error": "CredentialsSignin", "code": "unavailable"}, "The sign-in service does not answer at the moment"),
        ({"error": "CredentialsSignin", "code": "throttled"}, "Too many attempts. Please try again later."),
        ({"error": "CredentialsSignin", "code": "throttled", "retryAfter": "1"}, "try again in 1 second."),
        ({"error": "CredentialsSignin", "code": "throttled", "retryAfter": "59"}, "try again in 59 seconds."),
        ({"error": "CredentialsSignin", "code": "throttled", "retryAfter": "60"}, "try again in 1 minute."),
        ({"error": "CredentialsSignin", "code": "throttled", "retryAfter": "61"}, "try again in 2 minutes."),
        ({"error": "CredentialsSignin", "code": "throttled", "retryAfter": "0"}, "try again later."),
        ({"error": "CredentialsSignin", "code": "throttled", "retryAfter": "-1"}, "try again later."),
        ({"error": "CredentialsSignin", "code": "throttled", "retryAfter": "1e3"}, "try again later."),
        ({"error": "CredentialsSignin", "code": "throttled", "retryAfter": "9" * 40}, "try again later."),
        ({"error": "CredentialsSignin", "code": "throttled", "retryAfter": "٣"}, "try again later."),
        ({"error": "MissingCSRF"}, "This form was open for too long"),
        ({"error": "MissingCSRF", "code": "unavailable"}, "This form was open for too long"),
        ({"error": "SessionRequired"}, "Please sign in to access this page."),
        ({"error": "whatever"}, "Unable to sign in."),
        ({"error": "<script>"}, "Unable to sign in."),
    ],
)
def test_messages(query: dict[str, str], text: str | None) -> None:
    """Each way a sign-in can end has a sentence for the person; what is unknown gets a neutral one."""
    message = sign_in_message(query, query.get("error"))
    assert message is None if text is None else message is not None and text in message


@pytest.mark.parametrize(
    "name", ["error", "code", "callbackUrl", "csrfToken", "email", "theme", "retryAfter", "brandColor"]
)
@pytest.mark.parametrize("path", ["/signin", "/signout", "/error", "/verify-request"])
def test_query_parameters_never_reach_a_page(browser: Browser, path: str, name: str) -> None:
    """No parameter of the query becomes a part of a page, not even escaped."""
    html = browser.get(f"{path}?error=CredentialsSignin&code=throttled&{name}={SCRIPT}").body.decode()
    assert "script" not in html
    assert "alert(1)" not in html


def test_names_of_a_host_are_escaped() -> None:
    """Whatever a host calls its providers and fields, it stays text."""
    evil = '"><script>x</script>'
    provider = CredentialsProvider(lambda _: None, name=evil, fields=[FormField(evil, evil, evil, evil)])
    html = Browser(app_of(providers=[provider])).get("/signin").body.decode()
    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 5


@pytest.mark.parametrize(
    ("query", "status", "heading"),
    [
        ("", 200, "Error"),
        ("?error=Configuration", 500, "Server error"),
        ("?error=AccessDenied", 403, "Access denied"),
        ("?error=Verification", 403, "Unable to sign in"),
        ("?error=accessdenied", 200, "Error"),
        ("?error=AccessDenied&error=Configuration", 403, "Access denied"),
        ("?error=Other", 200, "Error"),
    ],
)
def test_error_pages(browser: Browser, query: str, status: int, heading: str) -> None:
    """The error picks status and heading, letter by letter; where signing in may help, it is offered."""
    answer = browser.get("/error" + query)
    assert answer.status == status
    html = answer.body.decode()
    assert f"<h1>{heading}</h1>" in html
    assert ('href="http://localhost:3000/api/auth/signin"' in html) is (status == 403)


def test_the_page_signs_in(browser: Browser) -> None:
    """The form of the page, sent as it is, signs in and leads where the person wanted to go."""
    form = page(browser, "/signin?callbackUrl=%2Fdash")
    action = str(form.of("form")[0]["action"]).removeprefix("http://localhost:3000/api/auth")
    fields = {str(field["name"]): str(field.get("value") or "") for field in form.of("input")}
    answer = browser.post(action, {**fields, "email": "ada@example.com", "password": "correct horse"})
    assert (answer.status, header(answer, "location")) == (302, "http://localhost:3000/dash")
    form = page(browser, "/signout")
    fields = {str(field["name"]): str(field.get("value") or "") for field in form.of("input")}
    answer = browser.post(str(form.of("form")[0]["action"]).removeprefix("http://localhost:3000/api/auth"), fields)
    assert answer.status == 302
    assert browser.session() is None


def luminance(colour: str) -> float:
    """WCAG 2.2, definition of relative luminance."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("text", "background", "least"),
    [
        ("text", "card", 4.5),
        ("muted", "card", 4.5),
        ("on-accent", "accent", 4.5),
        ("accent", "card", 4.5),
        ("error", "error-card", 4.5),
        ("border", "card", 3.0),
        ("accent", "page", 3.0),
    ],
)
def test_contrast(mode: int, text: str, background: str, least: float) -> None:
    """Text and focus ring stand out enough, light and dark (WCAG 2.2, 1.4.3 and 1.4.11)."""
    bright, dark = sorted((luminance(VARIABLES[f"--auth-{name}"][mode]) for name in (text, background)), reverse=True)
    assert (bright + 0.05) / (dark + 0.05) >= least


def test_the_style_is_ours_alone() -> None:
    """Every colour and size of the style is a variable that a theme may set, and focus is always seen."""
    assert not re.search("#[0-9a-f]{3,6}", STYLE.partition("*{box-sizing")[2])
    assert ":focus-visible{outline:3px" in STYLE
    assert "prefers-color-scheme:dark" in STYLE
    assert "outline:none" not in STYLE


@pytest.mark.parametrize(
    ("theme", "source"),
    [("/static/theme.css", " 'self';"), ("https://cdn.example.com/t.css?v=1", " https://cdn.example.com;")],
)
def test_a_theme_is_one_file(theme: str, source: str) -> None:
    """A theme file is linked behind the style, and its origin alone is let in."""
    answer = Browser(app_of(pages=Pages(theme=theme))).get("/signin")
    assert f'<link rel="stylesheet" href="{theme}">' in answer.body.decode()
    assert f"style-src {STYLE_SOURCE}{source}" in str(header(answer, "content-security-policy"))


@pytest.mark.parametrize(
    "url",
    ["login", "//evil.example", "javascript:x", "/a b", "/é", "/a\r\nX: y", "/\\x", "", "ftp://x", "/a;b", '/a"b, c'],
)
@pytest.mark.parametrize("name", ["sign_in", "sign_out", "error", "verify_request", "theme"])
def test_own_pages_that_are_none(name: str, url: str) -> None:
    """A page that is neither a path nor an http(s) URL is refused when the app is built."""
    with pytest.raises(ConfigurationError, match=f"pages.{name}"):
        Pages(**{name: url})


def test_own_pages_elsewhere(make_app: MakeApp) -> None:
    """An own page may be an absolute URL: errors lead there as they would to a path."""
    browser = Browser(make_app(page_sign_in="https://www.example.com/login", secrets=[SECRET]))
    assert str(header(browser.get("/signin"), "location")).startswith("https://www.example.com/login?callbackUrl=")
    answer: Any = browser.post("/callback/credentials", {"email": "x"})
    assert header(answer, "location") == "https://www.example.com/login?error=CredentialsSignin&code=credentials"


@pytest.mark.parametrize("query", ["a=b&c=d", "%0d%0aX:y", "\r\nX: y", "é=ü", "a b", "x" * 3_000])
def test_own_verify_page_gets_the_query(make_app: MakeApp, query: str) -> None:
    """The query travels to the own page, without what a header cannot hold."""
    answer = Browser(make_app(page_verify_request="/mail")).get("/verify-request?" + query)
    location = str(header(answer, "location"))
    assert location.startswith("/mail?")
    assert all("!" <= character <= "~" for character in location)


@pytest.mark.parametrize("error", ["%0d%0aX:%20y", "a%26b=c", "%E5%A4%A7", "%ff", "x" * 3_000, "a+b"])
def test_own_error_page_gets_the_error_encoded(make_app: MakeApp, error: str) -> None:
    """The error travels to the own page as one parameter, whatever is in it."""
    answer = Browser(make_app(page_error="/oops")).get("/error?error=" + error)
    location = str(header(answer, "location"))
    assert location.startswith("/oops?error=")
    assert all("!" <= character <= "~" for character in location)
    assert location.count("&") == 0
