"""From a request to its answer: which action, whether its CSRF token is good, and how a failure ends."""

from __future__ import annotations

import logging

from wsgiproxy_hs.auth.actions import GET_ACTIONS, POST_ACTIONS, provider_of
from wsgiproxy_hs.auth.answers import (
    Answer,
    failure_answer,
    json_answer,
    misconfigured_answer,
    refused_answer,
    with_query,
)
from wsgiproxy_hs.auth.errors import AuthError, CredentialsSignin, MissingCSRF
from wsgiproxy_hs.auth.incoming import AuthRequest
from wsgiproxy_hs.auth.site import Site, Visit, visit_of
from wsgiproxy_hs.exceptions import RenewalUnavailable

log = logging.getLogger(__name__)


def answer_request(site: Site, request: AuthRequest) -> Answer:
    """The answer, whatever happens: a failure of ours, or of a hook, is logged and ends as ``Configuration``."""
    try:
        return _act(site, visit_of(site, request))
    except AuthError as error:
        log.debug("%s %s ended as %s: %s", request.method, request.action, error.type, error)
        return _ended(site, request, error)
    except RenewalUnavailable as error:
        log.warning("%s %s: sessions cannot be read just now", request.method, request.action)
        return refused_answer(error)
    except Exception:
        log.exception("%s %s failed", request.method, request.action)
        if request.method == "GET" and request.action == "session":
            return misconfigured_answer()
        return _ended(site, request, AuthError())


def _act(site: Site, visit: Visit) -> Answer:
    """:raises AuthError: also when the action is not served with this method."""
    request = visit.request
    table = GET_ACTIONS if request.method == "GET" else POST_ACTIONS
    action = table.get(request.action)
    if action is None:
        raise AuthError("not served with this method")
    if request.action == "callback":
        provider_of(visit)
    if request.method == "POST" and not (visit.csrf.is_verified and request.is_ours):
        raise MissingCSRF
    return action(site, visit)


def _ended(site: Site, request: AuthRequest, error: AuthError) -> Answer:
    """Where an error leads. Never a cookie; never a status that says more than the original does."""
    if isinstance(error, CredentialsSignin):
        site.notify("sign_in_refused", provider=request.provider_id, code=error.code)
    else:
        site.notify("request_refused", method=request.method, action=request.action, error=error.type)
    if request.method == "POST" and request.action == "session":
        return json_answer(None, status=400)
    wait = error.retry_after_seconds if isinstance(error, CredentialsSignin) else None
    location = with_query(site.page_url(error.page), error.query())
    return failure_answer(location, wants_json=request.wants_json, retry_after_seconds=wait)
