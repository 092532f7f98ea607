"""The second line against secrets in logs and error reports (F151, F152)."""

from __future__ import annotations

import io
import json
import logging
import pkgutil
import time
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st

import wsgiproxy_hs
from tests.harness import access_token, make_sessions, request, session_cookie
from wsgiproxy_hs.redaction import HIDDEN, RedactingFilter, install, redact, scrub, scrub_event

TOKEN = access_token()
COOKIE = session_cookie(TOKEN)
SEALED = COOKIE.partition("=")[2]
WORD = "hunter2-of-nobody"
SIGNED = make_sessions(write_format="signed").write({"name": "Ada"}, "", expires=time.time() + 60)[0].partition("=")[2]
SIGNED = SIGNED.partition(";")[0]
LEAKS = {
    "a token": (f"refused: {TOKEN}.", TOKEN),
    "a sealed session": (f"cannot be opened: {SEALED}", SEALED),
    "a signed session": (f"cannot be opened: {SIGNED}", SIGNED),
    "an opaque token with its scheme": ("sent Bearer 9944b09199c62bcf9418ad846dd0e4bb", "9944b0"),
    "a header line": (f"Cookie: a={WORD}; b={WORD}", WORD),
    "an environ": (repr({"HTTP_COOKIE": f"a={WORD}", "HTTP_AUTHORIZATION": f"JWT '{WORD}"}), WORD),
    "headers in pairs": (f"[('Authorization', '{WORD}'), (b'Set-Cookie', b'a={WORD}')]", WORD),
    "a cookie by name": (f"__Secure-authjs.session-token.0={WORD} sessionid={WORD}; csrftoken={WORD}", WORD),
    "a query": (f"GET /x?token={WORD}&q=1&code={WORD}&X-Amz-Signature={WORD}&state={WORD} HTTP/1.1", WORD),
    "a JSON body": (f'{{"password": "{WORD}\\" {WORD}", "refresh_token":"{WORD}", "new_password":"{WORD}"}}', WORD),
    "a repr": (f"User(password='{WORD}', accessToken={WORD})", WORD),
    "a key of OpenAI": ("Incorrect API key provided: sk-proj-1234567890abcdef", "1234567890"),
    "a key of SendGrid": ("SG.abcdefghijkl.mnopqrstuvwx", "mnopqrst"),
    "a secret of Stripe": ("whsec_abcdefghijklmnop", "abcdefgh"),
    "a URL with a password": (f"redis://user:{WORD}@redis:6379/0", WORD),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_what_looks_like_a_secret_is_masked(leak):
    """Whatever library put it there, in whatever form."""
    text, secret = LEAKS[leak]
    masked = redact(text)
    assert secret not in masked
    assert HIDDEN in masked
    assert redact(masked) == masked, "a second filter changes nothing"


@pytest.mark.parametrize(
    "text",
    [
        "request 0f3a: upstream-status: UpstreamStatus('Request failed')",
        "The refresh token could not be revoked: upstream-timeout",
        "signed in: provider='credentials' email='ada@example.com'",
        "GET /api/workspaces?page=2&q=a%20b HTTP/1.1",
        "no session in authjs.session-token: it is over",
        "http://127.0.0.1:8000/api/x/ answered 502",
    ],
)
def test_what_is_no_secret_stays_readable(text):
    """A log that hides everything is of no use."""
    assert redact(text) == text


def logged(log, *arguments, on_handler=False, **options):
    """What a handler writes of a record."""
    logger = logging.Logger("test")
    handler = logging.StreamHandler(io.StringIO())
    logger.addHandler(handler)
    (handler if on_handler else logger).addFilter(RedactingFilter())
    log(logger, *arguments, **options)
    return handler.stream.getvalue()


@pytest.mark.parametrize("on_handler", [False, True])
def test_a_record_loses_its_secrets_wherever_they_are(on_handler):
    """In the message, in its arguments, in the exception and in what caused it."""

    def log(logger):
        try:
            try:
                raise ValueError(f"Cookie: {COOKIE}")
            except ValueError as error:
                raise RuntimeError(f"token {TOKEN}") from error
        except RuntimeError:
            logger.exception("bad %s and %r", TOKEN, {"password": WORD})

    text = logged(log, on_handler=on_handler)
    assert "Traceback" in text
    assert "RuntimeError" in text
    assert not [secret for secret in (TOKEN, SEALED, WORD) if secret in text]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x85", "\u2028", "\x1b[2J", "\0"])
def test_nobody_writes_a_line_of_somebody_elses(end):
    """A line end in a logged value is shown, not written (F152, ASVS 16.4.1)."""
    text = logged(lambda logger: logger.warning("path %s", f"/x{end}request 0: signed in: root"))
    assert len(text.splitlines()) == 1
    assert end not in text.rstrip("\n")


def test_a_wrong_format_string_is_the_handlers_to_report():
    """The filter never fails and never swallows a record."""
    record = logging.LogRecord("n", logging.INFO, "p", 1, "%d", ("x",), None)
    assert RedactingFilter().filter(record)


def test_every_logger_of_the_package_has_the_filter_once():
    """A filter of a logger does not see what the loggers below it log, so none may be without."""
    for module in pkgutil.walk_packages(wsgiproxy_hs.__path__, "wsgiproxy_hs."):
        if not module.name.endswith(("__main__", ".wsgi", ".redis")):
            import_module(module.name)
    install()
    names = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] == "wsgiproxy_hs"]
    assert len(names) > 5
    for name in names:
        assert [type(one) for one in logging.getLogger(name).filters] == [RedactingFilter], name


def environ():
    headers = {"Cookie": COOKIE, "Authorization": f"JWT {TOKEN}", "X-Api-Key": WORD, "Accept": "a/b"}
    made = request(
        "POST", "/api/x", headers=headers, body=b"{}", query=f"token={WORD}&page=2", raw_target=f"/api/x?code={WORD}"
    )
    return {**made, "wsgiproxy_hs.session": {"email": "ada@example.com"}, "wsgiproxy_hs.json_body": {"password": WORD}}


def test_an_environ_that_is_shown_holds_no_secret_and_stays_as_it_is():
    """``scrub`` gives a copy for logs and error trackers."""
    original = environ()
    before = dict(original)
    text = json.dumps(scrub(original))
    assert not [secret for secret in (TOKEN, SEALED, WORD, "ada@example.com") if secret in text]
    assert scrub(original)["HTTP_ACCEPT"] == "a/b"
    assert "page=2" in scrub(original)["QUERY_STRING"]
    assert original == before


def test_an_error_report_holds_no_secret():
    """Sentry's own event, with the environ among the local variables of a frame and the headers in the request."""
    deep: dict[str, object] = {}
    for _ in range(50):
        deep = {"a": deep}
    event = {
        "request": {"headers": {"Cookie": COOKIE, "Authorization": f"JWT {TOKEN}"}, "cookies": {"a": WORD}, "query_string": f"?code={WORD}"},
        "exception": {"values": [{"value": f"bad {TOKEN}", "stacktrace": {"frames": [{"vars": {
            "environ": {key: value if isinstance(value, (str, dict)) else repr(value) for key, value in environ().items()},
            "self": "<ErrorMiddleware>", "refresh_token": WORD, "count": 3, "header": COOKIE, "token": None, "more": (TOKEN, deep),
        }}]}}]},
        "breadcrumbs": [{"message": f"Cookie: {COOKIE}"}],
    }  # fmt: skip
    shown = scrub_event(event, {"exc_info": None})
    text = json.dumps(shown)
    assert not [secret for secret in (TOKEN, SEALED, WORD) if secret in text]
    frame = shown["exception"]["values"][0]["stacktrace"]["frames"][0]["vars"]
    assert (frame["count"], frame["self"], frame["environ"]["HTTP_ACCEPT"]) == (3, "<ErrorMiddleware>", "a/b")


@given(st.text(max_size=300))
def test_redacting_ends_and_is_done_once(text):
    """No text breaks it, and none is masked twice."""
    once = redact(text)
    assert redact(once) == once
