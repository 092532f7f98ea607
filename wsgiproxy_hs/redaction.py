"""The second line against secrets in logs and error reports (F151).

The first line is types: tokens, sessions and secrets are values that do not print. This is for what comes along all the
same: a header in an exception of some library, a query string in a message, the environ in a crash report.

- ``RedactingFilter`` masks and keeps to one line what a logger or handler gets. The loggers of this package have it;
  give it to your own handlers with ``handler.addFilter(RedactingFilter())``.
- ``scrub(environ)`` is a copy of a WSGI environ that may be shown.
- ``scrub_event`` is for ``sentry_sdk.init(before_send=...)``, and for whatever else reports nested values.

A WSGI environ itself holds the cookie as the server put it there: its values must be plain ``str`` (PEP 3333), so they
cannot hide themselves, and applications behind need them.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any, Final

HIDDEN: Final = "[hidden]"
PACKAGE: Final = "wsgiproxy_hs"
_MAX_DEPTH: Final = 20

_SECRET_NAMES: Final = (
    r"pass(?:word|wd|phrase)|re_?password|(?:new|current|old)_?password|secrets?|client_?secret|credentials?|api_?key"
    r"|(?:access|refresh|id|csrf|session|auth|reset|csrf_?middleware)_?token|tokens?|signature|authorization|cookies?"
)
_QUERY_NAMES: Final = rf"{_SECRET_NAMES}|code|state|sig|key|uid|access|refresh|x-amz-[a-z-]+|awsaccesskeyid|policy"
_NOT_YET: Final = r"(?!b?['\"]?\[hidden\])"  # what one pattern has hidden, the next one leaves
_QUOTED: Final = r"b?'(?:[^'\\]|\\.)*'|b?\"(?:[^\"\\]|\\.)*\""
_PATTERNS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        # header lines, and headers in a repr: {'Cookie': 'a=b; c=d'}, ('Authorization', 'JWT x'), Cookie: a=b
        (
            r"\b((?:HTTP_)?(?:set[-_])?cookie2?|(?:HTTP_)?(?:proxy[-_])?authorization)(['\"]?+\s*+[:=,]\s*+)"
            rf"{_NOT_YET}(?:{_QUOTED}|[^\r\n'\"]+)",
            rf"\1\2{HIDDEN}",
        ),
        # JWT and JWE, and what itsdangerous signs
        (r"(?<![A-Za-z0-9_-])(?:ey|\.eJ)[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){2,4}", HIDDEN),
        (r"\b(JWT|Bearer|Basic)(\s+)[A-Za-z0-9._~+/=-]{16,}", rf"\1\2{HIDDEN}"),
        # cookies by name, wherever they stand
        (
            r"((?:__Host-|__Secure-)?(?:authjs|next-auth)\.[a-z-]+(?:\.\d+)?|\b(?:sessionid|csrftoken))="
            rf"{_NOT_YET}[^;\s'\"&]+",
            rf"\1={HIDDEN}",
        ),
        # ?token=...&code=...
        (rf"([?&;](?:{_QUERY_NAMES})=){_NOT_YET}[^&;#\s'\"<>]+", rf"\1{HIDDEN}"),
        # "password": "...", password='...', accessToken=...
        (
            rf"(?<![.\w-])([\w-]*?(?:{_SECRET_NAMES}))(['\"]?+\s*+[:=]\s*+){_NOT_YET}(?:{_QUOTED}|[^\s'\",;&}}\])]+)",
            rf"\1\2{HIDDEN}",
        ),
        # keys of services, and passwords in URLs
        (r"\b(?:sk|rk|pk|whsec)[-_][A-Za-z0-9_-]{12,}|\bSG\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}", HIDDEN),
        (rf"(://[^/\s:@]*:){_NOT_YET}[^/\s@]+@", rf"\1{HIDDEN}@"),
    )
)
_SECRET_KEY: Final = re.compile(
    r"pass_?(?:word|wd|phrase)|secret|token|cookie|authorization|credential|api_?key|signature|claims|json_body", re.I
)
_HIDDEN_ENVIRON_KEYS: Final = frozenset({"wsgiproxy_hs.session", "wsgiproxy_hs.json_body", "werkzeug.request"})
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")


def redact(text: str) -> str:
    """The text without what looks like a token, a cookie, a password or a key."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def one_line(text: str) -> str:
    """The text with its control characters written as escapes: nobody writes a line of somebody else's (F152)."""
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


class RedactingFilter(logging.Filter):
    """Masks secrets in the message and in the traceback of a record, and keeps the message to one line.

    It lets every record pass. On a logger it sees what is logged there; on a handler, whatever comes.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except Exception:
            return True  # a wrong format string, which the handler reports
        record.msg, record.args = one_line(redact(message)), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        return True


def install() -> None:
    """Give the filter to every logger of this package: a filter does not pass on to the loggers below."""
    for name in [PACKAGE, *logging.root.manager.loggerDict]:
        if name == PACKAGE or name.startswith(f"{PACKAGE}."):
            logger = logging.getLogger(name)
            if not any(isinstance(one, RedactingFilter) for one in logger.filters):
                logger.addFilter(RedactingFilter())


def scrub(environ: Mapping[str, Any]) -> dict[str, str]:
    """A copy of a WSGI environ, as texts, that may be logged or sent to an error tracker."""
    return {key: _shown(key, value) for key, value in environ.items()}


def scrub_event(event: Any, hint: object = None) -> Any:  # noqa: ARG001 - the signature is Sentry's
    """A copy of nested dicts and lists without secrets, for ``sentry_sdk.init(before_send=scrub_event)``.

    :param hint: what Sentry gives as well; not looked at.
    """
    return _scrubbed(event, _MAX_DEPTH)


def _shown(key: str, value: object) -> str:
    if key in _HIDDEN_ENVIRON_KEYS or _SECRET_KEY.search(key):
        return HIDDEN
    if isinstance(value, str):
        return one_line(redact(value))
    return repr(value) if isinstance(value, (bool, int, tuple)) else f"<{type(value).__name__}>"


def _scrubbed(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return redact(value)
    if depth == 0:
        return HIDDEN
    if isinstance(value, Mapping):
        return {key: _member(key, member, depth) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_scrubbed(member, depth - 1) for member in value]
    return value


def _member(key: object, value: Any, depth: int) -> Any:
    """What stands below a name that promises a secret is hidden whole, where it holds anything."""
    if value and isinstance(key, str) and (key in _HIDDEN_ENVIRON_KEYS or _SECRET_KEY.search(key)):
        return HIDDEN
    return _scrubbed(value, depth - 1)
