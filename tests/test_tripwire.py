"""A day in the life of the whole stack, with every secret remembered; afterwards everything it said is searched for them.

Signing in, calls that succeed, errors of every kind, tokens renewed and refused, mails and translations, a Redis that
is away, a crash. What is searched: every log
record with its arguments and traceback, every answer, standard output and standard error (F151, F153).
"""

from __future__ import annotations

import io
import json
import logging
import time
from urllib.parse import urlencode

import jwt
import pytest
import requests.exceptions as failures
from requests import Response
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

from tests.auth.browser import call, environ_of
from tests.auth.exchanges import csrf_of, keep_cookies
from tests.harness import WORKSPACE_ID
from wsgiproxy_hs.redaction import RedactingFilter
from wsgiproxy_hs.settings import Settings
from wsgiproxy_hs.stack import create_app

SECRET = "tripwire-tests-own-sealing-key-0123456789"
PASSWORD = "tripwire-password-of-nobody"
API_KEY = "sk-tripwire-key-of-nobody-0123456789"
MAIL_KEY = "SG.tripwire-mail-key-of-nobody-0123456789"
REDIS_PASSWORD = "tripwire-redis-password-of-nobody"
PUBLIC = "http://localhost:3000"
CONTACT = b'{"name": "Ada", "email": "ada@example.com", "subject": "Hi", "message": "Hello"}'
TRANSLATION = b'{"text": "Hello", "target_language": "German"}'
MODES = ["well", "token over", "its own error", "a page of its debugger", "a redirect", "nobody there", "no HTTP"]


class Django(BaseAdapter):
    """An upstream that puts what it got into whatever it says."""

    def __init__(self):
        super().__init__()
        self.mode = self.refresh = "well"
        self.seen = set()

    def send(self, request, **_):
        secret = request.headers.get("Authorization", "").partition(" ")[2]
        path = request.url.partition("8000")[2].partition("?")[0]
        body = (request.body or b"").decode() if not hasattr(request.body, "read") else ""
        if path == "/auth/users/me/":
            return _answer(200, {"id": 1, "email": "ada@example.com", "name": "Ada"})
        if path in ("/auth/jwt/create/", "/auth/jwt/refresh/"):
            return self._pair(path, body)
        return self._by_mode(secret, body)

    def _pair(self, path, body):
        """A pair of tokens; the access token is over at once after signing in."""
        if "refresh" in path and self.refresh != "well":
            if self.refresh == "nobody there":
                raise failures.ConnectionError(f"nobody there for {body}")
            return _answer({"refused": 401, "broken": 500}[self.refresh], {"detail": body, "code": "token_not_valid"})
        if json.loads(body).get("password", PASSWORD) != PASSWORD:
            return _answer(401, {"detail": f"wrong: {body}"})
        access = jwt.encode(
            {"exp": int(time.time()) + (3600 if "refresh" in path else 30), "jti": len(self.seen)}, SECRET
        )
        refresh = f"tripwire-refresh-token-{len(self.seen)}"
        self.seen |= {access, refresh}
        return _answer(200, {"access": access, "refresh": refresh})

    def _by_mode(self, secret, body):
        if self.mode == "nobody there":
            raise failures.ConnectionError("nobody there")
        if self.mode == "a crash":
            raise ZeroDivisionError("a bug")
        if self.mode == "a crash that tells":
            raise ZeroDivisionError(f"a bug with JWT {secret} and {body}")
        page = f"<html>Traceback: Authorization: JWT {secret} {body}</html>"
        return {
            "well": _answer(200, {"ok": True}),
            "token over": _answer(401, {"detail": "Given token not valid", "code": "token_not_valid"}),
            "its own error": _answer(400, {"detail": "No", "email": ["Enter a valid email address."]}),
            "a page of its debugger": _answer(500, page),
            "a redirect": _answer(302, page, Location=f"http://10.0.0.7/?token={secret}"),
            "no HTTP": _answer(999, page),
        }[self.mode]


def _answer(status, document, **headers):
    text = document if isinstance(document, str) else json.dumps(document)
    kind = "text/html" if isinstance(document, str) else "application/json"
    response = Response()
    response.status_code = status
    response.raw = HTTPResponse(
        io.BytesIO(text.encode()), headers={"Content-Type": kind, **headers}, status=status, preload_content=False
    )
    return response


class Day:
    """A browser on the stack; ``said`` is everything it was answered, and the cookies are remembered as secrets."""

    def __init__(self, tmp_path):
        self.django = Django()
        settings = Settings(
            backend_url="http://django.test:8000",
            public_url=PUBLIC,
            secrets=[SECRET],
            openai_api_key=API_KEY,
            sendgrid_api_key=MAIL_KEY,
            contact_email_from="proxy@example.com",
            contact_email_to="us@example.com",
            redis_url=f"redis://:{REDIS_PASSWORD}@127.0.0.1:1/0",  # nobody is there: counts and renewals say so
            renewal_directory=str(tmp_path / "renewals"),
            renewal_wait_seconds=0.2,
        )
        self.app = create_app(settings, transport=self.django)
        self.jar = {}
        self.said = []
        self.sealed = set()

    def ask(self, method, path, body=None, kind="application/json"):
        headers = {"Origin": PUBLIC, **({"Content-Type": kind} if body is not None else {})}
        if self.jar:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        answer = call(self.app, environ_of(method, path, headers, body))
        self.said.append((answer.status, repr(answer.headers), answer.body.decode()))
        keep_cookies(self.jar, answer.cookies)
        self.sealed |= {value for name, value in self.jar.items() if "session-token" in name}
        return answer

    def sign_in(self, password=PASSWORD):
        if not csrf_of(self.jar):
            self.ask("GET", "/api/auth/csrf")
        form = {"email": "ada@example.com", "password": password, "csrfToken": csrf_of(self.jar)}
        kind = "application/x-www-form-urlencoded"
        return self.ask("POST", "/api/auth/callback/credentials", urlencode(form).encode(), kind)

    @property
    def secrets(self):
        return {SECRET, PASSWORD, API_KEY, MAIL_KEY, REDIS_PASSWORD, *self.django.seen, *self.sealed}

    def live(self):
        """From the first sign-in to the last error."""
        self.sign_in("wrong-" + PASSWORD)
        for refresh in ("well", "refused", "broken", "nobody there"):
            self.django.refresh = refresh
            for mode in MODES:
                self.django.mode = mode
                self.sign_in()
                self.ask("GET", "/api/workspaces")
                self.ask("POST", "/api/workspaces", json.dumps({"name": "x", "password": PASSWORD}).encode())
                self.ask("POST", "/api/workspaces", f'{{"name": "{PASSWORD}'.encode())
                self.ask("GET", "/api/auth/session")
                self.ask("POST", "/api/send-contact-email", CONTACT)
                self.ask("POST", f"/api/workspaces/{WORKSPACE_ID}/translate", TRANSLATION)
        self.ask("GET", f"/api/unknown?token={PASSWORD}")
        self.jar["authjs.session-token"] = "forged" + next(iter(self.sealed))
        self.ask("GET", "/api/workspaces")


@pytest.fixture
def _first_line_alone():
    """Without the filters, so that what holds is what the types and the code hold."""
    loggers = [logging.getLogger(name) for name in ("wsgiproxy_hs", *logging.root.manager.loggerDict)]
    ours = [logger for logger in loggers if logger.name.startswith("wsgiproxy_hs")]
    kept = [(logger, list(logger.filters)) for logger in ours]
    for logger in ours:
        logger.filters[:] = [one for one in logger.filters if not isinstance(one, RedactingFilter)]
    yield
    for logger, filters in kept:
        logger.filters[:] = filters


def found(day, caplog, capfd):
    """The secrets in what was said and logged, each with where."""
    assert not caplog.handler.filters, "a filter on the handler would hide what is looked for"
    formatter = logging.Formatter("%(name)s %(message)s")
    places = [
        (f"record of {one.name}", formatter.format(one) + repr(one.args) + repr(one.msg)) for one in caplog.records
    ]
    places += [(f"answer {status}", headers + body) for status, headers, body in day.said]
    places += list(zip(("stdout", "stderr"), capfd.readouterr(), strict=True))
    assert len(places) > 50
    return [(place, secret[:24]) for place, text in places for secret in day.secrets if secret in text]


@pytest.mark.usefixtures("_first_line_alone")
def test_no_secret_is_said_or_logged_even_without_the_filter(tmp_path, caplog, capfd):
    """Types and care are the first line: a day with a plain crash at its end leaves nothing anywhere."""
    day = Day(tmp_path)
    with caplog.at_level(logging.DEBUG):
        day.live()
        day.django.mode = day.django.refresh = "well"
        day.sign_in()
        day.django.mode = "a crash"
        assert day.ask("GET", "/api/workspaces").status == 500
    assert {status for status, _, _ in day.said} >= {200, 302, 400, 401, 404, 500, 502, 503}
    assert len(day.secrets) > 10
    assert found(day, caplog, capfd) == []


def test_the_filter_is_the_second_line(tmp_path, caplog, capfd):
    """A library whose exception tells the token and the password: the log has the traceback and neither of them."""
    day = Day(tmp_path)
    with caplog.at_level(logging.DEBUG):
        day.sign_in()
        day.django.mode = "a crash that tells"
        body = json.dumps({"name": "x", "password": PASSWORD}).encode()
        assert day.ask("POST", "/api/workspaces", body).status == 500
    crash = next(record for record in caplog.records if record.exc_info)
    text = logging.Formatter().format(crash)
    assert "ZeroDivisionError: a bug with JWT [hidden]" in text
    assert not [secret for secret in day.secrets if secret in text]


def test_the_tripwire_would_ring(tmp_path, caplog, capfd):
    """A logger that is not ours, and a line on standard error: both are found."""
    day = Day(tmp_path)
    with caplog.at_level(logging.DEBUG):
        day.live()
        logging.getLogger("some.library").debug("%r", {"cookie": next(iter(day.sealed))})
        print(PASSWORD)
    assert {place for place, _ in found(day, caplog, capfd)} == {"record of some.library", "stdout"}
