"""The session cookie becomes the session and the access token.

::

    Stack:   errors -> limits -> routing -> cross-site -> [session] -> throttle -> body -> endpoint
    Reads:   wsgiproxy_hs.route, HTTP_COOKIE
    Writes:  wsgiproxy_hs.session, wsgiproxy_hs.access_token
    Raises:  Unauthorized 401, RenewalUnavailable 503

The row says whether a token is needed. A cookie that is forged, expired or sealed with another secret is no session
(F026, F159). A token that is over is renewed here, one that is merely due when it is first used; the cookies that come
of it ride on whatever answer follows, errors included (F007). Answers to requests with a session are nobody else's:
``Cache-Control: private, no-store`` unless the upstream was as strict (F034).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from wsgiproxy_hs.environ import ACCESS_TOKEN, ROUTE, SESSION
from wsgiproxy_hs.exceptions import Header, ProxyError, SessionError, Unauthorized
from wsgiproxy_hs.routes import Route, Token
from wsgiproxy_hs.sessions import AccessToken, Renewing, Session, SessionTokens, cookies_after


class SessionMiddleware:
    """Unseals the cookie where the row asks for it.

    :param sessions: reads a ``Cookie`` header, as :class:`wsgiproxy_hs.sessions.Sessions` does.
    :param renewal: renews access tokens; without it a session ends with its access token.
    :param clock: seconds since the epoch.
    """

    def __init__(
        self,
        app: WSGIApplication,
        /,
        *,
        sessions: SessionTokens,
        renewal: Renewing | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._app = app
        self._sessions = sessions
        self._renewal = renewal
        self._clock = clock

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        route: Route | None = environ.get(ROUTE)
        rule = route.token if route is not None else Token.REQUIRED
        if rule is Token.NONE:
            return self._app(environ, start_response)
        header = environ.get("HTTP_COOKIE")
        session = self._read(header, rule) if header else None
        token = self._sessions.access_token(session, self._renewal) if session is not None else None
        if header and session and token and (token.can_renew or not token.is_over(self._clock())):
            return self._with_session(environ, start_response, session, token, rule)
        if rule is Token.REQUIRED:
            raise Unauthorized
        return self._app(environ, _varying(start_response))

    def _read(self, header: str, rule: Token) -> Session | None:
        """The session; when the store of sessions is away, a row that needs none goes on without."""
        try:
            return self._sessions.read(header)
        except SessionError:
            if rule is Token.REQUIRED:
                raise
            return None

    def _with_session(
        self, environ: WSGIEnvironment, start_response: StartResponse, session: Session, token: AccessToken, rule: Token
    ) -> Iterable[bytes]:
        def cookies() -> list[Header]:
            lines = cookies_after(self._sessions, session, token, environ["HTTP_COOKIE"])
            return [("Set-Cookie", line) for line in lines]

        try:
            if self._is_usable(token, rule):
                environ[SESSION] = self._sessions.public(session)
                environ[ACCESS_TOKEN] = token
            return self._app(environ, _private(start_response, cookies))
        except ProxyError as error:
            error.headers += cookies()
            raise

    def _is_usable(self, token: AccessToken, rule: Token) -> bool:
        """Renew a token that is over; whether the request has one. A row that needs none goes on without."""
        try:
            if token.is_over(self._clock()):
                token.settle()
        except SessionError:
            if rule is Token.REQUIRED:
                raise
            return False
        return True


def _private(start_response: StartResponse, cookies: Callable[[], list[Header]]) -> StartResponse:
    """Answers to a request with a session are kept by nobody, and carry what a renewal made."""

    def start(status: str, headers: list[Header], *exc_info: Any) -> Callable[[bytes], object]:
        if not any(name.lower() == "cache-control" and "no-store" in value.lower() for name, value in headers):
            headers = [header for header in headers if header[0].lower() != "cache-control"]
            headers.append(("Cache-Control", "private, no-store"))
        return start_response(status, [*headers, *cookies()], *exc_info)

    return start


def _varying(start_response: StartResponse) -> StartResponse:
    """Without a session the answer may be kept, but not for somebody who has one."""

    def start(status: str, headers: list[Header], *exc_info: Any) -> Callable[[bytes], object]:
        return start_response(status, [*headers, ("Vary", "Cookie")], *exc_info)

    return start
