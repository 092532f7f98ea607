"""The session cookie becomes the session and the access token.

::

    Stack:   errors -> routing -> cross-site -> [session] -> body -> endpoint
    Reads:   wsgiproxy_hs.route, HTTP_COOKIE
    Writes:  wsgiproxy_hs.session, wsgiproxy_hs.access_token
    Raises:  Unauthorized 401, RenewalUnavailable 503

The row says whether a token is needed. A cookie that is forged, expired or sealed with another secret is no session;
why is nobody's business (F026, F159). A token that is over is renewed here, one that is merely due when it is first
used; the cookies that come of it ride on whatever answer follows, errors included (F007). Answers to requests with a
session are nobody else's either: they say ``Cache-Control: private, no-store`` unless the upstream was as strict (F034).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from wsgiproxy_hs.environ import ACCESS_TOKEN, ROUTE, SESSION
from wsgiproxy_hs.exceptions import Header, ProxyError, SessionError, Unauthorized
from wsgiproxy_hs.routes import Route, Token
from wsgiproxy_hs.sessions import Renewing, SessionCookies, SessionTokens


class SessionMiddleware:
    """Unseals the cookie where the row asks for it.

    :param sessions: reads a ``Cookie`` header, :class:`wsgiproxy_hs.sessions.Sessions`.
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
        cookies = self._read(environ)
        try:
            has_token = cookies is not None and cookies.token.is_usable(self._clock(), is_needed=rule is Token.REQUIRED)
            if rule is Token.REQUIRED and not has_token:
                raise Unauthorized
            if not has_token:
                environ.pop(SESSION, None), environ.pop(ACCESS_TOKEN, None)
            return self._app(environ, _private(start_response, cookies) if cookies else _varying(start_response))
        except ProxyError as error:
            if cookies is not None:
                error.headers += cookies.headers()
            raise
