"""What does not change from request to request, and what one request amounts to before anything is done about it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from wsgiproxy_hs.auth.callback_urls import callback_url
from wsgiproxy_hs.auth.csrf import Csrf, check_csrf
from wsgiproxy_hs.auth.errors import AuthError, PageName
from wsgiproxy_hs.auth.hooks import Hooks
from wsgiproxy_hs.auth.incoming import AuthRequest
from wsgiproxy_hs.auth.pages import Pages
from wsgiproxy_hs.auth.providers import Provider
from wsgiproxy_hs.sessions import Renewing, SessionTokens, parse_cookies, session_end, set_cookie
from wsgiproxy_hs.throttling import SignInThrottle

log = logging.getLogger(__name__)


class SessionStore(SessionTokens, Protocol):
    """What the handler asks of :class:`wsgiproxy_hs.sessions.Sessions`."""

    hidden_claims: frozenset[str]


@dataclass(frozen=True)
class Site:
    """The handler's configuration, checked.

    :param origin: ``https://app.example.com``. :param base_path: ``/api/auth``.
    :param renewal: renews the tokens of a session that is read, and knows of those that were renewed elsewhere.
    :param throttle: counts attempts to sign in.
    """

    origin: str
    base_path: str
    secrets: tuple[str, ...]
    sessions: SessionStore
    providers: tuple[Provider, ...]
    pages: Pages
    hooks: Hooks
    max_body_bytes: int
    session_max_age_seconds: int
    clock: Callable[[], float]
    refresh_token_claim: str = "refreshToken"
    renewal: Renewing | None = None
    throttle: SignInThrottle | None = None

    def end(self, claims: Mapping[str, object]) -> float:
        """When a session that is written now ends, in seconds since the epoch (F010)."""
        return session_end(self.clock() + self.session_max_age_seconds, claims.get(self.refresh_token_claim))

    @property
    def secure(self) -> bool:
        """Whether cookies are ``Secure`` and carry the prefixes: the public URL decides, never the request (F024)."""
        return self.origin.startswith("https:")

    @property
    def auth_url(self) -> str:
        return self.origin + self.base_path

    @property
    def csrf_cookie_name(self) -> str:
        return "__Host-authjs.csrf-token" if self.secure else "authjs.csrf-token"

    @property
    def callback_url_cookie_name(self) -> str:
        return "__Secure-authjs.callback-url" if self.secure else "authjs.callback-url"

    def notify(self, event: str, **details: object) -> None:
        """Tell the events hook; what it raises is logged and stands in nobody's way."""
        try:
            self.hooks.events(event, details)
        except Exception:
            log.exception("The events hook failed")

    def page_url(self, page: PageName) -> str:
        """The absolute URL of a page: your own, else ``signin`` or ``error`` below the base path."""
        own = self.pages.sign_in if page == "sign_in" else self.pages.error
        if own is None:
            return f"{self.auth_url}/{'signin' if page == 'sign_in' else 'error'}"
        return self.origin + own if own.startswith("/") else own


class Visit(NamedTuple):
    """A request with what Auth.js works out for every one of them.

    ``cookies`` are the ``Set-Cookie`` values that a good answer carries: the CSRF token's, then the callback URL's,
    each only if it is new.
    """

    request: AuthRequest
    provider: Provider | None
    csrf: Csrf
    callback_url: str
    cookies: tuple[str, ...]


def visit_of(site: Site, request: AuthRequest) -> Visit:
    """:raises AuthError: for a provider that is not there."""
    provider = _provider(site, request.provider_id)
    cookies = parse_cookies(request.cookie_header)
    tokens = [value for name, value in cookies if name == site.csrf_cookie_name]
    csrf = check_csrf(tokens, request.body.get("csrfToken"), site.secrets)
    known = [value for name, value in cookies if name == site.callback_url_cookie_name]
    target = callback_url(_candidate(request, known) or site.origin, site.origin)
    lines = []
    if csrf.new_value is not None:
        lines.append(set_cookie(site.csrf_cookie_name, csrf.new_value, secure=site.secure))
    if known[:1] != [target]:
        lines.append(set_cookie(site.callback_url_cookie_name, target, secure=site.secure))
    return Visit(request, provider, csrf, target, tuple(lines))


def _provider(site: Site, provider_id: str | None) -> Provider | None:
    found = next((provider for provider in site.providers if provider.id == provider_id), None)
    if provider_id is not None and found is None:
        raise AuthError("no such provider")
    return found


def _candidate(request: AuthRequest, cookie_values: Sequence[str]) -> object:
    """Where the browser wants to go: the body's word, else the query's, else what it wanted before.

    A body ``callbackUrl`` that is there but empty hides the query's, and gives way to the cookie.
    """
    given = request.body.get("callbackUrl")
    if given is None:
        given = request.query.get("callbackUrl")
    return given or (cookie_values[0] if cookie_values else None)
