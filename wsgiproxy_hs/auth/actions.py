"""What each action does: from a visit to an answer. The order of ``Set-Cookie`` lines is part of the contract."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from wsgiproxy_hs.auth import pages
from wsgiproxy_hs.auth.answers import NOT_STORED, Answer, json_answer, redirect_answer, with_query
from wsgiproxy_hs.auth.callback_urls import callback_url
from wsgiproxy_hs.auth.errors import THROTTLED, AccessDenied, AuthError, CredentialsSignin
from wsgiproxy_hs.auth.providers import Client, Provider, User, tell
from wsgiproxy_hs.auth.site import Site, Visit
from wsgiproxy_hs.sessions import Session, current_claims, newest_claims

log = logging.getLogger(__name__)

Action = Callable[[Site, Visit], Answer]
Claims = Mapping[str, object]


def show_csrf(_site: Site, visit: Visit) -> Answer:
    return json_answer({"csrfToken": visit.csrf.token}, headers=NOT_STORED, cookies=visit.cookies)


def show_providers(site: Site, _visit: Visit) -> Answer:
    """The same for everybody, and so without cookies."""
    document = {
        provider.id: {
            "id": provider.id,
            "name": provider.name,
            "type": provider.type,
            "signinUrl": f"{site.auth_url}/signin/{provider.id}",
            "callbackUrl": f"{site.auth_url}/callback/{provider.id}",
        }
        for provider in site.providers
    }
    return json_answer(document)


def show_session(site: Site, visit: Visit) -> Answer:
    """``null``, or the session, renewed when due; its cookie is issued anew.

    With ``?peek=1``, for pages that ask again and again, nothing is renewed, issued or prolonged.
    """
    session = site.sessions.read(visit.request.cookie_header)
    if session is None:
        return _no_session(site, visit, NOT_STORED)
    if visit.request.query.get("peek") == "1":
        expires = session.expires or site.end(session.claims)
        return json_answer(public_document(site, session.claims, expires), headers=NOT_STORED)
    claims = current_claims(site.sessions, session, site.renewal)
    return _no_session(site, visit, NOT_STORED) if claims is None else _rolled(site, visit, claims, NOT_STORED)


def update_session(site: Site, visit: Visit) -> Answer:
    """As :func:`show_session`, after the ``update`` hook had its say about the body's ``data``."""
    session = site.sessions.read(visit.request.cookie_header)
    if session is None:
        return _no_session(site, visit, ())
    current = current_claims(site.sessions, session, site.renewal)
    if current is None:
        return _no_session(site, visit, ())
    claims = _updated(site, Session(current), visit.request.body.get("data"))
    return _no_session(site, visit, ()) if claims is None else _rolled(site, visit, claims, ())


def _updated(site: Site, session: Session, data: object) -> Claims | None:
    """The claims to go on with. The hook neither sees nor loses the tokens."""
    if site.hooks.update is None:
        return session.claims
    hidden = site.sessions.hidden_claims
    changed = site.hooks.update(session.public(hidden), data)
    if changed is None:
        return None
    return {**changed, **{name: value for name, value in session.claims.items() if name in hidden}}


def _no_session(site: Site, visit: Visit, headers: tuple[tuple[str, str], ...]) -> Answer:
    """``null``; session cookies that are there are of no use, and are removed (F026)."""
    cleared = site.sessions.clear(visit.request.cookie_header)
    return json_answer(None, headers=headers, cookies=[*visit.cookies, *cleared])


def _rolled(site: Site, visit: Visit, claims: Claims, headers: tuple[tuple[str, str], ...]) -> Answer:
    expires = site.end(claims)
    cookies = site.sessions.write(claims, visit.request.cookie_header, expires=expires)
    document = public_document(site, claims, expires)
    return json_answer(document, headers=headers, cookies=[*visit.cookies, *cookies])


def public_document(site: Site, claims: Claims, expires: float) -> dict[str, object] | None:
    """What the browser sees: the session hook's members, with ``expires`` behind ``user``."""
    shown = site.hooks.session(Session(claims).public(site.sessions.hidden_claims))
    if shown is None:
        return None
    members = dict(shown)
    user = {"user": members.pop("user")} if "user" in members else {}
    return {**user, "expires": iso_time(expires), **members}


def iso_time(seconds: float) -> str:
    """``2100-01-01T00:00:00.000Z``, as JavaScript's ``toISOString`` writes seconds since the epoch."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{int(seconds * 1000) % 1000:03d}Z"


def provider_of(visit: Visit) -> Provider:
    """The provider that the path names; :raises AuthError: when it names none."""
    if visit.provider is None:
        raise AuthError("no provider is named")
    return visit.provider


def sign_in(site: Site, visit: Visit) -> Answer:
    """Judge the credentials, ask the host, and begin a new session (F039); the former one is revoked.

    :raises AuthError: when there is to be no session; what the upstream issued is revoked then.
    """
    provider = provider_of(visit)
    user = _admitted(site, visit, provider)
    client = visit.request.client
    elsewhere = _judged(site, user, client)
    if elsewhere is not None:
        return _redirect(visit, callback_url(elsewhere, site.origin))
    header = visit.request.cookie_header
    former = site.sessions.read(header)
    claims = user.session_claims()
    cookies = site.sessions.write(claims, header, expires=site.end(claims))
    if former is not None:
        revoke(site, newest_claims(site.sessions, former, site.renewal), client)
    site.notify("sign_in", provider=provider.id, sub=user.id)
    return _redirect(visit, visit.callback_url, cookies)


def _admitted(site: Site, visit: Visit, provider: Provider) -> User:
    """Who the credentials are of; :raises CredentialsSignin: code ``throttled`` when there were too many attempts."""
    credentials, client = visit.request.body, visit.request.client
    if site.throttle is None:
        return _asked(provider, credentials, client)
    account = next((credentials.get(field.name) for field in provider.fields), None)
    wait_seconds = site.throttle.wait_seconds(visit.request.client_address, account)
    if wait_seconds is not None:
        raise CredentialsSignin(THROTTLED, retry_after_seconds=wait_seconds)
    user = _asked(provider, credentials, client)
    site.throttle.succeeded(account)
    return user


def _asked(provider: Provider, credentials: Mapping[str, object], client: Client) -> User:
    user: User = tell(provider.sign_in, credentials, client)
    return user


def _judged(site: Site, user: User, client: Client) -> str | None:
    """``None`` when the user may come in, else where to go instead; :raises AccessDenied: else.

    Tokens of a user who does not come in are revoked.
    """
    try:
        verdict = site.hooks.sign_in(user) if site.hooks.sign_in is not None else True
    except AuthError:
        revoke(site, user.tokens, client)
        raise
    except Exception as error:
        log.exception("The sign_in hook failed")
        revoke(site, user.tokens, client)
        raise AccessDenied from error
    if verdict is True:
        return None
    revoke(site, user.tokens, client)
    if isinstance(verdict, str) and verdict:
        return verdict
    raise AccessDenied


def sign_out(site: Site, visit: Visit) -> Answer:
    """Remove every session cookie the request carried, readable or not, and revoke what it held (F038)."""
    header = visit.request.cookie_header
    session = site.sessions.read(header)
    if session is not None:
        revoke(site, newest_claims(site.sessions, session, site.renewal), visit.request.client)
        site.notify("sign_out", sub=session.claims.get("sub"))
    return _redirect(visit, visit.callback_url, site.sessions.clear(header))


def revoke(site: Site, claims: Claims, client: Client) -> None:
    """Tell the host or the upstream that these tokens are over. Never stands in the way."""
    if site.hooks.sign_out is None:
        return
    try:
        tell(site.hooks.sign_out, dict(claims), client)
    except Exception:
        log.exception("The sign_out hook failed")


def start_sign_in(site: Site, visit: Visit) -> Answer:
    """``POST signin``: credentials are typed into the sign-in page, so go there."""
    return _redirect(visit, f"{site.auth_url}/signin")


def _redirect(visit: Visit, location: str, cookies: list[str] | None = None) -> Answer:
    lines = [*visit.cookies, *(cookies or [])]
    return redirect_answer(location, wants_json=visit.request.wants_json, cookies=lines)


def show_sign_in(site: Site, visit: Visit) -> Answer:
    request, error = visit.request, visit.request.first_error
    if visit.provider is not None:
        raise AuthError("a provider is asked with POST")
    if site.pages.sign_in is not None:
        query = {"callbackUrl": visit.callback_url, **({"error": error} if error else {})}
        return _redirect(visit, with_query(site.pages.sign_in, query))
    content = pages.sign_in_content(
        site.providers,
        auth_url=site.auth_url,
        csrf_token=visit.csrf.token,
        message=pages.sign_in_message(request.query, error),
    )
    return _page(site, visit, "Sign in", content)


def show_sign_out(site: Site, visit: Visit) -> Answer:
    if site.pages.sign_out is not None:
        return _redirect(visit, site.pages.sign_out)
    content = pages.sign_out_content(auth_url=site.auth_url, csrf_token=visit.csrf.token)
    return _page(site, visit, "Sign out", content)


def show_error(site: Site, visit: Visit) -> Answer:
    error = visit.request.first_error
    if site.pages.error is not None:
        return _redirect(visit, with_query(site.pages.error, {"error": "undefined" if error is None else error}))
    status, heading, text = pages.ERRORS.get(error or "", (200, "Error", ""))
    sign_in_url = f"{site.auth_url}/signin" if status == 403 else None
    content = pages.error_content(text, origin=site.origin, sign_in_url=sign_in_url)
    return _page(site, visit, heading, content, status)


def show_verify_request(site: Site, visit: Visit) -> Answer:
    if site.pages.verify_request is not None:
        query = "".join(c for c in visit.request.query_string if "!" <= c <= "~")
        return _redirect(visit, site.pages.verify_request + (f"?{query}" if query else ""))
    return _page(site, visit, "Check your email", pages.verify_request_content(origin=site.origin))


def _page(site: Site, visit: Visit, title: str, content: str, status: int = 200) -> Answer:
    theme = site.pages.theme
    return pages.page_answer(title, content, origin=site.origin, theme=theme, status=status, cookies=visit.cookies)


GET_ACTIONS: Final[Mapping[str, Action]] = {
    "csrf": show_csrf,
    "providers": show_providers,
    "session": show_session,
    "signin": show_sign_in,
    "signout": show_sign_out,
    "error": show_error,
    "verify-request": show_verify_request,
}
POST_ACTIONS: Final[Mapping[str, Action]] = {
    "session": update_session,
    "signin": start_sign_in,
    "callback": sign_in,
    "signout": sign_out,
}
"""Each of these asks for the CSRF token first."""
