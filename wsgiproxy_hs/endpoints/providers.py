"""Services of others that an endpoint asks: one call, its answer judged, and our own answer written.

What a service says in its own words goes nowhere: the browser gets sentences of ours, the log gets the service's
status and its error codes. Some services repeat a part of a refused key in their message (F151).
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from pydantic import SecretStr
from requests.adapters import BaseAdapter

from wsgiproxy_hs.error_document import reason_phrase
from wsgiproxy_hs.exceptions import (
    Header,
    ProviderFailed,
    ProxyError,
    UpstreamAnswerInvalid,
    UpstreamBusy,
    UpstreamUnreachable,
)
from wsgiproxy_hs.safe_headers import SAFE_HEADERS
from wsgiproxy_hs.settings import Settings
from wsgiproxy_hs.upstream.client import Reply, UpstreamClient
from wsgiproxy_hs.upstream.clocks import Clocks

RETRY_AFTER_SECONDS: Final = 30
"""What we tell the browser when a busy service names no number of seconds."""
MAX_RETRY_AFTER_SECONDS: Final = 3600
VISIBLE: Final = re.compile(r"[\x21-\x7e]+")
_CODE: Final = re.compile(r"[a-z][a-z_.]{0,63}")
_KEY_REFUSED: Final = frozenset({401, 403})
_BUSY: Final = frozenset({429, 503})
_DECLINED: Final = frozenset({400, 413, 422})
_log = logging.getLogger("wsgiproxy_hs")


class OperatorNote(Exception):
    """What whoever runs this server should know: the cause of the error that the browser sees. Holds no key."""


class Words(NamedTuple):
    """How errors name a service: to anybody, and to whoever runs this server.

    :param noun: ``translation service``, for the browser.
    :param settings: the variables to look at when the service refuses the key.
    :param declined: the sentence for the browser when the service does not take what was sent.
    """

    noun: str
    settings: str
    declined: str


class Provider:
    """One service. Its key leaves this object only in the ``Authorization`` header.

    :param base_url: without a slash at its end.
    :param key: ``None`` for a service that wants none.
    """

    def __init__(
        self, base_url: str, /, *, transport: BaseAdapter, clocks: Clocks, key: SecretStr | None, words: Words
    ) -> None:
        self._client = UpstreamClient(base_url, transport=transport, timeout=clocks)
        self._key = key
        self._words = words

    def post(self, path: str, document: object) -> Reply:
        """Send a document; the answer's status is below 300.

        :raises ProviderFailed: 502, :raises UpstreamBusy: 503, :raises UpstreamTimeout: 504.
        """
        authorization = f"Bearer {self._key.get_secret_value()}" if self._key else None
        try:
            reply = self._client.call("POST", path, document=document, authorization=authorization)
        except (UpstreamUnreachable, UpstreamAnswerInvalid) as error:
            raise ProviderFailed(f"The {self._words.noun} cannot be reached") from (error.__cause__ or error)
        if not 200 <= reply.status < 300:
            raise provider_error(reply, self._words)
        return reply


def provider_error(reply: Reply, words: Words) -> ProxyError:
    """The error for an answer that is not a success; its cause is for the log.

    A refused key is our own misconfiguration and no refusal of the visitor: 502, and an error in the log.
    """
    codes = ", ".join(error_codes(reply.document)) or "no error code"
    story = OperatorNote(f"the {words.noun} answered {reply.status} ({codes})")
    error: ProxyError
    if reply.status in _BUSY:
        error = busy(words.noun, retry_after_seconds(reply.headers))
    elif reply.status in _DECLINED:
        error = ProviderFailed(words.declined)
    else:
        error = ProviderFailed(f"The {words.noun} did not answer as it should")
    if reply.status in _KEY_REFUSED:
        _log.error("%s: check %s", story, words.settings)
    error.__cause__ = story
    return error


def busy(noun: str, seconds: int = RETRY_AFTER_SECONDS) -> UpstreamBusy:
    """503 with ``Retry-After``."""
    return UpstreamBusy(f"The {noun} is busy; try again later", retry_after_seconds=seconds)


def retry_after_seconds(headers: Mapping[str, str]) -> int:
    """``Retry-After`` where it is a sane number of seconds, else a default (RFC 9110, section 10.2.3)."""
    text = headers.get("Retry-After", "").strip()
    if not (text.isascii() and text.isdecimal()) or len(text) > 9:
        return RETRY_AFTER_SECONDS
    return min(max(int(text), 1), MAX_RETRY_AFTER_SECONDS)


def error_codes(document: Any) -> Iterator[str]:
    """The codes in a service's error: ``invalid_api_key`` of OpenAI, the refused ``reply_to.email`` of SendGrid.

    Only what has the form of a code; sentences, and whatever could be a key, are left out.
    """
    errors = (document.get("error"), *_list(document.get("errors"))) if isinstance(document, dict) else ()
    for error in errors:
        if isinstance(error, dict):
            for name in ("type", "code", "param", "field"):
                value = error.get(name)
                if isinstance(value, str) and _CODE.fullmatch(value):
                    yield value


def given(secret: SecretStr | None) -> SecretStr | None:
    """The secret, or ``None`` when it is empty."""
    return secret if secret is not None and secret.get_secret_value() else None


def key_faults(key: SecretStr | None, variable: str) -> list[str]:
    """What forbids a key in a header; a library that stumbles over it later might repeat it in its error."""
    if key is None or VISIBLE.fullmatch(key.get_secret_value()):
        return []
    return [f"{variable} is wrong: a key consists of visible ASCII characters, without blanks"]


def clocks_of(settings: Settings, *, at_least_seconds: float = 0.0) -> Clocks:
    """The clocks of a call: those of forwarded requests.

    :param at_least_seconds: how long the first byte of an answer may always take.
    """
    longer = {name: max(settings.clocks[name], at_least_seconds) for name in ("first_byte", "total")}
    return Clocks(**settings.clocks | longer)


def json_answer(document: object) -> tuple[str, list[Header], bytes]:
    """A success of our own: ``(status, headers, body)``, ready for ``start_response``."""
    body = json.dumps(document).encode("ascii")
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        *SAFE_HEADERS,
    ]
    return reason_phrase(200), headers, body


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
