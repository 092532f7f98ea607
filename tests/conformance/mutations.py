"""Faults planted into ours, one at a time. A comparison that does not find each of them is worth nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple
from unittest import mock

from wsgiproxy_hs.auth import actions, app, csrf, handler, incoming, site
from wsgiproxy_hs.auth.answers import Answer, json_answer
from wsgiproxy_hs.auth.errors import CredentialsSignin
from wsgiproxy_hs.auth.site import Site, Visit
from wsgiproxy_hs.sessions import CHUNK_SIZE_V4, Sessions, chunks, cookies, set_cookie


class Mutation(NamedTuple):
    """``owner.name`` becomes what ``make`` makes of it."""

    owner: Any
    name: str
    make: Callable[[Any], Any]


def lines(change: Callable[[str], str]) -> Mutation:
    """Every ``Set-Cookie`` line is changed."""
    return Mutation(
        Answer,
        "header_list",
        lambda original: (
            lambda self: [(name, change(value) if name == "Set-Cookie" else value) for name, value in original(self)]
        ),
    )


def ends(change: Callable[[Answer], Answer]) -> Mutation:
    """Every answer of the actions is changed."""
    return Mutation(app, "answer_request", lambda original: lambda *given: change(original(*given)))


def without_location(original: Callable[..., Answer]) -> Callable[..., Answer]:
    def redirect(location: str, *, wants_json: bool, cookies: Sequence[str] = ()) -> Answer:
        if wants_json:
            return json_answer({"url": location}, cookies=cookies)
        return original(location, wants_json=False, cookies=cookies)

    return redirect


def always_set_callback_url(original: Callable[[Site, Any], Visit]) -> Callable[[Site, Any], Visit]:
    def visit_of(own: Site, request: Any) -> Visit:
        visit = original(own, request)
        kept = [line for line in visit.cookies if "callback-url" not in line]
        line = set_cookie(own.callback_url_cookie_name, visit.callback_url, secure=own.secure)
        return visit._replace(cookies=(*kept, line))

    return visit_of


def with_access_token(original: Callable[..., Any]) -> Callable[..., Any]:
    def public_document(own: Site, claims: Mapping[str, object], expires: float) -> dict[str, object]:
        return {**original(own, claims, expires), "accessToken": claims.get("accessToken")}

    return public_document


def only_at_sign_in(original: Callable[..., list[str]]) -> Callable[..., list[str]]:
    def write(self: Sessions, claims: Mapping[str, object], header: str, **more: Any) -> list[str]:
        return [] if "session-token" in header else original(self, claims, header, **more)

    return write


MUTATIONS: Final[dict[str, Mutation]] = {
    "cookies without HttpOnly": lines(lambda line: line.replace("; HttpOnly", "")),
    "cookies without Secure": lines(lambda line: line.replace("; Secure", "")),
    "cookies with SameSite=None": lines(lambda line: line.replace("SameSite=Lax", "SameSite=None")),
    "attributes in another order": lines(lambda line: line.replace("; HttpOnly; S", "; S") + "; HttpOnly"),
    "cookies in reverse order": ends(lambda answer: answer._replace(cookies=answer.cookies[::-1])),
    "no callback-url cookie": lines(lambda line: "x=y; Path=/" if "callback-url" in line else line),
    "the callback-url cookie is always set": Mutation(handler, "visit_of", always_set_callback_url),
    "cookie values are not encoded": Mutation(cookies, "quote", lambda original: lambda value, safe="": value),
    "redirects are 303": ends(lambda answer: answer._replace(status=303) if answer.status == 302 else answer),
    "a refused sign-in is 401": Mutation(
        handler, "failure_answer", lambda original: lambda *given, **more: original(*given, **more)._replace(status=401)
    ),
    "errors set cookies": Mutation(
        handler,
        "failure_answer",
        lambda original: lambda *given, **more: original(*given, **more)._replace(cookies=("a=b; Path=/",)),
    ),
    "the code of an error is left out": Mutation(
        CredentialsSignin, "query", lambda original: lambda self: {"error": self.type}
    ),
    "no Location beside the JSON": Mutation(actions, "redirect_answer", without_location),
    "session without cache headers": Mutation(actions, "NOT_STORED", lambda original: ()),
    "times without milliseconds": Mutation(
        actions, "iso_time", lambda original: lambda seconds: original(seconds)[:-5] + "Z"
    ),
    "a session that seems to last a day longer": Mutation(
        actions, "iso_time", lambda original: lambda seconds: original(seconds + 86_400)
    ),
    "the session shows the access token": Mutation(actions, "public_document", with_access_token),
    "the session is not rolled": Mutation(Sessions, "write", only_at_sign_in),
    "sign-out leaves the cookie": Mutation(Sessions, "clear", lambda original: lambda self, header: []),
    "chunks of the size of v4": Mutation(
        chunks, "split_chunks", lambda original: lambda name, value, *size: original(name, value, CHUNK_SIZE_V4)
    ),
    "CSRF tokens are not compared": Mutation(
        site, "check_csrf", lambda original: lambda *given: original(*given)._replace(is_verified=True)
    ),
    "the CSRF hash covers the first secret alone": Mutation(
        site, "check_csrf", lambda original: lambda values, token, secrets: original(values, token, secrets[:1])
    ),
    "short CSRF tokens": Mutation(csrf, "TOKEN_BYTES", lambda original: 16),
    "callback URLs of another origin": Mutation(
        site,
        "callback_url",
        lambda original: lambda given, origin: given if "evil" in str(given) else original(given, origin),
    ),
    "the first of a repeated field counts": Mutation(
        incoming, "parse_qsl", lambda original: lambda *given, **more: original(*given, **more)[::-1]
    ),
    "bodies of any type are read": Mutation(
        incoming,
        "parse_body",
        lambda original: lambda kind, body: original(kind.lower() or "application/x-www-form-urlencoded", body),
    ),
}


@contextlib.contextmanager
def planted(name: str) -> Iterator[None]:
    """While this lasts, ours has the fault."""
    owner, attribute, make = MUTATIONS[name]
    with mock.patch.object(owner, attribute, make(getattr(owner, attribute))):
        yield
