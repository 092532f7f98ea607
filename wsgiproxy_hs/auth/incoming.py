"""From the environ to a request that can be judged: action, provider, query, body. Nothing is decided here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, NoReturn
from urllib.parse import parse_qsl
from wsgiref.types import WSGIEnvironment

from wsgiproxy_hs.auth.errors import BadRequest
from wsgiproxy_hs.auth.providers import UNKNOWN_CLIENT, Client
from wsgiproxy_hs.environ import CLIENT_ADDRESS, PATH_PARAMS
from wsgiproxy_hs.exceptions import BodyTooLarge
from wsgiproxy_hs.routes.framing import content_length
from wsgiproxy_hs.upstream.headers import Forwarding, forwarding_headers

ACTIONS: Final = frozenset(
    {
        "providers",
        "session",
        "csrf",
        "signin",
        "signout",
        "callback",
        "verify-request",
        "error",
        "webauthn-options",
    }
)
PROVIDER_ACTIONS: Final = frozenset({"signin", "callback", "webauthn-options"})
"""Actions behind which a provider may be named."""
_CHUNK_BYTES: Final = 65_536


class AuthRequest(NamedTuple):
    """A request as the decisions need it.

    ``query`` and ``body`` hold the last value of a repeated name, ``first_error`` the first ``error`` of the query, as
    Auth.js reads them. ``is_ours`` is ``False`` when the browser says that another site made this request.
    ``client_address`` is there only when it is surely the client's.
    """

    method: str
    action: str
    provider_id: str | None
    query: Mapping[str, str]
    query_string: str
    first_error: str | None
    body: Mapping[str, object]
    cookie_header: str
    wants_json: bool
    is_ours: bool
    client_address: str | None = None
    client: Client = UNKNOWN_CLIENT


def read_request(
    environ: WSGIEnvironment, *, base_path: str, origin: str, max_body_bytes: int, forwarding: Forwarding
) -> AuthRequest:
    """The request of an environ.

    :raises BadRequest: for what Auth.js answers with 400: another method, another path, JSON that is none.
    :raises BodyError: 400, 411, 413: where its body ends cannot be told, or that is too far.
    :raises UpstreamLoop: 508.
    """
    method = environ["REQUEST_METHOD"]
    if method not in ("GET", "POST"):
        raise BadRequest(f"method {method!r}")
    action, provider_id = split_action(action_path(environ, base_path))
    pairs = parse_query(environ.get("QUERY_STRING", ""))
    body = read_body(environ, max_body_bytes) if method == "POST" else b""
    return AuthRequest(
        method=method,
        action=action,
        provider_id=provider_id,
        query=dict(pairs),
        query_string=environ.get("QUERY_STRING", ""),
        first_error=next((value for name, value in pairs if name == "error"), None),
        body=parse_body(environ.get("CONTENT_TYPE") or "", body) if method == "POST" else {},
        cookie_header=environ.get("HTTP_COOKIE", ""),
        wants_json="HTTP_X_AUTH_RETURN_REDIRECT" in environ,
        is_ours=is_ours(environ.get("HTTP_SEC_FETCH_SITE"), environ.get("HTTP_ORIGIN"), origin),
        client_address=environ.get(CLIENT_ADDRESS),
        client=read_client(environ, forwarding) if method == "POST" else UNKNOWN_CLIENT,
    )


def read_client(environ: WSGIEnvironment, forwarding: Forwarding) -> Client:
    """Who asks, and what the upstream is told of it, as in requests that are forwarded."""
    headers = forwarding_headers(environ, forwarding)
    return Client(headers.get("X-Forwarded-For"), headers.get("X-Request-ID"), headers)


def action_path(environ: WSGIEnvironment, base_path: str) -> str:
    """What follows the base path: ``callback/credentials``, slashes as they came.

    The route table's match decides. Mounted alone: what follows the base path in ``SCRIPT_NAME`` and ``PATH_INFO``
    together, else ``PATH_INFO``, for a host that has cut the base path off itself.
    """
    matched: Mapping[str, str] = environ.get(PATH_PARAMS) or {}
    if "action" in matched:
        return matched["action"]
    path_info: str = environ.get("PATH_INFO", "")
    path: str = environ.get("SCRIPT_NAME", "") + path_info
    return path[len(base_path) :] if path == base_path or path.startswith(base_path + "/") else path_info


def split_action(path: str) -> tuple[str, str | None]:
    """``"/callback/credentials"`` -> ``("callback", "credentials")``.

    Empty segments mean nothing; the provider id ``undefined``, which careless scripts send, is none.

    :raises BadRequest: when this names no action.
    """
    segments = [segment for segment in path.split("/") if segment]
    if not 1 <= len(segments) <= 2 or segments[0] not in ACTIONS:
        raise BadRequest("no such action")
    provider_id = segments[1] if len(segments) == 2 else None
    if provider_id is not None and segments[0] not in PROVIDER_ACTIONS:
        raise BadRequest("this action takes no provider")
    return segments[0], None if provider_id == "undefined" else provider_id


def is_ours(fetch_site: str | None, request_origin: str | None, origin: str) -> bool:
    """Whether nothing says that another site made the request (login CSRF, F146).

    ``Sec-Fetch-Site`` decides where the browser sends it: it knows which address it really used. Else ``Origin``. A
    client that sends neither is judged by the CSRF token alone, as with Auth.js.
    """
    if fetch_site is not None:
        return fetch_site in ("same-origin", "none")
    return request_origin is None or request_origin == origin


def parse_query(query_string: str) -> list[tuple[str, str]]:
    """Name and value of each parameter, in order, as a browser's ``URLSearchParams`` reads them."""
    text = query_string.encode("latin-1", "replace").decode("utf-8", "replace")
    return parse_qsl(text, keep_blank_values=True)


def parse_body(content_type: str, body: bytes) -> Mapping[str, object]:
    """The members of a POST body; none unless the type says JSON or form fields, in lower case as Auth.js wants it.

    JSON that is no object has no members.

    :raises BadRequest: for JSON that is empty, broken, or deeper than the parser goes.
    """
    text = body.decode("utf-8", "replace").removeprefix("\ufeff")
    if "application/json" in content_type:
        document = parse_json(text)
        return document if isinstance(document, dict) else {}
    if "application/x-www-form-urlencoded" in content_type:
        return dict(parse_qsl(text, keep_blank_values=True))
    return {}


def parse_json(text: str) -> Any:
    """:raises BadRequest: for what a browser's ``JSON.parse`` refuses, ``NaN`` included."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise BadRequest("the body is not JSON") from error


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def read_body(environ: WSGIEnvironment, max_bytes: int) -> bytes:
    """The whole body.

    :raises BodyTooLarge: at once when announced, else as soon as it shows. :raises BadRequest: when it ends early.
    :raises ContentLengthInvalid, LengthRequired: when nobody can tell where it ends.
    """
    length = content_length(environ)
    limit = max_bytes + 1 if length is None else length
    if length is not None and length > max_bytes:
        raise BodyTooLarge(max_bytes)
    chunks, size = [], 0
    while size < limit:
        chunk = environ["wsgi.input"].read(min(_CHUNK_BYTES, limit - size))
        if not chunk:
            break
        chunks.append(chunk)
        size += len(chunk)
    if size > max_bytes:
        raise BodyTooLarge(max_bytes)
    if length is not None and size < length:
        raise BadRequest("the body ended before its announced length")
    return b"".join(chunks)
