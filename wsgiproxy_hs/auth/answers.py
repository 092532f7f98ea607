"""What goes back to the browser, as a value: status, header fields, ``Set-Cookie`` lines, body."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple
from urllib.parse import urlencode

from wsgiproxy_hs.error_document import error_document
from wsgiproxy_hs.exceptions import Header, ProxyError
from wsgiproxy_hs.sessions.javascript_json import dumps

NOT_STORED: Final[tuple[Header, ...]] = (
    ("Cache-Control", "private, no-cache, no-store"),
    ("Expires", "0"),
    ("Pragma", "no-cache"),
)
JSON_TYPE: Final[Header] = ("Content-Type", "application/json")
EMPTY_TYPE: Final[Header] = ("Content-Type", "text/plain")
"""Of redirects, which have no body: the validator of PEP 3333 wants a type wherever a body may be."""
MISCONFIGURED: Final = "There was a problem with the server configuration. Check the server logs for more information."


class Answer(NamedTuple):
    """An answer. ``cookies`` are ``Set-Cookie`` values, each of which becomes a header field of its own (F021)."""

    status: int
    headers: tuple[Header, ...]
    cookies: tuple[str, ...] = ()
    body: bytes = b""

    def header_list(self) -> list[Header]:
        """The header fields for ``start_response``."""
        cookies = [("Set-Cookie", line) for line in self.cookies]
        return [*self.headers, *cookies, ("Content-Length", str(len(self.body)))]


def json_answer(
    document: object, *, status: int = 200, headers: Iterable[Header] = (), cookies: Iterable[str] = ()
) -> Answer:
    """Compact JSON, byte for byte as ``JSON.stringify`` writes it.

    :raises ValueError: when a hook returned something that JSON has no form for.
    """
    return Answer(status, (JSON_TYPE, *headers), tuple(cookies), dumps(document).encode("utf-8"))


def redirect_answer(location: str, *, wants_json: bool, cookies: Iterable[str] = ()) -> Answer:
    """302, or for the browser client, which asks for it, 200 and the URL in the body too."""
    if wants_json:
        return json_answer({"url": location}, headers=[("Location", location)], cookies=cookies)
    return Answer(302, (EMPTY_TYPE, ("Location", location)), tuple(cookies))


def failure_answer(location: str, *, wants_json: bool, retry_after_seconds: int | None = None) -> Answer:
    """The page that tells what went wrong: 302, or 200 with the URL in the body alone. Never a cookie.

    ``Retry-After`` rides on the second form only: on a redirect it would ask the browser to wait with following it
    (RFC 9110, section 10.2.3).
    """
    if not wants_json:
        return Answer(302, (EMPTY_TYPE, ("Location", location)))
    wait = [("Retry-After", str(retry_after_seconds))] if retry_after_seconds is not None else []
    return json_answer({"url": location}, headers=wait)


def bad_request_answer() -> Answer:
    """400 and the words of Auth.js."""
    return json_answer("Bad request.", status=400)


def misconfigured_answer() -> Answer:
    """500 and the words of Auth.js."""
    return json_answer({"message": MISCONFIGURED}, status=500)


def refused_answer(error: ProxyError) -> Answer:
    """A refusal in the shape that errors of this library have, as when a layer had refused it."""
    _, headers, body = error_document(error)
    return Answer(error.status, tuple(header for header in headers if header[0] != "Content-Length"), (), body)


def with_query(url: str, query: Mapping[str, str]) -> str:
    """``url`` with query parameters, encoded as ``URLSearchParams`` does."""
    text = urlencode({name: value.encode("utf-8", "replace") for name, value in query.items()}, safe="*")
    return f"{url}{'&' if '?' in url else '?'}{text.replace('~', '%7E')}"
