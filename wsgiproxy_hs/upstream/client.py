"""Short JSON calls that the proxy makes for itself: signing in, asking who may, sending a mail.

They go through the same transport as what is forwarded, so one pool, one set of clocks and one test double serve both.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from requests import PreparedRequest, Response, exceptions
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError
from urllib3.util import Timeout

from wsgiproxy_hs.exceptions import UpstreamAnswerInvalid, UpstreamError
from wsgiproxy_hs.upstream.faults import upstream_fault
from wsgiproxy_hs.upstream.passing import read_within

MAX_REPLY_BYTES: Final = 1_048_576
_PLAIN_JSON: Final = {"Accept": "application/json", "Accept-Encoding": "identity"}


class Reply(NamedTuple):
    """What a call brought back.

    ``document`` is the parsed JSON body, or ``None`` when the body is empty or not JSON; ``headers`` is
    case-insensitive.
    """

    status: int
    document: Any
    headers: Mapping[str, str]


class UpstreamClient:
    """Calls one service.

    :param base_url: ``http://127.0.0.1:8000``, without a slash at its end.
    :param transport: any ``requests`` transport adapter.
    :param timeout: the clocks of each call.
    """

    def __init__(self, base_url: str, /, *, transport: BaseAdapter, timeout: Timeout) -> None:
        self._base_url = base_url
        self._transport = transport
        self._timeout = timeout

    def call(
        self,
        method: str,
        path: str,
        *,
        document: object = None,
        authorization: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send a request and read its whole answer, whatever its status; redirects are not followed.

        :param document: sent as JSON when not ``None``.
        :param authorization: the whole header value.
        :raises UpstreamUnreachable: 502, :raises UpstreamTimeout: 504, :raises UpstreamAnswerInvalid: 502,
        :raises UpstreamBusy: 503.
        """
        request = self._prepare(method, path, document, {**(headers or {}), **_PLAIN_JSON})
        if authorization is not None:
            request.headers["Authorization"] = authorization
        try:
            response = self._transport.send(request, stream=True, timeout=self._timeout)  # type: ignore[arg-type]
            body = _read(response)
        except (exceptions.RequestException, HTTPError, OSError) as error:
            raise upstream_fault(error) from error
        return Reply(response.status_code, _document(body), response.headers)

    def _prepare(self, method: str, path: str, document: object, headers: Mapping[str, str]) -> PreparedRequest:
        request = PreparedRequest()
        request.method = method
        request.url = self._base_url + path
        request.headers = CaseInsensitiveDict(headers)
        if document is not None:
            request.body = json.dumps(document, ensure_ascii=False).encode("utf-8")
            request.headers["Content-Type"] = "application/json"
            request.headers["Content-Length"] = str(len(request.body))
        elif method in ("POST", "PUT", "PATCH"):
            request.headers["Content-Length"] = "0"
        return request


def _read(response: Response) -> bytes:
    """The whole body, bounded; the connection goes back to its pool."""
    try:
        read, is_all = read_within(response.iter_content(65_536), MAX_REPLY_BYTES)
    finally:
        response.close()
    if not is_all:
        raise UpstreamAnswerInvalid
    return b"".join(read)


def _document(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


__all__ = ["MAX_REPLY_BYTES", "Reply", "UpstreamClient", "UpstreamError"]
