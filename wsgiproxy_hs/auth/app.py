"""The sign-in handler as a WSGI app: ``auth/[...nextauth]``, in the stack or mounted by itself.

::

    Reads:   REQUEST_METHOD, wsgiproxy_hs.path_params, SCRIPT_NAME, PATH_INFO, QUERY_STRING, CONTENT_TYPE,
             CONTENT_LENGTH, HTTP_TRANSFER_ENCODING, wsgi.input, wsgi.input_terminated, SERVER_SOFTWARE, HTTP_COOKIE,
             HTTP_X_AUTH_RETURN_REDIRECT, HTTP_SEC_FETCH_SITE, HTTP_ORIGIN, wsgiproxy_hs.client_address,
             wsgiproxy_hs.request_id, REMOTE_ADDR, HTTP_X_FORWARDED_FOR, HTTP_FORWARDED, HTTP_VIA, SERVER_PROTOCOL
    Raises:  nothing

It answers as NextAuth.js v5 does (@auth/core 0.41.3, next-auth 5.0.0-beta.32); where it differs on purpose,
``docs/auth.md`` says so and why.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIEnvironment

from requests.adapters import BaseAdapter
from urllib3.util import Timeout

from wsgiproxy_hs.auth.accounts import Accounts
from wsgiproxy_hs.auth.answers import Answer, bad_request_answer, refused_answer
from wsgiproxy_hs.auth.errors import BadRequest
from wsgiproxy_hs.auth.handler import answer_request
from wsgiproxy_hs.auth.hooks import NO_HOOKS, Hooks
from wsgiproxy_hs.auth.incoming import read_request
from wsgiproxy_hs.auth.pages import BUILT_IN_PAGES, Pages
from wsgiproxy_hs.auth.providers import CredentialsProvider, Provider
from wsgiproxy_hs.auth.site import SessionStore, Site
from wsgiproxy_hs.error_document import reason_phrase
from wsgiproxy_hs.exceptions import BodyError, ConfigurationError, UpstreamLoop
from wsgiproxy_hs.sessions import Renewing
from wsgiproxy_hs.settings import Settings
from wsgiproxy_hs.throttling import SignInThrottle
from wsgiproxy_hs.upstream.client import UpstreamClient
from wsgiproxy_hs.upstream.headers import Forwarding

MAX_BODY_BYTES: Final = 65_536
MAX_SIGN_IN_SECONDS: Final = 15.0
"""Longest wait for the upstream's judgement: somebody sits in front of the form."""
MAX_SIGN_OUT_SECONDS: Final = 3.0
"""Longest wait for a revocation, which nobody looks forward to."""
_ORIGIN: Final = re.compile(r"https?://[^/?#@\s\\]+")
_BASE_PATH: Final = re.compile(r"(/[A-Za-z0-9._~-]+)*")
_PROVIDER_ID: Final = re.compile(r"[A-Za-z0-9._~-]+")


class AuthApp:
    """Serves the actions of Auth.js. Safe to share between threads and processes; opens nothing.

    :param public_url: where browsers find the site; its origin counts, and its scheme decides cookie names and
        ``Secure``. :param base_path: what precedes the actions in the browser's URLs, such as ``/api/auth``.
    :param secrets: of the CSRF tokens; the same list as the sessions'.
    :param sessions: reads and writes the session cookies, :class:`wsgiproxy_hs.sessions.Sessions`.
    :param providers: ways to sign in, in the order of the page; when empty, a form judged by ``hooks.authorize``.
    :param max_body_bytes: larger bodies are 413.
    :param session_max_age_seconds: from each use of a session to its end.
    :param clock: seconds since the epoch.
    :param refresh_token_claim: the claim whose end is the session's at the latest.
    :param renewal: renews the tokens of a session that is read; without it they stay as they are.
    :param throttle: counts attempts to sign in, by address and by account.
    :param forwarding: what the upstream is told about the client and about us.
    :raises ConfigurationError: naming every fault.
    """

    def __init__(
        self,
        *,
        public_url: str,
        base_path: str,
        secrets: Sequence[str],
        sessions: SessionStore,
        providers: Sequence[Provider] = (),
        pages: Pages = BUILT_IN_PAGES,
        hooks: Hooks = NO_HOOKS,
        max_body_bytes: int = MAX_BODY_BYTES,
        session_max_age_seconds: int = 2_592_000,
        clock: Callable[[], float] = time.time,
        refresh_token_claim: str = "refreshToken",  # noqa: S107 - the name of a claim
        renewal: Renewing | None = None,
        throttle: SignInThrottle | None = None,
        forwarding: Forwarding | None = None,
    ) -> None:
        if not providers and hooks.authorize is not None:
            providers = [CredentialsProvider(hooks.authorize)]
        self._forwarding = forwarding or Forwarding()
        parts = urlsplit(public_url)
        self._site = Site(
            origin=f"{parts.scheme}://{parts.netloc}",
            base_path=base_path,
            secrets=tuple(secrets),
            sessions=sessions,
            providers=tuple(providers),
            pages=pages,
            hooks=hooks,
            max_body_bytes=max_body_bytes,
            session_max_age_seconds=session_max_age_seconds,
            clock=clock,
            refresh_token_claim=refresh_token_claim,
            renewal=renewal,
            throttle=throttle,
        )
        if faults := site_faults(self._site):
            raise ConfigurationError(faults)

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        *,
        transport: BaseAdapter,
        sessions: SessionStore,
        renewal: Renewing | None = None,
        throttle: SignInThrottle | None = None,
        hooks: Hooks = NO_HOOKS,
        **_: object,
    ) -> AuthApp:
        """The handler that signs in at the upstream of ``settings``.

        :param hooks: your own; ``authorize`` and ``sign_out`` are filled in where they are not given.
        """
        accounts = accounts_of(settings, transport)
        return cls(
            public_url=settings.public_origin,
            base_path=settings.auth_path,
            secrets=settings.secret_texts,
            sessions=sessions,
            pages=Pages(
                settings.page_sign_in, settings.page_sign_out, settings.page_error, settings.page_verify_request
            ),
            hooks=replace(
                hooks,
                authorize=hooks.authorize or accounts.authorize,
                sign_out=hooks.sign_out or accounts.revoke,
            ),
            session_max_age_seconds=settings.session_max_age_seconds,
            refresh_token_claim=settings.refresh_token_claim,
            renewal=renewal,
            throttle=throttle,
            forwarding=Forwarding(**settings.forwarding),
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answer = self._answer(environ)
        start_response(reason_phrase(answer.status), answer.header_list())
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]

    def _answer(self, environ: WSGIEnvironment) -> Answer:
        site = self._site
        try:
            request = read_request(
                environ,
                base_path=site.base_path,
                origin=site.origin,
                max_body_bytes=site.max_body_bytes,
                forwarding=self._forwarding,
            )
        except BadRequest:
            return bad_request_answer()
        except (BodyError, UpstreamLoop) as error:
            return refused_answer(error)
        return answer_request(site, request)


def site_faults(site: Site) -> list[str]:
    """Everything that is wrong with a configuration, one sentence a fault."""
    faults = []
    if not _ORIGIN.fullmatch(site.origin):
        faults.append("public_url: not an http:// or https:// URL with a host and without a user")
    if not _BASE_PATH.fullmatch(site.base_path):
        faults.append("base_path: write it as /api/auth, without a slash at its end")
    if not site.secrets or not all(site.secrets):
        faults.append("secrets: at least one, and none of them empty")
    if not site.providers:
        faults.append("providers: at least one way to sign in, or the hook authorize")
    identifiers = [provider.id for provider in site.providers]
    if len(set(identifiers)) < len(identifiers):
        faults.append("providers: every id only once")
    faults += [f"providers: the id {given!r} does not fit into a URL" for given in identifiers if not _is_id(given)]
    return faults


def _is_id(provider_id: str) -> bool:
    return _PROVIDER_ID.fullmatch(provider_id) is not None and provider_id not in (".", "..", "undefined")


def accounts_of(settings: Settings, transport: BaseAdapter) -> Accounts:
    """The accounts at the upstream, with clocks that suit somebody who waits at a form."""

    def client(longest_seconds: float) -> UpstreamClient:
        connect = min(settings.connect_timeout_seconds, longest_seconds)
        read = min(settings.first_byte_timeout_seconds, longest_seconds)
        timeout = Timeout(connect=connect, read=read)
        return UpstreamClient(settings.backend_url, transport=transport, timeout=timeout)

    return Accounts(
        client(MAX_SIGN_IN_SECONDS),
        revoking_client=client(MAX_SIGN_OUT_SECONDS),
        scheme=settings.authorization_scheme,
        access_token_claim=settings.access_token_claim,
        refresh_token_claim=settings.refresh_token_claim,
        sign_out_path=settings.sign_out_path,
    )
