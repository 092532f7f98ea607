"""The session cookie becomes the session and the access token.

::

    Stack:   errors -> routing -> cross-site -> [session] -> body -> endpoint
    Reads:   wsgiproxy_hs.route, HTTP_COOKIE
    Writes:  wsgiproxy_hs.session, wsgiproxy_hs.access_token
    Raises:  Unauthorized 401

The row says whether a token is needed. A cookie that is forged, expired or sealed with another secret is no session;
why is nobody's business (F026, F159). Answers to requests with a session are nobody else's either: they say
``Cache-Control: private, no-store`` unless the upstream was as strict (F034).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from wsgiproxy_hs.environ import ACCESS_TOKEN, ROUTE, SESSION
from wsgiproxy_hs.exceptions import Header, Unauthorized
from wsgiproxy_hs.routes import Route, Token
from wsgiproxy_hs.sessions import AccessToken, Session


class SessionReader(Protocol):
    """What the layer asks of :class:`wsgiproxy_hs.sessions.Sessions`."""

    def read(self, cookie_header: str) -> Session | None: ...

    def access_token(self, session: Session) -> AccessToken | None: ...

    def public(self, session: Session) -> dict[str, object]: ...


class SessionMiddleware:
    """Unseals the cookie where the row asks for it.

    :param sessions: reads a ``Cookie`` header.
    :param clock: seconds since the epoch.
    """

    def __init__(
        self, app: WSGIApplication, /, *, sessions: SessionReader, clock: Callable[[], float] = time.time
    ) -> None:
        self._app = app
        self._sessions = sessions
        self._clock = clock

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        route: Route | None = environ.get(ROUTE)
        rule = route.token if route is not None else Token.REQUIRED
        if rule is Token.NONE:
            return self._app(environ, start_response)
        has_session = self._read(environ)
        if rule is Token.REQUIRED and not has_session:
            raise Unauthorized
        return self._app(environ, _private(start_response) if has_session else _varying(start_response))

    def _read(self, environ: WSGIEnvironment) -> bool:
        """Write the session's keys; whether there is a session with an access token that is not over."""
        cookies = environ.get("HTTP_COOKIE")
        session = self._sessions.read(cookies) if cookies else None
        token = self._sessions.access_token(session) if session is not None else None
        if session is None or token is None or token.is_over(self._clock()):
            return False
        environ[SESSION] = self._sessions.public(session)
        environ[ACCESS_TOKEN] = token
        return True


def _private(start_response: StartResponse) -> StartResponse:
    """Answers to a request with a session are kept by nobody."""

    def start(status: str, headers: list[Header], *exc_info: Any) -> Callable[[bytes], object]:
        if not any(name.lower() == "cache-control" and "no-store" in value.lower() for name, value in headers):
            headers = [header for header in headers if header[0].lower() != "cache-control"]
            headers.append(("Cache-Control", "private, no-store"))
        return start_response(status, headers, *exc_info)

    return start


def _varying(start_response: StartResponse) -> StartResponse:
    """Without a session the answer may be kept, but not for somebody who has one."""

    def start(status: str, headers: list[Header], *exc_info: Any) -> Callable[[bytes], object]:
        return start_response(status, [*headers, ("Vary", "Cookie")], *exc_info)

    return start
